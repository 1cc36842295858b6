//! Measurements that are not tests: they depend on the machine and take long.

mod ads;
mod cost;
mod deliveries;
mod pages;
mod soak;
mod starts;

use std::time::Duration;

use clap::{Parser, Subcommand};
use e2e::inbox_storm::{self, InboxStorm};
use e2e::storm::{self, Storm, StormReport};
use leadwire::ids::{OrgId, OrgScope, UserId};
use leadwire::model::caller::{Caller, Role};

#[derive(Parser)]
struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// Runs a campaign's leads through the whole system; loses, delays, duplicates and withholds some of them, kills
    /// workers, and counts what arrived against what Meta has.
    Storm {
        /// Decides how each lead is delivered.
        #[arg(long, default_value_t = 1)]
        seed: u64,
        #[arg(long, default_value_t = 10_000)]
        leads: usize,
        #[arg(long, default_value_t = 12)]
        orgs: usize,
        /// Pages of each org.
        #[arg(long, default_value_t = 3)]
        pages: u64,
        /// Submissions per second. One machine that plays all of AWS handles about ten.
        #[arg(long, default_value_t = 5)]
        per_second: usize,
        /// Minutes to wait after the last submission; leads still missing then count as lost.
        #[arg(long, default_value_t = 10)]
        minutes: u64,
    },
    /// Lets many people write to one page on all channels; loses, doubles and reorders the notices, kills workers, loses
    /// Meta's answers to what is answered, and compares every conversation with Meta's, word for word.
    InboxStorm {
        /// Names the org.
        #[arg(long, default_value_t = 1)]
        seed: u64,
        /// People who write.
        #[arg(long, default_value_t = 500)]
        people: u32,
        /// Messages of each person on each of Messenger, Instagram and WhatsApp. A comment and its reply come on top.
        #[arg(long, default_value_t = 6)]
        turns: u32,
        /// Minutes in which all is written, and at most twice as many until the inbox says the same.
        #[arg(long, default_value_t = 10)]
        minutes: u64,
        /// Conversations that are answered.
        #[arg(long, default_value_t = 500)]
        answered: usize,
    },
    /// Syncs ad accounts of several sizes from the command line, three times each: the first time, with nothing
    /// changed, and with one ad in a hundred changed. Counts Graph API calls and written items, and measures time and
    /// memory.
    Ads {
        /// Ads of each account.
        #[arg(long, value_delimiter = ',', default_value = "100,1000,10000")]
        ads: Vec<u32>,
        /// Days before today.
        #[arg(long, default_value_t = 3)]
        days: u32,
    },
    /// Runs leads and sweeps through the product's own code against counting stand-ins for AWS and Meta, and prints what
    /// they cost by the prices of `tests/bench/cost.toml`, beside the budgets there. Fails if one is exceeded.
    Cost,
    /// Requests every page of the console in an org of many leads, from the release package, and reports its size in
    /// bytes, and its milliseconds in the function and through the gateway, compared with tests/bench/budgets.toml.
    Pages {
        /// Requests per page.
        #[arg(long, default_value_t = 15)]
        times: usize,
        /// Leads of the org in the last 30 days.
        #[arg(long, default_value_t = 10_000)]
        leads: usize,
        /// Runs the functions as the stories do, whose own times are several times longer, instead of waiting for the
        /// release packages.
        #[arg(long)]
        quick: bool,
    },
    /// Keeps leads, messages and posts coming for hours while something fails every minute; compares both sides every
    /// minute, and watches the memory and the open files of every process.
    Soak {
        /// Hours of traffic. The last comparison comes 6 minutes later.
        #[arg(long, default_value_t = 2.0)]
        hours: f64,
        /// Names the orgs, and decides in which order things fail.
        #[arg(long, default_value_t = 1)]
        seed: u64,
    },
    /// Starts every release package with a stub of AWS and reports the time to its first request for an event, compared
    /// with tests/bench/budgets.toml.
    Starts {
        /// Starts of each function.
        #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u32).range(1..))]
        rounds: u32,
    },
    /// Sends deliveries of 1, 10 and 1,000 leads through the webhook's release package with a stub of AWS and reports
    /// the CPU time of each, compared with tests/bench/budgets.toml.
    Deliveries {
        /// Deliveries of each size.
        #[arg(long, default_value_t = 2000, value_parser = clap::value_parser!(u32).range(1..))]
        times: u32,
    },
}

