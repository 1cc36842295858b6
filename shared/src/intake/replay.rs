//! Parked leads, tried again.

use crate::error::WorkError;
use crate::ids::{LeadId, OrgScope};
use crate::model::delivery::LeadJob;
use crate::queue::{Message, Queue};
use crate::table::parked::ParkedLead;
use crate::table::{Table, write_all};

/// What an org has parked and does not have otherwise. A lead that came in by another way since is taken off the list.
///
/// # Errors
/// If the table cannot be read or written.
pub async fn parked(table: &Table, scope: &OrgScope) -> Result<Vec<ParkedLead>, WorkError> {
    let parked = table.parked(scope).await?;
    let ids: Vec<LeadId> = parked.iter().map(|lead| LeadId::from_leadgen(&lead.leadgen_id)).collect();
    let stored = table.stored_among(scope, &ids).await?;
    let (there, waiting): (Vec<_>, Vec<_>) = parked.into_iter().zip(ids).partition(|(_, id)| stored.contains(id));
    for (lead, _) in there {
        table.unpark(scope, &lead).await?;
    }
    Ok(waiting.into_iter().map(|(lead, _)| lead).collect())
}

/// Puts parked leads back into the queue, for this org only.
///
/// First into the queue, then off the list: in between a lead is in both places, never in none. One that fails again
/// meanwhile is on the list anew, and stays there.
///
/// # Errors
/// If queue or table do not take it; some may be in the queue then, and those come in once all the same.
pub async fn replay(table: &Table, queue: &Queue, scope: &OrgScope, parked: &[ParkedLead]) -> Result<(), WorkError> {
    let message = |lead: &ParkedLead| Message {
        body: serde_json::to_string(&LeadJob { only_for: Some(scope.org().clone()), ..lead.job.clone() })
            .unwrap_or_default(),
        group: lead.page_id.to_string(),
    };
    queue.send_all(parked.iter().map(message).collect()).await?;
    let unparking: Vec<_> = parked.iter().map(|lead| table.unpark(scope, lead)).collect();
    Ok(write_all(unparking).await?)
}
