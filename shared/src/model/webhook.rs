//! Splits the bodies that Meta posts to the webhook into changes.
//!
//! Every change in a body comes out exactly once: as a lead to fetch, as an engagement to store, or as skipped with the
//! reason.
//!
//! Only the envelope is parsed; a change's value keeps the bytes that Meta sent. An unknown or malformed change
//! therefore affects nothing but itself.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::ids::{FormId, LeadgenId, PageId};

/// A parsed webhook body.
#[derive(Debug)]
pub struct Delivery {
    /// Meta's `object`: `page`, `instagram`, `whatsapp_business_account`…
    pub object: String,
    /// The changes, in the order of the body.
    pub changes: Vec<Change>,
}

/// One change.
#[derive(Debug)]
pub enum Change {
    /// A person sent a Lead Ads form.
    Lead(LeadNotice),
    /// A comment, reaction, mention or message.
    Engagement(EngagementNotice),
    /// Nothing to do, with the reason.
    Skipped(Skip),
}

/// What a webhook says about a lead: only ids.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeadNotice {
    /// The submission's id.
    pub leadgen_id: LeadgenId,
    /// The page that owns the form. Its token is used to fetch the lead.
    pub page_id: PageId,
    /// The form's id.
    #[serde(default)]
    pub form_id: Option<FormId>,
    /// When the person sent the form, in Unix seconds.
    #[serde(default)]
    pub created_time: Option<i64>,
}

/// An event on a page, an Instagram account or a WhatsApp account, as Meta sent it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EngagementNotice {
    /// Meta's `object`.
    pub object: String,
    /// The id of the page, Instagram account or WhatsApp account.
    pub entry_id: String,
    /// `feed`, `mention`, `comments`…; `messaging` or `standby` for messages.
    pub field: String,
    /// Meta's JSON of the change's value or of the message, escaped to ASCII because SQS rejects characters that XML
    /// 1.0 forbids.
    pub value: String,
}

/// Why a change is acknowledged without being processed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Skip {
    /// The dashboard's "Test" button sent it, with ids that can never be fetched.
    DashboardTest,
    /// Leadwire does not use this field or object.
    NotOurs,
    /// The app is subscribed without "include values", so Meta reports that something changed but not what.
    ValuesNotIncluded,
    /// The lead has no usable ids, or the entry is malformed.
    Unreadable,
}

/// The body is not a webhook delivery.
#[derive(Debug, thiserror::Error)]
#[error("not a webhook delivery: {0}")]
pub struct NotADelivery(#[from] serde_json::Error);

#[derive(Deserialize)]
struct RawDelivery<'a> {
    object: String,
    #[serde(borrow, default)]
    entry: Vec<&'a RawValue>,
}

#[derive(Deserialize)]
struct RawEntry<'a> {
    #[serde(borrow, default)]
    id: Option<&'a RawValue>,
    #[serde(borrow, default)]
    changes: Option<Vec<&'a RawValue>>,
    #[serde(borrow, default)]
    messaging: Option<Vec<&'a RawValue>>,
    #[serde(borrow, default)]
    standby: Option<Vec<&'a RawValue>>,
    #[serde(borrow, default)]
    changed_fields: Option<Vec<&'a RawValue>>,
    /// Apps with Instagram Login receive a change's two members directly on the entry.
    #[serde(borrow, default)]
    field: Option<&'a RawValue>,
    #[serde(borrow, default)]
    value: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct RawChange<'a> {
    field: String,
    #[serde(borrow)]
    value: &'a RawValue,
}

/// Splits a body into changes.
///
/// # Errors
/// Only if the body is not a JSON object with an `object` and, if present, an array of entries. A malformed entry or
/// change is returned as [`Skip::Unreadable`] and does not affect the others.
pub fn parse(body: &[u8]) -> Result<Delivery, NotADelivery> {
    let raw: RawDelivery = serde_json::from_slice(body)?;
    let mut changes = Vec::new();
    for entry in raw.entry {
        match serde_json::from_str::<RawEntry>(entry.get()) {
            Ok(entry) => parse_entry(&raw.object, &entry, &mut changes),
            Err(_) => changes.push(Change::Skipped(Skip::Unreadable)),
        }
    }
    Ok(Delivery { object: raw.object, changes })
}

