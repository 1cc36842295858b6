//! How a person stops the mails without a login: by a signed link, which mail programs can also use by themselves.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use url::Url;

use crate::error::ActError;
use crate::ids::{OrgId, OrgScope, UserId};
use crate::model::mail_preference::MailKind;
use crate::secret::HmacKey;
use crate::table::Table;

/// The person and the org that a signed link names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unsubscribe {
    scope: OrgScope,
    user: UserId,
}

/// Stops mails.
#[derive(Debug, Clone)]
pub struct MailSwitch {
    /// Stores who wants none.
    pub table: Table,
    /// Signs the links.
    pub key: HmacKey,
}

impl Unsubscribe {
    /// Where a person's mails are stopped. The link has no end: a mail may be found years later.
    #[must_use]
    pub(crate) fn link(key: &HmacKey, console: &Url, scope: &OrgScope, user: &UserId) -> String {
        let encoded = URL_SAFE_NO_PAD.encode(format!("{}#{user}", scope.org()));
        let signature = URL_SAFE_NO_PAD.encode(key.sign(signed_text(&encoded).as_bytes()));
        format!("{}/unsubscribe/{encoded}.{signature}", console.as_str().trim_end_matches('/'))
    }

    /// Verifies the token at the end of a link.
    #[must_use]
    pub fn verify(key: &HmacKey, token: &str) -> Option<Self> {
        let (encoded, signature) = token.split_once('.')?;
        let signature = URL_SAFE_NO_PAD.decode(signature).ok()?;
        if !key.verifies(signed_text(encoded).as_bytes(), &signature) {
            return None;
        }
        let decoded = String::from_utf8(URL_SAFE_NO_PAD.decode(encoded).ok()?).ok()?;
        // No id contains `#`.
        let (org, user) = decoded.split_once('#')?;
        let scope = OrgScope::new(OrgId::parse(org).ok()?);
        Some(Self { scope, user: UserId::parse(user).ok()? })
    }
}

/// A signature for another purpose never stops mails.
fn signed_text(encoded: &str) -> String {
    format!("unsubscribe.{encoded}")
}

impl MailSwitch {
    /// Stops a person's mails. Stopped ones stay stopped.
    pub async fn stop(&self, of: &Unsubscribe) -> Result<(), ActError> {
        let (scope, user, mails) = (&of.scope, &of.user, MailKind::AssignedLeads);
        self.table.switch_mails(scope, user, mails, false, crate::clock::now()).await?;
        tracing::info!(org = %of.scope.org(), user = %of.user, "mails about leads stopped by their recipient");
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::tests::scope;

    #[test]
    fn a_link_stops_the_mails_of_its_own_recipient_only() {
        let (key, other) = (HmacKey::new("k".into()), HmacKey::new("l".into()));
        let console = "https://leads.example.com/".parse().unwrap();
        let user = UserId::parse("auth0|u").unwrap();
        let link = Unsubscribe::link(&key, &console, &scope("a"), &user);
        let token = link.strip_prefix("https://leads.example.com/unsubscribe/").unwrap();
        let verified = Unsubscribe::verify(&key, token).unwrap();
        assert_eq!(verified, Unsubscribe { scope: scope("a"), user });
        let forged = format!("{}.{}", URL_SAFE_NO_PAD.encode("b#u"), token.split_once('.').unwrap().1);
        for bad in ["", ".", "x.y", &token[1..], &forged, &format!("{token}A")] {
            assert_eq!(Unsubscribe::verify(&key, bad), None, "{bad}");
        }
        assert_eq!(Unsubscribe::verify(&other, token), None);
        assert!(token.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b)), "{token}");
    }
}
