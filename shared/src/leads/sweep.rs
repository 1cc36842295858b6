//! The sweep: finds leads that Meta has but that did not arrive, and queues them like those from webhooks.

use std::collections::BTreeSet;

use futures_util::{StreamExt, stream};
use jiff::{SignedDuration, Timestamp};

use super::parked::replay_waiting;
use super::search::Search;
use crate::error::WorkError;
use crate::graph::lead_lists::{LeadPage, ListedForm, ListedLead};
use crate::graph::{GraphClient, GraphError};
use crate::ids::{LeadId, OrgScope, PageId, RunId};
use crate::jobs::LeadJob;
use crate::meta_app::MetaApp;
use crate::model::connection::{Connection, Integration};
use crate::model::failure::FailureCode;
use crate::model::lead::run::RunProblem;
use crate::model::webhook::LeadNotice;
use crate::queue::Queue;
use crate::retry::Verdict;
use crate::secret::AccessToken;
use crate::table::Table;

/// Pages searched concurrently.
const CONCURRENCY: usize = 6;
/// How long a form whose leads Meta refuses to list holds back the position from which its page is searched.
const MAX_HOLD_BACK: SignedDuration = SignedDuration::from_hours(7 * 24);

/// Compares Meta's leads with the stored ones, and queues those that are missing.
#[derive(Debug)]
pub struct Sweep<'a> {
    /// Lists forms and leads.
    pub meta: &'a MetaApp,
    /// Knows which leads are stored or parked.
    pub table: &'a Table,
    /// Receives the missing leads.
    pub leads: &'a Queue<LeadJob>,
}

