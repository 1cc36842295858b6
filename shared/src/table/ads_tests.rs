//! Ad accounts and their data, against an in-process DynamoDB.

use jiff::civil::Date;
use rust_decimal::Decimal;

use super::ad_account::{AccountUpdate, AdAccountSettings};
use super::tests::{at, empty_table, scope};
use crate::ids::{AdObjectId, RunId};
use crate::model::ads::account::tests::account;
use crate::model::ads::account::{AdAccount, Stage};
use crate::model::ads::creative::Creative;
use crate::model::ads::insights::{AdDay, AdDaySummary, CampaignDay, Day};
use crate::model::ads::metrics::tests::metrics;
use crate::model::ads::object::{Ad, AdObject, AdObjectKind, AdSet};
use crate::model::ads::sync::{AdsSync, Cause, ObjectType};

pub(crate) fn object_id(text: &str) -> AdObjectId {
    AdObjectId::parse(text).unwrap()
}

fn day(text: &str) -> Date {
    text.parse().unwrap()
}

fn ad_day(ad: &str, at_day: &str, spend: &str) -> AdDay {
    let at = at("2026-01-02T00:00:00Z");
    AdDay {
        ad_id: object_id(ad),
        ad_name: format!("Ad {ad}"),
        adset_id: object_id("20"),
        adset_name: "Set".into(),
        campaign_id: object_id("10"),
        campaign_name: "Campaign".into(),
        day: Day { day: day(at_day), metrics: metrics(spend, 2), first_seen: None, changed_at: at },
    }
}

fn campaign_day(at_day: &str, campaign: &str, ads: usize) -> CampaignDay {
    let line = |ad: usize| {
        (object_id(&(1_000_000 + ad).to_string()), AdDaySummary::new(object_id("20"), &metrics("1.25", ad as u64)))
    };
    CampaignDay { day: day(at_day), campaign_id: object_id(campaign), ads: (0..ads).map(line).collect() }
}

#[tokio::test]
async fn an_account_is_linked_once_and_a_reading_begun_once() {
    let (table, scope) = (empty_table().await, scope("a"));
    let account = account();
    assert!(table.insert_ad_account(&scope, &account).await.unwrap());
    assert!(!table.insert_ad_account(&scope, &account).await.unwrap());
    let stored = table.ad_account(&scope, &account.ad_account_id).await.unwrap().unwrap();
    assert_eq!(stored, account);
    assert_eq!(table.all_ad_accounts().await.unwrap().len(), 1);

    let (first, second, since) = (RunId::new(), RunId::new(), day("2026-01-01"));
    let lease = at("2026-01-31T00:00:00Z");
    let end = async |seen: &AdAccount, run: &RunId, since: Date| {
        table.end_ads_sync(&scope, seen, (run, since), &AccountUpdate::default()).await
    };
    assert!(table.begin_ads_sync(&scope, &account, &first, since, lease).await.unwrap());
    assert!(!table.begin_ads_sync(&scope, &account, &second, since, lease).await.unwrap());
    let running = table.ad_account(&scope, &account.ad_account_id).await.unwrap().unwrap();
    assert!(!end(&account, &first, since).await.unwrap(), "whoever holds it does");
    assert!(table.widen_ads_sync(&scope, &running, day("2025-12-01")).await.unwrap());
    assert!(!end(&running, &first, since).await.unwrap(), "it is to go further back");
    assert!(end(&running, &first, day("2025-12-01")).await.unwrap());
    assert!(table.begin_ads_sync(&scope, &account, &second, since, lease).await.unwrap());
}

