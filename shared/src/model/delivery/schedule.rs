//! When a delivery is tried again, when an endpoint is left alone, and when it is given up.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::retry::backoff;

/// How long a delivery is tried.
pub const RETRY_WINDOW: SignedDuration = SignedDuration::from_hours(24);
/// How long an endpoint may fail before it is deactivated.
pub const FAILING_LIMIT: SignedDuration = SignedDuration::from_hours(72);
/// How long a rotated secret signs beside its successor.
pub const RETIRED_SECRET_TTL: SignedDuration = SignedDuration::from_hours(24);

const FIRST_DELAY: Duration = Duration::from_secs(10);
/// A receiver that is back waits for no event longer than this.
const MAX_DELAY: Duration = Duration::from_hours(1);
/// The longest wait that a receiver can ask for with `Retry-After`. A longer one would use up the 24 hours.
const MAX_RETRY_AFTER: Duration = Duration::from_hours(6);
/// Failures in a row before an endpoint is left alone.
const MAX_FAILURES: u32 = 3;
const FIRST_REST: Duration = Duration::from_secs(20);
const MAX_REST: Duration = Duration::from_mins(10);

/// How an endpoint responded lately.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct EndpointHealth {
    /// Failed tries since the last success.
    #[serde(default)]
    pub failures: u32,
    /// The first of them.
    #[serde(default)]
    pub failing_since: Option<Timestamp>,
    /// Until when the endpoint is left alone, so that a dead one takes no worker's time from the others.
    #[serde(default)]
    pub rest_until: Option<Timestamp>,
}

impl EndpointHealth {
    /// The health after another failure.
    #[must_use]
    pub fn after_failure(&self, now: Timestamp) -> Self {
        let failures = self.failures.saturating_add(1);
        let rest = failures.checked_sub(MAX_FAILURES).map(|more| now + backoff(more + 1, FIRST_REST, MAX_REST));
        Self { failures, failing_since: self.failing_since.or(Some(now)), rest_until: rest }
    }

    /// Until when the endpoint is left alone.
    #[must_use]
    pub fn resting(&self, now: Timestamp) -> Option<Timestamp> {
        self.rest_until.filter(|until| now < *until)
    }

    /// Whether it has failed for so long that it is given up.
    #[must_use]
    pub fn is_hopeless(&self, now: Timestamp) -> bool {
        self.failing_since.is_some_and(|since| now >= since + FAILING_LIMIT)
    }
}

/// When a delivery is tried next, after `tries` in its window that began at `window_from`. `None` if the window is over.
///
/// The last try is at the end of the window. `retry_after` is what the receiver asked for; it delays a try, within
/// limits, and never hastens one.
#[must_use]
pub fn next_try(
    tries: u32,
    window_from: Timestamp,
    retry_after: Option<Duration>,
    now: Timestamp,
) -> Option<Timestamp> {
    let end = window_from + RETRY_WINDOW;
    let delay = backoff(tries, FIRST_DELAY, MAX_DELAY).max(retry_after.unwrap_or_default().min(MAX_RETRY_AFTER));
    (now < end).then(|| (now + delay).min(end))
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Timestamp = Timestamp::UNIX_EPOCH;

    #[test]
    fn tries_spread_over_a_day_and_end_with_it() {
        for _ in 0..50 {
            let (mut now, mut tries) = (START, 0);
            loop {
                tries += 1;
                let Some(next) = next_try(tries, START, None, now) else { break };
                assert!(next > now && next <= START + RETRY_WINDOW, "{next}");
                assert!(next.duration_since(now) <= SignedDuration::from_hours(1));
                now = next;
            }
            assert_eq!(now, START + RETRY_WINDOW, "the last try is at the end");
            assert!((30..=70).contains(&tries), "{tries}");
        }
    }

    #[test]
    fn a_receiver_may_ask_for_a_later_try_within_limits() {
        let after = |seconds| next_try(1, START, Some(Duration::from_secs(seconds)), START).unwrap();
        assert_eq!(after(600), START + SignedDuration::from_mins(10));
        assert!(after(0) >= START + SignedDuration::from_secs(5), "never earlier than without");
        assert_eq!(after(u64::MAX), START + SignedDuration::from_hours(6));
        let late = START + SignedDuration::from_hours(23);
        assert_eq!(next_try(9, START, Some(Duration::from_hours(2)), late), Some(START + RETRY_WINDOW));
    }

    #[test]
    fn an_endpoint_that_fails_is_left_alone_for_longer_each_time_and_given_up_after_three_days() {
        let mut health = EndpointHealth::default();
        for failures in 1..=2 {
            health = health.after_failure(START);
            assert_eq!((health.failures, health.resting(START)), (failures, None), "a few failures are no outage");
        }
        let mut rests = Vec::new();
        for _ in 0..12 {
            health = health.after_failure(START);
            rests.push(health.resting(START).unwrap().duration_since(START).as_secs());
        }
        assert!((10..=20).contains(&rests[0]) && rests[11] > 299 && rests[11] <= 600, "{rests:?}");
        let later = START + FAILING_LIMIT;
        assert!(health.after_failure(later).is_hopeless(later), "its failing began three days ago");
        assert!(!health.is_hopeless(later - SignedDuration::from_secs(1)));
    }
}
