//! Messages on Messenger and Instagram.

use serde_json::{Value, json};

use super::test_support::{deliver, describe, millisecond, read, second};
use super::{InboxNotice, SkippedNotice};
use crate::ids::MessageId;
use crate::model::inbox::Channel;
use crate::model::inbox::event::{DeliveryReport, InboxEvent, InboxEventKind, NewMessage, Person};

const T: i64 = 1_795_507_200_123;

/// An event between person 6001 and page 104.
fn inbound(key: &str, part: &Value) -> InboxNotice {
    page(&json!({"sender": {"id": "6001"}, "recipient": {"id": "104"}, "timestamp": T, key: part}))
}

fn page(item: &Value) -> InboxNotice {
    read("page", "104", "messaging", item)
}

fn message(part: &Value) -> NewMessage {
    inbound("message", part).message()
}

fn person() -> Person {
    Person { id: Some("6001".into()), ..Person::default() }
}

fn attached(attachments: &Value) -> Vec<String> {
    describe(&message(&json!({"mid": "m", "attachments": attachments})).attachments)
}

#[test]
fn a_message_says_who_what_and_when() {
    let notice = inbound("message", &json!({"mid": "m_2", "text": "hello", "reply_to": {"mid": "m_1"}}));
    assert_eq!((notice.events[0].channel, notice.events[0].account.as_str()), (Channel::Messenger, "104"));
    let message = notice.message();
    assert_eq!((message.mid.as_str(), message.is_ours, message.person), ("m_2", false, person()));
    assert_eq!((message.text.as_deref(), message.parent.as_deref()), (Some("hello"), Some("m_1")));
    assert_eq!((message.created_time, message.standby), (millisecond(T), false));
}

#[test]
fn an_echo_is_ours_and_belongs_to_the_recipient() {
    let own = MessageId::new();
    let echo = |app: Value, metadata: &str| {
        let part = json!({"mid": "m_3", "text": "hi", "is_echo": true, "app_id": app, "metadata": metadata});
        page(&json!({"sender": {"id": 104}, "recipient": {"id": 6001}, "timestamp": T, "message": part})).message()
    };
    let ours = echo(json!(5_550_001), own.as_str());
    assert_eq!((ours.is_ours, &ours.person, ours.app_id.as_deref()), (true, &person(), Some("5550001")));
    assert_eq!(ours.ours, Some(own));
    let other = echo(json!("5550001"), "row-77");
    assert_eq!((other.is_ours, other.ours, other.app_id.as_deref()), (true, None, Some("5550001")));

    // Without its mark, and with an id of the account that is not the entry's.
    let unmarked = json!({"sender": {"id": "104"}, "recipient": {"id": "6001"}, "message": {"mid": "m", "text": "x"}});
    assert!(page(&unmarked).message().is_ours);
    let renamed = json!({"sender": {"id": "9"}, "recipient": {"id": "6001"}, "message": {"mid": "m", "is_echo": true}});
    let renamed = page(&renamed).message();
    assert_eq!((renamed.is_ours, renamed.person), (true, person()));
    let to_itself = json!({"sender": {"id": "104"}, "recipient": {"id": "104"}, "message": {"mid": "m", "text": "x"}});
    assert_eq!(page(&to_itself).reason(), SkippedNotice::Unused);
}

#[test]
fn unsent_messages_are_deleted() {
    for flag in [json!(true), json!("true")] {
        let deleted = InboxEventKind::Deleted { mid: "m_10".into(), at: millisecond(T) };
        let part = json!({"mid": "m_10", "is_deleted": flag});
        assert_eq!(inbound("message", &part).kind(), deleted);
        let part = json!({"mid": "m_10", "is_deleted": flag, "is_echo": true});
        let own = json!({"sender": {"id": "104"}, "recipient": {"id": "6001"}, "timestamp": T, "message": part});
        assert_eq!(page(&own).kind(), deleted);
    }
    assert!(matches!(
        inbound("message", &json!({"mid": "m_10", "is_deleted": false, "text": "x"})).kind(),
        InboxEventKind::Message(_)
    ));
}

#[test]
fn edits_change_a_text_and_new_messages_are_no_edits() {
    let edit = |part: Value| page(&json!({"timestamp": T, "message_edit": part}));
    assert_eq!(edit(json!({"mid": "m_404", "num_edit": 0})).reason(), SkippedNotice::Unused);
    let edited = InboxEventKind::Edited { mid: "m_1".into(), text: "new".into(), at: millisecond(T) };
    assert_eq!(edit(json!({"mid": "m_1", "num_edit": 1, "text": "new"})).kind(), edited);
    assert_eq!(inbound("message_edit", &json!({"mid": "m_1", "num_edit": "2", "text": "new"})).kind(), edited);
    assert_eq!(edit(json!({"mid": "m_1", "num_edit": 1})).reason(), SkippedNotice::Unreadable);
}

