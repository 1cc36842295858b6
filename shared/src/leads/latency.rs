//! How long leads take from submission to the CRM.
#![expect(missing_docs, reason = "a field whose name says it all has no description in the API's document either")]

use jiff::civil::Date;
use serde::Serialize;
use utoipa::ToSchema;

use super::Leads;
use crate::error::{ActError, ErrorCode};
use crate::ids::OrgScope;
use crate::model::lead::latency::{Latencies, LatencySummary};
use crate::tr;

/// The maximum number of days in one report.
const MAX_REPORT_DAYS: i32 = 100;

/// The latency of leads, from submission to the CRM.
#[derive(Debug, Serialize, ToSchema)]
pub struct LatencyReport {
    /// All days together.
    #[serde(flatten)]
    pub all: LatencySummary,
    /// The days on which leads arrived, oldest first.
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
    /// Reports how long leads took on the days from `from` to `to`, in UTC and inclusive. `to` defaults to today, and
    /// `from` to six days before `to`.
    ///
    /// # Errors
    /// Refuses a range that is empty or longer than a hundred days.
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
                tr!("A day that is not after to, in a range of at most {max} days.", max = MAX_REPORT_DAYS),
            ));
        }
        let days = self.table.latencies(scope, from, to).await?;
        let all = days.iter().fold(Latencies::default(), |all, (_, day)| all.and(day)).summary();
        let items =
            days.iter().map(|(day, latencies)| LatencyDay { day: *day, summary: latencies.summary() }).collect();
        Ok(LatencyReport { all, items, next_cursor: None })
    }
}
