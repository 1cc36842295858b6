//! What becomes of work that failed, and how long it rests before the next try.

use std::time::Duration;

use rand::RngExt;

/// What to do with a piece of work that failed. Each edge decides this for each of its errors; the batch runner alone acts on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It may heal by itself: try again, later each time.
    Retry,
    /// It heals after this time and not before; trying sooner makes it worse.
    RetryAfter(Duration),
    /// Trying again cannot help. Somebody has to change something first.
    GiveUp,
}

/// How long attempt number `attempt` (1 for the first) rests before the next: doubling from `base` to `cap`, the upper
/// half of it random, so that workers that failed together do not come back together.
#[must_use]
pub fn backoff(attempt: u32, base: Duration, cap: Duration) -> Duration {
    let full = base.saturating_mul(1 << attempt.saturating_sub(1).min(20)).min(cap);
    full.mul_f64(rand::rng().random_range(0.5..=1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rests_grow_to_the_cap_and_are_never_less_than_half() {
        let (base, cap) = (Duration::from_secs(5), Duration::from_secs(300));
        for (attempt, full) in [(1, 5), (2, 10), (3, 20), (7, 300), (40, 300), (0, 5)] {
            for _ in 0..50 {
                let rest = backoff(attempt, base, cap);
                assert!(
                    rest <= Duration::from_secs(full) && rest >= Duration::from_secs(full) / 2,
                    "{attempt}: {rest:?}"
                );
            }
        }
    }
}
