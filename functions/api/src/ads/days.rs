//! Lists of days: what ads did, and what accounts did, with what Meta restated.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use jiff::Timestamp;
use jiff::civil::Date;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use shared::http::{Problem, cursor, place};
use shared::ids::{AdAccountId, AdObjectId, OrgScope};
use shared::model::ad_account::{AdAccount, back};
use shared::model::currency::written;
use shared::model::insights::{AdDay, Day, MainMetrics};
use shared::model::report::Sums;
use utoipa::ToSchema;

use crate::access::{Access, MetaAccess};
use crate::input::{self, Parameters};
use crate::router::Api;

/// Days shown if none are asked for.
const USUAL_DAYS: i32 = 7;
/// Queries of the table for one answer; of a filter that few meet, the answer may be short and go on.
const MOST_QUERIES: usize = 60;

/// Numbers of one object on one day.
#[derive(Serialize, ToSchema)]
pub(crate) struct Numbers {
    /// In the account's zone.
    #[schema(value_type = String, format = Date)]
    day: Date,
    impressions: u64,
    clicks: u64,
    /// In `currency`.
    spend: String,
    currency: String,
    /// One whole number; the account's `conversions` say what counts.
    conversions: u64,
    /// Clicks per hundred impressions.
    #[schema(value_type = Option<String>)]
    ctr: Option<Decimal>,
    /// Spend per click.
    #[schema(value_type = Option<String>)]
    cpc: Option<Decimal>,
    /// Spend per thousand impressions.
    #[schema(value_type = Option<String>)]
    cpm: Option<Decimal>,
    /// How many people it was shown to.
    reach: Option<u64>,
    /// How often to each.
    #[schema(value_type = Option<String>)]
    frequency: Option<Decimal>,
    video_p25_watched: u64,
    video_p50_watched: u64,
    video_p75_watched: u64,
    video_p100_watched: u64,
    /// Meta's action types. They overlap: never add them.
    actions: Vec<ActionOut>,
    /// What the numbers were when the day was over and first read; only if Meta restated them since.
    first_seen: Option<FirstSeen>,
    /// When the numbers last changed.
    #[schema(value_type = String, format = DateTime)]
    changed_at: Timestamp,
}

/// How often something happened.
#[derive(Serialize, ToSchema)]
pub(crate) struct ActionOut {
    action_type: String,
    #[schema(value_type = String)]
    value: Decimal,
}

/// What the numbers were.
#[derive(Serialize, ToSchema)]
pub(crate) struct FirstSeen {
    impressions: u64,
    clicks: u64,
    spend: String,
    conversions: u64,
    reach: Option<u64>,
}

/// One ad's day.
#[derive(Serialize, ToSchema)]
pub(crate) struct AdDayOut {
    account_id: AdAccountId,
    campaign_id: AdObjectId,
    campaign_name: String,
    adset_id: AdObjectId,
    adset_name: String,
    ad_id: AdObjectId,
    ad_name: String,
    #[serde(flatten)]
    numbers: Numbers,
}

/// One account's day.
#[derive(Serialize, ToSchema)]
pub(crate) struct AccountDayOut {
    account_id: AdAccountId,
    #[serde(flatten)]
    numbers: Numbers,
}

/// Ads' days, the newest day first.
#[derive(Serialize, ToSchema)]
pub(crate) struct AdDayList {
    items: Vec<AdDayOut>,
    next_cursor: Option<String>,
}

/// Accounts' days, the oldest day first.
#[derive(Serialize, ToSchema)]
pub(crate) struct AccountDayList {
    items: Vec<AccountDayOut>,
    /// Always `null`: all are listed.
    next_cursor: Option<String>,
}

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
        ("orgid" = String, Header, description = "The org to act for")
    ),
    responses((status = 200, body = AdDayList), (status = "4XX", body = Problem, content_type = "application/problem+json"))
)]
pub(crate) async fn ads(
    State(api): State<Arc<Api>>,
    MetaAccess(Access { scope, .. }): MetaAccess,
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
    let limit = input::limit(parameters.get("limit"))?;
    let accounts = parameters.accounts(&api.table, &scope).await?;
    let (since, until) = parameters.range(&accounts, USUAL_DAYS, shared::clock::now())?;
    let filter = Filter {
        campaign: parameters.id("campaign_id", AdObjectId::parse)?,
        adset: parameters.id("adset_id", AdObjectId::parse)?,
        ad: parameters.id("ad_id", AdObjectId::parse)?,
        restated_since: restated_since(&parameters)?,
    };
    let name = parameters.list("ad days");
    let start: Option<Place> =
        parameters.get("cursor").map(|given| place(&api.key, &scope, &name, given)).transpose()?;
    let (items, next) = list(&api, &scope, &accounts, (since, until), &filter, start, limit).await?;
    Ok(Json(AdDayList { items, next_cursor: next.map(|place| cursor(&api.key, &scope, &name, &place)) }))
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
        ("orgid" = String, Header, description = "The org to act for")
    ),
    responses((status = 200, body = AccountDayList), (status = "4XX", body = Problem, content_type = "application/problem+json"))
)]
pub(crate) async fn accounts(
    State(api): State<Arc<Api>>,
    MetaAccess(Access { scope, .. }): MetaAccess,
    parameters: Parameters,
) -> Result<Json<AccountDayList>, Problem> {
    /// An answer of ours holds 6 MB.
    const MOST_ROWS: usize = 1500;
    parameters.check(&["since", "until", "account_id", "client_id", "restated_since"])?;
    let accounts = parameters.accounts(&api.table, &scope).await?;
    let (since, until) = parameters.range(&accounts, 30, shared::clock::now())?;
    let restated_since = restated_since(&parameters)?;
    let mut items = Vec::new();
    for account in &accounts {
        for day in api.table.account_days(&scope, &account.id, since, until).await? {
            if is_restated(&day, restated_since) {
                let numbers = numbers(day, &account.currency);
                items.push(AccountDayOut { account_id: account.ad_account_id.clone(), numbers });
            }
        }
        if items.len() > MOST_ROWS {
            let detail = "More than 1500 days: ask for fewer days or one account.";
            return Err(Problem::field("since", "too_many_rows", detail));
        }
    }
    Ok(Json(AccountDayList { items, next_cursor: None }))
}

