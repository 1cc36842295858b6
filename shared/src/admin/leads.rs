//! The org's leads.

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::ToSchema;

use super::{Access, Services};
use crate::error::WorkError;
use crate::http::{Problem, cursor, place};
use crate::ids::{LeadId, OrgScope, UserId};
use crate::model::event::Event;
use crate::model::lead::assignment::{Assigned, Reason, Strategy};
use crate::model::lead::trace::{self, Step, StepKind};
use crate::model::lead::{Lead, Status, Submission};
use crate::table::lead::{LeadChange, Stored};
use crate::table::lead_list::LeadFilter;

/// In the place of a user: leads that nobody works on.
pub const UNASSIGNED: &str = "unassigned";

/// Which leads. One has to match all that is given.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LeadQuestion {
    /// `Meta`.
    pub source: Option<String>,
    /// `Facebook Lead Ad` or `Instagram Lead Ad`.
    pub tag: Option<String>,
    /// The page it came from.
    pub page_id: Option<String>,
    /// The form it came through.
    pub form_id: Option<String>,
    /// A user's id, or [`UNASSIGNED`].
    pub assigned_to: Option<String>,
    /// Where the CRM stands with it.
    pub status: Option<Status>,
    /// Submitted at or after this.
    pub from: Option<Timestamp>,
    /// Submitted before this.
    pub to: Option<Timestamp>,
}

/// Leads, newest submission first.
#[derive(Debug, Serialize, ToSchema)]
pub struct LeadList {
    pub items: Vec<Lead>,
    /// Pass it as `cursor` to go on; `null` at the end. It may be there although fewer leads than asked for were found.
    pub next_cursor: Option<String>,
}

/// A lead with what the same person sent later.
#[derive(Debug, Serialize, ToSchema)]
pub struct LeadDetails {
    #[serde(flatten)]
    pub lead: Lead,
    /// Oldest first, each with its own answers.
    pub submissions: Vec<Submission>,
}

/// What to change of a lead. What is left out stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LeadIn {
    /// Whose it is from now on: an active user of the org, or `null` for nobody.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>)]
    pub assigned_to: Option<Option<UserId>>,
    /// Where the CRM stands with it.
    pub status: Option<Status>,
}

/// Tells `null` from absence.
fn given<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Option<UserId>>, D::Error> {
    Option::<UserId>::deserialize(deserializer).map(Some)
}

/// The org's leads, newest submission first, beginning at the start or where `after` marks it.
///
/// # Errors
/// If the times leave nothing between them, the cursor is not this list's with this question, or the table cannot be read.
pub async fn list(
    services: &Services,
    scope: &OrgScope,
    asked: &LeadQuestion,
    after: Option<&str>,
    limit: usize,
) -> Result<LeadList, Problem> {
    let key = &services.key;
    if let (Some(from), Some(to)) = (asked.from, asked.to)
        && from >= to
    {
        return Err(Problem::field("to", "range_empty", "A time after from."));
    }
    // A cursor marks a place in this list with these filters; in another it might mark none.
    let list = format!("leads {asked:?}");
    let after = after.map(|given| place(key, scope, &list, given)).transpose()?;
    let (items, next) = services.table.leads(scope, &filter(asked), after, limit).await?;
    Ok(LeadList { items, next_cursor: next.map(|place| cursor(key, scope, &list, &place)) })
}

fn filter(asked: &LeadQuestion) -> LeadFilter {
    let unassigned = asked.assigned_to.as_deref() == Some(UNASSIGNED);
    let equal = [
        ("source", asked.source.clone()),
        ("page_id", asked.page_id.clone()),
        ("form_id", asked.form_id.clone()),
        ("assigned_to", asked.assigned_to.clone().filter(|_| !unassigned)),
        ("status", asked.status.map(word)),
    ];
    LeadFilter {
        equal: equal.into_iter().filter_map(|(name, value)| Some((name, value?))).collect(),
        tag: asked.tag.clone(),
        unassigned,
        from: asked.from,
        to: asked.to,
    }
}

/// The status that this word means.
///
/// # Errors
/// If it means none.
pub fn status(given: &str) -> Result<Status, Problem> {
    let unknown = |_| Problem::field("status", "status_unknown", "One of new, contacted, qualified, converted, lost.");
    serde_json::from_value(given.into()).map_err(unknown)
}

fn word(status: Status) -> String {
    let word = serde_json::to_value(status).ok().and_then(|word| word.as_str().map(ToOwned::to_owned));
    word.unwrap_or_default()
}

