//! Which pages of an integration leads are taken from, and what Meta is told of it.
//!
//! A page may be connected by several orgs, and Meta knows one subscription per page and app: it ends with the last of
//! them.

use std::collections::BTreeMap;

use futures_util::{StreamExt, TryStreamExt, stream};
use jiff::Timestamp;

use super::meta::Meta;
use super::problems;
use crate::error::WorkError;
use crate::graph::Graph;
use crate::graph::subscriptions::fields;
use crate::ids::{OrgScope, PageId};
use crate::model::integration::{Choice, Connection, Integration, Problem};
use crate::retry::Verdict;
use crate::secret::AccessToken;
use crate::table::Table;

/// Items written at once.
pub(super) const AT_ONCE: usize = 8;

/// Why a choice of pages is not taken. Nothing has been changed then.
#[derive(Debug, thiserror::Error)]
pub enum ChooseError {
    /// Nothing chosen.
    #[error("choose at least one page; to take no leads at all, delete the integration")]
    None,
    /// A page that Meta does not give to this integration.
    #[error("Meta does not give the page {1} to this integration; to add it, reconnect and tick it in Meta's dialog")]
    NotOffered(usize, PageId),
    /// Something failed.
    #[error(transparent)]
    Work(#[from] WorkError),
}

/// Takes leads from exactly these pages of an integration from now on. Doing it again changes nothing.
///
/// # Errors
/// [`ChooseError`] says which page it is about.
pub async fn choose_pages(
    meta: &Meta,
    table: &Table,
    scope: &OrgScope,
    integration: &Integration,
    wanted: &[PageId],
    now: Timestamp,
) -> Result<(), ChooseError> {
    if wanted.is_empty() {
        return Err(ChooseError::None);
    }
    let mut pages = table.pages_of(scope, &integration.id).await.map_err(WorkError::from)?;
    pages.retain(|page| page.choice != Choice::Withdrawn);
    let offered = |wanted: &PageId| pages.iter().any(|page| page.page_id == *wanted);
    if let Some((position, page)) = (0..).zip(wanted).find(|(_, page)| !offered(page)) {
        return Err(ChooseError::NotOffered(position, page.clone()));
    }
    let (chosen, left): (Vec<_>, Vec<_>) = pages.into_iter().partition(|page| wanted.contains(&page.page_id));
    let added: Vec<Connection> = chosen.into_iter().filter(|page| !page.is_connected()).collect();
    let dropped: Vec<Connection> = left.into_iter().filter(Connection::is_connected).collect();

    let credentials = meta.vault.credentials(&integration.credentials).await.map_err(WorkError::from)?;
    let graph = meta.graph().await.map_err(WorkError::from)?;
    let mut found: Vec<Problem> = integration.problems.clone();
    let changed = |problem: &Problem| {
        let of = |pages: &[Connection]| pages.iter().any(|page| problem.page_id.as_ref() == Some(&page.page_id));
        of(&added) || of(&dropped)
    };
    found.retain(|problem| !changed(problem));
    set_choice(table, scope, &added, Choice::Connected, now).await?;
    found.extend(added.iter().filter_map(problems::task_missing));
    found.extend(subscribe(&graph, table, scope, &added, &credentials.pages, &integration.scopes).await?);
    set_choice(table, scope, &dropped, Choice::LeftOut, now).await?;
    release(&graph, table, &dropped, &credentials.pages, &integration.scopes).await?;
    table.set_problems(scope, &integration.id, &found).await.map_err(WorkError::from)?;
    Ok(())
}

pub(super) async fn set_choice(
    table: &Table,
    scope: &OrgScope,
    pages: &[Connection],
    choice: Choice,
    now: Timestamp,
) -> Result<(), WorkError> {
    let changing: Vec<_> = pages.iter().map(|page| table.choose(scope, page, choice, now)).collect();
    stream::iter(changing).buffer_unordered(AT_ONCE).try_for_each(|_| async { Ok(()) }).await?;
    Ok(())
}

/// Subscribes pages to what Leadwire listens to, as far as it was granted, writes down what Meta confirmed, and answers
/// what it did not.
pub async fn subscribe(
    graph: &Graph,
    table: &Table,
    scope: &OrgScope,
    pages: &[Connection],
    tokens: &BTreeMap<PageId, AccessToken>,
    granted: &[String],
) -> Result<Vec<Problem>, WorkError> {
    let wanted: Vec<String> = fields(granted).into_iter().map(ToOwned::to_owned).collect();
    let with_tokens: Vec<(&Connection, &AccessToken)> =
        pages.iter().filter_map(|page| Some((page, tokens.get(&page.page_id)?))).collect();
    let asked: Vec<(&PageId, &AccessToken)> = with_tokens.iter().map(|(page, token)| (&page.page_id, *token)).collect();
    let outcomes = graph.subscribe(&asked, &fields(granted)).await;
    let (mut recording, mut found) = (Vec::new(), Vec::new());
    for ((page, _), outcome) in with_tokens.iter().zip(outcomes) {
        match outcome {
            Ok(()) => recording.push(table.record_page(scope, page, &wanted, None)),
            Err(error) => found.push(problems::not_subscribed(page, &error)),
        }
    }
    stream::iter(recording).buffer_unordered(AT_ONCE).try_collect::<()>().await?;
    Ok(found)
}

/// Takes the app off those of `pages` from which nobody takes leads any more: they are not chosen any longer when this
/// is called.
///
/// Somebody may choose a page between the look and the call to Meta. So there is a second look after it, and what was
/// chosen meanwhile is subscribed again. Whatever slips through even so, the daily look repairs.
///
/// # Errors
/// If something failed that is worth another try. That Meta refuses is none: then nothing of that page comes anyway, or
/// comes and is nobody's.
pub(super) async fn release(
    graph: &Graph,
    table: &Table,
    pages: &[Connection],
    tokens: &BTreeMap<PageId, AccessToken>,
    granted: &[String],
) -> Result<(), WorkError> {
    let mut unused: Vec<(&PageId, Option<&AccessToken>)> = Vec::new();
    for page in pages {
        if table.connections_of_page(&page.page_id).await?.is_empty() {
            unused.push((&page.page_id, tokens.get(&page.page_id)));
        }
    }
    let mut worth_another_try = Ok(());
    for ((page, _), outcome) in unused.iter().zip(graph.unsubscribe(&unused).await) {
        match outcome {
            Ok(()) => tracing::info!(%page, "page unsubscribed"),
            Err(error) if error.verdict() == Verdict::GiveUp => {
                tracing::warn!(%error, %page, "Meta does not unsubscribe a page that nobody uses");
            }
            Err(error) => worth_another_try = Err(error.into()),
        }
    }
    for (page, token) in &unused {
        if let Some(token) = token
            && !table.connections_of_page(page).await?.is_empty()
        {
            for outcome in graph.subscribe(&[(*page, *token)], &fields(granted)).await {
                tracing::warn!(?outcome, %page, "a page was chosen while it was unsubscribed, and is subscribed again");
            }
        }
    }
    worth_another_try
}
