//! Data stored beside leads: mappings, traces, latencies and runs, against an in-process DynamoDB.

use super::tests::{at, connection, empty_table, integration, lead, scope};
use crate::ids::{FormId, LeadId, PageId, UserId};
use crate::model::failure::FailureCode;
use crate::model::lead::assignment::Assignment;
use crate::model::lead::cadence::Rhythm;
use crate::model::lead::identity::person_keys;
use crate::model::lead::mapping::{Mapping, Rule};
use crate::model::lead::run::tests::run;
use crate::model::lead::run::{RunProblem, RunState};
use crate::model::lead::trace::{Step, StepKind};
use crate::model::lead::{FoundBy, Provenance};
use crate::table::lead::StoredLead;

#[tokio::test]
async fn of_two_who_change_a_mapping_at_once_one_is_told() {
    let (table, a, form) = (empty_table().await, scope("a"), FormId::parse("3").unwrap());
    let mapping = |version: u32, field: &str| Mapping {
        version,
        rules: vec![Rule { field: field.into(), ..Rule::default() }],
        country: None,
        changed_at: at("2026-01-01T00:00:00Z"),
        changed_by: UserId::parse("u").unwrap(),
    };
    assert!(table.put_mapping(&a, &form, &mapping(1, "one")).await.unwrap());
    assert!(!table.put_mapping(&a, &form, &mapping(1, "two")).await.unwrap());
    assert!(table.put_mapping(&a, &form, &mapping(2, "three")).await.unwrap());
    assert!(!table.put_mapping(&a, &form, &mapping(2, "four")).await.unwrap());
    let read = table.mappings(&a, &[FormId::parse("9").unwrap(), form.clone()]).await.unwrap();
    assert_eq!(read, [(form.clone(), mapping(2, "three"))]);
    assert_eq!(table.mappings(&scope("b"), &[form]).await.unwrap(), []);
}

#[tokio::test]
async fn a_page_is_left_alone_until_its_time_has_come() {
    let (table, page) = (empty_table().await, PageId::parse("7").unwrap());
    let until = at("2026-01-01T00:05:00Z");
    let paused_until = async |now| table.paused_pages(&[&page], now).await.unwrap().remove(&page);
    assert_eq!(paused_until(at("2026-01-01T00:00:00Z")).await, None);
    table.pause(&page, until).await.unwrap();
    assert_eq!(paused_until(at("2026-01-01T00:04:59Z")).await, Some(until));
    assert_eq!(paused_until(until).await, None);
    assert_eq!(table.connections_of_page(&page).await.unwrap(), []);
}

#[tokio::test]
async fn steps_come_back_in_the_order_in_which_they_happened() {
    let (table, a, id) = (empty_table().await, scope("a"), LeadId::parse("meta-1").unwrap());
    let step = |time: &str, kind| Step::new(at(time), kind, "cause", "detail");
    let steps = [
        step("2026-01-01T00:00:01Z", StepKind::Tried),
        step("2026-01-01T00:00:01.5Z", StepKind::Tried),
        step("2026-01-02T00:00:00Z", StepKind::Parked),
    ];
    for noted in steps.iter().rev().chain(&steps[..1]) {
        table.note(&a, &id, noted).await.unwrap();
    }
    assert_eq!(table.steps(&a, &id).await.unwrap(), steps);
    assert_eq!(table.steps(&a, &LeadId::parse("meta-2").unwrap()).await.unwrap(), []);
}

