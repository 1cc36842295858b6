//! Invariants of `infra/template.yaml` that every new function must preserve.

mod access;
mod alarms;
mod composites;
mod dashboard;
mod limits;
mod quotas;
mod releases;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use local::packages::Budgets;
use local::template::Template;
use serde_json::Value;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Collects every string inside a value.
fn texts(value: &Value) -> Vec<&str> {
    match value {
        Value::String(text) => vec![text],
        Value::Array(items) => items.iter().flat_map(texts).collect(),
        Value::Object(fields) => fields.values().flat_map(texts).collect(),
        _ => Vec::new(),
    }
}

/// The resource a value refers to: `{"Ref": id}` or `{"Fn::GetAtt": [id, …]}`.
fn referred(value: &Value) -> Option<&str> {
    value.get("Ref").or_else(|| value.pointer("/Fn::GetAtt/0")).and_then(Value::as_str)
}

fn properties<'a>(template: &'a Template, id: &str) -> Result<&'a Value> {
    let pointer = format!("/Resources/{id}/Properties");
    template.document().pointer(&pointer).with_context(|| format!("there is no resource {id}"))
}

fn list(value: &Value) -> Vec<&Value> {
    value.as_array().map_or_else(|| vec![value], |items| items.iter().collect())
}

#[test]
fn every_function_folder_is_a_function_and_back() -> Result<()> {
    let folders: BTreeSet<String> = fs::read_dir(root().join("functions"))?
        .map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()))
        .collect::<Result<_>>()?;
    let functions = Template::read()?.functions()?;
    let named: BTreeSet<String> = functions.iter().map(|function| function.name.clone()).collect();
    assert_eq!(folders, named);
    for function in functions {
        let camel_case: String = function
            .name
            .split('-')
            .flat_map(|word| word.chars().enumerate().map(|(i, c)| if i == 0 { c.to_ascii_uppercase() } else { c }))
            .collect();
        assert_eq!(function.logical_id, camel_case);
    }
    Ok(())
}

#[test]
fn every_function_has_budgets() -> Result<()> {
    let functions = Template::read()?.functions()?;
    let named: BTreeSet<&str> = functions.iter().map(|function| function.name.as_str()).collect();
    let budgets = Budgets::read()?;
    for limits in [&budgets.size_mb, &budgets.start] {
        assert_eq!(limits.keys().map(String::as_str).collect::<BTreeSet<_>>(), named);
    }
    Ok(())
}

/// Another program in the release build would delay it, and its dependencies would change the features of the functions'.
#[test]
fn the_release_build_leaves_out_what_is_not_deployed() -> Result<()> {
    let manifest: toml::Table = fs::read_to_string(root().join("Cargo.toml"))?.parse()?;
    let build = toml::Value::Table(manifest);
    let excluded =
        build.get("workspace").and_then(|it| it.get("metadata")?.get("lambda")?.get("build")?.get("exclude"));
    let excluded = excluded.and_then(toml::Value::as_array).context("nothing is left out")?;
    let excluded: BTreeSet<String> = excluded.iter().filter_map(|name| Some(name.as_str()?.to_owned())).collect();
    let tests = fs::read_dir(root().join("tests"))?.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()));
    let mut others: BTreeSet<String> = tests.collect::<Result<_>>()?;
    others.extend(["aws-calls", "baselines", "local", "ops"].map(ToOwned::to_owned));
    assert_eq!(excluded, others);
    Ok(())
}

#[test]
fn every_function_has_its_own_name_role_log_group_and_error_alarm() -> Result<()> {
    let template = Template::read()?;
    for function in template.functions()? {
        let (id, name) = (&function.logical_id, &function.name);
        let own = properties(&template, id)?;
        assert_eq!(own.pointer("/FunctionName/Fn::Sub"), Some(&format!("${{AWS::StackName}}-{name}").into()), "{id}");
        assert_eq!(own.get("Role").and_then(referred), Some(format!("{id}Role").as_str()), "{id}");
        assert_eq!(
            own.pointer("/LoggingConfig/LogGroup").and_then(referred),
            Some(format!("{id}Logs").as_str()),
            "{id}"
        );
        let alarm = properties(&template, &format!("{id}ErrorsAlarm"))?;
        assert_eq!(alarm.pointer("/Dimensions/0/Value").and_then(referred), Some(id.as_str()), "{id}");
        assert!(own.pointer("/Policies").is_none(), "{id}: what it may do belongs into its role");
    }
    for (id, group) in template.resources("AWS::Logs::LogGroup") {
        assert!(group.get("RetentionInDays").is_some(), "{id} keeps its logs forever");
    }
    Ok(())
}

