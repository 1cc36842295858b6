//! Tries deliveries. Endpoints are worked at side by side, the events of one after the other, so that a slow receiver
//! costs the others nothing and one that does not respond costs one try a batch.

use std::collections::BTreeMap;
use std::time::Duration;

use futures_util::{StreamExt, stream};
use jiff::{SignedDuration, Timestamp};

use super::{Deliverer, Tried, try_once};
use crate::error::WorkError;
use crate::ids::{EndpointId, OrgScope};
use crate::jobs::{DeliveryJob, TryJob};
use crate::metrics::{self, DeliveryOutcome, Metric};
use crate::model::delivery::schedule::{EndpointHealth, next_try};
use crate::model::delivery::{
    DisabledReason, Endpoint, EventDelivery, EventDeliveryState, TryFault, UndeliveredReason,
};
use crate::receiver::TIMEOUT;
use crate::trace;

/// Orgs and endpoints that are worked at side by side.
const CONCURRENCY: usize = 10;
/// No try is begun with less than this left: the try, and what is stored after it.
const MIN_TRY_TIME: Duration = Duration::from_secs(TIMEOUT.as_secs() + 10);
/// SQS's limit on the delay of a message.
const MAX_MESSAGE_DELAY: SignedDuration = SignedDuration::from_mins(15);
/// How long the other events of a batch wait whose endpoint does not respond.
const BATCH_REST: SignedDuration = SignedDuration::from_secs(10);

/// When what there was no time for comes again.
const NO_TIME_DELAY: Duration = Duration::from_secs(1);

/// What is worked at one after the other.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Lane {
    Events(OrgScope),
    Endpoint(OrgScope, EndpointId),
}

impl Deliverer {
    /// Does jobs, in at most `time_left`, and returns one outcome for each, in order. What a receiver does is no error.
    pub async fn work(
        &self,
        jobs: &[&DeliveryJob],
        time_left: Duration,
        clock: &(dyn Fn() -> Timestamp + Sync),
    ) -> Vec<Result<(), WorkError>> {
        let deadline = tokio::time::Instant::now() + time_left;
        let mut lanes: BTreeMap<Lane, Vec<usize>> = BTreeMap::new();
        for (position, job) in jobs.iter().enumerate() {
            let lane = match job {
                DeliveryJob::Event(event) => Lane::Events(event.scope()),
                DeliveryJob::Try(job) => Lane::Endpoint(job.scope(), job.endpoint.clone()),
            };
            lanes.entry(lane).or_default().push(position);
        }
        let run = |(lane, positions): (Lane, Vec<usize>)| async move {
            let lane_jobs = positions.iter().filter_map(|position| jobs.get(*position).copied());
            let outcomes = match &lane {
                Lane::Events(scope) => {
                    let events: Vec<_> = lane_jobs
                        .filter_map(|job| match job {
                            DeliveryJob::Event(event) => Some(event),
                            DeliveryJob::Try(_) => None,
                        })
                        .collect();
                    let outcome = self.fan_out(scope, &events, clock()).await;
                    events.iter().map(|_| outcome.clone()).collect()
                }
                Lane::Endpoint(scope, _) => self.try_lane(scope, lane_jobs, deadline, clock).await,
            };
            positions.into_iter().zip(outcomes).collect::<Vec<_>>()
        };
        let done: Vec<Vec<(usize, Result<(), WorkError>)>> =
            stream::iter(lanes).map(run).buffer_unordered(CONCURRENCY).collect().await;
        let mut outcomes: Vec<Result<(), WorkError>> = jobs.iter().map(|_| Err(WorkError::OutOfTime)).collect();
        for (position, outcome) in done.into_iter().flatten() {
            if let Some(slot) = outcomes.get_mut(position) {
                *slot = outcome;
            }
        }
        outcomes
    }

