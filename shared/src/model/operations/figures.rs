//! The figures of the page of operations, from what CloudWatch answered.

use jiff::{SignedDuration, Timestamp};
use strum::IntoEnumIterator;

use super::cost::DayCost;
use super::measure::{BLOCKED, ENDED, FRESHNESS, INTEGRATION_STATES, Measure, MetricAnswers, SOURCES};
use super::series::{MetricSeries, MetricWindow, whole};
use super::stack::{FUNCTIONS, QUEUES, dead_letters};
use crate::model::failure::FailureCode;
use crate::model::lead::FoundBy;

/// The stretch of time in which a moment is looked for: gauges are written every quarter of an hour.
pub const MOMENT_LENGTH: SignedDuration = SignedDuration::from_hours(1);
/// The buckets of a moment.
pub const MOMENT_BUCKET: SignedDuration = SignedDuration::from_mins(5);
/// What is older than this is not "now".
const NOW_IS: SignedDuration = SignedDuration::from_mins(15);

/// How the system stands at the moment.
#[derive(Debug, Clone, PartialEq)]
pub struct SystemMoment {
    /// Whether the planner was called within the last quarter of an hour, as it is every minute.
    pub is_running: bool,
    /// Leads that the webhook brought in the last hour. `None` if nothing of the system is known.
    pub by_webhook: Option<u64>,
    /// Leads that the sweep found in the last hour.
    pub by_sweep: Option<u64>,
    /// Each queue.
    pub queues: Vec<QueueMoment>,
    /// Integrations by state.
    pub integrations: Option<Gauge>,
    /// Ad accounts by the age of their figures.
    pub ad_accounts: Option<Gauge>,
}

/// A queue at the moment.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct QueueMoment {
    /// Its name behind the stack's.
    pub name: &'static str,
    /// How long its oldest message has waited, in seconds. SQS writes nothing of a queue that is not used for hours.
    pub oldest_s: Option<f64>,
    /// Its dead letters, if it has a queue of its own for them.
    pub dead_letters: Option<u64>,
    /// Whether it has one.
    pub has_dead_letters: bool,
}

/// How many there are of each kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gauge {
    /// When it was measured.
    pub at: Timestamp,
    /// The kinds with their numbers, the best kind first.
    pub numbers: Vec<(&'static str, u64)>,
}

/// What happened in a stretch of time. A number is `None` if nothing of the system is known for that time; while
/// something is known, what was not counted did not happen.
#[derive(Debug, Clone, PartialEq)]
pub struct FlowFigures {
    /// Leads by bucket.
    pub bars: Vec<LeadBar>,
    /// Leads by what found them.
    pub sources: Vec<(FoundBy, Option<u64>)>,
    /// All leads.
    pub leads: Option<u64>,
    /// The median of the seconds from submission to publication; `None` without leads that it is known of.
    pub p50_s: Option<f64>,
    /// Their 95th percentile. CloudWatch may cut the time in two: then it is the slower part's.
    pub p95_s: Option<f64>,
    /// Of the leads that came by themselves, the share in percent that the webhook missed; `None` without such leads.
    pub swept_percent: Option<u64>,
    /// Leads that were parked, by reason, the most frequent first, without those of which there are none.
    pub parked: Option<Vec<(FailureCode, u64)>>,
    /// The highest share of one of Meta's limits that was used, in percent. `None` if it was below 50, or is not known.
    pub meta_usage_percent: Option<u64>,
    /// Pauses that Meta asked for, by what they are of.
    pub blocks: Vec<(&'static str, Option<u64>)>,
    /// What came to an end.
    pub ended: Vec<EndedFigures>,
    /// The longest that a message of each queue has waited, in seconds.
    pub longest_waits: Vec<(&'static str, Option<f64>)>,
    /// The functions of which something is known.
    pub functions: Vec<FunctionFigures>,
    /// What the day has cost, of a look back at a day.
    pub cost: Option<DayCost>,
}

/// The leads of a bucket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeadBar {
    /// The first instant of the bucket.
    pub start: Timestamp,
    /// Leads by what found them, without those of which there are none.
    pub sources: Vec<(FoundBy, u64)>,
}

/// What came to an end, by outcome.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndedFigures {
    /// The metric.
    pub name: &'static str,
    /// Its outcomes, the one that was wanted first.
    pub outcomes: Vec<(&'static str, Option<u64>)>,
    /// The share of what was wanted, in percent; `None` if nothing ended.
    pub share_percent: Option<u64>,
}

/// What went wrong with a function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FunctionFigures {
    /// Its name behind the stack's.
    pub name: &'static str,
    /// Calls that failed.
    pub errors: u64,
    /// Calls that Lambda refused.
    pub throttles: u64,
}

