//! Lists of campaigns, ad sets and ads, as of the last sync.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use leadwire::ads::objects::{AdList, AdSetList, CampaignList, ObjectFilter};
use leadwire::http::Problem;
use leadwire::ids::{AdAccountId, AdObjectId, ClientId};

use crate::access::{MetaAccess, OrgHeader};
use crate::input::Parameters;
use crate::schemas::{Cursor, EffectiveStatuses, Limit};
use crate::state::Api;

/// List campaigns
///
/// As of the last sync.
#[utoipa::path(
    get, path = "/api/meta-ads/campaigns", tag = "ads", operation_id = "listCampaigns",
    params(
        ("account_id" = Option<AdAccountId>, Query), ("client_id" = Option<ClientId>, Query),
        ("effective_status" = Option<EffectiveStatuses>, Query),
        ("cursor" = Option<Cursor>, Query), ("limit" = Option<Limit>, Query),
        OrgHeader
    ),
    responses((status = 200, body = CampaignList))
)]
pub(crate) async fn campaigns(
    State(api): State<Arc<Api>>,
    MetaAccess(access): MetaAccess,
    parameters: Parameters,
) -> Result<Json<CampaignList>, Problem> {
    parameters.check(&["account_id", "client_id", "effective_status", "cursor", "limit"])?;
    let (query, limit) = (filter(&parameters)?, parameters.limit()?);
    Ok(Json(api.rooms.ads.campaigns(&access, &query, parameters.get("cursor"), limit).await?))
}

/// List ad sets
///
/// As of the last sync.
#[utoipa::path(
    get, path = "/api/meta-ads/adsets", tag = "ads", operation_id = "listAdSets",
    params(
        ("account_id" = Option<AdAccountId>, Query), ("client_id" = Option<ClientId>, Query), ("campaign_id" = Option<AdObjectId>, Query),
        ("effective_status" = Option<EffectiveStatuses>, Query),
        ("cursor" = Option<Cursor>, Query), ("limit" = Option<Limit>, Query),
        OrgHeader
    ),
    responses((status = 200, body = AdSetList))
)]
pub(crate) async fn adsets(
    State(api): State<Arc<Api>>,
    MetaAccess(access): MetaAccess,
    parameters: Parameters,
) -> Result<Json<AdSetList>, Problem> {
    parameters.check(&["account_id", "client_id", "campaign_id", "effective_status", "cursor", "limit"])?;
    let (query, limit) = (filter(&parameters)?, parameters.limit()?);
    Ok(Json(api.rooms.ads.adsets(&access, &query, parameters.get("cursor"), limit).await?))
}

/// List ads
///
/// As of the last sync.
#[utoipa::path(
    get, path = "/api/meta-ads/ads", tag = "ads", operation_id = "listAds",
    params(
        ("account_id" = Option<AdAccountId>, Query), ("client_id" = Option<ClientId>, Query), ("campaign_id" = Option<AdObjectId>, Query),
        ("adset_id" = Option<AdObjectId>, Query),
        ("effective_status" = Option<EffectiveStatuses>, Query),
        ("cursor" = Option<Cursor>, Query), ("limit" = Option<Limit>, Query),
        OrgHeader
    ),
    responses((status = 200, body = AdList))
)]
pub(crate) async fn ads(
    State(api): State<Arc<Api>>,
    MetaAccess(access): MetaAccess,
    parameters: Parameters,
) -> Result<Json<AdList>, Problem> {
    parameters.check(&["account_id", "client_id", "campaign_id", "adset_id", "effective_status", "cursor", "limit"])?;
    let (query, limit) = (filter(&parameters)?, parameters.limit()?);
    Ok(Json(api.rooms.ads.ads(&access, &query, parameters.get("cursor"), limit).await?))
}

fn filter(parameters: &Parameters) -> Result<ObjectFilter, Problem> {
    let states =
        parameters.get("effective_status").map(|list| list.split(',').map(|state| state.trim().to_uppercase()));
    Ok(ObjectFilter {
        accounts: parameters.accounts()?,
        within: parameters.within()?,
        effective_status: states.into_iter().flatten().collect(),
    })
}
