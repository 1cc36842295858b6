//! SQS: sends jobs, and hides failed messages for a while.

use std::collections::HashMap;
use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;

use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::{MessageAttributeValue, QueueAttributeName, SendMessageBatchRequestEntry};
use futures_util::{StreamExt, stream};

use crate::aws::AwsError;
use crate::jobs::Job;
use crate::model::webhook::escaped_to_ascii;
use crate::retry::Verdict;
use crate::trace::{self, TraceId};

/// SQS's limit on the messages of one request.
const MAX_MESSAGES: usize = 10;
/// SQS's limit on one request is 1 MiB. The difference leaves room for everything around the bodies.
const MAX_BYTES: usize = 1_000_000;
/// Concurrent requests.
const CONCURRENCY: usize = 8;

/// The queue of one kind of job. Cheap to clone.
#[derive(Debug)]
pub struct Queue<J> {
    client: Client,
    url: String,
    jobs: PhantomData<fn() -> J>,
}

impl<J> Clone for Queue<J> {
    fn clone(&self) -> Self {
        Self { client: self.client.clone(), url: self.url.clone(), jobs: PhantomData }
    }
}

/// A job, encoded for SQS.
#[derive(Debug, Clone)]
pub struct Message {
    /// JSON, in ASCII only: SQS rejects characters that XML 1.0 forbids.
    body: String,
    group: String,
    /// The cause that it follows from.
    trace: Option<TraceId>,
}

/// The attribute of a message that carries [`Message::trace`].
pub(crate) const TRACE_ATTRIBUTE: &str = "trace";

/// A request to a queue that failed, or whose outcome is unknown.
#[derive(Debug, Clone, thiserror::Error)]
pub enum QueueError {
    /// SQS rejected the request or was unreachable.
    #[error("SQS failed: {0}")]
    Failed(#[source] AwsError),
    /// SQS accepted a request but rejected some of its messages, twice. Holds its code and message for the first of
    /// them.
    #[error("SQS rejected messages: {0}")]
    Refused(String),
    /// A message that exceeds SQS's limit, with its size in bytes.
    #[error("a message of {0} bytes does not fit into the queue")]
    TooLarge(usize),
    /// A job that cannot be serialised: a bug in this program.
    #[error("a job cannot be serialised")]
    Unserialisable(#[source] Arc<serde_json::Error>),
}

impl QueueError {
    /// Returns what becomes of the work that hit this error.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        match self {
            Self::Failed(_) | Self::Refused(_) => Verdict::Retry,
            Self::TooLarge(_) | Self::Unserialisable(_) => Verdict::GiveUp,
        }
    }
}

impl Message {
    fn attributes(&self) -> Result<Option<HashMap<String, MessageAttributeValue>>, QueueError> {
        let Some(trace) = &self.trace else { return Ok(None) };
        let value = MessageAttributeValue::builder().data_type("String").string_value(trace.as_str());
        Ok(Some(HashMap::from([(TRACE_ATTRIBUTE.to_owned(), value.build().map_err(failure)?)])))
    }
}

impl<J: Job> Queue<J> {
    /// Creates a handle to the queue at `url`.
    #[must_use]
    pub fn new(client: Client, url: String) -> Self {
        Self { client, url, jobs: PhantomData }
    }

    /// Encodes a job.
    ///
    /// # Errors
    /// [`QueueError::TooLarge`] if the message exceeds SQS's limit.
    pub fn encode(job: &J) -> Result<Message, QueueError> {
        let body = serde_json::to_string(job).map_err(|error| QueueError::Unserialisable(Arc::new(error)))?;
        let body = escaped_to_ascii(&body);
        if body.len() > MAX_BYTES {
            return Err(QueueError::TooLarge(body.len()));
        }
        // SQS's group ids have 1 to 128 letters, digits and punctuation characters.
        let group: String = job.group().chars().filter(char::is_ascii_graphic).take(128).collect();
        let group = if group.is_empty() { "none".to_owned() } else { group };
        Ok(Message { body, group, trace: trace::current() })
    }

