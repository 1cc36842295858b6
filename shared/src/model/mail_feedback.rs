//! What SES reports of a mail that was sent.

use std::collections::BTreeMap;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};

use crate::ids::{OrgId, OrgScope, UserId};

/// What SES reports of a mail: a bounce or a complaint.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct MailFeedback {
    /// The mail.
    pub mail: ReportedMail,
    /// Set if it bounced.
    pub bounce: Option<MailBounce>,
    /// Set if its recipient complained.
    pub complaint: Option<MailComplaint>,
}

/// The mail that SES reports about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ReportedMail {
    /// The tags with which it was sent, each with its values.
    #[serde(default)]
    pub tags: BTreeMap<String, Vec<String>>,
}

/// A bounce.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MailBounce {
    /// `Permanent`, or why it is not.
    pub bounce_type: String,
    /// The addresses that bounced.
    #[serde(default)]
    pub bounced_recipients: Vec<ReportedRecipient>,
}

/// A complaint.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MailComplaint {
    /// The addresses whose owners may have complained.
    #[serde(default)]
    pub complained_recipients: Vec<ReportedRecipient>,
}

/// An address that SES reports about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ReportedRecipient {
    /// The address.
    pub email_address: String,
}

impl MailFeedback {
    /// Whose mail it was, by the tags with which it was sent. Only this service sends mails of its configuration set.
    #[must_use]
    pub fn recipient(&self) -> Option<(OrgScope, UserId)> {
        let decode = |name: &str| {
            let encoded = self.mail.tags.get(name)?.first()?;
            String::from_utf8(URL_SAFE_NO_PAD.decode(encoded).ok()?).ok()
        };
        Some((OrgScope::new(OrgId::parse(&decode("org")?).ok()?), UserId::parse(&decode("user")?).ok()?))
    }
}
