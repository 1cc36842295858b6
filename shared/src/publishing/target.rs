//! Where a post goes: a connected page of the org with its token, and the Instagram account behind it.

use jiff::Timestamp;

use super::Publishing;
use crate::directory::MetaAccess;
use crate::error::{ActError, ErrorCode};
use crate::graph::instagram::InstagramAccount;
use crate::ids::{OrgScope, PageId};
use crate::language::translate;
use crate::model::connection::problem::describe_scope;
use crate::model::connection::state::EndReason;
use crate::model::connection::{Connection, Integration};
use crate::model::publishing::PostKind;
use crate::table::{Table, TableError};
use crate::tr;

/// What a person needs on a page to do something: all of the permissions, and one of the tasks.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rights {
    pub(crate) scopes: &'static [&'static str],
    pub(crate) tasks: &'static [&'static str],
}

/// What it takes to publish.
pub(super) fn rights(kind: PostKind) -> Rights {
    let scopes: &[&str] = match kind {
        PostKind::Page => &["pages_manage_posts", "pages_read_engagement"],
        PostKind::Instagram => &["instagram_basic", "instagram_content_publish", "pages_read_engagement"],
    };
    Rights { scopes, tasks: &["CREATE_CONTENT", "MANAGE", "MODERATE"] }
}

/// A page of the org, and the integration whose token is used for it.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    pub(crate) integration: Integration,
    pub(crate) connection: Connection,
}

/// Why a page cannot be published on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum NoTarget {
    /// The org has not connected it.
    NotConnected,
    /// Its connection has ended.
    Ended(EndReason),
    /// A permission or a task is missing.
    NotAllowed(String),
}

/// Finds a connection of a page that has these rights: of several, one that works.
pub(crate) async fn find_target(
    table: &Table,
    scope: &OrgScope,
    page: &PageId,
    rights: Rights,
    now: Timestamp,
) -> Result<Result<Target, NoTarget>, TableError> {
    let mut reason = NoTarget::NotConnected;
    for connection in table.own_connections(scope, page).await? {
        let Some(integration) = table.integration(scope, &connection.integration_id).await? else { continue };
        match check_connection(&integration, &connection, rights, now) {
            Ok(()) => return Ok(Ok(Target { integration, connection })),
            Err(why) => reason = why,
        }
    }
    Ok(Err(reason))
}

/// Checks that a connection has these rights, as far as is known.
pub(super) fn check_connection(
    integration: &Integration,
    connection: &Connection,
    rights: Rights,
    now: Timestamp,
) -> Result<(), NoTarget> {
    let ended = connection.ended.as_ref().map(|ended| ended.reason);
    let integration_ended = integration.state(now).reason.filter(|reason| *reason != EndReason::PageRoleLost);
    match ended.or(integration_ended) {
        Some(ended) => Err(NoTarget::Ended(ended)),
        None => {
            missing_right(integration, connection, rights).map_or(Ok(()), |missing| Err(NoTarget::NotAllowed(missing)))
        }
    }
}

impl NoTarget {
    /// Says it to the org: what is wrong, and what to do.
    pub(super) fn message(&self, page: &PageId) -> String {
        match self {
            Self::NotConnected => tr!("This org has not connected the page {page}.", page = page),
            Self::Ended(reason) => format!("{} {}", reason.message(), reason.fix()),
            Self::NotAllowed(missing) => format!("{missing} {}", tr!("Reconnect and keep every permission selected.")),
        }
    }
}

/// The permission or task that is known to be missing.
fn missing_right(integration: &Integration, connection: &Connection, rights: Rights) -> Option<String> {
    let lacks = |scope: &&&str| !integration.grants(scope, &connection.page_id);
    if let Some(scope) = rights.scopes.iter().find(lacks) {
        let right = translate(describe_scope(scope).1);
        return Some(tr!(
            "The permission “{right}” ({scope}) was not granted for this page.",
            right = right,
            scope = scope
        ));
    }
    let has_task = |task: &String| rights.tasks.contains(&task.as_str());
    let is_able = connection.tasks.is_empty() || connection.tasks.iter().any(has_task);
    let tasks = || rights.tasks.join(", ");
    (!is_able).then(|| tr!("The connected person has none of the page's tasks {tasks}.", tasks = tasks()))
}

/// Says why a page cannot be used. `field` names it in the request.
pub(crate) fn no_target(field: &'static str, page: &PageId, reason: NoTarget) -> ActError {
    match reason {
        NoTarget::Ended(reason) => ActError::Ended(reason),
        NoTarget::NotConnected => ActError::invalid(field, ErrorCode::PageUnknown, reason.message(page)),
        NoTarget::NotAllowed(_) => ActError::invalid(field, ErrorCode::PermissionMissing, reason.message(page)),
    }
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
        let found = find_target(&self.table, &access.scope, page, rights(kind), now).await?;
        found.map_err(|reason| no_target(field, page, reason))
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
