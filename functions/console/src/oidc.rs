//! Client for the issuer's login: authorization code with PKCE, and an id token that is verified like the API's tokens.

use std::time::Duration;

use leadwire::auth::{AuthError, Verifier};
use leadwire::http::{Problem, ProblemCode};
use leadwire::model::caller::Caller;
use leadwire::tr;
use oauth2::basic::{
    BasicErrorResponse, BasicErrorResponseType, BasicRevocationErrorResponse, BasicTokenIntrospectionResponse,
    BasicTokenType,
};
use oauth2::{
    AuthUrl, AuthorizationCode, Client, ClientId, CsrfToken, EndpointNotSet, EndpointSet, ExtraTokenFields,
    HttpRequest, HttpResponse, PkceCodeChallenge, PkceCodeVerifier, RedirectUrl, RefreshToken, RequestTokenError,
    Scope, StandardRevocableToken, StandardTokenResponse, TokenResponse, TokenUrl,
};
use serde::{Deserialize, Serialize};
use tokio::sync::OnceCell;
use url::Url;

/// The path that the issuer redirects to.
const CALLBACK_PATH: &str = "/login/callback";

/// The scope of a login that can be renewed, by OpenID Connect.
const OFFLINE: &str = "offline_access";

/// Client for the issuer's login.
pub(crate) struct OidcClient {
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
    #[serde(default)]
    scopes_supported: Vec<String>,
}

/// A login that the issuer has confirmed.
pub(crate) struct Confirmed {
    pub(crate) caller: Caller,
    /// What it can be asked with whether the login still stands. Some issuers give none.
    pub(crate) renewal: Option<String>,
}

/// What the issuer says of a login later.
pub(crate) enum Standing {
    Stands(Confirmed),
    /// The user was signed out everywhere, disabled or deleted.
    Over,
    /// The issuer did not answer.
    Unknown,
}

/// The part of a token response that OpenID Connect adds.
#[derive(Debug, Serialize, Deserialize)]
struct IdToken {
    id_token: String,
}

impl ExtraTokenFields for IdToken {}

type OAuthClient = Client<
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

/// A login in progress, as its browser keeps it.
#[derive(Serialize, Deserialize)]
pub(crate) struct PendingLogin {
    pub(crate) state: String,
    nonce: String,
    verifier: String,
}

impl OidcClient {
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

    fn client(&self, provider: &Provider, origin: &Url) -> Result<OAuthClient, Problem> {
        let back = origin.join(CALLBACK_PATH).map_err(|_| unavailable())?;
        Ok(Client::new(ClientId::new(self.client_id.clone()))
            .set_auth_uri(AuthUrl::from_url(provider.authorization_endpoint.clone()))
            .set_token_uri(TokenUrl::from_url(provider.token_endpoint.clone()))
            .set_redirect_uri(RedirectUrl::from_url(back)))
    }

    /// Begins a login that returns to `origin`. Returns the address of the issuer's login page.
    pub(crate) async fn begin(&self, origin: &Url) -> Result<(Url, PendingLogin), Problem> {
        let provider = self.provider().await?;
        let client = self.client(provider, origin)?;
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        let nonce = CsrfToken::new_random();
        let (url, state) = client
            .authorize_url(CsrfToken::new_random)
            .add_scopes(["openid", "email", "profile"].map(|scope| Scope::new(scope.to_owned())))
            // Some issuers demand this scope for what a login can be renewed with, and others, such as Cognito, refuse it.
            .add_scopes(provider.scopes_supported.iter().filter(|scope| *scope == OFFLINE).cloned().map(Scope::new))
            .add_extra_param("nonce", nonce.secret())
            .set_pkce_challenge(challenge)
            .url();
        let (state, nonce) = (state.into_secret(), nonce.into_secret());
        Ok((url, PendingLogin { state, nonce, verifier: verifier.into_secret() }))
    }

    /// Asks whether a login still stands, and what its user may do now.
    pub(crate) async fn renew(&self, origin: &Url, renewal: String) -> Standing {
        let client = match self.provider().await.and_then(|provider| self.client(provider, origin)) {
            Ok(client) => client,
            Err(_) => return Standing::Unknown,
        };
        let token = RefreshToken::new(renewal);
        let exchange = client.exchange_refresh_token(&token);
        let tokens = match exchange.request_async(&|request| send(self.http.clone(), request)).await {
            Ok(tokens) => tokens,
            // Other refusals are of this client or of the issuer, not of the person.
            Err(RequestTokenError::ServerResponse(refusal))
                if matches!(refusal.error(), BasicErrorResponseType::InvalidGrant) =>
            {
                tracing::info!(%refusal, "a login has ended at the issuer");
                return Standing::Over;
            }
            Err(error) => {
                tracing::warn!(%error, "the issuer could not be asked about a login");
                return Standing::Unknown;
            }
        };
        match self.verifier.confirmed(&tokens.extra_fields().id_token).await {
            Ok(caller) => Standing::Stands(Confirmed {
                caller,
                renewal: tokens.refresh_token().map(|token| token.secret().clone()),
            }),
            Err(AuthError::KeysUnavailable) => Standing::Unknown,
            Err(error) => {
                tracing::warn!(%error, "a renewed login brought an invalid token");
                Standing::Over
            }
        }
    }

    /// Exchanges the code for the caller's identity.
    pub(crate) async fn finish(&self, origin: &Url, code: String, login: PendingLogin) -> Result<Confirmed, Problem> {
        let client = self.client(self.provider().await?, origin)?;
        let exchange = client.exchange_code(AuthorizationCode::new(code));
        let exchange = exchange.set_pkce_verifier(PkceCodeVerifier::new(login.verifier));
        let tokens = exchange.request_async(&|request| send(self.http.clone(), request)).await.map_err(|error| {
            tracing::warn!(%error, "the issuer did not accept a login's code");
            not_completed(&tr!("The login page did not confirm who you are."))
        })?;
        let caller = self.verifier.logged_in(&tokens.extra_fields().id_token, &login.nonce).await;
        let caller = caller.map_err(|error| match error {
            AuthError::KeysUnavailable => unavailable(),
            error => {
                tracing::warn!(%error, "a login brought an invalid token");
                not_completed(&tr!("The login page sent a token that is not valid here."))
            }
        })?;
        Ok(Confirmed { caller, renewal: tokens.refresh_token().map(|token| token.secret().clone()) })
    }

    /// The address at which the issuer ends its own session, if it has one and can be reached.
    pub(crate) async fn end_session_url(&self, origin: &Url) -> Option<Url> {
        let mut url = self.provider().await.ok()?.end_session_endpoint.clone()?;
        // The standard's parameter for where to go afterwards, and Cognito's.
        url.query_pairs_mut()
            .append_pair("client_id", &self.client_id)
            .append_pair("post_logout_redirect_uri", origin.as_str())
            .append_pair("logout_uri", origin.as_str());
        Some(url)
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
    Problem::new(ProblemCode::LoginUnavailable, tr!("The login page cannot be reached. Try again in a minute."))
}

pub(crate) fn not_completed(why: &str) -> Problem {
    Problem::new(ProblemCode::LoginFailed, format!("{why} {}", tr!("Log in again.")))
}
