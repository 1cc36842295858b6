//! What is known of the person at Meta who connected an integration.

use crate::error::WorkError;
use crate::secret::HmacKey;
use crate::vault::VaultError;

/// What an integration remembers of the person at Meta who connected it: nothing that can be turned back into them, and
/// enough to find it when Meta names them.
#[must_use]
pub fn person_hash(key: &HmacKey, app_scoped_id: &str) -> String {
    hex::encode(key.sign(format!("meta-person.{app_scoped_id}").as_bytes()))
}

/// Treats a missing or unreadable secret as `None`; a failed read is an error.
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
