//! How an item of an earlier shape becomes one of the next, and what becomes of a list with an item of a later one.

use aws_sdk_dynamodb::types::AttributeValue;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::org_samples_tests::{demo, now, write as write_org};
use super::release_tests::{item_from_json, item_to_json, plain};
use super::{ItemKind, SHAPE, SHAPES, ShapeUpgrade, StoredShapes};
use crate::ids::{AuditId, CampaignId, ConversationId, SavedReplyId};
use crate::model::ads::insights::CampaignDay;
use crate::model::inbox::ConversationStatus;
use crate::model::inbox::saved_reply::SavedReply;
use crate::stored_test_support::of_all_releases;
use crate::table::lead_list::LeadFilter;
use crate::table::row::Row;
use crate::table::tests::empty_table;
use crate::table::{Item, TableError, entity, keys, text};

/// An example: a later release keeps several texts in a saved reply.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct RepliesOfTwo {
    id: SavedReplyId,
    title: String,
    texts: Vec<String>,
}

/// It takes what has the old name, and leaves alone what has the new one.
fn take_several_texts(item: &mut Item) {
    if let Some(text) = item.remove("text")
        && !item.contains_key("texts")
    {
        item.insert("texts".to_owned(), AttributeValue::L(vec![text]));
    }
}

const NEXT: StoredShapes = StoredShapes(&[ShapeUpgrade { kind: ItemKind::SavedReply, step: take_several_texts }]);

/// The first item of a kind that the first release stored.
fn recorded(kind: &str) -> Item {
    let (_, files) = of_all_releases("items").remove(0);
    item_from_json(&files[kind][0])
}

fn read_in(shapes: StoredShapes, mut item: Item) -> RepliesOfTwo {
    shapes.upgrade(&mut item);
    serde_dynamo::from_item(item).unwrap()
}

#[test]
fn an_item_of_an_earlier_shape_is_upgraded_when_it_is_read_and_stored_in_the_new_one() {
    let old = recorded("saved_reply");
    assert!(!old.contains_key(SHAPE), "the first shape costs nothing");
    let read = read_in(NEXT, old.clone());
    assert_eq!(read.texts, ["We are open until six."]);
    // Written again, it says its shape, and is read as it is.
    let key = keys::saved_reply(&demo(), &read.id);
    let new = Row::new(&key, ItemKind::SavedReply, &read).item_in(NEXT).unwrap();
    assert_eq!(new[SHAPE].as_n().unwrap(), "2");
    assert!(!new.contains_key("text"));
    assert_eq!(read_in(NEXT, new), read);
    // A change of a part leaves the number: the name decides.
    let mut changed = old.clone();
    let texts = ["One", "Two"].map(text).to_vec();
    changed.insert("texts".to_owned(), AttributeValue::L(texts));
    assert_eq!(read_in(NEXT, changed).texts, ["One", "Two"]);
    // Other kinds are none of its business.
    let mut mapping = recorded("mapping");
    NEXT.upgrade(&mut mapping);
    assert_eq!(mapping, recorded("mapping"));
    assert_eq!((NEXT.current(ItemKind::SavedReply), NEXT.current(ItemKind::Mapping)), (Some(2), None));
}

#[test]
fn an_earlier_release_reads_a_renamed_field_while_both_names_are_written() {
    let mut item = recorded("saved_reply");
    let texts = ["One", "Two"].map(text).to_vec();
    item.insert("text".to_owned(), text("One"));
    item.insert("texts".to_owned(), AttributeValue::L(texts));
    item.insert(SHAPE.to_owned(), AttributeValue::N("2".to_owned()));
    let read: SavedReply = entity(item.clone()).unwrap();
    assert_eq!(read.text, "One");
    assert_eq!(read_in(NEXT, item).texts, ["One", "Two"]);
}

#[test]
fn an_upgrade_that_was_applied_changes_nothing_more() {
    for (release, files) in of_all_releases("items") {
        for item in files.values().flat_map(|items| items.as_array().unwrap()).map(item_from_json) {
            let (mut once, mut twice) = (item.clone(), item.clone());
            SHAPES.upgrade(&mut once);
            (0..2).for_each(|_| SHAPES.upgrade(&mut twice));
            assert_eq!(once, twice, "{release}");
        }
    }
}

