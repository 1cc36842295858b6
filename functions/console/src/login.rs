//! Logging in and out: the handlers around the issuer's login page.

use axum::extract::{Query, State};
use axum::response::{IntoResponse, Redirect, Response};
use axum_extra::extract::PrivateCookieJar;
use axum_extra::extract::cookie::{Cookie, SameSite};
use http::request::Parts;
use leadwire::directory::Access;
use leadwire::http::Problem;
use leadwire::model::session::{LIFETIME, Session};
use leadwire::tr;
use oauth2::CsrfToken;
use serde::{Deserialize, Serialize};

use crate::acts::RequestTrail;
use crate::flash::Flash;
use crate::form::Fields;
use crate::layout;
use crate::oidc::{self, Confirmed, PendingLogin};
use crate::renewal::Sealer;
use crate::request::local_path;
use crate::session::{self, SESSION_COOKIE, Visitor};
use crate::state::Console;

/// Maximum number of concurrent logins in one browser.
const MAX_PENDING_LOGINS: usize = 4;
/// What the names of the logins' cookies have in common.
const LOGIN_COOKIE: &str = "login-";
/// Maximum time on the issuer's page.
const LOGIN_TIMEOUT: time::Duration = time::Duration::minutes(15);

/// The content of a login's cookie.
#[derive(Serialize, Deserialize)]
struct LoginCookie {
    pending: PendingLogin,
    /// The path of this console to continue at.
    back: String,
}

/// Where the user was going.
#[derive(Deserialize)]
pub(crate) struct Wanted {
    #[serde(default)]
    pub(crate) back: String,
}

/// Sends the user to the issuer's login page.
pub(crate) async fn begin(
    State(console): State<Console>,
    Query(wanted): Query<Wanted>,
    jar: PrivateCookieJar,
    parts: Parts,
) -> Result<Response, Problem> {
    let origin = console.origin(&parts)?;
    let (url, pending) = console.oidc.begin(&origin).await?;
    // Abandoned logins do no harm, but their cookies take space: at the limit, all of them are removed.
    let pending_before: Vec<String> =
        jar.iter().map(|cookie| cookie.name().to_owned()).filter(|name| name.contains(LOGIN_COOKIE)).collect();
    let jar = match pending_before.len() {
        0..MAX_PENDING_LOGINS => jar,
        _ => pending_before.into_iter().fold(jar, remove_login),
    };
    let back = local_path(&wanted.back).unwrap_or("/").to_owned();
    let (name, secure) = session::host_cookie(&cookie_name_of(&pending.state), &origin);
    let value = serde_json::to_string(&LoginCookie { pending, back })
        .map_err(|_| oidc::not_completed(&tr!("The login could not be started.")))?;
    let cookie = Cookie::build((name, value))
        .path("/")
        .http_only(true)
        .secure(secure)
        .same_site(SameSite::Lax)
        .max_age(LOGIN_TIMEOUT);
    // A redirect could follow a form, and forms may submit only to this origin.
    Ok((jar.add(cookie), layout::redirect_out(&url, &tr!("Continue to the login page"))).into_response())
}

#[derive(Deserialize)]
pub(crate) struct Answer {
    code: Option<String>,
    state: Option<String>,
    error: Option<String>,
}

/// Handles the return from the issuer's login page.
pub(crate) async fn callback(
    State(console): State<Console>,
    Query(answer): Query<Answer>,
    jar: PrivateCookieJar,
    RequestTrail(trail): RequestTrail,
    parts: Parts,
) -> Result<Response, Problem> {
    let state = answer.state.unwrap_or_default();
    let origin = console.origin(&parts)?;
    let (login_cookie, _) = session::host_cookie(&cookie_name_of(&state), &origin);
    let login = jar.get(&login_cookie);
    let login = login.and_then(|cookie| serde_json::from_str::<LoginCookie>(cookie.value()).ok());
    let login = login
        .filter(|login| login.pending.state == state)
        .ok_or_else(|| oidc::not_completed(&tr!("This login was not started in this browser, or took too long.")))?;
    if let Some(error) = answer.error {
        tracing::warn!(error = %error.chars().take(64).collect::<String>(), "the issuer refused a login");
        return Err(oidc::not_completed(&tr!("The login page did not accept the login.")));
    }
    let code = answer.code.ok_or_else(|| oidc::not_completed(&tr!("The login page sent no code.")))?;
    let LoginCookie { pending, back } = login;
    let Confirmed { caller, renewal } = console.oidc.finish(&origin, code, pending).await?;
    if let Some(user) = console.rooms.directory.admit(&caller).await? {
        trail.set_user(&user.id);
    }
    if let Ok(access) = Access::of_colleague(caller.clone()) {
        access.begin(trail).await?;
    }
    // Start the session.
    let secret = CsrfToken::new_random_len(32).into_secret();
    let renewal = renewal.map(|token| Sealer::new(&console.console_key, &secret).seal(&token));
    let session = Session::begin(caller, renewal, leadwire::clock::now());
    console.sessions.put_session(&secret, &session).await?;
    tracing::info!(user = %session.caller.user, role = ?session.caller.role, "a user logged in");
    // A new login in the same browser ends the previous session.
    if let Some(before) = session::secret_of(&console, &parts, &jar) {
        console.sessions.end_session(&before).await?;
    }
    let (name, secure) = session::host_cookie(SESSION_COOKIE, &origin);
    let cookie = Cookie::build((name, secret))
        .path("/")
        .http_only(true)
        .secure(secure)
        .same_site(SameSite::Lax)
        .max_age(time::Duration::seconds(LIFETIME.as_secs()));
    let jar = remove_login(jar, login_cookie).add(cookie);
    Ok((jar, Redirect::to(&back)).into_response())
}

/// Ends the session here, then at the issuer.
pub(crate) async fn logout(
    State(console): State<Console>,
    visitor: Result<Visitor, Response>,
    jar: PrivateCookieJar,
    RequestTrail(trail): RequestTrail,
    parts: Parts,
    fields: Result<Fields, Problem>,
) -> Result<Response, Problem> {
    // A session that has already ended has nothing to prove: signing out always succeeds.
    if let Ok(visitor) = visitor {
        fields?;
        if let Ok(access) = Access::of_colleague(visitor.session.caller.clone()) {
            access.begin(trail).await?;
        }
        console.sessions.end_session(visitor.secret()).await?;
    }
    let origin = console.origin(&parts)?;
    let (name, secure) = session::host_cookie(SESSION_COOKIE, &origin);
    let jar = Flash::clear(jar.remove(Cookie::build(name).path("/").secure(secure)));
    // The session is over, whether or not the issuer can be reached.
    match console.oidc.end_session_url(&origin).await {
        Some(end) => Ok((jar, layout::redirect_out(&end, &tr!("Signing you out"))).into_response()),
        None => Ok((jar, layout::signed_out()).into_response()),
    }
}

fn remove_login(jar: PrivateCookieJar, name: String) -> PrivateCookieJar {
    let secure = name.starts_with("__Host-");
    jar.remove(Cookie::build(name).path("/").secure(secure))
}

/// The name of a login's cookie. Two logins at once, in two windows, do not replace each other.
fn cookie_name_of(state: &str) -> String {
    let start: String = state.chars().filter(char::is_ascii_alphanumeric).take(12).collect();
    format!("{LOGIN_COOKIE}{start}")
}
