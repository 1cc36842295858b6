//! Bringing leads in: from the ids of a webhook to leads in the CRM, each once, each assigned, each announced.
//!
//! Everything here may be done twice, by two workers at once, and may stop anywhere: the one transaction in
//! `write` decides, and what comes after it is done again by whoever finds it undone.

mod fetch;
#[cfg(test)]
mod tests;
mod write;

use jiff::Timestamp;

use crate::bus::Bus;
use crate::error::WorkError;
use crate::graph::{Graph, GraphError};
use crate::ids::{LeadId, OrgScope, PageId};
use crate::model::delivery::LeadJob;
use crate::model::integration::Connection;
use crate::retry::Verdict;
use crate::table::Table;
use crate::table::parked::ParkedLead;
use crate::vault::{Vault, VaultError};

/// What bringing leads in takes.
#[derive(Debug)]
pub struct Intake {
    /// To read leads and forms.
    pub graph: Graph,
    /// To find who gets them, and to write them.
    pub table: Table,
    /// For the pages' tokens.
    pub vault: Vault,
    /// To tell the CRM.
    pub bus: Bus,
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
            let for_org = self.take_in_for_org(&scope, &connections, arrivals, now).await;
            for ((outcome, for_org), arrival) in outcomes.iter_mut().zip(for_org).zip(arrivals) {
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
    async fn take_in_for_org(
        &self,
        scope: &OrgScope,
        connections: &[Connection],
        arrivals: &[Arrival],
        now: Timestamp,
    ) -> Vec<Result<(), WorkError>> {
        let mut outcomes = Vec::new();
        for connection in connections {
            let fetched = self.fetch(scope, connection, arrivals, now).await;
            let useless = fetched.iter().all(|lead| matches!(lead, Err(error) if is_about_the_token(error)));
            outcomes = self.write(scope, connection, arrivals, fetched, now).await;
            if !useless {
                break;
            }
            // The same org may have connected the page through another account, whose token still works.
        }
        outcomes
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
            return Ok(());
        }
        tracing::error!(%error, code = error.code(), %leadgen_id, org = %scope.org(), metric = "leads_parked", "lead parked");
        let parked = ParkedLead {
            leadgen_id: leadgen_id.clone(),
            page_id: arrival.job.notice.page_id.clone(),
            reason: error.code().to_owned(),
            evidence: error.to_string(),
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

fn is_about_the_token(error: &WorkError) -> bool {
    matches!(
        error,
        WorkError::Vault(VaultError::Missing(_) | VaultError::Unreadable(_))
            | WorkError::Graph(
                GraphError::TokenDead { .. } | GraphError::WrongTokenKind(_) | GraphError::NotPermitted(_)
            )
    )
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
