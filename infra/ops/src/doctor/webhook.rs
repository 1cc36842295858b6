//! Whether Meta and people reach the system: the webhook answers, and tokens can be verified.

use std::time::Duration;

use anyhow::Result;
use leadwire::env;
use serde_json::Value;

use super::Finding;
use super::secrets::read_secret;
use crate::account::StackAccount;

const TIMEOUT: Duration = Duration::from_secs(15);
/// What the webhook is to repeat.
const CHALLENGE: &str = "20110518";

/// Asks as anyone on the internet does. An answer is its status and its body.
async fn get(url: &str, query: &[(&str, &str)]) -> Result<(u16, String), reqwest::Error> {
    let client = reqwest::Client::builder().timeout(TIMEOUT).build()?;
    let answer = client.get(url).query(query).send().await?;
    Ok((answer.status().as_u16(), answer.text().await?))
}

/// Whether the webhook repeats Meta's challenge.
pub(super) async fn check_webhook(account: &StackAccount) -> Result<Vec<Finding>> {
    let url = account.stack.output("WebhookUrl")?;
    let secret = read_secret(account, "MetaAppCredentials").await?;
    let token = secret.get("verify_token").and_then(Value::as_str).unwrap_or_default();
    let query = [("hub.mode", "subscribe"), ("hub.challenge", CHALLENGE), ("hub.verify_token", token)];
    let fix = "infra/runbook.md, HTTP API errors; with a domain of your own: its DNS record and certificate";
    Ok(vec![match get(url, &query).await {
        Ok((200, body)) if body.trim() == CHALLENGE => {
            Finding::ok("webhook", format!("{url} answers Meta's challenge"))
        }
        Ok((status, _)) => Finding::wrong("webhook", format!("{url} answers Meta's challenge with {status}"), fix),
        Err(error) => {
            let why = if error.is_timeout() { "not in time" } else { "not at all" };
            Finding::wrong("webhook", format!("{url} answers {why} from here"), fix)
        }
    }])
}

/// Whether the keys are there by which tokens are verified.
pub(super) async fn check_token_keys() -> Result<Vec<Finding>> {
    let url = env::token_jwks_url()?;
    let fix = "check TokenIssuer and TokenJwksUrl (DEPLOY.md, step 5): without the keys no one gets in";
    Ok(vec![match get(url.as_str(), &[]).await {
        Ok((200, body)) => {
            let keys = serde_json::from_str::<Value>(&body).ok();
            let keys = keys.as_ref().and_then(|keys| keys.get("keys")?.as_array()).map_or(0, Vec::len);
            let right = format!("the issuer's keys are at {url}");
            Finding::check("login", keys > 0, &right, &format!("{url} has no keys"), fix)
        }
        Ok((status, _)) => Finding::wrong("login", format!("{url} answers {status}"), fix),
        Err(_) => Finding::wrong("login", format!("{url} does not answer from here"), fix),
    }])
}
