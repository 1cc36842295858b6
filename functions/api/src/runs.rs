//! Searches for leads that somebody asks for: new ones now, and those from before the connection.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::{Path, State};
use http::StatusCode;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use shared::error::WorkError;
use shared::http::Problem;
use shared::ids::{OrgScope, PageId, RunId, UserId};
use shared::intake::{CatchUp, Search, SweepJob, cannot_search};
use shared::model::integration::{Connection, Integration};
use shared::model::lead::FoundBy;
use shared::model::run::{Run, RunState};
use utoipa::ToSchema;

use crate::access::{Access, MetaAccess};
use crate::input::Input;
use crate::integrations::find;
use crate::router::Api;
use crate::usable::{needs_token, of_meta};

/// Days that a backfill looks back at most: Meta keeps leads for so long.
const MOST_DAYS: u16 = 90;
/// How far a sync looks back at least.
const SYNC_LOOKS_BACK: SignedDuration = SignedDuration::from_hours(48);
/// What a sync does not search in this time is searched by lead-sweep: whoever asked waits for an answer.
const AT_ONCE: Duration = Duration::from_secs(15);
/// A backfill that is not done after this has stopped, and the next may begin.
const STOPPED: SignedDuration = SignedDuration::from_hours(1);

/// A search.
#[derive(Serialize, ToSchema)]
pub(crate) struct RunOut {
    #[serde(flatten)]
    run: Run,
    /// How far it is.
    state: RunState,
}

/// Searches.
#[derive(Serialize, ToSchema)]
pub(crate) struct RunList {
    items: Vec<RunOut>,
    /// Always `null`: only the latest are listed.
    next_cursor: Option<String>,
}

/// Which leads to bring in from before the connection.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct BackfillIn {
    /// How many days back, 1 to 90.
    #[schema(minimum = 1, maximum = 90)]
    days: u16,
    /// Whether they are assigned as the integration says; to nobody if left out.
    #[serde(default)]
    assign: bool,
}

/// Fetch new leads now
///
/// Compares the last 48 hours of every form with what came in, and brings in what did not. The answer says what was
/// found; `GET …/runs/{run}` says how far bringing it in has come.
#[utoipa::path(
    post, path = "/api/meta/integrations/{id}/sync", tag = "leads", operation_id = "syncIntegration",
    params(("id" = String, Path), ("orgid" = String, Header, description = "The org to act for")),
    responses((status = 202, body = RunOut), (status = "4XX", body = Problem, content_type = "application/problem+json"))
)]
pub(crate) async fn sync(
    State(api): State<Arc<Api>>,
    MetaAccess(Access { scope, caller }): MetaAccess,
    Path(id): Path<String>,
) -> Result<(StatusCode, Json<RunOut>), Problem> {
    let integration = find(&api, &scope, &id).await?;
    let now = shared::clock::now();
    needs_token(&integration, now)?;
    let run = begin(&api, &scope, &integration, FoundBy::Sync, now - SYNC_LOOKS_BACK, true, caller.user).await?;
    let catch_up = CatchUp { meta: &api.connector.meta, table: &api.table, leads: &api.leads };
    let search = Search::of_run(&run, None, now);
    match tokio::time::timeout(AT_ONCE, catch_up.run(&scope, &integration, &search, now)).await {
        Ok(Ok(_)) => {}
        Ok(Err(error)) => {
            // Pages that could be searched are; the others say why not, and the run has its end.
            for page in &run.pages {
                cannot_search(&api.table, &scope, &run.id, page, error.code(), &error.to_string()).await?;
            }
            return Err(of_meta(&api, &scope, &integration, error).await);
        }
        Err(_) => queue(&api, &scope, &run).await?,
    }
    Ok((StatusCode::ACCEPTED, Json(read_run(&api, &scope, &integration, &run.id).await?)))
}

