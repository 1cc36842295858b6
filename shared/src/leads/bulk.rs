//! Changes of several leads at once, and their undoing.

use std::collections::BTreeMap;

use futures_util::StreamExt;
use futures_util::stream::iter;

use super::Leads;
use super::manage::LeadIn;
use crate::directory::Access;
use crate::error::{ActError, ErrorCode, Missing};
use crate::ids::{BulkChangeId, LeadId};
use crate::model::lead::Lead;
use crate::model::lead::bulk::{BulkChangePart, LeadField, ValueBefore};
use crate::table::lead::StoredLead;

/// Leads that are changed at the same time.
const AT_ONCE: usize = 8;

/// What came of a change of several leads.
#[derive(Debug, Default)]
pub struct BulkOutcome {
    /// Leads that have the new value.
    pub changed: usize,
    /// Leads that are gone: erased, or joined to another lead.
    pub gone: usize,
    /// The first failure. Leads of which it is not known whether they were changed are not among the others.
    pub failure: Option<ActError>,
    /// Whether a lead had another value before.
    pub can_be_undone: bool,
}

/// What came of undoing a part of a change.
#[derive(Debug, Default)]
pub struct BulkUndone {
    /// Leads that are as they were before.
    pub restored: usize,
    /// Leads that stay as they are: changed since, gone, or about to get an assignee who is not active any more.
    pub kept: usize,
    /// Whether more of the change can be undone.
    pub has_more: bool,
}

impl Leads {
    /// Changes a field of several leads by hand, each as [`Leads::change`] does. What they had is kept for a day as a part
    /// of this change, before any of them is changed.
    ///
    /// # Errors
    /// Refuses an assignee who is not an active user of the org, and fails before the first change. A later failure is in
    /// the outcome: some leads may be changed.
    pub async fn change_several(
        &self,
        access: &Access,
        (change, part): (&BulkChangeId, u32),
        leads: &[LeadId],
        to: &LeadField,
    ) -> Result<BulkOutcome, ActError> {
        let (scope, at) = (&access.scope, crate::clock::now());
        if let LeadField::AssignedTo(user) = to {
            self.check_assignee(scope, user.as_ref()).await?;
        }
        let known = self.table.find_leads(scope, &leads.iter().cloned().collect()).await?;
        let had = |lead: &Lead| ValueBefore { field: to.read(lead), assignment: lead.assignment.clone() };
        let seen = known.into_iter().filter_map(|stored| match stored {
            StoredLead::Lead(lead) => Some((lead.id.clone(), had(&lead))),
            StoredLead::Submission(_) => None,
        });
        let mut before: BTreeMap<LeadId, ValueBefore> = seen.filter(|(_, had)| had.field != *to).collect();
        // A request that is sent again finds the leads as it left them.
        let parts = self.table.bulk_change(scope, change).await?;
        before.extend(parts.into_iter().filter(|kept| kept.part == part).flat_map(|kept| kept.before));
        let mut stored = BulkChangePart { change: change.clone(), part, to: to.clone(), at, before: before.clone() };
        self.table.put_bulk_change(scope, &stored).await?;

        // What was begun is brought to its end: a change that is given up may be stored and not published.
        let mut changes = iter(leads.to_vec())
            .map(|id| async move { (self.change_if(access, &id, input(to), None).await, id) })
            .buffered(AT_ONCE);
        let mut outcome = BulkOutcome::default();
        while let Some((result, id)) = changes.next().await {
            match result {
                Ok(Some((lead, _))) => {
                    outcome.changed += 1;
                    // Others may have changed it between the look and the change.
                    let had = had(&lead);
                    if had.field != *to {
                        before.insert(lead.id, had);
                    }
                }
                Ok(None) => {}
                Err(error) if error.code() == ErrorCode::NotFound => {
                    outcome.gone += 1;
                    continue;
                }
                Err(error) => {
                    tracing::warn!(%error, lead = %id, "one of several leads was not changed");
                    outcome.failure.get_or_insert(error);
                }
            }
            access.trail.about(&id);
        }
        outcome.can_be_undone = !before.is_empty();
        if before != stored.before {
            stored.before = before;
            if let Err(error) = self.table.put_bulk_change(scope, &stored).await {
                outcome.failure.get_or_insert(error.into());
            }
        }
        Ok(outcome)
    }

    /// Undoes the last part of a change that can be undone: its leads get back what they had, unless they were changed
    /// since. Reports to Meta that were sent stay.
    ///
    /// # Errors
    /// Refuses a change that is not kept. After a failure, undoing it again goes on.
    pub async fn undo_several(&self, access: &Access, id: &BulkChangeId) -> Result<BulkUndone, ActError> {
        let mut parts = self.table.bulk_change(&access.scope, id).await?;
        let part = parts.pop().ok_or_else(|| ActError::not_found(Missing::BulkChange))?;
        let mut undoing = iter(part.before.clone())
            .map(|(lead, had)| {
                let undone = Some((&part.to, had.assignment));
                async move { (self.change_if(access, &lead, input(&had.field), undone).await, lead) }
            })
            .buffered(AT_ONCE);
        let mut undone = BulkUndone { has_more: !parts.is_empty(), ..BulkUndone::default() };
        let mut failure = None;
        while let Some((result, lead)) = undoing.next().await {
            match result {
                Ok(Some(_)) => {
                    access.trail.about(&lead);
                    undone.restored += 1;
                }
                Ok(None) => undone.kept += 1,
                Err(error) if matches!(error.code(), ErrorCode::NotFound | ErrorCode::UserUnknown) => undone.kept += 1,
                Err(error) => failure = failure.or(Some(error)),
            }
        }
        match failure {
            Some(error) => Err(error),
            None => {
                self.table.delete_bulk_change(&access.scope, &part).await?;
                Ok(undone)
            }
        }
    }
}

/// The input that sets a field of one lead.
fn input(to: &LeadField) -> LeadIn {
    match to.clone() {
        LeadField::AssignedTo(user) => LeadIn { assigned_to: Some(user), ..LeadIn::default() },
        LeadField::Status(status) => LeadIn { status: Some(status), ..LeadIn::default() },
    }
}
