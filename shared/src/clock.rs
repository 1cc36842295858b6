//! The only place that reads the clock. Everything below takes the time as an argument.

use jiff::Timestamp;

/// Now, in whole milliseconds. Every time is stored and sent as text, and nothing uses more digits.
#[must_use]
pub fn now() -> Timestamp {
    let now = Timestamp::now();
    Timestamp::from_millisecond(now.as_millisecond()).unwrap_or(now)
}
