//! Measures the time from the person's click to the CRM: counts by duration, from which percentiles are interpolated.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Upper bounds of the classes, in seconds. Longer durations fall into a final class of their own.
const CLASS_BOUNDS: [u32; 23] =
    [1, 2, 3, 4, 5, 7, 10, 15, 20, 30, 45, 60, 90, 120, 180, 300, 600, 900, 1800, 3600, 7200, 21_600, 86_400];
/// The promised latency, in seconds.
pub const PROMISED_SECONDS: u32 = 120;

/// Leads counted by latency class.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Latencies {
    counts: Vec<u64>,
}

/// The published summary of the latencies.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, ToSchema)]
pub struct LatencySummary {
    /// Leads and repeat submissions found by webhook, sweep or sync. Test leads, files and backfills are excluded.
    pub leads: u64,
    /// Median seconds from submission to CRM, interpolated within a class of durations; `null` without leads.
    pub p50_s: Option<f64>,
    /// 95th percentile of the seconds from submission to CRM.
    pub p95_s: Option<f64>,
    /// Number of leads that were in the CRM within two minutes.
    pub within_2_minutes: u64,
}

/// The class of a duration, counted from 0.
#[must_use]
pub fn class(seconds: i64) -> usize {
    CLASS_BOUNDS.iter().position(|edge| seconds <= i64::from(*edge)).unwrap_or(CLASS_BOUNDS.len())
}

/// The number of classes.
pub const CLASSES: usize = CLASS_BOUNDS.len() + 1;

impl Latencies {
    /// Builds the distribution from counts by class. Missing classes count as zero.
    #[must_use]
    pub fn from_counts(counts: impl IntoIterator<Item = (usize, u64)>) -> Self {
        let mut by_class = vec![0; CLASSES];
        for (class, count) in counts {
            if let Some(known) = by_class.get_mut(class) {
                *known += count;
            }
        }
        Self { counts: by_class }
    }

    /// The sum of both distributions.
    #[must_use]
    pub fn and(&self, other: &Self) -> Self {
        Self::from_counts(self.counts.iter().copied().enumerate().chain(other.counts.iter().copied().enumerate()))
    }

    /// The counts and percentiles.
    #[must_use]
    pub fn summary(&self) -> LatencySummary {
        LatencySummary {
            leads: self.counts.iter().sum(),
            p50_s: self.percentile(0.5),
            p95_s: self.percentile(0.95),
            within_2_minutes: self.counts.iter().take(class(i64::from(PROMISED_SECONDS)) + 1).sum(),
        }
    }

    fn percentile(&self, share: f64) -> Option<f64> {
        let total: u64 = self.counts.iter().sum();
        #[expect(clippy::cast_precision_loss, reason = "nobody counts 2^53 leads")]
        let number = |count: u64| count as f64;
        let mut rank = number(total) * share;
        for (class, count) in self.counts.iter().enumerate().filter(|(_, count)| **count > 0) {
            if rank <= number(*count) {
                let from =
                    class.checked_sub(1).and_then(|below| CLASS_BOUNDS.get(below)).map_or(0.0, |edge| f64::from(*edge));
                // The last class has no upper bound.
                let to = CLASS_BOUNDS.get(class).map_or(from, |edge| f64::from(*edge));
                let seconds = from + (to - from) * rank / number(*count);
                return Some((seconds * 10.0).round() / 10.0);
            }
            rank -= number(*count);
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn summarise(seconds: &[i64]) -> LatencySummary {
        Latencies::from_counts(seconds.iter().map(|seconds| (class(*seconds), 1))).summary()
    }

    #[test]
    fn percentiles_lie_in_the_class_of_what_they_stand_for() {
        assert_eq!(summarise(&[]), LatencySummary::default());
        let summary = summarise(&[1, 1, 2, 2, 3, 3, 4, 4, 100, 1_000_000]);
        assert_eq!((summary.leads, summary.within_2_minutes), (10, 9));
        assert_eq!((summary.p50_s, summary.p95_s), (Some(2.5), Some(86_400.0)));
        assert_eq!(summarise(&[-5]).p50_s, Some(0.5), "clocks differ");
        assert_eq!((class(120), class(121)), (13, 14));
    }

    proptest! {
        #[test]
        fn a_percentile_is_never_more_than_a_class_away(seconds in prop::collection::vec(0..80_000i64, 1..200), share in 0.01..1.0f64) {
            let latencies = Latencies::from_counts(seconds.iter().map(|seconds| (class(*seconds), 1)));
            let mut sorted = seconds;
            sorted.sort_unstable();
            #[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "small numbers")]
            let exact = sorted[((sorted.len() as f64 * share).ceil() as usize).clamp(1, sorted.len()) - 1];
            #[expect(clippy::cast_possible_truncation, reason = "small numbers")]
            let read = latencies.percentile(share).unwrap().ceil() as i64;
            prop_assert!(class(read).abs_diff(class(exact)) <= 1, "{} {}", read, exact);
        }
    }
}
