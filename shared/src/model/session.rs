//! Somebody who is logged in to the console.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::ids::OrgId;
use crate::model::caller::Caller;

/// How long somebody stays logged in: a working day. What their token said of them holds for so long.
pub const LIFETIME: SignedDuration = SignedDuration::from_hours(10);

/// A login to the console that has not ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// Who.
    pub caller: Caller,
    /// The org that a superadmin has selected. Everybody else acts for their own.
    pub org: Option<OrgId>,
    /// From then on it is as if it had never been.
    pub ends_at: Timestamp,
}

impl Session {
    /// A session of somebody who has just logged in.
    #[must_use]
    pub fn begin(caller: Caller, now: Timestamp) -> Self {
        Self { caller, org: None, ends_at: now + LIFETIME }
    }

    /// The id of the org that they act for.
    #[must_use]
    pub fn acts_for(&self) -> Option<&OrgId> {
        self.org.as_ref().or(self.caller.org.as_ref())
    }
}
