//! Live data from Meta about an integration: its health and its business portfolios.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use leadwire::connections::{BusinessList, Health};
use leadwire::http::Problem;
use leadwire::http::path::Id;
use leadwire::ids::IntegrationId;

use crate::access::{MetaAccess, OrgHeader};
use crate::state::Api;

/// Check an integration's health
///
/// Queries Meta live. Each check reports what was observed and how to fix it.
#[utoipa::path(
    get, path = "/api/meta/integrations/{id}/health", tag = "connect", operation_id = "readHealth",
    params(("id" = IntegrationId, Path), OrgHeader),
    responses((status = 200, body = Health))
)]
pub(crate) async fn read_health(
    State(api): State<Arc<Api>>,
    MetaAccess(access): MetaAccess,
    Id(id): Id<IntegrationId>,
) -> Result<Json<Health>, Problem> {
    Ok(Json(api.rooms.connections.health(&access, &id).await?))
}

/// List an integration's business portfolios
///
/// The portfolios that the connected person or system user belongs to, with their pages and ad accounts, both owned and
/// shared by clients. Choose pages with `PUT …/pages`.
#[utoipa::path(
    get, path = "/api/meta/integrations/{id}/businesses", tag = "connect", operation_id = "listBusinesses",
    params(("id" = IntegrationId, Path), OrgHeader),
    responses((status = 200, body = BusinessList))
)]
pub(crate) async fn businesses(
    State(api): State<Arc<Api>>,
    MetaAccess(access): MetaAccess,
    Id(id): Id<IntegrationId>,
) -> Result<Json<BusinessList>, Problem> {
    Ok(Json(api.rooms.connections.businesses(&access, &id).await?))
}
