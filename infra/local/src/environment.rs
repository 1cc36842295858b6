//! `environment.sh`: the variables that let a command-line program work on the running system as a deployed function
//! does, and those with which the CRM calls the API.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use aws_calls::{ROOT_KEY, Stack};

use crate::endpoints::Endpoints;

/// Writes all the settings that `meta-ads` needs, and the CRM's credentials.
pub(crate) fn write(path: &Path, endpoints: &Endpoints, stack: &Stack) -> Result<()> {
    let variables = [
        ("AWS_ENDPOINT_URL", endpoints.aws_endpoint.as_str()),
        ("AWS_REGION", &endpoints.region),
        ("AWS_ACCESS_KEY_ID", ROOT_KEY),
        ("AWS_SECRET_ACCESS_KEY", ROOT_KEY),
        ("TABLE_NAME", &endpoints.table),
        ("META_APP_SECRET_ID", stack.resource("MetaAppCredentials")?),
        ("GRAPH_BASE_URL", &endpoints.graph_sim),
        ("GRAPH_VERSION", "v26.0"),
        ("EXPIRY_NOTICE_QUEUE_URL", stack.resource("ExpiryNoticeQueue")?),
        ("ADS_SYNC_QUEUE_URL", stack.resource("AdsSyncQueue")?),
        ("LEADWIRE_URL", &endpoints.url),
        ("LEADWIRE_TOKEN_URL", &endpoints.program.token_url),
        ("LEADWIRE_CLIENT_ID", &endpoints.program.client_id),
        ("LEADWIRE_CLIENT_SECRET", &endpoints.program.client_secret),
    ];
    let lines: String = variables.iter().map(|(name, value)| format!("export {name}='{value}'\n")).collect();
    fs::write(path, lines).with_context(|| format!("cannot write {}", path.display()))
}
