//! Syncs when Meta is odd: rate limits, requests that are too large, failing reports, malformed numbers; and crashes.

use std::time::Duration;

use e2e::ad_accounts::{AdAccountFixture, SMALL_ACCOUNT};
use e2e::ads_harness::AdsHarness;
use e2e::json::Json;
use leadwire::ads::SliceOutcome;
use leadwire::model::ads::account::{AdAccount, AdAccountState};
use leadwire::model::ads::object::{AdObject, AdObjectKind};
use leadwire::model::ads::sync::{AdsSync, ObjectType};
use leadwire::model::ads::sync_problem::SyncProblemCode;
use leadwire::model::days::back;
use leadwire::table::ad_account::AdAccountSettings;
use reqwest::Method;
use serde_json::{Value, json};

use crate::ads_sync::assert_matches_meta;

async fn change(harness: &AdsHarness, what: Value) -> Value {
    harness.call_sim(Method::POST, "ads/9001/change", &what).await
}

/// Returns ads of the account, and a day on which they delivered.
async fn some_ads(harness: &AdsHarness, account: &AdAccount) -> (Vec<String>, String) {
    let (scope, account) = harness.account(account).await;
    let day = back(account.today(leadwire::clock::now()), 5);
    let (rows, _) = harness.table.list_ad_days(&scope, &account.id, day, None, 50).await.unwrap();
    (rows.iter().map(|row| row.ad_id.to_string()).collect(), day.to_string())
}

fn codes(sync: &AdsSync) -> Vec<SyncProblemCode> {
    sync.log
        .get(&ObjectType::AdInsights)
        .map(|log| log.errors.iter().map(|error| error.code).collect())
        .unwrap_or_default()
}

#[tokio::test]
async fn a_blocked_account_waits_as_long_as_meta_says_and_keeps_nobody_waiting() {
    let harness = AdsHarness::open().await;
    let blocked = harness.link_account(&SMALL_ACCOUNT).await;
    let other = harness.link_account(&AdAccountFixture { id: "9005", ..SMALL_ACCOUNT }).await;
    let limit = json!({ "account_id": "9001", "calls": 3, "window_s": 60, "block_s": 4, "type": "score" });
    harness.call_sim(Method::POST, "limits", &limit).await;
    let job = harness.begin_sync(&blocked, None).await;
    let SliceOutcome::Continue(wait) = harness.run_slice(&job, Duration::from_mins(1)).await else {
        panic!("it is blocked")
    };
    assert!(wait >= Duration::from_secs(2) && wait <= Duration::from_secs(61), "{wait:?}");
    let shown = harness.account(&blocked).await.1;
    assert_eq!(shown.reason(leadwire::clock::now()), Some(SyncProblemCode::Throttled));
    assert!(shown.waiting_until.is_some());
    harness.sync(&other, None).await;
    assert_matches_meta(&harness, &other, 30).await;

    let SliceOutcome::Continue(still) = harness.run_slice(&job, Duration::from_mins(1)).await else {
        panic!("it is still blocked")
    };
    assert!(still <= wait, "{still:?} {wait:?}");
    harness.call_sim(Method::DELETE, "limits", &Value::Null).await;
    harness.expire_pause(&blocked).await;
    let sync = harness.finish_sync(&blocked, &job).await;
    assert_eq!((sync.problem.clone(), sync.waiting_until), (None, None));
    assert_eq!(harness.account(&blocked).await.1.reason(leadwire::clock::now()), None);
    assert_matches_meta(&harness, &blocked, 30).await;
}

#[tokio::test]
async fn nobody_calls_while_meta_wants_an_account_left_alone() {
    let harness = AdsHarness::open().await;
    let account = harness.link_account(&SMALL_ACCOUNT).await;
    let limit = json!({ "account_id": "9001", "calls": 4, "window_s": 5, "block_s": 3, "type": "score" });
    harness.call_sim(Method::POST, "limits", &limit).await;
    let sync = harness.sync(&account, None).await;
    assert_eq!(sync.problem, None);
    let limits = harness.call_sim(Method::GET, "limits", &Value::Null).await;
    assert_eq!(limits["limits"][0]["calls_while_blocked"], 0, "{limits}");
    assert_matches_meta(&harness, &account, 30).await;
}

