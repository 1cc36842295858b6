//! Who may reach what: routes, roles, logins.

use std::collections::BTreeSet;

use anyhow::{Context, Result};
use local::template::Template;
use serde_json::Value;

use super::{list, referred, texts};

/// The statements of a role, each with the condition under which it has them, if not always.
fn statements(role: &Value) -> Vec<(Option<&str>, &Value)> {
    let policies = role.get("Policies").map(list).unwrap_or_default();
    let all = policies.into_iter().filter_map(|policy| policy.pointer("/PolicyDocument/Statement")).flat_map(list);
    let branches = all.flat_map(|statement| match statement.get("Fn::If").and_then(Value::as_array) {
        Some(branches) => {
            let condition = branches.first().and_then(Value::as_str);
            branches.iter().skip(1).map(|branch| (condition, branch)).collect()
        }
        None => vec![(None, statement)],
    });
    branches.filter(|(_, statement)| referred(statement) != Some("AWS::NoValue")).collect()
}

/// What AWS allows for all resources or for none.
const OF_ALL: [&str; 4] =
    ["cloudwatch:DescribeAlarms", "cloudwatch:GetMetricData", "xray:PutTelemetryRecords", "xray:PutTraceSegments"];

#[test]
fn roles_name_every_action_and_every_resource() -> Result<()> {
    let template = Template::read()?;
    for (id, role) in template.resources("AWS::IAM::Role") {
        assert!(role.get("ManagedPolicyArns").is_none(), "{id}: managed policies allow more than one function needs");
        for (_, statement) in statements(role) {
            let action = statement.get("Action").with_context(|| format!("{id}: a statement without actions"))?;
            let resource = statement.get("Resource").with_context(|| format!("{id}: a statement without resources"))?;
            let actions = texts(action);
            for action in &actions {
                assert!(!action.contains('*'), "{id} may do {action}");
                if action.starts_with("logs:") {
                    assert_eq!(referred(resource).map(|group| group.replace("Logs", "Role")).as_deref(), Some(id));
                }
            }
            let is_of_all = actions.iter().all(|action| OF_ALL.contains(action));
            for resource in texts(resource).into_iter().filter(|resource| !is_of_all || *resource != "*") {
                // The secrets of integrations and the files are the only resources named at run time.
                let named = [
                    ":secret:${AWS::StackName}/integration/*",
                    "${Files.Arn}/uploads/*",
                    "${Files.Arn}/attachments/*",
                    "${Files.Arn}/exports/*",
                ];
                let fixed = named.iter().find_map(|name| resource.strip_suffix(name)).unwrap_or(resource);
                assert!(!fixed.contains('*'), "{id} may touch {resource}");
            }
        }
    }
    Ok(())
}

/// Lambda sends the traces with the function's own role, and refuses to trace without these permissions.
#[test]
fn functions_may_write_traces_only_when_traces_are_on() -> Result<()> {
    let template = Template::read()?;
    assert_eq!(template.document().pointer("/Globals/Function/Tracing").and_then(referred), Some("Tracing"));
    assert_eq!(template.document().pointer("/Parameters/Tracing/Default"), Some(&"PassThrough".into()));
    for (id, function) in template.resources("AWS::Serverless::Function") {
        assert!(function.get("Tracing").is_none(), "{id}: one parameter turns all traces on");
        let role = super::properties(&template, &format!("{id}Role"))?;
        let traces: Vec<_> =
            statements(role).into_iter().filter(|(_, statement)| statement.to_string().contains("xray:")).collect();
        let [(condition, statement)] = traces.as_slice() else { panic!("{id}: {traces:?}") };
        assert_eq!(*condition, Some("Traces"), "{id}");
        let actions = statement.get("Action").map(texts).unwrap_or_default();
        assert_eq!(actions, ["xray:PutTelemetryRecords", "xray:PutTraceSegments"], "{id}");
    }
    Ok(())
}

/// `permissions.txt` lists every permission of every role. A change of the template changes it too, in sight of a reviewer.
#[test]
fn every_permission_was_meant() -> Result<()> {
    let meant: BTreeSet<&str> = include_str!("permissions.txt").lines().collect();
    let mut given = BTreeSet::new();
    let template = Template::read()?;
    for (id, role) in template.resources("AWS::IAM::Role") {
        for (condition, statement) in statements(role) {
            let resources = statement.get("Resource").map(list).unwrap_or_default();
            let condition = condition.map(|name| format!(" if {name}")).unwrap_or_default();
            for action in statement.get("Action").map(texts).unwrap_or_default() {
                given.extend(resources.iter().map(|resource| format!("{id} {action} {resource}{condition}")));
            }
        }
    }
    let given: BTreeSet<&str> = given.iter().map(String::as_str).collect();
    let more: Vec<_> = given.difference(&meant).collect();
    let fewer: Vec<_> = meant.difference(&given).collect();
    assert!(more.is_empty() && fewer.is_empty(), "change permissions.txt too, if this is meant: {more:#?} {fewer:#?}");
    Ok(())
}

#[test]
fn only_these_routes_need_no_token() -> Result<()> {
    let functions = Template::read()?.functions()?;
    let routes = functions.iter().flat_map(|function| &function.routes);
    let public: BTreeSet<String> =
        routes.filter(|route| route.public).map(|route| format!("{} {}", route.method, route.path)).collect();
    let expected = [
        // The console handles the login itself.
        "ANY /",
        "ANY /login",
        "ANY /login/{proxy+}",
        "ANY /{proxy+}",
        "GET /assets/{proxy+}",
        "GET /connect/begin",
        "GET /connect/deletion/facebook",
        "GET /connect/oauth2callback/facebook",
        "GET /connect/webhook/facebook",
        "GET /openapi.json",
        "POST /connect/begin",
        "POST /connect/deauthorize/facebook",
        "POST /connect/deletion/facebook",
        "POST /connect/webhook/facebook",
    ];
    assert_eq!(public, expected.map(String::from).into());
    Ok(())
}

/// What the internet reaches can take neither the workers' instances nor each other's.
#[test]
fn each_function_behind_the_api_has_instances_of_its_own() -> Result<()> {
    let template = Template::read()?;
    for (id, function) in template.resources("AWS::Serverless::Function") {
        let events = function.get("Events").and_then(Value::as_object);
        let is_reached = events.is_some_and(|all| all.values().any(|event| event["Type"] == "HttpApi"));
        assert_eq!(function.get("ReservedConcurrentExecutions").is_some(), is_reached, "{id}");
    }
    Ok(())
}

#[test]
fn people_cannot_write_their_own_org_and_role() -> Result<()> {
    for (id, client) in Template::read()?.resources("AWS::Cognito::UserPoolClient") {
        let writable =
            client.get("WriteAttributes").with_context(|| format!("{id}: without a list all are writable"))?;
        assert!(texts(writable).iter().all(|attribute| !attribute.starts_with("custom:")), "{id}: {writable}");
    }
    Ok(())
}

/// A function that can write sessions can impersonate any user.
#[test]
fn only_the_console_can_make_a_session_and_a_cookie() -> Result<()> {
    let template = Template::read()?;
    for (id, role) in template.resources("AWS::IAM::Role") {
        let may = serde_json::to_string(role)?;
        let has = |name: &str| may.contains(&format!("\"{name}\"")) || may.contains(&format!("\"{name}.Arn\""));
        assert_eq!(has("Sessions") || has("ConsoleSecret"), id == "ConsoleRole", "{id}");
    }
    Ok(())
}
