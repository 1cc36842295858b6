//! Evidence that leads arrive: the trace of one lead, and latencies.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use leadwire::http::path::Id;
use leadwire::http::{Problem, fields};
use leadwire::ids::LeadId;
use leadwire::leads::{LatencyReport, Trace};
use serde::Deserialize;
use utoipa::IntoParams;

use crate::access::{Access, Failure, OrgHeader};
use crate::input::Params;
use crate::state::Api;

/// The days of the report.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct LatencyQuery {
    /// The first day, in UTC; six days before `to` by default.
    from: Option<String>,
    /// The last day; today by default.
    to: Option<String>,
}

/// Get a lead's trace
///
/// Every step with its time and cause: received, tried, parked, fetched, mapped, deduplicated, assigned, published, and
/// changes by users. A lead that is not ingested yet has a trace, too.
#[utoipa::path(
    get, path = "/api/leads/{id}/trace", tag = "leads", operation_id = "readTrace",
    params(("id" = String, Path, description = "The id of the lead or of a later submission; for leads from Meta, `meta-` followed by the leadgen id"), OrgHeader),
    responses((status = 200, body = Trace), Failure)
)]
pub(crate) async fn read_trace(
    State(api): State<Arc<Api>>,
    Access(access): Access,
    Id(id): Id<LeadId>,
) -> Result<Json<Trace>, Problem> {
    Ok(Json(api.leads.trace(&access.scope, &id).await?))
}

/// Get the latency of leads
///
/// From the person's submission to the CRM, by day.
#[utoipa::path(
    get, path = "/api/leads/latency", tag = "leads", operation_id = "readLatency",
    params(LatencyQuery, OrgHeader),
    responses((status = 200, body = LatencyReport), Failure)
)]
pub(crate) async fn latency(
    State(api): State<Arc<Api>>,
    Access(access): Access,
    Params(query): Params<LatencyQuery>,
) -> Result<Json<LatencyReport>, Problem> {
    let to = query.to.map(|text| fields::day("to", &text)).transpose()?;
    let from = query.from.map(|text| fields::day("from", &text)).transpose()?;
    Ok(Json(api.leads.latency(&access.scope, from, to).await?))
}
