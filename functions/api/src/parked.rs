//! Leads that wait for somebody to remove what keeps them out.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use http::StatusCode;
use serde::{Deserialize, Serialize};
use shared::http::{Problem, cursor, place};
use shared::ids::LeadId;
use shared::intake::{Replaying, parked, parked_from, replay as replay_leads};
use shared::table::parked::ParkedLead;
use utoipa::{IntoParams, ToSchema};

use crate::access::{Access, MetaAccess};
use crate::input::{self, Input, Params};
use crate::router::Api;

/// Parked leads.
#[derive(Serialize, ToSchema)]
pub(crate) struct ParkedList {
    items: Vec<ParkedLead>,
    /// Pass it as `cursor` to go on; `null` at the end. It may be there although fewer than asked for were found.
    next_cursor: Option<String>,
}

/// What cursors of this list are good for.
const LIST: &str = "parked";

/// How much of the list.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct ParkedQuery {
    /// `next_cursor` of the previous answer.
    cursor: Option<String>,
    /// 1 to 100; 25 if left out.
    limit: Option<String>,
}

/// Which parked leads to try again.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
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
    params(ParkedQuery, ("orgid" = String, Header, description = "The org to act for")),
    responses((status = 200, body = ParkedList), (status = "4XX", body = Problem, content_type = "application/problem+json"))
)]
pub(crate) async fn list(
    State(api): State<Arc<Api>>,
    MetaAccess(Access { scope, .. }): MetaAccess,
    Params(query): Params<ParkedQuery>,
) -> Result<Json<ParkedList>, Problem> {
    let after: Option<LeadId> = query.cursor.map(|given| place(&api.key, &scope, LIST, &given)).transpose()?;
    let limit = input::limit(query.limit.as_deref())?;
    let (items, next) = parked_from(&api.table, &scope, after.as_ref(), limit).await?;
    Ok(Json(ParkedList { items, next_cursor: next.map(|lead| cursor(&api.key, &scope, LIST, &lead)) }))
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
    MetaAccess(Access { scope, caller }): MetaAccess,
    Input(request): Input<ReplayRequest>,
) -> Result<(StatusCode, Json<Replayed>), Problem> {
    let mut parked = parked(&api.table, &scope).await?;
    if let Some(ids) = &request.leadgen_ids {
        parked.retain(|lead| ids.iter().any(|id| id == lead.leadgen_id.as_str()));
    }
    replay_leads(&api.table, &api.leads, &scope, &parked, Replaying::By(&caller.user)).await?;
    Ok((StatusCode::ACCEPTED, Json(Replayed { replayed: parked.len() })))
}
