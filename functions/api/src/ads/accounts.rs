//! Ad accounts: linking, changing and unlinking them.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use http::StatusCode;
use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use shared::error::WorkError;
use shared::http::Problem;
use shared::ids::{AdAccountId, ClientId, IntegrationId, OrgScope, RunId};
use shared::model::ad_account::{AdAccount, AdAccountState, Client, TokenSource, status_word};
use shared::model::ad_trouble::TroubleCode;
use shared::model::conversions::Counted;
use shared::reporting::{Change, Desk, LinkError, NewAccount, Token, change as change_account, link, unlink};
use shared::secret::AccessToken;
use utoipa::ToSchema;

use super::Parameters;
use crate::access::{Access, MetaAccess};
use crate::input::Input;
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

/// Whose ads an account shows.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ClientIn {
    /// The CRM's own id of the client.
    id: ClientId,
    /// 1 to 100 characters.
    name: String,
}

/// An ad account to link.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewAdAccount {
    /// Meta's, with its `act_`.
    #[schema(value_type = String, example = "act_1234567890")]
    ad_account_id: String,
    /// 1 to 100 characters.
    label: String,
    client: ClientIn,
    /// A system user's token with `ads_read`. Either this or `integration_id`.
    #[schema(value_type = Option<String>)]
    token: Option<AccessToken>,
    /// The integration whose token to read it with.
    integration_id: Option<IntegrationId>,
    /// What counts as conversions: kinds (`lead`, `purchase`…) or action types of Meta's.
    conversions: Option<Vec<String>>,
}

/// What to change. What is left out stays.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AdAccountChange {
    /// 1 to 100 characters.
    label: Option<String>,
    client: Option<ClientIn>,
    /// A system user's token with `ads_read`.
    #[schema(value_type = Option<String>)]
    token: Option<AccessToken>,
    /// The integration whose token to read it with.
    integration_id: Option<IntegrationId>,
    /// Whether it is left alone for a while.
    paused: Option<bool>,
    /// What counts as conversions. All stored days are read again.
    conversions: Option<Vec<String>>,
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

/// Link an ad account
///
/// It is verified with Meta at once: that it exists, that the token may read ads, its currency, time zone and status. Then
/// its objects are read (`configuring`), then its newest 30 days (`importing`), then it is `ready` and earlier days follow.
#[utoipa::path(
    post, path = "/api/meta-ads/accounts", tag = "ads", operation_id = "linkAdAccount",
    params(("orgid" = String, Header, description = "The org to act for")), request_body = NewAdAccount,
    responses((status = 201, body = AdAccountOut), (status = "4XX", body = Problem, content_type = "application/problem+json"))
)]
pub(crate) async fn create(
    State(api): State<Arc<Api>>,
    MetaAccess(Access { scope, caller }): MetaAccess,
    Input(given): Input<NewAdAccount>,
) -> Result<(StatusCode, Json<AdAccountOut>), Problem> {
    let invalid = |error| Problem::field("ad_account_id", "ad_account_id_invalid", format!("{error}."));
    let token = token(given.token, given.integration_id)?.ok_or_else(|| {
        let detail = "Give a system user's token, or integration_id to read it with that integration's.";
        Problem::field("token", "token_required", detail)
    })?;
    let new = NewAccount {
        ad_account_id: AdAccountId::parse(&given.ad_account_id).map_err(invalid)?,
        label: name("label", given.label)?,
        client: client(given.client)?,
        token,
        conversions: counted(given.conversions)?.unwrap_or_default(),
    };
    let now = shared::clock::now();
    let account = link(desk(&api), &scope, new, caller.user, now).await.map_err(refused)?;
    Ok((StatusCode::CREATED, Json(out(&account, now))))
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

/// Change an ad account
///
/// A new token is verified with Meta first. What is paused is not read until it is not paused any more.
#[utoipa::path(
    patch, path = "/api/meta-ads/accounts/{id}", tag = "ads", operation_id = "changeAdAccount",
    params(("id" = String, Path, description = "`act_` and digits"), ("orgid" = String, Header, description = "The org to act for")),
    request_body = AdAccountChange,
    responses((status = 200, body = AdAccountOut), (status = "4XX", body = Problem, content_type = "application/problem+json"))
)]
pub(crate) async fn change(
    State(api): State<Arc<Api>>,
    MetaAccess(Access { scope, caller }): MetaAccess,
    Path(id): Path<String>,
    Input(given): Input<AdAccountChange>,
) -> Result<Json<AdAccountOut>, Problem> {
    let account = find(&api, &scope, &id).await?;
    let to = Change {
        label: given.label.map(|label| name("label", label)).transpose()?,
        client: given.client.map(client).transpose()?,
        token: token(given.token, given.integration_id)?,
        paused: given.paused,
        conversions: counted(given.conversions)?,
    };
    let now = shared::clock::now();
    let account = change_account(desk(&api), &scope, &account, to, caller.user, now).await.map_err(refused)?;
    Ok(Json(out(&account, now)))
}

