//! Limits that a test sets for a page or an ad account: a number of calls per window, then a block that further calls
//! prolong.
//!
//! The quotas of `usage` are as large as Meta's and are rarely reached. A limit set here replaces them.

use std::collections::{BTreeMap, VecDeque};

use serde_json::{Value, json};

use crate::usage::{Bucket, Level};

/// A limit on the calls to a page through its page tokens, or to an ad account through any token.
#[derive(Debug)]
pub(crate) struct Limit {
    /// Determines the header's `type` and the error code. For a page, calls of every kind count.
    bucket: Bucket,
    calls: usize,
    window_ms: i64,
    block_ms: i64,
    /// The time of each call in the window.
    asked: VecDeque<i64>,
    block: Option<Block>,
    calls_while_blocked: u64,
}

#[derive(Debug, Clone, Copy)]
struct Block {
    until_ms: i64,
    /// The block ends here at the latest, however many calls come.
    at_most_ms: i64,
}

/// The outcome of counting a call against a limit.
#[derive(Debug)]
pub(crate) struct Verdict {
    pub(crate) bucket: Bucket,
    pub(crate) level: Level,
    pub(crate) refused: bool,
}

impl Limit {
    pub(crate) fn new(bucket: Bucket, calls: usize, window_s: i64, block_s: i64) -> Self {
        Self {
            bucket,
            calls,
            window_ms: window_s * 1000,
            block_ms: block_s * 1000,
            asked: VecDeque::new(),
            block: None,
            calls_while_blocked: 0,
        }
    }

    /// Drops a finished block and calls outside the window. The window restarts empty after a block, because the
    /// headers promised that calls work again.
    fn settle(&mut self, now_ms: i64) {
        if self.block.is_some_and(|block| block.until_ms <= now_ms) {
            self.block = None;
            self.asked.clear();
        }
        while self.asked.front().is_some_and(|at| *at <= now_ms - self.window_ms) {
            self.asked.pop_front();
        }
    }

    fn ask(&mut self, now_ms: i64) -> Verdict {
        self.settle(now_ms);
        if let Some(block) = &mut self.block {
            self.calls_while_blocked += 1;
            block.until_ms = (block.until_ms + self.block_ms / 10).min(block.at_most_ms);
        } else if self.asked.len() >= self.calls {
            self.block = Some(Block { until_ms: now_ms + self.block_ms, at_most_ms: now_ms + 2 * self.block_ms });
        } else {
            self.asked.push_back(now_ms);
        }
        Verdict { bucket: self.bucket.clone(), level: self.level(now_ms), refused: self.block.is_some() }
    }

    fn level(&self, now_ms: i64) -> Level {
        let used = if self.block.is_some() { 100 } else { self.asked.len() * 100 / self.calls.max(1) };
        let blocked_ms = self.blocked_ms(now_ms);
        let empty_ms = match self.asked.back() {
            _ if blocked_ms > 0 => blocked_ms,
            Some(last) => last + self.window_ms - now_ms,
            None => 0,
        };
        let used = u64::try_from(used).unwrap_or(100);
        Level::set(used, ceiling(blocked_ms, 60_000), ceiling(empty_ms, 1000))
    }

    fn blocked_ms(&self, now_ms: i64) -> i64 {
        self.block.map_or(0, |block| block.until_ms - now_ms)
    }
}

