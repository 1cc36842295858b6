//! Searches for leads that somebody asks for: new ones now, and those from before the connection.
#![expect(missing_docs, reason = "a field whose name says it all has no description in the API's document either")]

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::sweep::cannot_search;
use super::{Leads, Search, Sweep};
use crate::directory::MetaAccess;
use crate::error::{ActError, ErrorCode};
use crate::ids::{IntegrationId, PageId, RunId};
use crate::jobs::SweepJob;
use crate::model::connection::{Connection, Integration};
use crate::model::lead::FoundBy;
use crate::model::lead::run::{Run, RunState};

/// Days that a backfill looks back at most: Meta keeps leads for so long.
const MAX_BACKFILL_DAYS: u16 = 90;
/// How far a sync looks back at least.
const SYNC_LOOK_BACK: SignedDuration = SignedDuration::from_hours(48);
/// A backfill that is not done after this has stopped, and the next may begin.
const BACKFILL_TIMEOUT: SignedDuration = SignedDuration::from_hours(1);

/// A search.
#[derive(Debug, Serialize, ToSchema)]
pub struct RunOut {
    #[serde(flatten)]
    pub run: Run,
    /// How far it is.
    pub state: RunState,
}

/// Searches.
#[derive(Debug, Serialize, ToSchema)]
pub struct RunList {
    pub items: Vec<RunOut>,
    /// Always `null`: only the latest are listed.
    pub next_cursor: Option<String>,
}

/// Which leads to bring in from before the connection.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BackfillIn {
    /// How many days back, 1 to 90.
    #[schema(minimum = 1, maximum = 90)]
    pub days: u16,
    /// Whether they are assigned as the integration says; to nobody if left out.
    #[serde(default)]
    pub assign: bool,
}

impl Leads {
    /// Compares the last 48 hours of every form with what came in, and brings in what did not.
    ///
    /// # Errors
    /// If there is no such integration, its token does not work, Meta refuses, or something failed.
    pub async fn sync(&self, access: &MetaAccess, id: &IntegrationId, timeout: Duration) -> Result<RunOut, ActError> {
        let now = crate::clock::now();
        let integration = self.tokens.usable_integration(&access.scope, id, now).await?;
        let run = self.begin_run(access, &integration, FoundBy::Sync, now - SYNC_LOOK_BACK, true).await?;
        let sweep = Sweep { meta: &self.tokens.meta, table: &self.table, leads: &self.queue };
        let search = Search::of_run(&run, None, now);
        match tokio::time::timeout(timeout, sweep.run(&access.scope, &integration, &search, now)).await {
            Ok(Ok(_)) => {}
            Ok(Err(error)) => {
                // Pages that could be searched are; the others say why not, and the run has its end.
                for page in &run.pages {
                    cannot_search(&self.table, &access.scope, &run.id, page, error.code(), &error.to_string()).await?;
                }
                return Err(self.tokens.explain(&access.scope, &integration.id, error).await);
            }
            Err(_) => self.queue_run(access, &run).await?,
        }
        self.find_run(access, &integration, &run.id).await
    }

    /// Brings in, in the background, what Meta still has of the last days.
    ///
    /// # Errors
    /// If there is no such integration, its token does not work, the days are too many, another backfill of it is still
    /// searching, or something failed.
    pub async fn backfill(
        &self,
        access: &MetaAccess,
        id: &IntegrationId,
        input: BackfillIn,
    ) -> Result<RunOut, ActError> {
        let now = crate::clock::now();
        let integration = self.tokens.usable_integration(&access.scope, id, now).await?;
        if !(1..=MAX_BACKFILL_DAYS).contains(&input.days) {
            return Err(ActError::invalid(
                "days",
                ErrorCode::DaysInvalid,
                format!("A whole number from 1 to {MAX_BACKFILL_DAYS}: Meta keeps leads for {MAX_BACKFILL_DAYS} days."),
            ));
        }
        let of_integration =
            self.table.runs(&access.scope).await?.into_iter().filter(|run| run.integration_id == integration.id);
        let runs = |run: &Run| {
            run.kind == FoundBy::Backfill
                && run.state(now) == RunState::Searching
                && now.duration_since(run.asked_at) < BACKFILL_TIMEOUT
        };
        if let Some(running) = of_integration.into_iter().find(runs) {
            let detail = format!("The backfill {} is still searching. Wait until it is done.", running.id);
            return Err(ActError::refuse(ErrorCode::BackfillRunning, detail));
        }
        let since = now - SignedDuration::from_hours(24 * i64::from(input.days));
        let run = self.begin_run(access, &integration, FoundBy::Backfill, since, input.assign).await?;
        self.queue_run(access, &run).await?;
        Ok(run_out(run))
    }

    /// The searches of an integration that somebody asked for lately, newest first.
    ///
    /// # Errors
    /// If there is no such integration, or the table cannot be read.
    pub async fn runs(&self, access: &MetaAccess, id: &IntegrationId) -> Result<RunList, ActError> {
        let integration = self.tokens.integration(&access.scope, id).await?;
        let mut runs = self.table.runs(&access.scope).await?;
        runs.retain(|run| run.integration_id == integration.id);
        Ok(RunList { items: runs.into_iter().map(run_out).collect(), next_cursor: None })
    }

    /// One search of an integration.
    ///
    /// # Errors
    /// If there is no such integration or no such search of it, or the table cannot be read.
    pub async fn run(&self, access: &MetaAccess, id: &IntegrationId, run: &RunId) -> Result<RunOut, ActError> {
        let integration = self.tokens.integration(&access.scope, id).await?;
        self.find_run(access, &integration, run).await
    }

    async fn find_run(&self, access: &MetaAccess, of: &Integration, id: &RunId) -> Result<RunOut, ActError> {
        let run = self.table.run(&access.scope, id).await?.filter(|run| run.integration_id == of.id);
        run.map(run_out).ok_or_else(|| ActError::not_found("run"))
    }

    async fn begin_run(
        &self,
        access: &MetaAccess,
        integration: &Integration,
        kind: FoundBy,
        since: Timestamp,
        assign: bool,
    ) -> Result<Run, ActError> {
        let mut pages = self.table.pages_of(&access.scope, &integration.id).await?;
        pages.retain(|page: &Connection| page.is_connected() && page.ended.is_none());
        let run = Run {
            id: RunId::new(),
            integration_id: integration.id.clone(),
            kind,
            since,
            assign,
            asked_by: access.caller.user.clone(),
            asked_at: crate::clock::now(),
            pages: pages.into_iter().map(|page| page.page_id).collect(),
            pages_done: Default::default(),
            found: 0,
            settled: 0,
            problems: Vec::new(),
        };
        self.table.insert_run(&access.scope, &run).await?;
        Ok(run)
    }

    /// Leaves a run to lead-sweep, page by page.
    async fn queue_run(&self, access: &MetaAccess, run: &Run) -> Result<(), ActError> {
        let job = |page: &PageId| {
            let (org, integration_id) = (access.scope.org().clone(), run.integration_id.clone());
            SweepJob { org, integration_id, everything: true, run: Some((run.id.clone(), page.clone())) }
        };
        let jobs: Vec<SweepJob> = run.pages.iter().map(job).collect();
        Ok(self.sweeps.send(&jobs).await?)
    }
}

fn run_out(run: Run) -> RunOut {
    RunOut { state: run.state(crate::clock::now()), run }
}
