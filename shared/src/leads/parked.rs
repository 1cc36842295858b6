//! Parks leads that cannot be ingested, lists them, and replays parked and waiting ones once their obstacle is removed.
#![expect(missing_docs, reason = "a field whose name says it all has no description in the API's document either")]

use std::borrow::Cow;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Arrival, Ingest, Leads};
use crate::cursor::ListCursor;
use crate::directory::{Access, MetaAccess};
use crate::error::{ActError, ErrorCode, WorkError};
use crate::ids::{LeadId, LeadgenId, OrgScope, PageId, UserId};
use crate::jobs::{LeadBatch, LeadJob};
use crate::metrics::{self, Metric};
use crate::model::failure::FailureCode;
use crate::model::lead::trace::{Step, StepKind};
use crate::queue::Queue;
use crate::retry::Verdict;
use crate::table::parked::{Hold, ParkedLead};
use crate::table::{Table, write_all};
use crate::{phrase, tr};

/// Parked leads.
#[derive(Debug, Serialize, ToSchema)]
pub struct ParkedList {
    pub items: Vec<ParkedOut>,
    /// Pass it as `cursor` for the next page; `null` at the end. It can be set although the page has fewer items than
    /// `limit`.
    pub next_cursor: Option<String>,
}

/// A parked lead.
#[derive(Debug, Serialize, ToSchema)]
pub struct ParkedOut {
    #[serde(flatten)]
    pub lead: ParkedLead,
    /// The reason in words.
    pub reason_message: Cow<'static, str>,
    /// How to fix it, before a replay.
    pub fix: Cow<'static, str>,
}

/// Some of the parked leads.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ParkedSelection {
    /// Their leadgen ids; by default all.
    pub leadgen_ids: Option<Vec<String>>,
    /// Only those that are parked for this reason.
    pub reason: Option<FailureCode>,
}

impl ParkedSelection {
    fn includes(&self, lead: &ParkedLead) -> bool {
        self.leadgen_ids.as_ref().is_none_or(|ids| ids.iter().any(|id| id == lead.leadgen_id.as_str()))
            && self.reason.is_none_or(|reason| lead.reason == reason)
    }
}

/// The result of a dismissal.
#[derive(Debug, Serialize, ToSchema)]
pub struct Dismissed {
    /// Number of leads that were dismissed.
    pub dismissed: usize,
}

/// The result of a replay.
#[derive(Debug, Serialize, ToSchema)]
pub struct Replayed {
    /// Number of leads put back into the queue. One that fails again is parked again.
    pub replayed: usize,
}

/// Deliveries after which a lead that still cannot be ingested is parked, or waits.
pub const MAX_RECEIVES: u32 = 10;

impl Ingest {
    /// Records a step of a lead's trace. A failure is only logged, because nothing depends on the step.
    async fn note(&self, scope: &OrgScope, leadgen_id: &LeadgenId, step: &Step) {
        if let Err(error) = self.writer.table.note(scope, &LeadId::from_leadgen(leadgen_id), step).await {
            tracing::warn!(%error, %leadgen_id, "a step of a lead's trace could not be recorded");
        }
    }

