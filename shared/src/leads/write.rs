//! From leads to the table: chunks of leads in one transaction each, retried on conflict, and published once stored.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use futures_util::future::join_all;
use jiff::{SignedDuration, Timestamp};
use strum::IntoEnumIterator;
use uuid::Uuid;

use super::Outcomes;
use super::turns::Turns;
use crate::bus::Bus;
use crate::error::WorkError;
use crate::ids::{LeadId, OrgScope, PageId};
use crate::metrics::{self, Metric};
use crate::model::connection::Connection;
use crate::model::conversion::{Conversion, lead_refusal};
use crate::model::event::Event;
use crate::model::lead::dedupe::{WritePlan, plan};
use crate::model::lead::{FoundBy, Lead, Provenance, Submission};
use crate::table::commit::CommitOutcome;
use crate::table::lead::StoredLead;
use crate::table::{Table, TableError, pause, write_all};

/// A transaction holds 100 writes. A lead takes at most four: itself, its two dedupe keys, and the lead it joins.
const WRITES_PER_LEAD: usize = 4;
/// The rotation and the chosen user take two, and each connection's counters take one.
const MAX_WRITES: usize = 98;
/// A transaction holds 4 MB. This leaves room for what the table adds to a lead.
const MAX_CHUNK_BYTES: usize = 2_000_000;
/// Attempts against other writers before the queue takes over.
const MAX_ATTEMPTS: u32 = 25;

/// Stores and publishes leads.
#[derive(Debug, Clone)]
pub struct LeadWriter {
    /// Stores leads, and knows to whom they are assigned.
    pub table: Table,
    /// Publishes them to the CRM.
    pub bus: Bus,
}

/// A lead to store, and the connection through which it came. Without one it stays unassigned.
#[derive(Debug, Clone, Copy)]
pub(super) struct NewLead<'a> {
    /// The lead.
    pub(super) lead: &'a Lead,
    /// Its connection.
    pub(super) connection: Option<&'a Connection>,
}

/// Leads that were stored together, to be published.
struct Committed {
    publication: String,
    plan: WritePlan,
    /// Whether their integration reports them to Meta.
    reports: bool,
    /// Those that were stored before, perhaps by a worker that could not publish them.
    stored: BTreeSet<LeadId>,
}

