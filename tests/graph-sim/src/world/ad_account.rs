//! Ad accounts: which there are, in which currency, and whose.

use std::collections::BTreeMap;

use super::World;
use super::form::Ad;

/// An ad account. `id` is its `account_id`; as a node it is `act_` and that.
#[derive(Debug, Clone)]
pub(crate) struct AdAccount {
    pub(crate) id: String,
    pub(crate) name: String,
    /// Such as `EUR`.
    pub(crate) currency: &'static str,
    pub(crate) timezone_name: &'static str,
    /// 1 active, 2 disabled, 3 unsettled.
    pub(crate) status: u8,
    /// The business that owns it; `None` for a person's own account.
    pub(crate) owner: Option<String>,
    /// All campaigns of this world run in it.
    pub(crate) runs_campaigns: bool,
}

impl AdAccount {
    /// The id as a node: `act_123`.
    pub(crate) fn node_id(&self) -> String {
        format!("act_{}", self.id)
    }
}

impl World {
    /// The account with an id in either form: `act_123` or `123`.
    pub(crate) fn ad_account(&self, id: &str) -> Option<&AdAccount> {
        let digits = id.strip_prefix("act_").unwrap_or(id);
        self.ad_accounts.iter().find(|account| account.id == digits)
    }

    /// Id and name of every campaign of an account.
    pub(crate) fn campaigns_of(&self, account: &AdAccount) -> BTreeMap<&str, &str> {
        let ads = self.forms.values().flat_map(|form| &form.ads).filter(|_| account.runs_campaigns);
        ads.map(|ad: &Ad| (ad.campaign_id.as_str(), ad.campaign_name.as_str())).collect()
    }
}
