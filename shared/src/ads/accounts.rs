//! The linked ad accounts, and those that can be linked.
#![expect(missing_docs, reason = "a field whose name says it all has no description in the API's document either")]

use std::borrow::Cow;

use jiff::Timestamp;
use jiff::civil::Date;
use serde::Serialize;
use utoipa::ToSchema;

use super::{AccountFilter, Ads};
use crate::directory::MetaAccess;
use crate::error::{ActError, Missing, WorkError};
use crate::ids::{AdAccountId, IntegrationId, RunId};
use crate::model::ads::account::{AdAccount, AdAccountState, Client, status_word};
use crate::model::ads::conversions::Counted;
use crate::model::ads::sync_problem::SyncProblemCode;
use crate::model::limit::OrgLimit;

/// A linked ad account.
#[derive(Debug, Serialize, ToSchema)]
pub struct AdAccountOut {
    /// The same as `ad_account_id`, because an org links an ad account only once.
    pub id: AdAccountId,
    /// Meta's id, including `act_`.
    pub ad_account_id: AdAccountId,
    /// The account's name at Meta.
    pub name: String,
    /// The org's own name for it.
    pub label: String,
    pub client: Client,
    /// ISO 4217 code.
    pub currency: String,
    /// IANA name. Days are days in this time zone.
    pub timezone: String,
    /// The status at Meta: `active`, `disabled`, `unsettled`, `closed`…
    pub account_status: &'static str,
    pub state: AdAccountState,
    /// The problem that prevents syncs, or Meta's rate limit.
    pub reason: Option<SyncProblemCode>,
    /// The reason in words.
    pub reason_message: Option<Cow<'static, str>>,
    /// How to fix it.
    pub fix: Option<Cow<'static, str>>,
    /// Meta's error code and message.
    pub evidence: Option<String>,
    /// Syncs wait until this time for Meta's rate limit.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub waiting_until: Option<Timestamp>,
    /// When the last completed sync started.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub last_sync_at: Option<Timestamp>,
    /// The first day of the complete import: all days since are stored.
    #[schema(value_type = Option<String>, format = Date)]
    pub imported_since: Option<Date>,
    /// The sync in progress.
    pub run_id: Option<RunId>,
    /// The integration whose token is used; `null` if the account has its own token.
    pub integration_id: Option<IntegrationId>,
    /// What counts as conversions.
    #[schema(value_type = Vec<String>)]
    pub conversions: Counted,
    #[schema(value_type = String, format = DateTime)]
    pub linked_at: Timestamp,
}

/// The linked ad accounts.
#[derive(Debug, Serialize, ToSchema)]
pub struct AdAccountList {
    pub items: Vec<AdAccountOut>,
    /// Always `null`: all are listed.
    pub next_cursor: Option<String>,
}

/// An ad account that an integration can read.
#[derive(Debug, Serialize, ToSchema)]
pub struct AvailableAdAccount {
    pub ad_account_id: AdAccountId,
    pub name: String,
    pub currency: String,
    pub timezone: String,
    pub account_status: &'static str,
    /// Whether this org has linked it.
    pub linked: bool,
}

/// The ad accounts that an integration can read.
#[derive(Debug, Serialize, ToSchema)]
pub struct AvailableAdAccountList {
    pub items: Vec<AvailableAdAccount>,
    /// Always `null`: all are listed.
    pub next_cursor: Option<String>,
}

impl Ads {
    /// The linked ad accounts that match `filter`.
    pub async fn accounts(&self, access: &MetaAccess, filter: &AccountFilter) -> Result<AdAccountList, ActError> {
        let (accounts, now) = (self.selected_accounts(access, filter).await?, crate::clock::now());
        Ok(AdAccountList {
            items: accounts.iter().map(|account| account_out(account, now)).collect(),
            next_cursor: None,
        })
    }

    /// One linked ad account.
    pub async fn account(&self, access: &MetaAccess, id: &AdAccountId) -> Result<AdAccountOut, ActError> {
        Ok(account_out(&self.find(access, id).await?, crate::clock::now()))
    }

    /// The ad accounts that an integration can read, live from Meta.
    pub async fn available_accounts(
        &self,
        access: &MetaAccess,
        integration: &IntegrationId,
    ) -> Result<AvailableAdAccountList, ActError> {
        access.count(&self.table, OrgLimit::MetaCalls).await?;
        let now = crate::clock::now();
        let integration = self.tokens.usable_integration(&access.scope, integration, now).await?;
        let meta = &self.tokens.meta;
        let read = async {
            let token = meta.vault.user_token(&integration.credentials).await?;
            Ok::<_, WorkError>(meta.graph().await?.ad_accounts(&token).await?)
        };
        let nodes = match read.await {
            Ok(nodes) => nodes,
            Err(error) => return Err(self.tokens.explain(&access.scope, &integration.id, error).await),
        };
        let linked = self.table.ad_accounts(&access.scope).await?;
        let items = nodes.into_iter().map(|node| AvailableAdAccount {
            linked: linked.iter().any(|account| account.ad_account_id == node.id),
            ad_account_id: node.id,
            name: node.name,
            currency: node.currency,
            timezone: node.timezone_name,
            account_status: status_word(node.account_status),
        });
        Ok(AvailableAdAccountList { items: items.collect(), next_cursor: None })
    }

    /// The org's linked account with this id.
    pub(super) async fn find(&self, access: &MetaAccess, id: &AdAccountId) -> Result<AdAccount, ActError> {
        self.table.ad_account(&access.scope, id).await?.ok_or_else(|| ActError::not_found(Missing::AdAccount))
    }
}

pub(super) fn account_out(account: &AdAccount, now: Timestamp) -> AdAccountOut {
    let reason = account.reason(now);
    AdAccountOut {
        id: account.ad_account_id.clone(),
        ad_account_id: account.ad_account_id.clone(),
        name: account.name.clone(),
        label: account.label.clone(),
        client: account.client.clone(),
        currency: account.currency.clone(),
        timezone: account.timezone.clone(),
        account_status: status_word(account.account_status),
        state: account.state(),
        reason,
        reason_message: reason.map(SyncProblemCode::message),
        fix: reason.map(SyncProblemCode::fix),
        evidence: account
            .problem
            .as_ref()
            .map(|problem| problem.evidence.clone())
            .filter(|evidence| !evidence.is_empty()),
        waiting_until: account.waiting_until.filter(|until| *until > now),
        last_sync_at: account.last_sync_at,
        imported_since: account.imported_since,
        run_id: account.run_id.clone(),
        integration_id: account.token.integration().cloned(),
        conversions: account.conversions.clone(),
        linked_at: account.linked_at,
    }
}
