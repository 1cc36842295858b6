//! Signed requests, which Meta sends when a person removes the app or requests deletion of their data.
//!
//! The format is `signature.payload`, both base64url without padding. The signature covers the payload as sent.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jiff::Timestamp;
use serde::{Deserialize, Deserializer};

use super::App;

/// The content of a request whose signature was verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedRequest {
    /// The person's app-scoped id.
    pub user_id: String,
    /// When Meta signed it, to the second.
    pub issued_at: Timestamp,
}

/// Why a signed request is rejected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SignedRequestError {
    /// Not two parts of base64url, or not Meta's content in them.
    #[error("this is not a signed_request of Meta's")]
    Unreadable,
    /// Signed with another secret than this app's.
    #[error("the signature is not made with this app's secret")]
    Signature,
}

#[derive(Deserialize)]
struct Payload {
    algorithm: String,
    #[serde(deserialize_with = "id")]
    user_id: String,
    issued_at: i64,
}

/// Deserializes an id. Meta writes ids as text; a number is accepted too.
fn id<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum UserRef {
        Text(String),
        Number(u64),
    }
    Ok(match UserRef::deserialize(deserializer)? {
        UserRef::Text(text) => text,
        UserRef::Number(number) => number.to_string(),
    })
}

impl SignedRequest {
    /// Verifies and reads a request signed by one of `apps`. There are two while the app's secret is being rotated.
    ///
    /// # Errors
    /// [`SignedRequestError`] distinguishes an unreadable request from one that Meta did not sign. Before the signature
    /// is verified, nothing is interpreted; it is only decoded.
    pub fn verify<'a>(text: &str, apps: impl IntoIterator<Item = &'a App>) -> Result<Self, SignedRequestError> {
        let (signature, payload) = text.split_once('.').ok_or(SignedRequestError::Unreadable)?;
        let decode = |part: &str| URL_SAFE_NO_PAD.decode(part).map_err(|_| SignedRequestError::Unreadable);
        let (signature, json) = (decode(signature)?, decode(payload)?);
        if !apps.into_iter().any(|app| app.secret.verifies(payload.as_bytes(), &signature)) {
            return Err(SignedRequestError::Signature);
        }
        let payload: Payload = serde_json::from_slice(&json).map_err(|_| SignedRequestError::Unreadable)?;
        let issued_at = Timestamp::from_second(payload.issued_at).map_err(|_| SignedRequestError::Unreadable)?;
        let is_id = (1..=64).contains(&payload.user_id.len()) && payload.user_id.bytes().all(|b| b.is_ascii_digit());
        if !payload.algorithm.eq_ignore_ascii_case("HMAC-SHA256") || !is_id {
            return Err(SignedRequestError::Unreadable);
        }
        Ok(Self { user_id: payload.user_id, issued_at })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::HmacKey;

    const VECTOR: &str = "CZvcvqO16ktltpXScNfMfu39ODzU4JVDXGPOxTk5rZg.eyJhbGdvcml0aG0iOiJITUFDLVNIQTI1NiIsImlzc3VlZF9hdCI6MTcwMDAwMDAwMCwidXNlcl9pZCI6IjIxODQ3MSJ9";

    fn app(secret: &str) -> App {
        App { id: "1".into(), secret: HmacKey::new(secret.into()), verify_token: HmacKey::new("v".into()) }
    }

    fn signed(payload: &str) -> String {
        signed_bytes(payload.as_bytes())
    }

    fn signed_bytes(payload: &[u8]) -> String {
        let payload = URL_SAFE_NO_PAD.encode(payload);
        let signature = URL_SAFE_NO_PAD.encode(app("s3cr3t").secret.sign(payload.as_bytes()));
        format!("{signature}.{payload}")
    }

    #[test]
    fn meta_s_own_is_read_with_either_secret() {
        let expect = SignedRequest { user_id: "218471".into(), issued_at: "2023-11-14T22:13:20Z".parse().unwrap() };
        assert_eq!(SignedRequest::verify(VECTOR, [&app("s3cr3t")]), Ok(expect.clone()));
        assert_eq!(SignedRequest::verify(VECTOR, [&app("newer"), &app("s3cr3t")]), Ok(expect));
    }

    #[test]
    fn whatever_is_not_signed_by_the_app_is_refused() {
        use SignedRequestError::{Signature, Unreadable};
        let verify = |text: &str| SignedRequest::verify(text, [&app("s3cr3t")]);
        assert_eq!(SignedRequest::verify(VECTOR, [&app("other")]), Err(Signature));
        assert_eq!(SignedRequest::verify(VECTOR, []), Err(Signature));
        let (signature, payload) = VECTOR.split_once('.').unwrap();
        assert_eq!(verify(&format!(".{payload}")), Err(Signature));
        assert_eq!(verify(&format!("{}.{payload}", &signature[..20])), Err(Signature));
        assert_eq!(verify(&format!("{signature}.{}", &payload[..40])), Err(Signature));
        for text in ["", ".", "x", &format!("{signature}=.{payload}"), &format!("{signature}.{payload}=")] {
            assert!(verify(text).is_err(), "{text}");
        }
        for odd in [
            "{}",
            "7",
            r#"{"algorithm":"none","issued_at":1,"user_id":"1"}"#,
            r#"{"algorithm":"HMAC-SHA256","issued_at":1,"user_id":""}"#,
            r#"{"algorithm":"HMAC-SHA256","issued_at":1,"user_id":"1#2"}"#,
            r#"{"algorithm":"HMAC-SHA256","issued_at":99999999999999,"user_id":"1"}"#,
        ] {
            assert_eq!(verify(&signed(odd)), Err(Unreadable), "{odd}");
        }
        let number = signed(r#"{"algorithm":"HMAC-SHA256","issued_at":1,"user_id":218471}"#);
        assert_eq!(verify(&number).unwrap().user_id, "218471");
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_refused_unless_meta_signed_it(content in corpus::mutated_bytes(corpus::signed_requests()), text: String) {
            let payload = URL_SAFE_NO_PAD.encode(&content);
            let read = SignedRequest::verify(&signed_bytes(&content), [&app("s3cr3t")]);
            if let Ok(request) = read {
                proptest::prop_assert!(!request.user_id.is_empty() && request.user_id.bytes().all(|b| b.is_ascii_digit()));
            }
            for unsigned in [format!("{text}.{payload}"), format!("{payload}.{text}"), text] {
                proptest::prop_assert!(SignedRequest::verify(&unsigned, [&app("s3cr3t")]).is_err());
            }
        }
    }
}
