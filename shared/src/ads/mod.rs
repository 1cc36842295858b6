//! The room of ads reporting: linked ad accounts, their syncs, and what the stored numbers add up to.
//!
//! [`Ads`] has the operations of the API and the console. [`start_sync()`] begins a sync, and [`AdsSyncer`] runs it in
//! slices. A slice ends when the sync is complete, when Meta throttles it, or when the worker's time is up. The next
//! slice resumes there. An account has one sync at a time.

pub mod accounts;
mod csv;
pub mod days;
pub mod figures;
pub mod link;
pub mod objects;
pub mod outcomes;
pub mod overview;
pub mod parents;
pub mod place;
pub mod report;
mod start;
mod sync;
pub mod syncs;
mod token;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

pub use csv::CsvFile;
pub use link::unlink_account;
pub use start::{StartOutcome, start_due_syncs, start_sync};
pub use sync::{AdsSyncer, SliceOutcome};

use crate::directory::MetaAccess;
use crate::error::{ActError, ErrorCode, Missing};
use crate::ids::{AdAccountId, ClientId};
use crate::jobs::AdsSyncJob;
use crate::model::ads::account::{AdAccount, HISTORY_MONTHS};
use crate::model::days::back;
use crate::queue::Queue;
use crate::secret::HmacKey;
use crate::table::Table;
use crate::tokens::Tokens;
use crate::tr;

/// The operations of admins on ads reporting.
#[derive(Debug, Clone)]
pub struct Ads {
    /// Stores accounts, objects and insights.
    pub table: Table,
    /// The Graph API with the integrations' tokens.
    pub tokens: Tokens,
    /// Takes accounts to sync.
    pub queue: Queue<AdsSyncJob>,
    /// The prefix of the names of secrets with tokens.
    pub credentials_prefix: String,
    /// Signs cursors.
    pub key: HmacKey,
}

/// Selects ad accounts. The default selects all of the org's.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AccountFilter {
    /// Only this account.
    pub account_id: Option<AdAccountId>,
    /// Only accounts of this client.
    pub client_id: Option<ClientId>,
}

/// A range of days, both ends included. The default depends on the query.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Days {
    /// The first day.
    pub since: Option<Date>,
    /// The last day; by default today.
    pub until: Option<Date>,
}

impl Ads {
    /// The selected accounts of the org.
    async fn selected_accounts(&self, access: &MetaAccess, filter: &AccountFilter) -> Result<Vec<AdAccount>, ActError> {
        filter.select(self.table.ad_accounts(&access.scope).await?)
    }
}

impl AccountFilter {
    /// The selected ones of all accounts, ordered by id. An unknown `account_id` is an error, an unknown client selects
    /// none.
    fn select(&self, mut accounts: Vec<AdAccount>) -> Result<Vec<AdAccount>, ActError> {
        if let Some(id) = &self.account_id {
            accounts.retain(|account| account.ad_account_id == *id);
            if accounts.is_empty() {
                return Err(ActError::not_found(Missing::AdAccount).at("account_id"));
            }
        }
        if let Some(id) = &self.client_id {
            accounts.retain(|account| account.client.id == *id);
        }
        accounts.sort_by(|one, other| one.ad_account_id.cmp(&other.ad_account_id));
        Ok(accounts)
    }
}

impl Days {
    /// The first and the last day. Without a first day, the range covers `usual` days.
    fn range(self, accounts: &[AdAccount], usual: i32, now: Timestamp) -> Result<(Date, Date), ActError> {
        let today = accounts.iter().map(|account| account.today(now)).max();
        let today = today.unwrap_or_else(|| now.to_zoned(TimeZone::UTC).date());
        // Nothing is stored for later days. One day of tolerance, because the accounts' time zones differ from the
        // caller's.
        let until = self.until.unwrap_or(today).min(back(today, -1));
        let since = self.since.unwrap_or_else(|| back(until, usual - 1));
        if since > until {
            return Err(ActError::invalid("since", ErrorCode::RangeEmpty, tr!("A day that is not after until.")));
        }
        if since < back(until, 31 * HISTORY_MONTHS) {
            let detail = tr!("At most {months} months before until.", months = HISTORY_MONTHS);
            return Err(ActError::invalid("since", ErrorCode::RangeTooLong, detail));
        }
        Ok((since, until))
    }
}

/// The first of these days that is not over in all of the zones. `None` if all days are over.
fn first_unfinished(
    zones: impl IntoIterator<Item = TimeZone>,
    (since, until): (Date, Date),
    now: Timestamp,
) -> Option<Date> {
    let today = zones.into_iter().map(|zone| zone.to_datetime(now).date()).min()?;
    (today <= until).then(|| today.max(since))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_over_once_it_is_over_everywhere() {
        let now = "2026-11-28T12:00:00Z".parse().unwrap();
        let day = |text: &str| text.parse::<Date>().unwrap();
        let first = |zones: &[&str], since: &str, until: &str| {
            let zones = zones.iter().map(|zone| TimeZone::get(zone).unwrap());
            first_unfinished(zones, (day(since), day(until)), now).map(|day| day.to_string()).unwrap_or_default()
        };
        assert_eq!(first(&["UTC"], "2026-11-01", "2026-11-28"), "2026-11-28");
        assert_eq!(first(&["UTC"], "2026-11-01", "2026-11-27"), "");
        // It is the 29th already in Auckland.
        assert_eq!(first(&["Pacific/Auckland"], "2026-11-01", "2026-11-28"), "");
        assert_eq!(first(&["Pacific/Auckland", "UTC"], "2026-11-01", "2026-11-29"), "2026-11-28");
        assert_eq!(first(&["UTC"], "2026-11-29", "2026-11-29"), "2026-11-29", "it has not even begun");
        assert_eq!(first(&[], "2026-11-01", "2026-11-28"), "", "no account, no numbers");
    }

    #[test]
    fn days_are_the_usual_ones_if_nobody_says_and_never_backwards_endless_or_to_come() {
        let now = "2026-03-10T12:00:00Z".parse().unwrap();
        let day = |text: &str| text.parse::<Date>().unwrap();
        let range = |since: &str, until: &str| {
            let optional_day = |text: &str| (!text.is_empty()).then(|| day(text));
            Days { since: optional_day(since), until: optional_day(until) }
                .range(&[], 7, now)
                .map_err(|error| error.code())
        };
        assert_eq!(range("", ""), Ok((day("2026-03-04"), day("2026-03-10"))));
        assert_eq!(range("", "2026-02-28"), Ok((day("2026-02-22"), day("2026-02-28"))));
        assert_eq!(range("2026-03-01", "2027-01-01"), Ok((day("2026-03-01"), day("2026-03-11"))));
        assert_eq!(range("2026-03-02", "2026-03-01"), Err(ErrorCode::RangeEmpty));
        assert_eq!(range("2020-01-01", ""), Err(ErrorCode::RangeTooLong));
    }
}
