//! A requested search for leads: what it covers and its progress.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::ids::{IntegrationId, PageId, RunId, UserId};
use crate::model::failure::FailureCode;
use crate::model::lead::FoundBy;

/// A run that takes longer than this is treated as stopped.
const MAX_DURATION: SignedDuration = SignedDuration::from_hours(24);

/// A search over the pages that were connected when it was requested.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Run {
    /// The run's id. Later runs have higher ids.
    pub id: RunId,
    /// The integration whose pages are searched.
    pub integration_id: IntegrationId,
    /// `sync` for new leads, `backfill` for leads from before the connection. The leads it finds are marked with it.
    pub kind: FoundBy,
    /// The search covers leads sent from this time on; for a sync, at least the last 48 hours.
    #[schema(value_type = String, format = DateTime)]
    pub since: Timestamp,
    /// Whether the leads it finds are assigned by the integration's strategy.
    pub assign: bool,
    /// The user who requested it.
    pub asked_by: UserId,
    /// When it was requested.
    #[schema(value_type = String, format = DateTime)]
    pub asked_at: Timestamp,
    /// The pages it covers.
    pub pages: BTreeSet<PageId>,
    /// The pages whose search is complete.
    #[serde(default)]
    pub pages_done: BTreeSet<PageId>,
    /// Number of leads that had not been ingested before.
    #[serde(default)]
    pub found: u64,
    /// Number of those leads ingested or parked since. A lead that is processed twice may be counted twice.
    #[serde(default)]
    pub settled: u64,
    /// The pages that could not be searched.
    #[serde(default)]
    pub problems: Vec<RunProblem>,
}

/// A page that could not be searched.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RunProblem {
    /// The page.
    pub page_id: PageId,
    /// The cause, as a stable code.
    pub code: FailureCode,
    /// The cause as readable text.
    pub message: String,
}

/// The progress of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RunState {
    /// Pages are being searched.
    Searching,
    /// All pages are searched, and the leads found are being ingested.
    BringingIn,
    /// All leads found are ingested or parked.
    Done,
    /// Not finished a day after it was requested. Request it again.
    Stopped,
}

impl Run {
    /// The run's state at `now`.
    #[must_use]
    pub fn state(&self, now: Timestamp) -> RunState {
        let searched = self.pages.is_subset(&self.pages_done);
        if now.duration_since(self.asked_at) > MAX_DURATION && (!searched || self.settled < self.found) {
            RunState::Stopped
        } else if !searched {
            RunState::Searching
        } else if self.settled < self.found {
            RunState::BringingIn
        } else {
            RunState::Done
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn run() -> Run {
        Run {
            id: RunId::new(),
            integration_id: IntegrationId::parse("int_1").unwrap(),
            kind: FoundBy::Backfill,
            since: Timestamp::UNIX_EPOCH,
            assign: false,
            asked_by: UserId::parse("u").unwrap(),
            asked_at: "2026-01-01T00:00:00Z".parse().unwrap(),
            pages: ["7", "8"].map(|page| PageId::parse(page).unwrap()).into(),
            pages_done: BTreeSet::new(),
            found: 0,
            settled: 0,
            problems: vec![],
        }
    }
}
