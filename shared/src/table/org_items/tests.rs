use std::collections::BTreeSet;

use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::{AttributeValue, PutRequest, WriteRequest};
use jiff::SignedDuration;
use serde_json::json;

use super::examples_tests::{THEN, UNLISTED, examples};
use super::*;
use crate::ids::{FormId, MessageId, PageId, PostId};
use crate::table::tests::{at, empty_table, lead, scope};

/// What the list on top of `keys/mod.rs` says of each kind: its name, its partition and its sort key.
fn listed_kinds() -> Vec<(String, String, String)> {
    let source = include_str!("../keys/mod.rs");
    let rows = source.lines().filter_map(|line| line.strip_prefix("//! | ")).filter(|row| !row.starts_with("item "));
    let cells = rows.map(|row| row.split('|').map(|cell| cell.trim().to_owned()).collect::<Vec<_>>());
    cells.map(|cells| (cells[0].clone(), cells[1].clone(), cells[2].clone())).collect()
}

async fn store(table: &Table, items: impl IntoIterator<Item = OrgItem>) {
    let put = |item: OrgItem| {
        let put = PutRequest::builder().set_item(Some(item.item)).build().unwrap();
        WriteRequest::builder().put_request(put).build()
    };
    table.write_many(items.into_iter().map(put).collect()).await.unwrap();
}

/// The examples of an org, those of another one whose id begins alike, and what belongs to no org.
async fn full_table() -> Table {
    let table = empty_table().await;
    for org in ["a", "ab"] {
        store(&table, examples(&scope(org)).into_iter().map(|(_, item)| item)).await;
    }
    let (page, form) = (PageId::parse("7").unwrap(), FormId::parse("3").unwrap());
    let shared = [keys::form(&page, &form), keys::pause(&page), keys::publish_turns(&page), keys::app_pause()];
    store(&table, shared.iter().filter_map(|key| OrgItem::new(key.attributes()))).await;
    table
}

fn keys_of<'a>(items: impl IntoIterator<Item = &'a OrgItem>) -> BTreeSet<Key> {
    items.into_iter().map(|item| item.key().clone()).collect()
}

/// What a walk is to find.
fn expected(org: &str) -> BTreeSet<Key> {
    let listed = examples(&scope(org)).into_iter().filter(|(kind, _)| !UNLISTED.contains(kind));
    listed.map(|(_, item)| item.key).collect()
}

async fn walk(table: &Table, org: &str) -> Vec<OrgItem> {
    let (scope, pace, mut all) = (scope(org), ReadPace::new(1_000_000), Vec::new());
    let walk = OrgWalk { table, scope: &scope, pace: &pace };
    let take = async |items: Vec<OrgItem>| {
        all.extend(items);
        Ok::<_, TableError>(())
    };
    walk.walk(at("2026-02-01T00:00:00Z"), take).await.unwrap();
    all
}

/// A new kind has to be added to the examples, and the walk has to find it.
#[test]
fn every_kind_of_an_org_has_an_example() {
    let of_org = |(_, pk, sk): &&(String, String, String)| {
        pk.contains("ORG#o") || sk.contains("ORG#o") || pk == "as an event's content"
    };
    let kinds = listed_kinds();
    assert!(kinds.len() > 60, "the list is not read as it is written: {}", kinds.len());
    let listed: BTreeSet<&str> = kinds.iter().filter(of_org).map(|(kind, ..)| kind.as_str()).collect();
    let examples = examples(&scope("a"));
    let known: BTreeSet<&str> = examples.iter().map(|(kind, _)| *kind).collect();
    assert_eq!(known, listed, "left has an example, right is in the list of keys/mod.rs");
    assert!(examples.iter().all(|(_, item)| keys::is_of_org(&scope("a"), item.key())));
    assert!(!examples.iter().any(|(_, item)| keys::is_of_org(&scope("ab"), item.key())));
}

#[tokio::test]
async fn everything_of_an_org_is_found_and_nothing_else() {
    let table = full_table().await;
    assert_eq!(keys_of(&walk(&table, "a").await), expected("a"));
    assert_eq!(keys_of(&walk(&table, "ab").await), expected("ab"));
    assert!(walk(&table, "b").await.is_empty());
}

