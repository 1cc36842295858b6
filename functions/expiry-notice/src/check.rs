//! Checks one integration in three steps. First reads everything: its token, its pages' subscriptions, its problems.
//! Then records the findings, unless the integration was connected or ended meanwhile. Only then makes changes:
//! repairs, notices, and the missed leads.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use leadwire::connections::health::{ended_by_us, examine, last_well};
use leadwire::connections::{diagnose, erase, release, release_credentials, remove, subscribe};
use leadwire::error::WorkError;
use leadwire::graph::subscriptions::fields;
use leadwire::graph::{GraphClient, GraphError};
use leadwire::ids::{OrgScope, PageId};
use leadwire::jobs::{CheckJob, LeadBatch, SweepJob, SweepKind};
use leadwire::leads::{ReplayCause, replay};
use leadwire::meta_app::MetaApp;
use leadwire::model::connection::diagnosis::{LEAD_FIELD, Subscription};
use leadwire::model::connection::problem::IntegrationProblem;
use leadwire::model::connection::state::{ConnectionEnd, EndReason};
use leadwire::model::connection::{Connection, Integration, Lifecycle};
use leadwire::queue::Queue;
use leadwire::retry::Verdict;
use leadwire::secret::AccessToken;
use leadwire::table::Table;
use leadwire::table::integration::Findings;
use leadwire::table::parked::ParkedLead;
use leadwire::vault::{Credentials, VaultError};

use crate::notify::Notifier;

/// An integration known to have ended is not checked again within this time, however many leads fail on it.
const MIN_CHECK_INTERVAL: SignedDuration = SignedDuration::from_mins(2);
/// A smaller extension of the expiry does not count, because Meta reports some dates to the day only.
const MIN_EXTENSION: SignedDuration = SignedDuration::from_hours(24);

/// Checks integrations.
#[derive(Debug)]
pub(crate) struct ConnectionChecker {
    pub(crate) meta: MetaApp,
    pub(crate) table: Table,
    pub(crate) notifier: Notifier,
    /// Takes the parked leads of integrations that work again.
    pub(crate) leads: Queue<LeadBatch>,
    pub(crate) searches: Queue<SweepJob>,
}

/// The findings, before anything is written.
struct Seen {
    integration: Integration,
    /// Absent if the token is invalid or unreadable, so that there is nothing more to check.
    pages: Option<Pages>,
}

/// The findings about the pages, and what is needed to repair them.
struct Pages {
    graph: GraphClient,
    credentials: Credentials,
    /// The connected pages.
    connected: Vec<PageSeen>,
    /// Pages that are no longer connected, but may still be subscribed.
    left: Vec<Connection>,
}

struct PageSeen {
    page: Connection,
    /// Its subscription; `None` if Meta did not report it.
    subscription: Option<Subscription>,
    ended: Option<ConnectionEnd>,
}

