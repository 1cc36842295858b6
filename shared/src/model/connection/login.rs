//! A pending login at Meta: what was requested, and the signed `state` that identifies it.

use std::borrow::Cow;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use strum::{EnumIter, EnumString, IntoStaticStr};
use url::Url;

use crate::ids::{IntegrationId, OrgId, PageId, UserId};
use crate::model::connection::ConnectedBy;
use crate::model::connection::problem::IntegrationProblemCode;
use crate::model::lead::assignment::Assignment;
use crate::secret::HmacKey;
use crate::tr;

/// How long a person has to complete Meta's dialog.
pub const LIFETIME: SignedDuration = SignedDuration::from_mins(10);

/// The permissions requested by default: everything that Leadwire needs.
pub const DEFAULT_SCOPES: &[&str] = &[
    "pages_show_list",
    "pages_read_engagement",
    "pages_read_user_content",
    "pages_manage_metadata",
    "pages_manage_ads",
    "pages_manage_posts",
    "instagram_basic",
    "instagram_content_publish",
    "instagram_manage_comments",
    "instagram_manage_messages",
    "pages_manage_engagement",
    "pages_messaging",
    "whatsapp_business_management",
    "whatsapp_business_messaging",
    "leads_retrieval",
    "ads_management",
    "ads_read",
    "business_management",
];

/// A login that has begun and is not finished.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Login {
    /// An unguessable value. The login it names can be finished once.
    pub nonce: String,
    /// The org that the login is for.
    pub org: OrgId,
    /// The user who began it.
    pub user: ConnectedBy,
    /// Where the browser is sent afterwards. It was checked against the allow-list before it was stored.
    pub return_url: Url,
    /// The `redirect_uri` sent to Meta. The code exchange must repeat it byte for byte.
    pub redirect_uri: Url,
    /// The integration to create or to reconnect.
    pub integration_id: IntegrationId,
    /// Whether the integration existed when the login began. If it no longer exists when the login ends, it was
    /// deleted.
    #[serde(default)]
    pub reconnects: bool,
    /// Whether another account may take the place of the one that is connected, although pages are then lost.
    #[serde(default)]
    pub replace: bool,
    /// Whether a person who is connected already renews that integration, instead of getting a second one.
    #[serde(default)]
    pub renews: bool,
    /// Hash of the secret in the cookie of the browser that began the login, or in which its person agreed to it. Only that
    /// browser can finish it; without one, none can. Otherwise a person who follows a login link from someone else would
    /// connect their own pages to a foreign org.
    #[serde(default)]
    pub browser: Option<String>,
    /// The permissions requested from Meta.
    pub scopes: Vec<String>,
    /// The name of a new integration.
    pub name: Option<String>,
    /// The description of a new integration.
    pub description: Option<String>,
    /// The assignment of a new integration.
    pub assignment: Option<Assignment>,
    /// The login can no longer be finished after this time.
    pub expires_at: Timestamp,
    /// The visit that finishes the login, once there is one.
    #[serde(default)]
    pub claim: Option<LoginClaim>,
}

/// The visit that finishes a login.
///
/// Browsers prefetch the URL or fetch it twice. The first fetch does the work, and repeated fetches by the same browser
/// receive its outcome.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LoginClaim {
    /// When the visit arrived.
    pub at: Timestamp,
    /// How the login ended; `None` while the work is in progress.
    pub outcome: Option<LoginOutcome>,
}

/// How a login ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LoginOutcome {
    /// Pages are connected, perhaps with problems.
    Connected {
        /// The integration.
        integration_id: IntegrationId,
        /// The number of connected pages.
        pages: usize,
        /// The distinct codes of the problems.
        problems: Vec<IntegrationProblemCode>,
        /// Whether an earlier integration of the same person was renewed instead of a new one created.
        #[serde(default)]
        renewed: bool,
    },
    /// Nothing was changed: the login was another account's than the connected one, and pages would have been lost.
    OtherAccount {
        /// The integration that was to be reconnected.
        integration_id: IntegrationId,
        /// The connected pages that the other account did not grant.
        lost_pages: Vec<PageId>,
    },
    /// The person refused, or Meta did.
    Denied,
    /// Nothing was connected.
    Failed(LoginFailure),
}

