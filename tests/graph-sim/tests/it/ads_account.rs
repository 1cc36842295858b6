//! Accounts generated from a seed, and what they contain.

use std::collections::BTreeSet;
use std::time::Instant;

use graph_sim::seed;
use serde_json::{Value, json};

use crate::advertiser::{ACCOUNT, ids, noon, plan, walk, with};
use crate::client::{ALL_SCOPES, Meta, read};

#[tokio::test]
async fn the_same_seed_makes_the_same_account() {
    let (one, other) = (Meta::start().await, Meta::start().await);
    noon(&one, "Europe/Berlin").await;
    noon(&other, "Europe/Berlin").await;
    let made = one.sim("ads", plan(4, 2, 3, 20)).await;
    assert_eq!(made, json!({"account_id": ACCOUNT, "campaigns": 4, "adsets": 8, "ads": 24}));
    other.sim("users", json!({})).await;
    other.sim("ads", with(plan(4, 2, 3, 20), json!({"account_id": format!("act_{ACCOUNT}")}))).await;
    let path = format!("/act_{ACCOUNT}/ads?limit=100&fields=name,status,creative,adset_id,campaign_id,updated_time");
    let rows = walk(&one, &path, &one.mara().await).await;
    assert_eq!(rows, walk(&other, &path, &other.mara().await).await);
    for id in ids(&rows) {
        assert!((15..=18).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_digit()), "{id}");
    }
    let totals = format!("ads/{ACCOUNT}/totals?by=ad");
    assert_eq!(one.sim_get(&totals).await["rows"], other.sim_get(&totals).await["rows"]);
    one.sim("ads", with(plan(4, 2, 3, 20), json!({"seed": 8}))).await;
    assert_ne!(one.sim_get(&totals).await["rows"], other.sim_get(&totals).await["rows"]);
}

#[tokio::test]
async fn a_hundred_thousand_ads_are_nothing_special() {
    let meta = Meta::start().await;
    noon(&meta, "Europe/Berlin").await;
    let token = meta.mara().await;
    let start = Instant::now();
    let made = meta.sim("ads", plan(100, 10, 100, 30)).await;
    assert_eq!(made["ads"], 100_000);
    println!("made: {:?}", start.elapsed());
    let timed = async |what: &str, path: String| {
        let start = Instant::now();
        let answer = meta.get(&path, &token).await;
        println!("{what}: {:?}", start.elapsed());
        assert_eq!(answer.status, 200, "{}", answer.text);
        answer
    };
    let account = format!("/act_{ACCOUNT}");
    let fields = "id,name,status,effective_status,campaign_id,adset_id,updated_time,creative";
    let page = timed("ads", format!("{account}/ads?fields={fields}&limit=500")).await;
    assert_eq!(page.json["data"].as_array().unwrap().len(), 500);
    let deep = format!("{account}/ads?fields={fields}&limit=500&after=OTAwMDA");
    timed("ads, deep inside", deep).await;
    let campaign = page.column("campaign_id").remove(0);
    let rows =
        "fields=ad_id,ad_name,campaign_id,impressions,clicks,spend,reach,actions&limit=500&level=ad&time_increment=1";
    let page = timed("insights", format!("/{campaign}/insights?{rows}")).await;
    assert_eq!(page.json["data"].as_array().unwrap().len(), 500);
    let start = Instant::now();
    let totals = meta.sim_get(&format!("ads/{ACCOUNT}/totals?by=day")).await;
    println!("totals: {:?}", start.elapsed());
    assert_eq!(totals["rows"].as_array().unwrap().len(), 31);
}

