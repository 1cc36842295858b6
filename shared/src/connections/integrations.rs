//! Integrations and their pages, as an admin sees them.
#![expect(missing_docs, reason = "a field whose name says it all has no description in the API's document either")]

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use super::Connections;
use crate::directory::MetaAccess;
use crate::error::ActError;
use crate::ids::{IntegrationId, PageId, UserId};
use crate::model::connection::lead_state::{LeadState, Severity, Stop, StopReason};
use crate::model::connection::problem::IntegrationProblem;
use crate::model::connection::state::{ConnectionStatus, TokenKind};
use crate::model::connection::{Connection, Integration, Lifecycle, PageSelection};
use crate::model::lead::assignment::Assignment;

/// Parked leads of which the pages are known.
const MAX_PARKED: usize = 100;

/// An integration.
#[derive(Debug, Serialize, ToSchema)]
pub struct IntegrationOut {
    pub id: IntegrationId,
    pub name: String,
    pub description: String,
    /// `error` if no leads can arrive; `reason` says why.
    pub status: IntegrationStatus,
    /// The worst of all that is known: of the connection, its pages and its problems.
    pub severity: Severity,
    /// Why no leads can arrive, as a stable code.
    pub reason: Option<StopReason>,
    /// The reason in words.
    pub reason_message: Option<String>,
    /// How to fix it.
    pub fix: Option<String>,
    /// Whose token it uses.
    pub token_kind: TokenKind,
    /// The user who went through Meta's login or gave the token; `null` if the user's token contained no name.
    pub connected_by: Option<ConnectedPerson>,
    pub pages_count: usize,
    /// When a lead last arrived through it.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub last_sync_at: Option<Timestamp>,
    pub assignment: Assignment,
    /// How it assigns conversations of the inbox.
    pub inbox_assignment: Assignment,
    /// Whether leads are mailed to the people to whom they are assigned.
    pub notify_assignee: bool,
    /// When leads stop unless the integration is reconnected; `null` if never.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub expires_at: Option<Timestamp>,
    /// The problems found by the last check, the worst first, with how to fix them.
    pub problems: Vec<IntegrationProblem>,
    #[schema(value_type = String, format = DateTime)]
    pub connected_at: Timestamp,
    /// When the integration was last checked with Meta. It is checked once a day, and when a call fails.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub checked_at: Option<Timestamp>,
}

/// Whether leads can arrive.
#[derive(Debug, Serialize, ToSchema, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub enum IntegrationStatus {
    Active,
    Error,
}

/// A connected page.
#[derive(Debug, Serialize, ToSchema)]
pub struct ConnectionOut {
    pub integration_id: IntegrationId,
    pub page_id: PageId,
    pub page_name: String,
    pub page_url: String,
    /// `expired` if no leads can arrive; `reason` says why.
    pub status: ConnectionStatus,
    /// The worst of all that is known of the page.
    pub severity: Severity,
    /// Why no leads can arrive, as a stable code.
    pub reason: Option<StopReason>,
    /// The reason in words.
    pub reason_message: Option<String>,
    /// How to fix it.
    pub fix: Option<String>,
    #[schema(value_type = Option<String>, format = DateTime)]
    pub expires_at: Option<Timestamp>,
    /// The user who went through Meta's login; `null` if their token contained no name.
    pub connected_by: Option<ConnectedPerson>,
    /// Number of leads that arrived through it. Test leads and repeat submissions are not counted.
    pub leads_count: u64,
    /// The same leads, by how they were found.
    pub found_by: FoundByOut,
    /// All leads that Meta has of this page up to this time are known to be ingested or parked.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub swept_until: Option<Timestamp>,
    #[schema(value_type = Option<String>, format = DateTime)]
    pub last_sync_at: Option<Timestamp>,
    /// When Meta's webhook last reported a lead of the page.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub last_webhook_at: Option<Timestamp>,
    /// Since when the page has been known to be quieter than usual; `null` while it is not.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub quiet_since: Option<Timestamp>,
    /// The webhook fields whose subscription Meta confirmed.
    pub subscribed_fields: Vec<String>,
    /// The tasks that the connecting person may perform on the page, in Meta's words.
    pub tasks: Vec<String>,
}

