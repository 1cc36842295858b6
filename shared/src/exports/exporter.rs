//! Writes exports.

use std::time::{Duration, Instant};

use jiff::Timestamp;

use super::Exports;
use crate::error::{ActError, WorkError};
use crate::files::{FileError, FileKey, Files};
use crate::ids::OrgScope;
use crate::jobs::ExportJob;
use crate::leads::LeadLister;
use crate::model::lead::export::{ExportProgress, ExportState, LeadExport, columns_of, header, lines};
use crate::queue::Queue;
use crate::secret::HmacKey;
use crate::table::Table;

/// The size from which rows are sent as a part. S3 demands 5 MiB of each but the last.
const PART_BYTES: usize = 8 * 1024 * 1024;
/// S3 takes so many parts of a file.
const MAX_NUMBER: u32 = 10_000;
/// What sending and recording may take. No page is read with less than this left.
const SENDING_TIME: Duration = Duration::from_secs(45);

/// Writes exports of leads into files.
#[derive(Debug, Clone)]
pub struct Exporter {
    /// Stores the leads and the exports.
    pub table: Table,
    /// Stores the files.
    pub files: Files,
    /// Receives what is left for another call.
    pub queue: Queue<ExportJob>,
    /// Signs cursors.
    pub key: HmacKey,
    /// The size from which rows are sent as a part, and the leads that are read at once.
    pub(super) sizes: (usize, usize),
}

impl Exporter {
    /// Leads that are read at once.
    pub const PAGE: usize = 500;

    /// A worker of the exports of these.
    #[must_use]
    pub fn new(exports: Exports) -> Self {
        let Exports { table, files, queue, key } = exports;
        Self { table, files, queue, key, sizes: (PART_BYTES, Self::PAGE) }
    }

    /// Writes an export as far as it gets in `time_left`; the rest is another message. What does not run is left alone.
    ///
    /// # Errors
    /// If a service fails. The next worker goes on where the last record ended.
    pub async fn export(
        &self,
        job: &ExportJob,
        time_left: Duration,
        clock: &impl Fn() -> Timestamp,
    ) -> Result<(), WorkError> {
        let until = Instant::now() + time_left.saturating_sub(SENDING_TIME);
        let scope = job.scope();
        loop {
            let Some(export) = self.table.export(&scope, &job.export).await? else { return Ok(()) };
            if export.state != ExportState::Running {
                return Ok(());
            }
            if export.progress.is_read {
                return self.complete(&scope, &export).await;
            }
            let went_on = match self.go_on(&scope, &export, until, clock).await {
                Ok(went_on) => went_on,
                // Its query is not understood any more, or the place in its list.
                Err(ActError::Work(error)) => return Err(error),
                Err(error) => {
                    tracing::error!(%error, org = %scope.org(), export = %export.id, "an export cannot go on");
                    self.end(&scope, &export, (ExportState::Failed, None)).await?;
                    return Ok(());
                }
            };
            if !went_on {
                // Another worker was faster, or it was deleted.
                return Ok(());
            }
            if Instant::now() >= until {
                self.queue.send(std::slice::from_ref(job)).await?;
                return Ok(());
            }
        }
    }

