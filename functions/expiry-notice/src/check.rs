//! One look at one integration. First everything is read: its token, its pages' subscriptions, what is missing. Then it is
//! written down, if nobody connected or ended it meanwhile. Only then follows what changes anything: repairs, notices, and
//! the leads that did not come.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use leadwire::connections::health::{ended_by_us, examine, last_well};
use leadwire::connections::{erase, observe, release, release_credentials, remove, subscribe};
use leadwire::error::WorkError;
use leadwire::graph::subscriptions::fields;
use leadwire::graph::{Graph, GraphError};
use leadwire::ids::{OrgScope, PageId};
use leadwire::jobs::{CheckJob, LeadJob};
use leadwire::leads::{ReplayCause, Search, Sweep, parked, replay};
use leadwire::meta_app::MetaApp;
use leadwire::model::connection::diagnosis::{self, LEAD_FIELD, Subscription};
use leadwire::model::connection::standing::{EndReason, Ended};
use leadwire::model::connection::{Connection, Integration, Lifecycle};
use leadwire::queue::Queue;
use leadwire::retry::Verdict;
use leadwire::secret::AccessToken;
use leadwire::table::Table;
use leadwire::table::integration::Findings;
use leadwire::vault::{Credentials, VaultError};

use crate::notify::Notifier;

/// An integration that is known to have ended is not looked at again so soon, however many leads fail on it.
const ENOUGH_SEEN: SignedDuration = SignedDuration::from_mins(2);
/// An extension of the dates by less is none: Meta gives some of them by the day.
const EXTENDED: SignedDuration = SignedDuration::from_hours(24);

/// What looking takes.
#[derive(Debug)]
pub(crate) struct ConnectionChecker {
    pub(crate) meta: MetaApp,
    pub(crate) table: Table,
    pub(crate) notifier: Notifier,
    /// Takes the leads that waited for the integration to live again.
    pub(crate) leads: Queue<LeadJob>,
}

/// What was seen, and nothing of it written.
struct Seen {
    integration: Integration,
    /// Absent if there is nothing to go on with: the token is dead.
    pages: Option<Pages>,
}

/// What was seen of the pages, and what to ask of Meta for them.
struct Pages {
    graph: Graph,
    credentials: Credentials,
    /// Connected ones, each as it is now.
    connected: Vec<PageSeen>,
    /// Those that leads are not taken from any more, and that are perhaps still subscribed.
    left: Vec<Connection>,
}

struct PageSeen {
    page: Connection,
    /// Its subscription; `None` if Meta did not say.
    subscription: Option<Subscription>,
    ended: Option<Ended>,
}

