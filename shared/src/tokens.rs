//! Integrations for operations that call Meta with an integration's token: loaded, checked before the call, and Meta's
//! refusals translated.

use jiff::Timestamp;

use crate::error::{ActError, ErrorCode, Missing, WorkError};
use crate::graph::GraphError;
use crate::ids::{IntegrationId, OrgScope};
use crate::jobs::CheckJob;
use crate::meta_app::MetaApp;
use crate::model::connection::state::EndReason;
use crate::model::connection::{Integration, Lifecycle};
use crate::queue::Queue;
use crate::table::Table;
use crate::tr;

/// Access to integrations and their tokens.
#[derive(Debug, Clone)]
pub struct Tokens {
    /// The Graph API and the vault.
    pub meta: MetaApp,
    /// Stores the integrations.
    pub table: Table,
    /// Takes integrations whose token turns out to be invalid.
    pub checks: Queue<CheckJob>,
}

impl Tokens {
    /// Loads an integration of the org. One that is being deleted is not found.
    pub async fn integration(&self, scope: &OrgScope, id: &IntegrationId) -> Result<Integration, ActError> {
        let found =
            self.table.integration(scope, id).await?.filter(|integration| integration.lifecycle != Lifecycle::Removing);
        found.ok_or_else(|| ActError::not_found(Missing::Integration))
    }

    /// Loads an integration of the org whose token is not known to be invalid. An integration that has only lost a page
    /// still has a valid token and may get other pages.
    pub async fn usable_integration(
        &self,
        scope: &OrgScope,
        id: &IntegrationId,
        now: Timestamp,
    ) -> Result<Integration, ActError> {
        let integration = self.integration(scope, id).await?;
        match integration.state(now).reason {
            None | Some(EndReason::PageRoleLost) => Ok(integration),
            Some(reason) => Err(ActError::Ended(reason)),
        }
    }

    /// Translates a failed call with the integration's token for the caller. If the token is invalid, the integration
    /// is checked at once.
    pub async fn explain(&self, scope: &OrgScope, id: &IntegrationId, error: WorkError) -> ActError {
        if error.is_of_token() {
            if let Err(error) = self.checks.send(&[CheckJob::new(scope, id)]).await {
                tracing::warn!(%error, org = %scope.org(), "an invalid token is reported by the daily check only");
            }
            return ActError::Ended(match &error {
                WorkError::Graph(error) => error.token_death().unwrap_or(EndReason::TokenInvalid),
                _ => EndReason::TokenUnreadable,
            });
        }
        match &error {
            WorkError::Graph(
                refused @ (GraphError::NotPermitted(_) | GraphError::NotVisible(_) | GraphError::WrongTokenKind(_)),
            ) => {
                let message = tr!(
                    "Meta refuses this: {refused}. Reconnect and keep every permission selected.",
                    refused = refused
                );
                ActError::refuse(ErrorCode::MetaRefused, message)
            }
            WorkError::Paused(_) | WorkError::Graph(GraphError::Throttled { .. }) => {
                let message = tr!("Meta limits the number of calls at the moment. Try again in a few minutes.");
                ActError::refuse(ErrorCode::MetaThrottled, message)
            }
            _ => error.into(),
        }
    }
}
