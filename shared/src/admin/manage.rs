//! Changing integrations: making one, its settings, its pages, its token, and ending it.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::integrations::{IntegrationOut, PageList, find, page_list, shown};
use super::usable::{needs_token, of_meta};
use super::{MetaAccess, Services};
use crate::connections::{ChooseError, PasteError, Pasted, check_settings, choose_pages, remove};
use crate::error::WorkError;
use crate::http::Problem;
use crate::ids::PageId;
use crate::jobs::CheckJob;
use crate::model::connection::Integration;
use crate::model::lead::assignment::Assignment;
use crate::secret::AccessToken;
use crate::table::integration::Settings;

/// An integration to make.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewIntegration {
    /// 1 to 100 characters.
    pub name: String,
    /// At most 500 characters.
    pub description: Option<String>,
    /// How it hands out its leads; unassigned if left out.
    pub assignment: Option<Assignment>,
    /// A system user's token. Without one the integration is a draft: `POST …/reconnect` connects it by Meta's login.
    #[schema(value_type = Option<String>)]
    pub token: Option<AccessToken>,
}

/// What to change. What is left out stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SettingsIn {
    /// 1 to 100 characters.
    pub name: Option<String>,
    /// At most 500 characters.
    pub description: Option<String>,
    /// How leads are handed out from now on; those that are in stay as they are.
    pub assignment: Option<Assignment>,
}

/// Which pages to take leads from.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PagesIn {
    /// Exactly these from now on.
    pub page_ids: Vec<PageId>,
}

/// A token to go on with.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TokenIn {
    /// Of a system user.
    #[schema(value_type = String)]
    pub token: AccessToken,
}

/// What was disconnected.
#[derive(Debug, Serialize, ToSchema)]
pub struct Disconnected {
    /// How many integrations.
    pub disconnected: usize,
}

/// How far an ending has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// To its end.
    Done,
    /// Leads have stopped or are about to; the rest is done in the background.
    GoesOn,
}

/// Whoever asked waits at a gateway, which gives up after 30 seconds; what is not done by then is gone on with in the
/// background.
const MAX_DURATION: Duration = Duration::from_secs(22);

/// Makes an integration: connected at once if a system user's token is given, else a draft that a login connects.
///
/// # Errors
/// If a setting or the token cannot be as it is, or something failed.
pub async fn create(
    services: &Services,
    access: &MetaAccess,
    given: NewIntegration,
) -> Result<IntegrationOut, Problem> {
    let name = Some(given.name);
    let settings = Settings { name, description: given.description, assignment: given.assignment };
    let settings = check_settings(&services.table, &access.scope, settings).await?;
    let now = crate::clock::now();
    let integration = match given.token {
        Some(token) => {
            let Settings { name, description, assignment } = settings;
            let pasted = Pasted { token, integration_id: None, name, description, assignment };
            paste(services, access, pasted).await?
        }
        None => {
            let draft = Integration::draft(access.scope.org().clone(), access.caller.as_connector(), now);
            let draft = Integration {
                name: settings.name.unwrap_or_default(),
                description: settings.description.unwrap_or_default(),
                assignment: settings.assignment.unwrap_or_default(),
                ..draft
            };
            services.table.insert_integration(&access.scope, &draft, None).await?;
            draft
        }
    };
    shown(services, access, &integration).await
}

/// Changes an integration's settings. A changed assignment touches leads that come from now on.
///
/// # Errors
/// If there is no such integration, a setting cannot be as it is, or something failed.
pub async fn change(
    services: &Services,
    access: &MetaAccess,
    id: &str,
    given: SettingsIn,
) -> Result<IntegrationOut, Problem> {
    let table = &services.table;
    let id = find(services, access, id).await?.id;
    let settings = Settings { name: given.name, description: given.description, assignment: given.assignment };
    let settings = check_settings(table, &access.scope, settings).await?;
    table.set_settings(&access.scope, &id, &settings).await?;
    let integration = find(services, access, id.as_str()).await?;
    shown(services, access, &integration).await
}

