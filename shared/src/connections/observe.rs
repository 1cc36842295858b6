//! Observes connected pages: combines what is stored about them with what Meta reports now.

use std::collections::BTreeMap;

use super::accounts::find_accounts;
use crate::error::WorkError;
use crate::graph::access::LeadAccess;
use crate::graph::{GraphClient, GraphError};
use crate::ids::{OrgScope, PageId};
use crate::model::connection::diagnosis::{
    self, LEAD_ACCESS_FIX, LEAD_SCOPE, LeadsDenied, Observed, PageObservation, Subscription,
};
use crate::model::connection::problem::IntegrationProblem;
use crate::model::connection::state::TokenKind;
use crate::model::connection::{Connection, Integration};
use crate::secret::AccessToken;
use crate::table::Table;
use crate::vault::Credentials;
use crate::{phrase, tr};

/// Whether Leads Access Manager lets this app read a page's leads.
type LeadAccessOutcome = Observed<Result<(), LeadsDenied>>;

/// Finds out how an integration with these connected pages stands, whose subscriptions were just read: which accounts it
/// reaches, and what is wrong with it. Both are stored.
///
/// # Errors
/// Fails only if the table does.
pub async fn diagnose(
    graph: &GraphClient,
    table: &Table,
    scope: &OrgScope,
    integration: &Integration,
    credentials: &Credentials,
    pages: &[Connection],
    subscriptions: BTreeMap<PageId, Subscription>,
) -> Result<Vec<IntegrationProblem>, WorkError> {
    find_accounts(graph, table, scope, integration, pages, credentials).await?;
    let observed = observe(graph, integration, credentials, pages, subscriptions).await;
    let problems = diagnosis::problems(integration, &observed);
    table.set_problems(scope, &integration.id, &problems).await?;
    Ok(problems)
}

/// Asks Meta whether it grants access to the leads of these pages.
async fn observe(
    graph: &GraphClient,
    integration: &Integration,
    credentials: &Credentials,
    pages: &[Connection],
    mut subscriptions: BTreeMap<PageId, Subscription>,
) -> Vec<PageObservation> {
    let mut access = lead_access(graph, integration, credentials, pages).await;
    let observe = |page: &Connection| {
        let stored = PageObservation::from_stored(page);
        PageObservation {
            subscription: subscriptions.remove(&page.page_id).map_or(stored.subscription, Ok),
            lead_access: access.remove(&page.page_id).unwrap_or(stored.lead_access),
            ..stored
        }
    };
    pages.iter().map(observe).collect()
}

/// Asks Meta whether this app may read the pages' leads. Meta reports this only to a person's token that has the
/// permission to read leads.
pub(super) async fn lead_access(
    graph: &GraphClient,
    integration: &Integration,
    credentials: &Credentials,
    pages: &[Connection],
) -> BTreeMap<PageId, LeadAccessOutcome> {
    let page_tokens: Vec<(&PageId, &AccessToken)> =
        pages.iter().filter_map(|page| credentials.pages.get_key_value(&page.page_id)).collect();
    let skip_reason = if !integration.scopes.iter().any(|scope| scope == LEAD_SCOPE) {
        Some(tr!("leads_retrieval is not granted"))
    } else if integration.token_kind == TokenKind::SystemUser {
        Some(tr!("Meta does not report this to system users"))
    } else {
        None
    };
    if let Some(why) = skip_reason {
        return page_tokens.into_iter().map(|(page, _)| (page.clone(), Err(why.clone().into_owned()))).collect();
    }
    let answers = graph.lead_access(&credentials.me.id, &page_tokens).await;
    let outcome = |(page, answer): (&PageId, Result<LeadAccess, GraphError>)| match answer {
        Ok(access) => (page.clone(), Ok(denied(access))),
        Err(error) => {
            tracing::info!(%error, %page, "Meta did not report whether it grants access to a page's leads");
            (page.clone(), Err(error.to_string()))
        }
    };
    page_tokens.into_iter().map(|(page, _)| page).zip(answers).map(outcome).collect()
}

fn denied(access: LeadAccess) -> Result<(), LeadsDenied> {
    if access.can_access_lead {
        return Ok(());
    }
    Err(LeadsDenied {
        reason: access.failure_reason.unwrap_or_else(|| phrase!("Meta gives no reason").to_owned()),
        fix: access.failure_resolution.unwrap_or_else(|| LEAD_ACCESS_FIX.to_owned()),
    })
}
