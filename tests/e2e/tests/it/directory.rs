//! The CRM pushes its orgs and users.

use e2e::fixtures::OrgFixture;
use e2e::json::Json;
use reqwest::Method;
use serde_json::json;

#[tokio::test]
async fn what_is_pushed_is_read_back() {
    let tenant = OrgFixture::new("directory").inactive_users(&["bob"]).users(&["ann"]).create().await;
    let users = tenant.get("/api/users").await;
    let brief: Vec<_> = users
        .list("items")
        .iter()
        .map(|user| json!([user["id"], user["active"], user["permissions"], user["email"]]))
        .collect();
    assert_eq!(
        brief,
        [
            json!(["ann", true, ["lead_management"], "ann@directory.example"]),
            json!(["bob", false, ["lead_management"], "bob@directory.example"])
        ]
    );
    let pages: Vec<_> = tenant.all_items("/api/users?limit=1").await;
    assert_eq!(&pages, users.list("items"), "one by one they are the same");
    let org = tenant.get("/api/orgs/directory").await;
    assert_eq!((&org["plan"]["features"], org.text("default_country")), (&json!(["meta"]), "US"));
}

#[tokio::test]
async fn what_cannot_be_is_refused_and_changes_nothing() {
    let tenant = OrgFixture::new("directory-bad").users(&["ann"]).create().await;
    let good = json!({ "name": "Ann", "email": "ann@example.com" });
    let with = |field: &str, value: serde_json::Value| {
        let mut body = good.clone();
        body[field] = value;
        body
    };
    for (id, body, field) in [
        ("ann", with("name", json!("")), "name"),
        ("ann", with("name", json!("x".repeat(201))), "name"),
        ("ann", with("email", json!("nobody")), "email"),
        ("ann", with("active", json!("yes")), "active"),
        ("ann", with("permissions", json!("lead_management")), "permissions"),
        ("ann", with("permissions", json!(["x".repeat(65)])), "permissions"),
        ("ann", with("permissions", json!(vec!["x"; 100_000])), "permissions"),
        ("a%23b", good.clone(), "path"),
        ("a%2Cb", good.clone(), "id"),
    ] {
        let (status, answer) = tenant.call(Method::PUT, &format!("/api/users/{id}"), &body).await;
        assert_eq!((status, answer.text("field")), (400, field), "{answer}");
    }
    for (body, field) in [
        (json!({ "name": "", "plan": { "name": "p", "features": [] } }), "name"),
        (json!({ "name": "x", "plan": { "name": "p", "features": [] }, "default_country": "UK" }), "default_country"),
        (json!({ "name": "x", "plan": { "name": "p", "features": [] }, "default_country": "ZZ" }), "default_country"),
        (json!({ "name": "x", "plan": { "name": "p", "features": [] }, "default_country": "USA" }), "default_country"),
        (json!({ "name": "x", "plan": { "name": "p" } }), "plan"),
    ] {
        let (status, answer) = tenant.call(Method::PUT, "/api/orgs/directory-bad", &body).await;
        assert_eq!((status, answer.text("field")), (400, field), "{answer}");
    }
    assert_eq!(tenant.items("/api/users").await[0]["name"], "ann");
}
