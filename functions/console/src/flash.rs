//! The outcome of an action, shown once, on the next page.

use axum::response::{IntoResponse, Redirect, Response};
use axum_extra::extract::PrivateCookieJar;
use axum_extra::extract::cookie::{Cookie, SameSite};
use leadwire::error::ErrorCode;
use leadwire::http::{Problem, ProblemCode};
use leadwire::tr;
use serde::{Deserialize, Serialize};

use crate::acts::Showing;
use crate::messages;
use crate::request::local_path;

/// The flash's cookie, beside a session's cookie over TLS and without.
const FLASH_COOKIES: [&str; 2] = ["__Host-leadwire-notice", "leadwire-notice"];

/// The outcome of an action.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Flash {
    pub(crate) is_failure: bool,
    pub(crate) text: String,
    /// The address of the form that undoes the action.
    #[serde(default)]
    pub(crate) undo: Option<String>,
    /// What to do next: the labels of pages with their addresses.
    #[serde(default)]
    pub(crate) next: Vec<(String, String)>,
}

impl Flash {
    pub(crate) fn done(text: impl Into<String>) -> Self {
        Self { is_failure: false, text: text.into(), undo: None, next: Vec::new() }
    }

    pub(crate) fn failed(text: impl Into<String>) -> Self {
        Self { is_failure: true, text: text.into(), undo: None, next: Vec::new() }
    }

    /// The flash that waits to be shown.
    pub(crate) fn waiting(jar: &PrivateCookieJar) -> Option<Self> {
        serde_json::from_str(jar.get(cookie_name(jar).0)?.value()).ok()
    }

    /// Shows the flash on the next page.
    #[expect(clippy::expect_used, reason = "a text and a flag can be serialised")]
    pub(crate) fn put(&self, jar: PrivateCookieJar) -> PrivateCookieJar {
        // A cookie holds 4 KB, encrypted.
        let short = Self { text: self.text.chars().take(600).collect(), ..self.clone() };
        let json = serde_json::to_string(&short).expect("a text and a flag");
        let (name, secure) = cookie_name(&jar);
        let cookie = Cookie::build((name, json)).path("/").http_only(true).same_site(SameSite::Lax).secure(secure);
        jar.add(cookie.max_age(time::Duration::minutes(1)))
    }

    /// Clears the flash.
    pub(crate) fn clear(jar: PrivateCookieJar) -> PrivateCookieJar {
        FLASH_COOKIES
            .into_iter()
            .fold(jar, |jar, name| jar.remove(Cookie::build(name).path("/").secure(name.starts_with("__Host-"))))
    }
}

/// Whether cookies are sent over TLS only, as this session's is.
pub(crate) fn is_secure(jar: &PrivateCookieJar) -> bool {
    jar.get("__Host-leadwire").is_some()
}

/// The name of the flash's cookie beside this session's, and whether it is sent over TLS only.
fn cookie_name(jar: &PrivateCookieJar) -> (&'static str, bool) {
    let is_secure = is_secure(jar);
    (if is_secure { FLASH_COOKIES[0] } else { FLASH_COOKIES[1] }, is_secure)
}

/// Redirects to a page that reports the outcome. A failure on our side is shown as a page of its own instead.
pub(crate) fn redirect_with(path: &str, jar: PrivateCookieJar, outcome: Result<impl Into<Flash>, Problem>) -> Response {
    // The path contains ids from the address, which anyone can write.
    if local_path(path).is_none() {
        return Problem::new(ProblemCode::NoSuchPage, tr!("There is nothing at this address.")).into_response();
    }
    let problem = outcome.as_ref().err().cloned();
    let flash = match outcome {
        Ok(done) => done.into(),
        // The page to redirect to would not be there either.
        Err(problem) if problem.code.is(ErrorCode::Unavailable) || problem.status == 404 => {
            return problem.into_response();
        }
        Err(problem) => Flash::from(&problem),
    };
    (flash.put(jar), Redirect::to(path)).into_response().showing(problem.as_ref())
}

impl From<String> for Flash {
    fn from(done: String) -> Self {
        Self::done(done)
    }
}

impl From<&Problem> for Flash {
    fn from(problem: &Problem) -> Self {
        Self::failed(messages::text(problem))
    }
}
