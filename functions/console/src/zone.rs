//! The reader's time zone, in which forms take times and lists take days. The script stores it in a cookie; without the
//! script it is UTC. Every page that uses it names it.

use std::convert::Infallible;

use axum::extract::FromRequestParts;
use axum_extra::extract::CookieJar;
use http::request::Parts;
use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use leadwire::http::{Problem, ProblemCode, fields};
use leadwire::{language, tr};
use maud::{Markup, html};

use crate::components::with_markup;

/// The name of the cookie, which the script knows too.
const COOKIE: &str = "leadwire-zone";

/// A time zone.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Zone(TimeZone);

impl Zone {
    /// The zone called `name`, or UTC if there is none.
    pub(crate) fn parse(name: &str) -> Self {
        Self(TimeZone::get(name).unwrap_or(TimeZone::UTC))
    }

    pub(crate) fn time_zone(&self) -> &TimeZone {
        &self.0
    }

    pub(crate) fn name(&self) -> &str {
        self.0.iana_name().unwrap_or("UTC")
    }

    pub(crate) fn local(&self, at: Timestamp) -> DateTime {
        self.0.to_datetime(at)
    }

    pub(crate) fn day(&self, at: Timestamp) -> Date {
        self.local(at).date()
    }

    /// The first instant of a day.
    pub(crate) fn start_of(&self, day: Date) -> Option<Timestamp> {
        Some(day.to_zoned(self.0.clone()).ok()?.timestamp())
    }

    /// Parses the day of a filter: its first instant.
    pub(crate) fn parse_day(&self, field: &str, text: &str) -> Result<Timestamp, Problem> {
        let out_of_range = || Problem::field(field, ProblemCode::DayInvalid, tr!("Enter a date such as 2026-01-31."));
        self.start_of(fields::day(field, text)?).ok_or_else(out_of_range)
    }

    /// Parses the last day of a filter: the first instant after it.
    pub(crate) fn parse_last_day(&self, field: &str, text: &str) -> Result<Timestamp, Problem> {
        let out_of_range = || Problem::field(field, ProblemCode::DayInvalid, tr!("Enter a date such as 2026-01-31."));
        let next = fields::day(field, text)?.tomorrow().map_err(|_| out_of_range())?;
        self.start_of(next).ok_or_else(out_of_range)
    }

    /// Parses what a `datetime-local` field submits.
    pub(crate) fn parse_time(&self, text: &str) -> Option<Timestamp> {
        self.at(text.parse().ok()?)
    }

    /// The instant of a local time.
    pub(crate) fn at(&self, local: DateTime) -> Option<Timestamp> {
        Some(local.to_zoned(self.0.clone()).ok()?.timestamp())
    }

    /// The value of a `datetime-local` field.
    pub(crate) fn field_value(&self, at: Timestamp) -> String {
        self.local(at).strftime("%Y-%m-%dT%H:%M").to_string()
    }

    /// A time in words, for sentences that the script does not touch.
    pub(crate) fn in_words(&self, at: Timestamp) -> String {
        format!("{} ({})", language::timestamp(self.local(at)), self.name())
    }

    /// Says which zone a page uses. The script loads the page again if the reader's is another one.
    pub(crate) fn note(&self) -> Markup {
        let zone = html! { b { (self.name()) } };
        html! {
            p.quiet data-zone=(self.name()) {
                (with_markup(&tr!("Days and times are in the time zone {zone}."), &[("zone", zone)]))
            }
        }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Zone {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let jar = CookieJar::from_headers(&parts.headers);
        Ok(Self::parse(jar.get(COOKIE).map_or("UTC", |cookie| cookie.value())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_that_of_the_readers_zone() {
        let berlin = Zone::parse("Europe/Berlin");
        let at = berlin.parse_time("2026-12-01T09:00").unwrap();
        assert_eq!(at.to_string(), "2026-12-01T08:00:00Z");
        assert_eq!(berlin.field_value(at), "2026-12-01T09:00");
        assert_eq!(berlin.in_words(at), "1 Dec 2026, 09:00 (Europe/Berlin)");
        assert_eq!(Zone::parse("UTC").parse_time("2026-07-01T09:00").unwrap().to_string(), "2026-07-01T09:00:00Z");
        // Spring: 02:30 does not exist on this day. Autumn: it exists twice, and the first is meant.
        assert_eq!(berlin.parse_time("2026-03-29T02:30").unwrap().to_string(), "2026-03-29T01:30:00Z");
        assert_eq!(berlin.parse_time("2026-10-25T02:30").unwrap().to_string(), "2026-10-25T00:30:00Z");
        for bad in ["", "soon", "2026-13-01T09:00", "2026-12-01T09:00Z"] {
            assert_eq!(berlin.parse_time(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_filter_by_days_includes_the_last_one() {
        let auckland = Zone::parse("Pacific/Auckland");
        let (from, to) = (auckland.parse_day("from", "2026-11-28"), auckland.parse_last_day("until", "2026-11-28"));
        assert_eq!(from.unwrap().to_string(), "2026-11-27T11:00:00Z");
        assert_eq!(to.unwrap().to_string(), "2026-11-28T11:00:00Z");
        assert_eq!(auckland.parse_day("from", "today").unwrap_err().field.as_deref(), Some("from"));
        assert_eq!(auckland.parse_last_day("until", "9999-12-31").unwrap_err().field.as_deref(), Some("until"));
    }

    #[test]
    fn what_is_no_zone_is_utc() {
        for unknown in ["", "Mars/Olympus", "../../etc/passwd", "<script>"] {
            assert_eq!(Zone::parse(unknown).name(), "UTC", "{unknown}");
        }
    }
}
