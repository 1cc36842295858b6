//! Evidence that leads arrive: the trace of one lead, and latencies.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use leadwire::http::Problem;
use leadwire::http::path::Id;
use leadwire::ids::LeadId;
use leadwire::leads::{LatencyReport, Trace};

use crate::access::{Access, OrgHeader};
use crate::input::Parameters;
use crate::schemas::Day;
use crate::state::Api;

/// Get a lead's trace
///
/// Every step with its time and cause: received, tried, parked, fetched, mapped, deduplicated, assigned, published, and
/// changes by users. A lead that is not ingested yet has a trace, too.
#[utoipa::path(
    get, path = "/api/leads/{id}/trace", tag = "leads", operation_id = "readTrace",
    params(("id" = LeadId, Path, description = "The id of the lead or of a later submission; for leads from Meta, `meta-` followed by the leadgen id"), OrgHeader),
    responses((status = 200, body = Trace))
)]
pub(crate) async fn read_trace(
    State(api): State<Arc<Api>>,
    Access(access): Access,
    Id(id): Id<LeadId>,
) -> Result<Json<Trace>, Problem> {
    Ok(Json(api.rooms.leads.trace(&access.scope, &id).await?))
}

/// Get the latency of leads
///
/// From the person's submission to the CRM, by day.
#[utoipa::path(
    get, path = "/api/leads/latency", tag = "leads", operation_id = "readLatency",
    params(
        ("from" = Option<Day>, Query, description = "The first day, in UTC; six days before `to` by default"),
        ("to" = Option<Day>, Query, description = "The last day; today by default"),
        OrgHeader
    ),
    responses((status = 200, body = LatencyReport))
)]
pub(crate) async fn latency(
    State(api): State<Arc<Api>>,
    Access(access): Access,
    parameters: Parameters,
) -> Result<Json<LatencyReport>, Problem> {
    parameters.check(&["from", "to"])?;
    Ok(Json(api.rooms.leads.latency(&access.scope, parameters.day("from")?, parameters.day("to")?).await?))
}
