//! Linking ad accounts, changing and unlinking them. An account is verified with Meta before anything is stored.
#![expect(missing_docs, reason = "a field whose name says it all has no description in the API's document either")]

use std::time::Duration;

use jiff::Timestamp;
use jiff::civil::Date;
use serde::Deserialize;
use utoipa::ToSchema;

use super::accounts::{AdAccountOut, account_out};
use super::start::{StartOutcome, start_sync};
use super::{Ads, token};
use crate::audit::Trail;
use crate::directory::MetaAccess;
use crate::error::{ActError, ErrorCode, Missing, WorkError};
use crate::graph::GraphError;
use crate::graph::ad_accounts::AdAccountNode;
use crate::ids::{AdAccountId, ClientId, IntegrationId, LinkId, OrgScope, RunId};
use crate::jobs::AdsSyncJob;
use crate::model::ads::account::{AdAccount, Client, TokenSource};
use crate::model::ads::conversions::Counted;
use crate::model::ads::sync::Cause;
use crate::model::ads::sync_problem::SyncProblemCode;
use crate::model::audit::Word;
use crate::model::json_input::{maybe_object, object};
use crate::model::limit::OrgLimit;
use crate::queue::Queue;
use crate::secret::AccessToken;
use crate::table::Table;
use crate::table::ad_account::AdAccountSettings;
use crate::tr;
use crate::vault::Vault;

/// The maximum duration of a slice of a sync.
const MAX_SLICE: Duration = Duration::from_mins(6);

/// The client whose ads an account shows.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ClientIn {
    /// The CRM's own id of the client.
    pub id: ClientId,
    /// 1 to 100 characters.
    #[schema(min_length = 1, max_length = 100, pattern = r"\S")]
    pub name: String,
}

/// An ad account to link.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewAdAccount {
    /// Meta's id, including `act_`.
    #[schema(example = "act_1234567890", pattern = "^act_[0-9]{1,32}$")]
    pub ad_account_id: String,
    /// 1 to 100 characters.
    #[schema(min_length = 1, max_length = 100, pattern = r"\S")]
    pub label: String,
    #[serde(deserialize_with = "object")]
    pub client: ClientIn,
    /// A system user's token with `ads_read`. Set either this or `integration_id`.
    #[schema(value_type = Option<String>)]
    pub token: Option<AccessToken>,
    /// The integration whose token to use.
    pub integration_id: Option<IntegrationId>,
    /// What counts as conversions: kinds (`lead`, `purchase`…) or Meta's action types.
    pub conversions: Option<Vec<String>>,
}

/// The changes to an ad account. Absent fields are unchanged.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AdAccountChange {
    /// 1 to 100 characters.
    #[schema(min_length = 1, max_length = 100, pattern = r"\S")]
    pub label: Option<String>,
    #[serde(default, deserialize_with = "maybe_object")]
    pub client: Option<ClientIn>,
    /// A system user's token with `ads_read`.
    #[schema(value_type = Option<String>)]
    pub token: Option<AccessToken>,
    /// The integration whose token to use.
    pub integration_id: Option<IntegrationId>,
    /// Whether its syncs are paused.
    pub paused: Option<bool>,
    /// What counts as conversions. A change syncs all stored days again.
    pub conversions: Option<Vec<String>>,
}

/// The token that reads an account.
#[derive(Debug)]
enum TokenInput {
    /// An integration's.
    Integration(IntegrationId),
    /// The account's own.
    Own(AccessToken),
}

/// Takes down which settings of an account changed.
fn record_account(trail: &Trail, before: &AdAccount, after: &AdAccount) {
    trail.withheld("label", &before.label, &after.label);
    trail.changed("client.id", &before.client.id, &after.client.id);
    trail.withheld("client.name", &before.client.name, &after.client.name);
    trail.withheld("token", &before.token, &after.token);
    trail.changed("paused", &before.paused, &after.paused);
    fn words(account: &AdAccount) -> Vec<Word<'_>> {
        account.conversions.names().iter().map(|name| Word(name)).collect()
    }
    trail.changed("conversions", &words(before), &words(after));
}

