//! Identifiers. Each is a type of its own and is validated on construction, so that no key, log line or URL ever
//! contains an id with a separator, a slash or a megabyte of text.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, de};
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::{RefOr, Schema};

use crate::language::translate;
use crate::{phrase, tr};

/// The text does not have the form of the requested id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct InvalidId {
    /// Kind of the requested id in English, for example `page id`.
    pub kind: &'static str,
    /// Description of the accepted form, in English.
    pub rule: &'static str,
}

impl fmt::Display for InvalidId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&tr!("not a valid {kind}: {rule}", kind = translate(self.kind), rule = translate(self.rule)))
    }
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $kind:expr, $form:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// Parses an id.
            ///
            /// # Errors
            /// Returns [`InvalidId`], which describes the accepted form, if `text` does not have it.
            pub fn parse(text: &str) -> Result<Self, InvalidId> {
                let form: IdForm = $form;
                if (form.check)(text) { Ok(Self(text.to_owned())) } else { Err(InvalidId { kind: $kind, rule: form.rule }) }
            }

            /// The id as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                Self::parse(&String::deserialize(deserializer)?).map_err(de::Error::custom)
            }
        }

        impl utoipa::PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                let form: IdForm = $form;
                let text = ObjectBuilder::new().schema_type(Type::String).description(Some(form.rule));
                RefOr::T(text.pattern(Some(form.pattern)).build().into())
            }
        }

        impl utoipa::ToSchema for $name {}
    };
}

/// What texts are ids.
struct IdForm {
    check: fn(&str) -> bool,
    rule: &'static str,
    /// The same as a regular expression, for the description of the API.
    pattern: &'static str,
}

/// Ids of the CRM: any that cannot be mistaken for a key's separator, or for a step in a path.
const CRM: IdForm = IdForm {
    check: |text| {
        (1..=128).contains(&text.len())
            && !text.starts_with('.')
            && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b'@' | b':' | b'|'))
    },
    rule: phrase!("1 to 128 characters out of A-Z a-z 0-9 - _ . @ : | that do not begin with a dot"),
    pattern: "^[A-Za-z0-9_@:|-][A-Za-z0-9._@:|-]{0,127}$",
};
/// Ids of Meta. These are decimal and may exceed 2^53, so they are never handled as numbers.
const META: IdForm = IdForm {
    check: |text| (1..=32).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit()),
    rule: phrase!("1 to 32 decimal digits"),
    pattern: "^[0-9]{1,32}$",
};
const AD_ACCOUNT: IdForm = IdForm {
    check: |text| text.strip_prefix("act_").is_some_and(META.check),
    rule: phrase!("act_ once and 1 to 32 decimal digits, such as act_1234567890"),
    pattern: "^act_[0-9]{1,32}$",
};

id!(
    /// A tenant of the CRM. Everything an org owns is reachable only through its [`OrgScope`].
    OrgId, phrase!("org id"), CRM
);
id!(
    /// A person in the CRM's directory, under the CRM's own id.
    UserId, phrase!("user id"), CRM
);
id!(
    /// One connected Meta account of an org, with its pages. Ours: time-ordered and unguessable.
    IntegrationId, phrase!("integration id"), CRM
);
id!(
    /// A lead in the CRM. Made from what identifies the submission, so that the same submission always gets the same id.
    LeadId, phrase!("lead id"), CRM
);
id!(
    /// What is kept of the erasure of a person. Ours: time-ordered.
    ReceiptId, phrase!("receipt id"), CRM
);
id!(
    /// What is kept of one act of a caller. Ours: time-ordered.
    AuditId, phrase!("audit id"), CRM
);
id!(
    /// One requested search for leads, or one sync of an ad account. Ours: time-ordered.
    RunId, phrase!("run id"), CRM
);
id!(
    /// One export of leads into a file. Ours: time-ordered.
    ExportId, phrase!("export id"), CRM
);
id!(
    /// One import of a file of leads. Ours: time-ordered.
    ImportId, phrase!("import id"), CRM
);
id!(
    /// One change of several leads at once. Ours: time-ordered.
    BulkChangeId, phrase!("id of a change"), CRM
);
id!(
    /// A Facebook page.
    PageId, phrase!("page id"), META
);
id!(
    /// A Lead Ads form.
    FormId, phrase!("form id"), META
);
id!(
    /// One submission of a Lead Ads form, unique over all of Meta.
    LeadgenId, phrase!("leadgen id"), META
);

id!(
    /// One linking of an ad account by an org. Ours: linking the account again creates a new id, without the old data.
    LinkId, phrase!("id of a linked ad account"), CRM
);
id!(
    /// A client of an agency, under the CRM's own id.
    ClientId, phrase!("client id"), CRM
);
id!(
    /// An ad account at Meta, with its `act_`.
    AdAccountId, phrase!("ad account id"), AD_ACCOUNT
);
id!(
    /// A campaign, an ad set or an ad.
    AdObjectId, phrase!("id of a campaign, an ad set or an ad"), META
);

id!(
    /// A data set at Meta, which its API calls a pixel: it receives conversion events.
    DatasetId, phrase!("dataset id"), META
);

id!(
    /// A post for one page or one Instagram account. Ours: time-ordered and unguessable.
    PostId, phrase!("post id"), CRM
);
id!(
    /// A professional Instagram account, as a page names it.
    InstagramAccountId, phrase!("Instagram account id"), META
);

