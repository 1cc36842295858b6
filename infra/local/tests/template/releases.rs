//! How a release reaches the functions, and what takes it back.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result};
use local::template::Template;
use serde_json::{Value, json};

use super::{list, properties, referred};

fn global<'a>(template: &'a Template, property: &str) -> Result<&'a Value> {
    template.document().pointer(&format!("/Globals/Function/{property}")).with_context(|| property.to_owned())
}

/// The resource that an alarm of a rollout is, by reference or by its fixed name.
fn alarm(value: &Value) -> Option<&str> {
    referred(value).or_else(|| value.get("Fn::Sub")?.as_str()?.strip_prefix("${AWS::StackName}-"))
}

/// A function without the alias would get a release at once, and keep it. Without `Release` as its description and that of
/// its version, it would keep the parameters of the release before.
#[test]
fn every_function_is_called_by_an_alias_of_a_published_version() -> Result<()> {
    let template = Template::read()?;
    assert_eq!(global(&template, "AutoPublishAlias")?, "live");
    assert_eq!(referred(global(&template, "Description")?), Some("Release"));
    for (id, function) in template.resources("AWS::Serverless::Function") {
        assert_eq!(function.get("VersionDescription").and_then(referred), Some("Release"), "{id}");
        assert_eq!(function.get("AutoPublishAliasAllProperties"), Some(&true.into()), "{id}");
        for own in ["AutoPublishAlias", "Description"] {
            assert_eq!(function.get(own), None, "{id}: {own} is the same for all");
        }
        // What names the function itself goes past its alias. Alarms and the dashboard mean all its versions, by its name.
        let arn = json!({ "Fn::GetAtt": [id, "Arn"] });
        assert!(!template.document().to_string().contains(&arn.to_string()), "the ARN of {id} is not its alias's");
    }
    Ok(())
}

#[test]
fn a_release_is_taken_back_on_its_errors() -> Result<()> {
    let template = Template::read()?;
    let common = list(global(&template, "DeploymentPreference")?.get("Alarms").context("no alarms")?);
    let common: Vec<&str> = common.into_iter().filter_map(alarm).collect();
    for expected in ["HttpApiErrorsAlarm", "LeadDefectsAlarm", "LeadWorkerDeadLettersAlarm", "RecordsAlarm"] {
        assert!(common.contains(&expected), "{expected}");
    }
    for (id, function) in template.resources("AWS::Serverless::Function") {
        let preference = function.get("DeploymentPreference").with_context(|| format!("{id} has no preference"))?;
        // SAM adds the lists up.
        let own = preference.get("Alarms").map(list).unwrap_or_default();
        let all: Vec<&str> = common.iter().copied().chain(own.into_iter().filter_map(alarm)).collect();
        assert!(all.contains(&format!("{id}ErrorsAlarm").as_str()), "{id}");
        let own_settings = preference.as_object().into_iter().flat_map(|it| it.keys());
        assert!(own_settings.clone().all(|setting| setting == "Alarms"), "{id}: the rest is the same for all");
        assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), all.len(), "{id} names an alarm twice");
        assert!(all.len() <= 10, "{id}: CodeDeploy takes 10 alarms, not {}", all.len());
        for alarm in all {
            let resource = template.document().pointer(&format!("/Resources/{alarm}")).context(alarm.to_owned())?;
            assert_eq!(resource["Type"], "AWS::CloudWatch::Alarm", "{alarm}");
            assert_eq!(resource.get("Condition"), None, "{alarm} is not in every stack");
            if let Some(name) = resource.pointer("/Properties/AlarmName") {
                assert_eq!(name, &json!({ "Fn::Sub": format!("${{AWS::StackName}}-{alarm}") }));
            }
        }
    }
    Ok(())
}

/// Dead letters of a function's own queues are its errors too.
#[test]
fn a_release_is_taken_back_on_dead_letters_of_its_functions() -> Result<()> {
    let template = Template::read()?;
    let common = global(&template, "DeploymentPreference")?.to_string();
    for (id, function) in template.resources("AWS::Serverless::Function") {
        for (_, event) in function.get("Events").and_then(Value::as_object).into_iter().flatten() {
            let Some(queue) = event.pointer("/Properties/Queue").and_then(referred) else { continue };
            let target = properties(&template, queue)?.pointer("/RedrivePolicy/deadLetterTargetArn");
            let alarm = format!("\"{}Alarm\"", target.and_then(referred).context("no dead letters")?);
            let own = function.get("DeploymentPreference").map(Value::to_string).unwrap_or_default();
            assert!(common.contains(&alarm) || own.contains(&alarm), "{id}: {alarm}");
        }
    }
    Ok(())
}

