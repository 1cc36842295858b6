//! Withdrawn permissions, and tokens that become valid again.

use graph_sim::seed;
use serde_json::json;

use crate::client::{CHECK_UP, Meta};

#[tokio::test]
async fn a_withdrawn_permission_is_declined_and_its_calls_are_refused() {
    let meta = Meta::start().await;
    let user = meta.mara().await;
    let page = meta.page_of(&user, seed::DENTAL).await;
    let scopes = json!(["leads_retrieval", "business_management", "pages_read_engagement"]);
    meta.sim("tokens", json!({"action": "scope_revoked", "user_id": seed::MARA, "scopes": scopes})).await;
    let permissions = meta.get("/me/permissions", &user).await.json["data"].clone();
    for (permission, status) in [("leads_retrieval", "declined"), ("pages_manage_ads", "granted")] {
        assert!(
            permissions.as_array().unwrap().contains(&json!({"permission": permission, "status": status})),
            "{permissions}"
        );
    }
    assert_eq!(meta.get(&format!("/{CHECK_UP}/leads"), &page).await.error(), (403, 200, None));
    assert_eq!(meta.get("/me/businesses", &user).await.error(), (403, 200, None));
    assert_eq!(meta.get(&format!("/{}?fields=about", seed::DENTAL), &page).await.error(), (403, 10, None));
    assert_eq!(meta.get(&format!("/{}/leadgen_forms", seed::DENTAL), &page).await.status, 200);
}

#[tokio::test]
async fn a_system_users_tokens_lose_a_withdrawn_permission_too() {
    let meta = Meta::start().await;
    let made = meta.sim("system_users", json!({})).await;
    let (token, page_id) = (made["token"].as_str().unwrap(), made["pages"][0]["id"].as_str().unwrap());
    let page = meta.page_of(token, page_id).await;
    let body = json!({"action": "scope_revoked", "user_id": made["id"], "scopes": ["pages_manage_ads"]});
    meta.sim("tokens", body).await;
    assert_eq!(meta.get(&format!("/{page_id}/leadgen_forms"), &page).await.error(), (403, 200, None));
}

#[tokio::test]
async fn a_passed_checkpoint_restores_the_tokens() {
    let meta = Meta::start().await;
    let user = meta.mara().await;
    let page = meta.page_of(&user, seed::DENTAL).await;
    for (action, subcode) in [("checkpoint", 459), ("consent_blocked", 483)] {
        meta.sim("tokens", json!({"action": action, "user_id": seed::MARA})).await;
        assert_eq!(meta.get("/me", &user).await.error(), (400, 190, Some(subcode)));
        assert_eq!(meta.get("/me", &page).await.error(), (400, 190, Some(subcode)));
        let answer = meta.sim("tokens", json!({"action": "restore", "user_id": seed::MARA})).await;
        assert!(answer["tokens"].as_u64().unwrap() >= 2);
        assert_eq!(meta.get("/me", &user).await.status, 200);
        assert_eq!(meta.get("/me", &page).await.status, 200);
    }
    meta.sim("tokens", json!({"action": "remove_app", "user_id": seed::MARA})).await;
    meta.sim("tokens", json!({"action": "restore", "user_id": seed::MARA})).await;
    assert_eq!(meta.get("/me", &user).await.error(), (400, 190, Some(458)), "a removed app stays removed");
}
