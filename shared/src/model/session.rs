//! Console sessions.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::ids::OrgId;
use crate::model::caller::Caller;

/// How long a session lasts: a working day. The claims of the token it began with hold for as long.
pub const LIFETIME: SignedDuration = SignedDuration::from_hours(10);

/// A console login that has not ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// The logged-in user.
    pub caller: Caller,
    /// The org that a superadmin has selected. All other users act for their own.
    pub org: Option<OrgId>,
    /// The session is treated as non-existent from this time on.
    pub ends_at: Timestamp,
}

impl Session {
    /// Starts a session for a user who has just logged in.
    #[must_use]
    pub fn begin(caller: Caller, now: Timestamp) -> Self {
        Self { caller, org: None, ends_at: now + LIFETIME }
    }

    /// The org that the user acts for.
    #[must_use]
    pub fn acts_for(&self) -> Option<&OrgId> {
        self.org.as_ref().or(self.caller.orgs.first())
    }
}
