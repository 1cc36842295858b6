//! The roles of the functions, which the local run enforces.

use local::Aws;
use serde_json::{Value, json};

use crate::json::Json;
use crate::world::world;

/// Does something while a function's role lacks what contains these words.
///
/// # Panics
/// Panics if the role has no such permission.
pub async fn without_permission<T>(function: &str, words: &str, act: impl Future<Output = T>) -> T {
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
