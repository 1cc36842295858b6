//! Days of a calendar.

use jiff::ToSpan;
use jiff::civil::Date;

/// The day `days` days earlier.
#[must_use]
pub fn back(day: Date, days: i32) -> Date {
    day.saturating_sub(days.days())
}

/// The days from one to another, both included.
#[must_use]
pub fn days(since: Date, until: Date) -> i32 {
    until.since(since).map_or(0, |span| span.get_days()).saturating_add(1)
}