#[tokio::test]
async fn two_workers_do_not_hold_one_reading() {
    let (table, scope) = (empty_table().await, scope("a"));
    table.insert_ad_account(&scope, &account()).await.unwrap();
    let lease = at("2026-01-31T00:00:00Z");
    table.begin_ads_sync(&scope, &account(), &RunId::new(), day("2026-01-01"), lease).await.unwrap();
    let seen = table.ad_account(&scope, &account().ad_account_id).await.unwrap().unwrap();
    let found = AccountUpdate { rows_per_day: Some(7), ..AccountUpdate::default() };
    assert!(table.lease_ads_sync(&scope, &seen, at("2026-01-31T00:05:00Z"), &found).await.unwrap());
    assert!(!table.lease_ads_sync(&scope, &seen, at("2026-01-31T00:06:00Z"), &found).await.unwrap());
    let stored = table.ad_account(&scope, &account().ad_account_id).await.unwrap().unwrap();
    assert_eq!(stored.rows_per_day, 7, "what was found is recorded in the same write");
}

#[tokio::test]
async fn settings_findings_and_readings_do_not_overwrite_each_other() {
    let (table, scope) = (empty_table().await, scope("a"));
    let account = account();
    table.insert_ad_account(&scope, &account).await.unwrap();
    let settings = AdAccountSettings { label: Some("New".into()), paused: Some(true), ..AdAccountSettings::default() };
    assert!(table.set_ad_account(&scope, &account, &settings).await.unwrap());
    let found = AccountUpdate { stage: Some(Stage::Ready), rows_per_day: Some(7), ..AccountUpdate::default() };
    table.update_account(&scope, &account, &found).await.unwrap();
    let expected =
        AdAccount { label: "New".into(), paused: true, stage: Stage::Ready, rows_per_day: 7, ..account.clone() };
    assert_eq!(table.ad_account(&scope, &account.ad_account_id).await.unwrap(), Some(expected));

    table.delete_ad_account(&scope, &account).await.unwrap();
    assert!(!table.set_ad_account(&scope, &account, &settings).await.unwrap());
    table.update_account(&scope, &account, &found).await.unwrap();
    assert_eq!(table.ad_account(&scope, &account.ad_account_id).await.unwrap(), None, "nobody brings it back");
}

#[tokio::test]
async fn objects_are_listed_in_pages_and_known_by_their_marks() {
    let (table, scope, link) = (empty_table().await, scope("a"), account().id);
    let ad = |id: &str| {
        AdObject::Ad(Ad {
            id: object_id(id),
            name: format!("Ad {id}"),
            adset_id: object_id("20"),
            campaign_id: object_id("10"),
            status: "ACTIVE".into(),
            effective_status: "ACTIVE".into(),
            creative: Creative { body: Some("b".into()), ..Creative::default() },
            created_time: Some(at("2026-01-01T00:00:00Z")),
            updated_time: None,
            issues: vec![],
        })
    };
    let adset = AdObject::Adset(AdSet {
        id: object_id("20"),
        name: "Set".into(),
        campaign_id: object_id("10"),
        status: "ACTIVE".into(),
        effective_status: "ACTIVE".into(),
        daily_budget: Some(Decimal::new(12345, 2)),
        lifetime_budget: None,
        bid_amount: None,
        bid_strategy: None,
        optimization_goal: None,
        billing_event: None,
        destination_type: None,
        targeting: serde_json::json!({"age_min": 18, "geo_locations": {"cities": [{"radius": 12.5}]}}),
        start_time: None,
        end_time: None,
        created_time: None,
        updated_time: None,
        issues: vec![],
    });
    table.put_ad_objects(&scope, &link, &[ad("1"), ad("2"), ad("3"), adset.clone()]).await.unwrap();
    let (page, more) = table.list_ad_objects(&scope, &link, AdObjectKind::Ad, None, 2).await.unwrap();
    assert_eq!((page, more), (vec![ad("1"), ad("2")], true));
    let (page, more) = table.list_ad_objects(&scope, &link, AdObjectKind::Ad, Some(&object_id("2")), 2).await.unwrap();
    assert_eq!((page, more), (vec![ad("3")], false));
    let ids = [object_id("1"), object_id("9")];
    let marks = table.ad_object_marks(&scope, &link, AdObjectKind::Ad, &ids).await.unwrap();
    assert_eq!(marks.into_iter().collect::<Vec<_>>(), [(object_id("1"), ad("1").mark())]);
    let key = (AdObjectKind::Adset, object_id("20"));
    let found = table.ad_objects(&scope, &link, std::slice::from_ref(&key)).await.unwrap();
    assert_eq!(found.get(&key), Some(&adset));
}

