//! The days of a query: `time_range`, `time_ranges` or `date_preset`, divided by `time_increment`.

use jiff::civil::{Date, Weekday};
use jiff::{Span, ToSpan};
use serde_json::Value;

use crate::graph::error::GraphError;
use crate::graph::request;
use crate::world::ads::calendar::{Day, date_of, day_number, parse_day};

/// How many months back totals are available.
const KEPT_MONTHS: i32 = 37;

/// The days of one row, both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Period {
    pub(crate) since: Day,
    pub(crate) until: Day,
}

/// Parses the parameters. `today` is the current day in the account's zone, `first` the first day with delivery.
///
/// # Errors
/// Returns 100 for an invalid range, 3018 for a start more than 37 months ago.
pub(super) fn read<'a>(
    param: impl Fn(&str) -> Option<&'a str>,
    today: Day,
    first: Day,
) -> Result<Vec<Period>, GraphError> {
    let increment = Increment::read(param("time_increment"))?;
    let ranges = match (param("time_ranges"), param("time_range"), param("date_preset")) {
        (Some(text), _, _) => {
            let list = json(text, "time_ranges")?;
            let list = list.as_array().ok_or_else(|| invalid("time_ranges must be an array"))?;
            list.iter().map(range).collect::<Result<Vec<_>, _>>()?
        }
        (None, Some(text), _) => vec![range(&json(text, "time_range")?)?],
        (None, None, Some(name)) => vec![preset(name, today, first)?],
        (None, None, None) => vec![preset("last_30d", today, first)?],
    };
    let oldest = day_number(date_of(today).saturating_sub(KEPT_MONTHS.months()));
    if ranges.iter().any(|range| range.since < oldest) {
        let message = "(#3018) The start date of the time range cannot be beyond 37 months from the current date";
        return Err(GraphError::new(400, 3018, message));
    }
    Ok(ranges.into_iter().flat_map(|range| increment.cut(range)).collect())
}

fn invalid(what: &str) -> GraphError {
    GraphError::invalid(format!("(#100) Param {what}"))
}

fn json(text: &str, name: &str) -> Result<Value, GraphError> {
    request::json(text).ok_or_else(|| invalid(&format!("{name} must be an array")))
}

/// Parses `{"since": "2026-01-01", "until": "2026-01-07"}`.
fn range(value: &Value) -> Result<Period, GraphError> {
    let day = |name: &str| {
        let text = value.get(name).and_then(Value::as_str);
        let text = text.ok_or_else(|| invalid(&format!("time_range[{name}] is required")))?;
        parse_day(text)
            .ok_or_else(|| invalid(&format!("time_range[{name}] must be a date in the format of YYYY-MM-DD")))
    };
    let period = Period { since: day("since")?, until: day("until")? };
    if period.since > period.until {
        let message = "(#100) The start date of the time range must be earlier than or equal to its end date: since must be \
                       on or before until";
        return Err(GraphError::invalid(message));
    }
    Ok(period)
}

/// How a range is divided into rows.
enum Increment {
    All,
    Months,
    Days(Day),
}

impl Increment {
    fn read(text: Option<&str>) -> Result<Self, GraphError> {
        match text {
            None | Some("all_days" | "\"all_days\"") => Ok(Self::All),
            Some("monthly" | "\"monthly\"") => Ok(Self::Months),
            Some(text) => match text.parse() {
                Ok(days) if (1..=90).contains(&days) => Ok(Self::Days(days)),
                _ => Err(invalid("time_increment must be an integer between 1 and 90, monthly or all_days")),
            },
        }
    }

    fn cut(&self, range: Period) -> Vec<Period> {
        let mut periods = Vec::new();
        let mut since = range.since;
        while since <= range.until {
            let until = match self {
                Self::All => range.until,
                Self::Months => day_number(date_of(since).last_of_month()),
                Self::Days(days) => since + days - 1,
            };
            let until = until.min(range.until);
            periods.push(Period { since, until });
            since = until + 1;
        }
        periods
    }
}

