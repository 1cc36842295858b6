//! From leads to the table: chunks of leads in one transaction each, retried on conflict, and published once stored.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use super::Outcomes;
use crate::bus::Bus;
use crate::error::WorkError;
use crate::ids::{LeadId, OrgScope};
use crate::model::connection::{Connection, Lifecycle};
use crate::model::event::Event;
use crate::model::lead::assignment::Assignment;
use crate::model::lead::dedupe::{WritePlan, plan};
use crate::model::lead::{Lead, Provenance};
use crate::table::commit::CommitOutcome;
use crate::table::lead::StoredLead;
use crate::table::{Table, TableError, pause, write_all};

/// A transaction holds 100 writes. A lead takes at most four: itself, its two dedupe keys, and the lead it joins. The
/// rotation, the chosen user and the counters take three more.
const MAX_CHUNK_LEADS: usize = 24;
/// A transaction holds 4 MB. This leaves room for what the table adds to a lead.
const MAX_CHUNK_BYTES: usize = 2_000_000;
/// Attempts against other writers before the queue takes over. Of colliding writers, one succeeds each time.
const MAX_ATTEMPTS: u32 = 25;

/// Stores and publishes leads.
#[derive(Debug, Clone)]
pub struct LeadWriter {
    /// Stores leads, and knows to whom they are assigned.
    pub table: Table,
    /// Publishes them to the CRM.
    pub bus: Bus,
}

impl LeadWriter {
    /// Stores and publishes leads, in their order. Leads without a connection stay unassigned.
    pub(super) async fn write(
        &self,
        scope: &OrgScope,
        connection: Option<&Connection>,
        leads: &[Lead],
        now: Timestamp,
    ) -> Outcomes {
        let mut outcomes: Outcomes = leads.iter().map(|lead| (lead.id.clone(), Ok(()))).collect();
        for chunk in chunks(leads) {
            let failed = self.write_chunk(scope, connection, chunk, now).await;
            outcomes.extend(failed.into_iter().map(|(lead, error)| (lead, Err(error))));
        }
        outcomes
    }

    async fn write_chunk(
        &self,
        scope: &OrgScope,
        connection: Option<&Connection>,
        chunk: &[Lead],
        now: Timestamp,
    ) -> Vec<(LeadId, WorkError)> {
        match self.try_chunk(scope, connection, chunk, now).await {
            Ok(()) => Vec::new(),
            // One lead does not fit into an item. The others do.
            Err(WorkError::Table(TableError::ItemRejected(_))) if chunk.len() > 1 => {
                let mut failed = Vec::new();
                for lead in chunk.chunks(1) {
                    failed.extend(Box::pin(self.write_chunk(scope, connection, lead, now)).await);
                }
                failed
            }
            Err(error) => chunk.iter().map(|lead| (lead.id.clone(), error.clone())).collect(),
        }
    }

    async fn try_chunk(
        &self,
        scope: &OrgScope,
        connection: Option<&Connection>,
        chunk: &[Lead],
        now: Timestamp,
    ) -> Result<(), WorkError> {
        let publication = Uuid::now_v7().simple().to_string();
        for attempt in 1..=MAX_ATTEMPTS {
            // Read again at each attempt: the assignment may change, or the page be disconnected, in the meantime.
            let assignment = match connection {
                None => Some(Assignment::Unassigned),
                Some(connection) => self.assignment(scope, connection).await?,
            };
            let Some(assignment) = assignment else {
                tracing::warn!(org = %scope.org(), "a page was disconnected while its leads were being ingested");
                return Err(WorkError::Disconnected);
            };
            let snapshot = self.table.dedupe_snapshot(scope, chunk, &assignment).await?;
            let stored_at = crate::clock::now();
            let stamped = |lead: &Lead| Lead {
                provenance: Provenance {
                    stored_at: Some(stored_at),
                    publication_id: Some(publication.clone()),
                    ..lead.provenance.clone()
                },
                ..lead.clone()
            };
            // Plan, and write the plan in one transaction.
            let plan = plan(&chunk.iter().map(stamped).collect::<Vec<_>>(), &snapshot, &assignment);
            if !plan.is_empty() && self.table.commit(scope, connection, &plan, now).await? == CommitOutcome::Conflict {
                pause(attempt).await;
                continue;
            }
            for lead in &plan.creates {
                tracing::info!(org = %scope.org(), lead = %lead.id, found_by = ?lead.found_by, reason = ?lead.assignment.reason, "lead created");
            }
            self.count_latencies(scope, &plan, stored_at).await;
            return self.publish(scope, &publication, &plan, &snapshot.stored).await;
        }
        Err(TableError::Contended(MAX_ATTEMPTS).into())
    }

