//! The template's alarms, judged on this machine. MiniStack stores metric filters, embedded metrics and alarms, but
//! counts nothing of them, so this does what CloudWatch does: it measures, says what is measured to MiniStack
//! (`PutMetricData`), and sets the alarms' states. What nothing here measures, such as throttles of DynamoDB, stays off.

mod judge;
mod log_metrics;
mod services;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use anyhow::{Context, Result};
use aws_calls::{Aws, Stack};
use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::sync::Mutex;

use self::judge::{Alarm, MetricKey, Point, Statistic};
use self::log_metrics::{MetricFilter, measured};
use self::services::{function_of, measure_api, measure_queues, measure_run};

use crate::template::Template;

/// A line can be stored this long after its time.
const LATENESS: Duration = Duration::from_secs(60);
/// The most values of one `PutMetricData` here, and queries of one `GetMetricData`.
const AT_ONCE: usize = 400;

/// The alarms of a running system.
pub(crate) struct Alarms {
    aws: Aws,
    stack: String,
    /// The log groups of the functions, by logical id.
    groups: BTreeMap<String, String>,
    filters: Vec<MetricFilter>,
    /// The logical ids of alarms by the name that they are deployed under.
    names: BTreeMap<String, String>,
    composites: Vec<Composite>,
    /// The id of the HTTP API, and how many of its answers since the last time were a 5xx.
    api: (String, Arc<AtomicU64>),
    read: Mutex<ReadLines>,
}

/// What was read of the logs.
struct ReadLines {
    /// Until when.
    until: Timestamp,
    /// The lines that may be read again, each with its time in milliseconds. MiniStack gives them no ids.
    known: BTreeSet<(i64, String)>,
}

