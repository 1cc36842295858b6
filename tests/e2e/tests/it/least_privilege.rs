//! The local run enforces the roles of the template: a function without a permission is rejected.

use e2e::console::Guest;
use e2e::fixtures::{ConnectedOrg, OrgFixture};
use e2e::json::Json;
use e2e::world::world;
use local::Aws;
use reqwest::Method;
use serde_json::{Value, json};

/// The api function needs write access to the lead queue only to replay parked leads.
#[tokio::test]
async fn without_its_permission_a_function_is_refused_and_nothing_is_lost() {
    let ConnectedOrg { tenant, person, .. } = OrgFixture::new("privilege").connect().await;
    let id = world().submit_withheld_lead(&person).await;
    tenant.wait_for_parked().await;

    let all = json!({});
    let replay = tenant.call(Method::POST, "/api/parked/replay", &all);
    let (status, answer) = without_permission("api", "sqs:SendMessage", replay).await;
    assert_eq!((status, answer.text("code")), (503, "unavailable"), "{answer}");
    assert_eq!(tenant.items("/api/parked").await[0]["leadgen_id"], json!(id), "what was refused is still parked");

    tenant.call_ok(Method::POST, "/api/parked/replay", &json!({})).await;
    tenant.wait_for_leads(&[id]).await;
}

/// What cannot be read is missing, and the page says so.
#[tokio::test]
async fn without_its_permission_the_page_of_operations_says_what_is_missing() {
    let mut root = Guest::log_in("superadmin@leadwire.example").await;
    // No other story looks back at a week.
    let page = without_permission("console", "cloudwatch:", root.get("/operations?range=week")).await;
    assert_eq!(page.status, 200, "{}", page.text);
    for words in ["The alarms cannot be read", "figures cannot be read", "Whether leads flow is not known."] {
        assert!(page.text.contains(words), "{words}: {}", page.text);
    }
    assert!(!page.text.contains("alert good") && !page.text.contains("badge good"), "{}", page.text);
    let page = root.get("/operations?range=week").await;
    assert!(!page.text.contains("cannot be read"), "what was missing is not kept: {}", page.text);
}

/// Does something while a function's role lacks what contains these words.
async fn without_permission<T>(function: &str, words: &str, act: impl Future<Output = T>) -> T {
    let aws = world().aws();
    let role = role_of(&aws, function).await;
    let before =
        aws.query("iam", &[("Action", "GetRolePolicy"), ("RoleName", &role), ("PolicyName", function)]).await.unwrap();
    let document = between(&before, "<PolicyDocument>", "</PolicyDocument>");
    let document: Value = serde_json::from_str(&decode_policy(&document)).unwrap();
    let statements = document.list("Statement");
    let may_act = |statement: &&Value| statement["Action"].to_string().contains(words);
    let fewer: Vec<&Value> = statements.iter().filter(|statement| !may_act(statement)).collect();
    assert!(fewer.len() < statements.len());
    let mut less = document.clone();
    less["Statement"] = json!(fewer);
    put_policy(&aws, &role, function, &less).await;
    let done = act.await;
    put_policy(&aws, &role, function, &document).await;
    done
}

async fn put_policy(aws: &Aws, role: &str, policy: &str, document: &Value) {
    let document = document.to_string();
    let parameters =
        [("Action", "PutRolePolicy"), ("RoleName", role), ("PolicyName", policy), ("PolicyDocument", &document)];
    aws.query("iam", &parameters).await.unwrap();
}

async fn role_of(aws: &Aws, function: &str) -> String {
    let functions = aws.rest("lambda", http::Method::GET, "/2015-03-31/functions/", &Value::Null).await.unwrap();
    let suffix = format!("-{function}");
    let found = functions.list("Functions").iter().find(|it| it.text("FunctionName").ends_with(&suffix)).unwrap();
    found.text("Role").rsplit('/').next().unwrap().to_owned()
}

fn between(text: &str, before: &str, after: &str) -> String {
    text.split_once(before)
        .and_then(|(_, rest)| rest.split_once(after))
        .map(|(inside, _)| inside.to_owned())
        .unwrap_or_default()
}

/// IAM returns a policy percent-encoded inside XML.
fn decode_policy(document: &str) -> String {
    let unescaped = document.replace("&quot;", "\"").replace("&amp;", "&");
    url::form_urlencoded::parse(format!("d={}", unescaped.replace('+', "%2B")).as_bytes())
        .next()
        .map(|(_, value)| value.into_owned())
        .unwrap_or_default()
}
