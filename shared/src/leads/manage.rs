//! Lists and reads the org's leads, and changes their assignee and status by hand.
#![expect(missing_docs, reason = "a field whose name says it all has no description in the API's document either")]

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Leads;
use super::details::{check_details, detail_names};
use super::lists::{LeadCount, LeadList, LeadLister, count_fitting};
use crate::audit::Trail;
use crate::directory::Access;
use crate::error::{ActError, ErrorCode, Missing};
use crate::ids::{LeadId, OrgScope, PageId, UserId};
use crate::language::{Language, Locale, speak_now};
use crate::model::ads::currency::Amount;
use crate::model::audit::Word;
use crate::model::conversion::{Conversion, ConversionSettings, UnsentReason};
use crate::model::event::Event;
use crate::model::lead::assignment::{Assigned, Reason, Strategy};
use crate::model::lead::bulk::LeadField;
use crate::model::lead::query::LeadQuery;
use crate::model::lead::trace::{self, Step, StepKind};
use crate::model::lead::{Lead, Status, Submission};
use crate::table::lead::{LeadChange, StoredLead};
use crate::tr;

/// A lead with the same person's later submissions.
#[derive(Debug, Serialize, ToSchema)]
pub struct LeadDetails {
    #[serde(flatten)]
    pub lead: Lead,
    /// Oldest first, each with its own answers. The latest 200 at most, and fewer if they are very large.
    pub submissions: Vec<Submission>,
}

/// The changes to a lead. Absent fields are unchanged.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LeadIn {
    /// The new assignee: an active user of the org, or `null` to unassign the lead.
    #[serde(default, with = "serde_with::rust::double_option")]
    #[schema(value_type = Option<UserId>)]
    pub assigned_to: Option<Option<UserId>>,
    /// The new lead status.
    pub status: Option<Status>,
    /// A note about the lead, or `null` to delete it.
    #[serde(default, with = "serde_with::rust::double_option")]
    #[schema(value_type = Option<String>)]
    pub note: Option<Option<String>>,
    /// What the lead is worth, or `null` to delete it. Needs `currency`.
    #[serde(default, with = "serde_with::rust::double_option")]
    #[schema(value_type = Option<Amount>)]
    pub value: Option<Option<Decimal>>,
    /// The ISO 4217 code of the currency of `value`.
    #[serde(default, with = "serde_with::rust::double_option")]
    #[schema(value_type = Option<String>)]
    pub currency: Option<Option<String>>,
    /// Why the lead was lost, or `null` to delete it.
    #[serde(default, with = "serde_with::rust::double_option")]
    #[schema(value_type = Option<String>)]
    pub lost_reason: Option<Option<String>>,
}

impl Leads {
    /// Lists the org's leads.
    ///
    /// # Errors
    /// As [`LeadLister::list`].
    pub async fn list(
        &self,
        scope: &OrgScope,
        query: &LeadQuery,
        after: Option<&str>,
        limit: usize,
    ) -> Result<LeadList, ActError> {
        LeadLister { table: &self.table.for_display(), key: &self.key }.list(scope, query, after, limit).await
    }

    /// Counts the org's leads that match. `None` if they are found by a text or by their campaign, which no index counts.
    /// Only so many are looked at, and a change of an instant ago may be missing.
    pub async fn count(&self, scope: &OrgScope, query: &LeadQuery) -> Result<Option<LeadCount>, ActError> {
        LeadLister { table: &self.table, key: &self.key }.count(scope, query).await
    }

    /// Assigns a lead by hand, or changes its status and details in the CRM. A new status is reported to Meta.
    ///
    /// # Errors
    /// Refuses a lead that the org does not have, an assignee who is not an active user of the org, and details that
    /// cannot be stored. If publishing fails, the change is stored; repeating the request publishes it.
    pub async fn change(&self, access: &Access, id: &LeadId, input: LeadIn) -> Result<LeadDetails, ActError> {
        let changed = self.change_if(access, id, input, None).await?;
        changed.map(|(_, after)| after).ok_or_else(|| ActError::not_found(Missing::Lead))
    }

    /// Refuses an assignee who is not an active user of the org.
    pub(super) async fn check_assignee(&self, scope: &OrgScope, user: Option<&UserId>) -> Result<(), ActError> {
        let Some(user) = user else { return Ok(()) };
        if self.table.user(scope, user).await?.is_some_and(|user| user.active) {
            return Ok(());
        }
        let message = tr!("{user} is not an active user of this org.", user = user);
        Err(ActError::invalid("assigned_to", ErrorCode::UserUnknown, message))
    }