impl Ads {
    /// Links an ad account, which is synced from then on. It is verified with Meta first; nothing is stored if the
    /// request is refused.
    pub async fn link(&self, access: &MetaAccess, input: NewAdAccount) -> Result<AdAccountOut, ActError> {
        let invalid = |error| ActError::invalid("ad_account_id", ErrorCode::AdAccountIdInvalid, format!("{error}."));
        let token = token_input(input.token, input.integration_id)?.ok_or_else(|| {
            let message = tr!("Give a system user's token, or an integration to read the account with.");
            ActError::invalid("token", ErrorCode::TokenRequired, message)
        })?;
        let ad_account_id = AdAccountId::parse(&input.ad_account_id).map_err(invalid)?;
        let label = check_name("label", input.label)?;
        let client = check_client(input.client)?;
        let conversions = parse_conversions(input.conversions)?.unwrap_or_default();
        let (scope, now) = (&access.scope, crate::clock::now());
        if self.table.ad_account(scope, &ad_account_id).await?.is_some() {
            return Err(already_linked());
        }
        let (verified, node) = self.verify(access, &token, &ad_account_id, now).await?;
        let id = LinkId::new();
        let source = self.store_token(&id, token, &verified).await?;
        let by = access.caller.user.clone();
        let account = AdAccount {
            id,
            name: node.name,
            label,
            currency: node.currency,
            timezone: node.timezone_name,
            account_status: node.account_status,
            conversions,
            ..AdAccount::new(scope.org().clone(), ad_account_id, client, source, (by, now))
        };
        if !self.table.insert_ad_account(scope, &account).await? {
            self.tokens.meta.vault.drop_all(&own_secret(Some(&account.token))).await;
            return Err(already_linked());
        }
        access.trail.about(&account.ad_account_id);
        access.trail.changed("client.id", &None, &Some(account.client.id.clone()));
        self.sync_soon(access, &account, account.due_since(now), Cause::Import, now).await;
        Ok(account_out(&account, now))
    }

    /// Changes an ad account. A new token is verified first and stored, and what it replaces is deleted.
    pub async fn change(
        &self,
        access: &MetaAccess,
        id: &AdAccountId,
        input: AdAccountChange,
    ) -> Result<AdAccountOut, ActError> {
        let (scope, now) = (&access.scope, crate::clock::now());
        let account = self.find(access, id).await?;
        let token = token_input(input.token, input.integration_id)?;
        let label = input.label.map(|label| check_name("label", label)).transpose()?;
        let client = input.client.map(check_client).transpose()?;
        let conversions = parse_conversions(input.conversions)?;
        let token = match token {
            None => None,
            Some(token) => {
                let (verified, _) = self.verify(access, &token, &account.ad_account_id, now).await?;
                Some(self.store_token(&account.id, token, &verified).await?)
            }
        };
        let settings = AdAccountSettings { label, client, token, paused: input.paused, conversions };
        let recount = settings.conversions.as_ref().is_some_and(|counted| *counted != account.conversions);
        let begins = recount || settings.token.is_some() || (account.paused && settings.paused == Some(false));
        let not_found = || ActError::not_found(Missing::AdAccount);
        if !self.table.set_ad_account(scope, &account, &settings).await? {
            self.tokens.meta.vault.drop_all(&own_secret(settings.token.as_ref())).await;
            return Err(not_found());
        }
        if settings.token.is_some() {
            self.tokens.meta.vault.drop_all(&own_secret(Some(&account.token))).await;
        }
        let changed = self.table.ad_account(scope, &account.ad_account_id).await?.ok_or_else(not_found)?;
        record_account(&access.trail, &account, &changed);
        if begins && !changed.paused {
            // If what counts as conversions has changed, all stored days are synced again, so that no report mixes the
            // two.
            let since = changed.imported_since.filter(|_| recount).unwrap_or_else(|| changed.due_since(now));
            let since = since.min(changed.due_since(now));
            self.sync_soon(access, &changed, since, Cause::Request, now).await;
        }
        Ok(account_out(&changed, now))
    }

