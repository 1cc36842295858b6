//! The ads' days: a range of days at a time, newest first, compared with the stored numbers.
//!
//! A small range is queried directly. A range that is large, or that Meta rejects as too large, goes through an
//! asynchronous report. A single day that is too large even for a report is split ([`super::question`]).

use std::time::Duration;

use jiff::SignedDuration;
use jiff::civil::Date;

use super::calls::Interrupt;
use super::context::SyncContext;
use super::question;
use super::slice::Slice;
use crate::clock;
use crate::error::WorkError;
use crate::graph::GraphError;
use crate::graph::error::Detail;
use crate::graph::insights::ReportState;
use crate::model::ads::account::{FIRST_IMPORT, Stage};
use crate::model::ads::sync::{Fields, InsightsQuery, ObjectType, OpenReport};
use crate::model::days::back;
use crate::model::days::days;
use crate::retry::Verdict;
use crate::table::ad_account::Found;

/// Approximate rows per range. The stored rows are held in memory, and an interrupted range is queried again.
const ROWS_PER_SLICE: u64 = 20_000;
/// Larger queries go through a report: Meta computes every response page of a plain query again.
const PLAIN_ROWS: u64 = 5_000;
/// Days per range.
const MAX_DAYS: i32 = 31;
/// A report that Meta has not begun after this time never will be.
const NOT_BEGUN: SignedDuration = SignedDuration::from_mins(5);
/// A report that takes longer will not finish.
const TOO_LONG: SignedDuration = SignedDuration::from_mins(45);
/// How long a worker waits for a report before it ends its slice.
const PATIENCE: SignedDuration = SignedDuration::from_secs(45);

/// Reads the ads' days that the sync covers.
pub(super) async fn read(turn: &mut SyncContext<'_>) -> Result<(), Interrupt> {
    loop {
        let today = turn.sync.until.unwrap_or_else(|| turn.account.today(clock::now()));
        let until = turn.sync.progress.ads_down_to.map_or(today, |day| back(day, 1));
        if until < turn.sync.since {
            return Ok(());
        }
        let usual = i32::try_from(ROWS_PER_SLICE / turn.account.rows_per_day.max(1)).unwrap_or(MAX_DAYS);
        let at_once = turn.sync.progress.days_at_once.unwrap_or(usual).clamp(1, MAX_DAYS);
        let mut since = turn.sync.since.max(back(until, at_once - 1));
        // The newest days come first, so that the account can show them before older ones are read.
        let newest = back(today, FIRST_IMPORT);
        if until >= newest {
            since = since.max(newest);
        }
        match slice(turn, since, until).await {
            Err(Interrupt::TooMuch(error)) if since < until => {
                tracing::info!(account = %turn.account.ad_account_id, %error, "fewer days are asked for at once");
                turn.sync.progress.days_at_once = Some((days(since, until) / 2).max(1));
            }
            outcome => {
                outcome?;
                turn.sync.progress.ads_down_to = Some(since);
                (turn.sync.progress.failures, turn.sync.progress.reports) = (0, 0);
                if since <= newest && turn.account.stage != Stage::Ready {
                    let found =
                        Found { stage: Some(Stage::Ready), last_sync_at: turn.sync.started_at, ..Found::default() };
                    turn.set(found).await?;
                    turn.account.stage = Stage::Ready;
                }
            }
        }
        turn.account_for(ObjectType::AdInsights);
    }
}

async fn slice(turn: &mut SyncContext<'_>, since: Date, until: Date) -> Result<(), Interrupt> {
    let campaign_days = turn.table.campaign_days(turn.scope, &turn.account.id, (since, until)).await?;
    let mut slice = Slice::new(since, until, campaign_days);
    let outcome = ask(turn, &mut slice).await;
    // Even after an interruption: the rows stored so far are not stored again.
    slice.keep(turn).await?;
    outcome
}

async fn ask(turn: &mut SyncContext<'_>, slice: &mut Slice) -> Result<(), Interrupt> {
    let (since, until) = (slice.since, slice.until);
    let whole = InsightsQuery { since, until, within: None, fields: Fields::All };
    let rows = turn.account.rows_per_day * u64::try_from(days(since, until)).unwrap_or(1);
    if since == until && turn.sync.progress.parts.is_some() {
        return question::in_parts(turn, slice, whole).await;
    }
    let is_open = turn.sync.progress.report.as_ref().is_some_and(|open| (open.since, open.until) == (since, until));
    if rows <= PLAIN_ROWS && !is_open {
        match question::plain(turn, slice, &whole).await {
            Err(Interrupt::TooMuch(_)) => {}
            outcome => return outcome,
        }
    }
    match report(turn, slice, &whole).await {
        Err(Interrupt::TooMuch(_)) if since == until => question::in_parts(turn, slice, whole).await,
        outcome => outcome,
    }
}

