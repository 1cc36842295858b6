//! What became of leads, beside what their ads cost: the closed loop.
//!
//! A lead counts on the day on which it was submitted, with the status that it has now. So a row says what became of the
//! leads of these days, and its numbers go on changing while the leads are worked on.

use std::collections::BTreeMap;
use std::str::FromStr;

use jiff::Timestamp;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::ids::{FormId, LeadId, PageId, UserId};
use crate::model::ads::currency::round;
use crate::model::ads::report::Origin;
use crate::model::lead::Status;

/// What rows are about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum OutcomeDimension {
    /// Campaigns.
    #[default]
    Campaign,
    /// Ad sets.
    Adset,
    /// Ads.
    Ad,
    /// Lead forms.
    Form,
    /// Pages.
    Page,
    /// The users to whom leads are assigned.
    Assignee,
}

/// All of them, with their names.
pub const OUTCOME_DIMENSIONS: [(&str, OutcomeDimension); 6] = [
    ("campaign", OutcomeDimension::Campaign),
    ("adset", OutcomeDimension::Adset),
    ("ad", OutcomeDimension::Ad),
    ("form", OutcomeDimension::Form),
    ("page", OutcomeDimension::Page),
    ("assignee", OutcomeDimension::Assignee),
];

impl FromStr for OutcomeDimension {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        OUTCOME_DIMENSIONS.iter().find(|(name, _)| *name == text).map(|(_, dimension)| *dimension).ok_or(())
    }
}

/// What is counted of a lead.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct LeadOutcome {
    /// The lead.
    pub id: LeadId,
    /// When it was submitted.
    pub created: Timestamp,
    /// What it has come to.
    pub status: Status,
    /// The page.
    #[serde(default)]
    pub page_id: Option<PageId>,
    /// The form.
    #[serde(default)]
    pub form_id: Option<FormId>,
    /// The campaign; `None` if it came without an ad.
    #[serde(default)]
    pub campaign_id: Option<String>,
    /// The ad set.
    #[serde(default)]
    pub adset_id: Option<String>,
    /// The ad.
    #[serde(default)]
    pub ad_id: Option<String>,
    /// The assignee.
    #[serde(default)]
    pub assigned_to: Option<UserId>,
    /// What it is worth, in `currency`.
    #[serde(default)]
    pub value: Option<Decimal>,
    /// ISO 4217 code.
    #[serde(default)]
    pub currency: Option<String>,
    /// Whether it is one of Meta's test leads.
    #[serde(default)]
    pub test: bool,
    /// Later submissions of the same person.
    #[serde(default)]
    pub submissions_count: u64,
}

impl LeadOutcome {
    /// The id by which it is counted in a dimension.
    #[must_use]
    pub fn key(&self, by: OutcomeDimension) -> Option<String> {
        match by {
            OutcomeDimension::Campaign => self.campaign_id.clone(),
            OutcomeDimension::Adset => self.adset_id.clone(),
            OutcomeDimension::Ad => self.ad_id.clone(),
            OutcomeDimension::Form => self.form_id.as_ref().map(ToString::to_string),
            OutcomeDimension::Page => self.page_id.as_ref().map(ToString::to_string),
            OutcomeDimension::Assignee => self.assigned_to.as_ref().map(ToString::to_string),
        }
    }
}

/// What an ad cost in the days of a report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AdSpend {
    /// Where the ad is.
    pub origin: Origin,
    /// The ad's id.
    pub ad: String,
    /// What was spent, in `currency`.
    pub spend: Decimal,
    /// ISO 4217 code.
    pub currency: String,
    /// What Meta counts as the ad's conversions, by the setting of its account.
    pub conversions: u64,
}

impl AdSpend {
    /// The id of its object in a dimension; `None` if the dimension is not one of ads.
    fn key(&self, by: OutcomeDimension) -> Option<String> {
        match by {
            OutcomeDimension::Campaign => Some(self.origin.campaign.clone()),
            OutcomeDimension::Adset => Some(self.origin.adset.clone()),
            OutcomeDimension::Ad => Some(self.ad.clone()),
            OutcomeDimension::Form | OutcomeDimension::Page | OutcomeDimension::Assignee => None,
        }
    }
}

