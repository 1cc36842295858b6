//! All environment variables. `infra/template.yaml` sets them; a test compares the two.

use std::collections::BTreeMap;
use std::env;
use std::fmt;
use std::sync::OnceLock;

use url::Url;

/// A variable that the template does not set, or not to a valid value.
#[derive(thiserror::Error)]
pub enum EnvError {
    /// The variable is missing or empty.
    #[error("environment variable {0} is not set: infra/template.yaml has to set it for this function")]
    Missing(&'static str),
    /// The value is invalid.
    #[error("environment variable {0} is not usable: {1}")]
    Unusable(&'static str, String),
}

/// In words: a function that cannot begin ends with this, and the operator reads it in the log.
impl fmt::Debug for EnvError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The variables of a deployed function, in whose place this process works.
static DEPLOYED: OnceLock<BTreeMap<String, String>> = OnceLock::new();

/// Makes all variables those of a deployed function, so that an operator's program works with what the functions work
/// with. Only the first call has an effect.
pub fn stand_in_for(variables: BTreeMap<String, String>) {
    let _ = DEPLOYED.set(variables);
}

fn optional(name: &str) -> Option<String> {
    let deployed = DEPLOYED.get().and_then(|variables| variables.get(name).cloned());
    deployed.or_else(|| env::var(name).ok()).filter(|value| !value.is_empty())
}

fn required(name: &'static str) -> Result<String, EnvError> {
    optional(name).ok_or(EnvError::Missing(name))
}

fn required_url(name: &'static str) -> Result<Url, EnvError> {
    required(name)?.parse().map_err(|error: url::ParseError| EnvError::Unusable(name, error.to_string()))
}

fn required_list(name: &'static str) -> Result<Vec<String>, EnvError> {
    Ok(required(name)?.split(',').map(|one| one.trim().to_owned()).collect())
}

fn yes_or_no(name: &'static str) -> Result<bool, EnvError> {
    match required(name)?.as_str() {
        "yes" => Ok(true),
        "no" => Ok(false),
        other => Err(EnvError::Unusable(name, format!("`{other}` is neither `yes` nor `no`"))),
    }
}

macro_rules! variables {
    ($($(#[$doc:meta])* $function:ident -> $type:ty = $read:ident($name:literal);)*) => {
        $(
            $(#[$doc])*
            pub fn $function() -> Result<$type, EnvError> {
                $read($name)
            }
        )*
    };
}

variables! {
    /// The name of the stack: the beginning of the names of all it has, and the namespace of its metrics.
    stack_name -> String = required("STACK_NAME");
    /// The DynamoDB table.
    table_name -> String = required("TABLE_NAME");
    /// The queue of lead ids to fetch.
    lead_queue_url -> String = required("LEAD_QUEUE_URL");
    /// The queue of comments, reactions, mentions and messages.
    engagement_queue_url -> String = required("ENGAGEMENT_QUEUE_URL");
    /// The queue of integrations whose leads are compared with Meta.
    lead_sweep_queue_url -> String = required("LEAD_SWEEP_QUEUE_URL");
    /// The queue of requested searches for leads.
    lead_search_queue_url -> String = required("LEAD_SEARCH_QUEUE_URL");
    /// The queue of integrations to check.
    expiry_notice_queue_url -> String = required("EXPIRY_NOTICE_QUEUE_URL");
    /// The queue of ad accounts to sync.
    ads_sync_queue_url -> String = required("ADS_SYNC_QUEUE_URL");
    /// The queue of posts to publish.
    publish_queue_url -> String = required("PUBLISH_QUEUE_URL");
    /// The queue of integrations whose comments and messages are compared with Meta.
    social_sync_queue_url -> String = required("SOCIAL_SYNC_QUEUE_URL");
    /// The queue of files of messages to copy.
    attachment_queue_url -> String = required("ATTACHMENT_QUEUE_URL");
    /// The queue of orgs whose leads' progress is reported to Meta.
    conversion_queue_url -> String = required("CONVERSION_QUEUE_URL");
    /// The queue of deliveries to the CRM's endpoints.
    delivery_queue_url -> String = required("DELIVERY_QUEUE_URL");
    /// The queue of events of the bus that are to be delivered.
    delivery_events_queue_url -> String = required("DELIVERY_EVENTS_QUEUE_URL");
    /// Whether endpoints may be on this machine, as on a developer's.
    local_endpoints -> bool = yes_or_no("LOCAL_ENDPOINTS");
    /// The table of the console's sessions.
    sessions_table_name -> String = required("SESSIONS_TABLE_NAME");
    /// The secret with the key of the console's cookies and forms.
    console_secret_id -> String = required("CONSOLE_SECRET_ID");
    /// The queue of orgs whose old leads are erased.
    retention_queue_url -> String = required("RETENTION_QUEUE_URL");
    /// The queue of exports of leads.
    export_queue_url -> String = required("EXPORT_QUEUE_URL");
    /// The queue of what may lead to mails to assignees.
    lead_notice_queue_url -> String = required("LEAD_NOTICE_QUEUE_URL");
    /// The configuration set of mails to assignees, which says where SES reports bounces and complaints.
    mail_configuration_set -> String = required("MAIL_CONFIGURATION_SET");
    /// The queue of answers to send.
    answer_queue_url -> String = required("ANSWER_QUEUE_URL");
    /// Whether Meta has approved the feature Human Agent for the app.
    human_agent -> bool = yes_or_no("HUMAN_AGENT");
    /// The bucket of uploaded pictures and videos.
    files_bucket -> String = required("FILES_BUCKET");
    /// The console, where people reconnect: mails link to it.
    console_url -> Url = required_url("CONSOLE_URL");
    /// The bus on which facts are published.
    event_bus_name -> String = required("EVENT_BUS_NAME");
    /// The secret that contains Meta's app id, app secret and verify token.
    meta_app_secret_id -> String = required("META_APP_SECRET_ID");
    /// The secret that contains the key from which is derived what others keep.
    root_secret_id -> String = required("ROOT_SECRET_ID");
    /// The secret that contains the key for our cursors and login states.
    signing_secret_id -> String = required("SIGNING_SECRET_ID");
    /// Prefix of the names of secrets that contain an integration's tokens.
    credentials_prefix -> String = required("CREDENTIALS_PREFIX");
    /// Base URL of the Graph API.
    graph_base_url -> Url = required_url("GRAPH_BASE_URL");
    /// Base URL of Meta's login dialog. Browsers must be able to reach it.
    dialog_base_url -> Url = required_url("DIALOG_BASE_URL");
    /// Version of the Graph API, such as `v26.0`.
    graph_version -> String = required("GRAPH_VERSION");
    /// The origins (or origins with a path) to which a login may return, separated by commas.
    return_url_allow_list -> String = required("RETURN_URL_ALLOW_LIST");
    /// The required issuer of a token.
    token_issuer -> String = required("TOKEN_ISSUER");
    /// The accepted audiences of a token.
    token_audience -> Vec<String> = required_list("TOKEN_AUDIENCE");
    /// The console's client id at the issuer.
    login_client_id -> String = required("LOGIN_CLIENT_ID");
    /// URL of the issuer's OpenID Connect Discovery document.
    login_configuration_url -> Url = required_url("LOGIN_CONFIGURATION_URL");
    /// URL of the issuer's public keys.
    token_jwks_url -> Url = required_url("TOKEN_JWKS_URL");
    /// The claim that names the caller's org.
    org_claim -> String = required("ORG_CLAIM");
    /// The claim that names the caller's role.
    role_claim -> String = required("ROLE_CLAIM");
    /// The OAuth scope of a program that acts for every org.
    program_scope -> String = required("PROGRAM_SCOPE");
    /// What the OAuth scope of a program begins with that acts for one org.
    program_org_scope -> String = required("PROGRAM_ORG_SCOPE");
    /// The region. Lambda sets it, as all variables that begin with `AWS_`.
    aws_region -> String = required("AWS_REGION");
    /// The id of the key of the function's role.
    aws_access_key_id -> String = required("AWS_ACCESS_KEY_ID");
    /// The key of the function's role.
    aws_secret_access_key -> String = required("AWS_SECRET_ACCESS_KEY");
}

/// The token that belongs to the key of a role. A user's key has none.
#[must_use]
pub fn aws_session_token() -> Option<String> {
    optional("AWS_SESSION_TOKEN")
}

/// The address of an AWS on this machine. Not set in Lambda.
#[must_use]
pub fn aws_endpoint_url() -> Option<String> {
    optional("AWS_ENDPOINT_URL")
}

/// The value of a variable of AWS for one of its services.
#[must_use]
pub fn of_service(name: &str, service: &str) -> Option<String> {
    optional(&format!("{name}_{}", service.to_uppercase().replace(' ', "_")))
}

/// The public origin of this API. If empty or unset, the origin is taken from each request.
pub fn public_url() -> Result<Option<Url>, EnvError> {
    let parse = |text: String| {
        text.parse().map_err(|error: url::ParseError| EnvError::Unusable("PUBLIC_URL", error.to_string()))
    };
    optional("PUBLIC_URL").map(parse).transpose()
}

/// The sender of mails, or `None` if the deployment sends none.
#[must_use]
pub fn sender_address() -> Option<String> {
    optional("SENDER_ADDRESS")
}

/// The namespace of this deployment's metrics: the stack's name. `None` where nothing is measured: also in an operator's
/// program that stands in for a function, whose output is no log.
#[must_use]
pub fn metric_namespace() -> Option<String> {
    env::var("METRIC_NAMESPACE").ok().filter(|value| !value.is_empty())
}

/// The log level. Lambda sets it from the template's `ApplicationLogLevel`.
#[must_use]
pub fn log_level() -> String {
    env::var("AWS_LAMBDA_LOG_LEVEL").unwrap_or_else(|_| "info".to_owned()).to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_that_stands_in_for_a_function_reads_its_variables_and_measures_nothing() {
        let variables = [("TABLE_NAME", "leads"), ("METRIC_NAMESPACE", "prod")];
        stand_in_for(variables.map(|(name, value)| (name.to_owned(), value.to_owned())).into());
        assert_eq!(table_name().unwrap(), "leads");
        assert_eq!(metric_namespace(), None);
    }
}
