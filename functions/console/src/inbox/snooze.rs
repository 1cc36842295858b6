//! Until when a conversation can be snoozed.

use std::borrow::Cow;

use jiff::Timestamp;
use jiff::civil::{Date, Weekday};
use leadwire::tr;

use crate::zone::Zone;

/// The times that are offered, each with the value of its button and its words. "Later today" is not offered when the
/// evening is near.
pub(super) fn choices(zone: &Zone, now: Timestamp) -> Vec<(&'static str, Cow<'static, str>, Timestamp)> {
    let here = zone.local(now);
    let tomorrow = here.date().tomorrow().ok();
    let monday = here.date().nth_weekday(1, Weekday::Monday).ok();
    let at = |day: Option<Date>, hour: i8| zone.at(day?.at(hour, 0, 0, 0));
    [
        ("evening", tr!("This evening"), at(Some(here.date()), 18).filter(|_| here.hour() < 17)),
        ("tomorrow", tr!("Tomorrow"), at(tomorrow, 9)),
        ("week", tr!("Next week"), at(monday, 9)),
    ]
    .into_iter()
    .filter_map(|(value, words, at)| Some((value, words, at?)))
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_those_of_the_readers_day() {
        let zone = Zone::parse("America/New_York");
        let at = |now: &str| {
            let choices = choices(&zone, now.parse().unwrap());
            choices.into_iter().map(|(value, _, at)| format!("{value} {at}")).collect::<Vec<_>>()
        };
        // Saturday, 10:30 in New York.
        assert_eq!(
            at("2026-11-28T15:30:00Z"),
            ["evening 2026-11-28T23:00:00Z", "tomorrow 2026-11-29T14:00:00Z", "week 2026-11-30T14:00:00Z"]
        );
        // Monday, 17:00: the evening is near, and next week is the Monday after.
        assert_eq!(at("2026-11-30T22:00:00Z"), ["tomorrow 2026-12-01T14:00:00Z", "week 2026-12-07T14:00:00Z"]);
    }
}
