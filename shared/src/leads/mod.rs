//! Bringing leads in: from the ids of a webhook to leads in the CRM, each once, each assigned, each announced.
//!
//! Everything here may be done twice, by two workers at once, and may stop anywhere: the one transaction in
//! `write` decides, and what comes after it is done again by whoever finds it undone.

#[cfg(test)]
mod crash_tests;
mod fetch;
mod forms;
mod import;
mod quiet;
mod remap;
mod replay;
#[cfg(test)]
mod stage_for_tests;
mod sweep;
#[cfg(test)]
mod tests;
mod trace;
mod write;

use std::collections::BTreeMap;

use futures_util::future::join_all;
use jiff::Timestamp;

pub use forms::{FormInfo, find_form, forms, newest_lead, send_test_lead};
pub use import::{ImportReport, Importing, RowProblem, import};
pub use quiet::report_quiet_pages;
pub use remap::{Remapped, remap};
pub use replay::{Replaying, parked, parked_from, replay};
pub use sweep::{Search, Sweep, cannot_search};
pub use trace::trace;
pub use write::LeadWriter;

use crate::error::WorkError;
use crate::graph::GraphError;
use crate::ids::{LeadId, LeadgenId, OrgScope, PageId, RunId};
use crate::jobs::CheckJob;
use crate::jobs::LeadJob;
use crate::meta_app::MetaApp;
use crate::model::connection::Connection;
use crate::model::lead::trace::{Step, StepKind};
use crate::queue::Queue;
use crate::retry::Verdict;
use crate::table::parked::ParkedLead;
use crate::vault::VaultError;

/// What bringing leads in takes.
#[derive(Debug)]
pub struct Ingest {
    /// To read leads and forms, with the pages' tokens.
    pub meta: MetaApp,
    /// To find who gets them, to write them, and to tell the CRM.
    pub writer: LeadWriter,
    /// Takes integrations whose token failed, to be looked at now instead of at the next daily look.
    pub checks: Queue<CheckJob>,
}

/// A lead to bring in.
#[derive(Debug, Clone)]
pub struct Arrival {
    /// What is known of it.
    pub job: LeadJob,
    /// How often this piece of work was handed out, this time included. More than once means that an earlier worker
    /// may have stopped half-way.
    pub receive_count: u32,
}

/// After so many times a lead that Meta still does not show is taken for one that it never will.
pub const MAX_RECEIVES: u32 = 10;

impl Ingest {
    /// Brings in leads of one page for everybody who connected it, and answers one outcome for each, in their order.
    ///
    /// `Ok` means settled: in, in before, parked, or nobody's. An error is worth another try, as its verdict says.
    /// What cannot be settled by trying is parked for the org with its reason, and that is `Ok` too; what has been
    /// tried too often is parked and stays an error, so that the queue ends it where an alarm sees it.
    pub async fn ingest(&self, page: &PageId, arrivals: &[Arrival], now: Timestamp) -> Vec<Result<(), WorkError>> {
        let (connections, left): (Vec<_>, Vec<_>) = match self.writer.table.ever_connected(page).await {
            Ok(rows) => rows.into_iter().partition(|(_, connection)| connection.is_connected()),
            Err(error) => {
                tracing::error!(%error, %page, "connections of a page could not be read");
                return arrivals.iter().map(|_| Err(error.clone().into())).collect();
            }
        };
        let paused = match self.writer.table.paused_until(page, now).await {
            Ok(paused) => paused,
            // Asking Meta once more than it likes is no reason to keep a lead waiting.
            Err(error) => {
                tracing::warn!(%error, %page, "it is not known whether Meta wants to be left alone");
                None
            }
        };
        if connections.is_empty() {
            tracing::warn!(%page, leads = arrivals.len(), metric = "leads_of_unconnected_page", "nobody has connected this page");
        }
        let mut outcomes: Vec<Result<(), WorkError>> = arrivals.iter().map(|_| Ok(())).collect();
        // What was stored while the page was still connected may be untold.
        for (scope, _) in by_org(left) {
            let told = self.skip_stored(&scope, arrivals).await;
            let told = told.unwrap_or_else(|error| arrivals.iter().map(|_| Some(Err(error.clone()))).collect());
            for (outcome, told) in outcomes.iter_mut().zip(told) {
                *outcome = told.unwrap_or(Ok(())).and(std::mem::replace(outcome, Ok(())));
            }
        }
        // Side by side: the org whose token Meta is slow with must not use up the others' time.
        let orgs = by_org(connections);
        let taking =
            orgs.iter().map(|(scope, connections)| self.ingest_for_org(scope, connections, arrivals, paused, now));
        for of_org in join_all(taking).await {
            for (place, settled) in of_org {
                if let Some(outcome) = outcomes.get_mut(place).filter(|outcome| outcome.is_ok()) {
                    *outcome = settled;
                }
            }
        }
        outcomes
    }

