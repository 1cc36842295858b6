//! Who requests a page: a [`Visitor`] is logged in. What they may do there, [`crate::actor`] decides.

use std::borrow::Cow;

use axum::extract::{FromRef, FromRequestParts, OriginalUri};
use axum::response::{IntoResponse, Redirect, Response};
use axum_extra::extract::PrivateCookieJar;
use axum_extra::extract::cookie::Key;
use http::request::Parts;
use leadwire::directory::Access;
use leadwire::error::ActError;
use leadwire::http::audit::trail_of;
use leadwire::http::{Problem, ProblemCode};
use leadwire::ids::{OrgId, OrgScope};
use leadwire::model::caller::Role;
use leadwire::model::org::{Org, Permission, User};
use leadwire::model::session::Session;
use leadwire::tr;
use url::Url;

use crate::csrf::FormScope;
use crate::flash::Flash;
use crate::language;
use crate::renewal;
use crate::request::{referer_path, wants_fragment};
use crate::state::Console;

/// A logged-in user.
#[derive(Clone)]
pub(crate) struct Visitor {
    secret: String,
    pub(crate) session: Session,
    /// The org that they act for, as described by the CRM.
    pub(crate) org: Option<Org>,
    /// Themselves in the org's directory.
    pub(crate) colleague: Option<User>,
    /// Proves that a form was made for this session.
    pub(crate) form_key: String,
    /// The outcome of the last action, shown once.
    pub(crate) flash: Option<Flash>,
    /// The org's parked leads, up to [`MAX_PARKED`]; 0 in a fragment, which shows no navigation.
    pub(crate) parked: usize,
    /// The org's unread conversations, up to [`MAX_UNREAD`]; 0 in a fragment. The navigation shows it to those who may read them.
    pub(crate) unread: usize,
}

/// Parked leads that the navigation counts.
pub(crate) const MAX_PARKED: usize = 100;
/// Unread conversations that the navigation counts.
pub(crate) const MAX_UNREAD: usize = 10;

/// The name of the session's cookie.
pub(crate) const SESSION_COOKIE: &str = "leadwire";

/// The full name of a cookie, and whether it is sent over TLS only.
///
/// With the `__Host-` prefix, browsers accept it from this exact host only: another host under the same domain cannot
/// plant a session or a login that is not the user's own. Such a cookie has the path `/`.
pub(crate) fn host_cookie(name: &str, origin: &Url) -> (String, bool) {
    let is_secure = origin.scheme() == "https";
    (if is_secure { format!("__Host-{name}") } else { name.to_owned() }, is_secure)
}

impl Visitor {
    pub(crate) fn secret(&self) -> &str {
        &self.secret
    }

    /// The same visitor, for a page that shows no flash.
    pub(crate) fn without_flash(&self) -> Self {
        Self { flash: None, ..self.clone() }
    }

    /// Whether they may act here, rather than only see leads.
    pub(crate) fn is_admin(&self) -> bool {
        self.session.caller.role != Role::Other
    }

    /// Whether they may do what a permission of the org's directory allows.
    pub(crate) fn may(&self, permission: Permission) -> bool {
        self.is_admin() || self.colleague.as_ref().is_some_and(|user| user.may(permission))
    }

    /// Themselves in the directory of the org that they act for.
    pub(crate) fn user(&self) -> Option<&User> {
        let own = self.session.caller.scope_of_colleague().ok();
        let is_own = own.is_some_and(|own| Some(own.org()) == self.session.acts_for());
        self.colleague.as_ref().filter(|_| is_own)
    }

    /// Whether the org's plan includes Meta.
    pub(crate) fn has_meta(&self) -> bool {
        self.org.as_ref().is_some_and(Org::has_meta)
    }

    pub(crate) fn is_superadmin(&self) -> bool {
        self.session.caller.role == Role::SuperAdmin
    }

    /// Whether they are a superadmin who has not selected an org yet.
    pub(crate) fn has_to_select_org(&self) -> bool {
        self.is_superadmin() && self.session.acts_for().is_none()
    }

    pub(crate) fn name(&self) -> Cow<'_, str> {
        self.session.caller.name.as_deref().map_or_else(|| tr!("Unknown user"), Cow::Borrowed)
    }

    /// The org's name, or its id until the CRM has pushed a name.
    pub(crate) fn org_name(&self) -> Option<&str> {
        self.org.as_ref().map(|org| org.name.as_str()).or(self.session.acts_for().map(OrgId::as_str))
    }

    pub(crate) fn access(&self) -> Result<Access, Problem> {
        Ok(Access::new(self.session.caller.clone(), self.session.acts_for().map(OrgId::as_str))?)
    }
}

/// The secret of the session that the request's cookie names, if there is a cookie.
pub(crate) fn secret_of(console: &Console, parts: &Parts, jar: &PrivateCookieJar) -> Option<String> {
    let (name, _) = host_cookie(SESSION_COOKIE, &console.origin(parts).ok()?);
    Some(jar.get(&name)?.value().to_owned())
}

