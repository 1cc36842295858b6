//! Secrets Manager: Meta's app, our signing key, and the tokens of each integration.
//!
//! Values are kept in memory for a few minutes, and longer while Secrets Manager does not answer. A value that is found
//! wrong (Meta calls the token dead, a signature does not verify) can be read anew at once.

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

/// How long a value is taken as it was read. `SystemTime`, because a frozen process's monotonic clock may stand still.
const FRESH: Duration = Duration::from_mins(5);
/// Page tokens in one secret: Meta's tokens are some 250 characters, a secret holds 64 KiB.
const TOKENS_PER_SECRET: usize = 150;

/// The secrets this function may read. Cheap to clone; clones share the cache.
#[derive(Debug, Clone)]
pub struct Vault {
    client: Client,
    cache: Arc<Mutex<HashMap<String, (SystemTime, SecretString)>>>,
}

/// A secret that could not be had.
#[derive(Debug, Clone, thiserror::Error)]
pub enum VaultError {
    /// It is not there, or is being deleted.
    #[error("secret {0} is not there")]
    Missing(String),
    /// It is there and is not what it should be. The fix is to connect anew, which replaces it.
    #[error("access token could not be decrypted: secret {0} does not hold what it should; reconnect the integration")]
    Unreadable(String),
    /// Secrets Manager did not answer.
    #[error("Secrets Manager failed: {0}")]
    Failed(#[source] AwsError),
}

impl VaultError {
    /// What becomes of the work that met this error.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        match self {
            Self::Failed(_) => Verdict::Retry,
            Self::Missing(_) | Self::Unreadable(_) => Verdict::GiveUp,
        }
    }
}

/// The tokens of an integration, as one secret holds them. The first secret of an integration has all of it.
#[derive(Debug, Deserialize)]
struct StoredTokens {
    pages: BTreeMap<PageId, AccessToken>,
    me: Option<MetaPerson>,
    user_token: Option<AccessToken>,
}

/// Everything that is secret about a connected Meta account.
#[derive(Debug)]
pub struct Credentials {
    /// Who connected it.
    pub me: MetaPerson,
    /// Their token.
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
    /// The vault as this function's role may see it.
    #[must_use]
    pub fn new(client: Client) -> Self {
        Self { client, cache: Arc::default() }
    }

    /// Meta's app.
    ///
    /// # Errors
    /// If the secret cannot be had.
    pub async fn app(&self, secret_id: &str) -> Result<App, VaultError> {
        self.read(secret_id).await
    }

    /// The app, and the app as it was before its secret was last changed, because Meta may still sign with that one.
    /// Always asks Secrets Manager: whoever needs this on every request keeps it.
    ///
    /// # Errors
    /// If the present secret cannot be had. That there is none before it is no error.
    pub async fn app_and_previous(&self, secret_id: &str) -> Result<(App, Option<App>), VaultError> {
        self.forget(secret_id);
        let app = self.app(secret_id).await?;
        let previous = match self.text(secret_id, "AWSPREVIOUS").await {
            Ok(text) => parse(secret_id, &text).ok(),
            Err(VaultError::Missing(_)) => None,
            Err(error) => return Err(error),
        };
        Ok((app, previous))
    }

    /// The key that signs cursors and login states.
    ///
    /// # Errors
    /// If the secret cannot be had.
    pub async fn signing_key(&self, secret_id: &str) -> Result<HmacKey, VaultError> {
        self.read::<SigningKey>(secret_id).await.map(|signing| signing.key)
    }

    /// The token of one page, from the secret that its connection names.
    ///
    /// # Errors
    /// [`VaultError::Unreadable`] also if the secret has no token for this page, even when it is read anew: the page
    /// may have been added since.
    pub async fn page_token(&self, credentials: &str, page: &PageId) -> Result<AccessToken, VaultError> {
        for _ in 0..2 {
            let mut stored: StoredTokens = self.read(credentials).await?;
            if let Some(token) = stored.pages.remove(page) {
                return Ok(token);
            }
            self.forget(credentials);
        }
        Err(VaultError::Unreadable(credentials.to_owned()))
    }

    /// The account's own token, from the first of an integration's secrets.
    ///
    /// # Errors
    /// [`VaultError::Missing`] also if the integration has no secrets.
    pub async fn user_token(&self, names: &[String]) -> Result<AccessToken, VaultError> {
        let name =
            names.first().ok_or_else(|| VaultError::Missing("of an integration that is not connected".into()))?;
        let stored: StoredTokens = self.read(name).await?;
        stored.user_token.ok_or_else(|| VaultError::Unreadable(name.clone()))
    }

    /// The token in a secret that holds nothing else.
    ///
    /// # Errors
    /// If the secret cannot be had.
    pub async fn token(&self, name: &str) -> Result<AccessToken, VaultError> {
        self.read::<SingleToken>(name).await.map(|stored| stored.token)
    }

