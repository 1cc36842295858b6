//! From leads to the table: handfuls of leads in one transaction each, tried again when others were in the way, and
//! announced when written.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::Intake;
use crate::bus::Event;
use crate::error::WorkError;
use crate::ids::{LeadId, OrgScope};
use crate::model::assignment::Assignment;
use crate::model::integration::Connection;
use crate::model::lead::Lead;
use crate::model::merging::{Known, Plan, plan};
use crate::table::lead::{Committed, Stored};
use crate::table::{TableError, pause};

/// A transaction holds 100 writes. A lead takes at most four (itself, its two keys, and the lead it joins); turns,
/// chosen user and counters take three more.
const HANDFUL: usize = 24;
/// A transaction holds 4 MB; what the table adds to a lead is far less than the rest.
const HANDFUL_BYTES: usize = 2_000_000;
/// Tries against other writers before the queue takes over. Of those who collide one gets through each time.
const MOST_TRIES: u32 = 25;

impl Intake {
    /// Writes what was fetched, one outcome for each, in their order.
    pub(super) async fn write(
        &self,
        scope: &OrgScope,
        connection: &Connection,
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
        connection: &Connection,
        handful: &[Lead],
        now: Timestamp,
    ) -> Vec<(LeadId, WorkError)> {
        match self.try_handful(scope, connection, handful, now).await {
            Ok(()) => Vec::new(),
            // One of them cannot be held. The others can.
            Err(WorkError::Table(TableError::Unholdable(_))) if handful.len() > 1 => {
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
        connection: &Connection,
        handful: &[Lead],
        now: Timestamp,
    ) -> Result<(), WorkError> {
        for attempt in 1..=MOST_TRIES {
            // Read anew at each try: the assignment may be changed, or the page disconnected, while leads are on their way.
            let Some(assignment) = self.assignment(scope, connection).await? else {
                tracing::warn!(org = %scope.org(), page = %connection.page_id, "disconnected while leads were on their way");
                return Err(WorkError::Disconnected);
            };
            let known = self.table.known(scope, handful, &assignment).await?;
            let plan = plan(handful, &known, &assignment);
            if !plan.is_empty() && self.table.commit(scope, connection, &plan, now).await? == Committed::Stale {
                pause(attempt).await;
                continue;
            }
            for lead in &plan.creates {
                tracing::info!(org = %scope.org(), lead = %lead.id, found_by = ?lead.found_by, reason = ?lead.assignment.reason, "lead created");
            }
            return self.announce(scope, &plan, &known).await;
        }
        Err(TableError::Contended(MOST_TRIES).into())
    }

    /// Tells what was written, and what was found written: whoever wrote it may have stopped before telling. Events come
    /// at least once, and a repeat has the same id.
    async fn announce(&self, scope: &OrgScope, plan: &Plan, known: &Known) -> Result<(), WorkError> {
        let mut events: Vec<Event> = plan.creates.iter().map(|lead| Event::lead_created(scope, lead)).collect();
        events.extend(plan.merges.iter().map(|submission| Event::lead_updated(scope, submission)));
        for id in &known.stored {
            match self.table.stored(scope, id).await? {
                Some(Stored::Lead(lead)) => events.push(Event::lead_created(scope, &lead)),
                Some(Stored::Submission(submission)) => events.push(Event::lead_updated(scope, &submission)),
                None => {}
            }
        }
        Ok(self.bus.publish(&events).await?)
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
