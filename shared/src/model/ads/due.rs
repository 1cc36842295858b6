//! When an account's syncs are due, and how far back they go.

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp, ToSpan};
use sha2::{Digest, Sha256};

use crate::model::ads::account::{AdAccount, FULL_IMPORT_DAYS, HISTORY_MONTHS, LONG_LOOK_BACK_DAYS, LOOK_BACK_DAYS};
use crate::model::days::back;

impl AdAccount {
    /// The first day that the next regular sync covers: earlier once a day, and the whole import until it is complete.
    #[must_use]
    pub fn due_since(&self, now: Timestamp) -> Date {
        let today = self.today(now);
        // The day whose long sync has fallen due: until the account's own time of day, that of the day before.
        let long_day = self.today(now - self.long_sync_time());
        let since = match (self.imported_since, self.last_long_day) {
            (None, _) => back(today, FULL_IMPORT_DAYS),
            (Some(_), Some(last)) if last >= long_day => back(today, LOOK_BACK_DAYS),
            // No limit on how long ago that was: whatever Meta could restate then, it may have restated since.
            (Some(_), Some(last)) => back(last.min(today), LONG_LOOK_BACK_DAYS),
            (Some(_), None) => back(today, LONG_LOOK_BACK_DAYS),
        };
        since.max(self.earliest_day(now))
    }

    /// The time after midnight at which the account's long sync falls due. Each link has its own, or all accounts of a
    /// time zone would be read at once. The last two hours of a day stay free, so that it is not late for its day.
    fn long_sync_time(&self) -> SignedDuration {
        const MINUTES: u32 = 22 * 60;
        let digest = Sha256::digest(self.id.as_str());
        let number = digest.iter().take(4).fold(0, |number: u32, byte| number << 8 | u32::from(*byte));
        SignedDuration::from_mins(i64::from(number % MINUTES))
    }

    /// Whether the rows of ads on the day in progress are to be written again. That day changes all the time, and reports
    /// read the campaign days, so its rows are written once an hour; and when it is over.
    #[must_use]
    pub fn are_ad_rows_due(&self, now: Timestamp) -> bool {
        const INTERVAL: SignedDuration = SignedDuration::from_mins(55);
        let as_of = self.ad_rows_as_of.or(self.last_sync_at);
        as_of.is_none_or(|at| now.duration_since(at) >= INTERVAL || self.today(at) < self.today(now))
    }

    /// Whether the sync in progress has no worker and will get none, because its message was lost.
    #[must_use]
    pub fn is_abandoned(&self, now: Timestamp) -> bool {
        const LOST_MESSAGE_TIMEOUT: SignedDuration = SignedDuration::from_mins(40);
        // While Meta's rate limit applies, the message is delayed until the limit ends.
        let expected = self.run_lease.into_iter().chain(self.waiting_until).max();
        self.run_id.is_some() && expected.is_none_or(|until| now.duration_since(until) > LOST_MESSAGE_TIMEOUT)
    }

    /// Whether it is too early to try again, because the account's problem does not disappear within minutes.
    #[must_use]
    pub fn rests(&self, now: Timestamp) -> bool {
        const RETRY_INTERVAL: SignedDuration = SignedDuration::from_mins(55);
        // Checking whether an integration's token works again costs no call.
        self.token.secret().is_some()
            && self.problem.as_ref().is_some_and(|problem| now.duration_since(problem.since) < RETRY_INTERVAL)
    }

