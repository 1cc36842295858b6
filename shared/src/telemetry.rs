//! Logs: one JSON object per line, with the timestamp and level that Lambda's log filter reads.

use tracing_subscriber::EnvFilter;

/// Starts logging for this process. Call it once, first in `main`.
///
/// The runtime crate's own subscriber is not used: it omits the timestamp. Lambda treats lines without one as INFO, so
/// that a filter at WARN would drop our errors.
pub fn init() {
    let level = crate::env::log_level();
    tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_current_span(true)
        .with_span_list(false)
        .with_env_filter(EnvFilter::new(format!("{level},hyper=warn,aws_smithy_runtime=warn,aws_config=warn,h2=warn")))
        .init();
}
