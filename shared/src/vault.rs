//! Secrets Manager: Meta's app, our signing key, and the tokens of each integration.
//!
//! Values are cached in memory: tokens for half a day, because new ones get new names, other values for a few minutes.
//! While Secrets Manager is unavailable, cached values are used at any age. A value that turns out to be wrong (Meta
//! reports a dead token, a signature does not verify) can be re-read at once.

#[cfg(test)]
mod stored_tests;

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use aws_sdk_secretsmanager::Client;
use aws_sdk_secretsmanager::operation::delete_secret::DeleteSecretError;
use aws_sdk_secretsmanager::operation::get_secret_value::GetSecretValueError;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::aws::AwsError;
use crate::ids::{IntegrationId, PageId};
use crate::model::connection::MetaPerson;
use crate::retry::Verdict;
use crate::secret::{AccessToken, App, HmacKey};

/// How long a cached value is used. Ages are measured with `SystemTime`, because a frozen process's monotonic clock may
/// stand still.
const CACHE_TTL: Duration = Duration::from_mins(5);
/// The same for tokens. Their secrets are deleted, but never changed.
const TOKEN_CACHE_TTL: Duration = Duration::from_hours(12);
/// What all cached values may take. Beyond this, those read longest ago are dropped.
const MAX_CACHE_BYTES: usize = 16_000_000;
/// Page tokens per secret: Meta's tokens have some 250 characters, and a secret holds 64 KiB.
const TOKENS_PER_SECRET: usize = 150;

/// A client of Secrets Manager with a cache. Cheap to clone; clones share the cache.
#[derive(Debug, Clone)]
pub struct Vault {
    client: Client,
    cache: Arc<Mutex<Cache>>,
}

/// The values that were read, and when.
type Cache = HashMap<String, (SystemTime, SecretString)>;

/// A secret that could not be read or written.
#[derive(Debug, Clone, thiserror::Error)]
pub enum VaultError {
    /// It does not exist, or is being deleted.
    #[error("secret {0} does not exist")]
    Missing(String),
    /// It cannot be decrypted, or does not hold what it should. If it is an integration's, reconnecting replaces it.
    #[error("secret {0} has no valid content")]
    Unreadable(String),
    /// Secrets Manager rejected the request or was unreachable.
    #[error("Secrets Manager failed: {0}")]
    Failed(#[source] AwsError),
}

impl VaultError {
    /// Returns what becomes of the work that hit this error.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        match self {
            Self::Failed(_) => Verdict::Retry,
            Self::Missing(_) | Self::Unreadable(_) => Verdict::GiveUp,
        }
    }
}

/// The content of one of an integration's secrets. Only the first has `me` and `user_token`.
#[derive(Debug, Deserialize)]
struct StoredTokens {
    pages: BTreeMap<PageId, AccessToken>,
    me: Option<MetaPerson>,
    user_token: Option<AccessToken>,
}

/// All secrets of a connected Meta account.
#[derive(Debug)]
pub struct Credentials {
    /// The person who connected it.
    pub me: MetaPerson,
    /// The person's token.
    pub user_token: AccessToken,
    /// The token of each page.
    pub pages: BTreeMap<PageId, AccessToken>,
}

#[derive(Deserialize)]
struct SingleToken {
    token: AccessToken,
}

#[derive(Deserialize)]
struct SigningKey {
    key: HmacKey,
}

impl Vault {
    /// Creates a vault with an empty cache.
    #[must_use]
    pub fn new(client: Client) -> Self {
        Self { client, cache: Arc::default() }
    }

    /// Reads Meta's app.
    pub async fn app(&self, secret_id: &str) -> Result<App, VaultError> {
        self.read(secret_id, CACHE_TTL).await
    }

