//! Turns an SQS event into work, and the outcomes into the response to the queue. Every worker runs through here, and
//! only here is it decided what happens to a message.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use aws_lambda_events::event::sqs::{SqsBatchResponse, SqsEvent, SqsMessage};
use futures_util::{StreamExt, stream};
use lambda_runtime::{LambdaEvent, service_fn};
use serde::Deserialize;

use crate::error::WorkError;
use crate::jobs::Job;
use crate::queue::{Queue, TRACE_ATTRIBUTE};
use crate::retry::{Verdict, backoff, isolate_panics};
use crate::trace::{self, TraceId};

/// A parsed message.
#[derive(Debug)]
pub struct Record<J> {
    /// The job it carries.
    pub job: J,
    /// How often SQS has delivered it, including this time.
    pub receive_count: u32,
    /// The cause that it follows from: that of the sender, or the message itself.
    pub trace: TraceId,
    message_id: String,
    receipt_handle: String,
}

/// Runs a worker that handles each job by itself, until the process ends. Its events come from these queues. Messages
/// with the same job are handled once. `work` also receives the time it has left.
///
/// # Errors
/// If the Lambda runtime fails. A job that `work` fails at goes back to the queue, as the error's verdict says.
pub async fn serve<J, F, const N: usize>(queues: [Queue<J>; N], work: F) -> Result<(), lambda_runtime::Error>
where
    J: Job + Clone + Ord,
    F: AsyncFn(&J, Duration) -> Result<(), WorkError>,
{
    let (queues, work) = (&queues, &work);
    let handle = async |event: LambdaEvent<SqsEvent>| {
        let deadline = event.context.deadline();
        let queue = queue_of(&event.payload, queues)?;
        let timed = async |job: &J| work(job, working_time(deadline)).await;
        Ok::<_, lambda_runtime::Error>(run_each(event.payload, deadline, queue, timed).await)
    };
    lambda_runtime::run(service_fn(handle)).await
}

/// Runs a worker that handles all jobs of an event together. Its events come from these queues. `work` also receives the
/// time it has left, and returns one outcome for each record, in order.
///
/// # Errors
/// As [`serve`].
pub async fn serve_together<J, F, const N: usize>(queues: [Queue<J>; N], work: F) -> Result<(), lambda_runtime::Error>
where
    J: Job,
    F: AsyncFn(&[Record<J>], Duration) -> Vec<Result<(), WorkError>>,
{
    let (queues, work) = (&queues, &work);
    let handle = async |event: LambdaEvent<SqsEvent>| {
        let deadline = event.context.deadline();
        let queue = queue_of(&event.payload, queues)?;
        let timed = async |(): &(), records: &[Record<J>]| work(records, working_time(deadline)).await;
        Ok::<_, lambda_runtime::Error>(run(event.payload, deadline, queue, |_| (), timed).await)
    };
    lambda_runtime::run(service_fn(handle)).await
}

/// Finds the queue of an event: all its records are from one.
fn queue_of<'a, J: Job>(event: &SqsEvent, queues: &'a [Queue<J>]) -> Result<&'a Queue<J>, lambda_runtime::Error> {
    if let [queue] = queues {
        return Ok(queue);
    }
    let arn = event.records.first().and_then(|record| record.event_source_arn.as_deref()).unwrap_or_default();
    queues.iter().find(|queue| queue.has_arn(arn)).ok_or_else(|| format!("no queue of this worker is {arn}").into())
}

/// Groups handled concurrently. They mostly wait for Meta, and one slow page must not delay the others.
const CONCURRENCY: usize = 6;
/// No new group is started with less than this left before the function's deadline.
const MIN_GROUP_TIME: Duration = Duration::from_secs(20);
/// Time reserved for reporting the outcomes to the queue.
const REPORTING_TIME: Duration = Duration::from_secs(5);
/// Work that knows its time limit gets this much less, so that it can end by itself.
const GRACE: Duration = Duration::from_secs(1);
const FIRST_RETRY_DELAY: Duration = Duration::from_secs(5);
const MAX_RETRY_DELAY: Duration = Duration::from_mins(15);

