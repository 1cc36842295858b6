//! Ends integrations: deleted by an admin, ended by the person who connected, or erased at that person's request. Each
//! end is marked before it begins, and the next check resumes a marked one.

use super::pages::{release, set_selection};
use super::person::if_readable;
use crate::bus::Bus;
use crate::error::WorkError;
use crate::ids::OrgScope;
use crate::meta_app::MetaApp;
use crate::model::connection::{Integration, PageSelection};
use crate::model::event::Event;
use crate::table::{Table, write_all};

/// Deletes an integration: stops its leads, unsubscribes pages that no other org uses, and deletes its secrets. Stored
/// leads are retained. The integration must already be marked for removal ([`Table::begin_removal`]).
///
/// # Errors
/// Fails if a retry may help.
pub async fn remove(
    meta: &MetaApp,
    table: &Table,
    bus: &Bus,
    scope: &OrgScope,
    integration: &Integration,
) -> Result<(), WorkError> {
    let pages = empty_out(meta, table, scope, integration).await?;
    // Publish before deleting the row. Without the row, an interrupted run would never publish the event.
    bus.publish(&[Event::connection_disconnected(scope, integration)]).await?;
    table.delete_integration(scope, &integration.id).await?;
    tracing::info!(org = %scope.org(), integration = %integration.id, pages, "integration deleted");
    Ok(())
}

/// Erases what an integration stores about the person who connected it: pages, secrets and names. Its settings, its
/// history and the org's leads are retained. It must already be marked for erasure ([`Table::begin_ending`]).
///
/// # Errors
/// Fails if a retry may help.
pub async fn erase(
    meta: &MetaApp,
    table: &Table,
    scope: &OrgScope,
    integration: &Integration,
) -> Result<(), WorkError> {
    // First: once the pages are gone, nothing tells a name that was made of theirs from one that an admin chose.
    let pages = table.pages_of(scope, &integration.id).await?;
    if pages.iter().any(|page| integration.name.contains(&page.page_name)) {
        table.forget_name(scope, &integration.id).await?;
    }
    let pages = empty_out(meta, table, scope, integration).await?;
    table.end_erasure(scope, integration).await?;
    tracing::info!(org = %scope.org(), integration = %integration.id, pages, "integration erased");
    Ok(())
}

/// Permanently deletes the secrets of an integration whose person removed the app at Meta; its tokens are invalid. Its
/// pages stay selected, and leads that Meta reports are parked until an admin reconnects. The integration must already
/// be marked ([`Table::begin_ending`]).
///
/// # Errors
/// Fails if a retry may help.
pub async fn release_credentials(
    meta: &MetaApp,
    table: &Table,
    scope: &OrgScope,
    integration: &Integration,
) -> Result<(), WorkError> {
    for name in &integration.credentials {
        meta.vault.delete(name).await?;
    }
    table.end_release(scope, integration).await?;
    tracing::info!(org = %scope.org(), integration = %integration.id, "integration released: its person removed the app");
    Ok(())
}

/// Deletes everything that came from Meta, beginning with what leads need. Returns the number of pages.
async fn empty_out(
    meta: &MetaApp,
    table: &Table,
    scope: &OrgScope,
    integration: &Integration,
) -> Result<usize, WorkError> {
    let pages = table.pages_of(scope, &integration.id).await?;
    set_selection(table, scope, &pages, PageSelection::Deselected, crate::clock::now()).await?;
    let credentials = if_readable(meta.vault.credentials(&integration.credentials).await)?;
    let tokens = credentials.as_ref().map(|credentials| credentials.pages.clone()).unwrap_or_default();
    release(&meta.graph().await?, table, scope, &pages, &tokens).await?;
    let deleting: Vec<_> = pages.iter().map(|page| table.delete_connection(scope, page)).collect();
    write_all(deleting).await?;
    for account in table.inbox_accounts_of(scope, &integration.id).await? {
        table.delete_inbox_account(scope, &account).await?;
    }
    if let Some(person) = &integration.person {
        table.forget_person(scope, &integration.id, person).await?;
    }
    for name in &integration.credentials {
        meta.vault.delete(name).await?;
    }
    Ok(pages.len())
}
