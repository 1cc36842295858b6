//! Ads reporting over HTTP: accounts, syncs, the stored objects and days, and reports.

pub(crate) mod accounts;
pub(crate) mod days;
pub(crate) mod linking;
pub(crate) mod objects;
pub(crate) mod outcomes;
pub(crate) mod report;
pub(crate) mod syncs;

use leadwire::ads::parents::AdParents;
use leadwire::ads::{AccountFilter, Days};
use leadwire::http::Problem;
use leadwire::ids::{AdAccountId, AdObjectId, ClientId};

use crate::input::Parameters;

impl Parameters {
    /// The accounts selected by `account_id` and `client_id`.
    fn accounts(&self) -> Result<AccountFilter, Problem> {
        let account_id = self.id("account_id", AdAccountId::parse)?;
        Ok(AccountFilter { account_id, client_id: self.id("client_id", ClientId::parse)? })
    }

    /// The campaign and the ad set selected by `campaign_id` and `adset_id`.
    fn within(&self) -> Result<AdParents, Problem> {
        let campaign_id = self.id("campaign_id", AdObjectId::parse)?;
        Ok(AdParents { campaign_id, adset_id: self.id("adset_id", AdObjectId::parse)? })
    }

    /// The days selected by `since` and `until`.
    fn days(&self) -> Result<Days, Problem> {
        Ok(Days { until: self.day("until")?, since: self.day("since")? })
    }
}
