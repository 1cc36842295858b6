//! How a connection stands: what is known of its token, whether leads can come, why not, what to do, whom to tell when.
//!
//! A connection ends in two ways. By its dates, which are known beforehand: the earlier of token expiry and data-access
//! expiry. Or by what somebody does at Meta, which a call or a probe finds out: that is written down as [`Ended`].

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::model::connection::{Connection, Integration};

/// What kind of token an integration lives on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum TokenKind {
    /// Of a person who went through Meta's login; about 60 days.
    #[default]
    User,
    /// Of a system user of a business portfolio, pasted by an admin; without end, or 60 days.
    SystemUser,
}

/// Why no leads come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum EndReason {
    /// Nobody has logged in at Meta yet.
    NotConnected,
    /// The token's time is over.
    TokenExpired,
    /// Meta closed the person's data: 90 days without them logging in.
    DataAccessEnded,
    /// The person removed the app at Meta.
    AppRemoved,
    /// The person asked Meta to have their data deleted here.
    DataDeleted,
    /// The person has to confirm their account at facebook.com first.
    Checkpoint,
    /// The person changed their password, or Meta ended their sessions.
    PasswordChanged,
    /// The person has a consent to give to Meta first.
    ConsentBlocked,
    /// The person has no role on the page any more. Other pages may be well.
    PageRoleLost,
    /// Meta calls the token invalid and gives no reason.
    TokenInvalid,
    /// Our own copy of the token is missing or damaged.
    TokenUnreadable,
}

impl EndReason {
    /// The stable word for it, as in JSON.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::NotConnected => "not_connected",
            Self::TokenExpired => "token_expired",
            Self::DataAccessEnded => "data_access_ended",
            Self::AppRemoved => "app_removed",
            Self::DataDeleted => "data_deleted",
            Self::Checkpoint => "checkpoint",
            Self::PasswordChanged => "password_changed",
            Self::ConsentBlocked => "consent_blocked",
            Self::PageRoleLost => "page_role_lost",
            Self::TokenInvalid => "token_invalid",
            Self::TokenUnreadable => "token_unreadable",
        }
    }

    /// What happened, for people.
    #[must_use]
    pub fn message(self) -> &'static str {
        match self {
            Self::NotConnected => "Nobody has connected this integration to Meta yet.",
            Self::TokenExpired => "The connection's 60 days are over.",
            Self::DataAccessEnded => {
                "Meta closed access to the data, because the person who connected has not logged in through this app for 90 days."
            }
            Self::AppRemoved => "The person who connected removed this app in their Facebook settings.",
            Self::DataDeleted => "The person who connected asked Meta to have their data deleted here.",
            Self::Checkpoint => {
                "Meta wants the person who connected to confirm their account before it lets anything through."
            }
            Self::PasswordChanged => {
                "The person who connected changed their Facebook password, or Meta ended their sessions."
            }
            Self::ConsentBlocked => "Meta waits for a consent of the person who connected.",
            Self::PageRoleLost => "The person who connected has no role on the page any more.",
            Self::TokenInvalid => "Meta does not accept the access token any more.",
            Self::TokenUnreadable => "The access token could not be decrypted: its secret is missing or damaged.",
        }
    }

    /// What to do about it.
    #[must_use]
    pub fn fix(self) -> &'static str {
        match self {
            Self::NotConnected => "Connect it.",
            Self::Checkpoint => "That person logs in at facebook.com and follows what Meta asks; then reconnect.",
            Self::ConsentBlocked => "That person logs in at facebook.com and answers what Meta asks; then reconnect.",
            Self::PageRoleLost => {
                "An administrator of the page gives that person a role on it again, or somebody who has one reconnects."
            }
            Self::TokenUnreadable => "Reconnect; that writes the secret anew.",
            Self::TokenExpired
            | Self::DataAccessEnded
            | Self::AppRemoved
            | Self::DataDeleted
            | Self::PasswordChanged
            | Self::TokenInvalid => "Reconnect.",
        }
    }
}

/// A connection that somebody ended, as a call, a probe or a callback of Meta's found out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ended {
    /// Why.
    pub reason: EndReason,
    /// From when on leads may have been missed: when it happened, or, where only the end was seen, when it was last seen
    /// to be well.
    pub since: Timestamp,
    /// Meta's codes and words, or ours.
    pub evidence: String,
}

/// How a connection stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ConnectionStatus {
    /// More than seven days to go, or no expiry at all.
    Active,
    /// Seven days or less to go.
    ExpiringSoon,
    /// Over, by its date or by what somebody did: no leads come.
    Expired,
}

/// How an integration or one of its pages stands at some time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// Whether leads can come.
    pub status: ConnectionStatus,
    /// Why not; `None` while they can.
    pub reason: Option<EndReason>,
    /// The earlier of the two expiries; `None` if there is none.
    pub expires_at: Option<Timestamp>,
}

