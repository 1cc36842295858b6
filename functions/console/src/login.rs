//! Login with the issuer's own page: authorization code with PKCE, and an id token that is verified like the API's
//! tokens.

use std::time::Duration;

use axum::extract::{OriginalUri, Query, State};
use axum::response::{IntoResponse, Redirect, Response};
use axum_extra::extract::PrivateCookieJar;
use axum_extra::extract::cookie::{Cookie, SameSite};
use http::StatusCode;
use http::request::Parts;
use lambda_http::RequestExt;
use lambda_http::request::RequestContext;
use leadwire::auth::{AuthError, Verifier};
use leadwire::http::Problem;
use leadwire::model::caller::Caller;
use leadwire::model::session::{LIFETIME, Session};
use oauth2::basic::{
    BasicErrorResponse, BasicRevocationErrorResponse, BasicTokenIntrospectionResponse, BasicTokenType,
};
use oauth2::{
    AuthUrl, AuthorizationCode, Client, ClientId, CsrfToken, EndpointNotSet, EndpointSet, ExtraTokenFields,
    HttpRequest, HttpResponse, PkceCodeChallenge, PkceCodeVerifier, RedirectUrl, Scope, StandardRevocableToken,
    StandardTokenResponse, TokenUrl,
};
use serde::{Deserialize, Serialize};
use tokio::sync::OnceCell;
use url::Url;

use crate::fields::Fields;
use crate::frame;
use crate::notice::Notice;
use crate::state::Console;
use crate::visitor::{self, Visitor};

/// The path that the issuer redirects to.
const CALLBACK: &str = "/login/callback";
/// Maximum number of concurrent logins in one browser.
const MAX_BEGUN: usize = 4;
/// Maximum time on the issuer's page.
const PATIENCE: time::Duration = time::Duration::minutes(15);

/// Client for the issuer's login.
pub(crate) struct Door {
    client_id: String,
    configuration: Url,
    http: reqwest::Client,
    verifier: Verifier,
    provider: OnceCell<Provider>,
}

/// The issuer's description of itself, by OpenID Connect Discovery.
#[derive(Debug, Deserialize)]
struct Provider {
    authorization_endpoint: Url,
    token_endpoint: Url,
    end_session_endpoint: Option<Url>,
}

/// The part of a token response that OpenID Connect adds.
#[derive(Debug, Serialize, Deserialize)]
struct IdToken {
    id_token: String,
}

impl ExtraTokenFields for IdToken {}

type OidcClient = Client<
    BasicErrorResponse,
    StandardTokenResponse<IdToken, BasicTokenType>,
    BasicTokenIntrospectionResponse,
    StandardRevocableToken,
    BasicRevocationErrorResponse,
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointSet,
>;

/// A login in progress, as stored in its cookie.
#[derive(Serialize, Deserialize)]
struct Begun {
    state: String,
    nonce: String,
    verifier: String,
    /// The path of this console to continue at.
    back: String,
}

impl Door {
    pub(crate) fn new(client_id: String, configuration: Url, verifier: Verifier) -> Result<Self, reqwest::Error> {
        let redirect = reqwest::redirect::Policy::none();
        let http = reqwest::Client::builder().timeout(Duration::from_secs(5)).redirect(redirect).build()?;
        Ok(Self { client_id, configuration, http, verifier, provider: OnceCell::new() })
    }

    async fn provider(&self) -> Result<&Provider, Problem> {
        let read =
            || async { self.http.get(self.configuration.clone()).send().await?.error_for_status()?.json().await };
        self.provider.get_or_try_init(read).await.map_err(|error: reqwest::Error| {
            tracing::error!(error = %error.without_url(), "the issuer's configuration could not be read");
            unavailable()
        })
    }

    fn client(&self, provider: &Provider, origin: &Url) -> Result<OidcClient, Problem> {
        let back = origin.join(CALLBACK).map_err(|_| unavailable())?;
        Ok(Client::new(ClientId::new(self.client_id.clone()))
            .set_auth_uri(AuthUrl::from_url(provider.authorization_endpoint.clone()))
            .set_token_uri(TokenUrl::from_url(provider.token_endpoint.clone()))
            .set_redirect_uri(RedirectUrl::from_url(back)))
    }

