//! Ingesting leads: from the ids in webhooks and searches to leads in the CRM, for every org that connected the page.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use futures_util::{StreamExt, stream};
use jiff::Timestamp;

use super::LeadWriter;
use super::fetch::PageArrivals;
use super::write::NewLead;
use crate::error::WorkError;
use crate::graph::GraphError;
use crate::ids::{LeadId, OrgId, OrgScope, PageId, RunId};
use crate::jobs::{CheckJob, LeadBatch, LeadJob};
use crate::meta_app::MetaApp;
use crate::model::connection::Connection;
use crate::queue::Queue;
use crate::retry::isolate_panics;
use crate::trace::TraceId;
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
    /// The delivery, the sweep or the request that it follows from.
    pub trace: TraceId,
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

/// Leads of an org that are read and stored before the next ones are read. If time runs out, those are done.
const SLICE: usize = 200;
/// Orgs ingested at once. They mostly wait for Meta, and a slow one must not delay the others.
const CONCURRENCY: usize = 8;

/// The part of a batch that is for one org.
struct OrgBatch {
    scope: OrgScope,
    /// The org's connections of each page, former ones included.
    pages: BTreeMap<PageId, Vec<Connection>>,
}

impl OrgBatch {
    fn connected(&self, page: &PageId) -> impl Iterator<Item = &Connection> {
        self.pages.get(page).into_iter().flatten().filter(|connection| connection.is_connected())
    }
}

impl Ingest {
    /// Ingests leads for every org that connected their pages, for at most `time_limit`. The result has an outcome for
    /// each lead.
    ///
    /// `Ok` means that nothing is left to do: the lead is stored, was stored before, is parked, or belongs to no org.
    /// An error is worth a retry, as its verdict says. A lead that no retry can fix, or that was retried too often, is
    /// parked for the org with the reason, which is `Ok` too; if the cause is temporary, it waits instead, and the sweep
    /// replays it. So the dead-letter queue holds only what nothing else knows.
    ///
    /// A panic affects only the lead that caused it.
    pub async fn ingest(&self, arrivals: &[Arrival], time_limit: Duration, now: Timestamp) -> Outcomes {
        let deadline = tokio::time::Instant::now() + time_limit;
        let pages: BTreeSet<&PageId> = arrivals.iter().map(|arrival| &arrival.job.notice.page_id).collect();
        let pages: Vec<&PageId> = pages.into_iter().collect();
        let connections = stream::iter(&pages).map(|page| self.writer.table.ever_connected(page)).buffered(CONCURRENCY);
        let (connections, paused) = tokio::join!(connections.collect::<Vec<_>>(), self.paused(&pages, now));
        let mut outcomes: Outcomes = arrivals.iter().map(|arrival| (arrival.lead_id(), Ok(()))).collect();
        let mut orgs: BTreeMap<OrgId, OrgBatch> = BTreeMap::new();
        for (page, rows) in pages.into_iter().zip(connections) {
            let of_page = || arrivals.iter().filter(|arrival| arrival.job.notice.page_id == *page);
            let rows = match rows {
                Ok(rows) => rows,
                Err(error) => {
                    tracing::error!(%error, %page, "connections of a page could not be read");
                    outcomes.extend(fail_all(of_page(), &error.into()));
                    continue;
                }
            };
            if !rows.iter().any(|(_, connection)| connection.is_connected()) {
                tracing::warn!(%page, leads = of_page().count(), metric = "leads_of_unconnected_page", "no org has connected this page");
            }
            for (scope, connection) in rows {
                let org = scope.org().clone();
                let batch = orgs.entry(org).or_insert_with(|| OrgBatch { scope, pages: BTreeMap::new() });
                batch.pages.entry(page.clone()).or_default().push(connection);
            }
        }
        let (orgs, paused): (Vec<OrgBatch>, _) = (orgs.into_values().collect(), &paused);
        let ingesting = orgs.iter().map(|batch| async move {
            let distinct = distinct(batch, arrivals);
            let of_org = self.ingest_for_org(batch, &distinct, paused, now);
            tokio::time::timeout_at(deadline, of_org).await.unwrap_or_else(|_| {
                tracing::error!(org = %batch.scope.org(), leads = distinct.len(), "leads of an org took too long");
                fail_all(&distinct, &WorkError::OutOfTime)
            })
        });
        for of_org in stream::iter(ingesting).buffer_unordered(CONCURRENCY).collect::<Vec<_>>().await {
            merge_errors(&mut outcomes, of_org);
        }
        outcomes
    }

