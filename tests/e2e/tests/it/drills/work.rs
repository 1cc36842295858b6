//! Queues and what works on them.

use e2e::alarms::{Alarm, log};
use e2e::aws_probe::queue;
use e2e::fixtures::{ConnectedOrg, LeadFixture, OrgFixture};
use e2e::json::Json;
use e2e::ops::ops;
use e2e::roles::without_permission;
use e2e::world::{Drill, output_folder, wait_for, world};
use reqwest::Method;
use serde_json::{Value, json};

use super::wait_for_log;

const LEADS_WAIT: Alarm = Alarm { id: "LeadWorkerQueueAgeAlarm", minute: 1.0 };

/// Runs a drill while messages of a queue come back after this many seconds.
async fn with_visibility<T>(name: &str, seconds: u32, act: impl Future<Output = T>) -> T {
    let asked = queue("GetQueueAttributes", name, json!({ "AttributeNames": ["VisibilityTimeout"] })).await;
    let set = async |seconds: &str| {
        queue("SetQueueAttributes", name, json!({ "Attributes": { "VisibilityTimeout": seconds } })).await
    };
    set(&seconds.to_string()).await;
    let done = act.await;
    set(asked.text("Attributes.VisibilityTimeout")).await;
    done
}

#[tokio::test]
async fn a_queue_that_no_one_reads_is_found() {
    let _drill = Drill::begin_alone().await;
    let ConnectedOrg { tenant, person, .. } = OrgFixture::new("drill-source").connect().await;
    let aws = world().aws();
    let path = "/2015-03-31/event-source-mappings/?FunctionName=leadwire-lead-worker";
    let listed = aws.rest("lambda", http::Method::GET, path, &Value::Null).await.unwrap();
    let source = listed.list("EventSourceMappings")[0].text("UUID").to_owned();
    LEADS_WAIT.begin_above(5.0).await;
    let path = format!("/2015-03-31/event-source-mappings/{source}");
    aws.rest("lambda", http::Method::PUT, &path, &json!({ "Enabled": false })).await.unwrap();
    let ids = LeadFixture::new(&person.forms[0]).submit(2).await;
    LEADS_WAIT.is_raised("Queue age").await;
    Alarm { id: "LeadsAlarm", ..LEADS_WAIT }.is_raised("Alarms of a part").await;
    let status = ops("status --json").await.json();
    let off = status.list("event_sources").iter().find(|it| it.text("name").starts_with("LeadWorker")).unwrap();
    assert_eq!(off["state"], "Disabled", "{off}");
    let waits = status.find("queues", "name", "lead-worker");
    assert!(waits["oldest_s"].as_u64() >= Some(5), "{waits}");

    ops(&format!("switch-on {}", off.text("name"))).await.done();
    tenant.wait_for_leads(&ids).await;
    LEADS_WAIT.is_over().await;
}

#[tokio::test]
async fn a_bus_that_refuses_events_is_found_and_each_lead_is_published_once() {
    let _drill = Drill::begin_alone().await;
    let ConnectedOrg { tenant, person, .. } = OrgFixture::new("drill-bus").connect().await;
    LEADS_WAIT.begin_above(5.0).await;
    let ids = with_visibility("lead-worker", 3, async {
        let ids = without_permission("lead-worker", "events:PutEvents", async {
            let ids = LeadFixture::new(&person.forms[0]).submit(2).await;
            LEADS_WAIT.is_raised("Queue age").await;
            let why = wait_for_log("lead-worker", "events:PutEvents").await;
            assert!(why.contains("will be retried") && why.contains("not authorized"), "{why}");
            ids
        })
        .await;
        tenant.wait_for_leads(&ids).await;
        wait_for("an event of each lead", async || {
            let events = tenant.events("lead.created").await;
            (events.len() >= ids.len()).then_some(())
        })
        .await;
        ids
    })
    .await;
    LEADS_WAIT.is_over().await;
    assert_eq!(tenant.events("lead.created").await.len(), ids.len(), "repeats have the same id");
}

#[tokio::test]
async fn meta_that_does_not_answer_is_found_and_costs_no_lead() {
    let _drill = Drill::begin_alone().await;
    let ConnectedOrg { tenant, person, .. } = OrgFixture::new("drill-graph").connect().await;
    LEADS_WAIT.begin_above(5.0).await;
    world().call_sim(Method::POST, "faults", &json!({ "path": "/*", "kind": "close" })).await;
    let ids = with_visibility("lead-worker", 3, async {
        let ids = LeadFixture::new(&person.forms[0]).submit(2).await;
        LEADS_WAIT.is_raised("Queue age").await;
        world().call_sim(Method::DELETE, "faults", &Value::Null).await;
        ids
    })
    .await;
    // What waits after many tries is replayed by the search.
    tenant.sweep().await;
    tenant.wait_for_leads(&ids).await;
    LEADS_WAIT.is_over().await;
}