#[tokio::test]
async fn what_is_too_large_is_asked_for_in_parts() {
    let harness = AdsHarness::open().await;
    let account = harness.link_account(&SMALL_ACCOUNT).await;
    // Direct queries for more than a few rows fail, and so do reports for more than one day.
    change(&harness, json!({ "thresholds": { "sync_rows": 50, "async_rows": 60, "object_weight": 400 } })).await;
    let sync = harness.sync(&account, Some(back(account.today(leadwire::clock::now()), 6))).await;
    assert_eq!((sync.problem.clone(), codes(&sync)), (None, vec![]));
    assert_matches_meta(&harness, &account, 6).await;

    // Now even one day fails: the sync splits into campaigns, ad sets, ads.
    change(&harness, json!({ "thresholds": { "sync_rows": 4, "async_rows": 4 } })).await;
    harness.call_sim(Method::POST, "clock", &json!({ "advance_s": 86_400 })).await;
    let sync = harness.sync(&account, Some(back(account.today(leadwire::clock::now()), 2))).await;
    assert_eq!((sync.problem.clone(), codes(&sync)), (None, vec![]));
    assert_matches_meta(&harness, &account, 2).await;
}

#[tokio::test]
async fn where_even_the_list_of_what_delivered_is_too_large_the_stored_objects_are_asked_about() {
    let harness = AdsHarness::open().await;
    let account = harness.link_account(&SMALL_ACCOUNT).await;
    // One row at a time: every list of campaigns, ad sets or ads is too large.
    change(&harness, json!({ "thresholds": { "sync_rows": 1, "async_rows": 1 } })).await;
    let sync = harness.sync(&account, Some(back(account.today(leadwire::clock::now()), 1))).await;
    assert_eq!((sync.problem.clone(), codes(&sync)), (None, vec![]));
    assert_matches_meta(&harness, &account, 1).await;

    // Objects deleted in the meantime still have numbers.
    let (scope, linked) = harness.account(&account).await;
    let day = linked.today(leadwire::clock::now());
    let (rows, _) = harness.table.list_ad_days(&scope, &account.id, back(day, 1), None, 50).await.unwrap();
    change(&harness, json!({ "status": "DELETED", "ids": [rows[0].ad_id] })).await;
    harness.call_sim(Method::POST, "clock", &json!({ "advance_s": 86_400 })).await;
    let sync = harness.sync(&account, Some(back(day, 1))).await;
    assert_eq!((sync.problem.clone(), codes(&sync)), (None, vec![]));
    assert_matches_meta(&harness, &account, 1).await;
}

#[tokio::test]
async fn reports_that_fail_are_asked_for_anew() {
    let harness = AdsHarness::open().await;
    let account = harness.link_account(&SMALL_ACCOUNT).await;
    change(&harness, json!({ "thresholds": { "sync_rows": 50 } })).await;
    let since = back(account.today(leadwire::clock::now()), 4);
    for fate in ["failed", "skipped", "too_large", "incomplete_rows"] {
        harness.call_sim(Method::POST, "ads/9001/reports", &json!({ "next": fate })).await;
        harness.call_sim(Method::POST, "clock", &json!({ "advance_s": 3600 })).await;
        let sync = harness.sync(&account, Some(since)).await;
        assert_eq!((sync.problem.clone(), codes(&sync)), (None, vec![]), "{fate}");
        assert_matches_meta(&harness, &account, 4).await;
    }
}

#[tokio::test]
async fn a_number_that_is_none_changes_nothing_and_is_told() {
    let harness = AdsHarness::open().await;
    let account = harness.link_account(&SMALL_ACCOUNT).await;
    harness.sync(&account, None).await;
    let (ads, day) = some_ads(&harness, &account).await;
    let odd =
        |ad: usize, field: &str, value: Value| json!({ "ad_id": ads[ad], "day": day, "field": field, "value": value });
    change(
        &harness,
        json!({ "metrics": [
        odd(0, "spend", json!("1e400")), odd(1, "impressions", json!("-5")), odd(2, "clicks", json!("12.5")),
        odd(3, "reach", json!(null)), odd(4, "frequency", json!("")),
    ], "duplicate_row": { "ad_id": ads[5], "day": day } }),
    )
    .await;
    let since = back(account.today(leadwire::clock::now()), 6);
    let sync = harness.sync(&account, Some(since)).await;
    assert_eq!(sync.problem, None);
    let log = &sync.log[&ObjectType::AdInsights];
    assert_eq!((log.failed, log.restated), (3, 2), "{log:?}: three are no numbers, two have none");
    assert!(log.errors.iter().all(|error| error.code == SyncProblemCode::UnreadableRow), "{log:?}");
    assert!(log.errors.iter().any(|error| error.evidence.contains("spend is 1e400")), "{log:?}");
    assert_matches_meta(&harness, &account, 30).await;
}

