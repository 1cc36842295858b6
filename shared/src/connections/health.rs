//! The health report of an integration, from Meta, the table and the queue.

use std::collections::BTreeMap;

use futures_util::future::join_all;
use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use super::accounts::WHATSAPP_SCOPE;
use super::observe::lead_access;
use super::{Connections, Connector};
use crate::directory::MetaAccess;
use crate::error::{ActError, WorkError};
use crate::graph::lead_lists::ListedForm;
use crate::graph::{GraphClient, GraphError};
use crate::ids::{IntegrationId, OrgScope, PageId};
use crate::jobs::{CheckJob, LeadBatch};
use crate::meta_app::MetaApp;
use crate::model::connection::check::{Check, CheckId, CheckStatus};
use crate::model::connection::diagnosis::{Observed, PageObservation, Subscription};
use crate::model::connection::health::{HealthObservation, PageHealth, report};
use crate::model::connection::state::{ConnectionEnd, EndReason};
use crate::model::connection::{Connection, Integration};
use crate::model::limit::OrgLimit;
use crate::queue::Queue;
use crate::secret::AccessToken;
use crate::table::Table;
use crate::table::inbox::InboxAccount;
use crate::tr;
use crate::vault::{Credentials, VaultError};

/// What Meta reports about a token now.
#[derive(Debug)]
pub struct Examined {
    /// The integration with the dates and permissions that Meta reported, if it reported any.
    pub integration: Integration,
    /// Whether the token works; `Err` if that cannot be determined now.
    pub alive: Result<(), GraphError>,
}