    /// Unlinks an ad account. Its own token is deleted at once, its stored days in the background.
    ///
    /// # Errors
    /// After an error, unlinking again completes it.
    pub async fn unlink(&self, access: &MetaAccess, id: &AdAccountId) -> Result<(), ActError> {
        let account = self.find(access, id).await?;
        Ok(unlink_account(&self.table, &self.tokens.meta.vault, &self.queue, &access.scope, &account).await?)
    }

    /// Starts a sync. What was requested is done without it, and the schedule makes up for a sync that did not start.
    async fn sync_soon(&self, access: &MetaAccess, account: &AdAccount, since: Date, cause: Cause, now: Timestamp) {
        let run = RunId::new();
        let plan = (since, cause, Some(access.caller.user.clone()));
        let start = async {
            if start_sync(&self.table, &access.scope, account, &run, plan, now).await? == StartOutcome::New {
                self.queue.send(&[AdsSyncJob::new(account, Some(run.clone()))]).await?;
            }
            Ok::<_, WorkError>(())
        };
        if let Err(error) = start.await {
            tracing::warn!(%error, account = %account.ad_account_id, "an ad account is synced by the schedule only");
        }
    }

    async fn store_token(
        &self,
        link: &LinkId,
        input: TokenInput,
        token: &AccessToken,
    ) -> Result<TokenSource, WorkError> {
        Ok(match input {
            TokenInput::Integration(id) => TokenSource::Integration(id),
            TokenInput::Own(_) => {
                let vault = &self.tokens.meta.vault;
                TokenSource::Secret(vault.store_token(&self.credentials_prefix, link.as_str(), token).await?)
            }
        })
    }

    /// Verifies with Meta that a token may read an account. Returns the token and what Meta says of the account.
    async fn verify(
        &self,
        access: &MetaAccess,
        token: &TokenInput,
        id: &AdAccountId,
        now: Timestamp,
    ) -> Result<(AccessToken, AdAccountNode), ActError> {
        access.count(&self.table, OrgLimit::MetaCalls).await?;
        let graph = self.tokens.meta.graph().await?;
        let access_token = match token {
            TokenInput::Own(token) => {
                let info = match graph.debug_token(token).await {
                    Ok(info) if info.app_id == graph.app().id && info.is_valid => info,
                    Ok(_) | Err(GraphError::Refused(_)) => {
                        return Err(refuse(SyncProblemCode::TokenDead, &tr!("not a valid token of this app")));
                    }
                    Err(error) => return Err(explain(error.into())),
                };
                if !may_read_ads(&info.scopes) {
                    return Err(refuse(SyncProblemCode::AdsReadMissing, &info.scopes.join(", ")));
                }
                token.clone()
            }
            TokenInput::Integration(id) => {
                let scope = &access.scope;
                let integration = self.tokens.usable_integration(scope, id, now).await;
                let integration = integration.map_err(|error| error.at("integration_id"))?;
                let token = match self.tokens.meta.vault.user_token(&integration.credentials).await {
                    Ok(token) => token,
                    Err(error) => return Err(self.tokens.explain(scope, id, error.into()).await),
                };
                if !may_read_ads(&integration.scopes) {
                    return Err(refuse(SyncProblemCode::AdsReadMissing, &integration.scopes.join(", ")));
                }
                token
            }
        };
        match (graph.ad_account(id, &access_token).await.outcome, token) {
            (Ok(node), _) if node.id == *id => Ok((access_token, node)),
            (Ok(_), _) => Err(refuse(SyncProblemCode::AdAccountNotVisible, "")),
            // The permission was checked above, so Meta's refusal concerns this account.
            (Err(GraphError::NotPermitted(detail)), _) => {
                Err(refuse(SyncProblemCode::AdAccountNotVisible, &detail.to_string()))
            }
            // More than this account depends on an integration's token.
            (Err(error @ GraphError::TokenInvalid { .. }), TokenInput::Integration(integration)) => {
                Err(self.tokens.explain(&access.scope, integration, error.into()).await)
            }
            (Err(error), _) => Err(explain(error.into())),
        }
    }
}

