//! The privacy callbacks.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use graph_sim::{Options, seed, signing};
use serde_json::{Value, json};

use crate::client::Meta;
use crate::receiver::{Post, Receiver};

/// The payload of a signed request. Checks the signature.
fn opened(signed_request: &str) -> Value {
    let (_, payload) = signed_request.split_once('.').expect("two parts");
    let payload: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).expect("base64url")).expect("JSON");
    let (user_id, issued_at) = (payload["user_id"].as_str().expect("text"), payload["issued_at"].as_i64());
    assert_eq!(signing::signed_request(seed::APP_SECRET, user_id, issued_at.expect("seconds")), signed_request);
    payload
}

fn posted(post: &Post) -> Value {
    assert_eq!(post.headers["content-type"], "application/x-www-form-urlencoded");
    let fields: Vec<_> = url::form_urlencoded::parse(&post.bytes).collect();
    assert_eq!((fields.len(), &*fields[0].0), (1, "signed_request"));
    opened(&fields[0].1)
}

#[tokio::test]
async fn removing_the_app_is_told_to_the_deauthorize_address() {
    let receiver = Receiver::start().await;
    let options = Options { deauthorize_url: Some(receiver.url("/hook")), ..Options::default() };
    let meta = Meta::start_with(options).await;
    let token = meta.mara().await;
    let answer = meta.sim("tokens", json!({"action": "remove_app", "user_id": seed::MARA})).await;
    assert_eq!((&answer["tokens"], &answer["deauthorize"]), (&json!(2), &json!({"status": 200, "body": ""})));
    assert_eq!(meta.get("/me", &token).await.error(), (400, 190, Some(458)));
    let payload = posted(&receiver.posts()[0]);
    assert_eq!((&payload["algorithm"], &payload["user_id"]), (&json!("HMAC-SHA256"), &json!(seed::MARA)));

    meta.sim("app", json!({"deauthorize_url": null})).await;
    let quiet = meta.sim("tokens", json!({"action": "remove_app", "user_id": seed::MARA})).await;
    assert!(quiet.get("deauthorize").is_none());
    assert_eq!(receiver.posts().len(), 1);
}

#[tokio::test]
async fn a_deletion_request_removes_the_app_and_tells_what_the_receiver_answered() {
    let meta = Meta::start().await;
    let receiver = Receiver::start().await;
    let app = meta.sim("app", json!({"deletion_url": receiver.url("/deletion")})).await;
    let url = receiver.url("/deletion");
    assert_eq!(app, json!({"mode": "live", "new_app": true, "deauthorize_url": null, "deletion_url": url}));
    assert_eq!(meta.sim_get("state").await["app"]["deletion_url"], receiver.url("/deletion"));
    let token = meta.mara().await;
    let answer = meta.sim("privacy", json!({"user_id": seed::MARA, "kind": "deletion", "times": 2})).await;
    let confirmation = json!({"url": "https://client.example/status?code=a1", "confirmation_code": "a1"});
    let once = json!({"status": 200, "body": confirmation});
    assert_eq!(answer, json!({"answers": [once, once]}));
    let posts = receiver.posts();
    assert_eq!(posts[0].bytes, posts[1].bytes);
    assert_eq!(posted(&posts[0])["user_id"], seed::MARA);
    assert_eq!(meta.get("/me", &token).await.error(), (400, 190, Some(458)));
}

#[tokio::test]
async fn a_signed_request_may_be_had_without_anything_happening() {
    let meta = Meta::start().await;
    let token = meta.mara().await;
    let body = json!({"user_id": seed::MARA, "kind": "deletion", "send": false});
    let answer = meta.sim("privacy", body).await;
    assert_eq!(opened(answer["signed_request"].as_str().unwrap())["user_id"], seed::MARA);
    assert_eq!(meta.get("/me", &token).await.status, 200);
}

#[tokio::test]
async fn a_receiver_that_is_not_there_is_told_of() {
    let meta = Meta::start().await;
    meta.sim("app", json!({"deauthorize_url": "http://127.0.0.1:9/"})).await;
    let answer = meta.sim("privacy", json!({"user_id": seed::MARA, "kind": "deauthorize"})).await;
    assert_eq!(answer, json!({"answers": [{"status": null, "error": "unreachable"}]}));
}
