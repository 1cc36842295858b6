//! Webhook bodies: signatures, shared bodies, duplicates, order.

use std::collections::{HashMap, HashSet};

use graph_sim::{Options, seed, signing};
use serde_json::{Value, json};

use crate::client::{ALL_SCOPES, CATERING, CHECK_UP, IMPLANTS, Meta};
use crate::receiver::{Post, Receiver};

#[tokio::test]
async fn a_lead_is_announced_by_ids_only_and_the_post_is_signed() {
    let meta = Meta::start().await;
    let receiver = Receiver::start().await;
    receiver.subscribe(&meta, &[seed::DENTAL], "leadgen").await;
    let id = meta.one_lead(CHECK_UP).await;
    let post = receiver.wait_for_leads(1).await.remove(0);
    assert_eq!(post.json["object"], "page");
    let entry = &post.json["entry"][0];
    assert_eq!(entry["id"], seed::DENTAL);
    assert!(entry["time"].as_i64().unwrap() < 100_000_000_000, "seconds");
    let value = &entry["changes"][0]["value"];
    assert_eq!(
        (&value["leadgen_id"], &value["form_id"], &value["page_id"]),
        (&json!(id), &json!(CHECK_UP), &json!(seed::DENTAL))
    );
    assert_eq!(value["ad_id"], value["adgroup_id"]);
    assert!(value["created_time"].is_i64());
    assert_eq!(post.headers["x-hub-signature-256"], signing::hub_signature_256(seed::APP_SECRET, &post.bytes));
    assert_eq!(post.headers["x-hub-signature"], signing::hub_signature_sha1(seed::APP_SECRET, &post.bytes));
    assert_eq!(post.headers["content-type"], "application/json");
    delivered(&meta, 1).await;
}