    /// Publishes the leads of `plan`, and those of `stored` that are not known to be published: the worker that stored
    /// them may have stopped before publication. Events are published at least once; a repeat has the same id.
    async fn publish(
        &self,
        scope: &OrgScope,
        publication: &str,
        plan: &WritePlan,
        stored: &BTreeSet<LeadId>,
    ) -> Result<(), WorkError> {
        let mut events: Vec<Event> = plan.creates.iter().map(|lead| Event::lead_created(scope, lead)).collect();
        events.extend(plan.merges.iter().map(|submission| Event::lead_updated(scope, submission)));
        let mut leads = Vec::new();
        for id in stored {
            leads.extend(self.table.find_lead(scope, id).await?);
        }
        let published = self.table.published_at(scope, &leads.iter().collect::<Vec<_>>()).await?;
        let unpublished: Vec<&StoredLead> = leads
            .iter()
            .zip(published)
            .filter(|(stored, published)| published.is_none() && is_recent(stored))
            .map(|(stored, _)| stored)
            .collect();
        events.extend(unpublished.iter().map(|stored| match stored {
            StoredLead::Lead(lead) => Event::lead_created(scope, lead),
            StoredLead::Submission(submission) => Event::lead_updated(scope, submission),
        }));
        self.bus.publish(&events).await?;
        let now = crate::clock::now();
        if !plan.is_empty() {
            self.table.mark_published(scope, publication, now).await?;
        }
        // Each by its own mark: its publication may include other leads, which are not known here.
        write_all(
            unpublished.iter().map(|stored| self.table.mark_published(scope, stored.id().as_str(), now)).collect(),
        )
        .await?;
        Ok(())
    }

    /// Publishes those of `stored` that are not known to be published.
    pub(super) async fn republish(&self, scope: &OrgScope, stored: &BTreeSet<LeadId>) -> Result<(), WorkError> {
        self.publish(scope, "", &WritePlan::default(), stored).await
    }

    /// Counts latencies. A failure, or a crash before this, only makes the statistic less exact.
    async fn count_latencies(&self, scope: &OrgScope, plan: &WritePlan, stored_at: Timestamp) {
        let created = plan
            .creates
            .iter()
            .filter(|lead| !lead.test && lead.found_by.is_of_its_time())
            .map(|lead| lead.created_time);
        let merged = plan.merges.iter().filter(|merge| merge.found_by.is_of_its_time()).map(|merge| merge.created_time);
        let seconds: Vec<i64> =
            created.chain(merged).map(|created| stored_at.duration_since(created).as_secs()).collect();
        if let Err(error) = self.table.count_latencies(scope, &seconds, stored_at).await {
            tracing::warn!(%error, org = %scope.org(), "latencies could not be counted");
        }
    }

    /// Returns how leads of this connection are assigned now. `None` if the page is disconnected, or its integration is
    /// being removed.
    async fn assignment(&self, scope: &OrgScope, connection: &Connection) -> Result<Option<Assignment>, WorkError> {
        if !self.table.is_connected(scope, connection).await? {
            return Ok(None);
        }
        let integration = self.table.integration(scope, &connection.integration_id).await?;
        Ok(integration
            .filter(|integration| integration.lifecycle != Lifecycle::Removing)
            .map(|integration| integration.assignment))
    }
}

/// Whether a lead without a publication mark may be unpublished. Marks are deleted by TTL after 80 days.
fn is_recent(stored: &StoredLead) -> bool {
    const MARK_TTL: SignedDuration = SignedDuration::from_hours(80 * 24);
    stored.provenance().stored_at.is_none_or(|at| crate::clock::now().duration_since(at) < MARK_TTL)
}

/// Splits leads into as few chunks as a transaction's limits allow.
fn chunks(leads: &[Lead]) -> Vec<&[Lead]> {
    let size = |lead: &Lead| serde_json::to_string(lead).map_or(MAX_CHUNK_BYTES, |json| json.len());
    let mut chunks = Vec::new();
    let mut rest = leads;
    while !rest.is_empty() {
        let mut bytes = 0;
        let fitting = rest.iter().take(MAX_CHUNK_LEADS).take_while(|lead| {
            bytes += size(lead);
            bytes <= MAX_CHUNK_BYTES
        });
        let (chunk, more) = rest.split_at(fitting.count().max(1));
        chunks.push(chunk);
        rest = more;
    }
    chunks
}