#[test]
fn a_sticker_that_comes_twice_is_one_picture() {
    let url = "https://cdn.example/s.png";
    let part = |kind: &str| json!({"type": kind, "payload": {"url": url, "sticker_id": 369}});
    assert_eq!(attached(&json!([part("image"), part("sticker")])), [format!("image file {url} -")]);
    assert_eq!(attached(&json!([part("sticker")])), [format!("sticker file {url} -")]);
    let elsewhere = json!({"type": "sticker", "payload": {"url": "https://cdn.example/t.png", "sticker_id": "369"}});
    assert_eq!(attached(&json!([part("image"), elsewhere])), [format!("image file {url} -")]);
    let other = json!({"type": "image", "payload": {"url": "https://cdn.example/2.png"}});
    assert_eq!(attached(&json!([part("image"), other])).len(), 2);
}

#[test]
fn files_are_fetched_and_links_are_not() {
    let element = |kind: &str| json!([{"type": kind, "payload": {"url": "https://x.example/1", "title": "Offer"}}]);
    for kind in ["image", "video", "audio", "file"] {
        assert_eq!(attached(&element(kind)), [format!("{kind} file https://x.example/1 Offer")]);
    }
    for kind in ["share", "post", "ig_post", "reel", "ig_reel", "fallback"] {
        assert_eq!(attached(&element(kind)), ["link none https://x.example/1 Offer"], "{kind}");
    }
    assert_eq!(attached(&element("story_mention")), ["story_mention none https://x.example/1 Offer"]);
    assert_eq!(
        attached(&json!([{"type": "fallback", "title": "Site", "url": "https://x.example"}])),
        ["link none https://x.example Site"]
    );
    assert_eq!(
        attached(&json!([{"type": "location", "payload": {"coordinates": {"lat": 52.5, "long": 13.25}}}])),
        ["location none - 52.5, 13.25"]
    );
}

#[test]
fn what_cannot_be_shown_says_what_it_is() {
    for kind in ["brand_new_kind", "ephemeral", "template", "share", "fallback", "appointment_booking"] {
        assert_eq!(attached(&json!([{"type": kind, "payload": {}}])), [format!("{kind} none - -")]);
    }
    assert_eq!(attached(&json!([{"type": "image"}])), ["image none - -"], "a file without an address");
    assert_eq!(attached(&json!([{}, 5, null])), ["unsupported none - -"]);
    assert_eq!(attached(&json!({"type": "audio", "payload": {"url": "https://x.example/1"}})).len(), 1);
    assert_eq!(attached(&json!("nonsense")), ["unsupported none - -"]);
    let unsupported = message(&json!({"mid": "m", "is_unsupported": true}));
    assert_eq!(describe(&unsupported.attachments), ["unsupported none - -"]);
}

#[test]
fn a_reply_to_a_story_points_to_it() {
    let story = json!({"story": {"id": "1801", "url": "https://x.example/story"}});
    let reply = message(&json!({"mid": "m", "text": "love it", "reply_to": story}));
    assert_eq!(reply.text.as_deref(), Some("love it"));
    assert_eq!(describe(&reply.attachments), ["story_reply none https://x.example/story -"]);
}

#[test]
fn a_tap_on_a_button_is_a_message() {
    let tap = inbound("postback", &json!({"mid": "m_p", "title": "Get started", "payload": "START"})).message();
    assert_eq!((tap.mid.as_str(), tap.text.as_deref(), tap.person), ("m_p", Some("Get started"), person()));
    let quick = message(&json!({"mid": "m_q", "text": "Red", "quick_reply": {"payload": "COLOR_RED"}}));
    assert_eq!(quick.text.as_deref(), Some("Red"));
    // Without an id, the same tap is the same message when it comes again.
    let older = || inbound("postback", &json!({"title": "Yes"})).message().mid;
    assert_eq!((older(), older()), ("postback-6001-1795507200123".into(), older()));
    let timeless = json!({"sender": {"id": "6001"}, "recipient": {"id": "104"}, "postback": {"title": "Yes"}});
    assert_eq!(page(&timeless).reason(), SkippedNotice::Unreadable);
}

