//! Exports of leads.

use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue};

use super::keys;
use super::row::Row;
use super::shape::ItemKind;
use super::{Table, TableError, if_held, text};
use crate::ids::{ExportId, OrgScope};
use crate::model::lead::export::{EXPORT_LIFETIME, ExportProgress, ExportState, LeadExport};

impl Table {
    /// Stores an export that is about to begin.
    pub async fn insert_export(&self, scope: &OrgScope, export: &LeadExport) -> Result<(), TableError> {
        let until = (export.requested_at + EXPORT_LIFETIME).as_second();
        self.put(Row::new(&keys::export(scope, &export.id), ItemKind::Export, export).ttl(until)).await
    }

    /// Reads an export.
    pub async fn export(&self, scope: &OrgScope, id: &ExportId) -> Result<Option<LeadExport>, TableError> {
        self.get(&keys::export(scope, id)).await
    }

    /// Lists the org's exports, oldest first.
    pub async fn exports(&self, scope: &OrgScope) -> Result<Vec<LeadExport>, TableError> {
        self.query(&keys::exports_pk(scope), "EXPORT#").await
    }

    /// Records the upload of a running export. `false` if it has one, or does not run.
    pub async fn begin_export(&self, scope: &OrgScope, id: &ExportId, upload: &str) -> Result<bool, TableError> {
        let change = self.change(&keys::export(scope, id)).if_unchanged("state", &ExportState::Running)?;
        change.if_unchanged("upload", &None::<()>)?.set("upload", &upload)?.send().await
    }

    /// Returns a number that no other worker got, greater than all before. `None` if the export does not run.
    pub async fn number_of_export(&self, scope: &OrgScope, id: &ExportId) -> Result<Option<u32>, TableError> {
        let update = self.client.update_item().table_name(&self.name);
        let counted = update
            .set_key(Some(keys::export(scope, id).attributes()))
            .update_expression("ADD numbers :one")
            .condition_expression("#state = :running")
            .expression_attribute_names("#state", "state")
            .expression_attribute_values(":one", AttributeValue::N("1".to_owned()))
            .expression_attribute_values(":running", text("running"))
            .return_values(ReturnValue::UpdatedNew)
            .send()
            .await;
        let numbers = if_held(counted)?.and_then(|counted| counted.attributes?.remove("numbers"));
        Ok(numbers.and_then(|number| number.as_n().ok()?.parse().ok()))
    }

    /// Records how far a running export is. `false` if it is not where `next` was made from, or does not run.
    pub async fn advance_export(
        &self,
        scope: &OrgScope,
        id: &ExportId,
        next: &ExportProgress,
    ) -> Result<bool, TableError> {
        let change = self.change(&keys::export(scope, id)).if_unchanged("state", &ExportState::Running)?;
        change.if_unchanged("version", &next.version.saturating_sub(1))?.set_all(next, &[])?.send().await
    }

    /// Ends a running export, with the size of its file if that is complete. `false` if it does not run.
    pub async fn end_export(
        &self,
        scope: &OrgScope,
        id: &ExportId,
        (state, bytes): (ExportState, Option<u64>),
    ) -> Result<bool, TableError> {
        let change = self.change(&keys::export(scope, id)).if_unchanged("state", &ExportState::Running)?;
        change.set("state", &state)?.set("bytes", &bytes)?.send().await
    }

    /// Makes an export one whose file is to be deleted. It keeps who requested it and when, and what names its files;
    /// which leads it had may name a person.
    pub async fn revoke_export(&self, scope: &OrgScope, export: &LeadExport) -> Result<(), TableError> {
        let progress = ExportProgress { version: u32::MAX, ..ExportProgress::default() };
        let change = self.change(&keys::export(scope, &export.id)).if_exists();
        let change = change
            .set("state", &ExportState::Erased)?
            .set("query", &crate::model::lead::query::LeadQuery::default())?;
        change.set_all(&progress, &[])?.set("bytes", &None::<()>)?.send().await.map(drop)
    }

    /// Forgets the upload of an export whose files are deleted.
    pub async fn forget_upload(&self, scope: &OrgScope, id: &ExportId) -> Result<(), TableError> {
        self.change(&keys::export(scope, id)).if_exists().set("upload", &None::<()>)?.send().await.map(drop)
    }

    /// Deletes an export.
    pub async fn delete_export(&self, scope: &OrgScope, id: &ExportId) -> Result<(), TableError> {
        self.delete(&keys::export(scope, id)).await
    }
}
