//! Regular syncs of an ad account.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

use e2e::ad_accounts::{AdAccountFixture, SMALL_ACCOUNT};
use e2e::ads_harness::AdsHarness;
use jiff::SignedDuration;
use leadwire::model::ads::account::AdAccount;
use leadwire::table::ad_account::AccountUpdate;

use super::aws::Usage;
use super::prices::CostFile;
use super::{RUNS_PER_MONTH, log};

/// What an ad account of so many ads costs a month if its numbers do not change, in USD: most syncs find that at once,
/// one an hour also lists the objects, and one a day reads four weeks.
pub(super) async fn month(costs: &CostFile, ads: u32) -> anyhow::Result<f64> {
    let harness = AdsHarness::open_with(costs.milliseconds).await;
    let account = link(&harness, ads).await;
    harness.sync(&account, None).await;
    for _ in 0..2 {
        harness.sync_scheduled(&account).await;
    }
    let quick = measure(&harness, async || drop(harness.sync_scheduled(&account).await)).await;
    let objects = measure(&harness, async || {
        let (scope, linked) = harness.account(&account).await;
        let hour_ago = linked.objects_until.map(|until| until - SignedDuration::from_hours(1));
        let update = AccountUpdate { objects_until: hour_ago, ..AccountUpdate::default() };
        if harness.table.update_account(&scope, &linked, &update).await.is_ok() {
            drop(harness.sync_scheduled(&account).await);
        }
    })
    .await;
    let since = leadwire::model::days::back(account.today(leadwire::clock::now()), 28);
    let long = measure(&harness, async || drop(harness.sync(&account, Some(since)).await)).await;
    println!("ad account of {ads} ads, unchanged");
    let mut month = 0.0;
    for (what, times, usage) in
        [("quick", RUNS_PER_MONTH - 720.0 - 30.0, &quick), ("with objects", 720.0, &objects), ("28 days", 30.0, &long)]
    {
        let bill: f64 = costs.prices.bill(usage, costs.memory_mb.ads_sync).iter().map(|(_, usd)| usd).sum();
        // Sent, received and deleted in tens.
        let usd = (bill
            + 0.3 * costs.prices.sqs_request
            + costs.assumptions.secret_calls_per_sync * costs.prices.secret_call)
            * times;
        println!(
            "  {what:<14} {times:>5} times: {:.0} write units, {:.0} read units, {} Graph requests, {:.0} ms: {usd:.4}",
            usage.of_services.write_units,
            usage.of_services.read_units,
            usage.of_services.graph_requests,
            usage.lambda_ms,
        );
        month += usd;
    }
    Ok(month)
}

async fn link(harness: &AdsHarness, ads: u32) -> AdAccount {
    let size = if ads < 100 { (1, 1, ads) } else { (10, 10, ads / 100) };
    harness.link_account(&AdAccountFixture { size, days: 90, ..SMALL_ACCOUNT }).await
}

/// Runs a sync, and returns what it used, without the secrets, which most syncs find cached.
async fn measure(harness: &AdsHarness, sync: impl AsyncFn()) -> Usage {
    let _ = harness.take_used();
    let (begun, log) = (Instant::now(), Arc::default());
    log::counted(&log, sync()).await;
    let lambda_ms = begun.elapsed().as_secs_f64() * 1000.0;
    let mut of_services = harness.take_used();
    of_services.secret_calls = 0;
    let log_bytes = f64::from(u32::try_from(log.load(Ordering::Relaxed)).unwrap_or(u32::MAX));
    Usage { of_services, lambda_ms, invocations: 1.0, log_bytes }
}
