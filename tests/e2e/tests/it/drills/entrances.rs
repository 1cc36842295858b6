//! What stands between Meta or the CRM and the system.

use e2e::alarms::Alarm;
use e2e::fixtures::{ConnectedOrg, LeadFixture, OrgFixture};
use e2e::json::Json;
use e2e::ops::ops;
use e2e::roles::without_permission;
use e2e::world::{Drill, wait_for, world};
use reqwest::Method;
use serde_json::{Value, json};

use super::{invoke, log_lines, physical, wait_for_log};

/// Makes functions read secrets again, which they keep for minutes.
async fn restart(function: &str) {
    world().call_dev_api(Method::POST, &format!("kill/{function}")).await;
}

/// Submits one lead after the other, in deliveries of their own, until the alarm is on.
async fn submit_until(alarm: Alarm, form: &str) -> Vec<String> {
    let mut ids = Vec::new();
    while alarm.judge().await["state"] != "ALARM" {
        assert!(ids.len() < 1000, "{} does not begin", alarm.id);
        for _ in 0..8 {
            ids.extend(LeadFixture::new(form).submit(1).await);
            tokio::time::sleep(std::time::Duration::from_millis(160)).await;
        }
    }
    ids
}

#[tokio::test]
async fn a_wrong_app_secret_is_found_and_costs_no_lead() {
    let _drill = Drill::begin_alone().await;
    let ConnectedOrg { tenant, person, .. } = OrgFixture::new("drill-secret").connect().await;
    let (aws, secret) = (world().aws(), physical("MetaAppCredentials").await);
    let read = aws.json("secretsmanager", "secretsmanager.GetSecretValue", &json!({ "SecretId": secret })).await;
    let right: Value = serde_json::from_str(read.unwrap().text("SecretString")).unwrap();
    let store = async |value: &Value| {
        let input = json!({ "SecretId": secret, "SecretString": value.to_string() });
        aws.json("secretsmanager", "secretsmanager.PutSecretValue", &input).await.unwrap();
    };
    // After one wrong secret, the right one is the previous one, and valid.
    for wrong in ["0123456789abcdef0123456789abcdef", "fedcba9876543210fedcba9876543210"] {
        let mut changed = right.clone();
        changed["app_secret"] = json!(wrong);
        store(&changed).await;
    }
    restart("webhook").await;

    let alarm = Alarm { id: "SignaturesAlarm", minute: 2.0 };
    let ids = submit_until(alarm, &person.forms[0]).await;
    alarm.is_raised("Signatures refused").await;
    let refused = wait_for_log("webhook", "signatures_refused").await;
    assert!(!refused.contains(right.text("app_secret")), "{refused}");
    let doctor = ops("doctor").await;
    assert!(doctor.out.contains("Meta refuses the stored app id and secret"), "{doctor}");

    store(&right).await;
    restart("webhook").await;
    tenant.sweep().await;
    tenant.wait_for_leads(&ids).await;
    let more = LeadFixture::new(&person.forms[0]).submit(1).await;
    tenant.wait_for_leads(&more).await;
    assert!(ops("doctor").await.out.contains("Meta knows the stored app id and secret"));
    alarm.is_over().await;
}

#[tokio::test]
async fn a_webhook_that_cannot_queue_is_found_and_costs_no_lead() {
    let _drill = Drill::begin_alone().await;
    let ConnectedOrg { tenant, person, .. } = OrgFixture::new("drill-role").connect().await;
    let alarm = Alarm { id: "HttpApiErrorsAlarm", minute: 4.0 };
    let ids = without_permission("webhook", "sqs:SendMessage", async {
        let ids = LeadFixture::new(&person.forms[0]).submit(3).await;
        alarm.is_raised("HTTP API errors").await;
        let part = Alarm { id: "EntrancesAlarm", ..alarm }.is_raised("Alarms of a part").await;
        assert!(part["members_on"].to_string().contains("HttpApiErrorsAlarm"), "{part}");
        let line = wait_for_log("webhook", "a delivery is not in the queues").await;
        assert!(line.contains("sqs:SendMessage") || line.contains("AccessDenied"), "the log says why: {line}");
        ids
    })
    .await;
    // Meta repeats it after a minute; the search finds it before.
    tenant.sweep().await;
    tenant.wait_for_leads(&ids).await;
    alarm.is_over().await;
}

#[tokio::test]
async fn a_function_that_may_not_run_is_found_and_silences_what_it_causes() {
    let _drill = Drill::begin_alone().await;
    let ConnectedOrg { tenant, person, .. } = OrgFixture::new("drill-throttle").connect().await;
    let aws = world().aws();
    let path = "/2017-10-31/functions/leadwire-webhook/concurrency";
    let none = json!({ "ReservedConcurrentExecutions": 0 });
    aws.rest("lambda", http::Method::PUT, path, &none).await.unwrap();
    let alarm = Alarm { id: "WebhookThrottlesAlarm", minute: 4.0 };
    let ids = LeadFixture::new(&person.forms[0]).submit(2).await;
    alarm.is_raised("Lambda throttles").await;
    Alarm { id: "PlatformAlarm", ..alarm }.is_raised("Platform").await;
    let entrances = Alarm { id: "EntrancesAlarm", ..alarm }.judge().await;
    assert_eq!(entrances["suppressed"], true, "{entrances}");
    let status = ops("status").await;
    assert!(status.out.contains("Stopped functions: webhook"), "{status}");

    ops("switch-on webhook").await.done();
    tenant.sweep().await;
    tenant.wait_for_leads(&ids).await;
    assert!(ops("status").await.out.contains("Stopped functions: none"));
    alarm.is_over().await;
}

