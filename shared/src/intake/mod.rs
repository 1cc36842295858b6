//! Bringing leads in: from the ids of a webhook to leads in the CRM, each once, each assigned, each announced.
//!
//! Everything here may be done twice, by two workers at once, and may stop anywhere: the one transaction in
//! `write` decides, and what comes after it is done again by whoever finds it undone.

mod catch_up;
mod fetch;
mod replay;
mod sweep;
#[cfg(test)]
mod tests;
mod write;

use jiff::Timestamp;

pub use catch_up::{CatchUp, Search};
pub use replay::{parked, replay};
pub use sweep::SweepJob;

use crate::bus::Bus;
use crate::connect::{Meta, ask_for_check};
use crate::error::WorkError;
use crate::graph::GraphError;
use crate::ids::{LeadId, OrgScope, PageId};
use crate::model::delivery::LeadJob;
use crate::model::integration::Connection;
use crate::queue::Queue;
use crate::retry::Verdict;
use crate::table::Table;
use crate::table::parked::ParkedLead;
use crate::vault::VaultError;

/// What bringing leads in takes.
#[derive(Debug)]
pub struct Intake {
    /// To read leads and forms, with the pages' tokens.
    pub meta: Meta,
    /// To find who gets them, and to write them.
    pub table: Table,
    /// To tell the CRM.
    pub bus: Bus,
    /// Takes integrations whose token failed, to be looked at now instead of at the next daily look.
    pub checks: Queue,
}

/// A lead to bring in.
#[derive(Debug, Clone)]
pub struct Arrival {
    /// What is known of it.
    pub job: LeadJob,
    /// How often this piece of work was handed out, this time included. More than once means that an earlier worker
    /// may have stopped half-way.
    pub receives: u32,
}

/// After so many times a lead that Meta still does not show is taken for one that it never will.
pub const MOST_RECEIVES: u32 = 10;

impl Intake {
    /// Brings in leads of one page for everybody who connected it, and answers one outcome for each, in their order.
    ///
    /// `Ok` means settled: in, in before, parked, or nobody's. An error is worth another try, as its verdict says.
    /// What cannot be settled by trying is parked for the org with its reason, and that is `Ok` too; what has been
    /// tried too often is parked and stays an error, so that the queue ends it where an alarm sees it.
    pub async fn take_in(&self, page: &PageId, arrivals: &[Arrival], now: Timestamp) -> Vec<Result<(), WorkError>> {
        let connections = match self.table.connections_of_page(page).await {
            Ok(connections) => connections,
            Err(error) => {
                tracing::error!(%error, %page, "connections of a page could not be read");
                let again =
                    |_| Err(crate::table::TableError::Failed("connections could not be read".to_owned()).into());
                return arrivals.iter().map(again).collect();
            }
        };
        if connections.is_empty() {
            tracing::warn!(%page, leads = arrivals.len(), metric = "leads_of_unconnected_page", "nobody has connected this page");
        }
        let mut outcomes: Vec<Result<(), WorkError>> = arrivals.iter().map(|_| Ok(())).collect();
        for (scope, connections) in by_org(connections) {
            tell_orgid_mismatch(&scope, arrivals);
            let is_theirs = |arrival: &Arrival| arrival.job.only_for.as_ref().is_none_or(|org| org == scope.org());
            let (theirs, outcomes): (Vec<Arrival>, Vec<_>) =
                arrivals.iter().cloned().zip(&mut outcomes).filter(|(arrival, _)| is_theirs(arrival)).unzip();
            let for_org = self.take_in_for_org(&scope, &connections, &theirs, now).await;
            for ((outcome, for_org), arrival) in outcomes.into_iter().zip(for_org).zip(&theirs) {
                let settled = match for_org {
                    Ok(()) => Ok(()),
                    Err(error) => self.settle(&scope, arrival, error, now).await,
                };
                if outcome.is_ok() {
                    *outcome = settled;
                }
            }
        }
        outcomes
    }

