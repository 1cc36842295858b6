//! What the runbook has an entry for is caused here, in a system that no other story uses: the right alarm begins, what
//! the entry says is done, and the alarm ends.

mod decided;
mod entrances;
mod leads;
mod measured;
mod meta;
mod work;

use e2e::world::{wait_for, world};
use local::Stack;
use serde_json::Value;

/// The name in AWS of a resource of the template.
async fn physical(id: &str) -> String {
    Stack::describe(&world().aws(), "leadwire").await.unwrap().resource(id).unwrap().to_owned()
}

/// Waits until a function logs a line with these words, and returns the last one.
async fn wait_for_log(function: &str, words: &str) -> String {
    wait_for(&format!("{words} in the log of {function}"), async || log_lines(function, words).await.pop()).await
}

/// The lines with these words in the log of a function.
async fn log_lines(function: &str, words: &str) -> Vec<String> {
    let lines = world().aws().log_lines(&format!("/aws/lambda/leadwire-{function}")).await.unwrap_or_default();
    lines.into_iter().filter(|line| line.contains(words)).collect()
}

/// Calls a function as the operator does, and returns what it returns. MiniStack knows no calls of an alias.
async fn invoke(function: &str, payload: &Value) -> anyhow::Result<Value> {
    let path = format!("/2015-03-31/functions/leadwire-{function}/invocations");
    world().aws().rest("lambda", http::Method::POST, &path, payload).await
}