#[test]
fn the_ad_is_found_in_all_three_places() {
    let referral = json!({"ref": "", "source": "ADS", "type": "OPEN_THREAD", "ad_id": 2_385_001});
    let ad = |message: NewMessage| message.ad_id.map(|ad| ad.to_string());
    let first = message(&json!({"mid": "m", "text": "offer?", "referral": referral}));
    assert_eq!(ad(first).as_deref(), Some("2385001"));
    let started = inbound("postback", &json!({"mid": "m", "title": "Get started", "referral": referral})).message();
    assert_eq!(ad(started).as_deref(), Some("2385001"));
    let InboxEventKind::Referred { person: who, ad_id, at } = inbound("referral", &referral).kind() else { panic!() };
    assert_eq!((who, ad_id.unwrap().as_str(), at), (person(), "2385001", millisecond(T)));
    let link = inbound("referral", &json!({"ref": "spring", "source": "SHORTLINK"})).kind();
    assert!(matches!(link, InboxEventKind::Referred { ad_id: None, .. }));
}

#[test]
fn reads_and_deliveries_report_on_our_messages() {
    let until = millisecond(T - 500);
    assert_eq!(
        inbound("read", &json!({"watermark": T - 500})).kind(),
        InboxEventKind::Watermark { person: person(), read: true, until }
    );
    assert_eq!(
        inbound("read", &json!({"mid": "m_2"})).kind(),
        InboxEventKind::Read { mid: "m_2".into(), at: millisecond(T) }
    );
    let delivered = |mid: &str| InboxEventKind::Status {
        mid: mid.into(),
        ours: None,
        status: DeliveryReport::Delivered,
        at: until,
        failure: None,
    };
    let watermark = InboxEventKind::Watermark { person: person(), read: false, until };
    assert_eq!(
        inbound("delivery", &json!({"mids": ["m_1", 2, {}], "watermark": T - 500})).kinds(),
        [delivered("m_1"), delivered("2"), watermark.clone()]
    );
    assert_eq!(inbound("delivery", &json!({"watermark": T - 500})).kind(), watermark);
    assert_eq!(inbound("delivery", &json!({})).reason(), SkippedNotice::Unreadable);
    let our_reading = json!({"sender": {"id": "104"}, "recipient": {"id": "6001"}, "read": {"mid": "m_9"}});
    assert_eq!(page(&our_reading).reason(), SkippedNotice::Unused);
}

#[test]
fn a_conversation_is_handed_from_app_to_app() {
    let handed = |to: Option<&str>| {
        let to = to.map(ToOwned::to_owned);
        InboxEventKind::HandedOver { person: person(), to, at: millisecond(T) }
    };
    let pass = json!({"previous_owner_app_id": "99", "new_owner_app_id": 1, "metadata": "for people"});
    assert_eq!(inbound("pass_thread_control", &pass).kind(), handed(Some("1")));
    let take = json!({"previous_owner_app_id": "1"});
    assert_eq!(inbound("take_thread_control", &take).kind(), handed(None));
    assert_eq!(inbound("pass_thread_control", &json!({})).reason(), SkippedNotice::Unreadable);
}

#[test]
fn reactions_come_and_go() {
    let react = |part: Value| match inbound("reaction", &part).kind() {
        InboxEventKind::Reacted { mid, person: who, is_ours, value, at } => {
            assert_eq!((mid.as_str(), who, is_ours, at), ("m_2", person(), false, millisecond(T)));
            value
        }
        other => panic!("{other:?}"),
    };
    let sad = json!({"mid": "m_2", "action": "react", "emoji": "\u{1f622}", "reaction": "sad"});
    assert_eq!(react(sad).as_deref(), Some("\u{1f622}"));
    assert_eq!(react(json!({"mid": "m_2", "action": "react", "reaction": "love"})).as_deref(), Some("love"));
    assert_eq!(react(json!({"mid": "m_2", "action": "unreact", "emoji": "\u{1f622}"})), None);
    let own = json!({"sender": {"id": "104"}, "recipient": {"id": "6001"}, "reaction": {"mid": "m", "emoji": "x"}});
    let InboxEventKind::Reacted { is_ours, person: who, .. } = page(&own).kind() else { panic!() };
    assert_eq!((is_ours, who.id.as_deref()), (true, Some("104")));
}