#[tokio::test]
async fn a_walk_that_stops_while_it_deletes_leaves_the_rest_to_be_found() {
    // Each stop takes a table; every fifth shows each of the walk's parts.
    for stop in (0..).step_by(5) {
        let table = full_table().await;
        let (scope, pace, mut left) = (scope("a"), ReadPace::new(1_000_000), stop);
        let walking = OrgWalk { table: &table, scope: &scope, pace: &pace };
        let take = async |items: Vec<OrgItem>| {
            if left == 0 {
                return Err(TableError::Contended(0));
            }
            left -= 1;
            table.delete_org_items(&items).await
        };
        let stopped = walking.walk(at("2026-02-01T00:00:00Z"), take).await.is_err();
        table.delete_org_items(&walk(&table, "a").await).await.unwrap();
        let stored: Vec<OrgItem> = table.everything().await.into_iter().filter_map(OrgItem::new).collect();
        let own: Vec<&OrgItem> = stored.iter().filter(|item| keys::is_of_org(&scope, item.key())).collect();
        let unlisted = examples(&scope).into_iter().filter(|(kind, _)| UNLISTED.contains(kind));
        assert_eq!(keys_of(own), unlisted.map(|(_, item)| item.key).collect(), "stopped after {stop} parts");
        assert_eq!(keys_of(&walk(&table, "ab").await), expected("ab"), "another org loses nothing");
        if !stopped {
            return;
        }
    }
}