impl Sweep<'_> {
    /// Searches every form of an integration's pages, queues the leads that are neither stored nor parked, and returns
    /// how many these are. The pages that were searched longest ago come first, so that all get their turn even if a
    /// run cannot search them all.
    ///
    /// A page or form that Meta refuses for good does not affect the others, nor does a page that is lost.
    ///
    /// # Errors
    /// If a failure is worth a retry, or if no page's token works. The leads found are queued all the same.
    pub async fn run(
        &self,
        scope: &OrgScope,
        integration: &Integration,
        search: &Search,
        now: Timestamp,
    ) -> Result<usize, WorkError> {
        let credentials = self.meta.vault.credentials(&integration.credentials).await?;
        let graph = &self.meta.graph().await?;
        let mut pages = self.table.pages_of(scope, &integration.id).await?;
        pages.retain(|page| page.is_connected() && page.ended.is_none());
        pages.retain(|page| search.page.as_ref().is_none_or(|only| page.page_id == *only));
        pages.sort_by_key(|page| page.swept_until);
        // A requested page that is no longer connected ends its part of the run.
        if let (Some(run), Some(page), true) = (&search.run, &search.page, pages.is_empty()) {
            cannot_search(self.table, scope, run, page, FailureCode::NotConnected, "The page is no longer connected.")
                .await?;
        }
        let (with_token, without): (Vec<_>, Vec<_>) = pages
            .iter()
            .map(|page| (page, credentials.pages.get(&page.page_id)))
            .partition(|(_, token)| token.is_some());
        if let Some(run) = &search.run {
            for (page, _) in without {
                let why = "Meta gave no token for the page. Reconnect and keep every permission selected.";
                cannot_search(self.table, scope, run, &page.page_id, FailureCode::PageWithoutToken, why).await?;
            }
        }
        // Search the pages that have a token.
        let searches: Vec<_> = with_token
            .into_iter()
            .filter_map(|(page, token)| Some((page, token?)))
            .map(async |(page, token)| (&page.page_id, self.page(graph, scope, page, token, search, now).await))
            .collect();
        let outcomes: Vec<(&PageId, PageOutcome)> =
            stream::iter(searches).buffer_unordered(CONCURRENCY).collect().await;
        let found: usize = outcomes.iter().flat_map(|(_, outcome)| outcome).flatten().sum();
        tracing::info!(org = %scope.org(), integration = %integration.id, found, ?search, "searched for missed leads");
        let some_work = outcomes.iter().any(|(_, outcome)| proves_token(outcome));
        for (page, outcome) in &outcomes {
            if let (Some(run), Err(error), true) = (&search.run, outcome, some_work)
                && error.is_of_token()
            {
                cannot_search(self.table, scope, run, page, error.code(), &error.to_string()).await?;
            }
        }
        let errors = outcomes.into_iter().filter_map(|(_, outcome)| outcome.err());
        first_that_counts(errors, some_work).map_or(Ok(found), Err)
    }

    async fn page(
        &self,
        graph: &GraphClient,
        scope: &OrgScope,
        page: &Connection,
        token: &AccessToken,
        search: &Search,
        now: Timestamp,
    ) -> PageOutcome {
        if let Some(until) = self.table.paused_until(&page.page_id, now).await? {
            // The next regular search makes up for this one. A requested one waits.
            return match &search.run {
                None => Ok(None),
                Some(_) => Err(WorkError::Paused(until.duration_since(now).unsigned_abs())),
            };
        }
        let waiting = self.table.waiting(scope, Some(&page.page_id)).await?;
        let since = search.since(page, now);
        let forms = graph.forms(&[(&page.page_id, token)]).await.pop().unwrap_or(Ok(Vec::new()));
        let forms = match forms {
            Ok(forms) => forms,
            // The page may have leads, so its next search starts at the same position, however long this lasts.
            Err(error) => return self.reject_forms(scope, page, search, error, now).await.map(|()| Some(0)),
        };
        let waiting_ids = waiting.iter().map(|lead| LeadId::from_leadgen(&lead.leadgen_id)).collect();
        let mut seen = PageComparison { waiting: waiting_ids, ..PageComparison::default() };
        for (form, first) in forms.iter().zip(graph.leads_since(&forms, since, token).await) {
            let mut answer = first;
            let mut after: Option<String> = None;
            loop {
                match answer {
                    Ok(leads) => {
                        let next = leads.next.clone().filter(|next| after.as_ref() != Some(next));
                        self.compare(scope, page, form, leads, search, now, &mut seen).await?;
                        let Some(next) = next else { break };
                        answer = graph.leads_after(&form.id, since, &next, token).await;
                        after = Some(next);
                    }
                    // A form that cannot be listed does not affect the others.
                    Err(error) => {
                        seen.failed.push((form.name.clone(), error));
                        break;
                    }
                }
            }
        }
        let found = self.conclude(scope, page, search, seen, now).await?;
        // Meta answers for the page, so what kept its leads waiting has passed.
        if !waiting.is_empty() {
            tracing::info!(org = %scope.org(), page = %page.page_id, leads = waiting.len(), "leads that waited are queued again");
            replay_waiting(self.table, self.leads, scope, &waiting).await?;
        }
        Ok(Some(found))
    }

    /// Queues those of a form's listed leads that are neither stored nor parked.
    #[expect(clippy::too_many_arguments, reason = "what is compared, for whom, and what came of it")]
    async fn compare(
        &self,
        scope: &OrgScope,
        page: &Connection,
        form: &ListedForm,
        listed: LeadPage,
        search: &Search,
        now: Timestamp,
        seen: &mut PageComparison,
    ) -> Result<(), WorkError> {
        let listed: Vec<ListedLead> =
            listed.leads.into_iter().filter(|lead| search.wants(page, lead.created_time)).collect();
        let ids: Vec<LeadId> = listed.iter().map(|lead| LeadId::from_leadgen(&lead.id)).collect();
        let settled: BTreeSet<LeadId> = self.table.find_known(scope, &ids).await?;
        let open: Vec<ListedLead> = listed
            .into_iter()
            .zip(&ids)
            .filter(|(_, id)| !settled.contains(id) && !seen.waiting.contains(id))
            .map(|(lead, _)| lead)
            .collect();
        seen.oldest_open = open.iter().map(|lead| lead.created_time).chain(seen.oldest_open).min();
        let due = open.into_iter().filter(|lead| lead.created_time <= search.until);
        let jobs: Vec<LeadJob> = due.map(|lead| job(scope, page, form, lead, search, now)).collect();
        seen.found += jobs.len();
        Ok(self.leads.send(&jobs).await?)
    }

    /// Records how far a page is searched. Forms that Meta refuses for good are reported and skipped. After any other
    /// failure, the whole page is worth a retry.
    async fn conclude(
        &self,
        scope: &OrgScope,
        page: &Connection,
        search: &Search,
        seen: PageComparison,
        now: Timestamp,
    ) -> Result<usize, WorkError> {
        let (refused, failed): (Vec<_>, Vec<_>) = seen.failed.into_iter().partition(|(_, error)| is_refusal(error));
        if let Some((_, error)) = failed.into_iter().next() {
            self.pause_if_throttled(page, &error, now).await?;
            return Err(error.into());
        }
        for (form, error) in &refused {
            tracing::warn!(%error, form, page = %page.page_id, "leads of a form cannot be listed");
        }
        if search.since.is_none() {
            // Never past a lead that is neither stored nor parked, so that the next search finds it again. Nor, for the
            // time of `MAX_HOLD_BACK`, past the leads of a form that Meta refused to list.
            let hold_back =
                (!refused.is_empty()).then(|| page.swept_until.unwrap_or(page.connected_at).max(now - MAX_HOLD_BACK));
            let until = [Some(search.until), seen.oldest_open, hold_back].into_iter().flatten().min();
            self.table.set_swept_until(scope, page, until.unwrap_or(search.until)).await?;
        }
        if let Some(run) = &search.run {
            let problem = refused.into_iter().next().map(|(form, error)| RunProblem {
                page_id: page.page_id.clone(),
                code: error.code(),
                message: format!("The form {form} could not be searched: {error}"),
            });
            self.table.set_searched(scope, run, &page.page_id, seen.found, problem).await?;
        }
        Ok(seen.found)
    }

    /// Handles a page whose forms Meta did not list.
    async fn reject_forms(
        &self,
        scope: &OrgScope,
        page: &Connection,
        search: &Search,
        error: GraphError,
        now: Timestamp,
    ) -> Result<(), WorkError> {
        if !is_refusal(&error) {
            self.pause_if_throttled(page, &error, now).await?;
            return Err(error.into());
        }
        tracing::warn!(%error, page = %page.page_id, "forms of a page cannot be listed");
        match &search.run {
            Some(run) => cannot_search(self.table, scope, run, &page.page_id, error.code(), &error.to_string()).await,
            None => Ok(()),
        }
    }

    /// Records a throttle of a page, so that no worker calls Meta about it.
    async fn pause_if_throttled(&self, page: &Connection, error: &GraphError, now: Timestamp) -> Result<(), WorkError> {
        if let Some(wait) = error.retry_after() {
            self.table.pause(&page.page_id, now + wait).await?;
        }
        Ok(())
    }
}