/// Returns the days of a `date_preset`. Presets named `last_…d` end yesterday.
fn preset(name: &str, today: Day, first: Day) -> Result<Period, GraphError> {
    let date = date_of(today);
    let back = |days: Day| Period { since: today - days, until: today - 1 };
    let dates = |since: Date, until: Date| Period { since: day_number(since), until: day_number(until) };
    let week = |start: Weekday| {
        let days = match start {
            Weekday::Monday => date.weekday().to_monday_zero_offset(),
            _ => date.weekday().to_sunday_zero_offset(),
        };
        today - Day::from(days)
    };
    let month = date.first_of_month();
    let quarter = month.saturating_sub(Span::new().months((date.month() - 1) % 3));
    let year = date.first_of_year();
    let day_before = |date: Date| date.saturating_sub(1.day());
    Ok(match name {
        "today" => Period { since: today, until: today },
        "yesterday" => back(1),
        "last_3d" => back(3),
        "last_7d" => back(7),
        "last_14d" => back(14),
        "last_28d" => back(28),
        "last_30d" => back(30),
        "last_90d" => back(90),
        "this_month" => dates(month, date),
        "last_month" => dates(month.saturating_sub(1.month()), day_before(month)),
        "this_quarter" => dates(quarter, date),
        "last_quarter" => dates(quarter.saturating_sub(3.months()), day_before(quarter)),
        "this_year" => dates(year, date),
        "last_year" => dates(year.saturating_sub(1.year()), day_before(year)),
        "this_week_mon_today" => Period { since: week(Weekday::Monday), until: today },
        "this_week_sun_today" => Period { since: week(Weekday::Sunday), until: today },
        "last_week_mon_sun" => Period { since: week(Weekday::Monday) - 7, until: week(Weekday::Monday) - 1 },
        "last_week_sun_sat" => Period { since: week(Weekday::Sunday) - 7, until: week(Weekday::Sunday) - 1 },
        "maximum" | "data_maximum" => {
            let oldest = day_number(date.saturating_sub(KEPT_MONTHS.months()));
            Period { since: first.max(oldest), until: today }
        }
        _ => {
            return Err(invalid(
                "date_preset must be one of the following values: data_maximum, last_14d, last_28d, last_30d, last_3d, \
                 last_7d, last_90d, last_month, last_quarter, last_week_mon_sun, last_week_sun_sat, last_year, maximum, \
                 this_month, this_quarter, this_week_mon_today, this_week_sun_today, this_year, today, yesterday",
            ));
        }
    })
}

#[cfg(test)]
mod tests {
    use super::{Period, preset, read};
    use crate::world::ads::calendar::{day_text, parse_day};

    fn texts(periods: &[Period]) -> Vec<String> {
        periods.iter().map(|it| format!("{} {}", day_text(it.since), day_text(it.until))).collect()
    }

    fn asked(pairs: &[(&str, &'static str)]) -> Result<Vec<String>, i64> {
        let today = parse_day("2026-05-14").unwrap();
        let param = |name: &str| pairs.iter().find(|(known, _)| *known == name).map(|(_, value)| *value);
        read(param, today, today - 400).map(|periods| texts(&periods)).map_err(|error| error.code)
    }

    #[test]
    fn presets_are_what_their_names_say() {
        // A Thursday.
        let today = parse_day("2026-05-14").unwrap();
        for (name, expected) in [
            ("today", "2026-05-14 2026-05-14"),
            ("yesterday", "2026-05-13 2026-05-13"),
            ("last_7d", "2026-05-07 2026-05-13"),
            ("this_month", "2026-05-01 2026-05-14"),
            ("last_month", "2026-04-01 2026-04-30"),
            ("this_quarter", "2026-04-01 2026-05-14"),
            ("last_quarter", "2026-01-01 2026-03-31"),
            ("this_year", "2026-01-01 2026-05-14"),
            ("last_year", "2025-01-01 2025-12-31"),
            ("this_week_mon_today", "2026-05-11 2026-05-14"),
            ("this_week_sun_today", "2026-05-10 2026-05-14"),
            ("last_week_mon_sun", "2026-05-04 2026-05-10"),
            ("last_week_sun_sat", "2026-05-03 2026-05-09"),
            ("maximum", "2026-05-04 2026-05-14"),
        ] {
            assert_eq!(texts(&[preset(name, today, today - 10).unwrap()]), [expected], "{name}");
        }
        assert_eq!(preset("last_5d", today, today).unwrap_err().code, 100);
    }

    #[test]
    fn ranges_are_cut_by_days_and_months() {
        let range = ("time_range", r#"{"since":"2026-01-30","until":"2026-03-02"}"#);
        assert_eq!(asked(&[range]).unwrap(), ["2026-01-30 2026-03-02"]);
        assert_eq!(
            asked(&[range, ("time_increment", "monthly")]).unwrap(),
            ["2026-01-30 2026-01-31", "2026-02-01 2026-02-28", "2026-03-01 2026-03-02"]
        );
        let weeks = asked(&[range, ("time_increment", "7")]).unwrap();
        assert_eq!((weeks.len(), weeks[4].as_str()), (5, "2026-02-27 2026-03-02"));
        assert_eq!(asked(&[("time_range", "{'since':'2026-01-01','until':'2026-01-01'}")]).unwrap().len(), 1);
        assert_eq!(asked(&[]).unwrap(), ["2026-04-14 2026-05-13"]);
    }

    #[test]
    fn ranges_that_cannot_be_are_refused() {
        assert_eq!(asked(&[("time_range", r#"{"since":"2026-02-02","until":"2026-02-01"}"#)]), Err(100));
        assert_eq!(asked(&[("time_range", r#"{"since":"2026-02-02"}"#)]), Err(100));
        assert_eq!(asked(&[("time_range", r#"{"since":"2023-04-13","until":"2026-02-01"}"#)]), Err(3018));
        assert!(asked(&[("time_range", r#"{"since":"2023-04-14","until":"2026-02-01"}"#)]).is_ok());
        assert_eq!(asked(&[("time_increment", "91")]), Err(100));
    }
}
