//! The login dialog, for programs and for people.

use graph_sim::{Options, seed};

use crate::client::{ALL_SCOPES, Meta, REDIRECT, query, read};

#[tokio::test]
async fn allowing_redirects_with_a_code_and_the_state_unchanged() {
    let meta = Meta::start().await;
    let back = meta.dialog("_sim=allow&scope=pages_show_list").await;
    assert!(back.as_str().starts_with(REDIRECT));
    assert_eq!(query(&back, "state").as_deref(), Some("s/1"));
    assert!(query(&back, "code").is_some());
    assert_eq!(back.fragment(), Some("_=_"));
}

#[tokio::test]
async fn refusing_redirects_with_metas_four_parameters_and_no_code() {
    let meta = Meta::start().await;
    let back = meta.dialog("_sim=deny&scope=pages_show_list").await;
    assert_eq!(query(&back, "error").as_deref(), Some("access_denied"));
    assert_eq!(query(&back, "error_reason").as_deref(), Some("user_denied"));
    assert_eq!(query(&back, "error_code").as_deref(), Some("200"));
    assert_eq!(query(&back, "error_description").as_deref(), Some("Permissions error"));
    assert_eq!(query(&back, "state").as_deref(), Some("s/1"));
    assert_eq!(query(&back, "code"), None);
}

#[tokio::test]
async fn denied_scopes_are_declined_and_stay_so_until_they_are_asked_for_again() {
    let meta = Meta::start().await;
    let status = async |token: &str| {
        let answer = meta.get("/me/permissions", token).await;
        let rows = answer.json["data"].as_array().unwrap().clone();
        rows.iter().find(|row| row["permission"] == "leads_retrieval").unwrap()["status"].clone()
    };
    let token = meta.login(seed::MARA, ALL_SCOPES, "&_deny_scopes=leads_retrieval").await;
    assert_eq!(status(&token).await, "declined");
    let token = meta.login(seed::MARA, ALL_SCOPES, "").await;
    assert_eq!(status(&token).await, "declined");
    let token = meta.login(seed::MARA, ALL_SCOPES, "&auth_type=rerequest").await;
    assert_eq!(status(&token).await, "granted");
}

#[tokio::test]
async fn a_business_login_is_granted_whole_or_not_at_all() {
    let meta = Meta::start().await;
    let config = format!("config_id={}", seed::LOGIN_CONFIGURATION);
    let back = meta.dialog(&format!("_sim=allow&{config}&_deny_scopes=ads_read")).await;
    assert_eq!(query(&back, "error").as_deref(), Some("access_denied"));
    let back = meta.dialog(&format!("_sim=allow&{config}")).await;
    let answer = meta.exchange(&query(&back, "code").unwrap(), REDIRECT).await;
    let token = answer.json["access_token"].as_str().unwrap().to_owned();
    assert!(meta.get("/me/permissions", &token).await.column("permission").contains(&"leads_retrieval".to_owned()));
}

#[tokio::test]
async fn a_foreign_app_redirect_scope_or_page_is_told_to_the_person_and_not_to_the_client() {
    let meta = Meta::start_with(Options { redirect_uris: vec![REDIRECT.to_owned()], ..Options::default() }).await;
    let app = seed::APP_ID;
    for parameters in [
        format!("client_id=1&redirect_uri={REDIRECT}&_sim=allow"),
        format!("client_id={app}&redirect_uri={REDIRECT}/&_sim=allow"),
        format!("client_id={app}&redirect_uri={REDIRECT}&scope=make_coffee&_sim=allow"),
        format!("client_id={app}&redirect_uri={REDIRECT}&_sim=allow&_pages={}", seed::ATELIER),
        format!("client_id={app}&redirect_uri={REDIRECT}&_sim=allow&_user=1"),
        format!("client_id={app}"),
    ] {
        let answer = read(meta.http().get(meta.url(&format!("/dialog/oauth?{parameters}")))).await;
        assert_eq!(answer.status, 400, "{parameters}");
        assert!(answer.text.contains("role=\"alert\""), "{parameters}");
    }
}

#[tokio::test]
async fn without_a_list_only_secure_and_local_redirects_are_accepted() {
    let meta = Meta::start().await;
    for (uri, status) in [
        ("https://anything.example/x?y=1", 302),
        ("http://localhost:3000/cb", 302),
        ("http://127.0.0.1:3000/cb", 302),
        ("http://anything.example/x", 400),
        ("javascript:alert(1)", 400),
    ] {
        let request = meta.http().get(meta.url("/dialog/oauth"));
        let answer =
            read(request.query(&[("client_id", seed::APP_ID), ("redirect_uri", uri), ("_sim", "allow")])).await;
        assert_eq!(answer.status, status, "{uri}");
    }
}

#[tokio::test]
async fn a_person_chooses_who_they_are_then_pages_and_permissions() {
    let meta = Meta::start().await;
    let address = format!("/v26.0/dialog/oauth?client_id={}&redirect_uri={REDIRECT}&state=x&scope=email", seed::APP_ID);
    let people = read(meta.http().get(meta.url(&address))).await;
    for name in ["Mara Lindqvist", "Jonas Brandt", "Priya Raman"] {
        assert!(people.text.contains(name), "{name}");
    }
    let consent = read(meta.http().get(meta.url(&format!("{address}&_user={}", seed::MARA)))).await;
    assert!(consent.text.contains("Bäckerei Sonnenhügel") && consent.text.contains("Northwind Holding"));

    let form = [
        ("client_id", seed::APP_ID),
        ("redirect_uri", REDIRECT),
        ("state", "x"),
        ("scope", "email,pages_show_list,leads_retrieval"),
        ("_user", seed::MARA),
        ("_which_pages", "chosen"),
        ("_page", seed::DENTAL),
        ("_page", seed::YOGA),
        ("_scope", "pages_show_list"),
        ("_decision", "allow"),
    ];
    let response = meta.http().post(meta.url("/v26.0/dialog/oauth")).form(&form).send().await.unwrap();
    assert_eq!(response.status(), 302);
    let back = response.headers()["location"].to_str().unwrap().parse().unwrap();
    let answer = meta.exchange(&query(&back, "code").unwrap(), REDIRECT).await;
    let token = answer.json["access_token"].as_str().unwrap();
    assert_eq!(meta.get("/me/accounts", token).await.column("id"), [seed::DENTAL, seed::YOGA]);
    let permissions = meta.get("/me/permissions", token).await;
    assert_eq!(permissions.column("permission"), ["email", "leads_retrieval", "pages_show_list", "public_profile"]);
    assert_eq!(permissions.column("status"), ["declined", "declined", "granted", "granted"]);
}
