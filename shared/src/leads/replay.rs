//! Parked leads, tried again.

use crate::error::WorkError;
use crate::ids::{LeadId, OrgScope, UserId};
use crate::jobs::LeadJob;
use crate::model::lead::trace::{Step, StepKind};
use crate::queue::Queue;
use crate::table::parked::ParkedLead;
use crate::table::{Table, write_all};

/// What an org has parked and does not have otherwise. A lead that came in by another way since is taken off the list.
///
/// # Errors
/// If the table cannot be read or written.
pub async fn parked(table: &Table, scope: &OrgScope) -> Result<Vec<ParkedLead>, WorkError> {
    still_waiting(table, scope, table.parked(scope).await?).await
}

/// The same, some at a time: up to `limit` after a place, and where to go on. There may be fewer although more follow.
///
/// # Errors
/// If the table cannot be read or written.
pub async fn parked_from(
    table: &Table,
    scope: &OrgScope,
    after: Option<&LeadId>,
    limit: usize,
) -> Result<(Vec<ParkedLead>, Option<LeadId>), WorkError> {
    let (parked, next) = table.parked_from(scope, after, limit).await?;
    Ok((still_waiting(table, scope, parked).await?, next))
}

async fn still_waiting(table: &Table, scope: &OrgScope, parked: Vec<ParkedLead>) -> Result<Vec<ParkedLead>, WorkError> {
    let ids: Vec<LeadId> = parked.iter().map(|lead| LeadId::from_leadgen(&lead.leadgen_id)).collect();
    let stored = table.stored_among(scope, &ids).await?;
    let (there, waiting): (Vec<_>, Vec<_>) = parked.into_iter().zip(ids).partition(|(_, id)| stored.contains(id));
    for (lead, _) in there {
        table.unpark(scope, &lead).await?;
    }
    Ok(waiting.into_iter().map(|(lead, _)| lead).collect())
}

/// Leads that are put back in one go.
const PAGE_SIZE: usize = 100;

/// Why parked leads are tried again.
#[derive(Debug, Clone, Copy)]
pub enum Replaying<'a> {
    /// Somebody wants it.
    By(&'a UserId),
    /// The integration, or the page, is well again.
    Recovered,
}

/// Puts parked leads back into the queue, for this org only.
///
/// First into the queue, then off the list: in between a lead is in both places, never in none. One that fails again
/// meanwhile is on the list anew, and stays there.
///
/// # Errors
/// If queue or table do not take it; some may be in the queue then, and those come in once all the same.
pub async fn replay(
    table: &Table,
    queue: &Queue<LeadJob>,
    scope: &OrgScope,
    parked: &[ParkedLead],
    why: Replaying<'_>,
) -> Result<(), WorkError> {
    let job = |lead: &ParkedLead| LeadJob { only_for: Some(scope.org().clone()), ..lead.job.clone() };
    let (cause, detail) = match why {
        Replaying::By(user) => ("manual", format!("{user} had it tried again.")),
        Replaying::Recovered => ("recovered", "What kept it out is repaired: it was tried again.".to_owned()),
    };
    let step = Step::new(crate::clock::now(), StepKind::Replayed, cause, detail);
    // In stretches: whoever is cut off has less to do the next time.
    for parked in parked.chunks(PAGE_SIZE) {
        queue.send(&parked.iter().map(job).collect::<Vec<_>>()).await?;
        write_all(parked.iter().map(|lead| table.unpark(scope, lead)).collect()).await?;
        let ids: Vec<LeadId> = parked.iter().map(|lead| LeadId::from_leadgen(&lead.leadgen_id)).collect();
        write_all(ids.iter().map(|id| table.note(scope, id, &step)).collect()).await?;
    }
    Ok(())
}
