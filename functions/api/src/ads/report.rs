//! Reports: days added up by clients, accounts, campaigns, ad sets, ads and days.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, header};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use shared::http::{Problem, cursor, place};
use shared::ids::AdObjectId;
use shared::model::ad_account::AdAccount;
use shared::model::ad_object::AdObjectKind;
use shared::model::currency::written;
use shared::model::report::{DIMENSIONS, Dimension, RowKey, Sums, totals};
use shared::reporting::figures::{self, ReportError};
use utoipa::ToSchema;

use super::spreadsheet;
use crate::access::{Access, MetaAccess};
use crate::input::Parameters;
use crate::router::Api;

/// Days shown if none are asked for.
const USUAL_DAYS: i32 = 30;
/// Rows of an answer, which holds 6 MB.
const MOST_ROWS: usize = 5000;
/// Rows of a file, which are shorter.
const MOST_LINES: usize = 20_000;

/// A report.
#[derive(Serialize, ToSchema)]
pub(crate) struct ReportOut {
    items: Vec<RowOut>,
    /// The sum of all rows, also of those of other answers of this list: one for each currency.
    totals: Vec<RowOut>,
    next_cursor: Option<String>,
}

/// Sums of one combination of what was grouped by. Of that, it has ids and names.
#[derive(Serialize, ToSchema)]
pub(crate) struct RowOut {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) client_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) client_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) account_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) account_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) campaign_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) campaign_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) adset_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) adset_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) ad_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) ad_name: Option<String>,
    /// In the account's zone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) day: Option<String>,
    pub(super) impressions: u64,
    pub(super) clicks: u64,
    /// In `currency`.
    pub(super) spend: String,
    /// ISO 4217. Different currencies are different rows.
    pub(super) currency: String,
    pub(super) conversions: u64,
    /// Clicks per hundred impressions; of the sums, as all ratios.
    #[schema(value_type = Option<String>)]
    pub(super) ctr: Option<Decimal>,
    /// Spend per click.
    #[schema(value_type = Option<String>)]
    pub(super) cpc: Option<Decimal>,
    /// Spend per thousand impressions.
    #[schema(value_type = Option<String>)]
    pub(super) cpm: Option<Decimal>,
    /// How many people; only where the row is one figure of Meta's, because reach cannot be added.
    pub(super) reach: Option<u64>,
    /// How often each of them; under the same condition.
    #[schema(value_type = Option<String>)]
    pub(super) frequency: Option<Decimal>,
}

/// Where a report goes on: after this row.
#[derive(Serialize, Deserialize)]
struct Place(Vec<String>, String);

/// A report
///
/// By clients, accounts and days it is made of Meta's own figures of the accounts; by campaigns, ad sets and ads of those
/// of the ads, deleted ones included. As CSV with `format=csv` or the header `accept: text/csv`.
#[utoipa::path(
    get, path = "/api/meta-ads/report", tag = "ads", operation_id = "readReport",
    params(
        ("group_by" = Option<String>, Query, description = "`client`, `account`, `campaign`, `adset`, `ad`, `day`, or several separated by commas; `account` if left out"),
        ("since" = Option<String>, Query, description = "First day, of the last 30 if left out"), ("until" = Option<String>, Query),
        ("account_id" = Option<String>, Query), ("client_id" = Option<String>, Query),
        ("format" = Option<String>, Query, description = "`json` or `csv`"),
        ("cursor" = Option<String>, Query), ("limit" = Option<u32>, Query, description = "1 to 5000, 5000 if left out"),
        ("orgid" = String, Header, description = "The org to act for")
    ),
    responses(
        (status = 200, content((ReportOut = "application/json"), (String = "text/csv"))),
        (status = "4XX", body = Problem, content_type = "application/problem+json")
    )
)]
pub(crate) async fn read(
    State(api): State<Arc<Api>>,
    MetaAccess(Access { scope, .. }): MetaAccess,
    headers: HeaderMap,
    parameters: Parameters,
) -> Result<Response, Problem> {
    parameters.check(&["group_by", "since", "until", "account_id", "client_id", "format", "cursor", "limit"])?;
    let by = dimensions(parameters.get("group_by").unwrap_or("account"))?;
    let as_csv = match parameters.get("format") {
        Some("csv") => true,
        Some("json") => false,
        Some(_) => return Err(Problem::field("format", "format_invalid", "json or csv.")),
        None => headers
            .get(header::ACCEPT)
            .and_then(|value| value.to_str().ok())
            .is_some_and(|accept| accept.starts_with("text/csv")),
    };
    let limit = limit(parameters.get("limit"))?;
    let accounts = parameters.accounts(&api.table, &scope).await?;
    let days = parameters.range(&accounts, USUAL_DAYS, shared::clock::now())?;
    let name = parameters.list("report");
    let start: Option<Place> =
        parameters.get("cursor").map(|given| place(&api.key, &scope, &name, given)).transpose()?;

    let mut rows = match figures::report(&api.table, &scope, &accounts, &by, days).await {
        Ok(rows) => rows,
        Err(ReportError::Table(error)) => return Err(error.into()),
        Err(error @ ReportError::TooManyRows) => {
            let detail = format!("{error}: ask for fewer days, one account, or by something wider.");
            return Err(Problem::field("group_by", "too_many_rows", detail));
        }
    };
    let totals = totals(&rows);
    if let Some(Place(values, currency)) = start {
        let last = RowKey { values, currency };
        rows = rows.split_off(&last);
        rows.remove(&last);
    }
    if as_csv && rows.len() > MOST_LINES {
        let detail = "More than 20000 rows: ask for fewer days, one account, or by something wider.";
        return Err(Problem::field("group_by", "too_many_rows", detail));
    }
    let more = !as_csv && rows.len() > limit;
    let shown: Vec<(RowKey, Sums)> = rows.into_iter().take(if as_csv { MOST_LINES } else { limit }).collect();
    let next = shown.last().filter(|_| more).map(|(key, _)| Place(key.values.clone(), key.currency.clone()));
    let names = figures::names(&api.table, &scope, &accounts, objects(&by, &shown)).await?;
    let items: Vec<RowOut> = shown.into_iter().map(|(key, sums)| row(&by, key, &sums, &accounts, &names)).collect();
    if as_csv {
        return Ok(spreadsheet::answer(&by, &items, days));
    }
    let totals = totals.into_iter().map(|(currency, sums)| {
        let key = RowKey { values: Vec::new(), currency };
        row(&[], key, &sums, &accounts, &names)
    });
    let next_cursor = next.map(|place| cursor(&api.key, &scope, &name, &place));
    Ok(Json(ReportOut { items, totals: totals.collect(), next_cursor }).into_response())
}

