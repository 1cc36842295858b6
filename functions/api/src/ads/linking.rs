//! Linking, changing and unlinking ad accounts.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use http::StatusCode;
use leadwire::admin::ads::accounts::AdAccountOut;
use leadwire::admin::ads::linking::{self, AdAccountChange, NewAdAccount};
use leadwire::http::Problem;

use crate::access::MetaAccess;
use crate::input::Input;
use crate::state::Api;

/// Link an ad account
///
/// It is verified with Meta at once: that it exists, that the token may read ads, its currency, time zone and status. Then
/// its objects are read (`configuring`), then its newest 30 days (`importing`), then it is `ready` and earlier days follow.
#[utoipa::path(
    post, path = "/api/meta-ads/accounts", tag = "ads", operation_id = "linkAdAccount",
    params(("orgid" = String, Header, description = "The org to act for")), request_body = NewAdAccount,
    responses((status = 201, body = AdAccountOut), (status = "4XX", body = Problem, content_type = "application/problem+json"))
)]
pub(crate) async fn create(
    State(api): State<Arc<Api>>,
    MetaAccess(access): MetaAccess,
    Input(given): Input<NewAdAccount>,
) -> Result<(StatusCode, Json<AdAccountOut>), Problem> {
    Ok((StatusCode::CREATED, Json(linking::create(&api.services, &access, given).await?)))
}

/// Change an ad account
///
/// A new token is verified with Meta first. What is paused is not read until it is not paused any more.
#[utoipa::path(
    patch, path = "/api/meta-ads/accounts/{id}", tag = "ads", operation_id = "changeAdAccount",
    params(("id" = String, Path, description = "`act_` and digits"), ("orgid" = String, Header, description = "The org to act for")),
    request_body = AdAccountChange,
    responses((status = 200, body = AdAccountOut), (status = "4XX", body = Problem, content_type = "application/problem+json"))
)]
pub(crate) async fn change(
    State(api): State<Arc<Api>>,
    MetaAccess(access): MetaAccess,
    Path(id): Path<String>,
    Input(given): Input<AdAccountChange>,
) -> Result<Json<AdAccountOut>, Problem> {
    linking::change(&api.services, &access, &id, given).await.map(Json)
}

/// Unlink an ad account
///
/// It is not read any more, its own token is deleted, and what was read of it is deleted in the background.
#[utoipa::path(
    delete, path = "/api/meta-ads/accounts/{id}", tag = "ads", operation_id = "unlinkAdAccount",
    params(("id" = String, Path, description = "`act_` and digits"), ("orgid" = String, Header, description = "The org to act for")),
    responses((status = 204), (status = "4XX", body = Problem, content_type = "application/problem+json"))
)]
pub(crate) async fn delete(
    State(api): State<Arc<Api>>,
    MetaAccess(access): MetaAccess,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    linking::delete(&api.services, &access, &id).await.map(|()| StatusCode::NO_CONTENT)
}