id!(
    /// A campaign that was made here. Ours: time-ordered and unguessable. Meta's own id of it is an [`AdObjectId`].
    CampaignId, phrase!("campaign id"), CRM
);
id!(
    /// A file that was uploaded for posts. Ours: time-ordered and unguessable.
    MediaId, phrase!("media id"), CRM
);

id!(
    /// A conversation of the inbox. Made from what it is about, so that two workers make the same one.
    ConversationId, phrase!("conversation id"), CRM
);
id!(
    /// A message or a comment. Made from Meta's id of it, or generated for one that is to be sent.
    MessageId, phrase!("message id"), CRM
);
id!(
    /// A text that an org keeps for its answers. Ours: time-ordered.
    SavedReplyId, phrase!("saved reply id"), CRM
);
id!(
    /// A person of the inbox, over all channels. Made from where the person was first seen.
    ContactId, phrase!("contact id"), CRM
);

id!(
    /// A place of a CRM that receives events. Ours: time-ordered and unguessable.
    EndpointId, phrase!("endpoint id"), CRM
);
id!(
    /// An event as it is delivered. Made from the event's own id, so that the same event always gets the same id.
    DeliveryId, phrase!("delivery id"), CRM
);

/// Ids that are generated here.
macro_rules! made_here {
    ($($name:ident, $prefix:literal;)*) => {
        $(
            impl $name {
                /// Generates an id. Ids sort by the time they were generated.
                #[must_use]
                pub fn new() -> Self {
                    Self(format!(concat!($prefix, "_{}"), uuid::Uuid::now_v7().simple()))
                }
            }

            impl Default for $name {
                fn default() -> Self {
                    Self::new()
                }
            }
        )*
    };
}

made_here! {
    IntegrationId, "int";
    LinkId, "ada";
    ReceiptId, "receipt";
    AuditId, "act";
    RunId, "run";
    ExportId, "exp";
    ImportId, "imp";
    BulkChangeId, "blk";
    PostId, "post";
    CampaignId, "cmp";
    MediaId, "med";
    MessageId, "msg";
    SavedReplyId, "rpl";
    EndpointId, "end";
}

impl MessageId {
    /// Parses an id that was generated here. Where Meta gives it back, other programs write texts of their own.
    #[must_use]
    pub fn parse_own(text: &str) -> Option<Self> {
        let generated = text.strip_prefix("msg_").and_then(|uuid| uuid::Uuid::try_parse(uuid).ok())?;
        Some(Self(format!("msg_{}", generated.simple()))).filter(|id| id.as_str() == text)
    }
}

impl UserId {
    /// The operator of the system, if AWS does not say who that is.
    #[must_use]
    pub(crate) fn operator() -> Self {
        Self("operator".to_owned())
    }
}

impl DeliveryId {
    /// The id of an event with this hash of its own id.
    #[must_use]
    pub(crate) fn from_hash(hash: &str) -> Self {
        Self(format!("evt_{}", hash.get(..32).unwrap_or(hash)))
    }

    /// Generates the id of an event that happened nowhere else.
    #[must_use]
    pub fn new_test() -> Self {
        Self(format!("evt_test_{}", uuid::Uuid::new_v4().simple()))
    }
}

impl LeadId {
    /// The id of the lead that a submission creates if it matches no known lead.
    #[must_use]
    pub fn from_leadgen(leadgen_id: &LeadgenId) -> Self {
        Self(format!("meta-{leadgen_id}"))
    }

    /// The id of a lead without any id of Meta, derived from `hash` over what is known of it.
    #[must_use]
    pub(crate) fn from_content(hash: &str) -> Self {
        Self(format!("file-{hash}"))
    }
}

/// The right to access one org's data.
///
/// Only this crate can create one, and it does so for a verified caller (`model::caller`), and from a row or a message
/// that such a caller once wrote (a page's connection, a login in progress). A function cannot forge one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct OrgScope(OrgId);

impl OrgScope {
    pub(crate) fn new(org: OrgId) -> Self {
        Self(org)
    }

    /// The org this scope gives access to.
    #[must_use]
    pub fn org(&self) -> &OrgId {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_that_could_break_a_key_are_refused() {
        for bad in ["", "..", ".a", "a#b", "a/b", "a b", "a\n", "ä", &"x".repeat(129)] {
            assert!(OrgId::parse(bad).is_err(), "{bad:?}");
        }
        for bad in ["", "-1", "1.0", "0x1", "१", &"1".repeat(33)] {
            assert!(LeadgenId::parse(bad).is_err(), "{bad:?}");
        }
        assert!(UserId::parse("auth0|5f7c8ec7c33c6c004bbafe82").is_ok());
    }

    #[test]
    fn only_ids_generated_here_are_our_own() {
        let own = MessageId::new();
        assert_eq!(MessageId::parse_own(own.as_str()), Some(own));
        for other in ["row-77", "msg_", "msg_1", "MSG_0190163d8694739b962f1b0a4c6a5f3e", ""] {
            assert_eq!(MessageId::parse_own(other), None, "{other}");
        }
    }

    #[test]
    fn numbers_are_no_ids() {
        // A caller that counts in floats has already lost digits of one.
        let id = serde_json::from_str::<PageId>("\"18446744073709551615\"").unwrap();
        assert_eq!(id.as_str(), "18446744073709551615");
        for bad in ["7", "18446744073709551615", "-1", "1.5", "null", "true", "[]"] {
            assert!(serde_json::from_str::<PageId>(bad).is_err(), "{bad}");
        }
    }
}
