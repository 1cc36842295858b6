//! Who may act for what: by their token, and by what the directory says of them and of their org.

use std::ops::Deref;

use super::{Directory, invalid_id};
use crate::audit::Trail;
use crate::error::{ActError, ErrorCode};
use crate::ids::{OrgId, OrgScope};
use crate::model::audit::AuditAct;
use crate::model::caller::{AccessDenied, Caller, Role};
use crate::model::limit::OrgLimit;
use crate::model::org::{Org, Permission, User};
use crate::table::Table;
use crate::tr;

/// A caller who may act for an org.
#[derive(Debug, Clone)]
pub struct Access {
    /// The org.
    pub scope: OrgScope,
    /// The caller.
    pub caller: Caller,
    /// Takes down what the caller changes.
    pub trail: Trail,
}

impl Access {
    /// Grants a caller access to the org that they select.
    pub fn new(caller: Caller, org: Option<&str>) -> Result<Self, AccessDenied> {
        Ok(Self { scope: caller.scope(org)?, caller, trail: Trail::default() })
    }

    /// Grants a person access to their own org, whatever their role. What they may do there, the org's directory says.
    pub fn of_colleague(caller: Caller) -> Result<Self, AccessDenied> {
        Ok(Self { scope: caller.scope_of_colleague()?, caller, trail: Trail::default() })
    }

    /// Counts an expensive request of the org.
    ///
    /// # Errors
    /// [`ActError::Limited`] if it is one too many in this minute.
    pub async fn count(&self, table: &Table, limit: OrgLimit) -> Result<(), ActError> {
        match table.count_request(&self.scope, limit, crate::clock::now()).await? {
            None => Ok(()),
            Some(seconds) => Err(ActError::Limited(limit, seconds)),
        }
    }

    /// Records that the request's act begins, and takes down in its trail what is changed with this access.
    ///
    /// # Errors
    /// Fails if that cannot be recorded; the act must not be carried out then.
    pub async fn begin(self, trail: Trail) -> Result<Self, ActError> {
        trail.begin(&self.scope, &self.caller).await?;
        Ok(Self { trail, ..self })
    }

    /// Records that this act begins, where a request can be several.
    ///
    /// # Errors
    /// As [`Access::begin`].
    pub async fn begin_as(&self, act: AuditAct) -> Result<(), ActError> {
        self.trail.begin_as(act, &self.scope, &self.caller).await
    }
}

/// A caller who may act for an org whose plan includes Meta.
#[derive(Debug, Clone)]
pub struct MetaAccess(Access);

impl MetaAccess {
    /// Checks the plan of an org that was just read. An org that was not found has no plan.
    ///
    /// # Errors
    /// Returns [`ErrorCode::MetaNotInPlan`] if the plan does not include Meta.
    pub fn check(access: Access, org: Option<&Org>) -> Result<Self, ActError> {
        if org.is_some_and(|org| org.id == *access.scope.org() && org.has_meta()) {
            return Ok(Self(access));
        }
        let message = tr!("The plan of this org does not include the Meta integration. Upgrade the plan to use it.");
        Err(ActError::refuse(ErrorCode::MetaNotInPlan, message))
    }
}

impl Deref for MetaAccess {
    type Target = Access;

    fn deref(&self) -> &Access {
        &self.0
    }
}

impl Directory {
    /// Checks that the plan of the caller's org includes Meta.
    ///
    /// # Errors
    /// Returns [`ErrorCode::MetaNotInPlan`] if it does not.
    pub async fn meta_access(&self, access: Access) -> Result<MetaAccess, ActError> {
        let org = self.table.org(&access.scope).await?;
        MetaAccess::check(access, org.as_ref())
    }

    /// Checks that a caller may do what a permission allows. Admins, moderators and superadmins may; any other colleague
    /// needs the permission in the org's directory, where [`Directory::admit`] found them.
    pub fn permitted_access(
        caller: Caller,
        colleague: Option<&User>,
        org: Option<&str>,
        permission: Permission,
    ) -> Result<Access, AccessDenied> {
        if caller.role != Role::Other {
            return Access::new(caller, org);
        }
        let scope = caller.scope_of_colleague().map_err(|_| AccessDenied::Role)?;
        if org.map(str::trim).is_some_and(|org| org != scope.org().as_str()) {
            return Err(AccessDenied::ForeignOrg);
        }
        if !colleague.is_some_and(|user| user.may(permission)) {
            return Err(AccessDenied::Role);
        }
        Access::of_colleague(caller)
    }

    /// The caller in the directory of their own org, if the CRM has pushed them. What their token says may be older than
    /// what the CRM has pushed since.
    ///
    /// The login may identify people by ids of its own; the directory and the token both have the e-mail address.
    ///
    /// # Errors
    /// [`AccessDenied::Inactive`] for those who have left or are suspended, whatever their role.
    pub async fn admit(&self, caller: &Caller) -> Result<Option<User>, ActError> {
        let found = self.find_colleague(caller).await?;
        if found.as_ref().is_some_and(|user| !user.active) {
            return Err(AccessDenied::Inactive.into());
        }
        Ok(found)
    }

    async fn find_colleague(&self, caller: &Caller) -> Result<Option<User>, ActError> {
        let Ok(scope) = caller.scope_of_colleague() else { return Ok(None) };
        if let Some(user) = self.table.user(&scope, &caller.user).await? {
            return Ok(Some(user));
        }
        let Some(email) = &caller.email else { return Ok(None) };
        let found = self.table.users_with_email(&scope, email).await?;
        // A person who came back may have an id of their time before, too.
        Ok(found.iter().find(|user| user.active).or(found.first()).cloned())
    }

    /// Checks that a caller may say what an org has paid for: a superadmin, for any org.
    ///
    /// # Errors
    /// [`AccessDenied::SuperAdminOnly`], and the field `id` that cannot be an org's.
    pub fn superadmin_access(caller: Caller, id: &str) -> Result<Access, ActError> {
        let org = OrgId::parse(id).map_err(|error| invalid_id(&error))?;
        Ok(Access { scope: caller.scope_as_superadmin(org)?, caller, trail: Trail::default() })
    }
}