    /// Each org reads with its own token: what its own people are not permitted to read, it does not get.
    ///
    /// The same org may have connected the page through several accounts. What one of them may not read, or does not
    /// see, the next is asked for.
    async fn take_in_for_org(
        &self,
        scope: &OrgScope,
        connections: &[Connection],
        arrivals: &[Arrival],
        now: Timestamp,
    ) -> Vec<Result<(), WorkError>> {
        let mut outcomes: Vec<Option<Result<(), WorkError>>> = arrivals.iter().map(|_| None).collect();
        for connection in connections {
            let open = |outcome: &Option<Result<(), WorkError>>| match outcome {
                None => true,
                Some(Ok(())) => false,
                Some(Err(error)) => another_account_may_help(error),
            };
            let places: Vec<usize> =
                (0..).zip(&outcomes).filter(|(_, outcome)| open(outcome)).map(|(at, _)| at).collect();
            let these: Vec<Arrival> = places.iter().filter_map(|at| arrivals.get(*at)).cloned().collect();
            if these.is_empty() {
                break;
            }
            let fetched = self.fetch(scope, connection, &these, now).await;
            let written = self.write(scope, connection, fetched, now).await;
            if connection.ended.is_none()
                && written.iter().any(|outcome| outcome.as_ref().is_err_and(WorkError::is_of_token))
            {
                // That nobody looks now costs a day at most, and no lead.
                if let Err(error) = ask_for_check(&self.checks, scope, &connection.integration_id).await {
                    tracing::warn!(%error, org = %scope.org(), "a failed token will be looked at later only");
                }
            }
            for (at, outcome) in places.into_iter().zip(written) {
                if let Some(known) = outcomes.get_mut(at) {
                    *known = Some(outcome);
                }
            }
        }
        // Whoever has disconnected everything meanwhile does not want the lead any more.
        let settled = |outcome: Option<Result<(), WorkError>>| match outcome {
            None | Some(Err(WorkError::Disconnected)) => Ok(()),
            Some(outcome) => outcome,
        };
        outcomes.into_iter().map(settled).collect()
    }

    /// Parks what trying does not help, or has not helped for long.
    async fn settle(
        &self,
        scope: &OrgScope,
        arrival: &Arrival,
        error: WorkError,
        now: Timestamp,
    ) -> Result<(), WorkError> {
        let given_up = error.verdict() == Verdict::GiveUp;
        if !given_up && arrival.receives < MOST_RECEIVES {
            tracing::info!(%error, code = error.code(), leadgen_id = %arrival.job.notice.leadgen_id, org = %scope.org(), receives = arrival.receives, "lead not in yet, will be tried again");
            return Err(error);
        }
        let leadgen_id = &arrival.job.notice.leadgen_id;
        if self.table.stored(scope, &LeadId::from_leadgen(leadgen_id)).await?.is_some() {
            // It is in. If it could not be told, the dead letters keep it until it can.
            return if matches!(error, WorkError::Bus(_)) { Err(error) } else { Ok(()) };
        }
        tracing::error!(%error, code = error.code(), %leadgen_id, org = %scope.org(), metric = "leads_parked", "lead parked");
        let parked = ParkedLead {
            leadgen_id: leadgen_id.clone(),
            page_id: arrival.job.notice.page_id.clone(),
            reason: error.code().to_owned(),
            evidence: evidence(&error),
            parked_at: now,
            job: arrival.job.clone(),
        };
        self.table.park(scope, &parked).await?;
        if given_up { Ok(()) } else { Err(error) }
    }
}

fn by_org(connections: Vec<(OrgScope, Connection)>) -> Vec<(OrgScope, Vec<Connection>)> {
    let mut orgs: Vec<(OrgScope, Vec<Connection>)> = Vec::new();
    for (scope, connection) in connections {
        match orgs.iter_mut().find(|(known, _)| *known == scope) {
            Some((_, of_org)) => of_org.push(connection),
            None => orgs.push((scope, vec![connection])),
        }
    }
    orgs
}

/// What an admin may read of an error: Meta's words, and of AWS's failures only that there was one.
fn evidence(error: &WorkError) -> String {
    match error {
        WorkError::Graph(error) => error.to_string(),
        WorkError::Vault(error @ VaultError::Unreadable(_)) => error.to_string(),
        WorkError::NotInPlan => error.to_string(),
        other => other.code().to_owned(),
    }
}

fn another_account_may_help(error: &WorkError) -> bool {
    match error {
        WorkError::Vault(VaultError::Missing(_) | VaultError::Unreadable(_)) | WorkError::Disconnected => true,
        WorkError::Graph(error) => matches!(
            error,
            GraphError::TokenDead { .. }
                | GraphError::WrongTokenKind(_)
                | GraphError::NotPermitted(_)
                | GraphError::NotVisible(_)
                | GraphError::Refused(_)
        ),
        WorkError::Vault(VaultError::Failed(_))
        | WorkError::Table(_)
        | WorkError::Queue(_)
        | WorkError::Bus(_)
        | WorkError::Mail(_)
        | WorkError::NotInPlan => false,
    }
}

/// Meta's callback URL may name an org. It decides nothing, because one URL serves all orgs of the app; but when it
/// names another org than the page's, somebody has set something up wrong.
fn tell_orgid_mismatch(scope: &OrgScope, arrivals: &[Arrival]) {
    let other =
        arrivals.iter().filter_map(|arrival| arrival.job.orgid.as_deref()).find(|named| *named != scope.org().as_str());
    if other.is_some() {
        tracing::warn!(org = %scope.org(), metric = "orgid_mismatch", "the webhook's orgid is not the org that connected the page; the page decides");
    }
}
