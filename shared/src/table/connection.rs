//! Connections: the pages of integrations. Found by page for an incoming lead, and by org for an admin.

use jiff::Timestamp;

use super::inbox::InboxAccount;
use super::keys::{self, Key};
use super::shape::ItemKind;
use super::{IndexRange, Table, TableError};
use crate::ids::{InstagramAccountId, IntegrationId, OrgScope, PageId};
use crate::model::connection::state::ConnectionEnd;
use crate::model::connection::{Connection, PageSelection};

impl Table {
    /// Lists the connections that receive this page's leads, oldest integration first.
    pub async fn connections_of_page(&self, page: &PageId) -> Result<Vec<(OrgScope, Connection)>, TableError> {
        let mut connections = self.ever_connected(page).await?;
        connections.retain(|(_, connection)| connection.is_connected());
        Ok(connections)
    }

    /// Lists the org's own connections of this page, oldest integration first.
    pub async fn own_connections(&self, scope: &OrgScope, page: &PageId) -> Result<Vec<Connection>, TableError> {
        let mut connections: Vec<Connection> =
            self.query(&keys::page_pk(page), &keys::connection_prefix(scope)).await?;
        connections.retain(Connection::is_connected);
        Ok(connections)
    }

    /// Like [`Table::connections_of_page`], but includes disconnected ones.
    pub async fn ever_connected(&self, page: &PageId) -> Result<Vec<(OrgScope, Connection)>, TableError> {
        let connections: Vec<Connection> = self.query(&keys::page_pk(page), keys::CONNECTION_PREFIX).await?;
        Ok(connections.into_iter().map(|connection| (OrgScope::new(connection.org.clone()), connection)).collect())
    }

    /// Lists the org's pages by integration and page, including disconnected ones. A page stored just now may be
    /// missing.
    pub async fn pages(&self, scope: &OrgScope) -> Result<Vec<Connection>, TableError> {
        let keys = self.index_keys(&keys::connections_of_org(scope), IndexRange::All).await?;
        self.read_all(&keys).await
    }

    /// Lists the pages of one integration, like [`Table::pages`].
    pub async fn pages_of(&self, scope: &OrgScope, id: &IntegrationId) -> Result<Vec<Connection>, TableError> {
        let prefix = keys::connections_of_integration(id);
        let keys = self.index_keys(&keys::connections_of_org(scope), IndexRange::Prefix(&prefix)).await?;
        self.read_all(&keys).await
    }

    /// Lists the org's connections: the pages whose leads are imported.
    pub async fn connections(&self, scope: &OrgScope) -> Result<Vec<Connection>, TableError> {
        let mut pages = self.pages(scope).await?;
        pages.retain(Connection::is_connected);
        Ok(pages)
    }

    /// Stores a page that Meta has just granted. If it was stored before, its counters and its start time stay.
    pub async fn save_connection(&self, scope: &OrgScope, connection: &Connection) -> Result<(), TableError> {
        const PRESERVED: [&str; 15] = [
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
            "instagram_account_id",
            "instagram_username",
        ];
        let change =
            self.change(&key_of(scope, connection)).kind(ItemKind::Connection).set_all(connection, &PRESERVED)?;
        let index = keys::connection_index(scope, &connection.integration_id, &connection.page_id);
        change.index(Some(index)).send().await.map(drop)
    }

    /// Changes whether a page's leads are imported. Connecting it starts at `now`. `false` if the page is gone.
    pub async fn select_page(
        &self,
        scope: &OrgScope,
        connection: &Connection,
        selection: PageSelection,
        now: Timestamp,
    ) -> Result<bool, TableError> {
        let mut change = self.change(&key_of(scope, connection)).set("selection", &selection)?;
        if selection == PageSelection::Connected {
            change = change.set("connected_at", &now)?;
        }
        change.if_exists().send().await
    }

    /// Deletes a page with all its counters. Already deleted counts as success.
    pub async fn delete_connection(&self, scope: &OrgScope, connection: &Connection) -> Result<(), TableError> {
        let progress = keys::sweep_progress(scope, &connection.integration_id, &connection.page_id);
        self.delete(&progress).await?;
        self.delete(&keys::social_progress(scope, &connection.integration_id, &connection.page_id)).await?;
        if let Some(account) = &connection.instagram_account_id {
            let id = &connection.integration_id;
            self.delete(&keys::inbox_account("instagram", account.as_str(), scope, id)).await?;
        }
        self.delete(&key_of(scope, connection)).await
    }

    /// Whether leads are still imported through a connection.
    pub async fn is_connected(&self, scope: &OrgScope, connection: &Connection) -> Result<bool, TableError> {
        let found: Option<Connection> = self.get(&key_of(scope, connection)).await?;
        Ok(found.is_some_and(|connection| connection.is_connected()))
    }

    /// Records what a check found about a page that still exists: the webhook fields that Meta confirmed, and whether
    /// the page is lost.
    pub async fn record_page(
        &self,
        scope: &OrgScope,
        connection: &Connection,
        subscribed_fields: &[String],
        ended: Option<&ConnectionEnd>,
    ) -> Result<(), TableError> {
        let change = self.change(&key_of(scope, connection)).set("subscribed_fields", &subscribed_fields)?;
        change.set("ended", &ended)?.if_exists().send().await.map(drop)
    }

    /// Stores which Instagram account is linked to a page, and that the page's org is reached through it. Writes nothing
    /// if that is known.
    pub async fn set_instagram_account(
        &self,
        scope: &OrgScope,
        connection: &Connection,
        account: Option<(&InstagramAccountId, &str)>,
    ) -> Result<(), TableError> {
        let known = connection.instagram_account_id.as_ref().zip(connection.instagram_username.as_deref());
        if account == known {
            return Ok(());
        }
        if let Some((before, _)) = known {
            self.delete(&keys::inbox_account("instagram", before.as_str(), scope, &connection.integration_id)).await?;
        }
        if let Some((id, username)) = account {
            let account = InboxAccount {
                network: "instagram".to_owned(),
                account: id.to_string(),
                org: scope.org().clone(),
                integration_id: connection.integration_id.clone(),
                page_id: Some(connection.page_id.clone()),
                waba_id: None,
                name: Some(username.to_owned()),
            };
            self.put_inbox_account(scope, &account).await?;
        }
        let (id, username) = account.unzip();
        let change = self.change(&key_of(scope, connection)).set("instagram_account_id", &id)?;
        change.set("instagram_username", &username)?.if_exists().send().await.map(drop)
    }

    /// Records that a page is unusually quiet. Returns `false` and changes nothing if a lead arrived since the page was
    /// read, or if this is already recorded.
    pub async fn set_quiet(
        &self,
        scope: &OrgScope,
        connection: &Connection,
        now: Timestamp,
    ) -> Result<bool, TableError> {
        let change = self.change(&key_of(scope, connection)).set("quiet_since", &now)?;
        let change = change.if_unchanged("quiet_since", &None::<Timestamp>)?;
        change.if_unchanged("last_lead_at", &connection.last_lead_at)?.if_exists().send().await
    }

    /// Records up to when no lead of a page is missing.
    ///
    /// # Errors
    /// After an error, the same period is searched again.
    pub async fn set_swept_until(
        &self,
        scope: &OrgScope,
        connection: &Connection,
        until: Timestamp,
    ) -> Result<(), TableError> {
        self.change(&key_of(scope, connection)).set("swept_until", &until)?.if_exists().send().await.map(drop)
    }
}

fn key_of(scope: &OrgScope, connection: &Connection) -> Key {
    keys::connection(scope, &connection.integration_id, &connection.page_id)
}