/// Unlink an ad account
///
/// It is not read any more, its own token is deleted, and what was read of it is deleted in the background.
#[utoipa::path(
    delete, path = "/api/meta-ads/accounts/{id}", tag = "ads", operation_id = "unlinkAdAccount",
    params(("id" = String, Path, description = "`act_` and digits"), ("orgid" = String, Header, description = "The org to act for")),
    responses((status = 204), (status = "4XX", body = Problem, content_type = "application/problem+json"))
)]
pub(crate) async fn delete(
    State(api): State<Arc<Api>>,
    MetaAccess(Access { scope, .. }): MetaAccess,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    let account = find(&api, &scope, &id).await?;
    unlink(desk(&api), &scope, &account).await?;
    Ok(StatusCode::NO_CONTENT)
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
        integration_id: match &account.token {
            TokenSource::Integration(id) => Some(id.clone()),
            TokenSource::Secret(_) => None,
        },
        conversions: account.conversions.clone(),
        linked_at: account.linked_at,
    }
}

fn desk(api: &Api) -> Desk<'_> {
    Desk {
        meta: &api.connector.meta,
        table: &api.table,
        queue: &api.ads,
        credentials_prefix: &api.connector.credentials_prefix,
    }
}

fn token(token: Option<AccessToken>, integration: Option<IntegrationId>) -> Result<Option<Token>, Problem> {
    match (token, integration) {
        (Some(_), Some(_)) => Err(Problem::field("token", "token_ambiguous", "Either token or integration_id.")),
        (Some(token), None) => Ok(Some(Token::Pasted(token))),
        (None, integration) => Ok(integration.map(Token::Integration)),
    }
}

fn client(given: ClientIn) -> Result<Client, Problem> {
    Ok(Client { id: given.id, name: name("client.name", given.name)? })
}

fn name(field: &str, given: String) -> Result<String, Problem> {
    let name = given.trim();
    if (1..=100).contains(&name.chars().count()) && !name.chars().any(char::is_control) {
        return Ok(name.to_owned());
    }
    Err(Problem::field(field, "name_invalid", "1 to 100 characters, without control characters."))
}

fn counted(names: Option<Vec<String>>) -> Result<Option<Counted>, Problem> {
    let invalid = |error| Problem::field("conversions", "conversions_invalid", format!("{error}."));
    names.map(Counted::parse).transpose().map_err(invalid)
}

fn refused(error: LinkError) -> Problem {
    let detail = error.to_string();
    match error {
        LinkError::Linked => {
            let detail = "This org has linked this ad account already. To read it with another token, PATCH it.";
            let problem = Problem::new(StatusCode::CONFLICT, "ad_account_linked", detail);
            Problem { field: Some("ad_account_id".to_owned()), ..problem }
        }
        LinkError::Gone => Problem::not_found("ad account"),
        LinkError::Integration => {
            Problem { field: Some("integration_id".to_owned()), ..Problem::not_found("integration") }
        }
        LinkError::Refused(code, evidence) => {
            let field = match code {
                TroubleCode::AdAccountNotVisible => "ad_account_id",
                TroubleCode::IntegrationEnded => "integration_id",
                _ => "token",
            };
            let detail = if evidence.is_empty() { detail } else { format!("{detail} ({evidence})") };
            Problem::field(field, code.code(), detail)
        }
        LinkError::Work(error @ (WorkError::Paused(_) | WorkError::Graph(_))) => {
            tracing::warn!(%error, code = error.code(), "an ad account could not be verified");
            let detail = "Meta could not be asked about this ad account at the moment. Try again in a few minutes.";
            Problem::new(StatusCode::SERVICE_UNAVAILABLE, "meta_unavailable", detail)
        }
        LinkError::Work(error) => error.into(),
    }
}
