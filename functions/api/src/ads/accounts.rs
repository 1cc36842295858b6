//! The linked ad accounts, and those that can be linked.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use leadwire::admin::ads::accounts::{self, AdAccountList, AdAccountOut, AvailableAdAccountList};
use leadwire::http::Problem;

use crate::access::MetaAccess;
use crate::input::Parameters;
use crate::state::Api;

/// The linked ad accounts
#[utoipa::path(
    get, path = "/api/meta-ads/accounts", tag = "ads", operation_id = "listAdAccounts",
    params(("client_id" = Option<String>, Query, description = "Of this client"), ("orgid" = String, Header, description = "The org to act for")),
    responses((status = 200, body = AdAccountList), (status = "4XX", body = Problem, content_type = "application/problem+json"))
)]
pub(crate) async fn list(
    State(api): State<Arc<Api>>,
    MetaAccess(access): MetaAccess,
    parameters: Parameters,
) -> Result<Json<AdAccountList>, Problem> {
    parameters.check(&["client_id"])?;
    accounts::list(&api.services, &access, &parameters.accounts()).await.map(Json)
}

/// One ad account
#[utoipa::path(
    get, path = "/api/meta-ads/accounts/{id}", tag = "ads", operation_id = "readAdAccount",
    params(("id" = String, Path, description = "`act_` and digits"), ("orgid" = String, Header, description = "The org to act for")),
    responses((status = 200, body = AdAccountOut), (status = "4XX", body = Problem, content_type = "application/problem+json"))
)]
pub(crate) async fn read(
    State(api): State<Arc<Api>>,
    MetaAccess(access): MetaAccess,
    Path(id): Path<String>,
) -> Result<Json<AdAccountOut>, Problem> {
    accounts::read(&api.services, &access, &id).await.map(Json)
}

/// Ad accounts that an integration may read
///
/// Those that the connected person or system user may work with, to choose from.
#[utoipa::path(
    get, path = "/api/meta/integrations/{id}/ad-accounts", tag = "ads", operation_id = "listAvailableAdAccounts",
    params(("id" = String, Path), ("orgid" = String, Header, description = "The org to act for")),
    responses((status = 200, body = AvailableAdAccountList), (status = "4XX", body = Problem, content_type = "application/problem+json"))
)]
pub(crate) async fn available(
    State(api): State<Arc<Api>>,
    MetaAccess(access): MetaAccess,
    Path(id): Path<String>,
) -> Result<Json<AvailableAdAccountList>, Problem> {
    accounts::available(&api.services, &access, &id).await.map(Json)
}
