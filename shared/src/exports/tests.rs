use std::time::Duration;

use super::test_support::ExportFixture;
use super::*;
use crate::leads::crash_tests::dies_at;
use crate::model::lead::{Answer, Lead};
use crate::table::tests::lead;

const LONG: Duration = Duration::from_mins(5);

/// Org `a` with so many leads, each of which takes about 300 bytes of a file.
async fn fixture(leads: u64) -> ExportFixture {
    let fixture = ExportFixture::new(1200, 2).await;
    for number in 1..=leads {
        fixture.store(Lead { note: Some("x".repeat(200)), ..lead(number, None) }).await;
    }
    fixture
}

fn ids(numbers: std::ops::RangeInclusive<u64>) -> Vec<String> {
    numbers.map(|number| format!("meta-{number}")).collect()
}

fn sorted(mut ids: Vec<String>) -> Vec<String> {
    ids.sort_by_key(|id| id[5..].parse::<u64>().unwrap());
    ids
}

#[tokio::test]
async fn a_file_has_every_lead_once_however_often_its_worker_runs_out_of_time() {
    for time in [LONG, Duration::ZERO] {
        let fixture = fixture(15).await;
        let begun = fixture.exports.start(&fixture.access, LeadQuery::default()).await.unwrap();
        assert_eq!((begun.state, begun.leads, &begun.url), (ExportState::Running, 0, &None));
        let mut messages = 0;
        while let Some(job) = { fixture.bucket().messages.pop() } {
            messages += 1;
            fixture.work(&job, time).await;
        }
        assert!(if time.is_zero() { messages > 7 } else { messages == 1 }, "{messages}");
        let done = fixture.exports.read(&fixture.access, &begun.id).await.unwrap();
        assert_eq!((done.state, done.leads), (ExportState::Done, 15));
        assert_eq!(sorted(fixture.ids_in_file(&begun.id)), ids(1..=15));
        assert!(done.url.unwrap().contains("X-Amz-Expires=300"));
        let bucket = fixture.bucket();
        assert_eq!(bucket.files.len(), 1, "no remainder stays");
        assert_eq!(done.bytes, bucket.files.values().next().map(|file| file.len() as u64));
        assert!(bucket.uploads.is_empty());
    }
}

#[tokio::test]
async fn a_filter_and_an_org_without_leads_give_a_file_too() {
    let fixture = fixture(3).await;
    let nothing = LeadQuery { source: Some("Import".to_owned()), ..LeadQuery::default() };
    let begun = fixture.exports.start(&fixture.access, nothing).await.unwrap();
    fixture.drain(LONG).await;
    let done = fixture.exports.read(&fixture.access, &begun.id).await.unwrap();
    assert_eq!((done.state, done.leads), (ExportState::Done, 0));
    assert!(fixture.ids_in_file(&begun.id).is_empty());
}

#[tokio::test]
async fn a_worker_that_dies_at_any_point_loses_and_doubles_nothing() {
    let mut points = 0;
    for point in 0.. {
        assert!(point < 300, "the work does not come to an end");
        let fixture = fixture(9).await;
        let begun = fixture.exports.start(&fixture.access, LeadQuery::default()).await.unwrap();
        let job = fixture.job(&begun.id);
        let died = dies_at(point, fixture.work(&job, Duration::ZERO)).await;
        // SQS delivers it again, now and then twice.
        fixture.work(&job, Duration::ZERO).await;
        fixture.drain(Duration::ZERO).await;
        fixture.work(&job, LONG).await;
        assert_eq!(sorted(fixture.ids_in_file(&begun.id)), ids(1..=9), "{point}");
        assert_eq!(fixture.exports.read(&fixture.access, &begun.id).await.unwrap().leads, 9);
        if died.is_some() {
            points = point;
            break;
        }
    }
    assert!(points > 5, "only {points} points at which it could stop");
}

#[tokio::test]
async fn two_workers_at_once_write_one_file() {
    for first in 0..400 {
        let fixture = fixture(9).await;
        let begun = fixture.exports.start(&fixture.access, LeadQuery::default()).await.unwrap();
        let job = fixture.job(&begun.id);
        // One is stopped somewhere, the other goes on meanwhile.
        let slow = fixture.work(&job, LONG);
        tokio::pin!(slow);
        if dies_at(first, &mut slow).await.is_some() {
            assert!(first > 5);
            return;
        }
        tokio::join!(slow, fixture.work(&job, LONG));
        fixture.work(&job, LONG).await;
        assert_eq!(sorted(fixture.ids_in_file(&begun.id)), ids(1..=9), "{first}");
        assert_eq!(fixture.exports.read(&fixture.access, &begun.id).await.unwrap().leads, 9, "{first}");
    }
}

#[tokio::test]
async fn a_completion_whose_answer_is_lost_is_a_completion() {
    let fixture = fixture(3).await;
    let begun = fixture.exports.start(&fixture.access, LeadQuery::default()).await.unwrap();
    fixture.bucket().loses_completion = true;
    let job = fixture.job(&begun.id);
    assert!(fixture.exporter.export(&job, LONG, &crate::clock::now).await.is_err());
    assert_eq!(fixture.exports.read(&fixture.access, &begun.id).await.unwrap().state, ExportState::Running);
    fixture.work(&job, LONG).await;
    let done = fixture.exports.read(&fixture.access, &begun.id).await.unwrap();
    assert_eq!((done.state, done.leads), (ExportState::Done, 3));
}

