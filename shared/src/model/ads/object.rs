//! Campaigns, ad sets and ads, as Meta describes them. Money is in the account's currency, not in Meta's minor units.

use jiff::Timestamp;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};
use utoipa::ToSchema;

use crate::ids::AdObjectId;
use crate::model::ads::creative::Creative;

/// What kind of object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
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
    /// Meta's.
    pub id: AdObjectId,
    /// Its name.
    pub name: String,
    /// `OUTCOME_LEADS`, `OUTCOME_SALES`…
    pub objective: Option<String>,
    /// What somebody set: `ACTIVE`, `PAUSED`, `ARCHIVED`, `DELETED`.
    pub status: String,
    /// What it is in effect: also `WITH_ISSUES`, `IN_PROCESS`…
    pub effective_status: String,
    /// A day's budget; none if its ad sets have their own.
    #[schema(value_type = Option<String>)]
    pub daily_budget: Option<Decimal>,
    /// The budget of its whole life; none if its ad sets have their own.
    #[schema(value_type = Option<String>)]
    pub lifetime_budget: Option<Decimal>,
    /// `LOWEST_COST_WITHOUT_CAP`…
    pub bid_strategy: Option<String>,
    /// `AUCTION` or `RESERVED`.
    pub buying_type: Option<String>,
    /// `HOUSING`, `EMPLOYMENT`…
    #[serde(default)]
    pub special_ad_categories: Vec<String>,
    /// When it begins.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub start_time: Option<Timestamp>,
    /// When it ends.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub stop_time: Option<Timestamp>,
    /// When it was made.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub created_time: Option<Timestamp>,
    /// When somebody last changed it.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub updated_time: Option<Timestamp>,
    /// What Meta finds wrong with it, in Meta's words.
    #[serde(default)]
    pub issues: Vec<String>,
}

/// An ad set.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct AdSet {
    /// Meta's.
    pub id: AdObjectId,
    /// Its name.
    pub name: String,
    /// Whose.
    pub campaign_id: AdObjectId,
    /// What somebody set.
    pub status: String,
    /// What it is in effect: also `CAMPAIGN_PAUSED`…
    pub effective_status: String,
    /// A day's budget; none if the campaign has it.
    #[schema(value_type = Option<String>)]
    pub daily_budget: Option<Decimal>,
    /// The budget of its whole life; none if the campaign has it.
    #[schema(value_type = Option<String>)]
    pub lifetime_budget: Option<Decimal>,
    /// The bid, where there is one.
    #[schema(value_type = Option<String>)]
    pub bid_amount: Option<Decimal>,
    /// `LOWEST_COST_WITHOUT_CAP`…
    pub bid_strategy: Option<String>,
    /// What Meta is to achieve: `LEAD_GENERATION`…
    pub optimization_goal: Option<String>,
    /// What is paid for: `IMPRESSIONS`…
    pub billing_event: Option<String>,
    /// Where a click leads: `ON_AD`, `WEBSITE`…
    pub destination_type: Option<String>,
    /// Whom it is shown to, as Meta has it.
    #[schema(value_type = Object)]
    pub targeting: Value,
    /// When it begins.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub start_time: Option<Timestamp>,
    /// When it ends.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub end_time: Option<Timestamp>,
    /// When it was made.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub created_time: Option<Timestamp>,
    /// When somebody last changed it.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub updated_time: Option<Timestamp>,
    /// What Meta finds wrong with it, in Meta's words.
    #[serde(default)]
    pub issues: Vec<String>,
}

/// An ad.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Ad {
    /// Meta's.
    pub id: AdObjectId,
    /// Its name.
    pub name: String,
    /// Whose.
    pub adset_id: AdObjectId,
    /// Whose.
    pub campaign_id: AdObjectId,
    /// What somebody set.
    pub status: String,
    /// What it is in effect: also `ADSET_PAUSED`, `DISAPPROVED`, `PENDING_REVIEW`…
    pub effective_status: String,
    /// What it shows.
    pub creative: Creative,
    /// When it was made.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub created_time: Option<Timestamp>,
    /// When somebody last changed it.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub updated_time: Option<Timestamp>,
    /// What Meta finds wrong with it, in Meta's words.
    #[serde(default)]
    pub issues: Vec<String>,
}

/// Any of them.
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
    /// Its id.
    #[must_use]
    pub fn id(&self) -> &AdObjectId {
        match self {
            Self::Campaign(campaign) => &campaign.id,
            Self::Adset(adset) => &adset.id,
            Self::Ad(ad) => &ad.id,
        }
    }

    /// Its kind.
    #[must_use]
    pub fn kind(&self) -> AdObjectKind {
        match self {
            Self::Campaign(_) => AdObjectKind::Campaign,
            Self::Adset(_) => AdObjectKind::Adset,
            Self::Ad(_) => AdObjectKind::Ad,
        }
    }

    /// The campaign of an ad set, the ad set of an ad.
    #[must_use]
    pub fn parent(&self) -> Option<&AdObjectId> {
        match self {
            Self::Campaign(_) => None,
            Self::Adset(adset) => Some(&adset.campaign_id),
            Self::Ad(ad) => Some(&ad.adset_id),
        }
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Campaign(campaign) => &campaign.name,
            Self::Adset(adset) => &adset.name,
            Self::Ad(ad) => &ad.name,
        }
    }

    /// A mark by which an object that has not changed is recognised. Links that expire do not count.
    #[must_use]
    pub fn mark(&self) -> u64 {
        let bytes = match self {
            Self::Ad(ad) => serde_json::to_vec(&Ad { creative: ad.creative.lasting(), ..ad.clone() }),
            other => serde_json::to_vec(other),
        };
        Sha256::digest(bytes.unwrap_or_default()).iter().take(8).fold(0, |mark, byte| mark << 8 | u64::from(*byte))
    }
}