#[tokio::test]
async fn a_poisoned_message_is_found_kept_and_put_away() {
    let _drill = Drill::begin().await;
    let (records, dead) =
        (Alarm { id: "RecordsAlarm", minute: 0.4 }, Alarm { id: "AnswerWorkerDeadLettersAlarm", minute: 1.0 });
    with_visibility("answer-worker", 1, async {
        let poison = json!({ "MessageBody": "{\"poison\":true}", "MessageGroupId": "g" });
        queue("SendMessage", "answer-worker", poison).await;
        records.is_raised("Records failed").await;
        let why = wait_for_log("answer-worker", "messages_unreadable").await;
        assert!(!why.contains("poison"), "{why}");
        dead.is_raised("Dead letters").await;
    })
    .await;
    let part = Alarm { id: "DeadLettersAlarm", ..dead }.judge().await;
    assert!(part["members_on"].to_string().contains("AnswerWorkerDeadLettersAlarm"), "{part}");
    let explained = ops("dead-letters answer-worker").await;
    assert!(explained.out.contains("not a message of this version"), "{explained}");
    let file = output_folder().join(format!("poison-{}.jsonl", std::process::id()));
    ops(&format!("dead-letters purge answer-worker --yes --to {}", file.display())).await.done();
    assert!(std::fs::read_to_string(&file).unwrap().contains("poison"));
    std::fs::remove_file(&file).unwrap();
    dead.is_over().await;
    records.is_over().await;
}

#[tokio::test]
async fn a_slow_meta_is_found_before_anything_fails() {
    let _drill = Drill::begin_alone().await;
    let ConnectedOrg { tenant, person, .. } = OrgFixture::new("drill-slow").connect().await;
    let alarm = Alarm { id: "LeadWorkerDurationAlarm", minute: 2.0 };
    // Of 24 seconds of its 30.
    alarm.begin_above(2500.0).await;
    let slow = json!({ "path": "/{lead}", "kind": "slow", "hold_ms": 3000 });
    world().call_sim(Method::POST, "faults", &slow).await;
    world().call_sim(Method::POST, "faults", &json!({ "path": "/", "kind": "slow", "hold_ms": 3000 })).await;
    let ids = LeadFixture::new(&person.forms[0]).submit(1).await;
    alarm.is_raised("Durations near the limit").await;
    tenant.wait_for_leads(&ids).await;
    world().call_sim(Method::DELETE, "faults", &Value::Null).await;
    alarm.is_over().await;
}

#[tokio::test]
async fn a_search_that_comes_too_late_is_found() {
    let _drill = Drill::begin().await;
    let ConnectedOrg { tenant, integration, .. } = OrgFixture::new("drill-late").connect().await;
    let alarm = Alarm { id: "SweepsSkippedAlarm", minute: 2.0 };
    alarm.begin_above(0.0).await;
    let job = json!({ "org": tenant.org, "integration_id": integration, "kind": { "regular": { "planned_at": "2026-01-01T00:00:00Z" } } });
    queue("SendMessage", "lead-sweep", json!({ "MessageBody": job.to_string() })).await;
    alarm.is_raised("Sweeps skipped").await;
    let line = wait_for_log("lead-sweep", "sweeps_skipped").await;
    assert!(line.contains("drill-late"), "{line}");
    alarm.is_over().await;
}

/// Nothing here has 400 pages of comments, or a table that fails between two writes. So these lines are put as they are
/// logged.
#[tokio::test]
async fn what_is_only_in_the_log_is_found() {
    let _drill = Drill::begin().await;
    let lists = Alarm { id: "ListsCutAlarm", minute: 0.4 };
    log("social-sync", &json!({ "level": "ERROR", "metric": "lists_cut", "edge": "1/comments" })).await;
    lists.is_raised("Lists cut").await;
    let audit = Alarm { id: "AuditLossAlarm", minute: 4.0 };
    log("api", &json!({ "level": "ERROR", "metric": "audit_lost", "org": "acme", "lost": "{}" })).await;
    audit.is_raised("Audit lost").await;
    lists.is_over().await;
    audit.is_over().await;
}
