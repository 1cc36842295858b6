//! One reading of one ad account: what it covers, how far it is, what it found. It is the sync log.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::ids::{AdAccountId, AdObjectId, LinkId, RunId, UserId};
use crate::model::ads::conversions::Counted;
use crate::model::ads::insights::Metrics;
use crate::model::ads::object::AdObjectKind;
use crate::model::ads::sync_problem::{Trouble, TroubleCode};

/// A reading.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AdsSync {
    /// Ours; later ones have higher ids. Readings of several accounts that were asked for at once share one.
    pub id: RunId,
    /// Of which account.
    pub account_id: LinkId,
    /// Meta's id of it.
    pub ad_account_id: AdAccountId,
    /// Why it was made.
    pub cause: Cause,
    /// Who asked for it, if somebody did.
    pub asked_by: Option<UserId>,
    /// When it was asked for or fell due.
    pub asked_at: Timestamp,
    /// The first day it covers.
    pub since: Date,
    /// The last: the account's day when it began.
    pub until: Option<Date>,
    /// When it began.
    pub started_at: Option<Timestamp>,
    /// When it came to its end.
    pub finished_at: Option<Timestamp>,
    /// It waits for Meta's limit until then.
    pub waiting_until: Option<Timestamp>,
    /// What ended it before its end.
    pub trouble: Option<Trouble>,
    /// Nobody wanted it any more: the account was paused, or the org's plan lost Meta.
    #[serde(default)]
    pub stopped: bool,
    /// By what was read.
    #[serde(default)]
    pub log: BTreeMap<ObjectType, ObjectLog>,
    /// Where it goes on if it is cut short.
    #[serde(default)]
    pub progress: Progress,
}

/// Why a reading was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// Every 15 minutes, and further back once a day.
    Schedule,
    /// The account is new.
    Import,
    /// Somebody asked for it.
    Request,
}

/// What is read of an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
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

/// What became of one object type.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct ObjectLog {
    /// What Meta gave.
    pub read: u64,
    /// Of that, what was new or had changed, and was written.
    pub changed: u64,
    /// Of that, what was as before.
    pub unchanged: u64,
    /// Of what changed, days that were over: Meta restated them.
    #[serde(default)]
    pub restated: u64,
    /// What could not be read or written.
    pub failed: u64,
    /// Calls of the Graph API.
    pub calls: u64,
    /// Seconds it waited: for limits, and for reports that Meta was making.
    pub waited_s: u64,
    /// What went wrong, the first few.
    #[serde(default)]
    pub errors: Vec<ObjectError>,
}

/// Something that went wrong with a part of a reading.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ObjectError {
    /// Stable, for programs.
    pub code: TroubleCode,
    /// What it is about, and Meta's words.
    pub evidence: String,
}

impl ObjectLog {
    /// Counts something that could not be read, and keeps the first few words about it.
    pub fn fail(&mut self, code: TroubleCode, evidence: impl Into<String>) {
        self.failed += 1;
        self.note(code, evidence);
    }

    /// Keeps the first few words about something.
    pub fn note(&mut self, code: TroubleCode, evidence: impl Into<String>) {
        const MOST: usize = 5;
        if self.errors.len() < MOST {
            self.errors.push(ObjectError { code, evidence: evidence.into() });
        }
    }
}

/// How far a reading is. What is not here yet is read, or read again.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Progress {
    /// What counted as conversions when its days were read.
    #[serde(default)]
    pub counted: Option<Counted>,
    /// Every object is read, not only what changed.
    #[serde(default)]
    pub full: bool,
    /// Object types that are done.
    #[serde(default)]
    pub objects: Vec<ObjectType>,
    /// How far objects are known is written down.
    #[serde(default)]
    pub objects_kept: bool,
    /// How often it was interrupted by what may heal.
    #[serde(default)]
    pub failures: u32,
    /// In the middle of an object type: the cursor of the next response page, and when it was given. Meta's cursors live
    /// for a while only.
    #[serde(default)]
    pub cursor: Option<(String, Timestamp)>,
    /// Campaigns that changed, or whose ad sets did: what is below them may have changed with them. Of many, only some.
    #[serde(default)]
    pub touched: BTreeSet<AdObjectId>,
    /// The account's own numbers are read back to this day.
    #[serde(default)]
    pub account_down_to: Option<Date>,
    /// Of the account's own days, so many are asked for at once.
    #[serde(default)]
    pub account_days_at_once: Option<i32>,
    /// The ads' numbers are read from today back to this day.
    #[serde(default)]
    pub ads_down_to: Option<Date>,
    /// Days asked for at once; fewer after Meta found it too much.
    #[serde(default)]
    pub days_at_once: Option<i32>,
    /// The report that Meta is making.
    #[serde(default)]
    pub report: Option<OpenReport>,
    /// Reports that were asked for about the same days.
    #[serde(default)]
    pub reports: u32,
    /// Parts of a day that were too much together, and are still to be asked for.
    #[serde(default)]
    pub parts: Option<Vec<Question>>,
    /// In the middle of the answer to a question: the cursor of the next response page, and when it was given.
    #[serde(default)]
    pub place: Option<(Question, String, Timestamp)>,
}

