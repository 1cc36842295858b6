//! The token that reads an ad account, and what an error means to the account.

use jiff::Timestamp;

use crate::error::WorkError;
use crate::graph::GraphError;
use crate::ids::OrgScope;
use crate::meta_app::MetaApp;
use crate::model::ads::account::TokenSource;
use crate::model::ads::sync_problem::SyncProblemCode;
use crate::model::connection::Lifecycle;
use crate::model::connection::state::EndReason;
use crate::secret::AccessToken;
use crate::table::Table;
use crate::vault::VaultError;

/// The token of an account. `None` if its integration has ended or been deleted.
pub(super) async fn token(
    meta: &MetaApp,
    table: &Table,
    scope: &OrgScope,
    source: &TokenSource,
    now: Timestamp,
) -> Result<Option<AccessToken>, WorkError> {
    match source {
        TokenSource::Secret(name) => Ok(Some(meta.vault.token(name).await?)),
        TokenSource::Integration(id) => {
            let Some(integration) = table.integration(scope, id).await? else { return Ok(None) };
            // An integration that has only lost its pages has a valid token.
            let ended = integration.state(now).reason.is_some_and(|reason| reason != EndReason::PageRoleLost);
            if ended || integration.lifecycle == Lifecycle::Removing {
                return Ok(None);
            }
            Ok(Some(meta.vault.user_token(&integration.credentials).await?))
        }
    }
}

/// The account's problem that an error reveals. `None` if the error is temporary.
pub(super) fn problem(error: &WorkError) -> Option<SyncProblemCode> {
    match error {
        WorkError::Graph(error) => match error {
            GraphError::TokenInvalid { .. } => Some(SyncProblemCode::TokenDead),
            GraphError::NotPermitted(_) => Some(SyncProblemCode::AdsReadMissing),
            GraphError::NotVisible(_) => Some(SyncProblemCode::AdAccountNotVisible),
            GraphError::TooMuchData(_) => Some(SyncProblemCode::TooMuchData),
            GraphError::Refused(_) | GraphError::WrongTokenKind(_) | GraphError::MessagingWindowClosed(_) => {
                Some(SyncProblemCode::Refused)
            }
            GraphError::Throttled { .. }
            | GraphError::ProofRefused(_)
            | GraphError::Unavailable(_)
            | GraphError::InvalidResponse { .. }
            | GraphError::Transport(_) => None,
        },
        WorkError::Vault(VaultError::Missing(_) | VaultError::Unreadable(_)) => Some(SyncProblemCode::TokenUnreadable),
        WorkError::Disconnected => Some(SyncProblemCode::IntegrationEnded),
        WorkError::Vault(VaultError::Failed(_))
        | WorkError::Table(_)
        | WorkError::Queue(_)
        | WorkError::Bus(_)
        | WorkError::Mail(_)
        | WorkError::File(_)
        | WorkError::Paused(_)
        | WorkError::OutOfTime
        | WorkError::Panicked
        | WorkError::NotInPlan => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::AwsError;
    use crate::graph::error::Detail;
    use crate::table::TableError;

    #[test]
    fn what_does_not_heal_by_itself_is_told_with_what_to_do() {
        let code = |error: WorkError| problem(&error).map(<&str>::from);
        let detail = Detail::default;
        assert_eq!(code(VaultError::Unreadable("s".into()).into()), Some("token_unreadable"));
        assert_eq!(code(VaultError::Missing("s".into()).into()), Some("token_unreadable"));
        let reason = EndReason::TokenInvalid;
        assert_eq!(code(GraphError::TokenInvalid { reason, detail: detail() }.into()), Some("token_dead"));
        assert_eq!(code(GraphError::NotPermitted(detail()).into()), Some("ads_read_missing"));
        assert_eq!(code(GraphError::NotVisible(detail()).into()), Some("ad_account_not_visible"));
        assert_eq!(code(WorkError::Disconnected), Some("integration_ended"));
        for heals in [
            GraphError::Unavailable(detail()).into(),
            GraphError::Throttled { wait: None, detail: detail() }.into(),
            GraphError::ProofRefused(detail()).into(),
            VaultError::Failed(AwsError::new(std::io::Error::other("f"))).into(),
            TableError::Contended(1).into(),
        ] {
            assert_eq!(code(heals), None);
        }
    }
}
