use std::collections::BTreeSet;

use jiff::SignedDuration;

use super::*;
use crate::ids::{AuditId, LeadId};
use crate::model::audit::{AuditActor, AuditOutcome, AuditRecord};
use crate::model::caller::{Caller, Role};
use crate::model::lead::Status;
use crate::table::tests::{empty_table, scope};

fn caller(user: &str) -> Caller {
    let user = UserId::parse(user).unwrap();
    let orgs = vec![scope("a").org().clone()];
    Caller { user, name: Some("Una".to_owned()), email: None, role: Role::Admin, orgs, is_program: false }
}

async fn log() -> AuditLog {
    AuditLog { table: empty_table().await, key: HmacKey::new("k".into()) }
}

fn record(at: Timestamp, act: AuditAct, who: &str, subject: &str) -> AuditRecord {
    AuditRecord {
        id: AuditId::new(),
        at,
        who: AuditActor::new(&caller(who)),
        face: AuditFace::Api,
        source: None,
        act: act.name().to_owned(),
        subjects: vec![subject.to_owned()],
        outcome: AuditOutcome::Done,
        code: None,
        changes: Vec::new(),
    }
}

/// Reads all pages, and returns what is on them and how many there are.
async fn all_pages(log: &AuditLog, query: &AuditQuery, limit: usize) -> (Vec<AuditRecord>, usize) {
    let (mut found, mut cursor) = (Vec::new(), None);
    for pages in 1.. {
        let page = log.list(&scope("a"), query, cursor.as_deref(), limit).await.unwrap();
        assert!(page.items.len() <= limit);
        found.extend(page.items);
        cursor = page.next_cursor;
        if cursor.is_none() {
            return (found, pages);
        }
        assert!(pages < 1000, "the list does not come to an end");
    }
    unreachable!()
}

#[tokio::test]
async fn pages_lead_through_all_months_newest_first() {
    let log = log().await;
    let now = crate::clock::now();
    // Several a day, some at the same instant, over more than a year, with months that have none.
    let mut stored = Vec::new();
    for day in [0, 0, 0, 1, 1, 31, 33, 34, 150, 151, 300, 390, 399] {
        let record = record(now - SignedDuration::from_hours(24 * day), AuditAct::LeadChange, "u", "meta-1");
        log.table.put_audit(&scope("a"), &record).await.unwrap();
        stored.push(record);
    }
    // What has expired and is not deleted yet is not listed, nor is another org's.
    let expired = record(now - SignedDuration::from_hours(24 * 401), AuditAct::LeadChange, "u", "meta-1");
    log.table.put_audit(&scope("a"), &expired).await.unwrap();
    log.table.put_audit(&scope("b"), &record(now, AuditAct::LeadChange, "u", "meta-1")).await.unwrap();
    for limit in [1, 2, 3, 5, 13, 100] {
        let (found, _) = all_pages(&log, &AuditQuery::default(), limit).await;
        let (times, ids): (Vec<_>, BTreeSet<_>) = found.iter().map(|one| (one.at, one.id.clone())).unzip();
        assert_eq!(ids, stored.iter().map(|one| one.id.clone()).collect(), "{limit}");
        assert_eq!(found.len(), stored.len(), "{limit}: one is listed twice");
        assert!(times.is_sorted_by(|one, next| one >= next), "{limit}: {times:?}");
    }
    let days = |days: i64| now - SignedDuration::from_hours(24 * days);
    let range = AuditQuery { from: Some(days(151)), to: Some(days(31)), ..AuditQuery::default() };
    let (found, _) = all_pages(&log, &range, 2).await;
    let expected: Vec<Timestamp> = [33, 34, 150, 151].map(days).to_vec();
    assert_eq!(found.iter().map(|one| one.at).collect::<Vec<_>>(), expected, "from is included, to is not");
}

#[tokio::test]
async fn a_filter_finds_its_own_and_reads_a_bounded_number_for_each_page() {
    let log = log().await;
    let now = crate::clock::now();
    for number in 0..2300_i64 {
        let (act, who, subject) = match number {
            0 | 2299 => (AuditAct::OrgChange, "boss", "rare"),
            _ => (AuditAct::LeadChange, "u", "meta-1"),
        };
        let record = record(now - SignedDuration::from_mins(number), act, who, subject);
        log.table.put_audit(&scope("a"), &record).await.unwrap();
    }
    let rare = [
        AuditQuery { act: Some(AuditAct::OrgChange), ..AuditQuery::default() },
        AuditQuery { who: UserId::parse("boss").ok(), ..AuditQuery::default() },
        AuditQuery { subject: Some("rare".to_owned()), ..AuditQuery::default() },
    ];
    for query in rare {
        let (found, pages) = all_pages(&log, &query, 25).await;
        assert_eq!((found.len(), pages), (2, 3), "{query:?}");
    }
    let none = AuditQuery { act: Some(AuditAct::OrgChange), who: UserId::parse("u").ok(), ..AuditQuery::default() };
    assert_eq!(all_pages(&log, &none, 25).await.0, []);
    // A position belongs to its filter and its org.
    let page = log.list(&scope("a"), &AuditQuery::default(), None, 1).await.unwrap();
    assert!(log.list(&scope("a"), &none, page.next_cursor.as_deref(), 1).await.is_err());
    assert!(log.list(&scope("b"), &AuditQuery::default(), page.next_cursor.as_deref(), 1).await.is_err());
    let backwards = AuditQuery { from: Some(now), to: Some(now), ..AuditQuery::default() };
    assert!(log.list(&scope("a"), &backwards, None, 1).await.is_err());
}

