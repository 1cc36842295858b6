//! Lists and reads the org's leads, and changes their assignee and status by hand.
#![expect(missing_docs, reason = "a field whose name says it all has no description in the API's document either")]

use std::collections::BTreeMap;

use jiff::Timestamp;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Leads;
use super::details::{check_details, detail_names};
use crate::cursor::ListCursor;
use crate::directory::Access;
use crate::error::{ActError, ErrorCode};
use crate::ids::{FormId, InvalidId, LeadId, OrgScope, PageId, UserId};
use crate::model::conversion::{Conversion, ConversionSettings, UnsentReason};
use crate::model::event::Event;
use crate::model::lead::assignment::{Assigned, Reason, Strategy};
use crate::model::lead::trace::{self, Step, StepKind};
use crate::model::lead::{Lead, Status, Submission};
use crate::table::lead::{LeadChange, StoredLead};
use crate::table::lead_list::{LeadFilter, LeadPosition};

/// A filter on leads. A lead must match every criterion that is set.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LeadQuery {
    /// How a name begins, or an e-mail address, or a phone number.
    pub text: Option<String>,
    /// `Meta` or `Import`.
    pub source: Option<String>,
    /// `Facebook Lead Ad`, `Instagram Lead Ad` or `Imported File`.
    pub tag: Option<String>,
    /// The page that owns the form.
    pub page_id: Option<PageId>,
    /// The form.
    pub form_id: Option<FormId>,
    /// Meta's id of the campaign. Naming the form as well saves reading the leads of others.
    pub campaign_id: Option<String>,
    /// The assignee.
    pub assigned_to: Option<Assignee>,
    /// The lead status.
    pub status: Option<Status>,
    /// Submitted at or after this.
    pub from: Option<Timestamp>,
    /// Submitted before this.
    pub to: Option<Timestamp>,
}

/// The assignee of a lead, or the absence of one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Assignee {
    /// No one.
    Unassigned,
    /// This user.
    User(UserId),
}

impl Assignee {
    /// Stands for no assignee where a user's id is expected.
    pub const UNASSIGNED: &str = "unassigned";

    /// Parses a user's id or [`Assignee::UNASSIGNED`].
    pub fn parse(text: &str) -> Result<Self, InvalidId> {
        if text == Self::UNASSIGNED { Ok(Self::Unassigned) } else { UserId::parse(text).map(Self::User) }
    }
}