#[tokio::test]
async fn every_account_has_something_of_everything() {
    let meta = Meta::start().await;
    let token = meta.mara().await;
    meta.sim("ads", plan(150, 2, 4, 10)).await;
    let campaigns = format!(
        "/act_{ACCOUNT}/campaigns?limit=100&fields=name,objective,status,effective_status,daily_budget,lifetime_budget,\
         budget_remaining,special_ad_categories,start_time,created_time,updated_time,account_id,issues_info,spend_cap"
    );
    let rows = walk(&meta, &campaigns, &token).await;
    let values = |rows: &[Value], name: &str| -> BTreeSet<String> {
        rows.iter().filter_map(|row| row[name].as_str()).map(str::to_owned).collect()
    };
    assert_eq!(
        values(&rows, "objective").into_iter().collect::<Vec<_>>(),
        ["OUTCOME_ENGAGEMENT", "OUTCOME_LEADS", "OUTCOME_SALES", "OUTCOME_TRAFFIC"]
    );
    assert!(
        values(&rows, "effective_status").is_superset(&["ACTIVE", "PAUSED", "WITH_ISSUES"].map(str::to_owned).into())
    );
    for row in &rows {
        assert_eq!((&row["account_id"], &row["special_ad_categories"]), (&json!(ACCOUNT), &json!([])));
        assert!(row["created_time"].as_str().unwrap().ends_with("+0000") && row["updated_time"].is_string());
        assert_eq!(row["issues_info"].is_array(), row["effective_status"] == "WITH_ISSUES", "{row}");
        assert!(row["daily_budget"].is_null() || row["lifetime_budget"].is_null());
    }
    let with_budget = rows.iter().find(|row| row["daily_budget"].is_string()).unwrap();
    let without = rows.iter().find(|row| row["daily_budget"].is_null() && row["lifetime_budget"].is_null()).unwrap();
    let adsets = async |campaign: &Value| {
        let fields = "daily_budget,lifetime_budget,targeting,optimization_goal,billing_event,campaign{id,name}";
        walk(&meta, &format!("/{}/adsets?fields={fields}", campaign["id"].as_str().unwrap()), &token).await
    };
    for (campaign, zero) in [(with_budget, true), (without, false)] {
        for adset in adsets(campaign).await {
            assert_eq!(adset["daily_budget"] == "0" && adset["lifetime_budget"] == "0", zero, "{adset}");
            assert_eq!(adset["campaign"]["name"], campaign["name"]);
            assert!(adset["targeting"]["geo_locations"].is_object() && adset["targeting"].to_string().len() > 400);
        }
    }
}

#[tokio::test]
async fn creatives_keep_their_text_in_many_places() {
    let meta = Meta::start().await;
    let token = meta.mara().await;
    meta.sim("ads", plan(10, 2, 10, 1)).await;
    let fields = "body,title,link_url,object_story_spec,asset_feed_spec,effective_object_story_id,thumbnail_url";
    let all = walk(&meta, &format!("/act_{ACCOUNT}/adcreatives?limit=50&fields={fields}"), &token).await;
    assert!(all.len() > 100 && all.len() < 200, "some are shared: {}", all.len());
    let has = |pointer: &str| all.iter().filter(|creative| creative.pointer(pointer).is_some()).count();
    for pointer in [
        "/body",
        "/object_story_spec/link_data/message",
        "/object_story_spec/link_data/child_attachments/0/link",
        "/object_story_spec/video_data/call_to_action/value/link",
        "/object_story_spec/photo_data/caption",
        "/object_story_spec/template_data/message",
        "/asset_feed_spec/bodies/0/text",
    ] {
        assert!(has(pointer) > 3 && has(pointer) < all.len(), "{pointer}");
    }
    let bare =
        |it: &&Value| it["body"].is_null() && it["object_story_spec"].is_null() && it["asset_feed_spec"].is_null();
    assert!(all.iter().filter(bare).count() > 3, "boosted posts have no text");
    assert!(all.iter().any(|it| it.to_string().contains("lead_gen_form_id")));

    let ads = format!("/act_{ACCOUNT}/ads?limit=5&fields=creative{{id,name,thumbnail_url}}");
    let first = meta.get(&ads, &token).await.json["data"][0].clone();
    let creative = first["creative"]["id"].as_str().unwrap();
    let of_ad = meta.get(&format!("/{}/adcreatives", first["id"].as_str().unwrap()), &token).await;
    assert_eq!(of_ad.column("id"), [creative]);
    let thumbnail =
        async || meta.get(&format!("/{creative}?fields=thumbnail_url"), &token).await.json["thumbnail_url"].clone();
    let before = thumbnail().await;
    meta.sim("clock", json!({"advance_s": 3600})).await;
    let after = thumbnail().await;
    assert_ne!(before, after);
    let path = |url: &Value| url.as_str().unwrap().split('?').next().unwrap().to_owned();
    assert_eq!(path(&before), path(&after), "the same picture");
}