const DAY: SignedDuration = SignedDuration::from_hours(24);
/// How long before the end it is called soon.
const SOON: SignedDuration = SignedDuration::from_hours(7 * 24);

impl Integration {
    /// When leads stop unless somebody reconnects: the earlier of the two expiries.
    #[must_use]
    pub fn expires_at(&self) -> Option<Timestamp> {
        self.token_expires_at.into_iter().chain(self.data_access_expires_at).min()
    }

    /// How it stands at `now`.
    #[must_use]
    pub fn standing(&self, now: Timestamp) -> Standing {
        let expires_at = self.expires_at();
        let by_date = match expires_at {
            Some(end) if end <= now && self.token_expires_at == Some(end) => Some(EndReason::TokenExpired),
            Some(end) if end <= now => Some(EndReason::DataAccessEnded),
            _ => None,
        };
        let reason = self.ended.as_ref().map(|ended| ended.reason).or(by_date);
        let status = match (reason, expires_at) {
            (Some(_), _) => ConnectionStatus::Expired,
            (None, Some(end)) if end <= now + SOON => ConnectionStatus::ExpiringSoon,
            (None, _) => ConnectionStatus::Active,
        };
        Standing { status, reason, expires_at }
    }

    /// What the org's admins have to be told at `now`, if anything: one notice, the most urgent.
    #[must_use]
    pub fn due_notice(&self, now: Timestamp) -> Option<Notice> {
        let standing = self.standing(now);
        match (standing.reason, standing.expires_at) {
            // They were there when it came to this, or somebody of theirs wanted it.
            (Some(EndReason::NotConnected), _) => None,
            (Some(reason), _) => Some(Notice::Ended(reason)),
            (None, Some(end)) => Notice::BEFORE.into_iter().find(|notice| end <= now + notice.ahead()),
            (None, None) => None,
        }
    }

    /// When to look again after a look at `now`: a day later, give or take what `spread` (0 to 1) says, so that those
    /// connected together are not looked at together for ever; and never later than the next notice is due.
    #[must_use]
    pub fn next_check(&self, now: Timestamp, spread: f64) -> Timestamp {
        // A day at most, and never so much less that a day is looked at twice: 22 to 24 hours.
        #[expect(clippy::cast_possible_truncation, reason = "between 0 and 7200")]
        let daily = now + DAY - SignedDuration::from_secs((spread.clamp(0.0, 1.0) * 7200.0) as i64);
        let turns = Notice::BEFORE.into_iter().map(Notice::ahead).chain([SignedDuration::ZERO]);
        let turns = turns.filter_map(|ahead| self.expires_at()?.checked_sub(ahead).ok());
        turns.filter(|turn| *turn > now).chain([daily]).min().unwrap_or(daily)
    }
}

impl Connection {
    /// How this page stands, as one of `integration`'s.
    #[must_use]
    pub fn standing(&self, integration: &Integration, now: Timestamp) -> Standing {
        let whole = integration.standing(now);
        match (&self.ended, whole.reason) {
            (Some(ended), None) => Standing { status: ConnectionStatus::Expired, reason: Some(ended.reason), ..whole },
            _ => whole,
        }
    }
}

/// Something the org's admins are told, each once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Notice {
    /// A week to go.
    SevenDays,
    /// Three days to go.
    ThreeDays,
    /// One day to go.
    OneDay,
    /// It is over.
    Ended(EndReason),
}

impl Notice {
    /// Those before the end, the most urgent first.
    const BEFORE: [Self; 3] = [Self::OneDay, Self::ThreeDays, Self::SevenDays];

    fn ahead(self) -> SignedDuration {
        match self {
            Self::SevenDays => SOON,
            Self::ThreeDays => DAY * 3,
            Self::OneDay => DAY,
            Self::Ended(_) => SignedDuration::ZERO,
        }
    }

    /// What tells it from the others: a notice of one name is sent once in the life of a connection.
    ///
    /// All ends are one: that an expired token was also revoked is no news. That everything is deleted is.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::SevenDays => "7d",
            Self::ThreeDays => "3d",
            Self::OneDay => "1d",
            Self::Ended(EndReason::DataDeleted) => "deleted",
            Self::Ended(_) => "ended",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::connection::tests::integration;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn expiring(token: Option<&str>, data: Option<&str>) -> Integration {
        Integration { token_expires_at: token.map(at), data_access_expires_at: data.map(at), ..integration() }
    }

    fn ended(reason: EndReason) -> Option<Ended> {
        Some(Ended { reason, since: at("2026-01-01T00:00:00Z"), evidence: String::new() })
    }

    const NOW: &str = "2026-03-01T12:00:00Z";

