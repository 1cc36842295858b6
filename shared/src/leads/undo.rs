//! Undoes imports of files: what they brought goes as if it had never come, except for what was used since.
#![expect(missing_docs, reason = "a field whose name says it all has no description in the API's document either")]

use std::cmp::Reverse;
use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

use futures_util::future::try_join_all;
use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use super::{Leads, WholeLead};
use crate::bus::Bus;
use crate::directory::MetaAccess;
use crate::error::{ActError, ErrorCode, Missing, WorkError};
use crate::ids::{ImportId, LeadId, OrgScope, UserId};
use crate::model::event::Event;
use crate::model::lead::file_import::{FileImport, ImportRemoval, ImportState, ImportUndo};
use crate::table::lead::StoredLead;
use crate::table::{Table, TableError, pause};
use crate::tr;

/// Leads that are removed at once, each with what joined it.
const AT_ONCE: usize = 20;
/// Attempts against other writers.
const MAX_ATTEMPTS: u32 = 12;

/// An import with its state.
#[derive(Debug, Serialize, ToSchema)]
pub struct ImportOut {
    #[serde(flatten)]
    pub import: FileImport,
    /// What it is now.
    pub state: ImportState,
    /// Until when it can be undone.
    #[schema(value_type = String, format = DateTime)]
    pub undo_until: Timestamp,
}

/// The org's imports.
#[derive(Debug, Serialize, ToSchema)]
pub struct ImportList {
    pub items: Vec<ImportOut>,
    /// Always `null`: all of the last 30 days are listed.
    pub next_cursor: Option<String>,
}

impl ImportOut {
    fn new(import: FileImport, now: Timestamp) -> Self {
        Self { state: import.state(now), undo_until: import.undo_until(), import }
    }
}

impl Leads {
    /// Lists the org's imports of the last 30 days, newest first.
    pub async fn imports(&self, access: &MetaAccess) -> Result<ImportList, ActError> {
        let now = crate::clock::now();
        let mut imports = self.table.for_display().imports(&access.scope).await?;
        imports.retain(|import| now < import.undo_until());
        imports.sort_by_key(|import| Reverse(import.asked_at));
        let items = imports.into_iter().map(|import| ImportOut::new(import, now)).collect();
        Ok(ImportList { items, next_cursor: None })
    }

    /// Removes what an import brought, and tells the CRM. Leads that were used since stay: those with a status, a note, a
    /// value or an assignee by hand, with another form of the same person, or with a conversation. What there is no time
    /// for within `timeout` stays until the import is undone again.
    ///
    /// # Errors
    /// Refuses an import that still runs. After any other error, a part is removed; undoing it again goes on.
    pub async fn undo_import(
        &self,
        access: &MetaAccess,
        id: &ImportId,
        timeout: Duration,
    ) -> Result<ImportOut, ActError> {
        let now = crate::clock::now();
        let import = self.table.import(&access.scope, id).await?.filter(|import| now < import.undo_until());
        let import = import.ok_or_else(|| ActError::not_found(Missing::Import))?;
        access.trail.about(id);
        match import.state(now) {
            ImportState::Undone => return Ok(ImportOut::new(import, now)),
            ImportState::Running => {
                let message = tr!("The import is still running. Wait until it has ended.");
                return Err(ActError::refuse(ErrorCode::ImportRunning, message));
            }
            ImportState::Imported | ImportState::Undoing => {}
        }
        let undoing = Undoing { table: &self.table, bus: &self.bus, scope: &access.scope, import: id };
        let undo = undoing.undo(&import, &access.caller.user, Instant::now() + timeout, now).await?;
        Ok(ImportOut::new(FileImport { undo: Some(undo), ..import }, now))
    }
}

/// An import that is being undone.
pub(super) struct Undoing<'a> {
    pub(super) table: &'a Table,
    pub(super) bus: &'a Bus,
    pub(super) scope: &'a OrgScope,
    pub(super) import: &'a ImportId,
}

