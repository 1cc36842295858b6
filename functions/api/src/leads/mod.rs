//! The org's leads over HTTP.

pub(crate) mod exports;
pub(crate) mod forms;
pub(crate) mod import;
pub(crate) mod mapping;
pub(crate) mod parked;
pub(crate) mod runs;
pub(crate) mod trace;

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use leadwire::http::path::Id;
use leadwire::http::{Problem, fields};
use leadwire::ids::{AdObjectId, FormId, LeadId, PageId, UserId};
use leadwire::leads::{LeadDetails, LeadIn, LeadList};
use leadwire::model::lead::query::{Assignee, LeadOrder, LeadQuery};
use leadwire::model::lead::{self, Status};
use utoipa::IntoParams;

use crate::access::{Access, OrgHeader};
use crate::input::{Input, Parameters};
use crate::schemas::{Cursor, Limit, Moment, Source, Tag};
use crate::state::Api;

/// Filters. A lead must match all that are given.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(
    dead_code,
    reason = "describes the parameters; they are read one by one, so that each can be named when it is wrong"
)]
pub(crate) struct LeadParameters {
    /// The beginning of a first, last or whole name, or a whole e-mail address, or a whole phone number. Case and accents
    /// are ignored. The list is then in the order of the names.
    q: Option<String>,
    source: Option<Source>,
    tag: Option<Tag>,
    page_id: Option<PageId>,
    form_id: Option<FormId>,
    /// Meta's id of a campaign; with `form_id`, the leads of its form are searched only.
    campaign_id: Option<AdObjectId>,
    /// A user's id, or `unassigned`.
    assigned_to: Option<UserId>,
    status: Option<Status>,
    /// Submitted at or after this time or day.
    from: Option<Moment>,
    /// Submitted before this time or day.
    to: Option<Moment>,
    /// `newest_first`, unless it says otherwise.
    order: Option<LeadOrder>,
    cursor: Option<Cursor>,
    limit: Option<Limit>,
}

/// List the org's leads
///
/// By the time of their submission; those that are searched for by name, by that.
#[utoipa::path(
    get, path = "/api/leads", tag = "leads", operation_id = "listLeads",
    params(LeadParameters, OrgHeader),
    responses((status = 200, body = LeadList))
)]
pub(crate) async fn list(
    State(api): State<Arc<Api>>,
    Access(access): Access,
    parameters: Parameters,
) -> Result<Json<LeadList>, Problem> {
    parameters.check(&[
        "q",
        "source",
        "tag",
        "page_id",
        "form_id",
        "campaign_id",
        "assigned_to",
        "status",
        "from",
        "to",
        "order",
        "cursor",
        "limit",
    ])?;
    let query = LeadQuery {
        text: parameters.get("q").map(ToOwned::to_owned),
        source: parameters.one_of("source", &lead::SOURCES)?.map(ToOwned::to_owned),
        tag: parameters.one_of("tag", &lead::TAGS)?.map(ToOwned::to_owned),
        page_id: parameters.id("page_id", PageId::parse)?,
        form_id: parameters.id("form_id", FormId::parse)?,
        campaign_id: parameters.id("campaign_id", AdObjectId::parse)?.map(|id| id.to_string()),
        assigned_to: parameters.id("assigned_to", Assignee::parse)?,
        from: parameters.time("from")?,
        to: parameters.time("to")?,
        status: parameters.get("status").map(fields::status).transpose()?,
        order: match parameters.one_of("order", &["newest_first", "oldest_first"])? {
            Some("oldest_first") => LeadOrder::OldestFirst,
            _ => LeadOrder::NewestFirst,
        },
    };
    let limit = parameters.limit()?;
    Ok(Json(api.rooms.leads.list(&access.scope, &query, parameters.get("cursor"), limit).await?))
}

/// Get a lead
///
/// The id of a later submission returns the lead that it belongs to.
#[utoipa::path(
    get, path = "/api/leads/{id}", tag = "leads", operation_id = "readLead",
    params(("id" = LeadId, Path), OrgHeader),
    responses((status = 200, body = LeadDetails))
)]
pub(crate) async fn read(
    State(api): State<Arc<Api>>,
    Access(access): Access,
    Id(id): Id<LeadId>,
) -> Result<Json<LeadDetails>, Problem> {
    Ok(Json(api.rooms.leads.get(&access.scope, &id).await?))
}

/// Update a lead
///
/// Sets the assignee by hand, whatever the integration's assignment says, the lead status, or what the CRM knows of the
/// lead. The round robin is not affected. A new status is reported to Meta, with the value, if the integration does that.
#[utoipa::path(
    patch, path = "/api/leads/{id}", tag = "leads", operation_id = "changeLead",
    params(("id" = LeadId, Path), OrgHeader),
    request_body = LeadIn,
    responses((status = 200, body = LeadDetails))
)]
pub(crate) async fn change(
    State(api): State<Arc<Api>>,
    Access(access): Access,
    Id(id): Id<LeadId>,
    Input(input): Input<LeadIn>,
) -> Result<Json<LeadDetails>, Problem> {
    Ok(Json(api.rooms.leads.change(&access, &id, input).await?))
}
