//! Changing integrations.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use http::StatusCode;
use leadwire::admin::integrations::{IntegrationOut, PageList};
use leadwire::admin::manage::{self, Disconnected, Ended, NewIntegration, PagesIn, SettingsIn, TokenIn};
use leadwire::http::Problem;

use crate::access::MetaAccess;
use crate::input::Input;
use crate::state::Api;

/// Make an integration
///
/// With a system user's token it is connected at once, to the pages that are assigned to the system user. Without one it
/// is a draft, which `POST …/reconnect` connects.
#[utoipa::path(
    post, path = "/api/meta/integrations", tag = "connect", operation_id = "createIntegration",
    params(("orgid" = String, Header, description = "The org to act for")),
    request_body = NewIntegration,
    responses((status = 201, body = IntegrationOut), (status = "4XX", body = Problem, content_type = "application/problem+json"))
)]
pub(crate) async fn create(
    State(api): State<Arc<Api>>,
    MetaAccess(access): MetaAccess,
    Input(given): Input<NewIntegration>,
) -> Result<(StatusCode, Json<IntegrationOut>), Problem> {
    Ok((StatusCode::CREATED, Json(manage::create(&api.services, &access, given).await?)))
}

/// Change an integration's settings
///
/// A changed assignment touches leads that come from now on.
#[utoipa::path(
    patch, path = "/api/meta/integrations/{id}", tag = "connect", operation_id = "changeIntegration",
    params(("id" = String, Path), ("orgid" = String, Header, description = "The org to act for")),
    request_body = SettingsIn,
    responses((status = 200, body = IntegrationOut), (status = "4XX", body = Problem, content_type = "application/problem+json"))
)]
pub(crate) async fn change(
    State(api): State<Arc<Api>>,
    MetaAccess(access): MetaAccess,
    Path(id): Path<String>,
    Input(given): Input<SettingsIn>,
) -> Result<Json<IntegrationOut>, Problem> {
    manage::change(&api.services, &access, &id, given).await.map(Json)
}

/// Choose an integration's pages
///
/// Leads are taken from exactly these pages from now on. Only pages that Meta gives to this integration can be chosen;
/// `GET` lists them.
#[utoipa::path(
    put, path = "/api/meta/integrations/{id}/pages", tag = "connect", operation_id = "chooseIntegrationPages",
    params(("id" = String, Path), ("orgid" = String, Header, description = "The org to act for")),
    request_body = PagesIn,
    responses((status = 200, body = PageList), (status = "4XX", body = Problem, content_type = "application/problem+json"))
)]
pub(crate) async fn choose(
    State(api): State<Arc<Api>>,
    MetaAccess(access): MetaAccess,
    Path(id): Path<String>,
    Input(given): Input<PagesIn>,
) -> Result<Json<PageList>, Problem> {
    manage::choose(&api.services, &access, &id, given).await.map(Json)
}

/// Replace a system user's token
///
/// The token is verified with Meta first; until then, and if it is refused, the old one goes on working. It is never
/// shown again.
#[utoipa::path(
    put, path = "/api/meta/integrations/{id}/token", tag = "connect", operation_id = "replaceToken",
    params(("id" = String, Path), ("orgid" = String, Header, description = "The org to act for")),
    request_body = TokenIn,
    responses((status = 200, body = IntegrationOut), (status = "4XX", body = Problem, content_type = "application/problem+json"))
)]
pub(crate) async fn replace_token(
    State(api): State<Arc<Api>>,
    MetaAccess(access): MetaAccess,
    Path(id): Path<String>,
    Input(given): Input<TokenIn>,
) -> Result<Json<IntegrationOut>, Problem> {
    manage::replace_token(&api.services, &access, &id, given).await.map(Json)
}

/// Delete an integration
///
/// Leads stop at once, those that came stay. Pages that nobody else uses are unsubscribed at Meta, tokens are deleted.
#[utoipa::path(
    delete, path = "/api/meta/integrations/{id}", tag = "connect", operation_id = "deleteIntegration",
    params(("id" = String, Path), ("orgid" = String, Header, description = "The org to act for")),
    responses(
        (status = 204, description = "Done"),
        (status = 202, description = "Leads have stopped or are about to; the rest is done in the background"),
        (status = "4XX", body = Problem, content_type = "application/problem+json")
    )
)]
pub(crate) async fn delete(
    State(api): State<Arc<Api>>,
    MetaAccess(access): MetaAccess,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    Ok(match manage::delete(&api.services, &access, &id).await? {
        Ended::Done => StatusCode::NO_CONTENT,
        Ended::GoesOn => StatusCode::ACCEPTED,
    })
}

/// Disconnect the org from Meta
///
/// Deletes all its integrations. Leads stop at once, those that came stay.
#[utoipa::path(
    post, path = "/api/meta/disconnect", tag = "connect", operation_id = "disconnectOrg",
    params(("orgid" = String, Header, description = "The org to act for")),
    responses(
        (status = 200, body = Disconnected),
        (status = 202, body = Disconnected, description = "Leads have stopped or are about to; the rest is done in the background"),
        (status = "4XX", body = Problem, content_type = "application/problem+json")
    )
)]
pub(crate) async fn disconnect(
    State(api): State<Arc<Api>>,
    MetaAccess(access): MetaAccess,
) -> Result<(StatusCode, Json<Disconnected>), Problem> {
    let (disconnected, ended) = manage::disconnect(&api.services, &access).await?;
    let status = match ended {
        Ended::Done => StatusCode::OK,
        Ended::GoesOn => StatusCode::ACCEPTED,
    };
    Ok((status, Json(disconnected)))
}
