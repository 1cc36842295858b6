//! An authenticated caller, as described by the token.

use serde::{Deserialize, Serialize};

use crate::ids::{OrgId, UserId};
use crate::model::connection::ConnectedBy;

/// A caller with a valid token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Caller {
    /// The token's subject.
    pub user: UserId,
    /// The token's `name`, or its `email` if it has no name.
    pub name: Option<String>,
    /// The token's `email`, normalised for comparison.
    pub email: Option<String>,
    /// The caller's role, which determines what they may do.
    pub role: Role,
    /// The org that the caller belongs to.
    pub org: Option<OrgId>,
}

/// The role of a caller.
///
/// Each use checks what a role permits. A role that is not named there permits nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Full access to their own org.
    Admin,
    /// Full access to every org.
    SuperAdmin,
    /// Full access to their own org.
    Moderator,
    /// No access, unless the org's directory grants it.
    Other,
}

impl Caller {
    /// The caller in the form in which an integration records who connected it.
    #[must_use]
    pub fn as_connector(&self) -> ConnectedBy {
        ConnectedBy { user_id: self.user.clone(), name: self.name.clone() }
    }
}