#[tokio::test]
async fn one_field_that_fails_takes_nothing_else_along() {
    let harness = AdsHarness::open().await;
    let account = harness.link_account(&SMALL_ACCOUNT).await;
    harness.sync(&account, None).await;
    let (ads, day) = some_ads(&harness, &account).await;
    change(&harness, json!({ "break_field": { "ad_id": ads[0], "day": day, "field": "actions" } })).await;
    let sync = harness.sync(&account, Some(back(account.today(leadwire::clock::now()), 6))).await;
    assert_eq!((sync.problem.clone(), codes(&sync)), (None, vec![SyncProblemCode::TooMuchData]));
    assert_eq!(sync.log[&ObjectType::AccountInsights].errors.len(), 1, "the sum of it fails as well");
    // The earlier value of the field stays.
    assert_matches_meta(&harness, &account, 30).await;
}

#[tokio::test]
async fn what_is_deleted_keeps_its_numbers_and_what_is_not_listed_is_met() {
    let harness = AdsHarness::open().await;
    let account = harness.link_account(&SMALL_ACCOUNT).await;
    harness.sync(&account, None).await;
    let (ads, _) = some_ads(&harness, &account).await;
    change(&harness, json!({ "status": "DELETED", "ids": [ads[0]] })).await;
    change(&harness, json!({ "status": "ARCHIVED", "ids": [ads[1]] })).await;
    let ghost = change(&harness, json!({ "ghost_ad": true })).await.text("ghost_ad").to_owned();
    harness.sync(&account, Some(back(account.today(leadwire::clock::now()), 30))).await;
    assert_matches_meta(&harness, &account, 30).await;
    let (scope, account) = harness.account(&account).await;
    let id = |text: &str| (AdObjectKind::Ad, leadwire::ids::AdObjectId::parse(text).unwrap());
    let found = harness.table.ad_objects(&scope, &account.id, &[id(&ads[0]), id(&ads[1]), id(&ghost)]).await.unwrap();
    let status = |ad: &str| match found.get(&id(ad)) {
        Some(AdObject::Ad(ad)) => ad.effective_status.clone(),
        other => panic!("{ad}: {other:?}"),
    };
    assert_eq!([status(&ads[0]), status(&ads[1])], ["DELETED", "ARCHIVED"]);
    assert!(!status(&ghost).is_empty());
}

#[tokio::test]
async fn an_account_that_was_switched_is_told_and_not_mixed_up() {
    let harness = AdsHarness::open().await;
    for (what, code) in [
        (json!({ "currency": "JPY" }), SyncProblemCode::CurrencyChanged),
        (json!({ "currency": "USD", "timezone": "Asia/Tokyo" }), SyncProblemCode::TimezoneChanged),
    ] {
        let account = match harness.table.all_ad_accounts().await.unwrap().pop() {
            Some((_, account)) => account,
            None => harness.link_account(&SMALL_ACCOUNT).await,
        };
        harness.sync(&account, None).await;
        change(&harness, json!({ "account": what })).await;
        let sync = harness.sync(&account, Some(back(account.today(leadwire::clock::now()), 28))).await;
        assert_eq!(sync.problem.map(|problem| problem.code), Some(code));
        let shown = harness.account(&account).await.1;
        assert_eq!((shown.state(), shown.currency.as_str()), (AdAccountState::Error, "USD"));
    }
}

