//! One look at one integration: its token, its pages' subscriptions, what of it is missing; then what it found is written
//! down, repaired where that can be done, and told.

use jiff::{SignedDuration, Timestamp};
use shared::connect::health::{ended_by_us, examine};
use shared::connect::{CheckJob, Meta, deauthorize, erase, problems, remove, subscribe};
use shared::error::WorkError;
use shared::graph::subscriptions::fields;
use shared::graph::{Graph, GraphError};
use shared::ids::{OrgScope, PageId};
use shared::intake::{catch_up, replay};
use shared::model::health::LEAD_FIELD;
use shared::model::integration::{Connection, Integration, Problem};
use shared::model::lead::FoundBy;
use shared::model::standing::{EndReason, Ended, TokenKind};
use shared::queue::Queue;
use shared::retry::Verdict;
use shared::secret::AccessToken;
use shared::table::Table;
use shared::table::integration::Findings;
use shared::vault::{Credentials, VaultError};

use crate::notify::Notifier;

/// An integration that is known to have ended is not looked at again so soon, however many leads fail on it.
const ENOUGH_SEEN: SignedDuration = SignedDuration::from_mins(2);
/// An extension of the dates by less is none: Meta gives some of them by the day.
const EXTENDED: SignedDuration = SignedDuration::from_hours(24);

/// What looking takes.
#[derive(Debug)]
pub(crate) struct Looker {
    pub(crate) meta: Meta,
    pub(crate) table: Table,
    pub(crate) notifier: Notifier,
    /// Takes the leads that waited for the integration to live again.
    pub(crate) leads: Queue,
}

/// What looking at the pages found.
struct Found {
    problems: Vec<Problem>,
    /// Since when leads of some page may have been missed.
    missed_since: Option<Timestamp>,
}

/// Why leads are parked that only wait for a token that works.
const OF_TOKENS: [&str; 2] = ["token_dead", "token_unreadable"];

impl Looker {
    /// Looks at one integration.
    ///
    /// # Errors
    /// If something failed that is worth another try. What was found before that is written down and told.
    pub(crate) async fn look(&self, job: &CheckJob, now: Timestamp) -> Result<(), WorkError> {
        let found = self.table.integration_of(job.org.clone(), &job.integration_id).await?;
        let Some((scope, integration)) = found else { return Ok(()) };
        if integration.removing {
            let bus = &self.notifier.bus;
            return remove(&self.meta, &self.table, bus, &scope, &integration).await;
        }
        if integration.erasing.is_some() {
            erase(&self.meta, &self.table, &scope, &integration).await?;
            return self.notifier.tell(&scope, &integration, now).await;
        }
        if integration.credentials.is_empty() {
            // Nothing to look at, but somebody may still have to be told that it has ended.
            return self.notifier.tell(&scope, &integration, now).await;
        }
        let recently = integration.probed_at.is_some_and(|probed| now.duration_since(probed) < ENOUGH_SEEN);
        if recently && integration.ended.is_some() {
            return self.notifier.tell(&scope, &integration, now).await;
        }
        if !self.table.org(&scope).await?.is_some_and(|org| org.has_meta()) {
            tracing::info!(org = %scope.org(), integration = %integration.id, "not looked at: the org's plan does not include Meta");
            return self.record(&scope, &integration, integration.clone(), now).await.map(drop);
        }
        let current = self.current(&scope, &integration, now).await?;
        let Some(recorded) = self.record(&scope, &integration, current, now).await? else {
            tracing::info!(org = %scope.org(), integration = %integration.id, "somebody changed it during the look; that counts");
            return Ok(());
        };
        if recorded.ended.as_ref().is_some_and(|ended| ended.reason == EndReason::AppRemoved) {
            // Such a token never comes back to life. Meta's callback may never have come.
            deauthorize(&self.meta, &self.table, &scope, &recorded, now).await?;
        }
        self.notifier.tell(&scope, &recorded, now).await?;
        if recorded.standing(now).reason.is_none() { self.bring_in(&scope, &recorded, now).await } else { Ok(()) }
    }

    /// Brings in what could not come while the integration, or a page of it, was not well: leads that wait for a token,
    /// and leads that Meta may not have told us of.
    async fn bring_in(&self, scope: &OrgScope, integration: &Integration, now: Timestamp) -> Result<(), WorkError> {
        let pages = self.table.pages_of(scope, &integration.id).await?;
        let is_well =
            |id: &PageId| pages.iter().any(|page| page.page_id == *id && page.is_connected() && page.ended.is_none());
        let mut parked = self.table.parked(scope).await?;
        parked.retain(|lead| is_well(&lead.page_id) && OF_TOKENS.contains(&lead.reason.as_str()));
        replay(&self.table, &self.leads, scope, &parked).await?;
        let Some(since) = integration.missed_since else { return Ok(()) };
        let (meta, found_by) = (&self.meta, FoundBy::Sweep);
        catch_up(meta, &self.table, &self.leads, scope, integration, since, found_by, now).await?;
        Ok(self.table.caught_up(scope, integration).await?)
    }

