//! Ending integrations: deleted by an admin, ended by the person who connected, or erased at that person's wish. Each is
//! marked before it is begun, and whoever looks at a marked one goes on with it.

use super::pages::{release, set_choice};
use super::person::if_readable;
use crate::bus::Bus;
use crate::error::WorkError;
use crate::ids::OrgScope;
use crate::meta_app::MetaApp;
use crate::model::connection::{Choice, Integration};
use crate::model::event::Event;
use crate::table::{Table, write_all};

/// Deletes an integration: leads stop, what nobody else uses at Meta is unsubscribed, secrets are deleted; leads that
/// came stay. It has to be marked as being deleted before ([`Table::begin_removal`]).
///
/// # Errors
/// If something failed that is worth another try.
pub async fn remove(
    meta: &MetaApp,
    table: &Table,
    bus: &Bus,
    scope: &OrgScope,
    integration: &Integration,
) -> Result<(), WorkError> {
    let pages = empty_out(meta, table, scope, integration).await?;
    // Before the row goes: after that nobody would know that it has to be told.
    bus.publish(&[Event::connection_disconnected(scope, integration)]).await?;
    table.delete_integration(scope, &integration.id).await?;
    tracing::info!(org = %scope.org(), integration = %integration.id, pages, "integration deleted");
    Ok(())
}

/// Erases what an integration has of the person who connected it: pages, secrets for good, names. Its settings, its
/// history and the org's leads stay. It has to be marked as being erased before ([`Table::begin_ending`]).
///
/// # Errors
/// If something failed that is worth another try.
pub async fn erase(
    meta: &MetaApp,
    table: &Table,
    scope: &OrgScope,
    integration: &Integration,
) -> Result<(), WorkError> {
    let pages = empty_out(meta, table, scope, integration).await?;
    table.end_erasure(scope, integration).await?;
    tracing::info!(org = %scope.org(), integration = %integration.id, pages, "integration erased");
    Ok(())
}

/// Lets go of an integration whose person removed the app at Meta: its tokens are dead, and are deleted for good. Its
/// pages stay chosen: leads that Meta tells us of wait for somebody to reconnect. It has to be marked before
/// ([`Table::begin_ending`]).
///
/// # Errors
/// If something failed that is worth another try.
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
    tracing::info!(org = %scope.org(), integration = %integration.id, "let go of an integration: its person removed the app");
    Ok(())
}

/// Takes everything away that came from Meta, what leads need first; answers how many pages there were.
async fn empty_out(
    meta: &MetaApp,
    table: &Table,
    scope: &OrgScope,
    integration: &Integration,
) -> Result<usize, WorkError> {
    let pages = table.pages_of(scope, &integration.id).await?;
    set_choice(table, scope, &pages, Choice::LeftOut, crate::clock::now()).await?;
    let credentials = if_readable(meta.vault.credentials(&integration.credentials).await)?;
    let tokens = credentials.as_ref().map(|credentials| credentials.pages.clone()).unwrap_or_default();
    release(&meta.graph().await?, table, scope, &pages, &tokens).await?;
    let deleting: Vec<_> = pages.iter().map(|page| table.delete_connection(scope, page)).collect();
    write_all(deleting).await?;
    if let Some(person) = &integration.person {
        table.forget_person(scope, &integration.id, person).await?;
    }
    for name in &integration.credentials {
        meta.vault.delete(name).await?;
    }
    Ok(pages.len())
}