    /// Sends jobs in as few requests as SQS allows. When this returns `Ok`, SQS has all of them.
    ///
    /// # Errors
    /// If a job is too large, nothing is sent. After any other error, some jobs may be in the queue.
    pub async fn send(&self, jobs: &[J]) -> Result<(), QueueError> {
        self.send_messages(jobs.iter().map(Self::encode).collect::<Result<_, _>>()?).await
    }

    /// Sends messages as [`Queue::send`] does.
    ///
    /// # Errors
    /// After an error, some messages may be in the queue.
    pub async fn send_messages(&self, messages: Vec<Message>) -> Result<(), QueueError> {
        let mut sending =
            stream::iter(full_requests(messages)).map(|batch| self.send_batch(batch)).buffer_unordered(CONCURRENCY);
        let mut outcome = Ok(());
        while let Some(sent) = sending.next().await {
            outcome = outcome.and(sent);
        }
        outcome
    }

    /// Sends a job that stays invisible until `delay` has passed. SQS knows whole seconds: a part of one is rounded up, so
    /// that no job comes before its time. It delays by 15 minutes at most; a longer delay is shortened to that.
    pub async fn send_later(&self, job: &J, delay: Duration) -> Result<(), QueueError> {
        const MAX_DELAY_S: u64 = 900;
        let message = Self::encode(job)?;
        let seconds = delay.as_secs() + u64::from(delay.subsec_nanos() > 0);
        let seconds = i32::try_from(seconds.min(MAX_DELAY_S)).unwrap_or_default();
        let request = self.client.send_message().queue_url(&self.url).message_body(&message.body);
        let request = request.message_group_id(message.group.as_str()).delay_seconds(seconds);
        let request = request.set_message_attributes(message.attributes()?);
        request.send().await.map_err(failure)?;
        Ok(())
    }

    async fn send_batch(&self, mut batch: Vec<Message>) -> Result<(), QueueError> {
        let mut refused = String::new();
        for _ in 0..2 {
            let entries = batch.iter().enumerate().map(|(id, message)| {
                let entry = SendMessageBatchRequestEntry::builder().id(id.to_string()).message_body(&message.body);
                let entry = entry.set_message_attributes(message.attributes()?);
                entry.message_group_id(&message.group).build().map_err(failure)
            });
            let entries = entries.collect::<Result<Vec<_>, _>>()?;
            let sent = self.client.send_message_batch().queue_url(&self.url).set_entries(Some(entries)).send().await;
            let failed = sent.map_err(failure)?.failed;
            let Some(first) = failed.first() else { return Ok(()) };
            refused = format!("{}: {}", first.code(), first.message().unwrap_or_default());
            let again: Vec<usize> = failed.iter().filter_map(|entry| entry.id().parse().ok()).collect();
            batch = batch
                .into_iter()
                .enumerate()
                .filter(|(id, _)| again.contains(id))
                .map(|(_, message)| message)
                .collect();
        }
        Err(QueueError::Refused(refused))
    }

    /// Returns whether this is the queue with this ARN, which ends in the queue's name like the URL does.
    #[must_use]
    pub fn has_arn(&self, arn: &str) -> bool {
        arn.rsplit(':').next() == self.url.rsplit('/').next()
    }

    /// Returns the approximate number of messages in the queue, including those being processed or hidden.
    pub async fn waiting(&self) -> Result<u64, QueueError> {
        const WAITING: [QueueAttributeName; 2] = [
            QueueAttributeName::ApproximateNumberOfMessages,
            QueueAttributeName::ApproximateNumberOfMessagesNotVisible,
        ];
        let request = self.client.get_queue_attributes().queue_url(&self.url);
        let request = request.set_attribute_names(Some(WAITING.to_vec()));
        let attributes = request.send().await.map_err(failure)?.attributes.unwrap_or_default();
        Ok(WAITING.iter().filter_map(|name| attributes.get(name)?.parse::<u64>().ok()).sum())
    }

