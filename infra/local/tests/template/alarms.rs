//! What wakes the operator: no failure is silent, and every alarm has an entry in `infra/runbook.md`.

use std::collections::BTreeSet;
use std::fs;

use anyhow::{Context, Result};
use local::template::Template;
use serde_json::Value;

use super::{dashboard, properties, referred, root, source};

/// Metrics of the log that wake no one, and why.
const COUNTED_ONLY: [(&str, &str); 2] = [
    ("leads_waiting", "they are tried again by themselves, and are given up with an alarm"),
    ("messages_missed", "the sync has found them; a webhook that stays away shows in the leads as well"),
];

/// Entries of the runbook that no alarm leads to, but a decision.
const ENTRIES_OF_NO_ALARM: [&str; 7] = [
    "Before anything",
    "Roll back",
    "Log level and traces",
    "Restore an org",
    "Restore the whole table",
    "Remove an org",
    "Check the account",
];

/// The values of `metric = "…"` in a source.
fn logged(source: &str) -> BTreeSet<&str> {
    source.split("metric = \"").skip(1).filter_map(|rest| rest.split_once('"')).map(|(name, _)| name).collect()
}

/// The log groups and the patterns of the metric filters whose metric has an alarm.
fn alarmed_filters(template: &Template) -> Vec<(&str, &str)> {
    let is_alarmed = |metric: &Value| {
        template.resources("AWS::CloudWatch::Alarm").any(|(_, alarm)| alarm.get("MetricName") == Some(metric))
    };
    let filters = template.resources("AWS::Logs::MetricFilter").filter_map(|(_, filter)| {
        filter.pointer("/MetricTransformations/0/MetricName").filter(|metric| is_alarmed(metric))?;
        Some((filter.get("LogGroupName").and_then(referred)?, filter.get("FilterPattern")?.as_str()?))
    });
    filters.collect()
}

#[test]
fn what_is_logged_as_a_failure_raises_an_alarm() -> Result<()> {
    let template = Template::read()?;
    let filters = alarmed_filters(&template);
    let sources = source(&root().join("shared/src"))? + &source(&root().join("functions"))?;
    let logged = logged(&sources);
    assert!(logged.len() > 15, "logged metrics are not written as this test reads them: {logged:?}");
    for metric in logged {
        let is_watched = filters.iter().any(|(_, pattern)| pattern.contains(&format!("\"{metric}\"")));
        let is_counted_only = COUNTED_ONLY.iter().any(|(name, _)| *name == metric);
        assert!(is_watched != is_counted_only, "{metric} raises no alarm, or is said to raise none");
    }
    Ok(())
}

#[test]
fn a_defect_of_any_worker_raises_an_alarm() -> Result<()> {
    let template = Template::read()?;
    let filters = alarmed_filters(&template);
    for (id, function) in template.resources("AWS::Serverless::Function") {
        let mut events = function.get("Events").and_then(Value::as_object).into_iter().flatten();
        if !events.any(|(_, event)| event.get("Type").is_some_and(|kind| kind == "SQS")) {
            continue;
        }
        for metric in ["records_panicked", "messages_unreadable", "items_unreadable"] {
            let logs = format!("{id}Logs");
            let of_worker = |(group, pattern): &(&str, &str)| *group == logs && pattern.contains(metric);
            assert!(filters.iter().any(of_worker), "{metric} in {logs}");
        }
    }
    Ok(())
}

