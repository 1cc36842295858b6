//! What the baselines share.

use std::env::{VarError, var};

use aws_sdk_sqs::config::{BehaviorVersion, Credentials, Region, SharedCredentialsProvider};
use aws_types::SdkConfig;

/// The SDK's own defaults, with the region, credentials and address of AWS that are in Lambda's variables.
///
/// # Errors
/// If a variable is missing.
pub fn load() -> Result<SdkConfig, VarError> {
    let credentials = Credentials::builder()
        .access_key_id(var("AWS_ACCESS_KEY_ID")?)
        .secret_access_key(var("AWS_SECRET_ACCESS_KEY")?)
        .provider_name("environment");
    Ok(SdkConfig::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .region(Region::new(var("AWS_REGION")?))
        .credentials_provider(SharedCredentialsProvider::new(credentials.build()))
        .endpoint_url(var("AWS_ENDPOINT_URL")?)
        .build())
}
