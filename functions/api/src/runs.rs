//! Requested searches for leads.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use http::StatusCode;
use leadwire::admin::runs::{self, BackfillIn, RunList, RunOut};
use leadwire::http::Problem;

use crate::access::MetaAccess;
use crate::input::Input;
use crate::state::Api;

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
    MetaAccess(access): MetaAccess,
    Path(id): Path<String>,
) -> Result<(StatusCode, Json<RunOut>), Problem> {
    Ok((StatusCode::ACCEPTED, Json(runs::sync(&api.services, &access, &id).await?)))
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
    MetaAccess(access): MetaAccess,
    Path(id): Path<String>,
    Input(given): Input<BackfillIn>,
) -> Result<(StatusCode, Json<RunOut>), Problem> {
    Ok((StatusCode::ACCEPTED, Json(runs::backfill(&api.services, &access, &id, given).await?)))
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
    MetaAccess(access): MetaAccess,
    Path(id): Path<String>,
) -> Result<Json<RunList>, Problem> {
    runs::list(&api.services, &access, &id).await.map(Json)
}

/// One search
#[utoipa::path(
    get, path = "/api/meta/integrations/{id}/runs/{run}", tag = "leads", operation_id = "readRun",
    params(("id" = String, Path), ("run" = String, Path), ("orgid" = String, Header, description = "The org to act for")),
    responses((status = 200, body = RunOut), (status = "4XX", body = Problem, content_type = "application/problem+json"))
)]
pub(crate) async fn read(
    State(api): State<Arc<Api>>,
    MetaAccess(access): MetaAccess,
    Path((id, run)): Path<(String, String)>,
) -> Result<Json<RunOut>, Problem> {
    runs::read(&api.services, &access, &id, &run).await.map(Json)
}
