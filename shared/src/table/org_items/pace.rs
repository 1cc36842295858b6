//! How fast a table is read.

use std::sync::Mutex;
use std::time::Duration;

use tokio::time::Instant;

/// A limit on read units a second, so that one org's copy slows down no other org.
#[derive(Debug)]
pub struct ReadPace {
    per_second: f64,
    spent: Mutex<(Instant, f64)>,
}

impl ReadPace {
    /// A limit of this many read units a second. Zero counts as one.
    #[must_use]
    pub fn new(units_per_second: u32) -> Self {
        Self { per_second: f64::from(units_per_second.max(1)), spent: Mutex::new((Instant::now(), 0.0)) }
    }

    /// Counts units that were used, and waits until they were due.
    pub(super) async fn spend(&self, units: f64) {
        if let Some((began, after)) = self.book(units) {
            tokio::time::sleep_until(began + after).await;
        }
    }

    /// Counts units, and returns the begin and how long after it they are due.
    fn book(&self, units: f64) -> Option<(Instant, Duration)> {
        let mut spent = self.spent.lock().ok()?;
        spent.1 += units;
        Some((spent.0, Duration::from_secs_f64(spent.1 / self.per_second)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_due_one_after_the_other() {
        let pace = ReadPace::new(10);
        let due: Vec<u64> = (0..5).map(|_| pace.book(5.0).unwrap().1.as_millis().try_into().unwrap()).collect();
        assert_eq!(due, [500, 1000, 1500, 2000, 2500]);
        assert_eq!(ReadPace::new(0).book(1.0).unwrap().1.as_secs(), 1, "no rate of zero");
    }
}
