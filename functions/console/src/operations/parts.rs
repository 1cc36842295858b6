//! The figures of the page, part by part.

use std::borrow::Cow;

use leadwire::model::failure::FailureCode;
use leadwire::model::lead::FoundBy;
use leadwire::model::operations::figures::{
    EndedFigures, FlowFigures, FunctionFigures, Gauge, LeadBar, QueueMoment, SystemMoment,
};
use leadwire::model::operations::series::LookBack;
use leadwire::tr;
use maud::{Markup, html};

use super::{Look, words};
use crate::chart::{Chart, ClockTime};
use crate::components::{Tone, badge, count, duration, money, number_cell, percent, time, with_markup};

/// What is shown of what is not known.
const UNKNOWN: &str = "–";

fn number(number: Option<u64>) -> String {
    number.map_or_else(|| UNKNOWN.to_owned(), count)
}

fn share(share: Option<u64>) -> String {
    share.map_or_else(|| UNKNOWN.to_owned(), |share| percent(&share.to_string()))
}

fn seconds(value: Option<f64>) -> String {
    value.map_or_else(|| UNKNOWN.to_owned(), duration)
}

impl Look<'_> {
    /// The leads: how many, how fast, from where.
    pub(super) fn leads(&self, flow: &FlowFigures) -> Markup {
        let parked = flow.parked.as_ref().map(|reasons| reasons.iter().map(|(_, leads)| leads).sum());
        html! {
            section {
                h2 { (tr!("Leads")) }
                div.figures {
                    div { span { (words::range(self.back)) } b { (number(flow.leads)) } }
                    div { span { (tr!("Median, from submission")) } b { (seconds(flow.p50_s)) } }
                    div { span { (tr!("95% within")) } b { (seconds(flow.p95_s)) } }
                    div { span { (tr!("Missed by the webhook")) } b { (share(flow.swept_percent)) } span { (tr!("found by the sweep")) } }
                    div { span { (tr!("Parked")) } b { (number(parked)) } }
                }
                @if !flow.bars.is_empty() {
                    div.columns { (self.chart(flow)) (sources(&flow.sources)) }
                }
            }
        }
    }

    fn chart(&self, flow: &FlowFigures) -> Markup {
        let of_days = self.back == LookBack::Week;
        let at = |bar: &LeadBar| ClockTime { at: self.zone.local(bar.start), of_days };
        #[expect(clippy::cast_precision_loss, reason = "heights of bars")]
        let bar = |bar: &LeadBar| (at(bar), Some((bar.leads() as f64, bar_text(bar))));
        Chart {
            title: &words::chart_title(self.back),
            total: number(flow.leads),
            bars: flow.bars.iter().map(bar).collect(),
            unfinished_since: flow.bars.last().map(at),
        }
        .draw()
    }

    pub(super) fn cost(&self, flow: &FlowFigures) -> Markup {
        html! {
            @match (flow.cost, self.back) {
                (Some(cost), _) => {
                    div.figures {
                        div { span { (tr!("Functions")) } b { (dollars(cost.lambda)) } }
                        div { span { (tr!("Tables")) } b { (dollars(cost.dynamodb)) } }
                        div { span { (tr!("Both, in 24 hours")) } b { (dollars(cost.lambda + cost.dynamodb)) } }
                    }
                    p.quiet { (tr!("An estimate by the list prices of us-east-1 for arm64, without free tier. The HTTP API, queues, events, secrets, logs and CloudWatch come on top.")) }
                },
                (None, LookBack::Day) => p.quiet { (tr!("The cost is not known: CloudWatch has counted too little of it.")) },
                (None, _) => p { (with_markup(&tr!("The cost is counted for {range}."), &[("range", html! { a href=(super::path("", LookBack::Day)) { (tr!("24 hours")) } })])) },
            }
        }
    }
}

