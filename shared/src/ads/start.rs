//! Beginning a sync. An account has one sync at a time; a request for another joins it.

use std::time::Duration;

use jiff::Timestamp;
use jiff::civil::Date;

use crate::error::WorkError;
use crate::ids::{OrgScope, RunId, UserId};
use crate::model::ads::account::AdAccount;
use crate::model::ads::sync::{AdsSync, Cause};
use crate::table::Table;

/// The outcome of requesting a sync.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StartOutcome {
    /// The sync has begun. The caller must send its message.
    New,
    /// A sync in progress covers the request, or was extended to cover it.
    Joined(RunId),
    /// The account has been unlinked.
    Gone,
}

/// Begins a sync back to `since`, or joins the sync in progress.
///
/// A caller that gets [`StartOutcome::New`] must send the message. If the message is lost, the planner sends it again after a
/// while.
pub async fn start_sync(
    table: &Table,
    scope: &OrgScope,
    account: &AdAccount,
    run: &RunId,
    (since, cause, asked_by): (Date, Cause, Option<UserId>),
    now: Timestamp,
) -> Result<StartOutcome, WorkError> {
    const MAX_TRIES: u32 = 8;
    // A stored day may by now be earlier than what Meta returns.
    let since = since.max(account.earliest_day(now));
    for attempt in 1..=MAX_TRIES {
        let Some(account) = table.ad_account(scope, &account.ad_account_id).await?.filter(|now| now.id == account.id)
        else {
            return Ok(StartOutcome::Gone);
        };
        match account.running() {
            Some((running, covered)) if covered <= since => return Ok(StartOutcome::Joined(running.clone())),
            Some((running, _)) => {
                if table.widen_ads_sync(scope, &account, since).await? {
                    return Ok(StartOutcome::Joined(running.clone()));
                }
            }
            None => {
                if table.begin_ads_sync(scope, &account, run, since, now).await? {
                    let sync = AdsSync::new(run.clone(), &account, since, cause, asked_by, now);
                    table.put_ads_sync(scope, &sync).await?;
                    return Ok(StartOutcome::New);
                }
            }
        }
        tokio::time::sleep(crate::retry::backoff(attempt, Duration::from_millis(20), Duration::from_millis(500))).await;
    }
    Err(crate::table::TableError::Contended(MAX_TRIES).into())
}
