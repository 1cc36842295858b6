//! Daily insights of ads and of accounts, and what Meta restated of them.
#![expect(missing_docs, reason = "a field whose name says it all has no description in the API's document either")]

use jiff::Timestamp;
use jiff::civil::Date;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::parents::AdParents;
use super::{AccountFilter, Ads, Days};
use crate::cursor::ListCursor;
use crate::directory::MetaAccess;
use crate::error::{ActError, ErrorCode};
use crate::ids::{AdAccountId, AdObjectId};
use crate::model::ads::account::AdAccount;
use crate::model::ads::insights::{AdDay, Day};
use crate::model::ads::metrics::MainMetrics;
use crate::model::ads::report::{Figures, Sums};
use crate::model::days::back;
use crate::tr;

/// Days of ads by default.
const USUAL_DAYS: i32 = 7;
/// Days of accounts by default. They have fewer rows.
const USUAL_ACCOUNT_DAYS: i32 = 30;
/// Table queries for one page. With a filter that few ads match, the page may be short although more follow.
const MAX_QUERIES: usize = 60;
/// Days of accounts in one response, which Lambda limits to 6 MB.
const MAX_ROWS: usize = 1500;

/// Selects days of ads. A day must match everything that is set.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DayFilter {
    /// The accounts.
    pub accounts: AccountFilter,
    /// The days; by default 7.
    pub days: Days,
    /// Only ads in this campaign and this ad set.
    pub within: AdParents,
    /// Only this ad.
    pub ad_id: Option<AdObjectId>,
    /// Only days that Meta restated since this time.
    pub restated_since: Option<Timestamp>,
}

/// The numbers of one object on one day.
#[derive(Debug, Serialize, ToSchema)]
pub struct Numbers {
    /// In the account's time zone.
    #[schema(value_type = String, format = Date)]
    pub day: Date,
    #[serde(flatten)]
    pub figures: Figures,
    pub video_p25_watched: u64,
    pub video_p50_watched: u64,
    pub video_p75_watched: u64,
    pub video_p100_watched: u64,
    /// The actions, by Meta's action types. The types overlap: do not add them up.
    pub actions: Vec<ActionOut>,
    /// The numbers of the first sync after the day had ended; `null` unless Meta has restated them since.
    pub first_seen: Option<MainMetrics>,
    /// When the numbers last changed.
    #[schema(value_type = String, format = DateTime)]
    pub changed_at: Timestamp,
}

/// The count of one action type.
#[derive(Debug, Serialize, ToSchema)]
pub struct ActionOut {
    pub action_type: String,
    #[schema(value_type = String)]
    pub value: Decimal,
}

/// The numbers of one ad on one day.
#[derive(Debug, Serialize, ToSchema)]
pub struct AdDayOut {
    pub account_id: AdAccountId,
    pub campaign_id: AdObjectId,
    pub campaign_name: String,
    pub adset_id: AdObjectId,
    pub adset_name: String,
    pub ad_id: AdObjectId,
    pub ad_name: String,
    /// The time whose numbers these are: about an hour ago at most for a day in progress, else the last sync. Reports are
    /// always of the last sync.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub as_of: Option<Timestamp>,
    #[serde(flatten)]
    pub numbers: Numbers,
}

/// The numbers of one account on one day.
#[derive(Debug, Serialize, ToSchema)]
pub struct AccountDayOut {
    pub account_id: AdAccountId,
    #[serde(flatten)]
    pub numbers: Numbers,
}

/// A page of ads' days, newest day first.
#[derive(Debug, Serialize, ToSchema)]
pub struct AdDayList {
    pub items: Vec<AdDayOut>,
    pub next_cursor: Option<String>,
}

/// Accounts' days, oldest day first.
#[derive(Debug, Serialize, ToSchema)]
pub struct AccountDayList {
    pub items: Vec<AccountDayOut>,
    /// Always `null`: all are listed.
    pub next_cursor: Option<String>,
}

impl Ads {
    /// Lists the ads' daily insights, newest day first. With a filter that few ads match, the page can be short
    /// although more pages follow.
    ///
    /// # Errors
    /// Refuses a range of days that is empty or too long, and a cursor of another list or filter.
    pub async fn ad_days(
        &self,
        access: &MetaAccess,
        query: &DayFilter,
        after: Option<&str>,
        limit: usize,
    ) -> Result<AdDayList, ActError> {
        let accounts = self.selected_accounts(access, &query.accounts).await?;
        let range = query.days.range(&accounts, USUAL_DAYS, crate::clock::now())?;
        let list = format!("ad days {query:?}");
        let cursor = ListCursor::new(&self.key, &access.scope, &list);
        let start: Option<DayPosition> = cursor.decode(after)?;
        let (items, next) = self.list_ad_days(access, &accounts, range, query, start, limit).await?;
        Ok(AdDayList { items, next_cursor: next.map(|position| cursor.encode(&position)) })
    }

