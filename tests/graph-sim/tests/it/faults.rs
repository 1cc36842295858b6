//! Injected faults.

use graph_sim::seed;
use serde_json::{Value, json};

use crate::client::{CHECK_UP, Meta, read};

#[tokio::test]
async fn errors_carry_the_code_subcode_and_usual_status_and_end_after_their_times() {
    let meta = Meta::start().await;
    let token = meta.mara().await;
    for (fault, error) in [
        (json!({"code": 1}), (500, 1, None)),
        (json!({"code": 4}), (403, 4, None)),
        (json!({"code": 190, "subcode": 460}), (400, 190, Some(460))),
        (json!({"code": 100, "subcode": 33, "status": 404}), (404, 100, Some(33))),
        (json!({}), (500, 2, None)),
    ] {
        let mut body = json!({"path": "/me/accounts", "kind": "error", "times": 1});
        body.as_object_mut().unwrap().extend(fault.as_object().unwrap().clone());
        meta.sim("faults", body).await;
        assert_eq!(meta.get("/me/accounts", &token).await.error(), error);
        assert_eq!(meta.get("/me/accounts", &token).await.status, 200);
        assert_eq!(meta.get("/me", &token).await.status, 200);
    }
}

#[tokio::test]
async fn normalised_paths_hit_every_lead() {
    let meta = Meta::start().await;
    let page = meta.page(seed::DENTAL).await;
    let ids = meta.submit(json!({"form_id": CHECK_UP, "count": 2})).await;
    meta.sim("faults", json!({"path": "/{lead}", "kind": "error", "code": 2})).await;
    for id in &ids {
        assert_eq!(meta.get(&format!("/{id}"), &page).await.error(), (500, 2, None));
    }
    assert_eq!(meta.get(&format!("/{CHECK_UP}/leads"), &page).await.status, 200);
    let client = meta.http();
    read(client.delete(meta.url("/_sim/faults"))).await;
    assert_eq!(meta.get(&format!("/{}", ids[0]), &page).await.status, 200);
}

#[tokio::test]
async fn throttling_answers_the_buckets_code_with_full_usage_headers() {
    let meta = Meta::start().await;
    let user = meta.mara().await;
    let page = meta.page_of(&user, seed::DENTAL).await;
    let lead = meta.one_lead(CHECK_UP).await;
    meta.sim("faults", json!({"path": "*", "kind": "throttle", "times": 3})).await;
    let leads = meta.get(&format!("/{lead}"), &page).await;
    assert_eq!(leads.error(), (400, 80005, None));
    let usage: Value = serde_json::from_str(leads.headers["x-business-use-case-usage"].to_str().unwrap()).unwrap();
    assert_eq!(usage[seed::DENTAL][0]["call_count"], 100);
    assert!(usage[seed::DENTAL][0]["estimated_time_to_regain_access"].as_i64() > Some(0));
    assert_eq!(meta.get("/me", &page).await.error(), (400, 80001, None));
    let app = meta.get("/me", &user).await;
    assert_eq!(app.error(), (403, 4, None));
    assert!(app.headers.contains_key("x-app-usage"));
}

#[tokio::test]
async fn garbage_is_a_success_that_is_no_answer() {
    let meta = Meta::start().await;
    let token = meta.mara().await;
    meta.sim("faults", json!({"path": "/me", "kind": "garbage", "times": 3})).await;
    for _ in 0..3 {
        let answer = meta.get("/me", &token).await;
        assert_eq!((answer.status, &answer.json), (200, &Value::Null), "{}", answer.text);
    }
    assert_eq!(meta.get("/me", &token).await.json["id"], seed::MARA);
}

#[tokio::test]
async fn a_timeout_answers_nothing_until_the_connection_has_been_held() {
    let meta = Meta::start().await;
    let token = meta.mara().await;
    meta.sim("faults", json!({"path": "/me", "kind": "timeout", "times": 2, "hold_ms": 50})).await;
    let held = meta.get("/me", &token).await;
    assert_eq!((held.status, held.text.as_str()), (504, ""));
    meta.sim("faults", json!({"path": "=/me", "kind": "timeout"})).await;
    meta.get("/me", &token).await;
    let request = meta.http().get(meta.url("/me")).timeout(std::time::Duration::from_millis(100));
    assert!(request.send().await.unwrap_err().is_timeout());
}

#[tokio::test]
async fn the_same_seed_hits_the_same_calls() {
    let meta = Meta::start().await;
    let token = meta.mara().await;
    let mut runs = Vec::new();
    for _ in 0..2 {
        meta.sim("faults", json!({"path": "/me", "kind": "error", "probability": 0.5, "seed": 7})).await;
        let mut statuses = Vec::new();
        for _ in 0..20 {
            statuses.push(meta.get("/me", &token).await.status);
        }
        read(meta.http().delete(meta.url("/_sim/faults"))).await;
        runs.push(statuses);
    }
    assert_eq!(runs[0], runs[1]);
    assert!(runs[0].contains(&200) && runs[0].contains(&500));
}

#[tokio::test]
async fn a_batch_as_a_whole_can_fail() {
    let meta = Meta::start().await;
    let page = meta.page(seed::DENTAL).await;
    meta.sim("faults", json!({"path": "=/", "kind": "error", "code": 1, "times": 1})).await;
    let elements = json!([{"method": "GET", "relative_url": "me"}]);
    assert_eq!(meta.batch(&page, &elements).await.error(), (500, 1, None));
    assert_eq!(meta.batch(&page, &elements).await.json[0]["code"], 200);
}
