//! An authenticated caller, as described by the token.

use std::fmt;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::ids::{OrgId, OrgScope, UserId};
use crate::model::connection::ConnectedBy;
use crate::tr;

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
    /// The orgs that the caller belongs to: at most one for a person, any number for a program.
    pub orgs: Vec<OrgId>,
    /// Whether this is a program with credentials of its own instead of a person who logged in.
    pub is_program: bool,
}

/// The role of a caller.
///
/// Each use checks what a role permits. A role that is not named there permits nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[cfg_attr(test, derive(strum::EnumIter))]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Full access to their own org.
    Admin,
    /// Full access to every org.
    #[serde(rename = "superadmin", alias = "super_admin")] // sessions were stored with the alias
    SuperAdmin,
    /// Full access to their own org.
    Moderator,
    /// No access, unless the org's directory grants it.
    Other,
}

/// Why a caller may not act for an org.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AccessDenied {
    /// The role permits nothing here.
    Role,
    /// Not even an admin may do this.
    SuperAdminOnly,
    /// No org was selected, and the caller belongs to none.
    NoOrg,
    /// The directory of the caller's org says that they have left or are suspended.
    Inactive,
    /// The org is not the caller's, or the text cannot be an org's id.
    ForeignOrg,
}

impl fmt::Display for AccessDenied {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&match self {
            Self::Role => tr!("This needs the role admin, moderator or superadmin"),
            Self::SuperAdminOnly => tr!("This needs the role superadmin"),
            Self::NoOrg => tr!("Select an org"),
            Self::Inactive => tr!("The directory of your org says that you have left or are suspended"),
            Self::ForeignOrg => tr!("You do not belong to this org"),
        })
    }
}

impl Caller {
    /// The scope of the org that the caller selects: their own, or any for a superadmin.
    pub fn scope(&self, org: Option<&str>) -> Result<OrgScope, AccessDenied> {
        if self.role == Role::Other {
            return Err(AccessDenied::Role);
        }
        let org = org.map(str::trim).filter(|org| !org.is_empty()).ok_or(AccessDenied::NoOrg)?;
        let org = OrgId::parse(org).map_err(|_| AccessDenied::ForeignOrg)?;
        if self.role == Role::SuperAdmin || self.orgs.contains(&org) {
            Ok(OrgScope::new(org))
        } else {
            Err(AccessDenied::ForeignOrg)
        }
    }

    /// A person with credentials of the AWS account in which the stack is. They can read and write all of the table anyway;
    /// as a caller, they use the same operations as everyone, and are recorded. `identity` is what AWS calls them.
    #[must_use]
    pub fn operator(identity: &str) -> Self {
        const MAX_ID: usize = 128;
        // An ARN has slashes, which no id has.
        let allowed = |c: char| if c.is_ascii_alphanumeric() || "-_.@:".contains(c) { c } else { ':' };
        let id: String = identity.chars().map(allowed).collect();
        let id = id.get(id.len().saturating_sub(MAX_ID)..).unwrap_or_default().trim_start_matches('.');
        let user = UserId::parse(id).unwrap_or_else(|_| UserId::operator());
        Self { user, name: None, email: None, role: Role::SuperAdmin, orgs: Vec::new(), is_program: true }
    }

    /// The scope of any org, for what only a superadmin may do.
    pub fn scope_as_superadmin(&self, org: OrgId) -> Result<OrgScope, AccessDenied> {
        if self.role == Role::SuperAdmin { Ok(OrgScope::new(org)) } else { Err(AccessDenied::SuperAdminOnly) }
    }

    /// The scope of a person's own org, whatever their role. The org's directory must then say what a colleague without
    /// one of the roles may do in it.
    pub fn scope_of_colleague(&self) -> Result<OrgScope, AccessDenied> {
        self.orgs.first().filter(|_| !self.is_program).cloned().map(OrgScope::new).ok_or(AccessDenied::NoOrg)
    }

    /// The caller in the form in which an integration records who connected it.
    #[must_use]
    pub fn as_connector(&self) -> ConnectedBy {
        ConnectedBy { user_id: self.user.clone(), name: self.name.clone() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn caller(role: Role, org: Option<&str>) -> Caller {
        let orgs = org.map(|org| OrgId::parse(org).unwrap()).into_iter().collect();
        Caller { user: UserId::parse("u").unwrap(), name: None, email: None, role, orgs, is_program: false }
    }

    #[test]
    fn an_operator_has_an_id_that_says_who_it_is() {
        let arn = "arn:aws:sts::123456789012:assumed-role/Admin/ann";
        let operator = Caller::operator(arn);
        assert_eq!(operator.user.as_str(), "arn:aws:sts::123456789012:assumed-role:Admin:ann");
        assert!(operator.scope(Some("demo")).is_ok() && operator.scope_of_colleague().is_err());
        assert_eq!(Caller::operator(&"ä".repeat(300)).user.as_str().len(), 128);
        assert_eq!(Caller::operator("").user.as_str(), "operator");
    }

    #[test]
    fn an_org_is_reached_by_its_own_people_and_by_superadmins() {
        let check = |role, org, selected, expect: Result<&str, AccessDenied>| {
            let got = caller(role, org).scope(selected).map(|scope| scope.org().to_string());
            assert_eq!(got, expect.map(ToOwned::to_owned), "{role:?} {org:?} {selected:?}");
        };
        check(Role::Admin, Some("demo"), Some("demo"), Ok("demo"));
        check(Role::Moderator, Some("demo"), Some(" demo "), Ok("demo"));
        check(Role::SuperAdmin, None, Some("other"), Ok("other"));
        check(Role::Admin, Some("demo"), Some("other"), Err(AccessDenied::ForeignOrg));
        check(Role::Admin, Some("demo"), Some("demo#x"), Err(AccessDenied::ForeignOrg));
        check(Role::Admin, None, Some("demo"), Err(AccessDenied::ForeignOrg));
        check(Role::Admin, Some("demo"), None, Err(AccessDenied::NoOrg));
        check(Role::Admin, Some("demo"), Some(""), Err(AccessDenied::NoOrg));
        check(Role::Other, Some("demo"), Some("demo"), Err(AccessDenied::Role));
        let program = Caller { is_program: true, ..caller(Role::Admin, Some("demo")) };
        assert!(program.scope(Some("demo")).is_ok());
        assert!(program.scope(Some("other")).is_err());
        assert!(program.scope_of_colleague().is_err(), "a program is no colleague of anyone");
        assert!(caller(Role::Admin, Some("demo")).scope_as_superadmin(OrgId::parse("demo").unwrap()).is_err());
    }
}
