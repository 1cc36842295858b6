//! Ad accounts: their owners, their states and what they advertise.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::tz::TimeZone;

use super::World;
use super::ads::calendar::Calendar;
use super::ads::currency::Currency;
use super::ads::ids::{self, Object};
use super::ads::tree::{FormCampaign, Level, Named};
use super::ads::{Ads, Plan};
use super::form::{Ad, Form};

/// An ad account. `id` is Meta's `account_id`; the node id prefixes it with `act_`.
#[derive(Debug, Clone)]
pub(crate) struct AdAccount {
    pub(crate) id: String,
    pub(crate) name: String,
    /// Such as `Europe/Berlin`.
    pub(crate) timezone_name: String,
    /// 1 active, 2 disabled, 3 unsettled, …
    pub(crate) status: u32,
    /// Zero if the account is not disabled.
    pub(crate) disable_reason: u32,
    /// The business that owns the account; `None` for a person's own account.
    pub(crate) owner: Option<String>,
    /// Whether the campaigns of this world's lead forms run in this account.
    pub(crate) runs_campaigns: bool,
    /// The beneficiary and the payor of ads in the EU that name none.
    pub(crate) dsa_defaults: [Option<String>; 2],
    /// In the smallest currency unit; zero for none.
    pub(crate) spend_cap: i64,
    /// Users who may only analyse. All other assigned users have every task.
    pub(crate) analysts: BTreeSet<String>,
    /// Ids of the Instagram accounts that its ads may show, if they were assigned explicitly.
    pub(crate) instagram_accounts: Option<Vec<String>>,
    /// Shared with frozen reports; copied on change.
    pub(crate) ads: Arc<Ads>,
}

/// The initial state of an account.
#[derive(Debug, Clone)]
pub(crate) struct Opening {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) currency: Currency,
    pub(crate) timezone_name: String,
    pub(crate) zone: TimeZone,
    pub(crate) status: u32,
    pub(crate) disable_reason: u32,
    pub(crate) runs_campaigns: bool,
    /// Whether the numbers follow the clock instead of the data time of [`Calendar`].
    pub(crate) live: bool,
    pub(crate) plan: Plan,
}

impl AdAccount {
    /// The node id: `act_123`.
    pub(crate) fn node_id(&self) -> String {
        format!("act_{}", self.id)
    }

    /// Such as `EUR`.
    pub(crate) fn currency(&self) -> &'static str {
        self.ads.currency.code
    }
}

impl World {
    /// The account with an id in either form: `act_123` or `123`.
    pub(crate) fn ad_account(&self, id: &str) -> Option<&AdAccount> {
        let digits = id.strip_prefix("act_").unwrap_or(id);
        self.ad_accounts.iter().find(|account| account.id == digits)
    }

    pub(crate) fn ad_account_mut(&mut self, id: &str) -> Option<&mut AdAccount> {
        let digits = id.strip_prefix("act_").unwrap_or(id);
        self.ad_accounts.iter_mut().find(|account| account.id == digits)
    }

    /// Creates an account, or replaces what an existing one advertises. An existing account keeps its owner, its
    /// settings and the users who may work with it.
    pub(crate) fn open_ad_account(&mut self, opening: Opening) {
        let calendar = Calendar::new(opening.zone, &self.clock, opening.live);
        let prefix = self.free_prefix(&opening.id);
        let ads = Arc::new(Ads::new(prefix, &opening.plan, calendar, opening.currency, &self.clock));
        let known = self.ad_accounts.iter().position(|account| account.id == opening.id);
        let before = known.and_then(|at| self.ad_accounts.get(at));
        let account = AdAccount {
            owner: before.and_then(|before| before.owner.clone()),
            dsa_defaults: before.map_or_else(
                || [Some(opening.name.clone()), Some(opening.name.clone())],
                |before| before.dsa_defaults.clone(),
            ),
            spend_cap: before.map(|before| before.spend_cap).unwrap_or_default(),
            analysts: before.map(|before| before.analysts.clone()).unwrap_or_default(),
            instagram_accounts: before.and_then(|before| before.instagram_accounts.clone()),
            id: opening.id,
            name: opening.name,
            timezone_name: opening.timezone_name,
            status: opening.status,
            disable_reason: opening.disable_reason,
            runs_campaigns: opening.runs_campaigns,
            ads,
        };
        match known.and_then(|at| self.ad_accounts.get_mut(at)) {
            Some(known) => *known = account,
            None => self.ad_accounts.push(account),
        }
    }

    /// The id prefix of an account. It depends only on the account's id, unless another account already uses that
    /// prefix.
    fn free_prefix(&self, account_id: &str) -> u64 {
        let taken = |prefix: u64| {
            self.ad_accounts.iter().any(|account| account.id != account_id && account.ads.prefix == prefix)
        };
        let mut prefix = ids::prefix(account_id);
        while taken(prefix) {
            prefix = if prefix == 999_999 { 100_000 } else { prefix + 1 };
        }
        prefix
    }

    /// The campaign, ad set, ad or creative with an id, and its account. Ads that appear only in insights are not
    /// found.
    pub(crate) fn ads_object(&self, id: &str) -> Option<(&AdAccount, Object)> {
        let written = || self.ad_accounts.iter().find(|account| account.ads.written.find(id).is_some());
        let account = match ids::read(id) {
            _ if ids::is_written(id) => written(),
            Some((prefix, _)) => self.ad_accounts.iter().find(|account| account.ads.prefix == prefix),
            None => self.ad_accounts.iter().find(|account| account.runs_campaigns),
        }?;
        let object = account.ads.find(id)?;
        let ghost = matches!(object, Object::Of(Level::Ad, index) if account.ads.tree.ghosts().contains(&index));
        (!ghost).then_some((account, object))
    }

    /// Adds the campaign of a lead form to the account that runs such campaigns.
    pub(crate) fn advertise_form(&mut self, form: &Form) {
        let [first, second, third] = form.ads.as_slice() else { return };
        let Some(account) = self.ad_accounts.iter_mut().find(|account| account.runs_campaigns) else { return };
        let named = |id: &str, name: &str| Named { id: id.to_owned(), name: name.to_owned() };
        Arc::make_mut(&mut account.ads).tree.add_form(FormCampaign {
            campaign: named(&first.campaign_id, &first.campaign_name),
            adsets: [named(&first.adset_id, &first.adset_name), named(&third.adset_id, &third.adset_name)],
            ads: [first, second, third].map(|ad| named(&ad.id, &ad.name)),
            form_id: form.id.clone(),
            page_id: form.page_id.clone(),
            created_ms: form.created_ms,
        });
    }

    /// The id and name of every lead form's campaign in an account.
    pub(crate) fn campaigns_of(&self, account: &AdAccount) -> BTreeMap<&str, &str> {
        let ads = self.forms.values().flat_map(|form| &form.ads).filter(|_| account.runs_campaigns);
        ads.map(|ad: &Ad| (ad.campaign_id.as_str(), ad.campaign_name.as_str())).collect()
    }
}
