//! How the whole system runs: what CloudWatch has, on a page for superadmins.

use e2e::alarms::cloudwatch;
use e2e::browser::{Browser, DESK, PHONE_DARK};
use e2e::console::Guest;
use e2e::fixtures::OrgFixture;
use e2e::json::Json;
use e2e::world::world;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use local::Aws;
use serde_json::{Value, json};

const SUPERADMIN: &str = "superadmin@leadwire.example";

/// The name of the stack, which the names of its functions begin with.
async fn stack(aws: &Aws) -> String {
    let functions = aws.rest("lambda", http::Method::GET, "/2015-03-31/functions/", &Value::Null).await.unwrap();
    let mut names = functions.list("Functions").iter().map(|function| function.text("FunctionName"));
    names.find_map(|name| name.strip_suffix("-console")).unwrap().to_owned()
}

/// A value of a metric at a time.
fn datum(name: &str, dimension: Option<(&str, &str)>, at: Timestamp, values: Value) -> Value {
    let dimensions: Vec<Value> =
        dimension.into_iter().map(|(name, value)| json!({ "Name": name, "Value": value })).collect();
    let mut datum = json!({ "MetricName": name, "Dimensions": dimensions, "Timestamp": at.as_second() });
    datum.as_object_mut().unwrap().extend(values.as_object().unwrap().clone());
    datum
}

/// The other stories' leads and posts are counted, too. So these are many, and of times of which no story is: shares and
/// percentiles are those of the many, and bars those of their time.
#[tokio::test]
async fn the_page_shows_what_cloudwatch_has() {
    let aws = world().aws();
    let stack = stack(&aws).await;
    let now = Timestamp::now();
    let (long_ago, lately) = (now - SignedDuration::from_hours(20), now - SignedDuration::from_mins(1));
    let value = |value: f64| json!({ "Value": value });
    let many = |values: &[f64], counts: &[f64]| json!({ "Values": values, "Counts": counts });
    let own = [
        datum("leads-stored", Some(("source", "webhook")), long_ago, value(3_000_000.0)),
        datum("leads-stored", Some(("source", "sweep")), long_ago, value(1_000_000.0)),
        datum("leads-stored", Some(("source", "import")), long_ago, value(21.0)),
        // The local AWS cuts days at midnight, and the slower of two parts is shown.
        datum("lead-seconds", None, long_ago, many(&[3.4, 47.0], &[9e6, 1e6])),
        datum("lead-seconds", None, lately, many(&[3.4, 47.0], &[9e6, 1e6])),
        datum("leads-parked-by", Some(("reason", "wrong_token_kind")), long_ago, value(5.0)),
        datum("meta-usage", None, long_ago, value(1234.0)),
        datum("posts", Some(("outcome", "published")), long_ago, value(3e6)),
        datum("posts", Some(("outcome", "failed")), long_ago, value(1e6)),
        datum("deliveries", Some(("outcome", "delivered")), long_ago, value(9e6)),
        datum("deliveries", Some(("outcome", "retried")), long_ago, value(1e6)),
        datum("integrations", Some(("state", "error")), lately, value(4_321.0)),
        datum("ad-accounts", Some(("freshness", "stale")), lately, value(8_765.0)),
    ];
    cloudwatch("PutMetricData", json!({ "Namespace": stack, "MetricData": own })).await;
    let (queue, function) = (format!("{stack}-export-worker"), format!("{stack}-lead-retention"));
    let waits = [datum("ApproximateAgeOfOldestMessage", Some(("QueueName", &queue)), long_ago, value(36e5))];
    cloudwatch("PutMetricData", json!({ "Namespace": "AWS/SQS", "MetricData": waits })).await;
    let throttles = [datum("Throttles", Some(("FunctionName", &function)), long_ago, value(77.0))];
    cloudwatch("PutMetricData", json!({ "Namespace": "AWS/Lambda", "MetricData": throttles })).await;
    // Of a metric that no one writes, so that it stays as it is set.
    let alarm = format!("{stack}-StoryAlarm-1");
    let watched = json!({
        "AlarmName": alarm, "AlarmDescription": "A story is told. Runbook: Parked leads.", "Namespace": "story",
        "MetricName": "told", "Statistic": "Sum", "Period": 60, "EvaluationPeriods": 1, "Threshold": 0,
        "ComparisonOperator": "GreaterThanThreshold",
    });
    cloudwatch("PutMetricAlarm", watched).await;
    let on = json!({ "AlarmName": alarm, "StateValue": "ALARM", "StateReason": "for the story" });
    cloudwatch("SetAlarmState", on).await;

    let mut root = Guest::log_in(SUPERADMIN).await;
    let page = root.get("/operations?range=day").await;
    let part = root.request(reqwest::Method::GET, "/operations/figures?range=day", &[], &[("x-part", "1")]).await;
    cloudwatch("DeleteAlarms", json!({ "AlarmNames": [alarm] })).await;
    assert_eq!((page.status.as_u16(), part.status.as_u16()), (200, 200), "{}", page.text);
    assert!(!part.text.contains("<!DOCTYPE html>") && part.text.contains("StoryAlarm"), "{}", part.text);

    // A guest without a browser has no zone: times are those of UTC.
    let half_hour = long_ago.as_second().div_euclid(1800) * 1800;
    let bar = Timestamp::from_second(half_hour).unwrap();
    let row = "4,000,021 (Webhook 3,000,000, Sweep 1,000,000, File import 21)";
    let time = leadwire::language::timestamp_brief(TimeZone::UTC.to_datetime(bar));
    for expected in [
        &format!("<td>{time}</td><td class=\"number\">{row}</td>"),
        "<span>Median, from submission</span><b>3.4 s</b>",
        "<span>95% within</span><b>47 s</b>",
        "<span>Missed by the webhook</span><b>25%</b>",
        "<code>wrong_token_kind</code>",
        "<span>Fullest limit at Meta</span><b>1,234%</b>",
        "<td class=\"number\" data-label=\"Succeeded\">75%</td>",
        "<td class=\"number\" data-label=\"Succeeded\">90%</td>",
        "<span>Without leads</span><b>4,321</b>",
        "<span>Over two hours old</span><b>8,765</b>",
        "<code>export-worker</code>",
        "<td class=\"number\" data-label=\"Longest wait\">1000 h</td>",
        "<code>lead-retention</code>",
        "<td class=\"number\" data-label=\"Throttles\">77</td>",
        ">StoryAlarm</span>",
        "A story is told.",
        "<b>Parked leads</b>",
    ] {
        assert!(page.text.contains(expected), "{expected}: {}", page.text);
    }
    assert!(!page.text.contains("alert good"), "an alarm is on: {}", page.text);
}

