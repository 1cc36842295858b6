//! Numbers, dates and times as the current locale writes them, by Unicode's CLDR data.

use std::cell::RefCell;
use std::rc::Rc;

use icu_calendar::Gregorian;
use icu_datetime::fieldsets::{E, MD, MDE, MDT, T, YM, YMD, YMDE, YMDT};
use icu_datetime::input::{Date as IcuDate, DateTime as IcuDateTime, Time as IcuTime};
use icu_datetime::options::TimePrecision::Minute;
use icu_datetime::{DateTimeFormatterPreferences, FixedCalendarDateTimeFormatter, NoCalendarFormatter};
use icu_decimal::DecimalFormatter;
use icu_decimal::input::Decimal;
use jiff::civil::{Date, DateTime, Time};

use super::{Locale, current};

type Formatter<Fields> = FixedCalendarDateTimeFormatter<Gregorian, Fields>;

/// All formats of a locale.
struct Formats {
    locale: Locale,
    decimal: DecimalFormatter,
    date: Formatter<YMD>,
    month: Formatter<YM>,
    day_and_month: Formatter<MD>,
    weekday_and_date: Formatter<YMDE>,
    weekday_and_day: Formatter<MDE>,
    weekday: Formatter<E>,
    time_of_day: NoCalendarFormatter<T>,
    timestamp: Formatter<YMDT>,
    timestamp_brief: Formatter<MDT>,
}

thread_local! {
    /// The formats that were used last: those of the current reader.
    static LAST: RefCell<Option<Rc<Formats>>> = const { RefCell::new(None) };
}

impl Formats {
    #[expect(
        clippy::expect_used,
        reason = "the data is compiled in, and what a locale lacks is taken from a more general one"
    )]
    fn new(locale: Locale) -> Self {
        macro_rules! formatter {
            ($kind:ident, $fields:expr) => {
                $kind::try_new(DateTimeFormatterPreferences::from(&locale.id), $fields).expect("compiled data")
            };
        }
        Self {
            decimal: DecimalFormatter::try_new((&locale.id).into(), Default::default()).expect("compiled data"),
            date: formatter!(FixedCalendarDateTimeFormatter, YMD::medium()),
            month: formatter!(FixedCalendarDateTimeFormatter, YM::long()),
            day_and_month: formatter!(FixedCalendarDateTimeFormatter, MD::medium()),
            weekday_and_date: formatter!(FixedCalendarDateTimeFormatter, YMDE::long()),
            weekday_and_day: formatter!(FixedCalendarDateTimeFormatter, MDE::medium()),
            weekday: formatter!(FixedCalendarDateTimeFormatter, E::medium()),
            time_of_day: formatter!(NoCalendarFormatter, T::medium().with_time_precision(Minute)),
            timestamp: formatter!(FixedCalendarDateTimeFormatter, YMDT::medium().with_time_precision(Minute)),
            timestamp_brief: formatter!(FixedCalendarDateTimeFormatter, MDT::medium().with_time_precision(Minute)),
            locale,
        }
    }

    fn current() -> Rc<Self> {
        let locale = current();
        LAST.with_borrow_mut(|last| match last {
            Some(formats) if formats.locale == locale => Rc::clone(formats),
            _ => Rc::clone(last.insert(Rc::new(Self::new(locale)))),
        })
    }
}

#[expect(clippy::expect_used, reason = "jiff's dates are valid, and within ICU's years")]
fn icu_date(date: Date) -> IcuDate<Gregorian> {
    let part = |number: i8| number.unsigned_abs();
    IcuDate::try_new_gregorian(date.year().into(), part(date.month()), part(date.day())).expect("a date")
}

#[expect(clippy::expect_used, reason = "jiff's times are valid")]
fn icu_time(time: Time) -> IcuTime {
    let part = |number: i8| number.unsigned_abs();
    IcuTime::try_new(part(time.hour()), part(time.minute()), part(time.second()), 0).expect("a time")
}

fn icu_datetime(at: DateTime) -> IcuDateTime<Gregorian> {
    IcuDateTime { date: icu_date(at.date()), time: icu_time(at.time()) }
}

