//! Reports: daily insights, added up by client, account, campaign, ad set, ad and day.
#![expect(missing_docs, reason = "a field whose name says it all has no description in the API's document either")]

use std::collections::{BTreeMap, BTreeSet, HashMap};

use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::figures::{self, ReportError};
use super::{AccountFilter, Ads, Days};
use crate::cursor::ListCursor;
use crate::directory::MetaAccess;
use crate::error::{ActError, ErrorCode};
use crate::ids::AdObjectId;
use crate::model::ads::account::AdAccount;
use crate::model::ads::object::AdObjectKind;
use crate::model::ads::report::{DIMENSIONS, Dimension, Figures, RowKey, Sums, totals};
use crate::tr;

/// Days of a report by default.
const USUAL_DAYS: i32 = 30;
/// Rows of one response, which Lambda limits to 6 MB.
pub const MAX_ROWS: usize = 5000;

/// A query for a report.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReportQuery {
    /// The dimensions to group by, each at most once.
    pub by: Vec<Dimension>,
    /// The accounts.
    pub accounts: AccountFilter,
    /// The days; by default 30.
    pub days: Days,
}

/// A page of a report.
#[derive(Debug, Serialize, ToSchema)]
pub struct ReportOut {
    pub items: Vec<RowOut>,
    /// The sums of all rows, including those of other pages: one for each currency.
    pub totals: Vec<RowOut>,
    pub next_cursor: Option<String>,
}

/// The sums of one combination of the dimensions, with their ids and names.
#[derive(Debug, Serialize, ToSchema)]
pub struct RowOut {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub campaign_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub campaign_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub adset_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub adset_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ad_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ad_name: Option<String>,
    /// In the account's time zone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub day: Option<String>,
    #[serde(flatten)]
    pub figures: Figures,
}

/// The position in a report: the last row that was returned.
#[derive(Serialize, Deserialize)]
struct RowPosition(Vec<String>, String);

impl Ads {
    /// Up to `limit` rows of a report, with the sums of all its rows.
    ///
    /// # Errors
    /// Refuses a range of days that is empty or too long, a cursor of another report, and a report with too many rows.
    pub async fn report(
        &self,
        access: &MetaAccess,
        query: &ReportQuery,
        after: Option<&str>,
        limit: usize,
    ) -> Result<ReportOut, ActError> {
        let LoadedReport { accounts, rows, totals, .. } = self.load_report(access, query, after).await?;
        let more = rows.len() > limit;
        let page: Vec<(RowKey, Sums)> = rows.into_iter().take(limit).collect();
        let next = page.last().filter(|_| more).map(|(key, _)| RowPosition(key.values.clone(), key.currency.clone()));
        let list = list_name(query);
        let cursor = ListCursor::new(&self.key, &access.scope, &list);
        let next_cursor = next.map(|position| cursor.encode(&position));
        let items = self.name_rows(access, query, &accounts, page).await?;
        let totals = totals.into_iter().map(|(currency, sums)| {
            let key = RowKey { values: Vec::new(), currency };
            row(&[], key, &sums, &accounts, &HashMap::new())
        });
        Ok(ReportOut { items, totals: totals.collect(), next_cursor })
    }

    pub(super) async fn load_report(
        &self,
        access: &MetaAccess,
        query: &ReportQuery,
        after: Option<&str>,
    ) -> Result<LoadedReport, ActError> {
        let accounts = self.selected_accounts(access, &query.accounts).await?;
        let days = query.days.range(&accounts, USUAL_DAYS, crate::clock::now())?;
        let list = list_name(query);
        let start: Option<RowPosition> = ListCursor::new(&self.key, &access.scope, &list).decode(after)?;
        let mut rows = match figures::report(&self.table, &access.scope, &accounts, &query.by, days).await {
            Ok(rows) => rows,
            Err(ReportError::Table(error)) => return Err(error.into()),
            Err(ReportError::TooManyRows) => {
                let detail = tr!(
                    "The report would have more than {rows} rows: choose fewer days, one account, or a broader grouping.",
                    rows = figures::MAX_ROWS
                );
                return Err(ActError::invalid("group_by", ErrorCode::TooManyRows, detail));
            }
        };
        let totals = totals(&rows);
        if let Some(RowPosition(values, currency)) = start {
            let last = RowKey { values, currency };
            rows = rows.split_off(&last);
            rows.remove(&last);
        }
        Ok(LoadedReport { accounts, days, rows, totals })
    }

    /// Adds to the rows the names of the objects that they are about.
    pub(super) async fn name_rows(
        &self,
        access: &MetaAccess,
        query: &ReportQuery,
        accounts: &[AdAccount],
        rows: Vec<(RowKey, Sums)>,
    ) -> Result<Vec<RowOut>, ActError> {
        let names = figures::names(&self.table, &access.scope, accounts, objects(&query.by, &rows)).await?;
        Ok(rows.into_iter().map(|(key, sums)| row(&query.by, key, &sums, accounts, &names)).collect())
    }
}

/// Parses the names of dimensions, separated by commas. Repeated names count once.
pub fn parse_dimensions(text: &str) -> Result<Vec<Dimension>, ActError> {
    let known = || DIMENSIONS.map(|(name, _)| name).join(", ");
    let mut by: Vec<Dimension> = Vec::new();
    for name in text.split(',').map(str::trim) {
        let dimension = name.parse().map_err(|()| {
            ActError::invalid("group_by", ErrorCode::GroupByInvalid, tr!("Known are {names}.", names = known()))
        })?;
        if !by.contains(&dimension) {
            by.push(dimension);
        }
    }
    Ok(by)
}

/// The rows after a position, and the sums of all rows.
pub(super) struct LoadedReport {
    pub(super) accounts: Vec<AdAccount>,
    pub(super) days: (Date, Date),
    pub(super) rows: BTreeMap<RowKey, Sums>,
    totals: BTreeMap<String, Sums>,
}

/// The name of the list, which binds a cursor to its query.
fn list_name(query: &ReportQuery) -> String {
    format!("report {query:?}")
}

fn kind(dimension: Dimension) -> Option<AdObjectKind> {
    match dimension {
        Dimension::Campaign => Some(AdObjectKind::Campaign),
        Dimension::Adset => Some(AdObjectKind::Adset),
        Dimension::Ad => Some(AdObjectKind::Ad),
        Dimension::Client | Dimension::Account | Dimension::Day => None,
    }
}

/// The objects that rows are about, by account, to look up their names.
fn objects(by: &[Dimension], rows: &[(RowKey, Sums)]) -> BTreeMap<String, BTreeSet<(AdObjectKind, AdObjectId)>> {
    let mut objects: BTreeMap<String, BTreeSet<_>> = BTreeMap::new();
    for (key, sums) in rows {
        let values = by.iter().zip(&key.values);
        let ids = values.filter_map(|(by, value)| Some((kind(*by)?, AdObjectId::parse(value).ok()?)));
        objects.entry(sums.account.clone()).or_default().extend(ids);
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
        figures: sums.figures(&key.currency),
    }
}
