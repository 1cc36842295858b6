//! The sync log: one sync of one ad account, with its range, its progress and its results.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::ids::{AdAccountId, AdObjectId, LinkId, RunId, UserId};
use crate::model::ads::account::LOOK_BACK_DAYS;
use crate::model::ads::conversions::Counted;
use crate::model::ads::metrics::Metrics;
use crate::model::ads::object::AdObjectKind;
use crate::model::ads::sync_problem::{SyncProblem, SyncProblemCode};
use crate::model::days::{back, days};

/// A sync of an ad account.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AdsSync {
    /// The sync's id. Later syncs have higher ids; syncs of several accounts in one request share an id.
    pub id: RunId,
    /// The account, by Leadwire's id.
    pub account_id: LinkId,
    /// The account, by Meta's id.
    pub ad_account_id: AdAccountId,
    /// Why the sync was made.
    pub cause: Cause,
    /// The user who requested it, if any.
    pub asked_by: Option<UserId>,
    /// When the sync was requested or fell due.
    pub asked_at: Timestamp,
    /// The first day that it covers.
    pub since: Date,
    /// The last day that it covers: the account's date when the sync started.
    pub until: Option<Date>,
    /// When the sync started.
    pub started_at: Option<Timestamp>,
    /// When the sync finished.
    pub finished_at: Option<Timestamp>,
    /// The sync waits until this time for Meta's rate limit.
    pub waiting_until: Option<Timestamp>,
    /// The problem that ended it early.
    pub problem: Option<SyncProblem>,
    /// The sync was stopped because the account was paused or the org's plan lost Meta.
    #[serde(default)]
    pub stopped: bool,
    /// The results, by object type.
    #[serde(default)]
    pub log: BTreeMap<ObjectType, ObjectLog>,
    /// Where the sync continues after an interruption.
    #[serde(default)]
    pub progress: Progress,
}

/// Why a sync was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[cfg_attr(test, derive(strum::EnumIter))]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// The regular schedule: every 15 minutes, and further back once a day.
    Schedule,
    /// The import of a new account.
    Import,
    /// A user requested it.
    Request,
}

/// The types of data that a sync reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[cfg_attr(test, derive(strum::EnumIter))]
#[serde(rename_all = "snake_case")]
pub enum ObjectType {
    /// Campaigns.
    Campaigns,
    /// Ad sets.
    Adsets,
    /// Ads, with their creatives.
    Ads,
    /// The account's own numbers by day.
    AccountInsights,
    /// The ads' numbers by day.
    AdInsights,
}

/// The results for one object type.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct ObjectLog {
    /// Number of objects that Meta returned.
    pub read: u64,
    /// Number of objects that were new or had changed, and were written.
    pub changed: u64,
    /// Number of objects that had not changed.
    pub unchanged: u64,
    /// Number of changed days that had already ended, which means that Meta restated them.
    #[serde(default)]
    pub restated: u64,
    /// Number of objects that could not be read or written.
    pub failed: u64,
    /// Number of Graph API calls.
    pub calls: u64,
    /// Seconds spent waiting for rate limits and for Meta's asynchronous reports.
    pub waited_s: u64,
    /// The first few errors.
    #[serde(default)]
    pub errors: Vec<ObjectError>,
}

/// An error in one part of a sync.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ObjectError {
    /// The cause, as a stable code.
    pub code: SyncProblemCode,
    /// The object concerned, and Meta's message.
    pub evidence: String,
}

impl ObjectLog {
    /// Counts a failed object and notes the error.
    pub fn fail(&mut self, code: SyncProblemCode, evidence: impl Into<String>) {
        self.failed += 1;
        self.note(code, evidence);
    }

    /// Notes an error. Only the first few are stored.
    pub fn note(&mut self, code: SyncProblemCode, evidence: impl Into<String>) {
        const MAX: usize = 5;
        if self.errors.len() < MAX {
            self.errors.push(ObjectError { code, evidence: evidence.into() });
        }
    }
}

