//! Lists of days: the figures of ads and of accounts, with what Meta restated.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use leadwire::ads::days::{AccountDayList, AdDayList, DayFilter};
use leadwire::http::Problem;
use leadwire::ids::AdObjectId;

use crate::access::{Failure, MetaAccess, OrgHeader};
use crate::input::Parameters;
use crate::state::Api;

/// What ads did, day by day
///
/// The newest day first. A filter that few ads meet can make an answer short, or empty, and still go on.
#[utoipa::path(
    get, path = "/api/meta-ads/insights", tag = "ads", operation_id = "listAdInsights",
    params(
        ("since" = Option<String>, Query, description = "First day, of the last 7 if left out"), ("until" = Option<String>, Query),
        ("account_id" = Option<String>, Query), ("client_id" = Option<String>, Query), ("campaign_id" = Option<String>, Query),
        ("adset_id" = Option<String>, Query), ("ad_id" = Option<String>, Query),
        ("restated_since" = Option<String>, Query, description = "Only what Meta restated since this time"),
        ("cursor" = Option<String>, Query), ("limit" = Option<u32>, Query, description = "1 to 100, 25 if left out"),
        OrgHeader
    ),
    responses((status = 200, body = AdDayList), Failure)
)]
pub(crate) async fn ads(
    State(api): State<Arc<Api>>,
    MetaAccess(access): MetaAccess,
    parameters: Parameters,
) -> Result<Json<AdDayList>, Problem> {
    parameters.check(&[
        "since",
        "until",
        "account_id",
        "client_id",
        "campaign_id",
        "adset_id",
        "ad_id",
        "restated_since",
        "cursor",
        "limit",
    ])?;
    let limit = parameters.limit()?;
    let query = DayFilter {
        accounts: parameters.accounts()?,
        days: parameters.days()?,
        campaign_id: parameters.id("campaign_id", AdObjectId::parse)?,
        adset_id: parameters.id("adset_id", AdObjectId::parse)?,
        ad_id: parameters.id("ad_id", AdObjectId::parse)?,
        restated_since: parameters.time("restated_since")?,
    };
    Ok(Json(api.ads.ad_days(&access, &query, parameters.get("cursor"), limit).await?))
}

/// What accounts did, day by day
///
/// Meta's own figures for each account, with all that was ever in it, and with a reach that no sum of ads has.
#[utoipa::path(
    get, path = "/api/meta-ads/account-insights", tag = "ads", operation_id = "listAccountInsights",
    params(
        ("since" = Option<String>, Query, description = "First day, of the last 30 if left out"), ("until" = Option<String>, Query),
        ("account_id" = Option<String>, Query), ("client_id" = Option<String>, Query),
        ("restated_since" = Option<String>, Query, description = "Only what Meta restated since this time"),
        OrgHeader
    ),
    responses((status = 200, body = AccountDayList), Failure)
)]
pub(crate) async fn accounts(
    State(api): State<Arc<Api>>,
    MetaAccess(access): MetaAccess,
    parameters: Parameters,
) -> Result<Json<AccountDayList>, Problem> {
    parameters.check(&["since", "until", "account_id", "client_id", "restated_since"])?;
    let (accounts, range) = (parameters.accounts()?, parameters.days()?);
    let restated_since = parameters.time("restated_since")?;
    Ok(Json(api.ads.account_days(&access, &accounts, range, restated_since).await?))
}
