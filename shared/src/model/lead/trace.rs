//! The history of one submission, step by step.

use std::borrow::Cow;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::ids::UserId;
use crate::model::lead::assignment::{Assigned, Reason};
use crate::model::lead::{FoundBy, Lead, PersonKeyKind, Provenance, Submission};
use crate::tr;

/// One step in the history of a submission.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Step {
    /// When it happened.
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    /// What happened.
    pub step: StepKind,
    /// The cause, as a stable code.
    pub cause: String,
    /// The same as readable text.
    pub detail: String,
}

/// The kinds of steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[cfg_attr(test, derive(strum::EnumIter))]
#[serde(rename_all = "snake_case")]
pub enum StepKind {
    /// Leadwire learned of the submission. The cause is how.
    Received,
    /// An attempt to ingest it failed and will be retried. The cause is the failure's code.
    Tried,
    /// It was parked: no more attempts until it is replayed. The cause is the failure's code.
    Parked,
    /// It waits for a temporary failure to pass, and is then queued again by itself. The cause is the failure's code.
    Waiting,
    /// It was queued again. The cause is `manual` or `recovered`.
    Replayed,
    /// A user dismissed it: it is not tried again.
    Dismissed,
    /// It was fetched from Meta, or read from a file.
    Fetched,
    /// Its answers were mapped to fields, by Meta's question types or by the form's own mapping.
    Mapped,
    /// It was compared with the org's other leads. The cause is the matched detail, or `new_person`.
    Deduplicated,
    /// Its assignee was decided. The cause is the assignment's reason.
    Assigned,
    /// Its event was published to the CRM. The cause is the event's name.
    Published,
    /// The same person sent another form. The cause is the matched detail.
    Joined,
    /// A user reassigned or unassigned it.
    Reassigned,
    /// A user changed its status. The cause is the new status.
    StatusChanged,
    /// A user changed its note, its value or why it was lost. The cause names the fields.
    DetailsChanged,
    /// Its answers were mapped again by a changed mapping.
    MappedAgain,
    /// A status is to be reported to Meta. The cause is the status.
    ConversionPending,
    /// A status was reported to Meta. The cause is the status.
    ConversionSent,
    /// A status is not reported to Meta. The cause is why.
    ConversionNotSent,
}

impl Step {
    /// Creates a step.
    #[must_use]
    pub fn new(at: Timestamp, step: StepKind, cause: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { at, step, cause: cause.into(), detail: detail.into() }
    }
}

/// The steps that a lead's own record shows, from its receipt to its publication at `published_at`, if known.
#[must_use]
pub fn of_lead(lead: &Lead, published_at: Option<Timestamp>) -> Vec<Step> {
    let mut steps = ingest_steps(lead.received_at, lead.found_by, lead.created_time, &lead.provenance);
    let stored_at = lead.provenance.stored_at.unwrap_or(lead.received_at);
    let (cause, detail) = if lead.test {
        ("test_lead", tr!("Test leads are not compared with other leads."))
    } else if lead.email.is_none() && lead.phone.is_none() {
        ("new_person", tr!("It has neither an e-mail address nor a phone number, so it matches no known person."))
    } else {
        ("new_person", tr!("No known person has its e-mail address or phone number."))
    };
    steps.push(Step::new(stored_at, StepKind::Deduplicated, cause, detail));
    if lead.assignment.reason != Reason::Manual {
        steps.push(assigned(stored_at, lead.assigned_to.as_ref(), &lead.assignment));
    }
    steps.extend(
        published_at
            .map(|at| Step::new(at, StepKind::Published, "lead.created", tr!("The CRM was notified of a new lead."))),
    );
    steps
}

/// Like [`of_lead`], for a submission that joined a lead.
#[must_use]
pub fn of_submission(submission: &Submission, published_at: Option<Timestamp>) -> Vec<Step> {
    let mut steps =
        ingest_steps(submission.received_at, submission.found_by, submission.created_time, &submission.provenance);
    let stored_at = submission.provenance.stored_at.unwrap_or(submission.received_at);
    let lead = &submission.lead_id;
    let detail = match submission.matched_by {
        PersonKeyKind::Email => {
            tr!("The e-mail address belongs to {lead}, so the submission was added to that lead.", lead = lead)
        }
        PersonKeyKind::Phone => {
            tr!("The phone number belongs to {lead}, so the submission was added to that lead.", lead = lead)
        }
    };
    steps.push(Step::new(stored_at, StepKind::Deduplicated, kind(submission.matched_by), detail));
    let message = tr!("The CRM was notified that the person submitted another form.");
    steps.extend(published_at.map(|at| Step::new(at, StepKind::Published, "lead.updated", message)));
    steps
}

