//! Access to a page's leads.

use graph_sim::seed;
use serde_json::json;

use crate::client::{ALL_SCOPES, Meta};

#[tokio::test]
async fn lead_access_tells_of_app_and_person_and_why_not() {
    let meta = Meta::start().await;
    let page = meta.page(seed::DENTAL).await;
    let ask = async |user_id: &str, app_id: &str| {
        let path = format!("/{}?fields=has_lead_access.user_id({user_id}).app_id({app_id})", seed::DENTAL);
        meta.get(&path, &page).await.json["has_lead_access"].clone()
    };
    let open = json!({
        "page_id": seed::DENTAL, "user_id": seed::MARA, "app_has_leads_permission": true, "can_access_lead": true,
        "enabled_lead_access_manager": false, "is_page_admin": true, "user_has_leads_permission": true,
    });
    assert_eq!(ask(seed::MARA, seed::APP_ID).await, open);
    let stranger = ask(seed::PRIYA, seed::APP_ID).await;
    assert_eq!((&stranger["user_has_leads_permission"], &stranger["can_access_lead"]), (&json!(false), &json!(false)));
    assert_eq!(ask(seed::MARA, "123").await["app_has_leads_permission"], false);
    meta.sim("pages", json!({"page_id": seed::DENTAL, "lead_access": false})).await;
    let closed = ask(seed::MARA, seed::APP_ID).await;
    assert_eq!((&closed["enabled_lead_access_manager"], &closed["can_access_lead"]), (&json!(true), &json!(false)));
    assert!(closed["failure_reason"].is_string() && closed["failure_resolution"].is_string());
    let narrow = format!("/{}?fields=has_lead_access{{can_access_lead}}", seed::DENTAL);
    assert_eq!(meta.get(&narrow, &page).await.json["has_lead_access"], json!({"can_access_lead": false}));
}

#[tokio::test]
async fn lead_access_needs_leads_retrieval() {
    let meta = Meta::start().await;
    let user = meta.login(seed::MARA, ALL_SCOPES, "&_deny_scopes=leads_retrieval").await;
    let page = meta.page_of(&user, seed::DENTAL).await;
    let answer = meta.get(&format!("/{}?fields=has_lead_access", seed::DENTAL), &page).await;
    assert_eq!(answer.error(), (403, 200, None));
}
