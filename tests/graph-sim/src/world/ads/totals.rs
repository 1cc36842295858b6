//! The sums that the account's own reports would show, including deleted and archived ads.
//!
//! They share the numbers of single ads and days with insights, and nothing else: no filters, visibility, paging or
//! rows.

use std::collections::BTreeMap;

use super::Ads;
use super::calendar::{Day, Sight};
use super::counts::Metrics;
use super::tree::Level;
use crate::clock::Clock;

/// The most ads that are added up for the amount an account spent.
const COUNTED: u32 = 500;

/// What a row groups by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum By {
    Total,
    Day,
    Object(Level),
}

/// Sums per row (keyed by the day or the object's number), and the sum of all rows.
#[derive(Debug, Default)]
pub(crate) struct Totals {
    pub(crate) rows: BTreeMap<i64, Metrics>,
    pub(crate) total: Metrics,
}

impl Ads {
    pub(crate) fn totals(&self, first: Day, last: Day, data_ms: i64, by: By) -> Totals {
        let sights = self.calendar.sights(first.max(self.first), last, data_ms);
        let mut totals = Totals::default();
        let ghosts = self.tree.ghosts();
        for ad in (0..self.tree.count(Level::Ad)).chain(ghosts) {
            match by {
                By::Day => self.add_days(ad, &sights, &mut totals),
                By::Object(level) => {
                    let sum = self.sum(ad, &sights);
                    if !sum.is_empty() {
                        totals.rows.entry(i64::from(self.tree.above(ad, level))).or_default().add(&sum);
                        totals.total.add(&sum);
                    }
                }
                By::Total => totals.total.add(&self.sum(ad, &sights)),
            }
        }
        totals
    }

    fn add_days(&self, ad: u32, sights: &[Sight], totals: &mut Totals) {
        let delivery = self.delivery(ad);
        for sight in sights {
            if let Some(metrics) = delivery.metrics(sight) {
                totals.rows.entry(i64::from(sight.day)).or_default().add(&metrics);
                totals.total.add(&metrics);
            }
        }
    }

    /// The metrics of an ad over several days.
    pub(crate) fn sum(&self, ad: u32, sights: &[Sight]) -> Metrics {
        let delivery = self.delivery(ad);
        let mut sum = Metrics::default();
        for sight in sights {
            if let Some(metrics) = delivery.metrics(sight) {
                sum.add(&metrics);
            }
        }
        sum
    }

    /// The amount spent so far. A large account is extrapolated from its first [`COUNTED`] ads: the result is exact for
    /// small accounts and quick for all.
    pub(crate) fn amount_spent(&self, clock: &Clock) -> i64 {
        let ads = self.tree.count(Level::Ad);
        let counted = ads.min(COUNTED);
        let sights = self.calendar.sights(self.first, Day::MAX, self.calendar.data_ms(clock));
        let mut sum = Metrics::default();
        for ad in (0..counted).chain(self.tree.ghosts()) {
            sum.add(&self.sum(ad, &sights));
        }
        sum.counts.spend * i64::from(ads) / i64::from(counted.max(1))
    }
}
