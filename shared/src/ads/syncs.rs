//! Requesting syncs, and the sync log.
#![expect(missing_docs, reason = "a field whose name says it all has no description in the API's document either")]

use std::borrow::Cow;

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::accounts::{AdAccountOut, account_out};
use super::start::{StartOutcome, start_sync};
use super::{AccountFilter, Ads};
use crate::directory::MetaAccess;
use crate::error::{ActError, ErrorCode};
use crate::ids::{AdAccountId, RunId, UserId};
use crate::jobs::AdsSyncJob;
use crate::model::ads::account::AdAccount;
use crate::model::ads::sync::{AdsSync, Cause, ObjectError, ObjectLog, ObjectType, SyncState};
use crate::model::ads::sync_problem::SyncProblemCode;
use crate::model::days::back;
use crate::model::json_input::maybe_whole;
use crate::tr;

/// The latest syncs that are searched for those of the selected accounts.
const MAX_SYNCS_READ: usize = 1000;

/// What to sync. By default all accounts, and the days that are due.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SyncIn {
    /// Only this account.
    pub account_id: Option<AdAccountId>,
    /// Number of days before today, 1 to 1125; Meta's history covers 37 months. By default 3, and 28 once a day.
    #[schema(minimum = 1, maximum = 1125)]
    #[serde(default, deserialize_with = "maybe_whole")]
    pub days: Option<i64>,
}

/// The requested syncs.
#[derive(Debug, Serialize, ToSchema)]
pub struct SyncBegun {
    /// For `GET …/sync-status?run_id=`. If all requested syncs joined one in progress, the id of the first of those.
    pub run_id: RunId,
    /// One sync for each account.
    pub runs: Vec<AccountRun>,
}

/// The requested sync of one account.
#[derive(Debug, Serialize, ToSchema)]
pub struct AccountRun {
    pub account_id: AdAccountId,
    pub run_id: RunId,
    /// Whether the request joined a sync in progress, which covers it.
    pub joined: bool,
    /// The first requested day.
    #[schema(value_type = String, format = Date)]
    pub since: Date,
}

/// A sync of one account.
#[derive(Debug, Serialize, ToSchema)]
pub struct SyncOut {
    pub run_id: RunId,
    pub account_id: AdAccountId,
    pub cause: Cause,
    /// The user who requested it, if any.
    pub asked_by: Option<UserId>,
    #[schema(value_type = String, format = DateTime)]
    pub asked_at: Timestamp,
    #[schema(value_type = Option<String>, format = DateTime)]
    pub started_at: Option<Timestamp>,
    #[schema(value_type = Option<String>, format = DateTime)]
    pub finished_at: Option<Timestamp>,
    /// The first day it covers.
    #[schema(value_type = String, format = Date)]
    pub since: Date,
    /// The last day it covers.
    #[schema(value_type = Option<String>, format = Date)]
    pub until: Option<Date>,
    pub state: SyncState,
    /// The sync waits until this time for Meta's rate limit.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub waiting_until: Option<Timestamp>,
    /// The problem that ended it early.
    pub reason: Option<SyncProblemCode>,
    pub reason_message: Option<Cow<'static, str>>,
    pub fix: Option<Cow<'static, str>>,
    pub evidence: Option<String>,
    /// The results, by object type. A scheduled sync does not read what cannot have changed.
    pub objects: Vec<ObjectOut>,
}

/// The results for one object type.
#[derive(Debug, Serialize, ToSchema)]
pub struct ObjectOut {
    pub object_type: ObjectType,
    /// Number of objects that Meta returned.
    pub read: u64,
    /// Of these, the number that were new or had changed, and were stored.
    pub changed: u64,
    /// Of these, the number that had not changed.
    pub unchanged: u64,
    /// Of the changed days, the number that had already ended: Meta restated them.
    pub restated: u64,
    /// Number of objects that could not be read.
    pub failed: u64,
    /// Number of Graph API calls.
    pub calls: u64,
    /// Seconds spent waiting for rate limits and for Meta's asynchronous reports.
    pub waited_s: u64,
    /// The first few errors.
    pub errors: Vec<ErrorOut>,
}

/// An error in one part of a sync.
#[derive(Debug, Serialize, ToSchema)]
pub struct ErrorOut {
    /// A stable code, for programs.
    pub code: SyncProblemCode,
    pub message: Cow<'static, str>,
    /// How to fix it.
    pub fix: Cow<'static, str>,
    /// The object concerned, and Meta's message.
    pub evidence: String,
}

/// The state of the accounts, and the sync log.
#[derive(Debug, Serialize, ToSchema)]
pub struct SyncStatus {
    /// The state of each account.
    pub accounts: Vec<AdAccountOut>,
    /// The sync log, newest first.
    pub items: Vec<SyncOut>,
    /// Always `null`: only the latest are listed.
    pub next_cursor: Option<String>,
}