#[tokio::test]
async fn access_that_is_taken_away_is_told_and_given_back_heals() {
    let harness = AdsHarness::open().await;
    let account = harness.link_account(&SMALL_ACCOUNT).await;
    harness.sync(&account, None).await;
    let state = harness.call_sim(Method::GET, "state", &Value::Null).await;
    let users = state.list("ad_accounts").iter().find(|it| it["id"].as_str().is_some_and(|id| id.ends_with("9001")));
    let users = users.unwrap()["users"].clone();
    change(&harness, json!({ "revoke": users })).await;
    let sync = harness.sync(&account, None).await;
    let code = sync.problem.unwrap().code;
    assert!(matches!(code, SyncProblemCode::AdAccountNotVisible | SyncProblemCode::AdsReadMissing), "{code:?}");
    change(&harness, json!({ "grant": users })).await;
    assert_eq!(harness.sync(&account, None).await.problem, None);
    assert_eq!(harness.account(&account).await.1.state(), AdAccountState::Ready);
}

#[tokio::test]
async fn a_paused_campaign_s_ads_are_seen_to_be_paused_at_once() {
    let harness = AdsHarness::open().await;
    let account = harness.link_account(&SMALL_ACCOUNT).await;
    harness.sync(&account, None).await;
    let (scope, account) = harness.account(&account).await;
    let ads = async || {
        let (ads, _) = harness.table.list_ad_objects(&scope, &account.id, AdObjectKind::Ad, None, 100).await.unwrap();
        ads.into_iter().filter_map(|ad| if let AdObject::Ad(ad) = ad { Some(ad) } else { None }).collect::<Vec<_>>()
    };
    let running = ads().await.into_iter().find(|ad| ad.effective_status == "ACTIVE").expect("an active ad");
    change(&harness, json!({ "status": "PAUSED", "ids": [running.campaign_id] })).await;
    harness.sync(&account, None).await;
    let now = ads().await.into_iter().find(|ad| ad.id == running.id).unwrap();
    assert_eq!(now.effective_status, "CAMPAIGN_PAUSED");
}

#[tokio::test]
async fn two_workers_do_not_read_one_account_at_once() {
    let harness = AdsHarness::open().await;
    let account = harness.link_account(&SMALL_ACCOUNT).await;
    let job = harness.begin_sync(&account, None).await;
    let time = Duration::from_mins(1);
    let (one, other) = tokio::join!(harness.run_slice(&job, time), harness.run_slice(&job, time));
    assert!(
        matches!(
            (one, other),
            (SliceOutcome::Done, SliceOutcome::Busy(_)) | (SliceOutcome::Busy(_), SliceOutcome::Done)
        ),
        "{one:?} {other:?}"
    );
    assert_matches_meta(&harness, &account, 30).await;
    assert_eq!(
        harness.run_slice(&job, time).await,
        SliceOutcome::Done,
        "a message that comes again finds nothing to do"
    );
}

#[tokio::test]
async fn whoever_asks_for_more_meanwhile_gets_it() {
    let harness = AdsHarness::open().await;
    let account = harness.link_account(&SMALL_ACCOUNT).await;
    let today = account.today(leadwire::clock::now());
    let job = harness.begin_sync(&account, Some(back(today, 2))).await;
    let joined = harness.begin_sync(&account, Some(back(today, 20))).await;
    assert_eq!(job, joined);
    let sync = harness.finish_sync(&account, &job).await;
    assert_eq!(sync.since, back(today, 20));
    assert_matches_meta(&harness, &account, 20).await;
}

#[tokio::test]
async fn a_worker_that_dies_at_any_point_loses_and_doubles_nothing() {
    let harness = AdsHarness::open().await;
    let account = harness.link_account(&SMALL_ACCOUNT).await;
    let job = harness.begin_sync(&account, None).await;
    let mut crashes = 0;
    for moment in 1.. {
        let slice = harness.run_slice(&job, Duration::from_mins(1));
        // Dropping the future at an await point is how a process ends.
        match tokio::time::timeout(Duration::from_millis(moment * 7), slice).await {
            Ok(SliceOutcome::Done) => break,
            Ok(_) => {}
            Err(_) => crashes += 1,
        }
        harness.expire_lease(&account).await;
        assert!(moment < 2000, "it does not come to its end");
    }
    assert!(crashes > 10, "{crashes}");
    assert_matches_meta(&harness, &account, 30).await;
}

