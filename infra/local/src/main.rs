//! `cargo dev`, `cargo verify`, `cargo stories`, `cargo calendar` and `cargo packages`.

use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};
use jiff::Timestamp;
use local::calendar::{self, Extent};
use local::packages::{self, Architecture};
use local::{Build, Options, Profile, Progress, dev, stories, verify};
use tokio::signal::unix::{SignalKind, signal};

/// Leadwire on this machine.
#[derive(Parser)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Starts the whole system, connects the demo org, sends a lead, and runs until Ctrl-C.
    Dev {
        /// The port of the console, the API and the public routes.
        #[arg(long, default_value_t = 8080)]
        port: u16,
        /// Skips connecting the demo org and sending a lead.
        #[arg(long)]
        no_demo: bool,
        /// Reinstalls the Python programs.
        #[arg(long)]
        fresh: bool,
        /// Runs the functions' release packages, as AWS would.
        #[arg(long)]
        release: bool,
    },
    /// Runs every check and test.
    Verify {
        /// Fails if Cargo.lock is not up to date.
        #[arg(long)]
        locked: bool,
    },
    /// Runs the end-to-end stories of some modules, over the same system as `verify`.
    ///
    /// A module is a file of tests/e2e/tests/it. All modules whose names start with a given word run: `cargo stories
    /// leads` runs the stories of leads.rs, `cargo stories ads` those of ads.rs, ads_sync.rs and so on. Without a word,
    /// all stories run. The logs are in e2e/system of cargo's target folder.
    #[command(after_help = "Examples:\n  cargo stories leads\n  cargo stories console connecting -- --nocapture")]
    Stories {
        /// The beginnings of the modules' names, such as leads or console_access.
        modules: Vec<String>,
        /// Fails if Cargo.lock is not up to date.
        #[arg(long)]
        locked: bool,
        /// Runs the functions' release packages, as AWS would.
        #[arg(long)]
        release: bool,
        /// Arguments of the test program, such as --nocapture or --test-threads=1.
        #[arg(last = true)]
        test_arguments: Vec<String>,
    },
    /// Runs the tests on other dates: month and year ends, leap days, clock changes.
    Calendar {
        /// Runs only at these times, such as 2028-02-29T23:58:00Z.
        #[arg(long)]
        at: Vec<Timestamp>,
        /// Includes the end-to-end stories, with a separate system for each time: several minutes each.
        #[arg(long)]
        stories: bool,
    },
    /// Builds the release packages as `sam build` does, starts each function once with a stub of AWS, and compares the
    /// sizes with tests/bench/budgets.toml.
    Packages {
        /// The architecture of the functions. Those of another machine are built but not started.
        #[arg(long, default_value = Architecture::host().name())]
        arch: Architecture,
    },
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let work = async {
        match arguments.command {
            Command::Dev { port, no_demo, fresh, release } => {
                let (dir, progress, build) = (dev::folder(), Progress::detect(), Build::Programs);
                let profile = if release { Profile::Release } else { Profile::Local };
                dev::run(Options { port, dir, demo: !no_demo, fresh, build, profile, dynamodb: None, progress }).await
            }
            Command::Verify { locked } => verify::run(locked).await,
            Command::Stories { modules, locked, release, test_arguments } => {
                let profile = if release { Profile::Release } else { Profile::Local };
                stories::run(&modules, &test_arguments, locked, profile).await
            }
            Command::Calendar { at, stories } => {
                calendar::run(&at, if stories { Extent::Stories } else { Extent::Parts }).await
            }
            Command::Packages { arch } => packages::run(arch).await,
        }
    };
    // Returning from this function drops the system, which ends every process it started.
    tokio::select! {
        outcome = work => match outcome {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                eprintln!("\nerror: {error:#}");
                ExitCode::FAILURE
            }
        },
        stopped = wait_for_signal() => match stopped {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                eprintln!("\nerror: {error:#}");
                ExitCode::FAILURE
            }
        },
    }
}

/// Waits for Ctrl-C, SIGTERM or SIGHUP.
async fn wait_for_signal() -> Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut hang_up = signal(SignalKind::hangup())?;
    tokio::select! {
        pressed = tokio::signal::ctrl_c() => pressed?,
        _ = terminate.recv() => {}
        _ = hang_up.recv() => {}
    }
    eprintln!("\nstopping");
    Ok(())
}
