//! Leads that wait for somebody to remove what keeps them out.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use http::StatusCode;
use serde::{Deserialize, Serialize};
use shared::http::Problem;
use shared::intake::{parked, replay as replay_leads};
use shared::table::parked::ParkedLead;
use utoipa::ToSchema;

use crate::access::{Access, MetaAccess};
use crate::input::Input;
use crate::router::Api;

/// Parked leads.
#[derive(Serialize, ToSchema)]
pub(crate) struct ParkedList {
    items: Vec<ParkedLead>,
    /// Always `null`: all are listed.
    next_cursor: Option<String>,
}

/// Which parked leads to try again.
#[derive(Deserialize, ToSchema)]
pub(crate) struct ReplayRequest {
    /// Their leadgen ids; all if left out.
    leadgen_ids: Option<Vec<String>>,
}

/// What was put back into the queue.
#[derive(Serialize, ToSchema)]
pub(crate) struct Replayed {
    /// How many. One that fails again is parked again.
    replayed: usize,
}

/// What is parked
#[utoipa::path(
    get, path = "/api/parked", tag = "leads", operation_id = "listParked",
    params(("orgid" = String, Header, description = "The org to act for")),
    responses((status = 200, body = ParkedList), (status = "4XX", body = Problem, content_type = "application/problem+json"))
)]
pub(crate) async fn list(
    State(api): State<Arc<Api>>,
    MetaAccess(Access { scope, .. }): MetaAccess,
) -> Result<Json<ParkedList>, Problem> {
    Ok(Json(ParkedList { items: parked(&api.table, &scope).await?, next_cursor: None }))
}

/// Try parked leads again
#[utoipa::path(
    post, path = "/api/parked/replay", tag = "leads", operation_id = "replayParked",
    params(("orgid" = String, Header, description = "The org to act for")),
    request_body = ReplayRequest,
    responses((status = 202, body = Replayed), (status = "4XX", body = Problem, content_type = "application/problem+json"))
)]
pub(crate) async fn replay(
    State(api): State<Arc<Api>>,
    MetaAccess(Access { scope, .. }): MetaAccess,
    Input(request): Input<ReplayRequest>,
) -> Result<(StatusCode, Json<Replayed>), Problem> {
    let mut parked = parked(&api.table, &scope).await?;
    if let Some(ids) = &request.leadgen_ids {
        parked.retain(|lead| ids.iter().any(|id| id == lead.leadgen_id.as_str()));
    }
    replay_leads(&api.table, &api.leads, &scope, &parked).await?;
    Ok((StatusCode::ACCEPTED, Json(Replayed { replayed: parked.len() })))
}
