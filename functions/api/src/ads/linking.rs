//! Linking, changing and unlinking ad accounts.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use http::StatusCode;
use leadwire::ads::accounts::AdAccountOut;
use leadwire::ads::link::{AdAccountChange, NewAdAccount};
use leadwire::http::Problem;
use leadwire::http::path::Id;
use leadwire::ids::AdAccountId;

use crate::access::{MetaAccess, OrgHeader};
use crate::input::Input;
use crate::state::Api;

/// Link an ad account
///
/// The account is verified with Meta at once: that it exists, that the token may read ads, and its currency, time zone
/// and status. Then its campaigns, ad sets and ads are read (`configuring`), then its newest 30 days (`importing`).
/// After that it is `ready`, and earlier days follow.
#[utoipa::path(
    post, path = "/api/meta-ads/accounts", tag = "ads", operation_id = "linkAdAccount",
    params(OrgHeader), request_body = NewAdAccount,
    responses((status = 201, body = AdAccountOut))
)]
pub(crate) async fn create(
    State(api): State<Arc<Api>>,
    MetaAccess(access): MetaAccess,
    Input(input): Input<NewAdAccount>,
) -> Result<(StatusCode, Json<AdAccountOut>), Problem> {
    Ok((StatusCode::CREATED, Json(api.rooms.ads.link(&access, input).await?)))
}

/// Update an ad account
///
/// A new token is verified with Meta first. A paused account is not synced until it is resumed.
#[utoipa::path(
    patch, path = "/api/meta-ads/accounts/{id}", tag = "ads", operation_id = "changeAdAccount",
    params(("id" = AdAccountId, Path, description = "`act_` followed by digits"), OrgHeader),
    request_body = AdAccountChange,
    responses((status = 200, body = AdAccountOut))
)]
pub(crate) async fn change(
    State(api): State<Arc<Api>>,
    MetaAccess(access): MetaAccess,
    Id(id): Id<AdAccountId>,
    Input(input): Input<AdAccountChange>,
) -> Result<Json<AdAccountOut>, Problem> {
    Ok(Json(api.rooms.ads.change(&access, &id, input).await?))
}

/// Unlink an ad account
///
/// Its syncs stop, its own token is deleted, and its stored data is deleted in the background.
#[utoipa::path(
    delete, path = "/api/meta-ads/accounts/{id}", tag = "ads", operation_id = "unlinkAdAccount",
    params(("id" = AdAccountId, Path, description = "`act_` followed by digits"), OrgHeader),
    responses((status = 204))
)]
pub(crate) async fn delete(
    State(api): State<Arc<Api>>,
    MetaAccess(access): MetaAccess,
    Id(id): Id<AdAccountId>,
) -> Result<StatusCode, Problem> {
    api.rooms.ads.unlink(&access, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}