#[tokio::test]
async fn days_of_ads_and_campaigns_come_back_as_they_were() {
    let (table, scope, link) = (empty_table().await, scope("a"), account().id);
    let days = [ad_day("1", "2026-01-01", "12.30"), ad_day("2", "2026-01-01", "0.07"), ad_day("1", "2026-01-02", "3")];
    table.put_ad_days(&scope, &link, &days).await.unwrap();
    let (page, more) = table.list_ad_days(&scope, &link, day("2026-01-01"), None, 1).await.unwrap();
    assert_eq!((page, more), (vec![days[0].clone()], true));
    let which = [(day("2026-01-02"), object_id("1")), (day("2026-01-02"), object_id("2"))];
    let found = table.ad_days(&scope, &link, &which).await.unwrap();
    assert_eq!(found.into_values().collect::<Vec<_>>(), [days[2].clone()]);

    let campaign_days = [
        campaign_day("2026-01-01", "10", 3),
        campaign_day("2026-01-02", "10", 6000),
        campaign_day("2026-01-02", "11", 1),
    ];
    table.put_campaign_days(&scope, &link, &campaign_days).await.unwrap();
    let read = table.campaign_days(&scope, &link, (day("2026-01-02"), day("2026-01-05"))).await.unwrap();
    assert_eq!(read.into_values().collect::<Vec<_>>(), campaign_days[1..]);

    table.forget_ads(scope.org().clone(), &link).await.unwrap();
    assert!(table.campaign_days(&scope, &link, (Date::ZERO, Date::MAX)).await.unwrap().is_empty());
    assert!(table.list_ad_days(&scope, &link, day("2026-01-01"), None, 5).await.unwrap().0.is_empty());
}

#[tokio::test]
async fn a_sync_is_kept_with_its_counts() {
    let (table, scope) = (empty_table().await, scope("a"));
    let requested_at = at("2026-01-02T00:00:00Z");
    let run = RunId::new();
    let mut sync = AdsSync::new(run.clone(), &account(), day("2026-01-01"), Cause::Request, None, requested_at);
    sync.log(ObjectType::AdInsights).read = 5;
    sync.progress.cursor = Some(("abc".into(), requested_at));
    table.put_ads_sync(&scope, &sync).await.unwrap();
    assert_eq!(table.ads_sync(&scope, &run, &account().id).await.unwrap(), Some(sync.clone()));
    assert_eq!(table.ads_syncs(&scope, 10).await.unwrap(), [sync.clone()]);
    assert_eq!(table.ads_syncs_of(&scope, &run).await.unwrap(), [sync]);
}

#[tokio::test]
async fn a_pause_is_everybody_s_and_the_app_s_is_all_accounts() {
    let table = empty_table().await;
    let now = at("2026-01-01T00:00:00Z");
    let id = account().ad_account_id;
    assert_eq!(table.ads_paused_until(&id, now).await.unwrap(), None);
    let (soon, later) = (at("2026-01-01T00:05:00Z"), at("2026-01-01T01:00:00Z"));
    table.pause_ads(Some(&id), soon).await.unwrap();
    assert_eq!(table.ads_paused_until(&id, now).await.unwrap(), Some(soon));
    table.pause_ads(Some(&id), at("2026-01-01T00:01:00Z")).await.unwrap();
    assert_eq!(table.ads_paused_until(&id, now).await.unwrap(), Some(soon), "a shorter wait ends no longer one");
    table.pause_ads(None, later).await.unwrap();
    assert_eq!(table.ads_paused_until(&id, now).await.unwrap(), Some(later));
    assert_eq!(table.ads_paused_until(&id, later).await.unwrap(), None);
}
