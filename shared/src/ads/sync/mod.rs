//! Reading an account, a turn at a time.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

mod account_days;
mod ad_days;
mod calls;
mod context;
mod objects;
mod question;
mod slice;
mod steps;

use self::calls::{Interrupt, SyncClient};
use self::context::SyncContext;
use self::steps::steps;
use crate::ads::token;
use crate::clock;
use crate::error::WorkError;
use crate::graph::GraphError;
use crate::ids::OrgScope;
use crate::jobs::AdsSyncJob;
use crate::jobs::CheckJob;
use crate::meta_app::MetaApp;
use crate::model::ads::account::{AdAccount, FIRST_IMPORT, LONG_LOOK_BACK, Stage};
use crate::model::ads::sync::{AdsSync, Cause, ObjectType};
use crate::model::ads::sync_problem::{SyncProblem, SyncProblemCode};
use crate::model::days::back;
use crate::model::days::days;
use crate::queue::Queue;
use crate::table::Table;
use crate::table::ad_account::Found;

/// How a turn ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SliceOutcome {
    /// The reading came to its end, or is nobody's any more.
    Done,
    /// It goes on after so long.
    Continue(Duration),
    /// Somebody else is at it, at most for so long.
    Busy(Duration),
}

/// A worker is thought dead when so much more has passed than it had.
const GRACE: SignedDuration = SignedDuration::from_secs(20);
/// What Meta or AWS could not do is tried again after so long…
const FIRST_REST: Duration = Duration::from_secs(15);
const MAX_REST: Duration = Duration::from_mins(5);
/// …and so often; then the next schedule begins anew.
const MAX_FAILURES: u32 = 5;
/// While Meta makes a report.
const REPORT_REST: Duration = Duration::from_secs(20);

/// Reads accounts.
#[derive(Debug, Clone, Copy)]
pub struct AdsSyncer<'a> {
    /// Where they are read.
    pub meta: &'a MetaApp,
    /// Where it goes.
    pub table: &'a Table,
    /// Takes integrations whose token turned out dead.
    pub checks: &'a Queue<CheckJob>,
}