impl ConnectionChecker {
    /// Looks at one integration, or goes on with what somebody began with it.
    ///
    /// # Errors
    /// If something failed that is worth another try. What does not rest on it is done.
    pub(crate) async fn check(&self, job: &CheckJob, now: Timestamp) -> Result<(), WorkError> {
        let found = self.table.integration_of(job.org.clone(), &job.integration_id).await?;
        let Some((scope, integration)) = found else { return Ok(()) };
        match integration.lifecycle {
            Lifecycle::Removing => {
                return remove(&self.meta, &self.table, &self.notifier.bus, &scope, &integration).await;
            }
            Lifecycle::Erasing => erase(&self.meta, &self.table, &scope, &integration).await?,
            Lifecycle::Releasing => release_credentials(&self.meta, &self.table, &scope, &integration).await?,
            Lifecycle::Live => {}
        }
        if integration.lifecycle != Lifecycle::Live || integration.credentials.is_empty() {
            // There is nothing to look at, and once everybody is told, nothing to come back for.
            self.notifier.notify(&scope, &integration, now).await?;
            return Ok(self.table.schedule_check(&scope, &integration, None).await?);
        }
        let recently = integration.probed_at.is_some_and(|probed| now.duration_since(probed) < ENOUGH_SEEN);
        if recently && integration.ended.is_some() {
            return self.notifier.notify(&scope, &integration, now).await;
        }
        if !self.table.org(&scope).await?.is_some_and(|org| org.has_meta()) {
            tracing::info!(org = %scope.org(), integration = %integration.id, "not looked at: the org's plan does not include Meta");
            // Nor is it written down that it was: until when all was well is what is asked of Meta from, one day.
            let next = integration.next_check(now, rand::random());
            return Ok(self.table.schedule_check(&scope, &integration, Some(next)).await?);
        }
        let seen = self.see(&scope, &integration, now).await?;
        let Some(recorded) = self.record(&scope, &integration, seen.integration, now).await? else {
            tracing::info!(org = %scope.org(), integration = %integration.id, "somebody changed it during the look; that counts");
            return Ok(());
        };
        let repaired = match &seen.pages {
            Some(pages) => self.repair(&scope, &recorded, pages).await,
            None => Ok(()),
        };
        let lost = seen.pages.iter().flat_map(|pages| &pages.connected);
        let lost: Vec<(&Connection, &Ended)> =
            lost.filter_map(|seen| Some((&seen.page, seen.ended.as_ref()?))).collect();
        let told = match recorded.ended {
            // The whole is told, not its pages.
            Some(_) => self.notifier.notify(&scope, &recorded, now).await,
            None => {
                let told = self.notifier.notify(&scope, &recorded, now).await;
                told.and(self.notifier.notify_lost_pages(&scope, &recorded, &lost, now).await)
            }
        };
        let brought_in =
            if recorded.standing(now).reason.is_none() { self.bring_in(&scope, &recorded, now).await } else { Ok(()) };
        repaired.and(told).and(brought_in)
    }

