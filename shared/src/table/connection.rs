//! Connections: pages of integrations, found by page when a lead comes and by org when an admin looks.

use jiff::Timestamp;

use super::keys::{self, Key};
use super::{Table, TableError};
use crate::ids::{IntegrationId, OrgScope, PageId};
use crate::model::connection::standing::Ended;
use crate::model::connection::{Choice, Connection};

impl Table {
    /// Everybody who gets this page's leads, oldest integration first.
    ///
    /// # Errors
    /// If the table cannot be read.
    pub async fn connections_of_page(&self, page: &PageId) -> Result<Vec<(OrgScope, Connection)>, TableError> {
        let mut connections = self.ever_connected(page).await?;
        connections.retain(|(_, connection)| connection.is_connected());
        Ok(connections)
    }

    /// The same, and everybody who got them while it was connected.
    ///
    /// # Errors
    /// If the table cannot be read.
    pub async fn ever_connected(&self, page: &PageId) -> Result<Vec<(OrgScope, Connection)>, TableError> {
        let connections: Vec<Connection> = self.query(&keys::page_pk(page), keys::CONNECTION_PREFIX).await?;
        Ok(connections.into_iter().map(|connection| (OrgScope::of(connection.org.clone()), connection)).collect())
    }

    /// The org's pages, by integration and page, those that nobody takes leads from included. One that came an instant
    /// ago may be missing.
    ///
    /// # Errors
    /// If the table cannot be read.
    pub async fn pages(&self, scope: &OrgScope) -> Result<Vec<Connection>, TableError> {
        let keys = self.index_keys(&keys::connections_of_org(scope)).await?;
        self.read_all(&keys).await
    }

    /// The pages of one integration, as [`Table::pages`].
    ///
    /// # Errors
    /// If the table cannot be read.
    pub async fn pages_of(&self, scope: &OrgScope, id: &IntegrationId) -> Result<Vec<Connection>, TableError> {
        let mut pages = self.pages(scope).await?;
        pages.retain(|page| page.integration_id == *id);
        Ok(pages)
    }

    /// The org's connections: the pages that leads are taken from.
    ///
    /// # Errors
    /// If the table cannot be read.
    pub async fn connections(&self, scope: &OrgScope) -> Result<Vec<Connection>, TableError> {
        let mut pages = self.pages(scope).await?;
        pages.retain(Connection::is_connected);
        Ok(pages)
    }

    /// Stores a page that Meta gave just now. What it has counted so far, and since when it is there, stay if it was
    /// there before.
    ///
    /// # Errors
    /// If the table cannot be written.
    pub async fn save_connection(&self, scope: &OrgScope, connection: &Connection) -> Result<(), TableError> {
        const KEPT: [&str; 13] = [
            "leads_count",
            "found_webhook",
            "found_sweep",
            "found_sync",
            "found_import",
            "found_backfill",
            "swept_until",
            "last_lead_at",
            "last_test_lead_at",
            "last_webhook_at",
            "connected_at",
            "usual_silence_s",
            "quiet_since",
        ];
        let change = self.change(&key_of(scope, connection)).set("type", &"connection")?.set_all(connection, &KEPT)?;
        let index = keys::connection_index(scope, &connection.integration_id, &connection.page_id);
        change.index(Some(index)).send().await.map(drop)
    }

    /// Changes whether leads are taken from a page; from `now` on, if they are. `false` if the page is gone.
    ///
    /// # Errors
    /// If the table cannot be written.
    pub async fn choose(
        &self,
        scope: &OrgScope,
        connection: &Connection,
        choice: Choice,
        now: Timestamp,
    ) -> Result<bool, TableError> {
        let mut change = self.change(&key_of(scope, connection)).set("choice", &choice)?;
        if choice == Choice::Connected {
            change = change.set("connected_at", &now)?;
        }
        change.if_there().send().await
    }

    /// Deletes a page with all that it counted. That it is gone already is as good.
    ///
    /// # Errors
    /// If the table cannot be written.
    pub async fn delete_connection(&self, scope: &OrgScope, connection: &Connection) -> Result<(), TableError> {
        self.delete(&key_of(scope, connection)).await
    }

    /// Whether leads are still taken through a connection.
    ///
    /// # Errors
    /// If the table cannot be read.
    pub async fn is_connected(&self, scope: &OrgScope, connection: &Connection) -> Result<bool, TableError> {
        let found: Option<Connection> = self.get(&key_of(scope, connection)).await?;
        Ok(found.is_some_and(|connection| connection.is_connected()))
    }

    /// Writes down what was seen of a page that still exists: the webhook fields that Meta confirmed, and whether the
    /// page is lost.
    ///
    /// # Errors
    /// If the table cannot be written.
    pub async fn record_page(
        &self,
        scope: &OrgScope,
        connection: &Connection,
        subscribed_fields: &[String],
        ended: Option<&Ended>,
    ) -> Result<(), TableError> {
        let change = self.change(&key_of(scope, connection)).set("subscribed_fields", &subscribed_fields)?;
        change.set("ended", &ended)?.if_there().send().await.map(drop)
    }

    /// Writes down that a page is quieter than it ever is, unless a lead came since it was read or that is written down
    /// already. Answers whether it was done.
    ///
    /// # Errors
    /// If the table cannot be written.
    pub async fn set_quiet(
        &self,
        scope: &OrgScope,
        connection: &Connection,
        now: Timestamp,
    ) -> Result<bool, TableError> {
        let change = self.change(&key_of(scope, connection)).set("quiet_since", &now)?;
        let change = change.if_still("quiet_since", &None::<Timestamp>)?;
        change.if_still("last_lead_at", &connection.last_lead_at)?.if_there().send().await
    }

    /// Writes down up to when nothing of a page is missing.
    ///
    /// # Errors
    /// If the table cannot be written; the same stretch is searched again then.
    pub async fn set_swept_until(
        &self,
        scope: &OrgScope,
        connection: &Connection,
        until: Timestamp,
    ) -> Result<(), TableError> {
        self.change(&key_of(scope, connection)).set("swept_until", &until)?.if_there().send().await.map(drop)
    }
}

fn key_of(scope: &OrgScope, connection: &Connection) -> Key {
    keys::connection(scope, &connection.integration_id, &connection.page_id)
}