/// A question about ads' days.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Question {
    /// The first day.
    pub since: Date,
    /// The last.
    pub until: Date,
    /// Only about these objects.
    pub within: Option<(AdObjectKind, Vec<AdObjectId>)>,
    /// Which numbers.
    pub fields: Fields,
}

/// Which numbers. Meta can fail for a single field of a single ad's day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fields {
    /// All that we know.
    All,
    /// Without the list of actions.
    WithoutActions,
    /// Without plays of videos.
    WithoutVideo,
    /// Without either.
    Core,
}

impl Fields {
    /// Fewer of them, in the order in which they are given up; `None` when nothing is left to give up.
    #[must_use]
    pub fn fewer(self) -> Option<Self> {
        match self {
            Self::All => Some(Self::WithoutActions),
            Self::WithoutActions => Some(Self::WithoutVideo),
            Self::WithoutVideo => Some(Self::Core),
            Self::Core => None,
        }
    }

    /// Numbers that were not asked for are as they were `before`.
    pub fn keep(self, metrics: &mut Metrics, before: &Metrics) {
        if matches!(self, Self::WithoutActions | Self::Core) {
            metrics.actions.clone_from(&before.actions);
            metrics.conversions = before.conversions;
        }
        if matches!(self, Self::WithoutVideo | Self::Core) {
            metrics.video_views = before.video_views;
        }
    }
}

impl Progress {
    /// Has every day read, whatever of them is read already.
    pub fn read_all_days(&mut self) {
        (self.account_down_to, self.ads_down_to) = (None, None);
        (self.report, self.parts, self.place) = (None, None, None);
    }

    /// Has every object read, whatever of them is read already.
    pub fn read_all_objects(&mut self) {
        self.full = true;
        self.objects.clear();
        self.objects_kept = false;
        self.cursor = None;
    }
}

/// A report that Meta is making.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenReport {
    /// Meta's id of it.
    pub id: String,
    /// The days it covers.
    pub since: Date,
    /// The last of them.
    pub until: Date,
    /// When it was asked for.
    pub asked_at: Timestamp,
    /// Its rows are read up to this cursor.
    #[serde(default)]
    pub after: Option<String>,
}

/// How far a reading is, in a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SyncState {
    /// Its turn will come.
    Queued,
    /// Somebody is at it.
    Running,
    /// Meta wants the account to be left alone for a while; it goes on then.
    Waiting,
    /// It came to its end.
    Done,
    /// Something ended it; `reason` says what.
    Failed,
    /// The account was paused, or the org's plan does not include Meta any more.
    Stopped,
}

impl AdsSync {
    /// A reading that is to be made.
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
            trouble: None,
            stopped: false,
            log: BTreeMap::new(),
            progress: Progress::default(),
        }
    }

    /// How far it is.
    #[must_use]
    pub fn state(&self, now: Timestamp) -> SyncState {
        match (self.finished_at, self.started_at) {
            (Some(_), _) if self.trouble.is_some() => SyncState::Failed,
            (Some(_), _) if self.stopped => SyncState::Stopped,
            (Some(_), _) => SyncState::Done,
            (None, None) => SyncState::Queued,
            (None, Some(_)) if self.waiting_until.is_some_and(|until| until > now) => SyncState::Waiting,
            (None, Some(_)) => SyncState::Running,
        }
    }

    /// The counts of an object type.
    pub fn log(&mut self, what: ObjectType) -> &mut ObjectLog {
        self.log.entry(what).or_default()
    }
}
