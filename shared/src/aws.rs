//! The one AWS configuration that a function's clients share: one connection pool, one set of root certificates.

use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, SdkConfig, retry::RetryConfig};
use aws_sdk_sqs::error::DisplayErrorContext;

/// A failed call of an AWS client. Cheap to clone: one call may have failed for many records.
#[derive(Debug, Clone)]
pub struct AwsError(Arc<dyn Error + Send + Sync>);

impl AwsError {
    /// Wraps the client's error.
    #[must_use]
    pub fn new(error: impl Error + Send + Sync + 'static) -> Self {
        Self(Arc::new(error))
    }
}

/// With all causes: the SDK's own text of a service's error is "service error".
impl fmt::Display for AwsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        DisplayErrorContext(&*self.0).fmt(f)
    }
}

impl Error for AwsError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&*self.0)
    }
}

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
