//! The control interface itself: rejected calls, state, statistics and reset.

use graph_sim::{Options, seed};
use serde_json::{Value, json};

use crate::client::{CHECK_UP, Meta, app_token, read};
use crate::receiver::Receiver;

#[tokio::test]
async fn mistakes_are_told_in_a_sentence() {
    let meta = Meta::start().await;
    for (path, body, word) in [
        ("leads", json!({}), "form_id"),
        ("leads", json!({"form_id": "1"}), "no form 1"),
        ("leads", json!({"form_id": CHECK_UP, "count": 0}), "count"),
        ("leads", json!({"form_id": CHECK_UP, "platform": "tv"}), "platform"),
        ("leads", json!({"form_id": CHECK_UP, "deliver": "slowly"}), "deliver"),
        ("leads", json!({"form_id": CHECK_UP, "answers": {"shoe_size": "42"}}), "full_name, email"),
        ("leads", json!({"form_id": CHECK_UP, "answers": {"preferred_time": "midnight"}}), "morning, afternoon"),
        ("leads", json!({"form_id": CHECK_UP, "answers": 7}), "answers"),
        ("leads", json!({"form_id": CHECK_UP, "colour": "red"}), "colour"),
        ("faults", json!({"path": "/", "kind": "gremlin"}), "kind"),
        ("faults", json!({"path": "/", "kind": "error", "probability": 2}), "probability"),
        ("tokens", json!({"action": "expire"}), "user_id or page_id"),
        ("tokens", json!({"action": "expire", "user_id": "1"}), "no user 1"),
        ("tokens", json!({"action": "tickle", "user_id": seed::MARA}), "action"),
        ("tokens", json!({"action": "set_expiry", "user_id": seed::MARA}), "expires_at"),
        ("events", json!({"id": seed::DENTAL}), "required"),
        ("events", json!({"raw": "x"}), "no subscription"),
        ("messages", json!({"channel": "messenger"}), "page_id"),
        ("messages", json!({"channel": "messenger", "page_id": "1"}), "no page 1"),
        ("messages", json!({"channel": "pigeon", "page_id": seed::DENTAL}), "channel"),
        ("messages", json!({"channel": "whatsapp", "page_id": seed::DENTAL}), "does not fit"),
        ("messages", json!({"page_id": seed::DENTAL, "kind": "smoke"}), "kind"),
        ("messages", json!({"page_id": seed::DENTAL, "kind": "read", "mid": "m_1"}), "no message m_1"),
        ("messages", json!({"page_id": seed::DENTAL, "deliver": "mixed"}), "deliver"),
        ("comments", json!({"object": "page"}), "post_id"),
        ("comments", json!({"object": "group", "post_id": "1"}), "object"),
        ("comments", json!({"object": "page", "post_id": "1_2"}), "no post 1_2"),
        ("comments", json!({"object": "page", "verb": "hide", "comment_id": "1_2"}), "no comment 1_2"),
        ("reactions", json!({"type": "like"}), "required"),
        ("reactions", json!({"type": "like", "message_id": "m_1"}), "no message m_1"),
        ("people", json!({"id": "Nobody"}), "no person"),
        ("people", json!({"channels": ["pigeon"]}), "pigeon"),
        ("messaging", json!({"closed_window": "ajar"}), "closed_window"),
        ("messaging", json!({"statuses": ["lost"]}), "statuses"),
        ("messaging", json!({"template": {"name": "none", "status": "PAUSED"}}), "none"),
        ("clock", json!({"advance_s": -1}), "advance_s"),
        ("tokens", json!({"action": "scope_revoked", "user_id": seed::MARA}), "scopes"),
        ("tokens", json!({"action": "scope_revoked", "user_id": seed::MARA, "scopes": ["fly"]}), "fly"),
        ("pages", json!({"page_id": seed::DENTAL}), "lead_access or subscribed_fields"),
        ("pages", json!({"page_id": seed::DENTAL, "subscribed_fields": ["gossip"]}), "gossip"),
        ("forms", json!({"form_id": CHECK_UP, "status": "LOST"}), "status"),
        ("app", json!({"mode": "asleep"}), "mode"),
        ("app", json!({"deletion_url": "nowhere"}), "deletion_url"),
        ("privacy", json!({"user_id": seed::MARA, "kind": "deletion"}), "no address"),
        ("privacy", json!({"user_id": "1", "kind": "deletion"}), "no user 1"),
        ("system_users", json!({"business_id": "1"}), "no business 1"),
        ("system_users", json!({"pages": ["1"]}), "no page 1"),
        ("system_users", json!({"expires_in_days": 61}), "expires_in_days"),
        ("system_users/1/tokens", json!({}), "no system user 1"),
    ] {
        let answer = read(meta.http().post(meta.url(&format!("/_sim/{path}"))).json(&body)).await;
        assert_eq!(answer.status, 400, "{path} {body}");
        assert!(answer.json["error"].as_str().unwrap().contains(word), "{path} {body}: {}", answer.text);
    }
    assert_eq!(read(meta.http().get(meta.url("/_sim/weather"))).await.status, 404);
}

