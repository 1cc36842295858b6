//! Retention: after ninety days a lead is visible only in the control interface's state.

use graph_sim::seed;
use serde_json::{Value, json};

use crate::client::{IMPLANTS, Meta};

const DAY_S: i64 = 86_400;

#[tokio::test]
async fn an_expired_lead_is_in_no_list_and_is_counted_as_expired() {
    let meta = Meta::start().await;
    let old = meta.submit(json!({"form_id": IMPLANTS, "age_s": 89 * DAY_S})).await.remove(0);
    let organic = meta.submit(json!({"form_id": IMPLANTS, "age_s": 89 * DAY_S, "organic": true})).await.remove(0);
    let young = meta.one_lead(IMPLANTS).await;
    assert_eq!(counts(&meta).await, json!([3, 1, 0]));
    meta.sim("clock", json!({"advance_s": DAY_S})).await;
    assert_eq!(counts(&meta).await, json!([3, 1, 2]));
    let page = meta.page(seed::DENTAL).await;
    let listed = meta.get(&format!("/{IMPLANTS}/leads"), &page).await;
    assert_eq!(listed.column("id"), [young.as_str()]);
    let ad = listed.column("ad_id").remove(0);
    assert_eq!(meta.get(&format!("/{ad}/leads"), &page).await.column("id"), [young.as_str()]);
    let elements: Value = [&old, &organic, &young].map(|id| json!({"relative_url": id})).into_iter().collect();
    let rows = meta.batch(&page, &elements).await.json;
    assert_eq!((&rows[0]["code"], &rows[1]["code"], &rows[2]["code"]), (&json!(400), &json!(400), &json!(200)));
    assert_eq!(meta.get(&format!("/{old}"), &page).await.error(), (400, 100, Some(33)));
    assert_eq!(meta.sim_get("state").await["leads"].as_array().unwrap().len(), 3);
}

#[tokio::test]
async fn an_expired_test_lead_makes_room_for_another() {
    let meta = Meta::start().await;
    let path = format!("/{IMPLANTS}/test_leads");
    let page = meta.page(seed::DENTAL).await;
    meta.post(&path, &page, &[]).await;
    assert_eq!(meta.post(&path, &page, &[]).await.error(), (400, 100, None));
    meta.sim("clock", json!({"advance_s": 91 * DAY_S})).await;
    let page = meta.page(seed::DENTAL).await;
    assert!(meta.get(&path, &page).await.column("id").is_empty());
    assert!(meta.post(&path, &page, &[]).await.json["id"].is_string());
}

/// The counts of all, organic and expired leads.
async fn counts(meta: &Meta) -> Value {
    let page = meta.page(seed::DENTAL).await;
    let form =
        meta.get(&format!("/{IMPLANTS}?fields=leads_count,organic_leads_count,expired_leads_count"), &page).await;
    json!([form.json["leads_count"], form.json["organic_leads_count"], form.json["expired_leads_count"]])
}
