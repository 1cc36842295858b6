//! The credentials of calls.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use anyhow::{Context, Result};
use aws_credential_types::Credentials;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider};
use tokio::sync::Mutex;

/// MiniStack's root key, which may do anything. The functions never see it: they receive credentials of their roles.
pub const ROOT_KEY: &str = "test";

/// Credentials are asked for again this long before they expire.
const MIN_VALIDITY: Duration = Duration::from_mins(5);

/// Credentials that are asked for once, and again before they expire: a provider may call another service for them.
#[derive(Clone)]
pub(crate) struct CachedCredentials {
    provider: SharedCredentialsProvider,
    cached: Arc<Mutex<Option<Credentials>>>,
}

impl CachedCredentials {
    pub(crate) fn new(provider: SharedCredentialsProvider) -> Self {
        Self { provider, cached: Arc::default() }
    }

    pub(crate) fn root() -> Self {
        Self::new(SharedCredentialsProvider::new(Credentials::new(ROOT_KEY, ROOT_KEY, None, None, "local")))
    }

    pub(crate) async fn current(&self) -> Result<Credentials> {
        let mut cached = self.cached.lock().await;
        let is_valid =
            |known: &Credentials| known.expiry().is_none_or(|expiry| SystemTime::now() + MIN_VALIDITY < expiry);
        if let Some(known) = cached.as_ref().filter(|known| is_valid(known)) {
            return Ok(known.clone());
        }
        let fresh = self.provider.provide_credentials().await.context("no credentials for AWS")?;
        *cached = Some(fresh.clone());
        Ok(fresh)
    }
}