/// Sums of leads and of what their ads cost.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct OutcomeSums {
    /// Leads, without test leads.
    pub leads: u64,
    /// Later submissions of the same persons, which are no leads of their own.
    pub repeats: u64,
    contacted: u64,
    qualified: u64,
    won: u64,
    lost: u64,
    /// What the won leads are worth, by currency.
    values: BTreeMap<String, Decimal>,
    /// What was spent, by currency.
    pub(super) spends: BTreeMap<String, Decimal>,
    meta_conversions: u64,
    /// The origin of one of the ads, otherwise of one of the leads. The ads of a row about an ad object share all that is
    /// wider than the object.
    pub origin: Origin,
    /// One of the leads, from which names are read.
    pub example: Option<LeadId>,
}

impl OutcomeSums {
    fn count(&mut self, lead: &LeadOutcome) {
        self.leads += 1;
        self.repeats += lead.submissions_count;
        match lead.status {
            Status::New => {}
            Status::Contacted => self.contacted += 1,
            // A customer was qualified before.
            Status::Qualified => self.qualified += 1,
            Status::Converted => {
                self.qualified += 1;
                self.won += 1;
                if let (Some(value), Some(currency)) = (lead.value, &lead.currency) {
                    *self.values.entry(currency.clone()).or_default() += value;
                }
            }
            Status::Lost => self.lost += 1,
        }
        let fill_in = |known: &mut String, id: &Option<String>| {
            if let (true, Some(id)) = (known.is_empty(), id) {
                known.clone_from(id);
            }
        };
        fill_in(&mut self.origin.campaign, &lead.campaign_id);
        fill_in(&mut self.origin.adset, &lead.adset_id);
        self.example.get_or_insert_with(|| lead.id.clone());
    }

    fn spend(&mut self, currency: &str, amount: Decimal) {
        if !amount.is_zero() {
            *self.spends.entry(currency.to_owned()).or_default() += amount;
        }
    }

    /// The figures of the row.
    #[must_use]
    pub fn figures(&self) -> OutcomeFigures {
        let currency = match (self.spends.len(), self.values.len()) {
            (1, _) => self.spends.keys().next(),
            (0, 1) => self.values.keys().next(),
            _ => None,
        };
        let in_currency = |amounts: &BTreeMap<String, Decimal>| {
            let currency = currency?;
            Some(round(amounts.get(currency).copied().unwrap_or_default(), currency))
        };
        let spend = in_currency(&self.spends).filter(|_| !self.spends.is_empty());
        let value = in_currency(&self.values);
        let cost_of = |count: u64| {
            let cost = spend?.checked_div(Decimal::from(count))?;
            Some(round(cost, currency?))
        };
        let others = self.spends.keys().chain(self.values.keys()).filter(|other| Some(*other) != currency);
        let mut others: Vec<&String> = others.collect();
        others.sort();
        others.dedup();
        let other_amounts = others.into_iter().map(|other| OtherAmount {
            currency: other.clone(),
            spend: round(self.spends.get(other).copied().unwrap_or_default(), other),
            value: round(self.values.get(other).copied().unwrap_or_default(), other),
        });
        OutcomeFigures {
            leads: self.leads,
            repeats: self.repeats,
            open: self.leads - self.qualified - self.lost,
            contacted: self.contacted,
            qualified: self.qualified,
            won: self.won,
            lost: self.lost,
            meta_conversions: self.meta_conversions,
            spend,
            value,
            currency: currency.cloned(),
            cost_per_lead: cost_of(self.leads),
            cost_per_qualified: cost_of(self.qualified),
            cost_per_won: cost_of(self.won),
            return_on_spend: value.zip(spend).and_then(|(value, spend)| Some(value.checked_div(spend)?.round_dp(2))),
            other_amounts: other_amounts.collect(),
        }
    }
}

