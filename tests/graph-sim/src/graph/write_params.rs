//! The parameters of a write: their types, and Meta's messages for values of other types.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::fmt::strtime;
use jiff::tz::TimeZone;
use serde_json::{Map, Value, json};

use super::error::GraphError;
use super::request::{self, Request};
use crate::clock::graph_time;

/// The type of a parameter.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Kind {
    Text,
    /// A whole number that is not negative.
    Unsigned,
    Flag,
    /// Stored in Graph's format.
    Time,
    Object,
    List,
    OneOf(&'static [&'static str]),
    SomeOf(&'static [&'static str]),
}

/// Parameters by name. Absent ones are missing.
pub(crate) type Given = Map<String, Value>;

/// Parses the parameters that the table names. Meta ignores all others without a word. Times without an offset are in
/// `zone`.
///
/// # Errors
/// Returns 100 for the first value that does not have its parameter's type.
pub(crate) fn read(request: &Request, table: &[(&str, Kind)], zone: &TimeZone) -> Result<Given, GraphError> {
    let mut given = Given::new();
    for (name, kind) in table {
        let text = request.param(name).map(str::trim).filter(|text| !text.is_empty() && *text != "null");
        if let Some(text) = text {
            given.insert((*name).to_owned(), value(name, *kind, text, zone)?);
        }
    }
    Ok(given)
}

/// Requires parameters.
///
/// # Errors
/// Returns 100 for the first missing one.
pub(crate) fn require(given: &Given, names: &[&str]) -> Result<(), GraphError> {
    match names.iter().find(|name| !given.contains_key(**name)) {
        Some(name) => Err(GraphError::invalid(format!("(#100) The parameter {name} is required"))),
        None => Ok(()),
    }
}

fn value(name: &str, kind: Kind, text: &str, zone: &TimeZone) -> Result<Value, GraphError> {
    let wrong = |what: &str| GraphError::invalid(format!("(#100) Param {name} must be {what}"));
    match kind {
        Kind::Text => Ok(json!(text)),
        Kind::Unsigned => match text.parse::<i64>() {
            Ok(number) if number >= 0 => Ok(json!(number)),
            Ok(_) => Err(wrong("greater than or equal to 0")),
            Err(_) => Err(wrong("an integer")),
        },
        Kind::Flag => match text.to_lowercase().as_str() {
            "true" | "1" => Ok(json!(true)),
            "false" | "0" => Ok(json!(false)),
            _ => Err(wrong("a boolean")),
        },
        Kind::Time => time_ms(text, zone).map(|ms| json!(graph_time(ms))).ok_or_else(|| wrong("a valid date/time")),
        Kind::Object => request::json::<Map<String, Value>>(text).map(Value::Object).ok_or_else(|| wrong("an object")),
        Kind::List => request::json::<Vec<Value>>(text).map(Value::Array).ok_or_else(|| wrong("an array")),
        Kind::OneOf(names) if names.contains(&text) => Ok(json!(text)),
        Kind::OneOf(names) => Err(wrong(&format!("one of {{{}}}", names.join(", ")))),
        Kind::SomeOf(names) => {
            let list = request::json::<Vec<String>>(text).ok_or_else(|| wrong("an array"))?;
            match list.iter().position(|item| !names.contains(&item.as_str())) {
                Some(at) => Err(GraphError::invalid(format!(
                    "(#100) Param {name}[{at}] must be one of {{{}}}",
                    names.join(", ")
                ))),
                None => Ok(json!(list)),
            }
        }
    }
}

/// Parses seconds since the epoch, or a date with a time and perhaps an offset.
pub(crate) fn time_ms(text: &str, zone: &TimeZone) -> Option<i64> {
    if let Ok(seconds) = text.parse::<i64>() {
        return seconds.checked_mul(1000);
    }
    let offset = strtime::parse("%Y-%m-%dT%H:%M:%S%z", text).and_then(|time| time.to_timestamp());
    let at = offset.or_else(|_| text.parse::<Timestamp>()).or_else(|_| {
        let here: DateTime = text.parse()?;
        here.to_zoned(zone.clone()).map(|zoned| zoned.timestamp())
    });
    at.ok().map(Timestamp::as_millisecond)
}

#[cfg(test)]
mod tests {
    use jiff::tz::TimeZone;
    use serde_json::json;

    use super::{Kind, Request, read, time_ms};

    #[test]
    fn times_are_read_in_the_forms_that_clients_send() {
        let berlin = TimeZone::get("Europe/Berlin").unwrap();
        let expected = Some(1_796_108_400_000);
        for text in [
            "1796108400",
            "2026-12-01T08:00:00+0100",
            "2026-12-01T08:00:00+01:00",
            "2026-12-01T07:00:00Z",
            "2026-12-01T08:00:00",
            "2026-12-01 08:00:00",
        ] {
            assert_eq!(time_ms(text, &berlin), expected, "{text}");
        }
        assert_eq!(time_ms("tomorrow", &berlin), None);
    }

    #[test]
    fn a_value_of_another_type_is_named() {
        let table = &[
            ("bid_amount", Kind::Unsigned),
            ("flag", Kind::Flag),
            ("targeting", Kind::Object),
            ("kinds", Kind::SomeOf(&["A", "B"])),
        ];
        let message = |form: &str| {
            let mut request = Request::new("POST", "/1");
            request.add_form(form);
            read(&request, table, &TimeZone::UTC).map_err(|error| error.message)
        };
        assert_eq!(message("bid_amount=15.00").unwrap_err(), "(#100) Param bid_amount must be an integer");
        assert_eq!(message("targeting=[]").unwrap_err(), "(#100) Param targeting must be an object");
        assert_eq!(message("kinds=[\"A\",\"C\"]").unwrap_err(), "(#100) Param kinds[1] must be one of {A, B}");
        let given = message("bid_amount=15&flag=false&kinds=[]&other=1&targeting=").unwrap();
        assert_eq!(json!(given), json!({"bid_amount": 15, "flag": false, "kinds": []}));
    }
}
