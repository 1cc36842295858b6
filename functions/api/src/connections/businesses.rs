//! What a connected account may use: business portfolios, ad accounts and pages, in the notation of the provider's calls.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use leadwire::ads::accounts::AvailableAdAccount;
use leadwire::connections::{BusinessAdAccountOut, BusinessOut, BusinessPageOut, ConnectionOut, TenureOut};
use leadwire::directory;
use leadwire::error::{ActError, Missing};
use leadwire::http::Problem;
use leadwire::ids::IntegrationId;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::access::{MetaAccess, OrgHeader};
use crate::input::Input;
use crate::state::Api;

/// Which account, and which of its portfolios.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct AssetQuery {
    /// The connected account.
    integration_id: IntegrationId,
    /// Only what this portfolio owns or manages.
    #[schema(min_length = 1)]
    business_id: Option<String>,
}

/// Business portfolios.
#[derive(Serialize, ToSchema)]
pub(crate) struct BusinessNames {
    items: Vec<BusinessName>,
}

/// A business portfolio.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct BusinessName {
    business_id: String,
    name: String,
}

/// Ad accounts.
#[derive(Serialize, ToSchema)]
pub(crate) struct AdAccountNames {
    items: Vec<AdAccountName>,
}

/// An ad account.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AdAccountName {
    /// `act_` followed by digits.
    ad_account_id: String,
    name: String,
    currency: String,
    timezone: String,
    /// Whether the portfolio owns it or manages it for a client; `null` without a portfolio.
    access: Option<TenureOut>,
}

/// Pages.
#[derive(Serialize, ToSchema)]
pub(crate) struct PageNames {
    items: Vec<PageName>,
}

/// A page.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PageName {
    page_id: String,
    name: String,
    /// Whether the org uses it.
    connected: bool,
    /// Whether the portfolio owns it or manages it for a client; `null` without a portfolio.
    access: Option<TenureOut>,
}

/// List business portfolios
///
/// Those that the connected person or system user belongs to.
#[utoipa::path(
    post, path = "/api/upstream/call/facebook-provider/list-businesses", tag = "connect",
    operation_id = "listBusinessNames",
    params(OrgHeader),
    request_body = AssetQuery,
    responses((status = 200, body = BusinessNames))
)]
pub(crate) async fn list_businesses(
    State(api): State<Arc<Api>>,
    MetaAccess(access): MetaAccess,
    Input(query): Input<AssetQuery>,
) -> Result<Json<BusinessNames>, Problem> {
    let found = api.rooms.connections.businesses(&access, &query.integration_id).await?.items;
    let wanted = |business: &BusinessOut| query.business_id.as_ref().is_none_or(|id| *id == business.id);
    let name = |business: BusinessOut| BusinessName { business_id: business.id, name: business.name };
    Ok(Json(BusinessNames { items: found.into_iter().filter(wanted).map(name).collect() }))
}

/// List ad accounts
///
/// Those that the connected account may use, or those of one portfolio.
#[utoipa::path(
    post, path = "/api/upstream/call/facebook-provider/list-ad-accounts", tag = "connect",
    operation_id = "listAdAccountNames",
    params(OrgHeader),
    request_body = AssetQuery,
    responses((status = 200, body = AdAccountNames))
)]
pub(crate) async fn list_ad_accounts(
    State(api): State<Arc<Api>>,
    MetaAccess(access): MetaAccess,
    Input(query): Input<AssetQuery>,
) -> Result<Json<AdAccountNames>, Problem> {
    let items = match &query.business_id {
        Some(id) => {
            let accounts = business(&api, &access, &query.integration_id, id).await?.ad_accounts.into_iter();
            let name = |account: BusinessAdAccountOut| AdAccountName {
                ad_account_id: account.ad_account_id,
                name: account.name,
                currency: account.currency,
                timezone: account.timezone,
                access: Some(account.access),
            };
            accounts.map(name).collect()
        }
        None => {
            let accounts = api.rooms.ads.available_accounts(&access, &query.integration_id).await?.items.into_iter();
            let name = |account: AvailableAdAccount| AdAccountName {
                ad_account_id: account.ad_account_id.to_string(),
                name: account.name,
                currency: account.currency,
                timezone: account.timezone,
                access: None,
            };
            accounts.map(name).collect()
        }
    };
    Ok(Json(AdAccountNames { items }))
}

/// List pages
///
/// Those that Meta grants to the integration, or those of one portfolio.
#[utoipa::path(
    post, path = "/api/upstream/call/facebook-provider/list-pages", tag = "connect", operation_id = "listPageNames",
    params(OrgHeader),
    request_body = AssetQuery,
    responses((status = 200, body = PageNames))
)]
pub(crate) async fn list_pages(
    State(api): State<Arc<Api>>,
    MetaAccess(access): MetaAccess,
    Input(query): Input<AssetQuery>,
) -> Result<Json<PageNames>, Problem> {
    let items = match &query.business_id {
        Some(id) => {
            let pages = business(&api, &access, &query.integration_id, id).await?.pages.into_iter();
            let name = |page: BusinessPageOut| PageName {
                page_id: page.page_id,
                name: page.name,
                connected: page.connected,
                access: Some(page.access),
            };
            pages.map(name).collect()
        }
        None => {
            let pages = api.rooms.connections.pages(&access, &query.integration_id).await?;
            let name = |page: ConnectionOut, connected| PageName {
                page_id: page.page_id.to_string(),
                name: page.page_name,
                connected,
                access: None,
            };
            let used = pages.items.into_iter().map(|page| name(page, true));
            used.chain(pages.available.into_iter().map(|page| name(page, false))).collect()
        }
    };
    Ok(Json(PageNames { items }))
}

async fn business(
    api: &Api,
    access: &directory::MetaAccess,
    integration: &IntegrationId,
    id: &str,
) -> Result<BusinessOut, ActError> {
    let mut found = api.rooms.connections.businesses(access, integration).await?.items.into_iter();
    found.find(|business| business.id == id).ok_or_else(|| ActError::not_found(Missing::Business).at("businessId"))
}
