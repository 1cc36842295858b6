//! Ingesting leads: from the ids in webhooks and searches to leads in the CRM, for every org that connected the page.

use std::collections::BTreeMap;

use futures_util::future::join_all;
use jiff::Timestamp;

use super::LeadWriter;
use crate::error::WorkError;
use crate::graph::GraphError;
use crate::ids::{LeadId, LeadgenId, OrgScope, PageId, RunId};
use crate::jobs::{CheckJob, LeadJob};
use crate::meta_app::MetaApp;
use crate::model::connection::Connection;
use crate::model::lead::trace::{Step, StepKind};
use crate::queue::Queue;
use crate::retry::Verdict;
use crate::table::parked::{Hold, ParkedLead};
use crate::vault::VaultError;

/// Ingests leads.
#[derive(Debug, Clone)]
pub struct Ingest {
    /// Reads leads and forms, with the pages' tokens.
    pub meta: MetaApp,
    /// Stores and publishes leads.
    pub writer: LeadWriter,
    /// Takes integrations whose token failed, to be checked now instead of at the next daily check.
    pub checks: Queue<CheckJob>,
}

/// A lead to ingest.
#[derive(Debug, Clone)]
pub struct Arrival {
    /// What is known about it.
    pub job: LeadJob,
    /// How often SQS delivered the job, including this time. More than once means that an earlier worker may have
    /// stopped half-way.
    pub receive_count: u32,
}

impl Arrival {
    /// Returns the id under which the submission is, or will be, stored.
    #[must_use]
    pub fn lead_id(&self) -> LeadId {
        LeadId::from_leadgen(&self.job.notice.leadgen_id)
    }
}

/// The outcome of each lead.
pub type Outcomes = BTreeMap<LeadId, Result<(), WorkError>>;

/// Deliveries after which a lead that still cannot be ingested is parked, or waits.
pub const MAX_RECEIVES: u32 = 10;

impl Ingest {
    /// Ingests leads of one page for every org that connected it. The result has an outcome for each lead.
    ///
    /// `Ok` means that nothing is left to do: the lead is stored, was stored before, is parked, or belongs to no org.
    /// An error is worth a retry, as its verdict says. A lead that no retry can fix, or that was retried too often, is
    /// parked for the org with the reason, which is `Ok` too; if the cause is temporary, it waits instead, and the sweep
    /// replays it. So the dead-letter queue holds only what nothing else knows.
    pub async fn ingest(&self, page: &PageId, arrivals: &[Arrival], now: Timestamp) -> Outcomes {
        let (connections, former): (Vec<_>, Vec<_>) = match self.writer.table.ever_connected(page).await {
            Ok(rows) => rows.into_iter().partition(|(_, connection)| connection.is_connected()),
            Err(error) => {
                tracing::error!(%error, %page, "connections of a page could not be read");
                return fail_all(arrivals, &error.into());
            }
        };
        let paused = match self.writer.table.paused_until(page, now).await {
            Ok(paused) => paused,
            // An unnecessary call to Meta is better than a delayed lead.
            Err(error) => {
                tracing::warn!(%error, %page, "a page's throttle could not be read");
                None
            }
        };
        if connections.is_empty() {
            tracing::warn!(%page, leads = arrivals.len(), metric = "leads_of_unconnected_page", "no org has connected this page");
        }
        let mut outcomes: Outcomes = arrivals.iter().map(|arrival| (arrival.lead_id(), Ok(()))).collect();
        // Leads that were stored while the page was still connected may be unpublished.
        for (scope, _) in group_by_org(former) {
            let stored = self.skip_stored(&scope, arrivals).await;
            merge_errors(&mut outcomes, stored.unwrap_or_else(|error| fail_all(arrivals, &error)));
        }
        // Concurrently: an org whose token makes Meta slow must not use up the time of the others.
        let orgs = group_by_org(connections);
        let ingesting =
            orgs.iter().map(|(scope, connections)| self.ingest_for_org(scope, connections, arrivals, paused, now));
        for of_org in join_all(ingesting).await {
            merge_errors(&mut outcomes, of_org);
        }
        outcomes
    }