    /// Exchanges the code for the caller's identity.
    async fn exchange(&self, client: &OidcClient, code: String, begun: Begun) -> Result<Caller, Problem> {
        let exchange = client.exchange_code(AuthorizationCode::new(code));
        let exchange = exchange.set_pkce_verifier(PkceCodeVerifier::new(begun.verifier));
        let tokens = exchange.request_async(&|request| send(self.http.clone(), request)).await.map_err(|error| {
            tracing::warn!(%error, "the issuer did not take a login's code");
            not_completed("The login page did not confirm who you are.")
        })?;
        self.verifier.logged_in(&tokens.extra_fields().id_token, &begun.nonce).await.map_err(|error| match error {
            AuthError::KeysUnavailable => unavailable(),
            error => {
                tracing::warn!(%error, "a login brought a token that is not good");
                not_completed("The login page sent a token that is not valid here.")
            }
        })
    }
}

async fn send(http: reqwest::Client, request: HttpRequest) -> Result<HttpResponse, reqwest::Error> {
    let mut answer = http.execute(request.try_into()?).await?;
    let mut response = HttpResponse::new(Vec::new());
    *response.status_mut() = answer.status();
    std::mem::swap(response.headers_mut(), answer.headers_mut());
    *response.body_mut() = answer.bytes().await?.to_vec();
    Ok(response)
}

fn unavailable() -> Problem {
    Problem::new(
        StatusCode::SERVICE_UNAVAILABLE,
        "login_unavailable",
        "The login page cannot be reached. Try again in a minute.",
    )
}

fn not_completed(why: &str) -> Problem {
    Problem::new(StatusCode::UNAUTHORIZED, "login_failed", format!("{why} Log in again."))
}

/// The origin under which this request arrived.
pub(crate) fn origin(console: &Console, parts: &Parts) -> Result<Url, Problem> {
    let domain = match parts.request_context_ref() {
        Some(RequestContext::ApiGatewayV2(context)) => context.domain_name.as_deref(),
        _ => None,
    };
    leadwire::http::origin(console.public_url.as_ref(), domain)
}

#[derive(Deserialize)]
/// Where the user was going.
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
    let origin = origin(&console, &parts)?;
    let client = console.door.client(console.door.provider().await?, &origin)?;
    let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
    let nonce = CsrfToken::new_random();
    let (url, state) = client
        .authorize_url(CsrfToken::new_random)
        .add_scopes(["openid", "email", "profile"].map(|scope| Scope::new(scope.to_owned())))
        .add_extra_param("nonce", nonce.secret())
        .set_pkce_challenge(challenge)
        .url();
    let begun = Begun {
        state: state.secret().clone(),
        nonce: nonce.secret().clone(),
        verifier: verifier.secret().clone(),
        back: visitor::local(&wanted.back).unwrap_or("/").to_owned(),
    };
    // Abandoned logins do no harm, but their cookies take space: at the limit, all of them are removed.
    let begun_before: Vec<String> =
        jar.iter().map(|cookie| cookie.name().to_owned()).filter(|name| name.starts_with("login-")).collect();
    let jar = match begun_before.len() {
        0..MAX_BEGUN => jar,
        _ => begun_before.into_iter().fold(jar, |jar, name| jar.remove(Cookie::build(name).path("/login"))),
    };
    let said = serde_json::to_string(&begun).unwrap_or_default();
    let cookie = Cookie::build((name_of(&begun.state), said))
        .path("/login")
        .http_only(true)
        .secure(origin.scheme() == "https")
        .same_site(SameSite::Lax)
        .max_age(PATIENCE);
    // A redirect could follow a form, and forms may submit only to this origin.
    Ok((jar.add(cookie), frame::leave_for(&url, "To the login page")).into_response())
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
    parts: Parts,
) -> Result<Response, Problem> {
    let state = answer.state.unwrap_or_default();
    let begun = jar.get(&name_of(&state)).and_then(|cookie| serde_json::from_str::<Begun>(cookie.value()).ok());
    let begun = begun
        .filter(|begun| begun.state == state)
        .ok_or_else(|| not_completed("This login was not begun in this browser, or took too long."))?;
    if let Some(error) = answer.error {
        tracing::warn!(error = %error.chars().take(64).collect::<String>(), "the issuer refused a login");
        return Err(not_completed("The login page let nobody in."));
    }
    let code = answer.code.ok_or_else(|| not_completed("The login page sent no code."))?;
    let origin = origin(&console, &parts)?;
    let client = console.door.client(console.door.provider().await?, &origin)?;
    let (back, done) = (begun.back.clone(), name_of(&begun.state));
    let caller = console.door.exchange(&client, code, begun).await?;
    // Start the session.
    let secret = CsrfToken::new_random_len(32).into_secret();
    let session = Session::begin(caller, leadwire::clock::now());
    console.services.table.put_session(&secret, &session).await?;
    tracing::info!(user = %session.caller.user, role = ?session.caller.role, "somebody logged in");
    // A new login in the same browser ends the previous session.
    if let Some(before) = visitor::secret_of(&console, &parts, &jar) {
        console.services.table.end_session(&before).await?;
    }
    let (name, secure) = visitor::cookie_name(&origin);
    let cookie = Cookie::build((name, secret))
        .path("/")
        .http_only(true)
        .secure(secure)
        .same_site(SameSite::Lax)
        .max_age(time::Duration::seconds(LIFETIME.as_secs()));
    let jar = jar.remove(Cookie::build(done).path("/login")).add(cookie);
    Ok((jar, Redirect::to(&back)).into_response())
}

