//! Rate limits: rolling counts per bucket, the headers that report them, and the point where they bite.
//!
//! Page-token calls fall under business use case limits of their page (`leadgen` or `pages`, 24 hours); user and app
//! tokens under the app's platform limit (one hour). All numbers in headers are percent used.

use std::collections::{BTreeMap, HashMap};

use serde_json::json;

/// Headers appear once an endpoint has seen some traffic; Meta does not say how much.
const SILENT_CALLS: u64 = 3;
/// Daily active users behind the app's quota of 200 calls per user and hour.
const APP_DAILY_USERS: u64 = 10_000;
/// Engaged users behind a page's quota of 4800 calls per user and day.
const PAGE_ENGAGED_USERS: u64 = 100;
/// Calls per lead of the last 90 days and day. A page without leads is treated as having one: Meta's floor is unknown.
const CALLS_PER_LEAD: u64 = 4_800;

/// What a call counts against.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Bucket {
    /// The app, through user and app tokens.
    App,
    /// A page, through its page tokens, for lead reading.
    Leadgen { page_id: String },
    /// A page, through its page tokens, for everything else.
    Pages { page_id: String },
}

/// Calls by bucket and minute.
#[derive(Debug, Default)]
pub(crate) struct Usage {
    minutes: HashMap<Bucket, BTreeMap<i64, u64>>,
}

/// How full a bucket is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Level {
    /// Percent of the quota; 100 and more is throttled.
    pub(crate) percent: u64,
    /// Minutes until calls work again; 0 when they do.
    pub(crate) regain_min: i64,
    visible: bool,
}

impl Level {
    /// A bucket filled to the brim, for throttling on request.
    pub(crate) const FULL: Self = Self { percent: 100, regain_min: 5, visible: true };

    /// How full a limit is that a test set; it shows from the first call on.
    pub(crate) fn set(percent: u64, regain_min: i64) -> Self {
        Self { percent, regain_min, visible: true }
    }
}

impl Bucket {
    fn window_min(&self) -> i64 {
        match self {
            Self::App => 60,
            Self::Leadgen { .. } | Self::Pages { .. } => 24 * 60,
        }
    }

    /// The error code of this bucket's limit.
    pub(crate) fn throttle_code(&self) -> i64 {
        match self {
            Self::App => 4,
            Self::Leadgen { .. } => 80_005,
            Self::Pages { .. } => 80_001,
        }
    }
}

impl Usage {
    /// Counts one call at `now_s` and says how full the bucket is with it. `page_leads` is the number of the page's
    /// leads within retention.
    pub(crate) fn count(&mut self, bucket: &Bucket, now_s: i64, page_leads: usize) -> Level {
        let minutes = self.minutes.entry(bucket.clone()).or_default();
        let now_min = now_s.div_euclid(60);
        *minutes.entry(now_min).or_default() += 1;
        *minutes = minutes.split_off(&(now_min - bucket.window_min() + 1));
        let calls: u64 = minutes.values().sum();
        let leads = u64::try_from(page_leads).unwrap_or(u64::MAX).max(1);
        let quota = match bucket {
            Bucket::App => 200 * APP_DAILY_USERS,
            Bucket::Leadgen { .. } => CALLS_PER_LEAD.saturating_mul(leads),
            Bucket::Pages { .. } => CALLS_PER_LEAD * PAGE_ENGAGED_USERS,
        };
        let percent = calls.saturating_mul(100) / quota;
        let oldest = minutes.keys().next().copied().unwrap_or(now_min);
        let regain_min = if percent >= 100 { (oldest + bucket.window_min() - now_min).max(1) } else { 0 };
        Level { percent, regain_min, visible: calls > SILENT_CALLS }
    }
}

/// The usage header of a call, if the bucket has seen enough traffic (or is full).
pub(crate) fn header(bucket: &Bucket, level: Level) -> Option<(&'static str, String)> {
    if !level.visible && level.percent < 100 {
        return None;
    }
    let used = level.percent;
    let (page_id, kind) = match bucket {
        Bucket::App => {
            let value = json!({"call_count": used, "total_cputime": used / 2, "total_time": used / 2});
            return Some(("x-app-usage", value.to_string()));
        }
        Bucket::Leadgen { page_id } => (page_id, "leadgen"),
        Bucket::Pages { page_id } => (page_id, "pages"),
    };
    let value = json!({page_id: [{
        "type": kind, "call_count": used, "total_cputime": used / 2, "total_time": used / 2,
        "estimated_time_to_regain_access": level.regain_min,
    }]});
    Some(("x-business-use-case-usage", value.to_string()))
}
