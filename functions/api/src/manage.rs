//! Changing integrations: making one, its settings, its pages, its token, and ending it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::Json;
use axum::extract::{Path, State};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use shared::connect::{ChooseError, PasteError, Pasted, ask_for_check, check_settings, choose_pages, remove};
use shared::http::Problem;
use shared::ids::{OrgScope, PageId};
use shared::model::assignment::Assignment;
use shared::model::integration::Integration;
use shared::secret::AccessToken;
use shared::table::integration::Settings;
use utoipa::ToSchema;

use crate::access::{Access, MetaAccess};
use crate::input::Input;
use crate::integrations::{IntegrationOut, PageList, find, page_list, shown};
use crate::router::Api;
use crate::usable::{needs_token, of_meta};

/// An integration to make.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewIntegration {
    /// 1 to 100 characters.
    name: String,
    /// At most 500 characters.
    description: Option<String>,
    /// How it hands out its leads; unassigned if left out.
    assignment: Option<Assignment>,
    /// A system user's token. Without one the integration is a draft: `POST …/reconnect` connects it by Meta's login.
    #[schema(value_type = Option<String>)]
    token: Option<AccessToken>,
}

/// What to change. What is left out stays.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SettingsIn {
    /// 1 to 100 characters.
    name: Option<String>,
    /// At most 500 characters.
    description: Option<String>,
    /// How leads are handed out from now on; those that are in stay as they are.
    assignment: Option<Assignment>,
}

/// Which pages to take leads from.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PagesIn {
    /// Exactly these from now on.
    page_ids: Vec<PageId>,
}

/// A token to go on with.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TokenIn {
    /// Of a system user.
    #[schema(value_type = String)]
    token: AccessToken,
}

/// What was disconnected.
#[derive(Serialize, ToSchema)]
pub(crate) struct Disconnected {
    /// How many integrations.
    disconnected: usize,
}

/// The gateway gives up after 30 seconds; what is not done by then is gone on with in the background.
const LONGEST: Duration = Duration::from_secs(22);

/// Make an integration
///
/// With a system user's token it is connected at once, to the pages that are assigned to the system user. Without one it
/// is a draft, which `POST …/reconnect` connects.
#[utoipa::path(
    post, path = "/api/meta/integrations", tag = "connect", operation_id = "createIntegration",
    params(("orgid" = String, Header, description = "The org to act for")),
    request_body = NewIntegration,
    responses((status = 201, body = IntegrationOut), (status = "4XX", body = Problem, content_type = "application/problem+json"))
)]
pub(crate) async fn create(
    State(api): State<Arc<Api>>,
    MetaAccess(Access { scope, caller }): MetaAccess,
    Input(given): Input<NewIntegration>,
) -> Result<(StatusCode, Json<IntegrationOut>), Problem> {
    let name = Some(given.name);
    let settings = Settings { name, description: given.description, assignment: given.assignment };
    let settings = check_settings(&api.table, &scope, settings).await?;
    let now = shared::clock::now();
    let integration = match given.token {
        Some(token) => {
            let Settings { name, description, assignment } = settings;
            let pasted = Pasted { token, integration_id: None, name, description, assignment };
            paste(&api, &scope, caller.as_connector(), pasted).await?
        }
        None => {
            let draft = Integration::draft(scope.org().clone(), caller.as_connector(), now);
            let draft = Integration {
                name: settings.name.unwrap_or_default(),
                description: settings.description.unwrap_or_default(),
                assignment: settings.assignment.unwrap_or_default(),
                ..draft
            };
            api.table.insert_integration(&scope, &draft, None).await?;
            draft
        }
    };
    Ok((StatusCode::CREATED, Json(shown(&api, &scope, &integration).await?)))
}

/// Change an integration's settings
///
/// A changed assignment touches leads that come from now on.
#[utoipa::path(
    patch, path = "/api/meta/integrations/{id}", tag = "connect", operation_id = "changeIntegration",
    params(("id" = String, Path), ("orgid" = String, Header, description = "The org to act for")),
    request_body = SettingsIn,
    responses((status = 200, body = IntegrationOut), (status = "4XX", body = Problem, content_type = "application/problem+json"))
)]
pub(crate) async fn change(
    State(api): State<Arc<Api>>,
    MetaAccess(Access { scope, .. }): MetaAccess,
    Path(id): Path<String>,
    Input(given): Input<SettingsIn>,
) -> Result<Json<IntegrationOut>, Problem> {
    let table = &api.table;
    let id = find(&api, &scope, &id).await?.id;
    let settings = Settings { name: given.name, description: given.description, assignment: given.assignment };
    let settings = check_settings(table, &scope, settings).await?;
    table.set_settings(&scope, &id, &settings).await?;
    let integration = find(&api, &scope, id.as_str()).await?;
    Ok(Json(shown(&api, &scope, &integration).await?))
}

/// Choose an integration's pages
///
/// Leads are taken from exactly these pages from now on. Only pages that Meta gives to this integration can be chosen;
/// `GET` lists them.
#[utoipa::path(
    put, path = "/api/meta/integrations/{id}/pages", tag = "connect", operation_id = "chooseIntegrationPages",
    params(("id" = String, Path), ("orgid" = String, Header, description = "The org to act for")),
    request_body = PagesIn,
    responses((status = 200, body = PageList), (status = "4XX", body = Problem, content_type = "application/problem+json"))
)]
pub(crate) async fn choose(
    State(api): State<Arc<Api>>,
    MetaAccess(Access { scope, .. }): MetaAccess,
    Path(id): Path<String>,
    Input(given): Input<PagesIn>,
) -> Result<Json<PageList>, Problem> {
    let integration = find(&api, &scope, &id).await?;
    needs_token(&integration, shared::clock::now())?;
    let (meta, table) = (&api.connector.meta, &api.table);
    match choose_pages(meta, table, &scope, &integration, &given.page_ids, shared::clock::now()).await {
        Ok(()) => Ok(Json(page_list(&api, &scope, &integration).await?)),
        Err(error @ ChooseError::None) => Err(Problem::field("page_ids", "pages_missing", format!("{error}."))),
        Err(ref error @ ChooseError::NotOffered(position, _)) => {
            Err(Problem::field(&format!("page_ids[{position}]"), "page_not_offered", format!("{error}.")))
        }
        Err(ChooseError::Work(error)) => Err(of_meta(&api, &scope, &integration, error).await),
    }
}

