//! What the product counts, as CloudWatch's embedded metric format: lines of the log that say of themselves what to count.
//!
//! CloudWatch Logs reads the metrics out of these lines, whatever the runtime and the log format. That takes no call and no
//! permission, and what a worker wrote stays counted if it dies. Each line is written at once, because Lambda keeps nothing
//! of a function that runs out of time.
//!
//! Lambda drops lines below the function's log level, and takes a line without level or time for INFO. So a line here has
//! the function's own level if that is above INFO: an operator who turns the logs down keeps the metrics. They are no events
//! of `tracing`, whose filter would drop them as well, and whose format has no place for `_aws`.
//!
//! Every value of every dimension is a metric that costs 0.30 USD a month (`cargo cost` adds them up). So a metric has one
//! dimension at most, and its type is an enum: no org, no id and no text made at run time can become one.

mod line;

use std::io::Write;
use std::sync::OnceLock;

use strum::{EnumCount, EnumIter, IntoEnumIterator, IntoStaticStr};

use crate::env;
use crate::model::ads::account::Freshness;
use crate::model::connection::lead_state::Severity;
use crate::model::failure::FailureCode;
use crate::model::lead::FoundBy;

/// A metric, with the value of its dimension.
#[derive(Debug, Clone, Copy, PartialEq, Eq, EnumCount)]
pub enum Metric {
    /// Submissions that were stored and published, by what found them. One that is published again counts again.
    LeadsStored(FoundBy),
    /// From the submission, by Meta's clock, to its publication; of leads that are found soon after it (`is_of_its_time`).
    LeadSeconds,
    /// Leads that were parked, by the reason.
    LeadsParkedBy(FailureCode),
    /// Use of the fullest of Meta's limits that a response reports, in percent; below 50 it is not written.
    MetaUsage,
    /// Pauses that Meta asked for.
    MetaBlocks(MetaBlock),
    /// Integrations by their state, as of now: all states are written together, zeros too.
    Integrations(Severity),
    /// Ad accounts by the age of their numbers, as of now: all are written together, zeros too.
    AdAccounts(Freshness),
    /// Posts that came to an end.
    Posts(PostOutcome),
    /// Answers of members that came to an end.
    Answers(AnswerOutcome),
    /// Stages of leads that were settled.
    Conversions(ConversionEnd),
    /// Tries of deliveries to the CRM's endpoints.
    Deliveries(DeliveryOutcome),
}

/// What Meta has us leave alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, EnumIter, IntoStaticStr)]
#[strum(serialize_all = "kebab-case")]
pub enum MetaBlock {
    /// A page.
    Page,
    /// An ad account, or all of them if the limit is the app's.
    AdAccount,
}

/// What became of a post.
#[derive(Debug, Clone, Copy, PartialEq, Eq, EnumIter, IntoStaticStr)]
#[strum(serialize_all = "kebab-case")]
pub enum PostOutcome {
    /// It is public.
    Published,
    /// It failed.
    Failed,
}

/// What became of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, EnumIter, IntoStaticStr)]
#[strum(serialize_all = "kebab-case")]
pub enum AnswerOutcome {
    /// Meta has it.
    Sent,
    /// It was not sent.
    Failed,
}

/// What became of a stage that a lead reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, EnumIter, IntoStaticStr)]
#[strum(serialize_all = "kebab-case")]
pub enum ConversionEnd {
    /// Meta took it.
    Sent,
    /// Meta refused it.
    Refused,
    /// It was not sent, for any other reason.
    Skipped,
}

/// What came of a try to deliver an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, EnumIter, IntoStaticStr)]
#[strum(serialize_all = "kebab-case")]
pub enum DeliveryOutcome {
    /// The endpoint took it.
    Delivered,
    /// The endpoint did not; it is tried again later.
    Retried,
    /// It is not tried again.
    Failed,
}