/// Leads by how they were found.
#[derive(Debug, Serialize, ToSchema)]
pub struct FoundByOut {
    /// Announced by Meta's webhook.
    pub webhook: u64,
    /// Missed by the webhook, and found only by the regular comparison with Meta.
    pub sweep: u64,
    /// Found after a user requested a sync.
    pub sync: u64,
    /// Imported from a file.
    pub import: u64,
    /// Found by a backfill of leads from before the connection.
    pub backfill: u64,
}

/// A user of the CRM.
#[derive(Debug, Serialize, ToSchema)]
pub struct ConnectedPerson {
    pub id: UserId,
    pub name: String,
}

/// The org's integrations.
#[derive(Debug, Serialize, ToSchema)]
pub struct IntegrationList {
    pub items: Vec<IntegrationOut>,
    /// Always `null`: all are listed.
    pub next_cursor: Option<String>,
}

/// The org's connected pages.
#[derive(Debug, Serialize, ToSchema)]
pub struct ConnectionList {
    pub items: Vec<ConnectionOut>,
    /// Always `null`: all are listed.
    pub next_cursor: Option<String>,
}

/// The pages of one integration.
#[derive(Debug, Serialize, ToSchema)]
pub struct PageList {
    /// The pages that leads are ingested from.
    pub items: Vec<ConnectionOut>,
    /// The other pages that Meta grants access to.
    pub available: Vec<ConnectionOut>,
    /// Always `null`: all are listed.
    pub next_cursor: Option<String>,
}

impl Connections {
    /// The org's integrations, except those that are being deleted.
    pub async fn integrations(&self, access: &MetaAccess) -> Result<IntegrationList, ActError> {
        let StoredConnections { integrations, connections, parked } = self.load(access).await?;
        let now = crate::clock::now();
        let describe = |integration| integration_out(integration, &connections, &parked, now);
        let items = integrations.iter().map(describe).collect();
        Ok(IntegrationList { items, next_cursor: None })
    }

    /// The names of the org's integrations.
    pub async fn integration_names(&self, access: &MetaAccess) -> Result<BTreeMap<IntegrationId, String>, ActError> {
        let integrations = self.connector.table.for_display().integrations(&access.scope).await?;
        Ok(integrations.into_iter().map(|integration| (integration.id, integration.name)).collect())
    }

    /// One integration.
    pub async fn integration(&self, access: &MetaAccess, id: &IntegrationId) -> Result<IntegrationOut, ActError> {
        let integration = self.tokens.integration(&access.scope, id).await?;
        self.integration_out(access, &integration).await
    }

    /// The pages of one integration: those that leads are ingested from, and the others that Meta grants access to.
    pub async fn pages(&self, access: &MetaAccess, id: &IntegrationId) -> Result<PageList, ActError> {
        let integration = self.tokens.integration(&access.scope, id).await?;
        self.page_list(access, &integration).await
    }

    /// All pages of the org that leads are ingested from.
    pub async fn connections(&self, access: &MetaAccess) -> Result<ConnectionList, ActError> {
        let StoredConnections { integrations, connections, parked } = self.load(access).await?;
        let now = crate::clock::now();
        let find_integration = |connection: &Connection| {
            integrations.iter().find(|integration| integration.id == connection.integration_id)
        };
        let items = connections
            .iter()
            .filter_map(|connection| Some(connection_out(connection, find_integration(connection)?, &parked, now)))
            .collect();
        Ok(ConnectionList { items, next_cursor: None })
    }

    /// The current pages of an integration.
    pub(super) async fn page_list(&self, access: &MetaAccess, integration: &Integration) -> Result<PageList, ActError> {
        let pages = async { Ok(self.connector.table.for_display().pages_of(&access.scope, &integration.id).await?) };
        let (pages, parked) = tokio::try_join!(pages, self.pages_with_parked(access))?;
        let now = crate::clock::now();
        let with_selection = |selection: PageSelection| {
            let pages = pages.iter().filter(move |page| page.selection == selection);
            pages.map(|page| connection_out(page, integration, &parked, now)).collect()
        };
        Ok(PageList {
            items: with_selection(PageSelection::Connected),
            available: with_selection(PageSelection::Deselected),
            next_cursor: None,
        })
    }

    /// An integration with its current pages.
    pub(super) async fn integration_out(
        &self,
        access: &MetaAccess,
        integration: &Integration,
    ) -> Result<IntegrationOut, ActError> {
        let connections = async { Ok(self.connector.table.for_display().connections(&access.scope).await?) };
        let (connections, parked) = tokio::try_join!(connections, self.pages_with_parked(access))?;
        Ok(integration_out(integration, &connections, &parked, crate::clock::now()))
    }

