//! An app in development mode receives only tests.

use graph_sim::seed;
use serde_json::json;

use crate::client::{CHECK_UP, Meta};
use crate::receiver::Receiver;

#[tokio::test]
async fn leads_of_strangers_are_neither_announced_nor_shown_until_the_app_is_live() {
    let meta = Meta::start().await;
    let receiver = Receiver::start().await;
    receiver.subscribe(&meta, &[seed::DENTAL], "leadgen,feed").await;
    let page = meta.page(seed::DENTAL).await;
    assert_eq!(meta.sim("app", json!({"mode": "development"})).await["mode"], "development");
    let lead = meta.one_lead(CHECK_UP).await;
    let value = json!({"item": "comment", "verb": "add"});
    let event = meta.sim("events", json!({"id": seed::DENTAL, "field": "feed", "value": value})).await;
    assert_eq!(event["queued"], 0);
    assert_eq!(meta.get(&format!("/{lead}"), &page).await.error(), (400, 100, Some(33)));
    assert!(meta.get(&format!("/{CHECK_UP}/leads"), &page).await.column("id").is_empty());

    let test = meta.post(&format!("/{CHECK_UP}/test_leads"), &page, &[]).await.json["id"].clone();
    let test = test.as_str().unwrap();
    let posts = receiver.wait_for_leads(1).await;
    assert_eq!(posts[0].leads(), [(seed::DENTAL.to_owned(), test.to_owned())]);
    assert_eq!(meta.get(&format!("/{test}"), &page).await.json["id"], test);
    meta.sim("events", json!({"dashboard_test": true})).await;
    receiver.wait(|posts| posts.len() == 2).await;

    let state = meta.sim_get("state").await;
    assert_eq!(state["app"]["mode"], "development");
    let stored = state["leads"].as_array().unwrap().iter().find(|known| known["id"] == lead).unwrap();
    assert_eq!(stored["delivery"], json!({"state": "development", "attempts": 0}));

    meta.sim("app", json!({"mode": "live"})).await;
    assert_eq!(meta.get(&format!("/{lead}"), &page).await.status, 200);
    assert_eq!(meta.get(&format!("/{CHECK_UP}/leads"), &page).await.column("id"), [lead]);
}

#[tokio::test]
async fn a_reset_makes_the_app_live_and_keeps_its_addresses() {
    let meta = Meta::start().await;
    let address = "https://client.example/deauthorize";
    meta.sim("app", json!({"mode": "development", "deauthorize_url": address})).await;
    meta.sim("reset", json!({})).await;
    let app = meta.sim_get("state").await["app"].clone();
    assert_eq!((&app["mode"], &app["deauthorize_url"]), (&json!("live"), &json!(address)));
}