/// An amount with cents, or with more where there are few.
fn dollars(amount: f64) -> String {
    let text = if amount < 0.1 { format!("{amount:.4}") } else { format!("{amount:.2}") };
    money(&text, "USD")
}

/// How near Meta's limits the system is.
pub(super) fn meta(flow: &FlowFigures) -> Markup {
    let blocks: Option<u64> = flow.blocks.iter().map(|(_, blocks)| *blocks).sum();
    html! {
        div.figures {
            div { span { (tr!("Fullest limit at Meta")) } b { (share(flow.meta_usage_percent)) } span { (tr!("known from 50% on")) } }
            div { span { (tr!("Blocks by Meta")) } b { (number(blocks)) } @if blocks.is_some_and(|blocks| blocks > 0) { span { (words::blocks(&flow.blocks)) } } }
        }
    }
}

/// The leads of a bar, and of what sources if there are any.
fn bar_text(bar: &LeadBar) -> String {
    let of_sources: Vec<String> =
        bar.sources.iter().map(|(source, leads)| format!("{} {}", words::source(*source), count(*leads))).collect();
    match of_sources.as_slice() {
        [] => count(bar.leads()),
        sources => format!("{} ({})", count(bar.leads()), sources.join(", ")),
    }
}

fn sources(sources: &[(FoundBy, Option<u64>)]) -> Markup {
    html! {
        div.card.flush {
            table {
                thead { tr { th { (tr!("Found by")) } th.number { (tr!("Leads")) } } }
                tbody {
                    @for (source, leads) in sources {
                        tr { td data-label=(tr!("Found by")) { (words::source(*source)) } (number_cell(&tr!("Leads"), &number(*leads))) }
                    }
                }
            }
        }
    }
}

/// How long messages wait, and what no try could settle. Queues of which nothing is known are one line.
pub(super) fn queues(moment: Option<&SystemMoment>, flow: Option<&FlowFigures>) -> Markup {
    let names: Vec<&str> = match (moment, flow) {
        (Some(moment), _) => moment.queues.iter().map(|queue| queue.name).collect(),
        (None, Some(flow)) => flow.longest_waits.iter().map(|(name, _)| *name).collect(),
        (None, None) => Vec::new(),
    };
    let of_moment = |name: &str| moment.and_then(|moment| moment.queue(name));
    let longest = |name: &str| {
        flow.and_then(|flow| flow.longest_waits.iter().find(|(queue, _)| *queue == name)).and_then(|(_, wait)| *wait)
    };
    let is_known = |name: &&&str| {
        let of_moment = of_moment(name);
        longest(name).is_some() || of_moment.is_some_and(|it| it.oldest_s.is_some() || it.dead_letters.is_some())
    };
    let known: Vec<&str> = names.iter().filter(is_known).copied().collect();
    html! {
        @if !known.is_empty() {
            div.card.flush {
                table {
                    thead { tr { th { (tr!("Queue")) } th.number { (tr!("Oldest message now")) } th.number { (tr!("Longest wait")) } th.number { (tr!("Dead letters now")) } } }
                    tbody {
                        @for name in &known {
                            tr {
                                td data-label=(tr!("Queue")) { code { (name) } }
                                (number_cell(&tr!("Oldest message now"), &seconds(of_moment(name).and_then(|queue| queue.oldest_s))))
                                (number_cell(&tr!("Longest wait"), &seconds(longest(name))))
                                (dead_letters(of_moment(name)))
                            }
                        }
                    }
                }
            }
        }
        @let others = names.len() - known.len();
        @if others > 0 { p.quiet { (tr!([others] "{n} queue has no figures: SQS writes none of a queue that was not used for hours." | "{n} queues have no figures: SQS writes none of a queue that was not used for hours.")) } }
    }
}

