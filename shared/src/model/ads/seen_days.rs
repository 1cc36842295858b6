//! What an account's own days say about its ads' days. The account's days cost one call, its ads' days many, and
//! whatever an ad delivers is in the account's day as well. Ads' days are therefore read only where the account's day
//! is not as it was.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

/// An account's newest days, as they were just before its ads' days were last read.
///
/// It is part of the account's item, not of the days' own items: those are stored before the ads are read, and a worker
/// can die in between.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct SeenDays {
    /// Each day's [`Metrics::mark`](super::metrics::Metrics::mark).
    marks: BTreeMap<Date, u64>,
    /// The days with these marks whose ads have been read only once. Meta does not promise that an account and its ads
    /// change at the same instant, so they are read a second time.
    once: BTreeSet<Date>,
}

impl SeenDays {
    /// The first day, from `since` on, whose ads must be read: because the account's day is new, has changed or has
    /// disappeared, or because its ads have been read only once since. `None` if there is no such day.
    #[must_use]
    pub fn changed_since(&self, since: Date, marks: &BTreeMap<Date, u64>) -> Option<Date> {
        let days = self.marks.keys().chain(marks.keys()).filter(|day| **day >= since);
        days.filter(|day| self.marks.get(day) != marks.get(day) || self.once.contains(day)).min().copied()
    }

    /// The days after the ads of all changed ones have been read. `marks` are those from before that.
    #[must_use]
    pub fn next(&self, marks: BTreeMap<Date, u64>) -> Self {
        let once = marks.iter().filter(|(day, mark)| self.marks.get(day) != Some(mark)).map(|(day, _)| *day).collect();
        Self { marks, once }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(number: i8) -> Date {
        Date::constant(2026, 1, number)
    }

    fn marks(marks: &[(i8, u64)]) -> BTreeMap<Date, u64> {
        marks.iter().map(|(number, mark)| (day(*number), *mark)).collect()
    }

    #[test]
    fn ads_are_read_from_the_first_changed_day_on_and_once_more() {
        let days = marks(&[(1, 11), (2, 22), (3, 33)]);
        let once = SeenDays::default().next(days.clone());
        assert_eq!(SeenDays::default().changed_since(day(1), &days), Some(day(1)));
        assert_eq!(once.changed_since(day(1), &days), Some(day(1)), "Meta may have changed the ads a little later");
        let twice = once.next(days.clone());
        assert_eq!(twice.changed_since(day(1), &days), None);
        let changed = marks(&[(1, 11), (2, 22), (3, 34), (4, 1)]);
        assert_eq!(twice.changed_since(day(1), &changed), Some(day(3)));
        assert_eq!(twice.next(changed.clone()).changed_since(day(1), &changed), Some(day(3)));
        assert_eq!(twice.next(changed.clone()).next(changed.clone()).changed_since(day(1), &changed), None);
    }

    #[test]
    fn a_day_that_disappears_has_changed_and_one_that_is_too_old_counts_no_more() {
        let days = marks(&[(1, 11), (2, 22)]);
        let seen = SeenDays::default().next(days.clone()).next(days);
        assert_eq!(seen.changed_since(day(1), &marks(&[(2, 22)])), Some(day(1)));
        assert_eq!(seen.changed_since(day(2), &marks(&[(2, 22)])), None);
        assert_eq!(SeenDays::default().changed_since(day(1), &BTreeMap::new()), None, "nothing was ever delivered");
    }
}
