//! Token kinds, proofs, tasks, and the reasons for which tokens become invalid.

use graph_sim::{Options, seed};
use serde_json::json;

use crate::client::{ALL_SCOPES, CHECK_UP, Meta, app_token, read};

#[tokio::test]
async fn a_user_token_on_page_only_edges_is_the_wrong_kind_and_not_dead() {
    let meta = Meta::start().await;
    let user = meta.mara().await;
    let lead = meta.one_lead(CHECK_UP).await;
    for path in [
        format!("/{}/leadgen_forms", seed::DENTAL),
        format!("/{}/subscribed_apps", seed::DENTAL),
        format!("/{CHECK_UP}"),
        format!("/{CHECK_UP}/leads"),
        format!("/{lead}"),
    ] {
        assert_eq!(meta.get(&path, &user).await.error(), (400, 190, Some(2_069_032)), "{path}");
    }
    assert_eq!(meta.get("/me", &user).await.status, 200);
}

#[tokio::test]
async fn another_pages_token_sees_nothing() {
    let meta = Meta::start().await;
    let bakery = meta.page(seed::BAKERY).await;
    let lead = meta.one_lead(CHECK_UP).await;
    for path in [format!("/{lead}"), format!("/{CHECK_UP}"), format!("/{CHECK_UP}/leads"), format!("/{}", seed::DENTAL)]
    {
        assert_eq!(meta.get(&path, &bakery).await.error(), (400, 100, Some(33)), "{path}");
    }
}

#[tokio::test]
async fn missing_malformed_and_foreign_tokens_differ() {
    let meta = Meta::start().await;
    assert_eq!(read(meta.http().get(meta.url("/me"))).await.error(), (400, 2500, None));
    assert_eq!(read(meta.http().get(meta.url("/123"))).await.error(), (400, 104, None));
    assert_eq!(meta.get("/me", "garbage").await.error(), (400, 190, None));
    assert_eq!(meta.get("/me", "1|abc").await.error(), (400, 190, None));
    assert_eq!(meta.get("/me", &app_token()).await.error(), (400, 2500, None));
}

#[tokio::test]
async fn the_token_may_come_as_query_form_bearer_or_oauth_header() {
    let meta = Meta::start_with(Options { require_proof: false, ..Options::default() }).await;
    let token = meta.login(seed::MARA, ALL_SCOPES, "").await;
    let me = || meta.http().get(meta.url("/me"));
    for request in [
        me().query(&[("access_token", &token)]),
        me().bearer_auth(&token),
        me().header("authorization", format!("OAuth {token}")),
    ] {
        assert_eq!(read(request).await.json["id"], seed::MARA);
    }
    let page = meta.page_of(&token, seed::DENTAL).await;
    let address = meta.url(&format!("/{}/subscribed_apps", seed::DENTAL));
    let form =
        read(meta.http().post(&address).form(&[("access_token", page.as_str()), ("subscribed_fields", "feed")])).await;
    assert_eq!(form.json["success"], true);
    let json =
        read(meta.http().post(&address).json(&json!({"access_token": page, "subscribed_fields": ["feed"]}))).await;
    assert_eq!(json.json["success"], true);
}

#[tokio::test]
async fn the_proof_is_required_belongs_to_its_token_and_app_tokens_need_none() {
    let meta = Meta::start().await;
    let user = meta.mara().await;
    let page = meta.page_of(&user, seed::DENTAL).await;
    let with = async |token: &str, proof: Option<String>| {
        let request = meta.http().get(meta.url("/me")).query(&[("access_token", token)]);
        read(match proof {
            Some(proof) => request.query(&[("appsecret_proof", proof)]),
            None => request,
        })
        .await
    };
    let proof = |token: &str| Some(graph_sim::signing::appsecret_proof(seed::APP_SECRET, token));
    assert_eq!(with(&page, proof(&page)).await.status, 200);
    for wrong in [with(&page, proof(&user)).await, with(&user, Some(String::new())).await, with(&user, None).await] {
        assert_eq!(wrong.error(), (400, 100, None));
        assert_eq!(wrong.json["error"]["type"], "GraphMethodException");
    }
    let subscriptions = meta.http().get(meta.url(&format!("/{}/subscriptions", seed::APP_ID)));
    assert_eq!(read(subscriptions.query(&[("access_token", app_token())])).await.json, json!({"data": []}));
}

