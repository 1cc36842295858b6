//! Messages that failed at every delivery.

mod explain;
mod facts;
mod purge;
mod redrive;

use std::collections::BTreeSet;

use anyhow::Result;
use jiff::{SignedDuration, Timestamp};
use leadwire::clock;

use self::explain::JobInWords;
use self::facts::DeadLetterFacts;
use crate::Found;
use crate::account::StackAccount;
use crate::arguments::{DeadLetters, DeadLettersCommand};
use crate::output::{count, print_columns, time};
use crate::queues::{DEAD_LETTERS, SqsMessage, SqsQueue};

/// Messages that are explained without `--all`.
const FEW: usize = 10;
/// How long messages are hidden while they are explained. What is not shown again in time returns by itself.
const HIDE_S: u32 = 120;
/// Logs are not read from before this.
const MAX_LOG_AGE: SignedDuration = SignedDuration::from_hours(24 * 14);

/// Carries out a command about dead letters.
pub(crate) async fn run(account: &StackAccount, command: DeadLetters) -> Result<Found> {
    match (command.command, command.queue) {
        (Some(DeadLettersCommand::Redrive { queue, rate }), _) => redrive::redrive(account, &queue, rate).await,
        (Some(DeadLettersCommand::Purge { queue, yes, lose_data, to }), _) => {
            purge::purge(account, &queue, purge::PurgeConsent { yes, lose_data }, to).await
        }
        (None, Some(queue)) => list(account, &queue, command.all).await,
        (None, None) => count_all(account).await,
    }
}

async fn count_all(account: &StackAccount) -> Result<Found> {
    let mut rows = vec![["queue", "dead letters", "what it means"].map(ToOwned::to_owned).to_vec()];
    let mut total = 0;
    for queue in account.queues().await?.iter().filter(|queue| queue.name.ends_with(DEAD_LETTERS)) {
        let name = queue.name.trim_end_matches(DEAD_LETTERS);
        let dead = queue.waiting + queue.in_flight;
        let means = facts::find(name).filter(|_| dead > 0).map_or("", |facts| facts.means);
        rows.push(vec![name.to_owned(), dead.to_string(), means.to_owned()]);
        total += dead;
    }
    print_columns(0, &rows);
    Ok(if total == 0 { Found::Fine } else { Found::Problem })
}

async fn list(account: &StackAccount, name: &str, all: bool) -> Result<Found> {
    let queue = account.dead_letters(name).await?;
    let facts = facts::find_known(&queue)?;
    println!("{}: {}", queue.name, count(total(&queue), "message", "messages"));
    if total(&queue) == 0 {
        return Ok(Found::Fine);
    }
    println!("What it means: {}", facts.means);
    println!("What to do: {}\n", facts.advice());
    let messages = look(account, &queue, if all { usize::MAX } else { FEW }).await?;
    for message in &messages {
        print_message(account, facts, message).await?;
    }
    // Now, so that a redrive finds them.
    for message in &messages {
        account.show_again(&queue, message).await?;
    }
    if messages.len() < total(&queue) {
        println!("\n{} of {} are shown; --all shows more. Those in flight are not.", messages.len(), total(&queue));
    }
    Ok(Found::Problem)
}

fn total(queue: &SqsQueue) -> usize {
    usize::try_from(queue.waiting + queue.in_flight).unwrap_or(usize::MAX)
}

/// Receives messages to look at. SQS may answer nothing although there are more.
async fn look(account: &StackAccount, queue: &SqsQueue, limit: usize) -> Result<Vec<SqsMessage>> {
    const MAX_EMPTY: u32 = 3;
    let (mut messages, mut seen, mut empty) = (Vec::new(), BTreeSet::new(), 0);
    while messages.len() < limit && empty < MAX_EMPTY {
        let received = account.receive(queue, HIDE_S).await?;
        let fresh: Vec<SqsMessage> = received.into_iter().filter(|message| seen.insert(message.id.clone())).collect();
        empty = if fresh.is_empty() { empty + 1 } else { 0 };
        messages.extend(fresh);
    }
    Ok(messages)
}

async fn print_message(account: &StackAccount, facts: &DeadLetterFacts, message: &SqsMessage) -> Result<()> {
    let job = (facts.explain)(&message.body);
    let sent = message.attributes.get("SentTimestamp").and_then(|at| at.parse::<i64>().ok());
    let sent = sent.and_then(|at| Timestamp::from_millisecond(at).ok());
    println!("message {}", message.id);
    println!("  what: {}", job.what);
    if let Some(org) = &job.org {
        println!("  org: {org}");
    }
    // A look at it counts as a receipt.
    let received = message.attributes.get("ApproximateReceiveCount").map_or("?", String::as_str);
    println!("  received {received} times, sent {}", sent.map_or_else(|| "?".to_owned(), time));
    match why(account, facts, message, &job, sent).await? {
        Some(words) => println!("  why: {words}"),
        None => println!("  why: no log line names it; see the errors of {} at that time", facts.workers.join(", ")),
    }
    Ok(())
}

/// The last complaint of a worker about a message: the one that names it, its trace or what it is about.
async fn why(
    account: &StackAccount,
    facts: &DeadLetterFacts,
    message: &SqsMessage,
    job: &JobInWords,
    sent: Option<Timestamp>,
) -> Result<Option<String>> {
    let since = clock::now() - MAX_LOG_AGE;
    // A message that was put back by hand is younger than its failure.
    let since = sent.map_or(since, |sent| (sent - SignedDuration::from_hours(1)).max(since));
    let mut words = vec![message.id.as_str()];
    words.extend(message.own("trace"));
    words.extend(job.ids.iter().map(String::as_str).take(5));
    let mut last = None;
    for worker in facts.workers {
        let lines = account.log_lines(worker, &words, since).await?;
        let complaint = lines.iter().rev().find(|line| line.is_complaint()).or(lines.last());
        last =
            last.or_else(|| complaint.map(|line| format!("{} {}: {}", time(line.at), line.function, line.in_words())));
    }
    Ok(last)
}