/// Takes leads from exactly these pages from now on.
///
/// # Errors
/// If there is no such integration, Meta does not give it one of the pages, its token does not work, or something failed.
pub async fn choose(services: &Services, access: &MetaAccess, id: &str, given: PagesIn) -> Result<PageList, Problem> {
    let integration = find(services, access, id).await?;
    needs_token(&integration, crate::clock::now())?;
    let (meta, table) = (&services.connector.meta, &services.table);
    match choose_pages(meta, table, &access.scope, &integration, &given.page_ids, crate::clock::now()).await {
        Ok(()) => page_list(services, access, &integration).await,
        Err(error @ ChooseError::None) => Err(Problem::field("page_ids", "pages_missing", format!("{error}."))),
        Err(ref error @ ChooseError::NotOffered(position, _)) => {
            Err(Problem::field(&format!("page_ids[{position}]"), "page_not_offered", format!("{error}.")))
        }
        Err(ChooseError::Work(error)) => Err(of_meta(services, access, &integration, error).await),
    }
}

/// Goes on with another token of a system user. It is verified with Meta first; the old one works until this one does.
///
/// # Errors
/// If there is no such integration, the token cannot be used, or something failed.
pub async fn replace_token(
    services: &Services,
    access: &MetaAccess,
    id: &str,
    given: TokenIn,
) -> Result<IntegrationOut, Problem> {
    let integration = find(services, access, id).await?;
    let pasted = Pasted {
        token: given.token,
        integration_id: Some(integration.id),
        name: None,
        description: None,
        assignment: None,
    };
    let integration = paste(services, access, pasted).await?;
    shown(services, access, &integration).await
}

/// Deletes an integration. Leads stop at once, those that came stay.
///
/// # Errors
/// If there is no such integration, or it could not even be marked.
pub async fn delete(services: &Services, access: &MetaAccess, id: &str) -> Result<Ended, Problem> {
    let integration = find(services, access, id).await?;
    services.table.begin_removal(&access.scope, &integration.id, crate::clock::now()).await?;
    end_all(services, access, std::slice::from_ref(&integration)).await
}

/// Deletes all integrations of the org. Leads stop at once, those that came stay.
///
/// # Errors
/// If they could not even be marked.
pub async fn disconnect(services: &Services, access: &MetaAccess) -> Result<(Disconnected, Ended), Problem> {
    let integrations = services.table.integrations(&access.scope).await?;
    for integration in &integrations {
        services.table.begin_removal(&access.scope, &integration.id, crate::clock::now()).await?;
    }
    let ended = end_all(services, access, &integrations).await?;
    Ok((Disconnected { disconnected: integrations.len() }, ended))
}

/// Ends integrations that are marked; those that have to be gone on with are asked for.
async fn end_all(services: &Services, access: &MetaAccess, integrations: &[Integration]) -> Result<Ended, Problem> {
    let ended = AtomicUsize::new(0);
    let ending = async {
        let mut done = true;
        for integration in integrations {
            done &= end(services, access, integration).await;
            ended.fetch_add(1, Ordering::Relaxed);
        }
        done
    };
    let done = tokio::time::timeout(MAX_DURATION, ending).await.unwrap_or(false);
    for integration in integrations.iter().skip(ended.into_inner()) {
        services.checks.send(&[CheckJob::new(&access.scope, &integration.id)]).await.map_err(WorkError::from)?;
    }
    Ok(if done { Ended::Done } else { Ended::GoesOn })
}

/// Ends one integration; `false` if it has to be gone on with, which is asked for.
async fn end(services: &Services, access: &MetaAccess, integration: &Integration) -> bool {
    let connector = &services.connector;
    match remove(&connector.meta, &services.table, &connector.bus, &access.scope, integration).await {
        Ok(()) => true,
        Err(error) => {
            tracing::warn!(%error, code = %error.code(), org = %access.scope.org(), integration = %integration.id, "a deletion did not come to its end, and is gone on with");
            // It is first in line anyway: this only spares it the wait.
            let _ = services.checks.send(&[CheckJob::new(&access.scope, &integration.id)]).await;
            false
        }
    }
}

async fn paste(services: &Services, access: &MetaAccess, pasted: Pasted) -> Result<Integration, Problem> {
    match services.connector.paste(&access.scope, access.caller.as_connector(), pasted, crate::clock::now()).await {
        Ok(accepted) => Ok(accepted.integration),
        Err(PasteError::Work(error)) => Err(error.into()),
        Err(PasteError::Gone) => Err(Problem::not_found("integration")),
        Err(error) => {
            let code = match error {
                PasteError::NotValid => "token_not_valid",
                PasteError::NotSystemUser(_) => "token_kind",
                PasteError::NoPages => "no_pages",
                PasteError::Gone | PasteError::Work(_) => "unavailable",
            };
            Err(Problem::field("token", code, format!("{error}.")))
        }
    }
}