/// Where a list goes on: in which account, on which day, after which ad.
#[derive(Serialize, Deserialize)]
struct Place(AdAccountId, Date, Option<AdObjectId>);

struct Filter {
    campaign: Option<AdObjectId>,
    adset: Option<AdObjectId>,
    ad: Option<AdObjectId>,
    restated_since: Option<Timestamp>,
}

impl Filter {
    fn admits(&self, row: &AdDay) -> bool {
        let is_among = |wanted: &Option<AdObjectId>, given: &AdObjectId| wanted.as_ref().is_none_or(|it| it == given);
        is_among(&self.campaign, &row.campaign_id)
            && is_among(&self.adset, &row.adset_id)
            && is_among(&self.ad, &row.ad_id)
            && is_restated(&row.day, self.restated_since)
    }
}

fn restated_since(parameters: &Parameters) -> Result<Option<Timestamp>, Problem> {
    parameters.get("restated_since").map(|text| input::time("restated_since", text)).transpose()
}

fn is_restated(day: &Day, since: Option<Timestamp>) -> bool {
    since.is_none_or(|since| day.first_seen.is_some() && day.changed_at >= since)
}

async fn list(
    api: &Api,
    scope: &OrgScope,
    accounts: &[AdAccount],
    (since, until): (Date, Date),
    filter: &Filter,
    start: Option<Place>,
    limit: usize,
) -> Result<(Vec<AdDayOut>, Option<Place>), Problem> {
    let (mut items, mut queries) = (Vec::new(), 0);
    let first = start.as_ref().map(|place| &place.0);
    for account in accounts.iter().filter(|account| first.is_none_or(|first| account.ad_account_id >= *first)) {
        let resumed = start.as_ref().filter(|place| place.0 == account.ad_account_id);
        let mut day = resumed.map_or(until, |place| place.1.min(until));
        let mut after = resumed.and_then(|place| place.2.clone());
        while day >= since {
            if queries == MOST_QUERIES {
                return Ok((items, Some(Place(account.ad_account_id.clone(), day, after))));
            }
            queries += 1;
            let (rows, more) = match &filter.ad {
                // One ad's days have keys of their own: a month of them at once.
                Some(ad) => {
                    let first = since.max(back(day, 30));
                    let days = (0..).map(|before| back(day, before)).take_while(|day| *day >= first);
                    let keys: Vec<(Date, AdObjectId)> = days.map(|day| (day, ad.clone())).collect();
                    let mut found: Vec<AdDay> =
                        api.table.ad_days(scope, &account.id, &keys).await?.into_values().collect();
                    found.sort_by_key(|row| std::cmp::Reverse(row.day.day));
                    day = first;
                    (found, false)
                }
                None => api.table.list_ad_days(scope, &account.id, day, after.as_ref(), 500).await?,
            };
            for row in rows {
                if items.len() == limit {
                    let place = if filter.ad.is_some() { (row.day.day, None) } else { (day, after) };
                    return Ok((items, Some(Place(account.ad_account_id.clone(), place.0, place.1))));
                }
                after = Some(row.ad_id.clone());
                if filter.admits(&row) {
                    items.push(ad_day_out(row, account));
                }
            }
            if !more {
                (day, after) = (back(day, 1), None);
            }
        }
    }
    Ok((items, None))
}

fn ad_day_out(row: AdDay, account: &AdAccount) -> AdDayOut {
    AdDayOut {
        account_id: account.ad_account_id.clone(),
        campaign_id: row.campaign_id,
        campaign_name: row.campaign_name,
        adset_id: row.adset_id,
        adset_name: row.adset_name,
        ad_id: row.ad_id,
        ad_name: row.ad_name,
        numbers: numbers(row.day, &account.currency),
    }
}

fn numbers(day: Day, currency: &str) -> Numbers {
    let metrics = day.metrics;
    let mut sums = Sums::default();
    sums.add(&metrics.main(), metrics.frequency);
    let [video_p25_watched, video_p50_watched, video_p75_watched, video_p100_watched] = metrics.video_views;
    let first_seen = |first: MainMetrics| FirstSeen {
        impressions: first.impressions,
        clicks: first.clicks,
        spend: written(first.spend, currency),
        conversions: first.conversions,
        reach: first.reach,
    };
    Numbers {
        day: day.day,
        impressions: metrics.impressions,
        clicks: metrics.clicks,
        spend: written(metrics.spend, currency),
        currency: currency.to_owned(),
        conversions: metrics.conversions,
        ctr: sums.ctr(),
        cpc: sums.cpc(),
        cpm: sums.cpm(),
        reach: metrics.reach,
        frequency: metrics.frequency,
        video_p25_watched,
        video_p50_watched,
        video_p75_watched,
        video_p100_watched,
        actions: metrics.actions.into_iter().map(|(action_type, value)| ActionOut { action_type, value }).collect(),
        first_seen: day.first_seen.map(first_seen),
        changed_at: day.changed_at,
    }
}
