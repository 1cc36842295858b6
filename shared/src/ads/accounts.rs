//! The linked ad accounts, and those that could be.
#![expect(missing_docs, reason = "a field whose name says it all has no description in the API's document either")]

use jiff::Timestamp;
use jiff::civil::Date;
use serde::Serialize;
use utoipa::ToSchema;

use super::{AccountFilter, Ads};
use crate::directory::MetaAccess;
use crate::error::{ActError, WorkError};
use crate::ids::{AdAccountId, IntegrationId, RunId};
use crate::model::ads::account::{AdAccount, AdAccountState, Client, status_word};
use crate::model::ads::conversions::Counted;
use crate::model::ads::sync_problem::SyncProblemCode;

/// A linked ad account.
#[derive(Debug, Serialize, ToSchema)]
pub struct AdAccountOut {
    /// As `ad_account_id`: an org links an ad account once.
    pub id: AdAccountId,
    /// Meta's, with its `act_`.
    pub ad_account_id: AdAccountId,
    /// Its name at Meta.
    pub name: String,
    /// What the org calls it.
    pub label: String,
    pub client: Client,
    /// ISO 4217.
    pub currency: String,
    /// IANA. Days are this zone's.
    pub timezone: String,
    /// Meta's: `active`, `disabled`, `unsettled`, `closed`…
    pub account_status: &'static str,
    pub state: AdAccountState,
    /// What keeps it from being read, or that Meta makes it wait.
    pub reason: Option<SyncProblemCode>,
    /// The same in words.
    pub reason_message: Option<&'static str>,
    /// What to do about it.
    pub fix: Option<&'static str>,
    /// Meta's codes and words about it.
    pub evidence: Option<String>,
    /// Meta wants it left alone until then.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub waiting_until: Option<Timestamp>,
    /// When a reading that came to its end began.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub last_sync_at: Option<Timestamp>,
    /// From this day on all days are here.
    #[schema(value_type = Option<String>, format = Date)]
    pub imported_since: Option<Date>,
    /// The reading that is under way.
    pub run_id: Option<RunId>,
    /// The integration whose token it is read with; none if it has its own.
    pub integration_id: Option<IntegrationId>,
    /// What counts as conversions.
    #[schema(value_type = Vec<String>)]
    pub conversions: Counted,
    #[schema(value_type = String, format = DateTime)]
    pub linked_at: Timestamp,
}

/// Linked ad accounts.
#[derive(Debug, Serialize, ToSchema)]
pub struct AdAccountList {
    pub items: Vec<AdAccountOut>,
    /// Always `null`: all are listed.
    pub next_cursor: Option<String>,
}

/// An ad account that an integration may read.
#[derive(Debug, Serialize, ToSchema)]
pub struct AvailableAdAccount {
    pub ad_account_id: AdAccountId,
    pub name: String,
    pub currency: String,
    pub timezone: String,
    pub account_status: &'static str,
    /// Whether this org reads it.
    pub linked: bool,
}

/// Ad accounts that an integration may read.
#[derive(Debug, Serialize, ToSchema)]
pub struct AvailableAdAccountList {
    pub items: Vec<AvailableAdAccount>,
    /// Always `null`: all are listed.
    pub next_cursor: Option<String>,
}

impl Ads {
    /// The linked ad accounts.
    ///
    /// # Errors
    /// If the account that is asked for is none of them, or the table cannot be read.
    pub async fn accounts(&self, access: &MetaAccess, filter: &AccountFilter) -> Result<AdAccountList, ActError> {
        let (accounts, now) = (self.selected_accounts(access, filter).await?, crate::clock::now());
        Ok(AdAccountList {
            items: accounts.iter().map(|account| account_out(account, now)).collect(),
            next_cursor: None,
        })
    }

    /// One linked ad account.
    ///
    /// # Errors
    /// If the org has linked none with this id, or the table cannot be read.
    pub async fn account(&self, access: &MetaAccess, id: &AdAccountId) -> Result<AdAccountOut, ActError> {
        Ok(account_out(&self.find(access, id).await?, crate::clock::now()))
    }

    /// The ad accounts that an integration may read, asked of Meta now.
    ///
    /// # Errors
    /// If there is no such integration, its token does not work, Meta refuses, or something failed.
    pub async fn available_accounts(
        &self,
        access: &MetaAccess,
        integration: &IntegrationId,
    ) -> Result<AvailableAdAccountList, ActError> {
        let now = crate::clock::now();
        let integration = self.tokens.usable_integration(&access.scope, integration, now).await?;
        let meta = &self.tokens.meta;
        let read = async {
            let token = meta.vault.user_token(&integration.credentials).await?;
            Ok::<_, WorkError>(meta.graph().await?.ad_accounts(&token).await?)
        };
        let found = match read.await {
            Ok(found) => found,
            Err(error) => return Err(self.tokens.explain(&access.scope, &integration.id, error).await),
        };
        let linked = self.table.ad_accounts(&access.scope).await?;
        let items = found.into_iter().map(|node| AvailableAdAccount {
            linked: linked.iter().any(|account| account.ad_account_id == node.id),
            ad_account_id: node.id,
            name: node.name,
            currency: node.currency,
            timezone: node.timezone_name,
            account_status: status_word(node.account_status),
        });
        Ok(AvailableAdAccountList { items: items.collect(), next_cursor: None })
    }

    /// The account of this org with this id.
    pub(super) async fn find(&self, access: &MetaAccess, id: &AdAccountId) -> Result<AdAccount, ActError> {
        self.table.ad_account(&access.scope, id).await?.ok_or_else(|| ActError::not_found("ad account"))
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
        evidence: account.trouble.as_ref().map(|trouble| trouble.evidence.clone()).filter(|said| !said.is_empty()),
        waiting_until: account.waiting_until.filter(|until| *until > now),
        last_sync_at: account.last_sync_at,
        imported_since: account.imported_since,
        run_id: account.run_id.clone(),
        integration_id: account.token.integration().cloned(),
        conversions: account.conversions.clone(),
        linked_at: account.linked_at,
    }
}
