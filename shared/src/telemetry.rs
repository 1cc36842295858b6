//! Logs: one JSON object per line, with the timestamp and level that Lambda's log filter reads.

use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

/// Dependencies that log every request at INFO.
const QUIET_TARGETS: [&str; 3] = ["hyper", "aws_smithy_runtime", "h2"];

/// Starts logging for this process. Call it once, first in `main`.
///
/// The runtime crate's own subscriber is not used: it omits the timestamp. Lambda treats lines without one as INFO, so
/// that a filter at WARN would drop our errors. Nor is `EnvFilter`, which brings a regex engine into every binary.
pub fn init() {
    let level = crate::env::log_level().parse().unwrap_or(LevelFilter::INFO);
    let quiet = QUIET_TARGETS.map(|target| (target, LevelFilter::WARN));
    let json = fmt::layer().json().flatten_event(true).with_current_span(true).with_span_list(false);
    tracing_subscriber::registry().with(json).with(Targets::new().with_default(level).with_targets(quiet)).init();
}
