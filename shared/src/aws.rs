//! The one AWS configuration that a function's clients share: one connection pool, one set of root certificates.

use std::time::Duration;

use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, SdkConfig, retry::RetryConfig};

/// How patient a function may be with AWS.
#[derive(Debug, Clone, Copy)]
pub enum Patience {
    /// Somebody waits for the answer: give up within three seconds.
    Request,
    /// A queue waits, and would try again: give up within ten seconds.
    Worker,
}

/// Loads region and credentials and bounds every call: without this the SDK has no read timeout, and one stuck
/// call would use up the function's time.
pub async fn load(patience: Patience) -> SdkConfig {
    let (attempt, operation, attempts) = match patience {
        Patience::Request => (Duration::from_millis(1200), Duration::from_secs(3), 3),
        Patience::Worker => (Duration::from_secs(3), Duration::from_secs(10), 4),
    };
    aws_config::defaults(BehaviorVersion::v2026_01_12())
        .timeout_config(
            TimeoutConfig::builder()
                .connect_timeout(Duration::from_millis(800))
                .operation_attempt_timeout(attempt)
                .operation_timeout(operation)
                .build(),
        )
        .retry_config(
            RetryConfig::standard()
                .with_max_attempts(attempts)
                .with_initial_backoff(Duration::from_millis(50))
                .with_max_backoff(Duration::from_millis(500)),
        )
        .load()
        .await
}
