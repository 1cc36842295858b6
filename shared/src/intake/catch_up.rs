//! Leads that Meta has and that did not come in: found by asking, queued like those that Meta tells us of.

use std::collections::BTreeSet;

use jiff::Timestamp;

use crate::connect::Meta;
use crate::error::WorkError;
use crate::graph::GraphError;
use crate::ids::{LeadId, LeadgenId, OrgScope, PageId};
use crate::model::delivery::{LeadJob, LeadNotice};
use crate::model::integration::{Connection, Integration};
use crate::model::lead::FoundBy;
use crate::queue::{Message, Queue};
use crate::retry::Verdict;
use crate::secret::AccessToken;
use crate::table::Table;

/// Compares what every form of an integration's pages has got since `since` with what came in, queues what did not, and
/// answers how many those were. Leads from before a page was connected are not ours.
///
/// A form that Meta refuses for good costs itself only.
///
/// # Errors
/// If a token is dead, or something failed that is worth another try. What was found before that is queued.
#[expect(clippy::too_many_arguments, reason = "three edges, whose, and what exactly")]
pub async fn catch_up(
    meta: &Meta,
    table: &Table,
    leads: &Queue,
    scope: &OrgScope,
    integration: &Integration,
    since: Timestamp,
    found_by: FoundBy,
    now: Timestamp,
) -> Result<usize, WorkError> {
    let credentials = meta.vault.credentials(&integration.credentials).await?;
    let graph = meta.graph().await?;
    let mut pages = table.pages_of(scope, &integration.id).await?;
    pages.retain(Connection::is_connected);
    let pages: Vec<(&Connection, &AccessToken)> =
        pages.iter().filter_map(|page| Some((page, credentials.pages.get(&page.page_id)?))).collect();
    let asked: Vec<(&PageId, &AccessToken)> = pages.iter().map(|(page, token)| (&page.page_id, *token)).collect();
    let (mut found, mut outcome) = (0, Ok(()));
    for ((page, token), forms) in pages.iter().zip(graph.forms(&asked).await) {
        let forms = match forms {
            Ok(forms) => forms,
            Err(error) => {
                outcome = outcome.and(unless_refused(page, error));
                continue;
            }
        };
        let since = since.max(page.connected_at);
        for (form, listed) in forms.iter().zip(graph.leads_since(&forms, since, token).await) {
            let listed: Vec<LeadgenId> = match listed {
                Ok(listed) => listed,
                Err(error) => {
                    outcome = outcome.and(unless_refused(page, error));
                    continue;
                }
            };
            let ids: Vec<LeadId> = listed.iter().map(LeadId::from_leadgen).collect();
            let stored: BTreeSet<LeadId> = table.stored_among(scope, &ids).await?;
            let missing = listed.into_iter().zip(&ids).filter(|(_, id)| !stored.contains(id));
            let jobs = missing.map(|(leadgen_id, _)| LeadJob {
                notice: LeadNotice {
                    leadgen_id,
                    page_id: page.page_id.clone(),
                    form_id: Some(form.id.clone()),
                    created_time: None,
                },
                received_at: now,
                found_by,
                orgid: None,
                only_for: Some(scope.org().clone()),
            });
            let messages: Vec<Message> = jobs
                .map(|job| Message {
                    body: serde_json::to_string(&job).unwrap_or_default(),
                    group: page.page_id.to_string(),
                })
                .collect();
            found += messages.len();
            leads.send_all(messages).await?;
        }
    }
    tracing::info!(org = %scope.org(), integration = %integration.id, found, ?found_by, %since, "caught up with Meta");
    outcome.map(|()| found)
}

fn unless_refused(page: &Connection, error: GraphError) -> Result<(), WorkError> {
    if error.verdict() == Verdict::GiveUp && error.token_death().is_none() {
        tracing::warn!(%error, page = %page.page_id, "leads of a page or form cannot be listed");
        return Ok(());
    }
    Err(error.into())
}
