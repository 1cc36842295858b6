//! Leads: lookups, and changes by hand.

use std::collections::BTreeSet;

use jiff::Timestamp;
use rust_decimal::Decimal;

use super::commit::CommitOutcome;
use super::keys::{self, Key};
use super::shape::ItemKind;
use super::{Consistency, Item, Table, TableError, entity, pause, text};
use crate::ids::{FormId, LeadId, OrgScope, PageId, UserId};
use crate::model::conversion::{Conversion, ConversionState};
use crate::model::lead::assignment::Assigned;
use crate::model::lead::bulk::LeadField;
use crate::model::lead::identity::PersonKey;
use crate::model::lead::{Lead, Provenance, Status, Submission};

/// Submissions of a lead that are listed at most.
pub const MAX_LISTED: u8 = 200;

/// A person's row: the lead under which the person is registered.
#[derive(serde::Serialize, serde::Deserialize)]
pub(super) struct PersonClaim {
    pub(super) lead_id: LeadId,
}

/// A change of a lead by hand. `None` means unchanged.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct LeadChange {
    /// The new assignee, or `None` to unassign, with the explanation.
    pub assigned: Option<(Option<UserId>, Assigned)>,
    /// The new status in the CRM.
    pub status: Option<Status>,
    /// The new note.
    pub note: Option<Option<String>>,
    /// The new value, in a currency.
    pub value: Option<Option<(Decimal, String)>>,
    /// Why it was lost.
    pub lost_reason: Option<Option<String>>,
    /// Changes nothing of a lead that does not have this.
    pub only_if: Option<LeadField>,
}

impl LeadChange {
    /// Whether a lead has what the change presupposes.
    #[must_use]
    pub fn fits(&self, lead: &Lead) -> bool {
        self.only_if.as_ref().is_none_or(|field| field.read(lead) == *field)
    }
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
    /// Reads the item under a lead's or a submission's id. An erased one is not there.
    pub async fn find_lead(&self, scope: &OrgScope, id: &LeadId) -> Result<Option<StoredLead>, TableError> {
        Ok(self.get_item(&keys::lead(scope, id)).await?.map(stored_lead).transpose()?.flatten())
    }

    /// Reads the items under these ids, in that order. Missing ones are omitted.
    pub async fn find_leads(&self, scope: &OrgScope, ids: &BTreeSet<LeadId>) -> Result<Vec<StoredLead>, TableError> {
        let keys: Vec<Key> = ids.iter().map(|id| keys::lead(scope, id)).collect();
        let mut found = self.batch_get(&keys).await?;
        keys.iter().filter_map(|key| found.remove(key)).filter_map(|item| stored_lead(item).transpose()).collect()
    }

    /// Changes a lead by hand and returns the previous lead, or `None` if there is no such lead. Absent values stay
    /// unchanged, and all do if the change does not fit the previous lead.
    ///
    /// If the status changes, `report` decides what Meta is told of the new stage. That is stored in the same
    /// transaction, unless Meta was told before or is about to be.
    pub async fn change_lead(
        &self,
        scope: &OrgScope,
        id: &LeadId,
        changed: &LeadChange,
        report: impl Fn(&Lead, Status) -> Conversion,
    ) -> Result<Option<Lead>, TableError> {
        const MAX_TRIES: u32 = 12;
        for attempt in 1..=MAX_TRIES {
            let Some(StoredLead::Lead(before)) = self.find_lead(scope, id).await? else { return Ok(None) };
            if !changed.fits(&before) {
                return Ok(Some(*before));
            }
            let status = changed.status.unwrap_or(before.status);
            let assignee = changed.assigned.as_ref().map_or(&before.assigned_to, |(to, _)| to);
            // The lists depend on both, so neither may have changed meanwhile.
            let lists = keys::lead_lists(scope, &before, status, assignee.as_ref());
            let change = self.change(&keys::lead(scope, id)).if_unchanged("status", &before.status)?;
            let change = change.if_unchanged("assigned_to", &before.assigned_to)?.set("status", &status)?;
            let mut change = change.index(Some(lists.statuses)).set("gsi2sk", &lists.gsi2sk)?;
            if let Some((to, how)) = &changed.assigned {
                change = change.set("assigned_to", to)?.set("assignment", how)?;
            }
            if let Some(note) = &changed.note {
                change = change.set("note", note)?;
            }
            if let Some(value) = &changed.value {
                let (value, currency) = value.clone().unzip();
                change = change.set("value", &value)?.set("currency", &currency)?;
            }
            if let Some(reason) = &changed.lost_reason {
                change = change.set("lost_reason", reason)?;
            }
            let conversion = if status == before.status {
                None
            } else {
                let known = self.conversion(scope, id, status).await?;
                known.is_none_or(|known| known.state == ConversionState::NotSent).then(|| report(&before, status))
            };
            let done = match conversion {
                None => change.send().await?,
                Some(conversion) => {
                    let writes = vec![change.into_write()?, self.conversion_write(scope, &conversion)?];
                    self.transact(writes).await? == CommitOutcome::Committed
                }
            };
            if done {
                return Ok(Some(*before));
            }
            pause(attempt).await;
        }
        Err(TableError::Contended(MAX_TRIES))
    }

    /// Stores a lead's fields after its answers were re-mapped. `false` if the lead is gone.
    pub async fn set_fields(&self, scope: &OrgScope, lead: &Lead) -> Result<bool, TableError> {
        let change = self.change(&keys::lead(scope, &lead.id)).if_unchanged("type", &ItemKind::Lead)?;
        let change = change.set("full_name", &lead.full_name)?.set("email", &lead.email)?.set("phone", &lead.phone)?;
        let names = keys::lead_names(scope, lead);
        let change = change.set("gsi4pk", &names.gsi4pk)?.set("gsi4sk", &names.gsi4sk)?;
        let change = change.set("gsi5pk", &names.gsi5pk)?.set("gsi5sk", &names.gsi5sk)?;
        change.set("fields", &lead.fields)?.send().await
    }

