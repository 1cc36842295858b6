//! Several workers on one table at once: with the same leads, the same persons and the same rotation.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::test_support::{LIMIT, arrivals, ingest};
use super::write::NewLead;
use super::*;
use crate::error::WorkError;
use crate::graph::GraphError;
use crate::ids::{FormId, LeadId, LeadgenId, PageId};
use crate::jobs::{LeadBatch, LeadJob};
use crate::model::connection::{Connection, PageSelection};
use crate::model::failure::FailureCode;
use crate::model::lead::Lead;
use crate::model::lead::assignment::{Assignment, Reason, TurnLease};
use crate::retry::Verdict;
use crate::table::Table;
use crate::table::lead::StoredLead;
use crate::table::lead_list::LeadFilter;
use crate::table::parked::Hold;
use crate::table::tests::{at, connection, lead, scope, user};

fn id_of(leadgen_id: u64) -> LeadId {
    LeadId::parse(&format!("meta-{leadgen_id}")).unwrap()
}

async fn write(ingest: &Ingest, leads: &[Lead]) -> Outcomes {
    let connection = connection("a");
    let leads: Vec<NewLead<'_>> = leads.iter().map(|lead| NewLead { lead, connection: Some(&connection) }).collect();
    ingest.writer.write(&scope("a"), &leads, at("2026-01-02T00:00:00Z")).await
}

async fn stored(ingest: &Ingest) -> Vec<Lead> {
    ingest.writer.table.leads(&scope("a"), &LeadFilter::default(), None, 500).await.unwrap().0
}