/// Why a login failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, EnumIter, EnumString, IntoStaticStr)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum LoginFailure {
    /// The login took longer than [`LIFETIME`].
    LoginExpired,
    /// Another browser than the one that began the login.
    OtherBrowser,
    /// Meta returned neither a code nor a refusal.
    LoginFailed,
    /// Meta's token is not valid for this app.
    TokenNotValid,
    /// The person selected no page that they manage.
    NoPages,
    /// The integration to reconnect was deleted in the meantime.
    IntegrationDeleted,
    /// Meta refused the code.
    CodeRefused,
    /// Meta ended the new token at once.
    TokenDead,
    /// A permission is missing that listing pages needs.
    NotPermitted,
    /// Meta limits the number of calls.
    Throttled,
    /// Meta did not respond as documented, or not in time.
    MetaUnavailable,
    /// Storing the connection failed.
    NotSaved,
}

impl LoginFailure {
    /// What happened, and what to do.
    #[must_use]
    pub fn message(self) -> Cow<'static, str> {
        match self {
            Self::LoginExpired => tr!("The login took longer than ten minutes. Start again."),
            Self::OtherBrowser => tr!("This login was started in another browser. Start again in this browser."),
            Self::LoginFailed => tr!("Meta ended the login without a usable response. Start again."),
            Self::TokenNotValid => tr!("Meta issued a token that is not valid for this app. Start again."),
            Self::NoPages => {
                tr!(
                    "The login did not grant access to any page. Start again and select at least one page that you manage in Meta's dialog."
                )
            }
            Self::IntegrationDeleted => tr!("The integration was deleted during the login."),
            Self::CodeRefused => tr!("Meta refused the login's code: it was used before, or it expired. Start again."),
            Self::TokenDead => tr!("Meta ended the login before it was complete. Start again."),
            Self::NotPermitted => {
                tr!(
                    "Meta refused a permission that listing pages needs. Start again and keep every permission selected."
                )
            }
            Self::Throttled => tr!("Meta limits the number of calls at the moment. Try again in a few minutes."),
            Self::MetaUnavailable => tr!("Meta did not respond as expected. Try again in a minute."),
            Self::NotSaved => tr!("The connection could not be stored. Try again in a minute."),
        }
    }
}

impl Login {
    /// Whether a browser with this secret may finish the login, and learn how it ended.
    #[must_use]
    pub fn is_of_browser(&self, secret: Option<&str>) -> bool {
        let hash = secret.map(browser_hash);
        self.browser.is_some() && self.browser == hash
    }
}

/// Hash under which a browser's secret is stored.
#[must_use]
pub fn browser_hash(secret: &str) -> String {
    hex::encode(Sha256::digest(secret.as_bytes()))
}

/// The content of `state`. It repeats parts of the [`Login`], so that a forged or foreign `state` is rejected before
/// anything is read.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct State {
    /// The login's nonce.
    pub nonce: String,
    /// The org that the login is for.
    pub org: OrgId,
    /// The user who began it.
    pub user: UserId,
}

impl State {
    /// Encodes a login's `state`: its content and our signature over it, both in base64url.
    #[must_use]
    pub fn sign(login: &Login, key: &HmacKey) -> String {
        let payload =
            serde_json::json!({ "nonce": login.nonce, "org": login.org, "user": login.user.user_id }).to_string();
        let payload = URL_SAFE_NO_PAD.encode(payload);
        let signature = URL_SAFE_NO_PAD.encode(key.sign(signed_bytes(&payload).as_bytes()));
        format!("{payload}.{signature}")
    }

