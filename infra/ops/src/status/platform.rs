//! What only AWS knows: alarms, schedules, event sources, and functions that were stopped.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::Result;
use aws_calls::AwsRefusal;
use http::Method;
use jiff::SignedDuration;
use leadwire::clock;
use leadwire::cloudwatch::CloudWatch;
use leadwire::model::operations::alarms::{AlarmBoard, AlarmRecord};
use leadwire::model::operations::measure::Measure;
use leadwire::model::operations::series::{MetricSeries, MetricWindow};
use leadwire::model::operations::stack::{MonitoredStack, QUEUES};
use serde_json::Value;

use super::{AlarmOn, Switch};
use crate::account::StackAccount;

/// SQS measures each minute, and CloudWatch knows of it some minutes later.
const MEASURED_EACH: SignedDuration = SignedDuration::from_mins(1);
const MEASURED_WITHIN: SignedDuration = SignedDuration::from_mins(10);

/// The alarms that are on, as the console lists them.
pub(super) async fn alarms_on(account: &StackAccount) -> Result<Vec<AlarmOn>> {
    let stack = &account.stack.name;
    let all = CloudWatch::new(&account.config).alarms(&format!("{stack}-")).await?;
    let shown = |alarm: &AlarmRecord| AlarmOn {
        name: alarm.own_name(stack).unwrap_or(&alarm.name).to_owned(),
        since: alarm.since,
        runbook: alarm.meaning().1.map(ToOwned::to_owned),
    };
    Ok(AlarmBoard::new(stack, all).on.iter().map(shown).collect())
}

/// Seconds that the oldest message of each queue had waited when it was measured last.
pub(super) async fn oldest_messages(account: &StackAccount) -> Result<BTreeMap<&'static str, u64>> {
    let stack = MonitoredStack {
        name: account.stack.name.clone(),
        table: account.stack.resource("Table")?.to_owned(),
        sessions: account.stack.resource("Sessions")?.to_owned(),
    };
    let questions = QUEUES.map(|queue| Measure::OldestMessage(queue).query(&stack, MEASURED_EACH, MEASURED_WITHIN));
    let window = MetricWindow::until(clock::now(), MEASURED_WITHIN, MEASURED_EACH);
    let answers = CloudWatch::new(&account.config).metrics(&questions, window).await?;
    let newest = |series: &MetricSeries| Some(Duration::try_from_secs_f64(series.newest()?.1).ok()?.as_secs());
    Ok(QUEUES.into_iter().zip(&answers).filter_map(|(queue, series)| Some((queue, newest(series)?))).collect())
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