#[tokio::test]
async fn a_function_that_cannot_begin_is_found() {
    let _drill = Drill::begin_alone().await;
    let path = "/2015-03-31/functions/leadwire-planner/configuration";
    let aws = world().aws();
    let before = aws.rest("lambda", http::Method::GET, path, &Value::Null).await.unwrap();
    let configure = async |variables: &Value| {
        let input = json!({ "Environment": { "Variables": variables } });
        aws.rest("lambda", http::Method::PUT, path, &input).await.unwrap();
        restart("planner").await;
    };
    let (right, mut wrong) = (before["Environment"]["Variables"].clone(), before["Environment"]["Variables"].clone());
    wrong.as_object_mut().unwrap().remove("TABLE_NAME").unwrap();
    configure(&wrong).await;
    let alarm = Alarm { id: "PlannerErrorsAlarm", minute: 4.0 };
    let plan = json!({ "job": "lead-sweep", "org": "drill-nobody" });
    let failed = invoke("planner", &plan).await.unwrap();
    assert!(failed.text("errorMessage").contains("environment variable TABLE_NAME is not set"), "{failed}");
    alarm.is_raised("Function errors").await;

    configure(&right).await;
    let planned = invoke("planner", &plan).await.unwrap();
    assert_eq!(planned["messages"], 0, "{planned}");
    alarm.is_over().await;
}

#[tokio::test]
async fn schedules_that_are_off_are_found_and_work_is_planned_by_hand_meanwhile() {
    let _drill = Drill::begin().await;
    let ConnectedOrg { tenant, person, .. } = OrgFixture::new("drill-schedules").connect().await;
    let aws = world().aws();
    let listed = aws.rest("scheduler", http::Method::GET, "/schedules?MaxResults=100", &Value::Null).await.unwrap();
    let names: Vec<String> = listed.list("Schedules").iter().map(|it| it.text("Name").to_owned()).collect();
    assert!(names.len() > 5, "{listed}");
    let switch_off = async || {
        for name in &names {
            let path = format!("/schedules/{name}");
            let mut schedule = aws.rest("scheduler", http::Method::GET, &path, &Value::Null).await.unwrap();
            schedule["State"] = json!("DISABLED");
            aws.rest("scheduler", http::Method::PUT, &path, &schedule).await.unwrap();
        }
    };
    // Three periods of 10 seconds.
    let alarm = Alarm { id: "PlannerAbsentAlarm", minute: 2.0 };
    let by_hand = json!({ "job": "lead-sweep", "org": tenant.org, "everything": true });
    invoke("planner", &by_hand).await.unwrap();
    alarm.is_over().await;
    switch_off().await;
    alarm.is_raised("Planner absent").await;
    wait_for("the status to name the schedules and the entry", async || {
        // Other drills have the alarms judged too, by other minutes.
        alarm.judge().await;
        let status = ops("status").await;
        (status.out.contains("is DISABLED") && status.out.contains("runbook: Planner absent")).then_some(())
    })
    .await;

    let ids = LeadFixture::new(&person.forms[0]).undelivered().submit(1).await;
    let planned = invoke("planner", &by_hand).await.unwrap();
    assert_eq!(planned["messages"], 1, "{planned}");
    tenant.wait_for_leads(&ids).await;
    let planned = async || log_lines("planner", "DeliveryWorker").await.len();
    let before = planned().await;
    ops("switch-on --all").await.done();
    wait_for("the schedule to call the planner", async || (planned().await > before).then_some(())).await;
    alarm.is_over().await;
    assert!(!ops("status").await.out.contains("DISABLED"));
}

#[tokio::test]
async fn one_schedule_that_is_off_is_found() {
    let _drill = Drill::begin().await;
    let alarm = Alarm { id: "SchedulesLateAlarm", minute: 4.0 };
    let plan = async |job: &str| invoke("planner", &json!({ "job": job })).await.unwrap();
    plan("lead-sweep").await;
    let update = json!({
        "TableName": world().endpoints.table,
        "Key": { "pk": { "S": "SCHEDULE#lead-sweep" }, "sk": { "S": "CALL" } },
        "UpdateExpression": "SET #at = :past", "ExpressionAttributeNames": { "#at": "at" },
        "ExpressionAttributeValues": { ":past": { "S": "2026-01-01T00:00:00Z" } },
    });
    world().aws().json("dynamodb", "DynamoDB_20120810.UpdateItem", &update).await.unwrap();
    plan("publish-worker").await;
    alarm.is_raised("Planner absent").await;
    let late = log_lines("planner", "schedules_late").await.pop().unwrap();
    assert!(late.contains(r#""schedule":"lead-sweep""#), "{late}");
    plan("lead-sweep").await;
    alarm.is_over().await;
}
