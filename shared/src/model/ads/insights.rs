//! Insights: Meta's typed numbers for an ad's day, and how they changed since they were first read.
//!
//! Meta corrects a day's numbers for 28 days. Numbers are provisional until the day ends. The first numbers read after
//! the day has ended are stored beside the current ones.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::Date;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::ids::AdObjectId;
use crate::model::ads::conversions::Counted;
use crate::model::ads::metrics::{MainMetrics, Metrics};

/// One object's day as stored: its numbers and their history.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Day {
    /// The date, in the account's time zone.
    pub day: Date,
    /// The current numbers.
    #[serde(flatten)]
    pub metrics: Metrics,
    /// The first numbers read after the day had ended; set only if Meta has restated them since.
    #[serde(default)]
    pub first_seen: Option<MainMetrics>,
    /// When the numbers last changed.
    pub changed_at: Timestamp,
}

impl Day {
    /// The day updated with Meta's current numbers, or `None` if they have not changed.
    ///
    /// `confirmed` means that the stored numbers were read after the day had ended. Only then is a change a
    /// restatement; before that, the day was still in progress. A change of conversions that only follows from a new
    /// `counted` setting is not a restatement either, nor is a number that was unknown before.
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
                let main = MainMetrics { conversions, ..stored.metrics.main };
                let recounted = Metrics { main, ..stored.metrics.clone() };
                (confirmed && recounted != metrics.known_to(&recounted)).then_some(main)
            }),
            None => None,
        };
        Some(Self { day, metrics, first_seen, changed_at: now })
    }
}

/// One ad on one day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AdDay {
    /// The ad's id.
    pub ad_id: AdObjectId,
    /// The ad's name at the time of the sync.
    pub ad_name: String,
    /// The ad set's id.
    pub adset_id: AdObjectId,
    /// The ad set's name.
    pub adset_name: String,
    /// The campaign's id.
    pub campaign_id: AdObjectId,
    /// The campaign's name.
    pub campaign_name: String,
    /// The ad's numbers.
    #[serde(flatten)]
    pub day: Day,
}

/// A compact summary of one campaign's ads on one day.
///
/// It contains what reports add up and the fingerprints by which a sync recognises unchanged numbers. An account then
/// needs a few of these instead of thousands of rows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CampaignDay {
    /// The date, in the account's time zone.
    pub day: Date,
    /// The campaign's id.
    pub campaign_id: AdObjectId,
    /// The ads by id.
    pub ads: BTreeMap<AdObjectId, AdDaySummary>,
}

/// One ad of a [`CampaignDay`]. It is stored as a list, because an account has thousands of them. New elements are
/// appended, with a default: a list that was stored before is shorter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AdDaySummary(
    /// The ad set.
    pub AdObjectId,
    /// Impressions.
    u64,
    /// Clicks.
    u64,
    /// Spend.
    Decimal,
    /// Conversions.
    u64,
    /// Reach.
    Option<u64>,
    /// [`Metrics::mark`].
    u64,
    /// Clicks on links.
    #[serde(default)]
    Option<u64>,
    /// Clicks that lead away.
    #[serde(default)]
    Option<u64>,
    /// People who clicked.
    #[serde(default)]
    Option<u64>,
);

impl AdDaySummary {
    /// Summarises an ad with these numbers.
    #[must_use]
    pub fn new(adset: AdObjectId, metrics: &Metrics) -> Self {
        let main = metrics.main;
        let MainMetrics { impressions, clicks, spend, conversions, reach, .. } = main;
        let (inline, outbound, unique) = (main.inline_link_clicks, main.outbound_clicks, main.unique_clicks);
        Self(adset, impressions, clicks, spend, conversions, reach, metrics.mark(), inline, outbound, unique)
    }

    /// The main numbers.
    #[must_use]
    pub fn metrics(&self) -> MainMetrics {
        let Self(
            _,
            impressions,
            clicks,
            spend,
            conversions,
            reach,
            _,
            inline_link_clicks,
            outbound_clicks,
            unique_clicks,
        ) = *self;
        MainMetrics {
            impressions,
            clicks,
            spend,
            conversions,
            reach,
            inline_link_clicks,
            outbound_clicks,
            unique_clicks,
        }
    }

    /// [`Metrics::mark`] of all numbers.
    #[must_use]
    pub fn mark(&self) -> u64 {
        self.6
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ads::metrics::tests::metrics;

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
        assert_eq!(restated.first_seen, Some(metrics("2.00", 2).main));
        let again = next(Some(&restated), metrics("1.80", 4), true, "2026-02-04T00:00:00Z").unwrap();
        assert_eq!(again.first_seen, Some(metrics("2.00", 2).main), "the first, not the last before it");
    }

    #[test]
    fn counting_otherwise_is_no_restatement() {
        let day: Date = "2026-01-31".parse().unwrap();
        let now: Timestamp = "2026-02-03T00:00:00Z".parse().unwrap();
        let stored = Day { day, metrics: metrics("2.00", 2), first_seen: None, changed_at: now };
        let counted = Counted::parse(vec!["purchase".to_owned()]).unwrap();
        let main = MainMetrics { conversions: 0, ..stored.metrics.main };
        let recounted = Metrics { main, ..stored.metrics.clone() };
        let next = Day::next(Some(&stored), day, recounted.clone(), &counted, true, now).unwrap();
        assert_eq!((next.metrics.main.conversions, next.first_seen), (0, None));
        let restated = Metrics { main: MainMetrics { clicks: 11, ..main }, ..recounted };
        let next = Day::next(Some(&stored), day, restated, &counted, true, now).unwrap();
        assert_eq!(next.first_seen.map(|first| (first.clicks, first.conversions)), Some((10, 0)));
    }

    /// What was stored before `inline_link_clicks` and its neighbours were read.
    const OLD_SUMMARY: &str = r#"["2",1000,10,"2.5",2,null,1311768467294899695]"#;
    const OLD_DAY: &str = r#"{"day":"2026-01-31","impressions":1000,"clicks":10,"spend":"2.5","conversions":2,"reach":null,
        "frequency":null,"video_views":[0,0,0,0],"actions":{"lead":"2"},"first_seen":null,
        "changed_at":"2026-01-31T18:00:00Z"}"#;

    #[test]
    fn numbers_stored_before_a_metric_was_added_stay_readable_and_are_not_restated() {
        let summary: AdDaySummary = serde_json::from_str(OLD_SUMMARY).unwrap();
        assert_eq!((summary.metrics().clicks, summary.metrics().inline_link_clicks), (10, None));
        assert_eq!(summary.mark(), 0x1234_5678_90AB_CDEF);
        let old: Day = serde_json::from_str(OLD_DAY).unwrap();
        let added = MainMetrics { inline_link_clicks: Some(7), unique_clicks: Some(8), ..old.metrics.main };
        let metrics = Metrics { main: added, ..old.metrics.clone() };
        let now: Timestamp = "2026-02-03T00:00:00Z".parse().unwrap();
        let next = |metrics| Day::next(Some(&old), old.day, metrics, &Counted::default(), true, now).unwrap();
        assert_eq!((next(metrics.clone()).metrics, next(metrics.clone()).first_seen), (metrics.clone(), None));
        let restated = Metrics { main: MainMetrics { clicks: 11, ..added }, ..metrics };
        assert_eq!(next(restated).first_seen, Some(old.metrics.main), "another number has changed as well");
    }
}
