//! Whether synced data equals what Meta shows, whatever happens in the meantime. Each test has its own Meta.

use std::time::Duration;

use e2e::ad_accounts::{AdAccountFixture, SMALL_ACCOUNT};
use e2e::ads_harness::AdsHarness;
use e2e::json::Json;
use leadwire::ads::parents::AdParents;
use leadwire::ads::{SliceOutcome, figures};
use leadwire::model::ads::account::{AdAccount, AdAccountState};
use leadwire::model::ads::report::Dimension;
use leadwire::model::ads::sync::ObjectType;
use leadwire::model::days::back;
use reqwest::Method;
use rust_decimal::Decimal;
use serde_json::{Value, json};

/// Asserts that reports equal what Ads Manager shows, to the cent.
pub(crate) async fn assert_matches_meta(harness: &AdsHarness, account: &AdAccount, days: i32) {
    let (scope, account) = harness.account(account).await;
    let until = account.today(leadwire::clock::now());
    let since = back(until, days);
    for (by, dimension) in [("day", Dimension::Day), ("campaign", Dimension::Campaign)] {
        let id = &account.ad_account_id;
        let truth = harness
            .call_sim(Method::GET, &format!("ads/{id}/totals?since={since}&until={until}&by={by}"), &Value::Null)
            .await;
        let accounts = [account.clone()];
        // For days, also sum up the ads instead of using the account's own figures.
        let groupings: &[&[Dimension]] =
            if by == "day" { &[&[Dimension::Day], &[Dimension::Day, Dimension::Ad]] } else { &[&[dimension]] };
        for grouping in groupings {
            let (table, within) = (&harness.table, AdParents::default());
            let rows = figures::report(table, &scope, &accounts, grouping, &within, (since, until)).await.unwrap();
            let mut seen = 0;
            for row in truth.list("rows") {
                let key = row.text(if by == "day" { "day" } else { "id" });
                let ours: Vec<_> =
                    rows.iter().filter(|(found, _)| found.values[0] == key).map(|(_, sums)| sums).collect();
                let sum = |number: fn(&leadwire::model::ads::report::Sums) -> u64| {
                    ours.iter().map(|sums| number(sums)).sum::<u64>()
                };
                let spend: Decimal = ours.iter().map(|sums| sums.metrics.spend).sum();
                let truth_spend: Decimal = row.parse("spend");
                let ours = (
                    sum(|sums| sums.metrics.impressions),
                    sum(|sums| sums.metrics.clicks),
                    sum(|sums| sums.metrics.conversions),
                    spend,
                );
                let number = |name: &str| row.number(name);
                let truth = (number("impressions"), number("clicks"), number("conversions"), truth_spend);
                assert_eq!(ours, truth, "{by} {key} as {grouping:?}");
                seen += 1;
            }
            assert!(seen > 0, "{by}: {truth}");
        }
    }
}

#[tokio::test]
async fn an_import_agrees_with_meta_to_the_cent_and_is_read_again_for_nothing() {
    let harness = AdsHarness::open().await;
    let account = harness.link_account(&SMALL_ACCOUNT).await;
    let sync = harness.sync(&account, None).await;
    assert_eq!(sync.problem, None);
    assert_eq!(harness.account(&account).await.1.state(), AdAccountState::Ready);
    assert_matches_meta(&harness, &account, 30).await;
    let read = |what: ObjectType| sync.log.get(&what).map(|log| (log.read, log.failed));
    assert_eq!(read(ObjectType::Campaigns), Some((4, 0)));
    assert_eq!(read(ObjectType::Adsets), Some((12, 0)));
    assert_eq!(read(ObjectType::Ads), Some((60, 0)));

    let _ = harness.take_used();
    let again = harness.sync(&account, None).await;
    assert!(again.log.values().all(|log| log.changed == 0 && log.failed == 0), "{:?}", again.log);
    let calls: u64 = again.log.values().map(|log| log.calls).sum();
    assert_eq!(calls, 6, "the account, three kinds of objects, two of numbers: {:?}", again.log);
    // The claim, the log and the findings are written, but none of the data.
    assert_eq!(harness.take_used().writes, 5);
}

#[tokio::test]
async fn what_fails_once_is_asked_again() {
    let harness = AdsHarness::open().await;
    let account = harness.link_account(&SMALL_ACCOUNT).await;
    for fault in [
        json!({ "path": "/act_9001/ads", "kind": "error", "code": 2, "times": 2 }),
        json!({ "path": "/act_9001/insights", "kind": "garbage", "times": 2 }),
        json!({ "path": "=/act_9001", "kind": "error", "code": 2, "times": 1 }),
    ] {
        harness.call_sim(Method::POST, "faults", &fault).await;
    }
    let sync = harness.sync(&account, None).await;
    assert_eq!(sync.problem, None);
    let hits = harness.call_sim(Method::GET, "faults", &Value::Null).await;
    assert!(!hits.to_string().contains("\"times\":2"), "{hits}");
    assert_matches_meta(&harness, &account, 30).await;
}

#[tokio::test]
async fn each_account_has_its_own_money_and_days() {
    let harness = AdsHarness::open().await;
    let plans = [
        AdAccountFixture { id: "9002", currency: "JPY", timezone: "Asia/Tokyo", ..SMALL_ACCOUNT },
        AdAccountFixture { id: "9003", currency: "HUF", timezone: "Europe/Budapest", ..SMALL_ACCOUNT },
        AdAccountFixture { id: "9004", currency: "EUR", timezone: "Pacific/Tongatapu", ..SMALL_ACCOUNT },
    ];
    for plan in plans {
        let account = harness.link_account(&plan).await;
        harness.sync(&account, None).await;
        assert_matches_meta(&harness, &account, 30).await;
    }
}

#[tokio::test]
async fn a_sync_that_is_cut_short_resumes_where_it_stopped() {
    let harness = AdsHarness::open().await;
    let account = harness.link_account(&AdAccountFixture { size: (6, 5, 10), ..SMALL_ACCOUNT }).await;
    let job = harness.begin_sync(&account, None).await;
    let mut slices = 0;
    while let SliceOutcome::Continue(rest) = harness.run_slice(&job, Duration::from_millis(400)).await {
        tokio::time::sleep(rest).await;
        slices += 1;
        assert!(slices < 500, "no slice makes progress");
    }
    assert!(slices > 2, "{slices}: it was not cut short");
    let sync = harness.finish_sync(&account, &job).await;
    assert_eq!(sync.problem, None);
    assert_matches_meta(&harness, &account, 30).await;
}

#[tokio::test]
async fn what_meta_restates_is_read_again_and_what_it_was_is_kept() {
    let harness = AdsHarness::open().await;
    let account = harness.link_account(&SMALL_ACCOUNT).await;
    harness.sync(&account, None).await;
    harness.call_sim(Method::POST, "clock", &json!({ "advance_s": 2 * 86_400 })).await;
    let sync = harness.sync(&account, Some(back(account.today(leadwire::clock::now()), 28))).await;
    let log = &sync.log[&ObjectType::AdInsights];
    assert!(log.restated > 0 && log.restated <= log.changed, "{log:?}");
    assert_matches_meta(&harness, &account, 28).await;
}
