//! What reports say of a row's object besides its name: what it lies in, whether it runs, and what it may spend a day.
#![expect(missing_docs, reason = "a field whose name says it all has no description in the API's document either")]

use rust_decimal::Decimal;
use serde::Serialize;
use utoipa::ToSchema;

use super::figures::KnownObjects;
use crate::ids::AdObjectId;
use crate::model::ads::account::AdAccount;
use crate::model::ads::object::{AdObject, AdObjectKind};
use crate::model::ads::report::{Dimension, Origin};
use crate::model::spreadsheet::harmless;

/// An account, a campaign and an ad set, with their names.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct AdPlace {
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
}

/// The state of a row's campaign, ad set or ad, as of the last sync.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct AdObjectState {
    /// Meta's status in effect: `ACTIVE`, `PAUSED`, `CAMPAIGN_PAUSED`, `DISAPPROVED`…
    #[serde(skip_serializing_if = "Option::is_none")]
    pub effective_status: Option<String>,
    /// The object's own daily budget.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub daily_budget: Option<Decimal>,
    /// ISO 4217 code of the budget's currency.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub budget_currency: Option<String>,
}

impl AdObjectState {
    pub(super) fn new(object: &AdObject, account: &AdAccount) -> Self {
        let daily_budget = object.daily_budget();
        Self {
            effective_status: Some(object.effective_status().to_owned()),
            daily_budget,
            budget_currency: daily_budget.map(|_| account.currency.clone()),
        }
    }
}

impl AdPlace {
    /// What lies at an origin. Parts without an id are absent.
    pub(super) fn new(origin: Origin, accounts: &[AdAccount], known: &KnownObjects) -> Self {
        let Origin { account, campaign, adset } = origin;
        let label = accounts.iter().find(|known| known.ad_account_id.as_str() == account);
        let name = |kind: AdObjectKind, id: &str| {
            let id = AdObjectId::parse(id).ok()?;
            Some(known.get(&(kind, id))?.name.clone())
        };
        let id = |id: String| Some(id).filter(|id| !id.is_empty());
        Self {
            account_name: label.map(|account| account.label.clone()),
            account_id: id(account),
            campaign_name: name(AdObjectKind::Campaign, &campaign),
            campaign_id: id(campaign),
            adset_name: name(AdObjectKind::Adset, &adset),
            adset_id: id(adset),
        }
    }

    /// The id and the name in a dimension, for a file.
    pub(super) fn cells(&self, dimension: Dimension) -> [String; 2] {
        let (id, name) = match dimension {
            Dimension::Account => (&self.account_id, &self.account_name),
            Dimension::Campaign => (&self.campaign_id, &self.campaign_name),
            Dimension::Adset => (&self.adset_id, &self.adset_name),
            Dimension::Client | Dimension::Ad | Dimension::Day => (&None, &None),
        };
        [id, name].map(|text| harmless(text.as_deref().unwrap_or_default()))
    }
}

/// The dimensions that are wider than objects of a kind.
pub(super) fn wider(kind: AdObjectKind) -> &'static [Dimension] {
    match kind {
        AdObjectKind::Campaign => &[Dimension::Account],
        AdObjectKind::Adset => &[Dimension::Account, Dimension::Campaign],
        AdObjectKind::Ad => &[Dimension::Account, Dimension::Campaign, Dimension::Adset],
    }
}
