//! What Meta is told of leads' progress, whatever fails.

use std::collections::BTreeSet;

use jiff::SignedDuration;
use serde_json::{Value, json};

use super::test_support::{ConversionFixture, DatasetFault, id_of, settings};
use crate::directory::{Access, MetaAccess};
use crate::error::ActError;
use crate::ids::{IntegrationId, OrgId, UserId};
use crate::leads::crash_tests::dies_at;
use crate::metrics::tests::{take_counts, take_written};
use crate::metrics::{ConversionEnd, Metric};
use crate::model::caller::{Caller, Role};
use crate::model::connection::PageSelection;
use crate::model::conversion::{Conversion, ConversionSettings, ConversionState, TestEventCode};
use crate::model::lead::trace::StepKind;
use crate::model::lead::{Lead, Status};
use crate::table::lead::{LeadChange, StoredLead};
use crate::table::tests::{connection, lead};

fn lost_answer() -> DatasetFault {
    DatasetFault { after: true, answer: (500, json!({ "error": { "code": 2, "message": "oops" } })) }
}

fn refusal(code: i64) -> DatasetFault {
    DatasetFault { after: false, answer: (400, json!({ "error": { "code": code, "message": "no" } })) }
}

fn integration_id() -> IntegrationId {
    IntegrationId::parse("int_1").unwrap()
}

#[tokio::test]
async fn every_stage_is_sent_once_and_the_first_one_first() {
    let fixture = ConversionFixture::new().await;
    fixture.arrive(1..2).await;
    let id = id_of(1);
    // Several changes within a second, and back: each stage is one event.
    for status in [Status::Contacted, Status::Qualified, Status::Contacted, Status::Qualified] {
        fixture.change(&id, status).await;
    }
    fixture.send().await.unwrap();
    fixture.pass(60);
    fixture.change(&id, Status::New).await;
    fixture.change(&id, Status::Qualified).await;
    fixture.send().await.unwrap();
    let names: Vec<Value> = fixture.meta.state().taken.iter().map(|event| event["event_name"].clone()).collect();
    assert_eq!(names, ["New Lead", "Contacted Lead", "Qualified Lead"]);
    let trace = fixture.trace(&id).await;
    let sent = |status: &str| (StepKind::ConversionSent, status.to_owned());
    assert_eq!(trace, [sent("contacted"), sent("new"), sent("qualified")]);
    assert_eq!(fixture.meta.state().requests, [3]);
}

#[tokio::test]
async fn what_a_lead_is_worth_goes_with_its_stages() {
    let fixture = ConversionFixture::new().await;
    let id = fixture.store(lead(1, None)).await;
    let value = Some(Some(("1250.50".parse().unwrap(), "EUR".to_owned())));
    let note = Some(Some("Signed.".to_owned()));
    fixture.change_with(&id, Status::Converted, LeadChange { value, note, ..LeadChange::default() }).await;
    fixture.send().await.unwrap();
    let custom = fixture.meta.state().taken[1]["custom_data"].clone();
    assert_eq!([&custom["value"], &custom["currency"]], [&json!(1250.5), &json!("EUR")]);
    let stored = fixture.sender.table.find_lead(&fixture.scope, &id).await.unwrap();
    let Some(StoredLead::Lead(stored)) = stored else { panic!("no lead") };
    assert_eq!((stored.note.as_deref(), stored.value), (Some("Signed."), "1250.50".parse().ok()));
}

#[tokio::test]
async fn a_lead_from_before_the_dataset_gets_its_first_stage_too_if_meta_still_takes_it() {
    let fixture = ConversionFixture::new().await;
    let recent = fixture.store(lead(1, None)).await;
    let old = Lead { created_time: fixture.now() - SignedDuration::from_hours(8 * 24), ..lead(2, None) };
    let old = fixture.store(old).await;
    for id in [&recent, &old] {
        fixture.change(id, Status::Converted).await;
    }
    fixture.send().await.unwrap();
    fixture.send().await.unwrap();
    let expected = ["meta-1:converted", "meta-1:new", "meta-2:converted"];
    assert_eq!(fixture.meta.times().into_iter().collect::<Vec<_>>(), expected.map(|id| (id.to_owned(), 1)));
}

