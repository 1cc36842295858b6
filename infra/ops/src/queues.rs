//! The stack's queues, as SQS knows them.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use aws_calls::AwsRefusal;
use serde_json::{Value, json};

use crate::UnusableLine;
use crate::account::StackAccount;

/// What the name of a queue of dead letters ends with.
pub(crate) const DEAD_LETTERS: &str = "-dead-letters";

/// A queue of the stack.
#[derive(Debug, Clone)]
pub(crate) struct SqsQueue {
    /// Its name without the stack's, such as `lead-worker`.
    pub(crate) name: String,
    pub(crate) url: String,
    pub(crate) arn: String,
    /// Messages that wait, also those that are hidden until a later time.
    pub(crate) waiting: u64,
    /// Messages that a worker has, or that are hidden after a failure.
    pub(crate) in_flight: u64,
    /// The name, without the stack's, of the queue that takes its dead letters.
    pub(crate) dead_letters: Option<String>,
}

/// A message that was received.
#[derive(Debug, Clone)]
pub(crate) struct SqsMessage {
    pub(crate) id: String,
    pub(crate) receipt: String,
    pub(crate) body: String,
    /// What SQS says of it, such as `SentTimestamp`.
    pub(crate) attributes: BTreeMap<String, String>,
    /// What its sender says of it, in SQS's form.
    pub(crate) own_attributes: Value,
}

impl SqsMessage {
    fn parse(message: &Value) -> Option<Self> {
        let text = |name: &str| Some(message.get(name)?.as_str()?.to_owned());
        let attributes = message.get("Attributes").and_then(Value::as_object).into_iter().flatten();
        let attributes = attributes.filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned())));
        Some(Self {
            id: text("MessageId")?,
            receipt: text("ReceiptHandle")?,
            body: text("Body")?,
            attributes: attributes.collect(),
            own_attributes: message.get("MessageAttributes").cloned().unwrap_or_else(|| json!({})),
        })
    }

    /// An attribute of its sender's, if it is a text.
    pub(crate) fn own(&self, name: &str) -> Option<&str> {
        self.own_attributes.get(name)?.get("StringValue")?.as_str()
    }
}

/// Turns a logical id of the template, such as `LeadWorkerDeadLetters`, into the queue's name.
fn kebab_case(name: &str) -> String {
    let mut kebab = String::with_capacity(name.len());
    for (at, letter) in name.char_indices() {
        if at > 0 && letter.is_ascii_uppercase() {
            kebab.push('-');
        }
        kebab.push(letter.to_ascii_lowercase());
    }
    kebab
}

impl StackAccount {
    /// All queues, by name.
    pub(crate) async fn queues(&self) -> Result<Vec<SqsQueue>> {
        let urls: Vec<&str> = self.stack.of_kind("AWS::SQS::Queue").map(|(_, url)| url).collect();
        let mut queues = Vec::with_capacity(urls.len());
        for url in urls {
            queues.push(self.queue(url).await?);
        }
        queues.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(queues)
    }

    /// The queue that takes the dead letters of a queue, by the name of one of the two, without the stack's.
    pub(crate) async fn dead_letters(&self, name: &str) -> Result<SqsQueue> {
        let queues = self.queues().await?;
        let name = kebab_case(name.strip_prefix(&format!("{}-", self.stack.name)).unwrap_or(name));
        let takes = queues.iter().find(|queue| queue.name == name).and_then(|queue| queue.dead_letters.clone());
        let wanted = takes.unwrap_or_else(|| format!("{}{DEAD_LETTERS}", name.trim_end_matches(DEAD_LETTERS)));
        let known = queues.iter().filter_map(|queue| queue.name.strip_suffix(DEAD_LETTERS));
        let known = known.collect::<Vec<_>>().join(", ");
        queues
            .iter()
            .find(|queue| queue.name == wanted)
            .cloned()
            .ok_or_else(|| UnusableLine(format!("there is no queue {name}; queues with dead letters: {known}")).into())
    }

    async fn queue(&self, url: &str) -> Result<SqsQueue> {
        let answer = self.sqs("GetQueueAttributes", &json!({ "QueueUrl": url, "AttributeNames": ["All"] })).await?;
        let attribute = |name: &str| answer.get("Attributes")?.get(name)?.as_str();
        let number = |name: &str| attribute(name).and_then(|number| number.parse::<u64>().ok()).unwrap_or_default();
        let redrive = attribute("RedrivePolicy").and_then(|policy| serde_json::from_str::<Value>(policy).ok());
        let target = redrive.as_ref().and_then(|policy| policy.get("deadLetterTargetArn")?.as_str());
        Ok(SqsQueue {
            name: self.without_stack(url.rsplit('/').next().unwrap_or(url)),
            url: url.to_owned(),
            arn: attribute("QueueArn").context("a queue without an ARN")?.to_owned(),
            waiting: number("ApproximateNumberOfMessages") + number("ApproximateNumberOfMessagesDelayed"),
            in_flight: number("ApproximateNumberOfMessagesNotVisible"),
            dead_letters: target.map(|arn| self.without_stack(arn.rsplit(':').next().unwrap_or(arn))),
        })
    }

    /// The name of one of the stack's resources, without the stack's.
    pub(crate) fn without_stack(&self, name: &str) -> String {
        name.strip_prefix(&format!("{}-", self.stack.name)).unwrap_or(name).to_owned()
    }

    /// Receives up to ten messages, and hides them for some seconds.
    pub(crate) async fn receive(&self, queue: &SqsQueue, hide_s: u32) -> Result<Vec<SqsMessage>> {
        let input = json!({
            "QueueUrl": queue.url, "MaxNumberOfMessages": 10, "VisibilityTimeout": hide_s, "WaitTimeSeconds": 1,
            "MessageSystemAttributeNames": ["All"], "MessageAttributeNames": ["All"],
        });
        let answer = self.sqs("ReceiveMessage", &input).await?;
        let messages = answer.get("Messages").and_then(Value::as_array).into_iter().flatten();
        Ok(messages.filter_map(SqsMessage::parse).collect())
    }

    /// Shows a message again that was hidden. One that is visible already counts as success.
    pub(crate) async fn show_again(&self, queue: &SqsQueue, message: &SqsMessage) -> Result<()> {
        let input = json!({ "QueueUrl": queue.url, "ReceiptHandle": message.receipt, "VisibilityTimeout": 0 });
        match self.sqs("ChangeMessageVisibility", &input).await {
            Err(error) if AwsRefusal::find(&error).is_none() => Err(error),
            _ => Ok(()),
        }
    }

    /// Deletes a message.
    pub(crate) async fn delete_message(&self, queue: &SqsQueue, message: &SqsMessage) -> Result<()> {
        let input = json!({ "QueueUrl": queue.url, "ReceiptHandle": message.receipt });
        self.sqs("DeleteMessage", &input).await.map(drop)
    }

    /// Calls SQS.
    pub(crate) async fn sqs(&self, operation: &str, input: &Value) -> Result<Value> {
        self.aws.json("sqs", &format!("AmazonSQS.{operation}"), input).await
    }
}