#[tokio::test]
async fn what_was_told_together_or_alone_is_known_to_be_told() {
    let (table, a) = (empty_table().await, scope("a"));
    let stored = |id: u64, publication: &str| {
        let provenance = Provenance { publication_id: Some(publication.into()), ..Provenance::default() };
        StoredLead::Lead(Box::new(crate::model::lead::Lead { provenance, ..lead(id, None) }))
    };
    let (one, two, three) = (stored(1, "t"), stored(2, "t"), stored(3, "u"));
    table.mark_published(&a, "u", at("2026-01-01T00:00:00Z")).await.unwrap();
    table.mark_published(&a, one.id().as_str(), at("2026-01-01T00:00:01Z")).await.unwrap();
    let published = table.published_at(&a, &[&one, &two, &three]).await.unwrap();
    assert_eq!(published, [Some(at("2026-01-01T00:00:01Z")), None, Some(at("2026-01-01T00:00:00Z"))]);
    assert_eq!(table.published_at(&a, &[&three, &three]).await.unwrap().len(), 2, "asked for twice at once");
    let twice = [one.id().clone(), one.id().clone()];
    assert!(table.find_stored(&a, &twice).await.unwrap().is_empty());
}

#[tokio::test]
async fn latencies_are_counted_by_day() {
    let (table, a) = (empty_table().await, scope("a"));
    table.count_latencies(&a, &[1, 1, 50], at("2026-01-01T23:59:59Z")).await.unwrap();
    table.count_latencies(&a, &[], at("2026-01-01T23:59:59Z")).await.unwrap();
    table.count_latencies(&a, &[500], at("2026-01-03T00:00:00Z")).await.unwrap();
    table.count_latencies(&a, &[1], at("2026-01-03T00:00:00Z")).await.unwrap();
    let day = |text: &str| text.parse().unwrap();
    let days = table.latencies(&a, day("2026-01-01"), day("2026-01-31")).await.unwrap();
    let read: Vec<(String, u64, u64)> = days
        .iter()
        .map(|(day, latencies)| (day.to_string(), latencies.summary().leads, latencies.summary().within_2_minutes))
        .collect();
    assert_eq!(read, [("2026-01-01".into(), 3, 3), ("2026-01-03".into(), 2, 1)]);
    assert!(table.latencies(&a, day("2026-01-04"), day("2026-01-31")).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_run_counts_each_page_once() {
    let (table, a, run) = (empty_table().await, scope("a"), run());
    table.insert_run(&a, &run).await.unwrap();
    let read = async || table.run(&a, &run.id).await.unwrap().unwrap();
    assert_eq!(read().await, run);
    let page = |id: &str| PageId::parse(id).unwrap();
    let problem = || RunProblem { page_id: page("8"), code: FailureCode::NotPermitted, message: "m".into() };
    table.set_searched(&a, &run.id, &page("7"), 3, None).await.unwrap();
    table.set_searched(&a, &run.id, &page("7"), 3, None).await.unwrap();
    assert_eq!((read().await.state(run.asked_at), read().await.found), (RunState::Searching, 3));
    table.set_searched(&a, &run.id, &page("8"), 0, Some(problem())).await.unwrap();
    assert_eq!((read().await.state(run.asked_at), read().await.problems), (RunState::BringingIn, vec![problem()]));
    table.count_settled(&a, &run.id, 2).await.unwrap();
    table.count_settled(&a, &run.id, 1).await.unwrap();
    assert_eq!(read().await.state(run.asked_at), RunState::Done);
    assert_eq!(run.state(run.asked_at + jiff::SignedDuration::from_hours(25)), RunState::Stopped);
    assert_eq!(table.runs(&a).await.unwrap(), [read().await]);
    assert!(table.runs(&scope("b")).await.unwrap().is_empty());
    let forgotten = crate::ids::RunId::new();
    table.set_searched(&a, &forgotten, &page("7"), 3, None).await.unwrap();
    table.count_settled(&a, &forgotten, 1).await.unwrap();
    assert_eq!(table.run(&a, &forgotten).await.unwrap(), None, "a run that is forgotten is not begun anew");
}

#[tokio::test]
async fn a_quiet_page_is_quiet_until_its_next_lead() {
    let (table, a) = (empty_table().await, scope("a"));
    table.insert_integration(&a, &integration(Assignment::Unassigned), None).await.unwrap();
    let page = crate::model::connection::Connection {
        rhythm: Rhythm { usual_silence_s: 60 },
        last_lead_at: Some(at("2026-01-01T00:00:00Z")),
        ..connection("a")
    };
    table.save_connection(&a, &page).await.unwrap();
    let now = at("2026-01-02T00:00:00Z");
    assert!(table.set_quiet(&a, &page, now).await.unwrap());
    assert!(!table.set_quiet(&a, &page, now).await.unwrap(), "once");
    let read = async || table.connections(&a).await.unwrap().remove(0);
    assert_eq!(read().await.quiet_since, Some(now));
    let leads = [lead(1, None)];
    let plan = crate::model::lead::dedupe::plan(&leads, &Default::default(), &Assignment::Unassigned);
    table.commit(&a, &[&page], &plan, now).await.unwrap();
    let loud = read().await;
    assert_eq!((loud.quiet_since, loud.last_lead_at), (None, Some(now)));
    assert_eq!(loud.rhythm.usual_silence_s, 6 * 3600, "an alarming silence is not the rule at once");
    assert!(!table.set_quiet(&a, &page, now).await.unwrap(), "a lead came since it was read");
    for (id, found_by) in [(2, FoundBy::Import), (3, FoundBy::Backfill)] {
        let leads = [crate::model::lead::Lead { found_by, ..lead(id, None) }];
        let plan = crate::model::lead::dedupe::plan(&leads, &Default::default(), &Assignment::Unassigned);
        table.commit(&a, &[&page], &plan, at("2026-02-01T00:00:00Z")).await.unwrap();
    }
    let old = read().await;
    assert_eq!((old.found.found_import, old.found.found_backfill, old.leads_count), (1, 1, 3));
    assert_eq!(old.last_lead_at, Some(now), "what is old says nothing of today");
}

#[tokio::test]
async fn fields_are_written_anew_and_persons_stay_whose_they_are() {
    let (table, a) = (empty_table().await, scope("a"));
    let leads = [lead(1, Some("one@example.com")), lead(2, Some("two@example.com"))];
    let known = table.dedupe_snapshot(&a, &leads).await.unwrap();
    let plan = crate::model::lead::dedupe::plan(&leads, &known, &Assignment::Unassigned);
    table.commit(&a, &[], &plan, at("2026-01-01T00:00:00Z")).await.unwrap();
    let mut changed = leads[0].clone();
    changed.email = Some("new@example.com".into());
    changed.fields = [("city".to_owned(), "Bonn".to_owned())].into();
    assert!(table.set_fields(&a, &changed).await.unwrap());
    for email in ["new@example.com", "two@example.com"] {
        let person = person_keys(Some(email), None).remove(0);
        table.claim_person(&a, &person, &changed.id).await.unwrap();
    }
    let Some(StoredLead::Lead(read)) = table.find_lead(&a, &changed.id).await.unwrap() else { panic!("it is there") };
    assert_eq!((read.email, read.fields.len()), (changed.email.clone(), 1));
    let arrivals = [lead(3, Some("new@example.com")), lead(4, Some("two@example.com"))];
    let known = table.dedupe_snapshot(&a, &arrivals).await.unwrap();
    let owners: Vec<&str> =
        arrivals.iter().map(|lead| known.persons[&person_keys(lead.email.as_deref(), None)[0]].as_str()).collect();
    assert_eq!(owners, ["meta-1", "meta-2"]);
    let old = person_keys(Some("one@example.com"), None).remove(0);
    table.release_person(&a, &old, &leads[1].id).await.unwrap();
    let mine = [lead(5, Some("one@example.com"))];
    assert_eq!(table.dedupe_snapshot(&a, &mine).await.unwrap().persons.len(), 1, "not theirs to give");
    table.release_person(&a, &old, &leads[0].id).await.unwrap();
    assert_eq!(table.dedupe_snapshot(&a, &mine).await.unwrap().persons.len(), 0);
    assert!(!table.set_fields(&a, &lead(9, None)).await.unwrap());
}