#[tokio::test]
async fn the_state_tells_the_whole_truth() {
    let meta = Meta::start_with(Options { app_secret: "another".to_owned(), ..Options::default() }).await;
    let ids = meta.submit(json!({"form_id": CHECK_UP, "count": 2, "platform": "ig"})).await;
    let state = meta.sim_get("state").await;
    assert_eq!((&state["app"]["id"], &state["app"]["secret"]), (&json!(seed::APP_ID), &json!("another")));
    assert_eq!(state["app"]["verify_token"], seed::VERIFY_TOKEN);
    let users: Vec<&Value> = state["users"].as_array().unwrap().iter().collect();
    assert_eq!(users.len(), 3);
    assert_eq!((&users[2]["id"], users[2]["pages"].as_array().unwrap().len()), (&json!(seed::PRIYA), 60));
    let dental = state["pages"].as_array().unwrap().iter().find(|page| page["id"] == seed::DENTAL).unwrap();
    assert_eq!(dental["forms"][0]["name"], "Free check-up");
    let lead = &state["leads"][1];
    assert_eq!(
        (&lead["id"], &lead["platform"], &lead["page_id"]),
        (&json!(ids[1]), &json!("ig"), &json!(seed::DENTAL))
    );
    assert_eq!(lead["field_data"][0]["name"], "full_name");
    assert_eq!(state["ad_accounts"][0]["id"], format!("act_{}", seed::AD_ACCOUNT));
}

#[tokio::test]
async fn statistics_count_endpoints_batches_and_errors() {
    let meta = Meta::start().await;
    let page = meta.page(seed::DENTAL).await;
    let ids = meta.submit(json!({"form_id": CHECK_UP, "count": 3})).await;
    meta.get(&format!("/{}", ids[0]), &page).await;
    meta.get("/123456", &page).await;
    let elements: Value = ids.iter().map(|id| json!({"method": "GET", "relative_url": id})).collect();
    meta.batch(&page, &elements).await;
    let stats = meta.sim_get("stats").await;
    assert_eq!((&stats["calls"]["GET /{lead}"], &stats["calls"]["POST /"]), (&json!(1), &json!(1)));
    assert_eq!((&stats["batches"], &stats["sub_requests"]), (&json!(1), &json!({"GET /{lead}": 3})));
    assert_eq!(stats["errors"]["GET /{id}"], json!({"100/33": 1}));
}

#[tokio::test]
async fn a_reset_restores_the_seed_and_keeps_callbacks_and_new_ids() {
    let meta = Meta::start().await;
    let receiver = Receiver::start().await;
    receiver.subscribe(&meta, &[seed::DENTAL], "leadgen").await;
    let token = meta.mara().await;
    let before = meta.submit(json!({"form_id": CHECK_UP, "count": 2})).await;
    receiver.wait_for_leads(2).await;
    meta.sim("faults", json!({"path": "/", "kind": "error"})).await;
    meta.sim("clock", json!({"advance_s": 86_400})).await;
    meta.sim("tokens", json!({"action": "role_lost", "user_id": seed::MARA})).await;

    meta.sim("reset", json!({})).await;
    let state = meta.sim_get("state").await;
    assert_eq!(state["leads"], json!([]));
    assert!(state["pages"].as_array().unwrap().iter().all(|page| page["subscribed_fields"] == json!([])));
    assert_eq!(state["subscriptions"].as_array().unwrap().len(), 1);
    assert_eq!(state["users"][0]["pages"].as_array().unwrap().len(), 7);
    assert_eq!(meta.sim_get("clock").await["advanced_s"], 0);
    assert_eq!(meta.sim_get("stats").await["calls_total"], 0);
    assert_eq!(meta.get("/me", &token).await.error(), (400, 190, None), "tokens are gone");
    let after = meta.submit(json!({"form_id": CHECK_UP, "count": 2})).await;
    assert!(after.iter().all(|id| !before.contains(id)), "ids never come twice");
    assert_eq!(
        meta.get(&format!("/{}/subscriptions", seed::APP_ID), &app_token()).await.json["data"][0]["object"],
        "page"
    );
}
