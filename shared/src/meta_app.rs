//! Our app at Meta: the Graph API, speaking for the app as the vault has it now, and the secrets with which Meta signs.

use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use url::Url;

use crate::error::WorkError;
use crate::graph::Graph;
use crate::secret::App;
use crate::vault::{Vault, VaultError};

/// The Graph API for our app, and the vault with its secrets.
#[derive(Debug, Clone)]
pub struct MetaApp {
    /// The API.
    pub graph: Graph,
    /// For tokens, and the app as it is now.
    pub vault: Vault,
    /// The vault's name of the app.
    pub app_secret_id: String,
}

impl MetaApp {
    /// The API at `root`, speaking `version`, for the app in this secret.
    ///
    /// # Errors
    /// If the secret cannot be had, or the TLS set-up of the machine is unusable.
    pub async fn open(vault: Vault, app_secret_id: String, root: Url, version: String) -> Result<Self, WorkError> {
        let graph = Graph::new(root, version, vault.app(&app_secret_id).await?)?;
        Ok(Self { graph, vault, app_secret_id })
    }

    /// Makes the next call read the app's secret again, after Meta refused a proof made with it.
    pub fn invalidate_app_secret(&self) {
        self.vault.forget(&self.app_secret_id);
    }

    /// The API for the app as it is now: a process outlives a change of the app's secret.
    ///
    /// # Errors
    /// If the secret cannot be had.
    pub async fn graph(&self) -> Result<Graph, VaultError> {
        Ok(self.graph.with_app(self.vault.app(&self.app_secret_id).await?))
    }
}

/// How long the secrets are taken as they were read.
const FRESH: Duration = Duration::from_mins(5);
/// A signature that does not verify may mean that the secret was rotated just now; forgers must not make us ask more
/// often than this.
const ASK_AGAIN: Duration = Duration::from_secs(30);

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
    /// Those of the app in this secret.
    #[must_use]
    pub fn new(vault: Vault, secret_id: String) -> Self {
        Self { vault, secret_id, known: Mutex::new(None) }
    }

    /// Reads the secrets while the process starts, where time costs least. If it does not work, the first request tries again.
    pub async fn warm(&self) {
        if let Err(error) = self.apps().await {
            tracing::error!(%error, "the app secret could not be read at start");
        }
    }

    /// The present app first.
    ///
    /// # Errors
    /// If they were never read and cannot be read now. Once read, they are used however old they are when Secrets
    /// Manager does not answer: the receipt of leads depends on SQS alone.
    pub async fn apps(&self) -> Result<Arc<[App]>, VaultError> {
        self.no_older_than(FRESH).await
    }

    /// The apps again, if they were not read in this very moment.
    ///
    /// # Errors
    /// As [`AppSecrets::apps`].
    pub async fn apps_read_anew(&self) -> Result<Arc<[App]>, VaultError> {
        self.no_older_than(ASK_AGAIN).await
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
                tracing::warn!(%error, "the app secret could not be read anew; the known one is used");
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
