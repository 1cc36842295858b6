//! The way to Meta: what is asked for is checked and written down, and found again by a signed `state`.

use jiff::Timestamp;
use url::Url;

use super::settings::{SettingsError, check_settings};
use crate::graph::oauth::dialog_url;
use crate::ids::{IntegrationId, OrgScope};
use crate::model::connection::ConnectedBy;
use crate::model::connection::login::{DEFAULT_SCOPES, LIFETIME, Login, ReturnUrls, State};
use crate::model::lead::assignment::Assignment;
use crate::secret::HmacKey;
use crate::table::integration::Settings;
use crate::table::{Table, TableError};

/// What the caller asks for.
#[derive(Debug, Default)]
pub struct Begin {
    /// Permissions to ask of Meta; everything Leadwire does with a page if absent.
    pub scopes: Option<Vec<String>>,
    /// Where the browser goes afterwards.
    pub return_url: String,
    /// To connect this one anew instead of making one.
    pub integration_id: Option<String>,
    /// [`browser_hash`](crate::model::connection::login::browser_hash) of the secret in the cookie of the browser that has to come back;
    /// any may if absent.
    pub browser: Option<String>,
    /// Of the integration to be made.
    pub name: Option<String>,
    /// Of the integration to be made.
    pub description: Option<String>,
    /// Of the integration to be made.
    pub assignment: Option<Assignment>,
}

/// Everything about Meta's dialog that does not depend on the caller.
#[derive(Debug)]
pub struct Dialog {
    /// Where it is.
    pub root: Url,
    /// The Graph API's version.
    pub version: String,
    /// Our app.
    pub app_id: String,
    /// Where Meta sends the browser back to; Meta knows it to the byte.
    pub redirect_uri: Url,
    /// Where logins may return to afterwards.
    pub return_urls: ReturnUrls,
    /// Signs the state.
    pub key: HmacKey,
}

/// Why a login was not begun. Nothing has been written then.
#[derive(Debug, thiserror::Error)]
pub enum BeginError {
    /// `returnUrl` is not in the allow-list.
    #[error(
        "logins may not return to this address; the deployment's ReturnUrlAllowList names those they may return to"
    )]
    ReturnUrl,
    /// A scope that cannot be one.
    #[error("{0:?} is not a permission of Meta's: lower-case letters, digits and underscores")]
    Scope(String),
    /// No scopes at all.
    #[error("at least one permission has to be asked for; leave scopes out to ask for all that Leadwire uses")]
    NoScopes,
    /// There is no such integration in this org.
    #[error("this org has no such integration")]
    Integration,
    /// What its person wanted deleted is being deleted.
    #[error("the data of the person who connected is being deleted; try again in a minute")]
    Busy,
    /// A setting of the integration to be made.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// The table.
    #[error(transparent)]
    Table(#[from] TableError),
}

/// Begins a login of `user` for the scope's org and answers the address of Meta's dialog.
///
/// # Errors
/// [`BeginError`] says which field is wrong.
pub async fn begin(
    table: &Table,
    dialog: &Dialog,
    scope: &OrgScope,
    user: ConnectedBy,
    asked: Begin,
    now: Timestamp,
) -> Result<Url, BeginError> {
    let return_url = dialog.return_urls.allow(&asked.return_url).ok_or(BeginError::ReturnUrl)?;
    let scopes = checked_scopes(asked.scopes)?;
    let settings = Settings { name: asked.name, description: asked.description, assignment: asked.assignment };
    let settings = check_settings(table, scope, settings).await?;
    let existing = match asked.integration_id {
        None => None,
        Some(id) => {
            let id = IntegrationId::parse(&id).map_err(|_| BeginError::Integration)?;
            let found = table.integration(scope, &id).await?.filter(|integration| !integration.removing);
            let found = found.ok_or(BeginError::Integration)?;
            if found.erasing {
                return Err(BeginError::Busy);
            }
            Some(found.id)
        }
    };
    let login = Login {
        nonce: uuid::Uuid::new_v4().simple().to_string(),
        org: scope.org().clone(),
        user,
        return_url,
        redirect_uri: dialog.redirect_uri.clone(),
        reconnects: existing.is_some(),
        integration_id: existing.unwrap_or_default(),
        browser: asked.browser,
        scopes,
        name: settings.name,
        description: settings.description,
        assignment: settings.assignment,
        expires_at: now + LIFETIME,
        claim: None,
    };
    table.begin_login(&login).await?;
    let state = State::sign(&login, &dialog.key);
    Ok(dialog_url(&dialog.root, &dialog.version, &dialog.app_id, &dialog.redirect_uri, &state, &login.scopes))
}

/// Which permissions Meta has changes with every version, so only their form is checked here; Meta says the rest.
fn checked_scopes(asked: Option<Vec<String>>) -> Result<Vec<String>, BeginError> {
    let Some(mut scopes) = asked else {
        return Ok(DEFAULT_SCOPES.iter().map(|scope| (*scope).to_owned()).collect());
    };
    if scopes.is_empty() {
        return Err(BeginError::NoScopes);
    }
    let is_scope = |scope: &str| {
        (1..=64).contains(&scope.len())
            && scope.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
    };
    if let Some(bad) = scopes.iter().find(|scope| !is_scope(scope)) {
        return Err(BeginError::Scope(bad.chars().take(64).collect()));
    }
    scopes.sort();
    scopes.dedup();
    Ok(scopes)
}
