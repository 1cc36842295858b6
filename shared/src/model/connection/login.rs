//! A login at Meta that is under way: what was asked for, and the signed `state` that finds it again.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use url::Url;

use crate::ids::{IntegrationId, OrgId, UserId};
use crate::model::connection::ConnectedBy;
use crate::model::lead::assignment::Assignment;
use crate::secret::HmacKey;

/// How long a person may take for Meta's dialog.
pub const LIFETIME: SignedDuration = SignedDuration::from_mins(10);

/// What is asked of Meta unless the caller asks for something else: everything that Leadwire does with a page.
pub const DEFAULT_SCOPES: &[&str] = &[
    "pages_show_list",
    "pages_read_engagement",
    "pages_manage_metadata",
    "pages_manage_ads",
    "leads_retrieval",
    "ads_management",
    "ads_read",
    "business_management",
];

/// A login that somebody began and has not finished.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Login {
    /// Unguessable; the login can be finished once.
    pub nonce: String,
    /// For which org.
    pub org: OrgId,
    /// By whom.
    pub user: ConnectedBy,
    /// Where the browser goes afterwards; checked against the allow-list before it was written down.
    pub return_url: Url,
    /// The `redirect_uri` that Meta was given; the exchange of the code has to repeat it to the byte.
    pub redirect_uri: Url,
    /// The integration that comes of it, or that is connected anew.
    pub integration_id: IntegrationId,
    /// Whether that one was there when the login began. If it is not any more when the login ends, somebody deleted it.
    #[serde(default)]
    pub reconnects: bool,
    /// Hash of the secret in the cookie of the browser that began it, if it has to be the one that comes back: whoever is
    /// sent somebody else's login would otherwise connect their pages to somebody else's org.
    #[serde(default)]
    pub browser: Option<String>,
    /// Asked of Meta.
    pub scopes: Vec<String>,
    /// For a new integration.
    pub name: Option<String>,
    /// For a new integration.
    pub description: Option<String>,
    /// For a new integration.
    pub assignment: Option<Assignment>,
    /// After this it can no longer be finished.
    pub expires_at: Timestamp,
    /// The visit that finishes it, once there is one.
    #[serde(default)]
    pub claim: Option<Claim>,
}

/// The visit that finishes a login. Browsers fetch the address ahead of the person, or twice: the first fetch does the
/// work, and the others of the same browser get its outcome.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claim {
    /// Hash of what the request says of its browser, and of Meta's code.
    pub visitor: String,
    /// [`browser_hash`] of the secret in the cookie that the visit is answered with.
    pub secret: String,
    /// When it came.
    pub at: Timestamp,
    /// Where it sent the browser; `None` while the work is under way.
    pub onward: Option<Url>,
}

impl Login {
    /// Whether the browser with these cookies may finish it.
    #[must_use]
    pub fn may_be_finished_with(&self, cookies: &[(String, String)]) -> bool {
        let Some(browser) = &self.browser else { return true };
        let name = browser_cookie(&self.redirect_uri);
        has_secret(cookies, name, browser)
    }

    /// Whether this visit is the claim's own browser again. Without a cookie that is only assumed of a visit at the same
    /// time, which cannot have one yet.
    #[must_use]
    pub fn is_repeated_by(&self, claim: &Claim, visitor: &str, cookies: &[(String, String)]) -> bool {
        (self.browser.is_some() && self.may_be_finished_with(cookies))
            || has_secret(cookies, visit_cookie(&self.redirect_uri), &claim.secret)
            || (claim.onward.is_none() && self.browser.is_none() && claim.visitor == visitor)
    }
}

fn has_secret(cookies: &[(String, String)], name: &str, hash: &str) -> bool {
    cookies.iter().any(|(found, secret)| found == name && browser_hash(secret) == hash)
}

/// The cookie of the browser that finished a login; it belongs to the origin of `redirect_uri`.
#[must_use]
pub fn visit_cookie(redirect_uri: &Url) -> &'static str {
    if redirect_uri.scheme() == "https" { "__Host-leadwire-connected" } else { "leadwire-connected" }
}

/// What the cookie is called that a browser is given when it begins a login; it belongs to the origin of `redirect_uri`.
#[must_use]
pub fn browser_cookie(redirect_uri: &Url) -> &'static str {
    if redirect_uri.scheme() == "https" { "__Host-leadwire-connecting" } else { "leadwire-connecting" }
}

/// What a login remembers of the secret in that cookie.
#[must_use]
pub fn browser_hash(secret: &str) -> String {
    hex::encode(Sha256::digest(secret.as_bytes()))
}

/// What `state` says. Everything in it is also in the [`Login`]; it is here so that a forged or foreign one is
/// refused before anything is read.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct State {
    /// Which login.
    pub nonce: String,
    /// For which org.
    pub org: OrgId,
    /// By whom.
    pub user: UserId,
}

