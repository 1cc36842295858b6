//! What Meta alone knows about an integration: its health and its business portfolios, read live.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use leadwire::admin::inspect::{self, BusinessList, Health};
use leadwire::http::Problem;

use crate::access::MetaAccess;
use crate::state::Api;

/// Health of an integration
///
/// Asks Meta now. Each check tells what was seen and what to do about it.
#[utoipa::path(
    get, path = "/api/meta/integrations/{id}/health", tag = "connect", operation_id = "readHealth",
    params(("id" = String, Path), ("orgid" = String, Header, description = "The org to act for")),
    responses((status = 200, body = Health), (status = "4XX", body = Problem, content_type = "application/problem+json"))
)]
pub(crate) async fn read_health(
    State(api): State<Arc<Api>>,
    MetaAccess(access): MetaAccess,
    Path(id): Path<String>,
) -> Result<Json<Health>, Problem> {
    inspect::health(&api.services, &access, &id).await.map(Json)
}

/// Business portfolios of an integration
///
/// Those that the connected person or system user belongs to, with their pages and ad accounts: owned, and given by
/// clients. Pages are chosen with `PUT …/pages`.
#[utoipa::path(
    get, path = "/api/meta/integrations/{id}/businesses", tag = "connect", operation_id = "listBusinesses",
    params(("id" = String, Path), ("orgid" = String, Header, description = "The org to act for")),
    responses((status = 200, body = BusinessList), (status = "4XX", body = Problem, content_type = "application/problem+json"))
)]
pub(crate) async fn businesses(
    State(api): State<Arc<Api>>,
    MetaAccess(access): MetaAccess,
    Path(id): Path<String>,
) -> Result<Json<BusinessList>, Problem> {
    inspect::businesses(&api.services, &access, &id).await.map(Json)
}
