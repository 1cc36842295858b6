//! How a form's answers map to a lead's fields.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use leadwire::admin::mapping::{self, MappingIn, MappingOut, Preview, PreviewIn, Rerun, RerunIn};
use leadwire::http::Problem;

use crate::access::MetaAccess;
use crate::input::Input;
use crate::state::Api;

/// How a form's answers are read
#[utoipa::path(
    get, path = "/api/meta/forms/{id}/mapping", tag = "forms", operation_id = "readMapping",
    params(("id" = String, Path), ("orgid" = String, Header, description = "The org to act for")),
    responses((status = 200, body = MappingOut), (status = "4XX", body = Problem, content_type = "application/problem+json"))
)]
pub(crate) async fn read(
    State(api): State<Arc<Api>>,
    MetaAccess(access): MetaAccess,
    Path(id): Path<String>,
) -> Result<Json<MappingOut>, Problem> {
    mapping::read(&api.services, &access, &id).await.map(Json)
}

/// Say how a form's answers are read
///
/// It holds for leads that come from now on; `…/mapping/rerun` reads earlier ones anew.
#[utoipa::path(
    put, path = "/api/meta/forms/{id}/mapping", tag = "forms", operation_id = "changeMapping",
    params(("id" = String, Path), ("orgid" = String, Header, description = "The org to act for")),
    request_body = MappingIn,
    responses((status = 200, body = MappingOut), (status = "4XX", body = Problem, content_type = "application/problem+json"))
)]
pub(crate) async fn change(
    State(api): State<Arc<Api>>,
    MetaAccess(access): MetaAccess,
    Path(id): Path<String>,
    Input(given): Input<MappingIn>,
) -> Result<Json<MappingOut>, Problem> {
    mapping::change(&api.services, &access, &id, given).await.map(Json)
}

/// Try a mapping on a real lead
///
/// Nothing is changed.
#[utoipa::path(
    post, path = "/api/meta/forms/{id}/mapping/preview", tag = "forms", operation_id = "previewMapping",
    params(("id" = String, Path), ("orgid" = String, Header, description = "The org to act for")),
    request_body = PreviewIn,
    responses((status = 200, body = Preview), (status = "4XX", body = Problem, content_type = "application/problem+json"))
)]
pub(crate) async fn preview(
    State(api): State<Arc<Api>>,
    MetaAccess(access): MetaAccess,
    Path(id): Path<String>,
    Input(given): Input<PreviewIn>,
) -> Result<Json<Preview>, Problem> {
    mapping::preview(&api.services, &access, &id, given).await.map(Json)
}

/// Read a form's earlier leads anew
///
/// By the mapping as it is now, newest first, some at a time: call again with `next_cursor` until it is `null`. Leads
/// that read otherwise are changed and told as `lead.updated`.
#[utoipa::path(
    post, path = "/api/meta/forms/{id}/mapping/rerun", tag = "forms", operation_id = "rerunMapping",
    params(("id" = String, Path), ("orgid" = String, Header, description = "The org to act for")),
    request_body = RerunIn,
    responses((status = 200, body = Rerun), (status = "4XX", body = Problem, content_type = "application/problem+json"))
)]
pub(crate) async fn rerun(
    State(api): State<Arc<Api>>,
    MetaAccess(access): MetaAccess,
    Path(id): Path<String>,
    Input(given): Input<RerunIn>,
) -> Result<Json<Rerun>, Problem> {
    mapping::rerun(&api.services, &access, &id, given).await.map(Json)
}
