//! The end of a slice: what it found is stored, and the sync is done, continues in a next slice, or has failed.
//!
//! A slice ends with two writes: the sync in the log, and everything about the account.

use std::time::Duration;

use jiff::Timestamp;
use jiff::civil::Date;

use super::client::Interrupt;
use super::{AdsSyncer, SliceOutcome};
use crate::ads::token;
use crate::clock;
use crate::error::WorkError;
use crate::graph::GraphError;
use crate::ids::OrgScope;
use crate::jobs::CheckJob;
use crate::model::ads::account::{AdAccount, FIRST_IMPORT_DAYS, LONG_LOOK_BACK_DAYS, Stage};
use crate::model::ads::seen_days::SeenDays;
use crate::model::ads::sync::{AdsSync, ObjectType, Progress};
use crate::model::ads::sync_problem::{SyncProblem, SyncProblemCode};
use crate::model::days::{back, days};
use crate::table::ad_account::AccountUpdate;

/// The first delay after a temporary failure of Meta or AWS.
const FIRST_RETRY_DELAY: Duration = Duration::from_secs(15);
const MAX_RETRY_DELAY: Duration = Duration::from_mins(5);
/// After this many temporary failures, the sync fails. The schedule then begins another.
const MAX_FAILURES: u32 = 5;
/// The delay of the next slice while Meta computes a report.
const REPORT_DELAY: Duration = Duration::from_secs(20);

/// A slice whose work has ended, and whose results are to be stored.
pub(super) struct EndedSlice<'a> {
    pub(super) syncer: AdsSyncer<'a>,
    pub(super) scope: &'a OrgScope,
    pub(super) account: AdAccount,
    pub(super) sync: AdsSync,
    pub(super) update: AccountUpdate,
}

