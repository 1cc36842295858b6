//! Campaigns for lead ads that are made here: what was asked for, what exists of it at Meta, and how it goes on.

pub mod draft;
mod error;
pub mod form;
pub mod step;

use jiff::Timestamp;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use strum::{Display, EnumIter, EnumString, IntoStaticStr};
use utoipa::ToSchema;

pub use self::error::{CampaignError, CampaignErrorCode};
use self::step::CampaignProgress;
use crate::ids::{AdAccountId, AdObjectId, CampaignId, FormId, InstagramAccountId, OrgId, PageId, UserId};

/// A campaign with one ad set, one creative and one ad.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LeadCampaign {
    /// Leadwire's own id.
    pub id: CampaignId,
    /// The org that owns it.
    pub org: OrgId,
    /// What was asked for.
    pub spec: CampaignSpec,
    /// What the ad account and the form were called at Meta.
    #[serde(default)]
    pub names: MetaNames,
    /// How far it is.
    pub status: CampaignStatus,
    /// What Meta's review says of its ad.
    #[serde(default)]
    pub review: Review,
    /// What exists of it at Meta.
    #[serde(default)]
    pub meta: MetaObjects,
    /// Why it could not be made or launched.
    #[serde(default)]
    pub errors: Vec<CampaignError>,
    /// When its state at Meta was last read.
    pub seen_at: Option<Timestamp>,
    /// When its state last changed.
    pub changed_at: Timestamp,
    /// Who asked for it.
    pub created_by: UserId,
    /// When.
    pub created_at: Timestamp,
    /// What has been done for it.
    #[serde(default)]
    pub progress: CampaignProgress,
    /// Increases with each change, so that of two writers one learns that it is late.
    pub revision: u64,
}

impl LeadCampaign {
    /// The mark by which everything of it is found again at Meta: in names and labels.
    #[must_use]
    pub fn mark(&self) -> String {
        // The end of the id is its random part.
        let id = self.id.as_str();
        format!("lw-{}", id.get(id.len().saturating_sub(12)..).unwrap_or(id))
    }

    /// What it may spend a day on average, in the account's currency.
    #[must_use]
    pub fn daily_spend(&self) -> Decimal {
        match (self.spec.budget, self.spec.end_time) {
            (Budget::Lifetime(amount), Some(end)) => {
                let start = self.spec.start_time.unwrap_or(self.created_at);
                let days = end.duration_since(start).as_hours().div_euclid(24).max(1);
                amount / Decimal::from(days)
            }
            (budget, _) => budget.amount(),
        }
    }

    /// The name at Meta, with the mark.
    #[must_use]
    pub fn marked_name(&self) -> String {
        format!("{} [{}]", self.spec.name, self.mark())
    }
}

/// What people call the objects that a campaign was made with.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct MetaNames {
    /// The ad account.
    pub ad_account: Option<String>,
    /// The form.
    pub form: Option<String>,
}

/// What a campaign is to be.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CampaignSpec {
    /// Its name.
    pub name: String,
    /// The ad account that pays.
    pub ad_account_id: AdAccountId,
    /// The page that advertises.
    pub page_id: PageId,
    /// The form that people fill in.
    pub form_id: FormId,
    /// The currency of the account.
    pub currency: String,
    /// What it may spend.
    pub budget: Budget,
    /// When it starts; at once, if absent.
    pub start_time: Option<Timestamp>,
    /// When it ends.
    pub end_time: Option<Timestamp>,
    /// The special categories of ads that it belongs to. Empty means none.
    pub special_ad_categories: Vec<SpecialAdCategory>,
    /// The countries to whose laws the categories refer.
    pub special_ad_category_countries: Vec<String>,
    /// Who sees it.
    pub targeting: Targeting,
    /// What they see.
    pub creative: CreativeSpec,
    /// The Instagram account that shows it there.
    pub instagram_account_id: Option<InstagramAccountId>,
    /// How Meta bids.
    pub bid_strategy: BidStrategy,
    /// The bid or cost cap, in the account's currency.
    pub bid_amount: Option<Decimal>,
    /// Who pays for it, which the EU requires.
    pub dsa_payor: Option<String>,
    /// Whom it benefits, which the EU requires.
    pub dsa_beneficiary: Option<String>,
}

/// What a campaign may spend, in the account's currency.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Budget {
    /// On average each day.
    Daily(Decimal),
    /// Until it ends.
    Lifetime(Decimal),
}

impl Budget {
    /// The amount.
    #[must_use]
    pub fn amount(self) -> Decimal {
        match self {
            Self::Daily(amount) | Self::Lifetime(amount) => amount,
        }
    }
}

/// Who sees a campaign.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Targeting {
    /// ISO 3166 codes.
    pub countries: Vec<String>,
    /// The youngest, 18 to 65.
    pub age_min: Option<u8>,
    /// The oldest, 18 to 65; 65 includes everyone older.
    pub age_max: Option<u8>,
    /// Whether Meta may show it to others too. It must be said either way.
    pub advantage_audience: bool,
}

