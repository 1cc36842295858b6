//! Reads times as files write them. Whether 10/09 is in September or in October is decided for a whole column.

use std::borrow::Cow;

use jiff::civil::{Date, DateTime, Time};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use crate::tr;

/// Which of two numbers before a year is the day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum DayOrder {
    DayFirst,
    MonthFirst,
}

/// What a column's values reveal about their order.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Evidence {
    day_first: bool,
    month_first: bool,
}

/// Why a text is not the time of a lead.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NoTime {
    Unreadable,
    Unclear,
    Year,
    Future,
}

impl NoTime {
    /// What is accepted instead.
    pub(super) fn message(self) -> Cow<'static, str> {
        match self {
            Self::Unreadable => tr!("A time such as 2026-01-31T08:00:00+01:00."),
            Self::Unclear => tr!(
                "It is unclear which number is the day, and the column's other lines do not show it. Write the year first, as in 2026-01-31."
            ),
            Self::Year => tr!("A year of four digits, from 2000 on."),
            Self::Future => tr!("This time is in the future. Check the year, and the order of day and month."),
        }
    }
}

impl Evidence {
    /// Adds the evidence of one value of the column.
    pub(super) fn add(&mut self, text: &str) {
        if let Some((Written::Numbers(first, second, _), _)) = split(text) {
            self.day_first |= first > 12 && second <= 12;
            self.month_first |= second > 12 && first <= 12;
        }
    }

    /// The order of the whole column: as one of its lines proves, or else as is usual in the country. `None` if lines
    /// contradict each other, or if there is no evidence and no usual order.
    pub(super) fn order(self, country: Option<&str>) -> Option<DayOrder> {
        /// Countries that write the month first. Canada uses both orders.
        const MONTH_FIRST: [&str; 10] = ["US", "PH", "PR", "GU", "AS", "VI", "MP", "FM", "MH", "PW"];
        match (self.day_first, self.month_first, country) {
            (true, true, _) | (false, false, None | Some("CA")) => None,
            (true, false, _) => Some(DayOrder::DayFirst),
            (false, true, _) => Some(DayOrder::MonthFirst),
            (false, false, Some(country)) if MONTH_FIRST.contains(&country) => Some(DayOrder::MonthFirst),
            (false, false, Some(_)) => Some(DayOrder::DayFirst),
        }
    }
}

/// Reads Meta's format, RFC 3339, and dates and times without a zone (UTC).
pub(super) fn parse(text: &str, order: Option<DayOrder>, now: Timestamp) -> Result<Timestamp, NoTime> {
    let with_zone = || Timestamp::strptime("%Y-%m-%dT%H:%M:%S%z", text).ok();
    let time = match text.parse::<Timestamp>().ok().or_else(with_zone) {
        Some(time) => time,
        None => civil(text, order)?.to_zoned(TimeZone::UTC).map_err(|_| NoTime::Unreadable)?.timestamp(),
    };
    if time.to_zoned(TimeZone::UTC).year() < 2000 {
        return Err(NoTime::Year);
    }
    // A time without a zone may come from a place where it is already tomorrow.
    if time > now + SignedDuration::from_hours(24) {
        return Err(NoTime::Future);
    }
    Ok(time)
}

/// A date as written.
enum Written {
    /// The year comes first, so the order is clear.
    Day(Date),
    /// Two numbers in the column's order, and the year.
    Numbers(i8, i8, i16),
    /// The year has two digits, or is absent.
    NoYear,
}

fn civil(text: &str, order: Option<DayOrder>) -> Result<DateTime, NoTime> {
    let (written, time) = split(text).ok_or(NoTime::Unreadable)?;
    let day = match written {
        Written::Day(day) => Some(day),
        Written::NoYear => return Err(NoTime::Year),
        Written::Numbers(first, second, year) => {
            let (month, day) = match order {
                Some(DayOrder::DayFirst) => (second, first),
                Some(DayOrder::MonthFirst) => (first, second),
                None if first == second || second > 12 => (first, second),
                None if first > 12 => (second, first),
                None => return Err(NoTime::Unclear),
            };
            Date::new(year, month, day).ok()
        }
    };
    Ok(day.ok_or(NoTime::Unreadable)?.to_datetime(time))
}

/// Splits a text that begins with numbers into date and time of day.
fn split(text: &str) -> Option<(Written, Time)> {
    let end = text.find([' ', 'T', ',']).unwrap_or(text.len());
    let (day, rest) = text.split_at(end);
    let mark = day.chars().find(|c| matches!(c, '/' | '-' | '.'))?;
    let parts: Vec<&str> = day.split(mark).collect();
    let [first, second, third] = parts.as_slice() else { return None };
    let small = |part: &str| part.parse::<i8>().ok().filter(|_| part.len() <= 2);
    let year = |part: &str| part.parse::<i16>().ok().filter(|_| part.len() == 4);
    let written = match (year(first), small(second)?, year(third)) {
        (Some(year), month, None) => Written::Day(Date::new(year, month, small(third)?).ok()?),
        // With dots, the day comes first everywhere.
        (None, month, Some(year)) if mark == '.' => Written::Day(Date::new(year, month, small(first)?).ok()?),
        (None, second, Some(year)) => Written::Numbers(small(first)?, second, year),
        (None, _, None) => {
            small(first)?;
            small(third)?;
            Written::NoYear
        }
        (Some(_), _, Some(_)) => return None,
    };
    Some((written, time_of_day(rest.trim_start_matches(['T', ',', ' ']))?))
}

