//! Alarms before a limit is reached.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result};
use local::template::Template;
use serde_json::Value;

use super::{list, number, properties, referred, texts};

/// Functions that divide their work so that it fills their time, and what they divide. They end at least 6 seconds before
/// the timeout by themselves; a worker is stopped 5 seconds before it (`shared/src/worker.rs`).
const FILLS_ITS_TIME: [(&str, &str); 3] =
    [("AdsSync", "slices of a sync"), ("ExportWorker", "parts of an export"), ("LeadRetention", "pages of old leads")];

/// The HTTP API waits for 30 seconds, and people for less.
const LONGEST_ANSWER_MS: i64 = 10_000;

#[test]
fn a_function_near_its_timeout_raises_an_alarm() -> Result<()> {
    let template = Template::read()?;
    for (id, function) in template.resources("AWS::Serverless::Function") {
        let alarm = properties(&template, &format!("{id}DurationAlarm"))?;
        assert_eq!(alarm.get("MetricName"), Some(&"Duration".into()), "{id}");
        assert_eq!(alarm.pointer("/Dimensions/0/Value").and_then(referred), Some(id));
        assert_eq!(alarm.get("ExtendedStatistic"), Some(&"p99".into()), "{id}");
        // A timeout that is a parameter is taken at its default: an alarm cannot calculate.
        let timeout_ms = 1_000 * number(&template, &BTreeMap::new(), function.get("Timeout"))?;
        let mut events = function.get("Events").and_then(Value::as_object).into_iter().flatten();
        let expected = if events.any(|(_, event)| event.get("Type").is_some_and(|kind| kind == "HttpApi")) {
            LONGEST_ANSWER_MS.min(timeout_ms * 4 / 5)
        } else if FILLS_ITS_TIME.iter().any(|(name, _)| *name == id) {
            timeout_ms - 5_000
        } else {
            timeout_ms * 4 / 5
        };
        assert_eq!(alarm.get("Threshold").and_then(Value::as_i64), Some(expected), "{id}");
    }
    Ok(())
}

/// The functions that read each queue.
fn readers(template: &Template) -> BTreeMap<&str, &str> {
    let functions = template.resources("AWS::Serverless::Function");
    let reads = functions.flat_map(|(id, function)| {
        let events = function.get("Events").and_then(Value::as_object).into_iter().flatten();
        events.filter_map(move |(_, event)| Some((referred(event.pointer("/Properties/Queue")?)?, id)))
    });
    reads.collect()
}

/// The queues that a function may send to.
fn sends_to<'a>(template: &'a Template, function: &str) -> Result<Vec<&'a str>> {
    let policies = properties(template, &format!("{function}Role"))?.get("Policies").map(list).unwrap_or_default();
    let statements =
        policies.into_iter().filter_map(|policy| policy.pointer("/PolicyDocument/Statement")).flat_map(list);
    let sends =
        statements.filter(|it| it.get("Action").is_some_and(|action| texts(action).contains(&"sqs:SendMessage")));
    Ok(sends.filter_map(|statement| statement.get("Resource")).flat_map(list).filter_map(referred).collect())
}

/// Lambda stops a chain of calls that comes back to a function again and again, and says so in a metric only.
#[test]
fn a_function_that_can_reach_itself_may_go_on_or_raises_an_alarm() -> Result<()> {
    let template = Template::read()?;
    let readers = readers(&template);
    let mut found = BTreeSet::new();
    for (id, function) in template.resources("AWS::Serverless::Function") {
        let (mut open, mut reached) = (vec![id], BTreeSet::new());
        while let Some(next) = open.pop() {
            let receivers = sends_to(&template, next)?.into_iter().filter_map(|queue| readers.get(queue).copied());
            open.extend(receivers.filter(|receiver| reached.insert(*receiver)));
        }
        let may_go_on = function.get("RecursiveLoop").is_some_and(|setting| setting == "Allow");
        if reached.contains(id) && !may_go_on {
            let alarm = properties(&template, &format!("{id}RecursionAlarm")).context("a chain ends in silence")?;
            assert_eq!(alarm.get("MetricName"), Some(&"RecursiveInvocationsDropped".into()), "{id}");
            assert_eq!(alarm.pointer("/Dimensions/0/Value").and_then(referred), Some(id));
            found.insert(id);
        }
    }
    assert!(found.contains("LeadWorker"), "chains are not found as this test looks for them: {found:?}");
    Ok(())
}
