//! Authentication: who is calling, and for which org. The gateway has already checked the token. It is checked again
//! here, so that a route that is one day wired without an authorizer is not an open door, and because only here do the
//! claims still have their types.

use std::sync::Mutex;
use std::time::{Duration, SystemTime};

use jsonwebtoken::jwk::{AlgorithmParameters, Jwk, JwkSet};
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use serde_json::Value;
use url::Url;

use crate::ids::{OrgId, UserId};
use crate::model::caller::{Caller, Role};

/// The header in which a caller names the org to act for.
pub const ORG_HEADER: &str = "orgid";

/// Checks tokens of one issuer.
#[derive(Debug)]
pub struct Verifier {
    http: reqwest::Client,
    keys_at: Url,
    issuer: String,
    audiences: Vec<String>,
    org_claim: String,
    role_claim: String,
    programs: ProgramScopes,
    keys: Mutex<Keys>,
}

#[derive(Debug)]
struct Keys {
    set: JwkSet,
    asked_at: Option<SystemTime>,
    fetched_at: Option<SystemTime>,
}

/// An issuer of tokens, and how its claims are read.
#[derive(Debug)]
pub struct Issuer {
    /// Its name, as tokens state it.
    pub issuer: String,
    /// The accepted audiences. A token must name one of them.
    pub audiences: Vec<String>,
    /// The URL of its public keys.
    pub keys_at: Url,
    /// The claim with the caller's org.
    pub org_claim: String,
    /// The claim with the caller's role.
    pub role_claim: String,
    /// How tokens of programs are recognised; a caller that is recognised so is no person.
    pub programs: ProgramScopes,
}

/// The OAuth scopes that a program gets with its own credentials (RFC 6749, section 4.4). An empty one is never granted.
#[derive(Debug, Default)]
pub struct ProgramScopes {
    /// The scope of a program that acts for every org, such as `leadwire/all-orgs`.
    pub all_orgs: String,
    /// What scopes for one org begin with, such as `leadwire-orgs/`; the org's id follows.
    pub one_org: String,
}

/// The orgs that a program acts for.
#[derive(Debug, PartialEq, Eq)]
enum ProgramOrgs {
    All,
    Only(Vec<OrgId>),
}

/// Why a caller is not authenticated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AuthError {
    /// No token.
    #[error("send a token of the CRM's login in the header Authorization: Bearer …")]
    NoToken,
    /// An invalid token: forged, expired, or from another issuer or for another audience.
    #[error("the token is invalid or expired; log in again")]
    BadToken,
    /// The issuer's keys could not be fetched.
    #[error("tokens cannot be checked at the moment; try again")]
    KeysUnavailable,
}

/// The shortest time between fetches of the keys. An unknown key id causes a fetch.
const MIN_FETCH_INTERVAL: Duration = Duration::from_mins(1);
/// How long keys are taken for the issuer's without asking again: it may have withdrawn one.
const KEYS_LIFETIME: Duration = Duration::from_hours(1);
/// How long they are if the issuer cannot be asked.
const KEYS_LIFETIME_IN_OUTAGE: Duration = Duration::from_hours(24);

impl Verifier {
    /// Creates a verifier that has not fetched any keys yet.
    ///
    /// # Errors
    /// If the TLS set-up of the machine is unusable.
    pub fn new(issuer: Issuer) -> Result<Self, reqwest::Error> {
        Ok(Self {
            http: reqwest::Client::builder().timeout(Duration::from_secs(2)).build()?,
            keys_at: issuer.keys_at,
            issuer: issuer.issuer,
            audiences: issuer.audiences,
            org_claim: issuer.org_claim,
            role_claim: issuer.role_claim,
            programs: issuer.programs,
            keys: Mutex::new(Keys { set: JwkSet { keys: Vec::new() }, asked_at: None, fetched_at: None }),
        })
    }

    /// Returns the sender of this `Authorization` header.
    pub async fn caller(&self, authorization: Option<&str>) -> Result<Caller, AuthError> {
        let (scheme, token) = authorization.and_then(|value| value.trim().split_once(' ')).ok_or(AuthError::NoToken)?;
        if !scheme.eq_ignore_ascii_case("bearer") {
            return Err(AuthError::NoToken);
        }
        self.caller_of(&self.claims(token.trim()).await?)
    }

