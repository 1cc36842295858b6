//! Leads: what is known of them, and what is changed by hand.

use std::collections::BTreeSet;

use serde::Deserialize;

use super::keys::{self, Key};
use super::{Table, TableError, entity};
use crate::ids::{LeadId, OrgScope, UserId};
use crate::model::lead::assignment::{Assigned, Assignment};
use crate::model::lead::dedupe::Known;
use crate::model::lead::identity::{PersonKey, person_keys};
use crate::model::lead::{Lead, Passage, Status, Submission};

/// What somebody changes of a lead by hand.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct LeadChange {
    /// To whom it goes, or to nobody, and how that is explained.
    pub assigned: Option<(Option<UserId>, Assigned)>,
    /// Where the CRM stands with it.
    pub status: Option<Status>,
}

/// What is stored under a submission's key.
#[derive(Debug, Clone, PartialEq)]
pub enum Stored {
    /// It became a lead.
    Lead(Box<Lead>),
    /// It joined one.
    Submission(Box<Submission>),
}

impl Stored {
    /// Under which id.
    #[must_use]
    pub fn id(&self) -> &LeadId {
        match self {
            Self::Lead(lead) => &lead.id,
            Self::Submission(submission) => &submission.id,
        }
    }

    /// How it came in.
    #[must_use]
    pub fn passage(&self) -> &Passage {
        match self {
            Self::Lead(lead) => &lead.passage,
            Self::Submission(submission) => &submission.passage,
        }
    }
}

impl Table {
    /// What this org has of `leads` and of the persons in them, for a plan.
    ///
    /// # Errors
    /// If the table cannot be read.
    pub async fn known(&self, scope: &OrgScope, leads: &[Lead], assignment: &Assignment) -> Result<Known, TableError> {
        #[derive(Deserialize)]
        struct Claim {
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
        let mut known = Known { stored, ..Known::default() };
        for person in persons {
            if let Some(item) = found.remove(&keys::person(scope, &person)) {
                known.persons.insert(person, entity::<Claim>(item)?.lead_id);
            }
        }
        match assignment {
            Assignment::RoundRobin => known.rotation = Some(self.rotation(scope).await?),
            Assignment::User { user_id } => {
                known.chosen_user_eligible = self.user(scope, user_id).await?.is_some_and(|user| user.takes_leads());
            }
            Assignment::Unassigned => {}
        }
        Ok(known)
    }

    /// What is stored under a lead's or a submission's id.
    ///
    /// # Errors
    /// If the table cannot be read.
    pub async fn stored(&self, scope: &OrgScope, id: &LeadId) -> Result<Option<Stored>, TableError> {
        let Some(item) = self.get_item(&keys::lead(scope, id)).await? else { return Ok(None) };
        let is_lead = item.get("type").and_then(|value| value.as_s().ok()).is_some_and(|kind| kind == "lead");
        Ok(Some(if is_lead {
            Stored::Lead(Box::new(entity(item)?))
        } else {
            Stored::Submission(Box::new(entity(item)?))
        }))
    }

    /// Gives a lead to somebody, or takes it away, and changes where the CRM stands with it, and answers the lead as it was
    /// before; `None` if there is no such lead. What is absent stays.
    ///
    /// # Errors
    /// If the table cannot be written.
    pub async fn change_lead(
        &self,
        scope: &OrgScope,
        id: &LeadId,
        changed: &LeadChange,
    ) -> Result<Option<Lead>, TableError> {
        let mut change = self.change(&keys::lead(scope, id)).if_still("type", &"lead")?;
        if let Some((to, how)) = &changed.assigned {
            change = change.set("assigned_to", to)?.set("assignment", how)?;
        }
        if let Some(status) = &changed.status {
            change = change.set("status", status)?;
        }
        change.send_for_old().await?.map(entity).transpose()
    }

    /// Writes what a lead's answers were read as anew. `false` if there is no such lead any more.
    ///
    /// # Errors
    /// If the table cannot be written.
    pub async fn set_fields(&self, scope: &OrgScope, lead: &Lead) -> Result<bool, TableError> {
        let change = self.change(&keys::lead(scope, &lead.id)).if_still("type", &"lead")?;
        let change = change.set("full_name", &lead.full_name)?.set("email", &lead.email)?.set("phone", &lead.phone)?;
        change.set("fields", &lead.fields)?.send().await
    }

    /// Lets a person be recognised as this lead from now on, unless they are recognised as one already.
    ///
    /// # Errors
    /// If the table cannot be written.
    pub async fn claim_person(&self, scope: &OrgScope, person: &PersonKey, lead: &LeadId) -> Result<(), TableError> {
        let change = self.change(&keys::person(scope, person)).if_still("pk", &None::<String>)?;
        change.set("type", &"person")?.set("lead_id", lead)?.send().await.map(drop)
    }

    /// Lets a person not be recognised as this lead any more.
    ///
    /// # Errors
    /// If the table cannot be written.
    pub async fn release_person(&self, scope: &OrgScope, person: &PersonKey, lead: &LeadId) -> Result<(), TableError> {
        self.delete_if_still(&keys::person(scope, person), "lead_id", lead).await
    }

    /// Which of these are stored, as a lead or as a later submission.
    ///
    /// # Errors
    /// If the table cannot be read.
    pub async fn stored_among(&self, scope: &OrgScope, ids: &[LeadId]) -> Result<BTreeSet<LeadId>, TableError> {
        self.there_among(ids.iter().map(|id| (id, keys::lead(scope, id)))).await
    }

    /// Which of these are settled: stored, as a lead or as a later submission, or parked with a reason.
    ///
    /// # Errors
    /// If the table cannot be read.
    pub async fn settled_among(&self, scope: &OrgScope, ids: &[LeadId]) -> Result<BTreeSet<LeadId>, TableError> {
        let stored = ids.iter().map(|id| (id, keys::lead(scope, id)));
        let parked = ids.iter().map(|id| (id, keys::parked(scope, id)));
        self.there_among(stored.chain(parked)).await
    }

    async fn there_among<'a>(
        &self,
        wanted: impl Iterator<Item = (&'a LeadId, Key)>,
    ) -> Result<BTreeSet<LeadId>, TableError> {
        let (ids, keys): (Vec<&LeadId>, Vec<Key>) = wanted.unzip();
        let found = self.batch_get(&keys).await?;
        Ok(ids.into_iter().zip(&keys).filter(|(_, key)| found.contains_key(key)).map(|(id, _)| id.clone()).collect())
    }

    /// The later submissions of a lead's person, oldest first. One made an instant ago may be missing.
    ///
    /// # Errors
    /// If the table cannot be read.
    pub async fn submissions(&self, scope: &OrgScope, lead: &LeadId) -> Result<Vec<Submission>, TableError> {
        let keys = self.index_keys(&keys::submissions_of_lead(scope, lead)).await?;
        self.read_all(&keys).await
    }
}