impl FromRequestParts<Console> for Visitor {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, console: &Console) -> Result<Self, Response> {
        let jar = PrivateCookieJar::from_headers(&parts.headers, Key::from_ref(console));
        let Some(secret) = secret_of(console, parts, &jar) else { return Err(first_log_in(parts, jar)) };
        let origin = console.origin(parts).map_err(IntoResponse::into_response)?;
        let session = renewal::confirmed_session(console, &origin, &secret, leadwire::clock::now()).await;
        let Some(session) = session.map_err(IntoResponse::into_response)? else {
            return Err(first_log_in(parts, jar));
        };
        let scope = match (session.acts_for(), session.caller.role) {
            (None, _) => None,
            (Some(_), Role::Other) => session.caller.scope_of_colleague().ok(),
            (Some(org), _) => session.caller.scope(Some(org.as_str())).ok(),
        };
        let org = async {
            match &scope {
                Some(scope) => console.rooms.directory.find_org(scope).await,
                None => Ok(None),
            }
        };
        let counted = SectionCounts::read(console, scope.as_ref().filter(|_| is_page(parts)), session.caller.role);
        let read = async { tokio::try_join!(org, console.rooms.directory.admit(&session.caller)) };
        let (read, counted) = tokio::join!(read, counted);
        let (org, colleague) = read.map_err(|error| Problem::from(error).into_response())?;
        if let Some(user) = &colleague {
            trail_of(parts).set_user(&user.id);
        }
        let account_language = colleague.as_ref().and_then(|user| user.language.as_deref());
        language::speak_as_account(&parts.headers, account_language);
        let acts_for = session.acts_for().map_or("", OrgId::as_str);
        let form_scope = FormScope::new(&secret, acts_for);
        let form_key = form_scope.sign(&console.console_key);
        parts.extensions.insert(form_scope);
        let flash = Flash::waiting(&jar);
        let SectionCounts { parked, unread } = counted;
        Ok(Self { secret, session, org, colleague, form_key, flash, parked, unread })
    }
}

/// Whether a page is requested, which shows the navigation.
fn is_page(parts: &Parts) -> bool {
    parts.method.is_safe() && !wants_fragment(&parts.headers)
}

/// What the navigation counts. Without a number, the page is worth the same.
struct SectionCounts {
    parked: usize,
    unread: usize,
}

impl SectionCounts {
    /// Counts all at once, in one call each. Whether a colleague may see a number is not known yet.
    async fn read(console: &Console, scope: Option<&OrgScope>, role: Role) -> Self {
        let Some(scope) = scope else { return Self { parked: 0, unread: 0 } };
        let parked = async {
            match role {
                Role::Other => Ok(0),
                _ => console.rooms.leads.count_parked(scope, MAX_PARKED).await,
            }
        };
        let (parked, unread) = tokio::join!(parked, console.rooms.inbox.count_unread(scope, MAX_UNREAD));
        let or_none = |what: &str, number: Result<usize, ActError>| {
            number.unwrap_or_else(|error| {
                tracing::warn!(%error, what, org = %scope.org(), "a number of the navigation cannot be counted");
                0
            })
        };
        Self { parked: or_none("parked leads", parked), unread: or_none("unread conversations", unread) }
    }
}

/// Sends a superadmin without an org to select one, and afterwards to where they were going.
pub(crate) fn select_first(parts: &Parts) -> Response {
    let address = parts.extensions.get::<OriginalUri>().map_or(&parts.uri, |OriginalUri(whole)| whole);
    let wanted = address.path_and_query().map(ToString::to_string).filter(|_| parts.method.is_safe());
    let mut orgs = String::from("/orgs?back=");
    orgs.extend(url::form_urlencoded::byte_serialize(wanted.unwrap_or_default().as_bytes()));
    Redirect::to(&orgs).into_response()
}

/// Sends a request without a session to the login, and afterwards to where it was going. A submitted form is discarded.
fn first_log_in(parts: &Parts, jar: PrivateCookieJar) -> Response {
    let is_read = matches!(parts.method, http::Method::GET | http::Method::HEAD);
    // A nested router sees only its own part of the address.
    let address = parts.extensions.get::<OriginalUri>().map_or(&parts.uri, |OriginalUri(whole)| whole);
    let wanted = address.path_and_query().map(ToString::to_string);
    // After a discarded form, return to the page that contains it.
    let back = if is_read { wanted } else { referer_path(&parts.headers) };
    let mut login = String::from("/login?back=");
    login.extend(url::form_urlencoded::byte_serialize(back.unwrap_or_default().as_bytes()));
    if wants_fragment(&parts.headers) {
        let ended = Problem::new(ProblemCode::SessionEnded, tr!("Your session has ended. Reload the page to log in."));
        return ended.into_response();
    }
    if is_read {
        return Redirect::to(&login).into_response();
    }
    let flash = Flash::failed(tr!("Your session had ended, so nothing was changed. Please try again."));
    (flash.put(jar), Redirect::to(&login)).into_response()
}

#[cfg(test)]
pub(crate) mod tests {
    use leadwire::ids::UserId;
    use leadwire::model::caller::Caller;

    use super::*;

    /// A visitor of the org `demo`, with these permissions in its directory if the role decides nothing.
    pub(crate) fn visitor(role: Role, permissions: &[Permission]) -> Visitor {
        let (org, user) = (OrgId::parse("demo").unwrap(), UserId::parse("u").unwrap());
        let at = "2026-11-28T00:00:00Z".parse().unwrap();
        let colleague = User {
            id: user.clone(),
            name: "Una".to_owned(),
            email: "una@demo.example".to_owned(),
            role: None,
            active: true,
            permissions: permissions.iter().map(|permission| permission.name().to_owned()).collect(),
            language: None,
            updated_at: at,
        };
        let caller = Caller {
            user,
            name: Some("Una".to_owned()),
            email: None,
            role,
            orgs: vec![org.clone()],
            is_program: false,
        };
        let plan = leadwire::model::org::Plan { name: "pro".to_owned(), features: vec!["meta".to_owned()] };
        let org = Org {
            id: org,
            name: "Northwind".to_owned(),
            plan,
            default_country: None,
            daily_spend_limit: None,
            keep_leads_days: None,
            updated_at: at,
        };
        Visitor {
            secret: String::new(),
            session: Session::begin(caller, None, at),
            org: Some(org),
            colleague: (role == Role::Other).then_some(colleague),
            form_key: "key".to_owned(),
            flash: None,
            parked: 0,
            unread: 0,
        }
    }
}