    /// Ingests the `arrivals` that are for this org.
    async fn ingest_for_org(
        &self,
        scope: &OrgScope,
        connections: &[Connection],
        arrivals: &[Arrival],
        paused: Option<Timestamp>,
        now: Timestamp,
    ) -> Outcomes {
        warn_of_orgid_mismatch(scope, arrivals);
        let is_for_org = |arrival: &&Arrival| arrival.job.only_for.as_ref().is_none_or(|org| org == scope.org());
        let arrivals: Vec<&Arrival> = arrivals.iter().filter(is_for_org).collect();
        // The same lead may be delivered twice. The delivery that was retried more often decides when to give up.
        let mut distinct: Vec<Arrival> = Vec::with_capacity(arrivals.len());
        for arrival in &arrivals {
            match distinct.iter_mut().find(|known| known.job.notice.leadgen_id == arrival.job.notice.leadgen_id) {
                Some(known) => known.receive_count = known.receive_count.max(arrival.receive_count),
                None => distinct.push((*arrival).clone()),
            }
        }
        let mut outcomes = self.ingest_through(scope, connections, &distinct, paused, now).await;
        for arrival in &distinct {
            if let Some(outcome) = outcomes.get_mut(&arrival.lead_id())
                && let Err(error) = outcome
            {
                *outcome = self.park_or_retry(scope, arrival, error.clone(), now).await;
            }
        }
        // Count the finished leads of requested searches.
        let mut progress: BTreeMap<&RunId, usize> = BTreeMap::new();
        for arrival in &arrivals {
            if let (Some(run), Some(Ok(()))) = (&arrival.job.run, outcomes.get(&arrival.lead_id())) {
                *progress.entry(run).or_default() += 1;
            }
        }
        for (run, count) in progress {
            self.add_progress(scope, run, count).await;
        }
        outcomes
    }

    /// Ingests distinct leads with the org's own tokens: an org never gets a lead that its own people may not read.
    ///
    /// The org may have connected the page through several Meta accounts. A lead that one of them may not read, or does
    /// not see, is read with the next.
    async fn ingest_through(
        &self,
        scope: &OrgScope,
        connections: &[Connection],
        arrivals: &[Arrival],
        paused: Option<Timestamp>,
        now: Timestamp,
    ) -> Outcomes {
        let mut outcomes = match self.skip_stored(scope, arrivals).await {
            Ok(stored) => stored,
            Err(error) => return fail_all(arrivals, &error),
        };
        let mut open: Vec<Arrival> =
            arrivals.iter().filter(|arrival| !outcomes.contains_key(&arrival.lead_id())).cloned().collect();
        if let Some(until) = paused.filter(|_| !open.is_empty()) {
            let wait = until.duration_since(now).unsigned_abs();
            tracing::info!(org = %scope.org(), leads = open.len(), ?wait, "Meta throttles a page; its leads wait");
            outcomes.extend(fail_all(&open, &WorkError::Paused(wait)));
            return outcomes;
        }
        for connection in connections {
            if open.is_empty() {
                break;
            }
            let fetched = self.fetch(scope, connection, &open, now).await;
            self.pause_on_throttle(&connection.page_id, fetched.failed.values(), now).await;
            let mut written = self.writer.write(scope, Some(connection), &fetched.leads, now).await;
            written.extend(fetched.failed.into_iter().map(|(lead, error)| (lead, Err(error))));
            let token_failed = written.values().any(|outcome| outcome.as_ref().is_err_and(WorkError::is_of_token));
            if connection.ended.is_none() && token_failed {
                // If this check is not queued, the daily one finds the problem: that costs a day, but no lead.
                if let Err(error) = self.checks.send(&[CheckJob::new(scope, &connection.integration_id)]).await {
                    tracing::warn!(%error, org = %scope.org(), "a check of a failed token could not be queued; the daily check finds it");
                }
            }
            outcomes.extend(written);
            open.retain(|arrival| {
                let outcome = outcomes.get(&arrival.lead_id());
                outcome.is_some_and(|outcome| outcome.as_ref().is_err_and(another_account_may_help))
            });
        }
        // An org that disconnected the page meanwhile no longer wants the lead.
        for outcome in outcomes.values_mut().filter(|outcome| matches!(outcome, Err(WorkError::Disconnected))) {
            *outcome = Ok(());
        }
        outcomes
    }

