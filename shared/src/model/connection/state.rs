//! The state of a connection: whether leads can arrive, why not, what to do, and which notices are due when.
//!
//! A connection ends in one of two ways. Either it reaches the earlier of token expiry and data-access expiry, which
//! are known in advance. Or it is ended at Meta, which a call or a check discovers and which is recorded as [`ConnectionEnd`].

use std::borrow::Cow;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use strum::{Display, EnumIter, IntoStaticStr};
use utoipa::ToSchema;

use crate::model::connection::{Connection, Integration};
use crate::tr;

/// The kind of token that an integration uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[cfg_attr(test, derive(strum::EnumIter))]
#[serde(rename_all = "snake_case")]
pub enum TokenKind {
    /// The token of a person who went through Meta's login; valid for about 60 days.
    #[default]
    User,
    /// The token of a system user of a business portfolio, pasted by an admin; valid forever or for 60 days.
    SystemUser,
}

/// Why no leads arrive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Display, EnumIter, IntoStaticStr, ToSchema)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum EndReason {
    /// The integration has not been connected yet.
    NotConnected,
    /// The token has expired.
    TokenExpired,
    /// Meta closed access to the person's data after 90 days without a login.
    DataAccessEnded,
    /// The person removed the app at Meta.
    AppRemoved,
    /// The person asked Meta to have their data deleted here.
    DataDeleted,
    /// The person must first confirm their account at facebook.com.
    Checkpoint,
    /// The person changed their password, or Meta ended their sessions.
    PasswordChanged,
    /// The person must first give Meta their consent.
    ConsentBlocked,
    /// The person no longer has a role on the page. Other pages may still work.
    PageRoleLost,
    /// Meta reports the token as invalid without a reason.
    TokenInvalid,
    /// Leadwire's stored copy of the token is missing or damaged.
    TokenUnreadable,
}

impl EndReason {
    /// What happened, as readable text.
    #[must_use]
    pub fn message(self) -> Cow<'static, str> {
        match self {
            Self::NotConnected => tr!("This integration has not been connected to Meta yet."),
            Self::TokenExpired => tr!("The connection has expired after 60 days."),
            Self::DataAccessEnded => {
                tr!(
                    "Meta closed access to the data, because the person who connected has not logged in through this app for 90 days."
                )
            }
            Self::AppRemoved => tr!("The person who connected removed this app in their Facebook settings."),
            Self::DataDeleted => tr!("The person who connected asked Meta to have their data deleted from Leadwire."),
            Self::Checkpoint => tr!("Meta requires the person who connected to confirm their account first."),
            Self::PasswordChanged => {
                tr!("The person who connected changed their Facebook password, or Meta ended their sessions.")
            }
            Self::ConsentBlocked => tr!("Meta is waiting for the consent of the person who connected."),
            Self::PageRoleLost => tr!("The person who connected no longer has a role on the page."),
            Self::TokenInvalid => tr!("Meta no longer accepts the access token."),
            Self::TokenUnreadable => tr!("The access token could not be decrypted: its secret is missing or damaged."),
        }
    }

    /// What to do about it, for a person's connection.
    #[must_use]
    pub fn fix(self) -> Cow<'static, str> {
        self.fix_for(TokenKind::User)
    }

    /// What to do about it. A system user cannot log in, so its token is replaced.
    #[must_use]
    pub fn fix_for(self, kind: TokenKind) -> Cow<'static, str> {
        match (self, kind) {
            (Self::NotConnected, _) => tr!("Connect the integration to Meta."),
            (Self::PageRoleLost, TokenKind::SystemUser) => {
                tr!(
                    "Assign the page to the system user again in Meta Business settings, then replace the system user's token here."
                )
            }
            (_, TokenKind::SystemUser) => {
                tr!("Generate a new token for the system user in Meta Business settings, then replace the token here.")
            }
            (Self::Checkpoint, TokenKind::User) => {
                tr!("That person must log in at facebook.com and follow Meta's instructions. Then reconnect.")
            }
            (Self::ConsentBlocked, TokenKind::User) => {
                tr!("That person must log in at facebook.com and answer Meta's request for consent. Then reconnect.")
            }
            (Self::PageRoleLost, TokenKind::User) => {
                tr!(
                    "Ask an administrator of the page to give that person a role on it again, or have a person with a role reconnect."
                )
            }
            (Self::TokenUnreadable, TokenKind::User) => tr!("Reconnect to store a new token."),
            (
                Self::TokenExpired
                | Self::DataAccessEnded
                | Self::AppRemoved
                | Self::DataDeleted
                | Self::PasswordChanged
                | Self::TokenInvalid,
                TokenKind::User,
            ) => tr!("Reconnect."),
        }
    }
}

