//! Leads that Meta has and that did not come in: found by asking, queued like those that Meta tells us of.

use std::collections::BTreeSet;

use futures_util::{StreamExt, stream};
use jiff::{SignedDuration, Timestamp};

use crate::connect::Meta;
use crate::error::WorkError;
use crate::graph::lead_lists::{ListedForm, ListedLead};
use crate::graph::{Graph, GraphError};
use crate::ids::{LeadId, OrgScope, PageId, RunId};
use crate::model::delivery::LeadNotice;
use crate::model::integration::{Connection, Integration};
use crate::model::lead::FoundBy;
use crate::model::lead_job::LeadJob;
use crate::model::run::{Run, RunProblem};
use crate::queue::{Message, Queue};
use crate::retry::Verdict;
use crate::secret::AccessToken;
use crate::table::Table;

/// Pages asked about at once.
const AT_ONCE: usize = 6;
/// How far every search looks back at least: Meta shows some leads late.
const LOOK_BACK: SignedDuration = SignedDuration::from_hours(48);
/// For so long a form that Meta does not list holds the place from which its page is searched.
const HOPE: SignedDuration = SignedDuration::from_hours(7 * 24);
/// Meta keeps leads for so long.
const RETENTION: SignedDuration = SignedDuration::from_hours(90 * 24);

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

/// What to search for.
#[derive(Debug, Clone)]
pub struct Search {
    /// From when on: always 48 hours back, and further where this is earlier. `None` is where the last regular search of
    /// each page left off; only such a search moves that place.
    pub since: Option<Timestamp>,
    /// Leads younger than this are left alone: Meta may be about to tell of them.
    pub until: Timestamp,
    /// What its findings are marked with. A backfill takes leads from before the connection too.
    pub found_by: FoundBy,
    /// Whether its findings are given to nobody.
    pub unassigned: bool,
    /// Who is told how it goes.
    pub run: Option<RunId>,
    /// Only this page.
    pub page: Option<PageId>,
}

impl Search {
    /// The regular comparison.
    #[must_use]
    pub fn regular(until: Timestamp) -> Self {
        Self { since: None, until, found_by: FoundBy::Sweep, unassigned: false, run: None, page: None }
    }

    /// What somebody asked for, for one page of it or for all.
    #[must_use]
    pub fn of_run(run: &Run, page: Option<PageId>, now: Timestamp) -> Self {
        Self {
            since: Some(run.since),
            until: now,
            found_by: run.kind,
            unassigned: !run.assign,
            run: Some(run.id.clone()),
            page,
        }
    }

    /// From when on a page is searched at `now`. Leads from before it was connected are not ours.
    fn since(&self, page: &Connection, now: Timestamp) -> Timestamp {
        let from = self.since.or(page.swept_until).unwrap_or(page.connected_at);
        let ours = if self.found_by == FoundBy::Backfill { now - RETENTION } else { page.connected_at };
        from.min(now - LOOK_BACK).max(ours).max(now - RETENTION)
    }
}