/// What became of some leads, and what they cost.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct OutcomeFigures {
    /// Leads that were submitted on these days. Test leads are not counted, and erased leads no longer are.
    pub leads: u64,
    /// Later submissions of the same persons. Meta counts them as further leads.
    pub repeats: u64,
    /// Leads that are neither qualified nor lost yet.
    pub open: u64,
    /// Of the open leads, those that were contacted.
    pub contacted: u64,
    /// Qualified leads, including the won ones.
    pub qualified: u64,
    /// Leads with the status `converted`.
    pub won: u64,
    /// Lost leads.
    pub lost: u64,
    /// The conversions of the ads in these days, as Meta counts them by the setting of the account. Meta also counts
    /// repeats and leads that were submitted up to 28 days after the ad was seen, on the day of the ad.
    pub meta_conversions: u64,
    /// What the ads cost in these days. For forms, pages and assignees, what each ad cost is shared among its leads.
    /// `null` without spend, or with several currencies.
    #[schema(value_type = Option<String>)]
    pub spend: Option<Decimal>,
    /// What the won leads are worth.
    #[schema(value_type = Option<String>)]
    pub value: Option<Decimal>,
    /// The ISO 4217 code of all amounts of the row; `null` without amounts, or with several currencies.
    pub currency: Option<String>,
    /// Spend per lead.
    #[schema(value_type = Option<String>)]
    pub cost_per_lead: Option<Decimal>,
    /// Spend per qualified lead.
    #[schema(value_type = Option<String>)]
    pub cost_per_qualified: Option<Decimal>,
    /// Spend per won lead.
    #[schema(value_type = Option<String>)]
    pub cost_per_won: Option<Decimal>,
    /// Value per unit of spend.
    #[schema(value_type = Option<String>)]
    pub return_on_spend: Option<Decimal>,
    /// The amounts in other currencies.
    pub other_amounts: Vec<OtherAmount>,
}

/// Amounts in a currency that is not the row's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct OtherAmount {
    /// ISO 4217 code.
    pub currency: String,
    /// What was spent.
    #[schema(value_type = String)]
    pub spend: Decimal,
    /// What won leads are worth.
    #[schema(value_type = String)]
    pub value: Decimal,
}

/// Counts leads and adds what their ads cost, by one dimension. Also returns the sums of all.
///
/// The key `None` has the leads without the dimension and, for dimensions that are not of ads, what was spent on ads
/// that brought no lead.
#[must_use]
pub fn sum_outcomes(
    by: OutcomeDimension,
    leads: &[LeadOutcome],
    spends: &[AdSpend],
) -> (BTreeMap<Option<String>, OutcomeSums>, OutcomeSums) {
    let mut rows: BTreeMap<Option<String>, OutcomeSums> = BTreeMap::new();
    let mut total = OutcomeSums::default();
    let mut of_ads: BTreeMap<&str, Vec<&LeadOutcome>> = BTreeMap::new();
    for lead in leads.iter().filter(|lead| !lead.test) {
        rows.entry(lead.key(by)).or_default().count(lead);
        total.count(lead);
        if let Some(ad) = &lead.ad_id {
            of_ads.entry(ad).or_default().push(lead);
        }
    }
    for ad in spends {
        total.spend(&ad.currency, ad.spend);
        total.meta_conversions += ad.conversions;
        if let key @ Some(_) = ad.key(by) {
            let row = rows.entry(key).or_default();
            row.spend(&ad.currency, ad.spend);
            row.meta_conversions += ad.conversions;
            row.origin.clone_from(&ad.origin);
            continue;
        }
        match of_ads.get(ad.ad.as_str()) {
            None => rows.entry(None).or_default().spend(&ad.currency, ad.spend),
            Some(leads) => {
                let share = ad.spend / Decimal::from(leads.len());
                for lead in leads {
                    rows.entry(lead.key(by)).or_default().spend(&ad.currency, share);
                }
            }
        }
    }
    (rows, total)
}