/// What people see.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CreativeSpec {
    /// The text.
    pub message: String,
    /// The line below the picture.
    pub headline: Option<String>,
    /// The picture: where Meta downloads it, or the hash of one in the ad account.
    pub image: AdImage,
    /// The address that is shown. Meta opens the form, whatever it is.
    pub link: Option<String>,
    /// The words on what people press.
    pub call_to_action: CallToAction,
}

/// A picture of an ad.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AdImage {
    /// A public address.
    Url(String),
    /// The hash of a picture in the ad account.
    Hash(String),
}

/// Meta's special categories of ads.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Display, EnumString, EnumIter, IntoStaticStr, ToSchema,
)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[strum(serialize_all = "SCREAMING_SNAKE_CASE")]
pub enum SpecialAdCategory {
    /// None of the others.
    None,
    /// Jobs.
    Employment,
    /// Homes.
    Housing,
    /// Loans, insurance, investments.
    FinancialProductsServices,
    /// Politics.
    IssuesElectionsPolitics,
    /// Gambling.
    OnlineGamblingAndGaming,
}

/// How Meta bids.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Display, EnumString, EnumIter, IntoStaticStr, ToSchema,
)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[strum(serialize_all = "SCREAMING_SNAKE_CASE")]
pub enum BidStrategy {
    /// As many leads as the budget gives.
    LowestCostWithoutCap,
    /// No bid above `bidAmount`.
    LowestCostWithBidCap,
    /// An average cost of about `bidAmount`.
    CostCap,
}

/// The words that lead to a form.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Display, EnumString, EnumIter, IntoStaticStr, ToSchema,
)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[strum(serialize_all = "SCREAMING_SNAKE_CASE")]
#[expect(missing_docs, reason = "Meta's names of the words")]
pub enum CallToAction {
    SignUp,
    LearnMore,
    ApplyNow,
    GetQuote,
    Subscribe,
    ContactUs,
    Download,
    BookTravel,
    GetOffer,
}

/// How far a campaign is.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Display, EnumString, EnumIter, IntoStaticStr, ToSchema,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum CampaignStatus {
    /// It is being made at Meta.
    Creating,
    /// It is complete and spends nothing.
    Paused,
    /// It runs, or will once Meta has reviewed it.
    Active,
    /// It could not be made. Nothing of it is left at Meta.
    Failed,
    /// It is archived.
    Archived,
}

/// What Meta's review says.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Review {
    /// Meta's `effective_status` of the ad, such as `PENDING_REVIEW`, `ACTIVE`, `DISAPPROVED`; `null` before there is one.
    pub status: Option<String>,
    /// Why it was rejected, policy by policy.
    pub feedback: Vec<String>,
}

/// What exists of a campaign at Meta.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct MetaObjects {
    /// The campaign.
    pub campaign_id: Option<AdObjectId>,
    /// The ad set.
    pub adset_id: Option<AdObjectId>,
    /// The creative.
    pub creative_id: Option<AdObjectId>,
    /// The ad.
    pub ad_id: Option<AdObjectId>,
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn campaign() -> LeadCampaign {
        let spec = CampaignSpec {
            name: "Open day".to_owned(),
            ad_account_id: AdAccountId::parse("act_1").unwrap(),
            page_id: PageId::parse("7").unwrap(),
            form_id: FormId::parse("3").unwrap(),
            currency: "EUR".to_owned(),
            budget: Budget::Daily(Decimal::new(2050, 2)),
            start_time: None,
            end_time: None,
            special_ad_categories: Vec::new(),
            special_ad_category_countries: Vec::new(),
            targeting: Targeting {
                countries: vec!["NL".to_owned()],
                age_min: None,
                age_max: None,
                advantage_audience: true,
            },
            creative: CreativeSpec {
                message: "Come and see".to_owned(),
                headline: None,
                image: AdImage::Url("https://cdn.example/1.jpg".to_owned()),
                link: None,
                call_to_action: CallToAction::SignUp,
            },
            instagram_account_id: None,
            bid_strategy: BidStrategy::LowestCostWithoutCap,
            bid_amount: None,
            dsa_payor: Some("Acme".to_owned()),
            dsa_beneficiary: Some("Acme".to_owned()),
        };
        LeadCampaign {
            id: CampaignId::parse("cmp_0123456789abcdef").unwrap(),
            org: OrgId::parse("a").unwrap(),
            spec,
            names: Default::default(),
            status: CampaignStatus::Creating,
            review: Default::default(),
            meta: Default::default(),
            errors: Vec::new(),
            seen_at: None,
            changed_at: "2026-01-02T00:00:00Z".parse().unwrap(),
            created_by: UserId::parse("u").unwrap(),
            created_at: "2026-01-02T00:00:00Z".parse().unwrap(),
            progress: Default::default(),
            revision: 0,
        }
    }
}