impl LeadWriter {
    /// Stores leads, in their order, and publishes them. One transaction holds leads of several pages.
    pub(super) async fn write(&self, scope: &OrgScope, leads: &[NewLead<'_>], now: Timestamp) -> Outcomes {
        let mut outcomes: Outcomes = leads.iter().map(|new| (new.lead.id.clone(), Ok(()))).collect();
        let mut committed = Vec::new();
        let mut turns = Turns::new(&self.table, scope);
        // How leads are assigned is the integration's setting.
        let integration = |new: &NewLead<'_>| new.connection.map(|connection| connection.integration_id.clone());
        for of_integration in leads.iter().map(integration).collect::<BTreeSet<_>>() {
            let leads: Vec<NewLead<'_>> =
                leads.iter().filter(|new| integration(new) == of_integration).copied().collect();
            let chunks = chunks(&leads);
            for (number, chunk) in chunks.iter().enumerate() {
                turns.more_follow = number + 1 < chunks.len();
                let failed = self.write_chunk(scope, chunk, &mut turns, &mut committed, now).await;
                outcomes.extend(failed.into_iter().map(|(lead, error)| (lead, Err(error))));
            }
        }
        turns.release().await;
        // After all of them, so that other writers of the org do not wait for the bus.
        self.count_latencies(scope, &committed).await;
        let publishing = committed.iter().map(|one| self.publish(scope, one));
        for (committed, outcome) in committed.iter().zip(join_all(publishing).await) {
            if let Err(error) = outcome {
                outcomes.extend(committed.ids().map(|id| (id.clone(), Err(error.clone()))));
            }
        }
        outcomes
    }

    async fn write_chunk(
        &self,
        scope: &OrgScope,
        chunk: &[NewLead<'_>],
        turns: &mut Turns<'_>,
        committed: &mut Vec<Committed>,
        now: Timestamp,
    ) -> Vec<(LeadId, WorkError)> {
        match self.try_chunk(scope, chunk, turns, committed, now).await {
            Ok(disconnected) => disconnected.into_iter().map(|lead| (lead, WorkError::Disconnected)).collect(),
            // One lead does not fit into an item, or what it is to join is not as it should be. The others are stored.
            Err(WorkError::Table(TableError::ItemRejected(_) | TableError::Contended(_))) if chunk.len() > 1 => {
                let mut failed = Vec::new();
                for lead in chunk.chunks(1) {
                    failed.extend(Box::pin(self.write_chunk(scope, lead, turns, committed, now)).await);
                }
                failed
            }
            Err(error) => chunk.iter().map(|new| (new.lead.id.clone(), error.clone())).collect(),
        }
    }

    /// Returns the leads whose page is no longer connected, and that were therefore not stored.
    async fn try_chunk(
        &self,
        scope: &OrgScope,
        chunk: &[NewLead<'_>],
        turns: &mut Turns<'_>,
        committed: &mut Vec<Committed>,
        now: Timestamp,
    ) -> Result<Vec<LeadId>, WorkError> {
        let publication = Uuid::now_v7().simple().to_string();
        let leads: Vec<&Lead> = chunk.iter().map(|new| new.lead).collect();
        let connections = connections(chunk);
        for attempt in 1..=MAX_ATTEMPTS {
            turns.acquire().await?;
            // Read again at each attempt: the assignment may change, or a page be disconnected, in the meantime.
            let context = self.table.write_context(scope, &leads, &connections).await?;
            if context.snapshot.rotation.as_ref().is_some_and(|rotation| !turns.may_commit(rotation)) {
                continue;
            }
            let assignment = context.assignment.as_ref();
            let (open, disconnected): (Vec<_>, Vec<_>) = chunk.iter().partition(|new| {
                let is_connected = |page: &Connection| context.connected.contains(&page.page_id);
                assignment.is_some() && new.connection.is_none_or(is_connected)
            });
            if !disconnected.is_empty() {
                tracing::warn!(org = %scope.org(), leads = disconnected.len(), "a page was disconnected while its leads were being ingested");
            }
            let disconnected: Vec<LeadId> =
                disconnected.into_iter().map(|new: &NewLead<'_>| new.lead.id.clone()).collect();
            let Some(assignment) = assignment else { return Ok(disconnected) };
            // Each a moment after the one before it, so that events about one lead have an order.
            let moments = std::iter::successors(Some(crate::clock::now()), |at| Some(*at + Duration::from_millis(1)));
            let stamped = |(new, stored_at): (&&NewLead<'_>, Timestamp)| Lead {
                provenance: Provenance {
                    stored_at: Some(stored_at),
                    publication_id: Some(publication.clone()),
                    ..new.lead.provenance.clone()
                },
                ..new.lead.clone()
            };
            // Plan, and write the plan in one transaction.
            let stamped: Vec<Lead> = open.iter().zip(moments).map(stamped).collect();
            let mut plan = plan(&stamped, &context.snapshot, assignment);
            turns.keep_or_release(&mut plan);
            let through = connections.iter().filter(|page| plan.concerns(&page.page_id)).copied().collect::<Vec<_>>();
            if !plan.is_empty() && self.table.commit(scope, &through, &plan, now).await? == CommitOutcome::Conflict {
                // Without a turn taken, it was not the rotation that others wrote.
                if plan.rotation.is_some() {
                    turns.collided();
                }
                pause(attempt).await;
                continue;
            }
            for lead in &plan.creates {
                lead.provenance.within_trace(|| {
                    tracing::info!(org = %scope.org(), lead = %lead.id, found_by = ?lead.found_by, reason = ?lead.assignment.reason, "lead created");
                });
            }
            for merge in &plan.merges {
                merge.provenance.within_trace(|| {
                    tracing::info!(org = %scope.org(), lead = %merge.lead_id, submission = %merge.id, found_by = ?merge.found_by, "lead joined");
                });
            }
            let stored = context.snapshot.stored.into_iter().filter(|id| open.iter().any(|new| new.lead.id == *id));
            committed.push(Committed { publication, plan, reports: context.reports, stored: stored.collect() });
            return Ok(disconnected);
        }
        Err(TableError::Contended(MAX_ATTEMPTS).into())
    }

    /// Publishes leads that were stored together, and those stored before that are not known to be published: the worker
    /// that stored them may have stopped before publication. Events are published at least once; a repeat has the same
    /// id. What is reported to Meta is stored before they count as published.
    async fn publish(&self, scope: &OrgScope, committed: &Committed) -> Result<(), WorkError> {
        let Committed { publication, plan, reports, stored } = committed;
        let mut events: Vec<Event> = plan.creates.iter().map(|lead| Event::lead_created(scope, lead)).collect();
        events.extend(plan.merges.iter().map(|submission| Event::lead_updated(scope, submission)));
        let leads = self.table.find_leads(scope, stored).await?;
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
        let mut reported: Vec<&Lead> = plan.creates.iter().filter(|_| *reports).collect();
        for stored in &unpublished {
            if let StoredLead::Lead(lead) = stored
                && self.table.reporting_integration(scope, lead.page_id.as_ref()).await?.is_ok()
            {
                reported.push(lead);
            }
        }
        reported.retain(|lead| lead_refusal(lead).is_none() && !Conversion::first(lead).is_too_old(lead.received_at));
        let first_stages: Vec<Conversion> = reported.into_iter().map(Conversion::first).collect();
        self.table.insert_conversions(scope, &first_stages).await?;
        if !plan.is_empty() {
            self.table.mark_published(scope, publication, now).await?;
        }
        // Each by its own mark: its publication may include other leads, which are not known here.
        write_all(
            unpublished.iter().map(|stored| self.table.mark_published(scope, stored.id().as_str(), now)).collect(),
        )
        .await?;
        count_published(plan, &unpublished, now);
        Ok(())
    }

    /// Publishes those of `stored` that are not known to be published.
    pub(super) async fn republish(&self, scope: &OrgScope, stored: &BTreeSet<LeadId>) -> Result<(), WorkError> {
        let (publication, plan) = (String::new(), WritePlan::default());
        self.publish(scope, &Committed { publication, plan, reports: false, stored: stored.clone() }).await
    }

    /// Counts latencies. A failure, or a crash before this, only makes the statistic less exact.
    async fn count_latencies(&self, scope: &OrgScope, committed: &[Committed]) {
        let creates = committed.iter().flat_map(|one| &one.plan.creates);
        let created = creates
            .filter(|lead| !lead.test && lead.found_by.is_of_its_time())
            .map(|lead| (lead.created_time, lead.provenance.stored_at));
        let merges = committed.iter().flat_map(|one| &one.plan.merges);
        let merged = merges
            .filter(|merge| merge.found_by.is_of_its_time())
            .map(|merge| (merge.created_time, merge.provenance.stored_at));
        let seconds: Vec<i64> = created
            .chain(merged)
            .filter_map(|(created, stored_at)| Some(stored_at?.duration_since(created).as_secs()))
            .collect();
        if let Err(error) = self.table.count_latencies(scope, &seconds, crate::clock::now()).await {
            tracing::warn!(%error, org = %scope.org(), "latencies could not be counted");
        }
    }
}

impl Committed {
    fn ids(&self) -> impl Iterator<Item = &LeadId> {
        let creates = self.plan.creates.iter().map(|lead| &lead.id);
        creates.chain(self.plan.merges.iter().map(|merge| &merge.id)).chain(&self.stored)
    }
}

/// Counts what was published at this time, by what found it, with the seconds since its submission.
fn count_published(plan: &WritePlan, unpublished: &[&StoredLead], now: Timestamp) {
    let of_lead = |lead: &Lead| (lead.found_by, (!lead.test).then_some(lead.created_time));
    let of_submission = |submission: &Submission| (submission.found_by, Some(submission.created_time));
    let of_stored = |stored: &&StoredLead| match stored {
        StoredLead::Lead(lead) => of_lead(lead),
        StoredLead::Submission(submission) => of_submission(submission),
    };
    let mut published: Vec<(FoundBy, Option<Timestamp>)> = plan.creates.iter().map(of_lead).collect();
    published.extend(plan.merges.iter().map(of_submission));
    published.extend(unpublished.iter().map(of_stored));
    for source in FoundBy::iter() {
        let of_source: Vec<_> = published.iter().filter(|(found_by, _)| *found_by == source).collect();
        if of_source.is_empty() {
            continue;
        }
        let submitted = of_source.iter().filter_map(|(_, at)| at.filter(|_| source.is_of_its_time()));
        let seconds = submitted.map(|at| now.duration_since(at).as_secs_f64().max(0.0)).collect();
        metrics::write(&[
            (Metric::LeadsStored(source), vec![metrics::to_value(of_source.len())]),
            (Metric::LeadSeconds, seconds),
        ]);
    }
}

/// The connections through which leads came, each once.
fn connections<'a>(leads: &[NewLead<'a>]) -> Vec<&'a Connection> {
    let pages: BTreeMap<&PageId, &Connection> =
        leads.iter().filter_map(|new| new.connection).map(|connection| (&connection.page_id, connection)).collect();
    pages.into_values().collect()
}

/// Whether a lead without a publication mark may be unpublished. Marks are deleted by TTL after 80 days.
fn is_recent(stored: &StoredLead) -> bool {
    const MARK_TTL: SignedDuration = SignedDuration::from_hours(80 * 24);
    stored.provenance().stored_at.is_none_or(|at| crate::clock::now().duration_since(at) < MARK_TTL)
}

/// Splits leads into as few chunks as a transaction's limits allow.
fn chunks<'a, 'b>(leads: &'b [NewLead<'a>]) -> Vec<&'b [NewLead<'a>]> {
    let size = |lead: &Lead| serde_json::to_string(lead).map_or(MAX_CHUNK_BYTES, |json| json.len());
    let mut chunks = Vec::new();
    let mut rest = leads;
    while !rest.is_empty() {
        let (mut bytes, mut writes, mut pages) = (0, 0, BTreeSet::new());
        let fitting = rest.iter().take_while(|new| {
            bytes += size(new.lead);
            writes += WRITES_PER_LEAD;
            if let Some(connection) = new.connection {
                writes += usize::from(pages.insert(&connection.page_id));
            }
            bytes <= MAX_CHUNK_BYTES && writes <= MAX_WRITES
        });
        let (chunk, more) = rest.split_at(fitting.count().max(1));
        chunks.push(chunk);
        rest = more;
    }
    chunks
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::leads::test_support::ingest;
    use crate::model::lead::assignment::Assignment;
    use crate::model::lead::identity::person_keys;
    use crate::table::tests::{at, connection, lead, scope};

    #[test]
    fn a_transaction_holds_leads_of_many_pages_and_never_more_than_it_can() {
        let leads: Vec<Lead> = (0..100).map(|id| lead(id, None)).collect();
        let pages: Vec<Connection> = (0..100)
            .map(|id: u64| Connection { page_id: PageId::parse(&id.to_string()).unwrap(), ..connection("a") })
            .collect();
        let sizes = |leads_per_page: usize| {
            let new = |(number, lead)| NewLead { lead, connection: pages.get(number / leads_per_page) };
            let new: Vec<NewLead<'_>> = leads.iter().enumerate().map(new).collect();
            chunks(&new).iter().map(|chunk| chunk.len()).collect::<Vec<_>>()
        };
        assert_eq!(sizes(100), [24, 24, 24, 24, 4]);
        assert_eq!(sizes(10), [23, 23, 23, 23, 8]);
        assert_eq!(sizes(1), [19, 19, 19, 19, 19, 5]);
    }

    #[tokio::test]
    async fn a_lead_that_cannot_join_another_keeps_no_one_else_s_out() {
        let (ingest, _services) = ingest(Assignment::Unassigned).await;
        let (a, table, now) = (scope("a"), &ingest.writer.table, at("2026-01-02T00:00:00Z"));
        // Their person is registered under a lead that is not there.
        let claims = person_keys(Some("one@example.com"), None).into_iter();
        let claims = claims.map(|person| (person, lead(99, None).id)).collect();
        table.commit(&a, &[], &WritePlan { claims, ..WritePlan::default() }, now).await.unwrap();
        let leads = [lead(1, Some("one@example.com")), lead(2, Some("two@example.com"))];
        let new: Vec<NewLead<'_>> = leads.iter().map(|lead| NewLead { lead, connection: None }).collect();
        let outcomes = ingest.writer.write(&a, &new, now).await;
        assert!(matches!(outcomes[&leads[0].id], Err(WorkError::Table(TableError::Contended(_)))), "{outcomes:?}");
        assert!(outcomes[&leads[1].id].is_ok() && table.find_lead(&a, &leads[1].id).await.unwrap().is_some());
    }
}