fn time_of_day(text: &str) -> Option<Time> {
    if text.is_empty() {
        return Some(Time::midnight());
    }
    let text = text.replace(' ', "").to_uppercase();
    let formats = ["%H:%M:%S", "%H:%M", "%I:%M:%S%p", "%I:%M%p", "%H:%M:%S%.f"];
    formats.iter().find_map(|format| Time::strptime(format, &text).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(values: &[&str], country: Option<&str>) -> Vec<Result<String, NoTime>> {
        let now = "2026-11-27T12:00:00Z".parse().unwrap();
        let mut evidence = Evidence::default();
        values.iter().for_each(|value| evidence.add(value));
        let order = evidence.order(country);
        values.iter().map(|value| parse(value, order, now).map(|time| time.to_string())).collect()
    }

    fn check(text: &str, country: Option<&str>, expect: Result<&str, NoTime>) {
        assert_eq!(column(&[text], country), [expect.map(ToOwned::to_owned)], "{text}");
    }

    #[test]
    fn times_are_read_as_files_write_them() {
        for (text, expect) in [
            ("2026-06-10T14:03:22+0200", "2026-06-10T12:03:22Z"),
            ("2026-06-10T14:03:22-05:00", "2026-06-10T19:03:22Z"),
            ("2026-06-10T14:03:22", "2026-06-10T14:03:22Z"),
            ("2026-06-10 14:03:22", "2026-06-10T14:03:22Z"),
            ("2026-06-10 14:03", "2026-06-10T14:03:00Z"),
            ("2026/06/10", "2026-06-10T00:00:00Z"),
            ("2026-06-10", "2026-06-10T00:00:00Z"),
            ("10.06.2026 14:03", "2026-06-10T14:03:00Z"),
            ("13/6/2026, 2:03 pm", "2026-06-13T14:03:00Z"),
            ("06-13-2026 2:03:04AM", "2026-06-13T02:03:04Z"),
            ("06/06/2026", "2026-06-06T00:00:00Z"),
        ] {
            check(text, None, Ok(expect));
        }
        check("06/10/2026 2:03PM", Some("US"), Ok("2026-06-10T14:03:00Z"));
        check("10/06/2026 2:03PM", Some("GB"), Ok("2026-06-10T14:03:00Z"));
        for text in ["10. Juni", "46183.58", "31/31/2026", "2026-02-30", "yesterday", "10/06/2026 25:00", "1/2-2026"] {
            check(text, Some("US"), Err(NoTime::Unreadable));
        }
    }

    #[test]
    fn one_line_settles_the_order_of_day_and_month_for_all() {
        let september = ["10/09/2026 14:32", "13/09/2026 09:05", "11/09/2026 18:40"];
        for country in [None, Some("DE"), Some("US")] {
            let read = column(&september, country);
            let days: Vec<_> = read.iter().map(|time| time.as_ref().map(|time| &time[..10])).collect();
            assert_eq!(days, [Ok("2026-09-10"), Ok("2026-09-13"), Ok("2026-09-11")]);
        }
        let read = column(&["09/10/2026", "09/13/2026"], Some("DE"));
        assert_eq!(read[0].as_deref(), Ok("2026-09-10T00:00:00Z"));
    }

    #[test]
    fn what_nothing_settles_is_unclear() {
        check("10/09/2026", None, Err(NoTime::Unclear));
        check("10/09/2026", Some("CA"), Err(NoTime::Unclear));
        let contradictory = column(&["13/09/2026", "09/14/2026", "10/09/2026"], Some("US"));
        assert_eq!(contradictory[2], Err(NoTime::Unclear));
        assert!(contradictory[0].is_ok() && contradictory[1].is_ok());
    }

    #[test]
    fn a_year_has_four_digits_and_is_over_or_begun() {
        for text in ["10/09/26", "26-09-10", "0026-09-10", "10.09.26 14:00", "0026-09-10T10:00:00Z", "1970-01-01"] {
            check(text, Some("US"), Err(NoTime::Year));
        }
        for text in ["2036-09-10", "10/09/2036", "2036-09-10T10:00:00Z", "2026-11-29T00:00:00Z"] {
            check(text, Some("US"), Err(NoTime::Future));
        }
        check("2026-11-28 01:00", None, Ok("2026-11-28T01:00:00Z"));
    }
}
