//! Businesses and ad accounts.

use graph_sim::seed;
use serde_json::json;

use crate::client::{ALL_SCOPES, Meta};

const FIELDS: &str = "fields=id,account_id,name,account_status,currency,timezone_name,business";

#[tokio::test]
async fn a_person_lists_their_ad_accounts_with_a_permission_about_ads() {
    let meta = Meta::start().await;
    let token = meta.mara().await;
    let answer = meta.get(&format!("/me/adaccounts?{FIELDS}"), &token).await;
    assert_eq!(answer.column("currency"), ["USD", "EUR", "JPY"]);
    let first = json!({
        "id": format!("act_{}", seed::AD_ACCOUNT), "account_id": seed::AD_ACCOUNT, "name": "Lead campaigns",
        "account_status": 1, "currency": "USD", "timezone_name": "America/New_York",
        "business": {"id": seed::PORTFOLIO, "name": "Northwind Holding"},
    });
    assert_eq!(answer.json["data"][0], first);
    let plain = meta.get("/me/adaccounts?limit=1", &token).await;
    let expected = json!([{"id": format!("act_{}", seed::AD_ACCOUNT), "account_id": seed::AD_ACCOUNT}]);
    assert_eq!(plain.json["data"], expected);
    assert!(plain.json["paging"]["next"].is_string());

    let jonas = meta.login(seed::JONAS, "ads_read", "").await;
    let fields = "fields=name,account_status";
    assert_eq!(meta.get(&format!("/me/adaccounts?{fields}"), &jonas).await.json["data"][0]["account_status"], 2);
    assert_eq!(meta.get("/me/adaccounts?fields=business", &jonas).await.error(), (403, 200, None));
    let without = meta.login(seed::PRIYA, "business_management", "").await;
    assert_eq!(meta.get("/me/adaccounts", &without).await.error(), (403, 200, None));
}

#[tokio::test]
async fn an_ad_account_is_read_by_its_act_id_and_only_by_those_assigned() {
    let meta = Meta::start().await;
    let token = meta.mara().await;
    let path = format!("/act_{}?fields=currency", seed::AD_ACCOUNT_JPY);
    assert_eq!(meta.get(&path, &token).await.json["currency"], "JPY");
    assert_eq!(meta.get(&format!("/{}", seed::AD_ACCOUNT_JPY), &token).await.error(), (400, 100, Some(33)));
    assert_eq!(meta.get("/act_123", &token).await.error(), (400, 100, Some(33)));
    let priya = meta.login(seed::PRIYA, ALL_SCOPES, "").await;
    assert_eq!(meta.get(&path, &priya).await.error(), (400, 100, Some(33)));
}

#[tokio::test]
async fn a_business_lists_owned_and_client_ad_accounts() {
    let meta = Meta::start().await;
    let token = meta.login(seed::MARA, "business_management", "").await;
    let businesses = meta.get("/me/businesses?fields=id,name,verification_status", &token).await;
    let portfolio = json!([{"id": seed::PORTFOLIO, "name": "Northwind Holding", "verification_status": "verified"}]);
    assert_eq!(businesses.json["data"], portfolio);
    let owned = meta.get(&format!("/{}/owned_ad_accounts?{FIELDS}", seed::PORTFOLIO), &token).await;
    assert_eq!(owned.column("account_id"), [seed::AD_ACCOUNT, seed::AD_ACCOUNT_EUR]);
    let client = meta.get(&format!("/{}/client_ad_accounts?{FIELDS}", seed::PORTFOLIO), &token).await;
    assert_eq!(client.column("name"), ["Café Élan Tokyo"]);
    assert!(client.json["data"][0].get("business").is_none());
    let without = meta.login(seed::MARA, ALL_SCOPES, "&_deny_scopes=business_management").await;
    meta.sim("tokens", json!({"action": "scope_revoked", "user_id": seed::MARA, "scopes": ["business_management"]}))
        .await;
    let refused = meta.get(&format!("/{}/owned_ad_accounts", seed::PORTFOLIO), &without).await;
    assert_eq!(refused.error(), (403, 200, None));
}

#[tokio::test]
async fn newcomers_and_system_users_have_ad_accounts_in_three_currencies() {
    let meta = Meta::start().await;
    let person = meta.sim("users", json!({})).await;
    let token = meta.login(person["id"].as_str().unwrap(), ALL_SCOPES, "").await;
    let system = meta.sim("system_users", json!({})).await["token"].as_str().unwrap().to_owned();
    for token in [token, system] {
        let accounts = meta.get("/me/adaccounts?fields=currency,account_id", &token).await;
        assert_eq!(accounts.column("currency"), ["USD", "EUR", "JPY"]);
    }
    let state = meta.sim_get("state").await;
    let accounts = state["ad_accounts"].as_array().unwrap();
    let mut ids: Vec<_> = accounts.iter().map(|account| account["id"].to_string()).collect();
    ids.sort();
    ids.dedup();
    assert_eq!((ids.len(), accounts.len()), (14, 14));
    assert!(!accounts[0]["campaigns"].as_array().unwrap().is_empty());
}
