//! Sessions follow the login at the issuer: one that was ended there, or whose user was disabled, ends here too, and a role
//! that was changed there is changed here.

use aes_gcm::aead::rand_core::RngCore;
use aes_gcm::aead::{Aead, OsRng};
use aes_gcm::{Aes256Gcm, KeyInit, Nonce};
use jiff::Timestamp;
use leadwire::http::{Problem, ProblemCode};
use leadwire::model::session::Session;
use leadwire::secret::HmacKey;
use leadwire::tr;
use url::Url;

use crate::oidc::{Confirmed, Standing};
use crate::state::Console;

const NONCE_LEN: usize = 12;

/// Encrypts what belongs to one session, with a key that the table does not have.
pub(crate) struct Sealer(Aes256Gcm);

impl Sealer {
    /// The key is made of the console's own and of the secret in the session's cookie.
    pub(crate) fn new(key: &HmacKey, session_secret: &str) -> Self {
        Self(Aes256Gcm::new(&key.sign(format!("renewal.{session_secret}").as_bytes()).into()))
    }

    #[expect(clippy::expect_used, reason = "AES-GCM encrypts up to 64 GB")]
    pub(crate) fn seal(&self, text: &str) -> String {
        let mut nonce = [0; NONCE_LEN];
        OsRng.fill_bytes(&mut nonce);
        let sealed = self.0.encrypt(Nonce::from_slice(&nonce), text.as_bytes()).expect("a short text");
        hex::encode([&nonce[..], &sealed].concat())
    }

    pub(crate) fn open(&self, sealed: &str) -> Option<String> {
        let bytes = hex::decode(sealed).ok()?;
        let (nonce, sealed) = bytes.split_at_checked(NONCE_LEN)?;
        String::from_utf8(self.0.decrypt(Nonce::from_slice(nonce), sealed).ok()?).ok()
    }
}

/// Reads a session, and asks the issuer about its login when that is due. `None` if it has ended.
pub(crate) async fn confirmed_session(
    console: &Console,
    origin: &Url,
    secret: &str,
    now: Timestamp,
) -> Result<Option<Session>, Problem> {
    let Some(session) = console.sessions.session(secret, now).await? else { return Ok(None) };
    let Some(leased) = session.begin_check(now) else { return answer_of(session, now).map(Some) };
    if !console.sessions.replace_session(secret, &session, &leased).await? {
        // Another request is asking.
        return answer_of(session, now).map(Some);
    }
    let sealer = Sealer::new(&console.console_key, secret);
    let standing = match leased.renewal.as_deref().and_then(|sealed| sealer.open(sealed)) {
        Some(renewal) => console.oidc.renew(origin, renewal).await,
        None => Standing::Over,
    };
    let confirmed = match standing {
        Standing::Unknown => return answer_of(leased, now).map(Some),
        Standing::Over => None,
        Standing::Stands(Confirmed { caller, renewal }) => {
            leased.confirm(caller, renewal.map(|token| sealer.seal(&token)), now)
        }
    };
    match confirmed {
        Some(confirmed) => {
            console.sessions.replace_session(secret, &leased, &confirmed).await?;
            Ok(Some(confirmed))
        }
        None => {
            console.sessions.end_session(secret).await?;
            Ok(None)
        }
    }
}

/// The session as it is, unless its login has gone unconfirmed for too long.
fn answer_of(session: Session, now: Timestamp) -> Result<Session, Problem> {
    if session.is_unconfirmed(now) && session.renewal.is_some() {
        let detail =
            tr!("The login page cannot be reached to confirm that you are still logged in. Try again in a minute.");
        return Err(Problem::new(ProblemCode::LoginUnavailable, detail));
    }
    Ok(session)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sealed_opens_with_the_cookie_and_the_key_only() {
        let key = HmacKey::new("a key of the console".to_owned());
        let sealed = Sealer::new(&key, "cookie").seal("refresh");
        assert_eq!(Sealer::new(&key, "cookie").open(&sealed).as_deref(), Some("refresh"));
        assert_eq!(Sealer::new(&key, "another").open(&sealed), None);
        assert_eq!(Sealer::new(&HmacKey::new("another key".to_owned()), "cookie").open(&sealed), None);
        assert_eq!(Sealer::new(&key, "cookie").open(&sealed[2..]), None);
        assert!(!sealed.contains("refresh"));
    }
}