/// The step that a later submission adds to the history of its lead.
#[must_use]
pub fn joined(submission: &Submission) -> Step {
    let id = &submission.id;
    let detail = match (submission.matched_by, submission.form_name.as_deref()) {
        (PersonKeyKind::Email, Some(form)) => {
            tr!("The same person submitted {form} ({id}): the e-mail address was recognised.", form = form, id = id)
        }
        (PersonKeyKind::Phone, Some(form)) => {
            tr!("The same person submitted {form} ({id}): the phone number was recognised.", form = form, id = id)
        }
        (PersonKeyKind::Email, None) => {
            tr!("The same person submitted another form ({id}): the e-mail address was recognised.", id = id)
        }
        (PersonKeyKind::Phone, None) => {
            tr!("The same person submitted another form ({id}): the phone number was recognised.", id = id)
        }
    };
    let at = submission.provenance.stored_at.unwrap_or(submission.received_at);
    Step::new(at, StepKind::Joined, kind(submission.matched_by), detail)
}

/// The step that describes the first assignment.
#[must_use]
pub fn assigned(at: Timestamp, to: Option<&UserId>, how: &Assigned) -> Step {
    let detail: Cow<'static, str> = match (how.reason, to) {
        (Reason::Turn, Some(user)) => tr!("It was {user}'s turn.", user = user).into(),
        (Reason::Chosen, Some(user)) => tr!("The integration assigns its leads to {user}.", user = user).into(),
        (_, Some(user)) => tr!("It was assigned to {user}.", user = user).into(),
        (Reason::NobodyEligible, None) => tr!("No active user of the org is permitted to manage leads."),
        (Reason::UserNotEligible, None) => {
            tr!("The chosen user was deleted, is inactive or is not permitted to manage leads.")
        }
        (Reason::TestLead, None) => tr!("Test leads are never assigned."),
        (Reason::NoIntegration, None) => {
            tr!("Its form does not belong to a connected page, so no integration assigns it.")
        }
        (Reason::NotAsked, None) => tr!("It was imported without assignment, as requested."),
        (_, None) => tr!("The integration assigns no leads."),
    };
    Step::new(at, StepKind::Assigned, <&str>::from(how.reason), detail)
}

fn ingest_steps(received_at: Timestamp, found_by: FoundBy, created: Timestamp, provenance: &Provenance) -> Vec<Step> {
    let after = received_at.duration_since(created).as_secs();
    let received: Cow<'static, str> = match found_by {
        FoundBy::Webhook => {
            tr!("Meta's webhook reported it {seconds} s after it was submitted.", seconds = after).into()
        }
        FoundBy::Sweep => tr!(
            "The webhook missed it; the regular comparison with Meta found it {seconds} s after it was submitted.",
            seconds = after
        )
        .into(),
        FoundBy::Sync => tr!("A user requested a sync, which found it."),
        FoundBy::Import => tr!("It was imported from a file."),
        FoundBy::Backfill => tr!("A user requested earlier leads, which included it."),
    };
    let mut steps = vec![Step::new(received_at, StepKind::Received, <&str>::from(found_by), received)];
    if let Some(at) = provenance.fetched_at {
        let detail: Cow<'static, str> = match provenance.tries {
            0 | 1 => tr!("Meta returned it at the first attempt."),
            tries => tr!("Meta returned it at attempt {number}.", number = tries).into(),
        };
        steps.push(Step::new(at, StepKind::Fetched, "graph", detail));
    }
    if let Some(at) = provenance.fetched_at.or(provenance.stored_at) {
        let (cause, detail) = match provenance.mapping {
            Some(version) => (
                "form_mapping",
                tr!("Its answers were mapped by version {version} of the form's mapping.", version = version),
            ),
            None => ("question_types", tr!("Mapped automatically by the types of its questions.").into_owned()),
        };
        steps.push(Step::new(at, StepKind::Mapped, cause, detail));
    }
    steps
}

fn kind(kind: PersonKeyKind) -> &'static str {
    match kind {
        PersonKeyKind::Email => "email",
        PersonKeyKind::Phone => "phone",
    }
}
