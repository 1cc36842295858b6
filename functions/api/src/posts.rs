//! Posts on pages and Instagram accounts.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use http::{HeaderMap, StatusCode};
use leadwire::error::ActError;
use leadwire::http::path::Id;
use leadwire::http::{Problem, ProblemCode};
use leadwire::ids::{PageId, PostId};
use leadwire::model::publishing::PostStatus;
use leadwire::once::OnceKey;
use leadwire::publishing::{
    ComposeIn, ComposedPosts, CreatedPost, InstagramPostIn, PagePostIn, PostChangeIn, PostList, PostOut, PostQuery,
};
use serde::Serialize;

use crate::access::{Author, OrgHeader};
use crate::input::{Input, Parameters};
use crate::schemas::{Cursor, Limit, Moment, RequestId};
use crate::state::Api;

/// Publish a post on a page
///
/// Takes the post and answers at once; `GET /api/posts/{id}` and the events `post.published` and `post.failed` report
/// what becomes of it. A request with an id of the caller's (`requestId` or the header `Idempotency-Key`) is carried out
/// once: for 30 days, the same request with the same id answers the same and does nothing.
#[utoipa::path(
    post, path = "/api/upstream/call/facebook-provider/post-to-page", tag = "publishing", operation_id = "postToPage",
    params(OrgHeader, ("Idempotency-Key" = Option<RequestId>, Header, description = "The same as `requestId`")),
    request_body = PagePostIn,
    responses((status = 202, body = CreatedPost))
)]
pub(crate) async fn post_to_page(
    State(api): State<Arc<Api>>,
    Author(access): Author,
    headers: HeaderMap,
    Input(input): Input<PagePostIn>,
) -> Result<(StatusCode, Json<CreatedPost>), Problem> {
    let once = once("post-to-page", "requestId", &headers, input.request_id.as_deref(), &input)?;
    Ok((StatusCode::ACCEPTED, Json(api.rooms.publishing.post_to_page(&access, input, once).await?)))
}

/// Publish a post on an Instagram account
///
/// A picture, a reel, a story or a carousel. `mediaUrl` and `caption` suffice. As for pages, the post is taken and
/// published in the background.
#[utoipa::path(
    post, path = "/api/upstream/call/facebook-provider/post-to-instagram", tag = "publishing",
    operation_id = "postToInstagram",
    params(OrgHeader, ("Idempotency-Key" = Option<RequestId>, Header, description = "The same as `requestId`")),
    request_body = InstagramPostIn,
    responses((status = 202, body = CreatedPost))
)]
pub(crate) async fn post_to_instagram(
    State(api): State<Arc<Api>>,
    Author(access): Author,
    headers: HeaderMap,
    Input(input): Input<InstagramPostIn>,
) -> Result<(StatusCode, Json<CreatedPost>), Problem> {
    let once = once("post-to-instagram", "requestId", &headers, input.request_id.as_deref(), &input)?;
    Ok((StatusCode::ACCEPTED, Json(api.rooms.publishing.post_to_instagram(&access, input, once).await?)))
}

/// Write a post for several targets
///
/// One text with its media for pages and Instagram accounts. It becomes one post for each target, in the same `group` and
/// with a fate of its own. All of them are taken, or none.
#[utoipa::path(
    post, path = "/api/posts", tag = "publishing", operation_id = "writePosts",
    params(OrgHeader, ("Idempotency-Key" = Option<RequestId>, Header, description = "The same as `request_id`")),
    request_body = ComposeIn,
    responses((status = 202, body = ComposedPosts))
)]
pub(crate) async fn write(
    State(api): State<Arc<Api>>,
    Author(access): Author,
    headers: HeaderMap,
    Input(input): Input<ComposeIn>,
) -> Result<(StatusCode, Json<ComposedPosts>), Problem> {
    let once = once("write-posts", "request_id", &headers, input.request_id.as_deref(), &input)?;
    Ok((StatusCode::ACCEPTED, Json(api.rooms.publishing.compose(&access, input, once).await?)))
}

