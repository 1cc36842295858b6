//! Uses of the app secret: signing webhooks and privacy callbacks, and computing `appsecret_proof`.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::json;
use sha1::Sha1;
use sha2::Sha256;

/// Returns the value of `X-Hub-Signature-256`: `sha256=` and the lower-case hex HMAC-SHA256 of the raw body bytes.
#[must_use]
pub fn hub_signature_256(app_secret: &str, body: &[u8]) -> String {
    format!("sha256={}", hex::encode(hmac_sha256(app_secret, body)))
}

/// Returns the value of the legacy `X-Hub-Signature`: `sha1=` and the lower-case hex HMAC-SHA1 of the raw body bytes.
#[must_use]
pub fn hub_signature_sha1(app_secret: &str, body: &[u8]) -> String {
    let mut mac = Hmac::<Sha1>::new_from_slice(app_secret.as_bytes()).expect("HMAC takes keys of any length");
    mac.update(body);
    format!("sha1={}", hex::encode(mac.finalize().into_bytes()))
}

/// Returns the proof that the sender of `access_token` also knows the app secret. A proof is valid for one token only:
/// a call with a page token needs the page token's proof.
#[must_use]
pub fn appsecret_proof(app_secret: &str, access_token: &str) -> String {
    hex::encode(hmac_sha256(app_secret, access_token.as_bytes()))
}

/// Returns the `signed_request` of a privacy callback: `<signature>.<payload>`, both base64url without padding. The
/// signature covers the encoded payload.
#[must_use]
pub fn signed_request(app_secret: &str, user_id: &str, issued_at: i64) -> String {
    let payload = json!({"algorithm": "HMAC-SHA256", "issued_at": issued_at, "user_id": user_id});
    let payload = URL_SAFE_NO_PAD.encode(payload.to_string());
    let signature = URL_SAFE_NO_PAD.encode(hmac_sha256(app_secret, payload.as_bytes()));
    format!("{signature}.{payload}")
}

fn hmac_sha256(key: &str, message: &[u8]) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key.as_bytes()).expect("HMAC takes keys of any length");
    mac.update(message);
    mac.finalize().into_bytes().to_vec()
}