    /// Lists the accounts' daily insights, which are Meta's own figures for each account: by default of 30 days. With
    /// `restated_since`, only days that Meta restated since that time.
    ///
    /// # Errors
    /// Refuses a range of days that is empty or too long, and a list with too many rows.
    pub async fn account_days(
        &self,
        access: &MetaAccess,
        filter: &AccountFilter,
        days: Days,
        restated_since: Option<Timestamp>,
    ) -> Result<AccountDayList, ActError> {
        let accounts = self.selected_accounts(access, filter).await?;
        let (since, until) = days.range(&accounts, USUAL_ACCOUNT_DAYS, crate::clock::now())?;
        let mut items = Vec::new();
        for account in &accounts {
            for day in self.table.account_days(&access.scope, &account.id, since, until).await? {
                if is_restated(&day, restated_since) {
                    let numbers = numbers(day, &account.currency);
                    items.push(AccountDayOut { account_id: account.ad_account_id.clone(), numbers });
                }
            }
            if items.len() > MAX_ROWS {
                let detail = tr!("More than 1,500 days: choose fewer days or one account.");
                return Err(ActError::invalid("since", ErrorCode::TooManyRows, detail));
            }
        }
        Ok(AccountDayList { items, next_cursor: None })
    }

    async fn list_ad_days(
        &self,
        access: &MetaAccess,
        accounts: &[AdAccount],
        (since, until): (Date, Date),
        filter: &DayFilter,
        start: Option<DayPosition>,
        limit: usize,
    ) -> Result<(Vec<AdDayOut>, Option<DayPosition>), ActError> {
        let (mut items, mut queries) = (Vec::new(), 0);
        let first = start.as_ref().map(|position| &position.0);
        for account in accounts.iter().filter(|account| first.is_none_or(|first| account.ad_account_id >= *first)) {
            let resumed = start.as_ref().filter(|position| position.0 == account.ad_account_id);
            let mut day = resumed.map_or(until, |position| position.1.min(until));
            let mut after = resumed.and_then(|position| position.2.clone());
            while day >= since {
                if queries == MAX_QUERIES {
                    return Ok((items, Some(DayPosition(account.ad_account_id.clone(), day, after))));
                }
                queries += 1;
                let (rows, more) = match &filter.ad_id {
                    // The keys of one ad's days are known, so a month of them is read at once.
                    Some(ad) => {
                        let first = since.max(back(day, 30));
                        let days = (0..).map(|before| back(day, before)).take_while(|day| *day >= first);
                        let keys: Vec<(Date, AdObjectId)> = days.map(|day| (day, ad.clone())).collect();
                        let mut rows: Vec<AdDay> =
                            self.table.ad_days(&access.scope, &account.id, &keys).await?.into_values().collect();
                        rows.sort_by_key(|row| std::cmp::Reverse(row.day.day));
                        day = first;
                        (rows, false)
                    }
                    None => self.table.list_ad_days(&access.scope, &account.id, day, after.as_ref(), 500).await?,
                };
                for row in rows {
                    if items.len() == limit {
                        let position = if filter.ad_id.is_some() { (row.day.day, None) } else { (day, after) };
                        return Ok((items, Some(DayPosition(account.ad_account_id.clone(), position.0, position.1))));
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
}

/// The position in a list: the account, the day, and the last ad of that day that was read.
#[derive(Serialize, Deserialize)]
struct DayPosition(AdAccountId, Date, Option<AdObjectId>);

impl DayFilter {
    fn admits(&self, row: &AdDay) -> bool {
        self.within.admits(Some(row.campaign_id.as_str()), Some(row.adset_id.as_str()))
            && self.ad_id.as_ref().is_none_or(|ad| *ad == row.ad_id)
            && is_restated(&row.day, self.restated_since)
    }
}

fn is_restated(day: &Day, since: Option<Timestamp>) -> bool {
    since.is_none_or(|since| day.first_seen.is_some() && day.changed_at >= since)
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
        as_of: account.ad_rows_as_of(row.day.day),
        numbers: numbers(row.day, &account.currency),
    }
}

fn numbers(day: Day, currency: &str) -> Numbers {
    let metrics = day.metrics;
    let [video_p25_watched, video_p50_watched, video_p75_watched, video_p100_watched] = metrics.video_views;
    Numbers {
        day: day.day,
        figures: Sums::single(metrics.main, metrics.frequency).figures(currency),
        video_p25_watched,
        video_p50_watched,
        video_p75_watched,
        video_p100_watched,
        actions: metrics.actions.into_iter().map(|(action_type, value)| ActionOut { action_type, value }).collect(),
        first_seen: day.first_seen.map(|first| first.in_currency(currency)),
        changed_at: day.changed_at,
    }
}