#[tokio::test]
async fn only_superadmins_see_how_the_system_runs() {
    let tenant = OrgFixture::new("operations").create().await;
    let mut admin = Guest::log_in(&tenant.create_login("Ada Min", "admin").await).await;
    for path in ["/operations", "/operations/figures"] {
        let page = admin.get(path).await;
        assert_eq!(page.status, 403, "{path}: {}", page.text);
        assert!(page.text.contains("superadmin_only"), "{path}: {}", page.text);
    }
    let link = "href=\"/operations\"";
    assert!(!admin.get("/leads").await.text.contains(link));
    let mut root = Guest::log_in(SUPERADMIN).await;
    let page = root.get("/operations").await;
    assert_eq!(page.status, 200, "without an org, too: {}", page.text);
    assert!(page.text.contains(&format!("{link} aria-current=\"page\"")), "{}", page.text);
}

#[tokio::test]
async fn the_page_is_in_order_on_each_screen() {
    for screen in [PHONE_DARK, DESK] {
        let browser = Browser::open(screen).await;
        browser.open_page("/").await;
        browser.log_in(SUPERADMIN).await;
        // The figures of a day are looked at by another story, and are kept for a minute.
        browser.open_page("/operations").await;
        browser.wait_for_text("Alarms").await;
        browser.check_page("operations").await;
        browser.close().await;
    }
}
