//! Exports of leads into files for spreadsheets: any filter, any size, a link that ends soon.
//!
//! [`Exports`] has the acts of admins, [`Exporter`] writes the files. A file is sent to S3 in parts. What a worker read
//! counts once it is recorded, with the place in the list at which it ended: a worker that dies, or that another one
//! overtakes, leaves nothing in the file.

mod exporter;
#[cfg(test)]
mod test_support;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::time::Duration;

use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

pub use self::exporter::Exporter;
use crate::directory::Access;
use crate::error::{ActError, ErrorCode, Missing};
use crate::files::{FileKey, Files};
use crate::ids::{ExportId, LeadId, OrgScope, UserId};
use crate::jobs::ExportJob;
use crate::leads::LeadLister;
use crate::model::lead::Lead;
use crate::model::lead::export::{EXPORT_LIFETIME, ExportState, LeadExport, columns_of, header, lines};
use crate::model::lead::query::LeadQuery;
use crate::queue::Queue;
use crate::secret::HmacKey;
use crate::table::Table;
use crate::table::lead::StoredLead;
use crate::tr;

/// Exports of an org that run at once.
const MAX_RUNNING: usize = 3;
/// How long a link to a file works. A download that began in time may last longer.
const LINK_LIFETIME: Duration = Duration::from_mins(5);
/// Size of a file that is an answer itself: Lambda's 6 MB, less a quarter for its encoding.
const MAX_FILE_BYTES: usize = 4_500_000;

/// The acts of admins and the CRM on exports.
#[derive(Debug, Clone)]
pub struct Exports {
    /// Stores the leads and the exports.
    pub table: Table,
    /// Stores the files.
    pub files: Files,
    /// Receives the exports to write.
    pub queue: Queue<ExportJob>,
    /// Signs cursors.
    pub key: HmacKey,
}

/// An export of leads.
#[derive(Debug, Serialize, ToSchema)]
pub struct ExportOut {
    /// Its id.
    pub id: ExportId,
    /// Whether it goes on.
    pub state: ExportState,
    /// Why there is no file, if that is so.
    pub problem: Option<Cow<'static, str>>,
    /// Leads in the file so far.
    pub leads: u64,
    /// The size of the complete file in bytes.
    pub bytes: Option<u64>,
    /// Who requested it.
    pub requested_by: UserId,
    /// When it was requested.
    #[schema(value_type = String, format = DateTime)]
    pub requested_at: Timestamp,
    /// When it is deleted, with its file.
    #[schema(value_type = String, format = DateTime)]
    pub expires_at: Timestamp,
    /// Where the complete file can be read without a login, for five minutes. Only of a single export.
    pub url: Option<String>,
}

/// The org's exports, newest first.
#[derive(Debug, Serialize, ToSchema)]
pub struct ExportList {
    /// The exports of the last seven days.
    pub items: Vec<ExportOut>,
    /// Always `null`: all are listed.
    pub next_cursor: Option<String>,
}

impl ExportOut {
    fn new(export: LeadExport, now: Timestamp) -> Self {
        let state = export.state_at(now);
        let problem = match state {
            ExportState::Running | ExportState::Done => None,
            ExportState::Failed => Some(tr!("The export stopped before it was complete. Start it again.")),
            ExportState::Erased => {
                Some(tr!("A person who may be in the export was erased after it started. Start it again."))
            }
        };
        Self {
            id: export.id,
            state,
            problem,
            leads: export.progress.leads,
            bytes: export.bytes,
            requested_by: export.requested_by,
            requested_at: export.requested_at,
            expires_at: export.requested_at + EXPORT_LIFETIME,
            url: None,
        }
    }
}

impl Exports {
    /// Starts an export of the leads that match a query.
    ///
    /// # Errors
    /// Refuses a query that no list of leads would take, and a fourth export while three run.
    pub async fn start(&self, access: &Access, query: LeadQuery) -> Result<ExportOut, ActError> {
        let now = crate::clock::now();
        let scope = &access.scope;
        LeadLister { table: &self.table, key: &self.key }.list(scope, &query, None, 1).await?;
        let exports = self.table.exports(scope).await?;
        if exports.iter().filter(|export| export.state_at(now) == ExportState::Running).count() >= MAX_RUNNING {
            let message = tr!("Three exports are already running. Wait until one of them is complete, or delete one.");
            return Err(ActError::refuse(ErrorCode::LimitReached, message));
        }
        let export = LeadExport::new(query, access.caller.user.clone(), now);
        self.table.insert_export(scope, &export).await?;
        access.trail.about_id(export.id.as_str());
        self.queue.send(&[ExportJob { org: scope.org().clone(), export: export.id.clone() }]).await?;
        tracing::info!(org = %scope.org(), export = %export.id, by = %access.caller.user, "an export of leads began");
        Ok(ExportOut::new(export, now))
    }

