//! Recognising the person at Meta who connected an integration, and reading their secrets.

use super::Connections;
use crate::directory::MetaAccess;
use crate::error::{ActError, WorkError};
use crate::ids::IntegrationId;
use crate::secret::HmacKey;
use crate::vault::VaultError;

impl Connections {
    /// Reads the name at Meta of the person or system user whose token an integration uses. It is stored with the token and
    /// nowhere else. `None` if the secret is missing or unreadable.
    pub async fn connected_person(&self, access: &MetaAccess, id: &IntegrationId) -> Result<Option<String>, ActError> {
        let integration = self.tokens.integration(&access.scope, id).await?;
        let credentials = self.connector.meta.vault.credentials(&integration.credentials).await;
        Ok(if_readable(credentials)?.map(|credentials| credentials.me.name))
    }
}

/// Hashes the id of the person at Meta who connected an integration. The hash does not reveal the person, but finds
/// their integrations when Meta sends their id.
#[must_use]
pub fn person_hash(key: &HmacKey, app_scoped_id: &str) -> String {
    hex::encode(key.sign(format!("meta-person.{app_scoped_id}").as_bytes()))
}

/// Treats a missing or unreadable secret as `None`; a failed read is an error.
pub(super) fn if_readable<T>(read: Result<T, VaultError>) -> Result<Option<T>, WorkError> {
    match read {
        Ok(found) => Ok(Some(found)),
        Err(error @ (VaultError::Missing(_) | VaultError::Unreadable(_))) => {
            tracing::warn!(%error, "an integration's tokens are missing or unreadable");
            Ok(None)
        }
        Err(error) => Err(error.into()),
    }
}
