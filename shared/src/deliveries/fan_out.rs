//! From an event of the bus to a delivery for each endpoint, and from what is due to messages.

use futures_util::future::try_join_all;
use futures_util::{StreamExt, TryStreamExt, stream};
use jiff::Timestamp;

use super::Deliverer;
use crate::error::WorkError;
use crate::ids::OrgScope;
use crate::jobs::{BusEvent, DeliveryJob, TryJob};
use crate::model::delivery::{Endpoint, Fact};
use crate::model::org::Wanted;
use crate::queue::Queue;
use crate::table::Table;

/// Events stored at once.
const CONCURRENCY: usize = 8;
/// Deliveries handed out at once. Few, so that few are sent twice if the planner dies.
const HANDED_OUT_AT_ONCE: usize = 100;

impl Deliverer {
    /// Stores the deliveries of an org's events and sends their messages. An event that comes again finds them stored,
    /// so each endpoint has it once.
    pub(super) async fn fan_out(
        &self,
        scope: &OrgScope,
        events: &[&BusEvent],
        now: Timestamp,
    ) -> Result<(), WorkError> {
        let endpoints = self.table.endpoints(scope).await?;
        if endpoints.is_empty() {
            return Ok(());
        }
        let store = |event: &BusEvent| {
            let fact = Fact::from_bus(&event.name, event.time, &event.detail());
            if fact.is_none() {
                tracing::error!(event = event.name, metric = "events_unreadable", "an event of the bus has no id");
            }
            let endpoints = &endpoints;
            async move {
                match fact {
                    Some(fact) => self.store(scope, &fact, endpoints, now).await,
                    None => Ok(Vec::new()),
                }
            }
        };
        let storing: Vec<_> = events.iter().map(|event| store(event)).collect();
        let jobs: Vec<Vec<DeliveryJob>> = stream::iter(storing).buffer_unordered(CONCURRENCY).try_collect().await?;
        // Only now: what a message names is stored.
        Ok(self.queue.send(&jobs.into_iter().flatten().collect::<Vec<_>>()).await?)
    }

    async fn store(
        &self,
        scope: &OrgScope,
        fact: &Fact,
        endpoints: &[Endpoint],
        now: Timestamp,
    ) -> Result<Vec<DeliveryJob>, WorkError> {
        let deliveries: Vec<_> = endpoints
            .iter()
            .filter(|endpoint| endpoint.wants(&fact.name))
            .map(|endpoint| (endpoint, fact.delivery_to(endpoint, now)))
            .collect();
        if deliveries.is_empty() {
            return Ok(Vec::new());
        }
        self.table.insert_event(scope, fact, now).await?;
        try_join_all(deliveries.iter().map(|(_, delivery)| self.table.insert_delivery(scope, delivery))).await?;
        let active = deliveries.into_iter().filter(|(endpoint, _)| endpoint.active);
        let job = |delivery: crate::model::delivery::EventDelivery| TryJob {
            org: scope.org().clone(),
            endpoint: delivery.endpoint_id,
            delivery: delivery.id,
            early: false,
        };
        Ok(active.map(|(_, delivery)| DeliveryJob::Try(job(delivery))).collect())
    }
}

/// Sends a message for every delivery that is due, until `until`, and returns their number. `wanted.everything` includes
/// those that wait for a later try.
pub async fn send_due_deliveries(
    table: &Table,
    queue: &Queue<DeliveryJob>,
    wanted: Wanted<'_>,
    now: Timestamp,
    until: Timestamp,
) -> Result<usize, WorkError> {
    let mut due = table.deliveries_due((!wanted.everything).then_some(now)).await?;
    due.retain(|due| wanted.concerns(&due.job.org));
    let mut sent = 0;
    for due in due.chunks(HANDED_OUT_AT_ONCE) {
        if crate::clock::now() > until {
            tracing::warn!(sent, "there was no time for all that is to be delivered; the next run goes on");
            break;
        }
        let jobs = due.iter().map(|due| DeliveryJob::Try(TryJob { early: wanted.everything, ..due.job.clone() }));
        queue.send(&jobs.collect::<Vec<_>>()).await?;
        // After sending: a message sent twice finds nothing to do, a message never sent would cost a quarter of an hour.
        try_join_all(due.iter().map(|due| table.postpone_delivery(due, now))).await?;
        sent += due.len();
    }
    Ok(sent)
}
