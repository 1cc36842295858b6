//! Test leads and their deletion.

use graph_sim::seed;
use serde_json::json;

use crate::client::{ALL_SCOPES, CHECK_UP, Meta};
use crate::receiver::Receiver;

#[tokio::test]
async fn a_form_has_one_test_lead_until_it_is_deleted() {
    let meta = Meta::start().await;
    let page = meta.page(seed::DENTAL).await;
    let edge = format!("/{CHECK_UP}/test_leads");
    let id = meta.post(&edge, &page, &[]).await.json["id"].as_str().unwrap().to_owned();
    assert_eq!(meta.post(&edge, &page, &[]).await.error(), (400, 100, None));
    assert_eq!(meta.get(&edge, &page).await.column("id"), std::slice::from_ref(&id));
    let lead = meta.get(&format!("/{id}?fields=is_organic,field_data,ad_id"), &page).await.json;
    assert_eq!(lead["is_organic"], true);
    assert_eq!(
        lead["field_data"][0],
        json!({"name": "full_name", "values": ["<test lead: dummy data for full_name>"]})
    );
    assert_eq!(lead["field_data"][1]["values"], json!(["test@meta.com"]));
    assert!(meta.get(&format!("/{CHECK_UP}/leads"), &page).await.column("id").is_empty());
    assert_eq!(meta.delete(&format!("/{id}"), &page).await.json, json!({"success": true}));
    assert_eq!(meta.get(&format!("/{id}"), &page).await.error(), (400, 100, Some(33)));
    let field_data = json!([{"name": "email", "values": ["mine@example.com"]}]).to_string();
    let id = meta.post(&edge, &page, &[("field_data", &field_data)]).await.json["id"].as_str().unwrap().to_owned();
    let lead = meta.get(&format!("/{id}"), &page).await.json;
    assert_eq!(lead["field_data"][1]["values"], json!(["mine@example.com"]));
}

#[tokio::test]
async fn only_test_leads_can_be_deleted() {
    let meta = Meta::start().await;
    let page = meta.page(seed::DENTAL).await;
    let lead = meta.one_lead(CHECK_UP).await;
    assert_eq!(meta.delete(&format!("/{lead}"), &page).await.error(), (403, 200, None));
    assert_eq!(meta.get(&format!("/{lead}"), &page).await.status, 200);
}

#[tokio::test]
async fn test_leads_need_leads_retrieval() {
    let meta = Meta::start().await;
    let user = meta.login(seed::MARA, ALL_SCOPES, "&_deny_scopes=leads_retrieval").await;
    let page = meta.page_of(&user, seed::DENTAL).await;
    assert_eq!(meta.post(&format!("/{CHECK_UP}/test_leads"), &page, &[]).await.error(), (403, 200, None));
}

#[tokio::test]
async fn a_test_lead_is_announced_without_an_ad() {
    let meta = Meta::start().await;
    let receiver = Receiver::start().await;
    receiver.subscribe(&meta, &[seed::DENTAL], "leadgen").await;
    let page = meta.page(seed::DENTAL).await;
    let answer = meta.post(&format!("/{CHECK_UP}/test_leads"), &page, &[]).await;
    let posts = receiver.wait_for_leads(1).await;
    let value = &posts[0].json["entry"][0]["changes"][0]["value"];
    assert_eq!(value["leadgen_id"], answer.json["id"]);
    assert!(value.get("ad_id").is_none() && value.get("adgroup_id").is_none());
}
