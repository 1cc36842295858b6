//! Integrations and their pages, as the admin sees them.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use jiff::Timestamp;
use serde::Serialize;
use shared::http::Problem;
use shared::ids::{IntegrationId, OrgScope, PageId, UserId};
use shared::model::assignment::Assignment;
use shared::model::integration::{
    Connection, ConnectionStatus, Integration, Problem as IntegrationProblem, connection_status,
};
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
    reason: Option<String>,
    pages_count: usize,
    /// When something last came in through it.
    #[schema(value_type = Option<String>, format = DateTime)]
    last_sync_at: Option<Timestamp>,
    assignment: Assignment,
    /// When leads stop unless somebody reconnects; `null` if never.
    #[schema(value_type = Option<String>, format = DateTime)]
    expires_at: Option<Timestamp>,
    /// What was missing when it was connected, with what to do about it.
    problems: Vec<IntegrationProblem>,
    #[schema(value_type = String, format = DateTime)]
    connected_at: Timestamp,
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
    reason: Option<String>,
    #[schema(value_type = Option<String>, format = DateTime)]
    expires_at: Option<Timestamp>,
    /// Who went through Meta's login; `null` if the token gave no name.
    connected_by: Option<Person>,
    /// Leads that came through it. Test leads and repeat submissions are not counted.
    leads_count: u64,
    #[schema(value_type = Option<String>, format = DateTime)]
    last_sync_at: Option<Timestamp>,
    /// The webhook fields that Meta confirmed.
    subscribed_fields: Vec<String>,
    /// What the connecting person may do on the page, in Meta's words.
    tasks: Vec<String>,
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
    let connections = api.table.connections(&scope).await?;
    Ok(Json(integration_out(&integration, &connections, shared::clock::now())))
}

/// The pages of one integration
#[utoipa::path(
    get, path = "/api/meta/integrations/{id}/pages", tag = "connect", operation_id = "listIntegrationPages",
    params(("id" = String, Path), ("orgid" = String, Header, description = "The org to act for")),
    responses((status = 200, body = ConnectionList), (status = "4XX", body = Problem, content_type = "application/problem+json"))
)]
pub(crate) async fn pages(
    State(api): State<Arc<Api>>,
    MetaAccess(Access { scope, .. }): MetaAccess,
    Path(id): Path<String>,
) -> Result<Json<ConnectionList>, Problem> {
    let integration = find(&api, &scope, &id).await?;
    let connections = api.table.connections(&scope).await?;
    let now = shared::clock::now();
    let own = connections.iter().filter(|connection| connection.integration_id == integration.id);
    Ok(Json(ConnectionList {
        items: own.map(|connection| connection_out(connection, &integration, now)).collect(),
        next_cursor: None,
    }))
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
    Ok((api.table.integrations(scope).await?, api.table.connections(scope).await?))
}

async fn find(api: &Api, scope: &OrgScope, id: &str) -> Result<Integration, Problem> {
    let id = IntegrationId::parse(id).map_err(|_| Problem::not_found("integration"))?;
    api.table.integration(scope, &id).await?.ok_or_else(|| Problem::not_found("integration"))
}

const EXPIRED: &str = "The connection to Meta has expired. Reconnect to receive leads again.";

fn integration_out(integration: &Integration, connections: &[Connection], now: Timestamp) -> IntegrationOut {
    let own = || connections.iter().filter(|connection| connection.integration_id == integration.id);
    let expired = connection_status(integration.expires_at(), now) == ConnectionStatus::Expired;
    IntegrationOut {
        id: integration.id.clone(),
        name: integration.name.clone(),
        description: integration.description.clone(),
        status: if expired { IntegrationStatus::Error } else { IntegrationStatus::Active },
        reason: expired.then(|| EXPIRED.to_owned()),
        pages_count: own().count(),
        last_sync_at: own().filter_map(|connection| connection.last_lead_at).max(),
        assignment: integration.assignment.clone(),
        expires_at: integration.expires_at(),
        problems: integration.problems.clone(),
        connected_at: integration.connected_at,
    }
}

fn connection_out(connection: &Connection, integration: &Integration, now: Timestamp) -> ConnectionOut {
    let status = connection_status(integration.expires_at(), now);
    let by = &integration.connected_by;
    ConnectionOut {
        integration_id: connection.integration_id.clone(),
        page_id: connection.page_id.clone(),
        page_name: connection.page_name.clone(),
        page_url: connection.page_url.clone(),
        status,
        reason: (status == ConnectionStatus::Expired).then(|| EXPIRED.to_owned()),
        expires_at: integration.expires_at(),
        connected_by: by.name.clone().map(|name| Person { id: by.user_id.clone(), name }),
        leads_count: connection.leads_count,
        last_sync_at: connection.last_lead_at,
        subscribed_fields: connection.subscribed_fields.clone(),
        tasks: connection.tasks.clone(),
    }
}
