//! The template's alarms, as the running system's are judged, and what is needed to raise one.

use serde_json::{Value, json};

use crate::json::Json;
use crate::world::{wait_for, world};

/// An alarm of the template, by its logical id, as a drill looks at it.
#[derive(Debug, Clone, Copy)]
pub struct Alarm {
    /// The logical id.
    pub id: &'static str,
    /// How many seconds a minute of its periods lasts.
    pub minute: f64,
}

impl Alarm {
    /// Has all alarms judged and returns this one.
    ///
    /// # Panics
    /// Panics if the template has no such alarm.
    pub async fn judge(self) -> Value {
        let all = world().call_dev_api(reqwest::Method::GET, &format!("alarms?minute={}", self.minute)).await;
        all.find("", "id", self.id).clone()
    }

    async fn wait_for(self, state: &str) -> Value {
        wait_for(&format!("{} to be {state}", self.id), async || {
            Some(self.judge().await).filter(|alarm| alarm["state"] == state)
        })
        .await
    }

    /// Waits until it is on, and returns it. The operator then reads this entry of the runbook.
    ///
    /// # Panics
    /// Panics on a timeout, or if its description names another entry.
    pub async fn is_raised(self, entry: &str) -> Value {
        let raised = self.wait_for("ALARM").await;
        assert_eq!(raised.text("runbook"), entry, "{raised}");
        raised
    }

    /// Waits until it is off.
    ///
    /// # Panics
    /// Panics on a timeout.
    pub async fn is_over(self) {
        self.wait_for("OK").await;
    }

    /// Lets it begin at the first period whose value is above `threshold`, so that what people wait for in hours is seen
    /// in seconds.
    ///
    /// # Panics
    /// Panics if CloudWatch rejects it.
    pub async fn begin_above(self, threshold: f64) {
        let name = self.judge().await.text("name").to_owned();
        let found = cloudwatch("DescribeAlarms", json!({ "AlarmNames": [name] })).await;
        let mut changed = found.list("MetricAlarms")[0].clone();
        let given = [
            "AlarmName",
            "AlarmDescription",
            "Namespace",
            "MetricName",
            "Dimensions",
            "Statistic",
            "ExtendedStatistic",
            "Period",
            "ComparisonOperator",
            "TreatMissingData",
        ];
        let fields = changed.as_object_mut().unwrap();
        fields.retain(|name, value| given.contains(&name.as_str()) && !value.is_null() && value != "");
        fields.insert("Threshold".to_owned(), json!(threshold));
        fields.insert("EvaluationPeriods".to_owned(), json!(1));
        cloudwatch("PutMetricAlarm", changed).await;
    }
}

/// Calls CloudWatch.
///
/// # Panics
/// Panics if CloudWatch rejects it.
pub async fn cloudwatch(operation: &str, input: Value) -> Value {
    let operation = format!("GraniteServiceVersion20100801.{operation}");
    world().aws().json("monitoring", &operation, &input).await.unwrap()
}

/// Has a service of AWS measure something, which MiniStack's do not.
///
/// # Panics
/// Panics if CloudWatch rejects it.
pub async fn measure(namespace: &str, metric: &str, dimensions: &[(&str, &str)], value: f64) {
    let dimensions: Vec<Value> =
        dimensions.iter().map(|(name, value)| json!({ "Name": name, "Value": value })).collect();
    let data = json!([{ "MetricName": metric, "Dimensions": dimensions, "Value": value }]);
    cloudwatch("PutMetricData", json!({ "Namespace": namespace, "MetricData": data })).await;
}

/// Writes a line into the log of a function.
///
/// # Panics
/// Panics if CloudWatch rejects it.
pub async fn log(function: &str, line: &Value) {
    let (group, stream) = (format!("/aws/lambda/leadwire-{function}"), "drill");
    let aws = world().aws();
    let names = json!({ "logGroupName": group, "logStreamName": stream });
    // It may be there.
    let _ = aws.json("logs", "Logs_20140328.CreateLogStream", &names).await;
    let at = jiff::Timestamp::now().as_millisecond();
    let mut input = names;
    input["logEvents"] = json!([{ "timestamp": at, "message": line.to_string() }]);
    aws.json("logs", "Logs_20140328.PutLogEvents", &input).await.unwrap();
}
