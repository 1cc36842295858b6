//! What is deployed: schedules, event sources, tables, logs and functions.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;
use serde_json::{Value, json};

use super::Finding;
use crate::account::StackAccount;
use crate::output::count;
use crate::status::{Switch, event_sources, schedules, stopped_functions};

/// The table whose loss cannot be made up for. Sessions are in another one, and end within hours.
const PRECIOUS: &str = "Table";

fn check_switches(area: &'static str, switches: &[Switch], fix: &str) -> Vec<Finding> {
    let off: Vec<Finding> = switches
        .iter()
        .filter(|switch| !switch.is_on())
        .map(|switch| Finding::wrong(area, format!("{} is {}", switch.name, switch.state), fix))
        .collect();
    if off.is_empty() && !switches.is_empty() {
        return vec![Finding::ok(area, format!("{} on", count(switches.len(), "is", "are")))];
    }
    if switches.is_empty() { vec![Finding::wrong(area, "the stack has none", "deploy again")] } else { off }
}

/// Whether all schedules are on.
pub(super) async fn check_schedules(account: &StackAccount) -> Result<Vec<Finding>> {
    let fix = "cargo ops switch-on --all (infra/runbook.md, Planner absent)";
    Ok(check_switches("schedules", &schedules(account).await?, fix))
}

/// Whether all workers get their messages.
pub(super) async fn check_event_sources(account: &StackAccount) -> Result<Vec<Finding>> {
    let fix = "cargo ops switch-on --all (infra/runbook.md, Queue age)";
    Ok(check_switches("event sources", &event_sources(account).await?, fix))
}

/// Whether what is stored can be brought back, and is not deleted by mistake.
pub(super) async fn check_tables(account: &StackAccount) -> Result<Vec<Finding>> {
    let table = account.stack.resource(PRECIOUS)?;
    let input = json!({ "TableName": table });
    let backups = account.aws.json("dynamodb", "DynamoDB_20120810.DescribeContinuousBackups", &input).await?;
    let pitr =
        backups.pointer("/ContinuousBackupsDescription/PointInTimeRecoveryDescription/PointInTimeRecoveryStatus");
    let described = account.aws.json("dynamodb", "DynamoDB_20120810.DescribeTable", &input).await?;
    let is_protected = described.pointer("/Table/DeletionProtectionEnabled").and_then(Value::as_bool) == Some(true);
    let protection = if is_protected {
        Finding::ok("table", "it is protected against deletion")
    } else {
        let fix = "sam deploy … DataProtection=yes";
        Finding::warn("table", "it is not protected against deletion; right only for a stage that is thrown away", fix)
    };
    let fix = format!(
        "aws dynamodb update-continuous-backups --table-name {table} \
         --point-in-time-recovery-specification PointInTimeRecoveryEnabled=true"
    );
    let is_on = pitr.and_then(Value::as_str) == Some("ENABLED");
    let wrong = "point-in-time recovery is off: nothing can be brought back";
    let ttl = account.aws.json("dynamodb", "DynamoDB_20120810.DescribeTimeToLive", &input).await?;
    let ttl = ttl.pointer("/TimeToLiveDescription/TimeToLiveStatus").and_then(Value::as_str);
    let fix_ttl = format!(
        "aws dynamodb update-time-to-live --table-name {table} \
         --time-to-live-specification Enabled=true,AttributeName=ttl"
    );
    let expires = ttl.is_some_and(|status| ["ENABLED", "ENABLING"].contains(&status));
    let lives_on = "the time to live is off: what was promised to be deleted stays";
    Ok(vec![
        Finding::check("table", is_on, "point-in-time recovery is on", wrong, &fix),
        Finding::check("table", expires, "what expires is deleted", lives_on, &fix_ttl),
        protection,
    ])
}

/// Whether logs end at some time.
pub(super) async fn check_logs(account: &StackAccount) -> Result<Vec<Finding>> {
    let mut findings = Vec::new();
    let (mut groups, mut days) = (0, BTreeSet::new());
    for (id, name) in account.stack.of_kind("AWS::Logs::LogGroup") {
        let input = json!({ "logGroupNamePrefix": name, "limit": 50 });
        let answer = account.aws.json("logs", "Logs_20140328.DescribeLogGroups", &input).await?;
        let all = answer.get("logGroups").and_then(Value::as_array).into_iter().flatten();
        let mut group = all.filter(|group| group.get("logGroupName").and_then(Value::as_str) == Some(name));
        let fix = "deploy again, with LogRetentionDays";
        match group.next().map(|group| group.get("retentionInDays").and_then(Value::as_u64)) {
            Some(Some(kept)) => drop(days.insert(kept)),
            Some(None) => findings.push(Finding::wrong("logs", format!("{id} keeps its lines for ever"), fix)),
            None => findings.push(Finding::wrong("logs", format!("{id} was deleted: its function logs nowhere"), fix)),
        }
        groups += 1;
    }
    if findings.is_empty() {
        let days: Vec<String> = days.iter().map(u64::to_string).collect();
        findings.push(Finding::ok("logs", format!("{groups} groups are kept for {} days", days.join(" or "))));
    }
    Ok(findings)
}

/// Whether all functions are of one architecture, and can run.
pub(super) async fn check_functions(account: &StackAccount) -> Result<Vec<Finding>> {
    let mut findings = Vec::new();
    let mut architectures: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for (name, deployed) in account.functions() {
        let configuration = account.function_configuration(deployed).await?;
        let text = |field: &str| configuration.get(field).and_then(Value::as_str);
        let architecture = configuration.pointer("/Architectures/0").and_then(Value::as_str).unwrap_or("unknown");
        architectures.entry(architecture.to_owned()).or_default().push(name);
        if text("LastUpdateStatus") == Some("Failed") {
            findings.push(Finding::wrong("functions", format!("the last change of {name} failed"), "deploy again"));
        }
        let level = configuration.pointer("/LoggingConfig/ApplicationLogLevel").and_then(Value::as_str);
        if let Some(level) = level.filter(|level| *level != "INFO") {
            let fix = format!("cargo ops log-level {name} --back");
            findings.push(Finding::warn("functions", format!("{name} logs {level}"), fix));
        }
    }
    for name in stopped_functions(account).await? {
        let fix = format!("aws lambda delete-function-concurrency --function-name {}-{name}", account.stack.name);
        findings.push(Finding::wrong("functions", format!("{name} is stopped: its reserved concurrency is 0"), fix));
    }
    let kinds: Vec<String> = architectures
        .iter()
        .map(|(kind, names)| format!("{} on {kind}", count(names.len(), "function", "functions")))
        .collect();
    findings.push(match architectures.len() {
        1 => Finding::ok("functions", kinds.join(", ")),
        _ => Finding::wrong(
            "functions",
            format!("of several architectures: {}", kinds.join(", ")),
            "build and deploy again",
        ),
    });
    Ok(findings)
}
