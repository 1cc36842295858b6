//! The client against a CloudWatch that answers what a test wants.

use std::sync::Mutex;

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use jiff::SignedDuration;

use super::*;
use crate::aws::fake;
use crate::model::operations::series::LookBack;

/// What was asked, and what is answered next: a status and a body. Without one, it answers nothing.
#[derive(Clone, Default)]
struct FakeCloudWatch {
    asked: Arc<Mutex<Vec<(String, Value)>>>,
    answers: Arc<Mutex<Vec<(u16, String)>>>,
}

impl FakeCloudWatch {
    /// Starts one, and returns a client of it.
    async fn start(answers: &[(u16, Value)]) -> (Self, CloudWatch) {
        let texts = answers.iter().rev().map(|(status, answer)| (*status, answer.to_string())).collect();
        let this = Self { asked: Arc::default(), answers: Arc::new(Mutex::new(texts)) };
        let router = Router::new().route("/", post(answer)).with_state(this.clone());
        let socket = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", socket.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(socket, router).await });
        (this, CloudWatch::new(&fake(&address)))
    }

    fn asked(&self) -> Vec<(String, Value)> {
        self.asked.lock().unwrap().clone()
    }
}

async fn answer(State(fake): State<FakeCloudWatch>, headers: HeaderMap, body: String) -> (StatusCode, String) {
    let text = |name: &str| headers.get(name).unwrap().to_str().unwrap().to_owned();
    assert!(text("authorization").starts_with("AWS4-HMAC-SHA256 Credential="), "{headers:?}");
    assert!(text("authorization").contains("/us-east-1/monitoring/aws4_request"), "{headers:?}");
    fake.asked.lock().unwrap().push((text("x-amz-target"), serde_json::from_str(&body).unwrap()));
    let next = fake.answers.lock().unwrap().pop();
    let Some((status, answer)) = next else { std::future::pending().await };
    (StatusCode::from_u16(status).unwrap(), answer)
}

fn metric(name: &'static str) -> MetricQuery {
    MetricQuery {
        namespace: "acme".to_owned(),
        name,
        dimensions: vec![("source", "webhook".to_owned())],
        statistic: "Sum",
        period: SignedDuration::from_mins(1),
    }
}

