//! A linked ad account: its client, its token and the progress of its sync.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use strum::{EnumIter, IntoStaticStr};
use utoipa::ToSchema;

use crate::ids::{AdAccountId, ClientId, IntegrationId, LinkId, OrgId, RunId, UserId};
use crate::model::ads::conversions::Counted;
use crate::model::ads::seen_days::SeenDays;
use crate::model::ads::sync_problem::{SyncProblem, SyncProblemCode};

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
    /// The stored rows of ads show the numbers of this time, on its day and later. `None` if they show those of the last
    /// sync.
    #[serde(default)]
    pub ad_rows_as_of: Option<Timestamp>,
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
#[cfg_attr(test, derive(strum::EnumIter))]
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

/// How old an account's numbers are, for the operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq, EnumIter, IntoStaticStr)]
#[strum(serialize_all = "kebab-case")]
pub enum Freshness {
    /// Under 30 minutes: its last scheduled sync finished, or the one before.
    Fresh,
    /// Under two hours.
    Late,
    /// Older.
    Stale,
    /// A user has paused the account.
    Paused,
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
            ad_rows_as_of: None,
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

    /// How old its numbers are. Those of an account that has none yet are as old as its link.
    #[must_use]
    pub fn freshness(&self, now: Timestamp) -> Freshness {
        let age = now.duration_since(self.last_sync_at.unwrap_or(self.linked_at));
        match age {
            _ if self.paused => Freshness::Paused,
            age if age < SignedDuration::from_mins(30) => Freshness::Fresh,
            age if age < SignedDuration::from_hours(2) => Freshness::Late,
            _ => Freshness::Stale,
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

    /// The time whose numbers the stored rows of ads show on `day`. `None` before the first sync.
    #[must_use]
    pub fn ad_rows_as_of(&self, day: Date) -> Option<Timestamp> {
        self.ad_rows_as_of.filter(|at| self.today(*at) <= day).or(self.last_sync_at)
    }

    /// The sync in progress, if any, with its first day.
    #[must_use]
    pub fn running(&self) -> Option<(&RunId, Date)> {
        self.run_id.as_ref().zip(self.run_since)
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

    pub(crate) fn at(text: &str) -> Timestamp {
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
    fn a_day_is_confirmed_by_a_reading_after_it() {
        let read = |text: &str| AdAccount { last_sync_at: Some(at(text)), ..account() };
        let day: Date = "2026-01-31".parse().unwrap();
        assert!(!account().has_seen_whole(day));
        assert!(!read("2026-02-01T04:59:00Z").has_seen_whole(day), "it is still the 31st in New York");
        assert!(read("2026-02-01T05:00:00Z").has_seen_whole(day));
    }
}
