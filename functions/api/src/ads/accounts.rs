//! The linked ad accounts, and those that could be.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use jiff::Timestamp;
use jiff::civil::Date;
use serde::Serialize;
use shared::error::WorkError;
use shared::http::Problem;
use shared::ids::{AdAccountId, IntegrationId, OrgScope, RunId};
use shared::model::ad_account::{AdAccount, AdAccountState, Client, status_word};
use shared::model::ad_trouble::TroubleCode;
use shared::model::conversions::Counted;
use utoipa::ToSchema;

use crate::access::{Access, MetaAccess};
use crate::input::Parameters;
use crate::integrations::find as find_integration;
use crate::router::Api;
use crate::usable::{needs_token, of_meta};

/// A linked ad account.
#[derive(Serialize, ToSchema)]
pub(crate) struct AdAccountOut {
    /// As `ad_account_id`: an org links an ad account once.
    pub(crate) id: AdAccountId,
    /// Meta's, with its `act_`.
    pub(crate) ad_account_id: AdAccountId,
    /// Its name at Meta.
    name: String,
    /// What the org calls it.
    label: String,
    client: Client,
    /// ISO 4217.
    currency: String,
    /// IANA. Days are this zone's.
    timezone: String,
    /// Meta's: `active`, `disabled`, `unsettled`, `closed`…
    account_status: &'static str,
    state: AdAccountState,
    /// What keeps it from being read, or that Meta makes it wait.
    reason: Option<TroubleCode>,
    /// The same in words.
    reason_message: Option<&'static str>,
    /// What to do about it.
    fix: Option<&'static str>,
    /// Meta's codes and words about it.
    evidence: Option<String>,
    /// Meta wants it left alone until then.
    #[schema(value_type = Option<String>, format = DateTime)]
    waiting_until: Option<Timestamp>,
    /// When a reading that came to its end began.
    #[schema(value_type = Option<String>, format = DateTime)]
    last_sync_at: Option<Timestamp>,
    /// From this day on all days are here.
    #[schema(value_type = Option<String>, format = Date)]
    imported_since: Option<Date>,
    /// The reading that is under way.
    run_id: Option<RunId>,
    /// The integration whose token it is read with; none if it has its own.
    integration_id: Option<IntegrationId>,
    /// What counts as conversions.
    #[schema(value_type = Vec<String>)]
    conversions: Counted,
    #[schema(value_type = String, format = DateTime)]
    linked_at: Timestamp,
}

/// Linked ad accounts.
#[derive(Serialize, ToSchema)]
pub(crate) struct AdAccountList {
    items: Vec<AdAccountOut>,
    /// Always `null`: all are listed.
    next_cursor: Option<String>,
}

/// An ad account that an integration may read.
#[derive(Serialize, ToSchema)]
pub(crate) struct AvailableAdAccount {
    ad_account_id: AdAccountId,
    name: String,
    currency: String,
    timezone: String,
    account_status: &'static str,
    /// Whether this org reads it.
    linked: bool,
}

/// Ad accounts that an integration may read.
#[derive(Serialize, ToSchema)]
pub(crate) struct AvailableAdAccountList {
    items: Vec<AvailableAdAccount>,
    /// Always `null`: all are listed.
    next_cursor: Option<String>,
}

/// The linked ad accounts
#[utoipa::path(
    get, path = "/api/meta-ads/accounts", tag = "ads", operation_id = "listAdAccounts",
    params(("client_id" = Option<String>, Query, description = "Of this client"), ("orgid" = String, Header, description = "The org to act for")),
    responses((status = 200, body = AdAccountList), (status = "4XX", body = Problem, content_type = "application/problem+json"))
)]
pub(crate) async fn list(
    State(api): State<Arc<Api>>,
    MetaAccess(Access { scope, .. }): MetaAccess,
    parameters: Parameters,
) -> Result<Json<AdAccountList>, Problem> {
    parameters.check(&["client_id"])?;
    let (accounts, now) = (parameters.accounts(&api.table, &scope).await?, shared::clock::now());
    Ok(Json(AdAccountList { items: accounts.iter().map(|account| out(account, now)).collect(), next_cursor: None }))
}

/// One ad account
#[utoipa::path(
    get, path = "/api/meta-ads/accounts/{id}", tag = "ads", operation_id = "readAdAccount",
    params(("id" = String, Path, description = "`act_` and digits"), ("orgid" = String, Header, description = "The org to act for")),
    responses((status = 200, body = AdAccountOut), (status = "4XX", body = Problem, content_type = "application/problem+json"))
)]
pub(crate) async fn read(
    State(api): State<Arc<Api>>,
    MetaAccess(Access { scope, .. }): MetaAccess,
    Path(id): Path<String>,
) -> Result<Json<AdAccountOut>, Problem> {
    Ok(Json(out(&find(&api, &scope, &id).await?, shared::clock::now())))
}

/// Ad accounts that an integration may read
///
/// Those that the connected person or system user may work with, to choose from.
#[utoipa::path(
    get, path = "/api/meta/integrations/{id}/ad-accounts", tag = "ads", operation_id = "listAvailableAdAccounts",
    params(("id" = String, Path), ("orgid" = String, Header, description = "The org to act for")),
    responses((status = 200, body = AvailableAdAccountList), (status = "4XX", body = Problem, content_type = "application/problem+json"))
)]
pub(crate) async fn available(
    State(api): State<Arc<Api>>,
    MetaAccess(Access { scope, .. }): MetaAccess,
    Path(id): Path<String>,
) -> Result<Json<AvailableAdAccountList>, Problem> {
    let integration = find_integration(&api, &scope, &id).await?;
    needs_token(&integration, shared::clock::now())?;
    let meta = &api.connector.meta;
    let read = async {
        let token = meta.vault.user_token(&integration.credentials).await?;
        Ok::<_, WorkError>(meta.graph().await?.ad_accounts(&token).await?)
    };
    let found = match read.await {
        Ok(found) => found,
        Err(error) => return Err(of_meta(&api, &scope, &integration, error).await),
    };
    let linked = api.table.ad_accounts(&scope).await?;
    let items = found.into_iter().map(|node| AvailableAdAccount {
        linked: linked.iter().any(|account| account.ad_account_id == node.id),
        ad_account_id: node.id,
        name: node.name,
        currency: node.currency,
        timezone: node.timezone_name,
        account_status: status_word(node.account_status),
    });
    Ok(Json(AvailableAdAccountList { items: items.collect(), next_cursor: None }))
}

/// The account of this org with this id.
pub(super) async fn find(api: &Api, scope: &OrgScope, id: &str) -> Result<AdAccount, Problem> {
    let missing = || Problem::not_found("ad account");
    let id = AdAccountId::parse(id).map_err(|_| missing())?;
    api.table.ad_account(scope, &id).await?.ok_or_else(missing)
}

pub(super) fn out(account: &AdAccount, now: Timestamp) -> AdAccountOut {
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
        reason_message: reason.map(TroubleCode::message),
        fix: reason.map(TroubleCode::fix),
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
