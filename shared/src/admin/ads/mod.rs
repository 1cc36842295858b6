//! Ads reporting: accounts, readings, what was read, and what it adds up to.

pub mod accounts;
pub mod linking;

pub mod syncs;

pub mod days;
pub mod objects;
pub mod report;
pub mod spreadsheet;

use jiff::Timestamp;
use jiff::civil::Date;

use super::{MetaAccess, Services};
use crate::http::Problem;
use crate::model::ads::account::{AdAccount, HISTORY_MONTHS};
use crate::model::days::back;

/// Whose ads. Without anything: all of the org's accounts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AccountFilter {
    /// Of this account only. As text: what cannot be an account's id is no account of this org.
    pub account_id: Option<String>,
    /// Of this client only.
    pub client_id: Option<String>,
}

/// Which days, both included. What is left out is what is usual for what is asked.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Days {
    /// The first.
    pub since: Option<Date>,
    /// The last; today if left out.
    pub until: Option<Date>,
}

/// The accounts that are meant, in the order in which lists go through them.
async fn accounts(services: &Services, access: &MetaAccess, meant: &AccountFilter) -> Result<Vec<AdAccount>, Problem> {
    let mut accounts = services.table.ad_accounts(&access.scope).await?;
    if let Some(id) = &meant.account_id {
        accounts.retain(|account| account.ad_account_id.as_str() == id);
        if accounts.is_empty() {
            return Err(Problem { field: Some("account_id".to_owned()), ..Problem::not_found("ad account") });
        }
    }
    if let Some(id) = &meant.client_id {
        accounts.retain(|account| account.client.id.as_str() == id);
    }
    accounts.sort_by(|one, other| one.ad_account_id.cmp(&other.ad_account_id));
    Ok(accounts)
}

impl Days {
    /// The first and the last; without a first the last `usual` days.
    fn range(self, accounts: &[AdAccount], usual: i32, now: Timestamp) -> Result<(Date, Date), Problem> {
        let today = accounts.iter().map(|account| account.today(now)).max();
        let today = today.unwrap_or_else(|| now.to_zoned(jiff::tz::TimeZone::UTC).date());
        // There is nothing later; and a day that is somewhere tomorrow is not tomorrow's everywhere.
        let until = self.until.unwrap_or(today).min(back(today, -1));
        let since = self.since.unwrap_or_else(|| back(until, usual - 1));
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_the_usual_ones_if_nobody_says_and_never_backwards_endless_or_to_come() {
        let now = "2026-03-10T12:00:00Z".parse().unwrap();
        let day = |text: &str| text.parse::<Date>().unwrap();
        let range = |since: &str, until: &str| {
            let given = |text: &str| (!text.is_empty()).then(|| day(text));
            Days { since: given(since), until: given(until) }.range(&[], 7, now).map_err(|problem| problem.code)
        };
        assert_eq!(range("", ""), Ok((day("2026-03-04"), day("2026-03-10"))));
        assert_eq!(range("", "2026-02-28"), Ok((day("2026-02-22"), day("2026-02-28"))));
        assert_eq!(range("2026-03-01", "2027-01-01"), Ok((day("2026-03-01"), day("2026-03-11"))));
        assert_eq!(range("2026-03-02", "2026-03-01"), Err("range_empty".to_owned()));
        assert_eq!(range("2020-01-01", ""), Err("range_too_long".to_owned()));
    }
}