    /// Reads the app, and the app before its secret was last changed, because Meta may still sign with that one. Always
    /// calls Secrets Manager: a caller that needs this on every request must cache it.
    ///
    /// # Errors
    /// If the current secret cannot be read. A missing previous one is `None`, not an error.
    pub async fn app_and_previous(&self, secret_id: &str) -> Result<(App, Option<App>), VaultError> {
        self.forget(secret_id);
        let app = self.app(secret_id).await?;
        let previous = match self.text(secret_id, "AWSPREVIOUS", CACHE_TTL).await {
            Ok(text) => parse(secret_id, &text).ok(),
            Err(VaultError::Missing(_)) => None,
            Err(error) => return Err(error),
        };
        Ok((app, previous))
    }

    /// Reads a key of our own, with the one that it has replaced.
    pub async fn signing_key(&self, secret_id: &str) -> Result<HmacKey, VaultError> {
        let SigningKey { key } = self.read(secret_id, CACHE_TTL).await?;
        let previous = match self.text(secret_id, "AWSPREVIOUS", CACHE_TTL).await {
            Ok(text) => serde_json::from_str::<SigningKey>(text.expose_secret()).ok(),
            Err(VaultError::Missing(_)) => None,
            Err(error) => return Err(error),
        };
        Ok(key.after(previous.map(|previous| previous.key)))
    }

    /// Reads the token of one page, from the secret that its connection names.
    ///
    /// # Errors
    /// [`VaultError::Unreadable`] also if the secret has no token for this page.
    pub async fn page_token(&self, credentials: &str, page: &PageId) -> Result<AccessToken, VaultError> {
        let mut stored: StoredTokens = self.read(credentials, TOKEN_CACHE_TTL).await?;
        stored.pages.remove(page).ok_or_else(|| VaultError::Unreadable(credentials.to_owned()))
    }

    /// Reads the account's own token, from the first of an integration's secrets.
    ///
    /// # Errors
    /// [`VaultError::Missing`] also if the integration has no secrets.
    pub async fn user_token(&self, names: &[String]) -> Result<AccessToken, VaultError> {
        let name =
            names.first().ok_or_else(|| VaultError::Missing("of an integration that is not connected".into()))?;
        let stored: StoredTokens = self.read(name, TOKEN_CACHE_TTL).await?;
        stored.user_token.ok_or_else(|| VaultError::Unreadable(name.clone()))
    }

    /// Reads the token in a secret that holds nothing else.
    pub async fn token(&self, name: &str) -> Result<AccessToken, VaultError> {
        self.read::<SingleToken>(name, TOKEN_CACHE_TTL).await.map(|stored| stored.token)
    }

    /// Stores a token in a new secret that holds nothing else, and returns the secret's name.
    pub async fn store_token(&self, prefix: &str, owner: &str, token: &AccessToken) -> Result<String, VaultError> {
        let series = uuid::Uuid::new_v4().simple().to_string();
        let name = format!("{prefix}{owner}.{}", series.get(..8).unwrap_or_default());
        let value = token_secret(token).to_string();
        let created = self.client.create_secret().name(&name).secret_string(value).send().await;
        created.map_err(failed)?;
        Ok(name)
    }

    /// Re-reads all secrets of an integration.
    ///
    /// # Errors
    /// [`VaultError::Missing`] also if the integration has no secrets.
    pub async fn credentials(&self, names: &[String]) -> Result<Credentials, VaultError> {
        names.iter().for_each(|name| self.forget(name));
        self.cached_credentials(names).await
    }

    /// Reads all secrets of an integration. Those that are cached are not read again.
    ///
    /// # Errors
    /// As [`Vault::credentials`].
    pub async fn cached_credentials(&self, names: &[String]) -> Result<Credentials, VaultError> {
        let mut all: Option<Credentials> = None;
        for name in names {
            let stored: StoredTokens = self.read(name, TOKEN_CACHE_TTL).await?;
            match &mut all {
                Some(all) => all.pages.extend(stored.pages),
                None => {
                    let unreadable = || VaultError::Unreadable(name.clone());
                    all = Some(Credentials {
                        me: stored.me.ok_or_else(unreadable)?,
                        user_token: stored.user_token.ok_or_else(unreadable)?,
                        pages: stored.pages,
                    });
                }
            }
        }
        all.ok_or_else(|| VaultError::Missing("of an integration that is not connected".to_owned()))
    }

