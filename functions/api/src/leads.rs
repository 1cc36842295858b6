//! The org's leads.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use leadwire::admin::fields;
use leadwire::admin::leads::{self, LeadDetails, LeadIn, LeadList, LeadQuestion};
use leadwire::http::Problem;
use utoipa::IntoParams;

use crate::access::Access;
use crate::input::{Input, Parameters};
use crate::state::Api;

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

/// The org's leads
#[utoipa::path(
    get, path = "/api/leads", tag = "leads", operation_id = "listLeads",
    params(LeadQuery, ("orgid" = String, Header, description = "The org to act for")),
    responses((status = 200, body = LeadList), (status = "4XX", body = Problem, content_type = "application/problem+json"))
)]
pub(crate) async fn list(
    State(api): State<Arc<Api>>,
    Access(access): Access,
    parameters: Parameters,
) -> Result<Json<LeadList>, Problem> {
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
    let text = |name: &str| parameters.get(name).map(str::to_owned);
    let asked = LeadQuestion {
        source: text("source"),
        tag: text("tag"),
        page_id: text("page_id"),
        form_id: text("form_id"),
        assigned_to: text("assigned_to"),
        from: parameters.time("from")?,
        to: parameters.time("to")?,
        status: parameters.get("status").map(leads::status).transpose()?,
    };
    let limit = fields::limit(parameters.get("limit"))?;
    leads::list(&api.services, &access.scope, &asked, parameters.get("cursor"), limit).await.map(Json)
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
    Access(access): Access,
    Path(id): Path<String>,
) -> Result<Json<LeadDetails>, Problem> {
    leads::read(&api.services, &access.scope, &id).await.map(Json)
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
    Access(access): Access,
    Path(id): Path<String>,
    Input(given): Input<LeadIn>,
) -> Result<Json<LeadDetails>, Problem> {
    leads::change(&api.services, &access, &id, given).await.map(Json)
}