impl LeadBar {
    /// All leads of the bucket.
    #[must_use]
    pub fn leads(&self) -> u64 {
        self.sources.iter().map(|(_, leads)| leads).sum()
    }
}

impl SystemMoment {
    /// Reads the answers to the questions of a moment.
    #[must_use]
    pub fn new(answers: &MetricAnswers, now: Timestamp) -> Self {
        let is_now = |at: &Timestamp| now.duration_since(*at) < NOW_IS + MOMENT_BUCKET;
        let current = |measure| answers.series(measure).newest().filter(|(at, _)| is_now(at)).map(|(_, value)| value);
        let counted = EventCounts::new(answers);
        let queue = |name: &'static str| QueueMoment {
            name,
            oldest_s: current(Measure::OldestMessage(name)),
            dead_letters: current(Measure::DeadLetters(name)).map(whole),
            has_dead_letters: dead_letters().any(|queue| queue == name),
        };
        Self {
            is_running: current(Measure::FunctionRuns("planner")).is_some_and(|runs| runs > 0.0),
            by_webhook: counted.number(Measure::LeadsStored(FoundBy::Webhook)),
            by_sweep: counted.number(Measure::LeadsStored(FoundBy::Sweep)),
            queues: QUEUES.map(queue).into(),
            integrations: gauge(&INTEGRATION_STATES.map(|state| (state, answers.series(Measure::Integrations(state))))),
            ad_accounts: gauge(&FRESHNESS.map(|freshness| (freshness, answers.series(Measure::AdAccounts(freshness))))),
        }
    }

    /// The queue of this name.
    #[must_use]
    pub fn queue(&self, name: &str) -> Option<&QueueMoment> {
        self.queues.iter().find(|queue| queue.name == name)
    }
}