    /// Reads everything there is to know.
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
            // A refusal that is not the token's death: the token answers, so it lives.
            tracing::info!(%error, org = %scope.org(), integration = %integration.id, "Meta refuses to say who the token is");
        }
        let mut current = examined.integration;
        if current.ended.is_some() {
            return Ok(Seen { integration: current, pages: None });
        }
        let (pages, missed) = self.see_pages(scope, graph, integration, &current, credentials, now).await?;
        let ended_since = integration.ended.as_ref().map(|ended| ended.since);
        current.missed_since = [current.missed_since, missed, ended_since].into_iter().flatten().min();
        // With its last page the integration has ended, whatever its own token says.
        let mut ends = pages.connected.iter().map(|seen| seen.ended.as_ref());
        if let Some(Some(first)) = ends.next()
            && ends.all(|ended| ended.is_some())
        {
            current.ended = Some(first.clone());
        }
        Ok(Seen { integration: current, pages: Some(pages) })
    }

    /// Reads every page's subscription back. Also answers since when leads of some page may have been missed.
    async fn see_pages(
        &self,
        scope: &OrgScope,
        graph: Graph,
        before: &Integration,
        current: &Integration,
        credentials: Credentials,
        now: Timestamp,
    ) -> Result<(Pages, Option<Timestamp>), WorkError> {
        let (connected, left): (Vec<Connection>, Vec<Connection>) =
            self.table.pages_of(scope, &current.id).await?.into_iter().partition(Connection::is_connected);
        let asked: Vec<(&PageId, &AccessToken)> =
            connected.iter().filter_map(|page| credentials.pages.get_key_value(&page.page_id)).collect();
        let mut answers = graph.subscriptions(&asked).await.into_iter();
        let end = |page: &Connection, reason: EndReason, evidence: String| match &page.ended {
            Some(known) if known.reason == reason => known.clone(),
            _ => Ended { reason, since: last_well(before, now).max(page.connected_at), evidence },
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
                    // Who may not read it back may not repair it either. What may heal is seen at the next look.
                    None if error.verdict() == Verdict::GiveUp => {
                        now_seen.subscription = Some(Subscription::Refused(error.to_string()));
                    }
                    None => {
                        tracing::info!(%error, page = %page.page_id, "a page's subscription could not be read back");
                    }
                },
            }
            seen.push(now_seen);
        }
        let left = left.into_iter().filter(|page| !page.subscribed_fields.is_empty()).collect();
        Ok((Pages { graph, credentials, connected: seen, left }, missed.into_iter().min()))
    }

    /// Writes down how the pages are, puts back what is not subscribed, takes the app off pages that nobody uses, and
    /// writes down what is missing.
    async fn repair(&self, scope: &OrgScope, integration: &Integration, pages: &Pages) -> Result<(), WorkError> {
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
                    tracing::warn!(org = %scope.org(), page = %page.page_id, subscribed = ?fields_now, metric = "subscriptions_lost", "a page's subscription is not as it was");
                }
                to_repair.push(page.clone());
            }
            subscriptions.extend(seen.subscription.clone().map(|seen| (page.page_id.clone(), seen)));
        }
        let (graph, credentials) = (&pages.graph, &pages.credentials);
        let living: Vec<Connection> =
            pages.connected.iter().filter(|seen| seen.ended.is_none()).map(|seen| seen.page.clone()).collect();
        let (tokens, granted) = (&credentials.pages, &integration.scopes);
        subscriptions.extend(subscribe(graph, &self.table, scope, &to_repair, tokens, granted).await?);
        let observed = observe(graph, integration, credentials, &living, subscriptions).await;
        let problems = diagnosis::problems(integration, &observed);
        self.table.set_problems(scope, &integration.id, &problems).await?;
        release(graph, &self.table, scope, &pages.left, tokens).await
    }

    /// Brings in what could not come while the integration, or a page of it, was not well: leads that wait for it, and
    /// leads that Meta may not have told us of.
    async fn bring_in(&self, scope: &OrgScope, integration: &Integration, now: Timestamp) -> Result<(), WorkError> {
        let pages = self.table.pages_of(scope, &integration.id).await?;
        let is_well =
            |id: &PageId| pages.iter().any(|page| page.page_id == *id && page.is_connected() && page.ended.is_none());
        let mut parked = parked(&self.table, scope).await?;
        parked.retain(|lead| is_well(&lead.page_id) && lead.reason.heals_with_the_connection());
        replay(&self.table, &self.leads, scope, &parked, ReplayCause::Recovered).await?;
        let Some(since) = integration.missed_since else { return Ok(()) };
        let sweep = Sweep { meta: &self.meta, table: &self.table, leads: &self.leads };
        let search = Search { since: Some(since), ..Search::regular(now) };
        sweep.run(scope, integration, &search, now).await?;
        Ok(self.table.caught_up(scope, integration).await?)
    }

    /// Writes the findings down and answers the integration as it is stored now; `None` if somebody connected, ended or
    /// deleted it since.
    async fn record(
        &self,
        scope: &OrgScope,
        before: &Integration,
        mut current: Integration,
        now: Timestamp,
    ) -> Result<Option<Integration>, WorkError> {
        if begins_anew(before, &current, now) {
            current.notices_since = now;
        }
        let (was, is) = (before.standing(now), current.standing(now));
        if was != is || before.ended != current.ended {
            tracing::info!(org = %scope.org(), integration = %before.id, was = ?was.status, is = ?is.status, reason = ?is.reason, "an integration stands otherwise than before");
        }
        let findings = Findings {
            token_expires_at: current.token_expires_at,
            data_access_expires_at: current.data_access_expires_at,
            scopes: current.scopes.clone(),
            granted_for: current.granted_for.clone(),
            ended: current.ended.clone(),
            missed_since: current.missed_since,
            notices_since: current.notices_since,
            probed_at: now,
        };
        let next = current.next_check(now, rand::random());
        let recorded = self.table.record_findings(scope, before, &findings, next).await?;
        Ok(recorded.then_some(current))
    }
}

/// Whether a connection's notices start over: it works again after it had ended, or got much more time.
fn begins_anew(before: &Integration, current: &Integration, now: Timestamp) -> bool {
    let recovered = before.standing(now).reason.is_some() && current.standing(now).reason.is_none();
    let extended = match (before.expires_at(), current.expires_at()) {
        (Some(before), Some(current)) => current.duration_since(before) > EXTENDED,
        (Some(_), None) => true,
        (None, _) => false,
    };
    recovered || extended
}
