//! Turns what Meta granted into an integration: vault, then table, then subscriptions. Nothing is written before
//! everything that Meta returns has been read. If this is interrupted, the next check or reconnecting completes it.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::observe::diagnose;
use super::pages::{release, set_selection, subscribe};
use super::person::person_hash;
use crate::bus::Bus;
use crate::error::WorkError;
use crate::graph::GraphClient;
use crate::graph::oauth::TokenInfo;
use crate::graph::pages::Page;
use crate::ids::{IntegrationId, OrgScope, PageId};
use crate::jobs::{CheckJob, LeadBatch};
use crate::leads::{ReplayCause, replay};
use crate::meta_app::MetaApp;
use crate::model::connection::diagnosis;
use crate::model::connection::lead_state::{Stop, StopReason};
use crate::model::connection::problem::Impact;
use crate::model::connection::state::{EndReason, TokenKind};
use crate::model::connection::{ConnectedBy, Connection, Integration, MetaPerson, PageSelection};
use crate::model::event::Event;
use crate::model::lead::assignment::Assignment;
use crate::queue::Queue;
use crate::secret::{AccessToken, HmacKey};
use crate::table::parked::ParkedLead;
use crate::table::{Table, write_all};
use crate::vault::{Credentials, VaultError};

/// Turns what Meta grants into integrations.
#[derive(Debug, Clone)]
pub struct Connector {
    /// Exchanges tokens, reads and subscribes pages, and stores tokens.
    pub meta: MetaApp,
    /// Finds the login and stores the integration.
    pub table: Table,
    /// Publishes events to the CRM.
    pub bus: Bus,
    /// Takes the parked leads that can be retried.
    pub leads: Queue<LeadBatch>,
    /// Takes integrations to check at once.
    pub checks: Queue<CheckJob>,
    /// The prefix of the names of secrets that contain tokens.
    pub credentials_prefix: String,
    /// Signs and verifies the state.
    pub key: HmacKey,
    /// Hashes the id of the person who connected.
    pub root_key: HmacKey,
}

/// Everything that Meta returned about the person or system user who connects.
#[derive(Debug)]
pub(super) struct Grant {
    pub(super) kind: TokenKind,
    pub(super) token: AccessToken,
    pub(super) info: TokenInfo,
    pub(super) me: MetaPerson,
    pub(super) pages: Vec<Page>,
}

/// The org's side of a connection.
#[derive(Debug)]
pub(super) struct ConnectRequest {
    pub(super) integration_id: IntegrationId,
    /// Whether the integration existed when this began.
    pub(super) reconnects: bool,
    /// Whether another account may take the place of the one that is connected.
    pub(super) replace: bool,
    pub(super) user: ConnectedBy,
    pub(super) scopes: Vec<String>,
    pub(super) name: Option<String>,
    pub(super) description: Option<String>,
    pub(super) assignment: Option<Assignment>,
}

/// What became of a grant.
#[derive(Debug)]
pub(super) enum Acceptance {
    /// It is stored.
    Accepted(Box<Accepted>),
    /// Nothing was changed: the integration that was to be reconnected no longer exists or is being removed.
    Gone,
    /// Nothing was changed: the grant is another account's than the connected one, and would end these pages, or make a
    /// connection that never expires one that does.
    OtherAccount {
        /// The connected pages that the grant does not contain.
        lost: Vec<PageId>,
    },
}

/// The stored connection.
#[derive(Debug)]
pub struct Accepted {
    /// The integration as stored.
    pub integration: Integration,
    /// The number of connected pages.
    pub pages: usize,
}

impl Connector {
    /// Returns what Meta reports about a token; `None` if it is invalid or belongs to another app.
    pub(super) async fn valid(&self, graph: &GraphClient, token: &AccessToken) -> Result<Option<TokenInfo>, WorkError> {
        let info = graph.debug_token(token).await?;
        Ok((info.app_id == graph.app().id && info.is_valid).then_some(info))
    }

    /// Reads the account of a valid token and the pages that it grants.
    pub(super) async fn read_grant(
        &self,
        graph: &GraphClient,
        kind: TokenKind,
        token: AccessToken,
        info: TokenInfo,
    ) -> Result<Grant, WorkError> {
        let me = graph.me(&token).await?;
        let pages = graph.pages(&token, &info).await?;
        Ok(Grant { kind, token, info, me, pages })
    }

