//! Uploaded pictures and videos.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use http::StatusCode;
use leadwire::http::Problem;
use leadwire::http::path::Id;
use leadwire::ids::MediaId;
use leadwire::publishing::{MediaIn, MediaOut, MediaUpload};

use crate::access::{Author, OrgHeader};
use crate::input::Input;
use crate::state::Api;

/// Upload a picture or a video
///
/// Answers where to send the file: `PUT` it to `upload_url` with the same `content-type` and exactly `size` bytes, within
/// 15 minutes. `address` then stands for the file wherever a post takes the address of a picture or a video. Files are
/// private, are checked by their own header when a post names them, and are deleted after 45 days.
#[utoipa::path(
    post, path = "/api/media", tag = "publishing", operation_id = "uploadMedia",
    params(OrgHeader),
    request_body = MediaIn,
    responses((status = 201, body = MediaUpload))
)]
pub(crate) async fn create(
    State(api): State<Arc<Api>>,
    Author(access): Author,
    Input(input): Input<MediaIn>,
) -> Result<(StatusCode, Json<MediaUpload>), Problem> {
    Ok((StatusCode::CREATED, Json(api.rooms.publishing.begin_upload(&access, &input).await?)))
}

/// Get an uploaded file
///
/// What it is, and for each use why Meta would refuse it. 404 until it has been uploaded.
#[utoipa::path(
    get, path = "/api/media/{id}", tag = "publishing", operation_id = "readMedia",
    params(("id" = MediaId, Path), OrgHeader),
    responses((status = 200, body = MediaOut))
)]
pub(crate) async fn read(
    State(api): State<Arc<Api>>,
    Author(access): Author,
    Id(id): Id<MediaId>,
) -> Result<Json<MediaOut>, Problem> {
    Ok(Json(api.rooms.publishing.media(&access, &id).await?))
}