impl Alarms {
    /// `server_errors` is counted up for each 5xx of the API.
    pub(crate) fn new(
        aws: Aws,
        name: &str,
        stack: &Stack,
        template: &Template,
        server_errors: Arc<AtomicU64>,
    ) -> Result<Self> {
        // Some resources are in some stacks only.
        let physical = |kind: &'static str| {
            template.resources(kind).filter_map(|(id, _)| Some((id.to_owned(), stack.resource(id).ok()?.to_owned())))
        };
        let groups = physical("AWS::Logs::LogGroup");
        let filters =
            template.resources("AWS::Logs::MetricFilter").map(|(_, properties)| MetricFilter::read(properties));
        let names = physical("AWS::CloudWatch::Alarm");
        let composites = template.resources("AWS::CloudWatch::CompositeAlarm");
        Ok(Self {
            aws,
            stack: name.to_owned(),
            groups: groups.filter(|(_, name)| function_of(name).is_some()).collect(),
            api: (stack.output("HttpApiId")?.to_owned(), server_errors),
            filters: filters.collect::<Result<_>>()?,
            names: names.map(|(id, name)| (name, id)).collect(),
            composites: composites.map(|(id, properties)| Composite::read(id, properties)).collect(),
            read: Mutex::new(ReadLines { until: Timestamp::now(), known: BTreeSet::new() }),
        })
    }

    /// Measures, judges all alarms, sets their states in MiniStack, and returns them. `minute` is what counts as a minute
    /// of an alarm's periods.
    pub(crate) async fn judge(&self, minute: Duration) -> Result<Value> {
        // As of the measuring: on a busy machine the periods of a second or two would be over when it ends.
        let now = self.measure().await?;
        let alarms = self.deployed().await?;
        let points = self.points(&alarms, now, minute).await?;
        let (mut states, mut on) = (Vec::new(), BTreeSet::new());
        for alarm in &alarms {
            let points = points.get(&alarm.metric).map(Vec::as_slice).unwrap_or_default();
            let state = if alarm.is_on(points, seconds(now), minute) { "ALARM" } else { "OK" };
            // MiniStack judges too when it is told of a metric, but without regard to dimensions or missing data.
            if alarm.shown != state {
                let input = json!({ "AlarmName": alarm.name, "StateValue": state, "StateReason": "judged locally" });
                self.cloudwatch("SetAlarmState", &input).await?;
            }
            let id = self.names.get(&alarm.name).map_or("", String::as_str);
            if state == "ALARM" {
                on.insert(id);
            }
            states.push(shown(id, state, &alarm.description, json!({ "name": alarm.name })));
        }
        for composite in &self.composites {
            let members: Vec<&str> =
                composite.members.iter().map(String::as_str).filter(|member| on.contains(member)).collect();
            let state = if members.is_empty() { "OK" } else { "ALARM" };
            let suppressor = self.composites.iter().find(|other| Some(&other.id) == composite.suppressor.as_ref());
            let is_silent = suppressor.is_some_and(|other| other.members.iter().any(|id| on.contains(id.as_str())));
            let more = json!({ "members_on": members, "suppressed": is_silent });
            states.push(shown(&composite.id, state, &composite.description, more));
        }
        Ok(Value::Array(states))
    }

    /// Measures what there is, says it to MiniStack, and returns as of when.
    async fn measure(&self) -> Result<Timestamp> {
        let called = Timestamp::now();
        // One at a time: two would count the same lines.
        let mut read = self.read.lock().await;
        if read.until > called {
            return Ok(read.until);
        }
        let now = Timestamp::now();
        let mut measured = self.count_lines(&mut read, now).await?;
        measured.extend(measure_queues(&self.aws, seconds(now)).await?);
        measured.push(measure_api(&self.api.0, &self.api.1, seconds(now)));
        self.put(&measured).await?;
        Ok(now)
    }

    async fn cloudwatch(&self, operation: &str, input: &Value) -> Result<Value> {
        self.aws.json("monitoring", &format!("GraniteServiceVersion20100801.{operation}"), input).await
    }

    /// The deployed alarms of the template.
    async fn deployed(&self) -> Result<Vec<Alarm>> {
        let (mut alarms, mut next) = (Vec::new(), Value::Null);
        loop {
            let mut input = json!({ "MaxRecords": 100 });
            if let (Some(input), false) = (input.as_object_mut(), next.is_null()) {
                input.insert("NextToken".to_owned(), next);
            }
            let mut page = self.cloudwatch("DescribeAlarms", &input).await?;
            let found = page.get("MetricAlarms").and_then(Value::as_array).into_iter().flatten();
            alarms.extend(found.map(Alarm::read).collect::<Result<Vec<_>>>()?);
            next = page.get_mut("NextToken").map(Value::take).unwrap_or_default();
            if next.is_null() {
                alarms.retain(|alarm| self.names.contains_key(&alarm.name));
                return Ok(alarms);
            }
        }
    }

    /// Counts the lines that were logged since the last time.
    async fn count_lines(&self, read: &mut ReadLines, now: Timestamp) -> Result<Vec<Measure>> {
        let mut found = Vec::new();
        for (id, group) in &self.groups {
            let filters: Vec<&MetricFilter> = self.filters.iter().filter(|filter| filter.group == *id).collect();
            let since = (read.until - LATENESS).as_millisecond();
            for (time, line) in self.aws.log_events(group, since).await? {
                let at = Timestamp::from_millisecond(time).map_or_else(|_| seconds(now), seconds);
                let mut measures = measured(&line, at, &filters, &self.stack);
                measures.extend(
                    function_of(group).and_then(|function| measure_run(&line, at, function)).into_iter().flatten(),
                );
                if !measures.is_empty() && read.known.insert((time, line)) {
                    found.extend(measures);
                }
            }
        }
        read.until = now;
        read.known.retain(|(time, _)| *time >= (now - LATENESS).as_millisecond());
        Ok(found)
    }

    /// Says to MiniStack what was measured, so that `GetMetricData` knows it.
    async fn put(&self, new: &[Measure]) -> Result<()> {
        let namespaces: BTreeSet<&str> = new.iter().map(|(key, ..)| key.namespace.as_str()).collect();
        for namespace in namespaces {
            let of_namespace: Vec<Value> = new
                .iter()
                .filter(|(key, ..)| key.namespace == namespace)
                .map(|(key, unit, point)| {
                    json!({ "MetricName": key.name, "Dimensions": dimensions(key), "Timestamp": point.at,
                            "Value": point.value, "Unit": unit })
                })
                .collect();
            for data in of_namespace.chunks(AT_ONCE) {
                self.cloudwatch("PutMetricData", &json!({ "Namespace": namespace, "MetricData": data })).await?;
            }
        }
        Ok(())
    }

    /// Reads the points of the alarms' metrics, by the second.
    async fn points(
        &self,
        alarms: &[Alarm],
        now: Timestamp,
        minute: Duration,
    ) -> Result<BTreeMap<MetricKey, Vec<Point>>> {
        let minutes = |alarm: &Alarm| alarm.period.as_secs_f64() / 60.0 * f64::from(alarm.periods);
        let longest = alarms.iter().map(minutes).fold(0.0, f64::max) * minute.as_secs_f64();
        let keys: BTreeSet<&MetricKey> = alarms.iter().map(|alarm| &alarm.metric).collect();
        let series: Vec<(&MetricKey, MetricKey)> =
            keys.into_iter().flat_map(|key| self.series(key).into_iter().map(move |series| (key, series))).collect();
        let mut found: BTreeMap<MetricKey, Vec<Point>> = BTreeMap::new();
        for series in series.chunks(AT_ONCE) {
            let queries = series.iter().enumerate().map(|(number, (key, series))| {
                let metric = json!({ "Namespace": series.namespace, "MetricName": series.name,
                                     "Dimensions": dimensions(series) });
                // Averages and percentiles are judged by the most.
                let of = |alarm: &&Alarm| alarm.metric == **key && alarm.statistic == Statistic::Sum;
                let statistic = if alarms.iter().any(|alarm| of(&alarm)) { "Sum" } else { "Maximum" };
                json!({ "Id": format!("m{number}"), "MetricStat": { "Metric": metric, "Period": 1, "Stat": statistic } })
            });
            let queries: Vec<Value> = queries.collect();
            // What is measured now would fall behind the end.
            let span = json!({ "MetricDataQueries": queries, "StartTime": seconds(now) - longest, "EndTime": seconds(now) + 1.0 });
            let answer = self.cloudwatch("GetMetricData", &span).await?;
            let results = answer.get("MetricDataResults").and_then(Value::as_array);
            for result in results.context("GetMetricData answered without results")? {
                let id = result.get("Id").and_then(Value::as_str).and_then(|id| id.strip_prefix('m')?.parse().ok());
                let Some((key, _)) = id.and_then(|number: usize| series.get(number)) else { continue };
                let numbers = |list: &str| {
                    result.get(list).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_f64)
                };
                let points = numbers("Timestamps").zip(numbers("Values")).map(|(at, value)| Point { at, value });
                found.entry((*key).clone()).or_default().extend(points);
            }
        }
        Ok(found)
    }

    /// The series that make up a metric: of Lambda's without a function, those of all functions.
    fn series(&self, key: &MetricKey) -> Vec<MetricKey> {
        let mut all = vec![key.clone()];
        if key.namespace == "AWS/Lambda" && key.dimensions.is_empty() {
            all.extend(self.groups.values().filter_map(|group| function_of(group)).map(|function| {
                let dimensions = BTreeMap::from([("FunctionName".to_owned(), function.to_owned())]);
                MetricKey { dimensions, ..key.clone() }
            }));
        }
        all
    }
}

