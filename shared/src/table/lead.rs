//! Leads: lookups, and changes by hand.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::Deserialize;

use super::keys::{self, Key};
use super::{IndexRange, Table, TableError, entity};
use crate::ids::{LeadId, OrgScope, PageId, UserId};
use crate::model::lead::assignment::{Assigned, Assignment};
use crate::model::lead::dedupe::Snapshot;
use crate::model::lead::identity::{PersonKey, person_keys};
use crate::model::lead::{Lead, Provenance, Status, Submission};

/// A change of a lead by hand. `None` means unchanged.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct LeadChange {
    /// The new assignee, or `None` to unassign, with the explanation.
    pub assigned: Option<(Option<UserId>, Assigned)>,
    /// The new status in the CRM.
    pub status: Option<Status>,
}

/// The item under a submission's key.
#[derive(Debug, Clone, PartialEq)]
pub enum StoredLead {
    /// The submission became a lead.
    Lead(Box<Lead>),
    /// The submission joined an existing lead.
    Submission(Box<Submission>),
}

impl StoredLead {
    /// Returns its id.
    #[must_use]
    pub fn id(&self) -> &LeadId {
        match self {
            Self::Lead(lead) => &lead.id,
            Self::Submission(submission) => &submission.id,
        }
    }

    /// Returns how it arrived.
    #[must_use]
    pub fn provenance(&self) -> &Provenance {
        match self {
            Self::Lead(lead) => &lead.provenance,
            Self::Submission(submission) => &submission.provenance,
        }
    }
}

impl Table {
    /// Reads which of `leads`, and of the persons in them, the org already has, as input for a plan.
    pub async fn dedupe_snapshot(
        &self,
        scope: &OrgScope,
        leads: &[Lead],
        assignment: &Assignment,
    ) -> Result<Snapshot, TableError> {
        #[derive(Deserialize)]
        struct PersonClaim {
            lead_id: LeadId,
        }
        let persons = leads
            .iter()
            .filter(|lead| !lead.test)
            .flat_map(|lead| person_keys(lead.email.as_deref(), lead.phone.as_deref()));
        let persons: BTreeSet<_> = persons.collect();
        let lead_keys: BTreeSet<_> = leads.iter().map(|lead| (keys::lead(scope, &lead.id), &lead.id)).collect();
        let mut wanted: Vec<Key> = lead_keys.iter().map(|(key, _)| key.clone()).collect();
        wanted.extend(persons.iter().map(|person| keys::person(scope, person)));
        let mut found = self.batch_get(&wanted).await?;

        let is_stored = |(key, _): &&(Key, &LeadId)| found.contains_key(key);
        let stored = lead_keys.iter().filter(is_stored).map(|(_, id)| (*id).clone()).collect();
        let mut snapshot = Snapshot { stored, ..Snapshot::default() };
        for person in persons {
            if let Some(item) = found.remove(&keys::person(scope, &person)) {
                snapshot.persons.insert(person, entity::<PersonClaim>(item)?.lead_id);
            }
        }
        match assignment {
            Assignment::RoundRobin => snapshot.rotation = Some(self.rotation(scope).await?),
            Assignment::User { user_id } => {
                snapshot.chosen_user_eligible = self.user(scope, user_id).await?.is_some_and(|user| user.takes_leads());
            }
            Assignment::Unassigned => {}
        }
        Ok(snapshot)
    }

    /// Reads the item under a lead's or a submission's id.
    pub async fn find_lead(&self, scope: &OrgScope, id: &LeadId) -> Result<Option<StoredLead>, TableError> {
        let Some(item) = self.get_item(&keys::lead(scope, id)).await? else { return Ok(None) };
        let is_lead = item.get("type").and_then(|value| value.as_s().ok()).is_some_and(|kind| kind == "lead");
        Ok(Some(if is_lead {
            StoredLead::Lead(Box::new(entity(item)?))
        } else {
            StoredLead::Submission(Box::new(entity(item)?))
        }))
    }

