//! Erases leads.

use std::collections::BTreeSet;

use jiff::Timestamp;

use crate::ids::{LeadId, OrgScope};
use crate::model::lead::identity::{PersonKey, person_keys};
use crate::model::lead::{Lead, Submission};
use crate::table::lead::{MAX_LISTED, StoredLead};
use crate::table::lead_erasure::LeadRemains;
use crate::table::{Table, TableError, pause};

/// Attempts at what another writer or the index is behind with.
const MAX_ATTEMPTS: u32 = 12;

/// All that is stored of one lead.
#[derive(Debug)]
pub struct WholeLead {
    /// The lead.
    pub lead: Lead,
    /// Its later submissions. There may be more than fit into one list.
    pub submissions: Vec<Submission>,
}

impl WholeLead {
    /// The ids of the lead and its submissions.
    #[must_use]
    pub fn ids(&self) -> Vec<LeadId> {
        self.submissions.iter().map(|submission| submission.id.clone()).chain([self.lead.id.clone()]).collect()
    }

    /// The numbers in it.
    #[must_use]
    pub fn phones(&self) -> BTreeSet<String> {
        let of_submissions = self.submissions.iter().filter_map(|submission| submission.phone.clone());
        of_submissions.chain(self.lead.phone.clone()).collect()
    }

    /// Whether the index does not list all yet that it could.
    pub(super) fn lists_too_few(&self) -> bool {
        self.submissions.len() < usize::from(MAX_LISTED).min(self.count())
    }

    /// The persons in one of its submissions and in nothing else of it; none if not all of it is listed.
    pub(super) fn persons_only_in(&self, submission: &Submission) -> Vec<PersonKey> {
        if self.submissions.len() < self.count() {
            return Vec::new();
        }
        let persons = |of: &Submission| person_keys(of.email.as_deref(), of.phone.as_deref());
        let others = self.submissions.iter().filter(|other| other.id != submission.id).flat_map(persons);
        let kept: BTreeSet<PersonKey> =
            others.chain(person_keys(self.lead.email.as_deref(), self.lead.phone.as_deref())).collect();
        persons(submission).into_iter().filter(|person| !kept.contains(person)).collect()
    }

    fn count(&self) -> usize {
        usize::try_from(self.lead.submissions_count).unwrap_or(usize::MAX)
    }
}

impl WholeLead {
    /// Reads a lead with its submissions, by the id of one of them.
    ///
    /// # Errors
    /// If the table fails.
    pub async fn read(table: &Table, scope: &OrgScope, id: &LeadId) -> Result<Option<Self>, TableError> {
        let lead = match table.find_lead(scope, id).await? {
            Some(StoredLead::Submission(submission)) => table.find_lead(scope, &submission.lead_id).await?,
            other => other,
        };
        let Some(StoredLead::Lead(lead)) = lead else { return Ok(None) };
        let submissions = table.submissions(scope, &lead.id).await?;
        Ok(Some(Self { lead: *lead, submissions }))
    }
}

/// Finds the lead under which one of these persons is registered.
///
/// # Errors
/// If the table fails.
pub async fn lead_of_persons(
    table: &Table,
    scope: &OrgScope,
    persons: &[PersonKey],
) -> Result<Option<LeadId>, TableError> {
    for person in persons {
        if let Some(lead) = table.lead_of_person(scope, person).await? {
            return Ok(Some(lead));
        }
    }
    Ok(None)
}

/// Erases a lead with its submissions and their histories, and forgets its persons. Their places stay taken for a
/// while, so that no list of Meta's brings them back. Returns the number of erased submissions.
///
/// # Errors
/// After an error a part is erased, and the lead itself is not; the same request goes on.
pub async fn erase_lead(table: &Table, scope: &OrgScope, id: &LeadId, now: Timestamp) -> Result<usize, TableError> {
    erase_lead_if(table, scope, id, |_| true, now).await.map(|(_, submissions)| submissions)
}

/// Like [`erase_lead`], as long as all that is stored of the lead may go: a form may arrive while it is being erased.
/// Returns whether the lead is gone, and the number of erased submissions.
pub(super) async fn erase_lead_if(
    table: &Table,
    scope: &OrgScope,
    id: &LeadId,
    may_go: impl Fn(&WholeLead) -> bool,
    now: Timestamp,
) -> Result<(bool, usize), TableError> {
    let mut erased = 0;
    for attempt in 1..=MAX_ATTEMPTS {
        let Some(whole) = WholeLead::read(table, scope, id).await? else { return Ok((true, erased)) };
        if !may_go(&whole) {
            return Ok((false, erased));
        }
        let WholeLead { lead, submissions } = whole;
        for submission in &submissions {
            let persons = person_keys(submission.email.as_deref(), submission.phone.as_deref());
            let page = submission.page_id.as_ref();
            let remains = LeadRemains { id: &submission.id, root: &lead.id, page, persons: &persons };
            erased += usize::from(table.erase_lead(scope, remains, now).await?);
        }
        let persons = person_keys(lead.email.as_deref(), lead.phone.as_deref());
        let page = lead.page_id.as_ref();
        let remains = LeadRemains { id: &lead.id, root: &lead.id, page, persons: &persons };
        if table.erase_lead(scope, remains, now).await? {
            tracing::info!(org = %scope.org(), lead = %lead.id, submissions = erased, "lead erased");
            return Ok((true, erased));
        }
        // A submission was stored just now, or the index does not show it yet.
        pause(attempt).await;
    }
    Err(TableError::Contended(MAX_ATTEMPTS))
}
