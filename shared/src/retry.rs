//! What to do with work that failed, and how long to wait before the next attempt.

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures_util::FutureExt;
use rand::RngExt;

/// What to do with a piece of work that failed. Each edge decides this for its own errors.
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

/// Does `work` on all items together, and if it panics, on each by itself. Returns one result for each item, `None` for
/// those whose own work panics.
pub async fn isolate_panics<T, R>(items: &[T], work: impl AsyncFn(&[T]) -> Vec<R>) -> Vec<Option<R>> {
    if let Ok(results) = AssertUnwindSafe(work(items)).catch_unwind().await {
        return results.into_iter().map(Some).collect();
    }
    let mut results = Vec::with_capacity(items.len());
    for item in items.chunks(1) {
        let alone = AssertUnwindSafe(work(item)).catch_unwind().await;
        if alone.is_err() {
            tracing::error!(metric = "records_panicked", "a worker panicked on a record");
        }
        results.push(alone.ok().and_then(|mut results| results.pop()));
    }
    results
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