/// SAM reads `Rollout` when it transforms the template. By default nothing of CodeDeploy is created.
#[test]
fn every_rollout_has_its_meaning() -> Result<()> {
    let template = Template::read()?;
    let document = template.document();
    let values =
        document.pointer("/Parameters/Rollout/AllowedValues").and_then(Value::as_array).context("no values")?;
    let values: BTreeSet<&str> = values.iter().filter_map(Value::as_str).collect();
    let rollouts = document.pointer("/Mappings/Rollouts").and_then(Value::as_object).context("no mapping")?;
    assert_eq!(values, rollouts.keys().map(String::as_str).collect());
    for (name, rollout) in rollouts {
        let expected = match name.as_str() {
            "AtOnce" => json!({ "Gradual": "false", "Type": "AllAtOnce" }),
            gradual => json!({ "Gradual": "true", "Type": gradual }),
        };
        assert_eq!(rollout, &expected);
    }
    assert_eq!(document.pointer("/Parameters/Rollout/Default"), Some(&"AtOnce".into()));
    let preference = global(&template, "DeploymentPreference")?;
    for (property, key) in [("Enabled", "Gradual"), ("Type", "Type")] {
        assert_eq!(preference[property], json!({ "Fn::FindInMap": ["Rollouts", { "Ref": "Rollout" }, key] }));
    }
    Ok(())
}

/// Whatever a value refers to: resources, and the aliases of functions as `Webhook.Alias`.
fn references(value: &Value, found: &mut BTreeSet<String>) {
    let mut add = |name: &str| {
        let (resource, attribute) = name.split_once('.').unwrap_or((name, ""));
        found.insert(if attribute == "Alias" { name.to_owned() } else { resource.to_owned() });
    };
    if let Some(name) = value.get("Ref").and_then(Value::as_str) {
        add(name);
    } else if let Some(path) = value.get("Fn::GetAtt") {
        let path: Vec<&str> = list(path).into_iter().filter_map(Value::as_str).collect();
        add(&path.join("."));
    } else if let Some(text) = value.get("Fn::Sub") {
        let text = list(text).first().and_then(|text| text.as_str()).unwrap_or_default();
        text.split("${").skip(1).filter_map(|rest| rest.split_once('}')).for_each(|(name, _)| add(name));
    }
    match value {
        Value::Object(fields) => fields.values().for_each(|field| references(field, found)),
        Value::Array(items) => items.iter().for_each(|item| references(item, found)),
        _ => {}
    }
}

/// With a gradual rollout, SAM lets the update of an alias wait for its alarms, and has the API call the aliases. What waits
/// for itself in the end, CloudFormation does not deploy at all.
#[test]
fn no_resource_waits_for_itself_with_a_gradual_rollout() -> Result<()> {
    let template = Template::read()?;
    let all = template.document()["Resources"].as_object().context("no resources")?;
    let mut waits: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (id, resource) in all {
        let mut resource = resource.clone();
        if resource["Type"] == "AWS::Serverless::Function" {
            let properties = resource["Properties"].as_object_mut().context(id.clone())?;
            let (events, own) = (properties.remove("Events"), properties.remove("DeploymentPreference"));
            let alias = format!("{id}.Alias");
            let of_alias = waits.entry(alias.clone()).or_insert_with(|| BTreeSet::from([id.clone()]));
            references(global(&template, "DeploymentPreference")?, of_alias);
            references(&own.unwrap_or_default(), of_alias);
            let is_route = |event: &Value| event["Type"] == "HttpApi";
            if events.as_ref().and_then(Value::as_object).is_some_and(|events| events.values().any(is_route)) {
                waits.entry("HttpApi".to_owned()).or_default().insert(alias);
            }
        }
        let own = waits.entry(id.clone()).or_default();
        references(&resource, own);
        own.extend(resource.get("DependsOn").map(list).into_iter().flatten().filter_map(Value::as_str).map(Into::into));
    }
    // What waits for nothing that is left is created next.
    while let Some(next) = waits.iter().find(|(_, of)| of.iter().all(|one| !waits.contains_key(one))) {
        let next = next.0.clone();
        waits.remove(&next);
    }
    assert!(waits.is_empty(), "these wait for each other: {:?}", waits.keys());
    Ok(())
}
