//! Page lists, portfolios, and pages as nodes.

use graph_sim::seed;
use serde_json::json;

use crate::client::{ALL_SCOPES, Meta, read};

#[tokio::test]
async fn portfolio_pages_are_missing_without_business_management() {
    let meta = Meta::start().await;
    let token = meta.login(seed::MARA, "pages_show_list", "").await;
    let own = [seed::DENTAL, seed::BAKERY, seed::YOGA, seed::RENTALS, seed::THEATRE];
    assert_eq!(meta.get("/me/accounts", &token).await.column("id"), own);
    let refused = meta.get("/me/businesses", &token).await;
    assert_eq!(refused.error(), (403, 200, None));
    assert_eq!(refused.message(), "(#200) Requires business_management permission");
    // Such a page can still be read by id, and returns its token.
    assert!(!meta.page_of(&token, seed::OUTDOOR).await.is_empty());

    let token = meta.login(seed::MARA, ALL_SCOPES, "").await;
    assert_eq!(meta.get("/me/accounts", &token).await.column("id").len(), 7);
    assert_eq!(meta.get("/me/businesses", &token).await.column("id"), [seed::PORTFOLIO]);
    let owned = meta.get(&format!("/{}/owned_pages?fields=id,access_token", seed::PORTFOLIO), &token).await;
    assert_eq!(owned.column("id"), [seed::OUTDOOR]);
    assert!(!owned.column("access_token")[0].is_empty());
    let client = meta.get(&format!("/{}/client_pages", seed::PORTFOLIO), &token).await;
    assert_eq!(client.column("name"), ["Café Élan"]);
}

#[tokio::test]
async fn a_page_without_token_is_listed_without_one() {
    let meta = Meta::start().await;
    let token = meta.mara().await;
    let answer = meta.get("/me/accounts?fields=id,name,access_token,tasks", &token).await;
    let rows = answer.json["data"].as_array().unwrap();
    let theatre = rows.iter().find(|row| row["id"] == seed::THEATRE).unwrap();
    assert!(theatre.get("access_token").is_none());
    let rentals = rows.iter().find(|row| row["id"] == seed::RENTALS).unwrap();
    assert_eq!(rentals["tasks"], json!(["ADVERTISE", "ANALYZE"]));
    assert!(rentals["access_token"].is_string());
}

#[tokio::test]
async fn only_pages_consented_to_are_listed_and_readable() {
    let meta = Meta::start().await;
    let token = meta.login(seed::MARA, ALL_SCOPES, &format!("&_pages={}", seed::BAKERY)).await;
    assert_eq!(meta.get("/me/accounts", &token).await.column("id"), [seed::BAKERY]);
    assert_eq!(meta.get(&format!("/{}", seed::DENTAL), &token).await.error(), (400, 100, Some(33)));
    let none = meta.login(seed::MARA, ALL_SCOPES, "&_pages=").await;
    assert!(meta.get("/me/accounts", &none).await.column("id").is_empty());
}

#[tokio::test]
async fn without_pages_show_list_the_list_is_empty() {
    let meta = Meta::start().await;
    let token = meta.login(seed::MARA, "email", "").await;
    assert_eq!(meta.get("/me/accounts", &token).await.json, json!({"data": []}));
}

#[tokio::test]
async fn following_next_finds_all_sixty_pages_over_short_and_empty_response_pages() {
    let meta = Meta::start().await;
    let token = meta.login(seed::PRIYA, ALL_SCOPES, "").await;
    let mut answer = meta.get("/me/accounts?fields=id", &token).await;
    let (mut ids, mut sizes) = (Vec::new(), Vec::new());
    loop {
        ids.extend(answer.column("id"));
        sizes.push(answer.column("id").len());
        assert!(answer.json["paging"]["cursors"]["after"].is_string(), "there on the last page too");
        let Some(next) = answer.json["paging"]["next"].as_str().map(str::to_owned) else { break };
        answer = read(meta.http().get(next)).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
    }
    assert_eq!(sizes, [25, 15, 0, 0, 0, 10, 10]);
    ids.dedup();
    assert_eq!(ids.len(), 60);
    assert!(answer.json["paging"]["previous"].is_string());
}

#[tokio::test]
async fn next_repeats_the_token_only_if_it_came_in_the_query() {
    let meta = Meta::start().await;
    let token = meta.mara().await;
    let proof = graph_sim::signing::appsecret_proof(seed::APP_SECRET, &token);
    let path = format!("/v26.0/me/accounts?limit=2&appsecret_proof={proof}");
    let answer = read(meta.http().get(meta.url(&path)).bearer_auth(&token)).await;
    let next = answer.json["paging"]["next"].as_str().unwrap();
    assert!(!next.contains("access_token") && next.contains("limit=2"), "{next}");
    let second = read(meta.http().get(next).bearer_auth(&token)).await;
    assert_eq!(second.column("id").len(), 2);
    let query = meta.get("/me/accounts?limit=2", &token).await;
    assert!(query.json["paging"]["next"].as_str().unwrap().contains("access_token="));
}

#[tokio::test]
async fn a_bad_cursor_or_limit_is_an_invalid_parameter() {
    let meta = Meta::start().await;
    let token = meta.mara().await;
    for query in ["after=rubbish", "limit=many", "limit=-1"] {
        assert_eq!(meta.get(&format!("/me/accounts?{query}"), &token).await.error(), (400, 100, None), "{query}");
    }
}

#[tokio::test]
async fn page_content_needs_pages_read_engagement() {
    let meta = Meta::start().await;
    let token = meta.login(seed::MARA, "pages_show_list", "").await;
    let path = format!("/{}?fields=", seed::DENTAL);
    let basic = meta.get(&format!("{path}id,name,link,tasks,access_token"), &token).await;
    assert_eq!(basic.json["link"], "https://www.facebook.com/harbourlanedental");
    assert_eq!(meta.get(&format!("{path}about,fan_count"), &token).await.error(), (403, 10, None));
    assert_eq!(meta.get(&format!("{path}business"), &token).await.error(), (403, 200, None));
    let token = meta.login(seed::MARA, ALL_SCOPES, "").await;
    assert_eq!(meta.get(&format!("{path}fan_count"), &token).await.json["fan_count"], 1200);
}

#[tokio::test]
async fn removing_a_permission_or_the_app_takes_effect_on_existing_tokens() {
    let meta = Meta::start().await;
    let token = meta.mara().await;
    let page = meta.page_of(&token, seed::DENTAL).await;
    let answer = meta.delete("/me/permissions/pages_manage_ads", &token).await;
    assert_eq!(answer.json, json!({"success": true}));
    let refused = meta.get(&format!("/{}/leadgen_forms", seed::DENTAL), &page).await;
    assert_eq!(refused.error(), (403, 200, None));
    assert_eq!(refused.message(), "(#200) Requires pages_manage_ads permission to manage the object");
    meta.delete(&format!("/{}/permissions", seed::MARA), &token).await;
    assert_eq!(meta.get("/me", &token).await.error(), (400, 190, Some(458)));
    assert_eq!(meta.get("/me", &page).await.error(), (400, 190, Some(458)));
}
