//! Imports of files: which leads each brought, and their removal.

use std::collections::BTreeSet;

use aws_sdk_dynamodb::types::{AttributeValue, Delete, TransactWriteItem, Update};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::commit::{CommitOutcome, broken};
use super::keys::{self, Key};
use super::lead::{PersonClaim, StoredLead};
use super::row::Row;
use super::shape::ItemKind;
use super::{Table, TableError, delete_request, entity, text};
use crate::ids::{ImportId, LeadId, OrgScope};
use crate::model::connection::Connection;
use crate::model::lead::file_import::{FileImport, IMPORT_LIFETIME, ImportRemoval, ImportUndo};
use crate::model::lead::identity::{PersonKey, person_keys};
use crate::model::lead::{Lead, Submission};

/// Leads that an import is about to store together.
#[derive(Serialize, Deserialize)]
pub(super) struct ImportPart {
    leads: BTreeSet<LeadId>,
}

impl Table {
    /// Stores an import that is about to begin. `false` if there is one with this id.
    pub async fn insert_import(&self, scope: &OrgScope, import: &FileImport) -> Result<bool, TableError> {
        let key = keys::import(scope, &import.id);
        let row = Row::new(&key, ItemKind::Import, import).ttl(import.undo_until().as_second());
        Ok(self.transact(vec![self.insert(row.item()?)?]).await? == CommitOutcome::Committed)
    }

    /// Reads an import.
    pub async fn import(&self, scope: &OrgScope, id: &ImportId) -> Result<Option<FileImport>, TableError> {
        self.get(&keys::import(scope, id)).await
    }

    /// Lists the org's imports.
    pub async fn imports(&self, scope: &OrgScope) -> Result<Vec<FileImport>, TableError> {
        self.query(&keys::imports_pk(scope), "IMPORT#").await
    }

    /// Records what came of an import.
    pub async fn end_import(&self, scope: &OrgScope, ended: &FileImport) -> Result<(), TableError> {
        let change = self.change(&keys::import(scope, &ended.id)).if_exists();
        let change = change.set("ended_at", &ended.ended_at)?.set("created", &ended.created)?;
        let change = change.set("merged", &ended.merged)?.set("in_before", &ended.in_before)?;
        change.set("failed", &ended.failed)?.send().await.map(drop)
    }

    /// Records how far the undoing of an import is.
    pub async fn set_undo(&self, scope: &OrgScope, id: &ImportId, undo: &ImportUndo) -> Result<(), TableError> {
        self.change(&keys::import(scope, id)).if_exists().set("undo", undo)?.send().await.map(drop)
    }

    /// Records which leads an import is about to store. Of these, those are its own whose provenance names it.
    pub async fn insert_import_part(
        &self,
        scope: &OrgScope,
        import: &ImportId,
        first_line: u64,
        leads: BTreeSet<LeadId>,
        now: Timestamp,
    ) -> Result<(), TableError> {
        let key = keys::import_part(scope, import, first_line);
        self.put(Row::new(&key, ItemKind::ImportPart, &ImportPart { leads }).ttl((now + IMPORT_LIFETIME).as_second()))
            .await
    }

    /// Returns what may be of an import: all that it was about to store.
    pub async fn import_leads(&self, scope: &OrgScope, import: &ImportId) -> Result<BTreeSet<LeadId>, TableError> {
        let parts: Vec<ImportPart> = self.query(&keys::import_pk(scope, import), "PART#").await?;
        Ok(parts.into_iter().flat_map(|part| part.leads).collect())
    }

    /// Removes a lead that an import brought, as if it had never come: its place is free again. `None` if it is not as it
    /// was read.
    pub async fn remove_imported_lead(
        &self,
        scope: &OrgScope,
        import: &ImportId,
        lead: &Lead,
        now: Timestamp,
    ) -> Result<Option<ImportRemoval>, TableError> {
        let condition = self.change(&keys::lead(scope, &lead.id)).if_unchanged("type", &ItemKind::Lead)?;
        let condition = condition.if_unchanged("status", &lead.status)?.if_unchanged("note", &lead.note)?;
        let condition = condition.if_unchanged("assigned_to", &lead.assigned_to)?.if_unchanged("value", &lead.value)?;
        let condition = condition.if_unchanged("assignment", &lead.assignment)?;
        let condition = condition.if_unchanged("submissions_count", &lead.submissions_count)?;
        let condition = condition.if_unchanged("lost_reason", &lead.lost_reason)?;
        let mut writes = vec![condition.into_delete()?];
        let persons = person_keys(lead.email.as_deref(), lead.phone.as_deref());
        writes.extend(self.claims_to_release(scope, &lead.id, persons).await?);
        if let Some(page) = lead.page_id.as_ref().filter(|_| !lead.test) {
            // One that was connected again since has counted nothing of the import.
            let counted = |connection: &Connection| connection.found.found_import > 0;
            if let Some(connection) = self.own_connections(scope, page).await?.into_iter().find(counted) {
                let key = keys::connection(scope, &connection.integration_id, page);
                let count = Update::builder().table_name(&self.name).set_key(Some(key.attributes()));
                let count = count.condition_expression("found_import >= :one AND leads_count >= :one");
                let count = count.update_expression("ADD leads_count :less, found_import :less");
                let count = count.expression_attribute_values(":one", AttributeValue::N("1".to_owned()));
                let count = count.expression_attribute_values(":less", AttributeValue::N("-1".to_owned()));
                writes.push(TransactWriteItem::builder().update(count.build().map_err(broken)?).build());
            }
        }
        let removal = ImportRemoval::new(&lead.id, lead.leadgen_id.as_ref(), None, now);
        writes.push(self.insert(self.removal_item(scope, import, &removal)?)?);
        Ok((self.transact(writes).await? == CommitOutcome::Committed).then_some(removal))
    }