fn dead_letters(queue: Option<&QueueMoment>) -> Markup {
    let (has_some, letters) = (queue.is_none_or(|queue| queue.has_dead_letters), queue.and_then(|it| it.dead_letters));
    let label = tr!("Dead letters now");
    match letters {
        Some(letters) if letters > 0 => {
            html! { td.number data-label=(label) { (badge(Tone::Bad, &count(letters))) } }
        }
        _ if !has_some => html! { td.number data-label=(label) { span.quiet { (tr!("with the sweep's")) } } },
        letters => number_cell(&label, &number(letters)),
    }
}

/// How many there are of each kind.
pub(super) fn gauge(gauge: Option<&Gauge>, name: fn(&str) -> Cow<'static, str>) -> Markup {
    let Some(gauge) = gauge else {
        return html! { p.quiet { (tr!("Nothing was counted in the last hour.")) } };
    };
    html! {
        div.figures {
            @for (kind, number) in &gauge.numbers { div { span { (name(kind)) } b { (count(*number)) } } }
        }
        p.quiet { (with_markup(&tr!("Counted at {time}."), &[("time", time(gauge.at))])) }
    }
}

pub(super) fn parked(parked: Option<&[(FailureCode, u64)]>) -> Markup {
    html! {
        @match parked {
            None => p.quiet { (tr!("Nothing is known of this time.")) },
            Some([]) => p { (tr!("No lead was parked.")) },
            Some(reasons) => div.card.flush {
                table {
                    thead { tr { th { (tr!("Reason")) } th.number { (tr!("Leads")) } } }
                    tbody {
                        @for (reason, leads) in reasons {
                            tr {
                                td data-label=(tr!("Reason")) { (reason.message()) " " code { (reason) } }
                                (number_cell(&tr!("Leads"), &count(*leads)))
                            }
                        }
                    }
                }
            },
        }
    }
}

/// What was to reach others, by what became of it.
pub(super) fn outgoing(all: &[EndedFigures]) -> Markup {
    html! {
        div.card.flush {
            table {
                thead { tr { th { (tr!("What")) } th { (tr!("Outcome")) } th.number { (tr!("Succeeded")) } } }
                tbody {
                    @for figures in all {
                        tr {
                            td data-label=(tr!("What")) { (words::outgoing(figures.name)) }
                            td data-label=(tr!("Outcome")) { (outcomes(figures)) }
                            (number_cell(&tr!("Succeeded"), &share(figures.share_percent)))
                        }
                    }
                }
            }
        }
    }
}

fn outcomes(figures: &EndedFigures) -> String {
    let outcome = |(outcome, ended): &(&'static str, Option<u64>)| {
        Some(format!("{} {}", words::outcome(outcome), count((*ended)?)))
    };
    let known: Vec<String> = figures.outcomes.iter().filter_map(outcome).collect();
    if known.is_empty() { UNKNOWN.to_owned() } else { known.join(" · ") }
}

/// The functions that fail or are refused; one line if there are none.
pub(super) fn functions(functions: &[FunctionFigures]) -> Markup {
    let failing: Vec<_> = functions.iter().filter(|function| function.errors + function.throttles > 0).collect();
    html! {
        @if functions.is_empty() { p.quiet { (tr!("Nothing is known of this time.")) } }
        @else if failing.is_empty() { p { (tr!([functions.len()] "{n} function ran, without an error or a throttle." | "{n} functions ran, without an error or a throttle.")) } }
        @else {
            div.card.flush {
                table {
                    thead { tr { th { (tr!("Function")) } th.number { (tr!("Errors")) } th.number { (tr!("Throttles")) } } }
                    tbody {
                        @for function in &failing {
                            tr {
                                td data-label=(tr!("Function")) { code { (function.name) } }
                                (number_cell(&tr!("Errors"), &count(function.errors)))
                                (number_cell(&tr!("Throttles"), &count(function.throttles)))
                            }
                        }
                    }
                }
            }
            @let others = functions.len() - failing.len();
            @if others > 0 { p.quiet { (tr!([others] "{n} other ran without any." | "{n} others ran without any.")) } }
        }
    }
}
