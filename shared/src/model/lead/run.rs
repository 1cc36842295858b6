//! A search for leads that somebody asked for: what it covers and how far it is.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::ids::{IntegrationId, PageId, RunId, UserId};
use crate::model::lead::FoundBy;

/// What takes longer than this will not come to its end.
const LONGEST: SignedDuration = SignedDuration::from_hours(24);

/// One search, over the pages that were connected when it was asked for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Run {
    /// Ours; later runs have higher ids.
    pub id: RunId,
    /// Whose pages are searched.
    pub integration_id: IntegrationId,
    /// `sync` for new leads, `backfill` for those from before the connection. What it finds is marked so.
    pub kind: FoundBy,
    /// Leads that were sent from then on are searched for. For a sync, at least the last 48 hours.
    #[schema(value_type = String, format = DateTime)]
    pub since: Timestamp,
    /// Whether what it finds is assigned as the integration says.
    pub assign: bool,
    /// Who asked for it.
    pub asked_by: UserId,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    pub asked_at: Timestamp,
    /// The pages it covers.
    pub pages: BTreeSet<PageId>,
    /// Those of them that are searched.
    #[serde(default)]
    pub pages_done: BTreeSet<PageId>,
    /// Leads that had not come in.
    #[serde(default)]
    pub found: u64,
    /// How many of those came in or were parked since. One that is worked on twice may be counted twice.
    #[serde(default)]
    pub settled: u64,
    /// What kept pages from being searched.
    #[serde(default)]
    pub problems: Vec<RunProblem>,
}

/// A page that could not be searched.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RunProblem {
    /// Which.
    pub page_id: PageId,
    /// Stable, for programs.
    pub code: String,
    /// For people.
    pub message: String,
}

/// How far a run is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RunState {
    /// Pages are being searched.
    Searching,
    /// All are searched, and what was found is being brought in.
    BringingIn,
    /// All that was found came in or is parked.
    Done,
    /// A day after it was asked for it is not done: something keeps it. Ask again.
    Stopped,
}

impl Run {
    /// How far it is.
    #[must_use]
    pub fn state(&self, now: Timestamp) -> RunState {
        let searched = self.pages.is_subset(&self.pages_done);
        if now.duration_since(self.asked_at) > LONGEST && (!searched || self.settled < self.found) {
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