    /// Reads the pauses of these pages.
    async fn paused(&self, pages: &[&PageId], now: Timestamp) -> BTreeMap<PageId, Timestamp> {
        self.writer.table.paused_pages(pages, now).await.unwrap_or_else(|error| {
            // An unnecessary call to Meta is better than a delayed lead.
            tracing::warn!(%error, "the throttles of pages could not be read");
            BTreeMap::new()
        })
    }

    /// Ingests distinct leads for this org.
    async fn ingest_for_org(
        &self,
        batch: &OrgBatch,
        arrivals: &[Arrival],
        paused: &BTreeMap<PageId, Timestamp>,
        now: Timestamp,
    ) -> Outcomes {
        let scope = &batch.scope;
        warn_of_orgid_mismatch(scope, arrivals);
        let work = async |arrivals: &[Arrival]| {
            let outcomes = self.ingest_through(batch, arrivals, paused, now).await;
            arrivals.iter().map(|one| outcomes.get(&one.lead_id()).cloned().unwrap_or(Ok(()))).collect()
        };
        let worked = isolate_panics(arrivals, work).await;
        let mut outcomes = Outcomes::new();
        for (arrival, outcome) in arrivals.iter().zip(worked) {
            let outcome = match outcome.unwrap_or(Err(WorkError::Panicked)) {
                Err(error) => self.park_or_retry(scope, arrival, error, now).await,
                done => done,
            };
            outcomes.insert(arrival.lead_id(), outcome);
        }
        outcomes
    }

    /// Ingests leads with the org's own tokens: an org never gets a lead that its own people may not read.
    ///
    /// The org may have connected a page through several Meta accounts. A lead that one of them may not read, or does
    /// not see, is read with the next.
    async fn ingest_through(
        &self,
        batch: &OrgBatch,
        arrivals: &[Arrival],
        paused: &BTreeMap<PageId, Timestamp>,
        now: Timestamp,
    ) -> Outcomes {
        let scope = &batch.scope;
        // Even those of pages that are no longer connected: what was stored before that may be unpublished.
        let mut outcomes = match self.skip_stored(scope, arrivals).await {
            Ok(stored) => stored,
            Err(error) => return fail_all(arrivals, &error),
        };
        match self.skip_held(scope, arrivals).await {
            Ok(held) => outcomes.extend(held.into_iter().map(|id| (id, Ok(())))),
            Err(error) => return fail_all(arrivals, &error),
        }
        let mut open: Vec<&Arrival> = Vec::new();
        for arrival in arrivals.iter().filter(|arrival| !outcomes.contains_key(&arrival.lead_id())).collect::<Vec<_>>()
        {
            let page = &arrival.job.notice.page_id;
            match paused.get(page) {
                _ if batch.connected(page).next().is_none() => {}
                Some(until) => {
                    let wait = until.duration_since(now).unsigned_abs();
                    tracing::info!(org = %scope.org(), %page, ?wait, "Meta throttles a page; its leads wait");
                    outcomes.insert(arrival.lead_id(), Err(WorkError::Paused(wait)));
                }
                None => open.push(arrival),
            }
        }
        if open.is_empty() {
            return outcomes;
        }
        let country = match self.writer.table.org(scope).await {
            Ok(Some(org)) if !org.has_meta() => {
                outcomes.extend(fail_all(open, &WorkError::NotInPlan));
                return outcomes;
            }
            Ok(org) => org.and_then(|org| org.default_country),
            Err(error) => {
                outcomes.extend(fail_all(open, &error.into()));
                return outcomes;
            }
        };
        for slice in open.chunks(SLICE) {
            let mut open = slice.to_vec();
            for account in 0.. {
                let pages = pages_of(batch, account, &open);
                if pages.is_empty() {
                    break;
                }
                let through = self.ingest_pages(scope, country.as_deref(), &pages, now).await;
                open.retain(|arrival| {
                    let outcome = through.get(&arrival.lead_id());
                    outcome.is_some_and(|outcome| outcome.as_ref().is_err_and(another_account_may_help))
                });
                outcomes.extend(through);
            }
        }
        // An org that disconnected the page meanwhile no longer wants the lead.
        for outcome in outcomes.values_mut().filter(|outcome| matches!(outcome, Err(WorkError::Disconnected))) {
            *outcome = Ok(());
        }
        outcomes
    }

