//! `infra/quotas.toml` fits the template, and `infra/DEPLOY.md` shows it.

use std::collections::BTreeMap;
use std::fs;

use anyhow::{Context, Result, ensure};
use local::template::Template;
use serde::Deserialize;
use serde_json::Value;

use super::{number, root};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Quotas {
    quota: Vec<QuotaRow>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct QuotaRow {
    service_code: String,
    quota_code: String,
    name: String,
    unit: String,
    small: u64,
    medium: u64,
    large: u64,
    reason: String,
}

fn quotas() -> Result<Vec<QuotaRow>> {
    let quotas: Quotas = toml::from_str(&fs::read_to_string(root().join("infra/quotas.toml"))?)?;
    ensure!(quotas.quota.len() > 10, "few quotas");
    Ok(quotas.quota)
}

fn needed(quotas: &[QuotaRow], name: &str) -> Result<u64> {
    Ok(quotas.iter().find(|quota| quota.name == name).with_context(|| name.to_owned())?.small)
}

/// `1234567` as `1,234,567`.
fn with_commas(number: u64) -> String {
    let digits = number.to_string();
    let groups = digits.as_bytes().rchunks(3).rev().map(String::from_utf8_lossy);
    groups.collect::<Vec<_>>().join(",")
}

#[test]
fn the_guide_shows_every_quota() -> Result<()> {
    let guide = fs::read_to_string(root().join("infra/DEPLOY.md"))?;
    for quota in quotas()? {
        assert!(quota.small <= quota.medium && quota.medium <= quota.large, "{}", quota.name);
        assert!(!quota.reason.trim().is_empty() && !quota.unit.is_empty(), "{}", quota.name);
        let code = if quota.quota_code.is_empty() { "–".to_owned() } else { format!("`{}`", quota.quota_code) };
        let [small, medium, large] = [quota.small, quota.medium, quota.large].map(with_commas);
        let row = format!(
            "| `{}` | {code} | {}, {} | {small} | {medium} | {large} |",
            quota.service_code, quota.name, quota.unit
        );
        assert!(guide.contains(&row), "DEPLOY.md has no row\n{row}");
    }
    Ok(())
}

/// The numbers that come from the template alone.
#[test]
fn the_quotas_cover_the_template() -> Result<()> {
    let (template, quotas) = (Template::read()?, quotas()?);
    let alarms = template.resources("AWS::CloudWatch::Alarm").count();
    let composites = template.resources("AWS::CloudWatch::CompositeAlarm").count();
    let all = u64::try_from(alarms + composites)?;
    assert!(all <= needed(&quotas, "Alarms in each Region")?, "{all} alarms");
    let groups = template.resources("AWS::Logs::LogGroup").count();
    assert!(u64::try_from(groups)? <= needed(&quotas, "Log groups")?, "{groups} log groups");
    // The workers take no more at once, and the planner has about ten schedules.
    let mut at_once = 10;
    for (_, function) in template.resources("AWS::Serverless::Function") {
        for (_, event) in function.get("Events").and_then(Value::as_object).into_iter().flatten() {
            if let Some(most) = event.pointer("/Properties/ScalingConfig/MaximumConcurrency") {
                at_once += number(&template, &BTreeMap::new(), Some(most))?;
            }
        }
    }
    assert!(at_once.unsigned_abs() <= needed(&quotas, "Concurrent executions")?, "{at_once} at once");
    Ok(())
}

/// What SAM makes of the template: of a function also its version, its alias and its deployment group; of an event a
/// permission, an event source mapping, or a schedule with a role; of the API a stage; and CodeDeploy's application and role.
#[test]
fn the_template_stays_below_what_cloudformation_takes() -> Result<()> {
    let (template, quotas) = (Template::read()?, quotas()?);
    let resources = template.document().get("Resources").and_then(Value::as_object).context("no resources")?;
    let mut made = resources.len() + 3;
    for (_, function) in template.resources("AWS::Serverless::Function") {
        made += 3;
        for (_, event) in function.get("Events").and_then(Value::as_object).into_iter().flatten() {
            made += if event.get("Type").is_some_and(|kind| kind == "ScheduleV2") { 2 } else { 1 };
        }
    }
    let limit = needed(&quotas, "Resources in a template")?;
    assert!(u64::try_from(made)? <= limit && limit <= 500, "{made} resources");
    Ok(())
}