impl ConnectionChecker {
    /// Checks one integration, or resumes an ending that has begun.
    ///
    /// # Errors
    /// Fails if a retry may help. Everything that does not depend on the failed step is done.
    pub(crate) async fn check(&self, job: &CheckJob, now: Timestamp) -> Result<(), WorkError> {
        let integration = self.table.integration_of(job.org.clone(), &job.integration_id).await?;
        let Some((scope, integration)) = integration else { return Ok(()) };
        match integration.lifecycle {
            Lifecycle::Removing => {
                return remove(&self.meta, &self.table, &self.notifier.bus, &scope, &integration).await;
            }
            Lifecycle::Erasing => erase(&self.meta, &self.table, &scope, &integration).await?,
            Lifecycle::Releasing => release_credentials(&self.meta, &self.table, &scope, &integration).await?,
            Lifecycle::Live => {}
        }
        if integration.lifecycle != Lifecycle::Live || integration.credentials.is_empty() {
            // There is nothing to check, and no reason to come back once all notices are sent.
            self.notifier.notify(&scope, &integration, now).await?;
            return Ok(self.table.schedule_check(&scope, &integration, None).await?);
        }
        let recently =
            integration.checked_at.is_some_and(|checked_at| now.duration_since(checked_at) < MIN_CHECK_INTERVAL);
        if recently && integration.ended.is_some() {
            return self.notifier.notify(&scope, &integration, now).await;
        }
        if !self.table.org(&scope).await?.is_some_and(|org| org.has_meta()) {
            tracing::info!(org = %scope.org(), integration = %integration.id, "not checked: the org's plan does not include Meta");
            // `checked_at` stays as it is: the catch-up starts there once the plan includes Meta again.
            let next = integration.next_check(now, rand::random());
            return Ok(self.table.schedule_check(&scope, &integration, Some(next)).await?);
        }
        let seen = self.see(&scope, &integration, now).await?;
        let Some(mut recorded) = self.record(&scope, &integration, seen.integration, now).await? else {
            tracing::info!(org = %scope.org(), integration = %integration.id, "the integration changed during the check, so the findings are discarded");
            return Ok(());
        };
        let repaired = match &seen.pages {
            Some(pages) => self.repair(&scope, &recorded, pages).await.map(|problems| recorded.problems = problems),
            None => Ok(()),
        };
        let lost = seen.pages.iter().flat_map(|pages| &pages.connected);
        let lost: Vec<(&Connection, &ConnectionEnd)> =
            lost.filter_map(|seen| Some((&seen.page, seen.ended.as_ref()?))).collect();
        let notified = match recorded.ended {
            // If the whole integration has ended, its pages get no notices of their own.
            Some(_) => self.notifier.notify(&scope, &recorded, now).await,
            None => {
                let notified = self.notifier.notify(&scope, &recorded, now).await;
                let notified = notified.and(self.notifier.notify_lost_pages(&scope, &recorded, &lost, now).await);
                let live = seen.pages.iter().flat_map(|pages| &pages.connected).filter(|seen| seen.ended.is_none());
                let live: Vec<&Connection> = live.map(|seen| &seen.page).collect();
                notified.and(self.notifier.notify_blocked(&scope, &recorded, &live, now).await)
            }
        };
        let caught_up =
            if recorded.state(now).reason.is_none() { self.catch_up(&scope, &recorded).await } else { Ok(()) };
        repaired.and(notified).and(caught_up)
    }

    /// Reads everything that there is to know, and writes nothing.
    async fn see(&self, scope: &OrgScope, integration: &Integration, now: Timestamp) -> Result<Seen, WorkError> {
        let credentials = match self.meta.vault.credentials(&integration.credentials).await {
            Ok(credentials) => credentials,
            Err(error @ VaultError::Failed(_)) => return Err(error.into()),
            Err(error) => {
                tracing::error!(%error, org = %scope.org(), integration = %integration.id, metric = "tokens_unreadable", "an integration's tokens cannot be read");
                let ended = ended_by_us(integration, EndReason::TokenUnreadable, error.to_string(), now);
                return Ok(Seen { integration: ended, pages: None });
            }
        };
        let graph = self.meta.graph().await?;
        let examined = match examine(&graph, integration, &credentials.user_token, now).await {
            Err(error @ GraphError::ProofRefused(_)) => {
                self.meta.invalidate_app_secret();
                return Err(error.into());
            }
            examined => examined?,
        };
        if let Err(error) = examined.alive {
            if error.verdict() != Verdict::GiveUp {
                return Err(error.into());
            }
            // Meta refused, but not because the token is invalid, so the token works.
            tracing::info!(%error, org = %scope.org(), integration = %integration.id, "Meta refuses to name the token's account");
        }
        let mut current = examined.integration;
        if current.ended.is_some() {
            return Ok(Seen { integration: current, pages: None });
        }
        let (pages, missed) = self.see_pages(scope, graph, integration, &current, credentials, now).await?;
        let ended_since = integration.ended.as_ref().map(|ended| ended.since);
        current.missed_since = [current.missed_since, missed, ended_since].into_iter().flatten().min();
        // Once every connected page has ended, so has the integration, even if its own token works.
        let mut ends = pages.connected.iter().map(|seen| seen.ended.as_ref());
        if let Some(Some(first)) = ends.next()
            && ends.all(|ended| ended.is_some())
        {
            current.ended = Some(first.clone());
        }
        Ok(Seen { integration: current, pages: Some(pages) })
    }