#[tokio::test]
async fn one_event_that_meta_refuses_costs_the_others_nothing() {
    let fixture = ConversionFixture::new().await;
    fixture.arrive(1..21).await;
    fixture.meta.state().unknown.insert(14);
    fixture.send().await.unwrap();
    fixture.send().await.unwrap();
    let times = fixture.meta.times();
    assert_eq!(times.len(), 19);
    assert!(times.values().all(|times| *times == 1) && !times.contains_key("meta-14:new"), "{times:?}");
    let refused = fixture.sender.table.conversion(&fixture.scope, &id_of(14), Status::New).await.unwrap().unwrap();
    assert_eq!(refused.state, ConversionState::NotSent);
    assert!(refused.step().detail.contains("Meta knows no such lead"), "{}", refused.step().detail);
    // Whatever Meta refuses, it is not asked without end.
    assert!(fixture.meta.state().requests.len() < 12, "{:?}", fixture.meta.state().requests);
}

#[tokio::test]
async fn stages_are_counted_by_what_became_of_them() {
    let fixture = ConversionFixture::new().await;
    fixture.arrive(1..6).await;
    fixture.meta.state().unknown.insert(2);
    take_written();
    fixture.send().await.unwrap();
    let outcomes = [(ConversionEnd::Refused, 1.0), (ConversionEnd::Sent, 4.0)];
    let mut counts = take_counts();
    counts.sort_by(|a, b| a.1.total_cmp(&b.1));
    assert_eq!(counts, outcomes.map(|(outcome, number)| (Metric::Conversions(outcome), number)));
    fixture.change(&id_of(1), Status::Qualified).await;
    fixture.sender.table.set_conversions(&fixture.scope, &integration_id(), None).await.unwrap();
    fixture.send().await.unwrap();
    assert_eq!(take_counts(), [(Metric::Conversions(ConversionEnd::Skipped), 1.0)]);
}

#[tokio::test]
async fn what_is_wrong_with_the_request_itself_condemns_no_event() {
    let fixture = ConversionFixture::new().await;
    fixture.arrive(1..41).await;
    for _ in 0..60 {
        fixture.meta.state().faults.push_back(refusal(100));
    }
    fixture.send().await.unwrap();
    let requests = fixture.meta.state().requests.len();
    assert!(requests < 40, "{requests}");
    fixture.meta.state().faults.clear();
    fixture.pass(120);
    fixture.send().await.unwrap();
    assert_eq!(fixture.meta.times().len(), 40);
}

/// Whether events or the request are to blame is asked of each integration by itself.
#[tokio::test]
async fn an_integration_that_works_condemns_no_event_of_another() {
    let fixture = ConversionFixture::new().await;
    fixture.connect_another().await;
    fixture.meta.state().refuses_88 = true;
    fixture.arrive(1..4).await;
    fixture.arrive_at("8", 10..30).await;
    fixture.send().await.unwrap();
    assert_eq!(fixture.meta.times().len(), 3);
    fixture.meta.state().refuses_88 = false;
    fixture.pass(120);
    fixture.send().await.unwrap();
    assert_eq!(fixture.meta.times().len(), 23);
}

