//! The sweep: finds leads that Meta has but that did not arrive, and queues them like those from webhooks.

use futures_util::{StreamExt, stream};
use jiff::{SignedDuration, Timestamp};

use super::compare::{PageComparison, PageSearch};
use super::parked::replay_waiting;
use super::search::Search;
use crate::error::WorkError;
use crate::graph::batch::MAX_CALLS;
use crate::graph::lead_lists::ListedForm;
use crate::graph::{GraphClient, GraphError};
use crate::ids::{OrgScope, PageId, RunId};
use crate::jobs::LeadBatch;
use crate::meta_app::MetaApp;
use crate::model::connection::{Connection, Integration};
use crate::model::failure::FailureCode;
use crate::model::lead::run::RunProblem;
use crate::model::lead::sweep_progress::SweepProgress;
use crate::phrase;
use crate::queue::Queue;
use crate::retry::Verdict;
use crate::secret::AccessToken;
use crate::table::Table;
use crate::table::sweep_progress::SweptPage;

/// Pages searched concurrently.
const CONCURRENCY: usize = 6;
/// How long a form whose leads Meta refuses to list holds back the position from which its page is searched.
const MAX_HOLD_BACK: SignedDuration = SignedDuration::from_hours(7 * 24);
/// A regular search stops at this use of a page's limits, in percent. The rest is for leads that webhooks report.
const MAX_USAGE_PERCENT: f64 = 50.0;
/// A page's position is stored once it has moved by this much. A search overlaps with it.
const POSITION_STEP: SignedDuration = SignedDuration::from_hours(3);
const NOT_CONNECTED: &str = phrase!("The page is no longer connected.");
const NO_TOKEN: &str = phrase!("Meta gave no token for the page. Reconnect and keep every permission selected.");

/// Compares Meta's leads with the stored ones, and queues those that are missing.
#[derive(Debug)]
pub struct Sweep<'a> {
    /// Lists forms and leads.
    pub meta: &'a MetaApp,
    /// Knows which leads are stored or parked.
    pub table: &'a Table,
    /// Receives the missing leads.
    pub leads: &'a Queue<LeadBatch>,
}