/// The progress of a sync. Whatever is not recorded here is read, or read again.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Progress {
    /// The number of slices so far.
    #[serde(default)]
    pub slices: u64,
    /// The conversions setting in force when its days were read.
    #[serde(default)]
    pub counted: Option<Counted>,
    /// Whether all objects are read, and not only the changed ones.
    #[serde(default)]
    pub full: bool,
    /// The object types that are done.
    #[serde(default)]
    pub objects: Vec<ObjectType>,
    /// Whether the account records how far its objects have been read.
    #[serde(default)]
    pub objects_kept: bool,
    /// Number of interruptions by temporary failures.
    #[serde(default)]
    pub failures: u32,
    /// The cursor of the next response page within an object type, and when Meta returned it. Meta's cursors expire
    /// after a while.
    #[serde(default)]
    pub cursor: Option<(String, Timestamp)>,
    /// Campaigns that changed or whose ad sets changed, because the objects below them may have changed too. Capped: a
    /// long list is incomplete.
    #[serde(default)]
    pub touched: BTreeSet<AdObjectId>,
    /// The account's own numbers have been read from today back to this day.
    #[serde(default)]
    pub account_down_to: Option<Date>,
    /// The marks of the account's newest days.
    #[serde(default)]
    pub account_marks: BTreeMap<Date, u64>,
    /// One of the account's days could not be read whole, so the marks do not show every change.
    #[serde(default)]
    pub account_marks_incomplete: bool,
    /// Number of the account's own days per query.
    #[serde(default)]
    pub account_days_at_once: Option<i32>,
    /// The ads' numbers have been read from today back to this day.
    #[serde(default)]
    pub ads_down_to: Option<Date>,
    /// Number of days per query for the ads; reduced when Meta reports too much data.
    #[serde(default)]
    pub days_at_once: Option<i32>,
    /// Whether rows of ads were left to a later sync.
    #[serde(default)]
    pub rows_deferred: bool,
    /// The asynchronous report that Meta is generating.
    #[serde(default)]
    pub report: Option<OpenReport>,
    /// Number of reports requested for the same days.
    #[serde(default)]
    pub reports: u32,
    /// The remaining queries for parts of a day that was too large for a single query.
    #[serde(default)]
    pub parts: Option<Vec<InsightsQuery>>,
    /// The cursor of the next response page within a query, and when Meta returned it.
    #[serde(default)]
    pub query_cursor: Option<(InsightsQuery, String, Timestamp)>,
}

/// A query for ads' daily numbers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InsightsQuery {
    /// The first day.
    pub since: Date,
    /// The last day.
    pub until: Date,
    /// Restricts the query to these objects.
    pub within: Option<(AdObjectKind, Vec<AdObjectId>)>,
    /// The fields to request.
    pub fields: Fields,
}

/// The fields of a query. Meta can fail because of a single field of a single ad's day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(strum::EnumIter))]
#[serde(rename_all = "snake_case")]
pub enum Fields {
    /// All fields that Leadwire uses.
    All,
    /// All but the list of actions.
    WithoutActions,
    /// All but the video plays.
    WithoutVideo,
    /// All but the actions and the video plays.
    Core,
}

impl Fields {
    /// The next smaller set of fields to try after a failure; `None` if nothing can be left out.
    #[must_use]
    pub fn fewer(self) -> Option<Self> {
        match self {
            Self::All => Some(Self::WithoutActions),
            Self::WithoutActions => Some(Self::WithoutVideo),
            Self::WithoutVideo => Some(Self::Core),
            Self::Core => None,
        }
    }

    /// Copies the numbers that were not requested from `before`.
    pub fn keep(self, metrics: &mut Metrics, before: &Metrics) {
        if matches!(self, Self::WithoutActions | Self::Core) {
            metrics.actions.clone_from(&before.actions);
            metrics.main.conversions = before.main.conversions;
        }
        if matches!(self, Self::WithoutVideo | Self::Core) {
            metrics.video_views = before.video_views;
        }
    }
}