#[test]
fn the_environment_is_what_the_function_reads() -> Result<()> {
    let variables = variables()?;
    let template = Template::read()?;
    for function in template.functions()? {
        let given = properties(&template, &function.logical_id)?.pointer("/Environment/Variables");
        let given: BTreeSet<&str> =
            given.and_then(Value::as_object).into_iter().flatten().map(|(name, _)| name.as_str()).collect();
        let mut source = source(&root().join("functions").join(&function.name).join("src"))?;
        if source.contains("Rooms::open(") {
            source.push_str(&rooms()?);
        }
        let read: BTreeSet<&str> = variables
            .iter()
            .filter(|(reader, _)| source.contains(&format!("env::{reader}(")))
            .map(|(_, variable)| variable.as_str())
            .collect();
        assert_eq!(given, read, "{}: left is given by the template, right is read", function.name);
    }
    Ok(())
}

/// SAM adds the variables of `Globals` to those of each function.
#[test]
fn the_environment_of_all_functions_is_what_the_package_reads() -> Result<()> {
    let template = Template::read()?;
    let given = template.document().pointer("/Globals/Function/Environment/Variables").and_then(Value::as_object);
    let given: BTreeSet<&str> = given.into_iter().flatten().map(|(name, _)| name.as_str()).collect();
    let package = source(&root().join("shared/src"))?.replace(&rooms()?, "");
    let variables = variables()?;
    let read = variables.iter().filter(|(reader, _)| package.contains(&format!("env::{reader}(")));
    assert_eq!(given, read.map(|(_, variable)| variable.as_str()).collect(), "left is given, right is read");
    Ok(())
}

/// What reads variables for the functions that have all rooms.
fn rooms() -> Result<String> {
    Ok(fs::read_to_string(root().join("shared/src/rooms.rs"))?)
}

/// The functions of `shared/src/env.rs`, each with the variable it reads.
fn variables() -> Result<BTreeMap<String, String>> {
    let source = fs::read_to_string(root().join("shared/src/env.rs"))?;
    let source = source.split("#[cfg(test)]").next().context("a file begins")?;
    let mut variables = BTreeMap::new();
    let mut reader = None;
    for line in source.lines().map(str::trim) {
        if let Some((name, _)) = line.strip_prefix("pub fn ").and_then(|rest| rest.split_once('(')) {
            reader = Some(name);
        } else if let Some((name, _)) = line.split_once(" -> ").filter(|(name, _)| !name.contains(' ')) {
            reader = Some(name);
        }
        let variable = line
            .split('"')
            .nth(1)
            .filter(|text| text.len() > 3 && text.chars().all(|c| c.is_ascii_uppercase() || c == '_'));
        // Lambda sets the `AWS_` variables itself.
        if let (Some(reader), Some(variable)) = (reader, variable.filter(|variable| !variable.starts_with("AWS_"))) {
            variables.insert(reader.to_owned(), variable.to_owned());
        }
    }
    ensure!(variables.len() > 5, "shared/src/env.rs is not written as this test reads it: {variables:?}");
    Ok(variables)
}

/// Returns all Rust source below a folder.
fn source(folder: &Path) -> Result<String> {
    let mut all = String::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            all += &source(&path)?;
        } else if path.extension().is_some_and(|end| end == "rs") {
            all += &fs::read_to_string(&path)?;
        }
    }
    Ok(all)
}

