//! How a form's answers map to a lead's fields.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use leadwire::http::Problem;
use leadwire::http::path::Id;
use leadwire::ids::FormId;
use leadwire::leads::{MappingIn, MappingOut, Preview, PreviewIn, Rerun, RerunIn};

use crate::access::{Failure, MetaAccess, OrgHeader};
use crate::input::Input;
use crate::state::Api;

/// How a form's answers are read
#[utoipa::path(
    get, path = "/api/meta/forms/{id}/mapping", tag = "forms", operation_id = "readMapping",
    params(("id" = String, Path), OrgHeader),
    responses((status = 200, body = MappingOut), Failure)
)]
pub(crate) async fn read(
    State(api): State<Arc<Api>>,
    MetaAccess(access): MetaAccess,
    Id(id): Id<FormId>,
) -> Result<Json<MappingOut>, Problem> {
    Ok(Json(api.leads.mapping(&access, &id).await?))
}

/// Say how a form's answers are read
///
/// It holds for leads that come from now on; `…/mapping/rerun` reads earlier ones anew.
#[utoipa::path(
    put, path = "/api/meta/forms/{id}/mapping", tag = "forms", operation_id = "changeMapping",
    params(("id" = String, Path), OrgHeader),
    request_body = MappingIn,
    responses((status = 200, body = MappingOut), Failure)
)]
pub(crate) async fn change(
    State(api): State<Arc<Api>>,
    MetaAccess(access): MetaAccess,
    Id(id): Id<FormId>,
    Input(input): Input<MappingIn>,
) -> Result<Json<MappingOut>, Problem> {
    Ok(Json(api.leads.set_mapping(&access, &id, input).await?))
}

/// Try a mapping on a real lead
///
/// Nothing is changed.
#[utoipa::path(
    post, path = "/api/meta/forms/{id}/mapping/preview", tag = "forms", operation_id = "previewMapping",
    params(("id" = String, Path), OrgHeader),
    request_body = PreviewIn,
    responses((status = 200, body = Preview), Failure)
)]
pub(crate) async fn preview(
    State(api): State<Arc<Api>>,
    MetaAccess(access): MetaAccess,
    Id(id): Id<FormId>,
    Input(input): Input<PreviewIn>,
) -> Result<Json<Preview>, Problem> {
    Ok(Json(api.leads.preview_mapping(&access, &id, input).await?))
}

/// Read a form's earlier leads anew
///
/// By the mapping as it is now, newest first, some at a time: call again with `next_cursor` until it is `null`. Leads
/// that read otherwise are changed and told as `lead.updated`.
#[utoipa::path(
    post, path = "/api/meta/forms/{id}/mapping/rerun", tag = "forms", operation_id = "rerunMapping",
    params(("id" = String, Path), OrgHeader),
    request_body = RerunIn,
    responses((status = 200, body = Rerun), Failure)
)]
pub(crate) async fn rerun(
    State(api): State<Arc<Api>>,
    MetaAccess(access): MetaAccess,
    Id(id): Id<FormId>,
    Input(input): Input<RerunIn>,
) -> Result<Json<Rerun>, Problem> {
    Ok(Json(api.leads.remap(&access, &id, input).await?))
}
