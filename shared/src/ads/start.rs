//! Beginning a sync. An account has one sync at a time; a request for another joins it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::future::join_all;
use futures_util::{StreamExt, stream};
use jiff::Timestamp;
use jiff::civil::Date;

use crate::clock;
use crate::error::WorkError;
use crate::ids::{OrgScope, RunId, UserId};
use crate::jobs::AdsSyncJob;
use crate::metrics::{self, Metric};
use crate::model::ads::account::{AdAccount, LONG_LOOK_BACK_DAYS};
use crate::model::ads::sync::{AdsSync, Cause};
use crate::model::days::back;
use crate::model::org::{Wanted, interleave_by_org};
use crate::queue::Queue;
use crate::table::Table;
use crate::table::ad_account::AccountUpdate;

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
            Some((running, covered)) => {
                if covered <= since || table.widen_ads_sync(scope, &account, since).await? {
                    // The schedule has not logged it yet, but the caller can look for it from now on.
                    let sync = AdsSync::scheduled(running.clone(), &account, covered, now);
                    table.insert_ads_sync(scope, &sync).await?;
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

/// Begins the syncs that are due, until the time is up, and returns the number of messages sent. Each org has its turns,
/// and its accounts that were synced longest ago come first: they are not left out again if time does not suffice.
///
/// `all` are the accounts of all orgs: they are counted by the age of their numbers, also if only those of one org are
/// wanted. `wanted.everything` includes what is not due, and the days that only the long sync covers.
///
/// # Errors
/// If the queue refuses messages. Nothing more is begun then, and all accounts without a message are due again.
pub async fn start_due_syncs(
    table: &Table,
    queue: &Queue<AdsSyncJob>,
    all: Vec<(OrgScope, AdAccount)>,
    wanted: Wanted<'_>,
    until: Timestamp,
) -> Result<usize, WorkError> {
    // What one request sends. A planner that dies leaves accounts that are claimed and have no message, for as long as
    // an abandoned sync takes to be noticed: at most those of the chunks in progress.
    const CHUNK: usize = 10;
    const CHUNKS_AT_ONCE: usize = 10;
    let now = clock::now();
    metrics::gauge(Metric::AdAccounts, &all.iter().map(|(_, account)| account.freshness(now)).collect::<Vec<_>>());
    let mut accounts = all;
    accounts.retain(|(scope, _)| wanted.concerns(scope.org()));
    accounts.sort_by_key(|(_, account)| account.last_sync_at);
    let accounts = interleave_by_org(accounts, |(scope, _)| scope.org().clone());
    let is_refused = AtomicBool::new(false);
    let start = async |chunk: &[(OrgScope, AdAccount)]| {
        if clock::now() >= until || is_refused.load(Ordering::Relaxed) {
            return Ok((0, chunk.len()));
        }
        let claims =
            join_all(chunk.iter().map(|(scope, account)| claim(table, scope, account, wanted.everything))).await;
        let claimed = claims.into_iter().zip(chunk).filter_map(|(claim, (scope, account))| {
            // An account that cannot be claimed does not delay the others. The next schedule tries it again.
            let claim = claim.inspect_err(|error| {
                tracing::error!(%error, account = %account.ad_account_id, "an ad account's sync could not be started");
            });
            Some((scope, claim.ok()??))
        });
        let claimed: Vec<(&OrgScope, Claim)> = claimed.collect();
        let jobs: Vec<AdsSyncJob> = claimed.iter().map(|(_, claim)| claim.job.clone()).collect();
        if let Err(error) = queue.send(&jobs).await {
            is_refused.store(true, Ordering::Relaxed);
            // A message that was sent all the same finds no sync to run.
            join_all(claimed.iter().map(|(scope, claim)| claim.undo(table, scope))).await;
            return Err(WorkError::from(error));
        }
        Ok((jobs.len(), 0))
    };
    let mut chunks = stream::iter(accounts.chunks(CHUNK)).map(start).buffer_unordered(CHUNKS_AT_ONCE);
    let (mut sent, mut left, mut outcome) = (0, 0, Ok(()));
    while let Some(chunk) = chunks.next().await {
        match chunk {
            Ok((messages, skipped)) => (sent, left) = (sent + messages, left + skipped),
            Err(error) => outcome = Err(error),
        }
    }
    if left > 0 {
        tracing::error!(left, sent, "ad accounts are left to the next schedule");
    }
    outcome.map(|()| sent)
}

/// A sync that has been begun, and whose message is still to be sent.
struct Claim {
    job: AdsSyncJob,
    /// The account as claimed, with the first day. `None` if the sync was begun earlier, and only its message was lost.
    begun: Option<(AdAccount, RunId, Date)>,
}

impl Claim {
    /// Ends the sync without a trace.
    async fn undo(&self, table: &Table, scope: &OrgScope) {
        let Some((account, run, since)) = &self.begun else { return };
        let undone = table.end_ads_sync(scope, account, (run, *since), &AccountUpdate::default()).await;
        if let Err(error) = undone {
            tracing::warn!(%error, account = %account.ad_account_id, "an ad account is not synced until its sync counts as abandoned");
        }
    }
}

/// Claims an account whose sync is due.
///
/// The claim comes before the message. A lost message is replaced once the claim counts as abandoned; two concurrent
/// syncs could not be undone.
async fn claim(
    table: &Table,
    scope: &OrgScope,
    account: &AdAccount,
    everything: bool,
) -> Result<Option<Claim>, WorkError> {
    let now = clock::now();
    if account.paused || (!everything && account.rests(now)) {
        return Ok(None);
    }
    if account.run_id.is_some() {
        let job = AdsSyncJob::new(account, account.run_id.clone());
        return Ok(account.is_abandoned(now).then_some(Claim { job, begun: None }));
    }
    let (run, due) = (RunId::new(), account.due_since(now));
    // Also include the days that are due only once a day because Meta restates them.
    let since = if everything { due.min(back(account.today(now), LONG_LOOK_BACK_DAYS)) } else { due };
    let since = since.max(account.earliest_day(now));
    if !table.begin_ads_sync(scope, account, &run, since, now).await? {
        return Ok(None);
    }
    let job = AdsSyncJob::new(account, Some(run.clone()));
    Ok(Some(Claim { job, begun: Some((AdAccount { run_lease: Some(now), ..account.clone() }, run, since)) }))
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;
    use crate::ids::OrgId;
    use crate::metrics::tests::{take_counts, take_written};
    use crate::model::ads::account::Freshness;
    use crate::model::ads::account::tests::account;
    use crate::publishing::test_support::Fixture;

    #[tokio::test]
    async fn accounts_are_counted_by_the_age_of_their_numbers() {
        let fixture = Fixture::new().await;
        let scope = crate::table::tests::scope("a");
        let now = clock::now();
        let synced =
            |minutes: i64| AdAccount { last_sync_at: Some(now - SignedDuration::from_mins(minutes)), ..account() };
        let never = AdAccount { last_sync_at: None, linked_at: now, ..synced(0) };
        let paused = AdAccount { paused: true, ..synced(500) };
        let all = [synced(5), never, synced(60), synced(90), synced(180), paused];
        let all: Vec<_> = all.into_iter().map(|account| (scope.clone(), account)).collect();
        let (table, other) = (&fixture.publisher.table, OrgId::parse("b").unwrap());
        let queue = Queue::new(fixture.sqs.clone(), format!("{}/ads", fixture.endpoint));
        take_written();
        for only in [None, Some(&other)] {
            // The time is up: no sync begins.
            let wanted = Wanted { org: only, everything: false };
            assert_eq!(start_due_syncs(table, &queue, all.clone(), wanted, now).await.unwrap(), 0);
            let expected =
                [(Freshness::Fresh, 2.0), (Freshness::Late, 2.0), (Freshness::Stale, 1.0), (Freshness::Paused, 1.0)];
            assert_eq!(take_counts(), expected.map(|(freshness, number)| (Metric::AdAccounts(freshness), number)));
        }
    }
}
