//! Parked leads: those that wait until an obstacle is removed.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use http::StatusCode;
use leadwire::http::{Problem, fields};
use leadwire::leads::{ParkedList, ReplayRequest, Replayed};
use serde::Deserialize;
use utoipa::IntoParams;

use crate::access::{Failure, MetaAccess, OrgHeader};
use crate::input::{Input, Params};
use crate::state::Api;

/// The page of the list.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct ParkedQuery {
    /// `next_cursor` of the previous response.
    cursor: Option<String>,
    /// 1 to 100; 25 by default.
    limit: Option<String>,
}

/// List parked leads
#[utoipa::path(
    get, path = "/api/parked", tag = "leads", operation_id = "listParked",
    params(ParkedQuery, OrgHeader),
    responses((status = 200, body = ParkedList), Failure)
)]
pub(crate) async fn list(
    State(api): State<Arc<Api>>,
    MetaAccess(access): MetaAccess,
    Params(query): Params<ParkedQuery>,
) -> Result<Json<ParkedList>, Problem> {
    let limit = fields::limit(query.limit.as_deref(), fields::DEFAULT_LIMIT, fields::MAX_LIMIT)?;
    Ok(Json(api.leads.parked(&access, query.cursor.as_deref(), limit).await?))
}

/// Replay parked leads
///
/// Puts them back into the queue.
#[utoipa::path(
    post, path = "/api/parked/replay", tag = "leads", operation_id = "replayParked",
    params(OrgHeader),
    request_body = ReplayRequest,
    responses((status = 202, body = Replayed), Failure)
)]
pub(crate) async fn replay(
    State(api): State<Arc<Api>>,
    MetaAccess(access): MetaAccess,
    Input(request): Input<ReplayRequest>,
) -> Result<(StatusCode, Json<Replayed>), Problem> {
    Ok((StatusCode::ACCEPTED, Json(api.leads.replay(&access, request).await?)))
}
