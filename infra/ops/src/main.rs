//! `cargo ops`: what an operator looks at and does in a deployed stack, from a checkout, with credentials of the account.
//!
//! It uses the product's own rooms, table and model: a lead is replayed, and an org removed, as the console would do it.
//! What only AWS knows it asks AWS, through signed calls.

mod account;
mod acts;
mod arguments;
mod confirmation;
mod dead_letters;
mod doctor;
mod lead;
mod log_level;
mod logs;
mod org;
mod output;
mod parked;
mod product;
mod queues;
mod status;
mod switch_on;

use std::process::ExitCode;

use clap::Parser;

use crate::account::StackAccount;
use crate::arguments::{Arguments, Command, OrgCommand, ParkedCommand};

/// What a command found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Found {
    /// Nothing to do.
    Fine,
    /// Something that needs the operator.
    Problem,
}

/// A command line that cannot be carried out as it is: it names the argument and the fix.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct UnusableLine(pub(crate) String);

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match run(arguments).await {
        Ok(Found::Fine) => ExitCode::SUCCESS,
        Ok(Found::Problem) => ExitCode::from(1),
        Err(error) => {
            eprintln!("ops: {error:#}");
            ExitCode::from(if error.is::<UnusableLine>() { 2 } else { 1 })
        }
    }
}

async fn run(arguments: Arguments) -> anyhow::Result<Found> {
    let account = StackAccount::open(&arguments.stack).await?;
    match arguments.command {
        Command::Status { json } => status::show(&account, json).await,
        Command::DeadLetters(command) => dead_letters::run(&account, command).await,
        Command::Parked { command, org, reason, json } => match command {
            None => parked::list(&account, org.as_deref(), reason.as_deref(), json).await,
            Some(ParkedCommand::Replay(selection)) => parked::replay(&account, &selection).await,
            Some(ParkedCommand::Dismiss { selection, yes }) => parked::dismiss(&account, &selection, yes).await,
        },
        Command::Lead { id, org, since } => lead::trace(&account, &id, org.as_deref(), since).await,
        Command::Org { command, id, names } => match (command, id) {
            (Some(OrgCommand::Export(export)), _) => org::export(&account, export).await,
            (Some(OrgCommand::Import { file, dry_run }), _) => org::import(&account, &file, dry_run).await,
            (Some(OrgCommand::Remove { id, yes, units }), _) => org::remove(&account, &id, yes.as_deref(), units).await,
            (None, Some(id)) => org::show(&account, &id, names).await,
            (None, None) => Err(UnusableLine("name an org: cargo ops org <id>".to_owned()).into()),
        },
        Command::LogLevel { function, level, back } => {
            log_level::change(&account, &function, level.filter(|_| !back)).await
        }
        Command::SwitchOn { names, all } => switch_on::run(&account, &names, all).await,
        Command::Doctor { size, json } => doctor::examine(&account, size, json).await,
    }
}
