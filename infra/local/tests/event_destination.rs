//! Where events go outside the account, by `infra/template.yaml`.

use anyhow::{Context, Result};
use local::template::Template;
use serde_json::Value;

fn resource<'a>(template: &'a Template, id: &str) -> Result<&'a Value> {
    template.document().pointer(&format!("/Resources/{id}")).with_context(|| format!("there is no resource {id}"))
}

fn get_att(value: &Value) -> Option<&str> {
    value.pointer("/Fn::GetAtt/0").and_then(Value::as_str)
}

/// Returns the one target of a rule on all of our events.
fn target<'a>(template: &'a Template, rule: &str) -> Result<&'a Value> {
    let properties = resource(template, rule)?.get("Properties").context("no properties")?;
    assert_eq!(properties.pointer("/EventBusName/Ref"), Some(&"Bus".into()), "{rule}");
    assert_eq!(properties.get("EventPattern"), Some(&serde_json::json!({ "source": ["leadwire"] })), "{rule}");
    let targets = properties.get("Targets").and_then(Value::as_array).context("no targets")?;
    assert_eq!(targets.len(), 1, "{rule}");
    targets.first().context("no target")
}

/// Checks that what EventBridge cannot deliver is kept in a queue that it may write to and that raises an alarm.
fn check_dead_letters(template: &Template, rule: &str, policy: &str) -> Result<()> {
    let dead_letters = target(template, rule)?.pointer("/DeadLetterConfig/Arn").and_then(get_att).context("none")?;
    let properties = resource(template, policy)?.get("Properties").context("no properties")?;
    let queues = properties.get("Queues").context("no queues")?.to_string();
    assert!(queues.contains(&format!("{dead_letters}\"")), "{policy}: {queues}");
    let statement = properties.pointer("/PolicyDocument/Statement/0").context("no statement")?;
    assert_eq!(statement.pointer("/Principal/Service"), Some(&"events.amazonaws.com".into()));
    let source = statement.pointer("/Condition/ArnEquals/aws:SourceArn").and_then(get_att);
    assert_eq!(source, Some(rule), "{policy}: another rule, or another account's, could write to it");
    let is_watched = template.resources("AWS::CloudWatch::Alarm").any(|(_, alarm)| {
        alarm.get("MetricName").is_some_and(|name| name == "ApproximateNumberOfMessagesVisible")
            && alarm.pointer("/Dimensions/0/Value").and_then(get_att) == Some(dead_letters)
    });
    assert!(is_watched, "no alarm on {dead_letters}");
    let retry = target(template, rule)?.get("RetryPolicy").context("no retries")?;
    assert_eq!(retry.get("MaximumEventAgeInSeconds"), Some(&86_400.into()), "{rule}");
    Ok(())
}

#[test]
fn every_event_reaches_the_endpoints_queue() -> Result<()> {
    let template = Template::read()?;
    let queue = target(&template, "DeliveryEvents")?.get("Arn").and_then(get_att);
    assert_eq!(queue, Some("DeliveryEventsQueue"));
    let policy = resource(&template, "DeliveryEventsPolicy")?.pointer("/Properties/Queues/0/Ref");
    assert_eq!(policy, Some(&"DeliveryEventsQueue".into()));
    check_dead_letters(&template, "DeliveryEvents", "DeliveryEventsPolicy")
}

#[test]
fn an_address_outside_the_account_is_set_up_only_if_it_is_named() -> Result<()> {
    let template = Template::read()?;
    let all = template.document().get("Resources").and_then(Value::as_object).context("no resources")?;
    let ours: Vec<_> = all.iter().filter(|(id, _)| id.starts_with("EventDestination")).collect();
    assert_eq!(ours.len(), 7, "connection, destination, rule, role, dead letters, their policy, their alarm");
    for (id, resource) in ours {
        assert_eq!(resource.get("Condition"), Some(&"HasEventDestination".into()), "{id}");
    }
    let parameter = |name: &str, field: &str| template.document().pointer(&format!("/Parameters/{name}/{field}"));
    assert_eq!(parameter("EventDestinationUrl", "Default"), Some(&"".into()));
    assert_eq!(parameter("EventDestinationSecret", "NoEcho"), Some(&true.into()));
    let destination = resource(&template, "EventDestination")?;
    let connection = destination.pointer("/Properties/ConnectionArn").and_then(get_att);
    assert_eq!(connection, Some("EventDestinationConnection"));
    let target = target(&template, "EventDestinationRule")?;
    assert_eq!(target.get("Arn").and_then(get_att), Some("EventDestination"));
    assert_eq!(target.get("RoleArn").and_then(get_att), Some("EventDestinationRole"));
    check_dead_letters(&template, "EventDestinationRule", "EventDestinationDeadLettersPolicy")
}

/// Through an endpoint on its own machine, a function would reach what only it can.
#[test]
fn endpoints_on_this_machine_are_for_developers_only() -> Result<()> {
    let template = Template::read()?;
    assert_eq!(template.document().pointer("/Parameters/LocalEndpoints/Default"), Some(&"no".into()));
    let stages = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../samconfig.toml"))?;
    let stages: toml::Table = stages.parse()?;
    let allowing: Vec<_> =
        stages.iter().filter(|(_, stage)| stage.to_string().contains("LocalEndpoints")).map(|(name, _)| name).collect();
    assert_eq!(allowing, ["local"]);
    Ok(())
}
