//! From leads to the table: handfuls of leads in one transaction each, tried again when others were in the way, and
//! announced when written.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use crate::bus::Bus;
use crate::error::WorkError;
use crate::ids::{LeadId, OrgScope};
use crate::model::connection::Connection;
use crate::model::event::Event;
use crate::model::lead::assignment::Assignment;
use crate::model::lead::dedupe::{Plan, plan};
use crate::model::lead::{Lead, Provenance};
use crate::table::commit::CommitOutcome;
use crate::table::lead::Stored;
use crate::table::{Table, TableError, pause, write_all};

/// A transaction holds 100 writes. A lead takes at most four (itself, its two keys, and the lead it joins); turns,
/// chosen user and counters take three more.
const HANDFUL: usize = 24;
/// A transaction holds 4 MB; what the table adds to a lead is far less than the rest.
const HANDFUL_BYTES: usize = 2_000_000;
/// Tries against other writers before the queue takes over. Of those who collide one gets through each time.
const MAX_TRIES: u32 = 25;

/// Where leads are written and told.
#[derive(Debug, Clone)]
pub struct LeadWriter {
    /// To find who gets them, and to write them.
    pub table: Table,
    /// To tell the CRM.
    pub bus: Bus,
}

impl LeadWriter {
    /// Writes what was fetched, one outcome for each, in their order. What came through no connection is assigned to nobody.
    pub(super) async fn write(
        &self,
        scope: &OrgScope,
        connection: Option<&Connection>,
        fetched: Vec<Result<Lead, WorkError>>,
        now: Timestamp,
    ) -> Vec<Result<(), WorkError>> {
        let leads: Vec<Lead> = fetched.iter().flatten().cloned().collect();
        let mut failed: BTreeMap<LeadId, WorkError> = BTreeMap::new();
        for handful in handfuls(&leads) {
            failed.extend(self.write_handful(scope, connection, handful, now).await);
        }
        let outcome = |lead: Result<Lead, WorkError>| {
            let lead = lead?;
            failed.get(&lead.id).map_or(Ok(()), |error| Err(error.clone()))
        };
        fetched.into_iter().map(outcome).collect()
    }

    async fn write_handful(
        &self,
        scope: &OrgScope,
        connection: Option<&Connection>,
        handful: &[Lead],
        now: Timestamp,
    ) -> Vec<(LeadId, WorkError)> {
        match self.try_handful(scope, connection, handful, now).await {
            Ok(()) => Vec::new(),
            // One of them cannot be held. The others can.
            Err(WorkError::Table(TableError::ItemRejected(_))) if handful.len() > 1 => {
                let mut failed = Vec::new();
                for lead in handful.chunks(1) {
                    failed.extend(Box::pin(self.write_handful(scope, connection, lead, now)).await);
                }
                failed
            }
            Err(error) => handful.iter().map(|lead| (lead.id.clone(), error.clone())).collect(),
        }
    }

    async fn try_handful(
        &self,
        scope: &OrgScope,
        connection: Option<&Connection>,
        handful: &[Lead],
        now: Timestamp,
    ) -> Result<(), WorkError> {
        let telling = Uuid::now_v7().simple().to_string();
        for attempt in 1..=MAX_TRIES {
            // Read anew at each try: the assignment may be changed, or the page disconnected, while leads are on their way.
            let assignment = match connection {
                None => Some(Assignment::Unassigned),
                Some(connection) => self.assignment(scope, connection).await?,
            };
            let Some(assignment) = assignment else {
                tracing::warn!(org = %scope.org(), "disconnected while leads were on their way");
                return Err(WorkError::Disconnected);
            };
            let known = self.table.known(scope, handful, &assignment).await?;
            let stored_at = crate::clock::now();
            let stamped = |lead: &Lead| Lead {
                passage: Provenance {
                    stored_at: Some(stored_at),
                    telling: Some(telling.clone()),
                    ..lead.passage.clone()
                },
                ..lead.clone()
            };
            let plan = plan(&handful.iter().map(stamped).collect::<Vec<_>>(), &known, &assignment);
            if !plan.is_empty() && self.table.commit(scope, connection, &plan, now).await? == CommitOutcome::Conflict {
                pause(attempt).await;
                continue;
            }
            for lead in &plan.creates {
                tracing::info!(org = %scope.org(), lead = %lead.id, found_by = ?lead.found_by, reason = ?lead.assignment.reason, "lead created");
            }
            self.count_latencies(scope, &plan, stored_at).await;
            return self.announce(scope, &telling, &plan, &known.stored).await;
        }
        Err(TableError::Contended(MAX_TRIES).into())
    }

