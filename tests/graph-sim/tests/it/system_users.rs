//! System users: their tokens, what those reach, and how they end.

use graph_sim::seed;
use serde_json::{Value, json};

use crate::client::{ALL_SCOPES, Answer, Meta, app_token};

const DAY: i64 = 86_400;

/// Creates another token of the seeded system user.
async fn token(meta: &Meta, body: Value) -> String {
    let answer = meta.sim(&format!("system_users/{}/tokens", seed::SYSTEM_USER), body).await;
    answer["token"].as_str().expect("a token").to_owned()
}

async fn inspect(meta: &Meta, token: &str) -> Value {
    meta.get(&format!("/debug_token?input_token={token}"), &app_token()).await.json["data"].clone()
}

async fn refresh(meta: &Meta, token: &str) -> Answer {
    meta.oauth(&[
        ("grant_type", "fb_exchange_token"),
        ("fb_exchange_token", token),
        ("set_token_expires_in_60_days", "true"),
    ])
    .await
}

#[tokio::test]
async fn a_system_users_token_speaks_for_its_assigned_pages() {
    let meta = Meta::start().await;
    let token = token(&meta, json!({})).await;
    let me = meta.get("/me?fields=id,name", &token).await.json;
    assert_eq!(me, json!({"id": seed::SYSTEM_USER, "name": "Meridian lead sync"}));
    assert_eq!(meta.get("/me?fields=email", &token).await.error(), (400, 100, None), "not a person");
    let clinics = [seed::CLINIC_BERLIN, seed::CLINIC_MADRID, seed::CLINIC_LEEDS];
    let pages = meta.get("/me/accounts?fields=id,name,access_token,tasks", &token).await;
    assert_eq!(pages.column("id"), clinics);
    assert!(pages.json["data"][0]["tasks"].as_array().unwrap().contains(&json!("MANAGE")));
    assert_eq!(meta.get("/me/assigned_pages?fields=id", &token).await.column("id"), clinics);
    let page = meta.page_of(&token, seed::CLINIC_LEEDS).await;
    assert_eq!(pages.column("access_token")[2], page);

    let forms = meta.get(&format!("/{}/leadgen_forms", seed::CLINIC_LEEDS), &page).await;
    let form = forms.column("id").remove(0);
    let lead = meta.one_lead(&form).await;
    assert_eq!(meta.get(&format!("/{lead}"), &page).await.json["id"], lead);
    assert_eq!(meta.get(&format!("/{lead}"), &token).await.error(), (400, 190, Some(2_069_032)));
    assert_eq!(meta.get(&format!("/{}", seed::DENTAL), &token).await.error(), (400, 100, Some(33)));
}

#[tokio::test]
async fn debug_token_tells_a_system_user_from_a_person() {
    let meta = Meta::start().await;
    let scopes = json!(["leads_retrieval", "pages_show_list"]);
    let lasting = token(&meta, json!({"scopes": scopes})).await;
    let data = inspect(&meta, &lasting).await;
    assert_eq!((&data["type"], &data["user_id"]), (&json!("SYSTEM_USER"), &json!(seed::SYSTEM_USER)));
    assert_eq!((&data["expires_at"], &data["data_access_expires_at"]), (&json!(0), &json!(0)));
    assert_eq!(data["scopes"], scopes);
    assert_eq!(data["granular_scopes"][0]["target_ids"].as_array().unwrap().len(), 3);
    let page = inspect(&meta, &meta.page_of(&lasting, seed::CLINIC_BERLIN).await).await;
    assert_eq!((&page["type"], &page["data_access_expires_at"]), (&json!("PAGE"), &json!(0)));
    let ending = inspect(&meta, &token(&meta, json!({"expires_in_days": 60})).await).await;
    assert_eq!(ending["expires_at"].as_i64().unwrap() - ending["issued_at"].as_i64().unwrap(), 60 * DAY);
}

#[tokio::test]
async fn a_token_keeps_the_scopes_it_was_made_with() {
    let meta = Meta::start().await;
    let narrow = token(&meta, json!({"scopes": ["pages_show_list"]})).await;
    let wide = token(&meta, json!({})).await;
    assert_eq!(meta.get("/me/businesses", &narrow).await.error(), (403, 200, None));
    assert_eq!(meta.get("/me/businesses", &wide).await.column("id"), [seed::CLINICS]);
    let permissions = meta.get("/me/permissions", &narrow).await.json["data"].clone();
    assert_eq!(permissions, json!([{"permission": "pages_show_list", "status": "granted"}]));
}

#[tokio::test]
async fn a_new_token_kills_older_page_tokens_and_leaves_the_older_token_alone() {
    let meta = Meta::start().await;
    let old = token(&meta, json!({})).await;
    let page = meta.page_of(&old, seed::CLINIC_LEEDS).await;
    token(&meta, json!({})).await;
    assert_eq!(meta.get("/me", &page).await.error(), (400, 190, Some(460)));
    assert_eq!(meta.get("/me", &old).await.status, 200);
    let again = meta.page_of(&old, seed::CLINIC_LEEDS).await;
    assert_eq!(meta.get("/me", &again).await.status, 200);
}