    /// Stores what was granted.
    ///
    /// A reconnected integration keeps its settings, its counters and the admin's selection of pages. Pages that Meta
    /// no longer grants are withdrawn, and the parked leads of connected pages are replayed.
    ///
    /// Until all of this completes, the integration stays first in the check queue, so that an interrupted run is
    /// resumed.
    pub(super) async fn accept(
        &self,
        scope: &OrgScope,
        graph: &GraphClient,
        request: ConnectRequest,
        grant: Grant,
        now: Timestamp,
    ) -> Result<Acceptance, WorkError> {
        let id = request.integration_id.clone();
        let known = match (request.reconnects, self.table.integration(scope, &id).await?) {
            (true, None) => return Ok(Acceptance::Gone),
            (_, known) => known,
        };
        let known_pages = if known.is_some() { self.table.pages_of(scope, &id).await? } else { Vec::new() };

        let (usable, tokenless): (Vec<Page>, Vec<Page>) =
            grant.pages.into_iter().partition(|page| page.access_token.is_some());
        let tokens: BTreeMap<PageId, AccessToken> =
            usable.iter().filter_map(|page| Some((page.id.clone(), page.access_token.clone()?))).collect();
        let person = person_hash(&self.root_key, &grant.me.id);
        let connected = || known_pages.iter().filter(|page| page.is_connected());
        if let Some(known) = known.as_ref().filter(|known| !request.replace && known.person.is_some()) {
            let is_granted = |page: &Connection| usable.iter().any(|granted| granted.id == page.page_id);
            let lost: Vec<PageId> =
                connected().filter(|page| !is_granted(page)).map(|page| page.page_id.clone()).collect();
            let other_kind = known.token_kind != grant.kind;
            if other_kind || (known.person.as_ref() != Some(&person) && !lost.is_empty()) {
                tracing::info!(org = %scope.org(), integration = %id, lost = lost.len(), "not reconnected: another account asks to replace the connected one");
                return Ok(Acceptance::OtherAccount { lost });
            }
        }
        let credentials = Credentials { me: grant.me, user_token: grant.token, pages: tokens };
        let stored = self.meta.vault.store(&self.credentials_prefix, &id, &credentials).await?;
        let integration = Integration {
            name: request.name.unwrap_or_else(|| default_name(&usable)),
            description: request.description.unwrap_or_default(),
            assignment: request.assignment.unwrap_or_default(),
            credentials: stored.names.clone(),
            token_kind: grant.kind,
            person: Some(person.clone()),
            token_expires_at: grant.info.expires_at,
            data_access_expires_at: grant.info.data_access_expires_at,
            asked_scopes: request.scopes,
            granted_for: grant.info.granted_for(),
            scopes: grant.info.scopes,
            ended: None,
            problems: tokenless
                .iter()
                .map(|page| diagnosis::page_without_token(grant.kind, &page.id, &page.name))
                .collect(),
            missed_since: known.as_ref().and_then(|known| missed_since(known, connected(), now)),
            checked_at: Some(now),
            id: id.clone(),
            ..Integration::draft(scope.org().clone(), request.user, now)
        };
        let saved = async {
            self.table.remember_person(scope, &id, &person).await?;
            match known {
                Some(_) => self.table.replace_integration(scope, &integration, Some(now)).await,
                None => self.table.insert_integration(scope, &integration, Some(now)).await,
            }
        };
        match saved.await {
            Ok(true) => {}
            Ok(false) => {
                self.meta.vault.drop_all(&stored.names).await;
                return Ok(Acceptance::Gone);
            }
            // The write may have succeeded, so the secrets must stay.
            Err(error) => return Err(error.into()),
        }
        let pages = self.save_pages(scope, &integration, &usable, &known_pages, &stored.by_page, now).await?;
        let is_granted = |page: &Connection| usable.iter().any(|is_granted| is_granted.id == page.page_id);
        let withdrawn: Vec<Connection> = known_pages.into_iter().filter(|page| !is_granted(page)).collect();
        set_selection(&self.table, scope, &withdrawn, PageSelection::Withdrawn, now).await?;
        let connected: Vec<Connection> = pages.into_iter().filter(Connection::is_connected).collect();

        let (tokens, granted) = (&credentials.pages, &integration.scopes);
        let subscriptions = subscribe(graph, &self.table, scope, &connected, tokens, granted).await?;
        let table = &self.table;
        let problems = diagnose(graph, table, scope, &integration, &credentials, &connected, subscriptions).await?;
        self.clean_up(scope, graph, &integration, known, &withdrawn).await;

        let ids: Vec<PageId> = connected.iter().map(|page| page.page_id.clone()).collect();
        self.bus.publish(&[Event::connection_connected(scope, &integration, &ids)]).await?;
        let of_pages = |lead: &ParkedLead| ids.contains(&lead.page_id);
        replay(&self.table, &self.leads, scope, ReplayCause::Recovered, of_pages).await?;
        let is_blocked = problems.iter().any(|problem| problem.impact == Impact::LeadsBlocked);
        if integration.missed_since.is_some() || is_blocked {
            // The check also tells the admins what keeps leads out.
            self.checks.send(&[CheckJob::new(scope, &id)]).await?;
        } else {
            let next = integration.next_check(now, rand::random());
            self.table.schedule_check(scope, &integration, Some(next)).await?;
        }
        let integration = self.table.integration(scope, &id).await?.unwrap_or(integration);
        Ok(Acceptance::Accepted(Box::new(Accepted { integration, pages: ids.len() })))
    }

