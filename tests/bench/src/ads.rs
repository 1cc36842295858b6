//! The cost of syncing an ad account.
//!
//! The reader is the command line, a separate process, so that the measured memory is its own. Meta and DynamoDB are
//! simulated in this process and slow it down: the seconds compare sizes with each other, not with AWS.

use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use e2e::ad_accounts::{AdAccountFixture, SMALL_ACCOUNT};
use e2e::ads_harness::{AdsHarness, ORG_ID};
use leadwire::model::ads::account::AdAccount;
use reqwest::Method;
use serde_json::{Value, json};
use tokio::process::Command;

/// The cost of one sync.
struct Cost {
    calls: u64,
    writes: u64,
    seconds: f64,
    peak_mb: u64,
}

/// Measures accounts of these sizes.
pub(crate) async fn measure(sizes: &[u32], days: u32) -> Result<()> {
    println!("{:>8}  {:<20} {:>7} {:>9} {:>9} {:>9}", "ads", "sync", "calls", "writes", "seconds", "peak MB");
    for size in sizes {
        let harness = AdsHarness::open().await;
        let (campaigns, adsets, ads) = shape(*size);
        let account = AdAccountFixture { size: (campaigns, adsets, ads), days: days + 2, ..SMALL_ACCOUNT };
        let account = harness.link_account(&account).await;
        let size = campaigns * adsets * ads;
        tell(size, "first", &read(&harness, &account, days).await?);
        tell(size, "nothing changed", &read(&harness, &account, days).await?);
        change(&harness, &account, size / 100).await;
        tell(size, "1 % changed", &read(&harness, &account, days).await?);
    }
    Ok(())
}

/// Twenty ads per ad set, five ad sets per campaign.
fn shape(ads: u32) -> (u32, u32, u32) {
    ((ads / 100).max(1), 5, 20)
}

fn tell(ads: u32, what: &str, cost: &Cost) {
    let Cost { calls, writes, seconds, peak_mb } = cost;
    println!("{ads:>8}  {what:<20} {calls:>7} {writes:>9} {seconds:>9.1} {peak_mb:>9}");
}

/// Changes the clicks of some ads on the day before yesterday, and the ads' names.
async fn change(harness: &AdsHarness, account: &AdAccount, count: u32) {
    let day = leadwire::model::days::back(account.today(leadwire::clock::now()), 2);
    let totals =
        harness.call_sim(Method::GET, &format!("ads/9001/totals?since={day}&until={day}&by=ad"), &Value::Null).await;
    let ads = totals.get("rows").and_then(Value::as_array).into_iter().flatten().filter_map(|row| row["id"].as_str());
    let ads: Vec<&str> = ads.take(count.max(1) as usize).collect();
    let metrics: Vec<Value> =
        ads.iter().map(|ad| json!({ "ad_id": ad, "day": day.to_string(), "field": "clicks", "value": "7" })).collect();
    harness.call_sim(Method::POST, "ads/9001/change", &json!({ "metrics": metrics, "touch": ads })).await;
}

async fn read(harness: &AdsHarness, account: &AdAccount, days: u32) -> Result<Cost> {
    let program = std::env::current_exe()?.with_file_name("meta-ads");
    ensure!(program.exists(), "{} is not built: cargo build --workspace --profile local", program.display());
    let _ = harness.take_used();
    let before = calls(harness).await;
    let begun = Instant::now();
    let mut child = Command::new(program)
        .args(["--org", ORG_ID, "--account", account.ad_account_id.as_str(), "--days", &days.to_string()])
        .envs(harness.environment())
        .env("AWS_LAMBDA_LOG_LEVEL", "error")
        .stdout(Stdio::null())
        .spawn()?;
    let status = format!("/proc/{}/status", child.id().context("a process")?);
    let mut peak_kb = 0;
    let code = loop {
        let seen = std::fs::read_to_string(&status).unwrap_or_default();
        let peak = seen.lines().find_map(|line| line.strip_prefix("VmHWM:")?.split_whitespace().next()?.parse().ok());
        peak_kb = peak_kb.max(peak.unwrap_or(0));
        if let Ok(code) = tokio::time::timeout(Duration::from_millis(20), child.wait()).await {
            break code?;
        }
    };
    ensure!(code.success(), "the sync failed: {code}");
    let seconds = begun.elapsed().as_secs_f64();
    Ok(Cost {
        calls: calls(harness).await - before,
        writes: harness.take_used().writes,
        seconds,
        peak_mb: peak_kb / 1024,
    })
}

/// The number of calls the simulated Meta has served.
async fn calls(harness: &AdsHarness) -> u64 {
    let stats = harness.call_sim(Method::GET, "stats", &Value::Null).await;
    stats.get("calls").and_then(Value::as_object).into_iter().flatten().filter_map(|(_, count)| count.as_u64()).sum()
}
