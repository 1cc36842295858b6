//! Metrics out of the functions' logs: by the template's metric filters, and by the embedded metric format. MiniStack
//! stores both and acts on neither.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use serde_json::Value;

use super::Measure;
use super::judge::{MetricKey, Point};

/// A metric filter of the template: which lines of a log group count for which metric.
#[derive(Debug, Clone)]
pub(super) struct MetricFilter {
    /// The logical id of the log group.
    pub(super) group: String,
    /// Paths into the line, and what must be there; one of them suffices.
    any_of: Vec<(String, String)>,
    /// The name of the metric.
    metric: String,
    /// The path of the value in the line; without it each line counts 1.
    value: Option<String>,
}

impl MetricFilter {
    /// Reads the properties of an `AWS::Logs::MetricFilter`. Only patterns such as `{ $.a = "x" || $.b = "y" }` and
    /// values such as `1` or `$.a` are known here.
    pub(super) fn read(properties: &Value) -> Result<Self> {
        let text = |pointer: &str| {
            let value = properties.pointer(pointer).and_then(Value::as_str);
            value.with_context(|| format!("a metric filter has no {pointer}"))
        };
        let value = match text("/MetricTransformations/0/MetricValue")? {
            "1" => None,
            path => Some(pointer(path).with_context(|| format!("a metric filter counts {path}"))?),
        };
        Ok(Self {
            value,
            group: text("/LogGroupName/Ref")?.to_owned(),
            any_of: alternatives(text("/FilterPattern")?)?,
            metric: text("/MetricTransformations/0/MetricName")?.to_owned(),
        })
    }

    fn matches(&self, line: &Value) -> bool {
        self.any_of.iter().any(|(pointer, value)| line.pointer(pointer).and_then(Value::as_str) == Some(value))
    }
}

/// Parses `{ $.a = "x" || $.b.c = "y" }`.
fn alternatives(pattern: &str) -> Result<Vec<(String, String)>> {
    let inner = pattern.trim().strip_prefix('{').and_then(|rest| rest.strip_suffix('}'));
    let part = |part: &str| {
        let (path, value) = part.split_once('=')?;
        let value = value.trim().strip_prefix('"')?.strip_suffix('"')?;
        let is_whole = !value.contains('*');
        Some((pointer(path.trim())?, value.to_owned())).filter(|_| is_whole)
    };
    let parts: Option<Vec<_>> = inner.and_then(|inner| inner.split("||").map(part).collect());
    parts.with_context(|| format!("the filter pattern {pattern} is not one that is known here"))
}

/// Turns `$.b.c` into `/b/c`.
fn pointer(path: &str) -> Option<String> {
    let path = path.strip_prefix("$.")?;
    let is_plain = path.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '.');
    is_plain.then(|| format!("/{}", path.replace('.', "/")))
}

/// Returns what one line of a log group measures, each with its unit.
pub(super) fn measured(line: &str, at: f64, filters: &[&MetricFilter], namespace: &str) -> Vec<Measure> {
    let Ok(line) = serde_json::from_str::<Value>(line) else { return Vec::new() };
    let counted = filters.iter().filter(|filter| filter.matches(&line)).filter_map(|filter| {
        let value = match &filter.value {
            None => 1.0,
            Some(pointer) => line.pointer(pointer)?.as_f64()?,
        };
        let name = filter.metric.clone();
        let key = MetricKey { namespace: namespace.to_owned(), name, dimensions: BTreeMap::new() };
        Some((key, "Count", Point { at, value }))
    });
    counted.chain(embedded(&line, at)).collect()
}

