//! Linking an ad account: verified with Meta at once, so that what is wrong is told to whoever can mend it.

use std::time::Duration;

use jiff::Timestamp;

use super::begin::{Begun, begin};
use super::token;
use crate::error::WorkError;
use crate::graph::GraphError;
use crate::graph::ad_accounts::AdAccountNode;
use crate::ids::{AdAccountId, IntegrationId, LinkId, OrgScope, RunId, UserId};
use crate::jobs::AdsSyncJob;
use crate::meta_app::MetaApp;
use crate::model::ads::account::{AdAccount, Client, TokenSource};
use crate::model::ads::conversions::Counted;
use crate::model::ads::sync::Cause;
use crate::model::ads::sync_problem::SyncProblemCode;
use crate::queue::Queue;
use crate::secret::AccessToken;
use crate::table::Table;
use crate::table::ad_account::Settings;

/// No turn of a reading takes longer.
const MAX_TURN: Duration = Duration::from_mins(6);

/// With which token an account shall be read.
#[derive(Debug)]
pub enum Token {
    /// An integration's.
    Integration(IntegrationId),
    /// One that somebody pasted.
    Pasted(AccessToken),
}

/// An account to be linked.
#[derive(Debug)]
pub struct NewAccount {
    /// Meta's.
    pub ad_account_id: AdAccountId,
    /// What the org calls it.
    pub label: String,
    /// Whose ads these are.
    pub client: Client,
    /// With which token it is read.
    pub token: Token,
    /// What counts as conversions.
    pub conversions: Counted,
}

/// Why an account is not linked, or not changed. Nothing has been changed then.
#[derive(Debug, thiserror::Error)]
pub enum LinkError {
    /// The org has it already.
    #[error("this ad account is linked already")]
    Linked,
    /// The account was unlinked meanwhile.
    #[error("this ad account was unlinked meanwhile")]
    Gone,
    /// There is no such integration in this org.
    #[error("this org has no such integration")]
    Integration,
    /// Meta, or what we have of its tokens, does not let it be read.
    #[error("{} {}", .0.message(), .0.fix())]
    Refused(SyncProblemCode, String),
    /// Something failed.
    #[error(transparent)]
    Work(#[from] WorkError),
}

impl From<crate::table::TableError> for LinkError {
    fn from(error: crate::table::TableError) -> Self {
        Self::Work(error.into())
    }
}

/// What all of these need.
#[derive(Debug, Clone, Copy)]
pub struct Desk<'a> {
    /// Verifies, and keeps tokens.
    pub meta: &'a MetaApp,
    /// Keeps accounts.
    pub table: &'a Table,
    /// Takes what is to be read.
    pub queue: &'a Queue<AdsSyncJob>,
    /// What the names of secrets with tokens begin with.
    pub credentials_prefix: &'a str,
}

/// Verifies an account with Meta, stores it and has it imported.
///
/// # Errors
/// [`LinkError`] says what is wrong with it.
pub async fn link(
    desk: Desk<'_>,
    scope: &OrgScope,
    new: NewAccount,
    by: UserId,
    now: Timestamp,
) -> Result<AdAccount, LinkError> {
    if desk.table.ad_account(scope, &new.ad_account_id).await?.is_some() {
        return Err(LinkError::Linked);
    }
    let (token, node) = verified(desk, scope, &new.token, &new.ad_account_id, now).await?;
    let id = LinkId::new();
    let source = keep(desk, &id, new.token, &token).await?;
    let linked = AdAccount::linked(scope.org().clone(), new.ad_account_id, new.client, source, (by.clone(), now));
    let account = AdAccount {
        id,
        name: node.name,
        label: new.label,
        currency: node.currency,
        timezone: node.timezone_name,
        account_status: node.account_status,
        conversions: new.conversions,
        ..linked
    };
    if !desk.table.insert_ad_account(scope, &account).await? {
        desk.meta.vault.drop_all(&secrets(Some(&account.token))).await;
        return Err(LinkError::Linked);
    }
    read_soon(desk, scope, &account, (account.due_since(now), Cause::Import, Some(by)), now).await;
    Ok(account)
}

/// Changes an account. A new token is verified first and kept, and what it replaces is deleted; `settings` names none.
///
/// # Errors
/// [`LinkError`] says what is wrong with it.
pub async fn change(
    desk: Desk<'_>,
    scope: &OrgScope,
    account: &AdAccount,
    (settings, token): (Settings, Option<Token>),
    by: UserId,
    now: Timestamp,
) -> Result<AdAccount, LinkError> {
    let token = match token {
        None => None,
        Some(given) => {
            let (token, _) = verified(desk, scope, &given, &account.ad_account_id, now).await?;
            Some(keep(desk, &account.id, given, &token).await?)
        }
    };
    let settings = Settings { token, ..settings };
    let recount = settings.conversions.as_ref().is_some_and(|counted| *counted != account.conversions);
    let begins = recount || settings.token.is_some() || (account.paused && settings.paused == Some(false));
    if !desk.table.set_ad_account(scope, account, &settings).await? {
        desk.meta.vault.drop_all(&secrets(settings.token.as_ref())).await;
        return Err(LinkError::Gone);
    }
    if settings.token.is_some() {
        desk.meta.vault.drop_all(&secrets(Some(&account.token))).await;
    }
    let changed = desk.table.ad_account(scope, &account.ad_account_id).await?.ok_or(LinkError::Gone)?;
    if begins && !changed.paused {
        // What counts has changed: all that is stored is read again, so that no report mixes the two.
        let since = changed.imported_since.filter(|_| recount).unwrap_or_else(|| changed.due_since(now));
        let since = since.min(changed.due_since(now));
        read_soon(desk, scope, &changed, (since, Cause::Request, Some(by)), now).await;
    }
    Ok(changed)
}