fn dimensions(given: &str) -> Result<Vec<Dimension>, Problem> {
    let known = || DIMENSIONS.map(|(name, _)| name).join(", ");
    let mut by: Vec<Dimension> = Vec::new();
    for name in given.split(',').map(str::trim) {
        let dimension = name
            .parse()
            .map_err(|()| Problem::field("group_by", "group_by_invalid", format!("Known are {}.", known())))?;
        if !by.contains(&dimension) {
            by.push(dimension);
        }
    }
    Ok(by)
}

fn limit(given: Option<&str>) -> Result<usize, Problem> {
    let Some(given) = given else { return Ok(MOST_ROWS) };
    let number = given.parse().ok().filter(|number| (1..=MOST_ROWS).contains(number));
    number.ok_or_else(|| Problem::field("limit", "limit_invalid", format!("A whole number from 1 to {MOST_ROWS}.")))
}

fn kind(dimension: Dimension) -> Option<AdObjectKind> {
    match dimension {
        Dimension::Campaign => Some(AdObjectKind::Campaign),
        Dimension::Adset => Some(AdObjectKind::Adset),
        Dimension::Ad => Some(AdObjectKind::Ad),
        Dimension::Client | Dimension::Account | Dimension::Day => None,
    }
}

/// The objects that rows are about: their names are to be shown.
fn objects(by: &[Dimension], rows: &[(RowKey, Sums)]) -> BTreeMap<String, BTreeSet<(AdObjectKind, AdObjectId)>> {
    let mut objects: BTreeMap<String, BTreeSet<_>> = BTreeMap::new();
    for (key, sums) in rows {
        let values = by.iter().zip(&key.values);
        let found = values.filter_map(|(by, value)| Some((kind(*by)?, AdObjectId::parse(value).ok()?)));
        objects.entry(sums.account.clone()).or_default().extend(found);
    }
    objects
}

fn row(
    by: &[Dimension],
    key: RowKey,
    sums: &Sums,
    accounts: &[AdAccount],
    names: &HashMap<(AdObjectKind, AdObjectId), String>,
) -> RowOut {
    let values: BTreeMap<Dimension, String> = by.iter().copied().zip(key.values).collect();
    let value = |dimension: Dimension| values.get(&dimension).cloned();
    let name = |dimension: Dimension| {
        let id = AdObjectId::parse(values.get(&dimension)?).ok()?;
        names.get(&(kind(dimension)?, id)).cloned()
    };
    let client = |id: &String| accounts.iter().find(|account| account.client.id.as_str() == id);
    let account = |id: &String| accounts.iter().find(|account| account.ad_account_id.as_str() == id);
    RowOut {
        client_name: values.get(&Dimension::Client).and_then(client).map(|account| account.client.name.clone()),
        account_name: values.get(&Dimension::Account).and_then(account).map(|account| account.label.clone()),
        client_id: value(Dimension::Client),
        account_id: value(Dimension::Account),
        campaign_id: value(Dimension::Campaign),
        campaign_name: name(Dimension::Campaign),
        adset_id: value(Dimension::Adset),
        adset_name: name(Dimension::Adset),
        ad_id: value(Dimension::Ad),
        ad_name: name(Dimension::Ad),
        day: value(Dimension::Day),
        impressions: sums.impressions,
        clicks: sums.clicks,
        spend: written(sums.spend, &key.currency),
        conversions: sums.conversions,
        ctr: sums.ctr(),
        cpc: sums.cpc(),
        cpm: sums.cpm(),
        reach: sums.reach(),
        frequency: sums.frequency(),
        currency: key.currency,
    }
}
