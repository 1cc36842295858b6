//! Changes of several leads at once, kept for a day so that they can be undone.

use jiff::SignedDuration;

use super::row::Row;
use super::shape::ItemKind;
use super::{Table, TableError, keys};
use crate::ids::{BulkChangeId, OrgScope};
use crate::model::lead::bulk::BulkChangePart;

const BULK_CHANGE_TTL: SignedDuration = SignedDuration::from_hours(24);

impl Table {
    /// Stores a part of a change, in place of what was stored of that part.
    pub async fn put_bulk_change(&self, scope: &OrgScope, part: &BulkChangePart) -> Result<(), TableError> {
        let key = keys::bulk_change(scope, &part.change, part.part);
        self.put(Row::new(&key, ItemKind::BulkChange, part).ttl((part.at + BULK_CHANGE_TTL).as_second())).await
    }

    /// Reads what is left of a change: its parts, in their order.
    pub async fn bulk_change(&self, scope: &OrgScope, id: &BulkChangeId) -> Result<Vec<BulkChangePart>, TableError> {
        self.query(&keys::bulk_change_pk(scope, id), keys::BULK_CHANGE_PREFIX).await
    }

    /// Deletes a part of a change that is undone.
    pub async fn delete_bulk_change(&self, scope: &OrgScope, part: &BulkChangePart) -> Result<(), TableError> {
        self.delete(&keys::bulk_change(scope, &part.change, part.part)).await
    }
}
