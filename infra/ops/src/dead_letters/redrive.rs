//! Puts dead letters back into the queue that they came from.

use std::time::Duration;

use anyhow::{Result, bail};
use aws_calls::AwsRefusal;
use serde_json::{Map, Value, json};

use super::facts::{self, Loss};
use super::{HIDE_S, look, total};
use crate::account::StackAccount;
use crate::output::count;
use crate::queues::{SqsMessage, SqsQueue};
use crate::{Found, UnusableLine};

/// How often a move is asked about.
const POLL: Duration = Duration::from_secs(2);

/// Redrives the dead letters of a queue, and waits for the end.
pub(super) async fn redrive(account: &StackAccount, name: &str, rate: u32) -> Result<Found> {
    let queue = account.dead_letters(name).await?;
    let facts = facts::find_known(&queue)?;
    if facts.loss == Loss::LostAndByHand {
        let why = "EventBridge filled it, so SQS knows no queue to put its messages back into";
        return Err(UnusableLine(format!("{} cannot be redriven: {why}. {}", queue.name, facts.advice())).into());
    }
    if total(&queue) == 0 {
        println!("{} is empty", queue.name);
        return Ok(Found::Fine);
    }
    let start = json!({ "SourceArn": queue.arn, "MaxNumberOfMessagesPerSecond": rate });
    match account.sqs("StartMessageMoveTask", &start).await {
        Ok(_) => follow(account, &queue).await,
        Err(error) if AwsRefusal::find(&error).is_some_and(is_unsupported) => {
            eprintln!("this AWS has no message move tasks: the messages are moved one by one");
            move_each(account, &queue, rate).await
        }
        Err(error) if AwsRefusal::find(&error).is_some_and(|it| it.is("already")) => {
            eprintln!("a move of {} is on its way already", queue.name);
            follow(account, &queue).await
        }
        Err(error) => Err(error),
    }
}

/// Whether an AWS does not know the operation at all.
fn is_unsupported(refusal: &AwsRefusal) -> bool {
    ["InvalidAction", "UnknownOperation", "UnsupportedOperation"].iter().any(|name| refusal.is(name))
}

/// Waits until SQS has moved all it can.
async fn follow(account: &StackAccount, queue: &SqsQueue) -> Result<Found> {
    loop {
        let input = json!({ "SourceArn": queue.arn, "MaxResults": 1 });
        let answer = account.sqs("ListMessageMoveTasks", &input).await?;
        let task = answer.pointer("/Results/0").cloned().unwrap_or_default();
        let moved = task.get("ApproximateNumberOfMessagesMoved").and_then(Value::as_u64).unwrap_or_default();
        match task.get("Status").and_then(Value::as_str) {
            Some("RUNNING") => eprintln!("moved {moved} so far"),
            Some("COMPLETED") => {
                println!("redriven: {}", count(usize::try_from(moved).unwrap_or_default(), "message", "messages"));
                let left = total(&account.dead_letters(&queue.name).await?);
                if left == 0 {
                    return Ok(Found::Fine);
                }
                // SQS moves only what a queue of SQS had before; rules of EventBridge fill some of these queues too.
                let left = count(left, "message", "messages");
                println!("left: {left}; they failed again, or EventBridge put them there");
                return Ok(Found::Problem);
            }
            Some(ended) => {
                let why = task.get("FailureReason").and_then(Value::as_str).unwrap_or("SQS does not say why");
                bail!("the move ended as {ended} after {moved} messages: {why}");
            }
            None => bail!("SQS knows no move of {}", queue.name),
        }
        tokio::time::sleep(POLL).await;
    }
}

/// Sends each message to the queue that it came from, then deletes it here. A message of which only the first was done is
/// there twice: work is known by its own id, so it is done once.
async fn move_each(account: &StackAccount, queue: &SqsQueue, rate: u32) -> Result<Found> {
    let queues = account.queues().await?;
    let sources: Vec<&SqsQueue> =
        queues.iter().filter(|source| source.dead_letters.as_deref() == Some(&queue.name)).collect();
    let mut moved = 0;
    for message in look(account, queue, usize::MAX).await? {
        let Some(source) = source_of(&sources, &message) else {
            account.show_again(queue, &message).await?;
            eprintln!("message {} stays: nothing says which queue it came from", message.id);
            continue;
        };
        account.sqs("SendMessage", &copy(source, &message)).await?;
        account.delete_message(queue, &message).await?;
        moved += 1;
        tokio::time::sleep(Duration::from_secs_f64(1.0 / f64::from(rate))).await;
    }
    println!("redriven: {}", count(moved, "message", "messages"));
    let left = total(queue).saturating_sub(moved);
    if left > 0 {
        println!("left: {}; those in flight are visible again within {HIDE_S} s", count(left, "message", "messages"));
        return Ok(Found::Problem);
    }
    Ok(Found::Fine)
}

fn source_of<'a>(sources: &[&'a SqsQueue], message: &SqsMessage) -> Option<&'a SqsQueue> {
    let arn = message.attributes.get("DeadLetterQueueSourceArn");
    match sources {
        [only] => Some(only),
        several => several.iter().find(|source| Some(&source.arn) == arn).copied(),
    }
}

fn copy(source: &SqsQueue, message: &SqsMessage) -> Value {
    let mut input = Map::new();
    input.insert("QueueUrl".to_owned(), json!(source.url));
    input.insert("MessageBody".to_owned(), json!(message.body));
    input.insert("MessageAttributes".to_owned(), message.own_attributes.clone());
    if let Some(group) = message.attributes.get("MessageGroupId") {
        input.insert("MessageGroupId".to_owned(), json!(group));
    }
    Value::Object(input)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn queue(name: &str) -> SqsQueue {
        SqsQueue {
            name: name.to_owned(),
            url: format!("https://sqs/{name}"),
            arn: format!("arn:aws:sqs:r:1:s-{name}"),
            waiting: 0,
            in_flight: 0,
            dead_letters: None,
        }
    }

    fn message(source: &str) -> SqsMessage {
        SqsMessage {
            id: "m".to_owned(),
            receipt: "r".to_owned(),
            body: "{}".to_owned(),
            attributes: [
                ("DeadLetterQueueSourceArn".to_owned(), format!("arn:aws:sqs:r:1:s-{source}")),
                ("MessageGroupId".to_owned(), "g".to_owned()),
            ]
            .into(),
            own_attributes: json!({ "trace": { "StringValue": "t", "DataType": "String" } }),
        }
    }

    #[test]
    fn a_message_goes_back_to_where_it_came_from_as_it_was() {
        let (sweep, search) = (queue("lead-sweep"), queue("lead-search"));
        let sources = [&sweep, &search];
        let found = source_of(&sources, &message("lead-search")).unwrap();
        assert_eq!(found.name, "lead-search");
        assert!(source_of(&sources, &message("other")).is_none());
        assert_eq!(
            source_of(&[&sweep], &message("other")).unwrap().name,
            "lead-sweep",
            "it can come from nowhere else"
        );
        let copy = copy(found, &message("lead-search"));
        let expected = json!({
            "QueueUrl": "https://sqs/lead-search", "MessageBody": "{}", "MessageGroupId": "g",
            "MessageAttributes": { "trace": { "StringValue": "t", "DataType": "String" } },
        });
        assert_eq!(copy, expected);
    }
}
