//! Who may do what: visitors whose role, or whose permission in the org's directory, admits them. An [`Admin`] may do
//! everything that the org's plan includes, a [`LeadReader`] may see the org's leads, a [`Seeker`] may look for things in
//! it, an [`Author`] may write posts, an
//! [`Advertiser`] may spend the org's money on campaigns, a [`Member`] may read and answer the inbox, and a [`Person`]
//! may change what concerns themselves.

use std::borrow::Cow;

use axum::extract::FromRequestParts;
use axum::response::{IntoResponse, Response};
use http::request::Parts;
use leadwire::directory::{Access, MetaAccess};
use leadwire::http::audit::trail_of;
use leadwire::http::{Problem, ProblemCode};
use leadwire::ids::OrgScope;
use leadwire::model::org::{Permission, User};
use leadwire::tr;
use strum::IntoEnumIterator;

use crate::session::{Visitor, select_first};
use crate::state::Console;

/// A user who may act for their org, whose plan includes Meta.
pub(crate) struct Admin {
    pub(crate) visitor: Visitor,
    pub(crate) access: MetaAccess,
}

/// A user who may see the org's leads.
pub(crate) struct LeadReader {
    pub(crate) visitor: Visitor,
    pub(crate) scope: OrgScope,
    /// What they may do with the leads. `None` for a colleague who may only see them.
    pub(crate) access: Option<Access>,
}

/// A user who may see at least one part of the org, and looks for something in all that they may see.
pub(crate) struct Seeker {
    pub(crate) visitor: Visitor,
    /// The org whose leads they may see.
    pub(crate) leads: Option<OrgScope>,
    /// Access to the org, if its plan includes Meta. Their permissions decide to what.
    pub(crate) meta: Option<MetaAccess>,
}

/// A user whom the org's directory knows, who may be anyone there.
pub(crate) struct Person {
    pub(crate) access: Access,
    /// Themselves in the directory.
    pub(crate) user: User,
}

/// A user who may write posts for the org, whose plan includes Meta.
pub(crate) struct Author {
    pub(crate) visitor: Visitor,
    pub(crate) access: MetaAccess,
}

/// A user who may create and launch campaigns for the org, whose plan includes Meta.
pub(crate) struct Advertiser {
    pub(crate) visitor: Visitor,
    pub(crate) access: MetaAccess,
}

/// A user who may read and answer the org's inbox, whose plan includes Meta.
pub(crate) struct Member {
    pub(crate) visitor: Visitor,
    pub(crate) access: MetaAccess,
}

impl FromRequestParts<Console> for Admin {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, console: &Console) -> Result<Self, Response> {
        let visitor = Visitor::from_request_parts(parts, console).await?;
        if visitor.has_to_select_org() {
            return Err(select_first(parts));
        }
        let access = begin(parts, visitor.access()).await.and_then(|access| with_meta(&visitor, access));
        Ok(Self { access: access.map_err(IntoResponse::into_response)?, visitor })
    }
}

impl FromRequestParts<Console> for LeadReader {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, console: &Console) -> Result<Self, Response> {
        let visitor = Visitor::from_request_parts(parts, console).await?;
        if visitor.has_to_select_org() {
            return Err(select_first(parts));
        }
        if visitor.is_admin() {
            let access = begin(parts, visitor.access()).await.map_err(IntoResponse::into_response)?;
            return Ok(Self { scope: access.scope.clone(), visitor, access: Some(access) });
        }
        let scope = scope_of_reader(&visitor).map_err(IntoResponse::into_response)?;
        Ok(Self { visitor, scope, access: None })
    }
}

impl FromRequestParts<Console> for Seeker {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, console: &Console) -> Result<Self, Response> {
        let visitor = Visitor::from_request_parts(parts, console).await?;
        if visitor.has_to_select_org() {
            return Err(select_first(parts));
        }
        Self::new(visitor).map_err(IntoResponse::into_response)
    }
}

impl Seeker {
    fn new(visitor: Visitor) -> Result<Self, Problem> {
        if !Permission::iter().any(|permission| visitor.may(permission)) {
            return Err(Problem::new(ProblemCode::NothingToSee, no_access(Permission::LeadManagement)));
        }
        let access = match visitor.is_admin() {
            true => visitor.access()?,
            false => Access::of_colleague(visitor.session.caller.clone())?,
        };
        let leads = visitor.may(Permission::LeadManagement).then(|| access.scope.clone());
        Ok(Self { leads, meta: with_meta(&visitor, access).ok(), visitor })
    }
}

impl FromRequestParts<Console> for Person {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, console: &Console) -> Result<Self, Response> {
        let visitor = Visitor::from_request_parts(parts, console).await?;
        let unknown = || {
            let detail = tr!("Your CRM has not added you to this org, so you get no mails.");
            Problem::new(ProblemCode::NothingToSee, detail).into_response()
        };
        let user = visitor.user().cloned().ok_or_else(unknown)?;
        let access = Access::of_colleague(visitor.session.caller).map_err(Problem::from);
        let access = begin(parts, access).await.map_err(IntoResponse::into_response)?;
        Ok(Self { access, user })
    }
}