impl Undoing<'_> {
    pub(super) async fn undo(
        &self,
        import: &FileImport,
        by: &UserId,
        until: Instant,
        now: Timestamp,
    ) -> Result<ImportUndo, WorkError> {
        let begun = || ImportUndo { asked_by: by.clone(), asked_at: now, ended_at: None, removed: 0, kept: 0 };
        let mut undo = import.undo.clone().unwrap_or_else(begun);
        self.table.set_undo(self.scope, self.import, &undo).await?;
        // What an earlier call removed and could not publish.
        self.publish_rest().await?;
        let found = self.table.of_import(self.scope, self.import).await?;
        // A lead can go only after what joined it, and of what joined it one at a time: which persons are still in what
        // stays is read before each.
        let mut by_lead: BTreeMap<LeadId, VecDeque<LeadId>> = BTreeMap::new();
        for stored in &found {
            match stored {
                StoredLead::Submission(joined) => {
                    by_lead.entry(joined.lead_id.clone()).or_default().push_front(joined.id.clone());
                }
                StoredLead::Lead(lead) => by_lead.entry(lead.id.clone()).or_default().push_back(lead.id.clone()),
            }
        }
        let by_lead: Vec<VecDeque<LeadId>> = by_lead.into_values().collect();
        let mut is_done = true;
        for some in by_lead.chunks(AT_ONCE) {
            let removed = try_join_all(some.iter().map(|ids| self.remove_all(ids, until, now))).await?;
            self.publish(removed.into_iter().flatten().collect()).await?;
            is_done = Instant::now() < until;
            if !is_done {
                break;
            }
        }
        undo.removed = self.publish_rest().await?;
        if is_done {
            undo.kept = self.table.of_import(self.scope, self.import).await?.len();
            undo.ended_at = Some(now);
        }
        self.table.set_undo(self.scope, self.import, &undo).await?;
        tracing::info!(org = %self.scope.org(), import = %self.import, removed = undo.removed, kept = undo.kept, is_done, "import undone");
        Ok(undo)
    }

    /// Removes the submissions of a lead, and at last the lead, in this order, until there is no time left.
    async fn remove_all(
        &self,
        ids: &VecDeque<LeadId>,
        until: Instant,
        now: Timestamp,
    ) -> Result<Vec<ImportRemoval>, WorkError> {
        let mut removed = Vec::new();
        for id in ids {
            if Instant::now() >= until {
                break;
            }
            removed.extend(self.remove(id, now).await?);
        }
        Ok(removed)
    }

    /// Removes a lead or a submission, unless it was used since.
    async fn remove(&self, id: &LeadId, now: Timestamp) -> Result<Option<ImportRemoval>, WorkError> {
        for attempt in 1..=MAX_ATTEMPTS {
            let stored = self.table.find_lead(self.scope, id).await?;
            let removed = match stored.filter(|stored| stored.provenance().import_id.as_ref() == Some(self.import)) {
                None => return Ok(None),
                Some(StoredLead::Lead(lead)) => {
                    if !self.table.is_untouched(self.scope, &lead).await? {
                        return Ok(None);
                    }
                    self.table.remove_imported_lead(self.scope, self.import, &lead, now).await?
                }
                Some(StoredLead::Submission(submission)) => {
                    let whole = WholeLead::read(self.table, self.scope, &submission.lead_id).await?;
                    let Some(whole) = whole else { return Ok(None) };
                    if whole.lists_too_few() {
                        None
                    } else {
                        let (count, persons) = (whole.lead.submissions_count, whole.persons_only_in(&submission));
                        let (import, table) = (self.import, self.table);
                        table.remove_imported_submission(self.scope, import, &submission, count, persons, now).await?
                    }
                }
            };
            if removed.is_some() {
                return Ok(removed);
            }
            // It was changed just now, or the index is behind.
            pause(attempt).await;
        }
        Err(TableError::Contended(MAX_ATTEMPTS).into())
    }

    /// Publishes all that was removed and is not published, and returns the number of all that was removed.
    async fn publish_rest(&self) -> Result<usize, WorkError> {
        let removals = self.table.removals(self.scope, self.import).await?;
        let count = removals.len();
        self.publish(removals.into_iter().filter(|removal| !removal.published).collect()).await?;
        Ok(count)
    }

    /// Publishes removals. Events are published at least once; a repeat has the same id.
    async fn publish(&self, removals: Vec<ImportRemoval>) -> Result<(), WorkError> {
        let event = |removal: &ImportRemoval| match &removal.joined {
            None => Event::lead_removed(self.scope, removal, self.import),
            Some(lead) => Event::submission_removed(self.scope, lead, removal, self.import),
        };
        self.bus.publish(&removals.iter().map(event).collect::<Vec<_>>()).await?;
        let settle = |removal| self.table.settle_removal(self.scope, self.import, removal);
        try_join_all(removals.iter().map(settle).collect::<Vec<_>>()).await?;
        Ok(())
    }
}
