//! Accounts that change while a client reads them: names, statuses, access and impossible numbers.

use std::collections::BTreeSet;

use graph_sim::seed;
use serde_json::{Value, json};

use crate::advertiser::{ACCOUNT, account, encoded, ids, insights, plan, walk, with};
use crate::client::{ALL_SCOPES, Meta, read};

const DAY: i64 = 24 * 3600;

async fn change(meta: &Meta, body: Value) -> Value {
    meta.sim(&format!("ads/{ACCOUNT}/change"), body).await
}

/// The ads that delivered yesterday, and the date.
async fn delivered_yesterday(meta: &Meta, token: &str) -> (Vec<Value>, String) {
    let rows = insights(meta, token, "fields=ad_id,spend&level=ad&date_preset=yesterday&time_increment=1").await;
    let day = rows[0]["date_start"].as_str().expect("a day").to_owned();
    (rows, day)
}

fn one_day(day: &str) -> String {
    format!("time_range={}", encoded(&format!(r#"{{"since":"{day}","until":"{day}"}}"#)))
}

#[tokio::test]
async fn touched_objects_have_new_names_and_times() {
    let (meta, token) = account(plan(20, 2, 5, 10)).await;
    let since = meta.sim_get("clock").await["now"].as_i64().unwrap() - 1;
    let path = format!("/act_{ACCOUNT}/ads?limit=500&fields=name,updated_time");
    let newer = format!(
        "{path}&filtering={}",
        encoded(&format!(r#"[{{"field":"ad.updated_time","operator":"GREATER_THAN","value":{since}}}]"#))
    );
    assert!(walk(&meta, &newer, &token).await.is_empty());
    let told = change(&meta, json!({"touch": 0.05, "level": "ad"})).await;
    assert_eq!(told["touched"], 10);
    let touched: BTreeSet<String> = serde_json::from_value(told["touched_ids"].clone()).unwrap();
    let rows = walk(&meta, &newer, &token).await;
    assert!(ids(&rows).is_subset(&touched) && !rows.is_empty());
    assert!(rows.iter().all(|row| row["name"].as_str().unwrap().ends_with(" – rev 2")), "{rows:?}");
    let all = change(&meta, json!({"touch": 0.01})).await;
    assert_eq!(all["touched"], 1 + 1 + 2, "of each level");
    let one = touched.first().unwrap();
    change(&meta, json!({"touch": [one], "rename": {one: "Renamed ❤"}})).await;
    assert_eq!(meta.get(&format!("/{one}?fields=name"), &token).await.json["name"], "Renamed ❤");
    let row = meta.get(&format!("/{one}/insights?fields=ad_name&date_preset=maximum"), &token).await;
    assert!(row.json["data"].as_array().unwrap().iter().all(|row| row["ad_name"] == "Renamed ❤"));
}

#[tokio::test]
async fn what_is_switched_off_stops_and_what_is_deleted_keeps_its_history() {
    let (meta, token) = account(with(plan(1, 2, 4, 10), json!({"active_share": 1.0}))).await;
    let campaign = meta.get(&format!("/act_{ACCOUNT}/campaigns"), &token).await.column("id").remove(0);
    let before = meta.sim_get(&format!("ads/{ACCOUNT}/totals?by=day")).await;
    let told = change(&meta, json!({"status": "PAUSED", "ids": [campaign]})).await;
    assert_eq!(told["status"]["PAUSED"], json!([campaign]));
    let statuses = async || {
        let path = format!("/{campaign}/ads?fields=effective_status&effective_status=[\"CAMPAIGN_PAUSED\"]");
        walk(&meta, &path, &token).await.len()
    };
    assert!(statuses().await > 0);
    meta.sim("clock", json!({"advance_s": 3 * DAY})).await;
    let after = meta.sim_get(&format!("ads/{ACCOUNT}/totals?by=day")).await;
    assert_eq!(
        after["rows"].as_array().unwrap().len(),
        before["rows"].as_array().unwrap().len(),
        "today is the last day"
    );
    change(&meta, json!({"status": "ACTIVE", "ids": [campaign]})).await;
    assert_eq!(statuses().await, 0);
    let resumed = meta.sim_get(&format!("ads/{ACCOUNT}/totals?by=day")).await;
    assert_eq!(resumed["rows"].as_array().unwrap().len(), after["rows"].as_array().unwrap().len() + 1);

    change(&meta, json!({"status": "DELETED", "ids": [campaign], "budget": {campaign.clone(): 12_300}})).await;
    assert!(meta.get(&format!("/act_{ACCOUNT}/campaigns"), &token).await.column("id").is_empty());
    let gone =
        meta.get(&format!("/{campaign}?fields=effective_status,daily_budget,lifetime_budget"), &token).await.json;
    assert_eq!(gone["effective_status"], "DELETED");
    assert!(gone["daily_budget"] == "12300" || gone["lifetime_budget"] == "12300", "{gone}");
    let level = "fields=campaign_id,spend&level=campaign&date_preset=maximum";
    assert!(insights(&meta, &token, level).await.is_empty(), "no row of its own");
    let whole = insights(&meta, &token, "fields=spend&date_preset=maximum").await;
    assert_eq!(whole[0]["spend"], meta.sim_get(&format!("ads/{ACCOUNT}/totals")).await["total"]["spend"]);
}

#[tokio::test]
async fn single_numbers_can_be_absurd() {
    let (meta, token) = account(plan(4, 2, 4, 10)).await;
    let (rows, day) = delivered_yesterday(&meta, &token).await;
    let ad = rows[1]["ad_id"].as_str().unwrap();
    let path = format!("fields=ad_id,spend,impressions,clicks,ctr,reach&level=ad&{}", one_day(&day));
    let body = json!({"metrics": [
        {"ad_id": ad, "day": day, "spend": "-5", "impressions": null, "clicks": ""},
        {"ad_id": ad, "day": day, "field": "ctr", "value": "1e400"},
        {"ad_id": ad, "day": day, "reach": 12.5},
    ]});
    assert_eq!(change(&meta, body).await, json!({"metrics": 3}));
    let row = insights(&meta, &token, &path).await.into_iter().find(|row| row["ad_id"] == ad).unwrap();
    assert_eq!((&row["spend"], &row["clicks"], &row["ctr"]), (&json!("-5"), &json!(""), &json!("1e400")));
    assert_eq!((row.get("impressions"), &row["reach"]), (Some(&Value::Null), &json!(12.5)));
    change(&meta, json!({"duplicate_row": {"ad_id": rows[0]["ad_id"], "day": day}})).await;
    assert_eq!(insights(&meta, &token, &path).await.len(), rows.len() + 1);
    let paged = walk(&meta, &format!("/act_{ACCOUNT}/insights?{path}&limit=1"), &token).await;
    assert_eq!(paged.len(), rows.len() + 1, "on pages of one row too");
    change(&meta, json!({"heal": true})).await;
    assert_eq!(insights(&meta, &token, &path).await.len(), rows.len());
}

#[tokio::test]
async fn one_field_of_one_ad_on_one_day_breaks_every_query_it_is_in() {
    let (meta, token) = account(plan(4, 2, 4, 10)).await;
    let (rows, day) = delivered_yesterday(&meta, &token).await;
    let ad = rows[0]["ad_id"].as_str().unwrap();
    change(&meta, json!({"break_field": {"ad_id": ad, "day": day, "field": "actions"}})).await;
    let broken = async |path: &str| {
        let answer = meta.get(path, &token).await;
        if answer.status == 200 { None } else { Some(answer.error()) }
    };
    let range = one_day(&day);
    let failure = Some((400, 100, Some(1_487_534)));
    let path = format!("/act_{ACCOUNT}/insights?level=ad");
    assert_eq!(broken(&format!("{path}&fields=spend,actions&{range}")).await, failure);
    assert_eq!(broken(&format!("{path}&fields=spend,actions&date_preset=maximum")).await, failure);
    assert_eq!(broken(&format!("/{ad}/insights?fields=actions&{range}")).await, failure);
    assert_eq!(broken(&format!("{path}&fields=spend&{range}")).await, None, "without the field");
    let other = rows[1]["ad_id"].as_str().unwrap();
    assert_eq!(broken(&format!("/{other}/insights?fields=actions&{range}")).await, None, "without the ad");
    assert_eq!(broken(&format!("/{ad}/insights?fields=actions&date_preset=today")).await, None, "without the day");
    meta.sim(&format!("ads/{ACCOUNT}/reports"), json!({"over_ms": 0})).await;
    let form = [("fields", "actions"), ("level", "ad"), ("date_preset", "last_7d")];
    let run = meta.post(&format!("/act_{ACCOUNT}/insights"), &token, &form).await.json["report_run_id"].clone();
    let report = meta.get(&format!("/{}", run.as_str().unwrap()), &token).await.json;
    assert_eq!((&report["async_status"], &report["error_subcode"]), (&json!("Job Failed"), &json!(1_487_534)));
}

#[tokio::test]
async fn ghosts_have_numbers_and_nothing_else() {
    let (meta, token) = account(with(plan(4, 2, 4, 10), json!({"active_share": 1.0}))).await;
    let level = "fields=ad_id,ad_name,adset_id,campaign_id,spend&level=ad&date_preset=last_7d";
    let before = insights(&meta, &token, level).await.len();
    let adsets = insights(&meta, &token, &level.replace("level=ad", "level=adset")).await.len();
    let ghost = change(&meta, json!({"ghost_ad": true})).await["ghost_ad"].as_str().unwrap().to_owned();
    let rows = insights(&meta, &token, level).await;
    assert_eq!(rows.len(), before + 1);
    let row = rows.iter().find(|row| row["ad_id"] == ghost.as_str()).unwrap();
    assert_eq!(meta.get(&format!("/{ghost}"), &token).await.error(), (400, 100, Some(33)));
    let listed = walk(&meta, &format!("/{}/ads?limit=100", row["adset_id"].as_str().unwrap()), &token).await;
    assert!(!ids(&listed).contains(&ghost));
    assert_eq!(
        insights(&meta, &token, &level.replace("level=ad", "level=adset")).await.len(),
        adsets,
        "the same ad sets"
    );
    let campaign = row["campaign_id"].as_str().unwrap();
    let own = meta.get(&format!("/{campaign}/insights?fields=spend,campaign_id&date_preset=maximum"), &token).await;
    let totals = meta.sim_get(&format!("ads/{ACCOUNT}/totals?by=campaign")).await;
    let truth = totals["rows"].as_array().unwrap().iter().find(|row| row["id"] == campaign).unwrap();
    assert_eq!(own.json["data"][0]["spend"], truth["spend"], "its money is the campaign's");
}

#[tokio::test]
async fn access_comes_and_goes() {
    let (meta, token) = account(plan(2, 2, 2, 5)).await;
    let path = format!("/act_{ACCOUNT}/campaigns");
    assert_eq!(change(&meta, json!({"revoke": seed::MARA})).await, json!({"revoked": [seed::MARA]}));
    assert_eq!(meta.get(&path, &token).await.error(), (400, 100, Some(33)));
    assert!(!meta.get("/me/adaccounts?limit=100", &token).await.column("account_id").contains(&ACCOUNT.to_owned()));
    assert_eq!(
        meta.sim_get(&format!("ads/{ACCOUNT}/totals")).await["account_id"],
        ACCOUNT,
        "the truth is for everybody"
    );
    change(&meta, json!({"grant": seed::MARA})).await;
    assert_eq!(meta.get(&path, &token).await.status, 200);
    let state = meta.sim_get("state").await;
    let known = state["ad_accounts"].as_array().unwrap().iter().find(|it| it["account_id"] == ACCOUNT).unwrap();
    assert!(known["users"].as_array().unwrap().contains(&json!(seed::MARA)));
    meta.sim("ads", plan(3, 1, 1, 1)).await;
    assert_eq!(meta.get(&path, &token).await.status, 200, "replacing an account leaves access alone");
    meta.sim("ads", with(plan(3, 1, 1, 1), json!({"users": [seed::JONAS]}))).await;
    assert_eq!(meta.get(&path, &token).await.error(), (400, 100, Some(33)));
    assert_eq!(meta.get(&path, &meta.login(seed::JONAS, ALL_SCOPES, "").await).await.status, 200);
}

#[tokio::test]
async fn system_users_are_given_accounts() {
    let (meta, _) = account(plan(2, 2, 2, 5)).await;
    let made = meta
        .sim(
            "system_users",
            json!({"ad_accounts": [format!("act_{ACCOUNT}")], "scopes": ["ads_read", "business_management"]}),
        )
        .await;
    assert_eq!(made["ad_accounts"], json!([ACCOUNT]));
    let token = made["token"].as_str().unwrap();
    assert_eq!(meta.get("/me/adaccounts", token).await.column("account_id"), [ACCOUNT]);
    assert_eq!(meta.get(&format!("/act_{ACCOUNT}/insights"), token).await.status, 200);
    let client = meta.get(&format!("/{}/client_ad_accounts", made["business_id"].as_str().unwrap()), token).await;
    assert_eq!(client.column("account_id"), [ACCOUNT]);
    let five = meta.sim("system_users", json!({"ad_accounts": 5})).await;
    let token = five["token"].as_str().unwrap();
    assert_eq!(
        meta.get("/me/adaccounts?fields=currency", token).await.column("currency"),
        ["USD", "EUR", "JPY", "USD", "EUR"]
    );
    let none = meta.sim("system_users", json!({"ad_accounts": 0})).await;
    assert!(meta.get("/me/adaccounts", none["token"].as_str().unwrap()).await.column("id").is_empty());
}

#[tokio::test]
async fn an_account_changes_its_state_money_and_zone() {
    let (meta, token) = account(plan(2, 2, 2, 5)).await;
    let body = json!({"account": {"name": "Moved", "status": 2, "disable_reason": 1, "currency": "JPY", "timezone": "Asia/Tokyo"}});
    assert_eq!(change(&meta, body).await, json!({"account": format!("act_{ACCOUNT}")}));
    let fields = "name,account_status,disable_reason,currency,timezone_name,timezone_offset_hours_utc";
    let told = meta.get(&format!("/act_{ACCOUNT}?fields={fields}"), &token).await.json;
    let expected = json!({"id": format!("act_{ACCOUNT}"), "name": "Moved", "account_status": 2, "disable_reason": 1,
                          "currency": "JPY", "timezone_name": "Asia/Tokyo", "timezone_offset_hours_utc": 9.0});
    assert_eq!(told, expected);
    let row = insights(&meta, &token, "fields=spend,account_name,account_currency&date_preset=maximum").await.remove(0);
    assert_eq!((&row["account_name"], &row["account_currency"]), (&json!("Moved"), &json!("JPY")));
    assert!(!row["spend"].as_str().unwrap().contains('.'));
}

#[tokio::test]
async fn thresholds_decide_what_is_too_much() {
    let (meta, token) = account(with(plan(4, 2, 5, 20), json!({"active_share": 1.0}))).await;
    let path = format!("/act_{ACCOUNT}/insights");
    let rows = insights(&meta, &token, "fields=ad_id&level=ad&time_increment=1&date_preset=last_7d").await.len();
    let asked = async |query: &str| {
        let answer = meta.get(&format!("{path}?{query}"), &token).await;
        if answer.status == 200 { None } else { Some(answer.error()) }
    };
    let query = "fields=ad_id&level=ad&time_increment=1&date_preset=last_7d";
    let too_much = Some((400, 100, Some(1_487_534)));
    let told = change(&meta, json!({"thresholds": {"sync_rows": rows}})).await;
    assert_eq!(told["thresholds"]["sync_rows"], rows);
    assert_eq!(told["thresholds"]["async_rows"], 1_000_000);
    assert_eq!(asked(query).await, None);
    assert_eq!(asked(&format!("{query}&breakdowns=gender")).await, too_much, "every part is a row");
    change(&meta, json!({"thresholds": {"sync_rows": rows - 1}})).await;
    assert_eq!(asked(query).await, too_much);
    assert_eq!(asked(&query.replace("last_7d", "last_3d")).await, None, "a shorter time");
    change(&meta, json!({"thresholds": {"sync_rows": 1_000, "sync_ad_days": 5}})).await;
    assert_eq!(asked("fields=spend&date_preset=last_7d").await, Some((400, 100, Some(1_504_018))));
    change(&meta, json!({"thresholds": {"sync_ad_days": 1_000_000, "async_rows": 3}})).await;
    meta.sim(&format!("ads/{ACCOUNT}/reports"), json!({"over_ms": 0})).await;
    let form = [("fields", "ad_id"), ("level", "ad"), ("date_preset", "last_7d")];
    let run = meta.post(&path, &token, &form).await.json["report_run_id"].clone();
    let report = meta.get(&format!("/{}", run.as_str().unwrap()), &token).await.json;
    assert_eq!((&report["async_status"], &report["error_subcode"]), (&json!("Job Failed"), &json!(1_487_534)));
    change(&meta, json!({"thresholds": {"object_weight": 10}})).await;
    let ads = format!("/act_{ACCOUNT}/ads?fields=id,name&limit=");
    assert_eq!(meta.get(&format!("{ads}6"), &token).await.error(), (500, 1, None));
    assert_eq!(meta.get(&format!("{ads}5"), &token).await.status, 200);
}

#[tokio::test]
async fn mistakes_in_changes_are_told_and_nothing_changes() {
    let (meta, token) = account(plan(2, 2, 2, 5)).await;
    let ad = meta.get(&format!("/act_{ACCOUNT}/ads"), &token).await.column("id").remove(0);
    for (body, word) in [
        (json!({}), "nothing to change"),
        (json!({"colour": "red"}), "colour"),
        (json!({"touch": 2}), "touch"),
        (json!({"touch": ["1"]}), "no campaign, ad set or ad 1"),
        (json!({"touch": 0.5, "level": "planet"}), "level"),
        (json!({"status": "PAUSED"}), "both"),
        (json!({"status": "LOST", "ids": [ad]}), "status"),
        (json!({"budget": {ad.clone(): 1}}), "is an ad"),
        (json!({"rename": {ad.clone(): "X"}, "grant": "1"}), "no user 1"),
        (json!({"metrics": [{"ad_id": ad, "day": "today", "spend": 1}]}), "day"),
        (json!({"metrics": [{"ad_id": ad, "day": "2026-01-01", "mood": 1}]}), "no field mood"),
        (json!({"metrics": [{"ad_id": ad, "day": "2026-01-01"}]}), "field"),
        (json!({"break_field": {"ad_id": "1", "day": "2026-01-01", "field": "spend"}}), "no ad 1"),
        (json!({"account": {}}), "nothing to change"),
        (json!({"account": {"currency": "XXX"}}), "currency"),
    ] {
        let request = meta.http().post(meta.url(&format!("/_sim/ads/{ACCOUNT}/change"))).json(&body);
        let answer = read(request).await;
        assert_eq!(answer.status, 400, "{body}");
        assert!(answer.json["error"].as_str().unwrap().contains(word), "{body}: {}", answer.text);
    }
    assert_ne!(meta.get(&format!("/{ad}?fields=name"), &token).await.json["name"], "X");
    assert_eq!(read(meta.http().post(meta.url("/_sim/ads/1/change")).json(&json!({"heal": true}))).await.status, 400);
}
