//! Proof that leads come: the life of each, and how long they take.

use jiff::civil::Date;
use serde::Serialize;
use utoipa::ToSchema;

use super::Services;
use crate::http::Problem;
use crate::ids::{LeadId, OrgScope};
use crate::leads::trace as life;
use crate::model::lead::latency::{Latencies, LatencySummary};
use crate::model::lead::trace::Step;

/// Days of one answer at most.
const MAX_DAYS: i32 = 100;

/// The life of a submission.
#[derive(Debug, Serialize, ToSchema)]
pub struct Trace {
    /// In the order in which it happened.
    pub items: Vec<Step>,
    /// Always `null`: all are listed.
    pub next_cursor: Option<String>,
}

/// How long leads take from submission to CRM.
#[derive(Debug, Serialize, ToSchema)]
pub struct LatencyReport {
    /// All days together.
    #[serde(flatten)]
    pub all: LatencySummary,
    /// The days on which leads came, oldest first.
    pub items: Vec<LatencyDay>,
    /// Always `null`: all are listed.
    pub next_cursor: Option<String>,
}

/// One day.
#[derive(Debug, Serialize, ToSchema)]
pub struct LatencyDay {
    /// In UTC.
    #[schema(value_type = String, format = Date)]
    pub day: Date,
    #[serde(flatten)]
    pub summary: LatencySummary,
}

/// The life of a lead, step by step, also of one that is not in yet.
///
/// # Errors
/// If nothing was ever heard of it, or the table cannot be read.
pub async fn trace(services: &Services, scope: &OrgScope, id: &str) -> Result<Trace, Problem> {
    let id = LeadId::parse(id).map_err(|_| Problem::not_found("lead"))?;
    let items = life(&services.table, scope, &id).await?;
    if items.is_empty() {
        return Err(Problem::not_found("lead"));
    }
    Ok(Trace { items, next_cursor: None })
}

/// How long leads took on these days, in UTC and both included: up to today, and for seven days, if they are left out.
///
/// # Errors
/// If there are too many days or none, or the table cannot be read.
pub async fn latency(
    services: &Services,
    scope: &OrgScope,
    from: Option<Date>,
    to: Option<Date>,
) -> Result<LatencyReport, Problem> {
    let to = to.unwrap_or_else(|| crate::clock::now().to_zoned(jiff::tz::TimeZone::UTC).date());
    let week_before = || to.checked_sub(jiff::Span::new().days(6)).unwrap_or(to);
    let from = from.unwrap_or_else(week_before);
    let days = from.until(to).map_or(i32::MAX, |span| span.get_days());
    if !(0..MAX_DAYS).contains(&days) {
        return Err(Problem::field("from", "range_invalid", format!("A day up to {MAX_DAYS} days before to.")));
    }
    let days = services.table.latencies(scope, from, to).await?;
    let all = days.iter().fold(Latencies::default(), |all, (_, day)| all.and(day)).summary();
    let items = days.iter().map(|(day, latencies)| LatencyDay { day: *day, summary: latencies.summary() }).collect();
    Ok(LatencyReport { all, items, next_cursor: None })
}
