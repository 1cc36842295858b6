//! Looking at an integration from every side, now: at Meta, in the table, in the queue.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use super::problems::{LEAD_ACCESS_FIX, LEAD_SCOPE, missing_tasks};
use super::{Connections, Connector};
use crate::directory::MetaAccess;
use crate::error::{ActError, WorkError};
use crate::graph::access::LeadAccess;
use crate::graph::{Graph, GraphError};
use crate::ids::{IntegrationId, OrgScope, PageId};
use crate::jobs::{CheckJob, LeadJob};
use crate::meta_app::MetaApp;
use crate::model::connection::health::{Check, CheckId, CheckStatus, LeadsDenied, PageSeen, Seen, Sight, report};
use crate::model::connection::standing::{EndReason, Ended, TokenKind};
use crate::model::connection::{Connection, Integration};
use crate::queue::Queue;
use crate::secret::AccessToken;
use crate::table::Table;
use crate::vault::{Credentials, VaultError};

/// What Meta says of a token now.
#[derive(Debug)]
pub struct Examined {
    /// With what it said of its dates and permissions, if it said so.
    pub integration: Integration,
    /// Whether it still lives; `Err` if that cannot be known now.
    pub alive: Result<(), GraphError>,
}

/// Asks Meta about an integration's token and answers the integration as it is by that: dates and permissions as Meta
/// has them, and ended or not.
///
/// Two questions: `debug_token` knows the dates, but calls a token valid whose data access is closed, and the form of its
/// refusals is not documented. So a plain call with the token decides whether it lives.
///
/// # Errors
/// If Meta does not answer about the token at all: what the app's own token meets is never an integration's fault.
pub async fn examine(
    graph: &Graph,
    integration: &Integration,
    token: &AccessToken,
    now: Timestamp,
) -> Result<Examined, GraphError> {
    let info = graph.debug_token(token).await?;
    let call = graph.me(token).await;
    let mut seen = integration.clone();
    if info.is_valid {
        seen.token_expires_at = info.expires_at;
        seen.data_access_expires_at = info.data_access_expires_at;
        seen.granted_for = info.granted_for();
        seen.scopes = info.scopes;
    }
    let alive = match call {
        Ok(_) => Ok(()),
        Err(error) => match error.token_death() {
            Some(reason) => {
                let since = integration.ended.as_ref().map_or_else(|| last_well(integration, now), |ended| ended.since);
                seen.ended = Some(Ended { reason, since, evidence: error.to_string() });
                return Ok(Examined { integration: seen, alive: Ok(()) });
            }
            None => Err(error),
        },
    };
    if alive.is_ok() {
        seen.ended = None;
    }
    Ok(Examined { integration: seen, alive })
}

/// When an integration that is found to have ended was last seen to be well: only then is it known that no lead is missing.
#[must_use]
pub fn last_well(integration: &Integration, now: Timestamp) -> Timestamp {
    integration.probed_at.unwrap_or(integration.connected_at).min(now)
}

/// The integration with an end for a reason that we found on our side.
#[must_use]
pub fn ended_by_us(integration: &Integration, reason: EndReason, evidence: String, now: Timestamp) -> Integration {
    let since = integration.ended.as_ref().map_or_else(|| last_well(integration, now), |ended| ended.since);
    Integration { ended: Some(Ended { reason, since, evidence }), ..integration.clone() }
}

/// A health report.
#[derive(Debug, Serialize, ToSchema)]
pub struct Health {
    /// `fail` if one of the checks fails, else `pass`.
    pub status: CheckStatus,
    /// When Meta was asked.
    #[schema(value_type = String, format = DateTime)]
    pub checked_at: Timestamp,
    /// In the order in which an engineer would look for the fault.
    pub items: Vec<Check>,
    /// Always `null`: all are listed.
    pub next_cursor: Option<String>,
}

impl Connections {
    /// Checks an integration from every side, asking Meta now. What Meta does not answer is `unknown` in the report.
    pub async fn health(&self, access: &MetaAccess, id: &IntegrationId) -> Result<Health, ActError> {
        let (scope, now) = (&access.scope, crate::clock::now());
        let integration = self.tokens.integration(scope, id).await?;
        let Connector { meta, table, leads, .. } = &self.connector;
        let items = check_health(meta, table, leads, scope, &integration, now).await?;
        let failed = |check: &Check| check.status == CheckStatus::Fail;
        let token_failed = items.iter().any(|check| check.id == CheckId::Token && failed(check));
        if token_failed && integration.standing(now).reason.is_none() {
            // The check records that the integration has ended.
            self.connector.checks.send(&[CheckJob::new(scope, id)]).await?;
        }
        let status = if items.iter().any(failed) { CheckStatus::Fail } else { CheckStatus::Pass };
        Ok(Health { status, checked_at: now, items, next_cursor: None })
    }
}