/// Runs `work` on the messages of an event, grouped by `key`, and returns those that SQS must deliver again.
///
/// - A message that cannot be parsed is delivered again, until the queue moves it to its dead letters: it may be from a
///   newer version of this program.
/// - `work` returns one outcome for each record of its group. A failed message is hidden for as long as its error's
///   verdict says, longer each time.
/// - A panic affects only the record that caused it: the records of its group are then handled one by one.
/// - Messages that no time is left for are delivered again at once.
async fn run<J, K, F>(
    event: SqsEvent,
    deadline: SystemTime,
    queue: &Queue<J>,
    key: impl Fn(&J) -> K,
    work: F,
) -> SqsBatchResponse
where
    J: Job,
    K: Ord,
    F: AsyncFn(&K, &[Record<J>]) -> Vec<Result<(), WorkError>>,
{
    let mut response = SqsBatchResponse::default();
    let mut groups: BTreeMap<K, (usize, Vec<Record<J>>)> = BTreeMap::new();
    // Parse and group the messages.
    for (position, message) in event.records.into_iter().enumerate() {
        let message_id = message.message_id.clone().unwrap_or_default();
        match record(message) {
            Ok(record) => groups.entry(key(&record.job)).or_insert((position, Vec::new())).1.push(record),
            Err(reason) => {
                tracing::error!(message_id, reason, metric = "messages_unreadable", "a message could not be parsed");
                response.add_failure(message_id);
            }
        }
    }
    // In the order of delivery: no key is always the last, for which no time is left.
    let mut groups: Vec<_> = groups.into_iter().collect();
    groups.sort_by_key(|(_, (position, _))| *position);
    // Handle the groups, and hide what failed.
    let mut running = stream::iter(&groups)
        .map(|(key, (_, records))| {
            let work = &work;
            async move {
                let time_left = time_left(deadline);
                let outcomes = if time_left < MIN_GROUP_TIME {
                    records.iter().map(|_| Err(Duration::from_secs(1))).collect()
                } else {
                    // A group that takes longer must not cost the others their outcomes.
                    let work = trace::follow(common_cause(records), outcomes(work, key, records));
                    tokio::time::timeout(time_left.saturating_sub(REPORTING_TIME), work).await.unwrap_or_else(|_| {
                        tracing::error!(records = records.len(), "a group of messages took too long");
                        records.iter().map(|record| Err(backoff(record.receive_count, FIRST_RETRY_DELAY, MAX_RETRY_DELAY))).collect()
                    })
                };
                let mut failures = Vec::new();
                for (record, outcome) in records.iter().zip(outcomes) {
                    if let Err(retry_delay) = outcome {
                        failures.push(record.message_id.clone());
                        if let Err(error) = queue.hide(&record.receipt_handle, retry_delay).await {
                            tracing::warn!(%error, "a failed message could not be hidden; it returns after the queue's visibility timeout");
                        }
                    }
                }
                failures
            }
        })
        .buffer_unordered(CONCURRENCY);
    while let Some(failures) = running.next().await {
        failures.into_iter().for_each(|message_id: String| response.add_failure(message_id));
    }
    response
}

/// The cause of these records, if all have the same.
fn common_cause<J>(records: &[Record<J>]) -> Option<TraceId> {
    let (first, rest) = records.split_first()?;
    rest.iter().all(|record| record.trace == first.trace).then(|| first.trace.clone())
}

/// Like [`run`], but runs `work` once for each distinct job, as what follows from the cause of its first message.
async fn run_each<J, F>(event: SqsEvent, deadline: SystemTime, queue: &Queue<J>, work: F) -> SqsBatchResponse
where
    J: Job + Clone + Ord,
    F: AsyncFn(&J) -> Result<(), WorkError>,
{
    let each = async |job: &J, records: &[Record<J>]| {
        let working = async {
            let outcome = work(job).await;
            if let Err(error) = &outcome {
                tracing::warn!(%error, code = %error.code(), ?job, "job failed; it will be retried");
            }
            outcome
        };
        let outcome = trace::follow(records.first().map(|record| record.trace.clone()), working).await;
        records.iter().map(|_| outcome.clone()).collect()
    };
    run(event, deadline, queue, J::clone, each).await
}