/// The scope of an org, as the CRM has it.
fn scope(org: OrgId) -> anyhow::Result<OrgScope> {
    let crm = Caller {
        user: UserId::parse("crm")?,
        name: None,
        email: None,
        role: Role::SuperAdmin,
        orgs: Vec::new(),
        is_program: true,
    };
    Ok(crm.scope_as_superadmin(org)?)
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let (seed, leads, orgs, pages, per_second, minutes) = match Arguments::parse().what {
        What::Ads { ads, days } => return ads::measure(&ads, days).await,
        What::Pages { times, leads, quick } => return pages::measure(times, leads, quick).await,
        What::InboxStorm { seed, people, turns, minutes, answered } => {
            let over = Duration::from_secs(minutes * 60);
            let storm = InboxStorm { seed, people, turns, over, answered, timeout: over * 2 };
            return measure_inbox(storm).await;
        }
        What::Soak { hours, seed } => {
            let time = Duration::try_from_secs_f64(hours * 3600.0)?;
            return soak::measure(soak::Soak { seed, time, round: Duration::from_mins(1) }).await;
        }
        What::Cost => return cost::measure().await,
        What::Starts { rounds } => return starts::measure(rounds).await,
        What::Deliveries { times } => return deliveries::measure(times).await,
        What::Storm { seed, leads, orgs, pages, per_second, minutes } => {
            (seed, leads, orgs, pages, per_second, minutes)
        }
    };
    let timeout = Duration::from_secs(minutes * 60 + (leads / per_second.max(1)) as u64);
    let storm = Storm { seed, leads, orgs, pages, per_second, alone: true, timeout };
    println!("{leads} leads over {} pages of {orgs} orgs, seed {seed}", pages * orgs as u64);
    let report = storm::run(storm).await;
    tell(&report, leads);
    anyhow::ensure!(report.violations.is_empty(), "{} things are not as they have to be", report.violations.len());
    println!("nothing is lost, nothing is doubled, all turns are fair");
    Ok(())
}

async fn measure_inbox(storm: InboxStorm) -> anyhow::Result<()> {
    println!("{} messages of {} people in {} conversations", storm.messages(), storm.people, storm.conversations());
    let report = inbox_storm::run(storm).await;
    println!("written      in {:.0} s", report.written.as_secs_f64());
    println!("settled      {:.0} s after the last one", report.settled.as_secs_f64());
    println!("found by     {:?}", report.found_by);
    println!("answered     {} conversations in {:.0} s", storm.answered, report.answered.as_secs_f64());
    for violation in report.violations.iter().take(20) {
        println!("WRONG        {violation}");
    }
    anyhow::ensure!(report.violations.is_empty(), "{} things are not as they have to be", report.violations.len());
    println!("every conversation is Meta's word for word, and every answer is there once");
    Ok(())
}

fn tell(report: &StormReport, leads: usize) {
    let seconds = report.elapsed.as_secs_f64();
    println!("injected     {}", report.injected);
    for (what, times) in &report.faults {
        println!("             {what}: {times}");
    }
    println!("found by     {:?}, of them repeat submissions: {}", report.found_by, report.merged);
    #[expect(clippy::cast_precision_loss, reason = "nobody submits 2^53 leads")]
    let (per_second, per_lead) = (leads as f64 / seconds, report.graph_calls as f64 / leads as f64);
    println!("took         {seconds:.1} s until the last was in, {per_second:.1} leads a second");
    println!("Graph        {} requests, {per_lead:.3} a lead", report.graph_calls);
    println!("latency      p50 {} s, p95 {} s in the slowest org", report.latency.0, report.latency.1);
    for violation in report.violations.iter().take(20) {
        println!("WRONG        {violation}");
    }
}