    /// Reads the subscriptions of all pages. Also returns the time from which leads of a page may have been missed.
    async fn see_pages(
        &self,
        scope: &OrgScope,
        graph: GraphClient,
        before: &Integration,
        current: &Integration,
        credentials: Credentials,
        now: Timestamp,
    ) -> Result<(Pages, Option<Timestamp>), WorkError> {
        let (connected, left): (Vec<Connection>, Vec<Connection>) =
            self.table.pages_of(scope, &current.id).await?.into_iter().partition(Connection::is_connected);
        let page_tokens: Vec<(&PageId, &AccessToken)> =
            connected.iter().filter_map(|page| credentials.pages.get_key_value(&page.page_id)).collect();
        let mut answers = graph.subscriptions(&page_tokens).await.into_iter();
        let end = |page: &Connection, reason: EndReason, evidence: String| match &page.ended {
            Some(known) if known.reason == reason => known.clone(),
            _ => ConnectionEnd { reason, since: last_well(before, now).max(page.connected_at), evidence },
        };
        let (mut seen, mut missed) = (Vec::with_capacity(connected.len()), Vec::new());
        for page in &connected {
            let mut now_seen = PageSeen { page: page.clone(), subscription: None, ended: page.ended.clone() };
            let answer = credentials.pages.contains_key(&page.page_id).then(|| answers.next()).flatten();
            match answer {
                None => {
                    let evidence = "its token is not in the secret".to_owned();
                    now_seen.ended = Some(end(page, EndReason::TokenUnreadable, evidence));
                }
                Some(Ok(subscribed)) => {
                    missed.extend(page.ended.as_ref().map(|ended| ended.since));
                    let wanted = fields(&current.scopes).contains(&LEAD_FIELD);
                    if wanted && !subscribed.iter().any(|field| field == LEAD_FIELD) {
                        missed.push(last_well(before, now).max(page.connected_at));
                    }
                    (now_seen.subscription, now_seen.ended) = (Some(Subscription::Fields(subscribed)), None);
                }
                Some(Err(error)) => match error.token_death() {
                    Some(reason) => now_seen.ended = Some(end(page, reason, error.to_string())),
                    // A permanent refusal to read would be a refusal to repair as well. After any other failure, the
                    // next check tries again.
                    None if error.verdict() == Verdict::GiveUp => {
                        now_seen.subscription = Some(Subscription::Refused(error.to_string()));
                    }
                    None => {
                        tracing::info!(%error, page = %page.page_id, "a page's subscription could not be read");
                    }
                },
            }
            seen.push(now_seen);
        }
        let left = left.into_iter().filter(|page| !page.subscribed_fields.is_empty()).collect();
        Ok((Pages { graph, credentials, connected: seen, left }, missed.into_iter().min()))
    }

