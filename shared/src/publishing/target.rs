//! Where a post goes: a connected page of the org with its token, and the Instagram account behind it.

use jiff::Timestamp;

use super::Publishing;
use crate::directory::MetaAccess;
use crate::error::{ActError, ErrorCode};
use crate::graph::instagram::InstagramAccount;
use crate::ids::{OrgScope, PageId};
use crate::model::connection::state::EndReason;
use crate::model::connection::{Connection, Integration};
use crate::model::publishing::PostKind;
use crate::table::{Table, TableError};

/// The tasks on a page of which one is needed to publish.
const TASKS: [&str; 3] = ["CREATE_CONTENT", "MANAGE", "MODERATE"];

/// A page of the org, and the integration whose token is used for it.
#[derive(Debug, Clone)]
pub(super) struct Target {
    pub(super) integration: Integration,
    pub(super) connection: Connection,
}

/// Why a page cannot be published on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum NoTarget {
    /// The org has not connected it.
    NotConnected,
    /// Its connection has ended.
    Ended(EndReason),
    /// A permission or a task is missing.
    NotAllowed(String),
}

/// Finds the connection of a page through which a post of this kind can be published: of several, one that works.
pub(super) async fn find_target(
    table: &Table,
    scope: &OrgScope,
    page: &PageId,
    kind: PostKind,
    now: Timestamp,
) -> Result<Result<Target, NoTarget>, TableError> {
    let mut reason = NoTarget::NotConnected;
    let connections = table.connections_of_page(page).await?;
    for (_, connection) in connections.into_iter().filter(|(owner, _)| owner == scope) {
        let Some(integration) = table.integration(scope, &connection.integration_id).await? else { continue };
        match check_connection(&integration, &connection, kind, now) {
            Ok(()) => return Ok(Ok(Target { integration, connection })),
            Err(why) => reason = why,
        }
    }
    Ok(Err(reason))
}

/// Checks that a post of this kind can be published through a connection, as far as is known.
pub(super) fn check_connection(
    integration: &Integration,
    connection: &Connection,
    kind: PostKind,
    now: Timestamp,
) -> Result<(), NoTarget> {
    let ended = connection.ended.as_ref().map(|ended| ended.reason);
    let integration_ended = integration.state(now).reason.filter(|reason| *reason != EndReason::PageRoleLost);
    match ended.or(integration_ended) {
        Some(ended) => Err(NoTarget::Ended(ended)),
        None => {
            missing_right(integration, connection, kind).map_or(Ok(()), |missing| Err(NoTarget::NotAllowed(missing)))
        }
    }
}

impl NoTarget {
    /// Says it to the org: what is wrong, and what to do.
    pub(super) fn message(&self, page: &PageId) -> String {
        match self {
            Self::NotConnected => format!("This org has not connected the page {page}."),
            Self::Ended(reason) => format!("{} {}", reason.message(), reason.fix()),
            Self::NotAllowed(missing) => format!("{missing} Reconnect and keep every permission selected."),
        }
    }
}

/// The permission or task that is known to be missing.
fn missing_right(integration: &Integration, connection: &Connection, kind: PostKind) -> Option<String> {
    let needed: &[&str] = match kind {
        PostKind::Page => &["pages_manage_posts", "pages_read_engagement"],
        PostKind::Instagram => &["instagram_basic", "instagram_content_publish", "pages_read_engagement"],
    };
    let lacks = |scope: &&&str| !integration.grants(scope, &connection.page_id);
    if let Some(scope) = needed.iter().find(lacks) {
        return Some(format!("The permission {scope} was not granted for this page."));
    }
    let has_task = connection.tasks.is_empty() || connection.tasks.iter().any(|task| TASKS.contains(&task.as_str()));
    (!has_task).then(|| format!("The connected person has none of the page's tasks {}.", TASKS.join(", ")))
}

impl Publishing {
    /// Finds where a post goes, or says why it cannot be published there. `field` names the page in the request.
    pub(super) async fn target(
        &self,
        access: &MetaAccess,
        field: &'static str,
        page: &PageId,
        kind: PostKind,
        now: Timestamp,
    ) -> Result<Target, ActError> {
        match find_target(&self.table, &access.scope, page, kind, now).await? {
            Ok(target) => Ok(target),
            Err(NoTarget::Ended(reason)) => Err(ActError::Ended(reason)),
            Err(why @ NoTarget::NotConnected) => {
                Err(ActError::invalid(field, ErrorCode::PageUnknown, why.message(page)))
            }
            Err(why @ NoTarget::NotAllowed(_)) => {
                Err(ActError::invalid(field, ErrorCode::PermissionMissing, why.message(page)))
            }
        }
    }

    /// Reads the Instagram account behind a page from Meta.
    pub(super) async fn account_of(
        &self,
        access: &MetaAccess,
        target: &Target,
    ) -> Result<Option<InstagramAccount>, ActError> {
        let connection = &target.connection;
        let read = async {
            let token = self.tokens.meta.vault.page_token(&connection.credentials, &connection.page_id).await?;
            let graph = self.tokens.meta.graph().await?;
            let mut accounts = graph.instagram_accounts(&[(&connection.page_id, &token)]).await;
            Ok(accounts.pop().transpose()?.flatten())
        };
        match read.await {
            Ok(account) => Ok(account),
            Err(error) => Err(self.tokens.explain(&access.scope, &target.integration.id, error).await),
        }
    }
}
