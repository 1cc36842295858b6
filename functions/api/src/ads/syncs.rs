//! Readings: asking for one, and the log of them.

use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use http::StatusCode;
use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use shared::error::WorkError;
use shared::http::Problem;
use shared::ids::{AdAccountId, RunId, UserId};
use shared::model::ad_account::{AdAccount, back};
use shared::model::ad_trouble::TroubleCode;
use shared::model::ads_sync::{AdsSync, Cause, ObjectError, ObjectLog, ObjectType, SyncState};
use shared::reporting::{AdsJob, Begun, begin};
use utoipa::ToSchema;

use super::accounts::{AdAccountOut, find, out};
use crate::access::{Access, MetaAccess};
use crate::input::{self, Parameters};
use crate::router::Api;

/// What to read. Without anything: all accounts, as many days as are due.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SyncIn {
    /// Only this account.
    account_id: Option<String>,
    /// Days before today, 1 to 1125; Meta answers for 37 months. By default 3, and 28 once a day.
    #[schema(minimum = 1, maximum = 1125)]
    days: Option<i64>,
}

/// What was begun.
#[derive(Serialize, ToSchema)]
pub(crate) struct SyncBegun {
    /// For `GET …/sync-status?run_id=`. If all that was asked for was under way already, the reading that is.
    run_id: RunId,
    /// One for each account.
    runs: Vec<AccountRun>,
}

/// The reading of one account.
#[derive(Serialize, ToSchema)]
pub(crate) struct AccountRun {
    account_id: AdAccountId,
    run_id: RunId,
    /// One was under way, and covers this.
    joined: bool,
    /// The first day that was asked for.
    #[schema(value_type = String, format = Date)]
    since: Date,
}

/// A reading of one account.
#[derive(Serialize, ToSchema)]
pub(crate) struct SyncOut {
    run_id: RunId,
    account_id: AdAccountId,
    cause: Cause,
    /// Who asked for it, if somebody did.
    asked_by: Option<UserId>,
    #[schema(value_type = String, format = DateTime)]
    asked_at: Timestamp,
    #[schema(value_type = Option<String>, format = DateTime)]
    started_at: Option<Timestamp>,
    #[schema(value_type = Option<String>, format = DateTime)]
    finished_at: Option<Timestamp>,
    /// The first day it covers.
    #[schema(value_type = String, format = Date)]
    since: Date,
    /// The last.
    #[schema(value_type = Option<String>, format = Date)]
    until: Option<Date>,
    state: SyncState,
    /// Meta wants the account left alone until then.
    #[schema(value_type = Option<String>, format = DateTime)]
    waiting_until: Option<Timestamp>,
    /// What ended it before its end.
    reason: Option<TroubleCode>,
    reason_message: Option<&'static str>,
    fix: Option<&'static str>,
    evidence: Option<String>,
    /// By what was read.
    objects: Vec<ObjectOut>,
}

/// What became of one object type.
#[derive(Serialize, ToSchema)]
pub(crate) struct ObjectOut {
    object_type: ObjectType,
    /// What Meta gave.
    read: u64,
    /// Of that, what was new or had changed, and was written.
    changed: u64,
    /// Of that, what was as before.
    unchanged: u64,
    /// Of what changed, days that were over: Meta restated them.
    restated: u64,
    /// What could not be read.
    failed: u64,
    /// Calls of the Graph API.
    calls: u64,
    /// Seconds it waited: for limits, and for reports that Meta was making.
    waited_s: u64,
    /// What is to be said about it, the first few.
    errors: Vec<ErrorOut>,
}

/// Something about a part of a reading.
#[derive(Serialize, ToSchema)]
pub(crate) struct ErrorOut {
    /// Stable, for programs.
    code: TroubleCode,
    message: &'static str,
    /// What to do about it.
    fix: &'static str,
    /// What it is about, and Meta's words.
    evidence: String,
}

/// How reading stands.
#[derive(Serialize, ToSchema)]
pub(crate) struct SyncStatus {
    /// How each account stands.
    accounts: Vec<AdAccountOut>,
    /// The sync log, newest first.
    items: Vec<SyncOut>,
    /// Always `null`: only the latest are listed.
    next_cursor: Option<String>,
}

