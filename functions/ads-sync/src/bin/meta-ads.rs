//! Syncs ad accounts from a command line, with the same code and the same lease as the function.
//!
//! It needs the variables of the function, and credentials for the same table and secrets in the `AWS_` variables.

use std::process::ExitCode;
use std::sync::Mutex;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use clap::Parser;
use indicatif::{ProgressBar, ProgressStyle};
use jiff::SignedDuration;
use leadwire::ads::{AdsSyncer, SliceOutcome, StartOutcome, start_sync};
use leadwire::ids::RunId;
use leadwire::jobs::AdsSyncJob;
use leadwire::meta_app::MetaApp;
use leadwire::model::ads::account::AdAccount;
use leadwire::model::ads::sync::{AdsSync, Cause, SyncState};
use leadwire::model::days::back;
use leadwire::queue::Queue;
use leadwire::table::Table;
use leadwire::vault::Vault;
use leadwire::{aws, clock, env, ids::OrgScope};

/// Reads ad accounts now.
///
/// Exit codes: 0 all were read; 1 some could not be, the summary says why; 2 the command line is wrong; 3 Meta wants some
/// to wait longer than --patience, they go on by themselves.
#[derive(Debug, Parser)]
#[command(name = "meta-ads", version)]
struct Arguments {
    /// Whose accounts
    #[arg(long)]
    org: String,
    /// Only this one, by Meta's id (act_…) or ours (ada_…); may be given several times
    #[arg(long)]
    account: Vec<String>,
    /// Days before today; by default as many as are due (3, once a day 28)
    #[arg(long, value_parser = clap::value_parser!(i32).range(1..=1125))]
    days: Option<i32>,
    /// Seconds to wait for Meta's limits
    #[arg(long, default_value_t = 900)]
    patience: u64,
}

/// How long a slice takes at most. Between slices, another worker may take over.
const SLICE_DURATION: SignedDuration = SignedDuration::from_mins(5);

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match run(arguments).await {
        Ok(worst) => ExitCode::from(worst),
        Err(error) => {
            eprintln!("meta-ads: {error:#}");
            ExitCode::from(1)
        }
    }
}

async fn run(arguments: Arguments) -> Result<u8> {
    let aws = aws::load(aws::TimeoutProfile::Worker)?;
    let table = Table::new(aws_sdk_dynamodb::Client::new(&aws), env::table_name()?);
    let sqs = aws_sdk_sqs::Client::new(&aws);
    let checks = Queue::new(sqs.clone(), env::expiry_notice_queue_url()?);
    let queue = Queue::new(sqs, env::ads_sync_queue_url()?);
    let vault = Vault::new(aws_sdk_secretsmanager::Client::new(&aws));
    let meta = MetaApp::open(vault, env::meta_app_secret_id()?, env::graph_base_url()?, env::graph_version()?).await?;
    let syncer = AdsSyncer { meta: &meta, table: &table, checks: &checks };

    let accounts = table.all_ad_accounts().await?;
    let own: Vec<(OrgScope, AdAccount)> =
        accounts.into_iter().filter(|(scope, _)| scope.org().as_str() == arguments.org).collect();
    if own.is_empty() {
        bail!("the org {} has linked no ad account; link one with POST /api/meta-ads/accounts", arguments.org);
    }
    let is_meant =
        |account: &AdAccount, name: &str| account.ad_account_id.as_str() == name || account.id.as_str() == name;
    if let Some(unknown) = arguments.account.iter().find(|name| !own.iter().any(|(_, account)| is_meant(account, name)))
    {
        bail!("the org {} has linked no ad account {unknown}", arguments.org);
    }
    let wanted = |account: &AdAccount| {
        arguments.account.is_empty() || arguments.account.iter().any(|name| is_meant(account, name))
    };
    let mut worst = 0;
    for (scope, account) in own.iter().filter(|(_, account)| wanted(account)) {
        worst = worst.max(sync(syncer, &queue, scope, account, &arguments).await?);
    }
    Ok(worst)
}

