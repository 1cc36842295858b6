//! Tokens of system users: made by hand in a business portfolio, pasted once, never shown again.

use jiff::Timestamp;

use super::accept::{Accepted, Connector, Wanted};
use crate::error::WorkError;
use crate::graph::GraphError;
use crate::ids::{IntegrationId, OrgScope};
use crate::model::connection::ConnectedBy;
use crate::model::connection::login::DEFAULT_SCOPES;
use crate::model::connection::standing::TokenKind;
use crate::model::lead::assignment::Assignment;
use crate::secret::AccessToken;

/// A token that somebody pasted, and what is to become of it.
#[derive(Debug)]
pub struct Pasted {
    /// The token.
    pub token: AccessToken,
    /// Whose token it replaces; that one goes on working until this one does.
    pub integration_id: Option<IntegrationId>,
    /// Of a new integration.
    pub name: Option<String>,
    /// Of a new integration.
    pub description: Option<String>,
    /// Of a new integration.
    pub assignment: Option<Assignment>,
}

/// Why a pasted token is not taken. Nothing has been changed then.
#[derive(Debug, thiserror::Error)]
pub enum PasteError {
    /// Not a token of this app, or not one any more.
    #[error(
        "Meta does not accept this token for this app; generate a new one for this app in Meta Business settings, under System users"
    )]
    NotValid,
    /// A token of another kind.
    #[error("this is a token of the kind {0}, not a system user's; to connect as a person, use Meta's login")]
    NotSystemUser(String),
    /// A token that brings no page.
    #[error(
        "this system user brings no page; assign pages to it in Meta Business settings, then generate a new token with pages_show_list"
    )]
    NoPages,
    /// The integration was deleted meanwhile.
    #[error("the integration was deleted meanwhile")]
    Gone,
    /// Something failed.
    #[error(transparent)]
    Work(#[from] WorkError),
}

impl Connector {
    /// Verifies a pasted token with Meta and connects an integration with it. The pages it brings are taken as those
    /// that a person brings.
    ///
    /// # Errors
    /// [`PasteError`] says what is wrong with it.
    pub async fn paste(
        &self,
        scope: &OrgScope,
        user: ConnectedBy,
        pasted: Pasted,
        now: Timestamp,
    ) -> Result<Accepted, PasteError> {
        let graph = self.meta.graph().await.map_err(WorkError::from)?;
        let info = match self.valid(&graph, &pasted.token).await {
            // Meta does not even describe what is another app's.
            Err(WorkError::Graph(GraphError::Refused(_))) => None,
            info => info?,
        };
        let info = info.ok_or(PasteError::NotValid)?;
        if info.r#type != "SYSTEM_USER" {
            return Err(PasteError::NotSystemUser(info.r#type));
        }
        let given = match self.given(&graph, TokenKind::SystemUser, pasted.token, info).await {
            Err(WorkError::Graph(GraphError::TokenInvalid { .. })) => return Err(PasteError::NotValid),
            Err(WorkError::Graph(GraphError::NotPermitted(_))) => return Err(PasteError::NoPages),
            given => given?,
        };
        if !given.pages.iter().any(|page| page.access_token.is_some()) {
            return Err(PasteError::NoPages);
        }
        let wanted = Wanted {
            reconnects: pasted.integration_id.is_some(),
            integration_id: pasted.integration_id.unwrap_or_default(),
            user,
            scopes: DEFAULT_SCOPES.iter().map(|scope| (*scope).to_owned()).collect(),
            name: pasted.name,
            description: pasted.description,
            assignment: pasted.assignment,
        };
        self.accept(scope, &graph, wanted, given, now).await?.ok_or(PasteError::Gone)
    }
}