    /// The integration as it is now.
    async fn current(
        &self,
        scope: &OrgScope,
        integration: &Integration,
        now: Timestamp,
    ) -> Result<Integration, WorkError> {
        let credentials = match self.meta.vault.credentials(&integration.credentials).await {
            Ok(credentials) => credentials,
            Err(error @ VaultError::Failed(_)) => return Err(error.into()),
            Err(error) => {
                tracing::error!(%error, org = %scope.org(), integration = %integration.id, metric = "tokens_unreadable", "an integration's tokens cannot be read");
                return Ok(ended_by_us(integration, EndReason::TokenUnreadable, error.to_string(), now));
            }
        };
        let graph = self.meta.graph().await?;
        let examined = match examine(&graph, integration, &credentials.user_token, now).await {
            Err(error @ GraphError::ProofRefused(_)) => {
                self.meta.vault.forget(&self.meta.app_secret_id);
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
            return Ok(current);
        }
        let found = self.look_at_pages(scope, &graph, &current, &credentials, now).await?;
        current.problems = found.problems;
        let ended_since = integration.ended.as_ref().map(|ended| ended.since);
        current.missed_since = [current.missed_since, found.missed_since, ended_since].into_iter().flatten().min();
        let mut pages = self.table.pages_of(scope, &current.id).await?;
        pages.retain(Connection::is_connected);
        // With its last page the integration has ended, whatever its own token says.
        if let Some(ended) = pages.first().and_then(|page| page.ended.clone())
            && pages.iter().all(|page| page.ended.is_some())
        {
            current.ended = Some(ended);
        }
        Ok(current)
    }

    /// Reads every page's subscription back, repairs those that are not as they should be, and finds pages that are lost.
    async fn look_at_pages(
        &self,
        scope: &OrgScope,
        graph: &Graph,
        integration: &Integration,
        credentials: &Credentials,
        now: Timestamp,
    ) -> Result<Found, WorkError> {
        let mut pages = self.table.pages_of(scope, &integration.id).await?;
        pages.retain(Connection::is_connected);
        let (with_token, without): (Vec<Connection>, Vec<Connection>) =
            pages.into_iter().partition(|page| credentials.pages.contains_key(&page.page_id));
        for page in &without {
            let ended = self.newly_ended(page, EndReason::TokenUnreadable, "its token is not in the secret", now);
            self.lose(scope, integration, page, ended, now).await?;
        }
        let asked: Vec<(&PageId, &AccessToken)> =
            with_token.iter().filter_map(|page| credentials.pages.get_key_value(&page.page_id)).collect();
        let (mut to_repair, mut found, mut missed) = (Vec::new(), Vec::new(), Vec::new());
        for (page, subscribed) in with_token.iter().zip(graph.subscriptions(&asked).await) {
            match subscribed {
                Ok(subscribed) => {
                    missed.extend(page.ended.as_ref().map(|ended| ended.since));
                    let told = |fields: &[String]| fields.iter().any(|field| field == LEAD_FIELD);
                    if told(&page.subscribed_fields) && !told(&subscribed) {
                        missed.push(integration.probed_at.unwrap_or(page.connected_at));
                    }
                    let wanted = fields(&integration.scopes);
                    if page.ended.is_some() || page.subscribed_fields != subscribed {
                        self.table.record_page(scope, page, &subscribed, None).await?;
                    }
                    if wanted.iter().any(|field| !subscribed.iter().any(|known| known == field)) {
                        if !page.subscribed_fields.is_empty() {
                            tracing::warn!(org = %scope.org(), page = %page.page_id, ?subscribed, metric = "subscriptions_lost", "a page's subscription is not as it was");
                        }
                        to_repair.push(page.clone());
                    }
                }
                Err(error) => match error.token_death() {
                    Some(reason) => {
                        let ended = self.newly_ended(page, reason, &error.to_string(), now);
                        self.lose(scope, integration, page, ended, now).await?;
                    }
                    // Who may not read it back may not repair it either. What may heal is seen at the next look.
                    None if error.verdict() == Verdict::GiveUp => found.push(problems::not_subscribed(page, &error)),
                    None => {
                        tracing::info!(%error, page = %page.page_id, "a page's subscription could not be read back");
                    }
                },
            }
        }
        let tokens = &credentials.pages;
        found.extend(subscribe(graph, &self.table, scope, &to_repair, tokens, &integration.scopes).await?);

        let mut all = problems::missing_scopes(&integration.asked_scopes, &integration.scopes);
        all.extend(integration.problems.iter().filter(|problem| problem.code == "page_without_token").cloned());
        all.extend(with_token.iter().filter_map(problems::task_missing));
        all.extend(found);
        let leads_granted = integration.scopes.iter().any(|scope| scope == problems::LEAD_SCOPE);
        if integration.token_kind == TokenKind::User && leads_granted {
            all.extend(problems::lead_access_problems(graph, &credentials.me.id, &with_token, tokens).await);
        }
        Ok(Found { problems: all, missed_since: missed.into_iter().min() })
    }

    fn newly_ended(&self, page: &Connection, reason: EndReason, evidence: &str, now: Timestamp) -> Ended {
        match &page.ended {
            Some(known) if known.reason == reason => known.clone(),
            _ => Ended { reason, since: now, evidence: evidence.to_owned() },
        }
    }

    async fn lose(
        &self,
        scope: &OrgScope,
        integration: &Integration,
        page: &Connection,
        ended: Ended,
        now: Timestamp,
    ) -> Result<(), WorkError> {
        self.table.record_page(scope, page, &page.subscribed_fields, Some(&ended)).await?;
        self.notifier.tell_lost_page(scope, integration, page, &ended, now).await
    }

    /// Writes the findings down and answers the integration as it is stored now; `None` if somebody connected or ended it
    /// since.
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
            tracing::info!(org = %scope.org(), integration = %before.id, ?was, ?is, "an integration stands otherwise than before");
        }
        let findings = Findings {
            token_expires_at: current.token_expires_at,
            data_access_expires_at: current.data_access_expires_at,
            scopes: current.scopes.clone(),
            granted_for: current.granted_for.clone(),
            problems: current.problems.clone(),
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
