//! The CRM as a program with credentials of its own.

use std::process::Command;

use e2e::fixtures::OrgFixture;
use e2e::json::Json;
use e2e::world::world;
use reqwest::Method;
use serde_json::{Value, json};

/// Exchanges the credentials for a token.
async fn issue_token(id: &str, secret: &str) -> (u16, Value) {
    let form = [("grant_type", "client_credentials")];
    let request = world().http.post(&world().endpoints.program.token_url).basic_auth(id, Some(secret)).form(&form);
    let answer = request.send().await.unwrap();
    (answer.status().as_u16(), answer.json().await.unwrap_or_default())
}

#[tokio::test]
async fn a_program_gets_a_token_and_pushes_an_org_with_its_users() {
    let program = &world().endpoints.program;
    assert_eq!(issue_token(&program.client_id, "a guess").await.0, 400);
    let (status, answer) = issue_token(&program.client_id, &program.client_secret).await;
    assert_eq!(status, 200, "{answer}");
    let tenant = OrgFixture::new("program-org").create().await;
    let bearer = format!("Bearer {}", answer.text("access_token"));
    let call = async |method: Method, path: &str, org: &str, body: Value| {
        let headers = [("authorization", bearer.clone()), ("orgid", org.to_owned())];
        tenant.call_with(method, path, &body, &headers).await
    };
    let org = json!({ "name": "Program", "plan": { "name": "pro", "features": ["meta"] } });
    assert_eq!(call(Method::PUT, "/api/orgs/program-org", "", org).await.0, 200);
    let user = json!({ "name": "Ann", "email": "ann@program.example", "permissions": ["lead_management"] });
    let (status, answer) = call(Method::PUT, "/api/users/ann", "program-org", user).await;
    assert_eq!(status, 200, "{answer}");
    assert_eq!(call(Method::GET, "/api/users", "program-org", Value::Null).await.1.list("items").len(), 1);
    // It names the org for which it acts, as every caller.
    let (status, problem) = call(Method::GET, "/api/users", "", Value::Null).await;
    assert_eq!((status, problem.text("code")), (400, "org_required"), "{problem}");
}

/// The first call that the README shows, exactly as it stands there.
#[tokio::test]
async fn the_first_call_works_as_it_is_copied_from_the_readme() {
    let readme = include_str!("../../../../README.md");
    let block = readme.split("```").find(|block| block.contains("grant_type")).expect("a first call");
    let file = world().logs.join("../../environment.sh");
    let script = block.replace("target/local/environment.sh", &file.display().to_string());
    assert_ne!(script, block);
    let output = Command::new("bash").arg("-euc").arg(&script).output().unwrap();
    let answer: Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stderr)));
    assert!(answer["items"].is_array(), "{answer}");
}
