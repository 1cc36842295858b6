//! Searches for leads that somebody asks for: new ones now, and those from before the connection.

use std::time::Duration;

use http::StatusCode;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::integrations::find;
use super::usable::{needs_token, of_meta};
use super::{MetaAccess, Services};
use crate::error::WorkError;
use crate::http::Problem;
use crate::ids::{PageId, RunId};
use crate::jobs::SweepJob;
use crate::leads::{Search, Sweep, cannot_search};
use crate::model::connection::{Connection, Integration};
use crate::model::lead::FoundBy;
use crate::model::lead::run::{Run, RunState};

/// Days that a backfill looks back at most: Meta keeps leads for so long.
const MAX_DAYS: u16 = 90;
/// How far a sync looks back at least.
const SYNC_LOOKS_BACK: SignedDuration = SignedDuration::from_hours(48);
/// What a sync does not search in this time is searched by lead-sweep: whoever asked waits for an answer.
const CONCURRENCY: Duration = Duration::from_secs(15);
/// A backfill that is not done after this has stopped, and the next may begin.
const STOPPED: SignedDuration = SignedDuration::from_hours(1);

/// A search.
#[derive(Debug, Serialize, ToSchema)]
pub struct RunOut {
    #[serde(flatten)]
    pub run: Run,
    /// How far it is.
    pub state: RunState,
}

/// Searches.
#[derive(Debug, Serialize, ToSchema)]
pub struct RunList {
    pub items: Vec<RunOut>,
    /// Always `null`: only the latest are listed.
    pub next_cursor: Option<String>,
}

/// Which leads to bring in from before the connection.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BackfillIn {
    /// How many days back, 1 to 90.
    #[schema(minimum = 1, maximum = 90)]
    pub days: u16,
    /// Whether they are assigned as the integration says; to nobody if left out.
    #[serde(default)]
    pub assign: bool,
}

/// Compares the last 48 hours of every form with what came in, and brings in what did not.
///
/// # Errors
/// If there is no such integration, its token does not work, Meta refuses, or something failed.
pub async fn sync(services: &Services, access: &MetaAccess, id: &str) -> Result<RunOut, Problem> {
    let integration = find(services, access, id).await?;
    let now = crate::clock::now();
    needs_token(&integration, now)?;
    let run = begin(services, access, &integration, FoundBy::Sync, now - SYNC_LOOKS_BACK, true).await?;
    let catch_up = Sweep { meta: &services.connector.meta, table: &services.table, leads: &services.leads };
    let search = Search::of_run(&run, None, now);
    match tokio::time::timeout(CONCURRENCY, catch_up.run(&access.scope, &integration, &search, now)).await {
        Ok(Ok(_)) => {}
        Ok(Err(error)) => {
            // Pages that could be searched are; the others say why not, and the run has its end.
            for page in &run.pages {
                cannot_search(&services.table, &access.scope, &run.id, page, error.code(), &error.to_string()).await?;
            }
            return Err(of_meta(services, access, &integration, error).await);
        }
        Err(_) => queue(services, access, &run).await?,
    }
    read_run(services, access, &integration, &run.id).await
}

/// Brings in, in the background, what Meta still has of the last days.
///
/// # Errors
/// If there is no such integration, its token does not work, the days are too many, another backfill of it is still
/// searching, or something failed.
pub async fn backfill(
    services: &Services,
    access: &MetaAccess,
    id: &str,
    given: BackfillIn,
) -> Result<RunOut, Problem> {
    let integration = find(services, access, id).await?;
    let now = crate::clock::now();
    needs_token(&integration, now)?;
    if !(1..=MAX_DAYS).contains(&given.days) {
        return Err(Problem::field(
            "days",
            "days_invalid",
            format!("A whole number from 1 to {MAX_DAYS}: Meta keeps leads for {MAX_DAYS} days."),
        ));
    }
    let of_integration =
        services.table.runs(&access.scope).await?.into_iter().filter(|run| run.integration_id == integration.id);
    let runs = |run: &Run| {
        run.kind == FoundBy::Backfill
            && run.state(now) == RunState::Searching
            && now.duration_since(run.asked_at) < STOPPED
    };
    if let Some(running) = of_integration.into_iter().find(runs) {
        let detail = format!("The backfill {} is still searching. Wait until it is done.", running.id);
        return Err(Problem::new(StatusCode::CONFLICT, "backfill_running", detail));
    }
    let since = now - SignedDuration::from_hours(24 * i64::from(given.days));
    let run = begin(services, access, &integration, FoundBy::Backfill, since, given.assign).await?;
    queue(services, access, &run).await?;
    Ok(shown(run))
}

/// The searches of an integration that somebody asked for lately, newest first.
///
/// # Errors
/// If there is no such integration, or the table cannot be read.
pub async fn list(services: &Services, access: &MetaAccess, id: &str) -> Result<RunList, Problem> {
    let integration = find(services, access, id).await?;
    let mut runs = services.table.runs(&access.scope).await?;
    runs.retain(|run| run.integration_id == integration.id);
    Ok(RunList { items: runs.into_iter().map(shown).collect(), next_cursor: None })
}

/// One search of an integration.
///
/// # Errors
/// If there is no such integration or no such search of it, or the table cannot be read.
pub async fn read(services: &Services, access: &MetaAccess, id: &str, run: &str) -> Result<RunOut, Problem> {
    let integration = find(services, access, id).await?;
    let run = RunId::parse(run).map_err(|_| Problem::not_found("run"))?;
    read_run(services, access, &integration, &run).await
}

async fn read_run(services: &Services, access: &MetaAccess, of: &Integration, id: &RunId) -> Result<RunOut, Problem> {
    let run = services.table.run(&access.scope, id).await?.filter(|run| run.integration_id == of.id);
    run.map(shown).ok_or_else(|| Problem::not_found("run"))
}

fn shown(run: Run) -> RunOut {
    RunOut { state: run.state(crate::clock::now()), run }
}

async fn begin(
    services: &Services,
    access: &MetaAccess,
    integration: &Integration,
    kind: FoundBy,
    since: Timestamp,
    assign: bool,
) -> Result<Run, Problem> {
    let mut pages = services.table.pages_of(&access.scope, &integration.id).await?;
    pages.retain(|page: &Connection| page.is_connected() && page.ended.is_none());
    let run = Run {
        id: RunId::new(),
        integration_id: integration.id.clone(),
        kind,
        since,
        assign,
        asked_by: access.caller.user.clone(),
        asked_at: crate::clock::now(),
        pages: pages.into_iter().map(|page| page.page_id).collect(),
        pages_done: Default::default(),
        found: 0,
        settled: 0,
        problems: Vec::new(),
    };
    services.table.insert_run(&access.scope, &run).await?;
    Ok(run)
}

/// Leaves a run to lead-sweep, page by page.
async fn queue(services: &Services, access: &MetaAccess, run: &Run) -> Result<(), Problem> {
    let job = |page: &PageId| {
        let (org, integration_id) = (access.scope.org().clone(), run.integration_id.clone());
        SweepJob { org, integration_id, everything: true, run: Some((run.id.clone(), page.clone())) }
    };
    let jobs: Vec<SweepJob> = run.pages.iter().map(job).collect();
    Ok(services.sweeps.send(&jobs).await.map_err(WorkError::from)?)
}
