//! Rate limits of ad accounts: several at once, each with its own error.

use serde_json::{Value, json};

use crate::advertiser::{ACCOUNT, account, plan, with};
use crate::client::{Answer, Meta, read};

fn header(answer: &Answer, name: &str) -> Value {
    let value = answer.headers.get(name).unwrap_or_else(|| panic!("{name} in {:?}", answer.headers));
    serde_json::from_str(value.to_str().expect("ASCII")).expect("JSON")
}

/// The usage header's entry of one type for the account.
fn usage(answer: &Answer, kind: &str) -> Value {
    let header = header(answer, "x-business-use-case-usage");
    let entries = header[ACCOUNT].as_array().expect("entries of the account");
    entries.iter().find(|entry| entry["type"] == kind).cloned().unwrap_or_default()
}

async fn limit(meta: &Meta, more: Value) {
    meta.sim("limits", with(json!({"account_id": format!("act_{ACCOUNT}")}), more)).await;
}

#[tokio::test]
async fn insights_and_objects_have_limits_of_their_own() {
    let (meta, token) = account(plan(2, 2, 2, 20)).await;
    limit(&meta, json!({"calls": 2, "type": "ads_insights", "block_s": 90})).await;
    limit(&meta, json!({"calls": 4, "type": "ads_management"})).await;
    let (insights, ads) = (format!("/act_{ACCOUNT}/insights"), format!("/act_{ACCOUNT}/ads"));
    let first = meta.get(&insights, &token).await;
    assert_eq!(usage(&first, "ads_insights")["call_count"], 50);
    assert_eq!(usage(&first, "ads_management")["call_count"], 0, "both are told");
    assert_eq!(header(&first, "x-fb-ads-insights-throttle")["acc_id_util_pct"], 50);
    assert_eq!(meta.get(&insights, &token).await.status, 200);
    let refused = meta.get(&insights, &token).await;
    assert_eq!(refused.error(), (400, 80000, Some(2_446_079)));
    assert!(refused.message().contains("too many calls"));
    assert_eq!(refused.json["error"]["is_transient"], true);
    assert_eq!(usage(&refused, "ads_insights")["estimated_time_to_regain_access"], 2, "minutes, rounded up");
    assert_eq!(header(&refused, "x-fb-ads-insights-throttle")["acc_id_util_pct"], 100);
    for percent in [25, 50, 75, 100] {
        let answer = meta.get(&ads, &token).await;
        assert_eq!((answer.status, &usage(&answer, "ads_management")["call_count"]), (200, &json!(percent)));
        assert!(usage(&answer, "ads_insights").is_null());
        assert!(header(&answer, "x-ad-account-usage")["reset_time_duration"].is_i64());
    }
    assert_eq!(meta.get(&ads, &token).await.error(), (400, 80004, Some(2_446_079)));
    assert_eq!(meta.get("/me/adaccounts", &token).await.status, 200, "the person's calls are not the account's");
    let limits = meta.sim_get("limits").await;
    let told: Vec<_> = limits["limits"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| (it["account_id"].as_str(), it["type"].as_str()))
        .collect();
    assert_eq!(told, [(Some(ACCOUNT), Some("ads_insights")), (Some(ACCOUNT), Some("ads_management"))]);
    meta.sim("clock", json!({"advance_s": 91})).await;
    assert_eq!(meta.get(&insights, &token).await.status, 200);
}

#[tokio::test]
async fn reports_count_as_insights_and_impatience_lengthens_the_block() {
    let (meta, token) = account(plan(2, 2, 2, 20)).await;
    limit(&meta, json!({"calls": 2, "block_s": 600})).await;
    let submitted = meta.post(&format!("/act_{ACCOUNT}/insights"), &token, &[]).await;
    let run = submitted.json["report_run_id"].as_str().unwrap();
    assert_eq!(meta.get(&format!("/{run}"), &token).await.status, 200);
    let elements: Value = (0..3).map(|_| json!({"relative_url": run})).collect();
    let rows = meta.batch(&token, &elements).await.json;
    for row in rows.as_array().unwrap() {
        assert_eq!(row["code"], 400);
        let headers = row["headers"].as_array().unwrap();
        let usage = headers.iter().find(|header| header["name"] == "x-business-use-case-usage").unwrap();
        assert!(usage["value"].as_str().unwrap().contains("\"call_count\":100"));
    }
    let told = meta.sim_get("limits").await["limits"][0].clone();
    assert_eq!((&told["calls_while_blocked"], &told["used"]), (&json!(2), &json!(2)));
    assert!((718..=720).contains(&told["blocked_for_s"].as_i64().unwrap()), "{told}");
}

#[tokio::test]
async fn the_score_and_the_app_have_other_codes() {
    let (meta, token) = account(plan(2, 2, 2, 20)).await;
    limit(&meta, json!({"calls": 1, "type": "score", "block_s": 300})).await;
    let path = format!("/act_{ACCOUNT}/campaigns");
    assert_eq!(header(&meta.get(&path, &token).await, "x-ad-account-usage")["acc_id_util_pct"], 100);
    let refused = meta.get(&path, &token).await;
    assert_eq!(refused.error(), (400, 17, Some(2_446_079)));
    let score = header(&refused, "x-ad-account-usage");
    assert!((299..=300).contains(&score["reset_time_duration"].as_i64().unwrap()), "seconds: {score}");
    assert_eq!(meta.get(&format!("/act_{ACCOUNT}/insights"), &token).await.status, 200);

    meta.sim("limits", json!({"calls": 1, "type": "app"})).await;
    let path = format!("/act_{}/insights", graph_sim::seed::AD_ACCOUNT);
    assert_eq!(header(&meta.get(&path, &token).await, "x-fb-ads-insights-throttle")["app_id_util_pct"], 100);
    let refused = meta.get(&format!("/act_{ACCOUNT}/insights"), &token).await;
    assert_eq!(refused.error(), (400, 4, Some(1_504_022)), "of all accounts together");
    assert_eq!(read(meta.http().delete(meta.url("/_sim/limits"))).await.json, json!({"removed": 2}));
}

#[tokio::test]
async fn mistakes_in_limits_of_accounts_are_told() {
    let (meta, _) = account(plan(1, 1, 1, 1)).await;
    for (body, word) in [
        (json!({"account_id": "1", "calls": 1}), "no ad account 1"),
        (json!({"account_id": ACCOUNT, "calls": 1, "type": "leadgen"}), "type"),
        (json!({"account_id": ACCOUNT, "page_id": "1", "calls": 1}), "one of them"),
        (json!({"calls": 1}), "required"),
    ] {
        let answer = read(meta.http().post(meta.url("/_sim/limits")).json(&body)).await;
        assert_eq!(answer.status, 400, "{body}");
        assert!(answer.json["error"].as_str().unwrap().contains(word), "{body}: {}", answer.text);
    }
}