#[tokio::test]
async fn nothing_of_a_deleted_export_stays_whatever_its_worker_does_then() {
    for point in 0..60 {
        let fixture = fixture(9).await;
        let query = LeadQuery { text: Some("l".to_owned()), ..LeadQuery::default() };
        let query = if point % 2 == 0 { LeadQuery::default() } else { query };
        let begun = fixture.exports.start(&fixture.access, query).await.unwrap();
        let job = fixture.job(&begun.id);
        let late = fixture.work(&job, LONG);
        tokio::pin!(late);
        let is_over = dies_at(point, &mut late).await.is_some();
        if point % 3 == 0 {
            fixture.exports.delete(&fixture.access, &begun.id).await.unwrap();
        } else {
            assert_eq!(fixture.exports.revoke_all(&fixture.scope).await.unwrap(), 1);
        }
        if !is_over {
            late.await;
        }
        fixture.drain(LONG).await;
        assert!(fixture.bucket().files.is_empty(), "{point}: {:?}", fixture.bucket().files.keys());
        assert!(fixture.bucket().uploads.is_empty(), "{point}");
        let listed = fixture.exports.list(&fixture.access).await.unwrap().items;
        if point % 3 == 0 {
            assert!(listed.is_empty());
        } else {
            assert_eq!(listed[0].state, ExportState::Erased);
            assert_eq!(listed[0].url, None);
            let stored = fixture.exports.table.export(&fixture.scope, &begun.id).await.unwrap().unwrap();
            assert_eq!(stored.query, LeadQuery::default(), "which leads it had may name a person");
            assert_eq!(fixture.exports.revoke_all(&fixture.scope).await.unwrap(), 0);
        }
    }
}

#[tokio::test]
async fn what_cannot_go_on_says_so_and_is_not_tried_for_ever() {
    let mut fixture = fixture(9).await;
    let begun = fixture.exports.start(&fixture.access, LeadQuery::default()).await.unwrap();
    let job = fixture.job(&begun.id);
    fixture.work(&job, Duration::ZERO).await;
    // The key that signed the place in the list was replaced.
    fixture.exporter.key = HmacKey::new("another".into());
    fixture.drain(Duration::ZERO).await;
    let failed = fixture.exports.read(&fixture.access, &begun.id).await.unwrap();
    assert_eq!((failed.state, failed.url), (ExportState::Failed, None));
    assert_eq!(failed.problem, Some("The export stopped before it was complete. Start it again.".into()));
    // A number beyond what S3 takes.
    let begun = fixture.exports.start(&fixture.access, LeadQuery::default()).await.unwrap();
    let stored = fixture.exports.table.export(&fixture.scope, &begun.id).await.unwrap().unwrap();
    fixture.exports.table.insert_export(&fixture.scope, &LeadExport { numbers: 10_000, ..stored }).await.unwrap();
    fixture.drain(LONG).await;
    assert_eq!(fixture.exports.read(&fixture.access, &begun.id).await.unwrap().state, ExportState::Failed);
}

#[tokio::test]
async fn three_run_at_once_and_a_wrong_query_none() {
    let fixture = fixture(1).await;
    let start = async |query: LeadQuery| fixture.exports.start(&fixture.access, query).await;
    let wrong = LeadQuery { text: Some("ann@".to_owned()), ..LeadQuery::default() };
    let Err(ActError::Refused(refusal)) = start(wrong).await else { panic!() };
    assert_eq!(refusal.field.as_deref(), Some("q"));
    assert!(fixture.exports.list(&fixture.access).await.unwrap().items.is_empty());
    for _ in 0..3 {
        start(LeadQuery::default()).await.unwrap();
    }
    let Err(ActError::Refused(refusal)) = start(LeadQuery::default()).await else { panic!() };
    assert_eq!(refusal.code, ErrorCode::LimitReached);
    fixture.drain(LONG).await;
    assert!(start(LeadQuery::default()).await.is_ok());
    let missing = ExportId::parse("exp_0").unwrap();
    assert_eq!(fixture.exports.read(&fixture.access, &missing).await.unwrap_err().code(), ErrorCode::NotFound);
}

#[tokio::test]
async fn a_file_of_selected_leads_is_whole_or_refused() {
    let fixture = ExportFixture::new(1, 10).await;
    let answer = |bytes: usize| Answer { name: "q".to_owned(), label: "Q".to_owned(), values: vec!["x".repeat(bytes)] };
    let ids: BTreeSet<LeadId> = (1..=16).map(|number| lead(number, None).id).collect();
    for number in 1..=16 {
        fixture.store(Lead { answers: vec![answer(300_000)], ..lead(number, None) }).await;
    }
    let few: BTreeSet<LeadId> = ids.iter().take(3).cloned().collect();
    let file = fixture.exports.file(&fixture.access, few).await.unwrap();
    assert!((900_000..1_000_000).contains(&file.len()), "{}", file.len());
    let refused = fixture.exports.file(&fixture.access, ids).await.unwrap_err();
    assert_eq!(refused.code(), ErrorCode::FileTooLarge);
    assert!(refused.to_string().contains("Select fewer leads"), "{refused}");
}
