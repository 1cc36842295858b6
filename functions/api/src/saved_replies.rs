//! Saved replies.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use http::StatusCode;
use leadwire::http::Problem;
use leadwire::http::path::Id;
use leadwire::ids::SavedReplyId;
use leadwire::inbox::SavedReplyIn;
use leadwire::model::inbox::saved_reply::SavedReply;
use serde::Serialize;
use utoipa::ToSchema;

use crate::access::{Member, OrgHeader};
use crate::input::Input;
use crate::state::Api;

/// All saved replies of an org, by title.
#[derive(Serialize, ToSchema)]
pub(crate) struct SavedReplyList {
    items: Vec<SavedReply>,
}

/// List saved replies
///
/// Texts that the org keeps for answers it writes often.
#[utoipa::path(
    get, path = "/api/saved-replies", tag = "inbox", operation_id = "listSavedReplies", params(OrgHeader),
    responses((status = 200, body = SavedReplyList))
)]
pub(crate) async fn list(State(api): State<Arc<Api>>, Member(access): Member) -> Result<Json<SavedReplyList>, Problem> {
    Ok(Json(SavedReplyList { items: api.rooms.inbox.saved_replies(&access).await? }))
}

/// Save a reply
///
/// An org has at most 200.
#[utoipa::path(
    post, path = "/api/saved-replies", tag = "inbox", operation_id = "createSavedReply", params(OrgHeader),
    request_body = SavedReplyIn,
    responses((status = 201, body = SavedReply))
)]
pub(crate) async fn create(
    State(api): State<Arc<Api>>,
    Member(access): Member,
    Input(input): Input<SavedReplyIn>,
) -> Result<(StatusCode, Json<SavedReply>), Problem> {
    let reply = api.rooms.inbox.save_reply(&access, None, input, leadwire::clock::now()).await?;
    Ok((StatusCode::CREATED, Json(reply)))
}

/// Replace a saved reply
#[utoipa::path(
    put, path = "/api/saved-replies/{id}", tag = "inbox", operation_id = "changeSavedReply",
    params(("id" = SavedReplyId, Path), OrgHeader),
    request_body = SavedReplyIn,
    responses((status = 200, body = SavedReply))
)]
pub(crate) async fn change(
    State(api): State<Arc<Api>>,
    Member(access): Member,
    Id(id): Id<SavedReplyId>,
    Input(input): Input<SavedReplyIn>,
) -> Result<Json<SavedReply>, Problem> {
    Ok(Json(api.rooms.inbox.save_reply(&access, Some(&id), input, leadwire::clock::now()).await?))
}

/// Delete a saved reply
///
/// Already deleted counts as success.
#[utoipa::path(
    delete, path = "/api/saved-replies/{id}", tag = "inbox", operation_id = "deleteSavedReply",
    params(("id" = SavedReplyId, Path), OrgHeader),
    responses((status = 204, description = "Deleted"))
)]
pub(crate) async fn delete(
    State(api): State<Arc<Api>>,
    Member(access): Member,
    Id(id): Id<SavedReplyId>,
) -> Result<StatusCode, Problem> {
    api.rooms.inbox.delete_saved_reply(&access, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}