#[tokio::test]
async fn each_way_to_die_has_its_subcode_and_a_new_login_lives() {
    let meta = Meta::start().await;
    for (action, subcode) in [
        ("expire", 463),
        ("revoke", 467),
        ("password", 460),
        ("checkpoint", 459),
        ("data_access_expired", 493),
        ("remove_app", 458),
    ] {
        let user = meta.mara().await;
        let page = meta.page_of(&user, seed::DENTAL).await;
        meta.sim("tokens", json!({"action": action, "user_id": seed::MARA})).await;
        assert_eq!(meta.get("/me", &user).await.error(), (400, 190, Some(subcode)), "{action}, user token");
        assert_eq!(meta.get("/me", &page).await.error(), (400, 190, Some(subcode)), "{action}, page token");
        let seen = meta.get(&format!("/debug_token?input_token={user}"), &app_token()).await;
        let valid = action == "data_access_expired";
        assert_eq!(seen.json["data"]["is_valid"], valid, "{action}");
        if !valid {
            assert_eq!(seen.json["data"]["error"]["subcode"], subcode);
        }
        assert_eq!(meta.get("/me", &meta.mara().await).await.status, 200, "{action}, new login");
    }
}

#[tokio::test]
async fn a_lost_role_kills_one_page_and_not_the_user() {
    let meta = Meta::start().await;
    let user = meta.mara().await;
    let (dental, bakery) = (meta.page_of(&user, seed::DENTAL).await, meta.page_of(&user, seed::BAKERY).await);
    meta.sim("tokens", json!({"action": "role_lost", "user_id": seed::MARA, "page_id": seed::DENTAL})).await;
    assert_eq!(meta.get("/me", &dental).await.error(), (400, 190, Some(492)));
    assert_eq!(meta.get("/me", &bakery).await.status, 200);
    assert!(!meta.get("/me/accounts", &user).await.column("id").contains(&seed::DENTAL.to_owned()));
    meta.sim("tokens", json!({"action": "role_restored", "user_id": seed::MARA, "page_id": seed::DENTAL})).await;
    let again = meta.page_of(&user, seed::DENTAL).await;
    assert_ne!(again, dental);
    assert_eq!(meta.get("/me", &again).await.status, 200);
}

#[tokio::test]
async fn set_expiry_sets_the_clocks_that_debug_token_shows() {
    let meta = Meta::start().await;
    let user = meta.mara().await;
    let page = meta.page_of(&user, seed::DENTAL).await;
    let now = meta.sim_get("clock").await["now"].as_i64().unwrap();
    let body = json!({"action": "set_expiry", "user_id": seed::MARA, "expires_at": now + 100, "data_access_expires_at": now + 200});
    meta.sim("tokens", body).await;
    let clocks = async |token: &str| {
        let data = meta.get(&format!("/debug_token?input_token={token}"), &app_token()).await.json["data"].clone();
        (data["expires_at"].as_i64().unwrap() - now, data["data_access_expires_at"].as_i64().unwrap() - now)
    };
    assert_eq!(clocks(&user).await, (100, 200));
    assert_eq!(clocks(&page).await, (-now, 200), "a lasting page token keeps expires_at 0");
    meta.sim("clock", json!({"advance_s": 150})).await;
    assert_eq!(meta.get("/me", &user).await.error(), (400, 190, Some(463)));
    assert_eq!(meta.get("/me", &page).await.status, 200);
    meta.sim("clock", json!({"advance_s": 60})).await;
    assert_eq!(meta.get("/me", &page).await.error(), (400, 190, Some(493)));
}
