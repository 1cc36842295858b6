//! Events of leads.

use std::collections::BTreeMap;

use jiff::Timestamp;
use rust_decimal::Decimal;
use serde::Serialize;
use sha2::{Digest, Sha256};
use utoipa::ToSchema;

use super::{Event, EventKind};
use crate::ids::{ImportId, LeadId, LeadgenId, OrgId, OrgScope, UserId};
use crate::model::ads::currency::Amount;
use crate::model::lead::file_import::ImportRemoval;
use crate::model::lead::{Lead, Provenance, Status, Submission};

/// `lead.created`.
#[derive(Debug, Serialize, ToSchema)]
pub struct LeadCreated {
    id: String,
    org: OrgId,
    /// The order of events about one lead: of two, the one with the greater number is later, whichever arrives first.
    sequence: i64,
    lead: Lead,
}

/// `lead.updated`.
#[derive(Debug, Serialize, ToSchema)]
pub struct LeadUpdated {
    id: String,
    org: OrgId,
    /// The order of events about one lead: of two, the one with the greater number is later, whichever arrives first.
    sequence: i64,
    lead_id: LeadId,
    cause: UpdateCause,
    /// The new submission, if that is the cause.
    #[serde(skip_serializing_if = "Option::is_none")]
    submission: Option<Submission>,
    /// The newly mapped fields, if the cause is a changed mapping.
    #[serde(skip_serializing_if = "Option::is_none")]
    mapped: Option<MappedAgain>,
    /// What a user can change by hand, as it is now, if that is the cause.
    #[serde(skip_serializing_if = "Option::is_none")]
    change: Option<ChangedByHand>,
    /// The id of the submission that is no longer there, if that is the cause.
    #[serde(skip_serializing_if = "Option::is_none")]
    removed_submission: Option<LeadId>,
}

/// What a user can change of a lead besides its assignee.
#[derive(Debug, Serialize, ToSchema)]
pub struct ChangedByHand {
    status: Status,
    note: Option<String>,
    /// What the lead is worth, in `currency`.
    #[schema(value_type = Option<Amount>)]
    value: Option<Decimal>,
    currency: Option<String>,
    lost_reason: Option<String>,
    /// The user who made the change.
    by: UserId,
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
}

/// The fields mapped from a lead's answers.
#[derive(Debug, Serialize, ToSchema)]
pub struct MappedAgain {
    full_name: Option<String>,
    email: Option<String>,
    phone: Option<String>,
    fields: BTreeMap<String, String>,
}

/// Why a lead changed.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum UpdateCause {
    /// The same person sent another form.
    Submission,
    /// The form's mapping was changed and applied to earlier leads.
    Mapping,
    /// A user changed its status, its note, its value or why it was lost.
    Change,
    /// The import that brought one of its submissions was undone.
    SubmissionRemoved,
}

/// `lead.removed`.
#[derive(Debug, Serialize, ToSchema)]
pub struct LeadRemoved {
    id: String,
    org: OrgId,
    /// The order of events about one lead: of two, the one with the greater number is later, whichever arrives first.
    sequence: i64,
    lead_id: LeadId,
    /// Meta's id of the submission that created the lead, if it had one.
    leadgen_id: Option<LeadgenId>,
    cause: RemovalCause,
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
}

/// Why a lead is no longer there.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RemovalCause {
    /// The import of a file that brought it was undone.
    ImportUndone,
}

/// `lead.assigned`.
#[derive(Debug, Serialize, ToSchema)]
pub struct LeadAssigned {
    id: String,
    org: OrgId,
    /// The order of events about one lead: of two, the one with the greater number is later, whichever arrives first.
    sequence: i64,
    lead_id: LeadId,
    /// The new assignee; `null` if the lead is now unassigned.
    assigned_to: Option<UserId>,
    assigned_before: Option<UserId>,
    /// The user who made the change.
    by: UserId,
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
}

impl Event {
    /// A submission created a lead.
    #[must_use]
    pub fn lead_created(scope: &OrgScope, lead: &Lead) -> Self {
        let id = format!("lead.created:{}:{}{}", scope.org(), lead.id, of_import(&lead.provenance));
        let sequence = sequence(&lead.provenance, lead.received_at);
        let created = LeadCreated { id, org: scope.org().clone(), sequence, lead: lead.clone() };
        lead.provenance.within_trace(|| Self::new(EventKind::LeadCreated, &created))
    }

    /// A known person sent another form.
    #[must_use]
    pub fn lead_updated(scope: &OrgScope, submission: &Submission) -> Self {
        let updated = LeadUpdated {
            id: format!(
                "lead.updated:{}:{}:{}{}",
                scope.org(),
                submission.lead_id,
                submission.id,
                of_import(&submission.provenance)
            ),
            org: scope.org().clone(),
            sequence: sequence(&submission.provenance, submission.received_at),
            lead_id: submission.lead_id.clone(),
            cause: UpdateCause::Submission,
            submission: Some(submission.clone()),
            mapped: None,
            change: None,
            removed_submission: None,
        };
        submission.provenance.within_trace(|| Self::new(EventKind::LeadUpdated, &updated))
    }

