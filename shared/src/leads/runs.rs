//! Requested searches for leads: a sync for new ones, a backfill for those from before the connection.
#![expect(missing_docs, reason = "a field whose name says it all has no description in the API's document either")]

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::sweep::cannot_search;
use super::{Leads, Search, Sweep};
use crate::directory::MetaAccess;
use crate::error::{ActError, ErrorCode, Missing};
use crate::ids::{IntegrationId, PageId, RunId};
use crate::jobs::{SweepJob, SweepKind};
use crate::model::connection::{Connection, Integration};
use crate::model::json_input::whole;
use crate::model::lead::FoundBy;
use crate::model::lead::run::{Run, RunState};
use crate::tr;

/// The most days that a backfill looks back: Meta retains leads for this long.
const MAX_BACKFILL_DAYS: u16 = 90;
/// How far a sync looks back.
const SYNC_LOOK_BACK: SignedDuration = SignedDuration::from_hours(48);
/// A backfill that is not done after this is considered stopped, and another may begin.
const BACKFILL_TIMEOUT: SignedDuration = SignedDuration::from_hours(1);

/// A sync or backfill.
#[derive(Debug, Serialize, ToSchema)]
pub struct RunOut {
    #[serde(flatten)]
    pub run: Run,
    /// Its progress.
    pub state: RunState,
}

/// An integration's syncs and backfills.
#[derive(Debug, Serialize, ToSchema)]
pub struct RunList {
    pub items: Vec<RunOut>,
    /// Always `null`: only the latest are listed.
    pub next_cursor: Option<String>,
}

/// Which leads to backfill from before the connection.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BackfillIn {
    /// How many days back, 1 to 90.
    #[schema(minimum = 1, maximum = 90)]
    #[serde(deserialize_with = "whole")]
    pub days: u16,
    /// Whether they are assigned as configured in the integration; they stay unassigned by default.
    #[serde(default)]
    pub assign: bool,
}

impl Leads {
    /// Compares the last 48 hours of every form with the stored leads, and queues the missing ones. What is not
    /// searched within `timeout` is searched in the background.
    ///
    /// # Errors
    /// After an error of the search, the run has ended, and names the error for each page that was not searched.
    pub async fn sync(&self, access: &MetaAccess, id: &IntegrationId, timeout: Duration) -> Result<RunOut, ActError> {
        let now = crate::clock::now();
        let integration = self.tokens.usable_integration(&access.scope, id, now).await?;
        let run = self.begin_run(access, &integration, FoundBy::Sync, now - SYNC_LOOK_BACK, true).await?;
        let pages = self.table.swept_pages(&access.scope, id, now).await?;
        let sweep = Sweep { meta: &self.tokens.meta, table: &self.table, leads: &self.queue };
        let search = Search::of_run(&run, None, now);
        match tokio::time::timeout(timeout, sweep.run(&access.scope, &integration, &pages, &search, now)).await {
            Ok(Ok(_)) => {}
            Ok(Err(error)) => {
                // Searched pages stay searched. The others record the error, so that the run ends.
                for page in &run.pages {
                    cannot_search(&self.table, &access.scope, &run.id, page, error.code(), &error.to_string()).await?;
                }
                return Err(self.tokens.explain(&access.scope, &integration.id, error).await);
            }
            Err(_) => self.queue_run(access, &run).await?,
        }
        self.find_run(access, &integration, &run.id).await
    }

    /// Imports, in the background, the leads of the last days that Meta still has.
    ///
    /// # Errors
    /// [`ErrorCode::BackfillRunning`] if another backfill of the integration is still searching.
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
                tr!("A whole number from 1 to {max}: Meta keeps leads for {max} days.", max = MAX_BACKFILL_DAYS),
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
            let detail = tr!("The backfill {run} is still searching. Wait until it is done.", run = running.id);
            return Err(ActError::refuse(ErrorCode::BackfillRunning, detail));
        }
        let since = now - SignedDuration::from_hours(24 * i64::from(input.days));
        let run = self.begin_run(access, &integration, FoundBy::Backfill, since, input.assign).await?;
        self.queue_run(access, &run).await?;
        Ok(run_out(run))
    }

    /// Lists the latest requested searches of an integration, newest first.
    pub async fn runs(&self, access: &MetaAccess, id: &IntegrationId) -> Result<RunList, ActError> {
        let integration = self.tokens.integration(&access.scope, id).await?;
        let mut runs = self.table.for_display().runs(&access.scope).await?;
        runs.retain(|run| run.integration_id == integration.id);
        Ok(RunList { items: runs.into_iter().map(run_out).collect(), next_cursor: None })
    }

    /// Reads one requested search of an integration.
    pub async fn run(&self, access: &MetaAccess, id: &IntegrationId, run: &RunId) -> Result<RunOut, ActError> {
        let integration = self.tokens.integration(&access.scope, id).await?;
        self.find_run(access, &integration, run).await
    }

    async fn find_run(&self, access: &MetaAccess, integration: &Integration, id: &RunId) -> Result<RunOut, ActError> {
        let run = self.table.run(&access.scope, id).await?.filter(|run| run.integration_id == integration.id);
        run.map(run_out).ok_or_else(|| ActError::not_found(Missing::Run))
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
        access.trail.about(&run.id);
        Ok(run)
    }

    /// Queues a run for lead-sweep, page by page.
    async fn queue_run(&self, access: &MetaAccess, run: &Run) -> Result<(), ActError> {
        let job = |page: &PageId| {
            let (org, integration_id) = (access.scope.org().clone(), run.integration_id.clone());
            SweepJob { org, integration_id, kind: SweepKind::Run(run.id.clone(), page.clone()) }
        };
        let jobs: Vec<SweepJob> = run.pages.iter().map(job).collect();
        Ok(self.searches.send(&jobs).await?)
    }
}

fn run_out(run: Run) -> RunOut {
    RunOut { state: run.state(crate::clock::now()), run }
}