#[tokio::test]
async fn leads_that_meta_must_not_hear_of_say_why_and_cost_no_call() {
    let fixture = ConversionFixture::new().await;
    let table = &fixture.sender.table;
    let test = fixture.store(Lead { test: true, ..lead(1, None) }).await;
    let file = Lead { source: "Import".into(), leadgen_id: None, page_id: None, ..lead(2, None) };
    let file = fixture.store(file).await;
    let late = Lead { created_time: fixture.now() - SignedDuration::from_hours(30 * 24), ..lead(3, None) };
    let late = fixture.store(late).await;
    for id in [&test, &file] {
        fixture.change(id, Status::Qualified).await;
    }
    table.set_conversions(&fixture.scope, &integration_id(), None).await.unwrap();
    let without = fixture.store(lead(4, None)).await;
    fixture.change(&without, Status::Qualified).await;
    let only_lost = ConversionSettings { events: [(Status::Lost, "Lost".to_owned())].into(), ..settings() };
    table.set_conversions(&fixture.scope, &integration_id(), Some(&only_lost)).await.unwrap();
    let unmapped = fixture.store(lead(5, None)).await;
    fixture.change(&unmapped, Status::Qualified).await;
    fixture.change(&late, Status::Lost).await;
    fixture.pass(8 * 24 * 3600);
    fixture.send().await.unwrap();
    table.select_page(&fixture.scope, &connection("a"), PageSelection::Deselected, fixture.now()).await.unwrap();
    let apart = fixture.store(lead(6, None)).await;
    fixture.change(&apart, Status::Lost).await;
    fixture.send().await.unwrap();
    let expected = [
        (test, "test_lead"),
        (file, "not_from_meta"),
        (without, "no_dataset"),
        (unmapped, "status_not_mapped"),
        (late, "too_old"),
        (apart, "page_not_connected"),
    ];
    for (id, reason) in expected {
        assert_eq!(fixture.trace(&id).await, [(StepKind::ConversionNotSent, reason.to_owned())], "{id}");
    }
    assert!(fixture.meta.state().requests.is_empty());
    assert!(table.orgs_with_due_conversions().await.unwrap().is_empty());
}

#[tokio::test]
async fn what_was_due_when_the_org_was_disconnected_or_lost_meta_is_not_sent() {
    let fixture = ConversionFixture::new().await;
    fixture.arrive(1..2).await;
    fixture.set_plan(&[]).await;
    fixture.send().await.unwrap();
    assert_eq!(fixture.trace(&id_of(1)).await, [(StepKind::ConversionNotSent, "meta_not_in_plan".to_owned())]);
    fixture.set_plan(&["meta"]).await;
    fixture.arrive(2..3).await;
    let (table, now) = (&fixture.sender.table, fixture.now());
    table.begin_removal(&fixture.scope, &integration_id(), now).await.unwrap();
    fixture.send().await.unwrap();
    assert_eq!(fixture.trace(&id_of(2)).await, [(StepKind::ConversionNotSent, "page_not_connected".to_owned())]);
    assert!(fixture.meta.state().requests.is_empty());
    // A lead that is gone does not stay due.
    table.insert_conversions(&fixture.scope, &[Conversion::first(&lead(3, None))]).await.unwrap();
    fixture.send().await.unwrap();
    assert_eq!(fixture.trace(&id_of(3)).await, [(StepKind::ConversionNotSent, "lead_deleted".to_owned())]);
}

#[tokio::test]
async fn a_lost_answer_repeats_the_same_events_after_a_rest() {
    let fixture = ConversionFixture::new().await;
    fixture.arrive(1..4).await;
    fixture.change(&id_of(2), Status::Qualified).await;
    fixture.meta.state().faults.push_back(lost_answer());
    fixture.send().await.unwrap();
    fixture.send().await.unwrap();
    assert_eq!(fixture.meta.state().requests, [4], "Meta is left alone for a while");
    let integration = fixture.sender.table.integration(&fixture.scope, &integration_id()).await.unwrap().unwrap();
    let fault = integration.conversion_fault.unwrap();
    assert_eq!((fault.code.as_str(), fault.failures), ("unavailable", 1));
    fixture.pass(120);
    fixture.send().await.unwrap();
    {
        let state = fixture.meta.state();
        let (first, second) = state.taken.split_at(4);
        assert_eq!((first, state.requests.as_slice()), (second, &[4, 4][..]));
    }
    let integration = fixture.sender.table.integration(&fixture.scope, &integration_id()).await.unwrap().unwrap();
    assert_eq!(integration.conversion_fault, None);
    assert!(fixture.sender.table.orgs_with_due_conversions().await.unwrap().is_empty());
}