/// Asks Meta about an integration's token and returns the integration with the result: its current dates and
/// permissions, and whether it has ended.
///
/// Makes two calls. `debug_token` reports the dates, but calls a token valid even if its data access is closed, and the
/// format of its refusals is undocumented. So a plain call with the token decides whether it works.
///
/// # Errors
/// Fails if `debug_token` fails. That call uses the app's own token, whose problems are never the integration's fault.
pub async fn examine(
    graph: &GraphClient,
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
                seen.ended = Some(ConnectionEnd { reason, since, evidence: error.to_string() });
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

/// When an integration that has ended was last known to work. Leads may be missing from this time on.
#[must_use]
pub fn last_well(integration: &Integration, now: Timestamp) -> Timestamp {
    integration.checked_at.unwrap_or(integration.connected_at).min(now)
}

/// Returns the integration with an end that was found on our side, not at Meta.
#[must_use]
pub fn ended_by_us(integration: &Integration, reason: EndReason, evidence: String, now: Timestamp) -> Integration {
    let since = integration.ended.as_ref().map_or_else(|| last_well(integration, now), |ended| ended.since);
    Integration { ended: Some(ConnectionEnd { reason, since, evidence }), ..integration.clone() }
}

/// A health report.
#[derive(Debug, Serialize, ToSchema)]
pub struct Health {
    /// `fail` if one of the checks fails, else `pass`.
    pub status: CheckStatus,
    /// When Meta was called.
    #[schema(value_type = String, format = DateTime)]
    pub checked_at: Timestamp,
    /// In the order in which an engineer would search for the cause.
    pub items: Vec<Check>,
    /// Always `null`: all are listed.
    pub next_cursor: Option<String>,
}

impl Connections {
    /// Checks an integration thoroughly, calling Meta now. Whatever Meta does not report is `unknown` in the report.
    pub async fn health(&self, access: &MetaAccess, id: &IntegrationId) -> Result<Health, ActError> {
        access.count(&self.connector.table, OrgLimit::MetaCalls).await?;
        let (scope, now) = (&access.scope, crate::clock::now());
        let integration = self.tokens.integration(scope, id).await?;
        let Connector { meta, table, leads, .. } = &self.connector;
        let items = check_health(meta, table, leads, scope, &integration, now).await?;
        let failed = |check: &Check| check.status == CheckStatus::Fail;
        let token_failed = items.iter().any(|check| check.id == CheckId::Token && failed(check));
        if token_failed && integration.state(now).reason.is_none() {
            // The check records that the integration has ended.
            self.connector.checks.send(&[CheckJob::new(scope, id)]).await?;
        }
        let status = if items.iter().any(failed) { CheckStatus::Fail } else { CheckStatus::Pass };
        Ok(Health { status, checked_at: now, items, next_cursor: None })
    }
}

/// The most parked leads, and the most waiting ones, that a report counts.
const MAX_HELD: usize = 1000;

/// Runs the checks of an integration. Fails only if our own table or vault fails.
async fn check_health(
    meta: &MetaApp,
    table: &Table,
    leads: &Queue<LeadBatch>,
    scope: &OrgScope,
    integration: &Integration,
    now: Timestamp,
) -> Result<Vec<Check>, WorkError> {
    let mut pages = table.pages_of(scope, &integration.id).await?;
    pages.retain(Connection::is_connected);
    let mut parked = crate::leads::parked(table, scope, MAX_HELD).await?;
    let mut waiting = table.waiting(scope, None, MAX_HELD).await?;
    for leads in [&mut parked, &mut waiting] {
        leads.retain(|lead| pages.iter().any(|page| page.page_id == lead.page_id));
    }
    let queued = leads.waiting().await.map_err(|error| {
        tracing::warn!(%error, "the lead queue could not be read");
        tr!("SQS does not respond").into_owned()
    });

    let credentials = match meta.vault.credentials(&integration.credentials).await {
        Ok(credentials) => Ok(credentials),
        Err(VaultError::Failed(why)) => return Err(VaultError::Failed(why).into()),
        Err(error) => Err(error),
    };
    let mut current = integration.clone();
    let numbers = table.inbox_accounts_of(scope, &integration.id).await?;
    let (token, mut answers, whatsapp) = match &credentials {
        Err(error) => {
            if integration.ended.is_none() {
                current = ended_by_us(integration, EndReason::TokenUnreadable, error.to_string(), now);
            }
            (Err(no_token()), BTreeMap::new(), None)
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
            let (answers, whatsapp) = tokio::join!(
                ask_about_pages(&graph, &current, credentials, &pages),
                ask_about_whatsapp(&graph, &current, credentials, &numbers)
            );
            (token, answers, whatsapp)
        }
    };
    let seen = HealthObservation {
        token,
        pages: pages.iter().map(|page| page_health(page, &mut answers)).collect(),
        integration: current,
        queued,
        whatsapp,
        parked: parked.into_iter().map(|lead| lead.reason).collect(),
        waiting: waiting.into_iter().map(|lead| lead.reason).collect(),
    };
    Ok(report(&seen, now))
}

/// What Meta reports about one page.
struct PageAnswers {
    observation: PageObservation,
    forms: Observed<Vec<(String, bool)>>,
}

/// Asks Meta for everything about the pages that have a token.
async fn ask_about_pages(
    graph: &GraphClient,
    integration: &Integration,
    credentials: &Credentials,
    pages: &[Connection],
) -> BTreeMap<PageId, PageAnswers> {
    let pages: Vec<Connection> =
        pages.iter().filter(|page| credentials.pages.contains_key(&page.page_id)).cloned().collect();
    let page_tokens: Vec<(&PageId, &AccessToken)> =
        pages.iter().filter_map(|page| credentials.pages.get_key_value(&page.page_id)).collect();
    let (tasks, subscriptions, mut access, forms) = tokio::join!(
        graph.tasks(&credentials.user_token),
        graph.subscriptions(&page_tokens),
        lead_access(graph, integration, credentials, &pages),
        graph.forms(&page_tokens)
    );
    let tasks = tasks.map_err(|error| error.to_string());
    let answers = pages.iter().zip(subscriptions).zip(forms).map(|((page, subscription), forms)| {
        let stored = PageObservation::from_stored(page);
        let observation = PageObservation {
            tasks: tasks.as_ref().map_err(Clone::clone).and_then(|tasks| {
                tasks.get(&page.page_id).cloned().ok_or_else(|| tr!("Meta does not list the page").into_owned())
            }),
            subscription: match subscription {
                Ok(fields) => Ok(Subscription::Fields(fields)),
                Err(error) => Err(error.to_string()),
            },
            lead_access: access.remove(&page.page_id).unwrap_or(stored.lead_access),
            ..stored
        };
        let is_active = |form: ListedForm| (form.name, form.status == "ACTIVE");
        let forms =
            forms.outcome.map(|forms| forms.into_iter().map(is_active).collect()).map_err(|error| error.to_string());
        (page.page_id.clone(), PageAnswers { observation, forms })
    });
    answers.collect()
}

/// Asks Meta which WhatsApp numbers it reports. `None` without the permission to see them.
async fn ask_about_whatsapp(
    graph: &GraphClient,
    integration: &Integration,
    credentials: &Credentials,
    numbers: &[InboxAccount],
) -> Option<Vec<(String, Observed<bool>)>> {
    if !integration.scopes.iter().any(|scope| scope == WHATSAPP_SCOPE) {
        return None;
    }
    let ask = |number: &InboxAccount| {
        let (waba, name) = (number.waba_id.clone(), number.name.clone().unwrap_or_else(|| number.account.clone()));
        async move {
            let reported = graph.is_whatsapp_subscribed(&waba?, &credentials.user_token).await;
            Some((name, reported.map_err(|error| error.to_string())))
        }
    };
    Some(join_all(numbers.iter().map(ask)).await.into_iter().flatten().collect())
}

fn no_token() -> String {
    tr!("there is no usable token").into_owned()
}

fn page_health(page: &Connection, answers: &mut BTreeMap<PageId, PageAnswers>) -> PageHealth {
    let answers = answers.remove(&page.page_id).unwrap_or_else(|| {
        let observation = PageObservation {
            tasks: Err(no_token()),
            subscription: Err(no_token()),
            lead_access: Err(no_token()),
            ..PageObservation::from_stored(page)
        };
        PageAnswers { observation, forms: Err(no_token()) }
    });
    PageHealth {
        observation: answers.observation,
        lost: page.ended.as_ref().map(|ended| ended.reason),
        forms: answers.forms,
        connected_at: page.connected_at,
        last_webhook_at: page.last_webhook_at,
        last_lead_at: page.last_lead_at,
        last_test_lead_at: page.last_test_lead_at,
        quiet_since: page.quiet_since,
    }
}