/// Ends the session here, then at the issuer.
pub(crate) async fn logout(
    State(console): State<Console>,
    visitor: Result<Visitor, Response>,
    jar: PrivateCookieJar,
    parts: Parts,
    fields: Result<Fields, Problem>,
) -> Result<Response, Problem> {
    // A session that has already ended has nothing to prove: signing out always succeeds.
    if let Ok(visitor) = visitor {
        fields?;
        console.services.table.end_session(visitor.secret()).await?;
    }
    let origin = origin(&console, &parts)?;
    let (name, secure) = visitor::cookie_name(&origin);
    let jar = Notice::told(jar.remove(Cookie::build(name).path("/").secure(secure)));
    // The session is over, whether or not the issuer can be reached.
    let end = console.door.provider().await.ok().and_then(|provider| provider.end_session_endpoint.clone());
    let Some(mut end) = end else { return Ok((jar, frame::signed_out()).into_response()) };
    // The standard's parameter for where to go afterwards, and Cognito's.
    end.query_pairs_mut()
        .append_pair("client_id", &console.door.client_id)
        .append_pair("post_logout_redirect_uri", origin.as_str())
        .append_pair("logout_uri", origin.as_str());
    Ok((jar, frame::leave_for(&end, "Signing you out")).into_response())
}

/// The name of a login's cookie. Two logins at once, in two windows, do not replace each other.
fn name_of(state: &str) -> String {
    let start: String = state.chars().filter(char::is_ascii_alphanumeric).take(12).collect();
    format!("login-{start}")
}

/// Sends a request without a session to the login, and afterwards to where it was going. A submitted form is discarded.
pub(crate) fn first_log_in(parts: &Parts, jar: PrivateCookieJar) -> Response {
    let is_read = matches!(parts.method, http::Method::GET | http::Method::HEAD);
    // A nested router sees only its own part of the address.
    let address = parts.extensions.get::<OriginalUri>().map_or(&parts.uri, |OriginalUri(whole)| whole);
    let wanted = address.path_and_query().map(ToString::to_string);
    let came_from = || {
        let referer = parts.headers.get(http::header::REFERER)?.to_str().ok()?;
        let url = Url::parse(referer).ok()?;
        Some(url[url::Position::BeforePath..].to_owned())
    };
    // After a discarded form, return to the page that contains it.
    let back = if is_read { wanted } else { came_from() };
    let mut login = String::from("/login?back=");
    login.extend(url::form_urlencoded::byte_serialize(back.unwrap_or_default().as_bytes()));
    if frame::wants_a_part(&parts.headers) {
        let ended = Problem::new(
            StatusCode::UNAUTHORIZED,
            "session_ended",
            "Your session has ended. Load the page again to log in.",
        );
        return ended.into_response();
    }
    if is_read {
        return Redirect::to(&login).into_response();
    }
    let notice = Notice::failed("Your session had ended, so nothing was changed. Do it again if you still want it.");
    (notice.put(jar), Redirect::to(&login)).into_response()
}
