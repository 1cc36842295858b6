//! The views of the list of leads that people keep.

use super::keys;
use super::row::Row;
use super::shape::ItemKind;
use super::{Table, TableError};
use crate::ids::{OrgScope, UserId};
use crate::model::lead::view::LeadView;

impl Table {
    /// Lists a person's views by name.
    pub async fn lead_views(&self, scope: &OrgScope, user: &UserId) -> Result<Vec<LeadView>, TableError> {
        self.query(&keys::lead_views_pk(scope, user), keys::LEAD_VIEW_PREFIX).await
    }

    /// Stores a view, in place of the one of the same name.
    pub async fn put_lead_view(&self, scope: &OrgScope, user: &UserId, view: &LeadView) -> Result<(), TableError> {
        self.put(Row::new(&keys::lead_view(scope, user, &view.name), ItemKind::LeadView, view)).await
    }

    /// Deletes a view. Already deleted counts as success.
    pub async fn delete_lead_view(&self, scope: &OrgScope, user: &UserId, name: &str) -> Result<(), TableError> {
        self.delete(&keys::lead_view(scope, user, name)).await
    }
}
