//! What goes wrong elsewhere with messages on Messenger and Instagram, each as Meta tells it.

use std::time::Duration;

use jiff::SignedDuration;
use serde_json::{Value, json};

use super::answer_tests::text;
use super::case_test_support::{T, body, direct, event, second};
use super::tests::{World, orders};
use super::{ConversationChangeIn, Sender};
use crate::error::ErrorCode;
use crate::files::FileKey;
use crate::ids::ConversationId;
use crate::jobs::AnswerJob;
use crate::model::inbox::state::MessageStatus;
use crate::model::inbox::{AttachmentStatus, Channel, ConversationStatus};
use crate::publishing::test_support::Fault;

/// A person has written on Instagram.
async fn written() -> (World, ConversationId) {
    let world = World::connected().await;
    world.deliver(&direct("5553", T, "message", &json!({ "mid": "m_1", "text": "Hello?" }))).await;
    let id = world.conversation().await.0.id;
    (world, id)
}

#[tokio::test]
async fn the_echo_of_an_answer_opens_nothing_though_the_conversation_was_closed_at_once() {
    for is_first in [false, true] {
        let (world, id) = written().await;
        let answer = world.answer(&id, text("Hi")).await.unwrap();
        let access = world.fixture.access().await;
        let close = ConversationChangeIn { status: Some(ConversationStatus::Closed), ..Default::default() };
        let echo = json!({ "sender": { "id": "17800" }, "recipient": { "id": "5553" }, "timestamp": (T + 11) * 1_000,
            "message": { "mid": "mid1", "text": "Hi", "is_echo": true, "app_id": 1234 } });
        let echo = body("instagram", "17800", "messaging", &json!([echo]));
        if is_first {
            // The answer of Meta's call has not come yet.
            let fault = Fault { call: "POST 103/messages", after: true, error: None };
            world.fixture.meta.world().faults.push_back(fault);
            let job = AnswerJob { org: world.owner.scope.org().clone(), message: answer.id.clone() };
            world.sender().send(&job, Duration::from_secs(110), &|| world.now()).await.unwrap();
            world.inbox.change_conversation(&access, &id, &close, world.now()).await.unwrap();
            world.deliver(&echo).await;
            assert_eq!(world.conversation().await.1.len(), 2, "it is the answer already");
        } else {
            world.settle_answer(&answer.id).await;
            world.inbox.change_conversation(&access, &id, &close, world.now()).await.unwrap();
            world.deliver(&echo).await;
        }
        let state = world.settle_answer(&answer.id).await;
        let (after, texts) = world.conversation().await;
        assert_eq!((after.id, after.status, after.unread), (id, ConversationStatus::Closed, 0));
        assert_eq!((texts, state.mid.as_deref()), (vec!["Hello?".to_owned(), "Hi".to_owned()], Some("mid1")));
        assert_eq!((world.sent().len(), world.events()), (1, 1), "{is_first}");
    }
}

#[tokio::test]
async fn an_unsent_message_is_served_to_no_one_and_its_file_is_erased() {
    let picture = json!([{ "type": "image", "payload": { "url": "https://cdn.example/1.jpg" } }]);
    for flag in [json!(true), json!("true")] {
        let world = World::connected().await;
        let whole = json!({ "mid": "m_10", "text": "My secret", "attachments": picture });
        world.deliver(&direct("5553", T, "message", &whole)).await;
        let id = world.conversation().await.0.id;
        let message = world.show_messages(&id).await.remove(0).id;
        // The file was copied.
        let mut state = world.read_state(&message).await;
        state.content.as_mut().unwrap().attachments[0].status = AttachmentStatus::Ready;
        assert!(world.engagement.table.put_message(&world.owner.scope, &mut state).await.unwrap());
        let key = FileKey::of_attachment(&world.owner.scope, &message, 0);
        world.engagement.files.write(&key, "image/jpeg", vec![1]).await.unwrap();
        for mid in ["m_404", "m_10", "m_10"] {
            world.deliver(&direct("5553", T + 1, "message", &json!({ "mid": mid, "is_deleted": flag }))).await;
        }
        world.deliver(&direct("5553", T, "message", &whole)).await;
        let shown = world.show_messages(&id).await;
        assert_eq!((shown.len(), shown[0].deleted, &shown[0].text), (1, true, &None));
        assert_eq!((&shown[0].attachments[0].url, shown[0].attachments[0].status), (&None, AttachmentStatus::Deleted));
        assert!(world.fixture.meta.world().files.is_empty());
        assert!(world.inbox.file_link(&world.fixture.access().await, &message, 0).await.is_err());
        let (conversation, _) = world.conversation().await;
        assert_eq!((conversation.preview.as_str(), world.count_found("secret").await), ("", 0));
    }
    // Our own message.
    let (world, id) = written().await;
    let answer = world.answer(&id, text("Oh no")).await.unwrap();
    world.settle_answer(&answer.id).await;
    let unsent = json!({ "sender": { "id": "17800" }, "recipient": { "id": "5553" }, "timestamp": (T + 60) * 1_000,
        "message": { "mid": "mid1", "is_deleted": true, "is_echo": true } });
    world.deliver(&body("instagram", "17800", "messaging", &json!([unsent]))).await;
    let shown = world.show_messages(&id).await;
    assert_eq!((shown.len(), shown[1].deleted, &shown[1].text), (2, true, &None));
    // Unsent before it came.
    let world = World::connected().await;
    world.deliver(&direct("5553", T, "message", &json!({ "mid": "m_11", "is_deleted": true }))).await;
    world.deliver(&direct("5553", T, "message", &json!({ "mid": "m_11", "text": "My secret" }))).await;
    assert!(world.conversations().await.is_empty() && world.events() == 0);
}

