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
use leadwire::ids::{FormId, LeadId, PageId};
use leadwire::leads::{LeadDetails, LeadIn, LeadList};
use leadwire::model::lead::query::{Assignee, LeadQuery};
use utoipa::IntoParams;

use crate::access::{Access, Failure, OrgHeader};
use crate::input::{Input, Parameters};
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
    /// `Meta` or `Import`.
    source: Option<String>,
    /// `Facebook Lead Ad`, `Instagram Lead Ad` or `Imported File`.
    tag: Option<String>,
    page_id: Option<String>,
    form_id: Option<String>,
    /// Meta's id of a campaign; with `form_id`, the leads of its form are searched only.
    campaign_id: Option<String>,
    /// A user's id, or `unassigned`.
    assigned_to: Option<String>,
    /// `new`, `contacted`, `qualified`, `converted` or `lost`.
    status: Option<String>,
    /// Submitted at or after this time or day.
    from: Option<String>,
    /// Submitted before this time or day.
    to: Option<String>,
    /// `next_cursor` of the previous response.
    cursor: Option<String>,
    /// 1 to 100; 25 by default.
    limit: Option<u8>,
}

/// List the org's leads
///
/// Newest submission first; those that are searched for by name, by that.
#[utoipa::path(
    get, path = "/api/leads", tag = "leads", operation_id = "listLeads",
    params(LeadParameters, OrgHeader),
    responses((status = 200, body = LeadList), Failure)
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
        "cursor",
        "limit",
    ])?;
    let text = |name: &str| parameters.get(name).map(str::to_owned);
    let query = LeadQuery {
        text: text("q"),
        source: text("source"),
        tag: text("tag"),
        page_id: parameters.id("page_id", PageId::parse)?,
        form_id: parameters.id("form_id", FormId::parse)?,
        campaign_id: text("campaign_id"),
        assigned_to: parameters.id("assigned_to", Assignee::parse)?,
        from: parameters.time("from")?,
        to: parameters.time("to")?,
        status: parameters.get("status").map(fields::status).transpose()?,
    };
    let limit = parameters.limit()?;
    Ok(Json(api.leads.list(&access.scope, &query, parameters.get("cursor"), limit).await?))
}

/// Get a lead
///
/// The id of a later submission returns the lead that it belongs to.
#[utoipa::path(
    get, path = "/api/leads/{id}", tag = "leads", operation_id = "readLead",
    params(("id" = String, Path), OrgHeader),
    responses((status = 200, body = LeadDetails), Failure)
)]
pub(crate) async fn read(
    State(api): State<Arc<Api>>,
    Access(access): Access,
    Id(id): Id<LeadId>,
) -> Result<Json<LeadDetails>, Problem> {
    Ok(Json(api.leads.get(&access.scope, &id).await?))
}

/// Update a lead
///
/// Sets the assignee by hand, whatever the integration's assignment says, the lead status, or what the CRM knows of the
/// lead. The round robin is not affected. A new status is reported to Meta, with the value, if the integration does that.
#[utoipa::path(
    patch, path = "/api/leads/{id}", tag = "leads", operation_id = "changeLead",
    params(("id" = String, Path), OrgHeader),
    request_body = LeadIn,
    responses((status = 200, body = LeadDetails), Failure)
)]
pub(crate) async fn change(
    State(api): State<Arc<Api>>,
    Access(access): Access,
    Id(id): Id<LeadId>,
    Input(input): Input<LeadIn>,
) -> Result<Json<LeadDetails>, Problem> {
    Ok(Json(api.leads.change(&access, &id, input).await?))
}