impl Metric {
    /// The name in CloudWatch. The template's tests read the names from here.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::LeadsStored(_) => "leads-stored",
            Self::LeadSeconds => "lead-seconds",
            Self::LeadsParkedBy(_) => "leads-parked-by",
            Self::MetaUsage => "meta-usage",
            Self::MetaBlocks(_) => "meta-blocks",
            Self::Integrations(_) => "integrations",
            Self::AdAccounts(_) => "ad-accounts",
            Self::Posts(_) => "posts",
            Self::Answers(_) => "answers",
            Self::Conversions(_) => "conversions",
            Self::Deliveries(_) => "deliveries",
        }
    }

    /// The unit, as CloudWatch calls it.
    #[must_use]
    pub fn unit(self) -> &'static str {
        match self {
            Self::LeadSeconds => "Seconds",
            Self::MetaUsage => "Percent",
            _ => "Count",
        }
    }

    /// The dimension: its name and this metric's value of it.
    #[must_use]
    pub fn dimension(self) -> Option<(&'static str, &'static str)> {
        match self {
            Self::LeadSeconds | Self::MetaUsage => None,
            Self::LeadsStored(source) => Some(("source", source.into())),
            Self::LeadsParkedBy(reason) => Some(("reason", reason.into())),
            Self::MetaBlocks(block) => Some(("of", block.into())),
            Self::Integrations(state) => Some(("state", state.into())),
            Self::AdAccounts(freshness) => Some(("freshness", freshness.into())),
            Self::Posts(outcome) => Some(("outcome", outcome.into())),
            Self::Answers(outcome) => Some(("outcome", outcome.into())),
            Self::Conversions(outcome) => Some(("outcome", outcome.into())),
            Self::Deliveries(outcome) => Some(("outcome", outcome.into())),
        }
    }

    /// Every metric with every value of its dimension: at most so many are billed.
    #[must_use]
    pub fn all() -> Vec<Self> {
        let mut all = vec![Self::LeadSeconds, Self::MetaUsage];
        all.extend(FoundBy::iter().map(Self::LeadsStored));
        all.extend(FailureCode::iter().map(Self::LeadsParkedBy));
        all.extend(MetaBlock::iter().map(Self::MetaBlocks));
        all.extend(Severity::iter().map(Self::Integrations));
        all.extend(Freshness::iter().map(Self::AdAccounts));
        all.extend(PostOutcome::iter().map(Self::Posts));
        all.extend(AnswerOutcome::iter().map(Self::Answers));
        all.extend(ConversionEnd::iter().map(Self::Conversions));
        all.extend(DeliveryOutcome::iter().map(Self::Deliveries));
        all
    }
}

/// Writes how often something happened; nothing if it did not.
pub fn count(metric: Metric, number: usize) {
    if number > 0 {
        write(&[(metric, vec![to_value(number)])]);
    }
}

/// Writes how often each of these metrics is among them.
pub fn tally(metrics: impl IntoIterator<Item = Metric>) {
    let mut counted: Vec<(Metric, usize)> = Vec::new();
    for metric in metrics {
        match counted.iter_mut().find(|(known, _)| *known == metric) {
            Some((_, number)) => *number += 1,
            None => counted.push((metric, 1)),
        }
    }
    counted.into_iter().for_each(|(metric, number)| count(metric, number));
}

/// Writes how many there are of each `kind` now, those of which there are none too: what is no longer written keeps its
/// last number in a graph.
pub fn gauge<K: Copy + PartialEq + IntoEnumIterator>(metric: impl Fn(K) -> Metric, all: &[K]) {
    for kind in K::iter() {
        write(&[(metric(kind), vec![to_value(all.iter().filter(|one| **one == kind).count())])]);
    }
}

/// Writes values of several metrics, in as few lines as the format allows. Writes nothing in a process without
/// `METRIC_NAMESPACE`: a test, or a program on a developer's machine.
pub fn write(values: &[(Metric, Vec<f64>)]) {
    #[cfg(test)]
    tests::keep(values);
    let Some(output) = output() else { return };
    for line in line::lines(&output.namespace, &output.level, crate::clock::now(), values) {
        (output.write)(&line);
    }
}

/// Has this process write its metrics by `write`, one line a call, and not to its standard output. For programs that
/// measure the product. Without effect once a metric was written.
pub fn write_by(namespace: &str, write: fn(&str)) {
    let _ = OUTPUT.set(Some(Output { namespace: namespace.to_owned(), level: LEVEL.to_owned(), write }));
}

/// Where this process writes its metrics.
struct Output {
    namespace: String,
    level: String,
    write: fn(&str),
}

static OUTPUT: OnceLock<Option<Output>> = OnceLock::new();

/// The level of a line, unless the function's is higher.
const LEVEL: &str = "INFO";

fn output() -> Option<&'static Output> {
    let from_environment = || {
        let namespace = env::metric_namespace()?;
        Some(Output { namespace, level: line_level(&env::log_level()), write: write_to_stdout })
    };
    OUTPUT.get_or_init(from_environment).as_ref()
}