    /// Returns the user whose login issued this id token. The token must be the response to the login that `nonce` was
    /// made for.
    ///
    /// # Errors
    /// [`AuthError::BadToken`] also if the token belongs to another login.
    pub async fn logged_in(&self, id_token: &str, nonce: &str) -> Result<Caller, AuthError> {
        self.answer_to(nonce, &self.claims(id_token).await?)
    }

    /// Returns the user of an id token that came straight from the issuer, for a login that was renewed.
    pub async fn confirmed(&self, id_token: &str) -> Result<Caller, AuthError> {
        self.caller_of(&self.claims(id_token).await?)
    }

    fn answer_to(&self, nonce: &str, claims: &Value) -> Result<Caller, AuthError> {
        if claims.get("nonce").and_then(Value::as_str) == Some(nonce) {
            self.caller_of(claims)
        } else {
            Err(AuthError::BadToken)
        }
    }

    async fn claims(&self, token: &str) -> Result<Value, AuthError> {
        let header = decode_header(token).map_err(|_| AuthError::BadToken)?;
        if header.alg != Algorithm::RS256 {
            return Err(AuthError::BadToken);
        }
        let key = self.key(&header.kid.ok_or(AuthError::BadToken)?).await?;
        let key = DecodingKey::from_jwk(&key).map_err(|_| AuthError::BadToken)?;
        self.read(token, &key)
    }

    /// Decodes and validates a token. The algorithm is fixed here, never taken from the token. The claims are
    /// explicitly required, because the library checks the issuer and audience only in tokens that carry them.
    fn read(&self, token: &str, key: &DecodingKey) -> Result<Value, AuthError> {
        let mut validation = Validation::new(Algorithm::RS256);
        validation.set_issuer(&[&self.issuer]);
        validation.set_required_spec_claims(&["exp", "iss", "sub"]);
        validation.validate_nbf = true;
        validation.validate_aud = false;
        let claims = decode::<Value>(token, key, &validation).map_err(|_| AuthError::BadToken)?.claims;
        if self.is_for_us(&claims) { Ok(claims) } else { Err(AuthError::BadToken) }
    }

    fn caller_of(&self, claims: &Value) -> Result<Caller, AuthError> {
        let text = |name: &str| claims.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
        let user = text("sub").and_then(|sub| UserId::parse(sub).ok()).ok_or(AuthError::BadToken)?;
        if let Some(orgs) = self.programs.granted(claims) {
            let (role, orgs) = match orgs {
                ProgramOrgs::All => (Role::SuperAdmin, Vec::new()),
                ProgramOrgs::Only(orgs) => (Role::Admin, orgs),
            };
            return Ok(Caller { user, name: None, email: None, role, orgs, is_program: true });
        }
        Ok(Caller {
            user,
            name: text("name").or_else(|| text("email")).map(|name| name.chars().take(200).collect()),
            // An address that the issuer has not verified may be anyone's. Some issuers write `true` as text.
            email: text("email")
                .filter(|_| claims.get("email_verified").is_some_and(|it| *it == true || *it == "true"))
                .and_then(crate::model::lead::identity::normalised_email),
            role: match text(&self.role_claim) {
                Some("admin") => Role::Admin,
                Some("superadmin") => Role::SuperAdmin,
                Some("moderator") => Role::Moderator,
                _ => Role::Other,
            },
            orgs: text(&self.org_claim).and_then(|org| OrgId::parse(org).ok()).into_iter().collect(),
            is_program: false,
        })
    }

    /// Checks `aud`, or `client_id` in tokens without one (Cognito's access tokens), as the gateway does.
    fn is_for_us(&self, claims: &Value) -> bool {
        let is_ours = |audience: &Value| {
            audience.as_str().is_some_and(|audience| self.audiences.iter().any(|known| known == audience))
        };
        match (claims.get("aud"), claims.get("client_id")) {
            (Some(Value::Array(audiences)), _) => audiences.iter().any(is_ours),
            (Some(audience), _) => is_ours(audience),
            (None, Some(client)) => is_ours(client),
            (None, None) => false,
        }
    }

