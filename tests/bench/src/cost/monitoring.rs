//! What it costs to watch the system: its metrics, alarms and dashboard.

use std::collections::BTreeSet;

use leadwire::metrics::Metric;
use local::template::Template;
use serde_json::Value;

use super::count;
use super::prices::CostFile;

/// What a month costs at most, in USD, whatever the load. A metric is billed for the hours in which it is written: the
/// metrics of filters whenever their function logs, others when there is something to count.
pub(super) fn month(costs: &CostFile) -> anyhow::Result<f64> {
    let template = Template::read()?;
    let filtered: BTreeSet<&str> = template
        .resources("AWS::Logs::MetricFilter")
        .filter_map(|(_, filter)| filter.pointer("/MetricTransformations/0/MetricName").and_then(Value::as_str))
        .collect();
    let written = Metric::all();
    let rare = written.iter().filter(|metric| matches!(metric, Metric::LeadsParkedBy(_))).count();
    let of_kind = |kind: &str| count(template.resources(kind).count() as u64);
    let prices = &costs.prices;
    let parts = [
        ("metrics of filters", count(filtered.len() as u64), prices.metric_month),
        ("metrics of functions", count((written.len() - rare) as u64), prices.metric_month),
        ("reasons of parked leads", count(rare as u64), prices.metric_month),
        ("alarms", of_kind("AWS::CloudWatch::Alarm"), prices.alarm_month),
        ("composite alarms", of_kind("AWS::CloudWatch::CompositeAlarm"), prices.composite_alarm_month),
        ("dashboards", of_kind("AWS::CloudWatch::Dashboard"), prices.dashboard_month),
    ];
    println!("watching, a month");
    for (what, number, price) in parts {
        println!("  {what:<24} {number:>5} of {price:.2}: {:>6.2}", number * price);
    }
    Ok(parts.iter().map(|(_, number, price)| number * price).sum())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_deployment_says_what_watching_costs() {
        let costs = CostFile::read().unwrap();
        let month = month(&costs).unwrap();
        assert!(month <= costs.budgets.watching, "{month}");
        let stated = format!("Watching costs at most {:.0} USD a month", month.ceil());
        assert!(include_str!("../../../../infra/DEPLOY.md").contains(&stated), "{stated}");
    }
}
