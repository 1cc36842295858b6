//! Comments and mentions on Instagram.

use serde_json::{Value, json};

use super::test_support::{deliver, describe, read, received};
use super::{InboxNotice, SkippedNotice};
use crate::model::inbox::Channel;
use crate::model::inbox::event::{InboxEventKind, Person, PostRef};

fn comment(value: &Value) -> InboxNotice {
    read("instagram", "17800", "comments", value)
}

fn visitor() -> Person {
    Person { id: Some("5550".into()), username: Some("visitor_a".into()), ..Person::default() }
}

#[test]
fn a_comment_under_an_ad_belongs_to_the_post_that_it_shows() {
    let under = |media: Value| {
        let from = json!({"id": "5550", "username": "visitor_a"});
        comment(&json!({"id": "18151", "from": from, "text": "Price?", "media": media})).message()
    };
    let known = under(json!({"id": "17950", "ad_id": "120001", "original_media_id": "18050"}));
    let ad = Some("120001".to_owned());
    let ad_id = |message: &crate::model::inbox::event::NewMessage| message.ad_id.as_ref().map(ToString::to_string);
    assert_eq!((known.mid.as_str(), &known.person, known.text.as_deref()), ("18151", &visitor(), Some("Price?")));
    assert_eq!(ad_id(&known), ad);
    let post = known.post.unwrap();
    assert_eq!((post.id.as_str(), post.copy.as_deref(), post.ad_id), ("18050", Some("17950"), known.ad_id));

    let unknown = under(json!({"id": 17950, "ad_id": 120_001}));
    assert_eq!(ad_id(&unknown), ad);
    let post = unknown.post.unwrap();
    assert_eq!((post.id.as_str(), post.copy), ("17950", None));

    let organic = under(json!({"id": "18050", "media_product_type": "FEED"}));
    assert_eq!(organic.post, Some(PostRef { id: "18050".into(), copy: None, ad_id: None, permalink: None }));
}

#[test]
fn own_comments_are_ours_in_each_way_that_meta_says_it() {
    for from in [json!({"id": 17800}), json!({"id": "9", "self_ig_scoped_id": "55"})] {
        let own = comment(&json!({"id": "1", "from": from, "text": "Hi", "parent_id": "2"})).message();
        assert_eq!((own.is_ours, own.person, own.parent.as_deref()), (true, Person::default(), Some("2")), "{from}");
    }
}

#[test]
fn a_comment_may_lack_everything_but_its_id() {
    let bare = comment(&json!({"comment_id": "7"})).message();
    assert_eq!((bare.mid.as_str(), bare.is_ours, bare.person), ("7", false, Person::default()));
    assert_eq!((bare.created_time, bare.post), (received(), None));
    assert_eq!(describe(&bare.attachments), ["unsupported none - -"]);
    assert_eq!(comment(&json!({"text": "?"})).reason(), SkippedNotice::Unreadable);
}

#[test]
fn mentions_say_only_where() {
    let mention = |value: Value| match read("instagram", "17800", "mentions", &value).kind() {
        InboxEventKind::Mentioned { on, in_comment } => (on, in_comment),
        other => panic!("{other:?}"),
    };
    assert_eq!(mention(json!({"media_id": "31", "comment_id": "41"})), ("41".to_owned(), true));
    assert_eq!(mention(json!({"media_id": 31})), ("31".to_owned(), false));
    let foreign = json!({"media_id": "31){id},name,x(1"});
    assert_eq!(read("instagram", "17800", "mentions", &foreign).reason(), SkippedNotice::Unreadable);
}

#[test]
fn an_entry_may_be_a_change_a_message_or_flat() {
    let value = json!({"id": "18151", "from": {"id": "5550", "username": "visitor_a"}, "text": "hi"});
    let change = json!({"field": "comments", "value": value});
    let entry = |entry: Value| deliver(&json!({"object": "instagram", "entry": [entry]}));
    let as_change = entry(json!({"id": "17800", "time": 1, "changes": [change]}));
    assert_eq!(as_change.events[0].channel, Channel::InstagramComment);
    assert_eq!(as_change.clone().message().person, visitor());
    let as_message = entry(json!({"id": "17800", "time": 1, "messaging": [change]}));
    let flat = entry(json!({"id": "17800", "time": 1, "field": "comments", "value": value}));
    assert_eq!((&as_message, &flat), (&as_change, &as_change));
}
