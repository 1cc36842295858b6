//! How long leads take from submission to the CRM.
#![expect(missing_docs, reason = "a field whose name says it all has no description in the API's document either")]

use jiff::civil::Date;
use serde::Serialize;
use utoipa::ToSchema;

use super::Leads;
use crate::error::{ActError, ErrorCode};
use crate::ids::OrgScope;
use crate::model::lead::latency::{Latencies, LatencySummary};

/// Days in one report.
const MAX_REPORT_DAYS: i32 = 100;

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

impl Leads {
    /// How long leads took on these days, in UTC and both included: up to today, and for seven days, if they are left out.
    ///
    /// # Errors
    /// If there are too many days or none, or the table cannot be read.
    pub async fn latency(
        &self,
        scope: &OrgScope,
        from: Option<Date>,
        to: Option<Date>,
    ) -> Result<LatencyReport, ActError> {
        let to = to.unwrap_or_else(|| crate::clock::now().to_zoned(jiff::tz::TimeZone::UTC).date());
        let week_before = || to.checked_sub(jiff::Span::new().days(6)).unwrap_or(to);
        let from = from.unwrap_or_else(week_before);
        let days = from.until(to).map_or(i32::MAX, |span| span.get_days());
        if !(0..MAX_REPORT_DAYS).contains(&days) {
            return Err(ActError::invalid(
                "from",
                ErrorCode::RangeInvalid,
                format!("A day up to {MAX_REPORT_DAYS} days before to."),
            ));
        }
        let days = self.table.latencies(scope, from, to).await?;
        let all = days.iter().fold(Latencies::default(), |all, (_, day)| all.and(day)).summary();
        let items =
            days.iter().map(|(day, latencies)| LatencyDay { day: *day, summary: latencies.summary() }).collect();
        Ok(LatencyReport { all, items, next_cursor: None })
    }
}
