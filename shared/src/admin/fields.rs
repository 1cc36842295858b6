//! What people write into fields, read: limits, times and days. What cannot be read is told by the field's name.

use jiff::Timestamp;
use jiff::civil::Date;

use crate::http::Problem;

/// The number of items asked for; 25 if nothing is said.
///
/// # Errors
/// If it is no whole number from 1 to 100.
pub fn limit(given: Option<&str>) -> Result<usize, Problem> {
    const USUAL: usize = 25;
    const MAX: usize = 100;
    let Some(given) = given else { return Ok(USUAL) };
    let number = given.parse().ok().filter(|number| (1..=MAX).contains(number));
    number.ok_or_else(|| Problem::field("limit", "limit_invalid", format!("A whole number from 1 to {MAX}.")))
}

/// A time, or a day, which means its beginning in UTC.
///
/// # Errors
/// If it is neither.
pub fn time(field: &str, given: &str) -> Result<Timestamp, Problem> {
    let day = || given.parse::<Date>().ok()?.to_zoned(jiff::tz::TimeZone::UTC).ok();
    let time = given.parse().ok().or_else(|| day().map(|zoned| zoned.timestamp()));
    time.ok_or_else(|| {
        Problem::field(field, "time_invalid", "A time such as 2026-01-31T08:00:00Z, or a day such as 2026-01-31.")
    })
}

/// A day.
///
/// # Errors
/// If it is none.
pub fn day(field: &str, given: &str) -> Result<Date, Problem> {
    given.parse().map_err(|_| Problem::field(field, "day_invalid", "A day such as 2026-01-31."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_and_times_are_bounded_and_readable() {
        for bad in ["0", "-1", "101", "1000000000", "1e2", ""] {
            assert!(limit(Some(bad)).is_err(), "{bad}");
        }
        assert_eq!((limit(None), limit(Some("100"))), (Ok(25), Ok(100)));
        assert_eq!(time("from", "2026-01-31").unwrap().to_string(), "2026-01-31T00:00:00Z");
        assert_eq!(time("from", "2026-01-31T01:00:00+01:00").unwrap().to_string(), "2026-01-31T00:00:00Z");
        for bad in ["", "yesterday", "2026-13-01", "99999999999999"] {
            assert_eq!(time("to", bad).unwrap_err().field.as_deref(), Some("to"), "{bad}");
        }
    }
}
