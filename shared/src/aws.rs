//! The AWS configuration that a function's clients share, and with it one connection pool and one set of root
//! certificates.

use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, SdkConfig, retry::RetryConfig};
use aws_sdk_sqs::error::DisplayErrorContext;

/// A failed AWS call. Cheap to clone, because one call may have failed for many records.
#[derive(Debug, Clone)]
pub struct AwsError(Arc<dyn Error + Send + Sync>);

impl AwsError {
    /// Wraps the client's error.
    #[must_use]
    pub fn new(error: impl Error + Send + Sync + 'static) -> Self {
        Self(Arc::new(error))
    }
}

/// Includes all causes: the SDK's own text for an error of a service is only "service error".
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

/// How long a function may wait for AWS.
#[derive(Debug, Clone, Copy)]
pub enum TimeoutProfile {
    /// A caller waits for the response: give up within three seconds.
    Request,
    /// The work comes from a queue, which would retry it: give up within ten seconds.
    Worker,
}

/// Loads region and credentials, and limits the duration of every call. The SDK has no read timeout of its own, so that
/// one stuck call would use up the function's time.
pub async fn load(profile: TimeoutProfile) -> SdkConfig {
    let (attempt, operation, attempts) = match profile {
        TimeoutProfile::Request => (Duration::from_millis(1200), Duration::from_secs(3), 3),
        TimeoutProfile::Worker => (Duration::from_secs(3), Duration::from_secs(10), 4),
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