    /// What becomes of those of `arrivals` that are this org's: their places, and the outcome of each.
    async fn ingest_for_org(
        &self,
        scope: &OrgScope,
        connections: &[Connection],
        arrivals: &[Arrival],
        paused: Option<Timestamp>,
        now: Timestamp,
    ) -> Vec<(usize, Result<(), WorkError>)> {
        tell_orgid_mismatch(scope, arrivals);
        let is_theirs = |arrival: &Arrival| arrival.job.only_for.as_ref().is_none_or(|org| org == scope.org());
        let (places, theirs): (Vec<usize>, Vec<Arrival>) =
            arrivals.iter().cloned().enumerate().filter(|(_, arrival)| is_theirs(arrival)).unzip();
        let for_org = self.ingest_through(scope, connections, &theirs, paused, now).await;
        let mut settled_of_runs: BTreeMap<&RunId, usize> = BTreeMap::new();
        let mut outcomes = Vec::with_capacity(places.len());
        for ((place, outcome), arrival) in places.into_iter().zip(for_org).zip(&theirs) {
            let settled = match outcome {
                Ok(()) => Ok(()),
                Err(error) => self.park_or_retry(scope, arrival, error, now).await,
            };
            if let (Ok(()), Some(run)) = (&settled, &arrival.job.run) {
                *settled_of_runs.entry(run).or_default() += 1;
            }
            outcomes.push((place, settled));
        }
        for (run, count) in settled_of_runs {
            self.add_progress(scope, run, count).await;
        }
        outcomes
    }

    /// Each org reads with its own token: what its own people are not permitted to read, it does not get.
    ///
    /// The same org may have connected the page through several accounts. What one of them may not read, or does not
    /// see, the next is asked for.
    async fn ingest_through(
        &self,
        scope: &OrgScope,
        connections: &[Connection],
        arrivals: &[Arrival],
        paused: Option<Timestamp>,
        now: Timestamp,
    ) -> Vec<Result<(), WorkError>> {
        let mut outcomes = match self.skip_stored(scope, arrivals).await {
            Ok(outcomes) => outcomes,
            Err(error) => return arrivals.iter().map(|_| Err(error.clone())).collect(),
        };
        if let Some(until) = paused.filter(|_| outcomes.iter().any(Option::is_none)) {
            let wait = until.duration_since(now).unsigned_abs();
            tracing::info!(org = %scope.org(), leads = arrivals.len(), ?wait, "Meta throttles a page; its leads wait");
            return outcomes.into_iter().map(|outcome| outcome.unwrap_or(Err(WorkError::Paused(wait)))).collect();
        }
        for connection in connections {
            let open = |outcome: &Option<Result<(), WorkError>>| match outcome {
                None => true,
                Some(Ok(())) => false,
                Some(Err(error)) => another_account_may_help(error),
            };
            let places: Vec<usize> =
                (0..).zip(&outcomes).filter(|(_, outcome)| open(outcome)).map(|(at, _)| at).collect();
            let these: Vec<Arrival> = places.iter().filter_map(|at| arrivals.get(*at)).cloned().collect();
            if these.is_empty() {
                break;
            }
            let fetched = self.fetch(scope, connection, &these, now).await;
            self.pause_on_throttle(&connection.page_id, fetched.iter().filter_map(|lead| lead.as_ref().err()), now)
                .await;
            let written = self.writer.write(scope, Some(connection), fetched, now).await;
            if connection.ended.is_none()
                && written.iter().any(|outcome| outcome.as_ref().is_err_and(WorkError::is_of_token))
            {
                // That nobody looks now costs a day at most, and no lead.
                if let Err(error) = self.checks.send(&[CheckJob::new(scope, &connection.integration_id)]).await {
                    tracing::warn!(%error, org = %scope.org(), "a failed token will be looked at later only");
                }
            }
            for (at, outcome) in places.into_iter().zip(written) {
                if let Some(known) = outcomes.get_mut(at) {
                    *known = Some(outcome);
                }
            }
        }
        // Whoever has disconnected everything meanwhile does not want the lead any more.
        let settled = |outcome: Option<Result<(), WorkError>>| match outcome {
            None | Some(Err(WorkError::Disconnected)) => Ok(()),
            Some(outcome) => outcome,
        };
        outcomes.into_iter().map(settled).collect()
    }

    /// What is stored already is only told, if it is not known to be told: Meta is not asked again for what it repeats.
    async fn skip_stored(
        &self,
        scope: &OrgScope,
        arrivals: &[Arrival],
    ) -> Result<Vec<Option<Result<(), WorkError>>>, WorkError> {
        let ids: Vec<LeadId> =
            arrivals.iter().map(|arrival| LeadId::from_leadgen(&arrival.job.notice.leadgen_id)).collect();
        let stored = self.writer.table.stored_among(scope, &ids).await?;
        let told = if stored.is_empty() { Ok(()) } else { self.writer.republish(scope, &stored).await };
        Ok(ids.iter().map(|id| stored.contains(id).then(|| told.clone())).collect())
    }

