//! The simulated clock: real time plus the offset set through the control interface.
//!
//! Everything that expires, retries or carries a timestamp reads this clock, so a test can make sixty days pass in one
//! call. The clock never runs backwards, except that resetting the world returns it to real time.

use jiff::Timestamp;
use jiff::tz::{Offset, TimeZone};

/// Real time plus an offset.
#[derive(Debug, Default)]
pub(crate) struct Clock {
    advanced_ms: i64,
}

impl Clock {
    /// Milliseconds since the epoch.
    pub(crate) fn now_ms(&self) -> i64 {
        Timestamp::now().as_millisecond().saturating_add(self.advanced_ms)
    }

    /// Seconds since the epoch.
    pub(crate) fn now_s(&self) -> i64 {
        self.now_ms().div_euclid(1000)
    }

    pub(crate) fn advance_s(&mut self, seconds: i64) {
        self.advanced_ms = self.advanced_ms.saturating_add(seconds.saturating_mul(1000));
    }

    pub(crate) fn advanced_s(&self) -> i64 {
        self.advanced_ms / 1000
    }
}

/// Formats a time as most Graph nodes do: `2015-02-28T08:49:14+0000`, with no colon in the offset.
pub(crate) fn graph_time(epoch_ms: i64) -> String {
    Timestamp::from_millisecond(epoch_ms)
        .unwrap_or(Timestamp::UNIX_EPOCH)
        .strftime("%Y-%m-%dT%H:%M:%S+0000")
        .to_string()
}

/// Formats a time as Meta's lead downloads do, in the ad account's zone: `2026-06-10T14:03:22-05:00`. Every account
/// here is five hours behind UTC.
pub(crate) fn export_time(epoch_ms: i64) -> String {
    Timestamp::from_millisecond(epoch_ms)
        .unwrap_or(Timestamp::UNIX_EPOCH)
        .to_zoned(TimeZone::fixed(Offset::constant(-5)))
        .strftime("%Y-%m-%dT%H:%M:%S%:z")
        .to_string()
}

#[cfg(test)]
mod tests {
    #[test]
    fn export_times_are_local_with_a_colon_in_the_offset() {
        assert_eq!(super::export_time(1_781_118_202_000), "2026-06-10T14:03:22-05:00");
    }

    #[test]
    fn graph_times_have_no_colon_in_the_offset() {
        assert_eq!(super::graph_time(1_425_113_354_000), "2015-02-28T08:49:14+0000");
    }
}
