//! What is counted of leads, of Meta's limits and of the schedule: each of these fails without the call that counts.

use jiff::SignedDuration;
use serde_json::json;

use super::test_support::{FakeServices, LIMIT, arrivals, ingest};
use super::write::NewLead;
use super::*;
use crate::error::WorkError;
use crate::graph::GraphError;
use crate::ids::{IntegrationId, OrgId};
use crate::jobs::SweepJob;
use crate::metrics::tests::{take_counts, take_written};
use crate::metrics::{MetaBlock, Metric};
use crate::model::connection::Integration;
use crate::model::connection::lead_state::Severity;
use crate::model::connection::state::{ConnectionEnd, EndReason};
use crate::model::failure::FailureCode;
use crate::model::lead::assignment::Assignment;
use crate::model::lead::{FoundBy, Lead};
use crate::model::org::Wanted;
use crate::table::tests::{at, connection, integration, lead, scope};

async fn write(ingest: &Ingest, leads: &[Lead]) -> Outcomes {
    let connection = connection("a");
    let leads: Vec<NewLead<'_>> = leads.iter().map(|lead| NewLead { lead, connection: Some(&connection) }).collect();
    ingest.writer.write(&scope("a"), &leads, at("2026-01-02T00:00:00Z")).await
}

/// A lead of a minute and a half ago.
fn recent(id: u64, found_by: FoundBy) -> Lead {
    let created_time = crate::clock::now() - SignedDuration::from_secs(90);
    Lead { created_time, found_by, ..lead(id, Some(&format!("p{id}@example.com"))) }
}

#[tokio::test]
async fn a_published_lead_is_counted_by_what_found_it_with_its_seconds() {
    let (ingest, _) = ingest(Assignment::RoundRobin).await;
    take_written();
    let test = Lead { test: true, ..recent(2, FoundBy::Webhook) };
    // The same person again: a submission that joins a lead.
    let repeat = Lead { email: Some("p1@example.com".to_owned()), ..recent(3, FoundBy::Sweep) };
    let leads = [recent(1, FoundBy::Webhook), test, repeat, recent(4, FoundBy::Import)];
    assert!(write(&ingest, &leads).await.values().all(Result::is_ok));
    let written = take_written();
    let of = |metric: Metric| -> Vec<f64> {
        written.iter().filter(|(known, _)| *known == metric).flat_map(|(_, values)| values.clone()).collect()
    };
    let stored = [FoundBy::Webhook, FoundBy::Sweep, FoundBy::Sync, FoundBy::Import].map(Metric::LeadsStored).map(of);
    assert_eq!(stored, [vec![2.0], vec![1.0], vec![], vec![1.0]]);
    let seconds = of(Metric::LeadSeconds);
    assert!(seconds.len() == 2 && seconds.iter().all(|seconds| *seconds >= 90.0), "{seconds:?}");
}

#[tokio::test]
async fn what_could_not_be_published_is_counted_when_it_is() {
    let (ingest, services) = ingest(Assignment::RoundRobin).await;
    services.recorded().rejects_events = true;
    let lead = [recent(1, FoundBy::Webhook)];
    take_written();
    assert!(write(&ingest, &lead).await.values().all(Result::is_err));
    assert_eq!(take_counts(), []);
    services.recorded().rejects_events = false;
    ingest.ingest(&arrivals(&lead, 2), LIMIT, at("2026-01-02T00:00:00Z")).await;
    assert!(take_counts().contains(&(Metric::LeadsStored(FoundBy::Webhook), 1.0)));
    ingest.ingest(&arrivals(&lead, 3), LIMIT, at("2026-01-02T00:00:00Z")).await;
    assert_eq!(take_counts(), [], "it is published");
}

#[tokio::test]
async fn a_parked_lead_is_counted_by_its_reason_and_one_that_waits_is_not() {
    let (ingest, _) = ingest(Assignment::RoundRobin).await;
    let arrival = |receive_count| arrivals(&[lead(1, None)], receive_count).remove(0);
    let now = at("2026-01-02T00:00:00Z");
    let refused = || WorkError::Graph(GraphError::Refused(Default::default()));
    take_written();
    ingest.park_or_retry(&scope("a"), &arrival(1), refused(), now).await.unwrap();
    ingest.park_or_retry(&scope("a"), &arrival(MAX_RECEIVES), WorkError::Paused(LIMIT), now).await.unwrap();
    assert_eq!(take_counts(), [(Metric::LeadsParkedBy(FailureCode::Refused), 1.0)]);
}

