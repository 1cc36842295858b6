//! The pages and Instagram accounts that an org can publish on.

use std::collections::BTreeMap;

use super::Publishing;
use super::target::{NoTarget, check_connection, rights};
use crate::directory::MetaAccess;
use crate::error::{ActError, WorkError};
use crate::graph::instagram::InstagramAccount;
use crate::ids::{InstagramAccountId, PageId};
use crate::model::connection::Connection;
use crate::model::limit::OrgLimit;
use crate::model::publishing::PostKind;

/// A connected page, as a target of posts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageTarget {
    /// The page.
    pub page_id: PageId,
    /// Its name.
    pub name: String,
    /// Why nothing can be published on it, and what to do. `None` if nothing is known to be in the way.
    pub problem: Option<String>,
    /// The Instagram account that was last found to be linked to it.
    pub instagram: Option<InstagramTarget>,
}

/// An Instagram account, as a target of posts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InstagramTarget {
    /// The account.
    pub id: InstagramAccountId,
    /// Its name on Instagram, if it is known.
    pub username: Option<String>,
    /// Why nothing can be published on it, and what to do. `None` if nothing is known to be in the way.
    pub problem: Option<String>,
}

/// What a look for Instagram accounts found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RefreshedAccounts {
    /// Pages with an account.
    pub found: usize,
    /// Pages that Meta says nothing about; what was known of them stays.
    pub failed: usize,
}

impl Publishing {
    /// Lists the org's connected pages with their Instagram accounts, by name. A page that several integrations connect
    /// is listed once, and has a problem only if none of them works.
    pub async fn targets(&self, access: &MetaAccess) -> Result<Vec<PageTarget>, ActError> {
        let now = crate::clock::now();
        let (connections, integrations) =
            tokio::try_join!(self.table.connections(&access.scope), self.table.integrations(&access.scope))?;
        let mut pages: BTreeMap<&PageId, Vec<&Connection>> = BTreeMap::new();
        for connection in &connections {
            pages.entry(&connection.page_id).or_default().push(connection);
        }
        let problem = |connections: &[&Connection], kind| {
            let mut reason = NoTarget::NotConnected;
            for connection in connections {
                let Some(integration) = integrations.iter().find(|known| known.id == connection.integration_id) else {
                    continue;
                };
                match check_connection(integration, connection, rights(kind), now) {
                    Ok(()) => return None,
                    Err(why) => reason = why,
                }
            }
            connections.first().map(|connection| reason.message(&connection.page_id))
        };
        let target = |(id, connections): (&PageId, Vec<&Connection>)| {
            let with_account = connections.iter().find(|connection| connection.instagram_account_id.is_some());
            let instagram = with_account.and_then(|connection| {
                Some(InstagramTarget {
                    id: connection.instagram_account_id.clone()?,
                    username: connection.instagram_username.clone(),
                    problem: problem(&connections, PostKind::Instagram),
                })
            });
            let name = connections.first().map(|connection| connection.page_name.clone()).unwrap_or_default();
            PageTarget { page_id: id.clone(), name, problem: problem(&connections, PostKind::Page), instagram }
        };
        let mut targets: Vec<PageTarget> = pages.into_iter().map(target).collect();
        targets.sort_by_key(|target| target.name.to_lowercase());
        Ok(targets)
    }

    /// Asks Meta which Instagram accounts are linked to the org's pages, and remembers them.
    ///
    /// # Errors
    /// Reports a failure only if Meta says nothing about any page.
    pub async fn refresh_accounts(&self, access: &MetaAccess) -> Result<RefreshedAccounts, ActError> {
        let outcomes = self.read_accounts(access).await?;
        let found = outcomes.iter().filter(|(_, outcome)| matches!(outcome, Ok(Some(_)))).count();
        let failed = outcomes.iter().filter(|(_, outcome)| outcome.is_err()).count();
        if failed == outcomes.len()
            && let Some((connection, Err(error))) = outcomes.into_iter().next()
        {
            return Err(self.tokens.explain(&access.scope, &connection.integration_id, error).await);
        }
        Ok(RefreshedAccounts { found, failed })
    }

    /// Finds the page behind an Instagram account of the org: the one it was found at last, else the one that Meta names.
    pub(super) async fn page_of_account(
        &self,
        access: &MetaAccess,
        account: &InstagramAccountId,
    ) -> Result<Option<PageId>, ActError> {
        let pages = self.table.connections(&access.scope).await?;
        if let Some(page) = pages.iter().find(|page| page.instagram_account_id.as_ref() == Some(account)) {
            return Ok(Some(page.page_id.clone()));
        }
        let is_linked = |outcome: &Result<Option<InstagramAccount>, WorkError>| {
            outcome.as_ref().is_ok_and(|linked| linked.as_ref().is_some_and(|linked| linked.id == *account))
        };
        let outcomes = self.read_accounts(access).await?;
        Ok(outcomes.into_iter().find(|(_, outcome)| is_linked(outcome)).map(|(page, _)| page.page_id))
    }

    /// Reads the accounts behind all pages from Meta, and stores them. An outcome for each page.
    async fn read_accounts(
        &self,
        access: &MetaAccess,
    ) -> Result<Vec<(Connection, Result<Option<InstagramAccount>, WorkError>)>, ActError> {
        access.count(&self.table, OrgLimit::MetaCalls).await?;
        let graph = self.tokens.meta.graph().await?;
        let (mut outcomes, mut with_tokens) = (Vec::new(), Vec::new());
        for page in self.table.connections(&access.scope).await? {
            match self.tokens.meta.vault.page_token(&page.credentials, &page.page_id).await {
                Ok(token) => with_tokens.push((page, token)),
                Err(error) => outcomes.push((page, Err(error.into()))),
            }
        }
        let wanted: Vec<_> = with_tokens.iter().map(|(page, token)| (&page.page_id, token)).collect();
        let accounts = graph.instagram_accounts(&wanted).await;
        for ((page, _), account) in with_tokens.into_iter().zip(accounts) {
            if let Ok(account) = &account {
                let account = account.as_ref().map(|account| (&account.id, account.username.as_str()));
                self.table.set_instagram_account(&access.scope, &page, account).await?;
            }
            outcomes.push((page, account.map_err(Into::into)));
        }
        Ok(outcomes)
    }
}