    /// Returns the lead under which a person is registered.
    pub async fn lead_of_person(&self, scope: &OrgScope, person: &PersonKey) -> Result<Option<LeadId>, TableError> {
        let claim: Option<PersonClaim> = self.get(&keys::person(scope, person)).await?;
        Ok(claim.map(|claim| claim.lead_id))
    }

    /// Registers a person under this lead, unless the person is already registered.
    pub async fn claim_person(&self, scope: &OrgScope, person: &PersonKey, lead: &LeadId) -> Result<(), TableError> {
        let change = self.change(&keys::person(scope, person)).if_unchanged("pk", &None::<String>)?;
        change.kind(ItemKind::Person).set("lead_id", lead)?.send().await.map(drop)
    }

    /// Removes a person's registration under this lead.
    pub async fn release_person(&self, scope: &OrgScope, person: &PersonKey, lead: &LeadId) -> Result<(), TableError> {
        self.delete_if_still(&keys::person(scope, person), "lead_id", lead).await
    }

    /// Returns which of these are stored, as a lead or as a later submission. One stored an instant ago may be missing.
    pub async fn find_stored(&self, scope: &OrgScope, ids: &[LeadId]) -> Result<BTreeSet<LeadId>, TableError> {
        self.find_existing(ids.iter().map(|id| (id, keys::lead(scope, id))), Consistency::Eventual).await
    }

    /// Returns which of these submissions of a form are stored, parked or waiting. Each comes with the time at which
    /// Meta says that it was submitted.
    ///
    /// Most are leads, and the index has many of those in one read unit. Only what it lacks is read one by one: later
    /// submissions, leads stored an instant ago, and the missing ones.
    pub async fn find_known(
        &self,
        scope: &OrgScope,
        (page, form): (&PageId, &FormId),
        submissions: &[(LeadId, Timestamp)],
    ) -> Result<BTreeSet<LeadId>, TableError> {
        let times = || submissions.iter().map(|(_, at)| *at);
        let (Some(first), Some(last)) = (times().min(), times().max()) else { return Ok(BTreeSet::new()) };
        let indexed = self.listed_leads(scope, (page, form), (first, last)).await?;
        let (known, rest): (Vec<&LeadId>, Vec<&LeadId>) =
            submissions.iter().map(|(id, _)| id).partition(|id| indexed.contains(*id));
        let mut known: BTreeSet<LeadId> = known.into_iter().cloned().collect();
        let stored = rest.iter().map(|id| (*id, keys::lead(scope, id)));
        known.extend(self.find_existing(stored, Consistency::Strong).await?);
        let missing = rest.iter().filter(|id| !known.contains(**id)).map(|id| (page, (*id).clone()));
        let missing: Vec<(&PageId, LeadId)> = missing.collect();
        known.extend(self.find_held(scope, &missing).await?);
        Ok(known)
    }

    /// Returns which of these leads are parked, waiting or dismissed, each with its page.
    pub async fn find_held(
        &self,
        scope: &OrgScope,
        leads: &[(&PageId, LeadId)],
    ) -> Result<BTreeSet<LeadId>, TableError> {
        let parked = leads.iter().map(|(_, id)| (id, keys::parked(scope, id)));
        let waiting = leads.iter().map(|(page, id)| (id, keys::waiting(scope, page, id)));
        let dismissed = leads.iter().map(|(_, id)| (id, keys::dismissed(scope, id)));
        self.find_existing(parked.chain(waiting).chain(dismissed), Consistency::Strong).await
    }

    /// Which of these have a stored item.
    pub(super) async fn find_existing<'a, I: Ord + Clone + 'a>(
        &self,
        wanted: impl Iterator<Item = (&'a I, Key)>,
        consistency: Consistency,
    ) -> Result<BTreeSet<I>, TableError> {
        let (ids, keys): (Vec<&I>, Vec<Key>) = wanted.unzip();
        let found = self.batch_get_as(&keys, consistency).await?;
        Ok(ids.into_iter().zip(&keys).filter(|(_, key)| found.contains_key(key)).map(|(id, _)| id.clone()).collect())
    }

    /// Lists the latest submissions of a lead's person, oldest first, at most [`MAX_LISTED`]. One stored an instant
    /// ago may be missing.
    pub async fn submissions(&self, scope: &OrgScope, lead: &LeadId) -> Result<Vec<Submission>, TableError> {
        let query =
            self.client.query().table_name(&self.name).index_name("gsi1").key_condition_expression("gsi1pk = :pk");
        let query = query.expression_attribute_values(":pk", text(keys::submissions_of_lead(scope, lead)));
        let latest = query.scan_index_forward(false).limit(MAX_LISTED.into()).send().await?.items.unwrap_or_default();
        let keys: Vec<Key> = latest.iter().rev().filter_map(Key::from_item).collect();
        self.read_all(&keys).await
    }
}

/// The lead or submission in an item. `None` if it was erased.
fn stored_lead(item: Item) -> Result<Option<StoredLead>, TableError> {
    Ok(match ItemKind::from_item(&item) {
        Some(ItemKind::Lead) => Some(StoredLead::Lead(Box::new(entity(item)?))),
        Some(ItemKind::Submission) => Some(StoredLead::Submission(Box::new(entity(item)?))),
        _ => None,
    })
}