/// A name that is the same in every stack keeps a second one out of the account. Without a name, CloudFormation makes one.
#[test]
fn two_stacks_fit_into_one_account_and_region() -> Result<()> {
    const NAMES: [&str; 7] =
        ["FunctionName", "QueueName", "LogGroupName", "Name", "UserPoolName", "Domain", "RoleName"];
    let template = Template::read()?;
    let resources = template.document().get("Resources").and_then(Value::as_object).context("no resources")?;
    for (id, resource) in resources {
        // A DNS record is named after its address, which is a parameter.
        let is_record = resource.get("Type").is_some_and(|kind| kind == "AWS::Route53::RecordSet");
        for name in NAMES.iter().filter(|_| !is_record) {
            if let Some(value) = resource.pointer(&format!("/Properties/{name}")) {
                // Or it names another resource, as a metric filter does its log group.
                let is_reference = referred(value).is_some_and(|other| resources.contains_key(other));
                let has_stack = texts(value).iter().any(|text| text.contains("AWS::StackName"));
                assert!(is_reference || has_stack, "{id}.{name}: {value}");
            }
        }
        for (event, source) in resource.pointer("/Properties/Events").and_then(Value::as_object).into_iter().flatten() {
            if source.get("Type").is_some_and(|kind| kind == "ScheduleV2") {
                assert_eq!(source.pointer("/Properties/OmitName"), Some(&Value::Bool(true)), "{id}.{event}");
            }
        }
    }
    Ok(())
}

/// What is protected from deletion cannot be rolled back, so no first deployment protects it. What outlives the stack on
/// purpose has no name, so a stack of the same name can be deployed again.
#[test]
fn a_stack_can_be_rolled_back_torn_down_and_deployed_again() -> Result<()> {
    let template = Template::read()?;
    assert_eq!(template.document().pointer("/Parameters/DataProtection/Default"), Some(&Value::from("false")));
    for (id, kept) in [
        ("Table", true),
        ("UserPool", true),
        ("RootSecret", true),
        ("SigningSecret", false),
        ("MetaAppCredentials", false),
        ("Sessions", false),
    ] {
        let resource = template.document().pointer(&format!("/Resources/{id}")).context(id)?;
        let policy = |name: &str| resource.get(name).and_then(Value::as_str);
        assert_eq!(policy("DeletionPolicy"), kept.then_some("RetainExceptOnCreate"), "{id}");
        assert_eq!(policy("UpdateReplacePolicy"), kept.then_some("Retain"), "{id}");
        assert!(
            ["Name", "TableName"].iter().all(|name| properties(&template, id).is_ok_and(|it| it.get(name).is_none()))
        );
    }
    Ok(())
}

/// Lambda stops a function that sends to its own queue after 16 hops.
#[test]
fn a_function_that_feeds_its_own_queue_may_go_on() -> Result<()> {
    let template = Template::read()?;
    for (id, function) in template.resources("AWS::Serverless::Function") {
        let events = function.get("Events").and_then(Value::as_object).into_iter().flatten().map(|(_, event)| event);
        let queues = events.filter_map(|event| event.pointer("/Properties/Queue").and_then(referred));
        let role = function.get("Role").and_then(referred).context("no role")?;
        let policies = properties(&template, role)?.get("Policies").map(list).unwrap_or_default();
        let statements = policies.iter().filter_map(|policy| policy.pointer("/PolicyDocument/Statement"));
        let sends =
            |statement: &&Value| statement.get("Action").is_some_and(|it| texts(it).contains(&"sqs:SendMessage"));
        let sends_to: Vec<&str> = statements
            .flat_map(list)
            .filter(sends)
            .filter_map(|statement| statement.get("Resource"))
            .flat_map(list)
            .filter_map(referred)
            .collect();
        let feeds_itself = queues.into_iter().any(|queue| sends_to.contains(&queue));
        let may = function.get("RecursiveLoop").is_some_and(|setting| setting == "Allow");
        assert_eq!(feeds_itself, may, "{id}");
    }
    Ok(())
}

