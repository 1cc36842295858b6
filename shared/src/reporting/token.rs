//! With which token an ad account is read, and what is wrong if it cannot be.

use jiff::Timestamp;

use crate::connect::Meta;
use crate::error::WorkError;
use crate::graph::GraphError;
use crate::ids::OrgScope;
use crate::model::ad_account::{AdAccount, TokenSource};
use crate::model::ad_trouble::{Trouble, TroubleCode};
use crate::model::standing::EndReason;
use crate::secret::AccessToken;
use crate::table::Table;
use crate::vault::VaultError;

/// The token of an account; `None` if the integration that it is read with has ended or is gone.
pub(super) async fn token(
    meta: &Meta,
    table: &Table,
    scope: &OrgScope,
    source: &TokenSource,
    now: Timestamp,
) -> Result<Option<AccessToken>, WorkError> {
    match source {
        TokenSource::Secret(name) => Ok(Some(meta.vault.token(name).await?)),
        TokenSource::Integration(id) => {
            let Some(integration) = table.integration(scope, id).await? else { return Ok(None) };
            // One that has only lost its pages has a token that works.
            let ended = integration.standing(now).reason.is_some_and(|reason| reason != EndReason::PageRoleLost);
            if ended || integration.removing {
                return Ok(None);
            }
            Ok(Some(meta.vault.user_token(&integration.credentials).await?))
        }
    }
}

/// What an error says about the account, if it will not heal by itself.
pub(super) fn trouble(error: &WorkError) -> Option<TroubleCode> {
    match error {
        WorkError::Graph(error) => match error {
            GraphError::TokenDead { .. } => Some(TroubleCode::TokenDead),
            GraphError::NotPermitted(_) => Some(TroubleCode::AdsReadMissing),
            GraphError::NotVisible(_) => Some(TroubleCode::AdAccountNotVisible),
            GraphError::TooMuchData(_) => Some(TroubleCode::TooMuchData),
            GraphError::Refused(_) | GraphError::WrongTokenKind(_) | GraphError::MessagingWindowClosed(_) => {
                Some(TroubleCode::Refused)
            }
            GraphError::Throttled { .. }
            | GraphError::ProofRefused(_)
            | GraphError::Unavailable(_)
            | GraphError::Garbage { .. }
            | GraphError::NoAnswer(_) => None,
        },
        WorkError::Vault(VaultError::Missing(_) | VaultError::Unreadable(_)) => Some(TroubleCode::TokenUnreadable),
        WorkError::Disconnected => Some(TroubleCode::IntegrationEnded),
        WorkError::Vault(VaultError::Failed(_))
        | WorkError::Table(_)
        | WorkError::Queue(_)
        | WorkError::Bus(_)
        | WorkError::Mail(_)
        | WorkError::Paused(_)
        | WorkError::NotInPlan => None,
    }
}

/// The same as it is kept.
pub(super) fn told(code: TroubleCode, evidence: impl Into<String>, now: Timestamp) -> Trouble {
    Trouble { code, evidence: evidence.into(), since: now }
}

/// Whether an integration's token is what an account is read with.
pub(super) fn integration_of(account: &AdAccount) -> Option<&crate::ids::IntegrationId> {
    match &account.token {
        TokenSource::Integration(id) => Some(id),
        TokenSource::Secret(_) => None,
    }
}