/// Returns one outcome for each record. An error is how long to hide its message.
async fn outcomes<J, K, F>(work: &F, key: &K, records: &[Record<J>]) -> Vec<Result<(), Duration>>
where
    F: AsyncFn(&K, &[Record<J>]) -> Vec<Result<(), WorkError>>,
{
    let mut outcomes = isolate_panics(records, async |records: &[Record<J>]| work(key, records).await).await;
    if outcomes.len() != records.len() {
        let (expected, got) = (records.len(), outcomes.len());
        tracing::error!(expected, got, "a worker did not return an outcome for each record");
        outcomes = records.iter().map(|_| None).collect();
    }
    let failed = |record: &Record<J>, error: &WorkError| retry_delay(record.receive_count, error);
    let outcome = |(record, outcome): (&Record<J>, Option<Result<(), WorkError>>)| {
        outcome.unwrap_or(Err(WorkError::Panicked)).map_err(|error| failed(record, &error))
    };
    records.iter().zip(outcomes).map(outcome).collect()
}

fn retry_delay(receive_count: u32, error: &WorkError) -> Duration {
    match error.verdict() {
        // If Meta does not say how long to wait, it may be an hour, so each wait is longer than the one before it.
        Verdict::RetryAfter(wait) => wait + backoff(receive_count, FIRST_RETRY_DELAY, MAX_RETRY_DELAY),
        // A worker parks what it gives up on. If that failed, the message must not be lost.
        Verdict::Retry | Verdict::GiveUp => backoff(receive_count, FIRST_RETRY_DELAY, MAX_RETRY_DELAY),
    }
}

fn record<J: Job>(message: SqsMessage) -> Result<Record<J>, String> {
    let body = message.body.ok_or("it has no body")?;
    // The parser's error names the position, and quotes at most a value of the wrong type.
    let job = serde_json::from_str(&body).map_err(|error| error.to_string())?;
    let receive_count =
        message.attributes.get("ApproximateReceiveCount").and_then(|count| count.parse().ok()).unwrap_or(1);
    let message_id = message.message_id.ok_or("it has no id")?;
    let sent = message.message_attributes.get(TRACE_ATTRIBUTE).and_then(|value| value.string_value.as_deref());
    let trace = sent.and_then(TraceId::parse).or_else(|| trace_in(&body)).or_else(|| TraceId::parse(&message_id));
    Ok(Record {
        job,
        receive_count,
        trace: trace.unwrap_or_else(TraceId::fresh),
        message_id,
        receipt_handle: message.receipt_handle.ok_or("it has no receipt handle")?,
    })
}

/// Reads the trace in what a rule of the bus sends, which has no attributes: an event, or a part of one.
fn trace_in(body: &str) -> Option<TraceId> {
    #[derive(Deserialize)]
    struct Traced {
        trace_id: Option<TraceId>,
        detail: Option<TracedDetail>,
    }
    #[derive(Deserialize)]
    struct TracedDetail {
        trace_id: Option<TraceId>,
    }
    let traced: Traced = serde_json::from_str(body).ok()?;
    traced.trace_id.or_else(|| traced.detail?.trace_id)
}

/// The time that work may take, so that it ends by itself and its outcomes are reported.
fn working_time(deadline: SystemTime) -> Duration {
    time_left(deadline).saturating_sub(REPORTING_TIME + GRACE)
}

