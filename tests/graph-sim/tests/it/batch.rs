//! `POST /` with `batch`.

use graph_sim::{Options, seed, signing};
use serde_json::{Value, json};

use crate::client::{CHECK_UP, Meta, read};

fn body(element: &Value) -> Value {
    serde_json::from_str(element["body"].as_str().expect("JSON as text")).expect("JSON")
}

#[tokio::test]
async fn answers_come_in_order_each_with_code_headers_and_a_body_as_text() {
    let meta = Meta::start().await;
    let page = meta.page(seed::DENTAL).await;
    let ids = meta.submit(json!({"form_id": CHECK_UP, "count": 3})).await;
    let elements = json!([
        {"method": "GET", "relative_url": format!("{}?fields=id,platform", ids[2])},
        {"method": "GET", "relative_url": "999999999999"},
        {"method": "get", "relative_url": format!("/v25.0/{}", ids[0])},
        {"relative_url": format!("v26.0/{}?fields=nonsense", ids[1])},
        {"relative_url": format!("https://graph.facebook.com/v26.0/{}?fields=id&link=https://example.com/a", ids[1])},
    ]);
    let answer = meta.batch(&page, &elements).await;
    assert_eq!(answer.status, 200);
    let rows = answer.json.as_array().unwrap();
    assert_eq!(rows.iter().map(|row| row["code"].as_i64().unwrap()).collect::<Vec<_>>(), [200, 400, 200, 400, 200]);
    assert_eq!(body(&rows[0]), json!({"id": ids[2], "platform": "fb"}));
    assert_eq!(body(&rows[1])["error"]["error_subcode"], 33);
    assert_eq!(body(&rows[2])["id"], ids[0].as_str());
    let headers = rows[2]["headers"].as_array().unwrap();
    // Once a version has ended, Meta answers with a later one.
    let version = headers.iter().find(|header| header["name"] == "facebook-api-version").unwrap();
    assert!(version["value"].as_str().unwrap().starts_with('v'));
}

#[tokio::test]
async fn headers_can_be_left_out() {
    let meta = Meta::start().await;
    let page = meta.page(seed::DENTAL).await;
    let batch = json!([{"method": "GET", "relative_url": "me"}]).to_string();
    let answer = meta.post("/", &page, &[("batch", &batch), ("include_headers", "false")]).await;
    assert!(answer.json[0].get("headers").is_none());
    assert_eq!(answer.json[0]["code"], 200);
}

#[tokio::test]
async fn a_request_may_bring_its_own_token_and_then_needs_its_own_proof() {
    let meta = Meta::start().await;
    let user = meta.mara().await;
    let (dental, bakery) = (meta.page_of(&user, seed::DENTAL).await, meta.page_of(&user, seed::BAKERY).await);
    let proof = signing::appsecret_proof(seed::APP_SECRET, &bakery);
    let elements = json!([
        {"method": "GET", "relative_url": "me"},
        {"method": "GET", "relative_url": format!("me?access_token={bakery}&appsecret_proof={proof}")},
        {"method": "GET", "relative_url": format!("me?access_token={bakery}")},
        {"method": "POST", "relative_url": format!("{}/subscribed_apps", seed::BAKERY),
         "body": format!("subscribed_fields=feed&access_token={bakery}&appsecret_proof={proof}")},
    ]);
    let rows = meta.batch(&dental, &elements).await.json;
    assert_eq!(body(&rows[0])["id"], seed::DENTAL);
    assert_eq!(body(&rows[1])["id"], seed::BAKERY);
    assert_eq!(body(&rows[2])["error"]["type"], "GraphMethodException");
    assert_eq!(body(&rows[3]), json!({"success": true}));
}

#[tokio::test]
async fn json_bodies_work_like_forms() {
    let meta = Meta::start_with(Options { require_proof: false, ..Options::default() }).await;
    let page = meta.page(seed::DENTAL).await;
    let elements = json!([{"method": "GET", "relative_url": "me?fields=id"}]);
    let request = meta.http().post(meta.url("/v26.0/")).json(&json!({"access_token": page, "batch": elements}));
    assert_eq!(body(&read(request).await.json[0]), json!({"id": seed::DENTAL}));
}

#[tokio::test]
async fn more_than_fifty_requests_or_no_token_or_no_json_fail_as_a_whole() {
    let meta = Meta::start().await;
    let page = meta.page(seed::DENTAL).await;
    let many: Vec<Value> = (0..51).map(|_| json!({"method": "GET", "relative_url": "me"})).collect();
    assert_eq!(meta.batch(&page, &Value::Array(many.clone())).await.error(), (400, 100, None));
    assert_eq!(meta.batch(&page, &Value::Array(many[..50].to_vec())).await.json.as_array().unwrap().len(), 50);
    assert_eq!(meta.batch(&page, &json!("no list")).await.error(), (400, 100, None));
    let form = [("batch", "[]")];
    assert_eq!(read(meta.http().post(meta.url("/")).form(&form)).await.error(), (400, 104, None));
}

#[tokio::test]
async fn faults_make_single_elements_null_or_960() {
    let meta = Meta::start().await;
    let page = meta.page(seed::DENTAL).await;
    let ids = meta.submit(json!({"form_id": CHECK_UP, "count": 3})).await;
    meta.sim("faults", json!({"path": format!("/{}", ids[0]), "kind": "timeout", "times": 1})).await;
    meta.sim("faults", json!({"path": format!("/v26.0/{}", ids[1]), "kind": "error", "code": 960, "times": 1})).await;
    let elements: Value = ids.iter().map(|id| json!({"method": "GET", "relative_url": id})).collect();
    let rows = meta.batch(&page, &elements).await.json;
    assert_eq!(rows[0], Value::Null);
    assert_eq!((&rows[1]["code"], &body(&rows[1])["error"]["code"]), (&json!(400), &json!(960)));
    assert_eq!(rows[2]["code"], 200);
    let again = meta.batch(&page, &elements).await.json;
    assert!(again.as_array().unwrap().iter().all(|row| row["code"] == 200), "the faults are used up");
}