/// The checks of an integration. Fails only if our own table or vault does.
async fn check_health(
    meta: &MetaApp,
    table: &Table,
    leads: &Queue<LeadJob>,
    scope: &OrgScope,
    integration: &Integration,
    now: Timestamp,
) -> Result<Vec<Check>, WorkError> {
    let mut pages = table.pages_of(scope, &integration.id).await?;
    pages.retain(Connection::is_connected);
    let mut parked = crate::leads::parked(table, scope).await?;
    parked.retain(|lead| pages.iter().any(|page| page.page_id == lead.page_id));
    let queued = leads.waiting().await.map_err(|error| {
        tracing::warn!(%error, "the lead queue could not be asked");
        "SQS does not answer".to_owned()
    });

    let credentials = match meta.vault.credentials(&integration.credentials).await {
        Ok(credentials) => Ok(credentials),
        Err(VaultError::Failed(why)) => return Err(VaultError::Failed(why).into()),
        Err(error) => Err(error),
    };
    let mut current = integration.clone();
    let (token, page_sights) = match &credentials {
        Err(error) => {
            if integration.ended.is_none() {
                current = ended_by_us(integration, EndReason::TokenUnreadable, error.to_string(), now);
            }
            (Err("there is no token to ask with".to_owned()), BTreeMap::new())
        }
        Ok(credentials) => {
            let graph = meta.graph().await?;
            let token = match examine(&graph, integration, &credentials.user_token, now).await {
                Ok(examined) => {
                    current = examined.integration;
                    examined.alive.map_err(|error| error.to_string())
                }
                Err(error) => Err(error.to_string()),
            };
            (token, look_at_pages(&graph, &current, credentials, &pages).await)
        }
    };
    let missing = current.asked_scopes.iter().filter(|scope| !current.scopes.contains(scope)).cloned().collect();
    let seen = Seen {
        standing: current.standing(now),
        token,
        token_kind: current.token_kind,
        missing_scopes: missing,
        pages: pages.iter().map(|page| seen_of(page, page_sights.get(&page.page_id))).collect(),
        queued,
        parked: parked.into_iter().map(|lead| lead.reason).collect(),
    };
    Ok(report(&seen, now))
}

/// What Meta said of one page.
struct PageSights {
    tasks: Sight<Vec<String>>,
    subscribed: Sight<Vec<String>>,
    lead_access: Sight<LeadAccess>,
    forms: Sight<Vec<(String, bool)>>,
}

async fn look_at_pages(
    graph: &Graph,
    integration: &Integration,
    credentials: &Credentials,
    pages: &[Connection],
) -> BTreeMap<PageId, PageSights> {
    let asked: Vec<(&PageId, &AccessToken)> =
        pages.iter().filter_map(|page| credentials.pages.get_key_value(&page.page_id)).collect();
    let leads_granted = integration.scopes.iter().any(|scope| scope == LEAD_SCOPE);
    let access = async {
        if integration.token_kind == TokenKind::User && leads_granted {
            let answers = graph.lead_access(&credentials.me.id, &asked).await;
            answers.into_iter().map(|answer| answer.map_err(|error| error.to_string())).collect()
        } else {
            let why = if leads_granted { "Meta does not tell system users" } else { "leads_retrieval is not granted" };
            asked.iter().map(|_| Err(why.to_owned())).collect::<Vec<_>>()
        }
    };
    let (tasks, subscribed, access, forms) =
        tokio::join!(graph.tasks(&credentials.user_token), graph.subscriptions(&asked), access, graph.forms(&asked));
    let tasks = tasks.map_err(|error| error.to_string());
    let mut sights = BTreeMap::new();
    for (((page, _), subscribed), (lead_access, forms)) in
        asked.iter().zip(subscribed).zip(access.into_iter().zip(forms))
    {
        let tasks = match &tasks {
            Ok(tasks) => tasks.get(page).cloned().ok_or_else(|| "Meta does not list the page".to_owned()),
            Err(why) => Err(why.clone()),
        };
        let sight = PageSights {
            tasks,
            subscribed: subscribed.map_err(|error| error.to_string()),
            lead_access,
            forms: forms
                .map_err(|error| error.to_string())
                .map(|forms| forms.into_iter().map(|form| (form.name, form.status == "ACTIVE")).collect()),
        };
        sights.insert((*page).clone(), sight);
    }
    sights
}

fn seen_of(page: &Connection, sights: Option<&PageSights>) -> PageSeen {
    fn of<T: Clone>(sights: Option<&PageSights>, sight: impl Fn(&PageSights) -> &Sight<T>) -> Sight<T> {
        sights.map_or_else(|| Err("there is no token to ask with".to_owned()), |sights| sight(sights).clone())
    }
    let denied = |access: LeadAccess| {
        if access.can_access_lead {
            return Ok(());
        }
        Err(LeadsDenied {
            reason: access.failure_reason.unwrap_or_else(|| "Meta gives no reason".to_owned()),
            fix: access.failure_resolution.unwrap_or_else(|| LEAD_ACCESS_FIX.to_owned()),
        })
    };
    PageSeen {
        id: page.page_id.clone(),
        name: page.page_name.clone(),
        lost: page.ended.as_ref().map(|ended| ended.reason),
        missing_tasks: of(sights, |sights| &sights.tasks).map(|tasks| missing_tasks(&tasks)),
        subscribed: of(sights, |sights| &sights.subscribed),
        lead_access: of(sights, |sights| &sights.lead_access).map(denied),
        forms: of(sights, |sights| &sights.forms),
        connected_at: page.connected_at,
        last_webhook_at: page.last_webhook_at,
        last_lead_at: page.last_lead_at,
        last_test_lead_at: page.last_test_lead_at,
    }
}
