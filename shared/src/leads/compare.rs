//! Comparing the submissions that Meta lists with the stored ones.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::search::Search;
use super::sweep::Sweep;
use crate::error::WorkError;
use crate::graph::lead_lists::{LeadPage, ListedForm, ListedLead};
use crate::graph::{GraphClient, GraphError};
use crate::ids::{LeadId, OrgScope};
use crate::jobs::{LeadBatch, LeadJob};
use crate::model::connection::Connection;
use crate::model::lead::sweep_progress::FormSearch;
use crate::model::webhook::LeadNotice;
use crate::secret::AccessToken;

/// A page to search.
pub(super) struct PageSearch<'a> {
    pub(super) scope: &'a OrgScope,
    pub(super) page: &'a Connection,
    pub(super) token: &'a AccessToken,
    pub(super) search: &'a Search,
    pub(super) now: Timestamp,
}

/// The findings about one page.
#[derive(Default)]
pub(super) struct PageComparison {
    pub(super) found: usize,
    /// When the oldest lead that is neither stored nor parked was submitted.
    pub(super) oldest_open: Option<Timestamp>,
    /// Forms that could not be listed completely, with the reason.
    pub(super) failed: Vec<(String, GraphError)>,
    /// Whether forms were left out, because Meta's limits are used up so far.
    pub(super) is_partial: bool,
}

impl Sweep<'_> {
    /// Queues the missing leads of a form from its response pages, the first of which is given. Returns what was found,
    /// or Meta's error.
    #[expect(clippy::too_many_arguments, reason = "what is searched, for whom, since when, and what came of it")]
    pub(super) async fn form(
        &self,
        graph: &GraphClient,
        one: &PageSearch<'_>,
        form: &ListedForm,
        since: Timestamp,
        moved_at: Option<Timestamp>,
        first: Result<LeadPage, GraphError>,
        seen: &mut PageComparison,
    ) -> Result<Result<FormSearch, GraphError>, WorkError> {
        let (mut answer, mut after) = (first, None::<String>);
        let mut searched = FormSearch { all_known: true, recent: 0 };
        loop {
            let leads = match answer {
                Ok(leads) => leads,
                Err(error) => return Ok(Err(error)),
            };
            let next = leads.next.clone().filter(|next| after.as_ref() != Some(next));
            let recent = leads.leads.iter().filter(|lead| Some(lead.created_time) > moved_at).count();
            searched.recent += recent as u64;
            searched.all_known &= self.compare(one, form, leads, seen).await?;
            let Some(next) = next else { return Ok(Ok(searched)) };
            answer = graph.leads_after(&form.id, since, &next, one.token).await;
            after = Some(next);
        }
    }

    /// Queues those of a form's listed leads that are neither stored nor held. Returns whether there are none.
    async fn compare(
        &self,
        one: &PageSearch<'_>,
        form: &ListedForm,
        listed: LeadPage,
        seen: &mut PageComparison,
    ) -> Result<bool, WorkError> {
        let PageSearch { scope, page, search, now, .. } = *one;
        let listed: Vec<ListedLead> =
            listed.leads.into_iter().filter(|lead| search.wants(page, lead.created_time)).collect();
        let submissions: Vec<(LeadId, Timestamp)> =
            listed.iter().map(|lead| (LeadId::from_leadgen(&lead.id), lead.created_time)).collect();
        let known: BTreeSet<LeadId> = self.table.find_known(scope, (&page.page_id, &form.id), &submissions).await?;
        let is_open = |(_, (id, _)): &(ListedLead, &(LeadId, Timestamp))| !known.contains(id);
        let open: Vec<ListedLead> =
            listed.into_iter().zip(&submissions).filter(is_open).map(|(lead, _)| lead).collect();
        seen.oldest_open = open.iter().map(|lead| lead.created_time).chain(seen.oldest_open).min();
        let all_known = open.is_empty();
        let due = open.into_iter().filter(|lead| lead.created_time <= search.until);
        let jobs: Vec<LeadJob> = due.map(|lead| job(scope, page, form, lead, search, now)).collect();
        seen.found += jobs.len();
        self.leads.send(&LeadBatch::pack(jobs)).await?;
        Ok(all_known)
    }
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
