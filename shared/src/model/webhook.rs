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
        Ok(lead) if entry_id == TEST_PAGE || lead.leadgen_id.as_str() == TEST_LEAD => {
            Change::Skipped(Skip::DashboardTest)
        }
        Ok(lead) => Change::Lead(lead),
        Err(_) => Change::Skipped(Skip::Unreadable),
    }
}

/// Parses a lead change. A lead without a page id belongs to the entry's page.
fn read_lead(entry_id: &str, value: &str) -> Result<LeadNotice, serde_json::Error> {
    #[derive(Deserialize)]
    struct Pageless {
        leadgen_id: LeadgenId,
        form_id: Option<FormId>,
    }
    serde_json::from_str(value).or_else(|error| {
        let Pageless { leadgen_id, form_id } = serde_json::from_str(value)?;
        let page_id = PageId::parse(entry_id).map_err(|_| error)?;
        Ok(LeadNotice { leadgen_id, page_id, form_id, created_time: None })
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
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    /// Renders each change on one line: `lead <id> of <page>`, `<object>/<field> of <entry>`, or `skipped <why>`.
    fn summary(body: &Value) -> Vec<String> {
        parse(body.to_string().as_bytes()).unwrap().changes.iter().map(line).collect()
    }

    fn line(change: &Change) -> String {
        match change {
            Change::Lead(lead) => format!("lead {} of {}", lead.leadgen_id, lead.page_id),
            Change::Engagement(e) => format!("{}/{} of {}", e.object, e.field, e.entry_id),
            Change::Skipped(why) => format!("skipped {why:?}"),
        }
    }

    fn lead(id: u64) -> Value {
        json!({"field": "leadgen", "value": {"leadgen_id": id, "page_id": "7", "form_id": 3, "created_time": 1}})
    }

    #[test]
    fn every_change_of_every_entry_is_found() {
        let body = json!({"object": "page", "entry": [
            {"id": "7", "time": 1, "changes": [{"field": "feed", "value": {"item": "status"}}, lead(1), lead(2)]},
            {"id": 7, "changes": [lead(3)], "messaging": [{"message": {"mid": "m"}}], "standby": [{}]},
            {"id": "8", "messaging": [{}, {}]},
            {"id": "9", "changed_fields": ["feed", "leadgen"]},
            {"id": "9", "changes": [{"field": "ratings", "value": {}}, {"field": "leadgen", "value": {"page_id": 1}}, {"value": 1}, 5]},
            "nonsense",
            {"id": "10"},
        ]});
        let expect = [
            "page/feed of 7",
            "lead 1 of 7",
            "lead 2 of 7",
            "lead 3 of 7",
            "page/messaging of 7",
            "page/standby of 7",
            "page/messaging of 8",
            "page/messaging of 8",
            "skipped ValuesNotIncluded",
            "skipped ValuesNotIncluded",
            "skipped NotOurs",
            "skipped Unreadable",
            "skipped Unreadable",
            "skipped Unreadable",
            "skipped Unreadable",
        ];
        assert_eq!(summary(&body), expect);
    }

    #[test]
    fn other_objects_go_where_they_belong() {
        let check = |body: Value, expect: &[&str]| assert_eq!(summary(&body), expect);
        check(
            json!({"object": "instagram", "entry": [{"id": "1", "field": "comments", "value": {"id": "c"}}]}),
            &["instagram/comments of 1"],
        );
        check(
            json!({"object": "whatsapp_business_account", "entry": [{"id": "w", "changes": [{"field": "messages", "value": {}}]}]}),
            &["whatsapp_business_account/messages of w"],
        );
        for field in ["smb_message_echoes", "user_id_update"] {
            check(
                json!({"object": "whatsapp_business_account", "entry": [{"id": "w", "changes": [{"field": field, "value": {}}]}]}),
                &[&format!("whatsapp_business_account/{field} of w")],
            );
        }
        for field in
            ["message_edit", "message_reactions", "messaging_postbacks", "messaging_referral", "messaging_seen"]
        {
            check(
                json!({"object": "instagram", "entry": [{"id": "1", "field": field, "value": {}}]}),
                &[&format!("instagram/{field} of 1")],
            );
        }
        check(
            json!({"object": "whatsapp_business_account", "entry": [{"id": "w", "changes": [{"field": "user_preferences", "value": {}}]}]}),
            &["skipped NotOurs"],
        );
        check(
            json!({"object": "user", "entry": [{"id": "1", "changes": [{"field": "feed", "value": {}}]}]}),
            &["skipped NotOurs"],
        );
        check(json!({"object": "instagram", "entry": [{"id": "1", "changes": [lead(1)]}]}), &["skipped NotOurs"]);
        check(json!({"object": "page"}), &[]);
    }

    #[test]
    fn the_dashboards_test_is_recognised() {
        let test = json!({"field": "leadgen", "value": {"leadgen_id": "444444444444", "page_id": "444444444444"}});
        assert_eq!(
            summary(
                &json!({"object": "page", "entry": [{"id": "0", "changes": [test.clone(), lead(5)]}, {"id": "7", "changes": [test]}]})
            ),
            ["skipped DashboardTest"; 3]
        );
    }

    #[test]
    fn what_is_no_delivery_is_refused() {
        for body in
            ["", "hello", "[]", "5", "{}", r#"{"object":1}"#, r#"{"object":"page","entry":{}}"#, "{\"object\":\"page\""]
        {
            assert!(parse(body.as_bytes()).is_err(), "{body}");
        }
    }

    #[test]
    fn depth_where_nobody_looks_is_no_obstacle() {
        let deep = format!("{}1{}", "[".repeat(100_000), "]".repeat(100_000));
        let body = format!(
            r#"{{"object":"page","x":{deep},"entry":[{{"id":"7","y":{deep},"changes":[{{"field":"feed","value":{deep}}},{}]}}]}}"#,
            lead(1)
        );
        assert_eq!(
            parse(body.as_bytes()).unwrap().changes.iter().map(line).collect::<Vec<_>>(),
            ["page/feed of 7", "lead 1 of 7"]
        );
    }

    #[test]
    fn values_travel_as_ascii_and_mean_the_same() {
        let value = json!({"message": "äö ❤ 𝄞 \u{fffe}\u{7f}\u{0}/\"\\"});
        let escaped = escaped_to_ascii(&value.to_string());
        assert!(escaped.bytes().all(|b| (0x20..0x7f).contains(&b)));
        assert_eq!(serde_json::from_str::<Value>(&escaped).unwrap(), value);
    }

    proptest! {
        #[test]
        fn any_bytes_are_survived(body in prop::collection::vec(any::<u8>(), 0..300)) {
            let _ = parse(&body);
        }

        #[test]
        fn any_json_is_survived(text in r#"[\{\}\[\]":,a-z0-9\\u]{0,80}"#) {
            let _ = parse(format!(r#"{{"object":"page","entry":[{text}]}}"#).as_bytes());
            let _ = parse(format!(r#"{{"object":"page","entry":[{{"id":"1","changes":[{text}]}}]}}"#).as_bytes());
        }

        #[test]
        fn any_valid_body_gives_each_change_once(entries in prop::collection::vec((0..4u64, prop::collection::vec(0..4u8, 0..6)), 0..12)) {
            let mut next = 1000;
            let mut sent = Vec::new();
            let entry: Vec<Value> = entries.iter().map(|(page, kinds)| {
                let changes: Vec<Value> = kinds.iter().map(|kind| {
                    next += 1;
                    sent.push(next);
                    match kind {
                        0 => lead(next),
                        1 => json!({"field": "feed", "value": {"n": next}}),
                        2 => json!({"field": "mention", "value": {"n": next}}),
                        _ => json!({"field": "leadgen", "value": {"leadgen_id": next.to_string(), "page_id": 7, "surprise": [1, {"a": "b"}]}}),
                    }
                }).collect();
                json!({"id": (page + 1).to_string(), "time": 1, "changes": changes})
            }).collect();
            let found: Vec<u64> = parse(json!({"object": "page", "entry": entry}).to_string().as_bytes()).unwrap().changes.iter().map(|change| match change {
                Change::Lead(lead) => lead.leadgen_id.as_str().parse().unwrap(),
                Change::Engagement(e) => serde_json::from_str::<Value>(&e.value).unwrap()["n"].as_u64().unwrap(),
                Change::Skipped(why) => panic!("{why:?}"),
            }).collect();
            prop_assert_eq!(found, sent);
        }
    }
}
