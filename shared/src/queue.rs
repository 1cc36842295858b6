//! SQS: sending work, and hiding a failed piece of it for a while.

use std::time::Duration;

use aws_sdk_sqs::Client;
use aws_sdk_sqs::error::{DisplayErrorContext, SdkError};
use aws_sdk_sqs::types::{QueueAttributeName, SendMessageBatchRequestEntry};
use futures_util::{StreamExt, stream};

use crate::retry::Verdict;

/// SQS's limits for one request.
const MOST_MESSAGES: usize = 10;
/// The true limit is 1 MiB; the rest is for what surrounds the bodies.
const MOST_BYTES: usize = 1_000_000;
/// Requests under way at once.
const AT_ONCE: usize = 8;

/// One queue. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Queue {
    client: Client,
    url: String,
}

/// Something to send.
#[derive(Debug, Clone)]
pub struct Message {
    /// JSON, ASCII only: SQS refuses characters that XML 1.0 forbids.
    pub body: String,
    /// Whose it is. SQS keeps one group's backlog from holding up the others (fair queues); it orders nothing.
    pub group: String,
}

/// Work that is not, or not surely, in the queue.
#[derive(Debug, Clone, thiserror::Error)]
pub enum QueueError {
    /// SQS did not take it, or did not say.
    #[error("SQS failed: {0}")]
    Failed(String),
    /// A message that SQS can never take.
    #[error("a message of {0} bytes does not fit into the queue")]
    TooLarge(usize),
}

impl QueueError {
    /// What becomes of the work that met this error.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        match self {
            Self::Failed(_) => Verdict::Retry,
            Self::TooLarge(_) => Verdict::GiveUp,
        }
    }
}

impl Queue {
    /// The queue at `url`.
    #[must_use]
    pub fn new(client: Client, url: String) -> Self {
        Self { client, url }
    }

    /// Whether SQS could hold this body.
    ///
    /// # Errors
    /// [`QueueError::TooLarge`] if not.
    pub fn fits(body: &str) -> Result<(), QueueError> {
        if body.len() > MOST_BYTES { Err(QueueError::TooLarge(body.len())) } else { Ok(()) }
    }

    /// Sends everything, in as few requests as SQS allows. When this returns `Ok`, SQS has all of it.
    ///
    /// # Errors
    /// If SQS did not take some of it at the second try either; the rest may be in the queue.
    pub async fn send_all(&self, messages: Vec<Message>) -> Result<(), QueueError> {
        for message in &messages {
            Self::fits(&message.body)?;
        }
        let mut sending =
            stream::iter(full_requests(messages)).map(|batch| self.send_batch(batch)).buffer_unordered(AT_ONCE);
        let mut outcome = Ok(());
        while let Some(sent) = sending.next().await {
            outcome = outcome.and(sent);
        }
        outcome
    }

    /// Sends one message that nobody gets before `delay` is over; SQS takes up to 15 minutes.
    ///
    /// # Errors
    /// If SQS did not take it.
    pub async fn send_later(&self, message: Message, delay: Duration) -> Result<(), QueueError> {
        const LONGEST: u64 = 900;
        let seconds = i32::try_from(delay.as_secs().min(LONGEST)).unwrap_or_default();
        let request = self.client.send_message().queue_url(&self.url).message_body(message.body);
        let request = request.message_group_id(message.group).delay_seconds(seconds);
        request.send().await.map_err(|error| failure(&error))?;
        Ok(())
    }

    async fn send_batch(&self, mut batch: Vec<Message>) -> Result<(), QueueError> {
        let mut refused = String::new();
        for _ in 0..2 {
            let entries = batch.iter().enumerate().map(|(id, message)| {
                let entry = SendMessageBatchRequestEntry::builder().id(id.to_string()).message_body(&message.body);
                entry.message_group_id(&message.group).build()
            });
            let entries =
                entries.collect::<Result<Vec<_>, _>>().map_err(|error| QueueError::Failed(error.to_string()))?;
            let sent = self.client.send_message_batch().queue_url(&self.url).set_entries(Some(entries)).send().await;
            let failed = sent.map_err(|error| failure(&error))?.failed;
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
        Err(QueueError::Failed(refused))
    }

    /// How many messages are in the queue, those that somebody works on or that rest included; about.
    ///
    /// # Errors
    /// If SQS does not say.
    pub async fn waiting(&self) -> Result<u64, QueueError> {
        const WAITING: [QueueAttributeName; 2] = [
            QueueAttributeName::ApproximateNumberOfMessages,
            QueueAttributeName::ApproximateNumberOfMessagesNotVisible,
        ];
        let request = self.client.get_queue_attributes().queue_url(&self.url);
        let request = request.set_attribute_names(Some(WAITING.to_vec()));
        let attributes = request.send().await.map_err(|error| failure(&error))?.attributes.unwrap_or_default();
        Ok(WAITING.iter().filter_map(|name| attributes.get(name)?.parse::<u64>().ok()).sum())
    }

    /// Hides a received message for `rest`, counted from now, before SQS gives it out again.
    ///
    /// # Errors
    /// If SQS did not do it; the message then comes back when its visibility timeout ends.
    pub async fn hide(&self, receipt_handle: &str, rest: Duration) -> Result<(), QueueError> {
        let seconds = i32::try_from(rest.as_secs().clamp(1, 12 * 3600 - 600)).unwrap_or(600);
        let request = self.client.change_message_visibility().queue_url(&self.url).receipt_handle(receipt_handle);
        request.visibility_timeout(seconds).send().await.map_err(|error| failure(&error))?;
        Ok(())
    }
}

/// As few requests as the limits allow, without changing the order.
fn full_requests(messages: Vec<Message>) -> Vec<Vec<Message>> {
    let mut requests: Vec<Vec<Message>> = Vec::new();
    let mut bytes = 0;
    for message in messages {
        let size = message.body.len() + message.group.len();
        match requests.last_mut() {
            Some(request) if request.len() < MOST_MESSAGES && bytes + size <= MOST_BYTES => {
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

fn failure<E: std::error::Error + 'static, R: std::fmt::Debug>(error: &SdkError<E, R>) -> QueueError {
    QueueError::Failed(DisplayErrorContext(error).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sizes(bodies: &[usize]) -> Vec<usize> {
        let message = |size: &usize| Message { body: "x".repeat(*size), group: String::new() };
        full_requests(bodies.iter().map(message).collect()).iter().map(Vec::len).collect()
    }

    #[test]
    fn requests_are_as_full_as_sqs_allows() {
        assert_eq!(sizes(&[1; 1000]), [10; 100]);
        assert_eq!(sizes(&[400_000, 400_000, 400_000, 1]), [2, 2]);
        assert_eq!(sizes(&[]), [0; 0]);
        assert!(matches!(Queue::fits(&"x".repeat(MOST_BYTES + 1)), Err(QueueError::TooLarge(_))));
    }
}