/// One lead, also by the id of a later submission of the same person.
///
/// # Errors
/// If the org has none with this id, or the table cannot be read.
pub async fn read(services: &Services, scope: &OrgScope, id: &str) -> Result<LeadDetails, Problem> {
    let id = LeadId::parse(id).map_err(|_| Problem::not_found("lead"))?;
    details(services, scope, &id).await
}

/// Gives a lead to somebody by hand, or changes where the CRM stands with it.
///
/// # Errors
/// If the org has no such lead or no such active user, or something failed.
pub async fn change(services: &Services, access: &Access, id: &str, given: LeadIn) -> Result<LeadDetails, Problem> {
    let missing = || Problem::not_found("lead");
    let id = LeadId::parse(id).map_err(|_| missing())?;
    if let Some(Some(user)) = &given.assigned_to {
        let known = services.table.user(&access.scope, user).await?;
        if !known.is_some_and(|user| user.active) {
            let detail = format!("{user} is not an active user of this org; GET /api/users lists them.");
            return Err(Problem::field("assigned_to", "user_unknown", detail));
        }
    }
    let by_hand = Assigned { strategy: Strategy::User, reason: Reason::Manual };
    let nobody = Assigned { strategy: Strategy::Unassigned, reason: Reason::Manual };
    let assigned = given.assigned_to.clone().map(|to| if to.is_some() { (to, by_hand) } else { (None, nobody) });
    let before = services.table.change_lead(&access.scope, &id, &LeadChange { assigned, status: given.status }).await?;
    let before = before.ok_or_else(missing)?;
    let at = crate::clock::now();
    let by = access.caller.name.as_deref().unwrap_or(access.caller.user.as_str());
    let mut steps = Vec::new();
    if let Some(to) = given.assigned_to {
        let from = before.assigned_to.as_ref();
        tracing::info!(org = %access.scope.org(), lead = %id, ?from, ?to, by = %access.caller.user, "lead given by hand");
        // Told even if it is no change: whoever asks again was perhaps not answered the first time.
        let event = Event::lead_assigned(&access.scope, &id, from, to.as_ref(), &access.caller.user, at);
        services.connector.bus.publish(&[event]).await.map_err(WorkError::from)?;
        if before.assignment.reason != Reason::Manual {
            // The lead says from now on who has it by hand; how it was given away first is written down.
            let given = before.passage.stored_at.unwrap_or(before.received_at);
            steps.push(trace::assigned(given, from, &before.assignment));
        }
        let detail = match &to {
            Some(to) => format!("{by} gave it to {to}."),
            None => format!("{by} took it away from {}.", from.map_or("nobody", UserId::as_str)),
        };
        steps.push(Step::new(at, StepKind::Reassigned, "manual", detail));
    }
    if let Some(status) = given.status.filter(|status| *status != before.status) {
        let word = word(status);
        let detail = format!("{by} changed it to {word}.");
        steps.push(Step::new(at, StepKind::StatusChanged, word, detail));
    }
    for step in steps {
        // It explains; what is done is done.
        if let Err(error) = services.table.note(&access.scope, &id, &step).await {
            tracing::warn!(%error, lead = %id, "a step of a lead's life could not be written down");
        }
    }
    details(services, &access.scope, &id).await
}

async fn details(services: &Services, scope: &OrgScope, id: &LeadId) -> Result<LeadDetails, Problem> {
    let missing = || Problem::not_found("lead");
    let stored = match services.table.stored(scope, id).await?.ok_or_else(missing)? {
        Stored::Submission(submission) => {
            services.table.stored(scope, &submission.lead_id).await?.ok_or_else(missing)?
        }
        lead @ Stored::Lead(_) => lead,
    };
    let Stored::Lead(lead) = stored else { return Err(missing()) };
    let submissions =
        if lead.submissions_count == 0 { Vec::new() } else { services.table.submissions(scope, &lead.id).await? };
    Ok(LeadDetails { lead: *lead, submissions })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leads_of_nobody_are_not_leads_of_somebody_called_so() {
        let of = |assigned_to: &str| {
            filter(&LeadQuestion { assigned_to: Some(assigned_to.to_owned()), ..LeadQuestion::default() })
        };
        assert_eq!(of(UNASSIGNED), LeadFilter { unassigned: true, ..LeadFilter::default() });
        assert_eq!(of("u1"), LeadFilter { equal: vec![("assigned_to", "u1".to_owned())], ..LeadFilter::default() });
    }

    #[test]
    fn a_status_is_asked_for_by_its_word() {
        for known in ["new", "contacted", "qualified", "converted", "lost"] {
            assert_eq!(status(known).map(word), Ok(known.to_owned()));
        }
        assert_eq!(status("New").unwrap_err().field.as_deref(), Some("status"));
    }
}