#[tokio::test]
async fn a_trail_says_who_did_what_and_what_it_changed() {
    let log = log().await;
    let trail = log.trail(AuditFace::Console, Some("192.0.2.1".into()), ActRule::Act(AuditAct::LeadChange));
    trail.about(&LeadId::parse("meta-1").unwrap());
    trail.about_id("meta-1");
    for bad in ["jane@example.com", "+31612345678", "Jane Roe", "a#b", "", "ä"] {
        trail.about_id(bad);
    }
    let ann = UserId::parse("ann").unwrap();
    trail.set_user(&ann);
    trail.begin(&scope("a"), &caller("u")).await.unwrap();
    trail.begin(&scope("a"), &caller("u")).await.unwrap();
    trail.changed("status", &Status::New, &Status::New);
    trail.changed("status", &Status::New, &Status::Contacted);
    // Another try says it again.
    trail.changed("status", &Status::Qualified, &Status::Contacted);
    trail.withheld("note", &None, &Some("Jane"));
    trail.withheld("lost_reason", "same", "same");
    trail.finish(AuditOutcome::Done, None).await;
    let found = log.list(&scope("a"), &AuditQuery::default(), None, 10).await.unwrap().items;
    let [act] = &found[..] else { panic!("{found:?}") };
    assert_eq!((act.act.as_str(), act.face, act.outcome), ("lead.change", AuditFace::Console, AuditOutcome::Done));
    assert_eq!((act.who.id.as_str(), act.who.role, act.source.as_deref()), ("u", Role::Admin, Some("192.0.2.1")));
    assert_eq!((&act.who.user_id, &act.subjects), (&Some(ann.clone()), &vec!["meta-1".to_owned()]));
    for (who, found) in [("u", 1), ("ann", 1), ("bob", 0)] {
        let query = AuditQuery { who: UserId::parse(who).ok(), ..AuditQuery::default() };
        assert_eq!(log.list(&scope("a"), &query, None, 10).await.unwrap().items.len(), found, "{who}");
    }
    // Who acts for another org has no id in its directory.
    let root = Caller { role: Role::SuperAdmin, ..caller("u") };
    let elsewhere = log.trail(AuditFace::Console, None, ActRule::Act(AuditAct::LeadChange));
    elsewhere.set_user(&ann);
    elsewhere.begin(&scope("b"), &root).await.unwrap();
    assert_eq!(log.list(&scope("b"), &AuditQuery::default(), None, 10).await.unwrap().items[0].who.user_id, None);
    let changes = serde_json::to_value(&act.changes).unwrap();
    let status =
        serde_json::json!({ "field": "status", "before": "qualified", "after": "contacted", "withheld": false });
    let note = serde_json::json!({ "field": "note", "before": null, "after": null, "withheld": true });
    assert_eq!(changes, serde_json::json!([status, note]));
    assert!(!format!("{:?}", log.table.everything().await).contains("Jane"));
}

#[tokio::test]
async fn what_cannot_be_recorded_is_not_begun_and_what_cannot_be_completed_stays_unknown() {
    let log = log().await;
    let deaf = AuditLog { table: log.table.missing(), ..log.clone() };
    let trail = deaf.trail(AuditFace::Api, None, ActRule::Act(AuditAct::LeadChange));
    assert_eq!(trail.begin(&scope("a"), &caller("u")).await.unwrap_err().code(), ErrorCode::Unavailable);
    trail.finish(AuditOutcome::Failed, None).await;
    let unnamed = log.trail(AuditFace::Api, None, ActRule::Unnamed);
    assert!(unnamed.begin(&scope("a"), &caller("u")).await.is_err());
    // A handler that begins nothing leaves nothing.
    for rule in [ActRule::Choice, ActRule::Nothing] {
        let trail = log.trail(AuditFace::Api, None, rule);
        trail.begin(&scope("a"), &caller("u")).await.unwrap();
        trail.finish(AuditOutcome::Done, None).await;
    }
    assert_eq!(all_pages(&log, &AuditQuery::default(), 10).await.0, []);
    let trail = log.trail(AuditFace::Api, None, ActRule::Choice);
    trail.begin_as(AuditAct::FormCreate, &scope("a"), &caller("u")).await.unwrap();
    // More than an item holds: the table refuses it.
    trail.finish(AuditOutcome::Done, Some(&"x".repeat(500_000))).await;
    let found = all_pages(&log, &AuditQuery::default(), 10).await.0;
    assert_eq!(
        found.iter().map(|one| (one.act.as_str(), one.outcome)).collect::<Vec<_>>(),
        [("form.create", AuditOutcome::Unknown)]
    );
}

#[tokio::test]
async fn records_expire_after_400_days() {
    let log = log().await;
    let at: Timestamp = "2026-01-31T23:59:59.999999Z".parse().unwrap();
    log.table.put_audit(&scope("a"), &record(at, AuditAct::LeadChange, "u", "meta-1")).await.unwrap();
    let stored = format!("{:?}", log.table.everything().await);
    assert!(stored.contains("ORG#a#AUDIT#2026-01\""), "{stored}");
    let ttl = (at + SignedDuration::from_hours(24 * 400)).as_second().to_string();
    assert!(stored.contains(&ttl), "{stored}");
}
