//! A worker dies at each point where it waits, and its work is delivered again. Wherever it dies, no lead is lost or
//! duplicated.

use std::collections::{BTreeMap, BTreeSet};
use std::pin::Pin;
use std::task::{Context, Poll};

use super::test_support::{FakeServices, LIMIT, arrivals, ingest};
use super::trace::read_trace;
use super::*;
use crate::error::WorkError;
use crate::graph::GraphError;
use crate::graph::error::Detail;
use crate::ids::LeadId;
use crate::model::connection::Connection;
use crate::model::failure::FailureCode;
use crate::model::lead::Lead;
use crate::model::lead::assignment::Assignment;
use crate::model::lead::trace::StepKind;
use crate::retry::Verdict;
use crate::table::lead_list::LeadFilter;
use crate::table::tests::{at, connection, lead, scope};

/// Work that waits `left` times and dies the next time.
struct DiesWaiting<F> {
    work: Option<Pin<Box<F>>>,
    left: usize,
}

impl<F: Future> Future for DiesWaiting<F> {
    type Output = Option<F::Output>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let Some(work) = &mut self.work else { return Poll::Ready(None) };
        match work.as_mut().poll(context) {
            Poll::Ready(output) => Poll::Ready(Some(output)),
            Poll::Pending if self.left == 0 => {
                self.work = None;
                Poll::Ready(None)
            }
            Poll::Pending => {
                self.left -= 1;
                Poll::Pending
            }
        }
    }
}

fn id_of(leadgen_id: u64) -> LeadId {
    LeadId::parse(&format!("meta-{leadgen_id}")).unwrap()
}

pub(crate) async fn dies_at<F: Future>(point: usize, work: F) -> Option<F::Output> {
    DiesWaiting { work: Some(Box::pin(work)), left: point }.await
}

async fn all(ingest: &Ingest) -> Vec<Lead> {
    ingest.writer.table.leads(&scope("a"), &LeadFilter::default(), None, 500).await.unwrap().0
}

fn times(ids: &[String]) -> BTreeMap<&str, usize> {
    let mut times = BTreeMap::new();
    ids.iter().for_each(|id| *times.entry(id.as_str()).or_default() += 1);
    times
}

#[tokio::test]
async fn a_worker_that_dies_at_any_point_loses_and_doubles_nothing() {
    let now = at("2026-01-02T00:00:00Z");
    let mut points = 0;
    for point in 0.. {
        assert!(point < 500, "the work does not come to an end");
        let (ingest, services) = ingest(Assignment::RoundRobin).await;
        let dataset = serde_json::json!({ "dataset_id": "77", "events": {} });
        let (table, integration) = (&ingest.writer.table, connection("a").integration_id);
        let settings = serde_json::from_value(dataset).unwrap();
        table.set_conversions(&scope("a"), &integration, Some(&settings)).await.unwrap();
        // Five submissions: the last two are from one person, and the first is delivered twice.
        let leads: Vec<Lead> = (11..=15).map(|id| lead(id, None)).collect();
        let mut work = arrivals(&leads, 1);
        work.push(work[0].clone());
        let finished = dies_at(point, ingest.ingest(&work, LIMIT, now)).await;
        let again = ingest.ingest(&arrivals(&leads, 2), LIMIT, now).await;
        assert!(again.values().all(Result::is_ok), "{point}: {again:?}");
        check(point, &ingest, &services, 4).await;
        // A third delivery changes nothing and makes no call to Meta.
        let calls = services.recorded().calls.len();
        assert!(ingest.ingest(&arrivals(&leads, 3), LIMIT, now).await.values().all(Result::is_ok));
        check(point, &ingest, &services, 4).await;
        assert_eq!(services.recorded().calls.len(), calls, "{point}: Meta was asked for what is in");
        if finished.is_some() {
            points = point;
            break;
        }
    }
    assert!(points > 15, "only {points} points at which it could die: what was walked?");
}