impl FromRequestParts<Console> for Author {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, console: &Console) -> Result<Self, Response> {
        let (visitor, access) = permitted(parts, console, Permission::Publishing).await?;
        Ok(Self { visitor, access })
    }
}

impl FromRequestParts<Console> for Advertiser {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, console: &Console) -> Result<Self, Response> {
        let (visitor, access) = permitted(parts, console, Permission::AdsManagement).await?;
        Ok(Self { visitor, access })
    }
}

impl FromRequestParts<Console> for Member {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, console: &Console) -> Result<Self, Response> {
        let (visitor, access) = permitted(parts, console, Permission::Inbox).await?;
        Ok(Self { visitor, access })
    }
}

/// A visitor whose role or whose permission in the org's directory admits them.
async fn permitted(
    parts: &mut Parts,
    console: &Console,
    permission: Permission,
) -> Result<(Visitor, MetaAccess), Response> {
    let visitor = Visitor::from_request_parts(parts, console).await?;
    if visitor.has_to_select_org() {
        return Err(select_first(parts));
    }
    let access = if visitor.is_admin() { visitor.access() } else { colleague_access(&visitor, permission) };
    let access = begin(parts, access).await.and_then(|access| with_meta(&visitor, access));
    Ok((visitor, access.map_err(IntoResponse::into_response)?))
}

/// Records that the request's act begins.
async fn begin(parts: &Parts, access: Result<Access, Problem>) -> Result<Access, Problem> {
    Ok(access?.begin(trail_of(parts)).await?)
}

/// Checks that the org's plan includes Meta.
fn with_meta(visitor: &Visitor, access: Access) -> Result<MetaAccess, Problem> {
    Ok(MetaAccess::check(access, visitor.org.as_ref())?)
}

/// What a colleague without an admin's role may do, if their org's directory gives them this permission.
fn colleague_access(visitor: &Visitor, permission: Permission) -> Result<Access, Problem> {
    if !visitor.may(permission) {
        return Err(Problem::new(ProblemCode::NothingToSee, no_access(permission)));
    }
    Ok(Access::of_colleague(visitor.session.caller.clone())?)
}

/// The org whose leads a colleague without an admin's role may see: their own, if its directory says that they manage
/// leads.
fn scope_of_reader(visitor: &Visitor) -> Result<OrgScope, Problem> {
    if visitor.may(Permission::LeadManagement) {
        return Ok(visitor.session.caller.scope_of_colleague()?);
    }
    Err(Problem::new(ProblemCode::NothingToSee, no_access(Permission::LeadManagement)))
}

/// Who can give a visitor the permission that they lack.
fn no_access(permission: Permission) -> Cow<'static, str> {
    match permission {
        Permission::Publishing => {
            tr!("You cannot open this section. Ask an admin of your CRM for the permission to publish posts.")
        }
        Permission::AdsManagement => {
            tr!("You cannot open this section. Ask an admin of your CRM for the permission to manage campaigns.")
        }
        Permission::Inbox => {
            tr!("You cannot open this section. Ask an admin of your CRM for the permission to use the inbox.")
        }
        Permission::LeadManagement => {
            tr!("You cannot open this section. Ask an admin of your CRM for the permission to manage leads.")
        }
    }
}

#[cfg(test)]
mod tests {
    use leadwire::model::caller::Role;

    use super::*;
    use crate::session::tests::visitor;

    #[test]
    fn a_colleague_publishes_only_with_the_permission() {
        let allowed = |role, permissions: &[Permission]| {
            colleague_access(&visitor(role, permissions), Permission::Publishing).is_ok()
        };
        assert!(allowed(Role::Other, &[Permission::Publishing]));
        assert!(!allowed(Role::Other, &[]) && !allowed(Role::Other, &[Permission::LeadManagement]));
        assert!(scope_of_reader(&visitor(Role::Other, &[Permission::LeadManagement])).is_ok());
        assert!(
            scope_of_reader(&visitor(Role::Other, &[Permission::Publishing])).is_err(),
            "leads are another permission"
        );
        let mut unknown = visitor(Role::Other, &[Permission::Publishing]);
        unknown.colleague = None;
        assert!(colleague_access(&unknown, Permission::Publishing).is_err());
        let mut basic = visitor(Role::Other, &[Permission::Publishing]);
        basic.org = None;
        let access = colleague_access(&basic, Permission::Publishing).unwrap();
        assert_eq!(with_meta(&basic, access).unwrap_err().status, 402, "the plan decides too");
    }

    #[test]
    fn who_looks_for_something_is_found_what_they_may_see() {
        let seeker = |role, permissions: &[Permission]| Seeker::new(visitor(role, permissions));
        let of_inbox = seeker(Role::Other, &[Permission::Inbox]).unwrap();
        assert!(of_inbox.leads.is_none() && of_inbox.meta.is_some());
        assert!(seeker(Role::Other, &[Permission::LeadManagement]).unwrap().leads.is_some());
        assert!(seeker(Role::Admin, &[]).unwrap().leads.is_some());
        assert_eq!(seeker(Role::Other, &[]).err().map(|problem| problem.status), Some(403));
        let mut basic = visitor(Role::Admin, &[]);
        basic.org = None;
        let basic = Seeker::new(basic).unwrap();
        assert!(basic.leads.is_some() && basic.meta.is_none(), "the plan decides too");
    }
}
