//! Lists parked leads, and replays parked and waiting ones once their obstacle is removed.
#![expect(missing_docs, reason = "a field whose name says it all has no description in the API's document either")]

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Leads;
use crate::cursor::ListCursor;
use crate::directory::MetaAccess;
use crate::error::{ActError, WorkError};
use crate::ids::{LeadId, OrgScope, PageId, UserId};
use crate::jobs::LeadJob;
use crate::model::lead::trace::{Step, StepKind};
use crate::queue::Queue;
use crate::table::parked::{Hold, ParkedLead};
use crate::table::{Table, write_all};

/// Parked leads.
#[derive(Debug, Serialize, ToSchema)]
pub struct ParkedList {
    pub items: Vec<ParkedLead>,
    /// Pass it as `cursor` for the next page; `null` at the end. It can be set although the page has fewer items than
    /// `limit`.
    pub next_cursor: Option<String>,
}

/// Which parked leads to replay.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReplayRequest {
    /// Their leadgen ids; by default all.
    pub leadgen_ids: Option<Vec<String>>,
}

/// The result of a replay.
#[derive(Debug, Serialize, ToSchema)]
pub struct Replayed {
    /// Number of leads put back into the queue. One that fails again is parked again.
    pub replayed: usize,
}

impl Leads {
    /// Lists the parked leads. A lead that arrived in another way since is removed from the list.
    pub async fn parked(&self, access: &MetaAccess, after: Option<&str>, limit: usize) -> Result<ParkedList, ActError> {
        let cursor = ListCursor::new(&self.key, &access.scope, "parked");
        let after: Option<LeadId> = cursor.decode(after)?;
        let (parked, next) = self.table.parked_from(&access.scope, after.as_ref(), limit).await?;
        let items = drop_stored(&self.table, &access.scope, parked).await?;
        Ok(ParkedList { items, next_cursor: next.map(|lead| cursor.encode(&lead)) })
    }

    /// Puts parked leads back into the queue.
    pub async fn replay(&self, access: &MetaAccess, request: ReplayRequest) -> Result<Replayed, ActError> {
        let mut parked = parked(&self.table, &access.scope).await?;
        if let Some(ids) = &request.leadgen_ids {
            parked.retain(|lead| ids.iter().any(|id| id == lead.leadgen_id.as_str()));
        }
        replay(&self.table, &self.queue, &access.scope, &parked, ReplayCause::User(&access.caller.user)).await?;
        Ok(Replayed { replayed: parked.len() })
    }
}

/// Lists all leads that an org has parked and not stored. A lead that arrived in another way since is removed from the
/// list.
pub async fn parked(table: &Table, scope: &OrgScope) -> Result<Vec<ParkedLead>, WorkError> {
    drop_stored(table, scope, table.parked(scope).await?).await
}

async fn drop_stored(table: &Table, scope: &OrgScope, parked: Vec<ParkedLead>) -> Result<Vec<ParkedLead>, WorkError> {
    let ids: Vec<LeadId> = parked.iter().map(|lead| LeadId::from_leadgen(&lead.leadgen_id)).collect();
    let stored = table.find_stored(scope, &ids).await?;
    let (there, waiting): (Vec<_>, Vec<_>) = parked.into_iter().zip(ids).partition(|(_, id)| stored.contains(id));
    for (lead, _) in there {
        table.release(scope, Hold::Parked, &lead).await?;
    }
    Ok(waiting.into_iter().map(|(lead, _)| lead).collect())
}

/// Leads put back together.
const PAGE_SIZE: usize = 100;

/// Why parked leads are replayed.
#[derive(Debug, Clone, Copy)]
pub enum ReplayCause<'a> {
    /// A user requested it.
    User(&'a UserId),
    /// The integration, or the page, works again.
    Recovered,
}

/// Puts parked leads back into the queue, for this org only.
///
/// A lead is sent before it is removed from the list, so that it may briefly be in both places but never in neither. A
/// lead that fails again meanwhile is listed again, and stays listed.
///
/// # Errors
/// After an error, some leads may be in the queue. They are ingested once all the same.
pub async fn replay(
    table: &Table,
    queue: &Queue<LeadJob>,
    scope: &OrgScope,
    parked: &[ParkedLead],
    cause: ReplayCause<'_>,
) -> Result<(), WorkError> {
    requeue(table, queue, scope, Hold::Parked, parked, cause).await
}

/// Puts the leads of a page that have waited since before `now` back into the queue. See [`replay`].
///
/// # Errors
/// As [`replay`].
pub(super) async fn replay_waiting(
    table: &Table,
    queue: &Queue<LeadJob>,
    scope: &OrgScope,
    page: &PageId,
    now: Timestamp,
) -> Result<(), WorkError> {
    loop {
        let mut waiting = table.waiting(scope, Some(page), PAGE_SIZE).await?;
        // One that is held again already has failed again.
        waiting.retain(|lead| lead.parked_at < now);
        if waiting.is_empty() {
            return Ok(());
        }
        tracing::info!(org = %scope.org(), %page, leads = waiting.len(), "leads that waited are queued again");
        requeue(table, queue, scope, Hold::Waiting, &waiting, ReplayCause::Recovered).await?;
    }
}

async fn requeue(
    table: &Table,
    queue: &Queue<LeadJob>,
    scope: &OrgScope,
    hold: Hold,
    leads: &[ParkedLead],
    cause: ReplayCause<'_>,
) -> Result<(), WorkError> {
    let job = |lead: &ParkedLead| LeadJob { only_for: Some(scope.org().clone()), ..lead.job.clone() };
    let (cause, detail) = match cause {
        ReplayCause::User(user) => ("manual", format!("{user} requested another attempt.")),
        ReplayCause::Recovered => ("recovered", "Its obstacle is removed, so it was queued again.".to_owned()),
    };
    let step = Step::new(crate::clock::now(), StepKind::Replayed, cause, detail);
    // Chunk by chunk, so that an interrupted replay leaves less to do.
    for leads in leads.chunks(PAGE_SIZE) {
        queue.send(&leads.iter().map(job).collect::<Vec<_>>()).await?;
        write_all(leads.iter().map(|lead| table.release(scope, hold, lead)).collect()).await?;
        let ids: Vec<LeadId> = leads.iter().map(|lead| LeadId::from_leadgen(&lead.leadgen_id)).collect();
        write_all(ids.iter().map(|id| table.note(scope, id, &step)).collect()).await?;
    }
    Ok(())
}