impl AdsSyncer<'_> {
    /// Takes a turn at a reading until `deadline`; `tell` hears how far it is.
    ///
    /// # Errors
    /// If the table or the vault fails before anything is begun. What Meta does not do is the reading's own affair.
    pub async fn run_slice(
        &self,
        job: &AdsSyncJob,
        deadline: Timestamp,
        tell: &(dyn Fn(&AdsSync) + Sync),
    ) -> Result<SliceOutcome, WorkError> {
        let Some(run) = &job.run else { return self.forget(job).await };
        let found = self.table.ad_account_of(job.org.clone(), &job.ad_account_id, &job.link).await?;
        let Some((scope, mut account)) = found.filter(|(_, account)| account.run_id.as_ref() == Some(run)) else {
            return Ok(SliceOutcome::Done);
        };
        let now = clock::now();
        if let Some(taken) = account.run_lease.and_then(|until| Duration::try_from(until.duration_since(now)).ok())
            && !taken.is_zero()
        {
            return Ok(SliceOutcome::Busy(taken));
        }
        let lease = deadline.checked_add(GRACE).unwrap_or(deadline);
        if !self.table.lease_ads_sync(&scope, &account, lease).await? {
            return Ok(SliceOutcome::Busy(Duration::from_secs(5)));
        }
        account.run_lease = Some(lease);
        let since = account.run_since.unwrap_or_else(|| account.due_since(now));
        let stored = self.table.ads_sync(&scope, run, &account.id).await?;
        // Its row is written after the claim; whoever died in between left none.
        let mut sync = stored.unwrap_or_else(|| AdsSync::new(run.clone(), &account, since, Cause::Schedule, None, now));
        sync.since = sync.since.min(since);
        sync.waiting_until = None;
        if sync.started_at.is_none() {
            sync.started_at = Some(now);
            sync.until = Some(account.today(now));
        }
        // A long reading reads every object as well, also one that became long meanwhile.
        let is_long = sync.since <= back(sync.until.unwrap_or_else(|| account.today(now)), LONG_LOOK_BACK);
        if !sync.progress.full && (is_long || account.objects_until.is_none()) {
            sync.progress.read_all_objects();
        }
        // Days that are read already were counted by what counted then.
        if sync
            .progress
            .counted
            .replace(account.conversions.clone())
            .is_some_and(|counted| counted != account.conversions)
        {
            sync.progress.read_all_days();
        }
        let (account, mut sync, outcome) = self.go_on(&scope, account, sync, deadline, tell).await;
        let turn = self.settle(&scope, &account, &mut sync, outcome).await?;
        tell(&sync);
        Ok(turn)
    }

    /// Everything that is still to be read, in the order in which people want it.
    async fn go_on(
        &self,
        scope: &OrgScope,
        account: AdAccount,
        sync: AdsSync,
        deadline: Timestamp,
        tell: &(dyn Fn(&AdsSync) + Sync),
    ) -> (AdAccount, AdsSync, Result<(), Interrupt>) {
        let calls = match self.calls(scope, &account, deadline).await {
            Ok(calls) => calls,
            Err(stop) => return (account, sync, Err(stop)),
        };
        let mut turn = SyncContext::new(self.table, scope, calls, (account, sync), tell);
        let outcome = steps(&mut turn).await;
        // What was spent in vain was spent too.
        turn.account_for(ObjectType::AdInsights);
        let SyncContext { account, sync, .. } = turn;
        (account, sync, outcome)
    }

    async fn calls(
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

    /// What the turn's end means to the account and to the reading.
    async fn settle(
        &self,
        scope: &OrgScope,
        account: &AdAccount,
        sync: &mut AdsSync,
        outcome: Result<(), Interrupt>,
    ) -> Result<SliceOutcome, WorkError> {
        let now = clock::now();
        match outcome {
            Ok(()) => return self.finish(scope, account, sync, now).await,
            Err(Interrupt::OutOfTime) => return self.hand_on(scope, account, sync, Duration::ZERO).await,
            Err(Interrupt::ReportNotReady) => return self.hand_on(scope, account, sync, REPORT_REST).await,
            Err(Interrupt::Blocked(until)) => {
                sync.waiting_until = Some(until);
                let found = Found { waiting_until: Some(Some(until)), ..Found::default() };
                self.table.set_found(scope, account, &found).await?;
                // A moment more: neither clock is exact.
                let wait = Duration::try_from(until.duration_since(now)).unwrap_or_default() + Duration::from_secs(1);
                return self.hand_on(scope, account, sync, wait).await;
            }
            // Somebody paused the account, or the plan lost Meta: nothing is wrong with it.
            Err(Interrupt::Failed(WorkError::NotInPlan)) => {
                (sync.finished_at, sync.stopped) = (Some(now), true);
                self.end(scope, account, sync).await?;
            }
            Err(Interrupt::TooMuch(error)) => self.fail(scope, account, sync, error.into(), now).await?,
            Err(Interrupt::Switched(code, evidence)) => {
                let trouble = SyncProblem { code, evidence, since: now };
                self.give_up(scope, account, sync, trouble).await?;
            }
            Err(Interrupt::Failed(error)) => {
                sync.progress.failures += 1;
                if matches!(error, WorkError::Graph(GraphError::ProofRefused(_))) {
                    self.meta.invalidate_app_secret();
                }
                if token::trouble(&error).is_none() && sync.progress.failures < MAX_FAILURES {
                    tracing::warn!(%error, account = %account.ad_account_id, code = %error.code(), "a reading of an ad account is interrupted");
                    let rest = crate::retry::backoff(sync.progress.failures, FIRST_REST, MAX_REST);
                    return self.hand_on(scope, account, sync, rest).await;
                }
                self.fail(scope, account, sync, error, now).await?;
            }
        }
        Ok(SliceOutcome::Done)
    }

    /// The reading has come to its end, unless it was asked to go further back meanwhile.
    async fn finish(
        &self,
        scope: &OrgScope,
        account: &AdAccount,
        sync: &mut AdsSync,
        now: Timestamp,
    ) -> Result<SliceOutcome, WorkError> {
        let today = sync.until.unwrap_or_else(|| account.today(now));
        let imported = account.imported_since.map_or(sync.since, |known| known.min(sync.since));
        let is_long = sync.since <= back(today, LONG_LOOK_BACK);
        let found = Found {
            stage: (sync.since <= back(today, FIRST_IMPORT)).then_some(Stage::Ready),
            trouble: Some(None),
            waiting_until: Some(None),
            last_sync_at: sync.started_at,
            last_long_day: is_long.then_some(today),
            imported_since: (imported <= back(today, FIRST_IMPORT)).then_some(imported),
            rows_per_day: sync
                .log
                .get(&ObjectType::AdInsights)
                .map(|log| log.read / u64::from(days(sync.since, today).max(1).unsigned_abs())),
            ..Found::default()
        };
        self.table.set_found(scope, account, &found).await?;
        sync.finished_at = Some(now);
        sync.trouble = None;
        if self.end(scope, account, sync).await? {
            return Ok(SliceOutcome::Done);
        }
        // Somebody wants more of it.
        sync.finished_at = None;
        self.hand_on(scope, account, sync, Duration::ZERO).await
    }

    async fn fail(
        &self,
        scope: &OrgScope,
        account: &AdAccount,
        sync: &mut AdsSync,
        error: WorkError,
        now: Timestamp,
    ) -> Result<(), WorkError> {
        let lasting = token::trouble(&error);
        // Meta's words help; those of AWS name what is nobody's business.
        let evidence = if matches!(error, WorkError::Graph(_)) { error.to_string() } else { error.code().to_string() };
        let trouble = SyncProblem { code: lasting.unwrap_or(SyncProblemCode::Unavailable), evidence, since: now };
        tracing::warn!(%error, account = %account.ad_account_id, code = %trouble.code, metric = "ads_syncs_failed", "an ad account could not be read");
        if let (true, Some(integration)) = (error.is_of_token(), account.token.integration()) {
            self.checks.send(&[CheckJob::new(scope, integration)]).await?;
        }
        if lasting.is_some() {
            return self.give_up(scope, account, sync, trouble).await;
        }
        // What may heal by itself is in the log only: the next schedule tries again.
        sync.trouble = Some(trouble);
        sync.finished_at = Some(now);
        self.end(scope, account, sync).await.map(drop)
    }

    /// Nothing is read until somebody mends it, or it is seen to have healed.
    async fn give_up(
        &self,
        scope: &OrgScope,
        account: &AdAccount,
        sync: &mut AdsSync,
        trouble: SyncProblem,
    ) -> Result<(), WorkError> {
        let found = Found { trouble: Some(Some(trouble.clone())), waiting_until: Some(None), ..Found::default() };
        self.table.set_found(scope, account, &found).await?;
        sync.finished_at = Some(trouble.since);
        sync.trouble = Some(trouble);
        self.end(scope, account, sync).await.map(drop)
    }

    /// `false` if it is to go further back.
    async fn end(&self, scope: &OrgScope, account: &AdAccount, sync: &AdsSync) -> Result<bool, WorkError> {
        self.table.put_ads_sync(scope, sync).await?;
        if self.table.end_ads_sync(scope, account, &sync.id, sync.since).await? {
            return Ok(true);
        }
        let now = self.table.ad_account(scope, &account.ad_account_id).await?;
        let still = now.filter(|now| now.id == account.id && now.run_id.as_ref() == Some(&sync.id));
        // Unlinked, or somebody else's by now.
        let Some(still) = still.filter(|still| still.run_lease == account.run_lease) else { return Ok(true) };
        if sync.trouble.is_none() && !sync.stopped {
            return Ok(false);
        }
        // What failed, or is not wanted, does not go further either.
        let since = still.run_since.unwrap_or(sync.since);
        Ok(self.table.end_ads_sync(scope, &still, &sync.id, since).await?)
    }

    /// Keeps how far it is, and lets go of it.
    async fn hand_on(
        &self,
        scope: &OrgScope,
        account: &AdAccount,
        sync: &AdsSync,
        rest: Duration,
    ) -> Result<SliceOutcome, WorkError> {
        self.table.put_ads_sync(scope, sync).await?;
        // It may have been asked to go further back; that does not touch the lease.
        self.table.lease_ads_sync(scope, account, clock::now()).await?;
        Ok(SliceOutcome::Continue(rest))
    }

    /// Deletes what was read of an account that was unlinked.
    async fn forget(&self, job: &AdsSyncJob) -> Result<SliceOutcome, WorkError> {
        let still = self.table.ad_account_of(job.org.clone(), &job.ad_account_id, &job.link).await?;
        if still.is_some() {
            // Unlinking is under way, or has stopped half-way and is to be repeated.
            return Err(WorkError::Paused(Duration::from_secs(30)));
        }
        self.table.forget_ads(job.org.clone(), &job.link).await?;
        Ok(SliceOutcome::Done)
    }
}
