//! Leads that Meta has and that did not come in: found by asking, queued like those that Meta tells us of.

use std::collections::BTreeSet;

use futures_util::{StreamExt, stream};
use jiff::Timestamp;

use crate::connect::Meta;
use crate::error::WorkError;
use crate::graph::{Graph, GraphError};
use crate::ids::{LeadId, OrgScope};
use crate::model::delivery::{LeadJob, LeadNotice};
use crate::model::integration::{Connection, Integration};
use crate::model::lead::FoundBy;
use crate::queue::{Message, Queue};
use crate::retry::Verdict;
use crate::secret::AccessToken;
use crate::table::Table;

/// Pages asked about at once.
const AT_ONCE: usize = 6;

/// What catching up takes.
#[derive(Debug)]
pub struct CatchUp<'a> {
    /// To ask.
    pub meta: &'a Meta,
    /// To compare.
    pub table: &'a Table,
    /// Takes what is missing.
    pub leads: &'a Queue,
}

impl CatchUp<'_> {
    /// Compares what every form of an integration's pages has got since `since` with what came in, queues what did not,
    /// and answers how many those were. Leads from before a page was connected are not ours.
    ///
    /// A page or form that Meta refuses for good costs itself only, and so does a page that is lost.
    ///
    /// # Errors
    /// If something failed that is worth another try, or no page's token works. What was found is queued all the same.
    pub async fn run(
        &self,
        scope: &OrgScope,
        integration: &Integration,
        since: Timestamp,
        found_by: FoundBy,
        now: Timestamp,
    ) -> Result<usize, WorkError> {
        let credentials = self.meta.vault.credentials(&integration.credentials).await?;
        let graph = &self.meta.graph().await?;
        let mut pages = self.table.pages_of(scope, &integration.id).await?;
        pages.retain(|page| page.is_connected() && page.ended.is_none());
        let asking: Vec<_> = pages
            .iter()
            .filter_map(|page| Some((page, credentials.pages.get(&page.page_id)?)))
            .map(|(page, token)| self.page(graph, scope, page, token, since.max(page.connected_at), found_by, now))
            .collect();
        let outcomes: Vec<Result<usize, WorkError>> = stream::iter(asking).buffer_unordered(AT_ONCE).collect().await;
        let found: usize = outcomes.iter().flatten().sum();
        tracing::info!(org = %scope.org(), integration = %integration.id, found, ?found_by, %since, "caught up with Meta");
        let some_work = outcomes.iter().any(Result::is_ok);
        let counts = |error: &WorkError| !error.is_of_token() || !some_work;
        outcomes.into_iter().find_map(|outcome| outcome.err().filter(counts)).map_or(Ok(found), Err)
    }

    #[expect(clippy::too_many_arguments, reason = "one page of a run, with all that the run knows")]
    async fn page(
        &self,
        graph: &Graph,
        scope: &OrgScope,
        page: &Connection,
        token: &AccessToken,
        since: Timestamp,
        found_by: FoundBy,
        now: Timestamp,
    ) -> Result<usize, WorkError> {
        let forms = graph.forms(&[(&page.page_id, token)]).await.pop().unwrap_or(Ok(Vec::new()));
        let forms = unless_refused(page, forms)?;
        let mut found = 0;
        for (form, listed) in forms.iter().zip(graph.leads_since(&forms, since, token).await) {
            let listed = unless_refused(page, listed)?;
            let ids: Vec<LeadId> = listed.iter().map(LeadId::from_leadgen).collect();
            let stored: BTreeSet<LeadId> = self.table.stored_among(scope, &ids).await?;
            let missing = listed.into_iter().zip(&ids).filter(|(_, id)| !stored.contains(id));
            let messages: Vec<Message> = missing
                .map(|(leadgen_id, _)| LeadJob {
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
                })
                .map(|job| Message {
                    body: serde_json::to_string(&job).unwrap_or_default(),
                    group: page.page_id.to_string(),
                })
                .collect();
            found += messages.len();
            self.leads.send_all(messages).await?;
        }
        Ok(found)
    }
}

/// What Meta refuses for good is empty, and told.
fn unless_refused<T: Default>(page: &Connection, answer: Result<T, GraphError>) -> Result<T, WorkError> {
    match answer {
        Err(error) if error.verdict() == Verdict::GiveUp && error.token_death().is_none() => {
            tracing::warn!(%error, page = %page.page_id, "leads of a page or form cannot be listed");
            Ok(T::default())
        }
        answer => Ok(answer?),
    }
}