#[tokio::test]
async fn a_token_of_sixty_days_is_refreshed_while_it_lives() {
    let meta = Meta::start().await;
    let old = token(&meta, json!({"expires_in_days": 60, "scopes": ["pages_show_list"]})).await;
    assert_eq!(meta.prolong(&old).await.error(), (400, 100, None), "without the parameter");
    meta.sim("clock", json!({"advance_s": 59 * DAY})).await;
    let answer = refresh(&meta, &old).await;
    assert!(answer.json["expires_in"].as_i64().unwrap() > 59 * DAY);
    let fresh = answer.json["access_token"].as_str().unwrap();
    assert_eq!(inspect(&meta, fresh).await["scopes"], json!(["pages_show_list"]));
    assert_eq!(meta.get("/me", &old).await.status, 200, "until its own expiry");
    meta.sim("clock", json!({"advance_s": DAY})).await;
    assert_eq!(meta.get("/me", &old).await.error(), (400, 190, Some(463)));
    assert_eq!(refresh(&meta, &old).await.error(), (400, 190, Some(463)));
    assert_eq!(meta.get("/me", fresh).await.status, 200);
    assert_eq!(refresh(&meta, &token(&meta, json!({})).await).await.error(), (400, 100, None), "nothing to refresh");
}

#[tokio::test]
async fn token_actions_apply_and_data_access_never_ends() {
    let meta = Meta::start().await;
    let act = async |action: &str| meta.sim("tokens", json!({"action": action, "user_id": seed::SYSTEM_USER})).await;
    let live = token(&meta, json!({})).await;
    act("data_access_expired").await;
    let now = meta.sim_get("clock").await["now"].clone();
    let body = json!({"action": "set_expiry", "user_id": seed::SYSTEM_USER, "data_access_expires_at": now});
    meta.sim("tokens", body).await;
    meta.sim("clock", json!({"advance_s": 400 * DAY})).await;
    assert_eq!(meta.get("/me", &live).await.status, 200);
    for (action, subcode) in [("expire", 463), ("revoke", 467), ("password", 460), ("remove_app", 458)] {
        let doomed = token(&meta, json!({})).await;
        let page = meta.page_of(&doomed, seed::CLINIC_LEEDS).await;
        act(action).await;
        assert_eq!(meta.get("/me", &doomed).await.error(), (400, 190, Some(subcode)), "{action}");
        assert_eq!(meta.get("/me", &page).await.error(), (400, 190, Some(subcode)), "{action}");
    }
}

#[tokio::test]
async fn a_business_lists_its_system_users_to_its_people() {
    let meta = Meta::start().await;
    let person = meta.sim("users", json!({})).await;
    let login = meta.login(person["id"].as_str().unwrap(), ALL_SCOPES, "").await;
    let business = person["business_id"].as_str().unwrap();
    assert_eq!(meta.get("/me/businesses", &login).await.column("id"), [business]);
    let made = meta.sim("system_users", json!({"business_id": business, "pages": 2, "name": "Sync"})).await;
    assert_eq!((&made["business_id"], made["pages"].as_array().unwrap().len()), (&json!(business), 2));
    let listed = meta.get(&format!("/{business}/system_users"), &login).await;
    assert_eq!(listed.json["data"], json!([{"id": made["id"], "name": "Sync"}]));
    let node = format!("/{}?fields=name,client_business_id", made["id"].as_str().unwrap());
    assert_eq!(meta.get(&node, &login).await.json["client_business_id"], business);
    assert_eq!(meta.get(&format!("/{}/system_users", seed::CLINICS), &login).await.error(), (400, 100, Some(33)));
    assert_eq!(meta.get(&format!("/{}", seed::SYSTEM_USER), &login).await.error(), (400, 100, Some(33)));
}

#[tokio::test]
async fn new_system_users_come_with_a_business_and_pages_or_take_given_ones() {
    let meta = Meta::start().await;
    let made = meta.sim("system_users", json!({})).await;
    let token = made["token"].as_str().unwrap();
    let page_id = made["pages"][0]["id"].as_str().unwrap();
    assert_eq!(meta.get("/me/accounts", token).await.column("id"), [page_id]);
    let owned = meta.get(&format!("/{}/owned_pages", made["business_id"].as_str().unwrap()), token).await;
    assert_eq!(owned.column("id"), [page_id]);
    assert!(made["pages"][0]["forms"][0]["id"].is_string());
    let given = meta.sim("system_users", json!({"pages": [seed::DENTAL, seed::BAKERY]})).await;
    let token = given["token"].as_str().unwrap();
    assert_eq!(meta.get("/me/accounts", token).await.column("id"), [seed::DENTAL, seed::BAKERY]);
    let client = meta.get(&format!("/{}/client_pages", given["business_id"].as_str().unwrap()), token).await;
    assert_eq!(client.column("id"), [seed::DENTAL, seed::BAKERY]);
    let state = meta.sim_get("state").await;
    assert_eq!(state["system_users"][0]["id"], seed::SYSTEM_USER);
    assert_eq!((state["system_users"].as_array().unwrap().len(), state["users"].as_array().unwrap().len()), (3, 3));
}

#[tokio::test]
async fn lead_access_is_not_available_to_system_users() {
    let meta = Meta::start().await;
    let page = meta.page_of(&token(&meta, json!({})).await, seed::CLINIC_LEEDS).await;
    let path = format!("/{}?fields=has_lead_access.user_id({})", seed::CLINIC_LEEDS, seed::SYSTEM_USER);
    let refused = meta.get(&path, &page).await;
    assert_eq!(refused.error(), (400, 3, None));
    assert!(refused.message().ends_with("This API is not available."));
}
