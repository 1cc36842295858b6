//! Every environment variable there is. `infra/template.yaml` sets them; a test compares the two.

use std::env;

use url::Url;

/// A variable that the template should have set and did not, or not to what it must be.
#[derive(Debug, thiserror::Error)]
pub enum EnvError {
    /// The variable is missing or empty.
    #[error("environment variable {0} is not set: infra/template.yaml has to set it for this function")]
    Missing(&'static str),
    /// The variable cannot be used as it is.
    #[error("environment variable {0} is not usable: {1}")]
    Unusable(&'static str, String),
}

fn required(name: &'static str) -> Result<String, EnvError> {
    env::var(name).ok().filter(|value| !value.is_empty()).ok_or(EnvError::Missing(name))
}

fn required_url(name: &'static str) -> Result<Url, EnvError> {
    required(name)?.parse().map_err(|error: url::ParseError| EnvError::Unusable(name, error.to_string()))
}

macro_rules! variables {
    ($($(#[$doc:meta])* $function:ident -> $type:ty = $read:ident($name:literal);)*) => {
        $(
            $(#[$doc])*
            ///
            /// # Errors
            /// If it is not set or not usable.
            pub fn $function() -> Result<$type, EnvError> {
                $read($name)
            }
        )*
    };
}

variables! {
    /// The DynamoDB table.
    table_name -> String = required("TABLE_NAME");
    /// The queue of lead ids to fetch.
    lead_queue_url -> String = required("LEAD_QUEUE_URL");
    /// The queue of comments, reactions, mentions and messages.
    engagement_queue_url -> String = required("ENGAGEMENT_QUEUE_URL");
    /// The queue of integrations to compare with Meta.
    lead_sweep_queue_url -> String = required("LEAD_SWEEP_QUEUE_URL");
    /// The queue of integrations to look at.
    expiry_notice_queue_url -> String = required("EXPIRY_NOTICE_QUEUE_URL");
    /// The queue of ad accounts to read.
    ads_sync_queue_url -> String = required("ADS_SYNC_QUEUE_URL");
    /// Where people reconnect: the address that mails lead to.
    console_url -> Url = required_url("CONSOLE_URL");
    /// The bus on which facts are published.
    event_bus_name -> String = required("EVENT_BUS_NAME");
    /// The secret with Meta's app id, app secret and verify token.
    meta_app_secret_id -> String = required("META_APP_SECRET_ID");
    /// The secret with the key that signs our cursors and login states.
    signing_secret_id -> String = required("SIGNING_SECRET_ID");
    /// What the names of the secrets with an integration's tokens begin with.
    credentials_prefix -> String = required("CREDENTIALS_PREFIX");
    /// Where the Graph API is.
    graph_base_url -> Url = required_url("GRAPH_BASE_URL");
    /// Where Meta's login dialog is; a browser has to reach it.
    dialog_base_url -> Url = required_url("DIALOG_BASE_URL");
    /// The Graph API's version, such as `v26.0`.
    graph_version -> String = required("GRAPH_VERSION");
    /// The origins (or origin and path) to which a login may return, separated by commas.
    return_url_allow_list -> String = required("RETURN_URL_ALLOW_LIST");
    /// Who has to have issued a token.
    token_issuer -> String = required("TOKEN_ISSUER");
    /// For whom a token has to be; several are separated by commas.
    token_audience -> String = required("TOKEN_AUDIENCE");
    /// What the issuer calls the console.
    login_client_id -> String = required("LOGIN_CLIENT_ID");
    /// Where the issuer describes its login, as OpenID Connect Discovery has it.
    login_configuration_url -> Url = required_url("LOGIN_CONFIGURATION_URL");
    /// Where the issuer's public keys are.
    token_jwks_url -> Url = required_url("TOKEN_JWKS_URL");
    /// The token's claim that names the caller's org.
    org_claim -> String = required("ORG_CLAIM");
    /// The token's claim that names the caller's role.
    role_claim -> String = required("ROLE_CLAIM");
}

/// The origin under which the world reaches this API. Empty means: as the request says it came.
///
/// # Errors
/// If it is set to something that is no URL.
pub fn public_url() -> Result<Option<Url>, EnvError> {
    match env::var("PUBLIC_URL") {
        Ok(text) if !text.is_empty() => {
            text.parse().map(Some).map_err(|error: url::ParseError| EnvError::Unusable("PUBLIC_URL", error.to_string()))
        }
        _ => Ok(None),
    }
}

/// From whom mails come; `None` if the deployment sends none.
///
/// # Errors
/// None at present.
pub fn sender_address() -> Result<Option<String>, EnvError> {
    Ok(env::var("SENDER_ADDRESS").ok().filter(|address| !address.is_empty()))
}

/// How much to log; Lambda sets it from the template's `ApplicationLogLevel`.
#[must_use]
pub fn log_level() -> String {
    env::var("AWS_LAMBDA_LOG_LEVEL").unwrap_or_else(|_| "info".to_owned()).to_lowercase()
}
