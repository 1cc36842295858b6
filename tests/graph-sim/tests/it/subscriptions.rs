//! App-level and page-level webhook subscriptions.

use graph_sim::seed;
use serde_json::json;

use crate::client::{ALL_SCOPES, Meta, app_token};
use crate::receiver::Receiver;

fn edge() -> String {
    format!("/{}/subscriptions", seed::APP_ID)
}

#[tokio::test]
async fn a_callback_that_echoes_the_challenge_is_subscribed_and_can_be_removed() {
    let meta = Meta::start().await;
    let receiver = Receiver::start().await;
    let callback = receiver.url("/hook?tenant=1");
    let form = [
        ("object", "page"),
        ("callback_url", &callback),
        ("fields", "leadgen,feed"),
        ("verify_token", seed::VERIFY_TOKEN),
    ];
    assert_eq!(meta.post(&edge(), &app_token(), &form).await.json, json!({"success": true}));
    let listed = meta.get(&edge(), &app_token()).await.json;
    let fields = json!([{"name": "feed", "version": "v26.0"}, {"name": "leadgen", "version": "v26.0"}]);
    assert_eq!(listed["data"], json!([{"object": "page", "callback_url": callback, "active": true, "fields": fields}]));
    meta.delete(&format!("{}?object=page&fields=feed", edge()), &app_token()).await;
    let listed = meta.get(&edge(), &app_token()).await.json;
    assert_eq!(listed["data"][0]["fields"].as_array().unwrap().len(), 1);
    meta.delete(&format!("{}?object=page", edge()), &app_token()).await;
    assert_eq!(meta.get(&edge(), &app_token()).await.json, json!({"data": []}));
}

#[tokio::test]
async fn a_callback_that_fails_the_challenge_is_not_subscribed() {
    let meta = Meta::start().await;
    let receiver = Receiver::start().await;
    let subscribe = async |callback: String, verify_token: &str| {
        let form = [
            ("object", "page"),
            ("callback_url", callback.as_str()),
            ("fields", "leadgen"),
            ("verify_token", verify_token),
        ];
        meta.post(&edge(), &app_token(), &form).await
    };
    for (callback, verify_token, code) in [
        (receiver.url("/missing"), seed::VERIFY_TOKEN, 2200),
        (receiver.url("/closed"), seed::VERIFY_TOKEN, 2200),
        (receiver.url("/hook"), "another token", 2200),
        ("http://127.0.0.1:9/hook".to_owned(), seed::VERIFY_TOKEN, 2200),
        (receiver.url("/quoted"), seed::VERIFY_TOKEN, 2201),
    ] {
        assert_eq!(subscribe(callback.clone(), verify_token).await.error(), (400, code, None), "{callback}");
    }
    assert!(subscribe(receiver.url("/missing"), "x").await.message().contains("HTTP Status Code = 404"));
    assert_eq!(meta.get(&edge(), &app_token()).await.json, json!({"data": []}));
}

#[tokio::test]
async fn app_subscriptions_need_the_app_token_and_sound_parameters() {
    let meta = Meta::start().await;
    let user = meta.mara().await;
    assert_eq!(meta.get(&edge(), &user).await.error(), (400, 15, None));
    for form in [
        vec![("object", "page"), ("fields", "leadgen")],
        vec![("object", "fridge"), ("fields", "leadgen"), ("callback_url", "http://127.0.0.1:9/")],
        vec![("object", "page"), ("fields", ""), ("callback_url", "http://127.0.0.1:9/")],
        vec![("object", "page"), ("fields", "leadgen"), ("callback_url", "not an address")],
    ] {
        assert_eq!(meta.post(&edge(), &app_token(), &form).await.error(), (400, 100, None), "{form:?}");
    }
}

