//! Having an account read: there is one reading of it at a time, and whoever asks for another joins that.

use std::time::Duration;

use jiff::Timestamp;
use jiff::civil::Date;

use crate::error::WorkError;
use crate::ids::{OrgScope, RunId, UserId};
use crate::model::ads::account::AdAccount;
use crate::model::ads::sync::{AdsSync, Cause};
use crate::table::Table;

/// What became of asking for a reading.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Begun {
    /// It is begun; its message is to be sent.
    New,
    /// One is under way that covers it, or was made to.
    Joined(RunId),
    /// The account was unlinked meanwhile.
    Gone,
}

/// Begins a reading back to `since`, or joins the one that is under way. Whoever gets [`Begun::New`] sends the message;
/// a message that is lost is sent again by the planner after a while.
///
/// # Errors
/// If the table cannot be read or written.
pub async fn begin(
    table: &Table,
    scope: &OrgScope,
    account: &AdAccount,
    run: &RunId,
    (since, cause, asked_by): (Date, Cause, Option<UserId>),
    now: Timestamp,
) -> Result<Begun, WorkError> {
    const MAX_TRIES: u32 = 8;
    // What was stored when it was less old may be older than what Meta answers for.
    let since = since.max(account.earliest_day(now));
    for attempt in 1..=MAX_TRIES {
        let Some(account) = table.ad_account(scope, &account.ad_account_id).await?.filter(|now| now.id == account.id)
        else {
            return Ok(Begun::Gone);
        };
        match account.running() {
            Some((running, covered)) if covered <= since => return Ok(Begun::Joined(running.clone())),
            Some((running, _)) => {
                if table.widen_ads_sync(scope, &account, since).await? {
                    return Ok(Begun::Joined(running.clone()));
                }
            }
            None => {
                if table.begin_ads_sync(scope, &account, run, since, now).await? {
                    let sync = AdsSync::new(run.clone(), &account, since, cause, asked_by, now);
                    table.put_ads_sync(scope, &sync).await?;
                    return Ok(Begun::New);
                }
            }
        }
        tokio::time::sleep(crate::retry::backoff(attempt, Duration::from_millis(20), Duration::from_millis(500))).await;
    }
    Err(crate::table::TableError::Contended(MAX_TRIES).into())
}
