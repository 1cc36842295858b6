//! Integrations.

use super::keys;
use super::{Row, Table, TableError};
use crate::ids::{IntegrationId, OrgScope};
use crate::model::integration::Integration;

impl Table {
    /// One integration of the org.
    ///
    /// # Errors
    /// If the table cannot be read.
    pub async fn integration(&self, scope: &OrgScope, id: &IntegrationId) -> Result<Option<Integration>, TableError> {
        self.get(&keys::integration(scope, id)).await
    }

    /// The org's integrations, oldest first.
    ///
    /// # Errors
    /// If the table cannot be read.
    pub async fn integrations(&self, scope: &OrgScope) -> Result<Vec<Integration>, TableError> {
        self.query(&keys::org_pk(scope), keys::INTEGRATION_PREFIX).await
    }

    /// Stores an integration.
    ///
    /// # Errors
    /// If the table cannot be written.
    pub async fn put_integration(&self, scope: &OrgScope, integration: &Integration) -> Result<(), TableError> {
        self.put(Row::new(&keys::integration(scope, &integration.id), "integration", integration)).await
    }
}
