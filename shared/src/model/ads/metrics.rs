//! The metrics of ads: one declaration for what is stored, reported, exported and shown.
//!
//! To add a metric, add it to [`MainMetrics`], to the end of [`AdDaySummary`](super::insights::AdDaySummary) and to
//! [`COLUMNS`](super::report::COLUMNS), and read it in `graph/insight_rows.rs`. It is an `Option`: numbers stored before
//! the addition do not have it, and that it is known from then on is no restatement of Meta's.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use utoipa::ToSchema;

use crate::model::ads::currency::rescale;

/// The numbers that reports add up and people compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
pub struct MainMetrics {
    /// Number of times the ads were shown.
    pub impressions: u64,
    /// Number of clicks of all kinds.
    pub clicks: u64,
    /// Amount spent, in the account's currency.
    #[schema(value_type = String)]
    pub spend: Decimal,
    /// Number of conversions; the account's `conversions` setting says what counts.
    pub conversions: u64,
    /// Number of people that the ads were shown to. `null` if it is unknown, or cannot be added up because the same
    /// people recur.
    pub reach: Option<u64>,
    /// Number of clicks on links, within a day of the click window that Meta uses for links. `null` in a row that
    /// includes days read before Leadwire read this number.
    #[serde(default)]
    pub inline_link_clicks: Option<u64>,
    /// Number of clicks that lead away from Meta's properties. `null` under the same condition as `inline_link_clicks`.
    #[serde(default)]
    pub outbound_clicks: Option<u64>,
    /// Number of people who clicked. `null` under the same conditions as `reach` and `inline_link_clicks`.
    #[serde(default)]
    pub unique_clicks: Option<u64>,
}

impl MainMetrics {
    /// Adds the numbers of another object or day. People recur, so numbers of people are unknown afterwards.
    #[must_use]
    pub fn plus(&self, other: &Self) -> Self {
        Self {
            impressions: self.impressions + other.impressions,
            clicks: self.clicks + other.clicks,
            spend: self.spend + other.spend,
            conversions: self.conversions + other.conversions,
            reach: None,
            inline_link_clicks: sum(self.inline_link_clicks, other.inline_link_clicks),
            outbound_clicks: sum(self.outbound_clicks, other.outbound_clicks),
            unique_clicks: None,
        }
    }

    /// The same numbers, without those that `known` does not have: what Meta has newly told cannot differ from it.
    #[must_use]
    pub fn known_to(&self, known: &Self) -> Self {
        Self {
            reach: self.reach.filter(|_| known.reach.is_some()),
            inline_link_clicks: self.inline_link_clicks.filter(|_| known.inline_link_clicks.is_some()),
            outbound_clicks: self.outbound_clicks.filter(|_| known.outbound_clicks.is_some()),
            unique_clicks: self.unique_clicks.filter(|_| known.unique_clicks.is_some()),
            ..*self
        }
    }

    /// The same numbers, with the spend in the decimals of its currency.
    #[must_use]
    pub fn in_currency(&self, currency: &str) -> Self {
        Self { spend: rescale(self.spend, currency), ..*self }
    }
}

/// A sum with an unknown part is unknown.
fn sum(one: Option<u64>, other: Option<u64>) -> Option<u64> {
    one.zip(other).map(|(one, other)| one + other)
}

/// All numbers of one object on one day. Values that Meta omits are 0, except those that are then unknown.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Metrics {
    /// The main numbers.
    #[serde(flatten)]
    pub main: MainMetrics,
    /// Impressions per person, as Meta reports it.
    pub frequency: Option<Decimal>,
    /// Video plays to 25 %, 50 %, 75 % and 100 %.
    #[serde(default)]
    pub video_views: [u64; 4],
    /// Counts by action type. Action types overlap.
    #[serde(default)]
    pub actions: BTreeMap<String, Decimal>,
}

impl Metrics {
    /// A fingerprint that identifies equal numbers without reading all of them.
    #[must_use]
    #[expect(clippy::expect_used, reason = "numbers are plain data")]
    pub fn mark(&self) -> u64 {
        let digest = Sha256::digest(serde_json::to_vec(self).expect("numbers are plain data"));
        digest.iter().take(8).fold(0, |mark, byte| mark << 8 | u64::from(*byte))
    }

    /// The same numbers, without those that `known` does not have.
    #[must_use]
    pub fn known_to(&self, known: &Self) -> Self {
        Self { main: self.main.known_to(&known.main), ..self.clone() }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn metrics(spend: &str, conversions: u64) -> Metrics {
        let actions = [("lead".to_owned(), Decimal::from(conversions))].into();
        let spend = spend.parse().unwrap();
        let main = MainMetrics { impressions: 1000, clicks: 10, spend, conversions, ..MainMetrics::default() };
        Metrics { main, actions, ..Metrics::default() }
    }

    #[test]
    fn marks_tell_every_number_apart() {
        let plain = metrics("1.00", 1);
        let mut other = plain.clone();
        other.actions.insert("link_click".to_owned(), Decimal::ONE);
        let marks = [plain.mark(), metrics("1.01", 1).mark(), metrics("1.00", 2).mark(), other.mark()];
        let distinct: std::collections::BTreeSet<u64> = marks.into();
        assert_eq!(distinct.len(), marks.len());
        assert_eq!(plain.mark(), metrics("1.00", 1).mark());
    }
}
