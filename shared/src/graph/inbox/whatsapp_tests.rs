//! WhatsApp.

use serde_json::{Value, json};

use super::test_support::{describe, read, second};
use super::{InboxNotice, SkippedNotice};
use crate::ids::MessageId;
use crate::model::inbox::event::{DeliveryReport, InboxEventKind, NewMessage, Person};
use crate::model::inbox::{Channel, SendFailure};

const T: i64 = 1_795_507_200;

fn change(field: &str, members: &Value) -> InboxNotice {
    let mut value = json!({"messaging_product": "whatsapp",
        "metadata": {"display_phone_number": "31200000000", "phone_number_id": "PN1"}});
    for (key, member) in members.as_object().unwrap() {
        value[key] = member.clone();
    }
    read("whatsapp_business_account", "W1", field, &value)
}

/// What Bo writes.
fn from_bo(members: &Value) -> Value {
    let mut message = json!({"from": "31600000001", "id": "wamid.1", "timestamp": T.to_string()});
    for (key, member) in members.as_object().unwrap() {
        message[key] = member.clone();
    }
    message
}

fn inbound(members: &Value) -> InboxNotice {
    change(
        "messages",
        &json!({
            "contacts": [{"profile": {"name": "Bo", "username": "bo.w"}, "wa_id": "31600000001", "user_id": "NL.4f0kk2"}],
            "messages": [from_bo(members)],
        }),
    )
}

fn content(kind: &str, content: &Value) -> NewMessage {
    inbound(&json!({"type": kind, kind: content})).message()
}

fn bo() -> Person {
    Person {
        id: Some("NL.4f0kk2".into()),
        phone: Some("31600000001".into()),
        username: Some("bo.w".into()),
        name: Some("Bo".into()),
    }
}

fn text(kind: &str, part: &Value) -> Option<String> {
    content(kind, part).text
}

#[test]
fn a_message_belongs_to_the_number_and_says_who_wrote_it() {
    let notice =
        inbound(&json!({"type": "text", "text": {"body": "hoi"}, "context": {"from": "31200000000", "id": "wamid.0"}}));
    assert_eq!((notice.events[0].channel, notice.events[0].account.as_str()), (Channel::Whatsapp, "PN1"));
    let message = notice.message();
    assert_eq!((message.mid.as_str(), message.is_ours, &message.person), ("wamid.1", false, &bo()));
    assert_eq!((message.text.as_deref(), message.parent.as_deref()), (Some("hoi"), Some("wamid.0")));
    assert_eq!(message.created_time, second(T));
    let forwarded = inbound(&json!({"type": "text", "text": {"body": "x"}, "context": {"forwarded": true}}));
    assert_eq!(forwarded.message().parent, None);
}

#[test]
fn a_person_may_have_a_number_or_an_id_or_both() {
    let who = |contacts: Value, ids: Value| {
        let mut message = json!({"id": "w", "timestamp": "1", "type": "text", "text": {"body": "Hi"}});
        for (key, id) in ids.as_object().unwrap() {
            message[key] = id.clone();
        }
        change("messages", &json!({"contacts": contacts, "messages": [message]}))
    };
    let id = "GB.1000000000000001";
    let person = |id: Option<&str>, phone: Option<&str>, username: Option<&str>, name: Option<&str>| {
        let owned = |part: Option<&str>| part.map(ToOwned::to_owned);
        Person { id: owned(id), phone: owned(phone), username: owned(username), name: owned(name) }
    };
    let sam = json!([{"user_id": id, "profile": {"name": "Sam", "username": "sam.w"}}]);
    let hidden = who(sam.clone(), json!({"from_user_id": id})).message().person;
    assert_eq!(hidden, person(Some(id), None, Some("sam.w"), Some("Sam")));
    let both = who(json!([{"wa_id": "447700900123", "user_id": id}]), json!({"from": "447700900123"})).message().person;
    assert_eq!(both, person(Some(id), Some("447700900123"), None, None));
    assert_eq!(
        who(json!([]), json!({"from": "+447700900123"})).message().person.phone.as_deref(),
        Some("447700900123")
    );
    assert_eq!(
        who(json!(null), json!({"from": 447_700_900_123_u64})).message().person.phone.as_deref(),
        Some("447700900123")
    );
    assert_eq!(
        who(sam.clone(), json!({})).message().person.name.as_deref(),
        Some("Sam"),
        "only this one can have written it"
    );
    assert_eq!(who(json!([]), json!({})).reason(), SkippedNotice::Unreadable);
    let told = who(sam, json!({"from_user_id": id, "from": "447700900123"})).message().person;
    assert_eq!(told, person(Some(id), Some("447700900123"), Some("sam.w"), Some("Sam")));
    // Names of others are not borrowed.
    let two = json!([{"wa_id": "1", "profile": {"name": "A"}}, {"wa_id": "2", "profile": {"name": "B"}}]);
    assert_eq!(who(two, json!({"from": "2"})).message().person.name.as_deref(), Some("B"));
}

