//! Contacts: the people of the inbox, found by id, by identity, and by when they were first seen.

use std::collections::BTreeSet;

use aws_sdk_dynamodb::types::Put;

use super::commit::CommitOutcome;
use super::inbox::{InboxPosition, Pointer, put_write};
use super::keys::{self, Key};
use super::row::Row;
use super::shape::ItemKind;
use super::{IndexRange, Item, Table, TableError, delete_request, entity};
use crate::ids::{ContactId, LeadId, OrgScope};
use crate::model::inbox::Contact;
use crate::model::inbox::people::Identity;

impl Table {
    /// Reads a contact.
    pub async fn contact(&self, scope: &OrgScope, id: &ContactId) -> Result<Option<Contact>, TableError> {
        self.get(&keys::contact(scope, id)).await
    }

    /// Reads contacts, in the order of `ids`. Missing ones are omitted.
    pub async fn contacts_by_id(
        &self,
        scope: &OrgScope,
        ids: &BTreeSet<ContactId>,
    ) -> Result<Vec<Contact>, TableError> {
        let keys: Vec<Key> = ids.iter().map(|id| keys::contact(scope, id)).collect();
        self.read_all(&keys).await
    }

    /// Finds the contact to which the first known of these identities belongs.
    pub async fn contact_of(&self, scope: &OrgScope, identities: &[Identity]) -> Result<Option<ContactId>, TableError> {
        let keys: Vec<Key> = identities.iter().map(|identity| keys::identity(scope, identity)).collect();
        let mut found = self.batch_get(&keys).await?;
        let first = keys.iter().find_map(|key| found.remove(key));
        first.map(|item| Ok(entity::<Pointer<ContactId>>(item)?.to)).transpose()
    }

    /// Stores a changed contact with the identities that are now its own, all or none. `false` if another writer changed
    /// the contact first.
    pub async fn put_contact(
        &self,
        scope: &OrgScope,
        contact: &mut Contact,
        identities: &[Identity],
    ) -> Result<bool, TableError> {
        let seen = contact.revision;
        contact.revision += 1;
        let item = contact_item(scope, contact)?;
        if identities.is_empty() {
            return self.put_revision(item, seen).await;
        }
        let mut writes = vec![self.revision_write(item, seen)?];
        for identity in identities {
            let key = keys::identity(scope, identity);
            let item = Row::new(&key, ItemKind::Identity, &Pointer { to: contact.id.clone() }).item()?;
            writes.push(put_write(Put::builder().table_name(&self.name).set_item(Some(item)))?);
        }
        Ok(self.transact(writes).await? == CommitOutcome::Committed)
    }

    /// Stores two changed contacts, both or none. `false` if another writer changed one of them first.
    pub async fn put_contacts(
        &self,
        scope: &OrgScope,
        one: &mut Contact,
        other: &mut Contact,
    ) -> Result<bool, TableError> {
        let mut writes = Vec::new();
        for contact in [one, other] {
            let seen = contact.revision;
            contact.revision += 1;
            writes.push(self.revision_write(contact_item(scope, contact)?, seen)?);
        }
        Ok(self.transact(writes).await? == CommitOutcome::Committed)
    }

    /// Deletes a contact with its identities and those that it took over. Already deleted counts as success.
    pub async fn delete_contact(&self, scope: &OrgScope, contact: &Contact) -> Result<(), TableError> {
        let identities = contact.identities().into_iter().map(|identity| keys::identity(scope, &identity));
        let merged = contact.merged.iter().map(|id| keys::contact(scope, id));
        let keys: Vec<Key> = identities.chain(merged).collect();
        self.write_many(keys.iter().map(delete_request).collect::<Result<_, _>>()?).await?;
        // The last, so that a repetition finds what is left.
        self.delete(&keys::contact(scope, &contact.id)).await
    }

    /// Returns the contacts that are joined with a lead. One joined an instant ago may be missing.
    pub async fn contacts_of_lead(&self, scope: &OrgScope, lead: &LeadId) -> Result<Vec<ContactId>, TableError> {
        let items = self.index_items(&keys::contacts_of_lead(scope, lead), IndexRange::All).await?;
        let ids = items.iter().filter_map(|item| ContactId::parse(item.get("gsi1sk")?.as_s().ok()?).ok());
        Ok(ids.collect())
    }

    /// Lists up to `limit` of the org's contacts, newest first, after `after`.
    pub async fn contacts(
        &self,
        scope: &OrgScope,
        after: Option<&InboxPosition>,
        limit: usize,
    ) -> Result<Vec<(InboxPosition, Contact)>, TableError> {
        self.newest(&keys::contacts_of_org(scope), after, limit).await
    }
}

fn contact_item(scope: &OrgScope, contact: &Contact) -> Result<Item, TableError> {
    let key = keys::contact(scope, &contact.id);
    let row = Row::new(&key, ItemKind::Contact, contact);
    // One that was taken over by another is in no list.
    match contact.merged_into {
        None => {
            let row = row.in_list(keys::contact_list(scope, contact.created_at, &contact.id));
            match &contact.lead_id {
                Some(lead) => row.indexed(keys::lead_contact(scope, lead, &contact.id)).item(),
                None => row.item(),
            }
        }
        Some(_) => row.item(),
    }
}
