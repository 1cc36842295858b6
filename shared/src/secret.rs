//! Values that must not leak: they print as `[REDACTED]`, do not serialize, and are wiped when dropped.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretSlice, SecretString};
use serde::Deserialize;
use sha2::Sha256;

/// A user, page or system-user token of Meta. [`AccessToken::expose`] is the only access to its text.
#[derive(Clone, Deserialize)]
#[serde(transparent)]
pub struct AccessToken(SecretString);

impl std::fmt::Debug for AccessToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("AccessToken([REDACTED])")
    }
}

impl AccessToken {
    /// Wraps a token.
    #[must_use]
    pub fn new(text: String) -> Self {
        Self(text.into())
    }

    /// The bare token. Use it only for a header to Meta or for the vault.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

/// A key for HMAC-SHA256: Meta's app secret or a key of our own. It signs; the one before it, if there is one, still
/// verifies, so that a key can be replaced while what it has signed is on its way.
#[derive(Clone, Deserialize)]
#[serde(from = "SecretString")]
pub struct HmacKey {
    current: SecretString,
    previous: Option<SecretString>,
}

impl From<SecretString> for HmacKey {
    fn from(current: SecretString) -> Self {
        Self { current, previous: None }
    }
}

impl std::fmt::Debug for HmacKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("HmacKey([REDACTED])")
    }
}

impl HmacKey {
    /// Wraps a key.
    #[must_use]
    pub fn new(text: String) -> Self {
        SecretString::from(text).into()
    }

    /// The same key, after another.
    #[must_use]
    pub fn after(self, previous: Option<Self>) -> Self {
        Self { previous: previous.map(|previous| previous.current), ..self }
    }

    /// The bare key, for the one call that sends it: Meta's token endpoint requires the app secret itself.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.current.expose_secret()
    }

    /// HMAC-SHA256 of `message`.
    #[must_use]
    pub fn sign(&self, message: &[u8]) -> [u8; 32] {
        mac(&self.current, message).finalize().into_bytes().into()
    }

    /// Whether `signature` is a signature of `message` by this key or by the one before it. Compares in constant time.
    #[must_use]
    pub fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        let mut keys = std::iter::once(&self.current).chain(&self.previous);
        keys.any(|key| mac(key, message).verify_slice(signature).is_ok())
    }

    /// Meta's `appsecret_proof` for `token`: lower-case hex of the HMAC of the token under the app secret.
    #[must_use]
    pub fn appsecret_proof(&self, token: &AccessToken) -> String {
        hex::encode(self.sign(token.expose().as_bytes()))
    }
}

#[expect(clippy::expect_used, reason = "HMAC takes keys of every length")]
fn mac(key: &SecretString, message: &[u8]) -> Hmac<Sha256> {
    let mut mac =
        Hmac::<Sha256>::new_from_slice(key.expose_secret().as_bytes()).expect("HMAC takes keys of every length");
    mac.update(message);
    mac
}

/// The key that signs what is sent to one endpoint of a CRM.
#[derive(Clone)]
pub struct EndpointSecret(SecretSlice<u8>);

impl std::fmt::Debug for EndpointSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("EndpointSecret([REDACTED])")
    }
}

impl EndpointSecret {
    /// Wraps a derived key.
    #[must_use]
    pub fn new(key: [u8; 32]) -> Self {
        Self::from_bytes(key.to_vec())
    }

    /// Wraps a key.
    #[must_use]
    pub fn from_bytes(key: Vec<u8>) -> Self {
        Self(key.into())
    }

    /// The secret in the scheme's form, for the one response that shows it.
    #[must_use]
    pub fn expose(&self) -> String {
        format!("whsec_{}", STANDARD.encode(self.0.expose_secret()))
    }

    /// HMAC-SHA256 of `message`, in base64.
    #[must_use]
    #[expect(clippy::expect_used, reason = "HMAC takes keys of every length")]
    pub fn sign(&self, message: &[u8]) -> String {
        let mut mac = Hmac::<Sha256>::new_from_slice(self.0.expose_secret()).expect("HMAC takes keys of every length");
        mac.update(message);
        STANDARD.encode(mac.finalize().into_bytes())
    }
}

/// The credentials of a Meta app.
#[derive(Debug, Clone, Deserialize)]
pub struct App {
    /// Meta's id of the app.
    #[serde(rename = "app_id")]
    pub id: String,
    /// The app secret: key of `appsecret_proof` and of webhook signatures.
    #[serde(rename = "app_secret")]
    pub secret: HmacKey,
    /// The token Meta must echo when it verifies the webhook's URL.
    pub verify_token: HmacKey,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_proof_is_the_one_meta_expects() {
        let proof = HmacKey::new("s3cr3t".into()).appsecret_proof(&AccessToken::new("EAATESTTOKEN".into()));
        assert_eq!(proof, "d9b7e011613f3fbb12169c8ef07b95ac8d7d4500511a33737fce6b4858b13eca");
    }

    #[test]
    fn secrets_do_not_print_themselves() {
        assert!(!format!("{:?}", AccessToken::new("EAAhush".into())).contains("hush"));
        assert!(!format!("{:?}", HmacKey::new("hush".into())).contains("hush"));
    }
}
