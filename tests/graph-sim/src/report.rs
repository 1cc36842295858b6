//! Insights reports: queries that are computed while the client polls.
//!
//! A report's rows are a snapshot of the moment it was requested. Its progress depends on real time or on the number of
//! polls, never on the simulated clock. Only its lifetime of thirty days follows the simulated clock.

use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

use crate::graph::insights::Rows;

/// How long a report id stays valid.
const LIFE_MS: i64 = 30 * 24 * 3600 * 1000;
/// The default pace of a report.
const USUAL: Pace = Pace::Time(Duration::from_millis(300));

/// What drives a report's progress.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pace {
    Time(Duration),
    /// Completes at this poll.
    Polls(u32),
}

/// Why a report failed, as reported in its error fields.
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
    /// Has the same text as [`Failure::RETRY`]: only the subcode differs.
    pub(crate) const TIMEOUT: Self = Self {
        code: 2,
        subcode: 1_504_038,
        message: "Service temporarily unavailable",
        title: "Sorry, something went wrong",
    };
    pub(crate) const RETRY: Self = Self { subcode: 1_504_044, ..Self::TIMEOUT };
}

/// The outcome of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    Completes,
    /// Never gets past 0 percent.
    Stuck,
    Fails(Failure),
    Skipped,
    /// Completes, but required fields are missing from its rows the first time they are read.
    IncompleteRows,
}

impl Fate {
    /// The outcomes by their names in the control interface.
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

/// The progress of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    NotStarted,
    Started,
    Running,
    /// Still running, at 100 percent.
    AllButDone,
    /// Reports `Job Completed` at 99 percent, although it is not completed.
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
    /// When a poll first saw it completed.
    pub(crate) completed_ms: Option<i64>,
    began: Instant,
    polls: u32,
    pace: Pace,
    fate: Fate,
    /// Whether the incomplete rows were already returned.
    spoiled: bool,
}

impl Report {
    pub(crate) fn stage(&self) -> Stage {
        // In percent.
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

    /// Returns whether this read must return incomplete rows. True at most once per report.
    pub(crate) fn spoils(&mut self) -> bool {
        let spoils = self.fate == Fate::IncompleteRows && !self.spoiled;
        self.spoiled = true;
        spoils
    }
}

/// The planned outcomes of an account's next reports.
#[derive(Debug, Default)]
struct Agenda {
    /// An outcome, its pace, and the number of reports it applies to.
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
    /// Plans the outcome of the next `times` reports of an account.
    pub(crate) fn expect(&mut self, account_id: &str, fate: Fate, pace: Option<Pace>, times: u32) {
        self.agendas.entry(account_id.to_owned()).or_default().next.push_back((fate, pace, times));
    }

    /// Sets the pace of all later reports of an account.
    pub(crate) fn set_pace(&mut self, account_id: &str, pace: Pace) {
        self.agendas.entry(account_id.to_owned()).or_default().pace = Some(pace);
    }

    /// Adds a report. `doomed` is the failure its size causes, if any; a planned outcome takes precedence.
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

    /// Returns a report unless it has expired.
    pub(crate) fn get(&self, id: &str, now_ms: i64) -> Option<&Report> {
        self.reports.get(id).filter(|report| now_ms < report.submitted_ms + LIFE_MS)
    }

    pub(crate) fn get_mut(&mut self, id: &str) -> Option<&mut Report> {
        self.reports.get_mut(id)
    }

    /// Counts a poll of a report.
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
