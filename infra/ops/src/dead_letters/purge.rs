//! Deletes dead letters, after it has saved them.

use std::fs::OpenOptions;
use std::io::{BufWriter, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;

use anyhow::{Context, Result};
use leadwire::clock;
use serde_json::json;

use super::facts::{self, Loss};
use super::{look, total};
use crate::account::StackAccount;
use crate::confirmation::confirm;
use crate::output::count;
use crate::{Found, UnusableLine};

/// What the command line has confirmed.
#[derive(Debug, Clone, Copy)]
pub(super) struct PurgeConsent {
    /// That messages are deleted.
    pub(super) yes: bool,
    /// That work is lost by it.
    pub(super) lose_data: bool,
}

/// Purges the dead letters of a queue.
pub(super) async fn purge(
    account: &StackAccount,
    name: &str,
    confirmed: PurgeConsent,
    to: Option<PathBuf>,
) -> Result<Found> {
    let queue = account.dead_letters(name).await?;
    let facts = facts::find_known(&queue)?;
    if facts.loss != Loss::MadeUpFor && !confirmed.lose_data {
        let text = format!(
            "{} is not purged: {}. Nothing makes up for it; redrive it, or add --lose-data",
            queue.name, facts.means
        );
        return Err(UnusableLine(text).into());
    }
    let messages = count(total(&queue), "message", "messages");
    if total(&queue) == 0 {
        println!("{} is empty", queue.name);
        return Ok(Found::Fine);
    }
    confirm(&format!("{messages} of {} are deleted.", queue.name), facts.name, confirmed.yes)?;
    let to = to.unwrap_or_else(|| PathBuf::from(format!("{}-{}.jsonl", queue.name, clock::now().as_second())));
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&to);
    let mut file = BufWriter::new(file.with_context(|| format!("cannot create {}", to.display()))?);
    let mut deleted = 0;
    // Not by PurgeQueue: what is deleted is exactly what is saved.
    loop {
        let messages = look(account, &queue, 100).await?;
        if messages.is_empty() {
            break;
        }
        for message in &messages {
            let saved = json!({
                "id": message.id, "body": message.body, "attributes": message.attributes,
                "message_attributes": message.own_attributes,
            });
            writeln!(file, "{saved}")?;
        }
        file.flush()?;
        for message in &messages {
            account.delete_message(&queue, message).await?;
            deleted += 1;
        }
    }
    println!("deleted: {}, saved in {}", count(deleted, "message", "messages"), to.display());
    println!("The file may have personal data: delete it when it is of no more use.");
    Ok(Found::Fine)
}