    /// Tells what was written, and what was found written and is not known to be told: whoever wrote it may have stopped
    /// before telling. Events come at least once, and a repeat has the same id.
    async fn announce(
        &self,
        scope: &OrgScope,
        telling: &str,
        plan: &Plan,
        stored: &BTreeSet<LeadId>,
    ) -> Result<(), WorkError> {
        let mut events: Vec<Event> = plan.creates.iter().map(|lead| Event::lead_created(scope, lead)).collect();
        events.extend(plan.merges.iter().map(|submission| Event::lead_updated(scope, submission)));
        let mut found = Vec::new();
        for id in stored {
            found.extend(self.table.stored(scope, id).await?);
        }
        let told = self.table.told_at(scope, &found.iter().collect::<Vec<_>>()).await?;
        let untold: Vec<&Stored> = found
            .iter()
            .zip(told)
            .filter(|(stored, told)| told.is_none() && is_recent(stored))
            .map(|(stored, _)| stored)
            .collect();
        events.extend(untold.iter().map(|stored| match stored {
            Stored::Lead(lead) => Event::lead_created(scope, lead),
            Stored::Submission(submission) => Event::lead_updated(scope, submission),
        }));
        self.bus.publish(&events).await?;
        let now = crate::clock::now();
        if !plan.is_empty() {
            self.table.mark_published(scope, telling, now).await?;
        }
        // Others may have been stored together with it; of them nobody knows here.
        write_all(untold.iter().map(|stored| self.table.mark_published(scope, stored.id().as_str(), now)).collect())
            .await?;
        Ok(())
    }

    /// Tells what is stored and not known to be told.
    pub(super) async fn republish(&self, scope: &OrgScope, stored: &BTreeSet<LeadId>) -> Result<(), WorkError> {
        self.announce(scope, "", &Plan::default(), stored).await
    }

    /// A statistic: that it fails, or that a worker dies before it, costs nothing but exactness.
    async fn count_latencies(&self, scope: &OrgScope, plan: &Plan, stored_at: Timestamp) {
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

    /// How leads of this connection are assigned now; `None` if there is no such connection any more.
    async fn assignment(&self, scope: &OrgScope, connection: &Connection) -> Result<Option<Assignment>, WorkError> {
        if !self.table.is_connected(scope, connection).await? {
            return Ok(None);
        }
        let integration = self.table.integration(scope, &connection.integration_id).await?;
        Ok(integration.filter(|integration| !integration.removing).map(|integration| integration.assignment))
    }
}

/// What is older was told, or it is too late: that it was is not remembered for so long.
fn is_recent(stored: &Stored) -> bool {
    const REMEMBERED: SignedDuration = SignedDuration::from_hours(80 * 24);
    stored.passage().stored_at.is_none_or(|at| crate::clock::now().duration_since(at) < REMEMBERED)
}

/// As few handfuls as a transaction's limits allow.
fn handfuls(leads: &[Lead]) -> Vec<&[Lead]> {
    let size = |lead: &Lead| serde_json::to_string(lead).map_or(HANDFUL_BYTES, |json| json.len());
    let mut handfuls = Vec::new();
    let mut rest = leads;
    while !rest.is_empty() {
        let mut bytes = 0;
        let fitting = rest.iter().take(HANDFUL).take_while(|lead| {
            bytes += size(lead);
            bytes <= HANDFUL_BYTES
        });
        let (handful, more) = rest.split_at(fitting.count().max(1));
        handfuls.push(handful);
        rest = more;
    }
    handfuls
}