    /// A lead's answers were mapped again by `version` of its form's mapping; `None` if the form no longer has one.
    #[must_use]
    #[expect(clippy::expect_used, reason = "a map of strings can be serialised")]
    pub fn lead_remapped(scope: &OrgScope, lead: &Lead, version: Option<u32>, at: Timestamp) -> Self {
        let mapped = MappedAgain {
            full_name: lead.full_name.clone(),
            email: lead.email.clone(),
            phone: lead.phone.clone(),
            fields: lead.fields.clone(),
        };
        let json = serde_json::to_vec(&mapped).expect("strings only");
        let version = version.unwrap_or_default();
        let hash: String = hex::encode(Sha256::digest(json)).chars().take(16).collect();
        let updated = LeadUpdated {
            id: format!("lead.updated:{}:{}:mapping:{version}:{hash}", scope.org(), lead.id),
            org: scope.org().clone(),
            sequence: at.as_millisecond(),
            lead_id: lead.id.clone(),
            cause: UpdateCause::Mapping,
            submission: None,
            mapped: Some(mapped),
            change: None,
            removed_submission: None,
        };
        Self::new(EventKind::LeadUpdated, &updated)
    }

    /// A user changed a lead's status or its details. `lead` is what it is now.
    #[must_use]
    pub fn lead_changed(scope: &OrgScope, lead: &Lead, by: &UserId, at: Timestamp) -> Self {
        let change = ChangedByHand {
            status: lead.status,
            note: lead.note.clone(),
            value: lead.value,
            currency: lead.currency.clone(),
            lost_reason: lead.lost_reason.clone(),
            by: by.clone(),
            at,
        };
        let updated = LeadUpdated {
            id: format!("lead.updated:{}:{}:change:{at}", scope.org(), lead.id),
            org: scope.org().clone(),
            sequence: at.as_millisecond(),
            lead_id: lead.id.clone(),
            cause: UpdateCause::Change,
            submission: None,
            mapped: None,
            change: Some(change),
            removed_submission: None,
        };
        Self::new(EventKind::LeadUpdated, &updated)
    }

    /// A lead was removed with the import that brought it.
    #[must_use]
    pub fn lead_removed(scope: &OrgScope, removal: &ImportRemoval, import: &ImportId) -> Self {
        let removed = LeadRemoved {
            id: format!("lead.removed:{}:{}:{import}", scope.org(), removal.id),
            org: scope.org().clone(),
            sequence: removal.at.as_millisecond(),
            lead_id: removal.id.clone(),
            leadgen_id: removal.leadgen_id.clone(),
            cause: RemovalCause::ImportUndone,
            at: removal.at,
        };
        Self::new(EventKind::LeadRemoved, &removed)
    }

    /// A submission of a lead was removed with the import that brought it.
    #[must_use]
    pub fn submission_removed(scope: &OrgScope, lead: &LeadId, removal: &ImportRemoval, import: &ImportId) -> Self {
        let updated = LeadUpdated {
            id: format!("lead.updated:{}:{lead}:removed:{}:{import}", scope.org(), removal.id),
            org: scope.org().clone(),
            sequence: removal.at.as_millisecond(),
            lead_id: lead.clone(),
            cause: UpdateCause::SubmissionRemoved,
            submission: None,
            mapped: None,
            change: None,
            removed_submission: Some(removal.id.clone()),
        };
        Self::new(EventKind::LeadUpdated, &updated)
    }

    /// A lead was assigned to another user, or unassigned. `at` distinguishes one such change from the next.
    #[must_use]
    pub fn lead_assigned(
        scope: &OrgScope,
        lead: &LeadId,
        from: Option<&UserId>,
        to: Option<&UserId>,
        by: &UserId,
        at: Timestamp,
    ) -> Self {
        let assigned = LeadAssigned {
            id: format!("lead.assigned:{}:{lead}:{at}", scope.org()),
            org: scope.org().clone(),
            sequence: at.as_millisecond(),
            lead_id: lead.clone(),
            assigned_to: to.cloned(),
            assigned_before: from.cloned(),
            by: by.clone(),
            at,
        };
        Self::new(EventKind::LeadAssigned, &assigned)
    }
}

/// When a lead or a submission was stored: a form that waited may join a lead that was received after it.
fn sequence(provenance: &Provenance, received_at: Timestamp) -> i64 {
    provenance.stored_at.unwrap_or(received_at).as_millisecond()
}

/// The end of the id of an event about a lead from a file: the same line can be imported again once its import was undone.
fn of_import(provenance: &Provenance) -> String {
    provenance.import_id.as_ref().map(|import| format!(":{import}")).unwrap_or_default()
}
