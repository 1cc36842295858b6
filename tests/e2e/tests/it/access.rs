//! Authentication and authorization: who is let in, and how far.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use e2e::description::{Answer, Description};
use e2e::fixtures::{ConnectedOrg, OrgFixture};
use e2e::json::Json;
use e2e::tenant::Tenant;
use e2e::world::world;
use reqwest::Method;
use serde_json::{Value, json};

const GET_AUTH_URL: &str = "/api/upstream/call/facebook-provider/get-auth-url";

fn id_token(role: &str) -> String {
    world().endpoints.user("demo", role).unwrap().id_token.clone()
}

/// Tampers with the header or the claims of a token; keeps the old signature or drops it.
fn tamper(token: &str, part: usize, change: impl Fn(&mut Value), keep_signature: bool) -> String {
    let mut parts: Vec<String> = token.split('.').map(ToOwned::to_owned).collect();
    let mut json: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(&parts[part]).unwrap()).unwrap();
    change(&mut json);
    parts[part] = URL_SAFE_NO_PAD.encode(json.to_string());
    if !keep_signature {
        parts[2] = String::new();
    }
    parts.join(".")
}

#[tokio::test]
async fn without_a_good_token_nobody_gets_in() {
    let tenant = Tenant::as_superadmin("demo");
    let good = id_token("admin");
    let bad = [
        String::new(),
        "nonsense".into(),
        "a.b.c".into(),
        tamper(&good, 1, |claims| claims["custom:role"] = json!("superadmin"), true),
        tamper(&good, 1, |claims| claims["exp"] = json!(1), true),
        tamper(&good, 1, |claims| claims["iss"] = json!("https://issuer.example"), true),
        tamper(&good, 1, |claims| claims["aud"] = json!("somebody-else"), true),
        tamper(&good, 0, |header| header["alg"] = json!("none"), false),
        tamper(&good, 0, |header| header["alg"] = json!("none"), true),
        tamper(&good, 0, |header| header["alg"] = json!("HS256"), true),
        tamper(&good, 0, |header| header["kid"] = json!("unknown"), true),
    ];
    for token in bad {
        let headers = [("authorization", format!("Bearer {token}")), ("orgid", "demo".to_owned())];
        let (status, answer) = tenant.call_with(Method::GET, "/api/leads", &Value::Null, &headers).await;
        assert_eq!(status, 401, "{token}: {answer}");
    }
}

#[tokio::test]
async fn an_org_is_reached_by_its_own_admins_and_by_nobody_else() {
    let admin = Tenant::as_user("demo", "admin", "other");
    for role in ["admin", "moderator"] {
        let own = Tenant::as_user("demo", role, "demo");
        assert_eq!(own.call(Method::GET, "/api/leads", &Value::Null).await.0, 200, "{role}");
    }
    assert_eq!(Tenant::as_superadmin("other").call(Method::GET, "/api/leads", &Value::Null).await.0, 200);
    let headers = |orgid: Option<&str>| {
        let mut headers = vec![("authorization", format!("Bearer {}", id_token("admin")))];
        headers.extend(orgid.map(|orgid| ("orgid", orgid.to_owned())));
        headers
    };
    for (orgid, status, code) in [
        (None, 400, "org_required"),
        (Some(" "), 400, "org_required"),
        (Some("demo#x"), 403, "org_not_allowed"),
        (Some("DEMO"), 403, "org_not_allowed"),
    ] {
        let (got, answer) = admin.call_with(Method::GET, "/api/leads", &Value::Null, &headers(orgid)).await;
        assert_eq!((got, answer.text("code"), answer.text("field")), (status, code, "orgid"), "{orgid:?}");
    }
}

#[tokio::test]
async fn a_plan_without_meta_reaches_nothing_of_it() {
    let basic = Tenant::as_user("basic", "admin", "basic");
    for path in ["/api/meta/integrations", "/api/meta/integrations/int_1", "/api/meta/connections", "/api/parked"] {
        let (status, answer) = basic.call(Method::GET, path, &Value::Null).await;
        assert_eq!((status, answer.text("code")), (402, "meta_not_in_plan"), "{path}");
    }
    for (method, path, body) in changes("int_1") {
        let (status, answer) = basic.call(method, &path, &body).await;
        assert_eq!((status, answer.text("code")), (402, "meta_not_in_plan"), "{path}");
    }
}

/// Every call that changes an integration or queries Meta about it, each with a valid body.
fn changes(id: &str) -> Vec<(Method, String, Value)> {
    let of = |call: &str| format!("/api/meta/integrations/{id}{call}");
    vec![
        (Method::POST, GET_AUTH_URL.to_owned(), json!({ "returnUrl": world().endpoints.url, "integrationId": id })),
        (Method::POST, "/api/meta/integrations".to_owned(), json!({ "name": "n", "token": "t" })),
        (Method::PATCH, of(""), json!({ "name": "n" })),
        (Method::DELETE, of(""), Value::Null),
        (Method::POST, of("/reconnect"), json!({ "return_url": world().endpoints.url })),
        (Method::PUT, of("/token"), json!({ "token": "t" })),
        (Method::PUT, of("/pages"), json!({ "page_ids": ["1"] })),
        (Method::GET, of("/health"), Value::Null),
        (Method::GET, of("/businesses"), Value::Null),
        (Method::POST, of("/sync"), Value::Null),
        (Method::POST, "/api/meta/disconnect".to_owned(), Value::Null),
    ]
}

