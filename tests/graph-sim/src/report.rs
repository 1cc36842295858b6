//! Insights reports: queries that are worked out while the client polls.
//!
//! A report's rows are those of the moment it was asked for. How far it has come depends on real time, or on how often it
//! was asked, never on the simulated clock; only its life of thirty days does.

use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

use crate::graph::insights::Rows;

/// Ids are valid this long.
const LIFE_MS: i64 = 30 * 24 * 3600 * 1000;
/// How long a report takes unless told otherwise.
const USUAL: Pace = Pace::Time(Duration::from_millis(300));

/// What makes a report go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pace {
    Time(Duration),
    /// Done at this poll.
    Polls(u32),
}

/// Why a report failed, in the fields that tell it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Failure {
    pub(crate) code: i64,
    pub(crate) subcode: i64,
    pub(crate) message: &'static str,
    pub(crate) title: &'static str,
}

impl Failure {
    pub(crate) const FAILED: Self = Self {
        code: -2,
        subcode: 2_490_547,
        message: "There was an error while generating the report",
        title: "Report Failed",
    };
    pub(crate) const TOO_LARGE: Self = Self {
        code: -3,
        subcode: 1_504_045,
        message: "The report is too large to be generated. Ask for a shorter time or fewer fields.",
        title: "Report Too Large",
    };
    pub(crate) const TOO_MUCH_DATA: Self = Self {
        code: 100,
        subcode: 1_487_534,
        message: "Please reduce the amount of data you're asking for, then retry your request",
        title: "Too many data points",
    };
    /// The same text as [`Failure::RETRY`] has: only the subcode tells them apart.
    pub(crate) const TIMEOUT: Self = Self {
        code: 2,
        subcode: 1_504_038,
        message: "Service temporarily unavailable",
        title: "Sorry, something went wrong",
    };
    pub(crate) const RETRY: Self = Self { subcode: 1_504_044, ..Self::TIMEOUT };
}

/// How a report ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    Completes,
    /// Stays at nothing.
    Stuck,
    Fails(Failure),
    Skipped,
    /// Completes, and its rows lack what they need the first time they are read.
    IncompleteRows,
}

impl Fate {
    /// In the words of the control interface.
    pub(crate) const ALL: [(&str, Self); 9] = [
        ("completed", Self::Completes),
        ("stuck", Self::Stuck),
        ("failed", Self::Fails(Failure::FAILED)),
        ("too_large", Self::Fails(Failure::TOO_LARGE)),
        ("too_much_data", Self::Fails(Failure::TOO_MUCH_DATA)),
        ("timeout", Self::Fails(Failure::TIMEOUT)),
        ("retry", Self::Fails(Failure::RETRY)),
        ("skipped", Self::Skipped),
        ("incomplete_rows", Self::IncompleteRows),
    ];
}

/// How far a report is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    NotStarted,
    Started,
    Running,
    /// Still running, at a hundred percent.
    AllButDone,
    /// Says that it is completed, at 99 percent, and is not.
    Nearly,
    Completed,
    Failed(Failure),
    Skipped,
}

impl Stage {
    /// `async_status` and `async_percent_completion`.
    pub(crate) fn told(self) -> (&'static str, u32) {
        match self {
            Self::NotStarted => ("Job Not Started", 0),
            Self::Started => ("Job Started", 0),
            Self::Running => ("Job Running", 50),
            Self::AllButDone => ("Job Running", 100),
            Self::Nearly => ("Job Completed", 99),
            Self::Completed => ("Job Completed", 100),
            Self::Failed(_) => ("Job Failed", 0),
            Self::Skipped => ("Job Skipped", 0),
        }
    }
}

#[derive(Debug)]
pub(crate) struct Report {
    pub(crate) account_id: String,
    pub(crate) rows: Rows,
    pub(crate) submitted_ms: i64,
    /// When somebody first saw that it was completed.
    pub(crate) completed_ms: Option<i64>,
    began: Instant,
    polls: u32,
    pace: Pace,
    fate: Fate,
    /// Whether the rows were read with something missing.
    spoiled: bool,
}

