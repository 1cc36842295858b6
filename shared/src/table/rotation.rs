//! The rotation of an org: the roster changes with the users, the cursor with every chunk of leads. They are two items,
//! because a write costs as much as its item is large.

use aws_sdk_dynamodb::types::{AttributeValue, Put, TransactWriteItem, Update};
use serde::{Deserialize, Serialize};

use super::keys::{self, Key};
use super::row::Row;
use super::shape::ItemKind;
use super::{Item, Table, TableError, entity, pause};
use crate::aws::AwsError;
use crate::ids::{OrgScope, UserId};
use crate::model::lead::assignment::{Rotation, TurnLease};

/// The users in turn, and how many users the org has in all.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Roster {
    pub(super) version: u64,
    pub(super) in_turn: Vec<UserId>,
    pub(super) users: usize,
}

/// Whose turn it is. Every change of the roster changes it too, so that its version stands for both.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Cursor {
    version: u64,
    roster_version: u64,
    next: usize,
    lease: Option<TurnLease>,
}

fn number(number: u64) -> AttributeValue {
    AttributeValue::N(number.to_string())
}

/// The keys of both items of the org's rotation.
pub(super) fn rotation_keys(scope: &OrgScope) -> [Key; 2] {
    [keys::rotation(scope), keys::roster(scope)]
}

/// Makes the rotation of its two items. `None` if one was changed while they were read.
pub(super) fn rotation_of(
    cursor: Option<Item>,
    roster: Option<Item>,
) -> Result<Option<(Rotation, Roster)>, TableError> {
    let cursor: Cursor = cursor.map(entity).transpose()?.unwrap_or_default();
    let roster: Roster = roster.map(entity).transpose()?.unwrap_or_default();
    if cursor.roster_version != roster.version {
        return Ok(None);
    }
    let rotation =
        Rotation { version: cursor.version, roster: roster.in_turn.clone(), next: cursor.next, lease: cursor.lease };
    Ok(Some((rotation, roster)))
}

impl Table {
    /// Reads the org's rotation; a new one if none is stored.
    pub async fn rotation(&self, scope: &OrgScope) -> Result<Rotation, TableError> {
        Ok(self.rotation_and_roster(scope).await?.0)
    }

    pub(super) async fn rotation_and_roster(&self, scope: &OrgScope) -> Result<(Rotation, Roster), TableError> {
        const MAX_TRIES: u32 = 12;
        let keys = rotation_keys(scope);
        for attempt in 1..=MAX_TRIES {
            let mut found = self.batch_get(&keys).await?;
            let [cursor, roster] = keys.each_ref().map(|key| found.remove(key));
            match rotation_of(cursor, roster)? {
                Some(rotation) => return Ok(rotation),
                None => pause(attempt).await,
            }
        }
        Err(TableError::Contended(MAX_TRIES))
    }

    /// Moves the cursor of the same version on, as the next version. `roster` is the version of a new roster.
    pub(super) fn cursor_write(
        &self,
        scope: &OrgScope,
        rotation: &Rotation,
        roster: Option<u64>,
    ) -> Result<TransactWriteItem, TableError> {
        let mut sets = vec!["#type = :type", "version = :version", "#next = :next"];
        let mut update = Update::builder()
            .table_name(&self.name)
            .set_key(Some(keys::rotation(scope).attributes()))
            .condition_expression("attribute_not_exists(pk) OR version = :seen")
            .expression_attribute_names("#type", "type")
            .expression_attribute_names("#next", "next")
            .expression_attribute_values(":type", ItemKind::Rotation.attribute())
            .expression_attribute_values(":seen", number(rotation.version))
            .expression_attribute_values(":version", number(rotation.version + 1))
            .expression_attribute_values(":next", number(rotation.next as u64));
        if let Some(roster) = roster {
            sets.push("roster_version = :roster");
            update = update.expression_attribute_values(":roster", number(roster));
        }
        let mut remove = " REMOVE lease";
        if let Some(lease) = &rotation.lease {
            remove = "";
            sets.push("lease = :lease");
            update = update.expression_attribute_values(":lease", serde_dynamo::to_attribute_value(lease)?);
        }
        let update = update.update_expression(format!("SET {}{remove}", sets.join(", "))).build();
        let update = update.map_err(|error| TableError::Failed(AwsError::new(error)))?;
        Ok(TransactWriteItem::builder().update(update).build())
    }

    /// Replaces the roster of the version before.
    pub(super) fn roster_write(&self, scope: &OrgScope, roster: &Roster) -> Result<TransactWriteItem, TableError> {
        let put = Put::builder()
            .table_name(&self.name)
            .set_item(Some(Row::new(&keys::roster(scope), ItemKind::Roster, roster).item()?))
            .condition_expression("attribute_not_exists(pk) OR version = :seen")
            .expression_attribute_values(":seen", number(roster.version - 1));
        let put = put.build().map_err(|error| TableError::Failed(AwsError::new(error)))?;
        Ok(TransactWriteItem::builder().put(put).build())
    }

    /// Takes the lease of a rotation. `false` if it is not as it was seen any more, or if there is no rotation.
    pub async fn take_turn_lease(
        &self,
        scope: &OrgScope,
        seen: Option<&TurnLease>,
        lease: &TurnLease,
    ) -> Result<bool, TableError> {
        let change = self.change(&keys::rotation(scope)).set("lease", lease)?.if_exists();
        change.if_unchanged("lease", &seen)?.send().await
    }

    /// Gives a lease back, unless it has ended or another writer has it by now.
    pub async fn release_turn_lease(&self, scope: &OrgScope, lease: &TurnLease) -> Result<(), TableError> {
        let change = self.change(&keys::rotation(scope)).set("lease", &None::<()>)?;
        change.if_unchanged("lease", lease)?.send().await.map(drop)
    }

    /// Reads who has the lease, ended or not.
    pub async fn turn_lease(&self, scope: &OrgScope) -> Result<Option<TurnLease>, TableError> {
        let cursor: Option<Cursor> = self.get(&keys::rotation(scope)).await?;
        Ok(cursor.and_then(|cursor| cursor.lease))
    }
}