/// A connection that was ended at Meta, as discovered by a call, a check or one of Meta's callbacks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConnectionEnd {
    /// The reason.
    pub reason: EndReason,
    /// The time from which leads may have been missed. This is when the connection ended or, if that is unknown, when
    /// it was last known to work.
    pub since: Timestamp,
    /// Meta's codes and messages, or Leadwire's own.
    pub evidence: String,
}

/// The status of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ConnectionStatus {
    /// More than seven days left, or no expiry.
    Active,
    /// Seven days or less left.
    ExpiringSoon,
    /// Expired, or ended at Meta: no leads arrive.
    Expired,
}

/// The state of an integration, or of one of its pages, at a given time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConnectionState {
    /// Whether leads can arrive.
    pub status: ConnectionStatus,
    /// Why no leads arrive; `None` while they can.
    pub reason: Option<EndReason>,
    /// The earlier of the two expiries; `None` if neither is set.
    pub expires_at: Option<Timestamp>,
}

const DAY: SignedDuration = SignedDuration::from_hours(24);
/// How long before its expiry a connection counts as expiring soon.
pub const EXPIRING_SOON_PERIOD: SignedDuration = SignedDuration::from_hours(7 * 24);

impl Integration {
    /// When leads stop unless the integration is reconnected: the earlier of the two expiries.
    #[must_use]
    pub fn expires_at(&self) -> Option<Timestamp> {
        self.token_expires_at.into_iter().chain(self.data_access_expires_at).min()
    }

    /// The state at `now`.
    #[must_use]
    pub fn state(&self, now: Timestamp) -> ConnectionState {
        let expires_at = self.expires_at();
        let by_date = match expires_at {
            Some(end) if end <= now && self.token_expires_at == Some(end) => Some(EndReason::TokenExpired),
            Some(end) if end <= now => Some(EndReason::DataAccessEnded),
            _ => None,
        };
        let reason = self.ended.as_ref().map(|ended| ended.reason).or(by_date);
        let status = match (reason, expires_at) {
            (Some(_), _) => ConnectionStatus::Expired,
            (None, Some(end)) if end <= now + EXPIRING_SOON_PERIOD => ConnectionStatus::ExpiringSoon,
            (None, _) => ConnectionStatus::Active,
        };
        ConnectionState { status, reason, expires_at }
    }

    /// The most urgent notice to the org's admins at `now`; `None` if none is due.
    #[must_use]
    pub fn due_notice(&self, now: Timestamp) -> Option<ExpiryNotice> {
        let state = self.state(now);
        match (state.reason, state.expires_at) {
            // A draft needs no notice: one of the org's own users has just created it.
            (Some(EndReason::NotConnected), _) => None,
            (Some(reason), _) => Some(ExpiryNotice::Ended(reason)),
            (None, Some(end)) => ExpiryNotice::BEFORE.into_iter().find(|notice| end <= now + notice.ahead()),
            (None, None) => None,
        }
    }

    /// When to check the integration again after a check at `now`.
    ///
    /// The next check is up to a day later, and never later than the next notice is due. `spread` (0 to 1) brings it
    /// forward, so that integrations connected together do not stay synchronised.
    #[must_use]
    pub fn next_check(&self, now: Timestamp, spread: f64) -> Timestamp {
        // At most a day, and at least 22 hours.
        #[expect(clippy::cast_possible_truncation, reason = "between 0 and 7200")]
        let daily = now + DAY - SignedDuration::from_secs((spread.clamp(0.0, 1.0) * 7200.0) as i64);
        let due_times = ExpiryNotice::BEFORE.into_iter().map(ExpiryNotice::ahead).chain([SignedDuration::ZERO]);
        let due_times = due_times.filter_map(|ahead| self.expires_at()?.checked_sub(ahead).ok());
        due_times.filter(|at| *at > now).chain([daily]).min().unwrap_or(daily)
    }
}

impl Connection {
    /// The state of this page as one of `integration`'s.
    #[must_use]
    pub fn state(&self, integration: &Integration, now: Timestamp) -> ConnectionState {
        let whole = integration.state(now);
        match (&self.ended, whole.reason) {
            (Some(ended), None) => {
                ConnectionState { status: ConnectionStatus::Expired, reason: Some(ended.reason), ..whole }
            }
            _ => whole,
        }
    }
}