    /// Ingests leads through one of the org's connections of each page.
    async fn ingest_pages(
        &self,
        scope: &OrgScope,
        country: Option<&str>,
        pages: &[PageArrivals<'_>],
        now: Timestamp,
    ) -> Outcomes {
        let fetched = self.fetch(scope, country, pages, now).await;
        let leads: Vec<NewLead<'_>> =
            fetched.leads.iter().map(|(lead, connection)| NewLead { lead, connection: Some(*connection) }).collect();
        let mut outcomes = self.writer.write(scope, &leads, now).await;
        outcomes.extend(fetched.failed.into_iter().map(|(lead, error)| (lead, Err(error))));
        let mut checks = BTreeSet::new();
        for PageArrivals { connection, arrivals } in pages {
            let ids = arrivals.iter().map(|arrival| arrival.lead_id());
            let errors: Vec<WorkError> = ids.filter_map(|id| outcomes.get(&id)?.clone().err()).collect();
            self.pause_on_throttle(&connection.page_id, errors.iter(), now).await;
            if connection.ended.is_none() && errors.iter().any(WorkError::is_of_token) {
                checks.insert(CheckJob::new(scope, &connection.integration_id));
            }
        }
        // If a check is not queued, the daily one finds the problem: that costs a day, but no lead.
        if let Err(error) = self.checks.send(&checks.into_iter().collect::<Vec<_>>()).await {
            tracing::warn!(%error, org = %scope.org(), "a check of a failed token could not be queued; the daily check finds it");
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

    /// Finds the leads that an earlier delivery has parked, or that wait since then. Their message comes again because of
    /// other leads in it.
    async fn skip_held(&self, scope: &OrgScope, arrivals: &[Arrival]) -> Result<BTreeSet<LeadId>, WorkError> {
        let repeated = arrivals.iter().filter(|arrival| arrival.receive_count > 1);
        let repeated: Vec<_> = repeated.map(|arrival| (&arrival.job.notice.page_id, arrival.lead_id())).collect();
        Ok(self.writer.table.find_held(scope, &repeated).await?)
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

    /// Counts the leads of requested searches in messages that are done. Not before: a message comes again as a whole.
    pub async fn count_settled(&self, done: impl Iterator<Item = &LeadBatch>) {
        let mut settled: BTreeMap<(&OrgId, &RunId), usize> = BTreeMap::new();
        for job in done.flat_map(|batch| &batch.leads) {
            if let (Some(org), Some(run)) = (&job.only_for, &job.run) {
                *settled.entry((org, run)).or_default() += 1;
            }
        }
        for ((org, run), count) in settled {
            let scope = OrgScope::new(org.clone());
            if let Err(error) = self.writer.table.count_settled(&scope, run, count).await {
                tracing::warn!(%error, %run, "the progress of a search could not be counted");
            }
        }
    }
}

/// Groups leads by page, each page with the org's connection of this number. Pages without one are left out.
fn pages_of<'a>(batch: &'a OrgBatch, number: usize, arrivals: &[&'a Arrival]) -> Vec<PageArrivals<'a>> {
    let mut pages: BTreeMap<&PageId, PageArrivals<'_>> = BTreeMap::new();
    for arrival in arrivals.iter().copied() {
        let page = &arrival.job.notice.page_id;
        if let Some(connection) = batch.connected(page).nth(number) {
            let of_page = || PageArrivals { connection, arrivals: Vec::new() };
            pages.entry(page).or_insert_with(of_page).arrivals.push(arrival);
        }
    }
    pages.into_values().collect()
}

/// The leads that are for this org, each once. The same lead may be delivered twice; the delivery that was retried more
/// often decides when to give up.
fn distinct(batch: &OrgBatch, arrivals: &[Arrival]) -> Vec<Arrival> {
    let mut distinct: BTreeMap<LeadId, usize> = BTreeMap::new();
    let mut leads: Vec<Arrival> = Vec::new();
    for arrival in arrivals {
        let job = &arrival.job;
        let is_for_org = job.only_for.as_ref().is_none_or(|org| org == batch.scope.org());
        if !is_for_org || !batch.pages.contains_key(&job.notice.page_id) {
            continue;
        }
        let position = *distinct.entry(arrival.lead_id()).or_insert(leads.len());
        match leads.get_mut(position) {
            Some(known) => known.receive_count = known.receive_count.max(arrival.receive_count),
            None => leads.push(arrival.clone()),
        }
    }
    leads
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
        | WorkError::File(_)
        | WorkError::Paused(_)
        | WorkError::OutOfTime
        | WorkError::Panicked
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

fn fail_all<'a>(arrivals: impl IntoIterator<Item = &'a Arrival>, error: &WorkError) -> Outcomes {
    arrivals.into_iter().map(|arrival| (arrival.lead_id(), Err(error.clone()))).collect()
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