/// Fetches leads in one batch, while so much of the page's limits is used.
async fn fetch(percent: u32) -> (Ingest, FakeServices) {
    let (ingest, services) = ingest(Assignment::RoundRobin).await;
    services.recorded().usage_percent = percent;
    take_written();
    ingest.ingest(&arrivals(&[lead(21, None), lead(22, None)], 1), LIMIT, at("2026-01-02T00:00:00Z")).await;
    (ingest, services)
}

#[tokio::test]
async fn the_use_of_meta_s_limits_is_written_once_a_batch_and_only_from_half_on() {
    let usage = || take_written().into_iter().filter(|(metric, _)| *metric == Metric::MetaUsage).collect::<Vec<_>>();
    fetch(49).await;
    assert_eq!(usage(), []);
    fetch(81).await;
    let written = usage();
    // One of the leads, one of their form.
    assert!((1..=2).contains(&written.len()), "{written:?}");
    assert!(written.iter().all(|(_, values)| *values == [81.0]), "{written:?}");
}

#[tokio::test]
async fn a_pause_that_meta_asks_for_is_counted() {
    let (ingest, services) = ingest(Assignment::RoundRobin).await;
    services.recorded().refusal = Some((400, json!({ "error": { "code": 32, "message": "too many calls" } })));
    take_written();
    ingest.ingest(&arrivals(&[lead(1, None)], 1), LIMIT, at("2026-01-02T00:00:00Z")).await;
    assert!(take_counts().contains(&(Metric::MetaBlocks(MetaBlock::Page), 1.0)));
    let table = &ingest.writer.table;
    for until in ["2030-01-01T00:00:00Z", "2029-01-01T00:00:00Z"] {
        table.pause_ads(None, at(until)).await.unwrap();
    }
    assert_eq!(take_counts(), [(Metric::MetaBlocks(MetaBlock::AdAccount), 1.0)], "a longer pause stays");
}

#[tokio::test]
async fn integrations_are_counted_by_their_state_whatever_is_swept() {
    let (ingest, services) = ingest(Assignment::RoundRobin).await;
    let (table, a, now) = (&ingest.writer.table, scope("a"), at("2026-01-02T00:00:00Z"));
    let reason = EndReason::TokenExpired;
    let ended = Some(ConnectionEnd { reason, since: now, evidence: String::new() });
    let well = || Integration { problems: Vec::new(), ..integration(Assignment::Unassigned) };
    let others = [
        well(),
        Integration { ended: ended.clone(), ..well() },
        Integration { ended, ..well() },
        integration(Assignment::Unassigned),
    ];
    for (number, other) in others.into_iter().enumerate() {
        let id = IntegrationId::parse(&format!("int_x{number}")).unwrap();
        table.insert_integration(&a, &Integration { id, ..other }, Some(now)).await.unwrap();
    }
    let queue = services.queue::<SweepJob>();
    take_written();
    assert_eq!(start_sweeps(table, &queue, Wanted::default(), now).await.unwrap(), 4);
    let states = [(Severity::Ok, 1.0), (Severity::Notice, 1.0), (Severity::Warning, 0.0), (Severity::Error, 2.0)];
    assert_eq!(take_counts(), states.map(|(state, number)| (Metric::Integrations(state), number)));
    assert_eq!(services.recorded().queued.len(), 4);
    // Those of one org are not all.
    let other = OrgId::parse("b").unwrap();
    let of_other = Wanted { org: Some(&other), everything: true };
    assert_eq!(start_sweeps(table, &queue, of_other, now).await.unwrap(), 0);
    assert_eq!(take_counts(), []);
    // One with many does not come first with all of them.
    table.insert_integration(&scope("b"), &well(), Some(now)).await.unwrap();
    for _ in 0..8 {
        services.recorded().queued.clear();
        start_sweeps(table, &queue, Wanted::default(), now).await.unwrap();
        let queued = services.recorded().queued.clone();
        assert!(queued.iter().position(|job| job["org"] == "b").unwrap() < 2, "{queued:?}");
    }
}