/// List posts
///
/// Latest first: by when they were or are to be published, else by when they were written.
#[utoipa::path(
    get, path = "/api/posts", tag = "publishing", operation_id = "listPosts",
    params(
        OrgHeader,
        ("status" = Option<PostStatus>, Query),
        ("page_id" = Option<PageId>, Query),
        ("from" = Option<Moment>, Query),
        ("to" = Option<Moment>, Query, description = "Excluded"),
        ("cursor" = Option<Cursor>, Query), ("limit" = Option<Limit>, Query),
    ),
    responses((status = 200, body = PostList))
)]
pub(crate) async fn list(
    State(api): State<Arc<Api>>,
    Author(access): Author,
    parameters: Parameters,
) -> Result<Json<PostList>, Problem> {
    parameters.check(&["status", "page_id", "from", "to", "cursor", "limit"])?;
    let status = parameters.get("status").map(str::parse).transpose().map_err(|_| {
        let detail = "One of scheduled, queued, publishing, published, failed and cancelled.";
        Problem::field("status", ProblemCode::StatusUnknown, detail)
    })?;
    let query = PostQuery {
        status,
        page_id: parameters.id("page_id", PageId::parse)?,
        from: parameters.time("from")?,
        to: parameters.time("to")?,
    };
    let limit = parameters.limit()?;
    Ok(Json(api.rooms.publishing.posts(&access, &query, parameters.get("cursor"), limit).await?))
}

/// Get a post
///
/// With its trace: what happened to it, when and why.
#[utoipa::path(
    get, path = "/api/posts/{id}", tag = "publishing", operation_id = "readPost",
    params(("id" = PostId, Path), OrgHeader),
    responses((status = 200, body = PostOut))
)]
pub(crate) async fn read(
    State(api): State<Arc<Api>>,
    Author(access): Author,
    Id(id): Id<PostId>,
) -> Result<Json<PostOut>, Problem> {
    Ok(Json(api.rooms.publishing.post(&access, &id).await?))
}

/// Move a post
///
/// Changes when it is published, until it is being published. A post that failed or was cancelled is published again.
#[utoipa::path(
    patch, path = "/api/posts/{id}", tag = "publishing", operation_id = "movePost",
    params(("id" = PostId, Path), OrgHeader),
    request_body = PostChangeIn,
    responses((status = 200, body = PostOut))
)]
pub(crate) async fn change(
    State(api): State<Arc<Api>>,
    Author(access): Author,
    Id(id): Id<PostId>,
    Input(input): Input<PostChangeIn>,
) -> Result<Json<PostOut>, Problem> {
    Ok(Json(api.rooms.publishing.move_post(&access, &id, &input).await?))
}

/// Cancel a post
///
/// Until it is being published. The cancelled post stays in the list.
#[utoipa::path(
    delete, path = "/api/posts/{id}", tag = "publishing", operation_id = "cancelPost",
    params(("id" = PostId, Path), OrgHeader),
    responses((status = 200, body = PostOut))
)]
pub(crate) async fn cancel(
    State(api): State<Arc<Api>>,
    Author(access): Author,
    Id(id): Id<PostId>,
) -> Result<Json<PostOut>, Problem> {
    Ok(Json(api.rooms.publishing.cancel_post(&access, &id).await?))
}

/// The id under which a request is carried out once: the body's, or that of the header. `field` is its name in the body.
pub(crate) fn once(
    operation: &'static str,
    field: &'static str,
    headers: &HeaderMap,
    request_id: Option<&str>,
    input: &impl Serialize,
) -> Result<Option<OnceKey>, ActError> {
    let header = headers.get("idempotency-key").and_then(|value| value.to_str().ok());
    request_id.or(header).map(|id| OnceKey::new(operation, field, id, input)).transpose()
}