#[tokio::test]
async fn each_refusal_has_its_own_meaning() {
    let ConnectedOrg { tenant, integration: id, .. } = OrgFixture::new("access-owner").connect().await;
    let (stranger, sales) =
        (OrgFixture::new("access-stranger").create().await, Tenant::as_user("demo", "sales", "demo"));
    let nobody = Tenant::as_superadmin("access-never-pushed");
    for (method, path, body) in changes(&id) {
        let none = [("orgid", "access-owner".to_owned())];
        assert_eq!(tenant.call_with(method.clone(), &path, &body, &none).await.0, 401, "{method} {path}");
        assert_eq!(sales.call(method.clone(), &path, &body).await.0, 403, "{method} {path}");
        assert_eq!(
            nobody.call(method.clone(), &path, &body).await.0,
            402,
            "an org that is not known has no plan: {path}"
        );
        // A call that names no integration acts on the stranger's own org.
        if path.contains(&id) || body.to_string().contains(&id) {
            let (status, answer) = stranger.call(method.clone(), &path, &body).await;
            assert_eq!((status, answer.text("code")), (404, "not_found"), "{method} {path}");
        }
    }
    assert_eq!(tenant.integration(&id).await["status"], "active", "nobody of them changed anything");
}

#[tokio::test]
async fn only_a_superadmin_says_what_an_org_has_paid_for() {
    let body = json!({ "name": "Basic", "plan": { "name": "pro", "features": ["meta"] } });
    for role in ["admin", "moderator"] {
        let (status, answer) = Tenant::as_user("demo", role, "demo").call(Method::PUT, "/api/orgs/demo", &body).await;
        assert_eq!((status, answer.text("code")), (403, "superadmin_only"));
    }
    let (status, _) = Tenant::as_user("demo", "admin", "demo").call(Method::GET, "/api/orgs/other", &Value::Null).await;
    assert_eq!(status, 403);
}

#[tokio::test]
async fn bad_parameters_are_named_and_bad_addresses_too() {
    let demo = Tenant::as_user("demo", "admin", "demo");
    for (query, field) in [
        ("limit=0", "limit"),
        ("limit=1000000000", "limit"),
        ("limit=-1", "limit"),
        ("limit=ten", "limit"),
        ("cursor=x", "cursor"),
        ("cursor=eyJjcmVhdGVkIjoiMjAyNi0wMS0wMVQwMDowMDowMFoiLCJsZWFkIjoibWV0YS0xIn0.AAAA", "cursor"),
        ("from=yesterday", "from"),
        ("to=2026-02-30", "to"),
        ("status=sold", "status"),
        ("assignee=ann", "assignee"),
        ("source=Meta&source=Meta", "source"),
        ("from=2026-02-01&to=2026-02-01", "to"),
    ] {
        let (status, answer) = demo.call(Method::GET, &format!("/api/leads?{query}"), &Value::Null).await;
        assert_eq!((status, answer.text("field")), (400, field), "{query}: {answer}");
    }
    for path in ["/api/leads/meta-1", "/api/leads/a%2Cb", "/api/meta/integrations/x", "/api/nothing"] {
        let (status, answer) = demo.call(Method::GET, path, &Value::Null).await;
        assert_eq!(status, 404, "{path}");
        assert!(answer["code"].is_string(), "{path}: {answer}");
    }
    assert_eq!(demo.call(Method::DELETE, "/api/leads", &Value::Null).await.0, 405);
}

#[tokio::test]
async fn the_description_of_the_api_is_public_and_names_what_there_is() {
    let answer = world().http.get(format!("{}/openapi.json", world().endpoints.url)).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    let description: Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
    for path in ["/api/leads", "/api/leads/{id}", "/api/meta/integrations", GET_AUTH_URL, "/api/users/{id}"] {
        assert!(description["paths"][path].is_object(), "{path}");
    }
    // The check to which every answer of the API is put in the stories.
    let description = Description::new(description);
    let problem = |status: u16, content_type: &str, body: &str| {
        description.problem_with("GET", "/api/leads/meta-1?x=1", &Answer { status, content_type, body }).is_some()
    };
    let refusal = |status: u16, code: &str| json!({ "status": status, "title": "No", "code": code, "detail": "No." });
    let json = "application/problem+json";
    assert!(!problem(404, json, &refusal(404, "not_found").to_string()));
    assert!(problem(404, json, &refusal(400, "not_found").to_string()), "another status");
    assert!(problem(404, json, &refusal(404, "mapping_changed").to_string()), "a code of other operations");
    assert!(problem(404, "text/html", "<p>Not here"), "another type");
    assert!(problem(418, json, &refusal(418, "not_found").to_string()), "an unknown status");
    assert!(problem(200, "application/json", "{}"), "no lead");
}
