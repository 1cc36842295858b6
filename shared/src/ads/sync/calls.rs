//! SyncClient of the Graph API as a reading makes them: counted, slowed down before Meta's limits are reached, stopped when
//! they are, and tried again where that helps.
//!
//! A limit is the account's, whoever reads it; so until when it is to be left alone is in the table, for every worker.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::clock::now;
use crate::error::WorkError;
use crate::graph::{Graph, GraphError, Metered};
use crate::ids::AdAccountId;
use crate::model::ads::sync_problem::SyncProblemCode;
use crate::retry::{Verdict, backoff};
use crate::secret::AccessToken;
use crate::table::Table;

/// Meta's cursors are good for a while; an older one is not tried.
pub(super) const CURSOR_LIFETIME: SignedDuration = SignedDuration::from_mins(10);
/// A call that was begun in time may take so much longer.
const OVERTIME: Duration = Duration::from_secs(8);
/// What is rested in place; for longer rests somebody else may have the worker.
const SHORT_REST: Duration = Duration::from_secs(10);

/// Why a reading does not go on, for now or at all.
#[derive(Debug)]
pub(super) enum Interrupt {
    /// The time of whoever reads is over.
    OutOfTime,
    /// Meta wants the account left alone until then.
    Blocked(Timestamp),
    /// Meta is making a report and will be for a while.
    ReportNotReady,
    /// The question was too large.
    TooMuch(GraphError),
    /// The account is not what it was when it was linked.
    Switched(SyncProblemCode, String),
    /// It does not work.
    Failed(WorkError),
}

impl<E: Into<WorkError>> From<E> for Interrupt {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

/// A client of Meta's for one turn of one reading.
pub(super) struct SyncClient<'a> {
    table: &'a Table,
    graph: Graph,
    token: AccessToken,
    account: AdAccountId,
    deadline: Timestamp,
    /// Not before then.
    next: Timestamp,
    made: u64,
    waited: Duration,
}

impl<'a> SyncClient<'a> {
    pub(super) fn new(
        table: &'a Table,
        graph: Graph,
        token: AccessToken,
        account: AdAccountId,
        deadline: Timestamp,
    ) -> Self {
        let next = Timestamp::UNIX_EPOCH;
        Self { table, graph, token, account, deadline, next, made: 0, waited: Duration::ZERO }
    }

    /// How many calls were made and how many seconds waited since this was last asked.
    pub(super) fn spent(&mut self) -> (u64, u64) {
        let waited = std::mem::take(&mut self.waited);
        // What is not yet a second is not forgotten.
        self.waited = Duration::from_millis(u64::from(waited.subsec_millis()));
        (std::mem::take(&mut self.made), waited.as_secs())
    }

    /// Counts calls that were made otherwise.
    pub(super) fn count(&mut self, calls: usize) {
        self.made += calls as u64;
    }

    pub(super) fn graph(&self) -> (&Graph, &AccessToken) {
        (&self.graph, &self.token)
    }

    /// Makes a call, and rests before it if Meta's headers said that little is left.
    pub(super) async fn make<T>(
        &mut self,
        call: impl AsyncFn(&Graph, &AccessToken) -> Metered<T>,
    ) -> Result<T, Interrupt> {
        const MAX_TRIES: u32 = 4;
        for attempt in 1.. {
            self.rest_until(self.next).await?;
            self.made += 1;
            // One that Meta takes too long for is asked again in the next turn; this one has yet to be written down.
            let left = Duration::try_from(self.deadline.duration_since(now())).unwrap_or_default();
            let answer = tokio::time::timeout(left + OVERTIME, call(&self.graph, &self.token)).await;
            let Ok(Metered { outcome, usage }) = answer else { return Err(Interrupt::OutOfTime) };
            let rest = usage.rest();
            let error = match outcome {
                Ok(answer) => {
                    if !rest.is_zero() {
                        self.next = after(rest);
                    }
                    if rest > SHORT_REST {
                        tracing::info!(account = %self.account, percent = usage.percent, rest_s = rest.as_secs(), "little is left of Meta's limit");
                        self.table.pause_ads(Some(&self.account), self.next).await?;
                    }
                    return Ok(answer);
                }
                Err(error) => error,
            };
            match error.verdict() {
                _ if error.retry_after().is_some() => return Err(self.met(error).await?),
                _ if error.is_too_large() => return Err(Interrupt::TooMuch(error)),
                Verdict::Retry if attempt < MAX_TRIES && !matches!(error, GraphError::NotVisible(_)) => {
                    self.next = after(backoff(attempt, Duration::from_millis(500), Duration::from_secs(4)));
                }
                _ => return Err(Interrupt::Failed(error.into())),
            }
        }
        Err(Interrupt::OutOfTime)
    }

    /// Does nothing for a while.
    pub(super) async fn wait(&mut self, rest: Duration) -> Result<(), Interrupt> {
        self.rest_until(after(rest)).await
    }

    async fn rest_until(&mut self, until: Timestamp) -> Result<(), Interrupt> {
        let present = now();
        if present >= self.deadline {
            return Err(Interrupt::OutOfTime);
        }
        let Ok(rest) = Duration::try_from(until.duration_since(present)) else { return Ok(()) };
        if rest > SHORT_REST {
            return Err(Interrupt::Blocked(until));
        }
        if until >= self.deadline {
            return Err(Interrupt::OutOfTime);
        }
        tokio::time::sleep(rest).await;
        self.waited += rest;
        Ok(())
    }

    /// What an error means that a call met which was not made here.
    pub(super) async fn met(&mut self, error: GraphError) -> Result<Interrupt, WorkError> {
        match error.retry_after() {
            Some(wait) => self.blocked(&error, wait).await,
            None => Ok(Interrupt::Failed(error.into())),
        }
    }

    /// Everybody is told until when the account, or with it all of them, is to be left alone.
    async fn blocked(&mut self, error: &GraphError, wait: Duration) -> Result<Interrupt, WorkError> {
        let until = after(wait);
        self.next = until;
        tracing::warn!(account = %self.account, %error, wait_s = wait.as_secs(), metric = "ad_accounts_throttled", "Meta wants the account left alone");
        self.table.pause_ads((!error.is_limit_of_app()).then_some(&self.account), until).await?;
        Ok(Interrupt::Blocked(until))
    }
}

/// So much after now.
fn after(rest: Duration) -> Timestamp {
    SignedDuration::try_from(rest).ok().and_then(|rest| now().checked_add(rest).ok()).unwrap_or(Timestamp::MAX)
}
