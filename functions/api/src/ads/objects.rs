//! Lists of campaigns, ad sets and ads, as of the last sync.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use leadwire::ads::objects::{AdList, AdSetList, CampaignList, ObjectFilter};
use leadwire::http::Problem;
use leadwire::ids::AdObjectId;

use crate::access::{Failure, MetaAccess, OrgHeader};
use crate::input::Parameters;
use crate::state::Api;

/// List campaigns
///
/// As of the last sync.
#[utoipa::path(
    get, path = "/api/meta-ads/campaigns", tag = "ads", operation_id = "listCampaigns",
    params(
        ("account_id" = Option<String>, Query), ("client_id" = Option<String>, Query),
        ("effective_status" = Option<String>, Query, description = "Meta's effective status, such as `ACTIVE`, or several separated by commas"),
        ("cursor" = Option<String>, Query), ("limit" = Option<u32>, Query, description = "1 to 100; 25 by default"),
        OrgHeader
    ),
    responses((status = 200, body = CampaignList), Failure)
)]
pub(crate) async fn campaigns(
    State(api): State<Arc<Api>>,
    MetaAccess(access): MetaAccess,
    parameters: Parameters,
) -> Result<Json<CampaignList>, Problem> {
    parameters.check(&["account_id", "client_id", "effective_status", "cursor", "limit"])?;
    let (query, limit) = (filter(&parameters)?, parameters.limit()?);
    Ok(Json(api.ads.campaigns(&access, &query, parameters.get("cursor"), limit).await?))
}

/// List ad sets
///
/// As of the last sync.
#[utoipa::path(
    get, path = "/api/meta-ads/adsets", tag = "ads", operation_id = "listAdSets",
    params(
        ("account_id" = Option<String>, Query), ("client_id" = Option<String>, Query), ("campaign_id" = Option<String>, Query),
        ("effective_status" = Option<String>, Query, description = "Meta's effective status, such as `ACTIVE`, or several separated by commas"),
        ("cursor" = Option<String>, Query), ("limit" = Option<u32>, Query, description = "1 to 100; 25 by default"),
        OrgHeader
    ),
    responses((status = 200, body = AdSetList), Failure)
)]
pub(crate) async fn adsets(
    State(api): State<Arc<Api>>,
    MetaAccess(access): MetaAccess,
    parameters: Parameters,
) -> Result<Json<AdSetList>, Problem> {
    parameters.check(&["account_id", "client_id", "campaign_id", "effective_status", "cursor", "limit"])?;
    let (query, limit) = (filter(&parameters)?, parameters.limit()?);
    Ok(Json(api.ads.adsets(&access, &query, parameters.get("cursor"), limit).await?))
}

/// List ads
///
/// As of the last sync.
#[utoipa::path(
    get, path = "/api/meta-ads/ads", tag = "ads", operation_id = "listAds",
    params(
        ("account_id" = Option<String>, Query), ("client_id" = Option<String>, Query), ("campaign_id" = Option<String>, Query),
        ("adset_id" = Option<String>, Query),
        ("effective_status" = Option<String>, Query, description = "Meta's effective status, such as `ACTIVE`, or several separated by commas"),
        ("cursor" = Option<String>, Query), ("limit" = Option<u32>, Query, description = "1 to 100; 25 by default"),
        OrgHeader
    ),
    responses((status = 200, body = AdList), Failure)
)]
pub(crate) async fn ads(
    State(api): State<Arc<Api>>,
    MetaAccess(access): MetaAccess,
    parameters: Parameters,
) -> Result<Json<AdList>, Problem> {
    parameters.check(&["account_id", "client_id", "campaign_id", "adset_id", "effective_status", "cursor", "limit"])?;
    let (query, limit) = (filter(&parameters)?, parameters.limit()?);
    Ok(Json(api.ads.ads(&access, &query, parameters.get("cursor"), limit).await?))
}

fn filter(parameters: &Parameters) -> Result<ObjectFilter, Problem> {
    let states =
        parameters.get("effective_status").map(|list| list.split(',').map(|state| state.trim().to_uppercase()));
    Ok(ObjectFilter {
        accounts: parameters.accounts()?,
        campaign_id: parameters.id("campaign_id", AdObjectId::parse)?,
        adset_id: parameters.id("adset_id", AdObjectId::parse)?,
        effective_status: states.into_iter().flatten().collect(),
    })
}