fn parse_entry(object: &str, entry: &RawEntry, changes: &mut Vec<Change>) {
    let id = entry.id.and_then(|id| plain_text(id.get())).unwrap_or_default();
    for change in entry.changes.iter().flatten() {
        changes.push(match serde_json::from_str::<RawChange>(change.get()) {
            Ok(change) => parse_change(object, &id, &change.field, change.value.get()),
            Err(_) => Change::Skipped(Skip::Unreadable),
        });
    }
    for (field, messages) in [("messaging", &entry.messaging), ("standby", &entry.standby)] {
        for message in messages.iter().flatten() {
            changes.push(engagement(object, &id, field, message.get()));
        }
    }
    if let (Some(field), Some(value)) = (entry.field.and_then(|field| plain_text(field.get())), entry.value) {
        changes.push(parse_change(object, &id, &field, value.get()));
    }
    for _ in entry.changed_fields.iter().flatten() {
        changes.push(Change::Skipped(Skip::ValuesNotIncluded));
    }
}

fn parse_change(object: &str, entry_id: &str, field: &str, value: &str) -> Change {
    match (object, field) {
        ("page", "leadgen") => parse_lead(entry_id, value),
        ("page", "feed" | "mention")
        | ("whatsapp_business_account", "messages" | "smb_message_echoes" | "user_id_update")
        // Apps with Instagram Login receive messages as changes too.
        | (
            "instagram",
            "comments" | "live_comments" | "mentions" | "messages" | "message_edit" | "message_reactions"
            | "messaging_handover" | "messaging_postbacks" | "messaging_referral" | "messaging_seen" | "standby",
        ) => engagement(object, entry_id, field, value),
        _ => Change::Skipped(Skip::NotOurs),
    }
}

/// The page id and the lead id in the dashboard's test payload.
const TEST_PAGE: &str = "0";
const TEST_LEAD: &str = "444444444444";

fn parse_lead(entry_id: &str, value: &str) -> Change {
    match read_lead(entry_id, value) {
        Some(lead) if entry_id == TEST_PAGE || lead.leadgen_id.as_str() == TEST_LEAD => {
            Change::Skipped(Skip::DashboardTest)
        }
        Some(lead) => Change::Lead(lead),
        None => Change::Skipped(Skip::Unreadable),
    }
}

/// Reads a lead change. Meta's documents show ids as numbers, its servers send strings: both are taken. A lead without a
/// page id belongs to the entry's page. Only the lead's own id must be there: Meta is asked for the rest.
fn read_lead(entry_id: &str, value: &str) -> Option<LeadNotice> {
    #[derive(Deserialize)]
    struct RawLead<'a> {
        #[serde(borrow)]
        leadgen_id: &'a RawValue,
        #[serde(borrow)]
        page_id: Option<&'a RawValue>,
        #[serde(borrow)]
        form_id: Option<&'a RawValue>,
        #[serde(borrow)]
        created_time: Option<&'a RawValue>,
    }
    let raw: RawLead = serde_json::from_str(value).ok()?;
    let text = |raw: Option<&RawValue>| raw.and_then(|raw| plain_text(raw.get()));
    let page_id = text(raw.page_id).and_then(|id| PageId::parse(&id).ok());
    Some(LeadNotice {
        leadgen_id: LeadgenId::parse(&text(Some(raw.leadgen_id))?).ok()?,
        page_id: page_id.or_else(|| PageId::parse(entry_id).ok())?,
        form_id: text(raw.form_id).and_then(|id| FormId::parse(&id).ok()),
        created_time: text(raw.created_time).and_then(|time| time.parse().ok()),
    })
}

fn engagement(object: &str, entry_id: &str, field: &str, value: &str) -> Change {
    if entry_id == TEST_PAGE {
        return Change::Skipped(Skip::DashboardTest);
    }
    Change::Engagement(EngagementNotice {
        object: object.to_owned(),
        entry_id: entry_id.to_owned(),
        field: field.to_owned(),
        value: escaped_to_ascii(value),
    })
}

/// The text of a JSON string, or the digits of a JSON number.
fn plain_text(json: &str) -> Option<String> {
    if json.starts_with('"') { serde_json::from_str(json).ok() } else { Some(json.to_owned()) }
}

/// Escapes every non-ASCII character of a JSON text as `\uXXXX`. The meaning stays the same, because such characters
/// only occur inside strings.
#[must_use]
pub fn escaped_to_ascii(json: &str) -> String {
    use std::fmt::Write as _;
    let mut escaped = String::with_capacity(json.len());
    for character in json.chars() {
        if character.is_ascii() && character != '\u{7f}' {
            escaped.push(character);
        } else {
            for unit in character.encode_utf16(&mut [0; 2]) {
                let _ = write!(escaped, "\\u{unit:04x}");
            }
        }
    }
    escaped
}

#[cfg(test)]
#[path = "webhook_tests.rs"]
mod tests;