impl State {
    /// The `state` of a login: what it says and our signature over it, both base64url.
    #[must_use]
    pub fn sign(login: &Login, key: &HmacKey) -> String {
        let said =
            serde_json::json!({ "nonce": login.nonce, "org": login.org, "user": login.user.user_id }).to_string();
        let said = URL_SAFE_NO_PAD.encode(said);
        let signature = URL_SAFE_NO_PAD.encode(key.sign(signed_bytes(&said).as_bytes()));
        format!("{said}.{signature}")
    }

    /// What a `state` says, if the signature is ours.
    #[must_use]
    pub fn verify(state: &str, key: &HmacKey) -> Option<Self> {
        let (said, signature) = state.split_once('.')?;
        let signature = URL_SAFE_NO_PAD.decode(signature).ok()?;
        if !key.verifies(signed_bytes(said).as_bytes(), &signature) {
            return None;
        }
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(said).ok()?).ok()
    }
}

/// The purpose is signed too: the same key signs cursors, and one must not pass for the other.
fn signed_bytes(said: &str) -> String {
    format!("login-state.{said}")
}

/// Where logins may return to: origins, or origins with a path under which everything is allowed.
#[derive(Debug, Clone)]
pub struct ReturnUrls(Vec<Url>);

impl ReturnUrls {
    /// Reads a list separated by commas.
    ///
    /// # Errors
    /// If an entry is no absolute http(s) URL.
    pub fn parse(list: &str) -> Result<Self, url::ParseError> {
        list.split(',')
            .map(str::trim)
            .filter(|entry| !entry.is_empty())
            .map(Url::parse)
            .collect::<Result<_, _>>()
            .map(Self)
    }

    /// These, and one more.
    #[must_use]
    pub fn and(&self, entry: Url) -> Self {
        Self(self.0.iter().cloned().chain([entry]).collect())
    }

    /// The URL, if logins may return to it: same scheme, host and port as an entry, a path at or below the entry's,
    /// and no user name that would make the host look like another.
    #[must_use]
    pub fn allow(&self, return_url: &str) -> Option<Url> {
        let url = Url::parse(return_url).ok()?;
        let plain = matches!(url.scheme(), "http" | "https") && url.username().is_empty() && url.password().is_none();
        let listed = self.0.iter().any(|entry| {
            let below = entry.path().trim_end_matches('/');
            entry.origin() == url.origin()
                && (url.path() == below || url.path().strip_prefix(below).is_some_and(|rest| rest.starts_with('/')))
        });
        (plain && listed).then_some(url)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_listed_places_may_be_returned_to() {
        let list = ReturnUrls::parse("https://crm.example/app, http://localhost:8080").unwrap();
        for good in [
            "https://crm.example/app",
            "https://crm.example/app/x?y#z",
            "http://localhost:8080",
            "http://localhost:8080/a/b",
        ] {
            assert!(list.allow(good).is_some(), "{good}");
        }
        for bad in [
            "https://crm.example",
            "https://crm.example/application",
            "https://crm.example/app/../admin",
            "http://crm.example/app",
            "https://crm.example:8443/app",
            "https://crm.example.evil.example/app",
            "https://crm.example@evil.example/app",
            "https://evil@crm.example/app",
            "//crm.example/app",
            "javascript:alert(1)",
            "http://localhost:80800",
            "",
        ] {
            assert!(list.allow(bad).is_none(), "{bad}");
        }
        assert!(ReturnUrls::parse("crm.example").is_err());
    }

    #[test]
    fn a_state_is_good_only_with_our_signature_over_exactly_it() {
        let key = HmacKey::new("key".into());
        let login = Login {
            nonce: "n".into(),
            org: OrgId::parse("demo").unwrap(),
            user: ConnectedBy { user_id: UserId::parse("u1").unwrap(), name: None },
            return_url: Url::parse("https://crm.example").unwrap(),
            redirect_uri: Url::parse("https://crm.example/cb").unwrap(),
            integration_id: IntegrationId::new(),
            reconnects: false,
            browser: None,
            scopes: vec![],
            name: None,
            description: None,
            assignment: None,
            expires_at: Timestamp::UNIX_EPOCH,
            claim: None,
        };
        let state = State::sign(&login, &key);
        assert_eq!(State::verify(&state, &key).unwrap().org, login.org);
        assert!(State::verify(&state, &HmacKey::new("other".into())).is_none());
        let mut foreign = login.clone();
        foreign.org = OrgId::parse("other").unwrap();
        let (_, signature) = state.split_once('.').unwrap();
        let (said, _) = State::sign(&foreign, &key).split_once('.').map(|(a, b)| (a.to_owned(), b.to_owned())).unwrap();
        for bad in
            [format!("{said}.{signature}"), state.replace('.', ""), format!("{state}x"), ".".into(), String::new()]
        {
            assert!(State::verify(&bad, &key).is_none(), "{bad}");
        }
    }
}
