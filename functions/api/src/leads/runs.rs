//! Requested syncs and backfills of leads.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use http::StatusCode;
use leadwire::http::path::Id;
use leadwire::http::{ACT_TIMEOUT, Problem};
use leadwire::ids::{IntegrationId, RunId};
use leadwire::leads::{BackfillIn, RunList, RunOut};

use crate::access::{MetaAccess, OrgHeader};
use crate::input::Input;
use crate::state::Api;

/// Sync an integration's leads now
///
/// Compares the last 48 hours of every form with the ingested leads, and ingests the missing ones. The response reports
/// what was found; `GET …/runs/{run}` reports the progress of ingesting it.
#[utoipa::path(
    post, path = "/api/meta/integrations/{id}/sync", tag = "leads", operation_id = "syncIntegration",
    params(("id" = IntegrationId, Path), OrgHeader),
    responses((status = 202, body = RunOut))
)]
pub(crate) async fn sync(
    State(api): State<Arc<Api>>,
    MetaAccess(access): MetaAccess,
    Id(id): Id<IntegrationId>,
) -> Result<(StatusCode, Json<RunOut>), Problem> {
    Ok((StatusCode::ACCEPTED, Json(api.rooms.leads.sync(&access, &id, ACT_TIMEOUT).await?)))
}

/// Backfill leads from before the connection
///
/// Ingests what Meta still has of the last days, 90 at most. The search runs in the background; `GET …/runs/{run}`
/// reports its progress. Leads that are already stored are not ingested again.
#[utoipa::path(
    post, path = "/api/meta/integrations/{id}/backfill", tag = "leads", operation_id = "backfillIntegration",
    params(("id" = IntegrationId, Path), OrgHeader),
    request_body = BackfillIn,
    responses((status = 202, body = RunOut))
)]
pub(crate) async fn backfill(
    State(api): State<Arc<Api>>,
    MetaAccess(access): MetaAccess,
    Id(id): Id<IntegrationId>,
    Input(input): Input<BackfillIn>,
) -> Result<(StatusCode, Json<RunOut>), Problem> {
    Ok((StatusCode::ACCEPTED, Json(api.rooms.leads.backfill(&access, &id, input).await?)))
}

/// List an integration's runs
///
/// The syncs and backfills that users requested lately, newest first.
#[utoipa::path(
    get, path = "/api/meta/integrations/{id}/runs", tag = "leads", operation_id = "listRuns",
    params(("id" = IntegrationId, Path), OrgHeader),
    responses((status = 200, body = RunList))
)]
pub(crate) async fn list(
    State(api): State<Arc<Api>>,
    MetaAccess(access): MetaAccess,
    Id(id): Id<IntegrationId>,
) -> Result<Json<RunList>, Problem> {
    Ok(Json(api.rooms.leads.runs(&access, &id).await?))
}

/// Get a run
#[utoipa::path(
    get, path = "/api/meta/integrations/{id}/runs/{run}", tag = "leads", operation_id = "readRun",
    params(("id" = IntegrationId, Path), ("run" = RunId, Path), OrgHeader),
    responses((status = 200, body = RunOut))
)]
pub(crate) async fn read(
    State(api): State<Arc<Api>>,
    MetaAccess(access): MetaAccess,
    Id(id): Id<IntegrationId>,
    Id(run): Id<RunId>,
) -> Result<Json<RunOut>, Problem> {
    Ok(Json(api.rooms.leads.run(&access, &id, &run).await?))
}
