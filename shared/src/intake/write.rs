//! From leads to the table: handfuls of leads in one transaction each, tried again when others were in the way, and
//! announced when written.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::{Arrival, Intake};
use crate::bus::Event;
use crate::error::WorkError;
use crate::ids::{LeadId, OrgScope};
use crate::model::assignment::Assignment;
use crate::model::integration::Connection;
use crate::model::lead::Lead;
use crate::model::merging::plan;
use crate::table::lead::{Committed, Stored};
use crate::table::{TableError, pause};

/// A transaction holds 100 writes. A lead takes at most four (itself, its two keys, and the lead it joins); turns,
/// chosen user and counters take three more.
const HANDFUL: usize = 24;
/// A transaction holds 4 MB; what the table adds to a lead is far less than the rest.
const HANDFUL_BYTES: usize = 2_000_000;
/// Tries against other writers before the queue takes over. With ten workers on one org the tenth is through after ten.
const MOST_TRIES: u32 = 25;

impl Intake {
    /// Writes what was fetched, one outcome for each arrival, in their order.
    pub(super) async fn write(
        &self,
        scope: &OrgScope,
        connection: &Connection,
        arrivals: &[Arrival],
        fetched: Vec<Result<Lead, WorkError>>,
        now: Timestamp,
    ) -> Vec<Result<(), WorkError>> {
        let again: BTreeMap<LeadId, bool> = arrivals
            .iter()
            .map(|arrival| (LeadId::from_leadgen(&arrival.job.notice.leadgen_id), arrival.receives > 1))
            .collect();
        let leads: Vec<Lead> = fetched.iter().flatten().cloned().collect();
        let mut failed: BTreeMap<LeadId, WorkError> = BTreeMap::new();
        for handful in handfuls(&leads) {
            failed.extend(self.write_handful(scope, connection, handful, &again, now).await);
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
        again: &BTreeMap<LeadId, bool>,
        now: Timestamp,
    ) -> Vec<(LeadId, WorkError)> {
        match self.try_handful(scope, connection, handful, again, now).await {
            Ok(()) => Vec::new(),
            // One of them cannot be held. The others can.
            Err(WorkError::Table(TableError::Unholdable(_))) if handful.len() > 1 => {
                let mut failed = Vec::new();
                for lead in handful.chunks(1) {
                    failed.extend(Box::pin(self.write_handful(scope, connection, lead, again, now)).await);
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
        again: &BTreeMap<LeadId, bool>,
        now: Timestamp,
    ) -> Result<(), WorkError> {
        for attempt in 1..=MOST_TRIES {
            // Read anew at each try: the assignment may be changed while leads are on their way.
            let Some(assignment) = self.assignment(scope, connection).await? else {
                tracing::warn!(org = %scope.org(), page = %connection.page_id, "disconnected while leads were on their way");
                return Ok(());
            };
            let known = self.table.known(scope, handful, &assignment).await?;
            let plan = plan(handful, &known, &assignment);
            let mut events: Vec<Event> = plan.creates.iter().map(|lead| Event::lead_created(scope, lead)).collect();
            events.extend(plan.merges.iter().map(|submission| Event::lead_updated(scope, submission)));
            // Somebody worked on these before and may have stopped between writing and telling.
            for id in known.stored.iter().filter(|id| again.get(id).is_some_and(|again| *again)) {
                match self.table.stored(scope, id).await? {
                    Some(Stored::Lead(lead)) => events.push(Event::lead_created(scope, &lead)),
                    Some(Stored::Submission(submission)) => events.push(Event::lead_updated(scope, &submission)),
                    None => {}
                }
            }
            let committed =
                if plan.is_empty() { Committed::Yes } else { self.table.commit(scope, connection, &plan, now).await? };
            if committed == Committed::Yes {
                self.bus.publish(&events).await?;
                for lead in &plan.creates {
                    tracing::info!(org = %scope.org(), lead = %lead.id, found_by = ?lead.found_by, reason = ?lead.assignment.reason, "lead created");
                }
                return Ok(());
            }
            pause(attempt).await;
        }
        Err(TableError::Contended(MOST_TRIES).into())
    }

    /// How leads of this connection are assigned now; `None` if the connection is no more.
    async fn assignment(&self, scope: &OrgScope, connection: &Connection) -> Result<Option<Assignment>, WorkError> {
        Ok(self.table.integration(scope, &connection.integration_id).await?.map(|integration| integration.assignment))
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
