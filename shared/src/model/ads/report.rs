//! Reports: daily numbers summed by the requested dimensions.
//!
//! Counts and money are sums. Ratios are computed from the sums, never averaged. Reach cannot be added, because the
//! same people recur; it is present only if a row is a single figure of Meta's. Amounts in different currencies are
//! never added: each row has one currency, and there is a row for each currency.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::str::FromStr;

use jiff::civil::Date;
use rust_decimal::{Decimal, RoundingStrategy};
use serde::Serialize;
use utoipa::ToSchema;

use crate::model::ads::metrics::MainMetrics;
use crate::{language, phrase};

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

/// What a figure lies in, by Meta's ids. An id is empty if it is unknown.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Origin {
    /// The ad account.
    pub account: String,
    /// The campaign.
    pub campaign: String,
    /// The ad set.
    pub adset: String,
}

/// The sums of a row.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Sums {
    /// The numbers, added up.
    pub metrics: MainMetrics,
    /// The origin of a figure in the row. The figures of a row about an ad object share all that is wider than the object.
    pub origin: Origin,
    /// Impressions per person, while there is only one figure of Meta's.
    frequency: Option<Decimal>,
    figures: u32,
}

impl Sums {
    /// The sums of a single figure.
    #[must_use]
    pub fn single(metrics: MainMetrics, frequency: Option<Decimal>) -> Self {
        Self { metrics, origin: Origin::default(), frequency, figures: 1 }
    }

    /// Adds other sums.
    pub fn add(&mut self, other: &Self) {
        if self.figures == 0 {
            self.clone_from(other);
            return;
        }
        if other.figures > 0 {
            self.metrics = self.metrics.plus(&other.metrics);
            self.frequency = None;
            self.figures += other.figures;
            self.origin.clone_from(&other.origin);
        }
    }

    /// The figures of the row, in its currency.
    #[must_use]
    pub fn figures(&self, currency: &str) -> Figures {
        let MainMetrics { impressions, clicks, spend, .. } = self.metrics;
        Figures {
            metrics: self.metrics.in_currency(currency),
            currency: currency.to_owned(),
            ctr: ratio(Decimal::from(clicks) * Decimal::ONE_HUNDRED, impressions),
            cpc: ratio(spend, clicks),
            cpm: ratio(spend * Decimal::ONE_THOUSAND, impressions),
            frequency: self.frequency,
        }
    }
}

/// The figures of a row: its numbers, and the ratios computed from them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Figures {
    /// The numbers.
    #[serde(flatten)]
    pub metrics: MainMetrics,
    /// ISO 4217. Amounts in different currencies are in different rows.
    pub currency: String,
    /// Clicks per hundred impressions.
    #[schema(value_type = Option<String>)]
    pub ctr: Option<Decimal>,
    /// Spend per click.
    #[schema(value_type = Option<String>)]
    pub cpc: Option<Decimal>,
    /// Spend per thousand impressions.
    #[schema(value_type = Option<String>)]
    pub cpm: Option<Decimal>,
    /// Impressions per person, as Meta reports it; `null` under the same condition as `reach`.
    #[schema(value_type = Option<String>)]
    pub frequency: Option<Decimal>,
}

/// A figure as a column of a table or a file.
#[derive(Debug, Clone, Copy)]
pub struct Column {
    /// Its name in files and addresses.
    pub name: &'static str,
    /// Its heading on pages, in English.
    heading: &'static str,
    /// What its numbers are.
    pub unit: Unit,
    /// Its value in a row; `None` if it is unknown.
    pub value: fn(&Figures) -> Option<Decimal>,
}

impl Column {
    /// Its heading on pages.
    #[must_use]
    pub fn heading(&self) -> Cow<'static, str> {
        language::translate(self.heading)
    }
}

/// What the numbers of a column are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// A whole number.
    Count,
    /// An amount in the row's currency.
    Money,
    /// A price in the row's currency, with more decimals than amounts have.
    Price,
    /// A percentage.
    Percent,
    /// Any other ratio.
    Ratio,
}

/// The columns of a report, in the order of files.
pub const COLUMNS: [Column; 12] = {
    const fn column(
        name: &'static str,
        heading: &'static str,
        unit: Unit,
        value: fn(&Figures) -> Option<Decimal>,
    ) -> Column {
        Column { name, heading, unit, value }
    }
    [
        column("impressions", phrase!("Impressions"), Unit::Count, |row| Some(row.metrics.impressions.into())),
        column("clicks", phrase!("Clicks"), Unit::Count, |row| Some(row.metrics.clicks.into())),
        column("spend", phrase!("Spend"), Unit::Money, |row| Some(row.metrics.spend)),
        column("conversions", phrase!("Conversions"), Unit::Count, |row| Some(row.metrics.conversions.into())),
        column("ctr", phrase!("CTR"), Unit::Percent, |row| row.ctr),
        column("cpc", phrase!("CPC"), Unit::Price, |row| row.cpc),
        column("cpm", phrase!("CPM"), Unit::Price, |row| row.cpm),
        column("reach", phrase!("Reach"), Unit::Count, |row| row.metrics.reach.map(Decimal::from)),
        column("frequency", phrase!("Frequency"), Unit::Ratio, |row| row.frequency),
        column("inline_link_clicks", phrase!("Link clicks"), Unit::Count, |row| {
            row.metrics.inline_link_clicks.map(Decimal::from)
        }),
        column("outbound_clicks", phrase!("Outbound clicks"), Unit::Count, |row| {
            row.metrics.outbound_clicks.map(Decimal::from)
        }),
        column("unique_clicks", phrase!("Unique clicks"), Unit::Count, |row| {
            row.metrics.unique_clicks.map(Decimal::from)
        }),
    ]
};

/// A ratio with six decimal places, as Meta returns it; `None` if the denominator is zero.
fn ratio(numerator: Decimal, denominator: u64) -> Option<Decimal> {
    let ratio = numerator.checked_div(Decimal::from(denominator))?;
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
        let origin = Origin {
            account: figure.account.to_owned(),
            campaign: figure.campaign.to_owned(),
            adset: figure.adset.to_owned(),
        };
        row.add(&Sums { origin, ..Sums::single(figure.metrics, figure.frequency) });
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
        totals.entry(key.currency.clone()).or_default().add(sums);
    }
    totals
}
