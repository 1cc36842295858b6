//! Somebody whose token is good, and what the token says of them.

use serde::{Deserialize, Serialize};

use crate::ids::{OrgId, UserId};
use crate::model::connection::ConnectedBy;

/// Somebody whose token is good.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Caller {
    /// The token's subject.
    pub user: UserId,
    /// The token's `name`, else its `email`.
    pub name: Option<String>,
    /// The token's `email`, as addresses are compared.
    pub email: Option<String>,
    /// What they may do.
    pub role: Role,
    /// The org they belong to.
    pub org: Option<OrgId>,
}

/// What a role may do is decided where it is asked for; a role not named here may do nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Everything in their org.
    Admin,
    /// Everything in every org.
    SuperAdmin,
    /// Everything in their org.
    Moderator,
    /// Nothing here, unless the org's directory says so.
    Other,
}

impl Caller {
    /// The caller, as an integration remembers who connected it.
    #[must_use]
    pub fn as_connector(&self) -> ConnectedBy {
        ConnectedBy { user_id: self.user.clone(), name: self.name.clone() }
    }
}
