//! Looks at a CloudWatch that answers, or does not.

use std::sync::atomic::{AtomicUsize, Ordering};

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use serde_json::{Value, json};

use super::*;
use crate::aws::fake;
use crate::ids::UserId;

const NOW: &str = "2026-11-30T03:07:42Z";

fn caller(role: Role) -> Caller {
    Caller { user: UserId::parse("u").unwrap(), name: None, email: None, role, orgs: Vec::new(), is_program: false }
}

fn operations_at(address: &str) -> Operations {
    let stack =
        MonitoredStack { name: "acme".into(), table: "acme-Table-1".into(), sessions: "acme-Sessions-2".into() };
    Operations::new(CloudWatch::new(&fake(address)), stack)
}

/// Serves a CloudWatch by this function, and counts what it is asked.
async fn serve(answer: fn(&str, &Value) -> (u16, Value)) -> (String, Arc<AtomicUsize>) {
    type Answering = (fn(&str, &Value) -> (u16, Value), Arc<AtomicUsize>);
    async fn handle(
        State((answer, asked)): State<Answering>,
        headers: HeaderMap,
        body: String,
    ) -> (StatusCode, String) {
        asked.fetch_add(1, Ordering::Relaxed);
        let operation = headers.get("x-amz-target").unwrap().to_str().unwrap().rsplit('.').next().unwrap();
        let (status, answer) = answer(operation, &serde_json::from_str(&body).unwrap());
        (StatusCode::from_u16(status).unwrap(), answer.to_string())
    }
    let asked = Arc::new(AtomicUsize::new(0));
    let router = Router::new().route("/", post(handle)).with_state((answer, asked.clone()));
    let socket = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", socket.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(socket, router).await });
    (address, asked)
}

/// Leads by the webhook and calls of the planner, a few minutes ago; one alarm is on.
fn working(operation: &str, body: &Value) -> (u16, Value) {
    if operation == "DescribeAlarms" {
        let alarm = |name: &str, state: &str| json!({ "AlarmName": name, "StateValue": state });
        return (
            200,
            json!({ "MetricAlarms": [alarm("acme-A-1", "ALARM"), alarm("acme-B-1", "OK"), alarm("acme-dev-A-1", "ALARM")] }),
        );
    }
    let time: Timestamp = "2026-11-30T03:05:00Z".parse().unwrap();
    let result = |question: &Value| {
        let metric = &question["MetricStat"]["Metric"];
        let value = match metric["MetricName"].as_str().unwrap() {
            "leads-stored" if metric["Dimensions"][0]["Value"] == "webhook" => Some(5.0),
            "Invocations" if metric["Dimensions"][0]["Value"] == "acme-planner" => Some(5.0),
            "lead-seconds" => Some(if question["MetricStat"]["Stat"] == "p95" { 9.0 } else { 2.0 }),
            _ => None,
        };
        let points: Vec<_> = value.into_iter().collect();
        let times = vec![time.as_second(); points.len()];
        json!({ "Id": question["Id"], "StatusCode": "Complete", "Timestamps": times, "Values": points })
    };
    let questions = body["MetricDataQueries"].as_array().unwrap();
    (200, json!({ "MetricDataResults": questions.iter().map(result).collect::<Vec<_>>() }))
}

#[tokio::test]
async fn a_look_has_what_cloudwatch_has() {
    let (address, asked) = serve(working).await;
    let (operations, now) = (operations_at(&address), NOW.parse().unwrap());
    let view = operations.view(&caller(Role::SuperAdmin), LookBack::Hour, now).await.unwrap();
    assert_eq!((view.headline, view.tone), (FlowHeadline::Flowing { leads: 5 }, HeadlineTone::Warning));
    let alarms = view.alarms.as_ref().unwrap();
    assert_eq!((alarms.on.len(), alarms.watched), (1, 2));
    let flow = view.flow.as_ref().unwrap();
    assert_eq!((flow.leads, flow.p50_s, flow.p95_s, flow.swept_percent), (Some(5), Some(2.0), Some(9.0), Some(0)));
    assert_eq!(flow.cost, None, "of an hour");
    assert_eq!(asked.load(Ordering::Relaxed), 3);

    // Within a minute it is the same look, and after it another.
    let soon = now + SignedDuration::from_secs(59);
    assert_eq!(operations.view(&caller(Role::SuperAdmin), LookBack::Hour, soon).await.unwrap(), view);
    assert_eq!(asked.load(Ordering::Relaxed), 3);
    operations.view(&caller(Role::SuperAdmin), LookBack::Day, soon).await.unwrap();
    assert_eq!(asked.load(Ordering::Relaxed), 6, "another time");
    operations.view(&caller(Role::SuperAdmin), LookBack::Hour, now + SHOWN_AGAIN_FOR).await.unwrap();
    assert_eq!(asked.load(Ordering::Relaxed), 9);
}

#[tokio::test]
async fn what_cannot_be_read_is_missing_and_the_rest_is_there() {
    let without_alarms = |operation: &str, body: &Value| match operation {
        "DescribeAlarms" => (403, json!({ "__type": "AccessDenied" })),
        _ => working(operation, body),
    };
    let (address, asked) = serve(without_alarms).await;
    let (operations, now) = (operations_at(&address), NOW.parse().unwrap());
    let view = operations.view(&caller(Role::SuperAdmin), LookBack::Hour, now).await.unwrap();
    assert!(view.alarms.is_none() && view.moment.is_some() && view.flow.is_some());
    assert_eq!((view.headline, view.tone), (FlowHeadline::Flowing { leads: 5 }, HeadlineTone::Neutral));
    operations.view(&caller(Role::SuperAdmin), LookBack::Hour, now).await.unwrap();
    assert_eq!(asked.load(Ordering::Relaxed), 6, "what lacks something is not shown again");

    let view = operations_at("http://127.0.0.1:9").view(&caller(Role::SuperAdmin), LookBack::Week, now).await.unwrap();
    let nothing = OperationsView {
        read_at: now,
        headline: FlowHeadline::Unknown,
        tone: HeadlineTone::Neutral,
        alarms: None,
        moment: None,
        flow: None,
    };
    assert_eq!(*view, nothing);
}

#[tokio::test]
async fn only_superadmins_look() {
    let operations = operations_at("http://127.0.0.1:9");
    for role in [Role::Admin, Role::Moderator, Role::Other] {
        let refused = operations.view(&caller(role), LookBack::Hour, NOW.parse().unwrap()).await;
        assert!(matches!(refused, Err(ActError::Denied(AccessDenied::SuperAdminOnly))), "{role:?}");
    }
}