/// Requests a report from Meta, or resumes an open one, and reads it.
async fn report(turn: &mut SyncContext<'_>, slice: &mut Slice, whole: &InsightsQuery) -> Result<(), Interrupt> {
    const MAX_REPORTS: u32 = 4;
    let account = turn.account.ad_account_id.clone();
    loop {
        let resumed =
            turn.sync.progress.report.clone().filter(|open| (open.since, open.until) == (whole.since, whole.until));
        let is_resumed = resumed.is_some();
        let open = match resumed {
            Some(open) => open,
            None if turn.sync.progress.reports >= MAX_REPORTS => {
                turn.sync.progress.reports = 0;
                return Err(Interrupt::TooMuch(GraphError::TooMuchData(Detail::default())));
            }
            None => {
                turn.sync.progress.reports += 1;
                let asked = turn.calls.make(async |graph, token| graph.ask_for_report(&account, whole, token).await);
                let (id, asked_at) = (asked.await?, clock::now());
                let open = OpenReport { id, since: whole.since, until: whole.until, asked_at, after: None };
                turn.sync.progress.report.insert(open).clone()
            }
        };
        match read_report(turn, slice, &open).await {
            // A report of an earlier slice: Meta no longer knows the cursor, or this token cannot see the report.
            Err(Interrupt::Failed(WorkError::Graph(error))) if is_resumed && error.token_death().is_none() => {
                tracing::info!(account = %account, %error, report = open.id, "a report is asked for anew");
                turn.sync.progress.report = None;
            }
            Ok(false) => turn.sync.progress.report = None,
            Ok(true) => {
                turn.sync.progress.report = None;
                return Ok(());
            }
            Err(stop) => {
                if matches!(stop, Interrupt::TooMuch(_) | Interrupt::Failed(_)) {
                    turn.sync.progress.report = None;
                }
                return Err(stop);
            }
        }
    }
}

/// Returns `false` if the report must be requested again.
async fn read_report(turn: &mut SyncContext<'_>, slice: &mut Slice, open: &OpenReport) -> Result<bool, Interrupt> {
    match made(turn, open).await? {
        ReportState::Done => report_rows(turn, slice, &open.id, open.after.clone()).await.map(|()| true),
        ReportState::Failed(error) if error.is_too_large() => Err(Interrupt::TooMuch(error)),
        ReportState::Failed(error) if error.verdict() != Verdict::Retry => Err(turn.calls.met(error).await?),
        // Dropped, stuck, or failed for a temporary reason.
        state => {
            tracing::warn!(report = open.id, ?state, "a report is asked for anew");
            Ok(false)
        }
    }
}

/// Waits for a report, and returns its final state. A report that hangs is returned as still running.
async fn made(turn: &mut SyncContext<'_>, open: &OpenReport) -> Result<ReportState, Interrupt> {
    const FIRST_REST: Duration = Duration::from_millis(500);
    let begun = clock::now();
    // For a report of an earlier slice, the first delay is over.
    let waited = Duration::try_from(begun.duration_since(open.asked_at)).unwrap_or_default();
    let mut rest = FIRST_REST.saturating_sub(waited);
    loop {
        turn.calls.wait(rest).await?;
        rest = (rest * 2).clamp(FIRST_REST, Duration::from_secs(8));
        let state = turn.calls.make(async |graph, token| graph.report(&open.id, token).await).await?;
        let age = clock::now().duration_since(open.asked_at);
        match state {
            ReportState::Running(percent) if age > TOO_LONG || (percent == 0 && age > NOT_BEGUN) => return Ok(state),
            ReportState::Running(_) if clock::now().duration_since(begun) > PATIENCE => {
                return Err(Interrupt::ReportNotReady);
            }
            ReportState::Running(_) => {}
            over => return Ok(over),
        }
    }
}

/// Reads a report's rows. They no longer change, so a cursor stays valid in the next slice.
async fn report_rows(
    turn: &mut SyncContext<'_>,
    slice: &mut Slice,
    id: &str,
    mut after: Option<String>,
) -> Result<(), Interrupt> {
    const MAX_READINGS: u32 = 3;
    let mut readings = 1;
    loop {
        let page = turn.calls.make(async |graph, token| graph.report_rows(id, after.as_deref(), token).await).await?;
        // Right after a report is done, its rows can lack the ids of their objects.
        if readings < MAX_READINGS && page.rows.iter().any(Result::is_err) {
            readings += 1;
            turn.calls.wait(Duration::from_secs(1)).await?;
            continue;
        }
        readings = 1;
        let next = page.next.clone();
        slice.take(turn, page, Fields::All).await?;
        turn.account_for(ObjectType::AdInsights);
        match next {
            Some(next) if Some(&next) != after.as_ref() => after = Some(next),
            _ => return Ok(()),
        }
        if let Some(report) = &mut turn.sync.progress.report {
            report.after.clone_from(&after);
        }
    }
}
