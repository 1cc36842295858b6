//! Meta, as an act on integrations needs it: the API, speaking for the app as the vault has it now.

use url::Url;

use crate::error::WorkError;
use crate::graph::Graph;
use crate::secret::HmacKey;
use crate::vault::{Vault, VaultError};

/// The API and what opens it.
#[derive(Debug)]
pub struct Meta {
    /// The API.
    pub graph: Graph,
    /// For tokens, and the app as it is now.
    pub vault: Vault,
    /// The vault's name of the app.
    pub app_secret_id: String,
}

impl Meta {
    /// The API at `root`, speaking `version`, for the app in this secret.
    ///
    /// # Errors
    /// If the secret cannot be had, or the TLS set-up of the machine is unusable.
    pub async fn open(vault: Vault, app_secret_id: String, root: Url, version: String) -> Result<Self, WorkError> {
        let graph = Graph::new(root, version, vault.app(&app_secret_id).await?)?;
        Ok(Self { graph, vault, app_secret_id })
    }

    /// Makes the next call read the app anew: Meta refused a proof that was made with its secret.
    pub fn distrust_app(&self) {
        self.vault.forget(&self.app_secret_id);
    }

    /// The API for the app as it is now: a process outlives a change of the app's secret.
    ///
    /// # Errors
    /// If the secret cannot be had.
    pub async fn graph(&self) -> Result<Graph, VaultError> {
        Ok(self.graph.speaking_for(self.vault.app(&self.app_secret_id).await?))
    }
}

/// What an integration remembers of the person at Meta who connected it: nothing that can be turned back into them, and
/// enough to find it when Meta names them.
#[must_use]
pub fn person_hash(key: &HmacKey, app_scoped_id: &str) -> String {
    hex::encode(key.sign(format!("meta-person.{app_scoped_id}").as_bytes()))
}

/// What is not there is none; what could not be asked for is an error.
pub(super) fn if_readable<T>(read: Result<T, VaultError>) -> Result<Option<T>, WorkError> {
    match read {
        Ok(found) => Ok(Some(found)),
        Err(error @ (VaultError::Missing(_) | VaultError::Unreadable(_))) => {
            tracing::warn!(%error, "an integration's tokens are not to be had");
            Ok(None)
        }
        Err(error) => Err(error.into()),
    }
}