    /// Finds the leads that are already stored, and publishes those not known to be published. A repeated delivery
    /// costs no call to Meta.
    async fn skip_stored(&self, scope: &OrgScope, arrivals: &[Arrival]) -> Result<Outcomes, WorkError> {
        let ids: Vec<LeadId> = arrivals.iter().map(Arrival::lead_id).collect();
        let stored = self.writer.table.find_stored(scope, &ids).await?;
        let outcome = if stored.is_empty() { Ok(()) } else { self.writer.republish(scope, &stored).await };
        Ok(stored.into_iter().map(|id| (id, outcome.clone())).collect())
    }

    /// Records until when Meta throttles a page. Until then neither workers nor the sweep call Meta about it.
    async fn pause_on_throttle<'a>(&self, page: &PageId, errors: impl Iterator<Item = &'a WorkError>, now: Timestamp) {
        let waits =
            errors.filter_map(|error| if let WorkError::Graph(error) = error { error.retry_after() } else { None });
        let Some(wait) = waits.max() else { return };
        tracing::warn!(%page, ?wait, metric = "pages_throttled", "Meta throttles a page");
        if let Err(error) = self.writer.table.pause(page, now + wait).await {
            tracing::warn!(%error, %page, "a throttle by Meta could not be recorded");
        }
    }

    async fn add_progress(&self, scope: &OrgScope, run: &RunId, count: usize) {
        if let Err(error) = self.writer.table.count_settled(scope, run, count).await {
            tracing::warn!(%error, %run, "the progress of a search could not be counted");
        }
    }

    /// Records a step of a lead's trace. A failure is only logged, because nothing depends on the step.
    async fn note(&self, scope: &OrgScope, leadgen_id: &LeadgenId, step: &Step) {
        if let Err(error) = self.writer.table.note(scope, &LeadId::from_leadgen(leadgen_id), step).await {
            tracing::warn!(%error, %leadgen_id, "a step of a lead's trace could not be recorded");
        }
    }

    /// Parks a lead whose error no retry can fix, or that was retried too often. Behind a temporary failure it waits
    /// instead, because an outage or a throttle needs no admin.
    pub(super) async fn park_or_retry(
        &self,
        scope: &OrgScope,
        arrival: &Arrival,
        error: WorkError,
        now: Timestamp,
    ) -> Result<(), WorkError> {
        let is_permanent = error.verdict() == Verdict::GiveUp;
        if !is_permanent && arrival.receive_count < MAX_RECEIVES {
            tracing::info!(%error, code = %error.code(), leadgen_id = %arrival.job.notice.leadgen_id, org = %scope.org(), receive_count = arrival.receive_count, "lead not ingested yet; it will be retried");
            if !matches!(error, WorkError::Paused(_)) {
                let step = Step::new(crate::clock::now(), StepKind::Tried, error.code().to_string(), evidence(&error));
                self.note(scope, &arrival.job.notice.leadgen_id, &step).await;
            }
            return Err(error);
        }
        let leadgen_id = &arrival.job.notice.leadgen_id;
        if self.writer.table.find_lead(scope, &LeadId::from_leadgen(leadgen_id)).await?.is_some() {
            // The lead is stored. If it could not be published, the dead-letter queue holds it until that is possible.
            return if matches!(error, WorkError::Bus(_)) { Err(error) } else { Ok(()) };
        }
        let parked = ParkedLead {
            leadgen_id: leadgen_id.clone(),
            page_id: arrival.job.notice.page_id.clone(),
            reason: error.code(),
            evidence: evidence(&error),
            parked_at: now,
            // Its run is done with it.
            job: LeadJob { run: None, ..arrival.job.clone() },
        };
        let step = if !is_permanent && parked.reason.is_temporary() {
            tracing::warn!(%error, code = %parked.reason, %leadgen_id, org = %scope.org(), metric = "leads_waiting", "lead waits until its page can be read again");
            self.writer.table.hold(scope, Hold::Waiting, &parked).await?;
            StepKind::Waiting
        } else {
            tracing::error!(%error, code = %parked.reason, %leadgen_id, org = %scope.org(), metric = "leads_parked", "lead parked");
            self.writer.table.hold(scope, Hold::Parked, &parked).await?;
            StepKind::Parked
        };
        let step = Step::new(crate::clock::now(), step, parked.reason.to_string(), parked.evidence);
        self.note(scope, leadgen_id, &step).await;
        Ok(())
    }
}

