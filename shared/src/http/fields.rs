//! Parses the parameters that the API and the console share: limits, times, days, ids. Errors name the field.

use jiff::Timestamp;
use jiff::civil::Date;

use crate::http::{Problem, ProblemCode};
use crate::ids::InvalidId;
use crate::model::lead::Status;
use crate::tr;

/// Default number of items in a list.
pub const DEFAULT_LIMIT: usize = 25;
/// Maximum number of items in a list.
pub const MAX_LIMIT: usize = 100;

/// Parses a number of items, at most `max`; `default` if absent.
pub fn limit(text: Option<&str>, default: usize, max: usize) -> Result<usize, Problem> {
    let Some(text) = text else { return Ok(default) };
    let number = text.parse().ok().filter(|number| (1..=max).contains(number));
    number.ok_or_else(|| {
        Problem::field("limit", ProblemCode::LimitInvalid, tr!("A whole number from 1 to {max}.", max = max))
    })
}

/// Parses a time, or a day, which means its beginning in UTC.
pub fn time(field: &str, text: &str) -> Result<Timestamp, Problem> {
    let day = || text.parse::<Date>().ok()?.to_zoned(jiff::tz::TimeZone::UTC).ok();
    let time = text.parse().ok().or_else(|| day().map(|zoned| zoned.timestamp()));
    time.ok_or_else(|| {
        let detail = tr!("A time such as 2026-01-31T08:00:00Z, or a day such as 2026-01-31.");
        Problem::field(field, ProblemCode::TimeInvalid, detail)
    })
}

/// Parses a day.
pub fn day(field: &str, text: &str) -> Result<Date, Problem> {
    text.parse().map_err(|_| Problem::field(field, ProblemCode::DayInvalid, tr!("Enter a date such as 2026-01-31.")))
}

/// Takes one of `known`.
pub fn one_of<'t>(field: &str, text: &'t str, known: &[&str]) -> Result<&'t str, Problem> {
    let unknown = || {
        let detail = tr!("One of these: {values}.", values = known.join(", "));
        Problem::field(field, ProblemCode::ParameterInvalid, detail)
    };
    known.contains(&text).then_some(text).ok_or_else(unknown)
}

/// Parses a lead's status.
pub fn status(text: &str) -> Result<Status, Problem> {
    let detail = || tr!("One of new, contacted, qualified, converted, lost.");
    text.parse().map_err(|_| Problem::field("status", ProblemCode::StatusUnknown, detail()))
}

/// Parses an id in a field.
pub fn id<T>(field: &str, text: &str, parse: impl Fn(&str) -> Result<T, InvalidId>) -> Result<T, Problem> {
    parse(text).map_err(|error| Problem::field(field, ProblemCode::IdInvalid, format!("{error}.")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_times_and_statuses_are_validated() {
        for bad in ["0", "-1", "101", "1000000000", "1e2", ""] {
            assert!(limit(Some(bad), DEFAULT_LIMIT, MAX_LIMIT).is_err(), "{bad}");
        }
        assert_eq!(limit(None, DEFAULT_LIMIT, MAX_LIMIT), Ok(25));
        assert_eq!(limit(Some("100"), DEFAULT_LIMIT, MAX_LIMIT), Ok(100));
        assert_eq!(time("from", "2026-01-31").unwrap().to_string(), "2026-01-31T00:00:00Z");
        assert_eq!(time("from", "2026-01-31T01:00:00+01:00").unwrap().to_string(), "2026-01-31T00:00:00Z");
        for bad in ["", "yesterday", "2026-13-01", "99999999999999"] {
            assert_eq!(time("to", bad).unwrap_err().field.as_deref(), Some("to"), "{bad}");
        }
        for known in ["new", "contacted", "qualified", "converted", "lost"] {
            assert_eq!(status(known).unwrap().to_string(), known);
        }
        assert_eq!(status("New").unwrap_err().field.as_deref(), Some("status"));
    }
}
