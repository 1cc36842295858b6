//! How much a function logs, changed without a deployment.

use std::time::Duration;

use anyhow::{Result, bail};
use aws_calls::AwsRefusal;
use http::Method;
use serde_json::{Value, json};

use crate::Found;
use crate::account::StackAccount;
use crate::arguments::LogLevel;

/// The alias by which the stack shifts traffic to new versions, if it does.
const ALIAS: &str = "live";
/// How often, and how long, a change of a function is waited for.
const POLL: Duration = Duration::from_secs(1);
const MAX_POLLS: u32 = 90;

impl LogLevel {
    fn name(self) -> &'static str {
        match self {
            Self::Debug => "DEBUG",
            Self::Info => "INFO",
            Self::Warn => "WARN",
        }
    }
}

/// Changes the level of a function's log. `None` puts it back.
pub(crate) async fn change(account: &StackAccount, function: &str, level: Option<LogLevel>) -> Result<Found> {
    let deployed = account.function(function)?;
    let level = level.unwrap_or(LogLevel::Info).name();
    let before = account.function_configuration(deployed).await?;
    let alias = read_alias(account, deployed).await?;
    if let Some(shifting) = alias.as_ref().and_then(|alias| alias.pointer("/RoutingConfig/AdditionalVersionWeights"))
        && shifting.as_object().is_some_and(|weights| !weights.is_empty())
    {
        bail!(
            "a deployment is shifting the traffic of {function} to a new version: wait for its end, then repeat this"
        );
    }
    if alias.is_some() {
        // What is published has the function's newest code, which an alias that was rolled back must not get by this.
        let live = account.function_configuration(&format!("{deployed}:{ALIAS}")).await?;
        if live.get("CodeSha256") != before.get("CodeSha256") {
            bail!("the alias {ALIAS} of {function} was rolled back to other code than the newest: deploy instead");
        }
    }
    let logging = with_level(&before, level);
    let path = format!("/2015-03-31/functions/{deployed}/configuration");
    account.aws.rest("lambda", Method::PUT, &path, &json!({ "LoggingConfig": logging })).await?;
    wait_until_updated(account, deployed).await?;
    let was = before.pointer("/LoggingConfig/ApplicationLogLevel").and_then(Value::as_str).unwrap_or("INFO");
    match alias {
        None => println!("{function} logs {level} now (before: {was})"),
        Some(alias) => {
            let version = publish(account, deployed, level).await?;
            let path = format!("/2015-03-31/functions/{deployed}/aliases/{ALIAS}");
            account.aws.rest("lambda", Method::PUT, &path, &json!({ "FunctionVersion": version })).await?;
            let old = alias.get("FunctionVersion").and_then(Value::as_str).unwrap_or("?");
            println!("{function} logs {level} now (before: {was})");
            println!(
                "A published version cannot be changed: version {version} has the level, and the alias {ALIAS} moved to it from {old}."
            );
        }
    }
    if level != "INFO" {
        println!("Put it back before the next deployment: cargo ops log-level {function} --back");
    }
    Ok(Found::Fine)
}

/// The logging of a function with another level. Only JSON logs have one, which all functions of the template write.
fn with_level(configuration: &Value, level: &str) -> Value {
    let mut logging = configuration.get("LoggingConfig").cloned().unwrap_or_else(|| json!({}));
    if let Some(fields) = logging.as_object_mut() {
        fields.insert("LogFormat".to_owned(), json!("JSON"));
        fields.insert("ApplicationLogLevel".to_owned(), json!(level));
    }
    logging
}

async fn read_alias(account: &StackAccount, deployed: &str) -> Result<Option<Value>> {
    let path = format!("/2015-03-31/functions/{deployed}/aliases/{ALIAS}");
    match account.aws.rest("lambda", Method::GET, &path, &Value::Null).await {
        Ok(alias) => Ok(Some(alias)),
        Err(error) if AwsRefusal::find(&error).is_some_and(|it| it.status == 404) => Ok(None),
        Err(error) => Err(error),
    }
}

async fn wait_until_updated(account: &StackAccount, deployed: &str) -> Result<()> {
    for _ in 0..MAX_POLLS {
        let now = account.function_configuration(deployed).await?;
        match now.get("LastUpdateStatus").and_then(Value::as_str) {
            Some("InProgress") => tokio::time::sleep(POLL).await,
            Some("Failed") => {
                let why = now.get("LastUpdateStatusReason").and_then(Value::as_str).unwrap_or("it does not say why");
                bail!("Lambda could not change {deployed}: {why}")
            }
            _ => return Ok(()),
        }
    }
    bail!("Lambda is still changing {deployed}; look again in some minutes")
}

/// Publishes what the function is now as a version, and returns its number.
async fn publish(account: &StackAccount, deployed: &str, level: &str) -> Result<String> {
    let path = format!("/2015-03-31/functions/{deployed}/versions");
    let description = format!("cargo ops log-level: {level}");
    let published = account.aws.rest("lambda", Method::POST, &path, &json!({ "Description": description })).await?;
    match published.get("Version").and_then(Value::as_str) {
        Some(version) => Ok(version.to_owned()),
        None => bail!("Lambda published no version of {deployed}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_level_changes() {
        let configuration = json!({
            "LoggingConfig": { "LogFormat": "JSON", "LogGroup": "/aws/lambda/x", "SystemLogLevel": "WARN" },
        });
        let expected = json!({
            "LogFormat": "JSON", "LogGroup": "/aws/lambda/x", "SystemLogLevel": "WARN", "ApplicationLogLevel": "DEBUG",
        });
        assert_eq!(with_level(&configuration, LogLevel::Debug.name()), expected);
        assert_eq!(with_level(&json!({}), "INFO"), json!({ "LogFormat": "JSON", "ApplicationLogLevel": "INFO" }));
    }
}
