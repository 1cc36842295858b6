//! `/oauth/access_token`, `/oauth/revoke` and `/debug_token`.

use graph_sim::seed;
use serde_json::json;

use crate::client::{ALL_SCOPES, Meta, REDIRECT, app_token, query, read};

async fn code(meta: &Meta) -> String {
    query(&meta.dialog("_sim=allow&scope=pages_show_list").await, "code").expect("a code")
}

#[tokio::test]
async fn a_code_becomes_a_short_token_once() {
    let meta = Meta::start().await;
    let code = code(&meta).await;
    let first = meta.exchange(&code, REDIRECT).await;
    assert_eq!(first.json["token_type"], "bearer");
    let life = first.json["expires_in"].as_i64().unwrap();
    assert!((3600..=7200).contains(&life), "{life}");
    assert_eq!(meta.exchange(&code, REDIRECT).await.error(), (400, 100, Some(36009)));
}

#[tokio::test]
async fn a_code_needs_the_very_redirect_address_it_was_made_for() {
    let meta = Meta::start().await;
    let code = code(&meta).await;
    assert_eq!(meta.exchange(&code, &format!("{REDIRECT}/")).await.error(), (400, 100, Some(36008)));
    assert_eq!(meta.exchange("made-up", REDIRECT).await.error(), (400, 100, Some(36008)));
    assert_eq!(meta.exchange(&code, REDIRECT).await.status, 200);
}

#[tokio::test]
async fn a_code_expires_after_ten_minutes() {
    let meta = Meta::start().await;
    let code = code(&meta).await;
    meta.sim("clock", json!({"advance_s": 601})).await;
    assert_eq!(meta.exchange(&code, REDIRECT).await.error(), (400, 100, Some(36007)));
}

#[tokio::test]
async fn a_login_without_redirect_gives_a_code_that_is_exchanged_without_one() {
    let meta = Meta::start().await;
    let address = format!("/dialog/oauth?client_id={}&_sim=allow&scope=email", seed::APP_ID);
    let code = read(meta.http().get(meta.url(&address))).await.json["code"].as_str().unwrap().to_owned();
    assert!(meta.oauth(&[("code", &code)]).await.json["access_token"].is_string());
}

#[tokio::test]
async fn wrong_credentials_of_the_app_are_refused() {
    let meta = Meta::start().await;
    let address = meta.url("/oauth/access_token");
    let with = async |id: &str, secret: &str| {
        let form = [("grant_type", "client_credentials"), ("client_id", id), ("client_secret", secret)];
        read(meta.http().post(&address).form(&form)).await
    };
    assert_eq!(with(seed::APP_ID, "wrong").await.error(), (400, 1, None));
    assert_eq!(with("1", seed::APP_SECRET).await.error(), (400, 101, None));
    assert_eq!(with(seed::APP_ID, seed::APP_SECRET).await.json["access_token"], app_token());
}

#[tokio::test]
async fn a_short_token_becomes_a_new_one_of_sixty_days_while_it_lives() {
    let meta = Meta::start().await;
    let short = meta.login(seed::MARA, ALL_SCOPES, "").await;
    let answer = meta.prolong(&short).await;
    let long = answer.json["access_token"].as_str().unwrap();
    assert_ne!(long, short);
    assert!(answer.json["expires_in"].as_i64().unwrap() > 59 * 86_400);
    meta.sim("clock", json!({"advance_s": 7201})).await;
    assert_eq!(meta.prolong(&short).await.error(), (400, 190, Some(463)));
    assert_eq!(meta.get("/me", &short).await.error(), (400, 190, Some(463)));
    assert_eq!(meta.get("/me", long).await.json["name"], "Mara Lindqvist");
}

#[tokio::test]
async fn a_page_token_of_a_short_token_dies_with_it_and_one_of_a_long_token_does_not() {
    let meta = Meta::start().await;
    let short = meta.login(seed::MARA, ALL_SCOPES, "").await;
    let long = meta.prolong(&short).await.json["access_token"].as_str().unwrap().to_owned();
    let mortal = meta.page_of(&short, seed::DENTAL).await;
    let lasting = meta.page_of(&long, seed::DENTAL).await;
    assert_eq!(lasting, meta.page_of(&long, seed::DENTAL).await, "the same page token each time");
    meta.sim("clock", json!({"advance_s": 61 * 86_400})).await;
    assert_eq!(meta.get("/me", &mortal).await.error(), (400, 190, Some(463)));
    assert_eq!(meta.get("/me", &lasting).await.json["name"], "Harbour Lane Dental");
    assert_eq!(meta.get("/me", &long).await.error(), (400, 190, Some(463)));
}

#[tokio::test]
async fn debug_token_tells_kind_clocks_scopes_and_chosen_pages() {
    let meta = Meta::start().await;
    let token = meta.login(seed::MARA, ALL_SCOPES, &format!("&_pages={},{}", seed::DENTAL, seed::YOGA)).await;
    let inspect = async |input: &str| {
        let answer = meta.get(&format!("/debug_token?input_token={input}"), &app_token()).await;
        answer.json["data"].clone()
    };
    let data = inspect(&token).await;
    assert_eq!(
        (&data["type"], &data["is_valid"], &data["user_id"]),
        (&json!("USER"), &json!(true), &json!(seed::MARA))
    );
    assert!(data["expires_at"].as_i64().unwrap() > data["issued_at"].as_i64().unwrap());
    let targets =
        data["granular_scopes"].as_array().unwrap().iter().find(|it| it["scope"] == "leads_retrieval").unwrap();
    assert_eq!(targets["target_ids"], json!([seed::DENTAL, seed::YOGA]));

    let long = meta.prolong(&token).await.json["access_token"].as_str().unwrap().to_owned();
    let page = inspect(&meta.page_of(&long, seed::DENTAL).await).await;
    assert_eq!(
        (&page["type"], &page["profile_id"], &page["expires_at"]),
        (&json!("PAGE"), &json!(seed::DENTAL), &json!(0))
    );

    let unlimited = inspect(&meta.login(seed::JONAS, ALL_SCOPES, "").await).await;
    assert!(unlimited["granular_scopes"][0].get("target_ids").is_none(), "all pages: no targets");

    let unknown = inspect("EAAnonsense").await;
    assert_eq!((&unknown["is_valid"], &unknown["error"]["code"]), (&json!(false), &json!(190)));
    let strange = meta.get(&format!("/debug_token?input_token={token}"), &long).await;
    assert_eq!(strange.error(), (400, 100, None), "another token may not ask");
}

#[tokio::test]
async fn a_revoked_token_is_dead_at_once() {
    let meta = Meta::start().await;
    let token = meta.mara().await;
    let parameters = [
        ("client_id", seed::APP_ID),
        ("client_secret", seed::APP_SECRET),
        ("revoke_token", &token),
        ("access_token", &app_token()),
    ];
    let answer = read(meta.http().get(meta.url("/oauth/revoke")).query(&parameters)).await;
    assert_eq!(answer.json["success"], true);
    assert_eq!(meta.get("/me", &token).await.error(), (400, 190, Some(467)));
}