    /// Deletes a secret without a recovery period: its name is never used again, a token is replaced by logging in
    /// again, and the person may have asked for their data to be deleted. Already deleted counts as success.
    pub async fn delete(&self, name: &str) -> Result<(), VaultError> {
        let request = self.client.delete_secret().secret_id(name).force_delete_without_recovery(true);
        let deleted = request.send().await;
        if let Ok(mut cache) = self.cache.lock() {
            cache.remove(name);
        }
        match deleted {
            Ok(_) => Ok(()),
            Err(error) => match error.as_service_error() {
                Some(
                    DeleteSecretError::ResourceNotFoundException(_) | DeleteSecretError::InvalidRequestException(_),
                ) => Ok(()),
                _ => Err(failed(error)),
            },
        }
    }

    /// Makes the next read of this secret call Secrets Manager. The cached value is still used if that is unavailable.
    pub fn forget(&self, secret_id: &str) {
        if let Ok(mut cache) = self.cache.lock() {
            for stage in ["", "#AWSPREVIOUS"] {
                if let Some((read_at, _)) = cache.get_mut(&format!("{secret_id}{stage}")) {
                    *read_at = SystemTime::UNIX_EPOCH;
                }
            }
        }
    }

    /// Stores an integration's credentials in new secrets, and returns their names and, for each page, the secret that
    /// holds its token. The previous secrets stay unchanged: a worker that still reads or deletes them does not affect
    /// the new ones.
    ///
    /// # Errors
    /// After an error, the secrets stored so far are deleted again, as far as that works.
    pub async fn store(
        &self,
        prefix: &str,
        integration: &IntegrationId,
        credentials: &Credentials,
    ) -> Result<StoredSecrets, VaultError> {
        let series = uuid::Uuid::new_v4().simple().to_string();
        let series = series.get(..8).unwrap_or_default();
        let mut stored = StoredSecrets::default();
        let pages: Vec<_> = credentials.pages.iter().collect();
        let parts = pages.chunks(TOKENS_PER_SECRET).map(<[_]>::to_vec).chain(pages.is_empty().then(Vec::new));
        for (number, part) in parts.enumerate() {
            let name = format!("{prefix}{integration}.{series}.{number}");
            // The account's own token goes into the first secret.
            let value = tokens_secret(&part, (number == 0).then_some(credentials)).to_string();
            if let Err(error) = self.client.create_secret().name(&name).secret_string(value).send().await {
                let error = failed(error);
                self.drop_all(&stored.names).await;
                return Err(error);
            }
            stored.by_page.extend(part.iter().map(|(page, _)| ((*page).clone(), name.clone())));
            stored.names.push(name);
        }
        Ok(stored)
    }

    /// Deletes secrets that nothing refers to. A failure is harmless, so it is only logged.
    pub async fn drop_all(&self, names: &[String]) {
        for name in names {
            if let Err(error) = self.delete(name).await {
                tracing::warn!(%error, name, "an unused secret could not be deleted");
            }
        }
    }

    async fn read<T: DeserializeOwned>(&self, secret_id: &str, ttl: Duration) -> Result<T, VaultError> {
        parse(secret_id, &self.text(secret_id, "AWSCURRENT", ttl).await?)
    }

