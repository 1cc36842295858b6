//! The AWS configuration that a function's clients share, and with it one connection pool and one set of root
//! certificates.

use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use aws_sdk_sqs::config::retry::RetryConfig;
use aws_sdk_sqs::config::timeout::TimeoutConfig;
use aws_sdk_sqs::config::{BehaviorVersion, Credentials, HttpClient, Region, SharedCredentialsProvider};
use aws_smithy_http_client::Builder;
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
use aws_smithy_runtime_api::client::http::http_client_fn;
use aws_types::SdkConfig;
use aws_types::service_config::{LoadServiceConfig, ServiceConfigKey};

use crate::env::{self, EnvError};

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

/// Includes all causes: the SDK's own text for an error of a service is only "service error". Its `DisplayErrorContext`
/// adds the whole response, some 2 KB, which an operator would have to read past.
impl fmt::Display for AwsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)?;
        let mut cause = self.0.source();
        while let Some(error) = cause {
            write!(f, ": {error}")?;
            cause = error.source();
        }
        Ok(())
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

/// Creates the configuration from the region and credentials that Lambda passes in variables, and limits the duration of
/// every call. The SDK has no read timeout of its own, so that one stuck call would use up the function's time.
///
/// Not by `aws-config`: its other sources of credentials, such as files and STS, would be part of every binary.
pub fn load(profile: TimeoutProfile) -> Result<SdkConfig, EnvError> {
    let (attempt, operation, attempts) = match profile {
        TimeoutProfile::Request => (Duration::from_millis(1200), Duration::from_secs(3), 3),
        TimeoutProfile::Worker => (Duration::from_secs(3), Duration::from_secs(10), 4),
    };
    let mut credentials = Credentials::builder()
        .access_key_id(env::aws_access_key_id()?)
        .secret_access_key(env::aws_secret_access_key()?)
        .provider_name("environment");
    credentials.set_session_token(env::aws_session_token());
    // Each client would otherwise parse all root certificates twice: once when it is created, for a connector that it
    // drops, and once for its first call.
    let https = Builder::new().tls_provider(Provider::Rustls(CryptoMode::AwsLc)).build_https();
    let http_client = http_client_fn(move |settings, components| https.http_connector(settings, components));
    let mut config = SdkConfig::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .region(Region::new(env::aws_region()?))
        .credentials_provider(SharedCredentialsProvider::new(credentials.build()))
        .http_client(http_client)
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
        );
    config.set_endpoint_url(env::aws_endpoint_url());
    config.set_service_config(Some(ServiceVariables));
    Ok(config.build())
}

/// The variables of single services, such as `AWS_ENDPOINT_URL_DYNAMODB`. Not set in Lambda.
#[derive(Debug)]
struct ServiceVariables;

impl LoadServiceConfig for ServiceVariables {
    fn load_config(&self, key: ServiceConfigKey<'_>) -> Option<String> {
        env::of_service(key.env(), key.service_id())
    }
}

/// The configuration for a fake of AWS at this address.
#[cfg(test)]
pub(crate) fn fake(endpoint: &str) -> SdkConfig {
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .region(Region::from_static("us-east-1"))
        .endpoint_url(endpoint)
        .credentials_provider(SharedCredentialsProvider::new(Credentials::for_tests()))
        .build()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("service error")]
    struct Outer(#[source] std::io::Error);

    #[test]
    fn an_error_names_its_causes_once_and_in_words() {
        let error = AwsError::new(Outer(std::io::Error::other("not authorized to PutEvents")));
        assert_eq!(error.to_string(), "service error: not authorized to PutEvents");
    }
}