/// Bring in leads from before the connection
///
/// What Meta still has of the last days, 90 at most. It is searched in the background; `GET …/runs/{run}` says how far it
/// is. Leads that are in are not brought in again.
#[utoipa::path(
    post, path = "/api/meta/integrations/{id}/backfill", tag = "leads", operation_id = "backfillIntegration",
    params(("id" = String, Path), ("orgid" = String, Header, description = "The org to act for")),
    request_body = BackfillIn,
    responses((status = 202, body = RunOut), (status = "4XX", body = Problem, content_type = "application/problem+json"))
)]
pub(crate) async fn backfill(
    State(api): State<Arc<Api>>,
    MetaAccess(Access { scope, caller }): MetaAccess,
    Path(id): Path<String>,
    Input(given): Input<BackfillIn>,
) -> Result<(StatusCode, Json<RunOut>), Problem> {
    let integration = find(&api, &scope, &id).await?;
    let now = shared::clock::now();
    needs_token(&integration, now)?;
    if !(1..=MOST_DAYS).contains(&given.days) {
        return Err(Problem::field(
            "days",
            "days_invalid",
            format!("A whole number from 1 to {MOST_DAYS}: Meta keeps leads for {MOST_DAYS} days."),
        ));
    }
    let of_integration = api.table.runs(&scope).await?.into_iter().filter(|run| run.integration_id == integration.id);
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
    let run = begin(&api, &scope, &integration, FoundBy::Backfill, since, given.assign, caller.user).await?;
    queue(&api, &scope, &run).await?;
    Ok((StatusCode::ACCEPTED, Json(shown(run))))
}

/// An integration's searches
///
/// Those that somebody asked for lately, newest first.
#[utoipa::path(
    get, path = "/api/meta/integrations/{id}/runs", tag = "leads", operation_id = "listRuns",
    params(("id" = String, Path), ("orgid" = String, Header, description = "The org to act for")),
    responses((status = 200, body = RunList), (status = "4XX", body = Problem, content_type = "application/problem+json"))
)]
pub(crate) async fn list(
    State(api): State<Arc<Api>>,
    MetaAccess(Access { scope, .. }): MetaAccess,
    Path(id): Path<String>,
) -> Result<Json<RunList>, Problem> {
    let integration = find(&api, &scope, &id).await?;
    let mut runs = api.table.runs(&scope).await?;
    runs.retain(|run| run.integration_id == integration.id);
    Ok(Json(RunList { items: runs.into_iter().map(shown).collect(), next_cursor: None }))
}

/// One search
#[utoipa::path(
    get, path = "/api/meta/integrations/{id}/runs/{run}", tag = "leads", operation_id = "readRun",
    params(("id" = String, Path), ("run" = String, Path), ("orgid" = String, Header, description = "The org to act for")),
    responses((status = 200, body = RunOut), (status = "4XX", body = Problem, content_type = "application/problem+json"))
)]
pub(crate) async fn read(
    State(api): State<Arc<Api>>,
    MetaAccess(Access { scope, .. }): MetaAccess,
    Path((id, run)): Path<(String, String)>,
) -> Result<Json<RunOut>, Problem> {
    let integration = find(&api, &scope, &id).await?;
    let run = RunId::parse(&run).map_err(|_| Problem::not_found("run"))?;
    Ok(Json(read_run(&api, &scope, &integration, &run).await?))
}

async fn read_run(api: &Api, scope: &OrgScope, of: &Integration, id: &RunId) -> Result<RunOut, Problem> {
    let run = api.table.run(scope, id).await?.filter(|run| run.integration_id == of.id);
    run.map(shown).ok_or_else(|| Problem::not_found("run"))
}

fn shown(run: Run) -> RunOut {
    RunOut { state: run.state(shared::clock::now()), run }
}

async fn begin(
    api: &Api,
    scope: &OrgScope,
    integration: &Integration,
    kind: FoundBy,
    since: Timestamp,
    assign: bool,
    asked_by: UserId,
) -> Result<Run, Problem> {
    let mut pages = api.table.pages_of(scope, &integration.id).await?;
    pages.retain(|page: &Connection| page.is_connected() && page.ended.is_none());
    let run = Run {
        id: RunId::new(),
        integration_id: integration.id.clone(),
        kind,
        since,
        assign,
        asked_by,
        asked_at: shared::clock::now(),
        pages: pages.into_iter().map(|page| page.page_id).collect(),
        pages_done: Default::default(),
        found: 0,
        settled: 0,
        problems: Vec::new(),
    };
    api.table.insert_run(scope, &run).await?;
    Ok(run)
}

/// Leaves a run to lead-sweep, page by page.
async fn queue(api: &Api, scope: &OrgScope, run: &Run) -> Result<(), Problem> {
    let message = |page: &PageId| {
        let (org, integration_id) = (scope.org().clone(), run.integration_id.clone());
        SweepJob { org, integration_id, everything: true, run: Some((run.id.clone(), page.clone())) }.message()
    };
    Ok(api.sweeps.send_all(run.pages.iter().map(message).collect()).await.map_err(WorkError::from)?)
}
