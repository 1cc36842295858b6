//! Acts that need an integration's token, when there is none that works: 412, with the reason and what to do.

use http::StatusCode;
use jiff::Timestamp;

use super::{MetaAccess, Services};
use crate::error::WorkError;
use crate::graph::GraphError;
use crate::http::Problem;
use crate::jobs::CheckJob;
use crate::model::connection::Integration;
use crate::model::connection::standing::EndReason;

/// Refuses before anything is asked of Meta if the integration is known to have ended. One that has only lost its pages
/// has a token that works, and may get others.
pub(super) fn needs_token(integration: &Integration, now: Timestamp) -> Result<(), Problem> {
    match integration.standing(now).reason {
        None | Some(EndReason::PageRoleLost) => Ok(()),
        Some(reason) => Err(ended(reason)),
    }
}

fn ended(reason: EndReason) -> Problem {
    let code = if reason == EndReason::TokenUnreadable { "token_unreadable" } else { "connection_expired" };
    let detail = format!("{} {}", reason.message(), reason.fix());
    Problem { reason: Some(reason), ..Problem::new(StatusCode::PRECONDITION_FAILED, code, detail) }
}

/// What Meta's refusal of a call means to whoever asked us for it. A token that turns out to be dead is looked at at once.
pub(super) async fn of_meta(
    services: &Services,
    access: &MetaAccess,
    integration: &Integration,
    error: WorkError,
) -> Problem {
    if error.is_of_token() {
        if let Err(error) = services.checks.send(&[CheckJob::new(&access.scope, &integration.id)]).await {
            tracing::warn!(%error, org = %access.scope.org(), "a failed token will be looked at later only");
        }
        return match &error {
            WorkError::Graph(error) => ended(error.token_death().unwrap_or(EndReason::TokenInvalid)),
            _ => ended(EndReason::TokenUnreadable),
        };
    }
    match &error {
        WorkError::Graph(
            refused @ (GraphError::NotPermitted(_) | GraphError::NotVisible(_) | GraphError::WrongTokenKind(_)),
        ) => {
            let detail = format!("Meta refuses it: {refused}. Reconnect and leave every permission ticked.");
            Problem::new(StatusCode::BAD_GATEWAY, "meta_refused", detail)
        }
        WorkError::Paused(_) | WorkError::Graph(GraphError::Throttled { .. }) => {
            let detail = "Meta limits how often we may ask at the moment. Try again in a few minutes.";
            Problem::new(StatusCode::SERVICE_UNAVAILABLE, "meta_throttled", detail)
        }
        _ => error.into(),
    }
}
