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
    /// The ad account's id.
    pub account: String,
    /// The campaign's id.
    pub campaign: String,
    /// The ad set's id.
    pub adset: String,
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
            OutcomeDimension::Campaign => Some(self.campaign.clone()),
            OutcomeDimension::Adset => Some(self.adset.clone()),
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
    spends: BTreeMap<String, Decimal>,
    meta_conversions: u64,
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn lead(ad: Option<&str>, status: Status, value: Option<(&str, &str)>) -> LeadOutcome {
        LeadOutcome {
            id: LeadId::parse("l").unwrap(),
            created: Timestamp::UNIX_EPOCH,
            status,
            page_id: None,
            form_id: Some(FormId::parse("7").unwrap()),
            campaign_id: ad.map(|_| "c".to_owned()),
            adset_id: ad.map(|_| "s".to_owned()),
            ad_id: ad.map(ToOwned::to_owned),
            assigned_to: None,
            value: value.map(|(amount, _)| amount.parse().unwrap()),
            currency: value.map(|(_, currency)| currency.to_owned()),
            test: false,
            submissions_count: 0,
        }
    }

    fn spend(ad: &str, amount: &str, currency: &str) -> AdSpend {
        AdSpend {
            account: "act_1".to_owned(),
            campaign: "c".to_owned(),
            adset: "s".to_owned(),
            ad: ad.to_owned(),
            spend: amount.parse().unwrap(),
            currency: currency.to_owned(),
            conversions: 2,
        }
    }

    fn text(amount: Option<Decimal>) -> String {
        amount.map(|amount| amount.to_string()).unwrap_or_default()
    }

    #[test]
    fn a_campaign_is_told_with_what_became_of_its_leads() {
        let leads = [
            lead(Some("1"), Status::New, None),
            lead(Some("1"), Status::Qualified, Some(("500", "EUR"))),
            lead(Some("1"), Status::Converted, Some(("1200.50", "EUR"))),
            lead(Some("2"), Status::Lost, None),
            lead(None, Status::New, None),
            LeadOutcome { test: true, ..lead(Some("1"), Status::New, None) },
        ];
        let (rows, total) =
            sum_outcomes(OutcomeDimension::Campaign, &leads, &[spend("1", "80", "EUR"), spend("2", "20", "EUR")]);
        let figures = rows[&Some("c".to_owned())].figures();
        assert_eq!(
            (figures.leads, figures.open, figures.qualified, figures.won, figures.lost, figures.meta_conversions),
            (4, 1, 2, 1, 1, 4)
        );
        assert_eq!(
            [
                text(figures.spend),
                text(figures.value),
                text(figures.cost_per_lead),
                text(figures.cost_per_qualified),
                text(figures.cost_per_won),
                text(figures.return_on_spend),
            ],
            ["100.00", "1200.50", "25.00", "50.00", "100.00", "12.00"],
            "only what is won is worth something"
        );
        assert_eq!(rows[&None].figures().leads, 1);
        assert_eq!((total.figures().leads, text(total.figures().spend)), (5, "100.00".to_owned()));
    }

    #[test]
    fn what_an_ad_costs_is_shared_among_its_leads_where_they_are_not_counted_by_ads() {
        let of = |ad, form: &str| LeadOutcome {
            form_id: Some(FormId::parse(form).unwrap()),
            ..lead(Some(ad), Status::New, None)
        };
        let leads = [of("1", "7"), of("1", "7"), of("1", "8")];
        let (rows, _) =
            sum_outcomes(OutcomeDimension::Form, &leads, &[spend("1", "30", "USD"), spend("9", "5", "USD")]);
        let spent = |key: Option<&str>| text(rows[&key.map(ToOwned::to_owned)].figures().spend);
        assert_eq!((spent(Some("7")), spent(Some("8"))), ("20.00".to_owned(), "10.00".to_owned()));
        assert_eq!(spent(None), "5.00", "an ad without leads");
    }

    #[test]
    fn amounts_in_several_currencies_are_never_one() {
        let leads = [lead(Some("1"), Status::Converted, Some(("10", "USD")))];
        let (_, total) =
            sum_outcomes(OutcomeDimension::Campaign, &leads, &[spend("1", "30", "EUR"), spend("2", "400", "JPY")]);
        let figures = total.figures();
        assert_eq!((figures.currency.clone(), figures.spend, figures.cost_per_lead), (None, None, None));
        let others: Vec<(&str, String)> =
            figures.other_amounts.iter().map(|other| (other.currency.as_str(), other.spend.to_string())).collect();
        assert_eq!(others, [("EUR", "30.00".to_owned()), ("JPY", "400".to_owned()), ("USD", "0.00".to_owned())]);
        let (_, one) = sum_outcomes(OutcomeDimension::Campaign, &leads, &[spend("1", "30", "EUR")]);
        let figures = one.figures();
        assert_eq!((figures.currency.as_deref(), text(figures.spend)), (Some("EUR"), "30.00".to_owned()));
        assert_eq!((text(figures.value), figures.other_amounts.len()), ("0.00".to_owned(), 1));
    }

    proptest! {
        #[test]
        fn nothing_is_lost_or_doubled(
            ads in prop::collection::vec((0..5_u8, 0..7_u8), 0..40),
            costs in prop::collection::vec(0..9_000_i64, 5),
        ) {
            let leads: Vec<LeadOutcome> = ads
                .iter()
                .map(|(ad, form)| LeadOutcome {
                    form_id: Some(FormId::parse(&form.to_string()).unwrap()),
                    ..lead(Some(&ad.to_string()), Status::New, None)
                })
                .collect();
            let spends: Vec<AdSpend> =
                (0..).zip(&costs).map(|(ad, cost)| spend(&ad.to_string(), &Decimal::new(*cost, 2).to_string(), "EUR")).collect();
            for (_, by) in OUTCOME_DIMENSIONS {
                let (rows, total) = sum_outcomes(by, &leads, &spends);
                prop_assert_eq!(rows.values().map(|row| row.leads).sum::<u64>(), total.leads);
                let spent: Decimal = rows.values().flat_map(|row| row.spends.values()).sum();
                let all: Decimal = total.spends.values().sum();
                prop_assert_eq!(spent.round_dp(10), all.round_dp(10));
            }
        }
    }
}