#[tokio::test]
async fn no_report_mixes_two_ways_of_counting() {
    let harness = AdsHarness::open().await;
    let account = harness.link_account(&AdAccountFixture { size: (8, 5, 10), ..SMALL_ACCOUNT }).await;
    let job = harness.begin_sync(&account, None).await;
    let days = async || {
        let (scope, account) = harness.account(&account).await;
        let today = account.today(leadwire::clock::now());
        let mut rows = Vec::new();
        for before in 0..=30 {
            let day = back(today, before);
            rows.extend(harness.table.list_ad_days(&scope, &account.id, day, None, 1000).await.unwrap().0);
        }
        rows
    };
    // The setting changes when some of the days have been read.
    while days().await.is_empty() {
        harness.run_slice(&job, Duration::from_millis(500)).await;
    }
    let (scope, linked) = harness.account(&account).await;
    assert!(linked.run_id.is_some(), "the sync is still running");
    let counted = leadwire::model::ads::conversions::Counted::parse(vec!["link_click".to_owned()]).unwrap();
    let settings = AdAccountSettings { conversions: Some(counted), ..AdAccountSettings::default() };
    assert!(harness.table.set_ad_account(&scope, &linked, &settings).await.unwrap());
    harness.finish_sync(&account, &job).await;
    let rows = days().await;
    assert!(rows.len() > 1000, "{}", rows.len());
    for row in rows {
        let clicks = row.day.metrics.actions.get("link_click").copied().unwrap_or_default();
        assert_eq!(rust_decimal::Decimal::from(row.day.metrics.main.conversions), clicks);
        assert_eq!(row.day.first_seen, None, "Meta restated nothing");
    }
}

#[tokio::test]
async fn a_slice_that_meta_blocks_in_the_middle_resumes_there() {
    let harness = AdsHarness::open().await;
    let account = harness.link_account(&SMALL_ACCOUNT).await;
    change(&harness, json!({ "thresholds": { "sync_rows": 4, "async_rows": 4 } })).await;
    let since = Some(back(account.today(leadwire::clock::now()), 1));
    let job = harness.begin_sync(&account, since).await;
    let mut slices = 0;
    let limit = json!({ "account_id": "9001", "calls": 8, "window_s": 60, "block_s": 60, "type": "ads_insights" });
    // Each slice gets too few calls to repeat all parts of a day.
    let sync = loop {
        harness.call_sim(Method::DELETE, "limits", &Value::Null).await;
        harness.call_sim(Method::POST, "limits", &limit).await;
        harness.expire_pause(&account).await;
        slices += 1;
        assert!(slices < 60, "it does not get on");
        if harness.run_slice(&job, Duration::from_mins(1)).await == SliceOutcome::Done {
            let (scope, _) = harness.account(&account).await;
            break harness.table.ads_sync(&scope, job.run.as_ref().unwrap(), &account.id).await.unwrap().unwrap();
        }
    };
    assert_eq!((sync.problem.clone(), codes(&sync)), (None, vec![]));
    let calls: u64 = sync.log.values().map(|log| log.calls).sum();
    assert!(slices > 3, "{slices} slices, {calls} calls: it was not blocked");
    assert_matches_meta(&harness, &account, 1).await;
}

#[tokio::test]
async fn what_counts_as_a_conversion_is_the_account_s() {
    let harness = AdsHarness::open().await;
    let account = harness.link_account(&SMALL_ACCOUNT).await;
    harness.sync(&account, None).await;
    let (scope, linked) = harness.account(&account).await;
    let counted = leadwire::model::ads::conversions::Counted::parse(vec!["link_click".to_owned()]).unwrap();
    let settings = AdAccountSettings { conversions: Some(counted), ..AdAccountSettings::default() };
    assert!(harness.table.set_ad_account(&scope, &linked, &settings).await.unwrap());
    let today = linked.today(leadwire::clock::now());
    harness.sync(&account, Some(back(today, 30))).await;
    let (rows, _) = harness.table.list_ad_days(&scope, &account.id, back(today, 3), None, 100).await.unwrap();
    assert!(!rows.is_empty());
    for row in rows {
        let clicks = row.day.metrics.actions.get("link_click").copied().unwrap_or_default();
        assert_eq!(rust_decimal::Decimal::from(row.day.metrics.main.conversions), clicks);
    }
}
