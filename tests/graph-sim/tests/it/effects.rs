//! Faults that happen after the effect, and connections that break.

use std::time::{Duration, Instant};

use graph_sim::seed;
use serde_json::{Value, json};

use crate::client::read;
use crate::client::{CHECK_UP, Meta};

const FEED: &str = "/104398761152301/feed";

#[tokio::test]
async fn a_fault_after_the_effect_has_done_what_was_asked() {
    let meta = Meta::start().await;
    let page = meta.publisher(seed::DENTAL).await;
    for (number, (fault, status)) in [
        (json!({"kind": "error", "code": 2}), 500),
        (json!({"kind": "timeout", "hold_ms": 10}), 504),
        (json!({"kind": "garbage"}), 200),
        (json!({"kind": "throttle"}), 400),
    ]
    .into_iter()
    .enumerate()
    {
        for (when, published) in [("before", 0), ("after", 1)] {
            let mut fault = fault.clone();
            fault["path"] = json!("/{page}/feed");
            fault["when"] = json!(when);
            fault["times"] = json!(1);
            meta.sim("faults", fault.clone()).await;
            let message = format!("{number} {when}");
            let answer = meta.post(FEED, &page, &[("message", &message)]).await;
            assert_eq!(answer.status, status, "{fault}");
            assert_eq!(answer.json["id"], Value::Null);
            let posts = meta.truth("posts").await;
            assert_eq!(posts.iter().filter(|post| post["message"] == json!(message)).count(), published, "{fault}");
        }
    }
}

#[tokio::test]
async fn a_closed_connection_gives_no_answer_and_the_next_call_works() {
    let meta = Meta::start().await;
    let page = meta.publisher(seed::DENTAL).await;
    for (when, posts) in [("before", 0), ("after", 1)] {
        meta.sim("faults", json!({"path": "/{page}/feed", "kind": "close", "when": when, "times": 1})).await;
        let proof = graph_sim::signing::appsecret_proof(seed::APP_SECRET, &page);
        let form = [("message", "Sale"), ("access_token", &page), ("appsecret_proof", &proof)];
        let error = meta.http().post(meta.url(FEED)).form(&form).send().await.unwrap_err();
        assert!(!error.is_timeout() && !error.is_connect(), "{error:?}");
        assert_eq!(meta.truth("posts").await.len(), posts);
    }
    assert_eq!(meta.post(FEED, &page, &[("message", "Sale")]).await.error(), (400, 506, None));
}

#[tokio::test]
async fn elements_of_a_batch_and_whole_batches_fail_after_their_effect() {
    let meta = Meta::start().await;
    let page = meta.publisher(seed::DENTAL).await;
    let element =
        |message: &str| json!({"method": "POST", "relative_url": &FEED[1..], "body": format!("message={message}")});
    meta.sim("faults", json!({"path": "/{page}/feed", "kind": "timeout", "when": "after", "times": 1})).await;
    meta.sim("faults", json!({"path": "/{page}/feed", "kind": "close", "when": "after", "times": 1})).await;
    let rows = meta.batch(&page, &json!([element("a"), element("b"), element("c")])).await.json;
    assert_eq!((&rows[0], &rows[1], &rows[2]["code"]), (&Value::Null, &Value::Null, &json!(200)));
    meta.sim("faults", json!({"path": "=/", "kind": "error", "when": "after", "times": 1})).await;
    assert_eq!(meta.batch(&page, &json!([element("d")])).await.error(), (500, 2, None));
    let messages: Vec<_> = meta.truth("posts").await.iter().map(|post| post["message"].clone()).collect();
    assert_eq!(messages, ["a", "b", "c", "d"]);
}

#[tokio::test]
async fn a_published_container_may_be_reported_as_blocked() {
    let meta = Meta::start().await;
    let token = meta.publisher(seed::DENTAL).await;
    let id = meta.instagram_of(seed::DENTAL, &token).await;
    let form = [("image_url", "https://cdn.example/a.jpg")];
    let container = meta.post(&format!("/{id}/media"), &token, &form).await.id();
    meta.advance(2).await;
    let fault = json!({"path": "/{ig}/media_publish", "kind": "error", "code": 4, "subcode": 2_207_051, "status": 400,
                       "when": "after", "times": 1});
    meta.sim("faults", fault).await;
    let publish = format!("/{id}/media_publish");
    let answer = meta.post(&publish, &token, &[("creation_id", &container)]).await;
    assert_eq!((answer.error(), answer.message()), ((400, 4, Some(2_207_051)), "Application request limit reached"));
    let read = meta.get(&format!("/{container}?fields=status_code"), &token).await;
    assert_eq!(read.json["status_code"], "PUBLISHED");
}

#[tokio::test]
async fn reading_and_deleting_have_their_effect_too() {
    let meta = Meta::start().await;
    let page = meta.page(seed::DENTAL).await;
    let form = format!("/{CHECK_UP}/test_leads");
    let lead = meta.post(&form, &page, &[]).await.id();
    meta.sim("faults", json!({"path": "/{lead}", "method": "delete", "kind": "error", "when": "after", "times": 1}))
        .await;
    assert_eq!(meta.delete(&format!("/{lead}"), &page).await.error(), (500, 2, None));
    assert_eq!(meta.get(&format!("/{lead}"), &page).await.error(), (400, 100, Some(33)));
    let wrong =
        meta.http().post(meta.url("/_sim/faults")).json(&json!({"path": "/", "kind": "error", "when": "later"}));
    assert_eq!(read(wrong).await.status, 400);
}

#[tokio::test]
async fn slow_calls_are_answered_late_and_the_first_ones_can_be_left_alone() {
    let meta = Meta::start().await;
    let page = meta.publisher(seed::DENTAL).await;
    for when in ["before", "after"] {
        let slow = json!({"path": "/{page}/feed", "kind": "slow", "when": when, "hold_ms": 200, "times": 1});
        meta.sim("faults", slow).await;
        let start = Instant::now();
        meta.post(FEED, &page, &[("message", when)]).await.id();
        assert!(start.elapsed() >= Duration::from_millis(200), "{when}");
    }
    let third = json!({"path": "/{page}/photos", "kind": "error", "code": 100, "skip": 2, "times": 1});
    meta.sim("faults", third).await;
    let photos = format!("/{}/photos", seed::DENTAL);
    for expected in [200, 200, 400, 200] {
        let form = [("url", "https://cdn.example/a.jpg"), ("published", "false")];
        assert_eq!(meta.post(&photos, &page, &form).await.status, expected);
    }
}

#[tokio::test]
async fn publishing_errors_have_metas_texts() {
    let meta = Meta::start().await;
    let page = meta.publisher(seed::DENTAL).await;
    for (code, subcode, message) in [
        (341, None, "(#341) Feed action request limit reached"),
        (368, Some(1_390_008), "(#368) The action attempted has been deemed abusive or is otherwise disallowed"),
        (506, None, "(#506) Duplicate status message"),
        (9004, Some(2_207_052), "Only photo or video can be accepted as media type."),
        (100, Some(1_404_112), "(#100) An error occurred"),
    ] {
        let fault = json!({"path": "/{page}/feed", "kind": "error", "code": code, "subcode": subcode, "times": 1});
        meta.sim("faults", fault).await;
        let answer = meta.post(FEED, &page, &[("message", "Hi")]).await;
        assert_eq!((answer.error(), answer.message()), ((400, code, subcode), message));
    }
}
