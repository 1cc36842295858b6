//! Campaigns, ad sets and ads, as Meta describes them.
//!
//! Amounts are in the account's currency, not in Meta's minor units.

use jiff::Timestamp;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};
use utoipa::ToSchema;

use crate::ids::AdObjectId;
use crate::model::ads::creative::Creative;

/// The kind of an object, from the widest to the narrowest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[cfg_attr(test, derive(strum::EnumIter))]
#[serde(rename_all = "lowercase")]
pub enum AdObjectKind {
    /// A campaign.
    Campaign,
    /// An ad set.
    Adset,
    /// An ad.
    Ad,
}

/// A campaign.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Campaign {
    /// Meta's id.
    pub id: AdObjectId,
    /// The campaign's name.
    pub name: String,
    /// `OUTCOME_LEADS`, `OUTCOME_SALES`…
    pub objective: Option<String>,
    /// The configured status: `ACTIVE`, `PAUSED`, `ARCHIVED`, `DELETED`.
    pub status: String,
    /// The status in effect: also `WITH_ISSUES`, `IN_PROCESS`…
    pub effective_status: String,
    /// The daily budget; `null` if the ad sets have their own.
    #[schema(value_type = Option<String>)]
    pub daily_budget: Option<Decimal>,
    /// The lifetime budget; `null` if the ad sets have their own.
    #[schema(value_type = Option<String>)]
    pub lifetime_budget: Option<Decimal>,
    /// `LOWEST_COST_WITHOUT_CAP`…
    pub bid_strategy: Option<String>,
    /// `AUCTION` or `RESERVED`.
    pub buying_type: Option<String>,
    /// `HOUSING`, `EMPLOYMENT`…
    #[serde(default)]
    pub special_ad_categories: Vec<String>,
    /// When the campaign starts.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub start_time: Option<Timestamp>,
    /// When the campaign ends.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub stop_time: Option<Timestamp>,
    /// When the campaign was created.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub created_time: Option<Timestamp>,
    /// When the campaign was last changed.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub updated_time: Option<Timestamp>,
    /// The problems that Meta reports, in Meta's words.
    #[serde(default)]
    pub issues: Vec<String>,
}

/// An ad set.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct AdSet {
    /// Meta's id.
    pub id: AdObjectId,
    /// The ad set's name.
    pub name: String,
    /// The campaign that contains it.
    pub campaign_id: AdObjectId,
    /// The configured status.
    pub status: String,
    /// The status in effect: also `CAMPAIGN_PAUSED`…
    pub effective_status: String,
    /// The daily budget; `null` if the campaign has it.
    #[schema(value_type = Option<String>)]
    pub daily_budget: Option<Decimal>,
    /// The lifetime budget; `null` if the campaign has it.
    #[schema(value_type = Option<String>)]
    pub lifetime_budget: Option<Decimal>,
    /// The bid, if one is set.
    #[schema(value_type = Option<String>)]
    pub bid_amount: Option<Decimal>,
    /// `LOWEST_COST_WITHOUT_CAP`…
    pub bid_strategy: Option<String>,
    /// What Meta optimises for: `LEAD_GENERATION`…
    pub optimization_goal: Option<String>,
    /// What is billed: `IMPRESSIONS`…
    pub billing_event: Option<String>,
    /// The destination of a click: `ON_AD`, `WEBSITE`…
    pub destination_type: Option<String>,
    /// The audience, as Meta describes it.
    #[schema(value_type = Object)]
    pub targeting: Value,
    /// When the ad set starts.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub start_time: Option<Timestamp>,
    /// When the ad set ends.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub end_time: Option<Timestamp>,
    /// When the ad set was created.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub created_time: Option<Timestamp>,
    /// When the ad set was last changed.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub updated_time: Option<Timestamp>,
    /// The problems that Meta reports, in Meta's words.
    #[serde(default)]
    pub issues: Vec<String>,
}

/// An ad.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Ad {
    /// Meta's id.
    pub id: AdObjectId,
    /// The ad's name.
    pub name: String,
    /// The ad set that contains it.
    pub adset_id: AdObjectId,
    /// The campaign that contains it.
    pub campaign_id: AdObjectId,
    /// The configured status.
    pub status: String,
    /// The status in effect: also `ADSET_PAUSED`, `DISAPPROVED`, `PENDING_REVIEW`…
    pub effective_status: String,
    /// The ad's content.
    pub creative: Creative,
    /// When the ad was created.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub created_time: Option<Timestamp>,
    /// When the ad was last changed.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub updated_time: Option<Timestamp>,
    /// The problems that Meta reports, in Meta's words.
    #[serde(default)]
    pub issues: Vec<String>,
}

/// A campaign, an ad set or an ad.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum AdObject {
    /// A campaign.
    Campaign(Campaign),
    /// An ad set.
    Adset(AdSet),
    /// An ad.
    Ad(Ad),
}

impl AdObject {
    /// The object's id.
    #[must_use]
    pub fn id(&self) -> &AdObjectId {
        match self {
            Self::Campaign(campaign) => &campaign.id,
            Self::Adset(adset) => &adset.id,
            Self::Ad(ad) => &ad.id,
        }
    }

    /// The object's kind.
    #[must_use]
    pub fn kind(&self) -> AdObjectKind {
        match self {
            Self::Campaign(_) => AdObjectKind::Campaign,
            Self::Adset(_) => AdObjectKind::Adset,
            Self::Ad(_) => AdObjectKind::Ad,
        }
    }

    /// The campaign of an ad set, or the ad set of an ad.
    #[must_use]
    pub fn parent(&self) -> Option<&AdObjectId> {
        match self {
            Self::Campaign(_) => None,
            Self::Adset(adset) => Some(&adset.campaign_id),
            Self::Ad(ad) => Some(&ad.adset_id),
        }
    }

    /// The campaign and the ad set that contain the object.
    #[must_use]
    pub fn containers(&self) -> (Option<&AdObjectId>, Option<&AdObjectId>) {
        match self {
            Self::Campaign(_) => (None, None),
            Self::Adset(adset) => (Some(&adset.campaign_id), None),
            Self::Ad(ad) => (Some(&ad.campaign_id), Some(&ad.adset_id)),
        }
    }

    /// The status in effect.
    #[must_use]
    pub fn effective_status(&self) -> &str {
        match self {
            Self::Campaign(campaign) => &campaign.effective_status,
            Self::Adset(adset) => &adset.effective_status,
            Self::Ad(ad) => &ad.effective_status,
        }
    }

    /// The daily budget, in the account's currency. An ad has none of its own.
    #[must_use]
    pub fn daily_budget(&self) -> Option<Decimal> {
        match self {
            Self::Campaign(campaign) => campaign.daily_budget,
            Self::Adset(adset) => adset.daily_budget,
            Self::Ad(_) => None,
        }
    }

    /// The object's name.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Campaign(campaign) => &campaign.name,
            Self::Adset(adset) => &adset.name,
            Self::Ad(ad) => &ad.name,
        }
    }

    /// A fingerprint that identifies unchanged objects. It ignores the parts of URLs that expire.
    #[must_use]
    pub fn mark(&self) -> u64 {
        let bytes = match self {
            Self::Ad(ad) => serde_json::to_vec(&Ad { creative: ad.creative.lasting(), ..ad.clone() }),
            other => serde_json::to_vec(other),
        };
        Sha256::digest(bytes.unwrap_or_default()).iter().take(8).fold(0, |mark, byte| mark << 8 | u64::from(*byte))
    }
}