fn counts(leads: &[Lead]) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for lead in leads {
        *counts.entry(lead.assigned_to.as_ref().map_or("nobody".to_owned(), ToString::to_string)).or_default() += 1;
    }
    counts
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn eight_workers_with_the_same_leads_make_each_once_and_stay_fair() {
    let (ingest, listener) = ingest(Assignment::RoundRobin).await;
    let leads: Vec<Lead> = (1..=100).map(|id| lead(id, Some(&format!("p{id}@example.com")))).collect();
    let ingest = Arc::new(ingest);
    let workers: Vec<_> = (0..8)
        .map(|worker| {
            let (ingest, mut leads) = (ingest.clone(), leads.clone());
            leads.rotate_left(worker * 12);
            tokio::spawn(async move { write(&ingest, &leads).await })
        })
        .collect();
    for worker in workers {
        assert!(worker.await.unwrap().values().all(Result::is_ok));
    }
    let stored = stored(&ingest).await;
    assert_eq!(stored.len(), 100);
    assert_eq!(counts(&stored), [("ann".into(), 34), ("bob".into(), 33), ("cem".into(), 33)].into());
    assert_eq!(ingest.writer.table.connections(&scope("a")).await.unwrap()[0].leads_count, 100);
    let published = listener.recorded().ids.clone();
    assert_eq!(published.iter().collect::<BTreeSet<_>>().len(), 100, "each is told, a repeat by the same id");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_person_on_two_forms_at_the_same_instant_is_one_lead() {
    let (ingest, _) = ingest(Assignment::RoundRobin).await;
    let (one, two) = ([lead(1, Some("Same@example.com"))], [lead(2, Some("same@example.com "))]);
    let (first, second) = tokio::join!(write(&ingest, &one), write(&ingest, &two));
    assert!(first.values().chain(second.values()).all(Result::is_ok));
    let stored = stored(&ingest).await;
    assert_eq!((stored.len(), stored[0].submissions_count), (1, 1));
    let joined = ingest.writer.table.submissions(&scope("a"), &stored[0].id).await.unwrap();
    assert_ne!(joined[0].id, stored[0].id);
    let by_own_id = ingest.writer.table.find_lead(&scope("a"), &joined[0].id).await.unwrap();
    assert!(matches!(by_own_id, Some(StoredLead::Submission(_))));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_is_deactivated_gets_no_lead_from_that_moment() {
    let (ingest, _) = ingest(Assignment::RoundRobin).await;
    let ingest = Arc::new(ingest);
    let writer = {
        let ingest = ingest.clone();
        tokio::spawn(async move {
            for id in 1..=40 {
                write(&ingest, &[lead(id, None)]).await.pop_first().unwrap().1.unwrap();
            }
        })
    };
    ingest.writer.table.put_user(&scope("a"), &user("bob", false)).await.unwrap();
    let before = counts(&stored(&ingest).await).get("bob").copied().unwrap_or(0);
    writer.await.unwrap();
    let after = stored(&ingest).await;
    assert_eq!(counts(&after).get("bob").copied().unwrap_or(0), before);
    assert_eq!(after.len(), 40);
}

#[tokio::test]
async fn a_chosen_user_who_is_gone_leaves_leads_to_nobody() {
    let (ingest, _) = ingest(Assignment::User { user_id: user("ann", true).id }).await;
    write(&ingest, &[lead(1, None)]).await.pop_first().unwrap().1.unwrap();
    ingest.writer.table.put_user(&scope("a"), &user("ann", false)).await.unwrap();
    write(&ingest, &[lead(2, None)]).await.pop_first().unwrap().1.unwrap();
    let reasons: Vec<_> = stored(&ingest)
        .await
        .into_iter()
        .map(|lead| (lead.assigned_to.map(|user| user.to_string()), lead.assignment.reason))
        .collect();
    assert_eq!(reasons, [(None, Reason::UserNotEligible), (Some("ann".into()), Reason::Chosen)]);
}

#[tokio::test]
async fn what_was_written_but_not_told_is_told_when_the_work_comes_again() {
    let (ingest, listener) = ingest(Assignment::RoundRobin).await;
    listener.recorded().rejects_events = true;
    let leads = [lead(1, Some("a@example.com")), lead(2, Some("a@example.com"))];
    assert!(write(&ingest, &leads).await.values().all(|outcome| matches!(outcome, Err(WorkError::Bus(_)))));
    listener.recorded().rejects_events = false;
    assert!(write(&ingest, &leads).await.values().all(Result::is_ok));
    let published = ["lead.created:a:meta-1", "lead.updated:a:meta-1:meta-2"];
    assert_eq!(listener.recorded().ids, published);
    assert!(write(&ingest, &leads).await.values().all(Result::is_ok));
    assert_eq!(listener.recorded().ids, published, "what is known to be told is not told again");
    assert_eq!(stored(&ingest).await.len(), 1);
}

#[tokio::test]
async fn a_lead_that_the_table_cannot_hold_keeps_no_other_out() {
    let (ingest, _) = ingest(Assignment::RoundRobin).await;
    let mut huge = lead(2, None);
    huge.answers[0].values = vec!["x".repeat(500_000)];
    let outcomes = write(&ingest, &[lead(1, None), huge, lead(3, None)]).await;
    assert!(outcomes[&id_of(1)].is_ok() && outcomes[&id_of(3)].is_ok());
    assert_eq!(outcomes[&id_of(2)].as_ref().unwrap_err().verdict(), Verdict::GiveUp);
    assert_eq!(counts(&stored(&ingest).await).values().sum::<usize>(), 2);
}

#[tokio::test]
async fn a_page_that_nobody_connected_is_settled() {
    let (ingest, _) = ingest(Assignment::RoundRobin).await;
    let mut elsewhere = arrivals(&[lead(1, None)], 1);
    elsewhere[0].job.notice.page_id = PageId::parse("99").unwrap();
    let outcomes = ingest.ingest(&elsewhere, LIMIT, at("2026-01-02T00:00:00Z")).await;
    assert!(outcomes.values().all(Result::is_ok));
}

#[tokio::test]
async fn what_trying_does_not_help_is_parked_and_what_is_in_is_not() {
    let (ingest, _) = ingest(Assignment::RoundRobin).await;
    let now = at("2026-01-02T00:00:00Z");
    let refused =
        || WorkError::Graph(GraphError::NotPermitted(crate::graph::error::Detail { code: 200, ..Default::default() }));
    let unseen =
        || WorkError::Graph(GraphError::NotVisible(crate::graph::error::Detail { code: 100, ..Default::default() }));
    let park = async |id: u64, receive_count: u32, error: WorkError| {
        ingest.park_or_retry(&scope("a"), &arrivals(&[lead(id, None)], receive_count)[0], error, now).await
    };
    assert!(park(1, 1, unseen()).await.is_err(), "not yet there is tried again");
    assert!(ingest.writer.table.parked_from(&scope("a"), None, 99).await.unwrap().0.is_empty());
    assert!(park(1, 1, refused()).await.is_ok(), "what cannot heal is parked at once");
    assert!(park(2, MAX_RECEIVES, unseen()).await.is_ok(), "what was tried too often is parked, and in no other queue");
    write(&ingest, &[lead(3, None)]).await.pop_first().unwrap().1.unwrap();
    assert!(park(3, 1, refused()).await.is_ok());
    let unpublished = WorkError::Bus(crate::bus::BusError::for_tests());
    assert!(park(3, MAX_RECEIVES, unpublished).await.is_err(), "what is in but not told stays in the queue");
    let parked: Vec<_> = ingest
        .writer
        .table
        .parked_from(&scope("a"), None, 99)
        .await
        .unwrap()
        .0
        .into_iter()
        .map(|parked| (parked.leadgen_id, parked.reason))
        .collect();
    let id = |id: &str| LeadgenId::parse(id).unwrap();
    assert_eq!(parked, [(id("1"), FailureCode::NotPermitted), (id("2"), FailureCode::NotVisible)]);

    // What was dismissed is not parked again, whatever fails.
    let table = &ingest.writer.table;
    for lead in table.parked_from(&scope("a"), None, 99).await.unwrap().0 {
        table.hold(&scope("a"), Hold::Dismissed, &lead).await.unwrap();
        table.release(&scope("a"), Hold::Parked, &lead).await.unwrap();
    }
    assert!(park(1, 1, refused()).await.is_ok() && park(2, MAX_RECEIVES, unseen()).await.is_ok());
    assert!(table.parked_from(&scope("a"), None, 99).await.unwrap().0.is_empty());
}

#[tokio::test]
async fn what_passes_by_itself_waits_and_is_not_parked_for_a_person() {
    let (ingest, _) = ingest(Assignment::RoundRobin).await;
    let (a, now, page) = (scope("a"), at("2026-01-02T00:00:00Z"), connection("a").page_id);
    let table = &ingest.writer.table;
    let hold = async |id: u64, receive_count: u32, error: WorkError, now| {
        let mut arrival = arrivals(&[lead(id, None)], receive_count).remove(0);
        arrival.job.run = Some(crate::ids::RunId::new());
        ingest.park_or_retry(&a, &arrival, error, now).await
    };
    let outage = || WorkError::Graph(GraphError::Unavailable(crate::graph::error::Detail::default()));
    let throttle = || WorkError::Paused(std::time::Duration::from_secs(3600));
    assert!(hold(1, MAX_RECEIVES - 1, outage(), now).await.is_err(), "it is tried again first");
    hold(1, MAX_RECEIVES, outage(), now).await.unwrap();
    hold(2, MAX_RECEIVES, throttle(), now).await.unwrap();
    assert!(table.parked_from(&a, None, 99).await.unwrap().0.is_empty());
    let waiting = table.waiting(&a, Some(&page), 9).await.unwrap();
    let reasons: Vec<_> = waiting.iter().map(|lead| lead.reason).collect();
    assert_eq!(reasons, [FailureCode::Unavailable, FailureCode::Throttled]);
    assert!(waiting.iter().all(|lead| lead.job.run.is_none()), "its run was done with it, and is not told twice");
    // A lead that waits again while it is replayed still waits afterwards.
    hold(1, MAX_RECEIVES, outage(), at("2026-01-02T00:00:01Z")).await.unwrap();
    for seen in &waiting {
        table.release(&a, Hold::Waiting, seen).await.unwrap();
    }
    assert!(table.waiting(&a, Some(&PageId::parse("70").unwrap()), 9).await.unwrap().is_empty(), "of another page");
    assert_eq!(table.waiting(&a, None, 9).await.unwrap().len(), 1);
    let still: Vec<_> =
        table.waiting(&a, Some(&page), 9).await.unwrap().into_iter().map(|lead| lead.leadgen_id).collect();
    assert_eq!(still, [LeadgenId::parse("1").unwrap()]);
}

#[tokio::test]
async fn a_replay_that_fails_again_stays_parked() {
    let (ingest, _) = ingest(Assignment::RoundRobin).await;
    let a = scope("a");
    let arrival = &arrivals(&[lead(1, None)], 1)[0];
    let refused =
        || WorkError::Graph(GraphError::NotPermitted(crate::graph::error::Detail { code: 200, ..Default::default() }));
    ingest.park_or_retry(&a, arrival, refused(), at("2026-01-02T00:00:00Z")).await.unwrap();
    let seen = ingest.writer.table.parked_from(&a, None, 99).await.unwrap().0.remove(0);
    ingest.park_or_retry(&a, arrival, refused(), at("2026-01-02T00:00:01Z")).await.unwrap();
    ingest.writer.table.release(&a, Hold::Parked, &seen).await.unwrap();
    let again = ingest.writer.table.parked_from(&a, None, 99).await.unwrap().0.remove(0);
    assert_eq!(again.parked_at, at("2026-01-02T00:00:01Z"));
    ingest.writer.table.release(&a, Hold::Parked, &again).await.unwrap();
    assert!(ingest.writer.table.parked_from(&a, None, 99).await.unwrap().0.is_empty());
}

#[tokio::test]
async fn a_parked_lead_that_came_in_otherwise_is_off_the_list() {
    let (ingest, _) = ingest(Assignment::Unassigned).await;
    let (a, leads) = (scope("a"), [lead(1, None), lead(2, None)]);
    for (lead, arrival) in leads.iter().zip(arrivals(&leads, 1)) {
        let error = WorkError::Graph(GraphError::NotPermitted(Default::default()));
        ingest.park_or_retry(&a, &arrival, error, lead.received_at).await.unwrap();
    }
    assert_eq!(parked(&ingest.writer.table, &a, 99).await.unwrap().len(), 2);
    assert!(write(&ingest, &leads[..1]).await.values().all(Result::is_ok));
    let waiting = parked(&ingest.writer.table, &a, 99).await.unwrap();
    assert_eq!(
        waiting.iter().map(|lead| &lead.leadgen_id).collect::<Vec<_>>(),
        [leads[1].leadgen_id.as_ref().unwrap()]
    );
    assert_eq!(ingest.writer.table.parked_from(&a, None, 99).await.unwrap().0.len(), 1);
}

#[tokio::test]
async fn what_is_disconnected_meanwhile_gets_no_lead_and_leaves_it_to_another_account() {
    let deselected = async |table: &Table| {
        table
            .select_page(&scope("a"), &connection("a"), PageSelection::Deselected, jiff::Timestamp::UNIX_EPOCH)
            .await
            .map(drop)
    };
    let deleted = async |table: &Table| table.delete_connection(&scope("a"), &connection("a")).await;
    let id = connection("a").integration_id;
    let removing =
        async |table: &Table| table.begin_removal(&scope("a"), &id, jiff::Timestamp::UNIX_EPOCH).await.map(drop);
    for meanwhile in 0..3 {
        let (ingest, _) = ingest(Assignment::RoundRobin).await;
        match meanwhile {
            0 => deselected(&ingest.writer.table).await.unwrap(),
            1 => deleted(&ingest.writer.table).await.unwrap(),
            _ => removing(&ingest.writer.table).await.unwrap(),
        }
        let outcome = write(&ingest, &[lead(1, None)]).await.pop_first().unwrap().1.unwrap_err();
        assert!(matches!(outcome, WorkError::Disconnected), "{meanwhile}: {outcome}");
        assert!(super::ingest::another_account_may_help(&outcome));
        assert!(stored(&ingest).await.is_empty());
    }
}

#[tokio::test]
async fn a_page_that_goes_quiet_is_told_once_until_its_next_lead() {
    let (ingest, listener) = ingest(Assignment::Unassigned).await;
    let leads: Vec<Lead> = (1..=12).map(|id| lead(id, None)).collect();
    let a = scope("a");
    let integration = ingest.writer.table.integrations(&a).await.unwrap().remove(0);
    let arrive = async |leads: &[Lead], hour: i64| {
        let page = ingest.writer.table.connections(&a).await.unwrap().remove(0);
        let now = at("2026-01-02T00:00:00Z") + jiff::SignedDuration::from_hours(hour);
        let leads: Vec<NewLead<'_>> = leads.iter().map(|lead| NewLead { lead, connection: Some(&page) }).collect();
        assert!(ingest.writer.write(&a, &leads, now).await.values().all(Result::is_ok));
    };
    let quiet = async |hour: i64| {
        let now = at("2026-01-02T00:00:00Z") + jiff::SignedDuration::from_hours(hour);
        let pages = ingest.writer.table.swept_pages(&a, &integration.id, now).await.unwrap();
        report_quiet_pages(&ingest.writer, &a, &integration, &pages, now).await.unwrap()
    };
    for (lead, hour) in leads.chunks(1).zip((0..).step_by(4)) {
        arrive(lead, hour).await;
    }
    assert_eq!((quiet(52).await, quiet(57).await, quiet(58).await), (0, 1, 0), "after three times four hours, once");
    arrive(&[lead(13, None)], 59).await;
    assert_eq!((quiet(60).await, quiet(99).await), (0, 1));
    let published = listener.recorded().ids.iter().filter(|id| id.starts_with("connection.quiet")).count();
    assert_eq!(published, 2);
}

#[tokio::test]
async fn leads_of_several_pages_share_requests_and_transactions_and_not_their_fate() {
    let (ingest, services) = ingest(Assignment::RoundRobin).await;
    let (a, table, now) = (scope("a"), &ingest.writer.table, at("2026-01-02T00:00:00Z"));
    let other = Connection { page_id: PageId::parse("8").unwrap(), ..connection("a") };
    table.save_connection(&a, &other).await.unwrap();
    let mut work = arrivals(&(21..=30).map(|id| lead(id, None)).collect::<Vec<_>>(), 1);
    work.iter_mut().for_each(|arrival| arrival.job.notice.form_id = Some(FormId::parse("3").unwrap()));
    work.iter_mut().step_by(2).for_each(|arrival| arrival.job.notice.page_id = other.page_id.clone());
    assert!(ingest.ingest(&work, LIMIT, now).await.values().all(Result::is_ok));
    assert_eq!(services.recorded().requests, 1, "one request to Meta for both pages");
    let all = stored(&ingest).await;
    let publications: BTreeSet<_> = all.iter().map(|lead| lead.provenance.publication_id.clone()).collect();
    assert_eq!((all.len(), publications.len()), (10, 1), "one transaction for both pages");
    assert_eq!(counts(&all), [("ann".into(), 4), ("bob".into(), 3), ("cem".into(), 3)].into());
    let counted: Vec<u64> = table.connections(&a).await.unwrap().iter().map(|page| page.leads_count).collect();
    assert_eq!(counted, [5, 5], "each page counts its own");

    // One of the pages is throttled, and the leads of the other come in.
    table.pause(&other.page_id, now + jiff::SignedDuration::from_mins(5)).await.unwrap();
    let mut work = arrivals(&[lead(41, None), lead(42, None)], 1);
    work[0].job.notice.page_id = other.page_id.clone();
    let outcomes = ingest.ingest(&work, LIMIT, now).await;
    assert!(matches!(outcomes[&id_of(41)], Err(WorkError::Paused(_))) && outcomes[&id_of(42)].is_ok(), "{outcomes:?}");

    // One of the pages is disconnected after its leads were read, and the leads of the other are stored.
    let pages = table.connections(&a).await.unwrap();
    assert!(table.select_page(&a, &pages[1], PageSelection::Deselected, now).await.unwrap());
    let leads: Vec<Lead> = [("7", 51), ("8", 52)]
        .map(|(page, id)| Lead { page_id: Some(PageId::parse(page).unwrap()), ..lead(id, None) })
        .into();
    let new: Vec<NewLead<'_>> =
        leads.iter().zip(&pages).map(|(lead, page)| NewLead { lead, connection: Some(page) }).collect();
    let outcomes = ingest.writer.write(&a, &new, now).await;
    assert!(
        outcomes[&id_of(51)].is_ok() && matches!(outcomes[&id_of(52)], Err(WorkError::Disconnected)),
        "{outcomes:?}"
    );
}

#[tokio::test]
async fn a_writer_that_died_with_the_lease_holds_the_others_up_for_a_moment_only() {
    let (ingest, _) = ingest(Assignment::RoundRobin).await;
    let (a, table) = (scope("a"), &ingest.writer.table);
    let begun = std::time::Instant::now();
    let until = crate::clock::now() + jiff::SignedDuration::from_millis(700);
    let lease = TurnLease { holder: "dead".into(), until };
    assert!(table.take_turn_lease(&a, None, &lease).await.unwrap());
    assert!(!table.take_turn_lease(&a, None, &lease).await.unwrap(), "it is taken once");
    assert!(write(&ingest, &[lead(1, None)]).await[&id_of(1)].is_ok());
    assert!(begun.elapsed() >= std::time::Duration::from_millis(650), "it waited for the lease to end");
    let leads: Vec<Lead> = (2..=60).map(|id| lead(id, None)).collect();
    assert!(write(&ingest, &leads).await.values().all(Result::is_ok));
    assert_eq!(table.turn_lease(&a).await.unwrap(), None, "a writer of several chunks gives it back");
    assert_eq!(counts(&stored(&ingest).await), [("ann".into(), 20), ("bob".into(), 20), ("cem".into(), 20)].into());
}

#[tokio::test]
async fn a_defect_parks_its_lead_in_the_end_and_a_lack_of_time_lets_it_wait() {
    let (ingest, _) = ingest(Assignment::Unassigned).await;
    let (a, now, table) = (scope("a"), at("2026-01-02T00:00:00Z"), &ingest.writer.table);
    let held = async |id: u64, receive_count: u32, error: WorkError| {
        ingest.park_or_retry(&a, &arrivals(&[lead(id, None)], receive_count)[0], error, now).await.is_ok()
    };
    assert!(!held(1, MAX_RECEIVES - 1, WorkError::Panicked).await && !held(2, 1, WorkError::OutOfTime).await);
    assert!(held(1, MAX_RECEIVES, WorkError::Panicked).await && held(2, MAX_RECEIVES, WorkError::OutOfTime).await);
    let reasons = |held: Vec<crate::table::parked::ParkedLead>| held.iter().map(|lead| lead.reason).collect::<Vec<_>>();
    assert_eq!(reasons(table.parked_from(&a, None, 9).await.unwrap().0), [FailureCode::Defect]);
    assert_eq!(reasons(table.waiting(&a, None, 9).await.unwrap()), [FailureCode::OutOfTime]);
}

#[tokio::test]
async fn a_search_counts_the_leads_of_a_message_once_it_is_done() {
    let (ingest, _) = ingest(Assignment::Unassigned).await;
    let (a, run) = (scope("a"), crate::model::lead::run::tests::run());
    ingest.writer.table.insert_run(&a, &run).await.unwrap();
    let mut jobs: Vec<LeadJob> = arrivals(&[lead(1, None), lead(2, None), lead(3, None)], 1)
        .into_iter()
        .map(|arrival| LeadJob { only_for: Some(a.org().clone()), run: Some(run.id.clone()), ..arrival.job })
        .collect();
    jobs[2].run = None;
    ingest.count_settled([LeadBatch { leads: jobs }].iter()).await;
    assert_eq!(ingest.writer.table.run(&a, &run.id).await.unwrap().unwrap().settled, 2);
}
