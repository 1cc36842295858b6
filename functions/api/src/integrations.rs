//! Integrations and their pages.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use leadwire::admin::integrations::{self, ConnectionList, IntegrationList, IntegrationOut, PageList};
use leadwire::http::Problem;

use crate::access::MetaAccess;
use crate::state::Api;

/// The org's integrations
#[utoipa::path(
    get, path = "/api/meta/integrations", tag = "connect", operation_id = "listIntegrations",
    params(("orgid" = String, Header, description = "The org to act for")),
    responses((status = 200, body = IntegrationList), (status = "4XX", body = Problem, content_type = "application/problem+json"))
)]
pub(crate) async fn list(
    State(api): State<Arc<Api>>,
    MetaAccess(access): MetaAccess,
) -> Result<Json<IntegrationList>, Problem> {
    integrations::list(&api.services, &access).await.map(Json)
}

/// One integration
#[utoipa::path(
    get, path = "/api/meta/integrations/{id}", tag = "connect", operation_id = "readIntegration",
    params(("id" = String, Path), ("orgid" = String, Header, description = "The org to act for")),
    responses((status = 200, body = IntegrationOut), (status = "4XX", body = Problem, content_type = "application/problem+json"))
)]
pub(crate) async fn read(
    State(api): State<Arc<Api>>,
    MetaAccess(access): MetaAccess,
    Path(id): Path<String>,
) -> Result<Json<IntegrationOut>, Problem> {
    integrations::read(&api.services, &access, &id).await.map(Json)
}

/// The pages of one integration
///
/// `items` are those that leads are taken from, `available` those that Meta gives as well.
#[utoipa::path(
    get, path = "/api/meta/integrations/{id}/pages", tag = "connect", operation_id = "listIntegrationPages",
    params(("id" = String, Path), ("orgid" = String, Header, description = "The org to act for")),
    responses((status = 200, body = PageList), (status = "4XX", body = Problem, content_type = "application/problem+json"))
)]
pub(crate) async fn pages(
    State(api): State<Arc<Api>>,
    MetaAccess(access): MetaAccess,
    Path(id): Path<String>,
) -> Result<Json<PageList>, Problem> {
    integrations::pages(&api.services, &access, &id).await.map(Json)
}

/// All connected pages of the org
#[utoipa::path(
    get, path = "/api/meta/connections", tag = "connect", operation_id = "listConnections",
    params(("orgid" = String, Header, description = "The org to act for")),
    responses((status = 200, body = ConnectionList), (status = "4XX", body = Problem, content_type = "application/problem+json"))
)]
pub(crate) async fn connections(
    State(api): State<Arc<Api>>,
    MetaAccess(access): MetaAccess,
) -> Result<Json<ConnectionList>, Problem> {
    integrations::connections(&api.services, &access).await.map(Json)
}