fn window() -> MetricWindow {
    LookBack::Hour.window(Timestamp::from_second(3_599).unwrap())
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

#[tokio::test]
async fn answers_stand_where_their_questions_do_and_a_long_one_comes_in_pages() {
    let page = |results: Value, next: Value| json!({ "MetricDataResults": results, "NextToken": next });
    let (fake, cloudwatch) = FakeCloudWatch::start(&[
        (
            200,
            page(
                json!([{ "Id": "m1", "StatusCode": "PartialData", "Timestamps": [120], "Values": [2.0] }]),
                json!("more"),
            ),
        ),
        (
            200,
            page(
                json!([
                    { "Id": "m0", "Timestamps": [], "Values": [], "StatusCode": "Complete" },
                    { "Id": "m1", "Timestamps": [60, 0.0], "Values": [7, 1.5], "StatusCode": "Complete" },
                ]),
                Value::Null,
            ),
        ),
    ])
    .await;
    let answers = cloudwatch.metrics(&[metric("none"), metric("some")], window()).await.unwrap();
    let some = MetricSeries(vec![(at(120), 2.0), (at(60), 7.0), (at(0), 1.5)]);
    assert_eq!(answers, [MetricSeries::default(), some]);
    let asked = fake.asked();
    assert_eq!(asked.len(), 2);
    assert_eq!(asked[0].0, "GraniteServiceVersion20100801.GetMetricData");
    assert_eq!((&asked[0].1["StartTime"], &asked[0].1["EndTime"]), (&json!(0), &json!(3600)));
    let stat = json!({
        "Metric": { "Namespace": "acme", "MetricName": "some", "Dimensions": [{ "Name": "source", "Value": "webhook" }] },
        "Period": 60,
        "Stat": "Sum",
    });
    assert_eq!(asked[0].1["MetricDataQueries"][1], json!({ "Id": "m1", "MetricStat": stat }));
    assert_eq!((&asked[0].1["NextToken"], &asked[1].1["NextToken"]), (&Value::Null, &json!("more")));
}

#[tokio::test]
async fn many_questions_are_several_requests() {
    let none = (200, json!({ "MetricDataResults": [] }));
    let (fake, cloudwatch) = FakeCloudWatch::start(&[none.clone(), none]).await;
    let questions = vec![metric("some"); MAX_METRICS + 1];
    assert_eq!(cloudwatch.metrics(&questions, window()).await.unwrap().len(), MAX_METRICS + 1);
    let sizes: Vec<_> =
        fake.asked().iter().map(|(_, body)| body["MetricDataQueries"].as_array().unwrap().len()).collect();
    assert_eq!(sizes, [MAX_METRICS, 1]);
}

#[tokio::test]
async fn alarms_come_with_what_they_say_and_since_when() {
    let first = json!({
        "MetricAlarms": [{
            "AlarmName": "acme-A-1", "AlarmDescription": "Leads wait. Runbook: Queue age.", "StateValue": "ALARM",
            "StateUpdatedTimestamp": 300.5, "StateTransitionedTimestamp": 120.0,
        }],
        "CompositeAlarms": [{ "AlarmName": "acme-B-1", "StateValue": "INSUFFICIENT_DATA", "StateUpdatedTimestamp": 60 }],
        "NextToken": "more",
    });
    let last = json!({ "MetricAlarms": [{ "AlarmName": "acme-C-1", "StateValue": "OK" }], "CompositeAlarms": [] });
    let (fake, cloudwatch) = FakeCloudWatch::start(&[(200, first), (200, last)]).await;
    let alarms = cloudwatch.alarms("acme-").await.unwrap();
    let alarm = |name: &str, description: &str, state, since: Option<i64>, is_composite| AlarmRecord {
        name: name.to_owned(),
        description: description.to_owned(),
        state,
        since: since.map(at),
        is_composite,
    };
    let expected = [
        alarm("acme-B-1", "", AlarmState::WithoutData, Some(60), true),
        alarm("acme-A-1", "Leads wait. Runbook: Queue age.", AlarmState::On, Some(120), false),
        alarm("acme-C-1", "", AlarmState::Off, None, false),
    ];
    assert_eq!(alarms, expected);
    assert_eq!(fake.asked()[0].1["AlarmNamePrefix"], "acme-");
}

#[tokio::test]
async fn what_passes_is_tried_again_and_what_does_not_is_not() {
    let (throttled, busy) = ((400, json!({ "__type": "ThrottlingException" })), (503, json!({})));
    let empty = (200, json!({ "MetricAlarms": [] }));
    let (_, cloudwatch) = FakeCloudWatch::start(&[throttled.clone(), empty]).await;
    assert_eq!(cloudwatch.alarms("acme-").await.unwrap(), []);
    let (_, cloudwatch) = FakeCloudWatch::start(&[busy, throttled]).await;
    assert!(matches!(cloudwatch.alarms("acme-").await, Err(CloudWatchError::Failed(_))));
    let (fake, cloudwatch) = FakeCloudWatch::start(&[(403, json!({ "__type": "AccessDenied" }))]).await;
    assert!(matches!(cloudwatch.alarms("acme-").await, Err(CloudWatchError::Refused(_))));
    assert_eq!(fake.asked().len(), 1);
    let (_, cloudwatch) = FakeCloudWatch::start(&[(200, json!({ "MetricAlarms": 1 }))]).await;
    assert!(matches!(cloudwatch.alarms("acme-").await, Err(CloudWatchError::Unreadable(_))));
}

#[tokio::test]
async fn a_metric_that_could_not_be_read_is_not_zero() {
    let broken = json!({ "MetricDataResults": [{ "Id": "m0", "StatusCode": "InternalError" }] });
    let (_, cloudwatch) = FakeCloudWatch::start(&[(200, broken)]).await;
    assert!(matches!(cloudwatch.metrics(&[metric("some")], window()).await, Err(CloudWatchError::Failed(_))));
}

#[tokio::test]
async fn who_does_not_answer_is_not_waited_for() {
    let (_, cloudwatch) = FakeCloudWatch::start(&[]).await;
    let begun = std::time::Instant::now();
    assert!(matches!(cloudwatch.alarms("acme-").await, Err(CloudWatchError::TimedOut)));
    assert!(begun.elapsed() < WHOLE_TIMEOUT * 3, "{:?}", begun.elapsed());
    let nowhere = CloudWatch::new(&fake("http://127.0.0.1:9"));
    assert!(matches!(nowhere.alarms("acme-").await, Err(CloudWatchError::Unreachable(_))));
}

#[test]
fn only_what_may_pass_is_worth_another_try() {
    let error = || AwsError::new(std::fmt::Error);
    for (error, expect) in [
        (CloudWatchError::TimedOut, Verdict::Retry),
        (CloudWatchError::Unreachable(error()), Verdict::Retry),
        (CloudWatchError::Failed(String::new()), Verdict::Retry),
        (CloudWatchError::Refused(String::new()), Verdict::GiveUp),
        (CloudWatchError::Unreadable(String::new()), Verdict::GiveUp),
        (CloudWatchError::Unsigned(error()), Verdict::GiveUp),
    ] {
        assert_eq!(error.verdict(), expect, "{error}");
    }
}