#[test]
fn an_item_is_a_line_and_back_whatever_it_has() {
    let a = scope("a");
    let deep = AttributeValue::M([("l".to_owned(), AttributeValue::L(vec![AttributeValue::Null(true)]))].into());
    let mut item = keys::org(&a).attributes();
    item.extend([
        ("n".to_owned(), AttributeValue::N("1.50".to_owned())),
        ("b".to_owned(), AttributeValue::B(Blob::new([0, 255]))),
        ("bool".to_owned(), AttributeValue::Bool(false)),
        ("ss".to_owned(), AttributeValue::Ss(vec!["x\n\"".to_owned()])),
        ("ns".to_owned(), AttributeValue::Ns(vec!["1".to_owned()])),
        ("bs".to_owned(), AttributeValue::Bs(vec![Blob::new([7])])),
        ("m".to_owned(), deep),
    ]);
    let item = OrgItem::new(item).unwrap();
    let line = item.to_line();
    assert!(!line.contains('\n'));
    assert_eq!(OrgItem::from_line(&a, &line).unwrap(), item);
    assert_eq!(OrgItem::from_line(&scope("b"), &line), Err(InvalidLine::Foreign));
    for (bad, error) in [
        ("", InvalidLine::NotJson),
        ("[]", InvalidLine::NotAnItem),
        (r#"{"pk":{"S":"ORG#a"}}"#, InvalidLine::NotAnItem),
        (r#"{"pk":{"S":"ORG#a"},"sk":{"X":"ORG"}}"#, InvalidLine::NotAnItem),
        (r#"{"pk":{"S":"SESSION#a"},"sk":{"S":"SESSION"}}"#, InvalidLine::Foreign),
        (r#"{"pk":{"S":"PAGE#7"},"sk":{"S":"FORM#3"}}"#, InvalidLine::Foreign),
    ] {
        assert_eq!(OrgItem::from_line(&a, bad), Err(error), "{bad}");
    }
}

#[tokio::test]
async fn what_is_absent_is_put_back_and_what_is_there_stays() {
    let (table, a, now) = (full_table().await, scope("a"), at(THEN) - SignedDuration::from_hours(1));
    let copy = walk(&table, "a").await;
    let empty = empty_table().await;
    let nobody = ErasedPeople::default();
    let counted = empty.restore_items(copy.clone(), &nobody, now, true).await.unwrap();
    assert!(empty.everything().await.is_empty(), "counting stores nothing");
    let restored = empty.restore_items(copy.clone(), &nobody, now, false).await.unwrap();
    assert_eq!((restored, restored.stored, restored.held), (counted, copy.len(), 0));
    let stored: Vec<OrgItem> = empty.everything().await.into_iter().filter_map(OrgItem::new).collect();
    let line = |item: &OrgItem| item.to_line();
    assert_eq!(stored.iter().map(line).collect::<BTreeSet<_>>(), copy.iter().map(line).collect::<BTreeSet<_>>());

    let changed = json!({ "pk": keys::org(&a).pk, "sk": keys::org(&a).sk, "name": "newer" });
    store(&empty, OrgItem::new(serde_dynamo::to_item(changed).unwrap())).await;
    let again = empty.restore_items(copy.clone(), &nobody, now, false).await.unwrap();
    assert_eq!((again.stored, again.present), (0, copy.len()));
    let org = empty.get_item(&keys::org(&a)).await.unwrap().unwrap();
    assert_eq!(text_at(&org, &["name"]), Some("newer"));
}

#[tokio::test]
async fn people_who_were_erased_since_stay_erased() {
    let (source, a, now) = (full_table().await, scope("a"), at(THEN));
    let copy = walk(&source, "a").await;
    let table = empty_table().await;
    let (lead, contact) = (lead(1, None).id, crate::ids::ContactId::parse("con_1").unwrap());
    for about in [EventSubject::Lead(lead.clone()), EventSubject::Contact(contact)] {
        table.mark_erasure(&a, &about, now).await.unwrap();
    }
    let mut people = ErasedPeople::default();
    copy.iter().for_each(|item| people.note(item));
    table.find_erased(&a, &mut people).await.unwrap();
    let restored = table.restore_items(copy, &people, now, false).await.unwrap();
    let stored: Vec<OrgItem> = table.everything().await.into_iter().filter_map(OrgItem::new).collect();
    let is_of_person = |item: &&OrgItem| {
        let kinds = ["lead", "person", "contact", "identity", "conversation", "message"];
        let own = text_at(&item.item, &["id"]) != Some("con_2") && item.key().pk != "ORG#a#CONTACT#con_2";
        kinds.contains(&item.kind()) && own
    };
    assert_eq!(stored.iter().filter(is_of_person).map(OrgItem::to_line).collect::<Vec<_>>(), Vec::<String>::new());
    assert!(restored.erased > 8, "{restored:?}");
    assert!(stored.iter().any(|item| item.kind() == "submission"), "the mark names one submission, and means that one");
}

#[tokio::test]
async fn what_may_be_public_already_waits_and_what_has_expired_stays_away() {
    let (table, a, now) = (empty_table().await, scope("a"), at("2026-03-01T00:00:00Z"));
    let post = |id: &str, due: &str| {
        let id = PostId::parse(id).unwrap();
        let index = keys::publish_due(&a, &crate::jobs::PublishWork::Post(id.clone()), at(due));
        let mut item = keys::post(&a, &id).attributes();
        item.extend(serde_dynamo::to_item::<_, Item>(index).unwrap());
        item.insert("type".to_owned(), text("post"));
        OrgItem::new(item).unwrap()
    };
    let answer = {
        let id = MessageId::parse("msg_1").unwrap();
        let mut item = keys::message(&a, &id).attributes();
        item.extend(serde_dynamo::to_item::<_, Item>(keys::answer_due(&a, &id, at(THEN))).unwrap());
        item.insert("type".to_owned(), text("message"));
        OrgItem::new(item).unwrap()
    };
    let mut expired = keys::publication(&a, "p").attributes();
    expired.insert("ttl".to_owned(), AttributeValue::N((now.as_second() - 1).to_string()));
    let expired = OrgItem::new(expired).unwrap();
    let copy = vec![post("past", THEN), post("future", "2026-04-01T00:00:00Z"), answer, expired];
    let restored = table.restore_items(copy, &ErasedPeople::default(), now, false).await.unwrap();
    assert_eq!(restored, Restored { stored: 3, held: 2, expired: 1, ..Restored::default() });
    let due = table.index_keys(keys::PUBLISH_DUE, crate::table::IndexRange::All).await.unwrap();
    assert_eq!(due, [keys::post(&a, &PostId::parse("future").unwrap())]);
    assert!(table.answers_due(None).await.unwrap().is_empty());
}
