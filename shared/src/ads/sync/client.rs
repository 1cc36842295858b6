//! Graph API calls of a sync: counted, slowed down before Meta's rate limits are reached, stopped when they are, and
//! retried where that helps.
//!
//! A limit belongs to the account, whichever worker reads it. The table therefore records for all workers until when
//! the account is paused.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::clock::now;
use crate::error::WorkError;
use crate::graph::{GraphClient, GraphError, Metered};
use crate::ids::AdAccountId;
use crate::model::ads::sync_problem::SyncProblemCode;
use crate::retry::{Verdict, backoff};
use crate::secret::AccessToken;
use crate::table::Table;

/// Meta's cursors expire after a while. An older one is not used.
pub(super) const CURSOR_LIFETIME: SignedDuration = SignedDuration::from_mins(10);
/// A call that began before the deadline may exceed it by this much.
const MAX_CALL_OVERRUN: Duration = Duration::from_secs(8);
/// The longest delay that a worker sleeps through. For a longer one, the slice ends and frees the worker.
const MAX_SLEEP: Duration = Duration::from_secs(10);

/// The reason why a slice, or its sync, stops.
#[derive(Debug)]
pub(super) enum Interrupt {
    /// The deadline has passed.
    OutOfTime,
    /// Meta's rate limit applies until this time.
    Blocked(Timestamp),
    /// Meta is still computing a report.
    ReportNotReady,
    /// The query was too large.
    TooMuch(GraphError),
    /// The sync has been interrupted too often.
    NoProgress,
    /// The account's currency or time zone has changed since it was linked.
    Switched(SyncProblemCode, String),
    /// The sync failed.
    Failed(WorkError),
}

impl<E: Into<WorkError>> From<E> for Interrupt {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

/// A client of the Graph API for one slice of one sync.
pub(super) struct SyncClient<'a> {
    table: &'a Table,
    graph: GraphClient,
    token: AccessToken,
    account: AdAccountId,
    deadline: Timestamp,
    /// The next call is not made before this time.
    next: Timestamp,
    calls: u64,
    waited: Duration,
}

impl<'a> SyncClient<'a> {
    pub(super) fn new(
        table: &'a Table,
        graph: GraphClient,
        token: AccessToken,
        account: AdAccountId,
        deadline: Timestamp,
    ) -> Self {
        let next = Timestamp::UNIX_EPOCH;
        Self { table, graph, token, account, deadline, next, calls: 0, waited: Duration::ZERO }
    }

    /// The number of calls and the seconds waited since this was last called.
    pub(super) fn take_usage(&mut self) -> (u64, u64) {
        let waited = std::mem::take(&mut self.waited);
        // The fraction of a second is carried over.
        self.waited = Duration::from_millis(u64::from(waited.subsec_millis()));
        (std::mem::take(&mut self.calls), waited.as_secs())
    }

    /// Counts calls that were made directly with [`SyncClient::graph`].
    pub(super) fn add_calls(&mut self, calls: usize) {
        self.calls += calls as u64;
    }

    pub(super) fn graph(&self) -> (&GraphClient, &AccessToken) {
        (&self.graph, &self.token)
    }

    /// Makes a call. Waits first if Meta's headers reported that the rate limit is nearly used up.
    pub(super) async fn call<T>(
        &mut self,
        request: impl AsyncFn(&GraphClient, &AccessToken) -> Metered<T>,
    ) -> Result<T, Interrupt> {
        const MAX_TRIES: u32 = 4;
        for attempt in 1.. {
            self.sleep_until(self.next).await?;
            self.calls += 1;
            // A call that takes too long is repeated in the next slice: this slice needs time to store its progress.
            let left = Duration::try_from(self.deadline.duration_since(now())).unwrap_or_default();
            let answer = tokio::time::timeout(left + MAX_CALL_OVERRUN, request(&self.graph, &self.token)).await;
            let Ok(Metered { outcome, usage }) = answer else { return Err(Interrupt::OutOfTime) };
            let delay = usage.delay();
            let error = match outcome {
                Ok(answer) => {
                    if !delay.is_zero() {
                        self.next = after(delay);
                    }
                    if delay > MAX_SLEEP {
                        tracing::info!(account = %self.account, percent = usage.percent, rest_s = delay.as_secs(), "little is left of Meta's limit");
                        self.table.pause_ads(Some(&self.account), self.next).await?;
                    }
                    return Ok(answer);
                }
                Err(error) => error,
            };
            match error.verdict() {
                _ if error.retry_after().is_some() => return Err(self.interrupt_for(error).await?),
                _ if error.is_too_large() => return Err(Interrupt::TooMuch(error)),
                Verdict::Retry if attempt < MAX_TRIES && !matches!(error, GraphError::NotVisible(_)) => {
                    self.next = after(backoff(attempt, Duration::from_millis(500), Duration::from_secs(4)));
                }
                _ => return Err(Interrupt::Failed(error.into())),
            }
        }
        Err(Interrupt::OutOfTime)
    }

    /// Waits, or interrupts the slice if the wait is long or exceeds the deadline.
    pub(super) async fn wait(&mut self, delay: Duration) -> Result<(), Interrupt> {
        self.sleep_until(after(delay)).await
    }

    async fn sleep_until(&mut self, until: Timestamp) -> Result<(), Interrupt> {
        let present = now();
        if present >= self.deadline {
            return Err(Interrupt::OutOfTime);
        }
        let Ok(delay) = Duration::try_from(until.duration_since(present)) else { return Ok(()) };
        if delay > MAX_SLEEP {
            return Err(Interrupt::Blocked(until));
        }
        if until >= self.deadline {
            return Err(Interrupt::OutOfTime);
        }
        tokio::time::sleep(delay).await;
        self.waited += delay;
        Ok(())
    }

    /// The interrupt that follows from an error that [`SyncClient::call`] did not handle.
    pub(super) async fn interrupt_for(&mut self, error: GraphError) -> Result<Interrupt, WorkError> {
        match error.retry_after() {
            Some(wait) => self.pause(&error, wait).await,
            None => Ok(Interrupt::Failed(error.into())),
        }
    }

    /// Records for all workers until when the account is paused, or all accounts if the limit is the app's.
    async fn pause(&mut self, error: &GraphError, wait: Duration) -> Result<Interrupt, WorkError> {
        let until = after(wait);
        self.next = until;
        tracing::warn!(account = %self.account, %error, wait_s = wait.as_secs(), metric = "ad_accounts_throttled", "Meta throttles the account");
        self.table.pause_ads((!error.is_limit_of_app()).then_some(&self.account), until).await?;
        Ok(Interrupt::Blocked(until))
    }
}

/// The time after a delay from now.
fn after(delay: Duration) -> Timestamp {
    SignedDuration::try_from(delay).ok().and_then(|delay| now().checked_add(delay).ok()).unwrap_or(Timestamp::MAX)
}