/// Unlinks an account. What was read of it is deleted in time; its token at once.
///
/// # Errors
/// If the vault, the table or the queue fails; asking again finishes it.
pub async fn unlink(desk: Desk<'_>, scope: &OrgScope, account: &AdAccount) -> Result<(), WorkError> {
    // The message before the row: nobody would find what was read of it otherwise. The worker leaves an account alone
    // that is still linked, and comes again.
    let job = AdsSyncJob::new(account, None);
    // A reading that is under way writes until its turn ends.
    let delay = if account.run_id.is_some() { MAX_TURN } else { Duration::ZERO };
    desk.queue.send_later(&job, delay).await.map_err(WorkError::from)?;
    // The token before the row that names it.
    if let Some(name) = account.token.secret() {
        desk.meta.vault.delete(name).await?;
    }
    desk.table.delete_ad_account(scope, account).await?;
    Ok(())
}

/// Has an account read. What was asked for is done without it, and the schedule makes up for a reading that did not begin.
async fn read_soon(
    desk: Desk<'_>,
    scope: &OrgScope,
    account: &AdAccount,
    plan: (jiff::civil::Date, Cause, Option<UserId>),
    now: Timestamp,
) {
    let run = RunId::new();
    let begun = async {
        if begin(desk.table, scope, account, &run, plan, now).await? == Begun::New {
            desk.queue.send(&[AdsSyncJob::new(account, Some(run.clone()))]).await?;
        }
        Ok::<_, WorkError>(())
    };
    if let Err(error) = begun.await {
        tracing::warn!(%error, account = %account.ad_account_id, "an ad account will be read later only");
    }
}

fn secrets(source: Option<&TokenSource>) -> Vec<String> {
    source.and_then(TokenSource::secret).map(str::to_owned).into_iter().collect()
}

async fn keep(desk: Desk<'_>, link: &LinkId, given: Token, token: &AccessToken) -> Result<TokenSource, WorkError> {
    Ok(match given {
        Token::Integration(id) => TokenSource::Integration(id),
        Token::Pasted(_) => {
            TokenSource::Secret(desk.meta.vault.store_token(desk.credentials_prefix, link.as_str(), token).await?)
        }
    })
}

/// The token, and the account as it shows it.
async fn verified(
    desk: Desk<'_>,
    scope: &OrgScope,
    token: &Token,
    id: &AdAccountId,
    now: Timestamp,
) -> Result<(AccessToken, AdAccountNode), LinkError> {
    let graph = desk.meta.graph().await.map_err(WorkError::from)?;
    let is_integration = matches!(token, Token::Integration(_));
    let token = match token {
        Token::Pasted(token) => {
            let info = match graph.debug_token(token).await {
                Ok(info) if info.app_id == graph.app().id && info.is_valid => info,
                Ok(_) | Err(GraphError::Refused(_)) => {
                    return Err(LinkError::Refused(
                        SyncProblemCode::TokenDead,
                        "not a valid token of this app".to_owned(),
                    ));
                }
                Err(error) => return Err(WorkError::from(error).into()),
            };
            if !may_read_ads(&info.scopes) {
                return Err(LinkError::Refused(SyncProblemCode::AdsReadMissing, info.scopes.join(", ")));
            }
            token.clone()
        }
        Token::Integration(integration) => {
            let found = desk.table.integration(scope, integration).await?.filter(|found| !found.removing);
            let found = found.ok_or(LinkError::Integration)?;
            let source = TokenSource::Integration(integration.clone());
            let token = match token::token(desk.meta, desk.table, scope, &source, now).await {
                Ok(Some(token)) => token,
                Ok(None) => return Err(LinkError::Refused(SyncProblemCode::IntegrationEnded, String::new())),
                Err(error) => return Err(error.into()),
            };
            if !may_read_ads(&found.scopes) {
                return Err(LinkError::Refused(SyncProblemCode::AdsReadMissing, found.scopes.join(", ")));
            }
            token
        }
    };
    match graph.ad_account(id, &token).await.outcome {
        Ok(node) if node.id == *id => Ok((token, node)),
        Ok(_) => Err(LinkError::Refused(SyncProblemCode::AdAccountNotVisible, String::new())),
        // With the permission there, Meta's refusal means this account.
        Err(GraphError::NotPermitted(detail)) => {
            Err(LinkError::Refused(SyncProblemCode::AdAccountNotVisible, detail.to_string()))
        }
        // More than this account hangs on an integration's token.
        Err(error @ GraphError::TokenInvalid { .. }) if is_integration => Err(WorkError::from(error).into()),
        Err(error) => Err(refused(error.into())),
    }
}

fn may_read_ads(scopes: &[String]) -> bool {
    scopes.iter().any(|scope| matches!(scope.as_str(), "ads_read" | "ads_management"))
}

fn refused(error: WorkError) -> LinkError {
    match token::trouble(&error) {
        Some(code) => LinkError::Refused(code, error.to_string()),
        None => error.into(),
    }
}
