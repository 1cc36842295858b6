//! The linked ad accounts, and those that can be linked.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use leadwire::ads::accounts::{AdAccountList, AdAccountOut, AvailableAdAccountList};
use leadwire::http::Problem;
use leadwire::http::path::Id;
use leadwire::ids::{AdAccountId, ClientId, IntegrationId};

use crate::access::{MetaAccess, OrgHeader};
use crate::input::Parameters;
use crate::state::Api;

/// List the linked ad accounts
#[utoipa::path(
    get, path = "/api/meta-ads/accounts", tag = "ads", operation_id = "listAdAccounts",
    params(("client_id" = Option<ClientId>, Query, description = "Only accounts of this client"), OrgHeader),
    responses((status = 200, body = AdAccountList))
)]
pub(crate) async fn list(
    State(api): State<Arc<Api>>,
    MetaAccess(access): MetaAccess,
    parameters: Parameters,
) -> Result<Json<AdAccountList>, Problem> {
    parameters.check(&["client_id"])?;
    Ok(Json(api.rooms.ads.accounts(&access, &parameters.accounts()?).await?))
}

/// Get a linked ad account
#[utoipa::path(
    get, path = "/api/meta-ads/accounts/{id}", tag = "ads", operation_id = "readAdAccount",
    params(("id" = AdAccountId, Path, description = "`act_` followed by digits"), OrgHeader),
    responses((status = 200, body = AdAccountOut))
)]
pub(crate) async fn read(
    State(api): State<Arc<Api>>,
    MetaAccess(access): MetaAccess,
    Id(id): Id<AdAccountId>,
) -> Result<Json<AdAccountOut>, Problem> {
    Ok(Json(api.rooms.ads.account(&access, &id).await?))
}

/// List the ad accounts that an integration can read
///
/// The accounts that the connected person or system user has access to, as candidates for linking. Read live from Meta.
#[utoipa::path(
    get, path = "/api/meta/integrations/{id}/ad-accounts", tag = "ads", operation_id = "listAvailableAdAccounts",
    params(("id" = IntegrationId, Path), OrgHeader),
    responses((status = 200, body = AvailableAdAccountList))
)]
pub(crate) async fn available(
    State(api): State<Arc<Api>>,
    MetaAccess(access): MetaAccess,
    Id(id): Id<IntegrationId>,
) -> Result<Json<AvailableAdAccountList>, Problem> {
    Ok(Json(api.rooms.ads.available_accounts(&access, &id).await?))
}