#[tokio::test]
async fn an_app_is_installed_on_a_page_for_exactly_the_fields_given() {
    let meta = Meta::start().await;
    let page = meta.page(seed::DENTAL).await;
    let apps = format!("/{}/subscribed_apps", seed::DENTAL);
    for (given, stored) in [("leadgen,feed", json!(["feed", "leadgen"])), (r#"["mention"]"#, json!(["mention"]))] {
        assert_eq!(meta.post(&apps, &page, &[("subscribed_fields", given)]).await.json, json!({"success": true}));
        let listed = meta.get(&apps, &page).await.json;
        assert_eq!(
            (&listed["data"][0]["id"], &listed["data"][0]["subscribed_fields"]),
            (&json!(seed::APP_ID), &stored)
        );
    }
    assert_eq!(meta.post(&apps, &page, &[("subscribed_fields", "leadgen,gossip")]).await.error(), (400, 100, None));
    assert_eq!(meta.post(&apps, &page, &[]).await.error(), (400, 100, None));
    meta.delete(&apps, &app_token()).await;
    assert_eq!(meta.get(&apps, &page).await.json, json!({"data": []}));
}

#[tokio::test]
async fn the_leadgen_field_needs_leads_retrieval_and_fails_the_whole_list() {
    let meta = Meta::start().await;
    let user = meta.login(seed::MARA, ALL_SCOPES, "&_deny_scopes=leads_retrieval").await;
    let page = meta.page_of(&user, seed::DENTAL).await;
    let apps = format!("/{}/subscribed_apps", seed::DENTAL);
    let refused = meta.post(&apps, &page, &[("subscribed_fields", "feed,leadgen")]).await;
    assert_eq!(refused.error(), (403, 200, None));
    let text = "(#200) To subscribe to the leadgen field, one of these permissions is needed: leads_retrieval";
    assert_eq!(refused.message(), text);
    assert_eq!(meta.get(&apps, &page).await.json, json!({"data": []}));
    assert_eq!(meta.post(&apps, &page, &[("subscribed_fields", "feed")]).await.json["success"], true);
}

#[tokio::test]
async fn advertising_on_a_page_is_not_enough_to_subscribe_it() {
    let meta = Meta::start().await;
    let page = meta.page(seed::RENTALS).await;
    let apps = format!("/{}/subscribed_apps", seed::RENTALS);
    assert_eq!(meta.post(&apps, &page, &[("subscribed_fields", "leadgen")]).await.error(), (403, 200, None));
    assert_eq!(meta.get(&format!("/{}/leadgen_forms", seed::RENTALS), &page).await.status, 200, "but for its forms");
}

#[tokio::test]
async fn subscribing_needs_pages_manage_metadata() {
    let meta = Meta::start().await;
    let user = meta.login(seed::MARA, ALL_SCOPES, "&_deny_scopes=pages_manage_metadata").await;
    let page = meta.page_of(&user, seed::DENTAL).await;
    let answer =
        meta.post(&format!("/{}/subscribed_apps", seed::DENTAL), &page, &[("subscribed_fields", "feed")]).await;
    assert_eq!(answer.error(), (403, 200, None));
}

#[tokio::test]
async fn on_a_page_with_many_apps_ours_is_not_on_the_first_response_page() {
    let meta = Meta::start().await;
    let page = meta.page(seed::YOGA).await;
    let apps = format!("/{}/subscribed_apps", seed::YOGA);
    meta.post(&apps, &page, &[("subscribed_fields", "leadgen")]).await;
    let first = meta.get(&apps, &page).await;
    assert_eq!(first.column("id").len(), 25);
    assert!(!first.column("id").contains(&seed::APP_ID.to_owned()));
    let after = first.json["paging"]["cursors"]["after"].as_str().unwrap();
    let second = meta.get(&format!("{apps}?after={after}"), &page).await;
    assert!(second.column("id").contains(&seed::APP_ID.to_owned()));
}

#[tokio::test]
async fn a_subscription_changes_behind_the_clients_back() {
    let meta = Meta::start().await;
    let page = meta.page(seed::DENTAL).await;
    let apps = format!("/{}/subscribed_apps", seed::DENTAL);
    meta.post(&apps, &page, &[("subscribed_fields", "leadgen,feed")]).await;
    meta.sim("pages", json!({"page_id": seed::DENTAL, "subscribed_fields": ["feed"]})).await;
    assert_eq!(meta.get(&apps, &page).await.json["data"][0]["subscribed_fields"], json!(["feed"]));
    meta.sim("pages", json!({"page_id": seed::DENTAL, "subscribed_fields": null})).await;
    assert_eq!(meta.get(&apps, &page).await.json, json!({"data": []}));
}

#[tokio::test]
async fn with_a_small_limit_two_other_apps_push_ours_to_the_second_response_page() {
    let meta = Meta::start().await;
    let made = meta.sim("system_users", json!({"pages": [seed::CLINIC_LEEDS]})).await;
    let page = meta.page_of(made["token"].as_str().unwrap(), seed::CLINIC_LEEDS).await;
    let apps = format!("/{}/subscribed_apps", seed::CLINIC_LEEDS);
    meta.post(&apps, &page, &[("subscribed_fields", "leadgen")]).await;
    let first = meta.get(&format!("{apps}?limit=2"), &page).await;
    assert_eq!(first.column("id").len(), 2);
    let after = first.json["paging"]["cursors"]["after"].as_str().unwrap();
    let second = meta.get(&format!("{apps}?limit=2&after={after}"), &page).await;
    assert_eq!(second.column("id"), [seed::APP_ID]);
    assert!(second.json["paging"].get("next").is_none());
}
