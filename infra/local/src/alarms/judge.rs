//! Whether an alarm is on, judged from points as CloudWatch judges it.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context, Result};
use serde_json::Value;

/// A metric: namespace, name, and dimensions by name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct MetricKey {
    pub(super) namespace: String,
    pub(super) name: String,
    pub(super) dimensions: BTreeMap<String, String>,
}

/// A value of a metric, and when it was measured, in seconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Point {
    pub(super) at: f64,
    pub(super) value: f64,
}

/// An alarm as it is deployed.
#[derive(Debug, Clone)]
pub(super) struct Alarm {
    /// The physical name.
    pub(super) name: String,
    pub(super) description: String,
    pub(super) metric: MetricKey,
    /// `Sum`, `Maximum`, `p99` and so on.
    pub(super) statistic: String,
    pub(super) period: Duration,
    /// Periods that are looked at, and how many of them must breach.
    pub(super) periods: u32,
    pub(super) breaching: u32,
    comparison: String,
    threshold: f64,
    breaches_without_data: bool,
    /// What CloudWatch shows now.
    pub(super) shown: String,
}

impl Alarm {
    /// Reads one of `DescribeAlarms`.
    pub(super) fn read(alarm: &Value) -> Result<Self> {
        let text = |key: &str| alarm.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
        let number = |key: &str| alarm.get(key).and_then(Value::as_f64);
        let count = |key: &str| alarm.get(key).and_then(Value::as_u64).and_then(|count| u32::try_from(count).ok());
        let name = text("AlarmName");
        let missing = |key: &str| format!("the alarm {name} has no {key}");
        let periods = count("EvaluationPeriods").with_context(|| missing("EvaluationPeriods"))?;
        let statistic = alarm.get("ExtendedStatistic").and_then(Value::as_str).filter(|name| !name.is_empty());
        Ok(Self {
            description: text("AlarmDescription"),
            metric: MetricKey {
                namespace: text("Namespace"),
                name: text("MetricName"),
                dimensions: dimensions(alarm.get("Dimensions")),
            },
            statistic: statistic.map_or_else(|| text("Statistic"), ToOwned::to_owned),
            period: Duration::from_secs(count("Period").with_context(|| missing("Period"))?.into()),
            periods,
            breaching: count("DatapointsToAlarm").unwrap_or(periods),
            comparison: text("ComparisonOperator"),
            threshold: number("Threshold").with_context(|| missing("Threshold"))?,
            breaches_without_data: text("TreatMissingData") == "breaching",
            shown: text("StateValue"),
            name,
        })
    }

    /// Whether the alarm is on at `now`. `minute` is what counts as a minute of its periods.
    pub(super) fn is_on(&self, points: &[Point], now: f64, minute: Duration) -> bool {
        let period = self.period.as_secs_f64() * minute.as_secs_f64() / 60.0;
        let breaches = |number: u32| {
            let end = now - period * f64::from(number);
            let values: Vec<f64> = points
                .iter()
                .filter(|point| point.at > end - period && point.at <= end)
                .map(|point| point.value)
                .collect();
            statistic(&self.statistic, &values).map_or(self.breaches_without_data, |value| self.is_beyond(value))
        };
        (0..self.periods).filter(|number| breaches(*number)).count() >= self.breaching as usize
    }

    fn is_beyond(&self, value: f64) -> bool {
        match self.comparison.as_str() {
            "GreaterThanThreshold" => value > self.threshold,
            "GreaterThanOrEqualToThreshold" => value >= self.threshold,
            "LessThanThreshold" => value < self.threshold,
            _ => value <= self.threshold,
        }
    }
}

/// Reads dimensions as CloudWatch writes them: `[{"Name": …, "Value": …}]`.
fn dimensions(list: Option<&Value>) -> BTreeMap<String, String> {
    let pair = |dimension: &Value| {
        Some((dimension.get("Name")?.as_str()?.to_owned(), dimension.get("Value")?.as_str()?.to_owned()))
    };
    list.and_then(Value::as_array).into_iter().flatten().filter_map(pair).collect()
}

/// Returns a statistic of values, or `None` without any.
fn statistic(name: &str, values: &[f64]) -> Option<f64> {
    let sum: f64 = values.iter().sum();
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let (least, most) = (*sorted.first()?, *sorted.last()?);
    Some(match name {
        "Sum" => sum,
        "Minimum" => least,
        "Average" => sum / f64::from(u32::try_from(values.len()).ok()?),
        // Of the few values here, a high percentile is the greatest.
        _ => most,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const MINUTE: Duration = Duration::from_mins(1);

    fn alarm(changes: &Value) -> Alarm {
        let mut alarm = json!({
            "AlarmName": "a", "AlarmDescription": "", "Namespace": "n", "MetricName": "m", "Statistic": "Sum", "Period": 300,
            "EvaluationPeriods": 2, "ComparisonOperator": "GreaterThanThreshold", "Threshold": 10,
            "TreatMissingData": "notBreaching", "StateValue": "OK",
            "Dimensions": [{ "Name": "QueueName", "Value": "q" }],
        });
        let changes = changes.as_object().unwrap().clone();
        alarm.as_object_mut().unwrap().extend(changes);
        Alarm::read(&alarm).unwrap()
    }

    fn points(points: &[(f64, f64)]) -> Vec<Point> {
        points.iter().map(|&(at, value)| Point { at, value }).collect()
    }

    #[test]
    fn an_alarm_is_on_while_each_of_its_periods_breaches() {
        let twice = alarm(&json!({}));
        assert_eq!(twice.metric.dimensions["QueueName"], "q");
        let both = points(&[(450.0, 6.0), (500.0, 5.0), (800.0, 11.0)]);
        assert!(twice.is_on(&both, 1000.0, MINUTE));
        assert!(!twice.is_on(&both, 1300.0, MINUTE), "the last period has no data");
        assert!(!twice.is_on(&points(&[(800.0, 100.0)]), 1000.0, MINUTE), "one period is not two");
        assert!(!twice.is_on(&points(&[(450.0, 10.0), (800.0, 10.0)]), 1000.0, MINUTE), "10 is not more than 10");
        let either = alarm(&json!({ "DatapointsToAlarm": 1 }));
        assert!(either.is_on(&points(&[(450.0, 11.0)]), 1000.0, MINUTE));
    }

    #[test]
    fn a_minute_can_be_shorter() {
        let quick = alarm(&json!({ "EvaluationPeriods": 1 }));
        assert!(quick.is_on(&points(&[(996.0, 11.0)]), 1000.0, Duration::from_secs(1)));
        assert!(!quick.is_on(&points(&[(994.0, 11.0)]), 1000.0, Duration::from_secs(1)));
    }

    #[test]
    fn without_data_an_alarm_of_absence_is_on() {
        let absent = alarm(
            &json!({ "ComparisonOperator": "LessThanThreshold", "Threshold": 1, "TreatMissingData": "breaching" }),
        );
        assert!(absent.is_on(&[], 1000.0, MINUTE));
        assert!(!absent.is_on(&points(&[(900.0, 1.0)]), 1000.0, MINUTE));
    }

    #[test]
    fn statistics_are_what_they_are_called() {
        let of = |name: &str| statistic(name, &[1.0, 5.0, 3.0]);
        assert_eq!(["Sum", "Minimum", "Maximum", "Average", "p99"].map(of), [9.0, 1.0, 5.0, 3.0, 5.0].map(Some));
        assert_eq!(statistic("Sum", &[]), None);
    }
}