impl Ads {
    /// Syncs one account or all of them now. Joins the syncs that are in progress.
    ///
    /// # Errors
    /// Refuses a paused account, an org without an account to sync, and more days than Meta returns. After any other
    /// error, the syncs begun so far are in progress.
    pub async fn sync(&self, access: &MetaAccess, input: SyncIn) -> Result<SyncBegun, ActError> {
        let accounts = match &input.account_id {
            Some(id) => {
                let at_field = |error: ActError| error.at("account_id");
                let account = self.find(access, id).await.map_err(at_field)?;
                if account.paused {
                    let detail = tr!("This ad account is paused.");
                    return Err(at_field(ActError::refuse(ErrorCode::AdAccountPaused, detail)));
                }
                vec![account]
            }
            None => {
                let mut accounts = self.table.ad_accounts(&access.scope).await?;
                accounts.retain(|account| !account.paused);
                accounts
            }
        };
        if accounts.is_empty() {
            let detail = tr!("This org has no ad account to sync: none is linked, or all are paused.");
            return Err(ActError::refuse(ErrorCode::NoAdAccounts, detail));
        }
        let now = crate::clock::now();
        let start_days =
            accounts.iter().map(|account| since(account, input.days, now)).collect::<Result<Vec<_>, _>>()?;
        let run = RunId::new();
        let (mut runs, mut jobs) = (Vec::new(), Vec::new());
        let mut outcome = Ok(());
        for (account, since) in accounts.iter().zip(start_days) {
            let plan = (since, Cause::Request, Some(access.caller.user.clone()));
            let (run_id, joined) = match start_sync(&self.table, &access.scope, account, &run, plan, now).await {
                Ok(StartOutcome::New) => {
                    jobs.push(AdsSyncJob::new(account, Some(run.clone())));
                    (run.clone(), false)
                }
                Ok(StartOutcome::Joined(running)) => (running, true),
                Ok(StartOutcome::Gone) => continue,
                Err(error) => {
                    outcome = Err(error);
                    break;
                }
            };
            runs.push(AccountRun { account_id: account.ad_account_id.clone(), run_id, joined, since });
        }
        // Even if a later account failed: a sync that has begun needs its message.
        self.queue.send(&jobs).await?;
        outcome?;
        let run_id = match runs.as_slice() {
            [first, rest @ ..] if first.joined && rest.iter().all(|other| other.joined) => first.run_id.clone(),
            _ => run,
        };
        Ok(SyncBegun { run_id, runs })
    }

    /// The state of each account, and the latest syncs, or those that were requested together as `run`.
    pub async fn sync_status(
        &self,
        access: &MetaAccess,
        filter: &AccountFilter,
        run: Option<RunId>,
        limit: usize,
    ) -> Result<SyncStatus, ActError> {
        let accounts = self.selected_accounts(access, filter).await?;
        let table = self.table.for_display();
        let syncs = match run {
            Some(run) => table.ads_syncs_of(&access.scope, &run).await?,
            None => table.ads_syncs(&access.scope, MAX_SYNCS_READ).await?,
        };
        let now = crate::clock::now();
        let is_selected = |sync: &AdsSync| accounts.iter().any(|account| account.id == sync.account_id);
        let items = syncs.into_iter().filter(is_selected).take(limit).map(|sync| sync_out(sync, now)).collect();
        let accounts = accounts.iter().map(|account| account_out(account, now)).collect();
        Ok(SyncStatus { accounts, items, next_cursor: None })
    }
}

fn since(account: &AdAccount, days: Option<i64>, now: Timestamp) -> Result<Date, ActError> {
    let Some(days) = days else { return Ok(account.due_since(now)) };
    let (today, earliest) = (account.today(now), account.earliest_day(now));
    let since = i32::try_from(days).ok().filter(|days| *days > 0).map(|days| back(today, days));
    since.filter(|since| *since >= earliest).ok_or_else(|| {
        let most = today.since(earliest).map_or(0, |span| span.get_days());
        let detail = tr!("A whole number from 1 to {most}: Meta answers for 37 months.", most = most);
        ActError::invalid("days", ErrorCode::DaysInvalid, detail)
    })
}

fn sync_out(sync: AdsSync, now: Timestamp) -> SyncOut {
    let state = sync.state(now);
    let reason = sync.problem.as_ref().map(|problem| problem.code);
    SyncOut {
        run_id: sync.id,
        account_id: sync.ad_account_id,
        cause: sync.cause,
        asked_by: sync.asked_by,
        asked_at: sync.asked_at,
        started_at: sync.started_at,
        finished_at: sync.finished_at,
        since: sync.since,
        until: sync.until,
        state,
        waiting_until: sync.waiting_until.filter(|until| *until > now),
        reason,
        reason_message: reason.map(SyncProblemCode::message),
        fix: reason.map(SyncProblemCode::fix),
        evidence: sync.problem.map(|problem| problem.evidence),
        objects: sync.log.into_iter().map(|(object_type, log)| object_out(object_type, log)).collect(),
    }
}

fn object_out(object_type: ObjectType, log: ObjectLog) -> ObjectOut {
    let error_out = |error: ObjectError| ErrorOut {
        code: error.code,
        message: error.code.message(),
        fix: error.code.fix(),
        evidence: error.evidence,
    };
    ObjectOut {
        object_type,
        read: log.read,
        changed: log.changed,
        unchanged: log.unchanged,
        restated: log.restated,
        failed: log.failed,
        calls: log.calls,
        waited_s: log.waited_s,
        errors: log.errors.into_iter().map(error_out).collect(),
    }
}
