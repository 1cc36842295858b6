//! Ads reporting over HTTP: accounts, syncs, the stored objects and days, and reports.

pub(crate) mod accounts;
pub(crate) mod days;
pub(crate) mod linking;
pub(crate) mod objects;
pub(crate) mod report;
pub(crate) mod syncs;

use leadwire::admin::ads::{AccountFilter, Days};
use leadwire::http::Problem;

use crate::input::Parameters;

impl Parameters {
    /// The accounts selected by `account_id` and `client_id`.
    fn accounts(&self) -> AccountFilter {
        let text = |name: &str| self.get(name).map(str::to_owned);
        AccountFilter { account_id: text("account_id"), client_id: text("client_id") }
    }

    /// The days selected by `since` and `until`.
    fn days(&self) -> Result<Days, Problem> {
        Ok(Days { until: self.day("until")?, since: self.day("since")? })
    }
}
