//! Reports: days added up by whatever they are asked for by.
//!
//! Counts and money are sums. Ratios are made of the sums, never averaged. Reach cannot be added: the same people come
//! again; it is there only where a row is one figure of Meta's. Money of different currencies is never added: a row has
//! one currency, and there are as many rows as currencies.

use std::collections::BTreeMap;
use std::str::FromStr;

use jiff::civil::Date;
use rust_decimal::{Decimal, RoundingStrategy};
use serde::Serialize;
use utoipa::ToSchema;

use crate::model::ads::insights::MainMetrics;

/// What a report is by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Dimension {
    /// Clients of the agency.
    Client,
    /// Ad accounts.
    Account,
    /// Campaigns.
    Campaign,
    /// Ad sets.
    Adset,
    /// Ads.
    Ad,
    /// Days, each in its account's zone.
    Day,
}

/// All of them, from the widest to the narrowest.
pub const DIMENSIONS: [(&str, Dimension); 6] = [
    ("client", Dimension::Client),
    ("account", Dimension::Account),
    ("campaign", Dimension::Campaign),
    ("adset", Dimension::Adset),
    ("ad", Dimension::Ad),
    ("day", Dimension::Day),
];

impl FromStr for Dimension {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        DIMENSIONS.iter().find(|(name, _)| *name == text).map(|(_, dimension)| *dimension).ok_or(())
    }
}

/// One figure that goes into a report: numbers of one object on one day.
#[derive(Debug, Clone)]
pub struct Figure<'a> {
    /// The client.
    pub client: &'a str,
    /// The ad account.
    pub account: &'a str,
    /// The campaign; empty if the figure is the account's.
    pub campaign: &'a str,
    /// The ad set; empty if the figure is wider.
    pub adset: &'a str,
    /// The ad; empty if the figure is wider.
    pub ad: &'a str,
    /// The day.
    pub day: Date,
    /// ISO 4217.
    pub currency: &'a str,
    /// The numbers.
    pub metrics: MainMetrics,
    /// As Meta says it.
    pub frequency: Option<Decimal>,
}

impl Figure<'_> {
    fn value(&self, dimension: Dimension) -> String {
        match dimension {
            Dimension::Client => self.client.to_owned(),
            Dimension::Account => self.account.to_owned(),
            Dimension::Campaign => self.campaign.to_owned(),
            Dimension::Adset => self.adset.to_owned(),
            Dimension::Ad => self.ad.to_owned(),
            Dimension::Day => self.day.to_string(),
        }
    }
}

/// What identifies a row: the values of the dimensions asked for, in their order, and the currency.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct RowKey {
    /// One for each dimension.
    pub values: Vec<String>,
    /// ISO 4217.
    pub currency: String,
}

/// Sums.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Sums {
    /// How often ads were shown.
    pub impressions: u64,
    /// Clicks of every kind.
    pub clicks: u64,
    /// In the row's currency.
    pub spend: Decimal,
    /// One whole number.
    pub conversions: u64,
    /// The ad account of the figures. Of an object that a row is about there is only one.
    pub account: String,
    /// What Meta said of reach, as long as there is only one figure.
    only: Option<(Option<u64>, Option<Decimal>)>,
    figures: u32,
}

impl Sums {
    /// Adds a figure.
    pub fn add(&mut self, metrics: &MainMetrics, frequency: Option<Decimal>) {
        self.impressions += metrics.impressions;
        self.clicks += metrics.clicks;
        self.spend += metrics.spend;
        self.conversions += metrics.conversions;
        self.figures += 1;
        self.only = (self.figures == 1).then_some((metrics.reach, frequency));
    }

    /// Adds other sums.
    pub fn add_all(&mut self, other: &Self) {
        self.impressions += other.impressions;
        self.clicks += other.clicks;
        self.spend += other.spend;
        self.conversions += other.conversions;
        self.figures += other.figures;
        self.account.clone_from(&other.account);
        self.only = if self.figures == 1 { other.only } else { None };
    }

    /// How many people were reached, if these are the numbers of one figure of Meta's.
    #[must_use]
    pub fn reach(&self) -> Option<u64> {
        self.only?.0
    }

    /// How often each of them, under the same condition.
    #[must_use]
    pub fn frequency(&self) -> Option<Decimal> {
        self.only?.1
    }

    /// Clicks per hundred impressions.
    #[must_use]
    pub fn ctr(&self) -> Option<Decimal> {
        ratio(Decimal::from(self.clicks) * Decimal::ONE_HUNDRED, self.impressions)
    }

    /// Spend per click.
    #[must_use]
    pub fn cpc(&self) -> Option<Decimal> {
        ratio(self.spend, self.clicks)
    }

    /// Spend per thousand impressions.
    #[must_use]
    pub fn cpm(&self) -> Option<Decimal> {
        ratio(self.spend * Decimal::ONE_THOUSAND, self.impressions)
    }
}

/// With six decimal places, as Meta has it. There is none of nothing.
fn ratio(of: Decimal, by: u64) -> Option<Decimal> {
    let ratio = of.checked_div(Decimal::from(by))?;
    Some(ratio.round_dp_with_strategy(6, RoundingStrategy::MidpointAwayFromZero).normalize())
}

/// A report under construction.
#[derive(Debug)]
pub struct Report {
    by: Vec<Dimension>,
    rows: BTreeMap<RowKey, Sums>,
}

impl Report {
    /// A report by these dimensions.
    #[must_use]
    pub fn by(dimensions: Vec<Dimension>) -> Self {
        Self { by: dimensions, rows: BTreeMap::new() }
    }

    /// The narrowest object that it tells apart: the account's own figures are enough unless it tells more.
    #[must_use]
    pub fn needs_ads(by: &[Dimension]) -> bool {
        by.iter().any(|dimension| matches!(dimension, Dimension::Campaign | Dimension::Adset | Dimension::Ad))
    }

    /// Takes a figure in.
    pub fn add(&mut self, figure: &Figure<'_>) {
        let values = self.by.iter().map(|dimension| figure.value(*dimension)).collect();
        let row = self.rows.entry(RowKey { values, currency: figure.currency.to_owned() }).or_default();
        row.add(&figure.metrics, figure.frequency);
        if row.account.is_empty() {
            figure.account.clone_into(&mut row.account);
        }
    }

    /// The rows, in the order of their values.
    #[must_use]
    pub fn rows(self) -> BTreeMap<RowKey, Sums> {
        self.rows
    }
}

/// The sum of all rows, one for each currency.
#[must_use]
pub fn totals(rows: &BTreeMap<RowKey, Sums>) -> BTreeMap<String, Sums> {
    let mut totals: BTreeMap<String, Sums> = BTreeMap::new();
    for (key, sums) in rows {
        totals.entry(key.currency.clone()).or_default().add_all(sums);
    }
    totals
}