    /// Parks a lead whose error no retry can fix, or that was retried too often. Behind a temporary failure it waits
    /// instead, because an outage or a throttle needs no admin.
    pub(super) async fn park_or_retry(
        &self,
        scope: &OrgScope,
        arrival: &Arrival,
        error: WorkError,
        now: Timestamp,
    ) -> Result<(), WorkError> {
        let is_permanent = error.verdict() == Verdict::GiveUp;
        if !is_permanent && arrival.receive_count < MAX_RECEIVES {
            arrival.trace.within(|| {
                tracing::info!(%error, code = %error.code(), leadgen_id = %arrival.job.notice.leadgen_id, org = %scope.org(), receive_count = arrival.receive_count, "lead not ingested yet; it will be retried");
            });
            if !matches!(error, WorkError::Paused(_)) {
                let step = Step::new(crate::clock::now(), StepKind::Tried, error.code().to_string(), evidence(&error));
                self.note(scope, &arrival.job.notice.leadgen_id, &step).await;
            }
            return Err(error);
        }
        let leadgen_id = &arrival.job.notice.leadgen_id;
        let id = LeadId::from_leadgen(leadgen_id);
        if self.writer.table.find_lead(scope, &id).await?.is_some() {
            // The lead is stored. If it could not be published, the dead-letter queue holds it until that is possible.
            return if matches!(error, WorkError::Bus(_)) { Err(error) } else { Ok(()) };
        }
        if self.writer.table.is_dismissed(scope, &id).await? {
            return Ok(());
        }
        let parked = ParkedLead {
            leadgen_id: leadgen_id.clone(),
            page_id: arrival.job.notice.page_id.clone(),
            reason: error.code(),
            evidence: evidence(&error),
            parked_at: now,
            // Its run is done with it.
            job: LeadJob { run: None, ..arrival.job.clone() },
        };
        let step = if !is_permanent && parked.reason.is_temporary() {
            arrival.trace.within(|| {
                tracing::warn!(%error, code = %parked.reason, %leadgen_id, org = %scope.org(), metric = "leads_waiting", "lead waits until its page can be read again");
            });
            self.writer.table.hold(scope, Hold::Waiting, &parked).await?;
            StepKind::Waiting
        } else {
            arrival.trace.within(|| {
                tracing::error!(%error, code = %parked.reason, %leadgen_id, org = %scope.org(), metric = "leads_parked", "lead parked");
            });
            self.writer.table.hold(scope, Hold::Parked, &parked).await?;
            metrics::count(Metric::LeadsParkedBy(parked.reason), 1);
            StepKind::Parked
        };
        let step = Step::new(crate::clock::now(), step, parked.reason.to_string(), parked.evidence);
        self.note(scope, leadgen_id, &step).await;
        Ok(())
    }
}

/// Returns what an admin may see of an error: Meta's message, but only the code of an AWS failure.
fn evidence(error: &WorkError) -> String {
    match error {
        WorkError::Graph(error) => error.to_string(),
        WorkError::NotInPlan | WorkError::Paused(_) => error.to_string(),
        other => other.code().to_string(),
    }
}

impl Leads {
    /// Lists the parked leads. A lead that arrived in another way since is removed from the list.
    pub async fn parked(&self, access: &Access, after: Option<&str>, limit: usize) -> Result<ParkedList, ActError> {
        let cursor = ListCursor::new(&self.key, &access.scope, "parked");
        let after: Option<LeadId> = cursor.decode(after)?;
        let (parked, next) = self.table.for_display().parked_from(&access.scope, after.as_ref(), limit).await?;
        let items = drop_stored(&self.table, &access.scope, parked).await?;
        let items = items
            .into_iter()
            .map(|lead| ParkedOut { reason_message: lead.reason.message(), fix: lead.reason.fix(), lead })
            .collect();
        Ok(ParkedList { items, next_cursor: next.map(|lead| cursor.encode(&lead)) })
    }

    /// Counts the org's parked leads, up to `limit`.
    pub async fn count_parked(&self, scope: &OrgScope, limit: usize) -> Result<usize, ActError> {
        Ok(self.table.count_parked(scope, limit).await?)
    }

    /// Puts parked leads back into the queue.
    pub async fn replay(&self, access: &MetaAccess, request: ParkedSelection) -> Result<Replayed, ActError> {
        let cause = ReplayCause::User(&access.caller.user);
        let is_wanted = |lead: &ParkedLead| request.includes(lead);
        let replayed = replay(&self.table, &self.queue, &access.scope, cause, is_wanted).await?;
        Ok(Replayed { replayed })
    }

