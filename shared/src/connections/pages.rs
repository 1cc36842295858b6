//! Selects the pages that leads are ingested from, and subscribes them at Meta.
//!
//! Several orgs may connect the same page, but Meta has one subscription per page and app. It ends when the last org
//! disconnects the page.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::observe::diagnose;
use crate::error::{ActError, ErrorCode, WorkError};
use crate::graph::GraphClient;
use crate::graph::subscriptions::fields;
use crate::ids::{OrgScope, PageId};
use crate::meta_app::MetaApp;
use crate::model::connection::diagnosis::Subscription;
use crate::model::connection::{Connection, Integration, PageSelection};
use crate::secret::AccessToken;
use crate::table::{Table, write_all};
use crate::tr;

/// Ingests leads from exactly these pages of an integration from now on. Idempotent.
pub(super) async fn choose_pages(
    meta: &MetaApp,
    table: &Table,
    scope: &OrgScope,
    integration: &Integration,
    wanted: &[PageId],
    now: Timestamp,
) -> Result<(), ActError> {
    if wanted.is_empty() {
        let message = tr!("Select at least one page. To stop all leads, delete the integration.");
        return Err(ActError::invalid("page_ids", ErrorCode::PagesMissing, message));
    }
    let mut pages = table.pages_of(scope, &integration.id).await?;
    pages.retain(|page| page.selection != PageSelection::Withdrawn);
    let offered = |wanted: &PageId| pages.iter().any(|page| page.page_id == *wanted);
    if let Some((position, page)) = (0_usize..).zip(wanted).find(|(_, page)| !offered(page)) {
        let message = tr!(
            "Meta grants this integration no access to the page {page}. To add it, reconnect and select it in Meta's dialog.",
            page = page
        );
        return Err(ActError::invalid(format!("page_ids[{position}]"), ErrorCode::PageNotOffered, message));
    }
    let (chosen, left): (Vec<_>, Vec<_>) = pages.into_iter().partition(|page| wanted.contains(&page.page_id));
    let added: Vec<Connection> = chosen.iter().filter(|page| !page.is_connected()).cloned().collect();
    let dropped: Vec<Connection> = left.iter().filter(|page| page.is_connected()).cloned().collect();

    let credentials = meta.vault.credentials(&integration.credentials).await?;
    let graph = meta.graph().await?;
    set_selection(table, scope, &added, PageSelection::Connected, now).await?;
    set_selection(table, scope, &dropped, PageSelection::Deselected, now).await?;
    // All selected pages, not only the added ones: this completes an interrupted change.
    let subscriptions = subscribe(&graph, table, scope, &chosen, &credentials.pages, &integration.scopes).await?;
    release(&graph, table, scope, &left, &credentials.pages).await?;
    diagnose(&graph, table, scope, integration, &credentials, &chosen, subscriptions).await?;
    Ok(())
}

pub(super) async fn set_selection(
    table: &Table,
    scope: &OrgScope,
    pages: &[Connection],
    selection: PageSelection,
    now: Timestamp,
) -> Result<(), WorkError> {
    let changing: Vec<_> = pages.iter().map(|page| table.select_page(scope, page, selection, now)).collect();
    Ok(write_all(changing).await?)
}