    /// Returns these leads as a file, in the order of their ids. Those that are gone are left out.
    ///
    /// # Errors
    /// Refuses what is larger than an answer of Lambda may be, and fails if the table does.
    pub async fn file(&self, access: &Access, leads: BTreeSet<LeadId>) -> Result<Vec<u8>, ActError> {
        let found = self.table.find_leads(&access.scope, &leads).await?;
        let lead = |stored| match stored {
            StoredLead::Lead(lead) => Some(*lead),
            StoredLead::Submission(_) => None,
        };
        let leads: Vec<Lead> = found.into_iter().filter_map(lead).collect();
        leads.iter().for_each(|lead| access.trail.about(&lead.id));
        let columns = columns_of(&leads);
        let file = [header(&columns), lines(&columns, &leads)].concat();
        if file.len() > MAX_FILE_BYTES {
            let detail = tr!("The file of these leads is too large. Select fewer leads.");
            return Err(ActError::refuse(ErrorCode::FileTooLarge, detail));
        }
        Ok(file)
    }

    /// Lists the org's exports.
    ///
    /// # Errors
    /// If the table fails.
    pub async fn list(&self, access: &Access) -> Result<ExportList, ActError> {
        let now = crate::clock::now();
        let exports = self.table.for_display().exports(&access.scope).await?;
        // DynamoDB deletes late.
        let kept = exports.into_iter().rev().filter(|export| export.requested_at + EXPORT_LIFETIME > now);
        Ok(ExportList { items: kept.map(|export| ExportOut::new(export, now)).collect(), next_cursor: None })
    }

    /// Reads an export, with a link to its file if that is complete.
    ///
    /// # Errors
    /// Refuses an id that the org does not have.
    pub async fn read(&self, access: &Access, id: &ExportId) -> Result<ExportOut, ActError> {
        let now = crate::clock::now();
        let scope = &access.scope;
        let export = self.find(scope, id).await?;
        let is_done = export.state == ExportState::Done && export.requested_at + EXPORT_LIFETIME > now;
        let mut out = ExportOut::new(export, now);
        if is_done {
            let day = out.requested_at.strftime("%Y-%m-%d");
            let name = format!("leads-{day}.csv");
            let link = self.files.safe_link(&FileKey::of_export(scope, id), "text/csv", &name, LINK_LIFETIME).await?;
            out.url = Some(link.into());
        }
        Ok(out)
    }

    /// Deletes an export with its file. One that runs ends.
    ///
    /// # Errors
    /// Refuses an id that the org does not have. After another error, repeat it.
    pub async fn delete(&self, access: &Access, id: &ExportId) -> Result<(), ActError> {
        let export = self.find(&access.scope, id).await?;
        self.revoke(&access.scope, &export).await?;
        self.table.delete_export(&access.scope, id).await?;
        Ok(())
    }

    /// Deletes the files of all exports of an org, because a person who was erased may be in them. Those that run end.
    /// The leads must be erased before: what is read later is in no file that this deletes.
    ///
    /// # Errors
    /// After an error, repeat it.
    pub async fn revoke_all(&self, scope: &OrgScope) -> Result<usize, ActError> {
        let mut revoked = 0;
        for export in self.table.exports(scope).await? {
            if export.state != ExportState::Erased || export.upload.is_some() {
                self.revoke(scope, &export).await?;
                revoked += 1;
            }
        }
        Ok(revoked)
    }

    async fn revoke(&self, scope: &OrgScope, export: &LeadExport) -> Result<(), ActError> {
        // From here on, no worker records anything, and each deletes what it sent in vain.
        self.table.revoke_export(scope, export).await?;
        // It may have begun since it was read.
        let Some(now) = self.table.export(scope, &export.id).await? else { return Ok(()) };
        let key = FileKey::of_export(scope, &export.id);
        if let Some(upload) = &now.upload {
            self.files.abort_parts(&key, upload).await?;
        }
        for number in 1..=now.numbers {
            self.files.delete(&FileKey::of_remainder(scope, &export.id, number)).await?;
        }
        self.files.delete(&key).await?;
        self.table.forget_upload(scope, &export.id).await?;
        Ok(())
    }

    async fn find(&self, scope: &OrgScope, id: &ExportId) -> Result<LeadExport, ActError> {
        self.table.export(scope, id).await?.ok_or_else(|| ActError::not_found(Missing::Export))
    }
}
