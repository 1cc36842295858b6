//! The org's leads.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use serde::{Deserialize, Deserializer, Serialize};
use shared::error::WorkError;
use shared::http::{Problem, cursor, place};
use shared::ids::{LeadId, OrgScope, UserId};
use shared::model::assignment::{Assigned, Reason, Strategy};
use shared::model::event::Event;
use shared::model::lead::{Lead, Status, Submission};
use shared::model::trace::{self, Step, StepKind};
use shared::table::lead::{LeadChange, Stored};
use shared::table::lead_list::LeadFilter;
use utoipa::{IntoParams, ToSchema};

use crate::access::Access;
use crate::input::{self, Input, Parameters};
use crate::router::Api;

/// As a filter's value: leads that nobody works on.
const UNASSIGNED: &str = "unassigned";

/// Filters; a lead has to match all that are given.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(
    dead_code,
    reason = "describes the parameters; they are read one by one, so that each can be named when it is wrong"
)]
pub(crate) struct LeadQuery {
    /// `Meta`.
    source: Option<String>,
    /// `Facebook Lead Ad` or `Instagram Lead Ad`.
    tag: Option<String>,
    page_id: Option<String>,
    form_id: Option<String>,
    /// A user's id, or `unassigned`.
    assigned_to: Option<String>,
    /// `new`, `contacted`, `qualified`, `converted` or `lost`.
    status: Option<String>,
    /// Submitted at or after this time or day.
    from: Option<String>,
    /// Submitted before this time or day.
    to: Option<String>,
    /// `next_cursor` of the previous answer.
    cursor: Option<String>,
    /// 1 to 100; 25 if left out.
    limit: Option<u8>,
}

/// Leads, newest submission first.
#[derive(Serialize, ToSchema)]
pub(crate) struct LeadList {
    items: Vec<Lead>,
    /// Pass it as `cursor` to go on; `null` at the end. It may be there although fewer leads than asked for were found.
    next_cursor: Option<String>,
}

/// A lead with what the same person sent later.
#[derive(Serialize, ToSchema)]
pub(crate) struct LeadDetails {
    #[serde(flatten)]
    lead: Lead,
    /// Oldest first, each with its own answers.
    submissions: Vec<Submission>,
}

/// The org's leads
#[utoipa::path(
    get, path = "/api/leads", tag = "leads", operation_id = "listLeads",
    params(LeadQuery, ("orgid" = String, Header, description = "The org to act for")),
    responses((status = 200, body = LeadList), (status = "4XX", body = Problem, content_type = "application/problem+json"))
)]
pub(crate) async fn list(
    State(api): State<Arc<Api>>,
    Access { scope, .. }: Access,
    parameters: Parameters,
) -> Result<Json<LeadList>, Problem> {
    const EQUAL: [&str; 4] = ["source", "page_id", "form_id", "assigned_to"];
    parameters.check(&[
        "source",
        "tag",
        "page_id",
        "form_id",
        "assigned_to",
        "status",
        "from",
        "to",
        "cursor",
        "limit",
    ])?;
    let time = |name: &str| parameters.get(name).map(|text| input::time(name, text)).transpose();
    let mut filter = LeadFilter {
        tag: parameters.get("tag").map(str::to_owned),
        from: time("from")?,
        to: time("to")?,
        unassigned: parameters.get("assigned_to") == Some(UNASSIGNED),
        ..LeadFilter::default()
    };
    let equal = EQUAL.into_iter().filter(|name| !(*name == "assigned_to" && filter.unassigned));
    filter.equal = equal.filter_map(|name| Some((name, parameters.get(name)?.to_owned()))).collect();
    if let Some(given) = parameters.get("status") {
        filter.equal.push(("status", status(given.to_owned())?));
    }
    if let (Some(from), Some(to)) = (filter.from, filter.to)
        && from >= to
    {
        return Err(Problem::field("to", "range_empty", "A time after from."));
    }
    // A cursor marks a place in this list with these filters; in another it might mark none.
    filter.equal.sort_unstable();
    let list = format!("leads {filter:?}");
    let after = parameters.get("cursor").map(|given| place(&api.key, &scope, &list, given)).transpose()?;
    let limit = input::limit(parameters.get("limit"))?;
    let (items, next) = api.table.leads(&scope, &filter, after, limit).await?;
    Ok(Json(LeadList { items, next_cursor: next.map(|place| cursor(&api.key, &scope, &list, &place)) }))
}

fn status(value: String) -> Result<String, Problem> {
    let known = serde_json::from_value::<shared::model::lead::Status>(value.clone().into()).is_ok();
    if known {
        Ok(value)
    } else {
        Err(Problem::field("status", "status_unknown", "One of new, contacted, qualified, converted, lost."))
    }
}