/// Leads, newest submission first.
#[derive(Debug, Serialize, ToSchema)]
pub struct LeadList {
    pub items: Vec<Lead>,
    /// Pass it as `cursor` for the next page; `null` at the end. It can be set although the page has fewer leads than
    /// `limit`.
    pub next_cursor: Option<String>,
}

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
    #[schema(value_type = Option<String>)]
    pub assigned_to: Option<Option<UserId>>,
    /// The new lead status.
    pub status: Option<Status>,
    /// A note about the lead, or `null` to delete it.
    #[serde(default, with = "serde_with::rust::double_option")]
    #[schema(value_type = Option<String>)]
    pub note: Option<Option<String>>,
    /// What the lead is worth, or `null` to delete it. Needs `currency`.
    #[serde(default, with = "serde_with::rust::double_option")]
    #[schema(value_type = Option<String>)]
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
    /// Lists the org's leads from the start or from the cursor `after`: newest submission first, or by name if they are
    /// found by that.
    ///
    /// # Errors
    /// Refuses an empty range of times, a text that cannot be searched for, and a cursor of another list or query.
    pub async fn list(
        &self,
        scope: &OrgScope,
        query: &LeadQuery,
        after: Option<&str>,
        limit: usize,
    ) -> Result<LeadList, ActError> {
        if let (Some(from), Some(to)) = (query.from, query.to)
            && from >= to
        {
            return Err(ActError::invalid("to", ErrorCode::RangeEmpty, "A time after from."));
        }
        if let Some(text) = &query.text {
            return self.find(scope, (text, query), after, limit).await;
        }
        let list = format!("leads {query:?}");
        let cursor = ListCursor::new(&self.key, scope, &list);
        let position = cursor.decode(after)?;
        let (mut items, mut next) = match &query.campaign_id {
            None => self.table.leads(scope, &filter(query), position, limit).await?,
            Some(campaign) => self.of_campaign(scope, (query, campaign), position, limit).await?,
        };
        let fitting = count_fitting(items.iter());
        if fitting < items.len() {
            items.truncate(fitting);
            next = items.last().map(LeadPosition::from);
        }
        Ok(LeadList { items, next_cursor: next.map(|position| cursor.encode(&position)) })
    }

    /// Lists a campaign's leads. No index has the campaign, so that a bounded number of leads is read for those; then
    /// fewer than requested are returned, with a position to resume from.
    async fn of_campaign(
        &self,
        scope: &OrgScope,
        (query, campaign): (&LeadQuery, &str),
        mut position: Option<LeadPosition>,
        limit: usize,
    ) -> Result<(Vec<Lead>, Option<LeadPosition>), ActError> {
        const MAX_READS: usize = 5;
        const PER_READ: usize = 100;
        let mut found = Vec::new();
        for _ in 0..MAX_READS {
            let (leads, next) = self.table.leads(scope, &filter(query), position, PER_READ).await?;
            found.extend(leads.into_iter().filter(|lead| lead.attribution.campaign_id.as_deref() == Some(campaign)));
            if found.len() > limit {
                found.truncate(limit);
                let last = found.last().map(LeadPosition::from);
                return Ok((found, last));
            }
            position = next;
            if position.is_none() || found.len() == limit {
                break;
            }
        }
        Ok((found, position))
    }

    /// Assigns a lead by hand, or changes its status and details in the CRM. A new status is reported to Meta.
    ///
    /// # Errors
    /// Refuses a lead that the org does not have, an assignee who is not an active user of the org, and details that
    /// cannot be stored. If publishing fails, the change is stored; repeating the request publishes it.
    pub async fn change(&self, access: &Access, id: &LeadId, input: LeadIn) -> Result<LeadDetails, ActError> {
        if let Some(Some(user)) = &input.assigned_to {
            let known = self.table.user(&access.scope, user).await?;
            if !known.is_some_and(|user| user.active) {
                let message = format!("{user} is not an active user of this org.");
                return Err(ActError::invalid("assigned_to", ErrorCode::UserUnknown, message));
            }
        }
        let details = check_details(&input)?;
        // Store the change.
        let by_hand = Assigned { strategy: Strategy::User, reason: Reason::Manual };
        let unassigned = Assigned { strategy: Strategy::Unassigned, reason: Reason::Manual };
        let assigned =
            input.assigned_to.clone().map(|to| if to.is_some() { (to, by_hand) } else { (None, unassigned) });
        let at = crate::clock::now();
        let settings = self.conversion_settings(&access.scope, id, input.status).await?;
        let report = |lead: &Lead, status| Conversion::of_change(lead, status, settings.as_ref().map_err(|it| *it), at);
        let change = LeadChange { assigned, status: input.status, ..details };
        let before = self.table.change_lead(&access.scope, id, &change, report).await?;
        let before = before.ok_or_else(|| ActError::not_found("lead"))?;
        let by = access.caller.name.as_deref().unwrap_or(access.caller.user.as_str());
        let mut steps = Vec::new();
        if let Some(to) = input.assigned_to {
            let from = before.assigned_to.as_ref();
            tracing::info!(org = %access.scope.org(), lead = %id, ?from, ?to, by = %access.caller.user, "lead assigned by hand");
            // Published even if the assignee stays the same: the request may repeat one whose publication failed.
            let event = Event::lead_assigned(&access.scope, id, from, to.as_ref(), &access.caller.user, at);
            self.bus.publish(&[event]).await?;
            if before.assignment.reason != Reason::Manual {
                // From now on the lead only shows this assignment. A step preserves the original one.
                let assigned_at = before.provenance.stored_at.unwrap_or(before.received_at);
                steps.push(trace::assigned(assigned_at, from, &before.assignment));
            }
            let detail = match &to {
                Some(to) => format!("{by} assigned it to {to}."),
                None => format!("{by} unassigned it. It was assigned to {}.", from.map_or("no one", UserId::as_str)),
            };
            steps.push(Step::new(at, StepKind::Reassigned, "manual", detail));
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
        self.get(&access.scope, id).await
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
        let missing = || ActError::not_found("lead");
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

/// Returns how many of these an answer holds. A single one always fits.
pub(super) fn count_fitting<'a, T: Serialize + 'a>(items: impl Iterator<Item = &'a T>) -> usize {
    /// Lambda's answers hold 6 MB, with everything around the items.
    const MAX_BYTES: usize = 4_000_000;
    let mut bytes = 0;
    let fits = |item: &&T| {
        bytes += serde_json::to_string(item).map_or(MAX_BYTES, |json| json.len());
        bytes <= MAX_BYTES
    };
    items.take_while(fits).count().max(1)
}

pub(super) fn filter(query: &LeadQuery) -> LeadFilter {
    LeadFilter {
        page: query.page_id.clone(),
        form: query.form_id.clone(),
        assignee: query.assigned_to.as_ref().map(|assignee| match assignee {
            Assignee::User(user) => Some(user.clone()),
            Assignee::Unassigned => None,
        }),
        status: query.status,
        source: query.source.clone(),
        tag: query.tag.clone(),
        from: query.from,
        to: query.to,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_holds_what_lambda_can_send_and_always_something() {
        let large = "x".repeat(399_000);
        assert_eq!(count_fitting([&large; 100].into_iter()), 10);
        assert_eq!(count_fitting([&"x".repeat(5_000_000)].into_iter()), 1);
        assert_eq!(count_fitting([&"x"; 100].into_iter()), 100);
    }

    #[test]
    fn unassigned_leads_are_not_leads_of_a_user_called_so() {
        let filter_of = |text: &str| {
            filter(&LeadQuery { assigned_to: Some(Assignee::parse(text).unwrap()), ..LeadQuery::default() })
        };
        assert_eq!(filter_of("unassigned").assignee, Some(None));
        assert_eq!(filter_of("u1").assignee, Some(UserId::parse("u1").ok()));
    }
}