#[test]
fn a_number_that_a_later_release_adds_to_an_ad_s_day_keeps_none_from_being_read() {
    let item = item_to_json(&recorded("campaign_day"));
    let known: CampaignDay = entity(item_from_json(&item)).unwrap();
    let mut later = item;
    for ad in later["ads"]["M"].as_object_mut().unwrap().values_mut() {
        ad["L"].as_array_mut().unwrap().push(serde_json::json!({ "N": "5" }));
    }
    assert_eq!(entity::<CampaignDay>(item_from_json(&later)).unwrap(), known);
}

#[tokio::test]
async fn an_item_of_a_later_release_costs_a_list_that_people_look_at_only_itself() {
    let (table, scope) = (empty_table().await, demo());
    write_org(&table).await;
    super::lead_samples_tests::write(&table).await;
    super::channel_samples_tests::write(&table).await;
    super::inbox_samples_tests::write(&table).await;
    let display = table.for_display();
    let count = async || {
        let leads = display.leads(&scope, &LeadFilter::default(), None, 50).await.unwrap().0.len();
        let parked = display.parked_from(&scope, None, 50).await.unwrap().0.len();
        let campaigns = display.campaigns(&scope, None, 50).await.unwrap().0.len();
        let open = display.conversations(&scope, ConversationStatus::Open, None, 50).await.unwrap().len();
        let integrations = display.integrations(&scope).await.unwrap().len();
        let month = (now(), jiff::Timestamp::MAX);
        let acts = display.audit_of_month(&scope, "2026-01", month, None, 50).await.unwrap();
        let acts = acts.records.iter().filter(|(act, _)| act.is_some()).count();
        [leads, parked, campaigns, open, integrations, acts]
    };
    let before = count().await;
    // One of each has a value that only a later release knows.
    let odd = "of_a_later_release";
    let damage = async |key: keys::Key, name: &str| {
        assert!(table.change(&key).set(name, &odd).unwrap().if_exists().send().await.unwrap(), "{key:?}");
    };
    let lead = super::lead_samples_tests::lead_id(1);
    damage(keys::lead(&scope, &lead), "found_by").await;
    damage(keys::parked(&scope, &super::lead_samples_tests::lead_id(9)), "reason").await;
    damage(keys::campaign(&scope, &CampaignId::parse("cmp_2").unwrap()), "review").await;
    damage(keys::conversation(&scope, &ConversationId::parse("cnv_1").unwrap()), "channel").await;
    damage(keys::integration(&scope, &super::org_samples_tests::integration_id()), "lifecycle").await;
    damage(keys::act(&scope, now(), &AuditId::parse("act_1").unwrap()), "face").await;
    assert_eq!(count().await, before.map(|count| count - 1));
    // Page by page, nothing behind it is lost.
    let mut ids = Vec::new();
    let mut after = None;
    loop {
        let (page, more) = display.campaigns(&scope, after.as_ref(), 1).await.unwrap();
        ids.extend(page.iter().map(|campaign| campaign.id.to_string()));
        after = page.last().map(|campaign| campaign.id.clone());
        if !more || after.is_none() {
            break;
        }
    }
    assert_eq!(ids, ["cmp_0123456789abcdef"]);
    // What decides something does not go on without it.
    assert!(matches!(table.integrations(&scope).await, Err(TableError::Unreadable(_))));
    assert!(matches!(table.find_lead(&scope, &lead).await, Err(TableError::Unreadable(_))));
}

#[test]
fn the_files_of_items_have_nothing_that_looks_like_a_token_or_a_real_person() {
    for (release, files) in of_all_releases("items") {
        for (name, items) in files {
            let read: Vec<Value> = items.as_array().unwrap().iter().map(|item| plain(&item_from_json(item))).collect();
            let text = Value::from(read).to_string();
            assert!(!text.contains("EAA") && !text.contains("whsec_"), "{release} {name}");
            for word in text.split(['"', ' ', '\\', '#']).filter(|word| word.contains('@')) {
                assert!(word.trim_end_matches(',').ends_with(".example"), "{release} {name}: {word}");
            }
        }
    }
}
