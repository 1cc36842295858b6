//! What AWS's services measure of themselves. MiniStack does it only for functions that are called by the Invoke API.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::Result;
use aws_calls::Aws;
use http::Method;
use serde_json::Value;

use super::Measure;
use super::judge::{MetricKey, Point};

fn measure(namespace: &str, name: &str, of: (&str, &str), unit: &'static str, point: Point) -> Measure {
    let dimensions = BTreeMap::from([(of.0.to_owned(), of.1.to_owned())]);
    (MetricKey { namespace: namespace.to_owned(), name: name.to_owned(), dimensions }, unit, point)
}

/// The function that writes to a log group.
pub(super) fn function_of(group: &str) -> Option<&str> {
    group.strip_prefix("/aws/lambda/")
}

/// Returns what a line measures that tells of the end of a function's run: `REPORT RequestId: …\tDuration: 12 ms\t…`.
pub(super) fn measure_run(line: &str, at: f64, function: &str) -> Option<[Measure; 2]> {
    let (_, rest) = line.strip_prefix("REPORT RequestId: ")?.split_once("\tDuration: ")?;
    let milliseconds: f64 = rest.split_once(" ms")?.0.parse().ok()?;
    let own = |name, unit, value| measure("AWS/Lambda", name, ("FunctionName", function), unit, Point { at, value });
    Some([own("Invocations", "Count", 1.0), own("Duration", "Milliseconds", milliseconds)])
}

/// Measures the HTTP API: how many of its answers were a 5xx since the last time.
pub(super) fn measure_api(id: &str, server_errors: &AtomicU64, at: f64) -> Measure {
    let count = u32::try_from(server_errors.swap(0, Ordering::Relaxed)).map_or(f64::MAX, f64::from);
    measure("AWS/ApiGateway", "5xx", ("ApiId", id), "Count", Point { at, value: count })
}

/// Measures the queues: how many messages can be received, and how long ago the oldest one was sent.
pub(super) async fn measure_queues(aws: &Aws, at: f64) -> Result<Vec<Measure>> {
    let answer = aws.rest("sqs", Method::GET, "/_ministack/sqs/messages", &Value::Null).await?;
    let accounts = answer.get("messages").and_then(Value::as_object).into_iter().flatten();
    let regions = accounts.filter_map(|(_, regions)| regions.as_object()).flatten();
    let queues = regions.filter_map(|(_, queues)| queues.as_object()).flatten();
    let mut found = Vec::new();
    for (url, messages) in queues {
        let queue = url.rsplit('/').next().unwrap_or_default();
        let number = |message: &Value, key: &str| message.get(key).and_then(Value::as_f64).unwrap_or_default();
        let is_visible = |message: &&Value| message.get("IsVisible").and_then(Value::as_bool) == Some(true);
        let messages = messages.as_array().map(Vec::as_slice).unwrap_or_default();
        let visible = messages.iter().filter(is_visible).count();
        // A message that was sent for later does not wait yet.
        let waits = |message: &&Value| is_visible(message) || number(message, "ReceiveCount") > 0.0;
        let age = |message: &Value| (at - number(message, "SentTimestamp")).max(0.0);
        let oldest = messages.iter().filter(waits).map(age).fold(0.0, f64::max);
        let own = |name, unit, value| measure("AWS/SQS", name, ("QueueName", queue), unit, Point { at, value });
        let visible = u32::try_from(visible).map_or(f64::MAX, f64::from);
        found.push(own("ApproximateNumberOfMessagesVisible", "Count", visible));
        found.push(own("ApproximateAgeOfOldestMessage", "Seconds", oldest));
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_line_of_a_run_measures_it() {
        let line = "REPORT RequestId: 8c41\tDuration: 127 ms\tBilled Duration: 127 ms\tMemory Size: 256 MB";
        let measures = measure_run(line, 7.0, "planner").unwrap();
        let found =
            measures.map(|(key, unit, point)| (key.name, key.dimensions["FunctionName"].clone(), unit, point.value));
        let expected = [("Invocations", "Count", 1.0), ("Duration", "Milliseconds", 127.0)];
        assert_eq!(found, expected.map(|(name, unit, value)| (name.to_owned(), "planner".to_owned(), unit, value)));
        assert!(measure_run("START RequestId: 8c41 Version: $LATEST", 7.0, "planner").is_none());
        assert_eq!(function_of("/aws/lambda/leadwire-planner"), Some("leadwire-planner"));
    }

    #[test]
    fn an_error_of_the_api_is_counted_once() {
        let errors = AtomicU64::new(3);
        let count = || measure_api("id", &errors, 7.0).2.value;
        assert_eq!([count(), count()], [3.0, 0.0]);
    }
}
