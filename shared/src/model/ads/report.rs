//! Reports: daily numbers summed by the requested dimensions.
//!
//! Counts and money are sums. Ratios are computed from the sums, never averaged. Reach cannot be added, because the
//! same people recur; it is present only if a row is a single figure of Meta's. Amounts in different currencies are
//! never added: each row has one currency, and there is a row for each currency.

use std::collections::BTreeMap;
use std::str::FromStr;

use jiff::civil::Date;
use rust_decimal::{Decimal, RoundingStrategy};
use serde::Serialize;
use utoipa::ToSchema;

use crate::model::ads::insights::MainMetrics;

/// A dimension of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Dimension {
    /// The agency's clients.
    Client,
    /// Ad accounts.
    Account,
    /// Campaigns.
    Campaign,
    /// Ad sets.
    Adset,
    /// Ads.
    Ad,
    /// Days, each in its account's time zone.
    Day,
}

/// All dimensions with their names, from the widest to the narrowest.
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

/// A figure that goes into a report: the numbers of one object on one day.
#[derive(Debug, Clone)]
pub struct Figure<'a> {
    /// The client's id.
    pub client: &'a str,
    /// The ad account's id.
    pub account: &'a str,
    /// The campaign's id; empty if the figure covers the whole account.
    pub campaign: &'a str,
    /// The ad set's id; empty if the figure covers more than an ad set.
    pub adset: &'a str,
    /// The ad's id; empty if the figure covers more than an ad.
    pub ad: &'a str,
    /// The date, in the account's time zone.
    pub day: Date,
    /// ISO 4217 code.
    pub currency: &'a str,
    /// The numbers.
    pub metrics: MainMetrics,
    /// Impressions per person, as Meta reports it.
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

/// The key of a row: the values of the requested dimensions, in their order, and the currency.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct RowKey {
    /// One value for each dimension.
    pub values: Vec<String>,
    /// ISO 4217 code.
    pub currency: String,
}

/// The sums of a row.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Sums {
    /// Number of times the ads were shown.
    pub impressions: u64,
    /// Number of clicks of all kinds.
    pub clicks: u64,
    /// Amount spent, in the row's currency.
    pub spend: Decimal,
    /// Number of conversions.
    pub conversions: u64,
    /// The ad account of a figure in the row. If the row is about an ad object, all its figures share this account.
    pub account: String,
    /// Meta's reach and frequency, while there is only one figure.
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

    /// Number of people reached, if the row is a single figure of Meta's.
    #[must_use]
    pub fn reach(&self) -> Option<u64> {
        self.only?.0
    }

    /// Impressions per person, if the row is a single figure of Meta's.
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

/// A ratio with six decimal places, as Meta returns it; `None` if the denominator is zero.
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
    /// An empty report by these dimensions.
    #[must_use]
    pub fn by(dimensions: Vec<Dimension>) -> Self {
        Self { by: dimensions, rows: BTreeMap::new() }
    }

    /// Whether the dimensions distinguish objects below the account. Otherwise the account's own figures suffice.
    #[must_use]
    pub fn needs_ads(by: &[Dimension]) -> bool {
        by.iter().any(|dimension| matches!(dimension, Dimension::Campaign | Dimension::Adset | Dimension::Ad))
    }

    /// Adds a figure to its row.
    pub fn add(&mut self, figure: &Figure<'_>) {
        let values = self.by.iter().map(|dimension| figure.value(*dimension)).collect();
        let row = self.rows.entry(RowKey { values, currency: figure.currency.to_owned() }).or_default();
        row.add(&figure.metrics, figure.frequency);
        if row.account.is_empty() {
            figure.account.clone_into(&mut row.account);
        }
    }

    /// The rows, ordered by their keys.
    #[must_use]
    pub fn rows(self) -> BTreeMap<RowKey, Sums> {
        self.rows
    }
}

/// The totals of all rows, one for each currency.
#[must_use]
pub fn totals(rows: &BTreeMap<RowKey, Sums>) -> BTreeMap<String, Sums> {
    let mut totals: BTreeMap<String, Sums> = BTreeMap::new();
    for (key, sums) in rows {
        totals.entry(key.currency.clone()).or_default().add_all(sums);
    }
    totals
}
