//! Parked leads, tried again.

use futures_util::{StreamExt, TryStreamExt, stream};

use crate::error::WorkError;
use crate::ids::OrgScope;
use crate::model::delivery::LeadJob;
use crate::queue::{Message, Queue};
use crate::table::Table;
use crate::table::parked::ParkedLead;

/// Items deleted at once.
const AT_ONCE: usize = 8;

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
    stream::iter(unparking).buffer_unordered(AT_ONCE).try_collect::<()>().await?;
    Ok(())
}