impl Report {
    pub(crate) fn stage(&self) -> Stage {
        // In hundredths.
        let gone = match self.pace {
            Pace::Time(over) => match over.as_millis() {
                0 => 100,
                over => self.began.elapsed().as_millis() * 100 / over,
            },
            Pace::Polls(polls) => u128::from(self.polls.saturating_sub(1)) * 100 / u128::from(polls.max(2) - 1),
        };
        match (self.fate, gone) {
            (Fate::Stuck, 20..) => Stage::Started,
            (Fate::Skipped, 20..) => Stage::Skipped,
            (Fate::Fails(failure), 60..) => Stage::Failed(failure),
            (_, ..20) => Stage::NotStarted,
            (_, 20..45) => Stage::Started,
            (_, 45..60) => Stage::Running,
            (_, 60..75) => Stage::AllButDone,
            (_, 75..100) => Stage::Nearly,
            _ => Stage::Completed,
        }
    }

    /// Whether the rows are to be read with something missing, this once.
    pub(crate) fn spoils(&mut self) -> bool {
        let spoils = self.fate == Fate::IncompleteRows && !self.spoiled;
        self.spoiled = true;
        spoils
    }
}

/// What the next reports of an account are to do.
#[derive(Debug, Default)]
struct Agenda {
    /// Fate and pace, so many times.
    next: VecDeque<(Fate, Option<Pace>, u32)>,
    pace: Option<Pace>,
}

/// Reports by id.
#[derive(Debug, Default)]
pub(crate) struct Reports {
    reports: BTreeMap<String, Report>,
    agendas: BTreeMap<String, Agenda>,
}

impl Reports {
    /// The next `times` reports of an account meet this fate.
    pub(crate) fn expect(&mut self, account_id: &str, fate: Fate, pace: Option<Pace>, times: u32) {
        self.agendas.entry(account_id.to_owned()).or_default().next.push_back((fate, pace, times));
    }

    /// All later reports of an account go on like this.
    pub(crate) fn set_pace(&mut self, account_id: &str, pace: Pace) {
        self.agendas.entry(account_id.to_owned()).or_default().pace = Some(pace);
    }

    /// Takes a report on; `doomed` is what its size makes of it.
    pub(crate) fn submit(&mut self, id: String, account_id: &str, rows: Rows, doomed: Option<Failure>, now_ms: i64) {
        let agenda = self.agendas.entry(account_id.to_owned()).or_default();
        let usual = agenda.pace.unwrap_or(USUAL);
        let (fate, pace) = match agenda.next.front_mut() {
            Some((fate, pace, times)) => {
                let planned = (*fate, pace.unwrap_or(usual));
                *times = times.saturating_sub(1);
                if *times == 0 {
                    agenda.next.pop_front();
                }
                planned
            }
            None => (doomed.map_or(Fate::Completes, Fate::Fails), usual),
        };
        let report = Report {
            account_id: account_id.to_owned(),
            rows,
            submitted_ms: now_ms,
            completed_ms: None,
            began: Instant::now(),
            polls: 0,
            pace,
            fate,
            spoiled: false,
        };
        self.reports.insert(id, report);
    }

    /// A report that has not expired.
    pub(crate) fn get(&self, id: &str, now_ms: i64) -> Option<&Report> {
        self.reports.get(id).filter(|report| now_ms < report.submitted_ms + LIFE_MS)
    }

    pub(crate) fn get_mut(&mut self, id: &str) -> Option<&mut Report> {
        self.reports.get_mut(id)
    }

    /// Somebody asks how far a report is.
    pub(crate) fn poll(&mut self, id: &str, now_ms: i64) {
        if let Some(report) = self.reports.get_mut(id) {
            report.polls = report.polls.saturating_add(1);
            if report.stage() == Stage::Completed {
                report.completed_ms.get_or_insert(now_ms);
            }
        }
    }

    pub(crate) fn remove(&mut self, id: &str) {
        self.reports.remove(id);
    }
}
