//! What to do with work that failed, and how long to wait before the next attempt.

use std::time::Duration;

use rand::RngExt;

/// What to do with a piece of work that failed. Each edge decides this for its own errors; only the batch runner acts
/// on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The error may be temporary: try again, with increasing delays.
    Retry,
    /// The error ends after this time and not before. An earlier attempt makes it worse.
    RetryAfter(Duration),
    /// Another attempt cannot help until something is changed by hand.
    GiveUp,
}

/// The delay after attempt number `attempt` (1 for the first).
///
/// It doubles from `base` up to `cap`. Its upper half is random, so that workers that failed together do not return
/// together.
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
                let delay = backoff(attempt, base, cap);
                assert!(
                    delay <= Duration::from_secs(full) && delay >= Duration::from_secs(full) / 2,
                    "{attempt}: {delay:?}"
                );
            }
        }
    }
}
