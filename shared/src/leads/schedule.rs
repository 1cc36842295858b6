//! The schedule's part of the sweep: a message for each integration, and how many integrations are in which state.

use jiff::Timestamp;
use rand::seq::SliceRandom;

use crate::error::WorkError;
use crate::jobs::{SweepJob, SweepKind};
use crate::metrics::{self, Metric};
use crate::model::org::{Wanted, interleave_by_org};
use crate::queue::Queue;
use crate::table::Table;
use crate::table::integration::Due;

/// Sends a message for each integration, or each of one org, and returns their number. Then counts the integrations of all
/// orgs by their state. `wanted.everything` has all forms compared, whatever their counts say.
///
/// # Errors
/// If the queue refuses messages. The next schedule sends them again.
pub async fn start_sweeps(
    table: &Table,
    queue: &Queue<SweepJob>,
    wanted: Wanted<'_>,
    now: Timestamp,
) -> Result<usize, WorkError> {
    // The index contains every integration that needs checks, due or not.
    let due = table.due_integrations(None).await?;
    let mut integrations: Vec<&Due> = due.iter().filter(|due| wanted.concerns(due.scope.org())).collect();
    // Another order each time: if there is not enough time for all, it is not missing for the same ones.
    integrations.shuffle(&mut rand::rng());
    let integrations = interleave_by_org(integrations, |due| due.scope.org().clone());
    let kind = if wanted.everything { SweepKind::Everything } else { SweepKind::Regular { planned_at: now } };
    let job =
        |due: &&Due| SweepJob { org: due.scope.org().clone(), integration_id: due.id.clone(), kind: kind.clone() };
    let jobs: Vec<SweepJob> = integrations.iter().map(job).collect();
    queue.send(&jobs).await?;
    if wanted.org.is_none()
        && let Err(error) = count_states(table, &due, now).await
    {
        tracing::warn!(%error, "the integrations could not be counted");
    }
    Ok(jobs.len())
}

/// Counts integrations by what their own items say: half a read unit each. What only their pages know, such as that one is
/// quiet, costs a query each and has alarms of its own.
async fn count_states(table: &Table, due: &[Due], now: Timestamp) -> Result<(), WorkError> {
    // An item in DynamoDB's types takes several times the memory of an integration.
    const ITEMS_AT_ONCE: usize = 100;
    let mut states = Vec::with_capacity(due.len());
    for due in due.chunks(ITEMS_AT_ONCE) {
        let integrations = table.integrations_due(due).await?;
        states.extend(integrations.iter().map(|integration| integration.lead_state([], now).severity));
    }
    metrics::gauge(Metric::Integrations, &states);
    Ok(())
}
