//! Linking ad accounts, changing and unlinking them.

use http::StatusCode;
use jiff::Timestamp;
use serde::Deserialize;
use utoipa::ToSchema;

use super::accounts::{AdAccountOut, find, out};
use crate::admin::integrations::find as find_integration;
use crate::admin::usable::{needs_token, of_meta};
use crate::admin::{MetaAccess, Services};
use crate::ads::{Desk, LinkError, NewAccount, Token, change as change_account, link, unlink};
use crate::error::WorkError;
use crate::http::Problem;
use crate::ids::{AdAccountId, ClientId, IntegrationId};
use crate::model::ads::account::{AdAccount, Client};
use crate::model::ads::conversions::Counted;
use crate::model::ads::sync_problem::SyncProblemCode;
use crate::model::connection::Integration;
use crate::secret::AccessToken;
use crate::table::ad_account::Settings;

/// Whose ads an account shows.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ClientIn {
    /// The CRM's own id of the client.
    pub id: ClientId,
    /// 1 to 100 characters.
    pub name: String,
}

/// An ad account to link.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewAdAccount {
    /// Meta's, with its `act_`.
    #[schema(value_type = String, example = "act_1234567890")]
    pub ad_account_id: String,
    /// 1 to 100 characters.
    pub label: String,
    pub client: ClientIn,
    /// A system user's token with `ads_read`. Either this or `integration_id`.
    #[schema(value_type = Option<String>)]
    pub token: Option<AccessToken>,
    /// The integration whose token to read it with.
    pub integration_id: Option<IntegrationId>,
    /// What counts as conversions: kinds (`lead`, `purchase`…) or action types of Meta's.
    pub conversions: Option<Vec<String>>,
}

/// What to change. What is left out stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AdAccountChange {
    /// 1 to 100 characters.
    pub label: Option<String>,
    pub client: Option<ClientIn>,
    /// A system user's token with `ads_read`.
    #[schema(value_type = Option<String>)]
    pub token: Option<AccessToken>,
    /// The integration whose token to read it with.
    pub integration_id: Option<IntegrationId>,
    /// Whether it is left alone for a while.
    pub paused: Option<bool>,
    /// What counts as conversions. All stored days are read again.
    pub conversions: Option<Vec<String>>,
}

/// Links an ad account. It is verified with Meta at once, and read from then on.
///
/// # Errors
/// If a field cannot be as it is, Meta does not let the account be read, the org has it already, or something failed.
pub async fn create(services: &Services, access: &MetaAccess, given: NewAdAccount) -> Result<AdAccountOut, Problem> {
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
    let now = crate::clock::now();
    let integration = usable(services, access, &new.token, now).await?;
    let linked = link(desk(services), &access.scope, new, access.caller.user.clone(), now).await;
    let account = heard(services, access, integration.as_ref(), linked).await?;
    Ok(out(&account, now))
}

/// Changes an ad account. A new token is verified with Meta first.
///
/// # Errors
/// If the org has no such account, a field cannot be as it is, Meta does not let the account be read, or something failed.
pub async fn change(
    services: &Services,
    access: &MetaAccess,
    id: &str,
    given: AdAccountChange,
) -> Result<AdAccountOut, Problem> {
    let account = find(services, access, id).await?;
    let token = token(given.token, given.integration_id)?;
    let settings = Settings {
        label: given.label.map(|label| name("label", label)).transpose()?,
        client: given.client.map(client).transpose()?,
        token: None,
        paused: given.paused,
        conversions: counted(given.conversions)?,
    };
    let now = crate::clock::now();
    let integration = match &token {
        Some(token) => usable(services, access, token, now).await?,
        None => None,
    };
    let changed =
        change_account(desk(services), &access.scope, &account, (settings, token), access.caller.user.clone(), now)
            .await;
    let account = heard(services, access, integration.as_ref(), changed).await?;
    Ok(out(&account, now))
}

/// Unlinks an ad account. What was read of it is deleted in the background.
///
/// # Errors
/// If the org has no such account, or something failed; asking again finishes it.
pub async fn delete(services: &Services, access: &MetaAccess, id: &str) -> Result<(), Problem> {
    let account = find(services, access, id).await?;
    Ok(unlink(desk(services), &access.scope, &account).await?)
}

fn desk(services: &Services) -> Desk<'_> {
    Desk {
        meta: &services.connector.meta,
        table: &services.table,
        queue: &services.ads,
        credentials_prefix: &services.connector.credentials_prefix,
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
async fn usable(
    services: &Services,
    access: &MetaAccess,
    token: &Token,
    now: Timestamp,
) -> Result<Option<Integration>, Problem> {
    let Token::Integration(id) = token else { return Ok(None) };
    let named = |problem| Problem { field: Some("integration_id".to_owned()), ..problem };
    let integration = find_integration(services, access, id.as_str()).await.map_err(named)?;
    needs_token(&integration, now)?;
    Ok(Some(integration))
}

/// What came of it, as a problem if that is what it is. A token of an integration's that turns out dead ends more than this.
async fn heard(
    services: &Services,
    access: &MetaAccess,
    integration: Option<&Integration>,
    outcome: Result<AdAccount, LinkError>,
) -> Result<AdAccount, Problem> {
    match (outcome, integration) {
        (Err(LinkError::Work(error)), Some(integration)) if error.is_of_token() => {
            Err(of_meta(services, access, integration, error).await)
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
                SyncProblemCode::AdAccountNotVisible => "ad_account_id",
                SyncProblemCode::IntegrationEnded => "integration_id",
                _ => "token",
            };
            let detail = if evidence.is_empty() { detail } else { format!("{detail} ({evidence})") };
            Problem::field(field, code.into(), detail)
        }
        LinkError::Work(error @ (WorkError::Paused(_) | WorkError::Graph(_))) => {
            tracing::warn!(%error, code = %error.code(), "an ad account could not be verified");
            let detail = "Meta could not be asked about this ad account at the moment. Try again in a few minutes.";
            Problem::new(StatusCode::SERVICE_UNAVAILABLE, "meta_unavailable", detail)
        }
        LinkError::Work(error) => error.into(),
    }
}