    /// Records the state of the pages and the problems, restores missing subscriptions, and unsubscribes pages that no
    /// org uses. Returns the problems.
    async fn repair(
        &self,
        scope: &OrgScope,
        integration: &Integration,
        pages: &Pages,
    ) -> Result<Vec<IntegrationProblem>, WorkError> {
        let (mut to_repair, mut subscriptions) = (Vec::new(), BTreeMap::new());
        for seen in &pages.connected {
            let page = &seen.page;
            let fields_now = match &seen.subscription {
                Some(Subscription::Fields(fields)) => fields,
                Some(Subscription::Refused(_)) | None => &page.subscribed_fields,
            };
            if page.ended != seen.ended || page.subscribed_fields != *fields_now {
                self.table.record_page(scope, page, fields_now, seen.ended.as_ref()).await?;
            }
            let is_missing = |field: &&str| !fields_now.iter().any(|known| known == field);
            let was_read = matches!(seen.subscription, Some(Subscription::Fields(_)));
            if was_read && fields(&integration.scopes).iter().any(is_missing) {
                if !page.subscribed_fields.is_empty() {
                    tracing::warn!(org = %scope.org(), page = %page.page_id, subscribed = ?fields_now, metric = "subscriptions_lost", "a page's subscription has changed");
                }
                to_repair.push(page.clone());
            }
            subscriptions.extend(seen.subscription.clone().map(|seen| (page.page_id.clone(), seen)));
        }
        let (graph, credentials) = (&pages.graph, &pages.credentials);
        let live_pages: Vec<Connection> =
            pages.connected.iter().filter(|seen| seen.ended.is_none()).map(|seen| seen.page.clone()).collect();
        let (tokens, granted) = (&credentials.pages, &integration.scopes);
        subscriptions.extend(subscribe(graph, &self.table, scope, &to_repair, tokens, granted).await?);
        let table = &self.table;
        let problems = diagnose(graph, table, scope, integration, credentials, &live_pages, subscriptions).await?;
        release(graph, &self.table, scope, &pages.left, tokens).await?;
        Ok(problems)
    }

    /// Ingests what could not arrive while the integration or one of its pages did not work: parked leads, and leads
    /// that Meta may not have reported.
    async fn catch_up(&self, scope: &OrgScope, integration: &Integration) -> Result<(), WorkError> {
        let pages = self.table.pages_of(scope, &integration.id).await?;
        let is_well =
            |id: &PageId| pages.iter().any(|page| page.page_id == *id && page.is_connected() && page.ended.is_none());
        let heals = |lead: &ParkedLead| is_well(&lead.page_id) && lead.reason.heals_with_the_connection();
        replay(&self.table, &self.leads, scope, ReplayCause::Recovered, heals).await?;
        // As a job of its own: after a long failure, the search takes longer than a check may.
        let Some(since) = integration.missed_since else { return Ok(()) };
        let (org, integration_id) = (scope.org().clone(), integration.id.clone());
        Ok(self.searches.send(&[SweepJob { org, integration_id, kind: SweepKind::CatchUp { since } }]).await?)
    }

    /// Records the findings and returns the updated integration; `None` if it was connected, ended or deleted since it
    /// was read.
    async fn record(
        &self,
        scope: &OrgScope,
        before: &Integration,
        mut current: Integration,
        now: Timestamp,
    ) -> Result<Option<Integration>, WorkError> {
        if restarts_notices(before, &current, now) {
            current.notices_since = now;
        }
        let (was, is) = (before.state(now), current.state(now));
        if was != is || before.ended != current.ended {
            tracing::info!(org = %scope.org(), integration = %before.id, was = ?was.status, is = ?is.status, reason = ?is.reason, "an integration's state has changed");
        }
        let findings = Findings {
            token_expires_at: current.token_expires_at,
            data_access_expires_at: current.data_access_expires_at,
            scopes: current.scopes.clone(),
            granted_for: current.granted_for.clone(),
            ended: current.ended.clone(),
            missed_since: current.missed_since,
            notices_since: current.notices_since,
            checked_at: now,
        };
        let next = current.next_check(now, rand::random());
        let recorded = self.table.record_findings(scope, before, &findings, next).await?;
        Ok(recorded.then_some(current))
    }
}

/// Whether a connection's notices start over, because it works again after an end or its expiry was extended.
fn restarts_notices(before: &Integration, current: &Integration, now: Timestamp) -> bool {
    let recovered = before.state(now).reason.is_some() && current.state(now).reason.is_none();
    let extended = match (before.expires_at(), current.expires_at()) {
        (Some(before), Some(current)) => current.duration_since(before) > MIN_EXTENSION,
        (Some(_), None) => true,
        (None, _) => false,
    };
    recovered || extended
}