fn group_by_org(connections: Vec<(OrgScope, Connection)>) -> Vec<(OrgScope, Vec<Connection>)> {
    let mut orgs: Vec<(OrgScope, Vec<Connection>)> = Vec::new();
    for (scope, connection) in connections {
        match orgs.iter_mut().find(|(known, _)| *known == scope) {
            Some((_, of_org)) => of_org.push(connection),
            None => orgs.push((scope, vec![connection])),
        }
    }
    orgs
}

/// Returns what an admin may see of an error: Meta's message, but only the code of an AWS failure.
fn evidence(error: &WorkError) -> String {
    match error {
        WorkError::Graph(error) => error.to_string(),
        WorkError::Vault(error @ VaultError::Unreadable(_)) => error.to_string(),
        WorkError::NotInPlan | WorkError::Paused(_) => error.to_string(),
        other => other.code().to_string(),
    }
}

pub(super) fn another_account_may_help(error: &WorkError) -> bool {
    match error {
        WorkError::Vault(VaultError::Missing(_) | VaultError::Unreadable(_)) | WorkError::Disconnected => true,
        WorkError::Graph(error) => matches!(
            error,
            GraphError::TokenInvalid { .. }
                | GraphError::WrongTokenKind(_)
                | GraphError::NotPermitted(_)
                | GraphError::NotVisible(_)
                | GraphError::Refused(_)
        ),
        WorkError::Vault(VaultError::Failed(_))
        | WorkError::Table(_)
        | WorkError::Queue(_)
        | WorkError::Bus(_)
        | WorkError::Mail(_)
        | WorkError::Paused(_)
        | WorkError::NotInPlan => false,
    }
}

/// Logs an org in Meta's callback URL that is not the org of the page. The URL decides nothing, because one serves all
/// orgs of the app, but a mismatch means that the set-up is wrong.
fn warn_of_orgid_mismatch(scope: &OrgScope, arrivals: &[Arrival]) {
    let other =
        arrivals.iter().filter_map(|arrival| arrival.job.orgid.as_deref()).find(|orgid| *orgid != scope.org().as_str());
    if other.is_some() {
        tracing::warn!(org = %scope.org(), metric = "orgid_mismatch", "the webhook's orgid is not the org that connected the page; the page decides");
    }
}

fn fail_all(arrivals: &[Arrival], error: &WorkError) -> Outcomes {
    arrivals.iter().map(|arrival| (arrival.lead_id(), Err(error.clone()))).collect()
}

/// Merges another org's outcomes. A lead is done once it is done for every org.
fn merge_errors(outcomes: &mut Outcomes, more: Outcomes) {
    for (lead, outcome) in more {
        if outcome.is_err() {
            let known = outcomes.entry(lead).or_insert(Ok(()));
            if known.is_ok() {
                *known = outcome;
            }
        }
    }
}
