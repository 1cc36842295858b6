//! Leads that wait for somebody to remove what keeps them out.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{MetaAccess, Services};
use crate::http::{Problem, cursor, place};
use crate::ids::LeadId;
use crate::leads::{Replaying, parked, parked_from, replay as replay_leads};
use crate::table::parked::ParkedLead;

/// Parked leads.
#[derive(Debug, Serialize, ToSchema)]
pub struct ParkedList {
    pub items: Vec<ParkedLead>,
    /// Pass it as `cursor` to go on; `null` at the end. It may be there although fewer than asked for were found.
    pub next_cursor: Option<String>,
}

/// What cursors of this list are good for.
const LIST: &str = "parked";

/// Which parked leads to try again.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReplayRequest {
    /// Their leadgen ids; all if left out.
    pub leadgen_ids: Option<Vec<String>>,
}

/// What was put back into the queue.
#[derive(Debug, Serialize, ToSchema)]
pub struct Replayed {
    /// How many. One that fails again is parked again.
    pub replayed: usize,
}

/// What is parked.
///
/// # Errors
/// If the cursor is not this list's, or the table cannot be read.
pub async fn list(
    services: &Services,
    access: &MetaAccess,
    after: Option<&str>,
    limit: usize,
) -> Result<ParkedList, Problem> {
    let key = &services.key;
    let after: Option<LeadId> = after.map(|given| place(key, &access.scope, LIST, given)).transpose()?;
    let (items, next) = parked_from(&services.table, &access.scope, after.as_ref(), limit).await?;
    Ok(ParkedList { items, next_cursor: next.map(|lead| cursor(key, &access.scope, LIST, &lead)) })
}

/// Tries parked leads again.
///
/// # Errors
/// If the table cannot be read, or the queue does not take them.
pub async fn replay(services: &Services, access: &MetaAccess, request: ReplayRequest) -> Result<Replayed, Problem> {
    let mut parked = parked(&services.table, &access.scope).await?;
    if let Some(ids) = &request.leadgen_ids {
        parked.retain(|lead| ids.iter().any(|id| id == lead.leadgen_id.as_str()));
    }
    replay_leads(&services.table, &services.leads, &access.scope, &parked, Replaying::By(&access.caller.user)).await?;
    Ok(Replayed { replayed: parked.len() })
}
