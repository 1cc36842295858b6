//! An account's days, and how much of each day its numbers cover.
//!
//! Days are those of the account's time zone. The numbers do not follow the clock but the account's *data time*: the
//! moment the account was created plus every later advance of the clock, rounded down to a quarter of an hour. Real
//! time changes no number, so two reads agree however long a test takes. Advancing the clock restates the numbers. An
//! account created with `live` follows the clock itself.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan};

use crate::clock::Clock;

/// Days since 1970-01-01 in the account's time zone.
pub(crate) type Day = i32;

/// How often numbers change: a quarter of an hour.
pub(crate) const QUARTER_MS: i64 = 15 * 60 * 1000;
/// Quarters of an hour in a day without a clock change.
pub(crate) const QUARTERS: i64 = 96;

const EPOCH: Date = Date::constant(1970, 1, 1);

#[derive(Debug, Clone)]
pub(crate) struct Calendar {
    pub(crate) zone: TimeZone,
    created_ms: i64,
    /// How far the clock had been advanced when the account was created.
    advanced_ms: i64,
    live: bool,
}

/// A day as seen at a certain data time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Sight {
    pub(crate) day: Day,
    /// Quarters of an hour of the day that have passed; equals `length` once the day is over.
    pub(crate) passed: i64,
    /// Quarters of an hour in the day: 96, except on days with a clock change.
    pub(crate) length: i64,
    /// Quarters of an hour since the day began.
    pub(crate) age: i64,
}

impl Calendar {
    pub(crate) fn new(zone: TimeZone, clock: &Clock, live: bool) -> Self {
        Self { zone, created_ms: clock.now_ms(), advanced_ms: clock.advanced_s() * 1000, live }
    }

    /// The data time: the moment that the numbers describe.
    pub(crate) fn data_ms(&self, clock: &Clock) -> i64 {
        let advanced = clock.advanced_s() * 1000 - self.advanced_ms;
        let at = if self.live { clock.now_ms() } else { self.created_ms + advanced };
        at.div_euclid(QUARTER_MS) * QUARTER_MS
    }

    /// The day a moment falls on.
    pub(crate) fn day_of(&self, epoch_ms: i64) -> Day {
        let at = Timestamp::from_millisecond(epoch_ms).unwrap_or(Timestamp::UNIX_EPOCH);
        day_number(at.to_zoned(self.zone.clone()).date())
    }

    /// The moment at which a day begins.
    pub(crate) fn start_ms(&self, day: Day) -> i64 {
        let start = date_of(day).to_zoned(self.zone.clone());
        start.map(|start| start.timestamp().as_millisecond()).unwrap_or_default()
    }

    /// The offset from UTC in hours at a moment; negative west of UTC.
    pub(crate) fn offset_hours(&self, epoch_ms: i64) -> f64 {
        let at = Timestamp::from_millisecond(epoch_ms).unwrap_or(Timestamp::UNIX_EPOCH);
        f64::from(self.zone.to_offset(at).seconds()) / 3600.0
    }

    /// The days from `first` to `last` that have begun at `data_ms`.
    pub(crate) fn sights(&self, first: Day, last: Day, data_ms: i64) -> Vec<Sight> {
        let last = last.min(self.day_of(data_ms));
        let mut sights = Vec::new();
        let mut start = self.start_ms(first);
        for day in first..=last {
            let end = self.start_ms(day + 1);
            let length = (end - start) / QUARTER_MS;
            let age = (data_ms - start).div_euclid(QUARTER_MS);
            if age > 0 {
                sights.push(Sight { day, passed: age.min(length), length, age });
            }
            start = end;
        }
        sights
    }
}

/// A day in Graph's format: `2026-01-05`.
pub(crate) fn day_text(day: Day) -> String {
    date_of(day).to_string()
}

pub(crate) fn parse_day(text: &str) -> Option<Day> {
    let plain = text.len() == 10 && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
    text.parse::<Date>().ok().filter(|_| plain).map(day_number)
}

pub(crate) fn day_number(date: Date) -> Day {
    let since: SignedDuration = date.duration_since(EPOCH);
    Day::try_from(since.as_hours() / 24).unwrap_or_default()
}

pub(crate) fn date_of(day: Day) -> Date {
    EPOCH.saturating_add(day.days())
}

#[cfg(test)]
mod tests {
    use jiff::tz::TimeZone;

    use super::{Calendar, QUARTER_MS, day_text, parse_day};
    use crate::clock::Clock;

    fn calendar(zone: &str) -> Calendar {
        Calendar::new(TimeZone::get(zone).unwrap(), &Clock::default(), false)
    }

    #[test]
    fn days_are_read_and_printed() {
        let day = parse_day("2026-03-29").unwrap();
        assert_eq!((day_text(day), day_text(day + 3)), ("2026-03-29".to_owned(), "2026-04-01".to_owned()));
        assert_eq!(parse_day("1970-01-02"), Some(1));
        for wrong in ["2026-02-30", "2026-3-1", "yesterday", "20260301", "2026-03-01T00:00"] {
            assert_eq!(parse_day(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_day_begins_where_the_account_is() {
        let day = parse_day("2026-01-05").unwrap();
        let hour = 3_600_000;
        let midnight = i64::from(day) * 24 * hour;
        assert_eq!(calendar("Pacific/Tongatapu").start_ms(day), midnight - 13 * hour);
        assert_eq!(calendar("America/Los_Angeles").start_ms(day), midnight + 8 * hour);
        assert_eq!(calendar("Pacific/Tongatapu").day_of(midnight + 11 * hour), day + 1);
        assert_eq!(calendar("Asia/Kolkata").offset_hours(midnight).to_string(), "5.5");
    }

    #[test]
    fn days_on_which_clocks_change_are_longer_or_shorter() {
        let berlin = calendar("Europe/Berlin");
        let day = parse_day("2026-03-29").unwrap();
        let noon = berlin.start_ms(day + 3) + 12 * 3_600_000;
        let sights = berlin.sights(day - 1, day + 9, noon);
        assert_eq!(sights.iter().map(|sight| sight.length).collect::<Vec<_>>(), [96, 92, 96, 96, 96]);
        let today = sights.last().unwrap();
        assert_eq!((today.day, today.passed, today.age), (day + 3, 48, 48));
        assert_eq!((sights[1].passed, sights[1].age), (92, 92 + 2 * 96 + 48));
    }

    #[test]
    fn data_time_moves_with_the_clocks_advances_only() {
        let mut clock = Clock::default();
        clock.advance_s(100_000);
        let calendar = Calendar::new(TimeZone::UTC, &clock, false);
        let before = calendar.data_ms(&clock);
        assert!(before % QUARTER_MS == 0 && before <= calendar.created_ms);
        clock.advance_s(3600);
        assert_eq!(calendar.data_ms(&clock), before + 4 * QUARTER_MS);
        let live = Calendar { created_ms: 0, ..Calendar::new(TimeZone::UTC, &clock, true) };
        assert!(clock.now_ms() - live.data_ms(&clock) < 2 * QUARTER_MS, "the clock itself");
    }
}
