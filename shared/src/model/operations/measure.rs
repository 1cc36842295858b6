//! What is asked of CloudWatch: the product's own metrics, by the names under which its functions write them, and those
//! that AWS writes of queues, functions and the table.

use jiff::SignedDuration;
use strum::IntoEnumIterator;

use super::series::{LookBack, MetricSeries};
use super::stack::{FUNCTIONS, INDEXES, MonitoredStack, QUEUES, dead_letters};
use crate::model::failure::FailureCode;
use crate::model::lead::FoundBy;

/// A question to CloudWatch: one statistic of one metric.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MetricQuery {
    /// The namespace.
    pub namespace: String,
    /// The name of the metric.
    pub name: &'static str,
    /// The dimensions, all that the metric has.
    pub dimensions: Vec<(&'static str, String)>,
    /// `Sum`, `Maximum`, or a percentile such as `p95`.
    pub statistic: &'static str,
    /// The length of a bucket: whole minutes.
    pub period: SignedDuration,
}

/// A figure that the page of operations is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Measure {
    /// Leads that were stored, by what found them.
    LeadsStored(FoundBy),
    /// A percentile of the seconds from submission to publication.
    LeadSeconds(&'static str),
    /// Leads that were parked, by the reason.
    LeadsParked(FailureCode),
    /// The highest share of one of Meta's limits that was used, in percent. Only 50 and more is written.
    MetaUsage,
    /// Pauses that Meta asked for: of a `page`, or of an `ad-account`.
    MetaBlocks(&'static str),
    /// Integrations by state, written every quarter of an hour.
    Integrations(&'static str),
    /// Ad accounts by the age of their figures, written every quarter of an hour.
    AdAccounts(&'static str),
    /// What came to an end, by the metric's name and the outcome.
    Ended(&'static str, &'static str),
    /// Seconds that the oldest message of a queue has waited.
    OldestMessage(&'static str),
    /// Messages among a queue's dead letters.
    DeadLetters(&'static str),
    /// Calls of a function that failed.
    FunctionErrors(&'static str),
    /// Calls of a function that Lambda refused for want of capacity.
    FunctionThrottles(&'static str),
    /// Calls of a function.
    FunctionRuns(&'static str),
    /// Milliseconds of a function that are billed.
    FunctionMilliseconds(&'static str),
    /// Write units of a table.
    WriteUnits(BilledTable),
    /// Read units of a table.
    ReadUnits(BilledTable),
}

/// A table, or an index, whose use is billed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BilledTable {
    /// The table of sessions.
    Sessions,
    /// The table.
    Main,
    /// An index of the table. The table's own figures are without it.
    Index(&'static str),
}

/// The values of `source`, those of regular leads first.
pub const SOURCES: [FoundBy; 5] = [FoundBy::Webhook, FoundBy::Sweep, FoundBy::Sync, FoundBy::Import, FoundBy::Backfill];
/// The values of `of`.
pub const BLOCKED: [&str; 2] = ["page", "ad-account"];
/// The values of `state`, the best first.
pub const INTEGRATION_STATES: [&str; 4] = ["ok", "notice", "warning", "error"];
/// The values of `freshness`, the best first.
pub const FRESHNESS: [&str; 4] = ["fresh", "late", "stale", "paused"];
/// The metrics of what comes to an end, with the values of `outcome`: what was wanted comes first.
pub const ENDED: [(&str, &[&str]); 4] = [
    ("posts", &["published", "failed"]),
    ("answers", &["sent", "failed"]),
    ("conversions", &["sent", "skipped", "refused"]),
    ("deliveries", &["delivered", "retried", "failed"]),
];

/// What tells how the system stands at the moment, whatever is looked back at.
#[must_use]
pub fn of_the_moment() -> Vec<Measure> {
    let mut all = vec![
        Measure::LeadsStored(FoundBy::Webhook),
        Measure::LeadsStored(FoundBy::Sweep),
        // It runs every minute: while it does, what is not counted did not happen.
        Measure::FunctionRuns("planner"),
    ];
    all.extend(QUEUES.map(Measure::OldestMessage));
    all.extend(dead_letters().map(Measure::DeadLetters));
    all.extend(INTEGRATION_STATES.map(Measure::Integrations));
    all.extend(FRESHNESS.map(Measure::AdAccounts));
    all
}

/// What tells what happened. Costs are looked at by the day.
#[must_use]
pub fn of_a_time(back: LookBack) -> Vec<Measure> {
    let mut all = vec![Measure::LeadSeconds("p50"), Measure::LeadSeconds("p95"), Measure::MetaUsage];
    all.extend(SOURCES.map(Measure::LeadsStored));
    all.extend(FailureCode::iter().map(Measure::LeadsParked));
    all.extend(BLOCKED.map(Measure::MetaBlocks));
    all.extend(ENDED.iter().flat_map(|(name, outcomes)| outcomes.iter().map(|outcome| Measure::Ended(name, outcome))));
    all.extend(QUEUES.map(Measure::OldestMessage));
    for function in FUNCTIONS {
        all.extend([Measure::FunctionErrors(function.name), Measure::FunctionThrottles(function.name)]);
    }
    if back == LookBack::Day {
        for function in FUNCTIONS {
            all.extend([Measure::FunctionRuns(function.name), Measure::FunctionMilliseconds(function.name)]);
        }
        let tables = [BilledTable::Sessions, BilledTable::Main].into_iter().chain(INDEXES.map(BilledTable::Index));
        all.extend(tables.flat_map(|table| [Measure::WriteUnits(table), Measure::ReadUnits(table)]));
    }
    all
}

impl Measure {
    /// The question whose answer is this figure, in buckets of this length.
    #[must_use]
    pub fn query(self, stack: &MonitoredStack, bucket: SignedDuration, whole: SignedDuration) -> MetricQuery {
        let own = |name, dimension: Option<(&'static str, &'static str)>| {
            let dimensions = dimension.into_iter().map(|(name, value)| (name, value.to_owned())).collect();
            (stack.name.clone(), name, dimensions)
        };
        let of_queue = |name, queue: String| ("AWS/SQS".to_owned(), name, vec![("QueueName", queue)]);
        let of_function = |name, function: &str| {
            ("AWS/Lambda".to_owned(), name, vec![("FunctionName", format!("{}-{function}", stack.name))])
        };
        let of_table = |name, table: BilledTable| {
            let table_name = |table: &String| ("TableName", table.clone());
            let dimensions = match table {
                BilledTable::Sessions => vec![table_name(&stack.sessions)],
                BilledTable::Main => vec![table_name(&stack.table)],
                BilledTable::Index(index) => {
                    vec![table_name(&stack.table), ("GlobalSecondaryIndexName", index.to_owned())]
                }
            };
            ("AWS/DynamoDB".to_owned(), name, dimensions)
        };
        let (namespace, name, dimensions) = match self {
            Self::LeadsStored(source) => own("leads-stored", Some(("source", source.into()))),
            Self::LeadSeconds(_) => own("lead-seconds", None),
            Self::LeadsParked(reason) => own("leads-parked-by", Some(("reason", reason.into()))),
            Self::MetaUsage => own("meta-usage", None),
            Self::MetaBlocks(of) => own("meta-blocks", Some(("of", of))),
            Self::Integrations(state) => own("integrations", Some(("state", state))),
            Self::AdAccounts(freshness) => own("ad-accounts", Some(("freshness", freshness))),
            Self::Ended(name, outcome) => own(name, Some(("outcome", outcome))),
            Self::OldestMessage(queue) => of_queue("ApproximateAgeOfOldestMessage", format!("{}-{queue}", stack.name)),
            Self::DeadLetters(queue) => {
                of_queue("ApproximateNumberOfMessagesVisible", format!("{}-{queue}-dead-letters", stack.name))
            }
            Self::FunctionErrors(function) => of_function("Errors", function),
            Self::FunctionThrottles(function) => of_function("Throttles", function),
            Self::FunctionRuns(function) => of_function("Invocations", function),
            Self::FunctionMilliseconds(function) => of_function("Duration", function),
            Self::WriteUnits(table) => of_table("ConsumedWriteCapacityUnits", table),
            Self::ReadUnits(table) => of_table("ConsumedReadCapacityUnits", table),
        };
        let (statistic, period) = match self {
            // Percentiles of parts do not add up to one of the whole.
            Self::LeadSeconds(percentile) => (percentile, whole),
            Self::MetaUsage
            | Self::Integrations(_)
            | Self::AdAccounts(_)
            | Self::OldestMessage(_)
            | Self::DeadLetters(_) => ("Maximum", bucket),
            _ => ("Sum", bucket),
        };
        MetricQuery { namespace, name, dimensions, statistic, period }
    }
}

/// What CloudWatch answered.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct MetricAnswers(Vec<(Measure, MetricSeries)>);

impl MetricAnswers {
    /// The answers to these questions, in the same order.
    #[must_use]
    pub fn new(measures: Vec<Measure>, answers: Vec<MetricSeries>) -> Self {
        Self(measures.into_iter().zip(answers).collect())
    }

    /// The values of a figure; none if it was not asked for.
    #[must_use]
    pub fn series(&self, measure: Measure) -> MetricSeries {
        let found = self.0.iter().find(|(known, _)| *known == measure);
        found.map(|(_, series)| series.clone()).unwrap_or_default()
    }

    /// Whether there is a value of any metric.
    #[must_use]
    pub fn has_any(&self) -> bool {
        self.0.iter().any(|(_, series)| !series.0.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn stack() -> MonitoredStack {
        MonitoredStack { name: "acme".into(), table: "acme-Table-1".into(), sessions: "acme-Sessions-2".into() }
    }

    fn query(measure: Measure) -> MetricQuery {
        measure.query(&stack(), SignedDuration::from_mins(1), SignedDuration::from_hours(1))
    }

    #[test]
    fn questions_name_what_the_functions_and_aws_write() {
        for (measure, expect) in [
            (Measure::LeadsStored(FoundBy::Webhook), "acme leads-stored source=webhook Sum 60"),
            (Measure::LeadSeconds("p95"), "acme lead-seconds  p95 3600"),
            (Measure::LeadsParked(FailureCode::TokenDead), "acme leads-parked-by reason=token_dead Sum 60"),
            (Measure::MetaUsage, "acme meta-usage  Maximum 60"),
            (Measure::MetaBlocks("ad-account"), "acme meta-blocks of=ad-account Sum 60"),
            (Measure::Integrations("warning"), "acme integrations state=warning Maximum 60"),
            (Measure::AdAccounts("stale"), "acme ad-accounts freshness=stale Maximum 60"),
            (Measure::Ended("posts", "failed"), "acme posts outcome=failed Sum 60"),
            (
                Measure::OldestMessage("lead-worker"),
                "AWS/SQS ApproximateAgeOfOldestMessage QueueName=acme-lead-worker Maximum 60",
            ),
            (
                Measure::DeadLetters("lead-sweep"),
                "AWS/SQS ApproximateNumberOfMessagesVisible QueueName=acme-lead-sweep-dead-letters Maximum 60",
            ),
            (Measure::FunctionErrors("api"), "AWS/Lambda Errors FunctionName=acme-api Sum 60"),
            (
                Measure::WriteUnits(BilledTable::Index("gsi1")),
                "AWS/DynamoDB ConsumedWriteCapacityUnits TableName=acme-Table-1,GlobalSecondaryIndexName=gsi1 Sum 60",
            ),
        ] {
            let MetricQuery { namespace, name, dimensions, statistic, period } = query(measure);
            let dimensions: Vec<String> = dimensions.iter().map(|(name, value)| format!("{name}={value}")).collect();
            let shown = format!("{namespace} {name} {} {statistic} {}", dimensions.join(","), period.as_secs());
            assert_eq!(shown, expect);
        }
    }

    /// A look costs 0.01 USD for a thousand metrics.
    #[test]
    fn a_look_costs_a_fraction_of_a_cent_and_asks_nothing_twice() {
        let moment = of_the_moment();
        for (back, most) in [(LookBack::Hour, 160), (LookBack::Day, 210), (LookBack::Week, 160)] {
            let time = of_a_time(back);
            assert!(moment.len() + time.len() <= most, "{back:?}: {} metrics", moment.len() + time.len());
            for measures in [&moment, &time] {
                let questions: BTreeSet<String> =
                    measures.iter().map(|measure| format!("{:?}", query(*measure))).collect();
                assert_eq!(questions.len(), measures.len(), "{back:?}");
            }
        }
    }
}
