//! Secrets of endpoints, and signatures by the Standard Webhooks scheme.
//!
//! A secret is derived from the stack's signing key, the org, the endpoint and a version. Thus none is stored: a secret
//! in Secrets Manager costs 40 cents a month, and one in the table would be in every backup of it. Rotating means the
//! next version. The scheme's own crate is not used to sign, because it brings a second HMAC and base64, and keeps the
//! key in memory that is not wiped; the tests verify with it.

use jiff::Timestamp;

use crate::ids::{DeliveryId, EndpointId, OrgScope};
use crate::secret::{EndpointSecret, HmacKey};

/// Derives the secret of an endpoint. Changing the text would change every secret.
#[must_use]
pub fn endpoint_secret(key: &HmacKey, scope: &OrgScope, endpoint: &EndpointId, version: u32) -> EndpointSecret {
    EndpointSecret::new(key.sign(format!("endpoint-secret#{}#{endpoint}#{version}", scope.org()).as_bytes()))
}

/// The value of `webhook-signature`: one signature for each secret.
#[must_use]
pub fn sign(secrets: &[EndpointSecret], id: &DeliveryId, at: Timestamp, body: &str) -> String {
    let signed = format!("{id}.{}.{body}", at.as_second());
    let signatures: Vec<String> =
        secrets.iter().map(|secret| format!("v1,{}", secret.sign(signed.as_bytes()))).collect();
    signatures.join(" ")
}

#[cfg(test)]
mod tests {
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;
    use http::HeaderMap;
    use standardwebhooks::Webhook;

    use super::*;
    use crate::ids::OrgId;

    #[test]
    fn a_signature_is_the_scheme_s_published_one() {
        let key = STANDARD.decode("C2FVsBQIhrscChlQIMV+b5sSYspob7oD").unwrap();
        let secret = EndpointSecret::from_bytes(key);
        let id = DeliveryId::parse("msg_27UH4WbU6Z5A5EzD8u03UvzRbpk").unwrap();
        let body = r#"{"email":"test@example.com","username":"test_user"}"#;
        let signature = sign(&[secret], &id, Timestamp::from_second(1_649_367_553).unwrap(), body);
        assert_eq!(signature, "v1,tZ1I4/hDygAJgO5TYxiSd6Sd0kDW6hPenDe+bTa3Kkw=");
    }

    #[test]
    fn the_scheme_s_library_accepts_each_of_two_secrets_and_no_other() {
        let scope = OrgScope::new(OrgId::parse("a").unwrap());
        let endpoint = EndpointId::parse("end_1").unwrap();
        let key = HmacKey::new("k".into());
        let secret = |version| endpoint_secret(&key, &scope, &endpoint, version);
        let (id, now) = (DeliveryId::parse("evt_1").unwrap(), crate::clock::now());
        let signature = sign(&[secret(2), secret(1)], &id, now, "{\"a\":\"é\"}");
        let headers: HeaderMap = [
            ("webhook-id", id.to_string()),
            ("webhook-timestamp", now.as_second().to_string()),
            ("webhook-signature", signature),
        ]
        .into_iter()
        .map(|(name, value)| (http::HeaderName::from_static(name), value.parse().unwrap()))
        .collect();
        let verify = |secret: &EndpointSecret, body: &str| {
            Webhook::new(secret.expose().as_str()).unwrap().verify(body.as_bytes(), &headers)
        };
        for version in [1, 2] {
            verify(&secret(version), "{\"a\":\"é\"}").unwrap();
            assert!(verify(&secret(version), "{\"a\":\"e\"}").is_err());
        }
        let other_org = OrgScope::new(OrgId::parse("b").unwrap());
        let other_endpoint = EndpointId::parse("end_2").unwrap();
        for other in [
            secret(3),
            endpoint_secret(&key, &other_org, &endpoint, 2),
            endpoint_secret(&key, &scope, &other_endpoint, 2),
            endpoint_secret(&HmacKey::new("l".into()), &scope, &endpoint, 2),
        ] {
            assert!(verify(&other, "{\"a\":\"é\"}").is_err());
        }
    }

    #[test]
    fn a_secret_has_the_scheme_s_form_and_does_not_print_itself() {
        let scope = OrgScope::new(OrgId::parse("a").unwrap());
        let secret = endpoint_secret(&HmacKey::new("k".into()), &scope, &EndpointId::parse("end_1").unwrap(), 1);
        let text = secret.expose();
        let bytes = STANDARD.decode(text.strip_prefix("whsec_").unwrap()).unwrap();
        assert_eq!(bytes.len(), 32);
        assert!(!format!("{secret:?}").contains(&text[6..20]));
    }
}