    /// Removes a later submission that an import brought. `persons` are those that nothing else of its lead names. They
    /// were read when the lead had `count` later submissions. `None` if it is gone, or if there are more or fewer now.
    pub async fn remove_imported_submission(
        &self,
        scope: &OrgScope,
        import: &ImportId,
        submission: &Submission,
        count: u32,
        persons: Vec<PersonKey>,
        now: Timestamp,
    ) -> Result<Option<ImportRemoval>, TableError> {
        let condition = self.change(&keys::lead(scope, &submission.id)).if_unchanged("type", &ItemKind::Submission)?;
        let mut writes = vec![condition.into_delete()?];
        let lead = self.change(&keys::lead(scope, &submission.lead_id)).if_unchanged("type", &ItemKind::Lead)?;
        let lead = lead.if_unchanged("submissions_count", &count)?;
        writes.push(lead.set("submissions_count", &count.saturating_sub(1))?.into_write()?);
        writes.extend(self.claims_to_release(scope, &submission.lead_id, persons).await?);
        let (id, leadgen_id) = (&submission.id, submission.leadgen_id.as_ref());
        let removal = ImportRemoval::new(id, leadgen_id, Some(&submission.lead_id), now);
        writes.push(self.insert(self.removal_item(scope, import, &removal)?)?);
        Ok((self.transact(writes).await? == CommitOutcome::Committed).then_some(removal))
    }

    fn removal_item(
        &self,
        scope: &OrgScope,
        import: &ImportId,
        removal: &ImportRemoval,
    ) -> Result<super::Item, TableError> {
        let key = keys::import_removal(scope, import, &removal.id);
        Row::new(&key, ItemKind::ImportRemoval, removal).ttl((removal.at + IMPORT_LIFETIME).as_second()).item()
    }

    /// The deletions of these persons' registrations under a lead.
    async fn claims_to_release(
        &self,
        scope: &OrgScope,
        lead: &LeadId,
        persons: Vec<PersonKey>,
    ) -> Result<Vec<TransactWriteItem>, TableError> {
        let keys: Vec<Key> = persons.iter().map(|person| keys::person(scope, person)).collect();
        let mut writes = Vec::new();
        for (key, item) in self.batch_get(&keys).await? {
            if entity::<PersonClaim>(item)?.lead_id == *lead {
                let delete = Delete::builder().table_name(&self.name).set_key(Some(key.attributes()));
                let delete = delete.condition_expression("lead_id = :lead");
                let delete = delete.expression_attribute_values(":lead", text(lead.as_str()));
                writes.push(TransactWriteItem::builder().delete(delete.build().map_err(broken)?).build());
            }
        }
        Ok(writes)
    }

    /// Lists what was removed.
    pub async fn removals(&self, scope: &OrgScope, import: &ImportId) -> Result<Vec<ImportRemoval>, TableError> {
        self.query(&keys::import_pk(scope, import), "REMOVAL#").await
    }

    /// Deletes what is left beside a removed submission, except for what is still to be delivered of it, and marks its
    /// removal as published.
    pub async fn settle_removal(
        &self,
        scope: &OrgScope,
        import: &ImportId,
        removal: &ImportRemoval,
    ) -> Result<(), TableError> {
        let place = keys::lead(scope, &removal.id);
        // The same file may have been imported again meanwhile.
        let is_free = self.get_item(&place).await?.is_none();
        let beside = self.keys_of_partition(&place.pk).await?.into_iter();
        let beside = beside.filter(|key| is_free && *key != place && !key.sk.starts_with(keys::EVENT_PREFIX));
        self.write_many(beside.map(|key| delete_request(&key)).collect::<Result<_, _>>()?).await?;
        let change = self.change(&keys::import_removal(scope, import, &removal.id)).if_exists();
        change.set("published", &true)?.send().await.map(drop)
    }

    /// Whether a lead is only what an import made of it, and no one used it since.
    pub async fn is_untouched(&self, scope: &OrgScope, lead: &Lead) -> Result<bool, TableError> {
        Ok(lead.is_untouched() && self.contacts_of_lead(scope, &lead.id).await?.is_empty())
    }

    /// Reads what there is of these leads.
    pub async fn of_import(&self, scope: &OrgScope, import: &ImportId) -> Result<Vec<StoredLead>, TableError> {
        let ids = self.import_leads(scope, import).await?;
        let mut stored = self.find_leads(scope, &ids).await?;
        stored.retain(|stored| stored.provenance().import_id.as_ref() == Some(import));
        Ok(stored)
    }
}
