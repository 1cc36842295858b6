//! Integrations and their pages, as the admin sees them.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use jiff::Timestamp;
use serde::Serialize;
use shared::http::Problem;
use shared::ids::{IntegrationId, OrgScope, PageId, UserId};
use shared::model::assignment::Assignment;
use shared::model::integration::{Choice, Connection, Integration, Problem as IntegrationProblem};
use shared::model::standing::{ConnectionStatus, EndReason, Standing, TokenKind};
use utoipa::ToSchema;

use crate::access::{Access, MetaAccess};
use crate::router::Api;

/// An integration.
#[derive(Serialize, ToSchema)]
pub(crate) struct IntegrationOut {
    id: IntegrationId,
    name: String,
    description: String,
    /// `error` if no leads can come, with the `reason`.
    status: IntegrationStatus,
    /// Why no leads can come, as a stable word.
    reason: Option<EndReason>,
    /// The same for people.
    reason_message: Option<&'static str>,
    /// What to do about it.
    fix: Option<&'static str>,
    /// Whose token it lives on.
    token_kind: TokenKind,
    pages_count: usize,
    /// When something last came in through it.
    #[schema(value_type = Option<String>, format = DateTime)]
    last_sync_at: Option<Timestamp>,
    assignment: Assignment,
    /// When leads stop unless somebody reconnects; `null` if never.
    #[schema(value_type = Option<String>, format = DateTime)]
    expires_at: Option<Timestamp>,
    /// What was missing at the last look, with what to do about it.
    problems: Vec<IntegrationProblem>,
    #[schema(value_type = String, format = DateTime)]
    connected_at: Timestamp,
    /// When Meta was last asked about it. It is asked once a day, and when a call fails.
    #[schema(value_type = Option<String>, format = DateTime)]
    checked_at: Option<Timestamp>,
}

/// Whether leads can come.
#[derive(Serialize, ToSchema, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub(crate) enum IntegrationStatus {
    Active,
    Error,
}

/// A connected page.
#[derive(Serialize, ToSchema)]
pub(crate) struct ConnectionOut {
    integration_id: IntegrationId,
    page_id: PageId,
    page_name: String,
    page_url: String,
    status: ConnectionStatus,
    /// Why no leads come, as a stable word.
    reason: Option<EndReason>,
    /// The same for people.
    reason_message: Option<&'static str>,
    /// What to do about it.
    fix: Option<&'static str>,
    #[schema(value_type = Option<String>, format = DateTime)]
    expires_at: Option<Timestamp>,
    /// Who went through Meta's login; `null` if the token gave no name.
    connected_by: Option<Person>,
    /// Leads that came through it. Test leads and repeat submissions are not counted.
    leads_count: u64,
    /// The same, by how they were found.
    found_by: FoundByOut,
    /// Up to when it is known that every lead Meta has of this page came in or is parked.
    #[schema(value_type = Option<String>, format = DateTime)]
    swept_until: Option<Timestamp>,
    #[schema(value_type = Option<String>, format = DateTime)]
    last_sync_at: Option<Timestamp>,
    /// Since when it is known to be silent for much longer than it ever is; `null` while it is not.
    #[schema(value_type = Option<String>, format = DateTime)]
    quiet_since: Option<Timestamp>,
    /// The webhook fields that Meta confirmed.
    subscribed_fields: Vec<String>,
    /// What the connecting person may do on the page, in Meta's words.
    tasks: Vec<String>,
}

/// Leads by how they were found.
#[derive(Serialize, ToSchema)]
pub(crate) struct FoundByOut {
    /// Meta's webhook told.
    webhook: u64,
    /// Only the regular comparison with Meta found them: the webhook missed them.
    sweep: u64,
    /// Somebody pressed "Sync now".
    sync: u64,
    /// They were in a file.
    import: u64,
    /// Somebody asked for leads from before the connection.
    backfill: u64,
}