    /// A page that Meta throttles is left alone, by whoever has something to ask about it, until Meta said it may be asked.
    async fn pause_on_throttle<'a>(&self, page: &PageId, errors: impl Iterator<Item = &'a WorkError>, now: Timestamp) {
        let waits =
            errors.filter_map(|error| if let WorkError::Graph(error) = error { error.retry_after() } else { None });
        let Some(wait) = waits.max() else { return };
        tracing::warn!(%page, ?wait, metric = "pages_throttled", "Meta throttles a page");
        if let Err(error) = self.writer.table.pause(page, now + wait).await {
            tracing::warn!(%error, %page, "others do not know that Meta wants to be left alone");
        }
    }

    async fn add_progress(&self, scope: &OrgScope, run: &RunId, count: usize) {
        if let Err(error) = self.writer.table.count_settled(scope, run, count).await {
            tracing::warn!(%error, %run, "what came in of a search could not be counted");
        }
    }

    /// Writes down a step of a lead's life. It explains; nothing rests on it.
    async fn note(&self, scope: &OrgScope, leadgen_id: &LeadgenId, step: &Step) {
        if let Err(error) = self.writer.table.note(scope, &LeadId::from_leadgen(leadgen_id), step).await {
            tracing::warn!(%error, %leadgen_id, "a step of a lead's life could not be written down");
        }
    }

    /// Parks what trying does not help, or has not helped for long.
    async fn park_or_retry(
        &self,
        scope: &OrgScope,
        arrival: &Arrival,
        error: WorkError,
        now: Timestamp,
    ) -> Result<(), WorkError> {
        let given_up = error.verdict() == Verdict::GiveUp;
        if !given_up && arrival.receive_count < MAX_RECEIVES {
            tracing::info!(%error, code = %error.code(), leadgen_id = %arrival.job.notice.leadgen_id, org = %scope.org(), receive_count = arrival.receive_count, "lead not in yet, will be tried again");
            if !matches!(error, WorkError::Paused(_)) {
                let step = Step::new(crate::clock::now(), StepKind::Tried, error.code().to_string(), evidence(&error));
                self.note(scope, &arrival.job.notice.leadgen_id, &step).await;
            }
            return Err(error);
        }
        let leadgen_id = &arrival.job.notice.leadgen_id;
        if self.writer.table.stored(scope, &LeadId::from_leadgen(leadgen_id)).await?.is_some() {
            // It is in. If it could not be told, the dead letters keep it until it can.
            return if matches!(error, WorkError::Bus(_)) { Err(error) } else { Ok(()) };
        }
        tracing::error!(%error, code = %error.code(), %leadgen_id, org = %scope.org(), metric = "leads_parked", "lead parked");
        let parked = ParkedLead {
            leadgen_id: leadgen_id.clone(),
            page_id: arrival.job.notice.page_id.clone(),
            reason: error.code(),
            evidence: evidence(&error),
            parked_at: now,
            job: arrival.job.clone(),
        };
        self.writer.table.park(scope, &parked).await?;
        let step = Step::new(crate::clock::now(), StepKind::Parked, parked.reason.to_string(), parked.evidence);
        self.note(scope, leadgen_id, &step).await;
        if let (Some(run), false) = (&arrival.job.run, given_up) {
            // It stays an error, and is settled all the same.
            self.add_progress(scope, run, 1).await;
        }
        if given_up { Ok(()) } else { Err(error) }
    }
}

fn by_org(connections: Vec<(OrgScope, Connection)>) -> Vec<(OrgScope, Vec<Connection>)> {
    let mut orgs: Vec<(OrgScope, Vec<Connection>)> = Vec::new();
    for (scope, connection) in connections {
        match orgs.iter_mut().find(|(known, _)| *known == scope) {
            Some((_, of_org)) => of_org.push(connection),
            None => orgs.push((scope, vec![connection])),
        }
    }
    orgs
}

/// What an admin may read of an error: Meta's words, and of AWS's failures only that there was one.
fn evidence(error: &WorkError) -> String {
    match error {
        WorkError::Graph(error) => error.to_string(),
        WorkError::Vault(error @ VaultError::Unreadable(_)) => error.to_string(),
        WorkError::NotInPlan | WorkError::Paused(_) => error.to_string(),
        other => other.code().to_string(),
    }
}

fn another_account_may_help(error: &WorkError) -> bool {
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

/// Meta's callback URL may name an org. It decides nothing, because one URL serves all orgs of the app; but when it
/// names another org than the page's, somebody has set something up wrong.
fn tell_orgid_mismatch(scope: &OrgScope, arrivals: &[Arrival]) {
    let other =
        arrivals.iter().filter_map(|arrival| arrival.job.orgid.as_deref()).find(|named| *named != scope.org().as_str());
    if other.is_some() {
        tracing::warn!(org = %scope.org(), metric = "orgid_mismatch", "the webhook's orgid is not the org that connected the page; the page decides");
    }
}