/// Limits by subject: one per page, one of each kind per ad account.
#[derive(Debug, Default)]
pub(crate) struct Limits {
    limits: BTreeMap<Subject, Limit>,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Subject {
    Page(String),
    AdAccount(String, &'static str),
    /// The app, for insights.
    App,
}

impl Subject {
    fn of(bucket: &Bucket) -> Option<Self> {
        Some(match bucket {
            Bucket::Leadgen { page_id } | Bucket::Pages { page_id } | Bucket::Messenger { page_id } => {
                Self::Page(page_id.clone())
            }
            Bucket::AdsInsights { account_id }
            | Bucket::AdsManagement { account_id }
            | Bucket::Score { account_id }
            | Bucket::Instagram { account_id } => Self::AdAccount(account_id.clone(), bucket.kind()),
            Bucket::AppInsights => Self::App,
            Bucket::App => return None,
        })
    }
}

impl Limits {
    /// Sets a limit. Replaces an earlier limit of the same subject, including its counts.
    pub(crate) fn set(&mut self, limit: Limit) {
        if let Some(subject) = Subject::of(&limit.bucket) {
            self.limits.insert(subject, limit);
        }
    }

    /// Removes all limits and returns how many there were.
    pub(crate) fn lift(&mut self) -> usize {
        std::mem::take(&mut self.limits).len()
    }

    /// Counts a call. `None` if no limit applies to its bucket.
    pub(crate) fn ask(&mut self, bucket: &Bucket, now_ms: i64) -> Option<Verdict> {
        self.limits.get_mut(&Subject::of(bucket)?).map(|limit| limit.ask(now_ms))
    }

    /// Returns the level of a limit without counting a call.
    pub(crate) fn peek(&mut self, bucket: &Bucket, now_ms: i64) -> Option<Level> {
        let limit = self.limits.get_mut(&Subject::of(bucket)?)?;
        limit.settle(now_ms);
        Some(limit.level(now_ms))
    }

    /// Lists the limits for the control interface.
    pub(crate) fn list(&mut self, now_ms: i64) -> Value {
        self.limits
            .iter_mut()
            .map(|(subject, limit)| {
                limit.settle(now_ms);
                let mut told = json!({
                    "used": limit.asked.len(), "blocked_for_s": ceiling(limit.blocked_ms(now_ms), 1000),
                    "calls_while_blocked": limit.calls_while_blocked,
                });
                let (name, id) = match subject {
                    Subject::Page(id) => ("page_id", json!(id)),
                    Subject::AdAccount(id, _) => ("account_id", json!(id)),
                    Subject::App => ("account_id", Value::Null),
                };
                if let Some(members) = told.as_object_mut() {
                    members.insert(name.to_owned(), id);
                    if name == "account_id" {
                        members.insert("type".to_owned(), json!(limit.bucket.kind()));
                    }
                }
                told
            })
            .collect()
    }
}

/// Divides, rounding up.
fn ceiling(amount: i64, unit: i64) -> i64 {
    (amount + unit - 1).div_euclid(unit)
}

#[cfg(test)]
mod tests {
    use super::Limit;
    use crate::usage::Bucket;

    fn limit() -> Limit {
        Limit::new(Bucket::Leadgen { page_id: "1".to_owned() }, 4, 3600, 60)
    }

    #[test]
    fn usage_grows_to_a_hundred_and_the_next_call_is_refused() {
        let mut limit = limit();
        let verdicts: Vec<_> = (0..5).map(|at| limit.ask(at)).map(|it| (it.level.percent, it.refused)).collect();
        assert_eq!(verdicts, [(25, false), (50, false), (75, false), (100, false), (100, true)]);
    }

    #[test]
    fn calls_leave_the_window_one_by_one() {
        let mut limit = limit();
        for minute in 0..4 {
            limit.ask(minute * 60_000);
        }
        assert!(!limit.ask(3_600_000).refused, "the first is an hour ago");
        assert!(limit.ask(3_601_000).refused, "the second is not");
    }

    #[test]
    fn calls_while_blocked_lengthen_the_block_to_twice_its_length() {
        let mut limit = limit();
        for _ in 0..5 {
            limit.ask(0);
        }
        assert_eq!(limit.blocked_ms(0), 60_000);
        assert_eq!((limit.ask(1000).level.regain_min, limit.blocked_ms(1000)), (2, 65_000));
        for _ in 0..20 {
            limit.ask(1000);
        }
        assert_eq!((limit.blocked_ms(1000), limit.calls_while_blocked), (119_000, 21));
        assert!(limit.ask(119_999).refused);
        let after = limit.ask(120_000);
        assert_eq!((after.refused, after.level.percent, after.level.regain_min), (false, 25, 0));
    }
}