    /// Stores a token in a new secret that holds nothing else, and answers its name.
    ///
    /// # Errors
    /// If Secrets Manager does not take it.
    pub async fn store_token(&self, prefix: &str, owner: &str, token: &AccessToken) -> Result<String, VaultError> {
        let series = uuid::Uuid::new_v4().simple().to_string();
        let name = format!("{prefix}{owner}.{}", series.get(..8).unwrap_or_default());
        let value = serde_json::json!({ "token": token.expose() }).to_string();
        let created = self.client.create_secret().name(&name).secret_string(value).send().await;
        created.map_err(failed)?;
        Ok(name)
    }

    /// Everything that is secret about an integration, as Secrets Manager has it now.
    ///
    /// # Errors
    /// [`VaultError::Missing`] also if the integration has no secrets.
    pub async fn credentials(&self, names: &[String]) -> Result<Credentials, VaultError> {
        let mut all: Option<Credentials> = None;
        for name in names {
            self.forget(name);
            let stored: StoredTokens = self.read(name).await?;
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

    /// Deletes a secret, and keeps nothing of it to be had back: its name is never used again, a token is replaced by
    /// logging in again, and somebody may have asked for their data to be gone. That it is gone already is as good.
    ///
    /// # Errors
    /// If Secrets Manager does not do it.
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

    /// Makes the next reading of this secret ask Secrets Manager. What was known is still used if that does not answer.
    pub fn forget(&self, secret_id: &str) {
        if let Ok(mut cache) = self.cache.lock() {
            for stage in ["", "#AWSPREVIOUS"] {
                if let Some((read_at, _)) = cache.get_mut(&format!("{secret_id}{stage}")) {
                    *read_at = SystemTime::UNIX_EPOCH;
                }
            }
        }
    }

    /// Stores what is secret about an integration in new secrets, and answers their names and, for each page, the one that
    /// holds its token. What the integration had before stays where it is: whoever still reads it, or deletes it, does
    /// not meet the new one.
    ///
    /// # Errors
    /// If Secrets Manager does not take it. What was written of it is deleted again, as far as that works.
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
            let tokens: BTreeMap<&str, &str> =
                part.iter().map(|(page, token)| (page.as_str(), token.expose())).collect();
            let mut value = serde_json::json!({ "pages": tokens });
            if let (0, Some(object)) = (number, value.as_object_mut()) {
                object.insert("me".to_owned(), serde_json::json!(credentials.me));
                object.insert("user_token".to_owned(), credentials.user_token.expose().into());
            }
            if let Err(error) = self.client.create_secret().name(&name).secret_string(value.to_string()).send().await {
                let error = failed(error);
                self.drop_all(&stored.names).await;
                return Err(error);
            }
            stored.by_page.extend(part.iter().map(|(page, _)| ((*page).clone(), name.clone())));
            stored.names.push(name);
        }
        Ok(stored)
    }

    /// Deletes secrets that nothing refers to. That it fails harms nobody: it is told and left.
    pub async fn drop_all(&self, names: &[String]) {
        for name in names {
            if let Err(error) = self.delete(name).await {
                tracing::warn!(%error, name, "a secret that is not needed any more is still there");
            }
        }
    }

    async fn read<T: DeserializeOwned>(&self, secret_id: &str) -> Result<T, VaultError> {
        parse(secret_id, &self.text(secret_id, "AWSCURRENT").await?)
    }

    async fn text(&self, secret_id: &str, stage: &str) -> Result<SecretString, VaultError> {
        let cached_as = if stage == "AWSCURRENT" { secret_id.to_owned() } else { format!("{secret_id}#{stage}") };
        let cached = self.cache.lock().ok().and_then(|cache| cache.get(&cached_as).cloned());
        if let Some((read_at, text)) = &cached
            && read_at.elapsed().is_ok_and(|age| age < FRESH)
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
                    tracing::warn!(error = %failed(error), "a secret could not be read anew; its last value is used");
                    return Ok(stale);
                }
                (_, None) => return Err(failed(error)),
            },
        };
        if let Ok(mut cache) = self.cache.lock() {
            cache.insert(cached_as, (SystemTime::now(), text.clone()));
        }
        Ok(text)
    }
}

/// Where an integration's secrets went.
#[derive(Debug, Default)]
pub struct StoredSecrets {
    /// Every secret.
    pub names: Vec<String>,
    /// The secret with each page's token.
    pub by_page: BTreeMap<PageId, String>,
}

/// The parser's own error is left out on purpose: it quotes what it read.
fn parse<T: DeserializeOwned>(secret_id: &str, text: &SecretString) -> Result<T, VaultError> {
    serde_json::from_str(text.expose_secret()).map_err(|_| VaultError::Unreadable(secret_id.to_owned()))
}

fn failed(error: impl std::error::Error + Send + Sync + 'static) -> VaultError {
    VaultError::Failed(AwsError::new(error))
}
