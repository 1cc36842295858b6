//! Proof that leads come: the life of each, and how long they take.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use shared::http::Problem;
use shared::ids::LeadId;
use shared::intake::trace;
use shared::model::latency::{Latencies, LatencySummary};
use shared::model::trace::Step;
use utoipa::{IntoParams, ToSchema};

use crate::access::Access;
use crate::input::Params;
use crate::router::Api;

/// Days of one answer at most.
const MOST_DAYS: i32 = 100;

/// The life of a submission.
#[derive(Serialize, ToSchema)]
pub(crate) struct Trace {
    /// In the order in which it happened.
    items: Vec<Step>,
    /// Always `null`: all are listed.
    next_cursor: Option<String>,
}

/// Which days.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct LatencyQuery {
    /// The first day, in UTC; seven days ago if left out.
    from: Option<String>,
    /// The last day; today if left out.
    to: Option<String>,
}

/// How long leads take from submission to CRM.
#[derive(Serialize, ToSchema)]
pub(crate) struct LatencyReport {
    /// All days together.
    #[serde(flatten)]
    all: LatencySummary,
    /// The days on which leads came, oldest first.
    items: Vec<LatencyDay>,
    /// Always `null`: all are listed.
    next_cursor: Option<String>,
}

/// One day.
#[derive(Serialize, ToSchema)]
pub(crate) struct LatencyDay {
    /// In UTC.
    #[schema(value_type = String, format = Date)]
    day: Date,
    #[serde(flatten)]
    summary: LatencySummary,
}

/// The life of a lead
///
/// Every step with its time and cause: received, tried, parked, fetched, mapped, deduplicated, assigned, published, and
/// what people changed. It is there for a lead that is not in yet, too.
#[utoipa::path(
    get, path = "/api/leads/{id}/trace", tag = "leads", operation_id = "readTrace",
    params(("id" = String, Path, description = "The lead's id, or a later submission's; `meta-` and Meta's leadgen id"), ("orgid" = String, Header, description = "The org to act for")),
    responses((status = 200, body = Trace), (status = "4XX", body = Problem, content_type = "application/problem+json"))
)]
pub(crate) async fn read_trace(
    State(api): State<Arc<Api>>,
    Access { scope, .. }: Access,
    Path(id): Path<String>,
) -> Result<Json<Trace>, Problem> {
    let id = LeadId::parse(&id).map_err(|_| Problem::not_found("lead"))?;
    let items = trace(&api.table, &scope, &id).await?;
    if items.is_empty() {
        return Err(Problem::not_found("lead"));
    }
    Ok(Json(Trace { items, next_cursor: None }))
}

/// How long leads take
///
/// From the person's click to the CRM, by day.
#[utoipa::path(
    get, path = "/api/leads/latency", tag = "leads", operation_id = "readLatency",
    params(LatencyQuery, ("orgid" = String, Header, description = "The org to act for")),
    responses((status = 200, body = LatencyReport), (status = "4XX", body = Problem, content_type = "application/problem+json"))
)]
pub(crate) async fn latency(
    State(api): State<Arc<Api>>,
    Access { scope, .. }: Access,
    Params(query): Params<LatencyQuery>,
) -> Result<Json<LatencyReport>, Problem> {
    let day = |field: &str, given: Option<String>| match given {
        None => Ok(None),
        Some(text) => {
            let invalid = |_| Problem::field(field, "day_invalid", "A day such as 2026-01-31.");
            text.parse::<Date>().map(Some).map_err(invalid)
        }
    };
    let to = day("to", query.to)?.unwrap_or_else(|| shared::clock::now().to_zoned(jiff::tz::TimeZone::UTC).date());
    let week_before = || to.checked_sub(jiff::Span::new().days(6)).unwrap_or(to);
    let from = day("from", query.from)?.unwrap_or_else(week_before);
    let days = from.until(to).map_or(i32::MAX, |span| span.get_days());
    if !(0..MOST_DAYS).contains(&days) {
        return Err(Problem::field("from", "range_invalid", format!("A day up to {MOST_DAYS} days before to.")));
    }
    let days = api.table.latencies(&scope, from, to).await?;
    let all = days.iter().fold(Latencies::default(), |all, (_, day)| all.and(day)).summary();
    let items = days.iter().map(|(day, latencies)| LatencyDay { day: *day, summary: latencies.summary() }).collect();
    Ok(Json(LatencyReport { all, items, next_cursor: None }))
}