/// A person of the CRM.
#[derive(Serialize, ToSchema)]
pub(crate) struct Person {
    id: UserId,
    name: String,
}

/// Integrations.
#[derive(Serialize, ToSchema)]
pub(crate) struct IntegrationList {
    items: Vec<IntegrationOut>,
    /// Always `null`: all are listed.
    next_cursor: Option<String>,
}

/// Connected pages.
#[derive(Serialize, ToSchema)]
pub(crate) struct ConnectionList {
    items: Vec<ConnectionOut>,
    /// Always `null`: all are listed.
    next_cursor: Option<String>,
}

/// Pages of one integration.
#[derive(Serialize, ToSchema)]
pub(crate) struct PageList {
    /// Leads are taken from these.
    items: Vec<ConnectionOut>,
    /// Meta gives these as well.
    available: Vec<ConnectionOut>,
    /// Always `null`: all are listed.
    next_cursor: Option<String>,
}

/// The org's integrations
#[utoipa::path(
    get, path = "/api/meta/integrations", tag = "connect", operation_id = "listIntegrations",
    params(("orgid" = String, Header, description = "The org to act for")),
    responses((status = 200, body = IntegrationList), (status = "4XX", body = Problem, content_type = "application/problem+json"))
)]
pub(crate) async fn list(
    State(api): State<Arc<Api>>,
    MetaAccess(Access { scope, .. }): MetaAccess,
) -> Result<Json<IntegrationList>, Problem> {
    let (integrations, connections) = both(&api, &scope).await?;
    let now = shared::clock::now();
    let items = integrations.iter().map(|integration| integration_out(integration, &connections, now)).collect();
    Ok(Json(IntegrationList { items, next_cursor: None }))
}

/// One integration
#[utoipa::path(
    get, path = "/api/meta/integrations/{id}", tag = "connect", operation_id = "readIntegration",
    params(("id" = String, Path), ("orgid" = String, Header, description = "The org to act for")),
    responses((status = 200, body = IntegrationOut), (status = "4XX", body = Problem, content_type = "application/problem+json"))
)]
pub(crate) async fn read(
    State(api): State<Arc<Api>>,
    MetaAccess(Access { scope, .. }): MetaAccess,
    Path(id): Path<String>,
) -> Result<Json<IntegrationOut>, Problem> {
    let integration = find(&api, &scope, &id).await?;
    Ok(Json(shown(&api, &scope, &integration).await?))
}

/// The pages of one integration
///
/// `items` are those that leads are taken from, `available` those that Meta gives as well.
#[utoipa::path(
    get, path = "/api/meta/integrations/{id}/pages", tag = "connect", operation_id = "listIntegrationPages",
    params(("id" = String, Path), ("orgid" = String, Header, description = "The org to act for")),
    responses((status = 200, body = PageList), (status = "4XX", body = Problem, content_type = "application/problem+json"))
)]
pub(crate) async fn pages(
    State(api): State<Arc<Api>>,
    MetaAccess(Access { scope, .. }): MetaAccess,
    Path(id): Path<String>,
) -> Result<Json<PageList>, Problem> {
    let integration = find(&api, &scope, &id).await?;
    Ok(Json(page_list(&api, &scope, &integration).await?))
}

/// Pages of an integration as they are now.
pub(crate) async fn page_list(api: &Api, scope: &OrgScope, integration: &Integration) -> Result<PageList, Problem> {
    let pages = api.table.pages_of(scope, &integration.id).await?;
    let now = shared::clock::now();
    let of = |choice: Choice| {
        let pages = pages.iter().filter(move |page| page.choice == choice);
        pages.map(|page| connection_out(page, integration, now)).collect()
    };
    Ok(PageList { items: of(Choice::Connected), available: of(Choice::LeftOut), next_cursor: None })
}

