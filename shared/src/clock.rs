//! The time of what is stored and told. The operations of a room read it once; what they decide with takes it as an
//! argument.

use jiff::Timestamp;

/// Now, in whole milliseconds. Every time is stored and sent as text, and nothing uses more digits.
#[must_use]
pub fn now() -> Timestamp {
    let now = Timestamp::now();
    Timestamp::from_millisecond(now.as_millisecond()).unwrap_or(now)
}
