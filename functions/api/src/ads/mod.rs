//! Ads reporting over HTTP: accounts, readings, what was read, and what it adds up to.

pub(crate) mod accounts;
pub(crate) mod days;
pub(crate) mod linking;
pub(crate) mod objects;
pub(crate) mod report;
mod spreadsheet;
pub(crate) mod syncs;

use jiff::Timestamp;
use jiff::civil::Date;
use shared::http::Problem;
use shared::ids::OrgScope;
use shared::model::ad_account::{AdAccount, HISTORY_MONTHS, back};
use shared::table::Table;

use crate::input::Parameters;

impl Parameters {
    /// The accounts that `account_id` and `client_id` mean; all if neither is given.
    async fn accounts(&self, table: &Table, scope: &OrgScope) -> Result<Vec<AdAccount>, Problem> {
        let mut accounts = table.ad_accounts(scope).await?;
        if let Some(id) = self.get("account_id") {
            accounts.retain(|account| account.ad_account_id.as_str() == id);
            if accounts.is_empty() {
                return Err(Problem { field: Some("account_id".to_owned()), ..Problem::not_found("ad account") });
            }
        }
        if let Some(id) = self.get("client_id") {
            accounts.retain(|account| account.client.id.as_str() == id);
        }
        accounts.sort_by(|one, other| one.ad_account_id.cmp(&other.ad_account_id));
        Ok(accounts)
    }

    fn day(&self, name: &str) -> Result<Option<Date>, Problem> {
        let invalid = || Problem::field(name, "day_invalid", "A day such as 2026-01-31.");
        self.get(name).map(|text| text.parse().map_err(|_| invalid())).transpose()
    }

    /// `since` and `until`, both included; without them the last `usual` days.
    fn range(&self, accounts: &[AdAccount], usual: i32, now: Timestamp) -> Result<(Date, Date), Problem> {
        let today = accounts.iter().map(|account| account.today(now)).max();
        let today = today.unwrap_or_else(|| now.to_zoned(jiff::tz::TimeZone::UTC).date());
        // There is nothing later; and a day that is somewhere tomorrow is not tomorrow's everywhere.
        let until = self.day("until")?.unwrap_or(today).min(back(today, -1));
        let since = self.day("since")?.unwrap_or_else(|| back(until, usual - 1));
        if since > until {
            return Err(Problem::field("since", "range_empty", "A day that is not after until."));
        }
        if since < back(until, 31 * HISTORY_MONTHS) {
            let detail = format!("At most {HISTORY_MONTHS} months before until.");
            return Err(Problem::field("since", "range_too_long", detail));
        }
        Ok((since, until))
    }
}