/// All connected pages of the org
#[utoipa::path(
    get, path = "/api/meta/connections", tag = "connect", operation_id = "listConnections",
    params(("orgid" = String, Header, description = "The org to act for")),
    responses((status = 200, body = ConnectionList), (status = "4XX", body = Problem, content_type = "application/problem+json"))
)]
pub(crate) async fn connections(
    State(api): State<Arc<Api>>,
    MetaAccess(Access { scope, .. }): MetaAccess,
) -> Result<Json<ConnectionList>, Problem> {
    let (integrations, connections) = both(&api, &scope).await?;
    let now = shared::clock::now();
    let of =
        |connection: &Connection| integrations.iter().find(|integration| integration.id == connection.integration_id);
    let items =
        connections.iter().filter_map(|connection| Some(connection_out(connection, of(connection)?, now))).collect();
    Ok(Json(ConnectionList { items, next_cursor: None }))
}

async fn both(api: &Api, scope: &OrgScope) -> Result<(Vec<Integration>, Vec<Connection>), Problem> {
    let mut integrations = api.table.integrations(scope).await?;
    integrations.retain(|integration| !integration.removing);
    Ok((integrations, api.table.connections(scope).await?))
}

/// The integration of this org with this id. One that is being deleted is none.
pub(crate) async fn find(api: &Api, scope: &OrgScope, id: &str) -> Result<Integration, Problem> {
    let missing = || Problem::not_found("integration");
    let id = IntegrationId::parse(id).map_err(|_| missing())?;
    api.table.integration(scope, &id).await?.filter(|integration| !integration.removing).ok_or_else(missing)
}

/// An integration as it is now.
pub(crate) async fn shown(api: &Api, scope: &OrgScope, integration: &Integration) -> Result<IntegrationOut, Problem> {
    let connections = api.table.connections(scope).await?;
    Ok(integration_out(integration, &connections, shared::clock::now()))
}

fn integration_out(integration: &Integration, connections: &[Connection], now: Timestamp) -> IntegrationOut {
    let own = || connections.iter().filter(|connection| connection.integration_id == integration.id);
    let Standing { status, reason, expires_at } = integration.standing(now);
    IntegrationOut {
        id: integration.id.clone(),
        name: integration.name.clone(),
        description: integration.description.clone(),
        status: if status == ConnectionStatus::Expired { IntegrationStatus::Error } else { IntegrationStatus::Active },
        reason,
        reason_message: reason.map(EndReason::message),
        fix: reason.map(EndReason::fix),
        token_kind: integration.token_kind,
        pages_count: own().count(),
        last_sync_at: own().filter_map(|connection| connection.last_lead_at).max(),
        assignment: integration.assignment.clone(),
        expires_at,
        problems: integration.problems.clone(),
        connected_at: integration.connected_at,
        checked_at: integration.probed_at,
    }
}

fn connection_out(connection: &Connection, integration: &Integration, now: Timestamp) -> ConnectionOut {
    let Standing { status, reason, expires_at } = connection.standing(integration, now);
    let by = &integration.connected_by;
    ConnectionOut {
        integration_id: connection.integration_id.clone(),
        page_id: connection.page_id.clone(),
        page_name: connection.page_name.clone(),
        page_url: connection.page_url.clone(),
        status,
        reason,
        reason_message: reason.map(EndReason::message),
        fix: reason.map(EndReason::fix),
        expires_at,
        connected_by: by.name.clone().map(|name| Person { id: by.user_id.clone(), name }),
        leads_count: connection.leads_count,
        found_by: FoundByOut {
            webhook: connection.found.found_webhook,
            sweep: connection.found.found_sweep,
            sync: connection.found.found_sync,
            import: connection.found.found_import,
            backfill: connection.found.found_backfill,
        },
        swept_until: connection.swept_until,
        last_sync_at: connection.last_lead_at,
        quiet_since: connection.quiet_since,
        subscribed_fields: connection.subscribed_fields.clone(),
        tasks: connection.tasks.clone(),
    }
}