/// Of these, the log says nothing.
#[test]
fn what_the_platform_refuses_or_leaves_out_raises_an_alarm() -> Result<()> {
    let template = Template::read()?;
    let expected = [
        ("AWS/Lambda", "Invocations", Some("Planner")),
        ("AWS/Lambda", "Throttles", None),
        ("AWS/Lambda", "ConcurrentExecutions", None),
        ("AWS/DynamoDB", "ReadThrottleEvents", Some("Table")),
        ("AWS/DynamoDB", "WriteThrottleEvents", Some("Table")),
        ("AWS/DynamoDB", "ReadThrottleEvents", Some("Sessions")),
        ("AWS/DynamoDB", "WriteThrottleEvents", Some("Sessions")),
        ("AWS/DynamoDB", "TransactionConflict", Some("Table")),
        ("AWS/SES", "Reputation.BounceRate", None),
        ("AWS/SES", "Reputation.ComplaintRate", None),
        ("AWS/ApiGateway", "5xx", Some("HttpApi")),
    ];
    for (namespace, metric, of) in expected {
        let is_this = |alarm: &Value| {
            alarm.get("Namespace").is_some_and(|it| it == namespace)
                && alarm.get("MetricName").is_some_and(|it| it == metric)
                && alarm.pointer("/Dimensions/0/Value").and_then(referred) == of
        };
        assert!(template.resources("AWS::CloudWatch::Alarm").any(|(_, alarm)| is_this(alarm)), "{metric} of {of:?}");
    }
    // What never happens has no data.
    let planner = properties(&template, "PlannerAbsentAlarm")?;
    assert_eq!(planner.get("TreatMissingData"), Some(&"breaching".into()));
    Ok(())
}

#[test]
fn every_alarm_has_its_entry_in_the_runbook() -> Result<()> {
    let template = Template::read()?;
    let runbook = fs::read_to_string(root().join("infra/runbook.md"))?;
    let entries: BTreeSet<&str> = runbook.lines().filter_map(|line| line.strip_prefix("## ")).collect();
    let mut named = BTreeSet::new();
    let composites = template.resources("AWS::CloudWatch::CompositeAlarm");
    for (id, alarm) in template.resources("AWS::CloudWatch::Alarm").chain(composites) {
        let description = alarm.get("AlarmDescription").and_then(Value::as_str).context("an alarm says nothing")?;
        let entry = description.strip_suffix('.').and_then(|text| text.rsplit_once(" Runbook: "));
        let (_, entry) = entry.with_context(|| format!("{id} names no entry: {description}"))?;
        assert!(entries.contains(entry), "{id}: the runbook has no entry “{entry}”");
        named.insert(entry);
    }
    let without_alarm: Vec<_> =
        entries.difference(&named).filter(|entry| !ENTRIES_OF_NO_ALARM.contains(entry)).collect();
    assert!(without_alarm.is_empty(), "entries of no alarm: {without_alarm:?}");
    Ok(())
}

/// A widget of a metric that no one sends is empty, and looks like a system without trouble.
#[test]
fn the_dashboard_shows_what_is_measured() -> Result<()> {
    let template = Template::read()?;
    let body = properties(&template, "Dashboard")?.pointer("/DashboardBody/Fn::Sub").and_then(Value::as_str);
    let body: Value = serde_json::from_str(body.context("a dashboard without a body")?)?;
    let widgets = body.get("widgets").and_then(Value::as_array).context("a dashboard without widgets")?;
    let filtered = template
        .resources("AWS::Logs::MetricFilter")
        .filter_map(|(_, filter)| filter.pointer("/MetricTransformations/0/MetricName")?.as_str());
    let mut own = dashboard::written()?;
    own.extend(filtered.map(str::to_owned));
    let shown: BTreeSet<String> = widgets.iter().flat_map(dashboard::shown).collect();
    assert_eq!(shown, own, "left is shown, right is measured");
    // What only some stacks have cannot be named.
    let resources = template.document().get("Resources").and_then(Value::as_object).context("no resources")?;
    let text = body.to_string();
    for (id, _) in resources.iter().filter(|(_, resource)| resource.get("Condition").is_some()) {
        let is_named = [format!("${{{id}}}"), format!("${{{id}.")].iter().any(|name| text.contains(name));
        assert!(!is_named, "{id} is not in every stack");
    }
    let is_everywhere = |id: &str| resources.get(id).is_some_and(|it| it.get("Condition").is_none());
    let composites = template.resources("AWS::CloudWatch::CompositeAlarm");
    let alarms = template.resources("AWS::CloudWatch::Alarm").chain(composites);
    for (id, _) in alarms.filter(|(id, _)| is_everywhere(id)) {
        assert!(text.contains(&format!("${{{id}.Arn}}")), "{id}");
    }
    // CloudWatch shows no more.
    for widget in widgets {
        let alarms = widget.pointer("/properties/alarms").and_then(Value::as_array);
        assert!(alarms.is_none_or(|alarms| alarms.len() <= 100), "{}", widget["properties"]["title"]);
    }
    Ok(())
}