#[tokio::test]
async fn an_invalid_token_waits_for_a_new_one_and_is_checked() {
    let fixture = ConversionFixture::new().await;
    fixture.arrive(1..3).await;
    fixture.meta.state().faults.push_back(refusal(190));
    fixture.send().await.unwrap();
    assert_eq!(fixture.meta.state().checks, 1);
    fixture.pass(3700);
    fixture.send().await.unwrap();
    assert_eq!(fixture.meta.times().len(), 2);
    // Of a throttle the rest waits too. What is too old by then is not sent, and says so.
    fixture.arrive(3..4).await;
    fixture.meta.state().faults.push_back(refusal(613));
    fixture.send().await.unwrap();
    fixture.pass(7 * 24 * 3600);
    fixture.send().await.unwrap();
    assert_eq!(fixture.trace(&id_of(3)).await, [(StepKind::ConversionNotSent, "too_old".to_owned())]);
    assert_eq!(fixture.meta.times().len(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_workers_send_each_event_once() {
    let fixture = ConversionFixture::new().await;
    fixture.arrive(1..31).await;
    let (one, other, third) = tokio::join!(fixture.send(), fixture.send(), fixture.send());
    assert!(one.is_ok() && other.is_ok() && third.is_ok());
    let times = fixture.meta.times();
    assert!(times.len() == 30 && times.values().all(|times| *times == 1), "{times:?}");
}

#[tokio::test]
async fn more_than_a_thousand_events_are_several_requests() {
    let fixture = ConversionFixture::new().await;
    fixture.arrive(1..1203).await;
    fixture.send().await.unwrap();
    assert_eq!(fixture.meta.state().requests, [1000, 202]);
    let counts = counts(&fixture).await;
    assert_eq!((counts, fixture.meta.times().len()), ((1202, 0), 1202));
}

#[tokio::test]
async fn a_worker_that_dies_at_any_point_loses_nothing_and_counts_each_lead_once() {
    let mut points = 0;
    for point in 0.. {
        assert!(point < 300, "the work does not come to an end");
        let fixture = ConversionFixture::new().await;
        fixture.arrive(1..4).await;
        fixture.change(&id_of(1), Status::Qualified).await;
        fixture.change(&id_of(2), Status::Converted).await;
        let finished = dies_at(point, fixture.send()).await;
        // Its lease ends.
        fixture.pass(200);
        fixture.send().await.unwrap();
        let times = fixture.meta.times();
        let expected = ["meta-1:new", "meta-1:qualified", "meta-2:converted", "meta-2:new", "meta-3:new"];
        assert_eq!(times.keys().collect::<Vec<_>>(), expected, "{point}");
        assert!(times.values().all(|times| *times <= 2), "{point}: {times:?}");
        assert_eq!(counts(&fixture).await, (3, 2), "{point}");
        assert!(fixture.sender.table.orgs_with_due_conversions().await.unwrap().is_empty(), "{point}");
        if finished.is_some() {
            points = point;
            break;
        }
    }
    assert!(points > 8, "only {points} points at which it could die");
}

#[tokio::test]
async fn a_lead_counts_once_and_only_for_what_came_in_time() {
    let fixture = ConversionFixture::new().await;
    fixture.arrive(1..4).await;
    fixture.change(&id_of(1), Status::Contacted).await;
    fixture.send().await.unwrap();
    fixture.change(&id_of(1), Status::Qualified).await;
    fixture.send().await.unwrap();
    assert_eq!(counts(&fixture).await, (3, 1));
    fixture.pass(27 * 24 * 3600);
    fixture.change(&id_of(2), Status::Qualified).await;
    fixture.pass(24 * 3600);
    fixture.change(&id_of(3), Status::Qualified).await;
    fixture.send().await.unwrap();
    assert_eq!((counts(&fixture).await, fixture.meta.times().len()), ((3, 2), 7));
}

async fn counts(fixture: &ConversionFixture) -> (u64, u64) {
    let day = |text: &str| text.parse().unwrap();
    let table = &fixture.sender.table;
    let counts = table.conversion_counts(&fixture.scope, &integration_id(), day("2026-01-01"), day("2026-01-02")).await;
    let counts = counts.unwrap();
    (counts.leads, counts.followed)
}

#[tokio::test]
async fn orgs_with_something_due_are_found_one_by_one() {
    let fixture = ConversionFixture::new().await;
    let table = &fixture.sender.table;
    for org in ["a", "a-b", "ab", "b|c"] {
        let scope = crate::table::tests::scope(org);
        let first = |id| Conversion::first(&lead(id, None));
        table.insert_conversions(&scope, &[first(1), first(2)]).await.unwrap();
    }
    let orgs: BTreeSet<String> =
        table.orgs_with_due_conversions().await.unwrap().iter().map(ToString::to_string).collect();
    assert_eq!(orgs.into_iter().collect::<Vec<_>>(), ["a", "a-b", "ab", "b|c"]);
}

#[tokio::test]
async fn a_test_code_marks_events_until_it_ends() {
    let fixture = ConversionFixture::new().await;
    let test = Some(TestEventCode { code: "TEST1".into(), until: fixture.now() + SignedDuration::from_secs(60) });
    let settings = ConversionSettings { test, ..settings() };
    fixture.sender.table.set_conversions(&fixture.scope, &integration_id(), Some(&settings)).await.unwrap();
    fixture.arrive(1..2).await;
    fixture.send().await.unwrap();
    fixture.pass(61);
    fixture.arrive(2..3).await;
    fixture.send().await.unwrap();
    assert_eq!(fixture.meta.state().test_codes, [json!("TEST1"), Value::Null]);
}

async fn access(fixture: &ConversionFixture) -> MetaAccess {
    let org = OrgId::parse("a").unwrap();
    let user = UserId::parse("u").unwrap();
    let caller = Caller { user, name: None, email: None, role: Role::Admin, orgs: vec![org], is_program: false };
    let org = fixture.sender.table.org(&fixture.scope).await.unwrap();
    MetaAccess::check(Access::new(caller, Some("a")).unwrap(), org.as_ref()).unwrap()
}

#[tokio::test]
async fn settings_name_what_is_wrong_and_keep_what_is_right() {
    let fixture = ConversionFixture::new().await;
    // The token of the fixture is valid for good, the clock of requests is the real one.
    let table = &fixture.sender.table;
    let mut ours = table.integration(&fixture.scope, &integration_id()).await.unwrap().unwrap();
    ours.token_expires_at = None;
    table.replace_integration(&fixture.scope, &ours, None).await.unwrap();
    let (access, room) = (access(&fixture).await, fixture.conversions());
    let change =
        async |input: Value| room.change(&access, &integration_id(), serde_json::from_value(input).unwrap()).await;
    let field = async |input: Value| match change(input).await {
        Err(ActError::Refused(refusal)) => refusal.field.map(std::borrow::Cow::into_owned),
        other => panic!("{other:?}"),
    };
    assert_eq!(field(json!({ "dataset_id": "99" })).await.as_deref(), Some("dataset_id"));
    let same = json!({ "dataset_id": "77", "events": { "new": "Lead", "lost": " Lead " } });
    assert_eq!(field(same).await.as_deref(), Some("events.lost"));
    let empty = json!({ "dataset_id": "77", "events": { "new": " " } });
    assert_eq!(field(empty).await.as_deref(), Some("events.new"));
    let code = json!({ "dataset_id": "77", "test_event_code": "a b" });
    assert_eq!(field(code).await.as_deref(), Some("test_event_code"));
    let chosen = json!({ "dataset_id": "78", "events": { "qualified": "MQL" }, "test_event_code": "TEST1" });
    change(chosen).await.unwrap();
    let stored = room.get(&access, &integration_id()).await.unwrap();
    assert_eq!(stored.dataset_id.unwrap().as_str(), "78");
    assert_eq!(stored.events, [(Status::Qualified, "MQL".to_owned())].into());
    assert_eq!(stored.test_event_code.as_deref(), Some("TEST1"));
    // Connecting again keeps the choice.
    table.replace_integration(&fixture.scope, &ours, None).await.unwrap();
    let datasets = room.datasets(&access, &integration_id()).await.unwrap();
    assert_eq!(datasets.items.iter().map(|dataset| dataset.id.as_str()).collect::<Vec<_>>(), ["77", "78"]);
    let off = change(json!({ "dataset_id": null })).await.unwrap();
    assert_eq!((off.dataset_id, off.coverage.share), (None, None));
}
