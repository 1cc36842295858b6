//! What happened to a post, step by step.

use std::borrow::Cow;

use leadwire::model::publishing::{PostStep, PostStepKind};
use leadwire::{language, tr};
use maud::{Markup, html};

use super::failure::is_technical;
use crate::components::{prose, time};

/// The steps, oldest first.
pub(super) fn timeline(steps: &[PostStep]) -> Markup {
    html! {
        ol.timeline {
            @for step in steps {
                li class=[(step.step == PostStepKind::Failed).then_some("bad")] {
                    b { (step_label(step.step)) } " " span.quiet { (time(step.at)) }
                    @if is_technical(&step.cause) { details.quiet { summary { (tr!("Meta's error message")) } (step.cause) } }
                    @else if !step.cause.is_empty() { p { (prose(&language::translate(&step.cause))) } }
                }
            }
        }
    }
}

fn step_label(step: PostStepKind) -> Cow<'static, str> {
    match step {
        PostStepKind::Created => tr!("Written"),
        PostStepKind::Moved => tr!("Rescheduled"),
        PostStepKind::Cancelled => tr!("a post" => "Cancelled"),
        PostStepKind::Started => tr!("Started"),
        PostStepKind::Uploaded => tr!("Media received by Meta"),
        PostStepKind::Sent => tr!("Sent to Meta"),
        PostStepKind::Checked => tr!("Checked with Meta"),
        PostStepKind::Waited => tr!("Waiting"),
        PostStepKind::Published => tr!("Published"),
        PostStepKind::Failed => tr!("Failed"),
    }
}