    async fn key(&self, kid: &str) -> Result<Jwk, AuthError> {
        let is_within =
            |at: Option<SystemTime>, time: Duration| at.is_some_and(|at| at.elapsed().is_ok_and(|age| age < time));
        let (known, empty) = {
            let mut keys = self.keys.lock().map_err(|_| AuthError::KeysUnavailable)?;
            let (known, empty) = (keys.set.find(kid).cloned(), keys.set.keys.is_empty());
            let usable = known.clone().filter(|_| is_within(keys.fetched_at, KEYS_LIFETIME_IN_OUTAGE));
            if let Some(known) = known.filter(|_| is_within(keys.fetched_at, KEYS_LIFETIME)) {
                return Ok(known);
            }
            if is_within(keys.asked_at, MIN_FETCH_INTERVAL) && !empty {
                return usable.ok_or(AuthError::BadToken);
            }
            keys.asked_at = Some(SystemTime::now());
            (usable, empty)
        };
        match self.fetch_keys().await {
            Ok(set) => {
                let found = set.find(kid).cloned();
                let mut keys = self.keys.lock().map_err(|_| AuthError::KeysUnavailable)?;
                (keys.set, keys.fetched_at) = (set, Some(SystemTime::now()));
                found.ok_or(AuthError::BadToken)
            }
            Err(error) => {
                tracing::error!(error = %error.without_url(), "the issuer's keys could not be fetched");
                known.ok_or(if empty { AuthError::KeysUnavailable } else { AuthError::BadToken })
            }
        }
    }

    /// Fetches the keys and drops all but the RSA keys: with a shared key in the set, anyone who reads the set could
    /// sign tokens.
    async fn fetch_keys(&self) -> Result<JwkSet, reqwest::Error> {
        let mut set: JwkSet = self.http.get(self.keys_at.clone()).send().await?.error_for_status()?.json().await?;
        set.keys.retain(|key| matches!(key.algorithm, AlgorithmParameters::RSA(_)));
        Ok(set)
    }
}