/// The numbers that were measured together last. All kinds are written at once, but the two sides of an instant may lie
/// in two buckets.
fn gauge(kinds: &[(&'static str, MetricSeries)]) -> Option<Gauge> {
    let at = kinds.iter().filter_map(|(_, series)| series.newest()).map(|(at, _)| at).max()?;
    let number = |series: &MetricSeries| {
        let newest = series.newest().filter(|(measured, _)| at.duration_since(*measured) <= MOMENT_BUCKET);
        newest.map_or(0, |(_, value)| whole(value))
    };
    Some(Gauge { at, numbers: kinds.iter().map(|(kind, series)| (*kind, number(series))).collect() })
}

/// Counts of what is written only when it happens.
struct EventCounts<'a> {
    answers: &'a MetricAnswers,
    is_known: bool,
}

impl<'a> EventCounts<'a> {
    fn new(answers: &'a MetricAnswers) -> Self {
        Self { answers, is_known: answers.has_any() }
    }

    /// How often it happened.
    fn number(&self, measure: Measure) -> Option<u64> {
        let counted = self.answers.series(measure).sum().map(whole);
        counted.or(self.is_known.then_some(0))
    }
}

impl FlowFigures {
    /// Reads the answers to the questions of a stretch of time.
    #[must_use]
    pub fn new(answers: &MetricAnswers, window: MetricWindow) -> Self {
        let counted = EventCounts::new(answers);
        let sources = SOURCES.map(|source| (source, counted.number(Measure::LeadsStored(source))));
        let of = |source: FoundBy| counted.number(Measure::LeadsStored(source)).unwrap_or_default();
        let (by_webhook, by_sweep) = (of(FoundBy::Webhook), of(FoundBy::Sweep));
        let highest = |measure| answers.series(measure).highest();
        Self {
            bars: if counted.is_known { bars(answers, window) } else { Vec::new() },
            leads: sources.iter().map(|(_, leads)| *leads).sum(),
            sources: sources.into(),
            p50_s: highest(Measure::LeadSeconds("p50")),
            p95_s: highest(Measure::LeadSeconds("p95")),
            swept_percent: percent(by_sweep, by_webhook + by_sweep),
            parked: counted.is_known.then(|| parked(&counted)),
            meta_usage_percent: highest(Measure::MetaUsage).map(whole),
            blocks: BLOCKED.map(|of| (of, counted.number(Measure::MetaBlocks(of)))).into(),
            ended: ENDED.iter().map(|(name, outcomes)| ended(&counted, name, outcomes)).collect(),
            longest_waits: QUEUES.map(|queue| (queue, highest(Measure::OldestMessage(queue)))).into(),
            functions: FUNCTIONS.iter().filter_map(|function| of_function(answers, function.name)).collect(),
            cost: DayCost::estimate(answers),
        }
    }
}

fn bars(answers: &MetricAnswers, window: MetricWindow) -> Vec<LeadBar> {
    let series = SOURCES.map(|source| (source, answers.series(Measure::LeadsStored(source))));
    let bar = |start: Timestamp| {
        let leads = series.iter().map(|(source, series)| (*source, whole(series.sum_in(start, window.bucket))));
        LeadBar { start, sources: leads.filter(|(_, leads)| *leads > 0).collect() }
    };
    window.buckets().map(bar).collect()
}

fn parked(counted: &EventCounts<'_>) -> Vec<(FailureCode, u64)> {
    let by_reason = FailureCode::iter().map(|reason| (reason, counted.number(Measure::LeadsParked(reason))));
    let mut parked: Vec<(FailureCode, u64)> =
        by_reason.filter_map(|(reason, leads)| Some((reason, leads.filter(|leads| *leads > 0)?))).collect();
    parked.sort_by_key(|(_, leads)| std::cmp::Reverse(*leads));
    parked
}

fn ended(counted: &EventCounts<'_>, name: &'static str, outcomes: &[&'static str]) -> EndedFigures {
    let outcomes: Vec<_> =
        outcomes.iter().map(|outcome| (*outcome, counted.number(Measure::Ended(name, outcome)))).collect();
    let all = outcomes.iter().filter_map(|(_, number)| *number).sum();
    let wanted = outcomes.first().and_then(|(_, number)| *number).unwrap_or_default();
    EndedFigures { name, share_percent: percent(wanted, all), outcomes }
}

/// Lambda writes both at each call, zeros too.
fn of_function(answers: &MetricAnswers, name: &'static str) -> Option<FunctionFigures> {
    let sum = |measure| answers.series(measure).sum().map(whole);
    let (errors, throttles) = (sum(Measure::FunctionErrors(name)), sum(Measure::FunctionThrottles(name)));
    (errors.is_some() || throttles.is_some()).then(|| FunctionFigures {
        name,
        errors: errors.unwrap_or_default(),
        throttles: throttles.unwrap_or_default(),
    })
}

/// A share in whole percent. What is not all is never 100, and what is not nothing never 0.
fn percent(part: u64, all: u64) -> Option<u64> {
    let share = (part.saturating_mul(100) + all / 2).checked_div(all)?;
    Some(match share {
        100 if part < all => 99,
        0 if part > 0 => 1,
        share => share,
    })
}

#[cfg(test)]
mod tests {
    use super::super::series::LookBack;
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn answers(values: &[(Measure, &[(&str, f64)])]) -> MetricAnswers {
        let series = |points: &[(&str, f64)]| MetricSeries(points.iter().map(|(time, it)| (at(time), *it)).collect());
        MetricAnswers::new(
            values.iter().map(|(measure, _)| *measure).collect(),
            values.iter().map(|(_, points)| series(points)).collect(),
        )
    }

    const NOW: &str = "2026-11-30T03:07:42Z";

    #[test]
    fn leads_are_added_up_by_source_and_by_bucket() {
        let figures = FlowFigures::new(
            &answers(&[
                (
                    Measure::LeadsStored(FoundBy::Webhook),
                    &[("2026-11-30T03:07:00Z", 4.0), ("2026-11-30T03:05:00Z", 5.0)],
                ),
                (Measure::LeadsStored(FoundBy::Sweep), &[("2026-11-30T03:05:00Z", 1.0)]),
                (Measure::LeadSeconds("p50"), &[("2026-11-30T02:08:00Z", 1.4)]),
                (Measure::LeadSeconds("p95"), &[("2026-11-30T02:00:00Z", 3.0), ("2026-11-30T03:00:00Z", 9.5)]),
                (Measure::LeadsParked(FailureCode::NotVisible), &[("2026-11-30T03:05:00Z", 1.0)]),
                (Measure::LeadsParked(FailureCode::TokenDead), &[("2026-11-30T03:05:00Z", 2.0)]),
                (Measure::MetaUsage, &[("2026-11-30T03:01:00Z", 61.0), ("2026-11-30T03:05:00Z", 87.6)]),
                (Measure::Ended("conversions", "sent"), &[("2026-11-30T03:05:00Z", 199.0)]),
                (Measure::Ended("conversions", "refused"), &[("2026-11-30T03:05:00Z", 1.0)]),
                (Measure::FunctionErrors("webhook"), &[("2026-11-30T03:05:00Z", 0.0)]),
                (Measure::FunctionThrottles("webhook"), &[("2026-11-30T03:05:00Z", 3.0)]),
                (Measure::OldestMessage("lead-worker"), &[("2026-11-30T03:05:00Z", 90.0)]),
            ]),
            LookBack::Hour.window(at(NOW)),
        );
        assert_eq!(figures.leads, Some(10));
        let sources: Vec<_> = figures.sources.iter().map(|(_, leads)| leads.unwrap()).collect();
        assert_eq!(sources, [9, 1, 0, 0, 0]);
        let filled: Vec<_> = figures.bars.iter().filter(|bar| bar.leads() > 0).cloned().collect();
        let bar = |start: &str, sources: &[(FoundBy, u64)]| LeadBar { start: at(start), sources: sources.into() };
        let expected = [
            bar("2026-11-30T03:05:00Z", &[(FoundBy::Webhook, 5), (FoundBy::Sweep, 1)]),
            bar("2026-11-30T03:07:00Z", &[(FoundBy::Webhook, 4)]),
        ];
        assert_eq!((figures.bars.len(), filled), (60, expected.into()));
        assert_eq!((figures.p50_s, figures.p95_s), (Some(1.4), Some(9.5)), "the slower of two parts");
        assert_eq!(figures.swept_percent, Some(10));
        assert_eq!(figures.parked, Some(vec![(FailureCode::TokenDead, 2), (FailureCode::NotVisible, 1)]));
        assert_eq!(figures.meta_usage_percent, Some(88));
        assert_eq!(figures.blocks, [("page", Some(0)), ("ad-account", Some(0))]);
        let conversions = figures.ended.iter().find(|it| it.name == "conversions").unwrap();
        assert_eq!(conversions.outcomes, [("sent", Some(199)), ("skipped", Some(0)), ("refused", Some(1))]);
        assert_eq!(conversions.share_percent, Some(99), "not all");
        assert_eq!(figures.functions, [FunctionFigures { name: "webhook", errors: 0, throttles: 3 }]);
        assert_eq!(figures.longest_waits.iter().filter(|(_, wait)| wait.is_some()).count(), 1);
    }

    #[test]
    fn of_silence_nothing_is_known() {
        let figures = FlowFigures::new(&MetricAnswers::default(), LookBack::Hour.window(at(NOW)));
        assert_eq!((figures.leads, figures.swept_percent, &figures.parked), (None, None, &None));
        assert!(figures.bars.is_empty() && figures.functions.is_empty());
        assert!(figures.sources.iter().all(|(_, leads)| leads.is_none()));
        assert!(figures.ended.iter().all(|it| it.share_percent.is_none() && it.outcomes[0].1.is_none()));
        let moment = SystemMoment::new(&MetricAnswers::default(), at(NOW));
        assert!(!moment.is_running && moment.by_webhook.is_none() && moment.integrations.is_none());
        assert!(moment.queues.iter().all(|queue| queue.oldest_s.is_none() && queue.dead_letters.is_none()));
    }

    #[test]
    fn the_moment_is_what_was_measured_last_and_not_long_ago() {
        let moment = SystemMoment::new(
            &answers(&[
                (Measure::FunctionRuns("planner"), &[("2026-11-30T03:05:00Z", 2.0)]),
                (
                    Measure::OldestMessage("lead-worker"),
                    &[("2026-11-30T02:40:00Z", 900.0), ("2026-11-30T03:05:00Z", 4.0)],
                ),
                (Measure::OldestMessage("ads-sync"), &[("2026-11-30T02:40:00Z", 900.0)]),
                (Measure::DeadLetters("lead-worker"), &[("2026-11-30T03:05:00Z", 2.0)]),
                (Measure::Integrations("ok"), &[("2026-11-30T02:45:00Z", 9.0), ("2026-11-30T02:55:00Z", 7.0)]),
                (Measure::Integrations("error"), &[("2026-11-30T03:00:00Z", 2.0)]),
                (Measure::Integrations("warning"), &[("2026-11-30T02:45:00Z", 1.0)]),
            ]),
            at(NOW),
        );
        assert!(moment.is_running);
        assert_eq!((moment.by_webhook, moment.by_sweep), (Some(0), Some(0)), "the system runs");
        let queue = moment.queue("lead-worker").unwrap();
        assert_eq!((queue.oldest_s, queue.dead_letters), (Some(4.0), Some(2)));
        assert_eq!(moment.queue("ads-sync").unwrap().oldest_s, None, "that was half an hour ago");
        assert!(!moment.queue("lead-search").unwrap().has_dead_letters);
        let numbers = vec![("ok", 7), ("notice", 0), ("warning", 0), ("error", 2)];
        assert_eq!(moment.integrations, Some(Gauge { at: at("2026-11-30T03:00:00Z"), numbers }));
        let later = SystemMoment::new(
            &answers(&[(Measure::FunctionRuns("planner"), &[("2026-11-30T02:40:00Z", 2.0)])]),
            at(NOW),
        );
        assert!(!later.is_running);
    }

    #[test]
    fn a_share_is_all_or_nothing_only_if_it_is() {
        for (part, all, expect) in [
            (0, 0, None),
            (0, 5, Some(0)),
            (5, 5, Some(100)),
            (1, 1000, Some(1)),
            (999, 1000, Some(99)),
            (1, 3, Some(33)),
            (2, 3, Some(67)),
        ] {
            assert_eq!(percent(part, all), expect, "{part} of {all}");
        }
    }
}