#[tokio::test]
async fn what_is_signed_are_the_escaped_bytes_on_the_wire() {
    let meta = Meta::start().await;
    let receiver = Receiver::start().await;
    receiver.subscribe(&meta, &[seed::DENTAL], "leadgen,feed").await;
    let value = json!({"item": "comment", "verb": "add", "message": "Schön 🎉 a/b"});
    meta.sim("events", json!({"id": seed::DENTAL, "field": "feed", "value": value})).await;
    let post = receiver.wait(|posts| !posts.is_empty()).await.remove(0);
    let text = std::str::from_utf8(&post.bytes).unwrap();
    assert!(text.is_ascii() && text.contains(r#""Sch\u00f6n \ud83c\udf89 a\/b""#), "{text}");
    assert_eq!(post.headers["x-hub-signature-256"], signing::hub_signature_256(seed::APP_SECRET, &post.bytes));
    let again = serde_json::to_vec(&post.json).unwrap();
    assert_ne!(post.headers["x-hub-signature-256"], signing::hub_signature_256(seed::APP_SECRET, &again));
    assert_eq!(post.json["entry"][0]["changes"][0]["value"], value);
}

#[tokio::test]
async fn leads_of_several_pages_at_one_time_share_a_body() {
    let meta = Meta::start().await;
    let receiver = Receiver::start().await;
    receiver.subscribe(&meta, &[seed::DENTAL, seed::BAKERY], "leadgen").await;
    let mut sent: HashSet<String> = HashSet::new();
    // On a machine that stalls for a moment the calls may end up in different bodies, so retry.
    for _ in 0..20 {
        for form_id in [CHECK_UP, CATERING, IMPLANTS] {
            sent.extend(meta.submit(json!({"form_id": form_id, "count": 40})).await);
        }
        let posts = receiver.wait_for_leads(sent.len()).await;
        let got: Vec<String> = posts.iter().flat_map(Post::leads).map(|(_, id)| id).collect();
        assert_eq!(got.len(), sent.len());
        assert_eq!(got.into_iter().collect::<HashSet<_>>(), sent);
        // One body with two pages and several entries of one of them.
        let mixed = |post: &Post| post.pages().iter().collect::<HashSet<_>>().len() == 2 && post.pages().len() > 2;
        if posts.iter().any(mixed) {
            return;
        }
    }
    panic!("no body had two pages");
}

#[tokio::test]
async fn a_body_holds_at_most_a_thousand_changes() {
    let meta = Meta::start().await;
    let receiver = Receiver::start().await;
    receiver.subscribe(&meta, &[seed::DENTAL], "leadgen").await;
    meta.submit(json!({"form_id": CHECK_UP, "count": 1001})).await;
    let posts = receiver.wait_for_leads(1001).await;
    let mut sizes: Vec<usize> = posts.iter().map(|post| post.leads().len()).collect();
    sizes.sort_unstable();
    assert_eq!(sizes, [1, 1000]);
}

#[tokio::test]
async fn duplicates_come_within_one_body_and_in_a_later_one() {
    let meta = Meta::start().await;
    let receiver = Receiver::start().await;
    receiver.subscribe(&meta, &[seed::DENTAL], "leadgen").await;
    meta.submit(json!({"form_id": CHECK_UP, "count": 4, "deliver": "duplicate"})).await;
    let posts = receiver.wait_for_leads(8).await;
    let mut times: HashMap<String, usize> = HashMap::new();
    for (_, id) in posts.iter().flat_map(Post::leads) {
        *times.entry(id).or_default() += 1;
    }
    assert!(times.len() == 4 && times.values().all(|count| *count == 2), "{times:?}");
    let repeats = |post: &Post| post.leads().len() - post.leads().iter().collect::<HashSet<_>>().len();
    let mut bodies: Vec<_> = posts.iter().map(|post| (post.leads().len(), repeats(post))).collect();
    bodies.sort_unstable();
    assert_eq!(bodies, [(2, 0), (6, 2)], "two repeated within the body, two in a later one");
}

#[tokio::test]
async fn reordered_leads_come_newest_first() {
    let meta = Meta::start().await;
    let receiver = Receiver::start().await;
    receiver.subscribe(&meta, &[seed::DENTAL], "leadgen").await;
    let mut ids = meta.submit(json!({"form_id": CHECK_UP, "count": 6, "deliver": "reorder"})).await;
    let posts = receiver.wait_for_leads(6).await;
    ids.reverse();
    let mut bodies: Vec<Vec<String>> =
        posts.iter().map(|post| post.leads().into_iter().map(|(_, id)| id).collect()).collect();
    bodies.sort_by(|a, b| b.cmp(a));
    assert_eq!(bodies, [&ids[..3], &ids[3..]], "and the older half in a body of its own");
}

#[tokio::test]
async fn dropped_and_unsubscribed_leads_are_never_announced_and_the_truth_says_so() {
    let meta = Meta::start().await;
    let receiver = Receiver::start().await;
    receiver.subscribe(&meta, &[seed::DENTAL], "leadgen").await;
    let dropped = meta.submit(json!({"form_id": CHECK_UP, "deliver": "drop"})).await.remove(0);
    let foreign = meta.one_lead(CATERING).await;
    let normal = meta.one_lead(CHECK_UP).await;
    receiver.wait_for_leads(1).await;
    delivered(&meta, 1).await;
    let state = meta.sim_get("state").await;
    let truth = |id: &str| -> Value {
        let leads = state["leads"].as_array().unwrap();
        let lead = leads.iter().find(|lead| lead["id"] == id).unwrap();
        json!([lead["delivered"], lead["delivery"]["state"]])
    };
    assert_eq!(truth(&normal), json!([true, "delivered"]));
    assert_eq!(truth(&dropped), json!([false, "dropped"]));
    assert_eq!(truth(&foreign), json!([false, "unsubscribed"]));
    assert_eq!(receiver.posts().len(), 1);
}

#[tokio::test]
async fn a_page_without_the_field_and_an_object_without_callback_get_nothing() {
    let meta = Meta::start().await;
    let receiver = Receiver::start().await;
    receiver.subscribe(&meta, &[seed::DENTAL], "leadgen").await;
    let event = |object: &str, field: &str| json!({"object": object, "id": seed::DENTAL, "field": field, "value": {}});
    assert_eq!(meta.sim("events", event("page", "feed")).await["queued"], 0);
    assert_eq!(meta.sim("events", event("instagram", "comments")).await["queued"], 0);
    assert_eq!(meta.sim("events", event("page", "leadgen")).await["queued"], 1);
}

#[tokio::test]
async fn messaging_events_have_their_own_key_and_milliseconds() {
    let meta = Meta::start().await;
    let receiver = Receiver::start().await;
    receiver.subscribe(&meta, &[seed::DENTAL], "leadgen,messages").await;
    let message = json!({"sender": {"id": "77"}, "recipient": {"id": seed::DENTAL}, "timestamp": 1, "message": {"mid": "m_1", "text": "hi"}});
    meta.sim("events", json!({"page_id": seed::DENTAL, "messaging": message})).await;
    let post = receiver.wait(|posts| !posts.is_empty()).await.remove(0);
    let entry = &post.json["entry"][0];
    assert_eq!(entry["messaging"], json!([message]));
    assert!(entry["time"].as_i64().unwrap() > 100_000_000_000 && entry.get("changes").is_none());
}

#[tokio::test]
async fn the_dashboards_test_and_raw_bytes_are_signed_as_they_are() {
    let meta = Meta::start().await;
    let receiver = Receiver::start().await;
    receiver.subscribe(&meta, &[], "leadgen").await;
    meta.sim("events", json!({"dashboard_test": true})).await;
    meta.sim("events", json!({"raw": "not { json"})).await;
    let posts = receiver.wait(|posts| posts.len() == 2).await;
    for post in &posts {
        assert_eq!(post.headers["x-hub-signature-256"], signing::hub_signature_256(seed::APP_SECRET, &post.bytes));
    }
    assert!(posts.iter().any(|post| post.json["entry"][0]["id"] == "0"));
    assert!(posts.iter().any(|post| post.bytes == "not { json"));
}

#[tokio::test]
async fn ids_can_be_numbers_and_values_can_be_left_out() {
    let meta = Meta::start_with(Options { numeric_webhook_ids: true, ..Options::default() }).await;
    let receiver = Receiver::start().await;
    receiver.subscribe(&meta, &[seed::DENTAL], "leadgen").await;
    let id: u64 = meta.one_lead(CHECK_UP).await.parse().unwrap();
    let post = receiver.wait(|posts| !posts.is_empty()).await.remove(0);
    assert_eq!(post.json["entry"][0]["changes"][0]["value"]["leadgen_id"], json!(id));

    let form = [
        ("object", "page"),
        ("callback_url", &receiver.url("/hook")),
        ("fields", "leadgen"),
        ("include_values", "false"),
    ];
    meta.post(&format!("/{}/subscriptions", seed::APP_ID), &crate::client::app_token(), &form).await;
    meta.one_lead(CHECK_UP).await;
    let post = receiver.wait(|posts| posts.len() == 2).await.remove(1);
    assert_eq!(post.json["entry"][0]["changed_fields"], json!(["leadgen"]));
    assert!(post.json["entry"][0].get("changes").is_none());
}

#[tokio::test]
async fn one_page_of_two_people_is_announced_once() {
    let meta = Meta::start().await;
    let receiver = Receiver::start().await;
    receiver.subscribe(&meta, &[seed::DENTAL], "leadgen").await;
    let jonas = meta.login(seed::JONAS, ALL_SCOPES, "").await;
    let token = meta.page_of(&jonas, seed::DENTAL).await;
    meta.post(&format!("/{}/subscribed_apps", seed::DENTAL), &token, &[("subscribed_fields", "leadgen")]).await;
    let id = meta.one_lead(CHECK_UP).await;
    receiver.wait_for_leads(1).await;
    delivered(&meta, 1).await;
    assert_eq!(receiver.posts().len(), 1);
    assert_eq!(meta.get(&format!("/{id}"), &token).await.json["id"], id.as_str());
}

/// Waits until the simulator has recorded `posts` responses.
async fn delivered(meta: &Meta, posts: u64) {
    while meta.sim_get("stats").await["webhooks"]["posts"].as_u64() < Some(posts) {
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
}
