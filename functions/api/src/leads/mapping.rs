//! How a form's answers map to a lead's fields.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use leadwire::http::Problem;
use leadwire::http::path::Id;
use leadwire::ids::FormId;
use leadwire::leads::{MappingIn, MappingOut, Preview, PreviewIn, Rerun, RerunIn};

use crate::access::{MetaAccess, OrgHeader};
use crate::input::Input;
use crate::state::Api;

/// Get a form's mapping
///
/// How the form's answers map to the fields of a lead.
#[utoipa::path(
    get, path = "/api/meta/forms/{id}/mapping", tag = "forms", operation_id = "readMapping",
    params(("id" = FormId, Path), OrgHeader),
    responses((status = 200, body = MappingOut))
)]
pub(crate) async fn read(
    State(api): State<Arc<Api>>,
    MetaAccess(access): MetaAccess,
    Id(id): Id<FormId>,
) -> Result<Json<MappingOut>, Problem> {
    Ok(Json(api.rooms.leads.mapping(&access, &id).await?))
}

/// Set a form's mapping
///
/// It applies to leads that arrive from now on; `…/mapping/rerun` re-maps earlier ones.
#[utoipa::path(
    put, path = "/api/meta/forms/{id}/mapping", tag = "forms", operation_id = "changeMapping",
    params(("id" = FormId, Path), OrgHeader),
    request_body = MappingIn,
    responses((status = 200, body = MappingOut))
)]
pub(crate) async fn change(
    State(api): State<Arc<Api>>,
    MetaAccess(access): MetaAccess,
    Id(id): Id<FormId>,
    Input(input): Input<MappingIn>,
) -> Result<Json<MappingOut>, Problem> {
    Ok(Json(api.rooms.leads.set_mapping(&access, &id, input).await?))
}

/// Preview a mapping on a real lead
///
/// Changes nothing.
#[utoipa::path(
    post, path = "/api/meta/forms/{id}/mapping/preview", tag = "forms", operation_id = "previewMapping",
    params(("id" = FormId, Path), OrgHeader),
    request_body = PreviewIn,
    responses((status = 200, body = Preview))
)]
pub(crate) async fn preview(
    State(api): State<Arc<Api>>,
    MetaAccess(access): MetaAccess,
    Id(id): Id<FormId>,
    Input(input): Input<PreviewIn>,
) -> Result<Json<Preview>, Problem> {
    Ok(Json(api.rooms.leads.preview_mapping(&access, &id, input).await?))
}

/// Re-map a form's earlier leads
///
/// Applies the current mapping, newest leads first, a batch at a time: call again with `next_cursor` until it is
/// `null`. Leads whose fields change are updated and published as `lead.updated`.
#[utoipa::path(
    post, path = "/api/meta/forms/{id}/mapping/rerun", tag = "forms", operation_id = "rerunMapping",
    params(("id" = FormId, Path), OrgHeader),
    request_body = RerunIn,
    responses((status = 200, body = Rerun))
)]
pub(crate) async fn rerun(
    State(api): State<Arc<Api>>,
    MetaAccess(access): MetaAccess,
    Id(id): Id<FormId>,
    Input(input): Input<RerunIn>,
) -> Result<Json<Rerun>, Problem> {
    Ok(Json(api.rooms.leads.remap(&access, &id, input).await?))
}