#[test]
fn what_is_chosen_or_filled_in_is_a_text() {
    let reply = |kind: &str, part: Value| text("interactive", &json!({"type": kind, kind: part}));
    assert_eq!(reply("button_reply", json!({"id": "1", "title": "Yes"})).as_deref(), Some("Yes"));
    assert_eq!(
        reply("list_reply", json!({"id": "1", "title": "Red", "description": "the warm one"})).as_deref(),
        Some("Red")
    );
    let form = json!({"name": "flow", "body": "Sent", "response_json": r#"{"flow_token":"x","size":"M","count":2}"#});
    assert_eq!(reply("nfm_reply", form).as_deref(), Some("count: 2\nsize: M"));
    assert_eq!(reply("nfm_reply", json!({"body": "Sent", "response_json": "{"})).as_deref(), Some("Sent"));
    assert_eq!(text("button", &json!({"payload": "P", "text": "Stop"})).as_deref(), Some("Stop"));
}

#[test]
fn files_are_known_by_their_id() {
    for (kind, expect) in
        [("image", "image"), ("video", "video"), ("audio", "audio"), ("sticker", "sticker"), ("document", "file")]
    {
        let part =
            json!({"id": 900, "mime_type": "x/y", "caption": "Look", "filename": "a.pdf", "url": "https://x.example"});
        let message = content(kind, &part);
        assert_eq!(describe(&message.attachments), [format!("{expect} file 900 a.pdf")]);
        assert_eq!((message.text.as_deref(), message.attachments[0].url.as_deref()), (Some("Look"), None));
    }
    assert_eq!(describe(&content("image", &json!({})).attachments), ["image none - -"]);
}

#[test]
fn places_people_and_orders_can_be_read() {
    let place =
        content("location", &json!({"latitude": 52.5, "longitude": 13.25, "name": "Café", "address": "Main St 1"}));
    assert_eq!(place.text.as_deref(), Some("Café, Main St 1, 52.5, 13.25"));
    assert_eq!(describe(&place.attachments), ["location none - -"]);
    let people = content(
        "contacts",
        &json!([
            {"name": {"formatted_name": "Ann B."}, "phones": [{"phone": "+31 6 1"}]},
            {"name": {"formatted_name": "Carl"}}, 5,
        ]),
    );
    assert_eq!(people.text.as_deref(), Some("Ann B. (+31 6 1), Carl"));
    assert_eq!(describe(&people.attachments), ["contacts none - -"]);
    let order = content(
        "order",
        &json!({"text": "Fast please", "product_items": [{"product_retailer_id": "sku-1", "quantity": 2}]}),
    );
    assert_eq!(order.text.as_deref(), Some("Fast please"));
    assert_eq!(describe(&order.attachments), ["order none - 2 × sku-1"]);
}

#[test]
fn unknown_kinds_say_what_they_are() {
    let kinds = |members: Value| describe(&inbound(&members).message().attachments);
    assert_eq!(kinds(json!({"type": "brand_new"})), ["brand_new none - -"]);
    assert_eq!(kinds(json!({"type": "unsupported", "errors": [{"code": 131_051}]})), ["unsupported none - -"]);
    assert_eq!(kinds(json!({"type": "unsupported", "unsupported": {"type": "poll"}})), ["poll none - -"]);
    assert_eq!(kinds(json!({"type": "interactive", "interactive": {"type": "new_reply"}})), ["interactive none - -"]);
    assert_eq!(kinds(json!({})), ["unsupported none - -"]);
}

#[test]
fn reactions_edits_and_deletions_change_other_messages() {
    let reaction =
        |emoji: Value| match inbound(&json!({"type": "reaction", "reaction": {"message_id": "w.0", "emoji": emoji}}))
            .kind()
        {
            InboxEventKind::Reacted { mid, person, is_ours: false, value, at } => {
                assert_eq!((mid.as_str(), person, at), ("w.0", bo(), second(T)));
                value
            }
            other => panic!("{other:?}"),
        };
    assert_eq!(reaction(json!("\u{1f44d}")).as_deref(), Some("\u{1f44d}"));
    assert_eq!((reaction(json!("")), reaction(json!(null))), (None, None));

    let edit =
        |message: Value| inbound(&json!({"type": "edit", "edit": {"original_message_id": "w.0", "message": message}}));
    let edited = |text: &str| InboxEventKind::Edited { mid: "w.0".into(), text: text.into(), at: second(T) };
    assert_eq!(edit(json!({"type": "text", "text": {"body": "new"}})).kind(), edited("new"));
    assert_eq!(edit(json!({"type": "image", "image": {"id": "9", "caption": "new"}})).kind(), edited("new"));
    assert_eq!(edit(json!({})).reason(), SkippedNotice::Unreadable);
    let revoked = inbound(&json!({"type": "revoke", "revoke": {"original_message_id": "w.0"}})).kind();
    assert_eq!(revoked, InboxEventKind::Deleted { mid: "w.0".into(), at: second(T) });
}

#[test]
fn only_ads_are_ads() {
    let ad = |referral: Value| {
        let message = inbound(&json!({"type": "text", "text": {"body": "x"}, "referral": referral})).message();
        message.ad_id.map(|ad| ad.to_string())
    };
    assert_eq!(ad(json!({"source_id": "2385001", "source_type": "ad", "ctwa_clid": "A"})).as_deref(), Some("2385001"));
    assert_eq!(ad(json!({"source_id": "2385001", "source_type": "post"})), None);
}

#[test]
fn a_new_number_is_the_same_person() {
    let system = |ids: Value, system: Value| {
        let mut message = json!({"id": "w", "timestamp": "1", "type": "system", "system": system});
        for (key, id) in ids.as_object().unwrap() {
            message[key] = id.clone();
        }
        change("messages", &json!({"messages": [message]}))
    };
    let person = |id: Option<&str>, phone: Option<&str>| Person {
        id: id.map(ToOwned::to_owned),
        phone: phone.map(ToOwned::to_owned),
        ..Person::default()
    };
    let changed = |before, after| InboxEventKind::PersonChanged { before, after };
    for key in ["wa_id", "new_wa_id"] {
        let value =
            json!({"type": "user_changed_number", "body": "User A changed from 1 to 2", key: "2", "user_id": "NL.2"});
        assert_eq!(
            system(json!({"from": "1"}), value).kind(),
            changed(person(None, Some("1")), person(Some("NL.2"), Some("2")))
        );
    }
    let expect = changed(person(Some("NL.1"), None), person(Some("NL.2"), None));
    for value in [json!({"previous_user_id": "NL.1"}), json!({"body": "User changed from x changed from NL.1 to NL.2"})]
    {
        let mut value = value;
        (value["type"], value["user_id"]) = (json!("user_changed_user_id"), json!("NL.2"));
        assert_eq!(system(json!({}), value).kind(), expect);
    }
    let update = json!({"user_id_update": [{"user_id": {"previous": "NL.1", "current": "NL.2"}, "timestamp": "1"}]});
    assert_eq!(change("user_id_update", &update).kind(), expect);
    let lost = system(json!({}), json!({"type": "user_changed_number", "wa_id": "2"}));
    assert_eq!(lost.reason(), SkippedNotice::Unreadable);
    assert_eq!(system(json!({}), json!({"type": "customer_identity_changed"})).reason(), SkippedNotice::Unused);
    let new = system(json!({}), json!({"type": "x"})).reason();
    assert_eq!(new, SkippedNotice::Unknown("whatsapp/system/x".into()));
}

#[test]
fn statuses_say_what_became_of_our_messages() {
    let status = |members: Value| {
        let mut status = json!({"id": "wamid.A", "timestamp": T.to_string(), "recipient_user_id": "NL.4f0kk2"});
        for (key, member) in members.as_object().unwrap() {
            status[key] = member.clone();
        }
        change("messages", &json!({"statuses": [status]}))
    };
    let own = MessageId::new();
    for (word, expect) in [
        ("sent", DeliveryReport::Sent),
        ("delivered", DeliveryReport::Delivered),
        ("read", DeliveryReport::Read),
        ("played", DeliveryReport::Read),
    ] {
        let kind =
            status(json!({"status": word, "biz_opaque_callback_data": own.as_str(), "errors": [{"code": 1}]})).kind();
        let (mid, ours, at) = ("wamid.A".to_owned(), Some(own.clone()), second(T));
        assert_eq!(kind, InboxEventKind::Status { mid, ours, status: expect, at, failure: None });
    }
    let failure = |errors: Value| match status(
        json!({"status": "failed", "errors": errors, "biz_opaque_callback_data": "theirs"}),
    )
    .kind()
    {
        InboxEventKind::Status { status: DeliveryReport::Failed, failure, ours: None, .. } => failure,
        other => panic!("{other:?}"),
    };
    let title = "Re-engagement message";
    let told = failure(
        json!([{"code": 131_047, "title": title, "message": title, "error_data": {"details": "More than 24 hours"}}]),
    );
    let told = told.unwrap();
    assert!(told.code == 131_047 && told.message.contains("Only an approved template"), "{told:?}");
    let new = failure(json!([{"code": 139_999, "title": "New", "error_data": {"details": "Something"}}]));
    assert_eq!(new, Some(SendFailure { code: 139_999, message: "New: Something".into() }), "Meta's own words");
    assert_eq!(failure(json!([{"code": "131026", "title": "Undeliverable"}])).unwrap().code, 131_026);
    assert_eq!(failure(json!([])), None);
    assert_eq!(status(json!({"status": "new"})).reason(), SkippedNotice::Unknown("whatsapp/status/new".into()));
}

#[test]
fn what_is_written_in_the_business_app_is_ours() {
    let echo = |members: Value| {
        let mut message =
            json!({"from": "31200000000", "to": "31600000001", "id": "wamid.E", "timestamp": T.to_string()});
        for (key, member) in members.as_object().unwrap() {
            message[key] = member.clone();
        }
        let contacts = json!([{"wa_id": "31600000001", "user_id": "NL.4f0kk2"}]);
        change("smb_message_echoes", &json!({"contacts": contacts, "message_echoes": [message]}))
    };
    let message = echo(json!({"type": "text", "text": {"body": "On my way"}})).message();
    assert_eq!((message.is_ours, message.text.as_deref()), (true, Some("On my way")));
    assert_eq!(
        (message.person.id.as_deref(), message.person.phone.as_deref()),
        (Some("NL.4f0kk2"), Some("31600000001"))
    );
    let reaction = echo(json!({"type": "reaction", "reaction": {"message_id": "w.0", "emoji": "x"}})).kind();
    let InboxEventKind::Reacted { is_ours, person, .. } = reaction else { panic!() };
    assert_eq!((is_ours, person.id.as_deref()), (true, Some("PN1")));
    let revoked = echo(json!({"type": "revoke", "revoke": {"original_message_id": "w.0"}})).kind();
    assert!(matches!(revoked, InboxEventKind::Deleted { mid, .. } if mid == "w.0"));
}

#[test]
fn a_malformed_element_costs_only_itself() {
    let good = from_bo(&json!({"type": "text", "text": {"body": "Hi"}}));
    let notice = change(
        "messages",
        &json!({
            "contacts": [5, {"wa_id": []}],
            "messages": [5, good, {"id": "x", "type": 7}, {"type": "text", "from": "1"}],
            "statuses": ["?", {"id": "wamid.A", "status": "sent"}],
            "errors": [{"code": 130_429, "title": "Rate limit hit"}],
        }),
    );
    assert_eq!(notice.events.len(), 2);
    let unreadable = SkippedNotice::Unreadable;
    let expect =
        [unreadable.clone(), unreadable.clone(), unreadable.clone(), unreadable, SkippedNotice::AccountError(130_429)];
    assert_eq!(notice.skipped, expect);
    assert_eq!(change("messages", &json!({"errors": [{"code": 1}]})).reason(), SkippedNotice::AccountError(1));
    assert_eq!(change("messages", &json!({})).reason(), SkippedNotice::Unreadable);
    assert_eq!(
        read("whatsapp_business_account", "W1", "messages", &json!({"messages": [good]})).reason(),
        SkippedNotice::Unreadable
    );
}

#[test]
fn the_dashboard_s_test_leaves_no_trace() {
    let message = json!({"from": "16315551181", "id": "ABGGFlA5Fpa", "timestamp": "1504902988", "type": "text", "text": {"body": "this is a text message"}});
    let test = json!({"metadata": {"display_phone_number": "16505551111", "phone_number_id": "123456123"}, "messages": [message]});
    assert_eq!(change("messages", &test).reason(), SkippedNotice::DashboardTest);
}