    /// Reads leads until there are enough for a part, the list ends or the time does; and records it. `false` if it was
    /// recorded by another worker, or is not wanted any more.
    async fn go_on(
        &self,
        scope: &OrgScope,
        export: &LeadExport,
        until: Instant,
        clock: &impl Fn() -> Timestamp,
    ) -> Result<bool, ActError> {
        let key = FileKey::of_export(scope, &export.id);
        let Some(upload) = self.upload(scope, export, &key).await? else { return Ok(false) };
        let seen = &export.progress;
        let mut next = ExportProgress { version: seen.version + 1, remainder: None, ..seen.clone() };
        let mut rows = match seen.remainder {
            None => Vec::new(),
            Some(number) => match self.remainder(scope, export, number).await {
                // Another worker went on from there.
                Err(FileError::Missing) => return Ok(false),
                read => read?,
            },
        };
        let lister = LeadLister { table: &self.table, key: &self.key };
        // One page is always read, so that each call goes on.
        let (part_bytes, page_size) = self.sizes;
        while !next.is_read && rows.len() < part_bytes {
            let page = lister.list(scope, &export.query, next.cursor.as_deref(), page_size).await?;
            if rows.is_empty() && next.leads == 0 && (!page.items.is_empty() || page.next_cursor.is_none()) {
                next.columns = columns_of(&page.items);
                rows = header(&next.columns);
            }
            rows.extend(lines(&next.columns, &page.items));
            next.leads += page.items.len() as u64;
            next.is_read = page.next_cursor.is_none();
            next.cursor = page.next_cursor;
            if Instant::now() >= until {
                break;
            }
        }
        next.changed_at = Some(clock());
        if rows.is_empty() {
            return Ok(self.table.advance_export(scope, &export.id, &next).await?);
        }
        let Some(number) = self.table.number_of_export(scope, &export.id).await? else { return Ok(false) };
        if number > MAX_NUMBER {
            tracing::error!(org = %scope.org(), export = %export.id, "an export has too many parts");
            self.end(scope, export, (ExportState::Failed, None)).await?;
            return Ok(false);
        }
        let is_part = next.is_read || rows.len() >= part_bytes;
        let own = FileKey::of_remainder(scope, &export.id, number);
        if is_part {
            match self.files.send_part(&key, &upload, number, rows).await {
                Ok(tag) => next.parts.push((number, tag)),
                // It was completed or aborted meanwhile.
                Err(FileError::Missing) => return Ok(false),
                Err(error) => return Err(error.into()),
            }
        } else {
            self.files.write(&own, "text/csv", rows).await?;
            next.remainder = Some(number);
        }
        let is_recorded = self.table.advance_export(scope, &export.id, &next).await?;
        // What is in no file any more, or never will be. The bucket deletes what stays for another reason.
        let stale = if is_recorded { seen.remainder } else { next.remainder };
        if let Some(stale) = stale {
            self.files.delete(&FileKey::of_remainder(scope, &export.id, stale)).await?;
        }
        Ok(is_recorded)
    }

    async fn remainder(&self, scope: &OrgScope, export: &LeadExport, number: u32) -> Result<Vec<u8>, FileError> {
        self.files.read(&FileKey::of_remainder(scope, &export.id, number), 0, PART_BYTES as u64).await
    }

    /// The upload of an export, begun if it has none. `None` if it does not run any more.
    async fn upload(&self, scope: &OrgScope, export: &LeadExport, key: &FileKey) -> Result<Option<String>, ActError> {
        if let Some(upload) = &export.upload {
            return Ok(Some(upload.clone()));
        }
        let upload = self.files.begin_parts(key, "text/csv").await?;
        if self.table.begin_export(scope, &export.id, &upload).await? {
            return Ok(Some(upload));
        }
        self.files.abort_parts(key, &upload).await?;
        Ok(None)
    }

    async fn complete(&self, scope: &OrgScope, export: &LeadExport) -> Result<(), WorkError> {
        let key = FileKey::of_export(scope, &export.id);
        let upload = export.upload.as_deref().unwrap_or_default();
        match self.files.complete_parts(&key, upload, &export.progress.parts).await {
            // Whether it was completed before, the file says.
            Ok(()) | Err(FileError::Missing) => {}
            Err(error) => return Err(error.into()),
        }
        let end = match self.files.head(&key).await {
            Ok(file) => (ExportState::Done, Some(file.bytes)),
            Err(FileError::Missing) => (ExportState::Failed, None),
            Err(error) => return Err(error.into()),
        };
        self.end(scope, export, end).await
    }

    async fn end(
        &self,
        scope: &OrgScope,
        export: &LeadExport,
        (state, bytes): (ExportState, Option<u64>),
    ) -> Result<(), WorkError> {
        let leads = export.progress.leads;
        if self.table.end_export(scope, &export.id, (state, bytes)).await? {
            tracing::info!(org = %scope.org(), export = %export.id, ?state, leads, bytes, "an export ended");
        } else if self.table.export(scope, &export.id).await?.is_none_or(|now| now.state == ExportState::Erased) {
            // It was revoked between the completion of its file and this.
            self.files.delete(&FileKey::of_export(scope, &export.id)).await?;
        }
        Ok(())
    }
}
