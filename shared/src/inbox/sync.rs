//! What the webhook did not tell: comments and messages are read from Meta's lists, page by page.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::ingest::{AccountOwner, Engagement};
use crate::error::WorkError;
use crate::graph::{GraphClient, GraphError};
use crate::ids::OrgScope;
use crate::jobs::{CheckJob, SocialSyncJob};
use crate::meta_app::MetaApp;
use crate::model::connection::Connection;
use crate::model::inbox::Channel;
use crate::model::inbox::event::InboxEvent;
use crate::queue::Queue;
use crate::retry::Verdict;
use crate::secret::AccessToken;

/// Posts get new comments for so long.
const POSTS_AGE: SignedDuration = SignedDuration::from_hours(30 * 24);
/// How far back before the last sync it is looked: lists show some things late.
const OVERLAP: SignedDuration = SignedDuration::from_hours(2);
/// How far back the first sync of a page goes.
const FIRST_AGE: SignedDuration = SignedDuration::from_hours(7 * 24);
/// No page is begun with less time.
const MIN_PAGE_TIME: Duration = Duration::from_secs(60);

/// Reads what people wrote from Meta's lists, one integration for each job.
#[derive(Debug, Clone)]
pub struct SocialSync {
    /// The Graph API and the vault.
    pub meta: MetaApp,
    /// Takes what is found.
    pub engagement: Engagement,
    /// Takes integrations whose token turns out to be invalid.
    pub checks: Queue<CheckJob>,
}

impl SocialSync {
    /// Syncs the pages of an integration that were not synced since the job was sent, for at most `time_left`. Those that
    /// were synced longest ago come first; what is left then is for a repetition of the job. A page that fails does not
    /// hold up the others, and is read again from where it was.
    ///
    /// # Errors
    /// [`WorkError::OutOfTime`] if pages are left; otherwise the first failure for which a repetition may help.
    pub async fn sync(
        &self,
        job: &SocialSyncJob,
        time_left: Duration,
        clock: &(dyn Fn() -> Timestamp + Sync),
    ) -> Result<(), WorkError> {
        let end = tokio::time::Instant::now() + time_left.saturating_sub(MIN_PAGE_TIME);
        let (table, now) = (&self.engagement.table, clock());
        let integration = table.integration_of(job.org.clone(), &job.integration_id).await?;
        let Some((scope, integration)) = integration else { return Ok(()) };
        if integration.state(now).reason.is_some() || !table.org(&scope).await?.is_some_and(|org| org.has_meta()) {
            return Ok(());
        }
        let graph = self.meta.graph().await?;
        let mut failed = Ok(());
        for (until, page) in self.due_pages(&scope, job).await? {
            if tokio::time::Instant::now() >= end {
                return Err(WorkError::OutOfTime);
            }
            let Err(error) = self.sync_page(&graph, &scope, &page, until, &integration.scopes, clock()).await else {
                continue;
            };
            tracing::warn!(%error, page = %page.page_id, "a page's comments and messages were not synced");
            if error.is_of_token() {
                self.checks.send(&[CheckJob::new(&scope, &job.integration_id)]).await?;
            } else if error.verdict() != Verdict::GiveUp {
                failed = failed.and(Err(error));
            }
        }
        failed
    }

    /// The pages that were not synced since the job was sent, each with the end of its last sync.
    async fn due_pages(
        &self,
        scope: &OrgScope,
        job: &SocialSyncJob,
    ) -> Result<Vec<(Option<Timestamp>, Connection)>, WorkError> {
        let table = &self.engagement.table;
        let mut pages = table.pages_of(scope, &job.integration_id).await?;
        pages.retain(|page| page.is_connected() && page.ended.is_none());
        let synced = table.social_synced_until(scope, &pages).await?;
        let mut due: Vec<(Option<Timestamp>, Connection)> = synced.into_iter().zip(pages).collect();
        due.retain(|(until, _)| until.is_none_or(|until| until < job.planned_at));
        due.sort_by_key(|(until, _)| *until);
        Ok(due)
    }

    async fn sync_page(
        &self,
        graph: &GraphClient,
        scope: &OrgScope,
        page: &Connection,
        until: Option<Timestamp>,
        granted: &[String],
        now: Timestamp,
    ) -> Result<(), WorkError> {
        let table = &self.engagement.table;
        let token = self.meta.vault.page_token(&page.credentials, &page.page_id).await?;
        let since = until.map_or(now - FIRST_AGE, |until| until - OVERLAP);
        let events = read(graph, page, granted, since, now, &token).await?;
        let owner = AccountOwner {
            scope: scope.clone(),
            page_id: Some(page.page_id.clone()),
            integration_id: page.integration_id.clone(),
            connected_at: Some(page.connected_at),
        };
        let found = self.engagement.take_missed(&owner, &events, now).await?;
        if found > 0 {
            tracing::info!(page = %page.page_id, found, metric = "messages_missed", "the webhook did not tell of comments or messages");
        }
        Ok(table.set_social_synced(scope, page, now).await?)
    }
}

/// Reads everything that was written since a time, the oldest first.
async fn read(
    graph: &GraphClient,
    page: &Connection,
    granted: &[String],
    since: Timestamp,
    now: Timestamp,
    token: &AccessToken,
) -> Result<Vec<InboxEvent>, WorkError> {
    let grants = |wanted: &str| granted.iter().any(|scope| scope == wanted);
    let ages = (now - POSTS_AGE, since);
    let mut events = allowed(graph.page_comments(&page.page_id, ages, token).await)?;
    if grants("pages_messaging") {
        let id = page.page_id.as_str();
        let listed = graph.listed_messages(&page.page_id, Channel::Messenger, id, since, token).await;
        events.extend(allowed(listed)?);
    }
    if let Some(account) = &page.instagram_account_id {
        if grants("instagram_manage_comments") {
            events.extend(allowed(graph.instagram_comments(account, ages, token).await)?);
        }
        if grants("instagram_manage_messages") {
            let listed = graph.listed_messages(&page.page_id, Channel::Instagram, account.as_str(), since, token).await;
            events.extend(allowed(listed)?);
        }
    }
    // Meta lists the newest first; a comment comes before the replies to it.
    events.reverse();
    events.sort_by_key(InboxEvent::written_at);
    Ok(events)
}

/// A list that Meta refuses to this page costs the other lists nothing.
fn allowed(listed: Result<Vec<InboxEvent>, GraphError>) -> Result<Vec<InboxEvent>, GraphError> {
    match listed {
        Err(GraphError::NotPermitted(detail) | GraphError::Refused(detail)) => {
            tracing::info!(%detail, "Meta refuses a list of comments or messages");
            Ok(Vec::new())
        }
        listed => listed,
    }
}
