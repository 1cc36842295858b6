//! The one place where time is read. Everything below takes it as an argument.

use jiff::Timestamp;

/// Now, in whole milliseconds: nobody reads more of it, and every time is stored and sent as text.
#[must_use]
pub fn now() -> Timestamp {
    let now = Timestamp::now();
    Timestamp::from_millisecond(now.as_millisecond()).unwrap_or(now)
}