async fn sync(
    syncer: AdsSyncer<'_>,
    queue: &Queue<AdsSyncJob>,
    scope: &OrgScope,
    account: &AdAccount,
    arguments: &Arguments,
) -> Result<u8> {
    let table = syncer.table;
    let (now, new) = (clock::now(), RunId::new());
    let since = arguments.days.map_or_else(|| account.due_since(now), |days| back(account.today(now), days));
    let since = since.max(account.earliest_day(now));
    let run = match start_sync(table, scope, account, &new, (since, Cause::Request, None), now).await? {
        StartOutcome::New => new,
        StartOutcome::Joined(run) => run,
        StartOutcome::Gone => bail!("{} was unlinked meanwhile", account.ad_account_id),
    };
    let bar = ProgressBar::new_spinner();
    bar.set_style(ProgressStyle::with_template("{spinner} {prefix:<24} {msg}").context("the progress bar's style")?);
    bar.set_prefix(account.label.clone());
    bar.enable_steady_tick(Duration::from_millis(120));
    let latest: Mutex<Option<AdsSync>> = Mutex::new(None);
    let on_progress = |sync: &AdsSync| {
        bar.set_message(progress(sync));
        if let Ok(mut latest) = latest.lock() {
            *latest = Some(sync.clone());
        }
    };
    let job = AdsSyncJob::new(account, Some(run.clone()));
    let mut patience = Duration::from_secs(arguments.patience);
    loop {
        let rest = match syncer.run_slice(&job, clock::now() + SLICE_DURATION, &on_progress).await? {
            SliceOutcome::Done => break,
            SliceOutcome::Continue(rest) => rest,
            SliceOutcome::Busy(rest) => rest.min(Duration::from_secs(2)),
        };
        let Some(left) = patience.checked_sub(rest) else {
            bar.finish_and_clear();
            queue.send_later(&job, rest).await?;
            println!("{:<24} waits: Meta limits how often it may be read", account.label);
            return Ok(3);
        };
        patience = left;
        tokio::time::sleep(rest).await;
    }
    bar.finish_and_clear();
    let stored = table.ads_sync(scope, &run, &account.id).await?;
    let reported = latest.into_inner().ok().flatten();
    let Some(sync) = stored.or(reported) else { bail!("{} was unlinked meanwhile", account.ad_account_id) };
    Ok(summary(account, &sync))
}

fn progress(sync: &AdsSync) -> String {
    let read: u64 = sync.log.values().map(|log| log.read).sum();
    let calls: u64 = sync.log.values().map(|log| log.calls).sum();
    let down_to =
        sync.progress.ads_down_to.map_or_else(String::new, |day| format!(", back to {day} of {}", sync.since));
    format!("{read} read with {calls} calls{down_to}")
}

/// Prints what became of it, and answers the exit code.
fn summary(account: &AdAccount, sync: &AdsSync) -> u8 {
    println!("{:<24} {} {} to {}", account.label, account.ad_account_id, sync.since, sync.until.unwrap_or(sync.since));
    for (what, log) in &sync.log {
        let what = format!("{what:?}");
        println!(
            "  {what:<16} read {:>8}  changed {:>8}  unchanged {:>8}  restated {:>6}  failed {:>4}  calls {:>5}  waited {:>4} s",
            log.read, log.changed, log.unchanged, log.restated, log.failed, log.calls, log.waited_s
        );
        for error in &log.errors {
            println!("    {}: {}", error.code, error.evidence);
        }
    }
    match (&sync.problem, sync.state(clock::now())) {
        (Some(problem), _) => {
            println!("  {}: {} {}", problem.code, problem.code.message(), problem.code.fix());
            1
        }
        (None, SyncState::Done) => 0,
        (None, _) => 1,
    }
}
