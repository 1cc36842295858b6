//! Tokens of system users: made by hand in a business portfolio, pasted once, never shown again.

use jiff::Timestamp;

use super::accept::{Accepted, ConnectRequest, Connector};
use crate::error::{ActError, ErrorCode, WorkError};
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

impl Connector {
    /// Verifies a pasted token with Meta and connects an integration with it. The pages it brings are taken as those
    /// that a person brings.
    pub async fn paste(
        &self,
        scope: &OrgScope,
        user: ConnectedBy,
        pasted: Pasted,
        now: Timestamp,
    ) -> Result<Accepted, ActError> {
        let graph = self.meta.graph().await?;
        let info = match self.valid(&graph, &pasted.token).await {
            // Meta does not even describe what is another app's.
            Err(WorkError::Graph(GraphError::Refused(_))) => None,
            info => info?,
        };
        let info = info.ok_or_else(not_valid)?;
        if info.r#type != "SYSTEM_USER" {
            let message = format!(
                "This is a token of the kind {}, not a system user's. To connect as a person, use Meta's login.",
                info.r#type
            );
            return Err(ActError::invalid("token", ErrorCode::TokenKind, message));
        }
        let grant = match self.read_grant(&graph, TokenKind::SystemUser, pasted.token, info).await {
            Err(WorkError::Graph(GraphError::TokenInvalid { .. })) => return Err(not_valid()),
            Err(WorkError::Graph(GraphError::NotPermitted(_))) => return Err(no_pages()),
            grant => grant?,
        };
        if !grant.pages.iter().any(|page| page.access_token.is_some()) {
            return Err(no_pages());
        }
        let request = ConnectRequest {
            reconnects: pasted.integration_id.is_some(),
            integration_id: pasted.integration_id.unwrap_or_default(),
            user,
            scopes: DEFAULT_SCOPES.iter().map(|scope| (*scope).to_owned()).collect(),
            name: pasted.name,
            description: pasted.description,
            assignment: pasted.assignment,
        };
        self.accept(scope, &graph, request, grant, now).await?.ok_or_else(|| ActError::not_found("integration"))
    }
}

fn not_valid() -> ActError {
    let message = "Meta does not accept this token for this app. Generate a new one for this app in Meta Business settings, under System users.";
    ActError::invalid("token", ErrorCode::TokenNotValid, message)
}

fn no_pages() -> ActError {
    let message = "This system user brings no page. Assign pages to it in Meta Business settings, then generate a new token with pages_show_list.";
    ActError::invalid("token", ErrorCode::NoPages, message)
}
