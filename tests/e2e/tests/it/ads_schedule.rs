//! The schedule's syncs: what they cost if nothing has changed, and that they miss nothing.

use std::time::Duration;

use e2e::ad_accounts::{AdAccountFixture, SMALL_ACCOUNT};
use e2e::ads_harness::AdsHarness;
use e2e::json::Json;
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use leadwire::ads::SliceOutcome;
use leadwire::clock;
use leadwire::model::ads::account::{AdAccount, LOOK_BACK_DAYS};
use leadwire::model::ads::insights::Day;
use leadwire::model::ads::sync::{AdsSync, Cause, ObjectType};
use leadwire::model::ads::sync_problem::SyncProblemCode;
use leadwire::model::days::back;
use leadwire::table::ad_account::AccountUpdate;
use reqwest::Method;
use serde_json::{Value, json};

use crate::ads_sync::assert_matches_meta;

/// An account of which the schedule has nothing more to read: imported, and its ads read twice since.
async fn link_settled_account(harness: &AdsHarness) -> AdAccount {
    let account = harness.link_account(&SMALL_ACCOUNT).await;
    harness.sync(&account, None).await;
    harness.sync_scheduled(&account).await;
    account
}

fn calls(sync: &AdsSync) -> u64 {
    sync.log.values().map(|log| log.calls).sum()
}

fn read(sync: &AdsSync, object_type: ObjectType) -> u64 {
    sync.log.get(&object_type).map_or(0, |log| log.read)
}

/// Gives ads more or fewer clicks, on a day so many days ago: those with the most first, because on some days an ad has
/// too few to lose any.
async fn shift_clicks(harness: &AdsHarness, account: &AdAccount, days_ago: i32, clicks: &[i64]) {
    let day = back(account.today(clock::now()), days_ago);
    let (scope, account) = harness.account(account).await;
    let (mut rows, _) = harness.table.list_ad_days(&scope, &account.id, day, None, 1000).await.unwrap();
    rows.sort_by_key(|row| std::cmp::Reverse(row.day.metrics.main.clicks));
    let shifts =
        rows.iter().zip(clicks).map(|(row, clicks)| json!({ "ad_id": row.ad_id, "day": day, "clicks": clicks }));
    let shifts: Vec<Value> = shifts.collect();
    harness.call_sim(Method::POST, "ads/9001/change", &json!({ "shift": shifts })).await;
}

#[tokio::test]
async fn an_account_that_does_not_change_costs_two_calls_and_four_small_writes() {
    let harness = AdsHarness::open().await;
    let account = link_settled_account(&harness).await;
    let _ = harness.take_used();
    let sync = harness.sync_scheduled(&account).await;
    let used = harness.take_used();
    assert_eq!((sync.cause, sync.since), (Cause::Schedule, back(account.today(clock::now()), LOOK_BACK_DAYS)));
    assert_eq!((sync.problem.clone(), calls(&sync)), (None, 2), "the account and its days: {:?}", sync.log);
    // The claim and the lease, the log and the findings: none of them larger than a unit of DynamoDB's.
    assert_eq!((used.writes, used.write_units), (4, 4.0), "{used:?}");
    // Three of them are the harness's own.
    assert!(used.read_units <= 10.0, "{used:?}");
    assert!(harness.account(&account).await.1.last_sync_at == sync.started_at);
}

#[tokio::test]
async fn objects_of_an_account_that_does_not_change_are_read_once_an_hour() {
    let harness = AdsHarness::open().await;
    let account = link_settled_account(&harness).await;
    let (scope, linked) = harness.account(&account).await;
    let campaign = harness.call_sim(Method::GET, "ads/9001/totals?by=campaign", &Value::Null).await;
    let pause = json!({ "status": "PAUSED", "ids": [campaign.list("rows")[0]["id"]] });
    harness.call_sim(Method::POST, "ads/9001/change", &pause).await;
    let hour_ago = linked.objects_until.unwrap() - SignedDuration::from_hours(1);
    let update = AccountUpdate { objects_until: Some(hour_ago), ..AccountUpdate::default() };
    harness.table.update_account(&scope, &linked, &update).await.unwrap();
    let sync = harness.sync_scheduled(&account).await;
    assert_eq!((read(&sync, ObjectType::Campaigns), read(&sync, ObjectType::AdInsights)), (1, 0), "{:?}", sync.log);
    let sync = harness.sync_scheduled(&account).await;
    assert_eq!(calls(&sync), 2, "{:?}", sync.log);
}

