//! Reports: daily insights, added up by client, account, campaign, ad set, ad and day.
#![expect(missing_docs, reason = "a field whose name says it all has no description in the API's document either")]

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::figures::{self, KnownObjects, ReportError};
use super::parents::{AdParentOut, AdParents, ReportSubject, refuse_unknown};
use super::place::{AdObjectState, AdPlace};
use super::{AccountFilter, Ads, Days, first_unfinished};
use crate::cursor::ListCursor;
use crate::directory::MetaAccess;
use crate::error::{ActError, ErrorCode};
use crate::ids::AdObjectId;
use crate::model::ads::account::AdAccount;
use crate::model::ads::object::AdObjectKind;
use crate::model::ads::report::{DIMENSIONS, Dimension, Figures, Origin, RowKey, Sums, totals};
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
    /// The campaign and the ad set.
    pub within: AdParents,
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
    /// The first day.
    #[schema(value_type = String, format = Date)]
    pub since: Date,
    /// The last day.
    #[schema(value_type = String, format = Date)]
    pub until: Date,
    /// The first of these days that is not over in the time zones of all accounts, so that its numbers are incomplete.
    /// `null` if all days are over.
    #[schema(value_type = Option<String>, format = Date)]
    pub unfinished_since: Option<Date>,
    /// The campaign and the ad set that the report is limited to, the widest first.
    pub parents: Vec<AdParentOut>,
}

/// The sums of one combination of the dimensions, with their ids and names. A row about a campaign, an ad set or an ad
/// also says what this lies in.
#[derive(Debug, Serialize, ToSchema)]
pub struct RowOut {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_name: Option<String>,
    #[serde(flatten)]
    pub place: AdPlace,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ad_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ad_name: Option<String>,
    /// In the account's time zone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub day: Option<String>,
    #[serde(flatten)]
    pub figures: Figures,
    #[serde(flatten)]
    pub state: AdObjectState,
}

/// The position in a report: the last row that was returned.
#[derive(Serialize, Deserialize)]
struct RowPosition(Vec<String>, String);

impl Ads {
    /// Up to `limit` rows of a report, with the sums of all its rows.
    ///
    /// # Errors
    /// Refuses a range of days that is empty or too long, an unknown campaign or ad set, a cursor of another report, and a
    /// report with too many rows.
    pub async fn report(
        &self,
        access: &MetaAccess,
        query: &ReportQuery,
        after: Option<&str>,
        limit: usize,
    ) -> Result<ReportOut, ActError> {
        let LoadedReport { accounts, parents, days: (since, until), rows, totals } =
            self.load_report(access, query, after).await?;
        let more = rows.len() > limit;
        let page: Vec<(RowKey, Sums)> = rows.into_iter().take(limit).collect();
        let next = page.last().filter(|_| more).map(|(key, _)| RowPosition(key.values.clone(), key.currency.clone()));
        let list = list_name(query);
        let cursor = ListCursor::new(&self.key, &access.scope, &list);
        let next_cursor = next.map(|position| cursor.encode(&position));
        let items = self.name_rows(access, query, &accounts, page).await?;
        let totals = totals.into_iter().map(|(currency, sums)| {
            let key = RowKey { values: Vec::new(), currency };
            row(&[], key, &sums, &accounts, &KnownObjects::new())
        });
        let zones = accounts.iter().map(AdAccount::zone);
        let unfinished_since = first_unfinished(zones, (since, until), crate::clock::now());
        Ok(ReportOut { items, totals: totals.collect(), next_cursor, since, until, unfinished_since, parents })
    }

