//! The ads' days: a slice of days at a time, the newest first, each compared with what is stored of it.
//!
//! A slice is asked for plainly while it is small, and as a report when it is large or Meta finds it too large; of a day
//! that is too large even so, parts are asked for ([`super::question`]).

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

/// Rows to a slice, about: what is compared with is in memory, and what is cut short is asked for again.
const ROWS_PER_SLICE: u64 = 20_000;
/// Larger queries go through a report: Meta computes every response page of a plain query again.
const PLAIN_ROWS: u64 = 5_000;
/// Days to a slice.
const MAX_DAYS: i32 = 31;
/// A report that Meta has not begun after so long never will be.
const NOT_BEGUN: SignedDuration = SignedDuration::from_mins(5);
/// Nor will one be done that takes longer.
const TOO_LONG: SignedDuration = SignedDuration::from_mins(45);
/// How long a worker waits for a report before it ends its slice.
const PATIENCE: SignedDuration = SignedDuration::from_secs(45);

/// Reads the days of the reading.
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
        // The newest days are shown before older ones are asked for.
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
    // Also of what was cut short: its rows are written, and are not written again.
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

/// Has Meta make a report and reads it.
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
            // Of an earlier turn: a cursor that Meta knows no more, or a report that this token does not see.
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
        // Forgotten, stuck, or failed for no reason that would hold again.
        state => {
            tracing::warn!(report = open.id, ?state, "a report is asked for anew");
            Ok(false)
        }
    }
}

/// Waits for a report. One that hangs is as good as running at nought percent.
async fn made(turn: &mut SyncContext<'_>, open: &OpenReport) -> Result<ReportState, Interrupt> {
    const FIRST_REST: Duration = Duration::from_millis(500);
    let begun = clock::now();
    // Of one that was asked for in an earlier turn the wait is over.
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

/// Reads a report's rows. They do not change any more, and so a place among them is good in the next turn as well.
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
        // Right after it is done, a report's rows can lack what they are of.
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
