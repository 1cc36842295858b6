//! Meta's app secrets, for whoever checks what Meta signed, kept between requests: the present one and, after a rotation,
//! the one before it.

use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use crate::graph::App;
use crate::vault::{Vault, VaultError};

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
