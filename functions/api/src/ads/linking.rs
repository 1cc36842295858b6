//! Linking ad accounts, changing and unlinking them.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use http::StatusCode;
use jiff::Timestamp;
use serde::Deserialize;
use shared::error::WorkError;
use shared::http::Problem;
use shared::ids::{AdAccountId, ClientId, IntegrationId, OrgScope};
use shared::model::ad_account::{AdAccount, Client};
use shared::model::ad_trouble::TroubleCode;
use shared::model::conversions::Counted;
use shared::model::integration::Integration;
use shared::reporting::{Desk, LinkError, NewAccount, Token, change as change_account, link, unlink};
use shared::secret::AccessToken;
use shared::table::ad_account::Settings;
use utoipa::ToSchema;

use super::accounts::{AdAccountOut, find, out};
use crate::access::{Access, MetaAccess};
use crate::input::Input;
use crate::integrations::find as find_integration;
use crate::router::Api;
use crate::usable::{needs_token, of_meta};

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
    let integration = usable(&api, &scope, &new.token, now).await?;
    let linked = link(desk(&api), &scope, new, caller.user, now).await;
    let account = heard(&api, &scope, integration.as_ref(), linked).await?;
    Ok((StatusCode::CREATED, Json(out(&account, now))))
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
    let token = token(given.token, given.integration_id)?;
    let settings = Settings {
        label: given.label.map(|label| name("label", label)).transpose()?,
        client: given.client.map(client).transpose()?,
        token: None,
        paused: given.paused,
        conversions: counted(given.conversions)?,
    };
    let now = shared::clock::now();
    let integration = match &token {
        Some(token) => usable(&api, &scope, token, now).await?,
        None => None,
    };
    let changed = change_account(desk(&api), &scope, &account, (settings, token), caller.user, now).await;
    let account = heard(&api, &scope, integration.as_ref(), changed).await?;
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

/// The integration whose token is to be used; refused if it has ended.
async fn usable(api: &Api, scope: &OrgScope, token: &Token, now: Timestamp) -> Result<Option<Integration>, Problem> {
    let Token::Integration(id) = token else { return Ok(None) };
    let named = |problem| Problem { field: Some("integration_id".to_owned()), ..problem };
    let integration = find_integration(api, scope, id.as_str()).await.map_err(named)?;
    needs_token(&integration, now)?;
    Ok(Some(integration))
}

/// What came of it, as a problem if that is what it is. A token of an integration's that turns out dead ends more than this.
async fn heard(
    api: &Api,
    scope: &OrgScope,
    integration: Option<&Integration>,
    outcome: Result<AdAccount, LinkError>,
) -> Result<AdAccount, Problem> {
    match (outcome, integration) {
        (Err(LinkError::Work(error)), Some(integration)) if error.is_of_token() => {
            Err(of_meta(api, scope, integration, error).await)
        }
        (outcome, _) => outcome.map_err(refused),
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
