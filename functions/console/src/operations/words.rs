//! What the page calls things.

use std::borrow::Cow;

use leadwire::model::lead::FoundBy;
use leadwire::model::operations::headline::FlowHeadline;
use leadwire::model::operations::series::LookBack;
use leadwire::tr;

use crate::components::{count, duration};

/// Whether leads flow, in a sentence, and what there is to add.
pub(super) fn headline(headline: FlowHeadline) -> (Cow<'static, str>, Cow<'static, str>) {
    match headline {
        FlowHeadline::Unknown => (
            tr!("Whether leads flow is not known."),
            tr!("No figure of the last hour has arrived."),
        ),
        FlowHeadline::Stopped => (
            tr!("The schedules stand still."),
            tr!("The planner was not called for a quarter of an hour: nothing is swept, checked or published."),
        ),
        FlowHeadline::DeadLetters { messages } => (
            tr!([messages] "Leads are stuck: {n} message is among the dead letters." | "Leads are stuck: {n} messages are among the dead letters.").into(),
            tr!("They are stored nowhere else."),
        ),
        FlowHeadline::Late { oldest_s } => (
            tr!("Leads are late: the oldest has waited for {time}.", time = duration(oldest_s)).into(),
            tr!("Two minutes are promised."),
        ),
        FlowHeadline::SweepOnly { leads } => (
            tr!("The webhook brings no leads: the sweep found {count} in the last hour.", count = count(leads)).into(),
            tr!("They come a quarter of an hour late."),
        ),
        FlowHeadline::Quiet => (
            tr!("No lead in the last hour."),
            tr!("The system runs. Whether leads were sent, only Meta knows."),
        ),
        FlowHeadline::Flowing { leads } => {
            (tr!("Leads flow: {count} in the last hour.", count = count(leads)).into(), Cow::Borrowed(""))
        }
    }
}

pub(super) fn range(back: LookBack) -> Cow<'static, str> {
    match back {
        LookBack::Hour => tr!("Last hour"),
        LookBack::Day => tr!("Last 24 hours"),
        LookBack::Week => tr!("Last 7 days"),
    }
}

pub(super) fn chart_title(back: LookBack) -> Cow<'static, str> {
    match back {
        LookBack::Hour => tr!("Leads per minute"),
        LookBack::Day => tr!("Leads per half hour"),
        LookBack::Week => tr!("Leads per 3 hours"),
    }
}

pub(super) fn source(source: FoundBy) -> Cow<'static, str> {
    match source {
        FoundBy::Webhook => tr!("Webhook"),
        FoundBy::Sweep => tr!("Sweep"),
        FoundBy::Sync => tr!("Sync now"),
        FoundBy::Import => tr!("File import"),
        FoundBy::Backfill => tr!("Search for earlier leads"),
    }
}

/// Of what Meta asked for pauses, and how often.
pub(super) fn blocks(blocks: &[(&'static str, Option<u64>)]) -> String {
    let words = blocks.iter().map(|(of, number)| {
        let number = number.unwrap_or_default();
        match *of {
            "page" => tr!([number] "{n} of a page" | "{n} of pages"),
            _ => tr!([number] "{n} of an ad account" | "{n} of ad accounts"),
        }
    });
    words.collect::<Vec<_>>().join(", ")
}

pub(super) fn integration_state(state: &str) -> Cow<'static, str> {
    match state {
        "ok" => tr!("Healthy"),
        "notice" => tr!("With a notice"),
        "warning" => tr!("Needs attention"),
        "error" => tr!("Without leads"),
        other => Cow::Owned(other.to_owned()),
    }
}

pub(super) fn freshness(freshness: &str) -> Cow<'static, str> {
    match freshness {
        "fresh" => tr!("Fresh"),
        "late" => tr!("Over half an hour old"),
        "stale" => tr!("Over two hours old"),
        "paused" => tr!("Paused"),
        other => Cow::Owned(other.to_owned()),
    }
}

/// What a metric counts that came to an end.
pub(super) fn outgoing(name: &'static str) -> Cow<'static, str> {
    match name {
        "posts" => tr!("Posts"),
        "answers" => tr!("Answers"),
        "conversions" => tr!("Lead quality"),
        "deliveries" => tr!("Webhooks"),
        other => Cow::Borrowed(other),
    }
}

pub(super) fn outcome(outcome: &'static str) -> Cow<'static, str> {
    match outcome {
        "published" => tr!("Published"),
        "sent" => tr!("Sent"),
        "delivered" => tr!("Delivered"),
        "retried" => tr!("Tried again"),
        "skipped" => tr!("Not sent"),
        "refused" => tr!("Refused by Meta"),
        "failed" => tr!("Failed"),
        other => Cow::Borrowed(other),
    }
}
