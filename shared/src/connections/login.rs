//! Sending a person to Meta's login: the request is checked and stored, and found again by a signed `state`.

use jiff::Timestamp;
use url::Url;

use super::Connections;
use super::settings::check_settings;
use crate::directory::MetaAccess;
use crate::error::{ActError, ErrorCode};
use crate::graph::oauth::dialog_url;
use crate::ids::IntegrationId;
use crate::model::connection::Lifecycle;
use crate::model::connection::login::{DEFAULT_SCOPES, LIFETIME, Login, ReturnUrls, State};
use crate::model::lead::assignment::Assignment;
use crate::table::integration::IntegrationSettings;
use crate::tr;

/// The path of the oauth function, on the deployment's public origin. Meta knows the address to the byte.
const CALLBACK_PATH: &str = "/connect/oauth2callback/facebook";
/// The path of the page on which a person agrees before Meta's dialog, on the same origin.
pub const INVITATION_PATH: &str = "/connect/begin";
/// Where logins that began in the console return to, on the same origin. It need not be in the allow-list.
pub const CONSOLE_RETURN_PATH: &str = "/integrations/return";

/// Permissions of a login.
const MAX_SCOPES: usize = 50;
/// What browsers and proxies take for an address, with room for the outcome.
const MAX_RETURN_URL: usize = 2000;

/// A login to begin.
#[derive(Debug, Default)]
pub struct LoginRequest {
    /// Permissions to request from Meta; by default everything that Leadwire uses.
    pub scopes: Option<Vec<String>>,
    /// Where the browser goes afterwards.
    pub return_url: String,
    /// The integration to reconnect. Without one, a new integration is created.
    pub integration_id: Option<IntegrationId>,
    /// Whether another account may take the place of the one that is connected, although pages are then lost.
    pub replace: bool,
    /// Whether a person who is connected already renews that integration, instead of getting a second one.
    pub renews: bool,
    /// [`browser_hash`](crate::model::connection::login::browser_hash) of the secret of the browser that must
    /// return from Meta, in which an admin of the org is logged in. Without one, the login is bound to the browser in which
    /// a person agrees to it.
    pub browser: Option<String>,
    /// The name of a new integration.
    pub name: Option<String>,
    /// The description of a new integration.
    pub description: Option<String>,
    /// How a new integration assigns its leads.
    pub assignment: Option<Assignment>,
}

/// Meta's login dialog, as the deployment configures it.
#[derive(Debug, Clone)]
pub struct Dialog {
    /// Its address.
    pub root: Url,
    /// The Graph API's version.
    pub version: String,
    /// Where logins may return to.
    pub return_urls: ReturnUrls,
}

impl Connections {
    /// Begins a login and returns where the person goes, within ten minutes: to Meta's dialog, or without a browser to the
    /// page on which they agree first. `origin` is the deployment's public origin. Nothing is stored if the request is
    /// refused.
    pub async fn begin_login(
        &self,
        access: &MetaAccess,
        origin: &Url,
        request: LoginRequest,
        now: Timestamp,
    ) -> Result<Url, ActError> {
        let at = |path: &str| {
            let mut url = origin.clone();
            url.set_path(path);
            url
        };
        let (scope, redirect_uri) = (&access.scope, at(CALLBACK_PATH));
        let return_urls = self.dialog.return_urls.and(at(CONSOLE_RETURN_PATH));
        if request.return_url.len() > MAX_RETURN_URL {
            let message = tr!("At most 2000 characters.");
            return Err(ActError::invalid("return_url", ErrorCode::LengthInvalid, message));
        }
        let return_url = return_urls.allow(&request.return_url).ok_or_else(|| {
            let message = tr!(
                "Logins may not return to this address. The deployment's ReturnUrlAllowList names the permitted ones."
            );
            ActError::invalid("return_url", ErrorCode::ReturnUrlNotAllowed, message)
        })?;
        let scopes = check_scopes(request.scopes)?;
        let settings = IntegrationSettings {
            name: request.name,
            description: request.description,
            assignment: request.assignment,
            ..IntegrationSettings::default()
        };
        let settings = check_settings(&self.connector.table, scope, settings).await?;
        if let Some(id) = &request.integration_id {
            let integration = self.tokens.integration(scope, id).await.map_err(|error| error.at("integration_id"))?;
            if integration.lifecycle == Lifecycle::Erasing {
                let message = tr!("The data of the person who connected is being deleted. Try again in a minute.");
                return Err(ActError::refuse(ErrorCode::IntegrationBusy, message));
            }
        }
        let login = Login {
            nonce: uuid::Uuid::new_v4().simple().to_string(),
            org: scope.org().clone(),
            user: access.caller.as_connector(),
            return_url,
            redirect_uri,
            reconnects: request.integration_id.is_some(),
            replace: request.replace,
            renews: request.renews,
            integration_id: request.integration_id.unwrap_or_default(),
            browser: request.browser,
            scopes,
            name: settings.name,
            description: settings.description,
            assignment: settings.assignment,
            expires_at: now + LIFETIME,
            claim: None,
        };
        self.connector.table.begin_login(&login).await?;
        let state = State::sign(&login, &self.connector.key);
        if login.browser.is_none() {
            let mut link = at(INVITATION_PATH);
            link.query_pairs_mut().append_pair("state", &state);
            return Ok(link);
        }
        let app_id = &self.connector.meta.graph.app().id;
        Ok(dialog_url(&self.dialog.root, &self.dialog.version, app_id, &login.redirect_uri, &state, &login.scopes))
    }
}

/// Meta's permissions change with every version of the API, so only their form is checked.
fn check_scopes(scopes: Option<Vec<String>>) -> Result<Vec<String>, ActError> {
    let invalid = |message: String| ActError::invalid("scopes", ErrorCode::ScopeInvalid, message);
    let Some(mut scopes) = scopes else {
        return Ok(DEFAULT_SCOPES.iter().map(|scope| (*scope).to_owned()).collect());
    };
    if scopes.len() > MAX_SCOPES {
        return Err(invalid(tr!("At most {max} permissions; Meta has fewer.", max = MAX_SCOPES)));
    }
    if scopes.is_empty() {
        let message =
            tr!("Request at least one permission; leave scopes out to request everything that Leadwire uses.");
        return Err(invalid(message.into_owned()));
    }
    let is_scope = |scope: &str| {
        (1..=64).contains(&scope.len())
            && scope.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
    };
    if let Some(rejected) = scopes.iter().find(|scope| !is_scope(scope)) {
        let rejected: String = rejected.chars().take(64).collect();
        let rejected = format!("{rejected:?}");
        let message =
            tr!("{scope} is not a permission of Meta: lower-case letters, digits and underscores.", scope = rejected);
        return Err(invalid(message));
    }
    scopes.sort();
    scopes.dedup();
    Ok(scopes)
}
