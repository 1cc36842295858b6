//! What happened to a lead, step by step.

use std::borrow::Cow;

use leadwire::model::failure::FailureCode;
use leadwire::model::lead::trace::{Step, StepKind};
use leadwire::model::org::User;
use leadwire::{language, tr};
use maud::{Markup, html};

use super::status_badge;
use crate::components::time;

/// Replaces the directory's ids in a sentence with the people's names.
fn with_names(text: &str, users: &[User]) -> String {
    let replace_id = |word: &str| {
        let bare = word.trim_end_matches(['.', ',']);
        let bare = bare.strip_suffix("'s").unwrap_or(bare);
        let user = users.iter().find(|user| user.id.as_str() == bare)?;
        Some(word.replacen(bare, &user.name, 1))
    };
    let words: Vec<String> = text.split(' ').map(|word| replace_id(word).unwrap_or_else(|| word.to_owned())).collect();
    words.join(" ")
}

/// The steps, oldest first.
pub(super) fn timeline(steps: &[Step], users: &[User]) -> Markup {
    html! {
        ol.timeline {
            @for step in steps {
                li class=[matches!(step.step, StepKind::Tried | StepKind::Parked | StepKind::Waiting).then_some("bad")] {
                    b { (step_label(step.step)) } " " span.quiet { (time(step.at)) }
                    @match failure(step) {
                        None => p { (sentence(step, users)) },
                        Some(code) => { p { (code.message()) ". " (code.fix()) } details { summary { (tr!("Meta's answer")) } p.quiet { (step.detail) } } },
                    }
                }
            }
        }
    }
}

/// The sentence of a step. It is stored with the status's value, which people know by its name.
fn sentence(step: &Step, users: &[User]) -> Markup {
    let status = step.cause.parse().ok().filter(|_| step.step == StepKind::StatusChanged);
    let before = step.detail.strip_suffix('.').and_then(|detail| detail.strip_suffix(&step.cause));
    match status.zip(before) {
        Some((status, before)) => html! { (with_names(before, users)) (status_badge(status)) },
        None => html! { (with_names(&language::translate(&step.detail), users)) },
    }
}

/// Why an attempt failed. What Meta said of it is for those who know its codes.
fn failure(step: &Step) -> Option<FailureCode> {
    let failed = matches!(step.step, StepKind::Tried | StepKind::Parked | StepKind::Waiting);
    serde_json::from_value(step.cause.as_str().into()).ok().filter(|_| failed)
}

fn step_label(step: StepKind) -> Cow<'static, str> {
    match step {
        StepKind::Received => tr!("Received"),
        StepKind::Tried => tr!("Failed attempt"),
        StepKind::Parked => tr!("Parked"),
        StepKind::Waiting => tr!("Waiting"),
        StepKind::Replayed => tr!("Queued again"),
        StepKind::Dismissed => tr!("Dismissed"),
        StepKind::Fetched => tr!("Fetched from Meta"),
        StepKind::Mapped => tr!("Mapped to fields"),
        StepKind::Deduplicated => tr!("Checked for duplicates"),
        StepKind::Assigned => tr!("Assigned"),
        StepKind::Published => tr!("Published to the CRM"),
        StepKind::Joined => tr!("Submitted another form"),
        StepKind::Reassigned => tr!("Reassigned"),
        StepKind::StatusChanged => tr!("Status changed"),
        StepKind::DetailsChanged => tr!("Details changed"),
        StepKind::MappedAgain => tr!("Mapped again"),
        StepKind::ConversionPending => tr!("To be reported to Meta"),
        StepKind::ConversionSent => tr!("Reported to Meta"),
        StepKind::ConversionNotSent => tr!("Not reported to Meta"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_has_one_name() {
        let step = |kind, cause: &str, detail: &str| {
            sentence(&Step::new(jiff::Timestamp::UNIX_EPOCH, kind, cause, detail), &[]).into_string()
        };
        let changed = step(StepKind::StatusChanged, "converted", "ann changed it to converted.");
        assert_eq!(changed, "ann changed it to <span class=\"badge good\">Won</span>");
        let other = step(StepKind::DetailsChanged, "converted", "ann changed its converted.");
        assert_eq!(other, "ann changed its converted.");
    }
}
