//! The ads' days: a range of days at a time, newest first, compared with the stored numbers.
//!
//! A small range is queried directly. A range that is large, or that Meta rejects as too large, goes through an
//! asynchronous report. A single day that is too large even for a report is split ([`super::question`]).

use std::time::Duration;

use jiff::SignedDuration;
use jiff::civil::Date;

use super::client::Interrupt;
use super::context::SyncContext;
use super::question;
use super::slice::Slice;
use crate::clock;
use crate::error::WorkError;
use crate::graph::GraphError;
use crate::graph::error::Detail;
use crate::graph::insights::ReportState;
use crate::model::ads::account::{FIRST_IMPORT_DAYS, Stage};
use crate::model::ads::sync::{Fields, InsightsQuery, ObjectType, OpenReport};
use crate::model::days::back;
use crate::model::days::days;
use crate::retry::Verdict;
use crate::table::ad_account::AccountUpdate;

/// Approximate rows per range. The stored rows are held in memory, and an interrupted range is queried again.
const ROWS_PER_SLICE: u64 = 20_000;
/// Larger queries go through a report: Meta computes every response page of a plain query again.
const PLAIN_ROWS: u64 = 5_000;
/// Days per range.
const MAX_DAYS: i32 = 31;
/// A report that Meta has not begun after this time never will be.
const REPORT_START_TIMEOUT: SignedDuration = SignedDuration::from_mins(5);
/// A report that takes longer will not finish.
const REPORT_TIMEOUT: SignedDuration = SignedDuration::from_mins(45);
/// How long a worker waits for a report before it ends its slice.
const MAX_REPORT_WAIT: SignedDuration = SignedDuration::from_secs(45);

/// Reads the ads' days that the sync covers and that may have changed.
pub(super) async fn read(context: &mut SyncContext<'_>) -> Result<(), Interrupt> {
    let Some(first) = context.ads_since() else { return Ok(()) };
    loop {
        let today = context.sync.until.unwrap_or_else(|| context.account.today(clock::now()));
        let until = context.sync.progress.ads_down_to.map_or(today, |day| back(day, 1));
        if until < first {
            return Ok(());
        }
        let usual = i32::try_from(ROWS_PER_SLICE / context.account.rows_per_day.max(1)).unwrap_or(MAX_DAYS);
        let at_once = context.sync.progress.days_at_once.unwrap_or(usual).clamp(1, MAX_DAYS);
        let mut since = first.max(back(until, at_once - 1));
        // The newest days come first, so that the account can show them before older ones are read.
        let newest = back(today, FIRST_IMPORT_DAYS);
        if until >= newest {
            since = since.max(newest);
        }
        match read_slice(context, since, until).await {
            Err(Interrupt::TooMuch(error)) if since < until => {
                tracing::info!(account = %context.account.ad_account_id, %error, "fewer days are asked for at once");
                context.sync.progress.days_at_once = Some((days(since, until) / 2).max(1));
            }
            outcome => {
                outcome?;
                context.sync.progress.ads_down_to = Some(since);
                (context.sync.progress.failures, context.sync.progress.reports) = (0, 0);
                if since <= newest && context.account.stage != Stage::Ready {
                    let update = AccountUpdate {
                        stage: Some(Stage::Ready),
                        last_sync_at: context.sync.started_at,
                        ..AccountUpdate::default()
                    };
                    context.update_account(update).await?;
                    context.account.stage = Stage::Ready;
                }
            }
        }
        context.account_for(ObjectType::AdInsights);
    }
}

async fn read_slice(context: &mut SyncContext<'_>, since: Date, until: Date) -> Result<(), Interrupt> {
    let campaign_days = context.table.campaign_days(context.scope, &context.account.id, (since, until)).await?;
    let mut slice = Slice::new(since, until, campaign_days);
    let outcome = query_slice(context, &mut slice).await;
    // Even after an interruption: the rows stored so far are not stored again.
    slice.store_campaign_days(context).await?;
    outcome
}

async fn query_slice(context: &mut SyncContext<'_>, slice: &mut Slice) -> Result<(), Interrupt> {
    let (since, until) = (slice.since, slice.until);
    let whole = InsightsQuery { since, until, within: None, fields: Fields::All };
    let rows = context.account.rows_per_day * u64::try_from(days(since, until)).unwrap_or(1);
    if since == until && context.sync.progress.parts.is_some() {
        return question::query_in_parts(context, slice, whole).await;
    }
    let is_open = context.sync.progress.report.as_ref().is_some_and(|open| (open.since, open.until) == (since, until));
    if rows <= PLAIN_ROWS && !is_open {
        match question::query(context, slice, &whole).await {
            Err(Interrupt::TooMuch(_)) => {}
            outcome => return outcome,
        }
    }
    match query_by_report(context, slice, &whole).await {
        Err(Interrupt::TooMuch(_)) if since == until => question::query_in_parts(context, slice, whole).await,
        outcome => outcome,
    }
}