impl EndedSlice<'_> {
    /// Applies the outcome of the slice to the account and to the sync.
    pub(super) async fn store(&mut self, outcome: Result<(), Interrupt>) -> Result<SliceOutcome, WorkError> {
        let now = clock::now();
        match outcome {
            Ok(()) => return self.finish(now).await,
            Err(Interrupt::OutOfTime) => return self.release(Duration::ZERO).await,
            Err(Interrupt::ReportNotReady) => return self.release(REPORT_DELAY).await,
            Err(Interrupt::Blocked(until)) => {
                self.sync.waiting_until = Some(until);
                self.update.waiting_until = Some(Some(until));
                // A second more, because neither clock is exact.
                let wait = Duration::try_from(until.duration_since(now)).unwrap_or_default() + Duration::from_secs(1);
                return self.release(wait).await;
            }
            // The account was paused, or the org's plan lost Meta. The account itself has no problem.
            Err(Interrupt::Failed(WorkError::NotInPlan)) => {
                (self.sync.finished_at, self.sync.stopped) = (Some(now), true);
                self.end(self.update.clone()).await?;
            }
            Err(Interrupt::TooMuch(error)) => self.fail(error.into(), now).await?,
            Err(Interrupt::NoProgress) => {
                let evidence = format!("{} slices", self.sync.progress.slices);
                tracing::warn!(account = %self.account.ad_account_id, evidence, metric = "ads_syncs_failed", "the sync of an ad account leads nowhere");
                self.log_problem(SyncProblem { code: SyncProblemCode::NoProgress, evidence, since: now }).await?;
            }
            Err(Interrupt::Switched(code, evidence)) => {
                self.give_up(SyncProblem { code, evidence, since: now }).await?;
            }
            Err(Interrupt::Failed(error)) => {
                self.sync.progress.failures += 1;
                if matches!(error, WorkError::Graph(GraphError::ProofRefused(_))) {
                    self.syncer.meta.invalidate_app_secret();
                }
                let failures = self.sync.progress.failures;
                if token::problem(&error).is_none() && failures < MAX_FAILURES {
                    tracing::warn!(%error, account = %self.account.ad_account_id, code = %error.code(), "the sync of an ad account is interrupted");
                    return self.release(crate::retry::backoff(failures, FIRST_RETRY_DELAY, MAX_RETRY_DELAY)).await;
                }
                self.fail(error, now).await?;
            }
        }
        Ok(SliceOutcome::Done)
    }

    /// Finishes the sync, unless it has more to do by now: further days, or other conversions to count.
    async fn finish(&mut self, now: Timestamp) -> Result<SliceOutcome, WorkError> {
        let (account, sync) = (&self.account, &self.sync);
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
            rows_per_day: self.rows_per_day(today).or(self.update.rows_per_day),
            seen_days: self.seen_days(),
            ad_rows_as_of: self.has_written_rows().then_some(None),
            ..self.update.clone()
        };
        self.sync.finished_at = Some(now);
        self.sync.problem = None;
        if self.end(update).await? {
            return Ok(SliceOutcome::Done);
        }
        // It has more to do by now.
        self.sync.finished_at = None;
        self.release(Duration::ZERO).await
    }

    /// How many ads were active per day. `None` if none were read.
    fn rows_per_day(&self, today: Date) -> Option<u64> {
        let days = days(self.sync.progress.ads_down_to?, today).max(1).unsigned_abs();
        let rows = self.sync.log.get(&ObjectType::AdInsights).map_or(0, |log| log.read) / u64::from(days);
        // A regular sync may have read only the beginning of a day.
        Some(if self.sync.is_regular() { rows.max(self.account.rows_per_day) } else { rows })
    }

    /// The account's newest days, for the next regular sync. `None` if they are as they were.
    fn seen_days(&self) -> Option<SeenDays> {
        let progress = &self.sync.progress;
        // What could not be read must be read again, even if the account's days do not change.
        let next = if progress.account_marks_incomplete || self.has_unread_ads() {
            SeenDays::default()
        } else {
            self.account.seen_days.next(progress.account_marks.clone())
        };
        (next != self.account.seen_days).then_some(next)
    }

    /// Whether the sync has written all rows of ads that were left to it.
    fn has_written_rows(&self) -> bool {
        let first = self.account.ad_rows_as_of.map(|at| self.account.today(at));
        let down_to = self.sync.progress.ads_down_to;
        let covered = first.zip(down_to).is_some_and(|(first, down_to)| down_to <= first);
        covered && !self.sync.progress.rows_deferred && !self.has_unread_ads()
    }

    fn has_unread_ads(&self) -> bool {
        let log = self.sync.log.get(&ObjectType::AdInsights);
        log.is_some_and(|log| log.errors.iter().any(|error| error.code != SyncProblemCode::InsightsEmpty))
    }

    async fn fail(&mut self, error: WorkError, now: Timestamp) -> Result<(), WorkError> {
        let lasting = token::problem(&error);
        // Meta's message helps the admin. An error of AWS would reveal internals.
        let evidence = if matches!(error, WorkError::Graph(_)) { error.to_string() } else { error.code().to_string() };
        let problem = SyncProblem { code: lasting.unwrap_or(SyncProblemCode::Unavailable), evidence, since: now };
        tracing::warn!(%error, account = %self.account.ad_account_id, code = %problem.code, metric = "ads_syncs_failed", "an ad account could not be read");
        if let (true, Some(integration)) = (error.is_of_token(), self.account.token.integration()) {
            self.syncer.checks.send(&[CheckJob::new(self.scope, integration)]).await?;
        }
        if lasting.is_some() { self.give_up(problem).await } else { self.log_problem(problem).await }
    }

    /// Ends the sync with a temporary problem. It is recorded in the log only: the next scheduled sync tries again.
    async fn log_problem(&mut self, problem: SyncProblem) -> Result<(), WorkError> {
        self.sync.finished_at = Some(problem.since);
        self.sync.problem = Some(problem);
        self.end(self.update.clone()).await.map(drop)
    }

    /// Ends the sync and records the problem on the account, which is not read until the problem is fixed or has
    /// disappeared.
    async fn give_up(&mut self, problem: SyncProblem) -> Result<(), WorkError> {
        let update =
            AccountUpdate { problem: Some(Some(problem.clone())), waiting_until: Some(None), ..self.update.clone() };
        self.sync.finished_at = Some(problem.since);
        self.sync.problem = Some(problem);
        self.end(update).await.map(drop)
    }

    /// Ends the sync. Returns `false` if it has more to do by now, and must continue.
    async fn end(&self, mut update: AccountUpdate) -> Result<bool, WorkError> {
        let (table, scope, account, sync) = (self.syncer.table, self.scope, &self.account, &self.sync);
        // The progress of an ended sync is of no use, and is most of its size.
        table.put_ads_sync(scope, &AdsSync { progress: Progress::default(), ..sync.clone() }).await?;
        if table.end_ads_sync(scope, account, (&sync.id, sync.since), &update).await? {
            return Ok(true);
        }
        let now = table.ad_account(scope, &account.ad_account_id).await?;
        let current = now.filter(|now| now.id == account.id && now.run_id.as_ref() == Some(&sync.id));
        // The account was unlinked, or another worker holds the sync by now.
        let Some(current) = current.filter(|current| current.run_lease == account.run_lease) else { return Ok(true) };
        if sync.problem.is_none() && !sync.stopped {
            return Ok(false);
        }
        // A sync that failed or was stopped is not continued for an extension either.
        let since = current.run_since.unwrap_or(sync.since);
        if current.token != account.token {
            // The problem is the earlier token's.
            update.problem = None;
        }
        Ok(table.end_ads_sync(scope, &current, (&sync.id, since), &update).await?)
    }

    /// Stores the progress, and releases the lease.
    async fn release(&self, delay: Duration) -> Result<SliceOutcome, WorkError> {
        let table = self.syncer.table;
        table.put_ads_sync(self.scope, &self.sync).await?;
        // An extension of the sync meanwhile does not change the lease.
        table.lease_ads_sync(self.scope, &self.account, clock::now(), &self.update).await?;
        Ok(SliceOutcome::Continue(delay))
    }
}
