//! The caller's session: the access token, its proof, and what it permits.

use super::error::GraphError;
use super::request::Request;
use crate::media::fetch::{Expected, Failure, Fetched, Wanted};
use crate::signing;
use crate::world::World;
use crate::world::person::User;
use crate::world::token::{Grant, TokenKind};

/// The owner of a call's token.
#[derive(Debug, Clone)]
pub(crate) enum Session {
    /// `APPID|SECRET`.
    App,
    /// A user token, of a person or a system user.
    User { user_id: String, token: String },
    /// A page token, and the person through whom it was issued.
    Page { page_id: String, user_id: String, token: String },
}

/// A call in progress.
pub(crate) struct Call<'w> {
    pub(crate) world: &'w mut World,
    pub(crate) request: &'w Request,
    /// The version that serves the call.
    pub(crate) version: u32,
    pub(crate) session: Session,
    pub(crate) downloads: Downloads,
}

/// Files from the web. An endpoint that needs one names it and returns; it is run again once the file is there.
#[derive(Debug, Default)]
pub(crate) struct Downloads {
    pub(crate) wanted: Vec<Wanted>,
    pub(crate) done: Vec<(Wanted, Result<Fetched, Failure>)>,
}

impl Call<'_> {
    /// Returns a file from the web. `None` if it is not there yet: the endpoint then returns at once, with any value.
    pub(crate) fn download(&mut self, url: &str, expected: Expected) -> Option<Result<Fetched, Failure>> {
        let wanted = Wanted { url: url.to_owned(), expected };
        let done = self.downloads.done.iter().find(|(known, _)| *known == wanted);
        if done.is_none() {
            self.downloads.wanted.push(wanted);
        }
        done.map(|(_, result)| result.clone())
    }

    /// Returns the person behind the token. `None` for an app token.
    pub(crate) fn user_id(&self) -> Option<&str> {
        match &self.session {
            Session::App => None,
            Session::User { user_id, .. } | Session::Page { user_id, .. } => Some(user_id),
        }
    }

    /// Returns the user token's person, for calls that require a user token.
    pub(crate) fn person(&self) -> Result<String, GraphError> {
        match &self.session {
            Session::User { user_id, .. } => Ok(user_id.clone()),
            Session::App | Session::Page { .. } => Err(GraphError::syntax(
                "An active access token must be used to query information about the current user.",
            )),
        }
    }

    /// Returns the token's own grant, or that of the person behind it.
    pub(crate) fn grant(&self) -> Option<&Grant> {
        match &self.session {
            Session::App => None,
            Session::User { token, .. } | Session::Page { token, .. } => {
                self.world.grant_behind(self.world.tokens.get(token)?)
            }
        }
    }

    /// Returns whether the token belongs to a system user.
    pub(crate) fn is_of_system_user(&self) -> bool {
        self.user_id().and_then(|user_id| self.world.user(user_id)).is_some_and(User::is_system)
    }

    /// Returns whether the person granted `scope`. For a page token, the person's consent must also cover the page.
    pub(crate) fn has_scope(&self, scope: &str) -> bool {
        let Some(grant) = self.grant() else { return false };
        let covered = match &self.session {
            Session::Page { page_id, .. } => grant.covers_page(page_id),
            Session::App | Session::User { .. } => true,
        };
        covered && grant.has(scope)
    }

    /// Requires a permission.
    ///
    /// # Errors
    /// Returns 200 naming the permission.
    pub(crate) fn require_scope(&self, scope: &str) -> Result<(), GraphError> {
        if self.has_scope(scope) { Ok(()) } else { Err(GraphError::requires_scope(scope)) }
    }

    /// Requires the page's own token.
    ///
    /// # Errors
    /// Returns 190/2069032 for a user or app token, 100/33 for another page's token.
    pub(crate) fn require_page_token(&self, page_id: &str, visible_as: &str) -> Result<(), GraphError> {
        match &self.session {
            Session::Page { page_id: own, .. } if own == page_id => Ok(()),
            Session::Page { .. } => Err(GraphError::not_visible(&self.request.method, visible_as)),
            Session::User { .. } | Session::App => Err(GraphError::page_token_required()),
        }
    }

    /// Requires one of the tasks on the page.
    ///
    /// # Errors
    /// Returns 200 if the person behind the token has none of them.
    pub(crate) fn require_task(&self, page_id: &str, tasks: &[&str]) -> Result<(), GraphError> {
        let has = self.user_id().is_some_and(|user_id| self.world.has_task(user_id, page_id, tasks));
        if has { Ok(()) } else { Err(GraphError::requires_task(tasks)) }
    }
}

/// Opens the session of a request: checks the token and its proof.
///
/// # Errors
/// Returns 104 (2500 for `/me`) without a token, 190 for an invalid or foreign token, 100 for a wrong or missing proof.
pub(crate) fn open(world: &World, request: &Request) -> Result<Session, GraphError> {
    let Some(text) = request.param("access_token").filter(|text| !text.is_empty()) else {
        return Err(if request.path.first().is_some_and(|segment| segment == "me") {
            GraphError::syntax("An active access token must be used to query information about the current user.")
        } else {
            GraphError::new(400, 104, "An access token is required to request this resource.")
        });
    };
    let session = session_of(world, text)?;
    check_proof(world, request, text, matches!(session, Session::App))?;
    Ok(session)
}

/// Returns the session of a token, without a proof.
pub(crate) fn session_of(world: &World, text: &str) -> Result<Session, GraphError> {
    if is_app_token(world, text)? {
        return Ok(Session::App);
    }
    let token = world.tokens.get(text).ok_or_else(GraphError::malformed_token)?;
    let now = world.clock.now_s();
    if let Some(refusal) = token.refused(now) {
        return Err(GraphError::refused(refusal, &world.app.id, token.expires_s, now));
    }
    Ok(match &token.kind {
        TokenKind::User | TokenKind::SystemUser => {
            Session::User { user_id: token.user_id.clone(), token: text.to_owned() }
        }
        TokenKind::Page { page_id } => {
            Session::Page { page_id: page_id.clone(), user_id: token.user_id.clone(), token: text.to_owned() }
        }
    })
}

/// Returns whether `text` is this app's token, the literal `APPID|APPSECRET`.
///
/// # Errors
/// Returns 190 if `text` has that form but is wrong.
pub(crate) fn is_app_token(world: &World, text: &str) -> Result<bool, GraphError> {
    match text.split_once('|') {
        None => Ok(false),
        Some((id, secret)) if id == world.app.id && secret == world.app.secret => Ok(true),
        Some(_) => Err(GraphError::new(400, 190, "Invalid OAuth access token signature.")),
    }
}

fn check_proof(world: &World, request: &Request, token: &str, is_app: bool) -> Result<(), GraphError> {
    // An app token already proves that the caller knows the secret.
    if world.app.require_proof && !is_app && request.param("appsecret_proof").is_none() {
        return Err(GraphError::proof("API calls from the server require an appsecret_proof argument"));
    }
    check_proof_if_sent(world, request, token)
}

/// Checks the proof if the call carries one.
///
/// # Errors
/// Returns 100 if the proof is not that of this token.
pub(crate) fn check_proof_if_sent(world: &World, request: &Request, token: &str) -> Result<(), GraphError> {
    match request.param("appsecret_proof") {
        Some(proof) if proof != signing::appsecret_proof(&world.app.secret, token) => {
            Err(GraphError::proof("Invalid appsecret_proof provided in the API argument"))
        }
        Some(_) | None => Ok(()),
    }
}
