//! What ads did on a day: Meta's numbers, typed, and what became of them since they were first seen.
//!
//! Meta goes on correcting a day for 28 days after it. A number is provisional while its day lasts; what it was when the
//! day was over and first read is kept beside what it is now.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::Date;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use utoipa::ToSchema;

use crate::ids::AdObjectId;
use crate::model::ads::conversions::Counted;

/// The numbers of one object on one day. What Meta does not mention is nought, except reach: that is unknown then.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Metrics {
    /// How often it was shown.
    pub impressions: u64,
    /// Clicks of every kind.
    pub clicks: u64,
    /// In the account's currency.
    pub spend: Decimal,
    /// How many people it was shown to. Never to be added up: the same people come again.
    pub reach: Option<u64>,
    /// Impressions per person, as Meta says it.
    pub frequency: Option<Decimal>,
    /// One whole number out of `actions` ([`crate::model::ads::conversions`]).
    pub conversions: u64,
    /// Plays of a quarter of a video, of half of it, of three quarters, of all.
    #[serde(default)]
    pub video_views: [u64; 4],
    /// Action types with how often they happened. They overlap.
    #[serde(default)]
    pub actions: BTreeMap<String, Decimal>,
}

impl Metrics {
    /// A mark by which equal numbers are recognised without reading them all.
    #[must_use]
    pub fn mark(&self) -> u64 {
        let digest = Sha256::digest(serde_json::to_vec(self).unwrap_or_default());
        digest.iter().take(8).fold(0, |mark, byte| mark << 8 | u64::from(*byte))
    }

    /// The part of it that is shown when Meta restates it.
    #[must_use]
    pub fn main(&self) -> MainMetrics {
        MainMetrics {
            impressions: self.impressions,
            clicks: self.clicks,
            spend: self.spend,
            conversions: self.conversions,
            reach: self.reach,
        }
    }
}

/// The numbers that people compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
pub struct MainMetrics {
    /// How often it was shown.
    pub impressions: u64,
    /// Clicks of every kind.
    pub clicks: u64,
    /// In the account's currency.
    #[schema(value_type = String)]
    pub spend: Decimal,
    /// One whole number.
    pub conversions: u64,
    /// How many people it was shown to.
    pub reach: Option<u64>,
}

/// One object's day as it is stored: its numbers, and how they came to be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Day {
    /// In the account's zone.
    pub day: Date,
    /// The numbers now.
    #[serde(flatten)]
    pub metrics: Metrics,
    /// What they were when the day was over and first read; only if Meta restated them since.
    #[serde(default)]
    pub first_seen: Option<MainMetrics>,
    /// When they last changed.
    pub changed_at: Timestamp,
}

impl Day {
    /// The day with the numbers that Meta gives now, or `None` if they are what they were.
    ///
    /// `confirmed` says that the numbers that are stored were seen after the day was over: only then is a change a
    /// restatement, before that the day simply went on. That conversions are `counted` otherwise now is none either.
    #[must_use]
    pub fn next(
        stored: Option<&Self>,
        day: Date,
        metrics: Metrics,
        counted: &Counted,
        confirmed: bool,
        now: Timestamp,
    ) -> Option<Self> {
        let first_seen = match stored {
            Some(stored) if stored.metrics == metrics => return None,
            Some(stored) => stored.first_seen.or_else(|| {
                let conversions = counted.count(&stored.metrics.actions);
                let recounted = Metrics { conversions, ..stored.metrics.clone() };
                (confirmed && recounted != metrics).then(|| recounted.main())
            }),
            None => None,
        };
        Some(Self { day, metrics, first_seen, changed_at: now })
    }
}

/// One ad on one day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AdDay {
    /// The ad.
    pub ad_id: AdObjectId,
    /// Its name on that reading.
    pub ad_name: String,
    /// Its ad set.
    pub adset_id: AdObjectId,
    /// Its name.
    pub adset_name: String,
    /// Its campaign.
    pub campaign_id: AdObjectId,
    /// Its name.
    pub campaign_name: String,
    /// What it did.
    #[serde(flatten)]
    pub day: Day,
}

/// The ads of one campaign on one day, in short: what reports add up, and the marks by which a reading recognises what
/// has not changed. All ads of an account are a few of these instead of thousands of rows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sheet {
    /// In the account's zone.
    pub day: Date,
    /// The campaign.
    pub campaign_id: AdObjectId,
    /// By ad.
    pub ads: BTreeMap<AdObjectId, AdLine>,
}

/// One ad in a sheet, in this order: ad set, impressions, clicks, spend, conversions, reach, mark.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AdLine(
    /// The ad set.
    pub AdObjectId,
    /// Impressions.
    pub u64,
    /// Clicks.
    pub u64,
    /// Spend.
    pub Decimal,
    /// Conversions.
    pub u64,
    /// Reach.
    pub Option<u64>,
    /// [`Metrics::mark`].
    pub u64,
);

impl AdLine {
    /// The line of an ad with these numbers.
    #[must_use]
    pub fn of(adset: AdObjectId, metrics: &Metrics) -> Self {
        let Metrics { impressions, clicks, spend, conversions, reach, .. } = metrics;
        Self(adset, *impressions, *clicks, *spend, *conversions, *reach, metrics.mark())
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn metrics(spend: &str, conversions: u64) -> Metrics {
        let actions = [("lead".to_owned(), Decimal::from(conversions))].into();
        let spend = spend.parse().unwrap();
        Metrics { impressions: 1000, clicks: 10, spend, conversions, actions, ..Metrics::default() }
    }

    #[test]
    fn what_was_seen_first_is_kept_from_the_first_restatement_on() {
        let day: Date = "2026-01-31".parse().unwrap();
        let next = |stored: Option<&Day>, metrics: Metrics, confirmed: bool, at: &str| {
            Day::next(stored, day, metrics, &Counted::default(), confirmed, at.parse().unwrap())
        };
        let during = next(None, metrics("1.00", 1), false, "2026-01-31T12:00:00Z").unwrap();
        let grown = next(Some(&during), metrics("2.00", 2), false, "2026-01-31T18:00:00Z").unwrap();
        assert_eq!(grown.first_seen, None, "the day went on");
        assert_eq!(next(Some(&grown), metrics("2.00", 2), true, "2026-02-01T18:00:00Z"), None);
        let restated = next(Some(&grown), metrics("1.90", 3), true, "2026-02-03T00:00:00Z").unwrap();
        assert_eq!(restated.first_seen, Some(metrics("2.00", 2).main()));
        let again = next(Some(&restated), metrics("1.80", 4), true, "2026-02-04T00:00:00Z").unwrap();
        assert_eq!(again.first_seen, Some(metrics("2.00", 2).main()), "the first, not the last before it");
    }

    #[test]
    fn counting_otherwise_is_no_restatement() {
        let day: Date = "2026-01-31".parse().unwrap();
        let now: Timestamp = "2026-02-03T00:00:00Z".parse().unwrap();
        let stored = Day { day, metrics: metrics("2.00", 2), first_seen: None, changed_at: now };
        let counted = Counted::parse(vec!["purchase".to_owned()]).unwrap();
        let recounted = Metrics { conversions: 0, ..stored.metrics.clone() };
        let next = Day::next(Some(&stored), day, recounted.clone(), &counted, true, now).unwrap();
        assert_eq!((next.metrics.conversions, next.first_seen), (0, None));
        let restated = Metrics { clicks: 11, ..recounted };
        let next = Day::next(Some(&stored), day, restated, &counted, true, now).unwrap();
        assert_eq!(next.first_seen.map(|first| (first.clicks, first.conversions)), Some((10, 0)));
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