    async fn text(&self, secret_id: &str, stage: &str, ttl: Duration) -> Result<SecretString, VaultError> {
        let cached_as = if stage == "AWSCURRENT" { secret_id.to_owned() } else { format!("{secret_id}#{stage}") };
        let cached = self.cache.lock().ok().and_then(|cache| cache.get(&cached_as).cloned());
        if let Some((read_at, text)) = &cached
            && read_at.elapsed().is_ok_and(|age| age < ttl)
        {
            return Ok(text.clone());
        }
        let text: SecretString = match self
            .client
            .get_secret_value()
            .secret_id(secret_id)
            .version_stage(stage)
            .send()
            .await
        {
            Ok(value) => value.secret_string.unwrap_or_default().into(),
            Err(error) => match (error.as_service_error(), cached) {
                (
                    Some(
                        GetSecretValueError::ResourceNotFoundException(_)
                        | GetSecretValueError::InvalidRequestException(_),
                    ),
                    _,
                ) => {
                    return Err(VaultError::Missing(secret_id.to_owned()));
                }
                (Some(GetSecretValueError::DecryptionFailure(_)), _) => {
                    return Err(VaultError::Unreadable(secret_id.to_owned()));
                }
                (_, Some((_, stale))) => {
                    tracing::warn!(error = %failed(error), "a secret could not be re-read; its cached value is used");
                    return Ok(stale);
                }
                (_, None) => return Err(failed(error)),
            },
        };
        if let Ok(mut cache) = self.cache.lock() {
            cache.insert(cached_as, (SystemTime::now(), text.clone()));
            shrink(&mut cache, MAX_CACHE_BYTES);
        }
        Ok(text)
    }
}

/// Where an integration's secrets are stored.
#[derive(Debug, Default)]
pub struct StoredSecrets {
    /// The names of all its secrets.
    pub names: Vec<String>,
    /// The secret that holds each page's token.
    pub by_page: BTreeMap<PageId, String>,
}

/// The content of a secret with some of an integration's tokens, and with the account's own, if it is the first.
fn tokens_secret(pages: &[(&PageId, &AccessToken)], first: Option<&Credentials>) -> serde_json::Value {
    let tokens: BTreeMap<&str, &str> = pages.iter().map(|(page, token)| (page.as_str(), token.expose())).collect();
    match first {
        None => serde_json::json!({ "pages": tokens }),
        Some(Credentials { me, user_token, .. }) => {
            serde_json::json!({ "pages": tokens, "me": me, "user_token": user_token.expose() })
        }
    }
}

/// The content of a secret that holds one token and nothing else.
fn token_secret(token: &AccessToken) -> serde_json::Value {
    serde_json::json!({ "token": token.expose() })
}

/// Parses a secret. The parser's own error is omitted on purpose, because it quotes the content.
fn parse<T: DeserializeOwned>(secret_id: &str, text: &SecretString) -> Result<T, VaultError> {
    serde_json::from_str(text.expose_secret()).map_err(|_| VaultError::Unreadable(secret_id.to_owned()))
}

/// Drops the values that were read longest ago, until the others take at most `max_bytes`.
fn shrink(cache: &mut Cache, max_bytes: usize) {
    let mut bytes: usize = cache.values().map(|(_, text)| text.expose_secret().len()).sum();
    while bytes > max_bytes {
        let oldest = cache.iter().min_by_key(|(_, (read_at, _))| *read_at).map(|(name, _)| name.clone());
        let Some((_, dropped)) = oldest.and_then(|name| cache.remove(&name)) else { return };
        bytes -= dropped.expose_secret().len();
    }
}

fn failed(error: impl std::error::Error + Send + Sync + 'static) -> VaultError {
    VaultError::Failed(AwsError::new(error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_cache_drops_what_was_read_longest_ago() {
        let at = |seconds| SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
        let mut cache: Cache =
            (1..=4).map(|n: u64| (n.to_string(), (at(10 - n), SecretString::from("x".repeat(10))))).collect();
        shrink(&mut cache, 25);
        let mut left: Vec<&String> = cache.keys().collect();
        left.sort();
        assert_eq!(left, ["1", "2"]);
        shrink(&mut cache, 0);
        assert!(cache.is_empty());
    }
}