impl Progress {
    /// Discards the progress on days, so that every day is read again.
    pub fn read_all_days(&mut self) {
        (self.account_down_to, self.ads_down_to) = (None, None);
        (self.account_marks, self.account_marks_incomplete) = (BTreeMap::new(), false);
        (self.report, self.parts, self.query_cursor) = (None, None, None);
    }

    /// Discards the progress on objects, so that every object is read again.
    pub fn read_all_objects(&mut self) {
        self.full = true;
        self.objects.clear();
        self.objects_kept = false;
        self.cursor = None;
    }
}

/// An asynchronous report that Meta is generating.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenReport {
    /// Meta's id of the report.
    pub id: String,
    /// The first day of the report.
    pub since: Date,
    /// The last day of the report.
    pub until: Date,
    /// When the report was requested.
    pub asked_at: Timestamp,
    /// The report's rows have been read up to this cursor.
    #[serde(default)]
    pub after: Option<String>,
}

/// The state of a sync.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SyncState {
    /// The sync has not started yet.
    Queued,
    /// The sync is in progress.
    Running,
    /// The sync waits for Meta's rate limit and then continues.
    Waiting,
    /// The sync has finished.
    Done,
    /// The sync failed; `reason` says why.
    Failed,
    /// The sync was stopped because the account was paused or the org's plan no longer includes Meta.
    Stopped,
}

impl AdsSync {
    /// Creates a queued sync.
    #[must_use]
    pub fn new(
        id: RunId,
        account: &crate::model::ads::account::AdAccount,
        since: Date,
        cause: Cause,
        asked_by: Option<UserId>,
        now: Timestamp,
    ) -> Self {
        Self {
            id,
            account_id: account.id.clone(),
            ad_account_id: account.ad_account_id.clone(),
            cause,
            asked_by,
            asked_at: now,
            since,
            until: None,
            started_at: None,
            finished_at: None,
            waiting_until: None,
            problem: None,
            stopped: false,
            log: BTreeMap::new(),
            progress: Progress::default(),
        }
    }

    /// Creates a sync that the schedule has begun. It is not logged before its first slice ends.
    #[must_use]
    pub fn scheduled(id: RunId, account: &crate::model::ads::account::AdAccount, since: Date, now: Timestamp) -> Self {
        let cause = if account.imported_since.is_none() { Cause::Import } else { Cause::Schedule };
        Self::new(id, account, since, cause, None, now)
    }

    /// The state at `now`.
    #[must_use]
    pub fn state(&self, now: Timestamp) -> SyncState {
        match (self.finished_at, self.started_at) {
            (Some(_), _) if self.problem.is_some() => SyncState::Failed,
            (Some(_), _) if self.stopped => SyncState::Stopped,
            (Some(_), _) => SyncState::Done,
            (None, None) => SyncState::Queued,
            (None, Some(_)) if self.waiting_until.is_some_and(|until| until > now) => SyncState::Waiting,
            (None, Some(_)) => SyncState::Running,
        }
    }

    /// Whether this is the schedule's short sync, which reads only what may have changed. All others read everything
    /// that they cover.
    #[must_use]
    pub fn is_regular(&self) -> bool {
        let newest = self.until.map(|until| back(until, LOOK_BACK_DAYS));
        self.cause == Cause::Schedule && !self.progress.full && newest.is_some_and(|newest| self.since >= newest)
    }

    /// The number of slices after which the sync leads nowhere, for an account with so many rows per day. Close to
    /// Meta's rate limit, each call can take a slice.
    #[must_use]
    pub fn max_slices(&self, rows_per_day: u64) -> u64 {
        const BASE: u64 = 500;
        const ROWS_PER_CALL: u64 = 250;
        let days = days(self.since, self.until.unwrap_or(self.since)).max(1).unsigned_abs();
        BASE + rows_per_day * u64::from(days) / ROWS_PER_CALL
    }

    /// The results for an object type.
    pub fn log(&mut self, object_type: ObjectType) -> &mut ObjectLog {
        self.log.entry(object_type).or_default()
    }
}
