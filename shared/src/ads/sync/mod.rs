//! Syncing an account, a slice at a time.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

mod account_days;
mod ad_days;
mod client;
mod context;
mod objects;
mod question;
mod slice;
mod steps;

use self::client::{Interrupt, SyncClient};
use self::context::SyncContext;
use self::steps::run_steps;
use crate::ads::token;
use crate::clock;
use crate::error::WorkError;
use crate::graph::GraphError;
use crate::ids::OrgScope;
use crate::jobs::AdsSyncJob;
use crate::jobs::CheckJob;
use crate::meta_app::MetaApp;
use crate::model::ads::account::{AdAccount, FIRST_IMPORT_DAYS, LONG_LOOK_BACK_DAYS, Stage};
use crate::model::ads::sync::{AdsSync, Cause, ObjectType};
use crate::model::ads::sync_problem::{SyncProblem, SyncProblemCode};
use crate::model::days::back;
use crate::model::days::days;
use crate::queue::Queue;
use crate::table::Table;
use crate::table::ad_account::AccountUpdate;

/// How a slice ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SliceOutcome {
    /// The sync has finished, or is no longer the account's sync in progress.
    Done,
    /// The next slice is due after this time.
    Continue(Duration),
    /// Another worker holds the lease, at most for this time.
    Busy(Duration),
}

/// A lease outlasts its worker's deadline by this much. After that, the worker is presumed dead.
const LEASE_GRACE: SignedDuration = SignedDuration::from_secs(20);
/// The first delay after a temporary failure of Meta or AWS.
const FIRST_RETRY_DELAY: Duration = Duration::from_secs(15);
const MAX_RETRY_DELAY: Duration = Duration::from_mins(5);
/// After this many temporary failures, the sync fails. The schedule then begins another.
const MAX_FAILURES: u32 = 5;
/// The delay of the next slice while Meta computes a report.
const REPORT_DELAY: Duration = Duration::from_secs(20);

/// Runs the slices of syncs.
#[derive(Debug, Clone, Copy)]
pub struct AdsSyncer<'a> {
    /// The Graph API and the vault.
    pub meta: &'a MetaApp,
    /// Stores the accounts, their syncs and what is read.
    pub table: &'a Table,
    /// Takes integrations whose token turns out to be invalid.
    pub checks: &'a Queue<CheckJob>,
}