impl Sweep<'_> {
    /// Searches those of an integration's pages that are connected, queues the leads that are neither stored nor parked,
    /// and returns how many these are. The pages that were searched longest ago come first, so that all get their turn
    /// even if a run cannot search them all.
    ///
    /// A regular search lists the leads of forms whose counts at Meta have moved, and of every form a few times a day.
    /// It skips a page that Meta throttles, and stops before it takes a page's limits from the leads that webhooks
    /// report.
    ///
    /// A page or form that Meta refuses for good does not affect the others, nor does a page that is lost.
    ///
    /// # Errors
    /// If a failure is worth a retry, or if no page's token works. The leads found are queued all the same.
    pub async fn run(
        &self,
        scope: &OrgScope,
        integration: &Integration,
        pages: &[SweptPage],
        search: &Search,
        now: Timestamp,
    ) -> Result<usize, WorkError> {
        let credentials = self.meta.vault.cached_credentials(&integration.credentials).await?;
        let is_wanted = |page: &Connection| {
            let is_asked = search.page.as_ref().is_none_or(|only| page.page_id == *only);
            is_asked && page.is_connected() && page.ended.is_none()
        };
        let mut pages: Vec<&SweptPage> = pages.iter().filter(|page| is_wanted(&page.connection)).collect();
        pages.sort_by_key(|page| page.connection.swept_until);
        // A requested page that is no longer connected ends its part of the run.
        if let (Some(run), Some(page), true) = (&search.run, &search.page, pages.is_empty()) {
            cannot_search(self.table, scope, run, page, FailureCode::NotConnected, NOT_CONNECTED).await?;
        }
        let mut with_token = Vec::new();
        for swept in pages {
            let page = &swept.connection;
            match (credentials.pages.get(&page.page_id), &search.run) {
                (Some(token), _) => with_token.push((PageSearch { scope, page, token, search, now }, swept)),
                (None, None) => {}
                (None, Some(run)) => {
                    let code = FailureCode::PageWithoutToken;
                    cannot_search(self.table, scope, run, &page.page_id, code, NO_TOKEN).await?;
                }
            }
        }
        let outcomes = self.search_pages(scope, with_token, now).await?;
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

    async fn search_pages<'a>(
        &self,
        scope: &OrgScope,
        searches: Vec<(PageSearch<'a>, &SweptPage)>,
        now: Timestamp,
    ) -> Result<Vec<(&'a PageId, PageOutcome)>, WorkError> {
        let any_waiting = self.table.has_waiting(scope).await?;
        let (mut outcomes, mut open) = (Vec::new(), Vec::new());
        for (one, swept) in searches {
            match swept.paused_until {
                None => open.push((one, swept)),
                // The next regular search makes up for this one. Any other waits.
                Some(until) => {
                    let wait = WorkError::Paused(until.duration_since(now).unsigned_abs());
                    let outcome = if one.search.is_regular() { Ok(None) } else { Err(wait) };
                    outcomes.push((&one.page.page_id, outcome));
                }
            }
        }
        let calls: Vec<(&PageId, &AccessToken)> = open.iter().map(|(one, _)| (&one.page.page_id, one.token)).collect();
        let graph = &self.meta.graph().await?;
        let forms = graph.forms(&calls).await;
        let searches: Vec<_> = open
            .iter()
            .zip(forms)
            .map(|((one, swept), forms)| async move {
                let outcome = match forms.outcome {
                    Ok(listed) => {
                        self.page(graph, one, &listed, forms.usage.percent, &swept.progress, any_waiting).await
                    }
                    // The page may have leads, so its next search starts at the same position, however long this lasts.
                    Err(error) => self.reject_forms(one, error).await.map(|()| Some(0)),
                };
                (&one.page.page_id, outcome)
            })
            .collect();
        outcomes.extend(stream::iter(searches).buffer_unordered(CONCURRENCY).collect::<Vec<_>>().await);
        Ok(outcomes)
    }

    async fn page(
        &self,
        graph: &GraphClient,
        one: &PageSearch<'_>,
        forms: &[ListedForm],
        mut usage_percent: f64,
        before: &SweepProgress,
        any_waiting: bool,
    ) -> PageOutcome {
        let PageSearch { scope, page, token, search, now } = *one;
        let mut progress = before.clone();
        let is_full = search.is_full() || progress.is_full_search_due(&page.page_id, now);
        let due: Vec<&ListedForm> =
            forms.iter().filter(|form| is_full || progress.is_due(&form.id, form.counts(), now)).collect();
        let since = search.since(page, is_full, now);
        let mut seen = PageComparison::default();
        for forms in due.chunks(MAX_CALLS) {
            if search.is_regular() && usage_percent > MAX_USAGE_PERCENT {
                tracing::info!(org = %scope.org(), page = %page.page_id, usage_percent, "the search leaves the rest of a page's limits to new leads");
                seen.is_partial = true;
                break;
            }
            for (form, first) in forms.iter().zip(graph.leads_since(forms, since, token).await) {
                usage_percent = usage_percent.max(first.usage.percent);
                let moved_at = progress.moved_at(&form.id);
                match self.form(graph, one, form, since, moved_at, first.outcome, &mut seen).await? {
                    Ok(searched) => progress.set_searched(&form.id, form.counts(), searched, now),
                    // A form that cannot be listed does not affect the others.
                    Err(error) => seen.failed.push((form.name.clone(), error)),
                }
            }
        }
        if is_full && !seen.is_partial && seen.failed.is_empty() {
            progress.full_at = Some(now);
            progress.forms.retain(|known, _| forms.iter().any(|form| form.id == *known));
        }
        let found = self.conclude(one, seen).await?;
        // A run's leads may be stored without an assignee, or not at all yet. Only regular searches know all.
        if search.run.is_none() && progress != *before {
            self.table.put_sweep_progress(scope, page, &progress).await?;
        }
        // Meta answers for the page, so what kept its leads waiting has passed.
        if any_waiting {
            replay_waiting(self.table, self.leads, scope, &page.page_id, now).await?;
        }
        Ok(Some(found))
    }

    /// Records how far a page is searched. Forms that Meta refuses for good are reported and skipped. After any other
    /// failure, the whole page is worth a retry.
    async fn conclude(&self, one: &PageSearch<'_>, seen: PageComparison) -> Result<usize, WorkError> {
        let PageSearch { scope, page, search, now, .. } = *one;
        let (refused, failed): (Vec<_>, Vec<_>) = seen.failed.into_iter().partition(|(_, error)| is_refusal(error));
        if let Some((_, error)) = failed.into_iter().next() {
            self.pause_if_throttled(one, &error).await?;
            return Err(error.into());
        }
        for (form, error) in &refused {
            tracing::warn!(%error, form, page = %page.page_id, "leads of a form cannot be listed");
        }
        if search.is_regular() && !seen.is_partial {
            // Never past a lead that is neither stored nor parked, so that the next search finds it again. Nor, for the
            // time of `MAX_HOLD_BACK`, past the leads of a form that Meta refused to list.
            let hold_back =
                (!refused.is_empty()).then(|| page.swept_until.unwrap_or(page.connected_at).max(now - MAX_HOLD_BACK));
            let until = [Some(search.until), seen.oldest_open, hold_back].into_iter().flatten().min();
            let until = until.unwrap_or(search.until);
            let has_moved = |before: Timestamp| until < before || until.duration_since(before) >= POSITION_STEP;
            if search.everything || page.swept_until.is_none_or(has_moved) {
                self.table.set_swept_until(scope, page, until).await?;
            }
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
    async fn reject_forms(&self, one: &PageSearch<'_>, error: GraphError) -> Result<(), WorkError> {
        if !is_refusal(&error) {
            self.pause_if_throttled(one, &error).await?;
            return Err(error.into());
        }
        let page = &one.page.page_id;
        tracing::warn!(%error, %page, "forms of a page cannot be listed");
        match &one.search.run {
            Some(run) => cannot_search(self.table, one.scope, run, page, error.code(), &error.to_string()).await,
            None => Ok(()),
        }
    }

    /// Records a throttle of a page, so that no worker calls Meta about it.
    async fn pause_if_throttled(&self, one: &PageSearch<'_>, error: &GraphError) -> Result<(), WorkError> {
        if let Some(wait) = error.retry_after() {
            self.table.pause(&one.page.page_id, one.now + wait).await?;
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