/// The time until Lambda ends this run.
pub fn time_left(deadline: SystemTime) -> Duration {
    deadline.duration_since(SystemTime::now()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use aws_sdk_sqs::config::{BehaviorVersion, Region};
    use serde::Serialize;
    use serde_json::json;

    use super::*;
    use crate::graph::GraphError;
    use crate::graph::error::Detail;

    impl Job for u64 {
        fn group(&self) -> &str {
            "numbers"
        }
    }

    #[derive(Debug, Serialize, Deserialize)]
    struct Anything(serde_json::Value);

    impl Job for Anything {
        fn group(&self) -> &str {
            "anything"
        }
    }

    /// A queue at an unreachable endpoint: hiding fails, which must not matter.
    fn queue() -> Queue<u64> {
        let config = aws_sdk_sqs::Config::builder()
            .behavior_version(BehaviorVersion::v2026_01_12())
            .region(Region::from_static("us-east-1"))
            .endpoint_url("http://127.0.0.1:9")
            .retry_config(aws_sdk_sqs::config::retry::RetryConfig::disabled())
            .credentials_provider(aws_sdk_sqs::config::Credentials::for_tests())
            .build();
        Queue::new(aws_sdk_sqs::Client::from_conf(config), "http://127.0.0.1:9/q".into())
    }

    async fn failures(
        bodies: &[&str],
        work: impl AsyncFn(&u64, &[Record<u64>]) -> Vec<Result<(), WorkError>>,
    ) -> Vec<String> {
        let records: Vec<_> = bodies
            .iter()
            .enumerate()
            .map(|(id, body)| json!({"messageId": id.to_string(), "receiptHandle": "r", "body": body, "attributes": {"ApproximateReceiveCount": "2"}, "messageAttributes": {}, "md5OfBody": "", "eventSource": "aws:sqs", "eventSourceARN": "a", "awsRegion": "r"}))
            .collect();
        let event = serde_json::from_value(json!({ "Records": records })).unwrap();
        let deadline = SystemTime::now() + Duration::from_secs(60);
        let response = run(event, deadline, &queue(), |job: &u64| job / 10, work).await;
        let mut ids: Vec<String> =
            response.batch_item_failures.into_iter().map(|failure| failure.item_identifier).collect();
        ids.sort();
        ids
    }

    fn refused() -> WorkError {
        GraphError::Unavailable(Detail::default()).into()
    }

    #[tokio::test]
    async fn only_what_failed_comes_again() {
        let work = async |_: &u64, records: &[Record<u64>]| {
            records.iter().map(|record| if record.job == 2 { Err(refused()) } else { Ok(()) }).collect()
        };
        assert_eq!(failures(&["1", "2", "3"], work).await, ["1"]);
    }

    #[tokio::test]
    async fn a_body_that_is_no_job_sinks_nobody_else() {
        let work = async |_: &u64, records: &[Record<u64>]| records.iter().map(|_| Ok(())).collect();
        assert_eq!(failures(&["1", "{", "\"x\"", "3"], work).await, ["1", "2"]);
    }

    #[tokio::test]
    async fn a_panic_costs_the_record_that_caused_it() {
        let work = async |_: &u64, records: &[Record<u64>]| {
            records.iter().map(|record| if record.job == 12 { panic!("12") } else { Ok(()) }).collect()
        };
        assert_eq!(failures(&["11", "12", "13", "25"], work).await, ["1"]);
    }

    #[tokio::test]
    async fn a_worker_that_forgets_a_record_loses_none() {
        assert_eq!(failures(&["1", "2"], async |_: &u64, _: &[Record<u64>]| vec![Ok(())]).await, ["0", "1"]);
    }

    #[tokio::test]
    async fn a_message_follows_from_what_its_sender_did() {
        let message = |id: &str, body: &str, attributes: serde_json::Value| {
            let message = json!({"messageId": id, "receiptHandle": "r", "body": body, "attributes": {}, "messageAttributes": attributes});
            record::<Anything>(serde_json::from_value(message).unwrap()).unwrap().trace
        };
        let attribute = |trace: &str| json!({ "trace": { "stringValue": trace, "dataType": "String", "stringListValues": [], "binaryListValues": [] } });
        assert_eq!(message("m", "{}", attribute("abc")).as_str(), "abc");
        assert_eq!(message("m", r#"{"trace_id":"of-a-rule"}"#, json!({})).as_str(), "of-a-rule");
        assert_eq!(message("m", r#"{"detail":{"trace_id":"of-an-event"}}"#, json!({})).as_str(), "of-an-event");
        for (body, attributes) in [("{}", json!({})), ("7", attribute("a b")), (r#"{"trace_id":7}"#, json!({}))] {
            assert_eq!(
                message("m", body, attributes).as_str(),
                "m",
                "{body}: the message is the cause, at each delivery"
            );
        }
    }

    #[tokio::test]
    async fn work_knows_its_cause_unless_it_has_several() {
        let record = |trace: &str| Record {
            job: 1_u64,
            receive_count: 1,
            trace: TraceId::parse(trace).unwrap(),
            message_id: String::new(),
            receipt_handle: String::new(),
        };
        let cause = |traces: &[&str]| common_cause(&traces.iter().map(|trace| record(trace)).collect::<Vec<_>>());
        assert_eq!(cause(&["a", "a"]).as_ref().map(TraceId::as_str), Some("a"));
        assert_eq!((cause(&["a", "b"]), cause(&[])), (None, None));
    }

    #[tokio::test]
    async fn no_group_is_always_the_last() {
        let order = std::sync::Mutex::new(Vec::new());
        let work = async |key: &u64, records: &[Record<u64>]| {
            order.lock().unwrap().push(*key);
            records.iter().map(|_| Ok(())).collect()
        };
        assert!(failures(&["95", "12", "96", "31"], work).await.is_empty());
        assert_eq!(*order.lock().unwrap(), [9, 1, 3], "the order of delivery, not of the keys");
    }
}
