//! Console sessions.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::ids::OrgId;
use crate::model::caller::{Caller, Role};

/// How long a session lasts: a working day.
pub const LIFETIME: SignedDuration = SignedDuration::from_hours(10);
/// How often the issuer is asked whether a login still stands, and what its user may do.
const CHECK_INTERVAL: SignedDuration = SignedDuration::from_mins(15);
/// How long a session goes on without an answer of the issuer.
const UNCHECKED_LIFETIME: SignedDuration = SignedDuration::from_hours(1);
/// How long one request has the check to itself.
const CHECK_LEASE: SignedDuration = SignedDuration::from_mins(1);

/// A console login that has not ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// The logged-in user, as the issuer last described them.
    pub caller: Caller,
    /// The org that a superadmin has selected. All other users act for their own.
    pub org: Option<OrgId>,
    /// The session is treated as non-existent from this time on.
    pub ends_at: Timestamp,
    /// When the issuer last confirmed the login.
    pub checked_at: Timestamp,
    /// When the issuer is to be asked again.
    pub check_at: Timestamp,
    /// What the issuer is asked with, encrypted. Without it, the session ends when it would have to be asked.
    pub renewal: Option<String>,
}

impl Session {
    /// Starts a session for a user who has just logged in.
    #[must_use]
    pub fn begin(caller: Caller, renewal: Option<String>, now: Timestamp) -> Self {
        let lifetime = if renewal.is_some() { LIFETIME } else { UNCHECKED_LIFETIME };
        let (ends_at, check_at) = (now + lifetime, now + CHECK_INTERVAL);
        Self { caller, org: None, ends_at, checked_at: now, check_at, renewal }
    }

    /// The org that the user acts for.
    #[must_use]
    pub fn acts_for(&self) -> Option<&OrgId> {
        self.org.as_ref().or(self.caller.orgs.first())
    }

    /// The same session, while one request asks the issuer. `None` if it need not be asked.
    #[must_use]
    pub fn begin_check(&self, now: Timestamp) -> Option<Self> {
        let is_due = self.renewal.is_some() && self.check_at <= now;
        is_due.then(|| Self { check_at: now + CHECK_LEASE, ..self.clone() })
    }

    /// The session after the issuer has confirmed the login and described its user. `None` if that is another user. An
    /// org that a superadmin has selected is kept as long as they are one.
    #[must_use]
    pub fn confirm(&self, caller: Caller, renewal: Option<String>, now: Timestamp) -> Option<Self> {
        let org = self.org.clone().filter(|_| caller.role == Role::SuperAdmin);
        let renewal = renewal.or_else(|| self.renewal.clone());
        let ends_at = self.ends_at;
        let is_same = caller.user == self.caller.user;
        is_same.then_some(Self { caller, org, ends_at, checked_at: now, check_at: now + CHECK_INTERVAL, renewal })
    }

    /// Whether the issuer has been silent for too long.
    #[must_use]
    pub fn is_unconfirmed(&self, now: Timestamp) -> bool {
        self.checked_at + UNCHECKED_LIFETIME <= now
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::UserId;

    fn caller(user: &str, role: Role) -> Caller {
        let user = UserId::parse(user).unwrap();
        Caller { user, name: None, email: None, role, orgs: Vec::new(), is_program: false }
    }

    #[test]
    fn a_session_is_checked_every_quarter_of_an_hour_and_lives_no_hour_without() {
        let now: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
        let after = |minutes| now + SignedDuration::from_mins(minutes);
        let session = Session::begin(caller("u", Role::Admin), Some("r".into()), now);
        assert_eq!(session.begin_check(after(14)), None);
        let leased = session.begin_check(after(15)).unwrap();
        assert_eq!(leased.begin_check(after(15)), None, "another request is at it");
        assert!(leased.begin_check(after(16)).is_some(), "which may have died");
        assert!(!leased.is_unconfirmed(after(59)) && leased.is_unconfirmed(after(60)));
        let confirmed = leased.confirm(caller("u", Role::Other), None, after(16)).unwrap();
        assert_eq!((confirmed.caller.role, confirmed.renewal.as_deref()), (Role::Other, Some("r")));
        assert_eq!((confirmed.ends_at, confirmed.check_at), (session.ends_at, after(31)));
        assert_eq!(leased.confirm(caller("v", Role::Admin), None, after(16)), None, "another user");
        let unchecked = Session::begin(caller("u", Role::Admin), None, now);
        assert_eq!((unchecked.begin_check(after(59)), unchecked.ends_at), (None, after(60)));
    }

    #[test]
    fn an_org_that_was_selected_is_lost_with_the_role() {
        let now: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
        let org = OrgId::parse("demo").ok();
        let session = Session { org, ..Session::begin(caller("u", Role::SuperAdmin), Some("r".into()), now) };
        let kept = session.confirm(caller("u", Role::SuperAdmin), None, now).unwrap();
        assert_eq!(kept.acts_for(), session.acts_for());
        assert_eq!(session.confirm(caller("u", Role::Admin), None, now).unwrap().acts_for(), None);
    }
}
