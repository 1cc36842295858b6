//! What Meta alone knows about an integration: its health and its business portfolios, read live.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use leadwire::connections::{BusinessList, Health};
use leadwire::http::Problem;
use leadwire::http::path::Id;
use leadwire::ids::IntegrationId;

use crate::access::{Failure, MetaAccess, OrgHeader};
use crate::state::Api;

/// Health of an integration
///
/// Asks Meta now. Each check tells what was seen and what to do about it.
#[utoipa::path(
    get, path = "/api/meta/integrations/{id}/health", tag = "connect", operation_id = "readHealth",
    params(("id" = String, Path), OrgHeader),
    responses((status = 200, body = Health), Failure)
)]
pub(crate) async fn read_health(
    State(api): State<Arc<Api>>,
    MetaAccess(access): MetaAccess,
    Id(id): Id<IntegrationId>,
) -> Result<Json<Health>, Problem> {
    Ok(Json(api.connections.health(&access, &id).await?))
}

/// Business portfolios of an integration
///
/// Those that the connected person or system user belongs to, with their pages and ad accounts: owned, and given by
/// clients. Pages are chosen with `PUT …/pages`.
#[utoipa::path(
    get, path = "/api/meta/integrations/{id}/businesses", tag = "connect", operation_id = "listBusinesses",
    params(("id" = String, Path), OrgHeader),
    responses((status = 200, body = BusinessList), Failure)
)]
pub(crate) async fn businesses(
    State(api): State<Arc<Api>>,
    MetaAccess(access): MetaAccess,
    Id(id): Id<IntegrationId>,
) -> Result<Json<BusinessList>, Problem> {
    Ok(Json(api.connections.businesses(&access, &id).await?))
}