async fn check(point: usize, ingest: &Ingest, services: &FakeServices, leads: usize) {
    let stored = all(ingest).await;
    let ids: BTreeSet<_> = stored.iter().map(|lead| &lead.id).collect();
    assert_eq!((stored.len(), ids.len()), (leads, leads), "{point}");
    let mut turns: BTreeMap<String, usize> = ["ann", "bob", "cem"].map(|user| (user.to_owned(), 0)).into();
    for lead in &stored {
        *turns.entry(lead.assigned_to.as_ref().unwrap().to_string()).or_default() += 1;
    }
    assert!(turns.values().max().unwrap() - turns.values().min().unwrap() <= 1, "{point}: {turns:?}");
    let page = ingest.writer.table.connections(&scope("a")).await.unwrap().remove(0);
    assert_eq!((page.leads_count, page.found.found_webhook), (leads as u64, leads as u64), "{point}: counted");
    let published = services.recorded().ids.clone();
    let published = times(&published);
    assert_eq!(published.len(), leads + 1, "{point}: {published:?}");
    assert!(published.values().all(|times| *times <= 2), "{point}: {published:?}");
    for lead in &stored {
        let steps: Vec<_> = read_trace(&ingest.writer.table, &scope("a"), &lead.id)
            .await
            .unwrap()
            .into_iter()
            .map(|step| step.step)
            .collect();
        assert!(steps.contains(&StepKind::Published), "{point}: {steps:?}");
        assert!(steps.contains(&StepKind::ConversionPending), "{point}: {steps:?}");
    }
    assert_eq!(stored.iter().map(|lead| lead.submissions_count).sum::<u32>(), 1, "{point}: the repeat joined its lead");
    assert!(ingest.writer.table.parked_from(&scope("a"), None, 99).await.unwrap().0.is_empty(), "{point}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn workers_that_die_while_others_work_leave_nothing_undone() {
    let (ingest, services) = ingest(Assignment::RoundRobin).await;
    let now = at("2026-01-02T00:00:00Z");
    let leads: Vec<Lead> = (21..=80).map(|id| lead(id, None)).collect();
    let work = (0..8_usize).map(|worker| {
        let mut leads = leads.clone();
        leads.rotate_left(worker * 7);
        let ingest = &ingest;
        async move { dies_at(worker * 4, ingest.ingest(&arrivals(&leads, 1), LIMIT, now)).await }
    });
    futures_util::future::join_all(work).await;
    assert!(ingest.ingest(&arrivals(&leads, 2), LIMIT, now).await.values().all(Result::is_ok));
    let stored = all(&ingest).await;
    assert_eq!(stored.len(), 60);
    for user in ["ann", "bob", "cem"] {
        assert_eq!(
            stored.iter().filter(|lead| lead.assigned_to.as_ref().is_some_and(|to| to.as_str() == user)).count(),
            20
        );
    }
    assert_eq!(times(&services.recorded().ids).len(), 60);
}

#[tokio::test]
async fn a_throttled_page_is_not_asked_again_before_its_time() {
    let (ingest, services) = ingest(Assignment::Unassigned).await;
    let now = at("2026-01-02T00:00:00Z");
    services.recorded().refusal =
        Some((400, serde_json::json!({ "error": { "code": 80005, "message": "too many calls" } })));
    let one =
        async |id: u64, now| ingest.ingest(&arrivals(&[lead(id, None)], 1), LIMIT, now).await.pop_first().unwrap().1;
    let first = one(1, now).await.unwrap_err();
    assert!(matches!(first, WorkError::Graph(GraphError::Throttled { .. })), "{first}");
    let calls = services.recorded().calls.len();
    let second = one(2, now + jiff::SignedDuration::from_mins(4)).await.unwrap_err();
    assert!(matches!(second, WorkError::Paused(wait) if wait.as_secs() == 60), "{second}");
    assert_eq!(services.recorded().calls.len(), calls, "nobody asks");
    services.recorded().refusal = None;
    assert!(one(2, now + jiff::SignedDuration::from_mins(5)).await.is_ok());
    let steps = read_trace(&ingest.writer.table, &scope("a"), &LeadId::parse("meta-1").unwrap()).await.unwrap();
    assert_eq!(steps.iter().map(|step| step.cause.as_str()).collect::<Vec<_>>(), ["throttled"]);
}

#[tokio::test]
async fn each_lead_of_a_batch_has_its_own_fate() {
    let refused = |code: i64, subcode: i64| serde_json::json!({ "error": { "code": code, "error_subcode": subcode, "message": "m" } });
    for (refusal, parked, verdict) in [
        (refused(100, 33), false, Verdict::Retry),
        (refused(2, 0), false, Verdict::Retry),
        (refused(200, 0), true, Verdict::GiveUp),
    ] {
        let (ingest, services) = ingest(Assignment::Unassigned).await;
        let now = at("2026-01-02T00:00:00Z");
        let known = lead(1, None);
        assert!(ingest.ingest(&arrivals(std::slice::from_ref(&known), 1), LIMIT, now).await[&id_of(1)].is_ok());
        services.recorded().refusal = Some((400, refusal.clone()));
        let outcomes = ingest.ingest(&arrivals(&[known, lead(2, None)], 1), LIMIT, now).await;
        assert!(outcomes[&id_of(1)].is_ok(), "{refusal}");
        let expect = if parked { None } else { Some(verdict) };
        assert_eq!(outcomes[&id_of(2)].as_ref().err().map(WorkError::verdict), expect, "{refusal}");
        assert_eq!(
            ingest.writer.table.parked_from(&scope("a"), None, 99).await.unwrap().0.len(),
            usize::from(parked),
            "{refusal}"
        );
    }
    assert_eq!(GraphError::NotVisible(Detail::default()).verdict(), Verdict::Retry);
}

#[tokio::test]
async fn what_was_stored_before_the_page_was_left_out_is_told_all_the_same() {
    let (ingest, services) = ingest(Assignment::Unassigned).await;
    let now = at("2026-01-02T00:00:00Z");
    let work = arrivals(&[lead(11, None)], 1);
    services.recorded().rejects_events = true;
    assert!(ingest.ingest(&work, LIMIT, now).await[&id_of(11)].is_err());
    let page_of_a = ingest.writer.table.connections(&scope("a")).await.unwrap().remove(0);
    let deselected = crate::model::connection::PageSelection::Deselected;
    assert!(ingest.writer.table.select_page(&scope("a"), &page_of_a, deselected, now).await.unwrap());
    assert!(ingest.ingest(&work, LIMIT, now).await[&id_of(11)].is_err(), "as long as nobody listens, it comes again");
    services.recorded().rejects_events = false;
    assert!(ingest.ingest(&work, LIMIT, now).await[&id_of(11)].is_ok());
    assert_eq!(services.recorded().ids, ["lead.created:a:meta-11"]);
}

#[tokio::test]
async fn what_an_earlier_delivery_parked_is_not_read_again_with_its_message() {
    let (ingest, services) = ingest(Assignment::Unassigned).await;
    let (a, now) = (scope("a"), at("2026-01-02T00:00:00Z"));
    services.recorded().refusal = Some((400, serde_json::json!({ "error": { "code": 200, "message": "no" } })));
    assert!(ingest.ingest(&arrivals(&[lead(21, None)], 1), LIMIT, now).await[&id_of(21)].is_ok(), "it is parked");
    (services.recorded().refusal, services.recorded().calls) = (None, Vec::new());
    let outcomes = ingest.ingest(&arrivals(&[lead(21, None), lead(22, None)], 2), LIMIT, now).await;
    assert!(outcomes.values().all(Result::is_ok));
    assert!(!services.recorded().calls.contains(&"21".to_owned()), "{:?}", services.recorded().calls);
    assert_eq!(ingest.writer.table.parked_from(&a, None, 9).await.unwrap().0.len(), 1, "it waits for its replay");
    // The replay is a message of its own.
    assert!(ingest.ingest(&arrivals(&[lead(21, None)], 1), LIMIT, now).await[&id_of(21)].is_ok());
    assert_eq!(all(&ingest).await.len(), 2);
}

#[tokio::test]
async fn a_page_whose_token_is_gone_keeps_no_other_page_out() {
    let (ingest, _) = ingest(Assignment::Unassigned).await;
    let (a, now, table) = (scope("a"), at("2026-01-02T00:00:00Z"), &ingest.writer.table);
    let page_id = crate::ids::PageId::parse("8").unwrap();
    let other = Connection { page_id: page_id.clone(), credentials: "gone".to_owned(), ..connection("a") };
    table.save_connection(&a, &other).await.unwrap();
    let mut work = arrivals(&[lead(21, None), lead(22, None)], 1);
    work[0].job.notice.page_id = page_id;
    let outcomes = ingest.ingest(&work, LIMIT, now).await;
    assert!(outcomes[&id_of(22)].is_ok(), "{outcomes:?}");
    let stored: Vec<LeadId> = all(&ingest).await.into_iter().map(|lead| lead.id).collect();
    assert_eq!(stored, [id_of(22)]);
    let parked = table.parked_from(&a, None, 9).await.unwrap().0;
    assert_eq!(parked.iter().map(|lead| lead.reason).collect::<Vec<_>>(), [FailureCode::TokenDead]);
}