#[tokio::test]
async fn a_changed_ad_is_found_in_the_next_sync_and_only_its_day_is_read() {
    let harness = AdsHarness::open().await;
    let account = link_settled_account(&harness).await;
    shift_clicks(&harness, &account, 1, &[5]).await;
    let sync = harness.sync_scheduled(&account).await;
    let log = &sync.log[&ObjectType::AdInsights];
    assert_eq!((sync.problem.clone(), log.changed), (None, 1), "{log:?}");
    assert!(log.read < 2 * 60 && log.calls == 1, "yesterday and today only: {log:?}");
    assert_matches_meta(&harness, &account, 30).await;
    let again = harness.sync_scheduled(&account).await;
    assert_eq!((read(&again, ObjectType::AdInsights), again.log[&ObjectType::AdInsights].changed), (log.read, 0));
    assert_eq!(calls(&harness.sync_scheduled(&account).await), 2);
}

#[tokio::test]
async fn changes_that_cancel_each_other_out_are_found_by_the_long_sync() {
    let harness = AdsHarness::open().await;
    let account = link_settled_account(&harness).await;
    shift_clicks(&harness, &account, 2, &[5, -5]).await;
    assert_eq!(calls(&harness.sync_scheduled(&account).await), 2, "the account's day is as it was");
    let (scope, linked) = harness.account(&account).await;
    let yesterday = back(linked.today(clock::now()), 2);
    let update = AccountUpdate { last_long_day: Some(yesterday), ..AccountUpdate::default() };
    harness.table.update_account(&scope, &linked, &update).await.unwrap();
    let sync = harness.sync_scheduled(&account).await;
    assert_eq!(sync.log[&ObjectType::AdInsights].changed, 2, "{:?}", sync.log);
    assert_matches_meta(&harness, &account, 28).await;
}

