//! A linked ad account: its client, its token and the progress of its sync.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use utoipa::ToSchema;

use crate::ids::{AdAccountId, ClientId, IntegrationId, LinkId, OrgId, RunId, UserId};
use crate::model::ads::conversions::Counted;
use crate::model::ads::seen_days::SeenDays;
use crate::model::ads::sync_problem::{SyncProblem, SyncProblemCode};
use crate::model::days::back;

/// Days before today that every sync covers.
pub const LOOK_BACK_DAYS: i32 = 3;
/// Days before today that one sync a day covers. Meta restates numbers for this long.
pub const LONG_LOOK_BACK_DAYS: i32 = 28;
/// Days before today that must be imported before a new account shows its numbers.
pub const FIRST_IMPORT_DAYS: i32 = 30;
/// Days before today that the complete import of a new account covers.
pub const FULL_IMPORT_DAYS: i32 = 90;
/// Months of history that Meta returns. It rejects requests for earlier days.
pub const HISTORY_MONTHS: i32 = 37;

/// A linked ad account. Its token is stored only in the vault.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AdAccount {
    /// The org that owns it.
    pub org: OrgId,
    /// Leadwire's own id of the link.
    pub id: LinkId,
    /// Meta's id of the account.
    pub ad_account_id: AdAccountId,
    /// The account's name at Meta.
    pub name: String,
    /// The org's own name for the account.
    pub label: String,
    /// The client whose ads the account shows.
    pub client: Client,
    /// The source of the token that reads the account.
    pub token: TokenSource,
    /// ISO 4217 code of the currency at the time of linking.
    pub currency: String,
    /// IANA name of the time zone at the time of linking.
    pub timezone: String,
    /// Meta's `account_status`.
    pub account_status: i64,
    /// What counts as a conversion in this account.
    #[serde(default)]
    pub conversions: Counted,
    /// Whether a user has paused the account's syncs.
    #[serde(default)]
    pub paused: bool,
    /// The progress of its import.
    pub stage: Stage,
    /// The problem that prevents the account from being read.
    pub problem: Option<SyncProblem>,
    /// Meta's rate limit applies until this time.
    pub waiting_until: Option<Timestamp>,
    /// When a sync last finished.
    pub last_sync_at: Option<Timestamp>,
    /// The day, in the account's time zone, of the last long sync.
    pub last_long_day: Option<Date>,
    /// The first day of the complete range that has been read.
    pub imported_since: Option<Date>,
    /// The objects are known up to this time. Later changes at Meta have not been read yet.
    #[serde(default)]
    pub objects_until: Option<Timestamp>,
    /// The approximate number of ads active on a day, which determines how large a query may be. 0 before the first
    /// sync.
    #[serde(default)]
    pub rows_per_day: u64,
    /// The account's newest days when its ads' days were last read.
    #[serde(default)]
    pub seen_days: SeenDays,
    /// The id of the sync in progress.
    pub run_id: Option<RunId>,
    /// The first day that the sync in progress covers.
    pub run_since: Option<Date>,
    /// The lease of the worker on the sync in progress. Once it has expired, no worker holds it.
    pub run_lease: Option<Timestamp>,
    /// The user who linked the account.
    pub linked_by: UserId,
    /// When the account was linked.
    pub linked_at: Timestamp,
}

/// The client whose ads an account shows, by the CRM's own id.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
pub struct Client {
    /// The CRM's id of the client.
    pub id: ClientId,
    /// The display name.
    pub name: String,
}

/// The source of the token that reads an ad account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TokenSource {
    /// The integration's token.
    Integration(IntegrationId),
    /// The account's own token, in the secret of this name.
    Secret(String),
}

impl TokenSource {
    /// The integration whose token is used.
    #[must_use]
    pub fn integration(&self) -> Option<&IntegrationId> {
        match self {
            Self::Integration(id) => Some(id),
            Self::Secret(_) => None,
        }
    }

    /// The secret that contains the account's own token.
    #[must_use]
    pub fn secret(&self) -> Option<&str> {
        match self {
            Self::Integration(_) => None,
            Self::Secret(name) => Some(name),
        }
    }
}

/// The progress of an account's import.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Its campaigns, ad sets and ads are being read.
    Configuring,
    /// Its newest 30 days are being read.
    Importing,
    /// Its numbers are available.
    Ready,
}

/// The state of an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AdAccountState {
    /// Configuration in progress: campaigns, ad sets and ads are being read for the first time.
    Configuring,
    /// Import in progress: the newest 30 days are being read for the first time.
    Importing,
    /// The account is read every 15 minutes.
    Ready,
    /// A user has paused the account.
    Paused,
    /// The account cannot be read; `reason` says why.
    Error,
}