/// Unlinks an ad account: its own token is deleted, its stored days by the worker of the queue.
///
/// # Errors
/// After an error, a repetition completes it.
pub async fn unlink_account(
    table: &Table,
    vault: &Vault,
    queue: &Queue<AdsSyncJob>,
    scope: &OrgScope,
    account: &AdAccount,
) -> Result<(), WorkError> {
    // The message before the row: without the row, nothing leads to the stored days. The worker leaves an account
    // alone that is still linked, and retries.
    let job = AdsSyncJob::new(account, None);
    // A sync in progress writes until its slice ends.
    let delay = if account.run_id.is_some() { MAX_SLICE } else { Duration::ZERO };
    queue.send_later(&job, delay).await?;
    // The token before the row that names it.
    if let Some(name) = account.token.secret() {
        vault.delete(name).await?;
    }
    Ok(table.delete_ad_account(scope, account).await?)
}

fn token_input(token: Option<AccessToken>, integration: Option<IntegrationId>) -> Result<Option<TokenInput>, ActError> {
    match (token, integration) {
        (Some(_), Some(_)) => {
            let message = tr!("Either a token or an integration, not both.");
            Err(ActError::invalid("token", ErrorCode::TokenAmbiguous, message))
        }
        (Some(token), None) => Ok(Some(TokenInput::Own(token))),
        (None, integration) => Ok(integration.map(TokenInput::Integration)),
    }
}

fn check_client(input: ClientIn) -> Result<Client, ActError> {
    Ok(Client { id: input.id, name: check_name("client.name", input.name)? })
}

fn check_name(field: &'static str, name: String) -> Result<String, ActError> {
    let name = name.trim();
    if (1..=100).contains(&name.chars().count()) && !name.chars().any(char::is_control) {
        return Ok(name.to_owned());
    }
    Err(ActError::invalid(field, ErrorCode::NameInvalid, tr!("1 to 100 characters, without control characters.")))
}

fn parse_conversions(names: Option<Vec<String>>) -> Result<Option<Counted>, ActError> {
    let invalid = |error| ActError::invalid("conversions", ErrorCode::ConversionsInvalid, format!("{error}."));
    names.map(Counted::parse).transpose().map_err(invalid)
}

fn may_read_ads(scopes: &[String]) -> bool {
    scopes.iter().any(|scope| matches!(scope.as_str(), "ads_read" | "ads_management"))
}

fn own_secret(source: Option<&TokenSource>) -> Vec<String> {
    source.and_then(TokenSource::secret).map(str::to_owned).into_iter().collect()
}

fn already_linked() -> ActError {
    let message = tr!("This org has linked this ad account already.");
    ActError::refuse(ErrorCode::AdAccountLinked, message).at("ad_account_id")
}

/// Refuses an account that cannot be synced, with Meta's evidence.
fn refuse(code: SyncProblemCode, evidence: &str) -> ActError {
    let field = match code {
        SyncProblemCode::AdAccountNotVisible => "ad_account_id",
        SyncProblemCode::IntegrationEnded => "integration_id",
        _ => "token",
    };
    let message = format!("{} {}", code.message(), code.fix());
    let message = if evidence.is_empty() { message } else { format!("{message} ({evidence})") };
    ActError::invalid(field, ErrorCode::AdAccount(code), message)
}

/// What a failed verification means to the caller.
fn explain(error: WorkError) -> ActError {
    match token::problem(&error) {
        Some(code) => refuse(code, &error.to_string()),
        None if matches!(error, WorkError::Graph(_)) => {
            tracing::warn!(%error, code = %error.code(), "an ad account could not be verified");
            let message = tr!("This ad account could not be checked with Meta. Try again in a few minutes.");
            ActError::refuse(ErrorCode::MetaUnavailable, message)
        }
        None => error.into(),
    }
}