    /// Like [`Leads::change`], and also returns the lead as it was. To undo a change, `undone` is what the lead must still
    /// have, and how it had been assigned before. Does nothing and returns `None` if it has something else.
    pub(super) async fn change_if(
        &self,
        access: &Access,
        id: &LeadId,
        input: LeadIn,
        undone: Option<(&LeadField, Assigned)>,
    ) -> Result<Option<(Lead, LeadDetails)>, ActError> {
        self.check_assignee(&access.scope, input.assigned_to.iter().flatten().next()).await?;
        let details = check_details(&input)?;
        // Store the change.
        let (only_if, assigned_before) = undone.map(|(field, how)| (field.clone(), how)).unzip();
        let assigned = input.assigned_to.clone().map(|to| {
            let strategy = if to.is_some() { Strategy::User } else { Strategy::Unassigned };
            (to, assigned_before.unwrap_or(Assigned { strategy, reason: Reason::Manual }))
        });
        let at = crate::clock::now();
        let settings = self.conversion_settings(&access.scope, id, input.status).await?;
        let report = |lead: &Lead, status| Conversion::of_change(lead, status, settings.as_ref().map_err(|it| *it), at);
        let change = LeadChange { assigned, status: input.status, only_if, ..details };
        let before = self.table.change_lead(&access.scope, id, &change, report).await?;
        let before = before.ok_or_else(|| ActError::not_found(Missing::Lead))?;
        if !change.fits(&before) {
            return Ok(None);
        }
        record_change(&access.trail, &before, &change);
        let by = access.caller.name.as_deref().unwrap_or(access.caller.user.as_str());
        let mut steps = Vec::new();
        let is_reported = input.status.is_some() || !detail_names(&change).is_empty();
        let after = self.get(&access.scope, id).await?;
        if is_reported {
            // As with the assignee below, repeating a request publishes again.
            let event = Event::lead_changed(&access.scope, &after.lead, &access.caller.user, at);
            self.bus.publish(&[event]).await?;
        }
        if let Some(to) = input.assigned_to {
            let from = before.assigned_to.as_ref();
            tracing::info!(org = %access.scope.org(), lead = %id, ?from, ?to, by = %access.caller.user, "lead assigned by hand");
            // Published even if the assignee stays the same: the request may repeat one whose publication failed.
            let event = Event::lead_assigned(&access.scope, id, from, to.as_ref(), &access.caller.user, at);
            self.bus.publish(&[event]).await?;
            if before.assignment.reason != Reason::Manual {
                // From now on the lead only shows this assignment. A step preserves the original one, in English, as all
                // steps are stored.
                let assigned_at = before.provenance.stored_at.unwrap_or(before.received_at);
                let original = || trace::assigned(assigned_at, from, &before.assignment);
                steps.push(speak_now(Locale::usual(Language::English), original));
            }
            let detail = match &to {
                Some(to) => format!("{by} assigned it to {to}."),
                None => format!("{by} unassigned it. It was assigned to {}.", from.map_or("no one", UserId::as_str)),
            };
            if to != before.assigned_to {
                steps.push(Step::new(at, StepKind::Reassigned, "manual", detail));
            }
        }
        if let Some(status) = input.status.filter(|status| *status != before.status) {
            let detail = format!("{by} changed it to {status}.");
            steps.push(Step::new(at, StepKind::StatusChanged, status.to_string(), detail));
        }
        let names = detail_names(&change);
        if !names.is_empty() {
            let detail = format!("{by} changed its {names}.");
            steps.push(Step::new(at, StepKind::DetailsChanged, names, detail));
        }
        for step in steps {
            // A step only explains. The change itself is stored.
            if let Err(error) = self.table.note(&access.scope, id, &step).await {
                tracing::warn!(%error, lead = %id, "a step of a lead's trace could not be recorded");
            }
        }
        Ok(Some((before, after)))
    }

    /// Reads what is reported to Meta of a lead whose status is to be changed, or why nothing is.
    async fn conversion_settings(
        &self,
        scope: &OrgScope,
        id: &LeadId,
        status: Option<Status>,
    ) -> Result<Result<ConversionSettings, UnsentReason>, ActError> {
        let page = match status.map(|_| self.table.find_lead(scope, id)) {
            None => None,
            Some(found) => found.await?.and_then(|found| match found {
                StoredLead::Lead(lead) => lead.page_id,
                StoredLead::Submission(_) => None,
            }),
        };
        let found = self.table.reporting_integration(scope, page.as_ref()).await?;
        Ok(found.map(|(_, settings)| settings))
    }

    /// Lists the org's connected pages: their ids and names.
    pub async fn pages(&self, scope: &OrgScope) -> Result<BTreeMap<PageId, String>, ActError> {
        let connections = self.table.connections(scope).await?;
        Ok(connections.into_iter().map(|page| (page.page_id, page.page_name)).collect())
    }

    /// Reads a lead, by its own id or by the id of a later submission of the same person.
    pub async fn get(&self, scope: &OrgScope, id: &LeadId) -> Result<LeadDetails, ActError> {
        let missing = || ActError::not_found(Missing::Lead);
        let stored = match self.table.find_lead(scope, id).await?.ok_or_else(missing)? {
            StoredLead::Submission(submission) => {
                self.table.find_lead(scope, &submission.lead_id).await?.ok_or_else(missing)?
            }
            lead @ StoredLead::Lead(_) => lead,
        };
        let StoredLead::Lead(lead) = stored else { return Err(missing()) };
        let mut submissions =
            if lead.submissions_count == 0 { Vec::new() } else { self.table.submissions(scope, &lead.id).await? };
        let fitting = count_fitting(submissions.iter().rev());
        submissions.drain(..submissions.len().saturating_sub(fitting));
        Ok(LeadDetails { lead: *lead, submissions })
    }
}

/// Takes down what a change made of a lead.
fn record_change(trail: &Trail, before: &Lead, change: &LeadChange) {
    if let Some((to, _)) = &change.assigned {
        trail.changed("assigned_to", &before.assigned_to, to);
    }
    if let Some(status) = change.status {
        trail.changed("status", &before.status, &status);
    }
    if let Some(value) = &change.value {
        trail.changed("value", &before.value, &value.as_ref().map(|(amount, _)| *amount));
        let currency = value.as_ref().map(|(_, currency)| Word(currency));
        trail.changed("currency", &before.currency.as_deref().map(Word), &currency);
    }
    if let Some(note) = &change.note {
        trail.withheld("note", &before.note, note);
    }
    if let Some(reason) = &change.lost_reason {
        trail.withheld("lost_reason", &before.lost_reason, reason);
    }
}