#[tokio::test]
async fn an_account_tells_its_zone_money_and_owner() {
    let meta = Meta::start().await;
    let token = meta.mara().await;
    let body = json!({"currency": "JPY", "timezone": "Pacific/Tongatapu", "name": "Tonga", "status": 2, "disable_reason": 3,
                      "business_id": seed::PORTFOLIO, "users": [seed::MARA]});
    meta.sim("ads", with(plan(2, 2, 2, 5), body)).await;
    let fields = "name,account_status,disable_reason,currency,timezone_name,timezone_offset_hours_utc,amount_spent,balance,\
                  spend_cap,min_daily_budget,business,owner,created_time,user_tasks,age";
    let account = meta.get(&format!("/act_{ACCOUNT}?fields={fields}"), &token).await.json;
    assert_eq!((&account["account_status"], &account["disable_reason"]), (&json!(2), &json!(3)));
    assert_eq!((&account["currency"], &account["timezone_offset_hours_utc"]), (&json!("JPY"), &json!(13.0)));
    assert_eq!((&account["business"]["id"], &account["owner"]), (&json!(seed::PORTFOLIO), &json!(seed::PORTFOLIO)));
    let totals = meta.sim_get(&format!("ads/{ACCOUNT}/totals")).await;
    assert_eq!(account["amount_spent"], totals["total"]["spend"], "yen have no smaller unit");
    assert!(account["age"].as_f64().unwrap() > 400.0 && account["user_tasks"].is_array());
    let listed = meta.get("/me/adaccounts?fields=name&limit=100", &token).await;
    assert!(listed.column("name").contains(&"Tonga".to_owned()));
    let owned = meta.get(&format!("/{}/owned_ad_accounts?fields=name", seed::PORTFOLIO), &token).await;
    assert!(owned.column("name").contains(&"Tonga".to_owned()));
    let users = meta.get(&format!("/act_{ACCOUNT}/assigned_users"), &token).await;
    assert_eq!(users.column("id"), [seed::MARA]);
    let business_users = meta.get("/me/business_users", &token).await;
    assert_eq!(business_users.json["data"][0]["business"]["id"], seed::PORTFOLIO);
    let minimum = meta.get(&format!("/act_{ACCOUNT}/minimum_budgets"), &token).await;
    assert_eq!(minimum.json["data"][0]["currency"], "JPY");
}

#[tokio::test]
async fn only_those_assigned_read_an_account_and_only_with_a_permission_about_ads() {
    let meta = Meta::start().await;
    meta.sim("ads", with(plan(2, 2, 2, 5), json!({"users": [seed::MARA, seed::SYSTEM_USER]}))).await;
    let mara = meta.mara().await;
    let ad = meta.get(&format!("/act_{ACCOUNT}/ads"), &mara).await.column("id").remove(0);
    let made = meta.sim(&format!("system_users/{}/tokens", seed::SYSTEM_USER), json!({})).await;
    let system = made["token"].as_str().unwrap();
    let jonas = meta.login(seed::JONAS, ALL_SCOPES, "").await;
    let narrow =
        meta.sim(&format!("system_users/{}/tokens", seed::SYSTEM_USER), json!({"scopes": ["pages_show_list"]})).await;
    let narrow = narrow["token"].as_str().unwrap();
    let page = meta.page_of(&mara, seed::DENTAL).await;
    for path in [
        format!("/act_{ACCOUNT}"),
        format!("/act_{ACCOUNT}/campaigns"),
        format!("/act_{ACCOUNT}/insights"),
        format!("/{ad}"),
        format!("/{ad}/insights"),
        format!("/{ad}/adcreatives"),
    ] {
        assert_eq!(meta.get(&path, &mara).await.status, 200, "{path}");
        assert_eq!(meta.get(&path, system).await.status, 200, "{path}");
        assert_eq!(meta.get(&path, &jonas).await.error(), (400, 100, Some(33)), "{path}");
        let refused = meta.get(&path, narrow).await;
        assert_eq!(refused.error(), (403, 200, None), "{path}");
        assert!(refused.message().contains("has NOT grant ads_management or ads_read"));
        assert_eq!(meta.get(&path, &page).await.status, 400, "a page does not advertise: {path}");
    }
}

