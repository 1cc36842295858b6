//! Rate limits of a page: growing usage, rejections, and blocks that further calls prolong.

use graph_sim::seed;
use serde_json::{Value, json};

use crate::client::{Answer, CHECK_UP, Meta, read};

/// The page's entry in a usage header.
fn usage(text: &str) -> Value {
    serde_json::from_str::<Value>(text).expect("JSON")[seed::DENTAL][0].clone()
}

fn top_usage(answer: &Answer) -> Value {
    usage(answer.headers["x-business-use-case-usage"].to_str().expect("ASCII"))
}

#[tokio::test]
async fn usage_grows_with_every_call_until_the_next_is_refused() {
    let meta = Meta::start().await;
    let user = meta.mara().await;
    let page = meta.page_of(&user, seed::DENTAL).await;
    let lead = meta.one_lead(CHECK_UP).await;
    meta.sim("limits", json!({"page_id": seed::DENTAL, "calls": 4})).await;
    for (path, status, percent) in [
        (format!("/{lead}"), 200, 25),
        ("/me".to_owned(), 200, 50),
        ("/123".to_owned(), 400, 75),
        (format!("/{CHECK_UP}/leads"), 200, 100),
    ] {
        let answer = meta.get(&path, &page).await;
        assert_eq!(answer.status, status, "{path}");
        let expected = json!({"type": "leadgen", "call_count": percent, "total_cputime": percent / 2,
                              "total_time": percent / 2, "estimated_time_to_regain_access": 0});
        assert_eq!(top_usage(&answer), expected);
    }
    let refused = meta.get(&format!("/{lead}"), &page).await;
    assert_eq!(refused.error(), (400, 80005, None));
    assert!(refused.message().starts_with("(#80005) There have been too many calls"));
    let full = top_usage(&refused);
    assert_eq!((&full["call_count"], &full["estimated_time_to_regain_access"]), (&json!(100), &json!(1)));
    assert_eq!(meta.get("/me", &user).await.status, 200, "the person's own calls are not the page's");
    let other = meta.page_of(&user, seed::BAKERY).await;
    assert_eq!(meta.get("/me", &other).await.status, 200);
}

#[tokio::test]
async fn every_request_in_a_batch_counts_and_tells_its_usage() {
    let meta = Meta::start().await;
    let page = meta.page(seed::DENTAL).await;
    meta.sim("limits", json!({"page_id": seed::DENTAL, "calls": 3, "type": "pages"})).await;
    let elements: Value = (0..5).map(|_| json!({"method": "GET", "relative_url": "me"})).collect();
    let rows = meta.batch(&page, &elements).await.json;
    let told: Vec<(i64, i64)> = rows
        .as_array()
        .unwrap()
        .iter()
        .map(|row| {
            let headers = row["headers"].as_array().unwrap();
            let header = headers.iter().find(|header| header["name"] == "x-business-use-case-usage").unwrap();
            let used = usage(header["value"].as_str().unwrap());
            assert_eq!(used["type"], "pages");
            (row["code"].as_i64().unwrap(), used["call_count"].as_i64().unwrap())
        })
        .collect();
    assert_eq!(told, [(200, 33), (200, 66), (200, 100), (400, 100), (400, 100)]);
    assert!(rows[3]["body"].as_str().unwrap().contains("80001"));
    let limits = meta.sim_get("limits").await;
    let expected = json!([{"page_id": seed::DENTAL, "used": 3, "blocked_for_s": 66, "calls_while_blocked": 1}]);
    assert_eq!(limits["limits"], expected, "the fourth starts the block, the fifth lengthens it");
}

#[tokio::test]
async fn a_block_ends_by_the_simulated_clock_and_the_window_begins_anew() {
    let meta = Meta::start().await;
    let page = meta.page(seed::DENTAL).await;
    meta.sim("limits", json!({"page_id": seed::DENTAL, "calls": 1, "window_s": 7200, "block_s": 600})).await;
    assert_eq!(meta.get("/me", &page).await.status, 200);
    assert_eq!(top_usage(&meta.get("/me", &page).await)["estimated_time_to_regain_access"], 10);
    for _ in 0..30 {
        assert_eq!(meta.get("/me", &page).await.error(), (400, 80005, None));
    }
    let limit = meta.sim_get("limits").await["limits"][0].clone();
    assert_eq!(limit["calls_while_blocked"], 30);
    assert!((1190..=1200).contains(&limit["blocked_for_s"].as_i64().unwrap()), "twice at most: {limit}");
    meta.sim("clock", json!({"advance_s": 1201})).await;
    assert_eq!(meta.sim_get("limits").await["limits"][0]["blocked_for_s"], 0);
    let after = meta.get("/me", &page).await;
    assert_eq!((after.status, &top_usage(&after)["estimated_time_to_regain_access"]), (200, &json!(0)));
    meta.get("/me", &page).await;
    assert_eq!(read(meta.http().delete(meta.url("/_sim/limits"))).await.json, json!({"removed": 1}));
    assert_eq!(meta.get("/me", &page).await.status, 200);
    assert_eq!(meta.sim_get("limits").await, json!({"limits": []}));
}

#[tokio::test]
async fn mistakes_in_limits_are_told() {
    let meta = Meta::start().await;
    for (body, word) in [
        (json!({"page_id": "1", "calls": 1}), "no page 1"),
        (json!({"page_id": seed::DENTAL, "calls": 0}), "calls"),
        (json!({"page_id": seed::DENTAL, "calls": 1, "block_s": 0}), "block_s"),
        (json!({"page_id": seed::DENTAL, "calls": 1, "type": "instagram"}), "type"),
    ] {
        let answer = read(meta.http().post(meta.url("/_sim/limits")).json(&body)).await;
        assert_eq!(answer.status, 400, "{body}");
        assert!(answer.json["error"].as_str().unwrap().contains(word), "{body}: {}", answer.text);
    }
}