    #[test]
    fn the_status_changes_exactly_at_seven_days_and_at_the_end() {
        let check = |end: &str, expect| {
            assert_eq!(expiring(Some(end), None).standing(at(NOW)).status, expect, "{end}");
            assert_eq!(expiring(None, Some(end)).standing(at(NOW)).status, expect, "{end}");
        };
        check("2026-03-08T12:00:01Z", ConnectionStatus::Active);
        check("2026-03-08T12:00:00Z", ConnectionStatus::ExpiringSoon);
        check("2026-03-01T12:00:01Z", ConnectionStatus::ExpiringSoon);
        check("2026-03-01T12:00:00Z", ConnectionStatus::Expired);
        assert_eq!(expiring(None, None).standing(at(NOW)).status, ConnectionStatus::Active);
    }

    #[test]
    fn the_earlier_expiry_counts_and_gives_its_reason() {
        let reason = |token, data| expiring(token, data).standing(at(NOW)).reason;
        let (past, longer_past, future) =
            (Some("2026-02-20T00:00:00Z"), Some("2026-02-10T00:00:00Z"), Some("2026-09-01T00:00:00Z"));
        assert_eq!(reason(past, future), Some(EndReason::TokenExpired));
        assert_eq!(reason(future, past), Some(EndReason::DataAccessEnded));
        assert_eq!(reason(None, past), Some(EndReason::DataAccessEnded));
        assert_eq!(reason(past, longer_past), Some(EndReason::DataAccessEnded));
        assert_eq!(reason(future, future), None);
    }

    #[test]
    fn what_somebody_did_outweighs_the_dates() {
        let revoked = Integration { ended: ended(EndReason::PasswordChanged), ..expiring(Some(NOW), None) };
        assert_eq!(revoked.standing(at(NOW)).reason, Some(EndReason::PasswordChanged));
        let early = Integration { ended: ended(EndReason::AppRemoved), ..expiring(None, None) };
        assert_eq!(early.standing(at(NOW)).status, ConnectionStatus::Expired);
    }

    #[test]
    fn each_notice_has_its_turn_and_only_the_most_urgent_is_due() {
        let due = |end: &str| expiring(Some(end), None).due_notice(at(NOW)).map(Notice::name);
        assert_eq!(due("2026-03-08T12:00:01Z"), None);
        assert_eq!(due("2026-03-08T12:00:00Z"), Some("7d"));
        assert_eq!(due("2026-03-04T12:00:01Z"), Some("7d"));
        assert_eq!(due("2026-03-04T12:00:00Z"), Some("3d"));
        assert_eq!(due("2026-03-02T12:00:01Z"), Some("3d"));
        assert_eq!(due("2026-03-02T12:00:00Z"), Some("1d"));
        assert_eq!(due("2026-03-01T12:00:00Z"), Some("ended"));
        let of = |reason| Integration { ended: ended(reason), ..expiring(None, None) }.due_notice(at(NOW));
        assert_eq!(of(EndReason::AppRemoved).map(Notice::name), of(EndReason::PasswordChanged).map(Notice::name));
        assert_eq!(of(EndReason::DataDeleted).map(Notice::name), Some("deleted"), "news to who knows of the end");
        let draft = Integration { ended: ended(EndReason::NotConnected), ..expiring(None, None) };
        assert_eq!(draft.due_notice(at(NOW)), None);
    }

    #[test]
    fn the_next_look_is_a_day_away_or_when_the_next_notice_is_due() {
        let next = |end: Option<&str>, spread| expiring(end, None).next_check(at(NOW), spread).to_string();
        assert_eq!(next(None, 0.0), "2026-03-02T12:00:00Z");
        assert_eq!(next(None, 1.0), "2026-03-02T10:00:00Z");
        assert_eq!(next(Some("2026-03-08T20:00:00Z"), 0.0), "2026-03-01T20:00:00Z", "seven days before");
        assert_eq!(next(Some("2026-03-01T13:00:00Z"), 0.0), "2026-03-01T13:00:00Z", "the end itself");
        assert_eq!(next(Some("2026-02-01T00:00:00Z"), 0.0), "2026-03-02T12:00:00Z", "long over");
    }

    #[test]
    fn a_page_can_be_lost_alone_and_never_outlives_its_integration() {
        let page = |ended| Connection { ended, ..crate::model::connection::tests::connection() };
        let alive = expiring(None, None);
        assert_eq!(page(None).standing(&alive, at(NOW)).status, ConnectionStatus::Active);
        let lost = page(ended(EndReason::PageRoleLost)).standing(&alive, at(NOW));
        assert_eq!((lost.status, lost.reason), (ConnectionStatus::Expired, Some(EndReason::PageRoleLost)));
        let dead = Integration { ended: ended(EndReason::AppRemoved), ..alive };
        assert_eq!(page(ended(EndReason::PageRoleLost)).standing(&dead, at(NOW)).reason, Some(EndReason::AppRemoved));
    }

    #[test]
    fn the_word_is_the_one_in_json() {
        for reason in [EndReason::NotConnected, EndReason::DataAccessEnded, EndReason::TokenUnreadable] {
            assert_eq!(serde_json::to_value(reason).unwrap(), reason.code());
        }
    }
}
