//! Whether the other schedules still call. One that is off alone would be missed by no one: nothing fails.

use jiff::{SignedDuration, Timestamp};
use leadwire::table::{Table, TableError};
use strum::IntoEnumIterator;

use crate::Schedule;

impl Schedule {
    /// How long it may not have called: several times its interval in the template, a run that failed included.
    fn longest_silence(self) -> SignedDuration {
        match self {
            Self::PublishWorker
            | Self::AnswerWorker
            | Self::ConversionWorker
            | Self::DeliveryWorker
            | Self::LeadNotice => SignedDuration::from_mins(15),
            Self::LeadSweep | Self::AdsSync | Self::ExpiryNotice => SignedDuration::from_hours(1),
            Self::SocialSync => SignedDuration::from_hours(2),
            Self::LeadRetention => SignedDuration::from_hours(50),
        }
    }
}

/// Records that a schedule has called, and logs those that have not for long. What cannot be recorded or read is logged
/// too, and the work goes on.
pub(super) async fn watch(table: &Table, caller: Schedule, now: Timestamp) {
    match watch_all(table, caller, now).await {
        Ok(late) => late.into_iter().for_each(|(schedule, called_at)| {
            tracing::error!(schedule, %called_at, metric = "schedules_late", "a schedule has not run for a long time");
        }),
        Err(error) => tracing::warn!(%error, "the schedules could not be checked"),
    }
}

/// Returns the schedules that have not called for long, each with its last call.
async fn watch_all(
    table: &Table,
    caller: Schedule,
    now: Timestamp,
) -> Result<Vec<(&'static str, Timestamp)>, TableError> {
    table.record_schedule_call(caller.into(), now).await?;
    let names: Vec<&'static str> = Schedule::iter().map(Into::into).collect();
    let calls = table.schedule_calls(&names).await?;
    let mut late = Vec::new();
    for schedule in Schedule::iter() {
        let name: &'static str = schedule.into();
        match calls.get(name) {
            Some(at) if now.duration_since(*at) > schedule.longest_silence() => late.push((name, *at)),
            Some(_) => {}
            // It never has. Its silence counts from now.
            None => table.record_schedule_call(name, now).await?,
        }
    }
    Ok(late)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The intervals of the template, by the jobs that they name.
    #[test]
    fn no_schedule_is_late_between_two_calls() {
        let template = include_str!("../../../infra/template.yaml");
        let mut interval = None;
        let mut seen = 0;
        for line in template.lines().map(str::trim) {
            if let Some(expression) = line.strip_prefix("ScheduleExpression: ") {
                interval = Some(match expression.strip_prefix("rate(").and_then(|rest| rest.split_once(' ')) {
                    Some((minutes, _)) => SignedDuration::from_mins(minutes.parse().unwrap()),
                    None => SignedDuration::from_hours(24),
                });
            }
            let Some(input) = line.strip_prefix("Input: '").and_then(|rest| rest.strip_suffix('\'')) else { continue };
            let plan: crate::Plan = serde_json::from_str(input).unwrap();
            let name: &str = plan.job.into();
            let interval = interval.take().unwrap();
            assert!(plan.job.longest_silence() >= interval * 2, "{name} comes every {interval}");
            assert!(plan.job.longest_silence() <= (interval * 15).min(SignedDuration::from_hours(50)), "{name}");
            seen += 1;
        }
        assert_eq!(seen, Schedule::iter().count());
    }
}