/// Replace a system user's token
///
/// The token is verified with Meta first; until then, and if it is refused, the old one goes on working. It is never
/// shown again.
#[utoipa::path(
    put, path = "/api/meta/integrations/{id}/token", tag = "connect", operation_id = "replaceToken",
    params(("id" = String, Path), ("orgid" = String, Header, description = "The org to act for")),
    request_body = TokenIn,
    responses((status = 200, body = IntegrationOut), (status = "4XX", body = Problem, content_type = "application/problem+json"))
)]
pub(crate) async fn replace_token(
    State(api): State<Arc<Api>>,
    MetaAccess(Access { scope, caller }): MetaAccess,
    Path(id): Path<String>,
    Input(given): Input<TokenIn>,
) -> Result<Json<IntegrationOut>, Problem> {
    let integration = find(&api, &scope, &id).await?;
    let pasted = Pasted {
        token: given.token,
        integration_id: Some(integration.id),
        name: None,
        description: None,
        assignment: None,
    };
    let integration = paste(&api, &scope, caller.as_connector(), pasted).await?;
    Ok(Json(shown(&api, &scope, &integration).await?))
}

/// Delete an integration
///
/// Leads stop at once, those that came stay. Pages that nobody else uses are unsubscribed at Meta, tokens are deleted.
#[utoipa::path(
    delete, path = "/api/meta/integrations/{id}", tag = "connect", operation_id = "deleteIntegration",
    params(("id" = String, Path), ("orgid" = String, Header, description = "The org to act for")),
    responses(
        (status = 204, description = "Done"),
        (status = 202, description = "Leads have stopped or are about to; the rest is done in the background"),
        (status = "4XX", body = Problem, content_type = "application/problem+json")
    )
)]
pub(crate) async fn delete(
    State(api): State<Arc<Api>>,
    MetaAccess(Access { scope, .. }): MetaAccess,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    let integration = find(&api, &scope, &id).await?;
    api.table.begin_removal(&scope, &integration.id, shared::clock::now()).await?;
    let done = end_all(&api, &scope, std::slice::from_ref(&integration)).await?;
    Ok(if done { StatusCode::NO_CONTENT } else { StatusCode::ACCEPTED })
}

/// Disconnect the org from Meta
///
/// Deletes all its integrations. Leads stop at once, those that came stay.
#[utoipa::path(
    post, path = "/api/meta/disconnect", tag = "connect", operation_id = "disconnectOrg",
    params(("orgid" = String, Header, description = "The org to act for")),
    responses(
        (status = 200, body = Disconnected),
        (status = 202, body = Disconnected, description = "Leads have stopped or are about to; the rest is done in the background"),
        (status = "4XX", body = Problem, content_type = "application/problem+json")
    )
)]
pub(crate) async fn disconnect(
    State(api): State<Arc<Api>>,
    MetaAccess(Access { scope, .. }): MetaAccess,
) -> Result<(StatusCode, Json<Disconnected>), Problem> {
    let integrations = api.table.integrations(&scope).await?;
    for integration in &integrations {
        api.table.begin_removal(&scope, &integration.id, shared::clock::now()).await?;
    }
    let done = end_all(&api, &scope, &integrations).await?;
    let status = if done { StatusCode::OK } else { StatusCode::ACCEPTED };
    Ok((status, Json(Disconnected { disconnected: integrations.len() })))
}

/// Ends integrations that are marked; `false` if some have to be gone on with, which is asked for.
async fn end_all(api: &Api, scope: &OrgScope, integrations: &[Integration]) -> Result<bool, Problem> {
    let ended = AtomicUsize::new(0);
    let ending = async {
        let mut done = true;
        for integration in integrations {
            done &= end(api, scope, integration).await;
            ended.fetch_add(1, Ordering::Relaxed);
        }
        done
    };
    let done = tokio::time::timeout(LONGEST, ending).await.unwrap_or(false);
    for integration in integrations.iter().skip(ended.into_inner()) {
        ask_for_check(&api.checks, scope, &integration.id).await?;
    }
    Ok(done)
}

/// Ends one integration; `false` if it has to be gone on with, which is asked for.
async fn end(api: &Api, scope: &OrgScope, integration: &Integration) -> bool {
    let connector = &api.connector;
    match remove(&connector.meta, &api.table, &connector.bus, scope, integration).await {
        Ok(()) => true,
        Err(error) => {
            tracing::warn!(%error, code = error.code(), org = %scope.org(), integration = %integration.id, "a deletion did not come to its end, and is gone on with");
            // It is first in line anyway: this only spares it the wait.
            let _ = ask_for_check(&api.checks, scope, &integration.id).await;
            false
        }
    }
}

async fn paste(
    api: &Api,
    scope: &OrgScope,
    by: shared::model::integration::ConnectedBy,
    pasted: Pasted,
) -> Result<Integration, Problem> {
    match api.connector.paste(scope, by, pasted, shared::clock::now()).await {
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
