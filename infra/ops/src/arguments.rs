//! The command line. Its help texts are the documentation of the commands.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

/// Looks after a deployed stack.
///
/// Run it from a checkout, with credentials of the account: the usual variables, a profile, a sign-in by SSO, or the role of
/// the machine. The region is AWS_REGION's or the profile's. With AWS_ENDPOINT_URL, it works on a local AWS the same way.
///
/// Nothing is deleted without a confirmation, and no personal value of a lead or a contact is printed.
///
/// Exit codes: 0 all is well or done; 1 something needs you, or failed; 2 the command line cannot be carried out.
#[derive(Debug, Parser)]
#[command(name = "ops", bin_name = "cargo ops", version)]
pub(crate) struct Arguments {
    /// The stack's name, as in samconfig.toml.
    #[arg(long, env = "STACK", default_value = "leadwire", global = true)]
    pub(crate) stack: String,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Shows on one screen how the system is: alarms, queues, dead letters, parked leads, integrations, what is switched off.
    ///
    /// Exit code 1 if an alarm is on, a dead letter waits, or something is switched off.
    Status {
        /// Prints JSON, for programs.
        #[arg(long)]
        json: bool,
    },
    /// Lists, explains, redrives and purges messages that failed at every delivery.
    DeadLetters(DeadLetters),
    /// Lists parked leads with reason and fix, replays and dismisses them.
    #[command(args_conflicts_with_subcommands = true)]
    Parked {
        #[command(subcommand)]
        command: Option<ParkedCommand>,
        /// Only of this org.
        #[arg(long)]
        org: Option<String>,
        /// Only those parked for this reason, such as not_permitted.
        #[arg(long)]
        reason: Option<String>,
        /// Prints JSON, for programs.
        #[arg(long)]
        json: bool,
    },
    /// Traces one lead over all parts, in the order of time: what is stored, and every log line that names it.
    Lead {
        /// Meta's leadgen id, or ours.
        id: String,
        /// The org that has it. Without it, all orgs are asked.
        #[arg(long)]
        org: Option<String>,
        /// How many days of logs are read before now.
        #[arg(long, default_value_t = 7, value_name = "DAYS", value_parser = clap::value_parser!(u32).range(1..=400))]
        since: u32,
    },
    /// Shows the state of one org; exports, imports and removes an org.
    #[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
    Org {
        #[command(subcommand)]
        command: Option<OrgCommand>,
        /// The org whose state is shown.
        #[arg(required = true)]
        id: Option<String>,
        /// Prints names of users too, not only their ids.
        #[arg(long)]
        names: bool,
    },
    /// Changes how much a function logs, without a deployment.
    ///
    /// A version with the new level is published, and the alias `live` moved to it. Put it back before the next deployment: a
    /// gradual one moves the alias on only from the version that CloudFormation knows.
    LogLevel {
        /// The function, such as lead-worker.
        function: String,
        /// How much.
        #[arg(required_unless_present = "back")]
        level: Option<LogLevel>,
        /// Puts the level back to INFO.
        #[arg(long)]
        back: bool,
    },
    /// Switches on what was switched off by hand: schedules, event sources of workers, functions that no one can call.
    SwitchOn {
        /// What, by its name in `status`.
        names: Vec<String>,
        /// Everything that is off. A function can be stopped on purpose, as while a table is restored.
        #[arg(long, conflicts_with = "names")]
        all: bool,
    },
    /// Checks the account and the deployed stack: quotas, mails, secrets, webhook, backups, schedules. Says the fix of each.
    ///
    /// Exit code 1 if something is wrong; warnings and what cannot be known do not count.
    Doctor {
        /// The size that the account's quotas must allow; infra/quotas.toml says what each means.
        #[arg(long, default_value = "small")]
        size: Size,
        /// Prints JSON, for programs.
        #[arg(long)]
        json: bool,
    },
}

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct DeadLetters {
    #[command(subcommand)]
    pub(crate) command: Option<DeadLettersCommand>,
    /// The queue, such as lead-worker. Without it, the dead letters of all queues are counted.
    pub(crate) queue: Option<String>,
    /// Explains all messages instead of the first ten. They are hidden for that long, and a redrive leaves them out meanwhile.
    #[arg(long)]
    pub(crate) all: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum DeadLettersCommand {
    /// Puts the messages back into the queue that they came from, and waits for the end. Remove their cause first.
    Redrive {
        /// The queue, such as lead-worker.
        queue: String,
        /// Messages a second.
        #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=500))]
        rate: u32,
    },
    /// Deletes the messages, after it has saved them into a file.
    Purge {
        /// The queue, such as social-sync.
        queue: String,
        /// Confirms it without a question.
        #[arg(long)]
        yes: bool,
        /// Also deletes messages for whose work nothing makes up.
        #[arg(long)]
        lose_data: bool,
        /// Where they are saved. They may have personal data. By default a new file in this folder.
        #[arg(long, value_name = "FILE")]
        to: Option<PathBuf>,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum ParkedCommand {
    /// Puts parked leads back into the queue. One that fails again is parked again.
    Replay(ParkedLeads),
    /// Gives parked leads up: they are not listed, tried or parked again.
    Dismiss {
        #[command(flatten)]
        selection: ParkedLeads,
        /// Confirms it without a question.
        #[arg(long)]
        yes: bool,
    },
}

#[derive(Debug, Args)]
pub(crate) struct ParkedLeads {
    /// The org.
    #[arg(long)]
    pub(crate) org: String,
    /// Only those parked for this reason, such as not_permitted.
    #[arg(long)]
    pub(crate) reason: Option<String>,
    /// Only this lead, by its leadgen id; may be given several times.
    #[arg(long, value_name = "LEADGEN_ID")]
    pub(crate) lead: Vec<String>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum OrgCommand {
    /// Copies everything that is stored of an org into a file, one item a line. Its tokens are not in it.
    Export(OrgExport),
    /// Puts the items of a copy back where they are absent. What is there stays as it is, and people who were erased since
    /// stay erased. Run it with --dry-run first.
    Import {
        /// The file that `org export` wrote.
        file: PathBuf,
        /// Counts, and stores nothing.
        #[arg(long)]
        dry_run: bool,
    },
    /// Removes an org for good: ends its integrations at Meta, deletes its tokens, files and everything stored of it. Export it
    /// first. An interrupted removal goes on when it is repeated.
    Remove {
        /// The org.
        id: String,
        /// The org's id once more, as the confirmation.
        #[arg(long, value_name = "ID")]
        yes: Option<String>,
        /// How fast its items are read, in read units a second.
        #[arg(long, default_value_t = 500, value_parser = clap::value_parser!(u32).range(1..=10_000))]
        units: u32,
    },
}

#[derive(Debug, Args)]
pub(crate) struct OrgExport {
    /// The org.
    pub(crate) id: String,
    /// The file to write. It has personal data; it is readable for you only.
    #[arg(long, value_name = "FILE")]
    pub(crate) to: PathBuf,
    /// The table to read instead of the stack's: one that was restored to a point in time.
    #[arg(long, value_name = "TABLE")]
    pub(crate) from_table: Option<String>,
    /// How fast it is read, in read units a second.
    #[arg(long, default_value_t = 500, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub(crate) units: u32,
}

/// How much a function logs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogLevel {
    /// Each response of Meta too.
    Debug,
    /// What happens.
    Info,
    /// What is odd, and errors. Alarms still work.
    Warn,
}

/// How much a system has to do; infra/quotas.toml says what each means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Size {
    /// Some orgs.
    Small,
    /// Hundreds of orgs.
    Medium,
    /// Thousands of orgs.
    Large,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    fn parse(line: &str) -> Result<Arguments, clap::error::ErrorKind> {
        Arguments::try_parse_from(line.split(' ')).map_err(|error| error.kind())
    }

    #[test]
    fn the_command_line_is_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn commands_say_what_they_are_about() {
        for good in [
            "ops status --json",
            "ops --stack x dead-letters",
            "ops dead-letters lead-worker --all",
            "ops dead-letters redrive lead-worker --rate 5",
            "ops dead-letters purge social-sync --yes",
            "ops parked --org acme --reason not_permitted --json",
            "ops parked replay --org acme --lead 1 --lead 2",
            "ops parked dismiss --org acme --reason not_visible --yes",
            "ops lead 123 --org acme --since 30",
            "ops switch-on webhook PlannerLeadSweep",
            "ops switch-on --all",
            "ops org acme --names",
            "ops org export acme --to acme.jsonl --from-table restored",
            "ops org import acme.jsonl --dry-run",
            "ops org remove acme --yes acme",
            "ops log-level lead-worker debug",
            "ops log-level lead-worker --back",
            "ops doctor --size large --stack leadwire-dev",
        ] {
            assert!(parse(good).is_ok(), "{good}: {:?}", parse(good));
        }
        for bad in [
            "ops",
            "ops org",
            "ops org export acme",
            "ops parked replay",
            "ops log-level lead-worker",
            "ops log-level lead-worker loud",
            "ops dead-letters purge",
            "ops dead-letters redrive x --rate 0",
            "ops doctor --size huge",
        ] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }
}