impl AdsSyncer<'_> {
    /// Runs one slice of a sync, until `deadline` at most. Reports the progress to `on_progress`.
    ///
    /// A job without a sync deletes the data of an account that was unlinked.
    ///
    /// # Errors
    /// Only if the state of the sync cannot be read or stored, or the account of a deletion is still linked. Failures
    /// of Meta are part of the sync: they are retried, or recorded in its log.
    pub async fn run_slice(
        &self,
        job: &AdsSyncJob,
        deadline: Timestamp,
        on_progress: &(dyn Fn(&AdsSync) + Sync),
    ) -> Result<SliceOutcome, WorkError> {
        let Some(run) = &job.run else { return self.delete_unlinked(job).await };
        let linked = self.table.ad_account_of(job.org.clone(), &job.ad_account_id, &job.link).await?;
        let Some((scope, mut account)) = linked.filter(|(_, account)| account.run_id.as_ref() == Some(run)) else {
            return Ok(SliceOutcome::Done);
        };
        let now = clock::now();
        if let Some(lease_left) = account.run_lease.and_then(|until| Duration::try_from(until.duration_since(now)).ok())
            && !lease_left.is_zero()
        {
            return Ok(SliceOutcome::Busy(lease_left));
        }
        let lease = deadline.checked_add(LEASE_GRACE).unwrap_or(deadline);
        if !self.table.lease_ads_sync(&scope, &account, lease).await? {
            return Ok(SliceOutcome::Busy(Duration::from_secs(5)));
        }
        account.run_lease = Some(lease);
        let since = account.run_since.unwrap_or_else(|| account.due_since(now));
        let stored = self.table.ads_sync(&scope, run, &account.id).await?;
        // The sync's row is written after the claim on the account. A crash in between leaves none.
        let mut sync = stored.unwrap_or_else(|| AdsSync::new(run.clone(), &account, since, Cause::Schedule, None, now));
        sync.since = sync.since.min(since);
        sync.waiting_until = None;
        if sync.started_at.is_none() {
            sync.started_at = Some(now);
            sync.until = Some(account.today(now));
        }
        // A long sync also reads every object, even if it became long only when it was extended.
        let is_long = sync.since <= back(sync.until.unwrap_or_else(|| account.today(now)), LONG_LOOK_BACK_DAYS);
        if !sync.progress.full && (is_long || account.objects_until.is_none()) {
            sync.progress.read_all_objects();
        }
        // The days read so far were counted by the previous conversions setting.
        if sync
            .progress
            .counted
            .replace(account.conversions.clone())
            .is_some_and(|counted| counted != account.conversions)
        {
            sync.progress.read_all_days();
        }
        let (account, mut sync, outcome) = self.resume(&scope, account, sync, deadline, on_progress).await;
        let outcome = self.end_slice(&scope, &account, &mut sync, outcome).await?;
        on_progress(&sync);
        Ok(outcome)
    }

    /// Runs the remaining steps of the sync until they are done or interrupted.
    async fn resume(
        &self,
        scope: &OrgScope,
        account: AdAccount,
        sync: AdsSync,
        deadline: Timestamp,
        on_progress: &(dyn Fn(&AdsSync) + Sync),
    ) -> (AdAccount, AdsSync, Result<(), Interrupt>) {
        let client = match self.client(scope, &account, deadline).await {
            Ok(client) => client,
            Err(stop) => return (account, sync, Err(stop)),
        };
        let mut context = SyncContext::new(self.table, scope, client, (account, sync), on_progress);
        let outcome = run_steps(&mut context).await;
        // The calls of an interrupted step count as well.
        context.account_for(ObjectType::AdInsights);
        let SyncContext { account, sync, .. } = context;
        (account, sync, outcome)
    }

    async fn client(
        &self,
        scope: &OrgScope,
        account: &AdAccount,
        deadline: Timestamp,
    ) -> Result<SyncClient<'_>, Interrupt> {
        let now = clock::now();
        if account.paused || !self.table.org(scope).await?.is_some_and(|org| org.has_meta()) {
            return Err(Interrupt::Failed(WorkError::NotInPlan));
        }
        if let Some(until) = self.table.ads_paused_until(&account.ad_account_id, now).await? {
            return Err(Interrupt::Blocked(until));
        }
        let token = token::token(self.meta, self.table, scope, &account.token, now).await?;
        let token = token.ok_or(Interrupt::Failed(WorkError::Disconnected))?;
        Ok(SyncClient::new(self.table, self.meta.graph().await?, token, account.ad_account_id.clone(), deadline))
    }

    /// Applies the outcome of a slice to the account and to the sync.
    async fn end_slice(
        &self,
        scope: &OrgScope,
        account: &AdAccount,
        sync: &mut AdsSync,
        outcome: Result<(), Interrupt>,
    ) -> Result<SliceOutcome, WorkError> {
        let now = clock::now();
        match outcome {
            Ok(()) => return self.finish(scope, account, sync, now).await,
            Err(Interrupt::OutOfTime) => return self.release(scope, account, sync, Duration::ZERO).await,
            Err(Interrupt::ReportNotReady) => return self.release(scope, account, sync, REPORT_DELAY).await,
            Err(Interrupt::Blocked(until)) => {
                sync.waiting_until = Some(until);
                let update = AccountUpdate { waiting_until: Some(Some(until)), ..AccountUpdate::default() };
                self.table.update_account(scope, account, &update).await?;
                // A second more, because neither clock is exact.
                let wait = Duration::try_from(until.duration_since(now)).unwrap_or_default() + Duration::from_secs(1);
                return self.release(scope, account, sync, wait).await;
            }
            // The account was paused, or the org's plan lost Meta. The account itself has no problem.
            Err(Interrupt::Failed(WorkError::NotInPlan)) => {
                (sync.finished_at, sync.stopped) = (Some(now), true);
                self.end_sync(scope, account, sync).await?;
            }
            Err(Interrupt::TooMuch(error)) => self.fail(scope, account, sync, error.into(), now).await?,
            Err(Interrupt::Switched(code, evidence)) => {
                let problem = SyncProblem { code, evidence, since: now };
                self.give_up(scope, account, sync, problem).await?;
            }
            Err(Interrupt::Failed(error)) => {
                sync.progress.failures += 1;
                if matches!(error, WorkError::Graph(GraphError::ProofRefused(_))) {
                    self.meta.invalidate_app_secret();
                }
                if token::problem(&error).is_none() && sync.progress.failures < MAX_FAILURES {
                    tracing::warn!(%error, account = %account.ad_account_id, code = %error.code(), "the sync of an ad account is interrupted");
                    let delay = crate::retry::backoff(sync.progress.failures, FIRST_RETRY_DELAY, MAX_RETRY_DELAY);
                    return self.release(scope, account, sync, delay).await;
                }
                self.fail(scope, account, sync, error, now).await?;
            }
        }
        Ok(SliceOutcome::Done)
    }

    /// Finishes the sync, unless it has more to do by now: further days, or other conversions to count.
    async fn finish(
        &self,
        scope: &OrgScope,
        account: &AdAccount,
        sync: &mut AdsSync,
        now: Timestamp,
    ) -> Result<SliceOutcome, WorkError> {
        let today = sync.until.unwrap_or_else(|| account.today(now));
        let imported = account.imported_since.map_or(sync.since, |known| known.min(sync.since));
        let is_long = sync.since <= back(today, LONG_LOOK_BACK_DAYS);
        let update = AccountUpdate {
            stage: (sync.since <= back(today, FIRST_IMPORT_DAYS)).then_some(Stage::Ready),
            problem: Some(None),
            waiting_until: Some(None),
            last_sync_at: sync.started_at,
            last_long_day: is_long.then_some(today),
            imported_since: (imported <= back(today, FIRST_IMPORT_DAYS)).then_some(imported),
            rows_per_day: sync
                .log
                .get(&ObjectType::AdInsights)
                .map(|log| log.read / u64::from(days(sync.since, today).max(1).unsigned_abs())),
            ..AccountUpdate::default()
        };
        self.table.update_account(scope, account, &update).await?;
        sync.finished_at = Some(now);
        sync.problem = None;
        if self.end_sync(scope, account, sync).await? {
            return Ok(SliceOutcome::Done);
        }
        // It has more to do by now.
        sync.finished_at = None;
        self.release(scope, account, sync, Duration::ZERO).await
    }

    async fn fail(
        &self,
        scope: &OrgScope,
        account: &AdAccount,
        sync: &mut AdsSync,
        error: WorkError,
        now: Timestamp,
    ) -> Result<(), WorkError> {
        let lasting = token::problem(&error);
        // Meta's message helps the admin. An error of AWS would reveal internals.
        let evidence = if matches!(error, WorkError::Graph(_)) { error.to_string() } else { error.code().to_string() };
        let problem = SyncProblem { code: lasting.unwrap_or(SyncProblemCode::Unavailable), evidence, since: now };
        tracing::warn!(%error, account = %account.ad_account_id, code = %problem.code, metric = "ads_syncs_failed", "an ad account could not be read");
        if let (true, Some(integration)) = (error.is_of_token(), account.token.integration()) {
            self.checks.send(&[CheckJob::new(scope, integration)]).await?;
        }
        if lasting.is_some() {
            return self.give_up(scope, account, sync, problem).await;
        }
        // A temporary failure is recorded in the log only: the next scheduled sync tries again.
        sync.problem = Some(problem);
        sync.finished_at = Some(now);
        self.end_sync(scope, account, sync).await.map(drop)
    }

    /// Ends the sync and records the problem on the account, which is not read until the problem is fixed or has
    /// disappeared.
    async fn give_up(
        &self,
        scope: &OrgScope,
        account: &AdAccount,
        sync: &mut AdsSync,
        problem: SyncProblem,
    ) -> Result<(), WorkError> {
        let update = AccountUpdate {
            problem: Some(Some(problem.clone())),
            waiting_until: Some(None),
            ..AccountUpdate::default()
        };
        self.table.update_account(scope, account, &update).await?;
        sync.finished_at = Some(problem.since);
        sync.problem = Some(problem);
        self.end_sync(scope, account, sync).await.map(drop)
    }

    /// Ends the sync. Returns `false` if it has more to do by now, and must continue.
    async fn end_sync(&self, scope: &OrgScope, account: &AdAccount, sync: &AdsSync) -> Result<bool, WorkError> {
        self.table.put_ads_sync(scope, sync).await?;
        if self.table.end_ads_sync(scope, account, &sync.id, sync.since).await? {
            return Ok(true);
        }
        let now = self.table.ad_account(scope, &account.ad_account_id).await?;
        let current = now.filter(|now| now.id == account.id && now.run_id.as_ref() == Some(&sync.id));
        // The account was unlinked, or another worker holds the sync by now.
        let Some(current) = current.filter(|current| current.run_lease == account.run_lease) else { return Ok(true) };
        if sync.problem.is_none() && !sync.stopped {
            return Ok(false);
        }
        // A sync that failed or was stopped is not continued for an extension either.
        let since = current.run_since.unwrap_or(sync.since);
        Ok(self.table.end_ads_sync(scope, &current, &sync.id, since).await?)
    }

    /// Stores the progress, and releases the lease.
    async fn release(
        &self,
        scope: &OrgScope,
        account: &AdAccount,
        sync: &AdsSync,
        delay: Duration,
    ) -> Result<SliceOutcome, WorkError> {
        self.table.put_ads_sync(scope, sync).await?;
        // An extension of the sync meanwhile does not change the lease.
        self.table.lease_ads_sync(scope, account, clock::now()).await?;
        Ok(SliceOutcome::Continue(delay))
    }

    /// Deletes the data of an account that was unlinked.
    async fn delete_unlinked(&self, job: &AdsSyncJob) -> Result<SliceOutcome, WorkError> {
        let account = self.table.ad_account_of(job.org.clone(), &job.ad_account_id, &job.link).await?;
        if account.is_some() {
            // Unlinking is in progress, or was interrupted and must be repeated.
            return Err(WorkError::Paused(Duration::from_secs(30)));
        }
        self.table.forget_ads(job.org.clone(), &job.link).await?;
        Ok(SliceOutcome::Done)
    }
}
