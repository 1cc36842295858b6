//! Syncing an account, a slice at a time.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

mod account_days;
mod ad_days;
mod client;
mod context;
mod end;
mod objects;
mod question;
mod slice;
mod steps;

use self::client::{Interrupt, SyncClient};
use self::context::SyncContext;
use self::end::EndedSlice;
use self::steps::run_steps;
use crate::ads::token;
use crate::clock;
use crate::error::WorkError;
use crate::ids::OrgScope;
use crate::jobs::AdsSyncJob;
use crate::jobs::CheckJob;
use crate::meta_app::MetaApp;
use crate::model::ads::account::{AdAccount, LONG_LOOK_BACK_DAYS};
use crate::model::ads::sync::{AdsSync, ObjectType};
use crate::model::days::back;
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
        if !self.table.lease_ads_sync(&scope, &account, lease, &AccountUpdate::default()).await? {
            return Ok(SliceOutcome::Busy(Duration::from_secs(5)));
        }
        account.run_lease = Some(lease);
        let since = account.run_since.unwrap_or_else(|| account.due_since(now));
        let stored = self.table.ads_sync(&scope, run, &account.id).await?;
        let mut sync = stored.unwrap_or_else(|| AdsSync::scheduled(run.clone(), &account, since, now));
        sync.since = sync.since.min(since);
        sync.waiting_until = None;
        sync.progress.slices += 1;
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
        let (mut slice, outcome) = self.resume(&scope, account, sync, deadline, on_progress).await;
        let outcome = slice.store(outcome).await?;
        on_progress(&slice.sync);
        Ok(outcome)
    }

    /// Runs the remaining steps of the sync until they are done or interrupted.
    async fn resume<'a>(
        &'a self,
        scope: &'a OrgScope,
        account: AdAccount,
        sync: AdsSync,
        deadline: Timestamp,
        on_progress: &'a (dyn Fn(&AdsSync) + Sync),
    ) -> (EndedSlice<'a>, Result<(), Interrupt>) {
        let client = if sync.progress.slices > sync.max_slices(account.rows_per_day) {
            Err(Interrupt::NoProgress)
        } else {
            self.client(scope, &account, deadline).await
        };
        let client = match client {
            Ok(client) => client,
            Err(stop) => {
                let update = AccountUpdate::default();
                return (EndedSlice { syncer: *self, scope, account, sync, update }, Err(stop));
            }
        };
        let mut context = SyncContext::new(self.table, scope, client, (account, sync), on_progress);
        let outcome = run_steps(&mut context).await;
        // The calls of an interrupted step count as well.
        context.account_for(ObjectType::AdInsights);
        let SyncContext { account, sync, update, .. } = context;
        (EndedSlice { syncer: *self, scope, account, sync, update }, outcome)
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
