//! Connections over HTTP: integrations and their pages.

pub(crate) mod businesses;
pub(crate) mod conversions;
pub(crate) mod health;
pub(crate) mod login;
pub(crate) mod manage;

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use leadwire::connections::{ConnectionList, IntegrationList, IntegrationOut, PageList};
use leadwire::http::Problem;
use leadwire::http::path::Id;
use leadwire::ids::IntegrationId;

use crate::access::{MetaAccess, OrgHeader};
use crate::state::Api;

/// List the org's integrations
#[utoipa::path(
    get, path = "/api/meta/integrations", tag = "connect", operation_id = "listIntegrations",
    params(OrgHeader),
    responses((status = 200, body = IntegrationList))
)]
pub(crate) async fn list(
    State(api): State<Arc<Api>>,
    MetaAccess(access): MetaAccess,
) -> Result<Json<IntegrationList>, Problem> {
    Ok(Json(api.rooms.connections.integrations(&access).await?))
}

/// Get an integration
#[utoipa::path(
    get, path = "/api/meta/integrations/{id}", tag = "connect", operation_id = "readIntegration",
    params(("id" = IntegrationId, Path), OrgHeader),
    responses((status = 200, body = IntegrationOut))
)]
pub(crate) async fn read(
    State(api): State<Arc<Api>>,
    MetaAccess(access): MetaAccess,
    Id(id): Id<IntegrationId>,
) -> Result<Json<IntegrationOut>, Problem> {
    Ok(Json(api.rooms.connections.integration(&access, &id).await?))
}

/// List an integration's pages
///
/// `items` are the pages that leads are ingested from; `available` are the other pages that Meta grants access to.
#[utoipa::path(
    get, path = "/api/meta/integrations/{id}/pages", tag = "connect", operation_id = "listIntegrationPages",
    params(("id" = IntegrationId, Path), OrgHeader),
    responses((status = 200, body = PageList))
)]
pub(crate) async fn pages(
    State(api): State<Arc<Api>>,
    MetaAccess(access): MetaAccess,
    Id(id): Id<IntegrationId>,
) -> Result<Json<PageList>, Problem> {
    Ok(Json(api.rooms.connections.pages(&access, &id).await?))
}

/// List the org's connected pages
#[utoipa::path(
    get, path = "/api/meta/connections", tag = "connect", operation_id = "listConnections",
    params(OrgHeader),
    responses((status = 200, body = ConnectionList))
)]
pub(crate) async fn connections(
    State(api): State<Arc<Api>>,
    MetaAccess(access): MetaAccess,
) -> Result<Json<ConnectionList>, Problem> {
    Ok(Json(api.rooms.connections.connections(&access).await?))
}
