//! One cause wakes once: which alarms mail by themselves, and which are members of a composite that mails for them.

use std::collections::BTreeMap;
use std::fs;

use anyhow::{Context, Result, bail};
use local::template::Template;
use serde_json::Value;

use super::{properties, referred, root};

const METRIC_ALARM: &str = "AWS::CloudWatch::Alarm";
const COMPOSITE_ALARM: &str = "AWS::CloudWatch::CompositeAlarm";

/// Alarms that mail no one, and why.
const WAKES_NO_ONE: [(&str, &str); 1] =
    [("LeadDefectsAlarm", "it takes a release back; LeadsGivenUpAlarm mails of the same leads")];

/// The alarms that a composite's rule names: `ALARM("${…}")`, joined by `OR` and by nothing else.
fn members(composite: &Value) -> Result<Vec<&str>> {
    let rule = composite.pointer("/AlarmRule/Fn::Sub").and_then(Value::as_str).context("no rule")?;
    let alarms = rule.split(" OR ").map(|alarm| {
        let id = alarm.strip_prefix("ALARM(\"${").and_then(|rest| rest.strip_suffix("}\")"));
        id.with_context(|| format!("not an alarm of this template: {alarm}"))
    });
    alarms.collect()
}

/// The composites that each alarm is a member of.
fn composites_by_member(template: &Template) -> Result<BTreeMap<&str, Vec<&str>>> {
    let mut composites: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (id, composite) in template.resources(COMPOSITE_ALARM) {
        for member in members(composite).with_context(|| id.to_owned())? {
            composites.entry(member).or_default().push(id);
        }
    }
    Ok(composites)
}

/// Whether the topic gets to know of an alarm: by the alarm itself, or by a composite that it is a member of.
pub(super) fn reaches_the_topic(template: &Template, id: &str) -> bool {
    let mails_itself = properties(template, id).is_ok_and(|alarm| alarm.get("AlarmActions").is_some());
    mails_itself || composites_by_member(template).is_ok_and(|composites| composites.contains_key(id))
}

#[test]
fn every_alarm_mails_by_itself_or_through_one_composite() -> Result<()> {
    let template = Template::read()?;
    let composites = composites_by_member(&template)?;
    for (id, alarm) in template.resources(METRIC_ALARM) {
        let by_itself = alarm.pointer("/AlarmActions/0").and_then(referred);
        assert!(by_itself.is_none_or(|topic| topic == "AlarmTopic"), "{id}");
        let ways = usize::from(by_itself.is_some()) + composites.get(id).map_or(0, Vec::len);
        let is_quiet = WAKES_NO_ONE.iter().any(|(quiet, _)| *quiet == id);
        assert_eq!(ways, usize::from(!is_quiet), "{id}: {:?}", composites.get(id));
    }
    Ok(())
}

/// A member is an alarm of a metric, so that no composite is part of itself, and is in every stack, so that the rule is
/// valid in each.
#[test]
fn the_members_of_a_composite_exist() -> Result<()> {
    let template = Template::read()?;
    for (member, composites) in composites_by_member(&template)? {
        let resource = template.document().pointer(&format!("/Resources/{member}")).context(member.to_owned())?;
        assert_eq!(resource["Type"], METRIC_ALARM, "{member} of {composites:?}");
        assert_eq!(resource.get("Condition"), None, "{member} of {composites:?}");
    }
    Ok(())
}

/// The limits of CloudWatch: 100 members, and 10,240 characters with the names filled in, which have at most 255.
#[test]
fn a_composite_mails_and_is_not_too_large() -> Result<()> {
    let template = Template::read()?;
    let longest_condition = "ALARM(\"\") OR ".len() + 255;
    assert!(template.resources(COMPOSITE_ALARM).count() > 1);
    for (id, composite) in template.resources(COMPOSITE_ALARM) {
        assert_eq!(composite.pointer("/AlarmActions/0").and_then(referred), Some("AlarmTopic"), "{id}");
        let members = members(composite)?.len();
        assert!(members > 1, "{id}: one alarm needs no composite");
        assert!(members <= 100 && members * longest_condition <= 10_240, "{id}: {members} members");
    }
    Ok(())
}

/// What silences others explains all of them. A warning, or an alarm that anyone can keep on by bad requests, does not.
#[test]
fn only_the_platform_silences_other_alarms() -> Result<()> {
    let template = Template::read()?;
    let mut silenced = 0;
    for (id, composite) in template.resources(COMPOSITE_ALARM) {
        let Some(suppressor) = composite.get("ActionsSuppressor") else { continue };
        assert_eq!(referred(suppressor), Some("PlatformAlarm"), "{id}");
        assert_ne!(id, "PlatformAlarm");
        for period in ["ActionsSuppressorWaitPeriod", "ActionsSuppressorExtensionPeriod"] {
            assert!(composite.get(period).and_then(Value::as_u64).is_some_and(|seconds| seconds > 0), "{id}: {period}");
        }
        silenced += 1;
    }
    assert!(silenced > 10, "{silenced}");
    let platform = members(properties(&template, "PlatformAlarm")?)?;
    let of_all =
        ["Webhook", "LeadWorker", "Planner", "TableRead", "TableWrite"].map(|of| format!("{of}ThrottlesAlarm"));
    assert_eq!(platform, of_all);
    Ok(())
}

/// The reason stands behind the action, where the next one who adds an alarm sees it.
#[test]
fn an_alarm_that_mails_by_itself_says_why() -> Result<()> {
    let template = Template::read()?;
    let text = fs::read_to_string(root().join("infra/template.yaml"))?;
    let mut kind = "";
    let mut id = "";
    for line in text.lines() {
        if let Some(name) =
            line.strip_prefix("  ").filter(|rest| !rest.starts_with(' ')).and_then(|it| it.strip_suffix(':'))
        {
            id = name;
        }
        if let Some(name) = line.strip_prefix("    Type: ") {
            kind = name;
        }
        if kind == METRIC_ALARM && line.trim_start().starts_with("AlarmActions:") {
            assert!(line.contains("# by itself: "), "{id}: {line}");
        }
    }
    // The lines above were found where the parsed template has them.
    let by_themselves =
        template.resources(METRIC_ALARM).filter(|(_, alarm)| alarm.get("AlarmActions").is_some()).count();
    assert_eq!(text.matches("# by itself: ").count(), by_themselves);
    Ok(())
}

/// Who is woken by a part finds there what people notice.
#[test]
fn the_runbook_has_every_part() -> Result<()> {
    let template = Template::read()?;
    let runbook = fs::read_to_string(root().join("infra/runbook.md"))?;
    for (id, composite) in template.resources(COMPOSITE_ALARM) {
        let description = composite.get("AlarmDescription").and_then(Value::as_str).context("no description")?;
        assert!(description.contains("Read the descriptions of the members that the mail names."), "{id}");
        let Some((_, entry)) = description.rsplit_once(" Runbook: ") else { bail!("{id} names no entry") };
        let heading = format!("## {}", entry.trim_end_matches('.'));
        let (_, entry) = runbook.split_once(&format!("{heading}\n")).with_context(|| format!("{id}: {heading}"))?;
        let entry = entry.split("\n## ").next().unwrap_or_default();
        assert!(entry.contains(&format!("`{id}`")), "{heading} does not tell of {id}");
    }
    Ok(())
}
