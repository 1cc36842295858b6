//! Parked leads: those that wait until an obstacle is removed.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use http::StatusCode;
use leadwire::http::Problem;
use leadwire::leads::{Dismissed, ParkedList, ParkedSelection, Replayed};

use crate::access::{MetaAccess, OrgHeader};
use crate::input::{Input, Parameters};
use crate::schemas::{Cursor, Limit};
use crate::state::Api;

/// List parked leads
#[utoipa::path(
    get, path = "/api/parked", tag = "leads", operation_id = "listParked",
    params(("cursor" = Option<Cursor>, Query), ("limit" = Option<Limit>, Query), OrgHeader),
    responses((status = 200, body = ParkedList))
)]
pub(crate) async fn list(
    State(api): State<Arc<Api>>,
    MetaAccess(access): MetaAccess,
    parameters: Parameters,
) -> Result<Json<ParkedList>, Problem> {
    parameters.check(&["cursor", "limit"])?;
    Ok(Json(api.rooms.leads.parked(&access, parameters.get("cursor"), parameters.limit()?).await?))
}

/// Replay parked leads
///
/// Puts them back into the queue.
#[utoipa::path(
    post, path = "/api/parked/replay", tag = "leads", operation_id = "replayParked",
    params(OrgHeader),
    request_body = ParkedSelection,
    responses((status = 202, body = Replayed))
)]
pub(crate) async fn replay(
    State(api): State<Arc<Api>>,
    MetaAccess(access): MetaAccess,
    Input(request): Input<ParkedSelection>,
) -> Result<(StatusCode, Json<Replayed>), Problem> {
    Ok((StatusCode::ACCEPTED, Json(api.rooms.leads.replay(&access, request).await?)))
}

/// Dismiss parked leads
///
/// They leave the list, are not parked again, and are left out by searches and backfills. An import of Meta's own file
/// still brings them in; Meta keeps each lead for 90 days.
#[utoipa::path(
    post, path = "/api/parked/dismiss", tag = "leads", operation_id = "dismissParked",
    params(OrgHeader),
    request_body = ParkedSelection,
    responses((status = 200, body = Dismissed))
)]
pub(crate) async fn dismiss(
    State(api): State<Arc<Api>>,
    MetaAccess(access): MetaAccess,
    Input(request): Input<ParkedSelection>,
) -> Result<Json<Dismissed>, Problem> {
    Ok(Json(api.rooms.leads.dismiss(&access, request).await?))
}