    async fn try_lane<'a>(
        &self,
        scope: &OrgScope,
        jobs: impl Iterator<Item = &'a DeliveryJob>,
        deadline: tokio::time::Instant,
        clock: &(dyn Fn() -> Timestamp + Sync),
    ) -> Vec<Result<(), WorkError>> {
        let (mut outcomes, mut tried, mut rest_until) = (Vec::new(), Vec::new(), None);
        for job in jobs {
            let DeliveryJob::Try(job) = job else { continue };
            let time_left = deadline.saturating_duration_since(tokio::time::Instant::now());
            outcomes.push(match time_left < MIN_TRY_TIME {
                // A message of its own, because it is not the message that failed.
                true => self.queue.send_later(&DeliveryJob::Try(job.clone()), NO_TIME_DELAY).await.map_err(Into::into),
                false => {
                    let outcome = self.try_delivery(scope, job, &mut rest_until, clock).await;
                    outcome.map(|outcome| tried.extend(outcome.map(Metric::Deliveries)))
                }
            });
        }
        metrics::tally(tried);
        outcomes
    }

    /// Tries one delivery. `rest_until` is until when this batch leaves the endpoint alone. Returns what came of it;
    /// `None` if there is nothing to deliver, or not now.
    async fn try_delivery(
        &self,
        scope: &OrgScope,
        job: &TryJob,
        rest_until: &mut Option<Timestamp>,
        clock: &(dyn Fn() -> Timestamp + Sync),
    ) -> Result<Option<DeliveryOutcome>, WorkError> {
        let now = clock();
        let Some(delivery) = self.table.claim_delivery(scope, job, now).await? else { return Ok(None) };
        let trace = delivery.trace_id.clone();
        trace::follow(trace, self.try_claimed(scope, job, delivery, rest_until, clock)).await
    }

    async fn try_claimed(
        &self,
        scope: &OrgScope,
        job: &TryJob,
        mut delivery: EventDelivery,
        rest_until: &mut Option<Timestamp>,
        clock: &(dyn Fn() -> Timestamp + Sync),
    ) -> Result<Option<DeliveryOutcome>, WorkError> {
        let now = clock();
        let Some(endpoint) = self.table.endpoint(scope, &job.endpoint).await? else {
            self.table.delete_delivery(scope, &job.endpoint, &job.delivery).await?;
            return Ok(None);
        };
        if !endpoint.active {
            self.notify(scope, &endpoint, now).await?;
            self.end(scope, delivery, UndeliveredReason::EndpointInactive).await?;
            return Ok(Some(DeliveryOutcome::Failed));
        }
        let resting = endpoint.health.resting(now).or(rest_until.filter(|until| now < *until));
        if let Some(until) = resting.filter(|_| !job.early)
            && self.postpone(scope, &mut delivery, until, now).await?
        {
            return Ok(None);
        }
        let Some(body) = self.table.event_body(scope, &delivery.about, &delivery.id).await? else {
            self.end(scope, delivery, UndeliveredReason::ContentErased).await?;
            return Ok(None);
        };
        let tried = try_once((&self.receiver, &self.root_key), scope, &endpoint, (&delivery.id, &body), now).await;
        let now = clock();
        delivery.record(tried.record.clone());
        tracing::info!(
            org = %scope.org(), endpoint = %endpoint.id, delivery = %delivery.id, event = delivery.event_name,
            status = tried.record.status, reason = ?tried.record.reason, ms = tried.record.duration_ms, "event sent"
        );
        if tried.is_success() {
            delivery.end(EventDeliveryState::Delivered, None);
            delivery.delivered_at = Some(now);
            self.table.settle_delivery(scope, &delivery, false).await?;
            if endpoint.health != EndpointHealth::default() {
                self.table.set_endpoint_health(scope, &endpoint, &EndpointHealth::default()).await?;
            }
            return Ok(Some(DeliveryOutcome::Delivered));
        }
        if tried.record.reason.is_some_and(TryFault::is_of_endpoint) {
            *rest_until = Some(now + BATCH_REST);
        }
        self.settle_failure(scope, &endpoint, delivery, &tried, now).await.map(Some)
    }

    /// Stores a failed try: another one later, or the end of the delivery or of the endpoint.
    async fn settle_failure(
        &self,
        scope: &OrgScope,
        endpoint: &Endpoint,
        mut delivery: EventDelivery,
        tried: &Tried,
        now: Timestamp,
    ) -> Result<DeliveryOutcome, WorkError> {
        let health = endpoint.health.after_failure(now);
        let is_gone = tried.record.status == Some(410);
        if is_gone || health.is_hopeless(now) {
            let reason = if is_gone { DisabledReason::Gone } else { DisabledReason::Failing };
            self.table.disable_endpoint(scope, endpoint, reason, now).await?;
            // The delivery stays to be tried until the admins are notified: its next try goes on here.
            if let Some(disabled) = self.table.endpoint(scope, &endpoint.id).await?.filter(|it| !it.active) {
                self.notify(scope, &disabled, now).await?;
                let (state, reason) = match is_gone {
                    true => (EventDeliveryState::Failed, UndeliveredReason::Gone),
                    false => (EventDeliveryState::NotDelivered, UndeliveredReason::EndpointInactive),
                };
                delivery.end(state, Some(reason));
                self.table.settle_delivery(scope, &delivery, false).await?;
                return Ok(DeliveryOutcome::Failed);
            }
        }
        self.table.set_endpoint_health(scope, endpoint, &health).await?;
        match next_try(delivery.window_tries, delivery.window_from, tried.retry_after, now) {
            Some(at) => {
                self.schedule(scope, &mut delivery, at, now).await?;
                Ok(DeliveryOutcome::Retried)
            }
            None => {
                delivery.end(EventDeliveryState::Failed, Some(UndeliveredReason::RetriesExhausted));
                self.table.settle_delivery(scope, &delivery, false).await?;
                Ok(DeliveryOutcome::Failed)
            }
        }
    }

    /// Leaves a delivery for later, because its endpoint is left alone. `false` if it has no later: then it is tried.
    async fn postpone(
        &self,
        scope: &OrgScope,
        delivery: &mut EventDelivery,
        until: Timestamp,
        now: Timestamp,
    ) -> Result<bool, WorkError> {
        // Counted as a try, so that what waits for a dead endpoint costs ever less.
        delivery.window_tries += 1;
        let Some(next) = next_try(delivery.window_tries, delivery.window_from, None, now) else { return Ok(false) };
        self.schedule(scope, delivery, next.max(until), now).await?;
        Ok(true)
    }

    async fn schedule(
        &self,
        scope: &OrgScope,
        delivery: &mut EventDelivery,
        at: Timestamp,
        now: Timestamp,
    ) -> Result<(), WorkError> {
        delivery.next_try_at = Some(at);
        let delay = at.duration_since(now);
        let has_message = delay <= MAX_MESSAGE_DELAY;
        self.table.settle_delivery(scope, delivery, has_message).await?;
        if has_message {
            let (endpoint, id) = (delivery.endpoint_id.clone(), delivery.id.clone());
            let job = DeliveryJob::Try(TryJob { org: scope.org().clone(), endpoint, delivery: id, early: false });
            let delay = Duration::try_from(delay).unwrap_or_default();
            if let Err(error) = self.queue.send_later(&job, delay).await {
                tracing::warn!(%error, delivery = %delivery.id, "a later try has no message; the schedule finds it");
            }
        }
        Ok(())
    }

    async fn end(
        &self,
        scope: &OrgScope,
        mut delivery: EventDelivery,
        reason: UndeliveredReason,
    ) -> Result<(), WorkError> {
        delivery.end(EventDeliveryState::NotDelivered, Some(reason));
        Ok(self.table.settle_delivery(scope, &delivery, false).await?)
    }
}