    /// Hides a received message for `delay`, counted from now. Then SQS delivers it again.
    ///
    /// # Errors
    /// After an error, the message returns when its visibility timeout ends.
    pub async fn hide(&self, receipt_handle: &str, delay: Duration) -> Result<(), QueueError> {
        let seconds = i32::try_from(delay.as_secs().clamp(1, 12 * 3600 - 600)).unwrap_or(600);
        let request = self.client.change_message_visibility().queue_url(&self.url).receipt_handle(receipt_handle);
        request.visibility_timeout(seconds).send().await.map_err(failure)?;
        Ok(())
    }
}

/// Splits messages into as few requests as the limits allow, in order.
fn full_requests(messages: Vec<Message>) -> Vec<Vec<Message>> {
    let mut requests: Vec<Vec<Message>> = Vec::new();
    let mut bytes = 0;
    for message in messages {
        let size = message.body.len() + message.group.len();
        match requests.last_mut() {
            Some(request) if request.len() < MAX_MESSAGES && bytes + size <= MAX_BYTES => {
                bytes += size;
                request.push(message);
            }
            _ => {
                bytes = size;
                requests.push(vec![message]);
            }
        }
    }
    requests
}

fn failure(error: impl std::error::Error + Send + Sync + 'static) -> QueueError {
    QueueError::Failed(AwsError::new(error))
}

#[cfg(test)]
mod tests {
    use aws_sdk_sqs::config::{BehaviorVersion, Config};

    use super::*;
    use crate::jobs::EngagementJob;
    use crate::model::webhook::EngagementNotice;

    fn sizes(bodies: &[usize]) -> Vec<usize> {
        let message = |size: &usize| Message { body: "x".repeat(*size), group: String::new(), trace: None };
        full_requests(bodies.iter().map(message).collect()).iter().map(Vec::len).collect()
    }

    #[test]
    fn a_queue_knows_its_arn_by_its_name() {
        let config = Config::builder().behavior_version(BehaviorVersion::v2026_01_12()).build();
        let url = "https://sqs.eu-central-1.amazonaws.com/1234/prod-lead-search".to_owned();
        let queue = Queue::<EngagementJob>::new(Client::from_conf(config), url);
        assert!(queue.has_arn("arn:aws:sqs:eu-central-1:1234:prod-lead-search"));
        for other in ["arn:aws:sqs:eu-central-1:1234:prod-lead-sweep", "arn:aws:sqs:eu-central-1:1234:lead-search", ""]
        {
            assert!(!queue.has_arn(other), "{other}");
        }
    }

    #[test]
    fn requests_are_as_full_as_sqs_allows() {
        assert_eq!(sizes(&[1; 1000]), [10; 100]);
        assert_eq!(sizes(&[400_000, 400_000, 400_000, 1]), [2, 2]);
        assert_eq!(sizes(&[]), [0; 0]);
    }

    #[test]
    fn what_sqs_could_never_hold_is_not_encoded_and_groups_are_what_it_takes() {
        let job = |entry_id: &str, value: String| EngagementJob {
            notice: EngagementNotice { object: "page".into(), entry_id: entry_id.into(), field: "feed".into(), value },
            received_at: jiff::Timestamp::UNIX_EPOCH,
        };
        let encoded = |job| Queue::<EngagementJob>::encode(&job);
        assert!(matches!(encoded(job("7", "x".repeat(MAX_BYTES))), Err(QueueError::TooLarge(_))));
        assert_eq!(encoded(job("12 3\u{1F600}", String::new())).unwrap().group, "123");
        assert_eq!(encoded(job("", "\u{1F600}".into())).unwrap().group, "none");
        assert!(encoded(job("7", "\u{1F600}".into())).unwrap().body.is_ascii());
    }
}