impl CatchUp<'_> {
    /// Compares what every form of an integration's pages has got with what came in, queues what neither came in nor is
    /// parked, and answers how many those were. Whose last search is longest ago comes first, so that an integration with
    /// more pages than fit into one run gets round to all of them.
    ///
    /// A page or form that Meta refuses for good costs itself only, and so does a page that is lost.
    ///
    /// # Errors
    /// If something failed that is worth another try, or no page's token works. What was found is queued all the same.
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
        if let (Some(run), Some(page), true) = (&search.run, &search.page, pages.is_empty()) {
            self.cannot_search(scope, run, page, "not_connected", "The page is not connected any more.").await?;
        }
        let (with_token, without): (Vec<_>, Vec<_>) = pages
            .iter()
            .map(|page| (page, credentials.pages.get(&page.page_id)))
            .partition(|(_, token)| token.is_some());
        if let Some(run) = &search.run {
            for (page, _) in without {
                let why = "Meta gave no token for the page. Reconnect and leave every permission ticked.";
                self.cannot_search(scope, run, &page.page_id, "page_without_token", why).await?;
            }
        }
        let asking: Vec<_> = with_token
            .into_iter()
            .filter_map(|(page, token)| Some(self.page(graph, scope, page, token?, search, now)))
            .collect();
        let outcomes: Vec<Result<usize, WorkError>> = stream::iter(asking).buffer_unordered(AT_ONCE).collect().await;
        let found: usize = outcomes.iter().flatten().sum();
        tracing::info!(org = %scope.org(), integration = %integration.id, found, ?search, "caught up with Meta");
        let some_work = outcomes.iter().any(Result::is_ok);
        let counts = |error: &WorkError| !error.is_of_token() || !some_work;
        outcomes.into_iter().find_map(|outcome| outcome.err().filter(counts)).map_or(Ok(found), Err)
    }

    async fn page(
        &self,
        graph: &Graph,
        scope: &OrgScope,
        page: &Connection,
        token: &AccessToken,
        search: &Search,
        now: Timestamp,
    ) -> Result<usize, WorkError> {
        if let Some(until) = self.table.paused_until(&page.page_id, now).await? {
            return Err(WorkError::Paused(until.duration_since(now).unsigned_abs()));
        }
        let since = search.since(page, now);
        let mut refused = None;
        let forms = graph.forms(&[(&page.page_id, token)]).await.pop().unwrap_or(Ok(Vec::new()));
        let forms: Vec<ListedForm> = self.unless_refused(page, forms, &mut refused, now).await?;
        let (mut found, mut unsettled) = (0, Vec::new());
        for (form, listed) in forms.iter().zip(graph.leads_since(&forms, since, token).await) {
            let listed: Vec<ListedLead> = self.unless_refused(page, listed, &mut refused, now).await?;
            let ids: Vec<LeadId> = listed.iter().map(|lead| LeadId::from_leadgen(&lead.id)).collect();
            let settled: BTreeSet<LeadId> = self.table.settled_among(scope, &ids).await?;
            let open: Vec<ListedLead> =
                listed.into_iter().zip(&ids).filter(|(_, id)| !settled.contains(id)).map(|(lead, _)| lead).collect();
            unsettled.extend(open.iter().map(|lead| lead.created_time));
            let ripe = open.into_iter().filter(|lead| lead.created_time <= search.until);
            let messages: Vec<Message> = ripe.map(|lead| message(scope, page, form, lead, search, now)).collect();
            found += messages.len();
            self.leads.send_all(messages).await?;
        }
        if search.since.is_none() {
            // Never past a lead that is neither in nor parked: the next search finds it again until it is. Nor past what
            // Meta did not list, as long as there is hope that it will: it may have leads.
            let before = page.swept_until.unwrap_or(page.connected_at).max(now - HOPE);
            unsettled.extend(refused.is_some().then_some(before));
            let until = unsettled.into_iter().min().unwrap_or(search.until).min(search.until);
            self.table.set_swept_until(scope, page, until).await?;
        }
        if let Some(run) = &search.run {
            let problem = |error: GraphError| RunProblem {
                page_id: page.page_id.clone(),
                code: error.code().to_owned(),
                message: error.to_string(),
            };
            self.table.set_searched(scope, run, &page.page_id, found, refused.map(problem)).await?;
        }
        Ok(found)
    }

    async fn cannot_search(
        &self,
        scope: &OrgScope,
        run: &RunId,
        page: &PageId,
        code: &str,
        why: &str,
    ) -> Result<(), WorkError> {
        let problem = RunProblem { page_id: page.clone(), code: code.to_owned(), message: why.to_owned() };
        Ok(self.table.set_searched(scope, run, page, 0, Some(problem)).await?)
    }

    /// What Meta refuses for good is empty, and told; a page that it throttles is left alone.
    async fn unless_refused<T: Default>(
        &self,
        page: &Connection,
        answer: Result<T, GraphError>,
        refused: &mut Option<GraphError>,
        now: Timestamp,
    ) -> Result<T, WorkError> {
        match answer {
            Err(error) if error.verdict() == Verdict::GiveUp && error.token_death().is_none() => {
                tracing::warn!(%error, page = %page.page_id, "leads of a page or form cannot be listed");
                *refused = Some(error);
                Ok(T::default())
            }
            Err(error) => {
                if let (GraphError::Throttled { .. }, Verdict::RetryAfter(wait)) = (&error, error.verdict()) {
                    self.table.pause(&page.page_id, now + wait).await?;
                }
                Err(error.into())
            }
            Ok(answer) => Ok(answer),
        }
    }
}

fn message(
    scope: &OrgScope,
    page: &Connection,
    form: &ListedForm,
    lead: ListedLead,
    search: &Search,
    now: Timestamp,
) -> Message {
    let notice = LeadNotice {
        leadgen_id: lead.id,
        page_id: page.page_id.clone(),
        form_id: Some(form.id.clone()),
        created_time: None,
    };
    let job = LeadJob {
        only_for: Some(scope.org().clone()),
        unassigned: search.unassigned,
        run: search.run.clone(),
        ..LeadJob::new(notice, now, search.found_by)
    };
    Message { body: serde_json::to_string(&job).unwrap_or_default(), group: page.page_id.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::integration::tests::connection;

    #[test]
    fn a_search_looks_back_two_days_further_if_need_be_and_never_before_the_connection() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let now = at("2026-06-10T12:00:00Z");
        let since = |swept: Option<&str>, connected: &str, since: Option<&str>| {
            let page = Connection { swept_until: swept.map(at), connected_at: at(connected), ..connection() };
            let search = Search { since: since.map(at), ..Search::regular(now) };
            search.since(&page, now).to_string()
        };
        assert_eq!(since(Some("2026-06-10T11:45:00Z"), "2026-01-01T00:00:00Z", None), "2026-06-08T12:00:00Z");
        assert_eq!(since(Some("2026-06-01T00:00:00Z"), "2026-01-01T00:00:00Z", None), "2026-06-01T00:00:00Z");
        assert_eq!(since(None, "2026-06-10T00:00:00Z", None), "2026-06-10T00:00:00Z");
        assert_eq!(since(None, "2026-06-01T00:00:00Z", None), "2026-06-01T00:00:00Z", "never searched");
        assert_eq!(since(None, "2026-01-01T00:00:00Z", None), "2026-03-12T12:00:00Z", "what Meta still has");
        let backfill =
            Search { since: Some(at("2026-01-01T00:00:00Z")), found_by: FoundBy::Backfill, ..Search::regular(now) };
        let page = Connection { connected_at: at("2026-06-09T00:00:00Z"), ..connection() };
        assert_eq!(backfill.since(&page, now).to_string(), "2026-03-12T12:00:00Z", "from before the connection");
        let missed = Some("2026-06-05T00:00:00Z");
        assert_eq!(since(Some("2026-06-10T11:45:00Z"), "2026-01-01T00:00:00Z", missed), "2026-06-05T00:00:00Z");
    }
}