    /// Decodes a `state`; `None` unless it bears our signature.
    #[must_use]
    pub fn verify(state: &str, key: &HmacKey) -> Option<Self> {
        let (payload, signature) = state.split_once('.')?;
        let signature = URL_SAFE_NO_PAD.decode(signature).ok()?;
        if !key.verifies(signed_bytes(payload).as_bytes(), &signature) {
            return None;
        }
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).ok()?).ok()
    }
}

/// The bytes to sign, prefixed with their purpose: the same key signs cursors, and neither may pass for the other.
fn signed_bytes(payload: &str) -> String {
    format!("login-state.{payload}")
}

/// The allow-list of return URLs: origins, or origins with a path that allows everything below it.
#[derive(Debug, Clone)]
pub struct ReturnUrls(Vec<Url>);

impl ReturnUrls {
    /// Parses a comma-separated list.
    ///
    /// # Errors
    /// Fails if an entry is not an absolute URL.
    pub fn parse(list: &str) -> Result<Self, url::ParseError> {
        list.split(',')
            .map(str::trim)
            .filter(|entry| !entry.is_empty())
            .map(Url::parse)
            .collect::<Result<_, _>>()
            .map(Self)
    }

    /// Returns the list with another entry.
    #[must_use]
    pub fn and(&self, entry: Url) -> Self {
        Self(self.0.iter().cloned().chain([entry]).collect())
    }

    /// Returns the URL if logins may return to it: http(s) with the same scheme, host and port as an entry and a path
    /// at or below the entry's. URLs with a user name or password are rejected, because they can disguise the host.
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

    /// Meta reviews what is requested of it: a permission that was forgotten there costs weeks.
    #[test]
    fn the_guide_requests_every_permission_that_a_login_asks_for() {
        let guide = include_str!("../../../../infra/DEPLOY.md");
        for scope in DEFAULT_SCOPES {
            assert!(guide.contains(&format!("`{scope}`")), "{scope}");
        }
    }

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

    fn login() -> Login {
        Login {
            nonce: "n".into(),
            org: OrgId::parse("demo").unwrap(),
            user: ConnectedBy { user_id: UserId::parse("u1").unwrap(), name: None },
            return_url: Url::parse("https://crm.example").unwrap(),
            redirect_uri: Url::parse("https://crm.example/cb").unwrap(),
            integration_id: IntegrationId::new(),
            reconnects: false,
            replace: false,
            renews: false,
            browser: None,
            scopes: vec![],
            name: None,
            description: None,
            assignment: None,
            expires_at: Timestamp::UNIX_EPOCH,
            claim: None,
        }
    }

    #[test]
    fn a_login_belongs_to_the_browser_in_which_its_person_agreed() {
        assert!(!login().is_of_browser(None) && !login().is_of_browser(Some("b")), "no one agreed");
        let bound = Login { browser: Some(browser_hash("b")), ..login() };
        assert!(bound.is_of_browser(Some("b")));
        assert!(!bound.is_of_browser(Some("x")) && !bound.is_of_browser(None));
    }

    #[test]
    fn a_state_is_good_only_with_our_signature_over_exactly_it() {
        let key = HmacKey::new("key".into());
        let login = login();
        let state = State::sign(&login, &key);
        assert_eq!(State::verify(&state, &key).unwrap().org, login.org);
        assert!(State::verify(&state, &HmacKey::new("other".into())).is_none());
        let mut foreign = login.clone();
        foreign.org = OrgId::parse("other").unwrap();
        let (_, signature) = state.split_once('.').unwrap();
        let (payload, _) =
            State::sign(&foreign, &key).split_once('.').map(|(a, b)| (a.to_owned(), b.to_owned())).unwrap();
        for bad in
            [format!("{payload}.{signature}"), state.replace('.', ""), format!("{state}x"), ".".into(), String::new()]
        {
            assert!(State::verify(&bad, &key).is_none(), "{bad}");
        }
    }
}