/// The level with which Lambda passes a line on whose function has this level.
fn line_level(of_function: &str) -> String {
    let is_higher = ["warn", "error", "fatal"].contains(&of_function);
    if is_higher { of_function.to_uppercase() } else { LEVEL.to_owned() }
}

/// In one call, so that no other line comes in between. A log that cannot be written is no reason to stop.
fn write_to_stdout(line: &str) {
    let _ = std::io::stdout().lock().write_all(format!("{line}\n").as_bytes());
}

/// A count as a value.
#[expect(clippy::cast_precision_loss, reason = "nothing is counted to 2^52")]
pub(crate) fn to_value(number: usize) -> f64 {
    number as f64
}

#[cfg(test)]
pub(crate) mod tests {
    use std::cell::RefCell;
    use std::collections::BTreeSet;

    use super::*;

    thread_local! {
        static WRITTEN: RefCell<Vec<(Metric, Vec<f64>)>> = const { RefCell::new(Vec::new()) };
    }

    pub(super) fn keep(values: &[(Metric, Vec<f64>)]) {
        WRITTEN.with_borrow_mut(|written| written.extend_from_slice(values));
    }

    /// The metrics that this test has written since the last call. A test has a thread of its own, and so have its tasks.
    pub(crate) fn take_written() -> Vec<(Metric, Vec<f64>)> {
        WRITTEN.with_borrow_mut(std::mem::take)
    }

    /// Like [`take_written`], of counts only: the sum of each metric.
    pub(crate) fn take_counts() -> Vec<(Metric, f64)> {
        let mut counts: Vec<(Metric, f64)> = Vec::new();
        for (metric, values) in take_written() {
            let sum: f64 = values.iter().sum();
            match counts.iter_mut().find(|(known, _)| *known == metric) {
                Some((_, total)) => *total += sum,
                None => counts.push((metric, sum)),
            }
        }
        counts
    }

    /// A value that the dashboard does not name is not seen.
    #[test]
    fn every_metric_is_on_the_dashboard_with_every_value_of_its_dimension() {
        let template = include_str!("../../infra/template.yaml");
        for metric in Metric::all() {
            let name = metric.name();
            let line = match metric.dimension() {
                Some((dimension, value)) => format!(r#""{name}", "{dimension}", "{value}""#),
                None => format!(r#"["${{AWS::StackName}}", "{name}""#),
            };
            let search = metric.dimension().map(|(dimension, _)| format!(r#",{dimension}}} MetricName=\"{name}\""#));
            assert!(template.contains(&line) || search.is_some_and(|search| template.contains(&search)), "{metric:?}");
        }
    }

    /// Lambda would drop them.
    #[test]
    fn no_line_is_below_the_level_of_its_function() {
        let levels = ["trace", "debug", "info", "warn", "error", "fatal", "nonsense"].map(line_level);
        assert_eq!(levels, ["INFO", "INFO", "INFO", "WARN", "ERROR", "FATAL", "INFO"]);
    }

    #[test]
    fn every_metric_and_every_value_of_its_dimension_is_known() {
        let all = Metric::all();
        let names: BTreeSet<&str> = all.iter().map(|metric| metric.name()).collect();
        assert_eq!(names.len(), Metric::COUNT);
        for (position, metric) in all.iter().enumerate() {
            assert!(!all[..position].contains(metric), "{metric:?} is there twice");
            let values = metric.dimension().map_or(1, |(_, value)| value.len());
            assert!(values > 0, "{metric:?}");
        }
        let of_source: Vec<&str> =
            all.iter().filter_map(|metric| metric.dimension()).filter(|it| it.0 == "source").map(|it| it.1).collect();
        assert_eq!(of_source, ["webhook", "sweep", "sync", "import", "backfill"]);
    }

    #[test]
    fn counts_are_added_up_and_gauges_have_their_zeros() {
        take_written();
        tally([PostOutcome::Failed, PostOutcome::Published, PostOutcome::Failed].map(Metric::Posts));
        count(Metric::MetaBlocks(MetaBlock::Page), 0);
        let counted =
            vec![(Metric::Posts(PostOutcome::Failed), vec![2.0]), (Metric::Posts(PostOutcome::Published), vec![1.0])];
        assert_eq!(take_written(), counted);
        gauge(Metric::AdAccounts, &[Freshness::Late, Freshness::Late]);
        let counts: Vec<f64> = take_written().into_iter().flat_map(|(_, values)| values).collect();
        assert_eq!(counts, [0.0, 2.0, 0.0, 0.0]);
    }
}