    /// The earliest day that Meta returns, with a day's margin for Meta's own clock.
    #[must_use]
    pub fn earliest_day(&self, now: Timestamp) -> Date {
        let today = self.today(now);
        today.checked_sub(HISTORY_MONTHS.months()).and_then(|day| day.checked_add(1.day())).unwrap_or(today)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::{LinkId, RunId};
    use crate::model::ads::account::tests::{account, at};

    #[test]
    fn a_reading_goes_as_far_back_as_is_due() {
        // Late in the day in New York, when the long reading is due, whatever its time.
        let now = at("2026-03-02T04:30:00Z");
        let due = |account: AdAccount| account.due_since(now).to_string();
        assert_eq!(due(account()), "2025-12-01", "an import");
        let imported = AdAccount { imported_since: Some(back(account().today(now), 90)), ..account() };
        assert_eq!(due(imported.clone()), "2026-02-01", "no long reading yet");
        let read = |day: &str| AdAccount { last_long_day: Some(day.parse().unwrap()), ..imported.clone() };
        assert_eq!(due(read("2026-02-28")), "2026-01-31", "once a day");
        assert_eq!(due(read("2025-12-31")), "2025-12-03", "after two months without one: no day is left out");
        assert_eq!(due(read("2019-01-01")), "2023-02-02", "and none that Meta does not answer for is asked for");
        assert_eq!(due(read("2026-03-01")), "2026-02-26");
    }

    #[test]
    fn long_readings_are_spread_over_the_day_and_each_account_has_one_a_day() {
        const ACCOUNTS: usize = 1000;
        let midnight = at("2026-03-01T05:00:00Z");
        let linked = AdAccount { imported_since: Some("2025-12-01".parse().unwrap()), ..account() };
        let read = |day: &str, id: usize| AdAccount {
            id: LinkId::parse(&format!("ada_{id}")).unwrap(),
            last_long_day: Some(day.parse().unwrap()),
            ..linked.clone()
        };
        let due = |account: &AdAccount, now| account.due_since(now) < back(account.today(now), LOOK_BACK_DAYS);
        let mut accounts: Vec<AdAccount> = (0..ACCOUNTS).map(|id| read("2026-02-28", id)).collect();
        for quarter in 0..96 {
            let now = midnight + SignedDuration::from_mins(15 * quarter);
            let due: Vec<&mut AdAccount> = accounts.iter_mut().filter(|account| due(account, now)).collect();
            assert!(due.len() < 30, "{} at once", due.len());
            due.into_iter().for_each(|account| account.last_long_day = Some(account.today(now)));
        }
        assert!(accounts.iter().all(|account| account.last_long_day == Some("2026-03-01".parse().unwrap())));
        let next_midnight = midnight + SignedDuration::from_hours(24);
        assert!(accounts.iter().filter(|account| due(account, next_midnight)).count() < 5);
        assert!(due(&read("2026-02-27", 1), midnight), "yesterday's is made up for at once");
    }

    #[test]
    fn a_reading_is_abandoned_when_nobody_is_to_come() {
        let run_id = Some(RunId::parse("run_1").unwrap());
        let held = AdAccount { run_id, run_lease: Some(at("2026-01-01T12:00:00Z")), ..account() };
        assert!(!held.is_abandoned(at("2026-01-01T12:30:00Z")));
        assert!(held.is_abandoned(at("2026-01-01T12:41:00Z")));
        let waits = AdAccount { waiting_until: Some(at("2026-01-01T13:00:00Z")), ..held };
        assert!(!waits.is_abandoned(at("2026-01-01T13:30:00Z")), "its message comes when the wait is over");
        assert!(waits.is_abandoned(at("2026-01-01T13:41:00Z")));
        assert!(!account().is_abandoned(at("2026-01-01T12:00:00Z")), "there is none");
    }

    #[test]
    fn rows_of_the_day_in_progress_are_due_once_an_hour_and_when_it_is_over() {
        let now = at("2026-03-01T12:00:00Z");
        let synced = AdAccount { last_sync_at: Some(at("2026-03-01T11:45:00Z")), ..account() };
        assert!(account().are_ad_rows_due(now), "there are none");
        assert!(!synced.are_ad_rows_due(now));
        let as_of = |text: &str| AdAccount { ad_rows_as_of: Some(at(text)), ..synced.clone() };
        assert!(!as_of("2026-03-01T11:15:00Z").are_ad_rows_due(now));
        assert!(as_of("2026-03-01T11:00:00Z").are_ad_rows_due(now));
        let midnight = at("2026-03-01T05:00:00Z");
        let before = as_of("2026-03-01T04:45:00Z");
        assert!(before.are_ad_rows_due(midnight));
        let today = before.today(midnight);
        assert_eq!(before.ad_rows_as_of(back(today, 1)), before.ad_rows_as_of);
        assert_eq!(before.ad_rows_as_of(back(today, 2)), before.last_sync_at);
    }
}