/// How many leads a page was missing; `None` if Meta throttles the page, so that it was not asked.
type PageOutcome = Result<Option<usize>, WorkError>;

/// Whether Meta accepted the page's token. A page that was not searched proves nothing.
fn proves_token(outcome: &PageOutcome) -> bool {
    matches!(outcome, Ok(Some(_)))
}

/// The error that fails the search of an integration. If any token works, a failed one concerns its own page only.
fn first_that_counts(mut errors: impl Iterator<Item = WorkError>, some_work: bool) -> Option<WorkError> {
    errors.find(|error| !error.is_of_token() || !some_work)
}

/// The findings about one page.
#[derive(Default)]
struct PageComparison {
    /// Leads that wait. They are known, and are replayed when the page has been searched.
    waiting: BTreeSet<LeadId>,
    found: usize,
    /// When the oldest lead that is neither stored nor parked was submitted.
    oldest_open: Option<Timestamp>,
    /// Forms that could not be listed completely, with the reason.
    failed: Vec<(String, GraphError)>,
}

/// Whether a retry does not help and the token is not to blame.
fn is_refusal(error: &GraphError) -> bool {
    error.verdict() == Verdict::GiveUp && error.token_death().is_none()
}

/// Records that a page of a run cannot be searched, and why.
pub async fn cannot_search(
    table: &Table,
    scope: &OrgScope,
    run: &RunId,
    page: &PageId,
    code: FailureCode,
    why: &str,
) -> Result<(), WorkError> {
    let problem = RunProblem { page_id: page.clone(), code, message: why.to_owned() };
    Ok(table.set_searched(scope, run, page, 0, Some(problem)).await?)
}

fn job(
    scope: &OrgScope,
    page: &Connection,
    form: &ListedForm,
    lead: ListedLead,
    search: &Search,
    now: Timestamp,
) -> LeadJob {
    let notice = LeadNotice {
        leadgen_id: lead.id,
        page_id: page.page_id.clone(),
        form_id: Some(form.id.clone()),
        created_time: None,
    };
    LeadJob {
        only_for: Some(scope.org().clone()),
        unassigned: search.unassigned,
        run: search.run.clone(),
        ..LeadJob::new(notice, now, search.found_by)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_throttled_page_hides_no_dead_token() {
        let dead = || WorkError::Vault(crate::vault::VaultError::Missing("s".to_owned()));
        let throttled: PageOutcome = Ok(None);
        assert!(!proves_token(&throttled) && proves_token(&Ok(Some(0))));
        assert!(first_that_counts([dead()].into_iter(), false).is_some(), "no page shows that a token works");
        assert!(first_that_counts([dead()].into_iter(), true).is_none());
        let outage = WorkError::Paused(std::time::Duration::ZERO);
        assert!(first_that_counts([dead(), outage].into_iter(), true).is_some());
    }
}