/// Requests a report from Meta, or resumes an open one, and reads it.
async fn query_by_report(
    context: &mut SyncContext<'_>,
    slice: &mut Slice,
    whole: &InsightsQuery,
) -> Result<(), Interrupt> {
    const MAX_REPORTS: u32 = 4;
    let account = context.account.ad_account_id.clone();
    loop {
        let resumed =
            context.sync.progress.report.clone().filter(|open| (open.since, open.until) == (whole.since, whole.until));
        let is_resumed = resumed.is_some();
        let open = match resumed {
            Some(open) => open,
            None if context.sync.progress.reports >= MAX_REPORTS => {
                context.sync.progress.reports = 0;
                return Err(Interrupt::TooMuch(GraphError::TooMuchData(Detail::default())));
            }
            None => {
                context.sync.progress.reports += 1;
                let request =
                    context.client.call(async |graph, token| graph.ask_for_report(&account, whole, token).await);
                let (id, asked_at) = (request.await?, clock::now());
                let open = OpenReport { id, since: whole.since, until: whole.until, asked_at, after: None };
                context.sync.progress.report.insert(open).clone()
            }
        };
        match read_report(context, slice, &open).await {
            // A report of an earlier slice: Meta no longer knows the cursor, or this token cannot see the report.
            Err(Interrupt::Failed(WorkError::Graph(error))) if is_resumed && error.token_death().is_none() => {
                tracing::info!(account = %account, %error, report = open.id, "a report is requested again");
                context.sync.progress.report = None;
            }
            Ok(false) => context.sync.progress.report = None,
            Ok(true) => {
                context.sync.progress.report = None;
                return Ok(());
            }
            Err(stop) => {
                if matches!(stop, Interrupt::TooMuch(_) | Interrupt::Failed(_)) {
                    context.sync.progress.report = None;
                }
                return Err(stop);
            }
        }
    }
}

/// Returns `false` if the report must be requested again.
async fn read_report(context: &mut SyncContext<'_>, slice: &mut Slice, open: &OpenReport) -> Result<bool, Interrupt> {
    match await_report(context, open).await? {
        ReportState::Done => read_rows(context, slice, &open.id, open.after.clone()).await.map(|()| true),
        ReportState::Failed(error) if error.is_too_large() => Err(Interrupt::TooMuch(error)),
        ReportState::Failed(error) if error.verdict() != Verdict::Retry => {
            Err(context.client.interrupt_for(error).await?)
        }
        // Dropped, stuck, or failed for a temporary reason.
        state => {
            tracing::warn!(report = open.id, ?state, "a report is requested again");
            Ok(false)
        }
    }
}

/// Waits for a report, and returns its final state. A report that hangs is returned as still running.
async fn await_report(context: &mut SyncContext<'_>, open: &OpenReport) -> Result<ReportState, Interrupt> {
    const FIRST_DELAY: Duration = Duration::from_millis(500);
    let started = clock::now();
    // For a report of an earlier slice, the first delay is over.
    let waited = Duration::try_from(started.duration_since(open.asked_at)).unwrap_or_default();
    let mut delay = FIRST_DELAY.saturating_sub(waited);
    loop {
        context.client.wait(delay).await?;
        delay = (delay * 2).clamp(FIRST_DELAY, Duration::from_secs(8));
        let state = context.client.call(async |graph, token| graph.report(&open.id, token).await).await?;
        let age = clock::now().duration_since(open.asked_at);
        match state {
            ReportState::Running(percent) if age > REPORT_TIMEOUT || (percent == 0 && age > REPORT_START_TIMEOUT) => {
                return Ok(state);
            }
            ReportState::Running(_) if clock::now().duration_since(started) > MAX_REPORT_WAIT => {
                return Err(Interrupt::ReportNotReady);
            }
            ReportState::Running(_) => {}
            finished => return Ok(finished),
        }
    }
}

/// Reads a report's rows. They no longer change, so a cursor stays valid in the next slice.
async fn read_rows(
    context: &mut SyncContext<'_>,
    slice: &mut Slice,
    id: &str,
    mut after: Option<String>,
) -> Result<(), Interrupt> {
    const MAX_ATTEMPTS: u32 = 3;
    let mut attempts = 1;
    loop {
        let page =
            context.client.call(async |graph, token| graph.report_rows(id, after.as_deref(), token).await).await?;
        // Right after a report is done, its rows can lack the ids of their objects.
        if attempts < MAX_ATTEMPTS && page.rows.iter().any(Result::is_err) {
            attempts += 1;
            context.client.wait(Duration::from_secs(1)).await?;
            continue;
        }
        attempts = 1;
        let next = page.next.clone();
        slice.store_page(context, page, Fields::All).await?;
        context.account_for(ObjectType::AdInsights);
        match next {
            Some(next) if Some(&next) != after.as_ref() => after = Some(next),
            _ => return Ok(()),
        }
        if let Some(report) = &mut context.sync.progress.report {
            report.after.clone_from(&after);
        }
    }
}
