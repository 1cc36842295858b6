//! An import of a file, which can be undone.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::ids::{ImportId, LeadId, LeadgenId, UserId};
use crate::model::caller::Caller;

/// How long an import can be undone, and is listed.
pub const IMPORT_LIFETIME: SignedDuration = SignedDuration::from_hours(30 * 24);
/// An import that has not ended after this was interrupted.
const LONGEST_IMPORT: SignedDuration = SignedDuration::from_mins(2);

/// An import of a file of leads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FileImport {
    /// Its id.
    pub id: ImportId,
    /// The file's name, if the sender told it.
    pub file_name: Option<String>,
    /// Who imported it.
    pub asked_by: UserId,
    /// Their name at that time.
    #[serde(default)]
    pub asked_by_name: Option<String>,
    /// When it began.
    #[schema(value_type = String, format = DateTime)]
    pub asked_at: Timestamp,
    /// When it ended, or stopped at an error. Absent while it runs.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub ended_at: Option<Timestamp>,
    /// Number of new leads.
    pub created: usize,
    /// Number of submissions that joined an existing lead of the same person.
    pub merged: usize,
    /// Number of submissions that were already stored.
    pub in_before: usize,
    /// Number of lines that are not leads.
    pub failed: usize,
    /// How it was undone, if it was.
    pub undo: Option<ImportUndo>,
}

/// The undoing of an import.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ImportUndo {
    /// Who undid it.
    pub asked_by: UserId,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    pub asked_at: Timestamp,
    /// When it was done. Absent if there was no time for all leads: undoing again goes on.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub ended_at: Option<Timestamp>,
    /// Number of leads and submissions that were removed.
    pub removed: usize,
    /// Number of leads and submissions that were kept, because they were used since.
    pub kept: usize,
}

/// What an import is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ImportState {
    /// Its lines are being stored.
    Running,
    /// Its leads are there.
    Imported,
    /// It was undone in part; undoing it again goes on.
    Undoing,
    /// It was undone.
    Undone,
}

impl FileImport {
    /// An import that begins now.
    #[must_use]
    pub fn new(id: ImportId, file_name: Option<String>, by: &Caller, now: Timestamp) -> Self {
        Self {
            id,
            file_name,
            asked_by: by.user.clone(),
            asked_by_name: by.name.clone(),
            asked_at: now,
            ended_at: None,
            created: 0,
            merged: 0,
            in_before: 0,
            failed: 0,
            undo: None,
        }
    }

    /// What it is at this time.
    #[must_use]
    pub fn state(&self, now: Timestamp) -> ImportState {
        match &self.undo {
            Some(undo) if undo.ended_at.is_some() => ImportState::Undone,
            Some(_) => ImportState::Undoing,
            None if self.ended_at.is_none() && now.duration_since(self.asked_at) < LONGEST_IMPORT => {
                ImportState::Running
            }
            None => ImportState::Imported,
        }
    }

    /// Until when it can be undone.
    #[must_use]
    pub fn undo_until(&self) -> Timestamp {
        self.asked_at + IMPORT_LIFETIME
    }
}

/// A submission that undoing an import removed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportRemoval {
    /// The removed submission.
    pub id: LeadId,
    /// Meta's id of it.
    pub leadgen_id: Option<LeadgenId>,
    /// The lead that it belonged to, if it was a later submission of one.
    pub joined: Option<LeadId>,
    /// When it was removed.
    pub at: Timestamp,
    /// Whether the CRM was told.
    pub published: bool,
}

impl ImportRemoval {
    /// The removal of a submission, which is not published yet.
    #[must_use]
    pub fn new(id: &LeadId, leadgen_id: Option<&LeadgenId>, joined: Option<&LeadId>, at: Timestamp) -> Self {
        Self { id: id.clone(), leadgen_id: leadgen_id.cloned(), joined: joined.cloned(), at, published: false }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::caller::Role;

    #[test]
    fn an_import_that_never_ended_was_interrupted() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let user = UserId::parse("ann").unwrap();
        let (name, role) = (Some("Ann".to_owned()), Role::Admin);
        let caller = Caller { user: user.clone(), name, email: None, role, orgs: Vec::new(), is_program: false };
        let running = FileImport::new(ImportId::new(), None, &caller, at("2026-11-28T12:00:00Z"));
        assert_eq!(running.state(at("2026-11-28T12:01:59Z")), ImportState::Running);
        assert_eq!(running.state(at("2026-11-28T12:02:00Z")), ImportState::Imported);
        assert_eq!(running.undo_until(), at("2026-12-28T12:00:00Z"));
        let asked_at = at("2026-11-28T13:00:00Z");
        let undo = ImportUndo { asked_by: user, asked_at, ended_at: None, removed: 1, kept: 0 };
        let undoing = FileImport { undo: Some(undo.clone()), ..running.clone() };
        assert_eq!(undoing.state(asked_at), ImportState::Undoing);
        let undone = FileImport { undo: Some(ImportUndo { ended_at: Some(asked_at), ..undo }), ..running };
        assert_eq!(undone.state(asked_at), ImportState::Undone);
    }
}