#[tokio::test]
async fn an_unknown_kind_of_attachment_costs_neither_its_message_nor_the_others() {
    let world = World::connected().await;
    let sticker =
        |kind: &str| json!({ "type": kind, "payload": { "url": "https://cdn.example/s.png", "sticker_id": 369 } });
    let post = json!([{ "type": "post", "payload": { "url": "https://facebook.example/p/1", "title": "Offer" } }]);
    let parts = [
        json!({ "mid": "m_20", "attachments": [sticker("image"), sticker("sticker")] }),
        json!({ "mid": "m_21", "attachments": post }),
        json!({ "mid": "m_22", "attachments": [{ "type": "brand_new_kind", "payload": {} }] }),
        json!({ "mid": "m_23", "text": "ok?" }),
        json!({ "mid": ["broken"] }),
    ];
    let items: Vec<Value> = (0..).zip(&parts).map(|(at, part)| event("5553", T + at, "message", part)).collect();
    world.deliver(&body("instagram", "17800", "messaging", &json!(items))).await;
    let shown = world.show_messages(&world.conversation().await.0.id).await;
    let line = |message: &super::MessageOut| {
        let files: Vec<String> =
            message.attachments.iter().map(|file| format!("{} {} {:?}", file.r#type, file.status, file.name)).collect();
        format!("{} {}", message.text.as_deref().unwrap_or("-"), files.join(" "))
    };
    let lines: Vec<String> = shown.iter().map(line).collect();
    assert_eq!(lines, ["- image coming None", "- link none Some(\"Offer\")", "- brand_new_kind none None", "ok? "]);
    assert_eq!(shown[1].attachments[0].url.as_deref(), Some("https://facebook.example/p/1"));
}

#[tokio::test]
async fn a_person_may_answer_for_a_day_and_with_the_feature_of_human_agents_for_a_week() {
    let (mut world, id) = written().await;
    let send = async |world: &World| {
        let answer = world.answer(&id, text("Hi")).await?;
        let sender = Sender { has_human_agent: world.inbox.has_human_agent, ..world.sender() };
        let job = AnswerJob { org: world.owner.scope.org().clone(), message: answer.id.clone() };
        sender.send(&job, Duration::from_secs(110), &|| world.now()).await.unwrap();
        Ok::<_, crate::error::ActError>(world.sent().last().map(|sent| (sent["type"].clone(), sent["tag"].clone())))
    };
    let at = |world: &World, hours: i64| {
        world.fixture.meta.world().now = second(T) + SignedDuration::from_hours(hours);
    };
    at(&world, 1);
    assert_eq!(send(&world).await.unwrap(), Some((json!("RESPONSE"), Value::Null)));
    // What our side writes in Meta's own inbox is no activity of the person.
    let ours = json!({ "sender": { "id": "17800" }, "recipient": { "id": "5553" }, "timestamp": (T + 29 * 3_600) * 1_000,
        "message": { "mid": "m_29", "text": "Are you there?", "is_echo": true } });
    world.deliver(&body("instagram", "17800", "messaging", &json!([ours]))).await;
    let reason = async |world: &World| {
        let refused = send(world).await.unwrap_err();
        assert_eq!(refused.code(), ErrorCode::WindowClosed);
        refused.to_string()
    };
    at(&world, 30);
    let day = reason(&world).await;
    world.inbox.has_human_agent = true;
    assert_eq!(send(&world).await.unwrap(), Some((json!("MESSAGE_TAG"), json!("HUMAN_AGENT"))));
    at(&world, 8 * 24);
    let week = reason(&world).await;
    assert!(day.contains("24 hours") && week.contains("7 days"), "{day} {week}");
    assert_eq!(world.sent().len(), 2);
    // Meta's clock is another one.
    let (world, id) = written().await;
    let answer = world.answer(&id, text("Hi")).await.unwrap();
    let fault = Fault { call: "POST 103/messages", after: false, error: Some((10, Some(2_018_278))) };
    world.fixture.meta.world().faults.push_back(fault);
    let state = world.settle_answer(&answer.id).await;
    assert!(state.failure.unwrap().message.contains("window"));
    assert_eq!((world.sent().len(), world.checks()), (0, 0));
}

#[tokio::test]
async fn a_body_with_all_that_instagram_sends_is_read_part_by_part() {
    let world = World::connected().await;
    let standby = json!({ "sender": { "id": "5555" }, "recipient": { "id": "17800" }, "timestamp": T * 1_000,
        "message": { "mid": "m_30", "text": "Hello" } });
    let announced = json!({ "timestamp": (T + 1) * 1_000, "message_edit": { "mid": "m_404", "num_edit": 0 } });
    let comment = json!({ "id": "18120", "from": { "id": "5556", "username": "visitor_d" }, "text": "hi",
        "media": { "id": "18050" } });
    let ordinary = event("5557", T + 2, "message", &json!({ "mid": "m_31", "text": "Good morning" }));
    let edited = event("5557", T + 3, "message_edit", &json!({ "mid": "m_31", "num_edit": 1, "text": "Good evening" }));
    world
        .deliver(&json!({ "object": "instagram", "entry": [
            { "id": "17800", "time": 1, "standby": [standby] },
            { "id": "17800", "time": 1, "messaging": [announced] },
            { "id": "17800", "time": 1, "changes": [{ "field": "comments", "value": comment }] },
            { "id": "17800", "time": 1 },
            { "id": "17800", "time": 1, "messaging": [ordinary] },
        ] }))
        .await;
    world.deliver(&body("instagram", "17800", "messaging", &json!([edited]))).await;
    let conversations = world.conversations().await;
    let mut found: Vec<_> = conversations.iter().map(|(one, texts)| (one.channel, texts.join(" "))).collect();
    found.sort();
    let chat = |words: &str| (Channel::Instagram, words.to_owned());
    assert_eq!(found, [(Channel::InstagramComment, "hi".to_owned()), chat("Good evening"), chat("Hello")]);
    let elsewhere = conversations.iter().find(|(_, texts)| texts[0] == "Hello").unwrap().0.id.clone();
    let access = world.fixture.access().await;
    let shown = world.inbox.conversation(&access, &elsewhere, world.now()).await.unwrap();
    assert!(!shown.reply.allowed && shown.reply.reason.unwrap().contains("Another app"));
    assert!(world.sent().is_empty());
    // The other app hands the person over to us, to a third one, and back; the oldest notice comes last.
    let pass = |app: i64, at: i64| event("5555", at, "pass_thread_control", &json!({ "new_owner_app_id": app }));
    for (item, is_allowed) in
        [(pass(1, T + 4), true), (pass(99, T + 5), false), (pass(1, T + 6), true), (pass(99, T + 5), true)]
    {
        world.deliver(&body("instagram", "17800", "messaging", &json!([item]))).await;
        let shown = world.inbox.conversation(&access, &elsewhere, world.now()).await.unwrap();
        assert_eq!(shown.reply.allowed, is_allowed);
    }
}

#[tokio::test]
async fn each_event_of_a_batch_is_what_it_is_whatever_comes_first() {
    let parts = [
        ("read", json!({ "mid": "mid1" })),
        ("message", json!({ "mid": "m_40", "text": "One more thing" })),
        ("reaction", json!({ "mid": "mid1", "action": "react", "emoji": "\u{2764}", "reaction": "love" })),
        ("message", json!({ "mid": "m_41", "text": "Thanks" })),
    ];
    for order in orders(&parts) {
        let (world, id) = written().await;
        let answer = world.answer(&id, text("Hi")).await.unwrap();
        world.settle_answer(&answer.id).await;
        let items: Vec<Value> = order.iter().map(|(key, part)| event("5553", T + 20, key, part)).collect();
        world.deliver(&body("instagram", "17800", "messaging", &json!(items))).await;
        let shown = world.show_messages(&id).await;
        let answer = shown.iter().find(|message| message.id == answer.id).unwrap();
        assert_eq!((shown.len(), answer.status, answer.reactions.len()), (4, MessageStatus::Read, 1));
        assert_eq!((answer.reactions[0].value.as_str(), answer.reactions[0].by.as_str()), ("\u{2764}", "5553"));
        let mut texts: Vec<_> = shown.iter().filter_map(|message| message.text.as_deref()).collect();
        texts.sort_unstable();
        assert_eq!(texts, ["Hello?", "Hi", "One more thing", "Thanks"]);
    }
}
