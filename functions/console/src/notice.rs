//! What an act came to, told on the next page, once.

use axum::response::{IntoResponse, Redirect, Response};
use axum_extra::extract::PrivateCookieJar;
use axum_extra::extract::cookie::{Cookie, SameSite};
use leadwire::http::Problem;
use serde::{Deserialize, Serialize};

use crate::{elements, visitor};

const COOKIE: &str = "leadwire-notice";

/// What an act came to.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Notice {
    pub(crate) is_failure: bool,
    pub(crate) text: String,
}

impl Notice {
    pub(crate) fn done(text: impl Into<String>) -> Self {
        Self { is_failure: false, text: text.into() }
    }

    pub(crate) fn failed(text: impl Into<String>) -> Self {
        Self { is_failure: true, text: text.into() }
    }

    /// The notice that waits to be told.
    pub(crate) fn waiting(jar: &PrivateCookieJar) -> Option<Self> {
        serde_json::from_str(jar.get(COOKIE)?.value()).ok()
    }

    /// Has it told on the next page.
    pub(crate) fn put(&self, jar: PrivateCookieJar) -> PrivateCookieJar {
        // A cookie holds 4 KB, encrypted.
        let short = Self { text: self.text.chars().take(600).collect(), ..*self };
        let said = serde_json::to_string(&short).unwrap_or_default();
        // As the session's.
        let secure = jar.get("__Host-leadwire").is_some();
        let cookie = Cookie::build((COOKIE, said)).path("/").http_only(true).same_site(SameSite::Lax).secure(secure);
        jar.add(cookie.max_age(time::Duration::minutes(1)))
    }

    /// Has been told.
    pub(crate) fn told(jar: PrivateCookieJar) -> PrivateCookieJar {
        jar.remove(Cookie::build(COOKIE).path("/"))
    }
}

/// Goes on with a page that tells what an act came to. What failed on our side is a page of its own.
pub(crate) fn told_at(path: &str, jar: PrivateCookieJar, outcome: Result<String, Problem>) -> Response {
    // Ids in an address are anybody's to write.
    if visitor::local(path).is_none() {
        return Problem::not_found("page").into_response();
    }
    let notice = match outcome {
        Ok(done) => Notice::done(done),
        // That page would not be there.
        Err(problem) if problem.code == "unavailable" || problem.status == 404 => return problem.into_response(),
        Err(problem) => Notice::from(&problem),
    };
    (notice.put(jar), Redirect::to(path)).into_response()
}

impl From<&Problem> for Notice {
    fn from(problem: &Problem) -> Self {
        Self::failed(elements::words(problem))
    }
}
