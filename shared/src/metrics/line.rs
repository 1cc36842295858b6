//! A line of the embedded metric format.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Value, json};

use super::Metric;

/// A log event that CloudWatch reads as metrics too.
#[derive(Serialize)]
struct MetricLine<'a> {
    timestamp: Timestamp,
    level: &'a str,
    #[serde(rename = "_aws")]
    metadata: MetricMetadata,
    /// The values of the metrics and of their dimensions.
    #[serde(flatten)]
    members: BTreeMap<&'static str, Value>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct MetricMetadata {
    /// Milliseconds since 1970.
    timestamp: i64,
    #[serde(rename = "CloudWatchMetrics")]
    metrics: Vec<Value>,
}

impl MetricLine<'_> {
    /// Whether this line can hold the metric too: a name, and a dimension's name, stand for one value each.
    fn has_room(&self, metric: Metric) -> bool {
        let dimension_fits = metric
            .dimension()
            .is_none_or(|(name, value)| self.members.get(name).is_none_or(|known| known.as_str() == Some(value)));
        dimension_fits && !self.members.contains_key(metric.name())
    }

    fn add(&mut self, namespace: &str, metric: Metric, values: &[f64]) {
        let dimension = metric.dimension();
        let names: Vec<&str> = dimension.iter().map(|(name, _)| *name).collect();
        self.metadata.metrics.push(json!({
            "Namespace": namespace,
            "Dimensions": [names],
            "Metrics": [{ "Name": metric.name(), "Unit": metric.unit() }],
        }));
        self.members.extend(dimension.map(|(name, value)| (name, Value::from(value))));
        let values = match values {
            [value] => Value::from(*value),
            values => Value::from(values),
        };
        self.members.insert(metric.name(), values);
    }
}

/// Returns the lines that say these values: as few as the format allows.
pub(super) fn lines(namespace: &str, level: &str, now: Timestamp, values: &[(Metric, Vec<f64>)]) -> Vec<String> {
    /// CloudWatch's limit on the values of one metric in a line.
    const MAX_VALUES: usize = 100;
    let mut lines: Vec<MetricLine<'_>> = Vec::new();
    for (metric, values) in values {
        for values in values.chunks(MAX_VALUES) {
            let position = lines.iter().position(|line| line.has_room(*metric)).unwrap_or(lines.len());
            if position == lines.len() {
                let metadata = MetricMetadata { timestamp: now.as_millisecond(), metrics: Vec::new() };
                lines.push(MetricLine { timestamp: now, level, metadata, members: BTreeMap::new() });
            }
            if let Some(line) = lines.get_mut(position) {
                line.add(namespace, *metric, values);
            }
        }
    }
    lines.iter().filter_map(|line| serde_json::to_string(line).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::{AnswerOutcome, DeliveryOutcome, PostOutcome};
    use crate::model::lead::FoundBy;

    fn parsed(values: &[(Metric, Vec<f64>)]) -> Vec<Value> {
        let now = "2026-03-01T12:00:00Z".parse().unwrap();
        lines("stack", "INFO", now, values).iter().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    #[test]
    fn a_line_says_what_to_count_as_cloudwatch_reads_it() {
        let line = parsed(&[(Metric::LeadsStored(FoundBy::Webhook), vec![2.0]), (Metric::LeadSeconds, vec![3.5, 4.0])]);
        let expected = json!({
            "timestamp": "2026-03-01T12:00:00Z",
            "level": "INFO",
            "_aws": { "Timestamp": 1_772_366_400_000_i64, "CloudWatchMetrics": [
                { "Namespace": "stack", "Dimensions": [["source"]], "Metrics": [{ "Name": "leads-stored", "Unit": "Count" }] },
                { "Namespace": "stack", "Dimensions": [[]], "Metrics": [{ "Name": "lead-seconds", "Unit": "Seconds" }] },
            ] },
            "source": "webhook",
            "leads-stored": 2.0,
            "lead-seconds": [3.5, 4.0],
        });
        assert_eq!(line, [expected]);
    }

    #[test]
    fn what_does_not_fit_into_a_line_gets_another() {
        let stored = |source| (Metric::LeadsStored(source), vec![1.0]);
        let two = parsed(&[stored(FoundBy::Webhook), stored(FoundBy::Sweep), (Metric::MetaUsage, vec![60.0])]);
        assert_eq!(two.iter().map(|line| line["source"].as_str().unwrap()).collect::<Vec<_>>(), ["webhook", "sweep"]);
        assert_eq!((two[0]["meta-usage"].as_f64(), two[1].get("meta-usage")), (Some(60.0), None));
        // Another metric with a dimension of the same name.
        let outcomes = [
            (Metric::Posts(PostOutcome::Failed), vec![1.0]),
            (Metric::Answers(AnswerOutcome::Failed), vec![1.0]),
            (Metric::Deliveries(DeliveryOutcome::Delivered), vec![1.0]),
        ];
        assert_eq!(parsed(&outcomes).len(), 2);
        let many = parsed(&[(Metric::LeadSeconds, vec![1.0; 250])]);
        let sizes: Vec<usize> = many.iter().map(|line| line["lead-seconds"].as_array().unwrap().len()).collect();
        assert_eq!(sizes, [100, 100, 50]);
        assert!(parsed(&[(Metric::LeadSeconds, Vec::new())]).is_empty());
    }
}
