//! Rate limits: rolling counts per bucket, the headers that report them, and the point where calls are rejected.
//!
//! Calls about Instagram count against the limit of their account (24 hours). Page token calls count against the business use case limits of their page (`leadgen`,
//! `messenger` or `pages`, 24 hours). Calls
//! about advertising count against those of their ad account (`ads_management` or `ads_insights`, one hour) and against
//! its score. Other calls with user and app tokens count against the app's platform limit (one hour). All numbers in
//! headers are percentages used.

use std::collections::{BTreeMap, HashMap};

use serde_json::{Value, json};

/// Headers appear only after this many calls. Meta documents that they need some traffic, but not how much.
const SILENT_CALLS: u64 = 3;
/// Daily active users behind the app's quota of 200 calls per user and hour.
const APP_DAILY_USERS: u64 = 10_000;
/// Engaged users behind a page's quota of 4800 calls per user and day.
const PAGE_ENGAGED_USERS: u64 = 100;
/// Engaged users behind a page's quota of 200 calls about messages per user and day.
const MESSENGER_ENGAGED_USERS: u64 = 10_000;
/// Daily impressions behind an Instagram account's quota of 4800 calls per impression and day.
const DAILY_IMPRESSIONS: u64 = 1_000;
/// Calls per day for each lead of the last 90 days. A page without leads is treated as having one: Meta's minimum is
/// unknown.
const CALLS_PER_LEAD: u64 = 4_800;

/// Maximum score of an ad account. Each call adds one point, which expires after five minutes.
const SCORE: u64 = 9_000;
/// Quota of the app's insights calls across all accounts. Meta does not publish the number.
const APP_INSIGHTS: u64 = 1_000_000;
/// The app's access tier in headers.
const TIER: &str = "standard_access";

/// The quota a call counts against.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Bucket {
    /// The app's platform limit, for user and app tokens.
    App,
    /// A page, for reading leads through its page tokens.
    Leadgen { page_id: String },
    /// A page, for all other calls through its page tokens.
    Pages { page_id: String },
    /// A page, for its messages and conversations.
    Messenger { page_id: String },
    /// An ad account, for insights and reports.
    AdsInsights { account_id: String },
    /// An ad account, for all other calls.
    AdsManagement { account_id: String },
    /// An ad account's score, used up by the same calls as `AdsManagement`.
    Score { account_id: String },
    /// An Instagram account, for calls with user and page tokens.
    Instagram { account_id: String },
    /// The app, for insights across all accounts.
    AppInsights,
}

/// Calls by bucket and minute.
#[derive(Debug, Default)]
pub(crate) struct Usage {
    minutes: HashMap<Bucket, BTreeMap<i64, u64>>,
}

/// How full a bucket is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Level {
    /// Percent of the quota. At 100 or more, calls are throttled.
    pub(crate) percent: u64,
    /// Minutes until calls work again; 0 if they do now.
    pub(crate) regain_min: i64,
    /// Seconds until the bucket is empty again.
    pub(crate) reset_s: i64,
    visible: bool,
}

impl Level {
    /// A full bucket, for throttling on request.
    pub(crate) const FULL: Self = Self { percent: 100, regain_min: 5, reset_s: 300, visible: true };
    /// A bucket without calls.
    pub(crate) const EMPTY: Self = Self { percent: 0, regain_min: 0, reset_s: 0, visible: false };

    /// The level of a limit set by a test. It is visible from the first call.
    pub(crate) fn set(percent: u64, regain_min: i64, reset_s: i64) -> Self {
        Self { percent, regain_min, reset_s, visible: true }
    }
}

impl Bucket {
    fn window_min(&self) -> i64 {
        match self {
            Self::App | Self::AdsInsights { .. } | Self::AdsManagement { .. } | Self::AppInsights => 60,
            Self::Leadgen { .. } | Self::Pages { .. } | Self::Messenger { .. } | Self::Instagram { .. } => 24 * 60,
            Self::Score { .. } => 5,
        }
    }

    /// Returns the error code and subcode of this bucket's limit.
    pub(crate) fn throttle_code(&self) -> (i64, Option<i64>) {
        match self {
            Self::App => (4, None),
            Self::Leadgen { .. } => (80_005, None),
            Self::Pages { .. } => (80_001, None),
            Self::Messenger { .. } => (80_006, None),
            Self::Instagram { .. } => (80_002, None),
            Self::AdsInsights { .. } => (80_000, Some(2_446_079)),
            Self::AdsManagement { .. } => (80_004, Some(2_446_079)),
            Self::Score { .. } => (17, Some(2_446_079)),
            Self::AppInsights => (4, Some(1_504_022)),
        }
    }