/// A whole number: `1,234`.
pub fn number(number: u64) -> String {
    Formats::current().decimal.format(&Decimal::from(number)).to_string()
}

/// A decimal number as it is written in JSON, with all of its decimal places: `1,234.50`. What is no number stays as it is.
pub fn decimal(number: &str) -> String {
    match number.parse::<Decimal>() {
        Ok(parsed) => Formats::current().decimal.format(&parsed).to_string(),
        Err(_) => number.to_owned(),
    }
}

/// A day: `28 Nov 2026`.
pub fn date(day: Date) -> String {
    Formats::current().date.format(&icu_date(day)).to_string()
}

/// A month: `November 2026`.
pub fn month(day: Date) -> String {
    Formats::current().month.format(&icu_date(day)).to_string()
}

/// A day of the current year: `28 Nov`.
pub fn day_and_month(day: Date) -> String {
    Formats::current().day_and_month.format(&icu_date(day)).to_string()
}

/// A day in full: `Saturday, 28 November 2026`.
pub fn weekday_and_date(day: Date) -> String {
    Formats::current().weekday_and_date.format(&icu_date(day)).to_string()
}

/// A day of a near week: `Sat 28 Nov`.
pub fn weekday_and_day(day: Date) -> String {
    Formats::current().weekday_and_day.format(&icu_date(day)).to_string()
}

/// A day of the week: `Sat`.
pub fn weekday(day: Date) -> String {
    Formats::current().weekday.format(&icu_date(day)).to_string()
}

/// A time of day: `14:05`.
pub fn time_of_day(time: Time) -> String {
    Formats::current().time_of_day.format(&icu_time(time)).to_string()
}

/// A day and time: `28 Nov 2026, 14:05`.
pub fn timestamp(at: DateTime) -> String {
    Formats::current().timestamp.format(&icu_datetime(at)).to_string()
}

/// A day of the current year and a time: `28 Nov, 14:05`.
pub fn timestamp_brief(at: DateTime) -> String {
    Formats::current().timestamp_brief.format(&icu_datetime(at)).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::language::speak_now;

    fn all(accept_language: &str) -> Vec<String> {
        let at: DateTime = "2026-11-28T14:05:59".parse().unwrap();
        speak_now(Locale::negotiate(None, accept_language), || {
            let text = [
                number(1_234_567),
                decimal("-1234.50"),
                timestamp(at),
                timestamp_brief(at),
                month(at.date()),
                weekday_and_date(at.date()),
                weekday_and_day(at.date()),
                weekday(at.date()),
                format!("{} | {} | {}", date(at.date()), day_and_month(at.date()), time_of_day(at.time())),
            ];
            // CLDR has narrow spaces before `PM`.
            text.map(|text| text.replace(['\u{202f}', '\u{a0}'], " ")).to_vec()
        })
    }

    #[test]
    fn each_region_writes_them_its_own_way() {
        let british = [
            "1,234,567",
            "-1,234.50",
            "28 Nov 2026, 14:05",
            "28 Nov, 14:05",
            "November 2026",
            "Saturday, 28 November 2026",
            "Sat 28 Nov",
            "Sat",
            "28 Nov 2026 | 28 Nov | 14:05",
        ];
        assert_eq!(all("en-GB"), british);
        let german = [
            "1.234.567",
            "-1.234,50",
            "28.11.2026, 14:05",
            "28. Nov., 14:05",
            "November 2026",
            "Samstag, 28. November 2026",
            "Sa., 28. Nov.",
            "Sa",
            "28.11.2026 | 28. Nov. | 14:05",
        ];
        assert_eq!(all("de-DE"), german);
        assert_eq!(all("en-US")[2], "Nov 28, 2026, 2:05 PM");
        assert_eq!(all("de-CH")[0], "1'234'567");
    }

    #[test]
    fn what_is_no_number_stays() {
        assert_eq!([decimal("0"), decimal("n/a"), decimal("1e3")], ["0", "n/a", "1,000"]);
    }

    #[test]
    fn every_day_of_jiff_can_be_written() {
        for day in [Date::MIN, Date::MAX, "2024-02-29".parse().unwrap()] {
            assert!(!date(day).is_empty());
        }
    }
}