/// One lead
///
/// The id of a later submission leads to the lead that it belongs to.
#[utoipa::path(
    get, path = "/api/leads/{id}", tag = "leads", operation_id = "readLead",
    params(("id" = String, Path), ("orgid" = String, Header, description = "The org to act for")),
    responses((status = 200, body = LeadDetails), (status = "4XX", body = Problem, content_type = "application/problem+json"))
)]
pub(crate) async fn read(
    State(api): State<Arc<Api>>,
    Access { scope, .. }: Access,
    Path(id): Path<String>,
) -> Result<Json<LeadDetails>, Problem> {
    let id = LeadId::parse(&id).map_err(|_| Problem::not_found("lead"))?;
    Ok(Json(details(&api, &scope, &id).await?))
}

/// What to change of a lead. What is left out stays.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct LeadIn {
    /// Whose it is from now on: an active user of the org, or `null` for nobody.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>)]
    assigned_to: Option<Option<UserId>>,
    /// Where the CRM stands with it.
    status: Option<Status>,
}

/// Tells `null` from absence.
fn given<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Option<UserId>>, D::Error> {
    Option::<UserId>::deserialize(deserializer).map(Some)
}

/// Change a lead
///
/// Gives it to somebody by hand, whatever the integration's assignment says, or changes where the CRM stands with it. Turns
/// of the round robin are not touched.
#[utoipa::path(
    patch, path = "/api/leads/{id}", tag = "leads", operation_id = "changeLead",
    params(("id" = String, Path), ("orgid" = String, Header, description = "The org to act for")),
    request_body = LeadIn,
    responses((status = 200, body = LeadDetails), (status = "4XX", body = Problem, content_type = "application/problem+json"))
)]
pub(crate) async fn change(
    State(api): State<Arc<Api>>,
    Access { scope, caller }: Access,
    Path(id): Path<String>,
    Input(given): Input<LeadIn>,
) -> Result<Json<LeadDetails>, Problem> {
    let missing = || Problem::not_found("lead");
    let id = LeadId::parse(&id).map_err(|_| missing())?;
    if let Some(Some(user)) = &given.assigned_to {
        let known = api.table.user(&scope, user).await?;
        if !known.is_some_and(|user| user.active) {
            let detail = format!("{user} is not an active user of this org; GET /api/users lists them.");
            return Err(Problem::field("assigned_to", "user_unknown", detail));
        }
    }
    let by_hand = Assigned { strategy: Strategy::User, reason: Reason::Manual };
    let nobody = Assigned { strategy: Strategy::Unassigned, reason: Reason::Manual };
    let assigned = given.assigned_to.clone().map(|to| if to.is_some() { (to, by_hand) } else { (None, nobody) });
    let before = api.table.change_lead(&scope, &id, &LeadChange { assigned, status: given.status }).await?;
    let before = before.ok_or_else(missing)?;
    let at = shared::clock::now();
    let mut steps = Vec::new();
    if let Some(to) = given.assigned_to {
        let from = before.assigned_to.as_ref();
        tracing::info!(org = %scope.org(), lead = %id, ?from, ?to, by = %caller.user, "lead given by hand");
        // Told even if it is no change: whoever asks again was perhaps not answered the first time.
        let event = Event::lead_assigned(&scope, &id, from, to.as_ref(), &caller.user, at);
        api.connector.bus.publish(&[event]).await.map_err(WorkError::from)?;
        if before.assignment.reason != Reason::Manual {
            // The lead says from now on who has it by hand; how it was given away first is written down.
            let given = before.passage.stored_at.unwrap_or(before.received_at);
            steps.push(trace::assigned(given, from, &before.assignment));
        }
        let detail = match &to {
            Some(to) => format!("{} gave it to {to}.", caller.user),
            None => format!("{} took it away from {}.", caller.user, from.map_or("nobody", UserId::as_str)),
        };
        steps.push(Step::new(at, StepKind::Reassigned, "manual", detail));
    }
    if let Some(status) = given.status.filter(|status| *status != before.status) {
        let word = serde_json::to_value(status).ok().and_then(|word| word.as_str().map(ToOwned::to_owned));
        let word = word.unwrap_or_default();
        let detail = format!("{} changed it to {word}.", caller.user);
        steps.push(Step::new(at, StepKind::StatusChanged, word, detail));
    }
    for step in steps {
        // It explains; what is done is done.
        if let Err(error) = api.table.note(&scope, &id, &step).await {
            tracing::warn!(%error, lead = %id, "a step of a lead's life could not be written down");
        }
    }
    Ok(Json(details(&api, &scope, &id).await?))
}

async fn details(api: &Api, scope: &OrgScope, id: &LeadId) -> Result<LeadDetails, Problem> {
    let missing = || Problem::not_found("lead");
    let stored = match api.table.stored(scope, id).await?.ok_or_else(missing)? {
        Stored::Submission(submission) => api.table.stored(scope, &submission.lead_id).await?.ok_or_else(missing)?,
        lead @ Stored::Lead(_) => lead,
    };
    let Stored::Lead(lead) = stored else { return Err(missing()) };
    let submissions =
        if lead.submissions_count == 0 { Vec::new() } else { api.table.submissions(scope, &lead.id).await? };
    Ok(LeadDetails { lead: *lead, submissions })
}