/// Subscribes pages to the fields that the granted permissions allow, and stores the resulting fields. Returns the
/// subscription of each page that has a token.
///
/// Reads the present subscription first and only adds to it, because the page may serve another org that was granted
/// more. Makes no call where no field is missing.
pub async fn subscribe(
    graph: &GraphClient,
    table: &Table,
    scope: &OrgScope,
    pages: &[Connection],
    tokens: &BTreeMap<PageId, AccessToken>,
    granted: &[String],
) -> Result<BTreeMap<PageId, Subscription>, WorkError> {
    let wanted = fields(granted);
    let with_tokens: Vec<(&Connection, &AccessToken)> =
        pages.iter().filter_map(|page| Some((page, tokens.get(&page.page_id)?))).collect();
    let page_tokens: Vec<(&PageId, &AccessToken)> =
        with_tokens.iter().map(|(page, token)| (&page.page_id, *token)).collect();
    let (mut outcomes, mut missing) = (BTreeMap::new(), Vec::new());
    for ((page, token), present) in with_tokens.into_iter().zip(graph.subscriptions(&page_tokens).await) {
        match present {
            Ok(mut fields) => {
                let before = fields.len();
                for field in &wanted {
                    if !fields.iter().any(|known| known == field) {
                        fields.push((*field).to_owned());
                    }
                }
                if fields.len() > before {
                    missing.push((page, token, fields));
                } else {
                    outcomes.insert(page.page_id.clone(), Subscription::Fields(fields));
                }
            }
            Err(error) => {
                outcomes.insert(page.page_id.clone(), Subscription::Refused(error.to_string()));
            }
        }
    }
    let calls: Vec<_> = missing.iter().map(|(page, token, all)| (&page.page_id, *token, all.clone())).collect();
    for ((page, _, fields), outcome) in missing.iter().zip(graph.subscribe(&calls).await) {
        let subscription = match outcome {
            Ok(()) => Subscription::Fields(fields.clone()),
            Err(error) => Subscription::Refused(error.to_string()),
        };
        outcomes.insert(page.page_id.clone(), subscription);
    }
    let subscribed = pages.iter().filter_map(|page| match outcomes.get(&page.page_id)? {
        Subscription::Fields(fields) => Some(table.record_page(scope, page, fields, None)),
        Subscription::Refused(_) => None,
    });
    write_all(subscribed.collect()).await?;
    Ok(outcomes)
}

/// Unsubscribes the app from those of `pages` that no org ingests leads from any more. The caller has already
/// deselected them. The stored subscription of a page is cleared only after this has worked.
///
/// An org may select a page between the read of the table and the call to Meta. So the table is read again after the
/// call, and a page selected meanwhile is subscribed again. The daily check repairs whatever slips through.
///
/// # Errors
/// Fails if a retry may help. A refusal by Meta is not an error: the page then sends nothing, or sends leads that
/// belong to no org.
pub async fn release(
    graph: &GraphClient,
    table: &Table,
    scope: &OrgScope,
    pages: &[Connection],
    tokens: &BTreeMap<PageId, AccessToken>,
) -> Result<(), WorkError> {
    let (mut unused, mut done) = (Vec::new(), Vec::new());
    for page in pages {
        if table.connections_of_page(&page.page_id).await?.is_empty() {
            unused.push(page);
        } else {
            done.push(page);
        }
    }
    let calls: Vec<(&PageId, Option<&AccessToken>)> =
        unused.iter().map(|page| (&page.page_id, tokens.get(&page.page_id))).collect();
    let mut outcome = Ok(());
    for (page, answer) in unused.iter().zip(graph.unsubscribe(&calls).await) {
        match answer {
            Ok(()) => {
                tracing::info!(page = %page.page_id, "page unsubscribed");
                done.push(page);
            }
            // The last token tried is the app's own. If Meta calls that one invalid, the error says nothing about the
            // page.
            Err(error) if error.token_death().is_none() && error.is_withheld() => {
                tracing::warn!(%error, page = %page.page_id, "Meta refused to unsubscribe a page that no org uses");
                done.push(page);
            }
            Err(error) => outcome = Err(error.into()),
        }
    }
    for page in unused {
        let Some(token) = tokens.get(&page.page_id) else { continue };
        let chosen = table.connections_of_page(&page.page_id).await?;
        let wanted: BTreeSet<String> = chosen.iter().flat_map(|(_, page)| page.subscribed_fields.clone()).collect();
        if !wanted.is_empty() {
            let call = (&page.page_id, token, wanted.into_iter().collect());
            let answers = graph.subscribe(&[call]).await;
            tracing::warn!(?answers, page = %page.page_id, "a page was selected while it was being unsubscribed, and is subscribed again");
        }
    }
    for page in done {
        table.record_page(scope, page, &[], page.ended.as_ref()).await?;
    }
    outcome
}
