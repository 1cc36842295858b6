//! Late webhooks, webhooks mixed with other changes, and delayed duplicates.

use std::time::{Duration, Instant};

use graph_sim::seed;
use serde_json::{Value, json};

use crate::client::{CHECK_UP, Meta, read};
use crate::receiver::{Post, Receiver};

#[tokio::test]
async fn a_late_webhook_waits_in_real_time_whatever_the_clock_says() {
    let meta = Meta::start().await;
    let receiver = Receiver::start().await;
    receiver.subscribe(&meta, &[seed::DENTAL], "leadgen").await;
    let start = Instant::now();
    let late = meta.submit(json!({"form_id": CHECK_UP, "count": 2, "deliver_after_ms": 1500})).await;
    meta.sim("clock", json!({"advance_s": 3600})).await;
    let prompt = meta.one_lead(CHECK_UP).await;
    assert_eq!(ids(&receiver.wait_for_leads(1).await), [prompt.as_str()]);
    assert_eq!(meta.sim_get("stats").await["webhooks"]["waiting"]["changes"], 2);
    let all = ids(&receiver.wait_for_leads(3).await);
    assert!(start.elapsed() >= Duration::from_millis(1500));
    assert_eq!(all, [prompt.as_str(), &late[0], &late[1]]);
    let refused = json!({"form_id": CHECK_UP, "deliver": "drop", "deliver_after_ms": 1});
    assert_eq!(read(meta.http().post(meta.url("/_sim/leads")).json(&refused)).await.status, 400);
}

#[tokio::test]
async fn late_duplicates_and_late_reorders_keep_their_manner() {
    let meta = Meta::start().await;
    let receiver = Receiver::start().await;
    receiver.subscribe(&meta, &[seed::DENTAL], "leadgen").await;
    let body = json!({"form_id": CHECK_UP, "count": 2, "deliver": "reorder", "deliver_after_ms": 300});
    let mut sent = meta.submit(body).await;
    sent.reverse();
    assert_eq!(ids(&receiver.wait_for_leads(2).await), sent);
    let one =
        meta.submit(json!({"form_id": CHECK_UP, "deliver": "duplicate", "deliver_after_ms": 300})).await.remove(0);
    let posts = receiver.wait_for_leads(4).await;
    assert_eq!(ids(&posts)[2..], [one.clone(), one]);
}

#[tokio::test]
async fn a_duplicate_comes_again_when_the_first_is_long_dealt_with() {
    let meta = Meta::start().await;
    let receiver = Receiver::start().await;
    receiver.subscribe(&meta, &[seed::DENTAL], "leadgen").await;
    let sent = meta.submit(json!({"form_id": CHECK_UP, "count": 2, "deliver": "duplicate"})).await;
    let twice = receiver.wait_for_leads(4).await;
    let first = Instant::now();
    let thrice = receiver.wait_for_leads(6).await;
    assert!(first.elapsed() > Duration::from_millis(500));
    assert_eq!(thrice.len(), twice.len() + 1);
    assert_eq!(ids(&thrice[twice.len()..]), sent);
}

#[tokio::test]
async fn a_single_reordered_lead_is_overtaken_by_the_next() {
    let meta = Meta::start().await;
    let receiver = Receiver::start().await;
    receiver.subscribe(&meta, &[seed::DENTAL], "leadgen").await;
    let first = meta.submit(json!({"form_id": CHECK_UP, "deliver": "reorder"})).await.remove(0);
    let second = meta.one_lead(CHECK_UP).await;
    assert_eq!(ids(&receiver.wait_for_leads(2).await), [second, first]);
}

#[tokio::test]
async fn a_mixed_lead_stands_in_one_body_with_what_is_no_lead() {
    let meta = Meta::start().await;
    let receiver = Receiver::start().await;
    receiver.subscribe(&meta, &[seed::DENTAL, seed::BAKERY], "leadgen").await;
    let sent = meta.submit(json!({"form_id": CHECK_UP, "count": 2, "deliver": "mixed"})).await;
    let posts = receiver.wait(|posts| posts.len() == 2).await;
    let mut found = Vec::new();
    for post in &posts {
        let entries = post.json["entry"].as_array().unwrap();
        assert_eq!(post.pages(), [seed::DENTAL, seed::DENTAL, seed::BAKERY]);
        assert!(entries[0]["messaging"][0]["message"]["mid"].is_string() && entries[0].get("changes").is_none());
        assert!(entries[0]["time"].as_i64().unwrap() > 100_000_000_000, "milliseconds");
        let fields = |entry: &Value| -> Vec<Value> {
            entry["changes"].as_array().unwrap().iter().map(|change| change["field"].clone()).collect()
        };
        assert_eq!(fields(&entries[1]), ["feed", "leadgen"]);
        assert_eq!(fields(&entries[2]), ["feed"]);
        found.push(entries[1]["changes"][1]["value"]["leadgen_id"].as_str().unwrap().to_owned());
    }
    found.sort();
    assert_eq!(found, sent);
    while meta.sim_get("state").await["leads"].as_array().unwrap().iter().any(|lead| lead["delivered"] == false) {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Lead ids in order of arrival.
fn ids(posts: &[Post]) -> Vec<String> {
    posts.iter().flat_map(Post::leads).map(|(_, id)| id).collect()
}
