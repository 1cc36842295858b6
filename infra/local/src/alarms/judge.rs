//! Whether an alarm is on, judged from points as CloudWatch judges it.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context, Result};
use serde::Deserialize;
use serde::de::DeserializeOwned;
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
    pub(super) statistic: Statistic,
    pub(super) period: Duration,
    /// Periods that are looked at, and how many of them must breach.
    pub(super) periods: u32,
    pub(super) breaching: u32,
    comparison: Comparison,
    threshold: f64,
    breaches_without_data: bool,
    /// What CloudWatch shows now.
    pub(super) shown: String,
}

/// When a value breaches. One that is not here is refused, so that no alarm is judged as another.
#[derive(Debug, Clone, Copy, Deserialize)]
enum Comparison {
    #[serde(rename = "GreaterThanThreshold")]
    Greater,
    #[serde(rename = "GreaterThanOrEqualToThreshold")]
    NotLess,
    #[serde(rename = "LessThanThreshold")]
    Less,
    #[serde(rename = "LessThanOrEqualToThreshold")]
    NotGreater,
}

/// What a period's values become.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub(super) enum Statistic {
    Sum,
    Minimum,
    Average,
    /// Of the few values here, a high percentile is the greatest, too.
    #[serde(alias = "p90", alias = "p95", alias = "p99")]
    Maximum,
}

impl Statistic {
    /// `None` without values.
    fn of(self, values: &[f64]) -> Option<f64> {
        let sum: f64 = values.iter().sum();
        match self {
            _ if values.is_empty() => None,
            Self::Sum => Some(sum),
            Self::Average => Some(sum / f64::from(u32::try_from(values.len()).ok()?)),
            Self::Minimum => values.iter().copied().reduce(f64::min),
            Self::Maximum => values.iter().copied().reduce(f64::max),
        }
    }
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
        let extended = text("ExtendedStatistic");
        let statistic = if extended.is_empty() { text("Statistic") } else { extended };
        Ok(Self {
            description: text("AlarmDescription"),
            metric: MetricKey {
                namespace: text("Namespace"),
                name: text("MetricName"),
                dimensions: dimensions(alarm.get("Dimensions")),
            },
            statistic: word(statistic).with_context(|| format!("the alarm {name}"))?,
            period: Duration::from_secs(count("Period").with_context(|| missing("Period"))?.into()),
            periods,
            breaching: count("DatapointsToAlarm").unwrap_or(periods),
            comparison: word(text("ComparisonOperator")).with_context(|| format!("the alarm {name}"))?,
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
            self.statistic.of(&values).map_or(self.breaches_without_data, |value| self.is_beyond(value))
        };
        (0..self.periods).filter(|number| breaches(*number)).count() >= self.breaching as usize
    }

    fn is_beyond(&self, value: f64) -> bool {
        match self.comparison {
            Comparison::Greater => value > self.threshold,
            Comparison::NotLess => value >= self.threshold,
            Comparison::Less => value < self.threshold,
            Comparison::NotGreater => value <= self.threshold,
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

/// Reads one of the words that CloudWatch has for something.
fn word<T: DeserializeOwned>(text: String) -> Result<T> {
    Ok(serde_json::from_value(Value::String(text))?)
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
    fn statistics_are_what_they_are_called_and_an_unknown_one_is_refused() {
        let of = |name: &str| word::<Statistic>(name.to_owned()).unwrap().of(&[1.0, 5.0, 3.0]);
        assert_eq!(["Sum", "Minimum", "Maximum", "Average", "p99"].map(of), [9.0, 1.0, 5.0, 3.0, 5.0].map(Some));
        assert_eq!(Statistic::Sum.of(&[]), None);
        assert!(word::<Statistic>("SampleCount".to_owned()).is_err() && word::<Comparison>(String::new()).is_err());
    }
}
