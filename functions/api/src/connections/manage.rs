//! Changing integrations.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use http::StatusCode;
use leadwire::connections::{
    Disconnected, IntegrationOut, NewIntegration, PageList, PagesIn, Removal, SettingsIn, TokenIn,
};
use leadwire::http::path::Id;
use leadwire::http::{ACT_TIMEOUT, Problem};
use leadwire::ids::IntegrationId;

use crate::access::{MetaAccess, OrgHeader};
use crate::input::Input;
use crate::state::Api;

/// Create an integration
///
/// With a system user's token, the integration is connected at once, to the pages that are assigned to the system user.
/// Without a token it is a draft, which `POST …/reconnect` connects.
#[utoipa::path(
    post, path = "/api/meta/integrations", tag = "connect", operation_id = "createIntegration",
    params(OrgHeader),
    request_body = NewIntegration,
    responses((status = 201, body = IntegrationOut))
)]
pub(crate) async fn create(
    State(api): State<Arc<Api>>,
    MetaAccess(access): MetaAccess,
    Input(input): Input<NewIntegration>,
) -> Result<(StatusCode, Json<IntegrationOut>), Problem> {
    Ok((StatusCode::CREATED, Json(api.rooms.connections.create(&access, input).await?)))
}

/// Update an integration's settings
///
/// A changed assignment applies to leads that arrive from now on.
#[utoipa::path(
    patch, path = "/api/meta/integrations/{id}", tag = "connect", operation_id = "changeIntegration",
    params(("id" = IntegrationId, Path), OrgHeader),
    request_body = SettingsIn,
    responses((status = 200, body = IntegrationOut))
)]
pub(crate) async fn change(
    State(api): State<Arc<Api>>,
    MetaAccess(access): MetaAccess,
    Id(id): Id<IntegrationId>,
    Input(input): Input<SettingsIn>,
) -> Result<Json<IntegrationOut>, Problem> {
    Ok(Json(api.rooms.connections.change(&access, &id, input).await?))
}

/// Choose an integration's pages
///
/// From now on, leads are ingested from exactly these pages. Only pages that Meta grants to this integration can be
/// chosen; `GET` lists them.
#[utoipa::path(
    put, path = "/api/meta/integrations/{id}/pages", tag = "connect", operation_id = "chooseIntegrationPages",
    params(("id" = IntegrationId, Path), OrgHeader),
    request_body = PagesIn,
    responses((status = 200, body = PageList))
)]
pub(crate) async fn choose(
    State(api): State<Arc<Api>>,
    MetaAccess(access): MetaAccess,
    Id(id): Id<IntegrationId>,
    Input(input): Input<PagesIn>,
) -> Result<Json<PageList>, Problem> {
    Ok(Json(api.rooms.connections.choose_pages(&access, &id, input).await?))
}

/// Replace a system user's token
///
/// The new token is verified with Meta first. Until then, and if it is rejected, the old one stays in use. The token is
/// never shown again.
#[utoipa::path(
    put, path = "/api/meta/integrations/{id}/token", tag = "connect", operation_id = "replaceToken",
    params(("id" = IntegrationId, Path), OrgHeader),
    request_body = TokenIn,
    responses((status = 200, body = IntegrationOut))
)]
pub(crate) async fn replace_token(
    State(api): State<Arc<Api>>,
    MetaAccess(access): MetaAccess,
    Id(id): Id<IntegrationId>,
    Input(input): Input<TokenIn>,
) -> Result<Json<IntegrationOut>, Problem> {
    Ok(Json(api.rooms.connections.replace_token(&access, &id, input).await?))
}

/// Delete an integration
///
/// Leads stop at once; stored leads are retained. Pages that no other integration uses are unsubscribed at Meta, and
/// tokens are deleted.
#[utoipa::path(
    delete, path = "/api/meta/integrations/{id}", tag = "connect", operation_id = "deleteIntegration",
    params(("id" = IntegrationId, Path), OrgHeader),
    responses(
        (status = 204, description = "Done"),
        (status = 202, description = "Leads have stopped or are about to; the rest is done in the background"))
)]
pub(crate) async fn delete(
    State(api): State<Arc<Api>>,
    MetaAccess(access): MetaAccess,
    Id(id): Id<IntegrationId>,
) -> Result<StatusCode, Problem> {
    Ok(match api.rooms.connections.delete(&access, &id, ACT_TIMEOUT).await? {
        Removal::Done => StatusCode::NO_CONTENT,
        Removal::InProgress => StatusCode::ACCEPTED,
    })
}

/// Disconnect the org from Meta
///
/// Deletes all of its integrations. Leads stop at once; stored leads are retained.
#[utoipa::path(
    post, path = "/api/meta/disconnect", tag = "connect", operation_id = "disconnectOrg",
    params(OrgHeader),
    responses(
        (status = 200, body = Disconnected),
        (status = 202, body = Disconnected, description = "Leads have stopped or are about to; the rest is done in the background"))
)]
pub(crate) async fn disconnect(
    State(api): State<Arc<Api>>,
    MetaAccess(access): MetaAccess,
) -> Result<(StatusCode, Json<Disconnected>), Problem> {
    let (disconnected, ended) = api.rooms.connections.disconnect(&access, ACT_TIMEOUT).await?;
    let status = match ended {
        Removal::Done => StatusCode::OK,
        Removal::InProgress => StatusCode::ACCEPTED,
    };
    Ok((status, Json(disconnected)))
}