#[test]
fn consumed_queues_wait_long_enough_retry_and_are_watched() -> Result<()> {
    let template = Template::read()?;
    for (id, function) in template.resources("AWS::Serverless::Function") {
        for event in function.get("Events").and_then(Value::as_object).into_iter().flatten().map(|(_, event)| event) {
            if event.get("Type").is_none_or(|kind| kind != "SQS") {
                continue;
            }
            let source = event.get("Properties").context("an event without properties")?;
            let queue = source
                .get("Queue")
                .and_then(referred)
                .context("an event source that is not a queue of the template")?;
            let dead_letters = properties(&template, queue)?.pointer("/RedrivePolicy/deadLetterTargetArn");
            assert!(dead_letters.is_some(), "{queue} has no dead letters");
            assert!(is_watched(&template, queue, "ApproximateAgeOfOldestMessage"), "no alarm on the age of {queue}");
            assert_eq!(source.pointer("/FunctionResponseTypes/0"), Some(&"ReportBatchItemFailures".into()), "{id}");
            assert!(
                source.pointer("/ScalingConfig/MaximumConcurrency").is_some(),
                "{id} takes all concurrency there is"
            );
            let window = source.get("MaximumBatchingWindowInSeconds").and_then(Value::as_i64).unwrap_or(0);
            for (stage, overrides) in stages()? {
                let number = |value: Option<&Value>| number(&template, &overrides, value);
                let timeout = number(function.get("Timeout"))?;
                let visibility = number(properties(&template, queue)?.get("VisibilityTimeout"))?;
                // Leads and messages of a crashed worker must be processed within two minutes. Processing one twice at
                // once is harmless.
                let (factor, most) = match queue {
                    "LeadWorkerQueue" | "EngagementWorkerQueue" => (3, 100),
                    // Of two workers with one mail, both might send it.
                    "ExpiryNoticeQueue" | "LeadNoticeQueue" => (6, i64::MAX),
                    // Of two workers with anything else, the second finds it taken, or what the first recorded.
                    _ => (3, 15 * 60 + 10),
                };
                assert!(
                    visibility > factor * timeout + window - 1,
                    "{stage}: {queue} hands messages out again too early"
                );
                assert!(visibility <= most, "{stage}: {queue} holds what a dead worker had for too long");
            }
        }
    }
    Ok(())
}

/// The stages of `samconfig.toml`, each with its parameter overrides.
fn stages() -> Result<BTreeMap<String, BTreeMap<String, String>>> {
    let file: toml::Table = fs::read_to_string(root().join("samconfig.toml"))?.parse()?;
    let stages = file.into_iter().filter(|(_, stage)| stage.is_table()).map(|(name, stage)| {
        let overrides =
            stage.get("deploy").and_then(|deploy| deploy.get("parameters")?.get("parameter_overrides")?.as_array());
        let overrides = overrides.into_iter().flatten().filter_map(|one| one.as_str()?.split_once('='));
        (name, overrides.map(|(name, value)| (name.to_owned(), value.to_owned())).collect())
    });
    Ok(stages.collect())
}

/// Resolves a number of the template, either literal or a parameter.
fn number(template: &Template, overrides: &BTreeMap<String, String>, value: Option<&Value>) -> Result<i64> {
    let value = value.context("a number is missing")?;
    let Some(parameter) = value.get("Ref").and_then(Value::as_str) else {
        return value.as_i64().with_context(|| format!("{value} is not a number"));
    };
    match overrides.get(parameter) {
        Some(text) => Ok(text.parse()?),
        None => {
            let default =
                template.document().pointer(&format!("/Parameters/{parameter}/Default")).and_then(Value::as_i64);
            default.with_context(|| format!("{parameter} has no default"))
        }
    }
}

#[test]
fn dead_letters_outlive_their_queue_and_raise_an_alarm() -> Result<()> {
    let template = Template::read()?;
    let days = |queue: &Value| queue.get("MessageRetentionPeriod").and_then(Value::as_i64).unwrap_or(345_600);
    for (id, queue) in template.resources("AWS::SQS::Queue") {
        assert_eq!(queue.get("SqsManagedSseEnabled"), Some(&true.into()), "{id} is not encrypted");
        let Some(target) = queue.pointer("/RedrivePolicy/deadLetterTargetArn") else { continue };
        let target = referred(target).context("dead letters outside the template")?;
        let dead_letters = properties(&template, target)?;
        assert!(days(dead_letters) > days(queue), "{target}: a message is as old there as it was in {id}");
        let allowed = dead_letters.pointer("/RedriveAllowPolicy/redrivePermission");
        assert_eq!(allowed, Some(&"byQueue".into()), "{target} takes dead letters from anybody");
        assert!(is_watched(&template, target, "ApproximateNumberOfMessagesVisible"), "no alarm on {target}");
    }
    Ok(())
}

fn is_watched(template: &Template, queue: &str, metric: &str) -> bool {
    template.resources("AWS::CloudWatch::Alarm").any(|(id, alarm)| {
        alarm.get("MetricName").is_some_and(|name| name == metric)
            && alarm.pointer("/Dimensions/0/Value").and_then(referred) == Some(queue)
            && composites::reaches_the_topic(template, id)
    })
}