/// An alarm that is on while one of its members is. MiniStack's CloudFormation has none.
struct Composite {
    id: String,
    description: String,
    members: Vec<String>,
    /// The composite that silences it.
    suppressor: Option<String>,
}

impl Composite {
    fn read(id: &str, properties: &Value) -> Self {
        let text = |pointer: &str| properties.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
        let members = text("/AlarmRule/Fn::Sub").split("ALARM(\"${").skip(1);
        Self {
            id: id.to_owned(),
            description: text("/AlarmDescription").to_owned(),
            members: members.filter_map(|rest| Some(rest.split_once('}')?.0.to_owned())).collect(),
            suppressor: properties
                .pointer("/ActionsSuppressor/Fn::GetAtt/0")
                .and_then(Value::as_str)
                .map(ToOwned::to_owned),
        }
    }
}

/// An alarm as it is answered. Its description ends with its entry in the runbook.
fn shown(id: &str, state: &str, description: &str, more: Value) -> Value {
    let (what, entry) = description.rsplit_once(" Runbook: ").unwrap_or((description, ""));
    let mut shown = json!({ "id": id, "state": state, "description": what, "runbook": entry.trim_end_matches('.') });
    if let (Some(shown), Value::Object(more)) = (shown.as_object_mut(), more) {
        shown.extend(more);
    }
    shown
}

/// A metric, the unit of its values, and one value.
type Measure = (MetricKey, &'static str, Point);

fn dimensions(key: &MetricKey) -> Vec<Value> {
    key.dimensions.iter().map(|(name, value)| json!({ "Name": name, "Value": value })).collect()
}

/// Seconds since 1970, as CloudWatch writes times.
fn seconds(at: Timestamp) -> f64 {
    at.as_duration().as_secs_f64()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_composite_knows_its_members_and_what_silences_it() {
        let rule = "ALARM(\"${A}\") OR\nALARM(\"${B}\")";
        let composite = Composite::read(
            "Parts",
            &json!({
                "AlarmDescription": "Late. Runbook: Parts.", "AlarmRule": { "Fn::Sub": rule },
                "ActionsSuppressor": { "Fn::GetAtt": ["All", "Arn"] },
            }),
        );
        assert_eq!((composite.members, composite.suppressor.as_deref()), (vec!["A".into(), "B".into()], Some("All")));
        let shown = shown("Parts", "OK", &composite.description, json!({ "members_on": [] }));
        assert_eq!([&shown["description"], &shown["runbook"]], ["Late.", "Parts"]);
    }
}