#[tokio::test]
async fn the_ads_of_lead_forms_run_in_the_seed_account() {
    let meta = Meta::start().await;
    let token = meta.mara().await;
    let lead = meta.one_lead(crate::client::CHECK_UP).await;
    let page = meta.page_of(&token, seed::DENTAL).await;
    let lead = meta.get(&format!("/{lead}?fields=ad_id,ad_name,adset_id,campaign_id,campaign_name"), &page).await.json;
    let ad_id = lead["ad_id"].as_str().unwrap();
    let ad = meta
        .get(&format!("/{ad_id}?fields=name,adset_id,campaign{{name}},account_id,effective_status"), &token)
        .await
        .json;
    assert_eq!((&ad["name"], &ad["adset_id"]), (&lead["ad_name"], &lead["adset_id"]));
    assert_eq!((&ad["campaign"]["name"], &ad["account_id"]), (&lead["campaign_name"], &json!(seed::AD_ACCOUNT)));
    let insights = meta.get(&format!("/{ad_id}/insights?fields=ad_id,campaign_id,impressions,actions"), &token).await;
    assert_eq!(insights.column("campaign_id"), [lead["campaign_id"].as_str().unwrap()]);
    assert_eq!(meta.get(&format!("/{ad_id}/leads"), &page).await.status, 200);
    let state = meta.sim_get("state").await;
    let account = &state["ad_accounts"][0];
    assert_eq!(
        account["objects"]["ads"].as_u64().unwrap(),
        18 + 3 * (account["objects"]["campaigns"].as_u64().unwrap() - 3)
    );
}

#[tokio::test]
async fn mistakes_in_accounts_are_told() {
    let meta = Meta::start().await;
    for (more, word) in [
        (json!({"account_id": "abc"}), "account_id"),
        (json!({"currency": "XXX"}), "currency"),
        (json!({"timezone": "Mars/Olympus"}), "time zone"),
        (json!({"campaigns": 0}), "at least 1"),
        (json!({"campaigns": 100_000, "ads_per_adset": 100}), "at most"),
        (json!({"days": 5000}), "days"),
        (json!({"users": ["1"]}), "no user 1"),
        (json!({"business_id": "1"}), "no business 1"),
        (json!({"active_share": 2}), "active_share"),
        (json!({"creatives": "oil"}), "creatives"),
        (json!({"colour": "red"}), "colour"),
    ] {
        let body = with(plan(2, 2, 2, 5), more);
        let answer = read(meta.http().post(meta.url("/_sim/ads")).json(&body)).await;
        assert_eq!(answer.status, 400, "{body}");
        assert!(answer.json["error"].as_str().unwrap().contains(word), "{body}: {}", answer.text);
    }
    for (path, word) in [
        ("ads/1/totals", "no ad account 1"),
        ("ads/1203948576655441/totals?by=hour", "by: must be"),
        ("ads/1203948576655441/totals?since=today", "since: must be a date"),
        ("ads/1203948576655441/totals?mood=good", "mood"),
    ] {
        assert!(meta.sim_get(path).await["error"].as_str().unwrap().contains(word), "{path}");
    }
}
