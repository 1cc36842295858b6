//! Daily insights of ads and of accounts, and what Meta restated of them.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use leadwire::ads::days::{AccountDayList, AdDayList, DayFilter};
use leadwire::http::Problem;
use leadwire::ids::{AdAccountId, AdObjectId, ClientId};

use crate::access::{MetaAccess, OrgHeader};
use crate::input::Parameters;
use crate::schemas::{Cursor, Day, Limit, Moment};
use crate::state::Api;

/// List ad insights by day
///
/// Newest day first. With a filter that few ads match, a page can be short or empty although more pages follow.
#[utoipa::path(
    get, path = "/api/meta-ads/insights", tag = "ads", operation_id = "listAdInsights",
    params(
        ("since" = Option<Day>, Query, description = "First day; by default 7 days up to `until`"), ("until" = Option<Day>, Query),
        ("account_id" = Option<AdAccountId>, Query), ("client_id" = Option<ClientId>, Query), ("campaign_id" = Option<AdObjectId>, Query),
        ("adset_id" = Option<AdObjectId>, Query), ("ad_id" = Option<AdObjectId>, Query),
        ("restated_since" = Option<Moment>, Query, description = "Only days that Meta restated since this time"),
        ("cursor" = Option<Cursor>, Query), ("limit" = Option<Limit>, Query),
        OrgHeader
    ),
    responses((status = 200, body = AdDayList))
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
        within: parameters.within()?,
        ad_id: parameters.id("ad_id", AdObjectId::parse)?,
        restated_since: parameters.time("restated_since")?,
    };
    Ok(Json(api.rooms.ads.ad_days(&access, &query, parameters.get("cursor"), limit).await?))
}

/// List account insights by day
///
/// Meta's own figures for each account. They include everything that was ever in it, and a reach that cannot be added
/// up from its ads.
#[utoipa::path(
    get, path = "/api/meta-ads/account-insights", tag = "ads", operation_id = "listAccountInsights",
    params(
        ("since" = Option<Day>, Query, description = "First day; by default 30 days up to `until`"), ("until" = Option<Day>, Query),
        ("account_id" = Option<AdAccountId>, Query), ("client_id" = Option<ClientId>, Query),
        ("restated_since" = Option<Moment>, Query, description = "Only days that Meta restated since this time"),
        OrgHeader
    ),
    responses((status = 200, body = AccountDayList))
)]
pub(crate) async fn accounts(
    State(api): State<Arc<Api>>,
    MetaAccess(access): MetaAccess,
    parameters: Parameters,
) -> Result<Json<AccountDayList>, Problem> {
    parameters.check(&["since", "until", "account_id", "client_id", "restated_since"])?;
    let (accounts, range) = (parameters.accounts()?, parameters.days()?);
    let restated_since = parameters.time("restated_since")?;
    Ok(Json(api.rooms.ads.account_days(&access, &accounts, range, restated_since).await?))
}
