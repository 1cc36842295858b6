//! What holds for every notice.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::test_support::{read, received};
use super::{InboxNotice, SkippedNotice, inbox_events};
use crate::model::webhook::{self, Change, EngagementNotice};

const FIELDS: [(&str, &str); 12] = [
    ("page", "feed"),
    ("page", "mention"),
    ("page", "messaging"),
    ("page", "standby"),
    ("instagram", "comments"),
    ("instagram", "mentions"),
    ("instagram", "messages"),
    ("instagram", "messaging"),
    ("whatsapp_business_account", "messages"),
    ("whatsapp_business_account", "smb_message_echoes"),
    ("whatsapp_business_account", "user_id_update"),
    ("user", "feed"),
];

#[test]
fn no_json_and_unknown_objects_are_counted() {
    let notice = |value: &str| EngagementNotice {
        object: "page".into(),
        entry_id: "103".into(),
        field: "feed".into(),
        value: value.into(),
    };
    assert_eq!(inbox_events(&notice("{"), received()).reason(), SkippedNotice::Unreadable);
    assert_eq!(inbox_events(&notice(""), received()).reason(), SkippedNotice::Unreadable);
    assert_eq!(read("user", "1", "feed", &json!({})).reason(), SkippedNotice::Unknown("user/feed".into()));
}

#[test]
fn half_an_emoji_in_a_comment_costs_no_comment() {
    let value = r#"{"item":"comment","verb":"add","comment_id":"1_2","message":"Hi \ud83d"}"#;
    let notice =
        EngagementNotice { object: "page".into(), entry_id: "103".into(), field: "feed".into(), value: value.into() };
    assert_eq!(inbox_events(&notice, received()).message().text.as_deref(), Some("Hi \u{fffd}"));
}

#[test]
fn what_exceeds_the_limit_is_counted() {
    let status = |number: usize| json!({"id": format!("w.{number}"), "status": "sent"});
    let statuses: Vec<Value> = (0..InboxNotice::MAX_EVENTS + 3).map(status).collect();
    let value = json!({"metadata": {"phone_number_id": "PN1"}, "statuses": statuses});
    let notice = read("whatsapp_business_account", "W1", "messages", &value);
    assert_eq!(notice.events.len(), InboxNotice::MAX_EVENTS);
    assert_eq!(notice.skipped, vec![SkippedNotice::TooMany; 3]);
}

/// Keys and words of Meta's, so that arbitrary JSON reaches far into the code.
const WORDS: &str = "account_id action add ad_id attachments comment comment_id contacts created_time delivery edit \
    emoji errors field from id image interactive is_deleted is_echo item like media message message_edit messages \
    messaging metadata mid mids num_edit order parent_id payload phone_number_id post_id postback reaction read \
    recipient referral remove reply_to sender sender_id standby status statuses sticker_id story system text \
    timestamp title true type url user_id value verb wa_id watermark https://x.example 103 1795507200 0";

fn word() -> impl Strategy<Value = String> {
    let words: Vec<&str> = WORDS.split_whitespace().collect();
    prop::sample::select(words).prop_map(ToOwned::to_owned)
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        word().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 300, 30, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..30).prop_map(Value::from),
            prop::collection::hash_map(word(), inner, 0..20).prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn any_json_is_survived_and_accounted_for(value in any_json()) {
        for (object, field) in FIELDS {
            let notice = read(object, "103", field, &value);
            prop_assert!(notice.events.len() <= InboxNotice::MAX_EVENTS);
            prop_assert!(!notice.events.is_empty() || !notice.skipped.is_empty());
            prop_assert_eq!(notice, read(object, "103", field, &value));
        }
    }

    #[test]
    fn any_delivery_of_meta_s_is_survived(delivery in corpus::mutated_bytes(corpus::webhooks())) {
        for change in webhook::parse(&delivery).into_iter().flat_map(|delivery| delivery.changes) {
            let Change::Engagement(notice) = change else { continue };
            let read = inbox_events(&notice, received());
            prop_assert!(!read.events.is_empty() || !read.skipped.is_empty(), "{notice:?}");
        }
    }

    #[test]
    fn any_text_is_survived(value in any::<String>()) {
        let notice = EngagementNotice {
            object: "page".into(), entry_id: "103".into(), field: "feed".into(), value,
        };
        prop_assert!(inbox_events(&notice, received()).events.is_empty());
    }
}