    /// Dismisses parked leads: they are not listed, tried or parked again.
    ///
    /// # Errors
    /// Refuses a selection that names neither leads nor a reason, because it would dismiss all of them.
    pub async fn dismiss(&self, access: &MetaAccess, request: ParkedSelection) -> Result<Dismissed, ActError> {
        if request.leadgen_ids.is_none() && request.reason.is_none() {
            let message = tr!("Name the leads to dismiss, or the reason for which they are parked.");
            return Err(ActError::invalid("leadgen_ids", ErrorCode::ListInvalid, message));
        }
        let (table, scope) = (&self.table, &access.scope);
        let detail = format!("{} dismissed it.", access.caller.user);
        let (mut dismissed, mut after) = (0, None);
        loop {
            let (parked, next) = table.parked_from(scope, after.as_ref(), PAGE_SIZE).await?;
            let mut chosen = drop_stored(table, scope, parked).await?;
            chosen.retain(|lead| request.includes(lead));
            for leads in chosen.chunks(100) {
                // First the mark that keeps a search from parking it again.
                write_all(leads.iter().map(|lead| table.hold(scope, Hold::Dismissed, lead)).collect()).await?;
                write_all(leads.iter().map(|lead| table.release(scope, Hold::Parked, lead)).collect()).await?;
                let step = Step::new(crate::clock::now(), StepKind::Dismissed, "manual", &detail);
                let ids: Vec<LeadId> = leads.iter().map(|lead| LeadId::from_leadgen(&lead.leadgen_id)).collect();
                write_all(ids.iter().map(|id| table.note(scope, id, &step)).collect()).await?;
            }
            dismissed += chosen.len();
            match next {
                Some(_) => after = next,
                None => return Ok(Dismissed { dismissed }),
            }
        }
    }
}

/// Lists up to `limit` leads that an org has parked and not stored. A lead that arrived in another way since is removed
/// from the list.
pub async fn parked(table: &Table, scope: &OrgScope, limit: usize) -> Result<Vec<ParkedLead>, WorkError> {
    drop_stored(table, scope, table.parked_from(scope, None, limit).await?.0).await
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

/// Leads read and put back together.
const PAGE_SIZE: usize = 500;

/// Why parked leads are replayed.
#[derive(Debug, Clone, Copy)]
pub enum ReplayCause<'a> {
    /// A user requested it.
    User(&'a UserId),
    /// The integration, or the page, works again.
    Recovered,
}

/// Puts the parked leads that are wanted back into the queue, for this org only, and returns how many these are.
///
/// A lead is sent before it is removed from the list, so that it may briefly be in both places but never in neither. A
/// lead that fails again meanwhile is listed again, and stays listed.
///
/// # Errors
/// After an error, some leads may be in the queue. They are ingested once all the same.
pub async fn replay(
    table: &Table,
    queue: &Queue<LeadBatch>,
    scope: &OrgScope,
    cause: ReplayCause<'_>,
    is_wanted: impl Fn(&ParkedLead) -> bool,
) -> Result<usize, WorkError> {
    let begun = crate::clock::now();
    let (mut replayed, mut after) = (0, None);
    loop {
        let (parked, next) = table.parked_from(scope, after.as_ref(), PAGE_SIZE).await?;
        let mut open = drop_stored(table, scope, parked).await?;
        // One parked since then was replayed already, and has failed again.
        open.retain(|lead| lead.parked_at <= begun && is_wanted(lead));
        requeue(table, queue, scope, Hold::Parked, &open, cause).await?;
        replayed += open.len();
        match next {
            Some(_) => after = next,
            None => return Ok(replayed),
        }
    }
}

/// Puts the leads of a page that have waited since before `now` back into the queue. See [`replay`].
///
/// # Errors
/// As [`replay`].
pub(super) async fn replay_waiting(
    table: &Table,
    queue: &Queue<LeadBatch>,
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
    queue: &Queue<LeadBatch>,
    scope: &OrgScope,
    hold: Hold,
    leads: &[ParkedLead],
    cause: ReplayCause<'_>,
) -> Result<(), WorkError> {
    let job = |lead: &ParkedLead| LeadJob { only_for: Some(scope.org().clone()), ..lead.job.clone() };
    let (cause, detail) = match cause {
        ReplayCause::User(user) => ("manual", format!("{user} requested another attempt.")),
        ReplayCause::Recovered => {
            ("recovered", phrase!("The cause is fixed, so the lead was queued again.").to_owned())
        }
    };
    let step = Step::new(crate::clock::now(), StepKind::Replayed, cause, detail);
    // Chunk by chunk, so that an interrupted replay leaves less to do.
    for leads in leads.chunks(100) {
        queue.send(&LeadBatch::pack(leads.iter().map(job).collect())).await?;
        write_all(leads.iter().map(|lead| table.release(scope, hold, lead)).collect()).await?;
        let ids: Vec<LeadId> = leads.iter().map(|lead| LeadId::from_leadgen(&lead.leadgen_id)).collect();
        write_all(ids.iter().map(|id| table.note(scope, id, &step)).collect()).await?;
    }
    Ok(())
}