    /// Changes a lead's assignee and status and returns the previous lead, or `None` if there is no such lead. Absent
    /// values stay unchanged.
    pub async fn change_lead(
        &self,
        scope: &OrgScope,
        id: &LeadId,
        changed: &LeadChange,
    ) -> Result<Option<Lead>, TableError> {
        let mut change = self.change(&keys::lead(scope, id)).if_unchanged("type", &"lead")?;
        if let Some((to, how)) = &changed.assigned {
            change = change.set("assigned_to", to)?.set("assignment", how)?;
        }
        if let Some(status) = &changed.status {
            change = change.set("status", status)?;
        }
        change.send_for_old().await?.map(entity).transpose()
    }

    /// Stores a lead's fields after its answers were re-mapped. `false` if the lead is gone.
    pub async fn set_fields(&self, scope: &OrgScope, lead: &Lead) -> Result<bool, TableError> {
        let change = self.change(&keys::lead(scope, &lead.id)).if_unchanged("type", &"lead")?;
        let change = change.set("full_name", &lead.full_name)?.set("email", &lead.email)?.set("phone", &lead.phone)?;
        change.set("fields", &lead.fields)?.send().await
    }

    /// Registers a person under this lead, unless the person is already registered.
    pub async fn claim_person(&self, scope: &OrgScope, person: &PersonKey, lead: &LeadId) -> Result<(), TableError> {
        let change = self.change(&keys::person(scope, person)).if_unchanged("pk", &None::<String>)?;
        change.set("type", &"person")?.set("lead_id", lead)?.send().await.map(drop)
    }

    /// Removes a person's registration under this lead.
    pub async fn release_person(&self, scope: &OrgScope, person: &PersonKey, lead: &LeadId) -> Result<(), TableError> {
        self.delete_if_still(&keys::person(scope, person), "lead_id", lead).await
    }

    /// Returns which of these are stored, as a lead or as a later submission.
    pub async fn find_stored(&self, scope: &OrgScope, ids: &[LeadId]) -> Result<BTreeSet<LeadId>, TableError> {
        self.find_existing(ids.iter().map(|id| (id, keys::lead(scope, id)))).await
    }

    /// Returns which of these submissions of a page are stored, parked or waiting. Each comes with the time at which
    /// Meta says that it was submitted.
    ///
    /// Most are leads, and the index has many of those in one read unit. Only what it lacks is read one by one: later
    /// submissions, leads stored an instant ago, and the missing ones.
    pub async fn find_known(
        &self,
        scope: &OrgScope,
        page: &PageId,
        submissions: &[(LeadId, Timestamp)],
    ) -> Result<BTreeSet<LeadId>, TableError> {
        /// Beyond this many index entries for each submission, reading the items is cheaper.
        const MAX_ENTRIES_EACH: usize = 12;
        let times = || submissions.iter().map(|(_, at)| *at);
        let (Some(first), Some(last)) = (times().min(), times().max()) else { return Ok(BTreeSet::new()) };
        let indexed = self.indexed_leads(scope, (first, last), submissions.len() * MAX_ENTRIES_EACH).await?;
        let (known, rest): (Vec<&LeadId>, Vec<&LeadId>) =
            submissions.iter().map(|(id, _)| id).partition(|id| indexed.contains(*id));
        let mut known: BTreeSet<LeadId> = known.into_iter().cloned().collect();
        let stored = rest.iter().map(|id| (*id, keys::lead(scope, id)));
        let parked = rest.iter().map(|id| (*id, keys::parked(scope, id)));
        let waiting = rest.iter().map(|id| (*id, keys::waiting(scope, page, id)));
        known.extend(self.find_existing(stored.chain(parked).chain(waiting)).await?);
        Ok(known)
    }

    async fn find_existing<'a>(
        &self,
        wanted: impl Iterator<Item = (&'a LeadId, Key)>,
    ) -> Result<BTreeSet<LeadId>, TableError> {
        let (ids, keys): (Vec<&LeadId>, Vec<Key>) = wanted.unzip();
        let found = self.batch_get(&keys).await?;
        Ok(ids.into_iter().zip(&keys).filter(|(_, key)| found.contains_key(key)).map(|(id, _)| id.clone()).collect())
    }

    /// Lists the later submissions of a lead's person, oldest first. One stored an instant ago may be missing.
    pub async fn submissions(&self, scope: &OrgScope, lead: &LeadId) -> Result<Vec<Submission>, TableError> {
        let keys = self.index_keys(&keys::submissions_of_lead(scope, lead), IndexRange::All).await?;
        self.read_all(&keys).await
    }
}