    pub(super) async fn load_report(
        &self,
        access: &MetaAccess,
        query: &ReportQuery,
        after: Option<&str>,
    ) -> Result<LoadedReport, ActError> {
        let ReportSubject { accounts, parents } =
            self.report_subject(&access.scope, &query.accounts, &query.within).await?;
        let days = query.days.range(&accounts, USUAL_DAYS, crate::clock::now())?;
        let list = list_name(query);
        let start: Option<RowPosition> = ListCursor::new(&self.key, &access.scope, &list).decode(after)?;
        let report = figures::report(&self.table, &access.scope, &accounts, &query.by, &query.within, days).await;
        let mut rows = match report {
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
        refuse_unknown(&parents, rows.is_empty())?;
        let totals = totals(&rows);
        if let Some(RowPosition(values, currency)) = start {
            let last = RowKey { values, currency };
            rows = rows.split_off(&last);
            rows.remove(&last);
        }
        Ok(LoadedReport { accounts, parents, days, rows, totals })
    }

    /// Adds to the rows the names of the objects that they are about.
    pub(super) async fn name_rows(
        &self,
        access: &MetaAccess,
        query: &ReportQuery,
        accounts: &[AdAccount],
        rows: Vec<(RowKey, Sums)>,
    ) -> Result<Vec<RowOut>, ActError> {
        let known = figures::find_objects(&self.table, &access.scope, accounts, objects(&query.by, &rows)).await?;
        Ok(rows.into_iter().map(|(key, sums)| row(&query.by, key, &sums, accounts, &known)).collect())
    }
}

/// Parses the names of dimensions, separated by commas. Repeated names count once.
pub fn parse_dimensions(text: &str) -> Result<Vec<Dimension>, ActError> {
    let known = || DIMENSIONS.map(|(name, _)| name).join(", ");
    let mut by: Vec<Dimension> = Vec::new();
    for name in text.split(',').map(str::trim) {
        let dimension = name.parse().map_err(|()| {
            ActError::invalid("group_by", ErrorCode::GroupByInvalid, tr!("Use one of: {names}.", names = known()))
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
    parents: Vec<AdParentOut>,
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

/// The kind of the objects that rows are about: the narrowest of the dimensions.
pub(super) fn row_kind(by: &[Dimension]) -> Option<AdObjectKind> {
    by.iter().copied().filter_map(kind).max()
}

/// What all figures of a row share: its account, campaign and ad set, as far as the dimensions tell them apart.
fn shared_origin(by: &[Dimension], sums: &Sums) -> Origin {
    let narrowest = row_kind(by);
    let known = |id: &String, is_shared: bool| if is_shared { id.clone() } else { String::new() };
    Origin {
        account: known(&sums.origin.account, narrowest.is_some() || by.contains(&Dimension::Account)),
        campaign: known(&sums.origin.campaign, narrowest.is_some()),
        adset: known(&sums.origin.adset, narrowest >= Some(AdObjectKind::Adset)),
    }
}

/// The objects that rows are about and those that they lie in, by account, to look up their names.
fn objects(by: &[Dimension], rows: &[(RowKey, Sums)]) -> BTreeMap<String, BTreeSet<(AdObjectKind, AdObjectId)>> {
    let mut objects: BTreeMap<String, BTreeSet<_>> = BTreeMap::new();
    for (key, sums) in rows {
        let Origin { account, campaign, adset } = shared_origin(by, sums);
        let ad = by.iter().zip(&key.values).find(|(by, _)| **by == Dimension::Ad).map(|(_, id)| id.as_str());
        let ids = [
            (AdObjectKind::Campaign, campaign.as_str()),
            (AdObjectKind::Adset, adset.as_str()),
            (AdObjectKind::Ad, ad.unwrap_or_default()),
        ];
        let ids = ids.into_iter().filter_map(|(kind, id)| Some((kind, AdObjectId::parse(id).ok()?)));
        objects.entry(account).or_default().extend(ids);
    }
    objects
}

fn row(by: &[Dimension], key: RowKey, sums: &Sums, accounts: &[AdAccount], known: &KnownObjects) -> RowOut {
    let values: BTreeMap<Dimension, String> = by.iter().copied().zip(key.values).collect();
    let value = |dimension: Dimension| values.get(&dimension).cloned();
    let find = |dimension: Dimension| {
        let id = AdObjectId::parse(values.get(&dimension)?).ok()?;
        known.get(&(kind(dimension)?, id))
    };
    let client = |id: &String| accounts.iter().find(|account| account.client.id.as_str() == id);
    let own = [Dimension::Ad, Dimension::Adset, Dimension::Campaign].into_iter().find(|by| values.contains_key(by));
    RowOut {
        client_name: values.get(&Dimension::Client).and_then(client).map(|account| account.client.name.clone()),
        client_id: value(Dimension::Client),
        place: AdPlace::new(shared_origin(by, sums), accounts, known),
        ad_id: value(Dimension::Ad),
        ad_name: find(Dimension::Ad).map(|ad| ad.name.clone()),
        day: value(Dimension::Day),
        figures: sums.figures(&key.currency),
        state: own.and_then(find).map(|own| own.state.clone()).unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ads::metrics::MainMetrics;

    #[test]
    fn a_row_says_what_its_object_lies_in_and_nothing_that_it_adds_up() {
        let origin = Origin { account: "act_1".to_owned(), campaign: "2".to_owned(), adset: "3".to_owned() };
        let mut sums = Sums::single(MainMetrics::default(), None);
        sums.origin = origin;
        for (by, shared) in [
            (&[][..], "//"),
            (&[Dimension::Client, Dimension::Day], "//"),
            (&[Dimension::Account], "act_1//"),
            (&[Dimension::Campaign, Dimension::Day], "act_1/2/"),
            (&[Dimension::Adset], "act_1/2/3"),
            (&[Dimension::Campaign, Dimension::Ad], "act_1/2/3"),
        ] {
            let Origin { account, campaign, adset } = shared_origin(by, &sums);
            assert_eq!([account, campaign, adset].join("/"), shared, "{by:?}");
        }
    }
}
