//! Whether the account's quotas allow what a size needs. The numbers are in infra/quotas.toml.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use aws_calls::AwsRefusal;
use http::Method;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Finding, settle};
use crate::account::StackAccount;
use crate::arguments::Size;

#[derive(Debug, Deserialize)]
struct QuotaFile {
    quota: Vec<NeededQuota>,
}

/// What a stack needs of one quota.
#[derive(Debug, Deserialize)]
struct NeededQuota {
    service_code: String,
    /// Empty for a limit that Service Quotas does not list.
    quota_code: String,
    name: String,
    #[serde(default)]
    unit: String,
    small: f64,
    medium: f64,
    large: f64,
}

impl NeededQuota {
    fn needed(&self, size: Size) -> f64 {
        match size {
            Size::Small => self.small,
            Size::Medium => self.medium,
            Size::Large => self.large,
        }
    }
}

/// Compares all quotas with what the account has.
pub(super) async fn check(account: &StackAccount, size: Size) -> Result<Vec<Finding>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../quotas.toml");
    let Ok(text) = fs::read_to_string(&path) else {
        return Ok(vec![Finding::unknown(
            "quotas",
            "infra/quotas.toml is not in this checkout",
            "update the checkout",
        )]);
    };
    let file: QuotaFile = toml::from_str(&text).context("infra/quotas.toml cannot be read")?;
    let mut findings = Vec::new();
    for quota in &file.quota {
        let compared = compare(account, quota, quota.needed(size)).await.map(|finding| vec![finding]);
        let is_known = compared.is_ok();
        findings.extend(settle("quotas", compared).into_iter().map(|mut finding| {
            if !is_known {
                finding.what = format!("{} ({}): {}", quota.name, quota.service_code, finding.what);
            }
            finding
        }));
    }
    Ok(findings)
}

async fn compare(account: &StackAccount, quota: &NeededQuota, needed: f64) -> Result<Finding> {
    let place = format!("{} ({}, needs {needed} {})", quota.name, quota.service_code, quota.unit);
    let by_hand = "compare it by hand in Service Quotas, or in the service's documentation";
    if quota.quota_code.is_empty() {
        return Ok(Finding::unknown("quotas", place, by_hand));
    }
    let allowed = match read_elsewhere(account, quota).await? {
        Some(allowed) => Some(allowed),
        None => read_quota(account, quota).await?,
    };
    let Some(allowed) = allowed else { return Ok(Finding::unknown("quotas", place, by_hand)) };
    if allowed >= needed {
        return Ok(Finding::ok("quotas", format!("{place}: the account has {allowed}")));
    }
    let fix = format!(
        "aws service-quotas request-service-quota-increase --service-code {} --quota-code {} --desired-value {needed}",
        quota.service_code, quota.quota_code
    );
    Ok(Finding::wrong("quotas", format!("{place}: the account has {allowed}"), fix))
}

/// What another service says better: Service Quotas knows neither the account's reduced concurrency nor SES's sandbox.
async fn read_elsewhere(account: &StackAccount, quota: &NeededQuota) -> Result<Option<f64>> {
    let (service, path, pointer) = match quota.quota_code.as_str() {
        "L-B99A9384" => ("lambda", "/2016-08-19/account-settings", "/AccountLimit/ConcurrentExecutions"),
        "L-804C8AE8" => ("email", "/v2/email/account", "/SendQuota/Max24HourSend"),
        "L-CDEF9B6B" => ("email", "/v2/email/account", "/SendQuota/MaxSendRate"),
        _ => return Ok(None),
    };
    let answer = account.aws.rest(service, Method::GET, path, &Value::Null).await?;
    Ok(answer.pointer(pointer).and_then(Value::as_f64))
}

/// The account's quota, or AWS's default if it was never changed.
async fn read_quota(account: &StackAccount, quota: &NeededQuota) -> Result<Option<f64>> {
    let input = json!({ "ServiceCode": quota.service_code, "QuotaCode": quota.quota_code });
    for operation in ["GetServiceQuota", "GetAWSDefaultServiceQuota"] {
        let operation = format!("ServiceQuotasV20190624.{operation}");
        match account.aws.json("servicequotas", &operation, &input).await {
            Ok(answer) => return Ok(answer.pointer("/Quota/Value").and_then(Value::as_f64)),
            Err(error) if AwsRefusal::find(&error).is_some_and(|it| it.is("NoSuchResourceException")) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_needed_quotas_can_be_read_and_grow_with_the_size() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../quotas.toml");
        let file: QuotaFile = toml::from_str(&fs::read_to_string(path).unwrap()).unwrap();
        assert!(file.quota.len() > 10);
        for quota in &file.quota {
            let sizes = [Size::Small, Size::Medium, Size::Large].map(|size| quota.needed(size));
            assert!(sizes.is_sorted(), "{}: {sizes:?}", quota.name);
            assert!(!quota.name.is_empty() && !quota.service_code.is_empty());
        }
    }
}