    async fn save_pages(
        &self,
        scope: &OrgScope,
        integration: &Integration,
        usable: &[Page],
        known: &[Connection],
        secrets: &BTreeMap<PageId, String>,
        now: Timestamp,
    ) -> Result<Vec<Connection>, WorkError> {
        let mut pages = Vec::with_capacity(usable.len());
        for page in usable {
            let deselected =
                known.iter().any(|known| known.page_id == page.id && known.selection == PageSelection::Deselected);
            let new = Connection::new(scope.org().clone(), integration.id.clone(), page.id.clone(), now);
            pages.push(Connection {
                page_name: page.name.clone(),
                page_url: page.link.clone().unwrap_or(new.page_url),
                selection: if deselected { PageSelection::Deselected } else { PageSelection::Connected },
                tasks: page.tasks.clone(),
                credentials: secrets.get(&page.id).cloned().ok_or_else(|| VaultError::Missing(page.id.to_string()))?,
                ..new
            });
        }
        let saving: Vec<_> = pages.iter().map(|page| self.table.save_connection(scope, page)).collect();
        write_all(saving).await?;
        // A withdrawn page that returns is connected from now on. The leads in between are not ours.
        let was_withdrawn = |page: &&Connection| {
            known.iter().any(|known| known.page_id == page.page_id && known.selection == PageSelection::Withdrawn)
        };
        let back: Vec<Connection> = pages.iter().filter(was_withdrawn).cloned().collect();
        set_selection(&self.table, scope, &back, PageSelection::Connected, now).await?;
        Ok(pages)
    }

    /// Cleans up after the previous connection. A failure is only logged, because everything works without the cleanup;
    /// the daily check unsubscribes pages that are still subscribed.
    async fn clean_up(
        &self,
        scope: &OrgScope,
        graph: &GraphClient,
        integration: &Integration,
        before: Option<Integration>,
        withdrawn: &[Connection],
    ) {
        let Some(before) = before else { return };
        let tokens = match self.meta.vault.credentials(&before.credentials).await {
            Ok(credentials) => credentials.pages,
            Err(_) => BTreeMap::new(),
        };
        if let Err(error) = release(graph, &self.table, scope, withdrawn, &tokens).await {
            tracing::warn!(%error, org = %scope.org(), "withdrawn pages may still be subscribed");
        }
        if let Some(person) = before.person.filter(|person| integration.person.as_ref() != Some(person))
            && let Err(error) = self.table.forget_person(scope, &integration.id, &person).await
        {
            tracing::warn!(%error, org = %scope.org(), "the index entry of the person who connected before remains");
        }
        self.meta.vault.drop_all(&before.credentials).await;
    }
}

/// The time from which leads may have been missed: since the connection ended, if it had ended, or since a page was last
/// compared with Meta, if its leads could not be read. The check that follows asks Meta for them.
fn missed_since<'a>(
    known: &Integration,
    pages: impl Iterator<Item = &'a Connection>,
    now: Timestamp,
) -> Option<Timestamp> {
    let is_blocked = |page: &&Connection| {
        matches!(page.lead_state(known, now).stop, Some(Stop { reason: StopReason::Blocked(_), .. }))
    };
    let by_date = || known.expires_at().filter(|end| *end <= now);
    match &known.ended {
        Some(ended) if ended.reason == EndReason::NotConnected => None,
        Some(ended) => Some(ended.since),
        None => by_date(),
    }
    .into_iter()
    .chain(known.missed_since)
    .chain(pages.filter(is_blocked).map(Connection::complete_until))
    .min()
}

fn default_name(pages: &[Page]) -> String {
    match pages {
        [page] => page.name.clone(),
        [page, rest @ ..] => format!("{} and {} more", page.name, rest.len()),
        [] => "Meta".to_owned(),
    }
}