    /// The name of the kind in headers and the control interface.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::App | Self::AppInsights => "app",
            Self::Leadgen { .. } => "leadgen",
            Self::Pages { .. } => "pages",
            Self::Messenger { .. } => "messenger",
            Self::Instagram { .. } => "instagram",
            Self::AdsInsights { .. } => "ads_insights",
            Self::AdsManagement { .. } => "ads_management",
            Self::Score { .. } => "score",
        }
    }

    /// Returns the number of calls per window. `size` is the number of the page's leads within retention, or of the
    /// account's ads.
    fn quota(&self, size: u64) -> u64 {
        match self {
            Self::App => 200 * APP_DAILY_USERS,
            Self::Leadgen { .. } => CALLS_PER_LEAD.saturating_mul(size.max(1)),
            Self::Pages { .. } => CALLS_PER_LEAD * PAGE_ENGAGED_USERS,
            Self::Messenger { .. } => 200 * MESSENGER_ENGAGED_USERS,
            Self::Instagram { .. } => CALLS_PER_LEAD * DAILY_IMPRESSIONS,
            Self::AdsInsights { .. } => size.saturating_mul(400).saturating_add(190_000),
            Self::AdsManagement { .. } => size.saturating_mul(40).saturating_add(100_000),
            Self::Score { .. } => SCORE,
            Self::AppInsights => APP_INSIGHTS,
        }
    }
}

impl Usage {
    /// Counts one call at `now_s` and returns the resulting level. `size` is as for [`Bucket::quota`].
    pub(crate) fn count(&mut self, bucket: &Bucket, now_s: i64, size: usize) -> Level {
        let minutes = self.minutes.entry(bucket.clone()).or_default();
        let now_min = now_s.div_euclid(60);
        *minutes.entry(now_min).or_default() += 1;
        *minutes = minutes.split_off(&(now_min - bucket.window_min() + 1));
        Self::level(bucket, minutes, now_min, size)
    }

    /// Returns the level of a bucket without counting a call.
    pub(crate) fn peek(&self, bucket: &Bucket, now_s: i64, size: usize) -> Level {
        let now_min = now_s.div_euclid(60);
        let Some(minutes) = self.minutes.get(bucket) else { return Level::EMPTY };
        let minutes = minutes.range(now_min - bucket.window_min() + 1..).map(|(at, calls)| (*at, *calls)).collect();
        Self::level(bucket, &minutes, now_min, size)
    }

    fn level(bucket: &Bucket, minutes: &BTreeMap<i64, u64>, now_min: i64, size: usize) -> Level {
        let calls: u64 = minutes.values().sum();
        let percent = calls.saturating_mul(100) / bucket.quota(u64::try_from(size).unwrap_or(u64::MAX));
        let oldest = minutes.keys().next().copied().unwrap_or(now_min);
        let left_min = (oldest + bucket.window_min() - now_min).max(1);
        let regain_min = if percent >= 100 { left_min } else { 0 };
        Level { percent, regain_min, reset_s: left_min * 60, visible: calls > SILENT_CALLS }
    }
}

/// Returns the usage header of a call. `None` unless the bucket has seen enough traffic or is full.
pub(crate) fn header(bucket: &Bucket, level: Level) -> Option<(&'static str, String)> {
    match bucket {
        Bucket::App if level.is_told() => {
            let used = level.percent;
            let value = json!({"call_count": used, "total_cputime": used / 2, "total_time": used / 2});
            Some(("x-app-usage", value.to_string()))
        }
        Bucket::Score { .. } => {
            let value = json!({
                "acc_id_util_pct": level.percent, "reset_time_duration": level.reset_s, "ads_api_access_tier": TIER,
            });
            Some(("x-ad-account-usage", value.to_string()))
        }
        Bucket::App | Bucket::AppInsights => None,
        Bucket::Leadgen { page_id: owner }
        | Bucket::Pages { page_id: owner }
        | Bucket::Messenger { page_id: owner }
        | Bucket::AdsInsights { account_id: owner }
        | Bucket::AdsManagement { account_id: owner }
        | Bucket::Instagram { account_id: owner } => business_header(owner, &[(bucket, level)]),
    }
}

/// Returns `x-business-use-case-usage` of a page or ad account, with an entry for each bucket that is visible or full.
pub(crate) fn business_header(owner: &str, levels: &[(&Bucket, Level)]) -> Option<(&'static str, String)> {
    let told = levels.iter().filter(|(_, level)| level.is_told());
    let entries: Vec<Value> = told.map(|(bucket, level)| entry(bucket, *level)).collect();
    let value = json!({ owner: entries });
    (!entries.is_empty()).then(|| ("x-business-use-case-usage", value.to_string()))
}

fn entry(bucket: &Bucket, level: Level) -> Value {
    let used = level.percent;
    let mut entry = json!({
        "type": bucket.kind(), "call_count": used, "total_cputime": used / 2, "total_time": used / 2,
        "estimated_time_to_regain_access": level.regain_min,
    });
    if let (Bucket::AdsInsights { .. } | Bucket::AdsManagement { .. }, Some(members)) = (bucket, entry.as_object_mut())
    {
        members.insert("ads_api_access_tier".to_owned(), json!(TIER));
    }
    entry
}

/// Returns `x-fb-ads-insights-throttle`, which every insights response carries.
pub(crate) fn insights_header(app: Level, account: Level) -> (&'static str, String) {
    let value =
        json!({"app_id_util_pct": app.percent, "acc_id_util_pct": account.percent, "ads_api_access_tier": TIER});
    ("x-fb-ads-insights-throttle", value.to_string())
}

impl Level {
    fn is_told(self) -> bool {
        self.visible || self.percent >= 100
    }
}