#[test]
fn each_element_of_a_batch_is_read_for_itself() {
    let from = |key: &str, part: Value| json!({"sender": {"id": "5557"}, "recipient": {"id": "17800"}, "timestamp": 1, key: part});
    let mut items = [
        from("read", json!({"mid": "m_2"})),
        from("message", json!({"mid": "m_40", "text": "One more thing"})),
        from("reaction", json!({"mid": "m_2", "action": "react", "emoji": "\u{2764}", "reaction": "love"})),
        from("message", json!({"mid": "m_41", "text": "Thanks"})),
        from("message", json!(5)),
        from("message", json!({"mid": "m_22", "attachments": [{"type": "brand_new_kind", "payload": {}}]})),
    ];
    for _ in 0..items.len() {
        items.rotate_left(1);
        let body = json!({"object": "instagram", "entry": [{"id": "17800", "time": 1, "messaging": items}]});
        let notice = deliver(&body);
        assert_eq!(notice.skipped, [SkippedNotice::Unreadable]);
        assert!(notice.events.iter().all(|event| event.channel == Channel::Instagram && event.account == "17800"));
        let count = |is: fn(&InboxEventKind) -> bool| notice.events.iter().filter(|event| is(&event.kind)).count();
        assert_eq!(count(|kind| matches!(kind, InboxEventKind::Message(m) if m.created_time == second(1))), 3);
        assert_eq!(count(|kind| matches!(kind, InboxEventKind::Read { .. })), 1);
        assert_eq!(count(|kind| matches!(kind, InboxEventKind::Reacted { .. })), 1);
    }
}

#[test]
fn entries_of_instagram_are_more_than_messages() {
    let between = json!({"sender": {"id": "5555"}, "recipient": {"id": "17800"}, "timestamp": T});
    let with = |key: &str, part: Value| {
        let mut item = between.clone();
        item[key] = part;
        item
    };
    let comment = json!({"id": "18120", "from": {"id": "5556", "username": "visitor_d"}, "text": "hi"});
    let notice = deliver(&json!({"object": "instagram", "entry": [
        {"id": "17800", "time": 1, "standby": [with("message", json!({"mid": "m_30", "text": "Hello"}))]},
        {"id": "17800", "time": 1, "messaging": [{"timestamp": T, "message_edit": {"mid": "m_404", "num_edit": 0}}]},
        {"id": "17800", "time": 1, "changes": [{"field": "comments", "value": comment}]},
        {"id": "17800", "time": 1},
        {"id": "17800", "time": 1, "messaging": [with("message", json!({"mid": "m_31", "text": "Hi"}))]},
        {"id": "17800", "time": 1, "changes": [{"field": "messaging_seen", "value": with("read", json!({"mid": "m"}))}]},
    ]}));
    let line = |event: &InboxEvent| match &event.kind {
        InboxEventKind::Message(message) => format!("{} {} {}", event.channel, message.mid, message.standby),
        InboxEventKind::Read { mid, .. } => format!("{} read {mid}", event.channel),
        other => panic!("{other:?}"),
    };
    let lines: Vec<String> = notice.events.iter().map(line).collect();
    assert_eq!(
        lines,
        ["instagram m_30 true", "instagram_comment 18120 false", "instagram m_31 false", "instagram read m"]
    );
    assert_eq!(notice.skipped, [SkippedNotice::Unused]);
}

#[test]
fn what_is_no_conversation_is_counted() {
    for key in ["optin", "request_thread_control", "policy_enforcement"] {
        assert_eq!(inbound(key, &json!({"any": 1})).reason(), SkippedNotice::Unused, "{key}");
    }
    assert_eq!(inbound("brand_new", &json!({})).reason(), SkippedNotice::Unknown("messaging/brand_new".into()));
    assert_eq!(page(&json!({})).reason(), SkippedNotice::Unknown("messaging/?".into()));
    assert_eq!(inbound("message", &json!({"text": "no id"})).reason(), SkippedNotice::Unreadable);
    let nameless = json!({"recipient": {"id": "104"}, "message": {"mid": "m", "text": "x"}});
    assert_eq!(page(&nameless).reason(), SkippedNotice::Unreadable);
}

#[test]
fn the_dashboard_s_tests_leave_no_trace() {
    let people = json!({"sender": {"id": "12334"}, "recipient": {"id": "23245"}, "timestamp": "1527459824",
        "message": {"mid": "random_mid", "text": "random_text"}});
    assert_eq!(page(&people).reason(), SkippedNotice::DashboardTest);
    assert_eq!(read("instagram", "17800", "messages", &people).reason(), SkippedNotice::DashboardTest);
    let edit = json!({"sender": {"id": 12334}, "recipient": {"id": 23245}, "read": {"mid": "m"}});
    assert_eq!(page(&edit).reason(), SkippedNotice::DashboardTest);
    let real = json!({"sender": {"id": "6001"}, "recipient": {"id": "104"}, "message": {"mid": "m", "text": "x"}});
    assert_eq!(read("page", "0", "messaging", &real).reason(), SkippedNotice::DashboardTest);
}
