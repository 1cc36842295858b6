//! What only AWS knows: alarms, schedules, event sources, and functions that were stopped.

use std::collections::BTreeMap;

use anyhow::Result;
use aws_calls::{AwsRefusal, members, text};
use http::Method;
use serde_json::Value;

use super::{AlarmOn, Switch};
use crate::account::StackAccount;

/// The alarms that are on, the longest ones first.
pub(super) async fn alarms_on(account: &StackAccount) -> Result<Vec<AlarmOn>> {
    let prefix = format!("{}-", account.stack.name);
    let (mut alarms, mut next) = (Vec::new(), None);
    loop {
        let mut query = vec![
            ("Action", "DescribeAlarms"),
            ("Version", "2010-08-01"),
            ("AlarmNamePrefix", &prefix),
            ("StateValue", "ALARM"),
            ("AlarmTypes.member.1", "MetricAlarm"),
            ("AlarmTypes.member.2", "CompositeAlarm"),
        ];
        query.extend(next.as_deref().map(|token| ("NextToken", token)));
        let answer = account.aws.query("monitoring", &query).await?;
        for list in ["MetricAlarms", "CompositeAlarms"] {
            alarms.extend(members(&answer, list)?.into_iter().filter_map(alarm_on));
        }
        next = text(&answer, "NextToken")?;
        if next.is_none() {
            break;
        }
    }
    alarms.sort_by(|one, other| (one.since, &one.name).cmp(&(other.since, &other.name)));
    Ok(alarms)
}

fn alarm_on(mut alarm: BTreeMap<String, String>) -> Option<AlarmOn> {
    let since = alarm.remove("StateTransitionedTimestamp").or_else(|| alarm.remove("StateUpdatedTimestamp"));
    let heading = alarm.get("AlarmDescription").and_then(|words| heading_of(words)).map(ToOwned::to_owned);
    Some(AlarmOn {
        name: alarm.remove("AlarmName")?,
        since: since.and_then(|since| since.parse().ok()),
        runbook: heading,
    })
}

/// The heading that an alarm's description ends with.
fn heading_of(description: &str) -> Option<&str> {
    let (_, heading) = description.rsplit_once("Runbook: ")?;
    Some(heading.trim().trim_end_matches('.'))
}

/// The schedules, each by its logical id.
pub(crate) async fn schedules(account: &StackAccount) -> Result<Vec<Switch>> {
    let mut switches = Vec::new();
    for (id, name) in account.stack.of_kind("AWS::Scheduler::Schedule") {
        // The physical id may have its group in front.
        let name = name.rsplit(['/', '|']).next().unwrap_or(name);
        let state = state_of(account, "scheduler", &format!("/schedules/{name}")).await?;
        switches.push(Switch { name: id.to_owned(), state });
    }
    Ok(switches)
}

/// What calls functions with messages of queues, each by its logical id.
pub(crate) async fn event_sources(account: &StackAccount) -> Result<Vec<Switch>> {
    let mut switches = Vec::new();
    for (id, uuid) in account.stack.of_kind("AWS::Lambda::EventSourceMapping") {
        let state = state_of(account, "lambda", &format!("/2015-03-31/event-source-mappings/{uuid}")).await?;
        switches.push(Switch { name: id.to_owned(), state });
    }
    Ok(switches)
}

/// The state of something that can be switched off. What was deleted by hand is `missing`.
async fn state_of(account: &StackAccount, service: &str, path: &str) -> Result<String> {
    match account.aws.rest(service, Method::GET, path, &Value::Null).await {
        Ok(answer) => Ok(answer.get("State").and_then(Value::as_str).unwrap_or("unknown").to_owned()),
        Err(error) if AwsRefusal::find(&error).is_some_and(|it| it.status == 404) => Ok("missing".to_owned()),
        Err(error) => Err(error),
    }
}

/// The functions with a reserved concurrency of 0, which no one can call.
pub(crate) async fn stopped_functions(account: &StackAccount) -> Result<Vec<String>> {
    let mut stopped = Vec::new();
    for (name, deployed) in account.functions() {
        let path = format!("/2019-09-30/functions/{deployed}/concurrency");
        let answer = account.aws.rest("lambda", Method::GET, &path, &Value::Null).await?;
        if answer.get("ReservedConcurrentExecutions").and_then(Value::as_u64) == Some(0) {
            stopped.push(name.to_owned());
        }
    }
    Ok(stopped)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_alarm_names_its_entry_in_the_runbook() {
        assert_eq!(heading_of("A message failed. Runbook: Dead letters."), Some("Dead letters"));
        assert_eq!(heading_of("A message failed."), None);
    }
}
