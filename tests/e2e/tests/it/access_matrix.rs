//! Every operation of the API with every kind of caller. The operations are those of the description, so that a new one
//! is in here from its first day.

use e2e::fixtures::{ConnectedOrg, OrgFixture};
use e2e::json::Json;
use e2e::tenant::Tenant;
use e2e::world::world;
use reqwest::Method;
use serde_json::{Value, json};

/// Operations that not even an admin may carry out.
const SUPERADMIN_ONLY: [&str; 1] = ["putOrg"];

struct Operation {
    id: String,
    method: Method,
    /// With ids that lead to nothing.
    path: String,
    takes_body: bool,
    /// Whether it needs Meta in the org's plan.
    needs_meta: bool,
}

async fn operations() -> Vec<Operation> {
    let description = world().http.get(format!("{}/openapi.json", world().endpoints.url)).send().await.unwrap();
    let description: Value = description.json().await.unwrap();
    let mut found = Vec::new();
    for (path, item) in description["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let Ok(method) = Method::from_bytes(method.to_uppercase().as_bytes()) else { continue };
            let segments = path.split('/').map(|segment| if segment.starts_with('{') { "1" } else { segment });
            found.push(Operation {
                id: operation.text("operationId").to_owned(),
                method,
                path: segments.collect::<Vec<_>>().join("/"),
                takes_body: operation["requestBody"].is_object(),
                needs_meta: operation["responses"]["402"].is_object(),
            });
        }
    }
    assert!(found.len() > 90, "{} operations", found.len());
    found
}

struct Caller<'a> {
    what: &'a str,
    token: Option<String>,
    orgid: Option<&'a str>,
    /// What they are told: the status, and the code if it is ours.
    expect: &'a dyn Fn(&Operation) -> (u16, &'static str),
}

async fn unexpected_answer(operation: &Operation, caller: &Caller<'_>) -> Option<String> {
    let url = format!("{}{}", world().endpoints.url, operation.path);
    let mut request = world().http.request(operation.method.clone(), url);
    if let Some(token) = &caller.token {
        request = request.bearer_auth(token);
    }
    if let Some(org) = caller.orgid {
        request = request.header("orgid", org);
    }
    if operation.takes_body {
        request = request.json(&json!({}));
    }
    let answer = request.send().await.unwrap();
    let (status, text) = (answer.status().as_u16(), answer.text().await.unwrap());
    let code = serde_json::from_str(&text).map(|body: Value| body["code"].as_str().unwrap_or_default().to_owned());
    let code = code.unwrap_or_default();
    let expect = (caller.expect)(operation);
    let is_as_expected = status == expect.0 && (status == 401 || code == expect.1);
    (!is_as_expected).then(|| {
        format!(
            "{} ({} {}) for {}: {status} {code}, not {expect:?}",
            operation.id, operation.method, operation.path, caller.what
        )
    })
}

#[tokio::test]
async fn every_operation_refuses_whoever_may_not() {
    let ConnectedOrg { tenant, .. } = OrgFixture::new("matrix-owner").connect().await;
    let stranger = OrgFixture::new("matrix-stranger").create().await;
    let world = world();
    let login =
        async |tenant: &Tenant, name: &str, role: &str| world.token_of(&tenant.create_login(name, role).await).await;
    let good = login(&tenant, "Gil Good", "admin").await;
    let inactive = login(&tenant, "Ina Inactive", "admin").await;
    let user = json!({ "name": "Ina", "email": "ina-inactive@matrix-owner.example", "active": false });
    tenant.call_ok(Method::PUT, "/api/users/ina", &user).await;
    let basic = world.endpoints.user("basic", "admin").unwrap().id_token.clone();
    let forged = format!("{}.{}", good.rsplit_once('.').unwrap().0, basic.rsplit_once('.').unwrap().1);
    let own = Some(tenant.org.as_str());

    let unknown = |_: &Operation| (401, "");
    let is_superadmin_only = |operation: &Operation| SUPERADMIN_ONLY.contains(&operation.id.as_str());
    let foreign = |operation: &Operation| match is_superadmin_only(operation) {
        true => (403, "superadmin_only"),
        false => (403, "org_not_allowed"),
    };
    let role = |operation: &Operation| match is_superadmin_only(operation) {
        true => (403, "superadmin_only"),
        false => (403, "role_not_allowed"),
    };
    let orgless = |operation: &Operation| match is_superadmin_only(operation) {
        true => (403, "superadmin_only"),
        false => (400, "org_required"),
    };
    let gone = |_: &Operation| (403, "user_inactive");
    let callers = [
        Caller { what: "no token", token: None, orgid: own, expect: &unknown },
        Caller { what: "no JWT", token: Some("x.y.z".to_owned()), orgid: own, expect: &unknown },
        Caller { what: "another's signature", token: Some(forged), orgid: own, expect: &unknown },
        Caller {
            what: "another org's admin",
            token: Some(login(&stranger, "Eve", "admin").await),
            orgid: own,
            expect: &foreign,
        },
        Caller { what: "a colleague", token: Some(login(&tenant, "Cora", "sales").await), orgid: own, expect: &role },
        Caller { what: "no role", token: Some(login(&tenant, "Nora", "none").await), orgid: own, expect: &role },
        Caller { what: "an admin without an org", token: Some(good), orgid: None, expect: &orgless },
        Caller { what: "who has left", token: Some(inactive), orgid: own, expect: &gone },
    ];
    let (operations, mut wrong) = (operations().await, Vec::new());
    for operation in &operations {
        for caller in &callers {
            wrong.extend(unexpected_answer(operation, caller).await);
        }
        let plan = |_: &Operation| (402, "meta_not_in_plan");
        let caller = Caller { what: "no plan", token: Some(basic.clone()), orgid: Some("basic"), expect: &plan };
        let refusal = unexpected_answer(operation, &caller).await;
        if operation.needs_meta {
            wrong.extend(refusal);
        } else if refusal.is_none() {
            wrong.push(format!("{} needs Meta in the plan and does not say so", operation.id));
        }
    }
    let without_meta: Vec<&str> = operations.iter().filter(|it| !it.needs_meta).map(|it| it.id.as_str()).collect();
    assert!(without_meta.contains(&"listLeads") && without_meta.len() < 20, "{without_meta:?}");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
