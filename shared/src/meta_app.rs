//! Our app at Meta: the Graph API with the app's current secret, and the secrets with which Meta signs.

use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use url::Url;

use crate::error::WorkError;
use crate::graph::GraphClient;
use crate::secret::App;
use crate::vault::{Vault, VaultError};

/// The Graph API for our app, and the vault with its secrets.
#[derive(Debug, Clone)]
pub struct MetaApp {
    /// The API.
    pub graph: GraphClient,
    /// Holds the tokens and the app's current secret.
    pub vault: Vault,
    /// The name of the app's secret in the vault.
    pub app_secret_id: String,
}

impl MetaApp {
    /// Creates a client for the API at `root`, in `version`, for the app in this secret.
    pub async fn open(vault: Vault, app_secret_id: String, root: Url, version: String) -> Result<Self, WorkError> {
        let graph = GraphClient::new(root, version, vault.app(&app_secret_id).await?)?;
        Ok(Self { graph, vault, app_secret_id })
    }

    /// An app at a fake of Meta, whose secrets the fake of AWS has.
    #[cfg(test)]
    pub(crate) fn fake(endpoint: &str, aws: &aws_types::SdkConfig) -> Self {
        let app = serde_json::json!({ "app_id": "1", "app_secret": "s", "verify_token": "v" });
        let app = serde_json::from_value(app).unwrap();
        Self {
            graph: GraphClient::new(endpoint.parse().unwrap(), "v26.0".into(), app).unwrap(),
            vault: Vault::new(aws_sdk_secretsmanager::Client::new(aws)),
            app_secret_id: "app".into(),
        }
    }

    /// Makes the next call re-read the app's secret, after Meta rejected a proof made with it.
    pub fn invalidate_app_secret(&self) {
        self.vault.forget(&self.app_secret_id);
    }

    /// Returns the API for the app's current secret, because a process outlives a change of the secret.
    pub async fn graph(&self) -> Result<GraphClient, VaultError> {
        Ok(self.graph.with_app(self.vault.app(&self.app_secret_id).await?))
    }
}

/// How long the secrets are used before they are read again.
const SECRETS_TTL: Duration = Duration::from_mins(5);
/// The shortest time between reads that invalid signatures cause. The secret may just have been rotated, but forgers
/// must not cause more calls than this.
const MIN_REFRESH_INTERVAL: Duration = Duration::from_secs(30);

/// The app secrets with which Meta may sign.
#[derive(Debug)]
pub struct AppSecrets {
    vault: Vault,
    secret_id: String,
    known: Mutex<Option<Known>>,
}

#[derive(Debug, Clone)]
struct Known {
    apps: Arc<[App]>,
    read_at: SystemTime,
}

impl AppSecrets {
    /// Creates a reader of the app's secrets. It has not read any yet.
    #[must_use]
    pub fn new(vault: Vault, secret_id: String) -> Self {
        Self { vault, secret_id, known: Mutex::new(None) }
    }

    /// Reads the secrets while the process starts, where time costs least. After a failure, the first request tries
    /// again.
    pub async fn warm(&self) {
        if let Err(error) = self.apps().await {
            tracing::error!(%error, "the app secret could not be read at start");
        }
    }

    /// Returns the app with each secret that Meta may sign with, the current one first.
    ///
    /// # Errors
    /// If the secrets were never read and cannot be read now. Once read, they are used at any age while Secrets Manager
    /// is unavailable, so that receiving leads depends on SQS alone.
    pub async fn apps(&self) -> Result<Arc<[App]>, VaultError> {
        self.no_older_than(SECRETS_TTL).await
    }

    /// Like [`AppSecrets::apps`], but re-reads the secrets unless they were read within the last 30 seconds.
    pub async fn refreshed_apps(&self) -> Result<Arc<[App]>, VaultError> {
        self.no_older_than(MIN_REFRESH_INTERVAL).await
    }

    async fn no_older_than(&self, age: Duration) -> Result<Arc<[App]>, VaultError> {
        let known = self.known.lock().ok().and_then(|known| known.clone());
        if let Some(known) = &known
            && known.read_at.elapsed().is_ok_and(|elapsed| elapsed < age)
        {
            return Ok(known.apps.clone());
        }
        let apps: Arc<[App]> = match (self.vault.app_and_previous(&self.secret_id).await, known) {
            (Ok((app, previous)), _) => std::iter::once(app).chain(previous).collect(),
            (Err(error), Some(known)) => {
                tracing::warn!(%error, "the app secret could not be re-read; the cached one is used");
                known.apps
            }
            (Err(error), None) => return Err(error),
        };
        if let Ok(mut known) = self.known.lock() {
            *known = Some(Known { apps: apps.clone(), read_at: SystemTime::now() });
        }
        Ok(apps)
    }
}