impl ProgramScopes {
    /// The orgs that the token's scopes grant to a program. A person's token grants none, whatever its scopes: Cognito
    /// puts a `username` into it, and an id token says who logged in, not what a program may do.
    fn granted(&self, claims: &Value) -> Option<ProgramOrgs> {
        if claims.get("username").is_some() || claims.get("token_use").is_some_and(|it| it == "id") {
            return None;
        }
        // A text with spaces between the scopes (RFC 9068), or a list (Okta's `scp`).
        let mut scopes: Vec<&str> = Vec::new();
        for claim in ["scope", "scp"] {
            match claims.get(claim) {
                Some(Value::String(text)) => scopes.extend(text.split_whitespace()),
                Some(Value::Array(list)) => scopes.extend(list.iter().filter_map(Value::as_str)),
                _ => {}
            }
        }
        if !self.all_orgs.is_empty() && scopes.contains(&self.all_orgs.as_str()) {
            return Some(ProgramOrgs::All);
        }
        if self.one_org.is_empty() {
            return None;
        }
        let orgs: Vec<_> =
            scopes.iter().filter_map(|scope| OrgId::parse(scope.strip_prefix(&self.one_org)?).ok()).collect();
        (!orgs.is_empty()).then_some(ProgramOrgs::Only(orgs))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verifier() -> Verifier {
        Verifier::new(Issuer {
            issuer: "https://issuer.example".into(),
            audiences: vec!["ours".into(), "also".into()],
            keys_at: "http://127.0.0.1:9".parse().unwrap(),
            org_claim: "org".into(),
            role_claim: "role".into(),
            programs: ProgramScopes { all_orgs: "crm/all".into(), one_org: "org/".into() },
        })
        .unwrap()
    }

    #[tokio::test]
    async fn what_is_no_token_is_told_so() {
        let verifier = verifier();
        for (header, expect) in [
            (None, AuthError::NoToken),
            (Some("Basic eA=="), AuthError::NoToken),
            (Some("Bearer"), AuthError::NoToken),
            (Some("Bearer x.y.z"), AuthError::BadToken),
            // `alg: none`, and an HMAC over a public key, are rejected before any key is looked up.
            (Some("Bearer eyJhbGciOiJub25lIn0.e30."), AuthError::BadToken),
            (Some("Bearer eyJhbGciOiJIUzI1NiIsImtpZCI6ImsifQ.e30.c2ln"), AuthError::BadToken),
            (Some("Bearer eyJhbGciOiJSUzI1NiIsImtpZCI6ImsifQ.e30.c2ln"), AuthError::KeysUnavailable),
        ] {
            assert_eq!(verifier.caller(header).await, Err(expect), "{header:?}");
        }
    }

    #[test]
    fn a_login_brings_its_own_token_and_only_an_address_that_was_verified() {
        let verifier = verifier();
        let check = |more: Value, expect: Result<Option<&str>, AuthError>| {
            let mut claims = serde_json::json!({ "sub": "u", "email": "Ann@Example.com" });
            claims.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            let email = verifier.answer_to("mine", &claims).map(|caller| caller.email);
            assert_eq!(email, expect.map(|email| email.map(ToOwned::to_owned)), "{claims}");
        };
        check(serde_json::json!({}), Err(AuthError::BadToken));
        check(serde_json::json!({ "nonce": "another's" }), Err(AuthError::BadToken));
        for (verified, expect) in [
            (serde_json::json!(true), Some("ann@example.com")),
            (serde_json::json!("true"), Some("ann@example.com")),
            (serde_json::json!(false), None),
            (serde_json::json!("false"), None),
            (Value::Null, None),
        ] {
            check(serde_json::json!({ "nonce": "mine", "email_verified": verified }), Ok(expect));
        }
        check(serde_json::json!({ "nonce": "mine" }), Ok(None));
    }

    #[test]
    fn a_token_is_for_us_by_audience_or_else_by_client() {
        let verifier = verifier();
        let check = |claims: Value, expect| assert_eq!(verifier.is_for_us(&claims), expect, "{claims}");
        check(serde_json::json!({"aud": "ours"}), true);
        check(serde_json::json!({"aud": ["x", "also"]}), true);
        check(serde_json::json!({"client_id": "ours"}), true);
        check(serde_json::json!({"aud": "theirs", "client_id": "ours"}), false);
        check(serde_json::json!({"aud": []}), false);
        check(serde_json::json!({}), false);
    }

    #[test]
    fn a_program_acts_for_the_orgs_of_its_scopes_and_a_person_for_their_own() {
        let check = |claims: Value, expect: Option<(Role, &[&str])>| {
            let mut all =
                serde_json::json!({ "sub": "client", "client_id": "client", "role": "moderator", "org": "demo" });
            all.as_object_mut().unwrap().extend(claims.as_object().unwrap().clone());
            let caller = verifier().caller_of(&all).unwrap();
            let orgs: Vec<_> = caller.orgs.iter().map(OrgId::as_str).collect();
            match expect {
                Some((role, expect)) => {
                    assert_eq!((caller.is_program, caller.role, orgs.as_slice()), (true, role, expect), "{claims}");
                }
                None => {
                    assert_eq!(
                        (caller.is_program, caller.role, orgs),
                        (false, Role::Moderator, vec!["demo"]),
                        "{claims}"
                    );
                }
            }
        };
        check(serde_json::json!({}), None);
        check(serde_json::json!({ "scope": "openid email crm/all2 org/ org/a#b" }), None);
        check(serde_json::json!({ "scope": "openid crm/all" }), Some((Role::SuperAdmin, &[])));
        check(serde_json::json!({ "scope": "org/acme org/other" }), Some((Role::Admin, &["acme", "other"])));
        check(serde_json::json!({ "scp": ["org/acme"] }), Some((Role::Admin, &["acme"])));
        check(serde_json::json!({ "scope": "crm/all", "username": "eve" }), None);
        check(serde_json::json!({ "scope": "crm/all", "token_use": "id" }), None);
        let closed = ProgramScopes::default();
        assert_eq!(closed.granted(&serde_json::json!({ "scope": " demo" })), None);
    }
}