    async fn load(&self, access: &MetaAccess) -> Result<StoredConnections, ActError> {
        let table = self.connector.table.for_display();
        let stored =
            async { Ok(tokio::try_join!(table.integrations(&access.scope), table.connections(&access.scope))?) };
        let ((mut integrations, connections), parked) = tokio::try_join!(stored, self.pages_with_parked(access))?;
        integrations.retain(|integration| integration.lifecycle != Lifecycle::Removing);
        Ok(StoredConnections { integrations, connections, parked })
    }

    /// The pages with parked leads, as far as the first of these tell.
    async fn pages_with_parked(&self, access: &MetaAccess) -> Result<BTreeSet<PageId>, ActError> {
        let (parked, _) = self.connector.table.for_display().parked_from(&access.scope, None, MAX_PARKED).await?;
        Ok(parked.into_iter().map(|lead| lead.page_id).collect())
    }
}

/// What is known of an org's connections.
struct StoredConnections {
    integrations: Vec<Integration>,
    connections: Vec<Connection>,
    /// The pages with parked leads.
    parked: BTreeSet<PageId>,
}

/// How bad it is that leads of these pages are parked.
fn parked_severity<'p>(pages: impl IntoIterator<Item = &'p PageId>, parked: &BTreeSet<PageId>) -> Severity {
    if pages.into_iter().any(|page| parked.contains(page)) { Severity::Warning } else { Severity::Ok }
}

fn integration_out(
    integration: &Integration,
    connections: &[Connection],
    parked: &BTreeSet<PageId>,
    now: Timestamp,
) -> IntegrationOut {
    let own = || connections.iter().filter(|connection| connection.integration_id == integration.id);
    let LeadState { severity, stop, expires_at, .. } =
        integration.lead_state(own().filter(|page| page.is_connected()), now);
    let severity = severity.max(parked_severity(own().map(|page| &page.page_id), parked));
    let status = if stop.is_some() { IntegrationStatus::Error } else { IntegrationStatus::Active };
    let (reason, reason_message, fix) = split(stop);
    IntegrationOut {
        id: integration.id.clone(),
        name: integration.name.clone(),
        description: integration.description.clone(),
        status,
        severity,
        reason,
        reason_message,
        fix,
        token_kind: integration.token_kind,
        connected_by: connected_person(integration),
        pages_count: own().count(),
        last_sync_at: own().filter_map(|connection| connection.last_lead_at).max(),
        assignment: integration.assignment.clone(),
        inbox_assignment: integration.inbox_assignment.clone(),
        notify_assignee: integration.notify_assignee,
        expires_at,
        problems: integration.problems.iter().map(IntegrationProblem::translate).collect(),
        connected_at: integration.connected_at,
        checked_at: integration.checked_at,
    }
}

fn split(stop: Option<Stop>) -> (Option<StopReason>, Option<String>, Option<String>) {
    let Some(Stop { reason, message, fix }) = stop else { return (None, None, None) };
    (Some(reason), Some(message), Some(fix))
}

fn connected_person(integration: &Integration) -> Option<ConnectedPerson> {
    let by = &integration.connected_by;
    by.name.clone().map(|name| ConnectedPerson { id: by.user_id.clone(), name })
}

fn connection_out(
    connection: &Connection,
    integration: &Integration,
    parked: &BTreeSet<PageId>,
    now: Timestamp,
) -> ConnectionOut {
    let LeadState { severity, status, stop, expires_at } = connection.lead_state(integration, now);
    let severity = severity.max(parked_severity([&connection.page_id], parked));
    let (reason, reason_message, fix) = split(stop);
    ConnectionOut {
        integration_id: connection.integration_id.clone(),
        page_id: connection.page_id.clone(),
        page_name: connection.page_name.clone(),
        page_url: connection.page_url.clone(),
        status,
        severity,
        reason,
        reason_message,
        fix,
        expires_at,
        connected_by: connected_person(integration),
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
        last_webhook_at: connection.last_webhook_at,
        quiet_since: connection.quiet_since,
        subscribed_fields: connection.subscribed_fields.clone(),
        tasks: connection.tasks.clone(),
    }
}
