//! Values of a metric over time, and the stretch of time that they are of.

use jiff::{SignedDuration, Timestamp};

/// How far a look at the system goes back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LookBack {
    /// The last 60 minutes.
    Hour,
    /// The last 24 hours.
    Day,
    /// The last 7 days.
    Week,
}

/// A stretch of time that is cut into buckets of one length.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MetricWindow {
    /// The first instant. A whole number of buckets since 1970, because CloudWatch cuts there.
    pub start: Timestamp,
    /// The first instant after it. The last bucket is the one that `now` is in.
    pub end: Timestamp,
    /// The length of a bucket: whole minutes.
    pub bucket: SignedDuration,
}

/// What CloudWatch has of one metric: a value for each bucket in which there is one, in any order.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct MetricSeries(pub Vec<(Timestamp, f64)>);

impl LookBack {
    /// Its length.
    #[must_use]
    pub fn length(self) -> SignedDuration {
        match self {
            Self::Hour => SignedDuration::from_hours(1),
            Self::Day => SignedDuration::from_hours(24),
            Self::Week => SignedDuration::from_hours(7 * 24),
        }
    }

    /// The length of a bar of its charts: some 50 stand beside each other on a phone.
    #[must_use]
    pub fn bucket(self) -> SignedDuration {
        match self {
            Self::Hour => SignedDuration::from_mins(1),
            Self::Day => SignedDuration::from_mins(30),
            Self::Week => SignedDuration::from_hours(3),
        }
    }

    /// The stretch of time that ends now.
    #[must_use]
    pub fn window(self, now: Timestamp) -> MetricWindow {
        MetricWindow::until(now, self.length(), self.bucket())
    }
}

impl MetricWindow {
    /// The stretch of this length that ends with the bucket of `now`.
    #[must_use]
    pub fn until(now: Timestamp, length: SignedDuration, bucket: SignedDuration) -> Self {
        let seconds = bucket.as_secs().max(1);
        let end = (now.as_second().div_euclid(seconds) + 1) * seconds;
        let end = Timestamp::from_second(end).unwrap_or(now);
        Self { start: end - length, end, bucket }
    }

    /// The beginnings of its buckets.
    pub fn buckets(self) -> impl Iterator<Item = Timestamp> {
        let mut next = self.start;
        std::iter::from_fn(move || {
            let this = next;
            next += self.bucket;
            (this < self.end).then_some(this)
        })
    }
}

impl MetricSeries {
    /// The sum; `None` without a value.
    #[must_use]
    pub fn sum(&self) -> Option<f64> {
        (!self.0.is_empty()).then(|| self.0.iter().map(|(_, value)| value).sum())
    }

    /// The highest value.
    #[must_use]
    pub fn highest(&self) -> Option<f64> {
        self.0.iter().map(|(_, value)| *value).reduce(f64::max)
    }

    /// The newest value, and when it was measured.
    #[must_use]
    pub fn newest(&self) -> Option<(Timestamp, f64)> {
        self.0.iter().copied().max_by_key(|(at, _)| *at)
    }

    /// The sum of the values of a bucket.
    #[must_use]
    pub fn sum_in(&self, start: Timestamp, bucket: SignedDuration) -> f64 {
        let is_in = |at: Timestamp| start <= at && at < start + bucket;
        self.0.iter().filter(|(at, _)| is_in(*at)).map(|(_, value)| value).sum()
    }
}

/// A value that counts something.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "counts are neither negative nor near 2^64"
)]
pub(super) fn whole(value: f64) -> u64 {
    value.round() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_ends_with_the_bucket_of_now_and_begins_at_one() {
        let now: Timestamp = "2026-11-30T03:07:42Z".parse().unwrap();
        for (back, start, end, buckets) in [
            (LookBack::Hour, "2026-11-30T02:08:00Z", "2026-11-30T03:08:00Z", 60),
            (LookBack::Day, "2026-11-29T03:30:00Z", "2026-11-30T03:30:00Z", 48),
            (LookBack::Week, "2026-11-23T06:00:00Z", "2026-11-30T06:00:00Z", 56),
        ] {
            let window = back.window(now);
            assert_eq!((window.start, window.end), (start.parse().unwrap(), end.parse().unwrap()), "{back:?}");
            assert_eq!(window.buckets().count(), buckets, "{back:?}");
            assert_eq!(window.start.as_second() % window.bucket.as_secs(), 0, "{back:?}");
        }
        let at_the_edge = LookBack::Hour.window("2026-11-30T03:08:00Z".parse().unwrap());
        assert_eq!(at_the_edge.end.to_string(), "2026-11-30T03:09:00Z", "a bucket has begun");
    }

    #[test]
    fn what_has_no_value_has_no_sum() {
        let at = |second| Timestamp::from_second(second).unwrap();
        assert_eq!((MetricSeries::default().sum(), MetricSeries::default().highest()), (None, None));
        let series = MetricSeries(vec![(at(120), 2.0), (at(0), 5.0), (at(60), 0.0)]);
        assert_eq!((series.sum(), series.highest()), (Some(7.0), Some(5.0)));
        assert_eq!(series.newest(), Some((at(120), 2.0)));
        let minute = SignedDuration::from_mins(1);
        assert!((series.sum_in(at(0), minute) - 5.0).abs() < 1e-9 && series.sum_in(at(180), minute) == 0.0);
    }
}