impl AdAccount {
    /// Creates a newly linked account, of which only the owner, the client and the token are known.
    #[must_use]
    pub fn new(org: OrgId, id: AdAccountId, client: Client, token: TokenSource, (by, at): (UserId, Timestamp)) -> Self {
        Self {
            org,
            id: LinkId::new(),
            ad_account_id: id,
            name: String::new(),
            label: String::new(),
            client,
            token,
            currency: String::new(),
            timezone: String::new(),
            account_status: 0,
            conversions: Counted::default(),
            paused: false,
            stage: Stage::Configuring,
            problem: None,
            waiting_until: None,
            last_sync_at: None,
            last_long_day: None,
            imported_since: None,
            objects_until: None,
            rows_per_day: 0,
            seen_days: SeenDays::default(),
            run_id: None,
            run_since: None,
            run_lease: None,
            linked_by: by,
            linked_at: at,
        }
    }

    /// The account's state.
    #[must_use]
    pub fn state(&self) -> AdAccountState {
        match self.stage {
            _ if self.paused => AdAccountState::Paused,
            _ if self.problem.is_some() => AdAccountState::Error,
            Stage::Configuring => AdAccountState::Configuring,
            Stage::Importing => AdAccountState::Importing,
            Stage::Ready => AdAccountState::Ready,
        }
    }

    /// The problem to show to an admin: what prevents the account from being read, or Meta's rate limit.
    #[must_use]
    pub fn reason(&self, now: Timestamp) -> Option<SyncProblemCode> {
        let waiting = self.waiting_until.is_some_and(|until| until > now).then_some(SyncProblemCode::Throttled);
        self.problem.as_ref().map(|problem| problem.code).or(waiting)
    }

    /// The date at `now` in the account's time zone.
    #[must_use]
    pub fn today(&self, now: Timestamp) -> Date {
        now.to_zoned(self.zone()).date()
    }

    /// The account's time zone. An unknown one is treated as UTC, because Meta's list differs from IANA's in places.
    #[must_use]
    pub fn zone(&self) -> TimeZone {
        TimeZone::get(&self.timezone).unwrap_or(TimeZone::UTC)
    }

    /// Whether the stored numbers of `day` were read after the day had ended.
    #[must_use]
    pub fn has_seen_whole(&self, day: Date) -> bool {
        self.last_sync_at.is_some_and(|at| self.today(at) > day)
    }

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

    /// The sync in progress, if any, with its first day.
    #[must_use]
    pub fn running(&self) -> Option<(&RunId, Date)> {
        self.run_id.as_ref().zip(self.run_since)
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

/// Meta's name for an `account_status`.
#[must_use]
pub fn status_word(account_status: i64) -> &'static str {
    match account_status {
        1 | 201 => "active",
        2 => "disabled",
        3 => "unsettled",
        7 => "pending_risk_review",
        8 => "pending_settlement",
        9 => "in_grace_period",
        100 => "pending_closure",
        101 | 202 => "closed",
        _ => "unknown",
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn account() -> AdAccount {
        let client = Client { id: ClientId::parse("c1").unwrap(), name: "Client".to_owned() };
        let token = TokenSource::Integration(IntegrationId::parse("int_1").unwrap());
        let linked = (UserId::parse("u").unwrap(), "2026-01-01T00:00:00Z".parse().unwrap());
        AdAccount {
            id: LinkId::parse("ada_1").unwrap(),
            currency: "USD".to_owned(),
            timezone: "America/New_York".to_owned(),
            ..AdAccount::new(OrgId::parse("a").unwrap(), AdAccountId::parse("act_1").unwrap(), client, token, linked)
        }
    }

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn days_are_the_account_s_own() {
        let tongan = AdAccount { timezone: "Pacific/Tongatapu".to_owned(), ..account() };
        let now = at("2026-01-31T23:30:00Z");
        assert_eq!(account().today(now).to_string(), "2026-01-31");
        assert_eq!(tongan.today(now).to_string(), "2026-02-01");
        assert_eq!(AdAccount { timezone: "Nowhere/Else".to_owned(), ..account() }.today(now).to_string(), "2026-01-31");
    }

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
    fn a_day_is_confirmed_by_a_reading_after_it() {
        let read = |text: &str| AdAccount { last_sync_at: Some(at(text)), ..account() };
        let day: Date = "2026-01-31".parse().unwrap();
        assert!(!account().has_seen_whole(day));
        assert!(!read("2026-02-01T04:59:00Z").has_seen_whole(day), "it is still the 31st in New York");
        assert!(read("2026-02-01T05:00:00Z").has_seen_whole(day));
    }
}