#[tokio::test]
async fn what_a_sync_found_changed_and_did_not_read_is_read_by_the_next() {
    let harness = AdsHarness::open().await;
    let account = link_settled_account(&harness).await;
    shift_clicks(&harness, &account, 1, &[5, 7, 9]).await;
    let job = harness.begin_scheduled(Timestamp::MAX).await.unwrap().remove(0);
    // The worker dies after it has stored the account's days and before it has read the ads'.
    let fault = json!({ "path": "/act_9001/ads", "kind": "timeout", "hold_ms": 60_000 });
    harness.call_sim(Method::POST, "faults", &fault).await;
    let (scope, linked) = harness.account(&account).await;
    let yesterday = back(linked.today(clock::now()), 1);
    let stored = async {
        let is_new = |day: &Day| day.changed_at > linked.last_sync_at.unwrap();
        while !harness.table.account_days(&scope, &account.id, yesterday, Date::MAX).await.unwrap().iter().any(is_new) {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::select! {
        outcome = harness.run_slice(&job, Duration::from_mins(1)) => panic!("{outcome:?}"),
        () = stored => {}
    }
    harness.expire_lease(&account).await;
    harness.call_sim(Method::DELETE, "faults", &Value::Null).await;
    let sync = harness.finish_sync(&account, &job).await;
    assert_eq!(sync.log[&ObjectType::AdInsights].changed, 3, "{:?}", sync.log);
    assert_matches_meta(&harness, &account, 30).await;
}

#[tokio::test]
async fn a_number_that_cannot_be_read_is_read_again_until_it_can() {
    let harness = AdsHarness::open().await;
    let account = link_settled_account(&harness).await;
    let day = back(account.today(clock::now()), 1);
    let (scope, linked) = harness.account(&account).await;
    let (rows, _) = harness.table.list_ad_days(&scope, &linked.id, day, None, 1000).await.unwrap();
    // Not the ad whose clicks change below.
    let row = rows.iter().min_by_key(|row| row.day.metrics.main.clicks).unwrap();
    let odd = json!({ "ad_id": row.ad_id, "day": day, "field": "clicks", "value": "many" });
    harness.call_sim(Method::POST, "ads/9001/change", &json!({ "metrics": odd })).await;
    shift_clicks(&harness, &account, 1, &[5]).await;
    for _ in 0..3 {
        let sync = harness.sync_scheduled(&account).await;
        assert_eq!(sync.log[&ObjectType::AdInsights].failed, 1, "{:?}", sync.log);
    }
}

/// Returns the clicks of the stored rows of a day, and those that Meta has.
async fn clicks_of_rows(harness: &AdsHarness, account: &AdAccount, day: Date) -> (u64, u64) {
    let (scope, account) = harness.account(account).await;
    let (rows, _) = harness.table.list_ad_days(&scope, &account.id, day, None, 1000).await.unwrap();
    let query = format!("ads/{}/totals?since={day}&until={day}&by=day", account.ad_account_id);
    let truth = harness.call_sim(Method::GET, &query, &Value::Null).await;
    (rows.iter().map(|row| row.day.metrics.main.clicks).sum(), truth.list("rows")[0].number("clicks"))
}

/// Makes the rows of ads as old as the last hour, or the day before.
async fn set_age_of_rows(harness: &AdsHarness, account: &AdAccount, age: SignedDuration) {
    let (scope, linked) = harness.account(account).await;
    let update = AccountUpdate { ad_rows_as_of: Some(Some(clock::now() - age)), ..AccountUpdate::default() };
    harness.table.update_account(&scope, &linked, &update).await.unwrap();
}

#[tokio::test]
async fn rows_of_the_day_in_progress_are_written_once_an_hour_and_reports_do_not_wait() {
    let harness = AdsHarness::open().await;
    // A time zone in which it is about noon, so that some of today has been delivered and no day ends meanwhile.
    let hours_ahead = 12 - i32::from(clock::now().to_zoned(jiff::tz::TimeZone::UTC).hour());
    let timezone = &format!("Etc/GMT{:+}", -hours_ahead);
    let account = harness.link_account(&AdAccountFixture { timezone, ..SMALL_ACCOUNT }).await;
    harness.sync(&account, None).await;
    harness.sync_scheduled(&account).await;
    let today = account.today(clock::now());
    let as_of = async || harness.account(&account).await.1.ad_rows_as_of;
    let (before, _) = clicks_of_rows(&harness, &account, today).await;
    let last_sync_at = harness.account(&account).await.1.last_sync_at;

    shift_clicks(&harness, &account, 0, &[5, 7, 9]).await;
    let _ = harness.take_used();
    let sync = harness.sync_scheduled(&account).await;
    assert_eq!(sync.log[&ObjectType::AdInsights].changed, 3, "{:?}", sync.log);
    assert!(harness.take_used().writes <= 4 + 1 + 1 + 3, "the account's day, and campaign days, but no rows");
    assert_matches_meta(&harness, &account, 30).await;
    assert_eq!(clicks_of_rows(&harness, &account, today).await, (before, before + 21));
    assert_eq!(as_of().await, last_sync_at, "the rows say how old they are");

    // The hour is over, and nothing more has changed.
    harness.sync_scheduled(&account).await;
    set_age_of_rows(&harness, &account, SignedDuration::from_mins(61)).await;
    let sync = harness.sync_scheduled(&account).await;
    assert_eq!(sync.log[&ObjectType::AdInsights].changed, 0, "the campaign days knew it: {:?}", sync.log);
    assert_eq!(clicks_of_rows(&harness, &account, today).await, (before + 21, before + 21));
    assert_eq!((as_of().await, calls(&harness.sync_scheduled(&account).await)), (None, 2));
}

#[tokio::test]
async fn rows_of_a_day_that_is_over_are_written_even_if_nothing_changes_any_more() {
    let harness = AdsHarness::open().await;
    let account = link_settled_account(&harness).await;
    let yesterday = back(account.today(clock::now()), 1);
    let (scope, linked) = harness.account(&account).await;
    // As if a sync of yesterday had left its rows to a later one.
    let (mut rows, _) = harness.table.list_ad_days(&scope, &account.id, yesterday, None, 1000).await.unwrap();
    rows.iter_mut().for_each(|row| row.day.metrics.main.clicks = 0);
    harness.table.put_ad_days(&scope, &linked.id, &rows).await.unwrap();
    set_age_of_rows(&harness, &account, SignedDuration::from_hours(24)).await;
    harness.sync_scheduled(&account).await;
    let (ours, truth) = clicks_of_rows(&harness, &account, yesterday).await;
    assert_eq!(ours, truth);
    let (rows, _) = harness.table.list_ad_days(&scope, &account.id, yesterday, None, 1000).await.unwrap();
    assert!(rows.iter().all(|row| row.day.first_seen.is_none()), "Meta restated nothing");
    assert_eq!(harness.account(&account).await.1.ad_rows_as_of, None);
}

#[tokio::test]
async fn a_sync_that_leads_nowhere_ends_and_the_schedule_begins_another() {
    let harness = AdsHarness::open().await;
    let account = harness.link_account(&SMALL_ACCOUNT).await;
    harness.call_sim(Method::POST, "ads/9001/change", &json!({ "thresholds": { "sync_rows": 4 } })).await;
    let stuck = json!({ "next": "stuck", "times": 1000 });
    harness.call_sim(Method::POST, "ads/9001/reports", &stuck).await;
    let job = harness.begin_scheduled(Timestamp::MAX).await.unwrap().remove(0);
    let mut slices = 0;
    // No slice is long enough for the report, which is never ready.
    while let SliceOutcome::Continue(_) = harness.run_slice(&job, Duration::from_millis(150)).await {
        slices += 1;
        assert!(slices < 1000, "it goes on for ever");
    }
    assert!(slices >= 500, "{slices}");
    let (scope, linked) = harness.account(&account).await;
    let sync = harness.table.ads_sync(&scope, job.run.as_ref().unwrap(), &account.id).await.unwrap().unwrap();
    assert_eq!(sync.problem.unwrap().code, SyncProblemCode::NoProgress);
    assert_eq!((linked.run_id, linked.problem), (None, None));
    let next = harness.begin_scheduled(Timestamp::MAX).await.unwrap().remove(0);
    assert_ne!(next.run, job.run);
    harness.call_sim(Method::POST, "ads/9001/change", &json!({ "thresholds": { "sync_rows": 100_000 } })).await;
    assert_eq!(harness.finish_sync(&account, &next).await.problem, None);
    assert_matches_meta(&harness, &account, 30).await;
}

#[tokio::test]
async fn a_day_of_hundreds_of_campaigns_is_read_in_parts() {
    let harness = AdsHarness::open().await;
    let account = harness.link_account(&AdAccountFixture { size: (520, 1, 1), days: 3, ..SMALL_ACCOUNT }).await;
    let parts = json!({ "thresholds": { "sync_rows": 100, "async_rows": 100 } });
    harness.call_sim(Method::POST, "ads/9001/change", &parts).await;
    let today = account.today(clock::now());
    let sync = harness.sync(&account, Some(back(today, 1))).await;
    assert_eq!(sync.problem, None);
    assert_matches_meta(&harness, &account, 1).await;
}

#[tokio::test]
async fn no_claim_outlives_its_message_and_none_is_made_when_time_is_up() {
    let harness = AdsHarness::open().await;
    for id in 0..25 {
        harness
            .link_account(&AdAccountFixture { id: &format!("91{id:02}"), size: (1, 1, 1), days: 2, ..SMALL_ACCOUNT })
            .await;
    }
    let claimed = async || {
        let all = harness.table.all_ad_accounts().await.unwrap();
        all.iter().filter(|(_, account)| account.run_id.is_some()).count()
    };
    assert_eq!(harness.begin_scheduled(clock::now()).await.unwrap().len(), 0);
    assert_eq!(claimed().await, 0, "the time was up");
    harness.refuse_messages(true);
    assert!(harness.begin_scheduled(Timestamp::MAX).await.is_err());
    assert_eq!(claimed().await, 0, "no message was sent");
    harness.refuse_messages(false);
    assert_eq!(harness.begin_scheduled(Timestamp::MAX).await.unwrap().len(), 25);
    assert_eq!(claimed().await, 25);
    assert_eq!(harness.begin_scheduled(Timestamp::MAX).await.unwrap().len(), 0, "each has its sync");
}

#[tokio::test]
async fn the_account_that_has_waited_longest_is_first() {
    let harness = AdsHarness::open().await;
    for (id, minutes) in [("9101", Some(20)), ("9102", Some(50)), ("9103", None), ("9104", Some(35))] {
        let account = harness.link_account(&AdAccountFixture { id, size: (1, 1, 1), days: 2, ..SMALL_ACCOUNT }).await;
        let last_sync_at = minutes.map(|minutes| clock::now() - SignedDuration::from_mins(minutes));
        let (scope, account) = harness.account(&account).await;
        let update = AccountUpdate { last_sync_at, ..AccountUpdate::default() };
        harness.table.update_account(&scope, &account, &update).await.unwrap();
    }
    let jobs = harness.begin_scheduled(Timestamp::MAX).await.unwrap();
    let order: Vec<&str> = jobs.iter().map(|job| job.ad_account_id.as_str()).collect();
    assert_eq!(order, ["act_9103", "act_9102", "act_9104", "act_9101"]);
}

#[tokio::test]
async fn a_request_that_joins_a_scheduled_sync_finds_it_in_the_log() {
    let harness = AdsHarness::open().await;
    let account = link_settled_account(&harness).await;
    let job = harness.begin_scheduled(Timestamp::MAX).await.unwrap().remove(0);
    let (scope, _) = harness.account(&account).await;
    let logged = async || harness.table.ads_sync(&scope, job.run.as_ref().unwrap(), &account.id).await.unwrap();
    assert!(logged().await.is_none());
    assert_eq!(harness.begin_sync(&account, None).await, job);
    assert_eq!(logged().await.unwrap().cause, Cause::Schedule);
    assert!(harness.finish_sync(&account, &job).await.finished_at.is_some());
}