/// A notice to the org's admins, sent once each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExpiryNotice {
    /// Seven days left.
    SevenDays,
    /// Three days left.
    ThreeDays,
    /// One day left.
    OneDay,
    /// The connection has ended.
    Ended(EndReason),
}

impl ExpiryNotice {
    /// The notices before the end, the most urgent first.
    const BEFORE: [Self; 3] = [Self::OneDay, Self::ThreeDays, Self::SevenDays];

    fn ahead(self) -> SignedDuration {
        match self {
            Self::SevenDays => EXPIRING_SOON_PERIOD,
            Self::ThreeDays => DAY * 3,
            Self::OneDay => DAY,
            Self::Ended(_) => SignedDuration::ZERO,
        }
    }

    /// The name that identifies the notice. Each name is sent at most once per period of a connection.
    ///
    /// All endings share one name, because it is no news that an expired token was also revoked. Data deletion is the
    /// exception and is announced separately.
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

    fn ended(reason: EndReason) -> Option<ConnectionEnd> {
        Some(ConnectionEnd { reason, since: at("2026-01-01T00:00:00Z"), evidence: String::new() })
    }

    const NOW: &str = "2026-03-01T12:00:00Z";

    #[test]
    fn the_status_changes_exactly_at_seven_days_and_at_the_end() {
        let check = |end: &str, expect| {
            assert_eq!(expiring(Some(end), None).state(at(NOW)).status, expect, "{end}");
            assert_eq!(expiring(None, Some(end)).state(at(NOW)).status, expect, "{end}");
        };
        check("2026-03-08T12:00:01Z", ConnectionStatus::Active);
        check("2026-03-08T12:00:00Z", ConnectionStatus::ExpiringSoon);
        check("2026-03-01T12:00:01Z", ConnectionStatus::ExpiringSoon);
        check("2026-03-01T12:00:00Z", ConnectionStatus::Expired);
        assert_eq!(expiring(None, None).state(at(NOW)).status, ConnectionStatus::Active);
    }

    #[test]
    fn the_earlier_expiry_counts_and_gives_its_reason() {
        let reason = |token, data| expiring(token, data).state(at(NOW)).reason;
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
        assert_eq!(revoked.state(at(NOW)).reason, Some(EndReason::PasswordChanged));
        let early = Integration { ended: ended(EndReason::AppRemoved), ..expiring(None, None) };
        assert_eq!(early.state(at(NOW)).status, ConnectionStatus::Expired);
    }

    #[test]
    fn each_notice_has_its_turn_and_only_the_most_urgent_is_due() {
        let due = |end: &str| expiring(Some(end), None).due_notice(at(NOW)).map(ExpiryNotice::name);
        assert_eq!(due("2026-03-08T12:00:01Z"), None);
        assert_eq!(due("2026-03-08T12:00:00Z"), Some("7d"));
        assert_eq!(due("2026-03-04T12:00:01Z"), Some("7d"));
        assert_eq!(due("2026-03-04T12:00:00Z"), Some("3d"));
        assert_eq!(due("2026-03-02T12:00:01Z"), Some("3d"));
        assert_eq!(due("2026-03-02T12:00:00Z"), Some("1d"));
        assert_eq!(due("2026-03-01T12:00:00Z"), Some("ended"));
        let notice = |reason| Integration { ended: ended(reason), ..expiring(None, None) }.due_notice(at(NOW));
        assert_eq!(
            notice(EndReason::AppRemoved).map(ExpiryNotice::name),
            notice(EndReason::PasswordChanged).map(ExpiryNotice::name)
        );
        assert_eq!(
            notice(EndReason::DataDeleted).map(ExpiryNotice::name),
            Some("deleted"),
            "news to who knows of the end"
        );
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
        assert_eq!(page(None).state(&alive, at(NOW)).status, ConnectionStatus::Active);
        let lost = page(ended(EndReason::PageRoleLost)).state(&alive, at(NOW));
        assert_eq!((lost.status, lost.reason), (ConnectionStatus::Expired, Some(EndReason::PageRoleLost)));
        let dead = Integration { ended: ended(EndReason::AppRemoved), ..alive };
        assert_eq!(page(ended(EndReason::PageRoleLost)).state(&dead, at(NOW)).reason, Some(EndReason::AppRemoved));
    }

    #[test]
    fn the_word_is_the_one_in_json() {
        for reason in [EndReason::NotConnected, EndReason::DataAccessEnded, EndReason::TokenUnreadable] {
            assert_eq!(serde_json::to_value(reason).unwrap(), <&str>::from(reason));
        }
    }
}
