//! Whether secrets are there, readable and of the right shape. Their values are neither printed nor kept.

use std::collections::BTreeSet;

use anyhow::{Context, Result};
use futures_util::{StreamExt, TryStreamExt, stream};
use leadwire::clock;
use leadwire::ids::OrgScope;
use leadwire::model::connection::Lifecycle;
use serde_json::{Value, json};

use super::Finding;
use crate::account::StackAccount;
use crate::output::count;
use crate::product::Product;
use crate::status::ORGS_AT_ONCE;

/// The secrets with a key, and what is lost without each.
const KEYS: [(&str, &str); 3] = [
    ("RootSecret", "restore it; never make another one: endpoints' secrets and people's hashes come from it"),
    ("SigningSecret", "restore it, or deploy again"),
    ("ConsoleSecret", "restore it, or deploy again: everyone then logs in again"),
];
/// Integrations whose ids are shown.
const SHOWN: usize = 5;

/// Reads a secret of the stack.
pub(super) async fn read_secret(account: &StackAccount, logical_id: &str) -> Result<Value> {
    let id = account.stack.resource(logical_id)?;
    let answer =
        account.aws.json("secretsmanager", "secretsmanager.GetSecretValue", &json!({ "SecretId": id })).await?;
    let text = answer.get("SecretString").and_then(Value::as_str).context("a secret without a text")?;
    // The parser's own error quotes the content.
    serde_json::from_str(text).map_err(|_| anyhow::anyhow!("{logical_id} is not JSON"))
}

/// Whether the stack's own secrets can be read, and look like what they are.
pub(super) async fn check_keys(account: &StackAccount) -> Result<Vec<Finding>> {
    let mut findings = Vec::new();
    for (id, fix) in KEYS {
        let secret = read_secret(account, id).await?;
        let key = secret.get("key").and_then(Value::as_str).unwrap_or_default();
        let wrong = format!("{id} has no key of 64 characters");
        findings.push(Finding::check("secrets", key.len() == 64, &format!("{id} is readable"), &wrong, fix));
    }
    findings.push(check_app(&read_secret(account, "MetaAppCredentials").await?));
    Ok(findings)
}

/// Whether the app's secret has the shape of Meta's.
fn check_app(secret: &Value) -> Finding {
    let text = |name: &str| secret.get(name).and_then(Value::as_str).unwrap_or_default();
    let (id, key, token) = (text("app_id"), text("app_secret"), text("verify_token"));
    let is_hex = |text: &str| text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
    let is_id = !id.is_empty() && id.bytes().all(|b| b.is_ascii_digit());
    let fix = "read -rs app_secret; sam deploy … MetaAppId=… MetaAppSecret=\"$app_secret\" MetaVerifyToken=…";
    if !is_id || key.is_empty() || token.len() < 8 {
        return Finding::wrong("secrets", "MetaAppCredentials lacks the app's id, its secret or the verify token", fix);
    }
    if key.len() != 32 || !is_hex(key) {
        let what =
            "the app secret is not 32 hexadecimal digits, as Meta's are: compare its end with the app's dashboard";
        return Finding::warn("secrets", what, fix);
    }
    Finding::ok("secrets", "MetaAppCredentials has the shape of Meta's")
}

/// Whether the tokens of all live integrations are where they should be.
pub(super) async fn check_tokens(product: &Product<'_>) -> Result<Vec<Finding>> {
    let stored = stored_names(product.account).await?;
    let prefix = format!("{}/integration/", product.account.stack.name);
    let (mut integrations, mut odd, mut missing) = (0, Vec::new(), Vec::new());
    let now = clock::now();
    let orgs = product.orgs().await?;
    let reading = async |scope: &OrgScope| product.table.integrations(scope).await;
    let all = stream::iter(&orgs).map(|(scope, _)| reading(scope)).buffered(ORGS_AT_ONCE);
    let all: Vec<_> = all.try_collect().await?;
    for ((scope, _), own) in orgs.iter().zip(all) {
        for integration in own {
            // One that has ended, or is being ended, needs none.
            if integration.lifecycle != Lifecycle::Live || integration.state(now).reason.is_some() {
                continue;
            }
            integrations += 1;
            let name = format!("{} of org {}", integration.id, scope.org());
            if integration.credentials.iter().any(|secret| !secret.starts_with(&prefix)) {
                odd.push(name.clone());
            }
            if integration.credentials.iter().any(|secret| !stored.contains(secret)) {
                missing.push(name);
            }
        }
    }
    let first = |all: &[String]| all.iter().take(SHOWN).cloned().collect::<Vec<_>>().join(", ");
    let mut findings = Vec::new();
    if !missing.is_empty() {
        let what =
            format!("tokens are gone of {}: {}", count(missing.len(), "integration", "integrations"), first(&missing));
        let fix = "aws secretsmanager restore-secret within its window, else the org's admin reconnects";
        findings.push(Finding::wrong("tokens", what, fix));
    }
    if !odd.is_empty() {
        let what = format!("secrets of another stack's name are used by {}", first(&odd));
        findings.push(Finding::warn(
            "tokens",
            what,
            "reconnect them: the functions may read names of their own stack only",
        ));
    }
    if findings.is_empty() {
        findings.push(Finding::ok("tokens", format!("the tokens of {integrations} live integrations are there")));
    }
    Ok(findings)
}

/// The names of all secrets with tokens.
async fn stored_names(account: &StackAccount) -> Result<BTreeSet<String>> {
    let prefix = format!("{}/integration/", account.stack.name);
    let mut input = json!({ "MaxResults": 100, "Filters": [{ "Key": "name", "Values": [prefix] }] });
    let mut names = BTreeSet::new();
    loop {
        let answer = account.aws.json("secretsmanager", "secretsmanager.ListSecrets", &input).await?;
        let listed = answer.get("SecretList").and_then(Value::as_array).into_iter().flatten();
        names.extend(listed.filter_map(|secret| Some(secret.get("Name")?.as_str()?.to_owned())));
        match (answer.get("NextToken").filter(|token| token.is_string()), input.as_object_mut()) {
            (Some(token), Some(input)) => drop(input.insert("NextToken".to_owned(), token.clone())),
            _ => return Ok(names),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Grade;
    use super::*;

    #[test]
    fn the_shape_of_the_app_secret_is_checked_and_not_shown() {
        let secret = |key: &str| json!({ "app_id": "123", "app_secret": key, "verify_token": "long enough" });
        let good = check_app(&secret("0123456789abcdef0123456789abcdef"));
        assert_eq!(good.grade, Grade::Ok);
        for (odd, grade) in [("UPPER6789abcdef0123456789abcdef0", Grade::Warn), ("", Grade::Wrong)] {
            let finding = check_app(&secret(odd));
            assert_eq!(finding.grade, grade);
            assert!(odd.is_empty() || !format!("{finding:?}").contains(odd));
        }
        assert_eq!(check_app(&json!({})).grade, Grade::Wrong);
    }
}