/// Reads the embedded metric format: each directive names metrics of the line, and sets of its fields as dimensions.
fn embedded(line: &Value, at: f64) -> Vec<Measure> {
    let list = |value: Option<&Value>| value.and_then(Value::as_array).cloned().unwrap_or_default();
    let mut found = Vec::new();
    for directive in list(line.pointer("/_aws/CloudWatchMetrics")) {
        let namespace = directive.get("Namespace").and_then(Value::as_str).unwrap_or_default();
        for metric in list(directive.get("Metrics")) {
            let Some(name) = metric.get("Name").and_then(Value::as_str) else { continue };
            let values = match line.get(name) {
                Some(Value::Array(values)) => values.clone(),
                Some(value) => vec![value.clone()],
                None => continue,
            };
            let unit = match metric.get("Unit").and_then(Value::as_str) {
                Some("Seconds") => "Seconds",
                Some("Percent") => "Percent",
                _ => "Count",
            };
            for set in list(directive.get("Dimensions")) {
                let names = set.as_array().into_iter().flatten().filter_map(Value::as_str);
                let pair = |name: &str| Some((name.to_owned(), line.get(name)?.as_str()?.to_owned()));
                let key = MetricKey {
                    namespace: namespace.to_owned(),
                    name: name.to_owned(),
                    dimensions: names.filter_map(pair).collect(),
                };
                found.extend(
                    values.iter().filter_map(Value::as_f64).map(|value| (key.clone(), unit, Point { at, value })),
                );
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_filter_counts_the_lines_that_it_names() {
        let properties = |pattern: &str| {
            json!({ "LogGroupName": { "Ref": "Logs" }, "FilterPattern": pattern,
                    "MetricTransformations": [{ "MetricName": "lost", "MetricValue": "1" }] })
        };
        let filter = MetricFilter::read(&properties(r#"{ $.metric = "a" || $.span.metric = "b" }"#)).unwrap();
        let count = |line: &str| measured(line, 7.0, &[&filter], "stack").len();
        let lines = [r#"{"metric":"a"}"#, r#"{"span":{"metric":"b"}}"#, r#"{"metric":"b"}"#, "a", "{}"];
        assert_eq!(lines.map(count), [1, 1, 0, 0, 0]);
        let mut of_field = properties(r#"{ $.metric = "a" }"#);
        of_field["MetricTransformations"][0]["MetricValue"] = "$.leads".into();
        let filter = MetricFilter::read(&of_field).unwrap();
        let sum =
            |line: &str| -> f64 { measured(line, 7.0, &[&filter], "").iter().map(|(.., point)| point.value).sum() };
        assert_eq!([r#"{"metric":"a","leads":3}"#, r#"{"metric":"a"}"#].map(sum), [3.0, 0.0]);
        for unknown in [r#"{ $.metric = "a*" }"#, "?a ?b", r#"{ $.metric != "a" }"#] {
            assert!(MetricFilter::read(&properties(unknown)).is_err(), "{unknown}");
        }
    }

    #[test]
    fn embedded_metrics_are_read_for_each_set_of_dimensions() {
        let line = json!({
            "_aws": { "Timestamp": 1, "CloudWatchMetrics": [{
                "Namespace": "stack", "Dimensions": [[], ["source"]],
                "Metrics": [{ "Name": "leads", "Unit": "Count" }, { "Name": "seconds", "Unit": "Seconds" }, { "Name": "absent" }],
            }] },
            "source": "webhook", "leads": 3, "seconds": [1.5, 2],
        });
        let found = measured(&line.to_string(), 7.0, &[], "");
        let of = |name: &str, dimensions: usize| -> Vec<f64> {
            let is_it = |key: &MetricKey| key.name == name && key.dimensions.len() == dimensions;
            found.iter().filter(|(key, ..)| is_it(key)).map(|(.., point)| point.value).collect()
        };
        assert_eq!([of("leads", 0), of("leads", 1)], [[3.0], [3.0]]);
        assert_eq!([of("seconds", 0), of("seconds", 1)], [[1.5, 2.0], [1.5, 2.0]]);
        assert_eq!(found.len(), 6);
        assert!(
            found
                .iter()
                .any(|(key, unit, _)| key.dimensions.get("source").is_some_and(|it| it == "webhook")
                    && *unit == "Seconds")
        );
    }
}
