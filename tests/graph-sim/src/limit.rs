//! Limits a test sets for a page: so many calls per window, then a block that impatience makes longer.
//!
//! The quotas of `usage` are as large as Meta's and hardly ever met. A limit set here takes their place for its page.

use std::collections::{BTreeMap, VecDeque};

use serde_json::{Value, json};

use crate::usage::{Bucket, Level};

/// What a page may be asked through its page tokens.
#[derive(Debug)]
pub(crate) struct Limit {
    /// Names the header's `type` and the error code; calls of every kind count.
    bucket: Bucket,
    calls: usize,
    window_ms: i64,
    block_ms: i64,
    /// When each call of the window came.
    asked: VecDeque<i64>,
    block: Option<Block>,
    calls_while_blocked: u64,
}

#[derive(Debug, Clone, Copy)]
struct Block {
    until_ms: i64,
    /// However many calls come, it is over then.
    at_most_ms: i64,
}

/// What a limit says to a call.
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

    /// Forgets what is over. After a block the window begins anew: the headers promised that calls work again.
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
        let used = if self.block.is_some() { 100 } else { self.asked.len() * 100 / self.calls.max(1) };
        let minutes = ceiling(self.blocked_ms(now_ms), 60_000);
        Verdict {
            bucket: self.bucket.clone(),
            level: Level::set(u64::try_from(used).unwrap_or(100), minutes),
            refused: self.block.is_some(),
        }
    }

    fn blocked_ms(&self, now_ms: i64) -> i64 {
        self.block.map_or(0, |block| block.until_ms - now_ms)
    }
}

/// Limits by page.
#[derive(Debug, Default)]
pub(crate) struct Limits {
    pages: BTreeMap<String, Limit>,
}

impl Limits {
    /// Sets the limit of a page; an earlier one and what was counted for it are gone.
    pub(crate) fn set(&mut self, page_id: String, limit: Limit) {
        self.pages.insert(page_id, limit);
    }

    /// Lifts all limits, and answers how many there were.
    pub(crate) fn lift(&mut self) -> usize {
        std::mem::take(&mut self.pages).len()
    }

    /// Counts a call, if its page has a limit.
    pub(crate) fn ask(&mut self, page_id: &str, now_ms: i64) -> Option<Verdict> {
        self.pages.get_mut(page_id).map(|limit| limit.ask(now_ms))
    }

    /// For the control interface.
    pub(crate) fn list(&mut self, now_ms: i64) -> Value {
        self.pages
            .iter_mut()
            .map(|(page_id, limit)| {
                limit.settle(now_ms);
                json!({
                    "page_id": page_id, "used": limit.asked.len(),
                    "blocked_for_s": ceiling(limit.blocked_ms(now_ms), 1000),
                    "calls_while_blocked": limit.calls_while_blocked,
                })
            })
            .collect()
    }
}

/// Whole units, a begun one included.
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