/// Read ad accounts now
///
/// One account or all of them. An account that is being read is not read twice: the reading that is under way is joined,
/// and goes further back if that was asked for.
#[utoipa::path(
    post, path = "/api/meta-ads/sync", tag = "ads", operation_id = "syncAds",
    params(("orgid" = String, Header, description = "The org to act for")),
    request_body(content = Option<SyncIn>, content_type = "application/json"),
    responses((status = 202, body = SyncBegun), (status = "4XX", body = Problem, content_type = "application/problem+json"))
)]
pub(crate) async fn sync(
    State(api): State<Arc<Api>>,
    MetaAccess(Access { scope, caller }): MetaAccess,
    body: Bytes,
) -> Result<(StatusCode, Json<SyncBegun>), Problem> {
    let given: SyncIn = if body.is_empty() { SyncIn::default() } else { input::parse(&body)? };
    let accounts = match &given.account_id {
        Some(id) => {
            let named = |problem| Problem { field: Some("account_id".to_owned()), ..problem };
            let account = find(&api, &scope, id).await.map_err(named)?;
            if account.paused {
                let detail = "This ad account is paused. PATCH it with {\"paused\": false} first.";
                return Err(named(Problem::new(StatusCode::CONFLICT, "ad_account_paused", detail)));
            }
            vec![account]
        }
        None => {
            let mut accounts = api.table.ad_accounts(&scope).await?;
            accounts.retain(|account| !account.paused);
            accounts
        }
    };
    if accounts.is_empty() {
        let detail = "This org has no ad account to read. Link one with POST /api/meta-ads/accounts.";
        return Err(Problem::new(StatusCode::CONFLICT, "no_ad_accounts", detail));
    }
    let now = shared::clock::now();
    let sinces = accounts.iter().map(|account| since(account, given.days, now)).collect::<Result<Vec<_>, _>>()?;
    let run = RunId::new();
    let (mut runs, mut messages) = (Vec::new(), Vec::new());
    let mut outcome = Ok(());
    for (account, since) in accounts.iter().zip(sinces) {
        let plan = (since, Cause::Request, Some(caller.user.clone()));
        let (run_id, joined) = match begin(&api.table, &scope, account, &run, plan, now).await {
            Ok(Begun::New) => {
                messages.push(AdsJob::of(account, Some(run.clone())).message());
                (run.clone(), false)
            }
            Ok(Begun::Joined(running)) => (running, true),
            Ok(Begun::Gone) => continue,
            Err(error) => {
                outcome = Err(error);
                break;
            }
        };
        runs.push(AccountRun { account_id: account.ad_account_id.clone(), run_id, joined, since });
    }
    // Also of a call that fails: whatever was begun is under way.
    api.ads.send_all(messages).await.map_err(WorkError::from)?;
    outcome?;
    let run_id = match runs.as_slice() {
        [first, rest @ ..] if first.joined && rest.iter().all(|other| other.joined) => first.run_id.clone(),
        _ => run,
    };
    Ok((StatusCode::ACCEPTED, Json(SyncBegun { run_id, runs })))
}

fn since(account: &AdAccount, days: Option<i64>, now: Timestamp) -> Result<Date, Problem> {
    let Some(days) = days else { return Ok(account.due_since(now)) };
    let (today, earliest) = (account.today(now), account.earliest_day(now));
    let since = i32::try_from(days).ok().filter(|days| *days > 0).map(|days| back(today, days));
    since.filter(|since| *since >= earliest).ok_or_else(|| {
        let most = today.since(earliest).map_or(0, |span| span.get_days());
        let detail = format!("A whole number from 1 to {most}: Meta answers for 37 months.");
        Problem::field("days", "days_invalid", detail)
    })
}

/// The sync log
///
/// How each account stands, and the latest readings with their counts by object type.
#[utoipa::path(
    get, path = "/api/meta-ads/sync-status", tag = "ads", operation_id = "readSyncStatus",
    params(
        ("account_id" = Option<String>, Query, description = "Of this account"),
        ("client_id" = Option<String>, Query, description = "Of this client's accounts"),
        ("run_id" = Option<String>, Query, description = "What was begun together"),
        ("limit" = Option<u32>, Query, description = "1 to 100, 25 if left out"),
        ("orgid" = String, Header, description = "The org to act for")
    ),
    responses((status = 200, body = SyncStatus), (status = "4XX", body = Problem, content_type = "application/problem+json"))
)]
pub(crate) async fn status(
    State(api): State<Arc<Api>>,
    MetaAccess(Access { scope, .. }): MetaAccess,
    parameters: Parameters,
) -> Result<Json<SyncStatus>, Problem> {
    /// Readings that are looked through for those of one account.
    const MOST_READ: usize = 1000;
    parameters.check(&["account_id", "client_id", "run_id", "limit"])?;
    let limit = input::limit(parameters.get("limit"))?;
    let accounts = parameters.accounts(&api.table, &scope).await?;
    let syncs = match parameters.id("run_id", RunId::parse)? {
        Some(run) => api.table.ads_syncs_of(&scope, &run).await?,
        None => api.table.ads_syncs(&scope, MOST_READ).await?,
    };
    let now = shared::clock::now();
    let is_meant = |sync: &AdsSync| accounts.iter().any(|account| account.id == sync.account_id);
    let items = syncs.into_iter().filter(is_meant).take(limit).map(|sync| sync_out(sync, now)).collect();
    let accounts = accounts.iter().map(|account| out(account, now)).collect();
    Ok(Json(SyncStatus { accounts, items, next_cursor: None }))
}

fn sync_out(sync: AdsSync, now: Timestamp) -> SyncOut {
    let state = sync.state(now);
    let reason = sync.trouble.as_ref().map(|trouble| trouble.code);
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
        reason_message: reason.map(TroubleCode::message),
        fix: reason.map(TroubleCode::fix),
        evidence: sync.trouble.map(|trouble| trouble.evidence),
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
