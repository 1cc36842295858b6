//! Bodies that are too much, too long, broken or odd: they cost nothing but themselves.

use futures_util::future::join_all;
use serde_json::{Value, json};

use super::case_test_support::{T, body, direct, event, whatsapp};
use super::tests::World;
use crate::ids::PageId;
use crate::model::connection::Connection;
use crate::table::tests::connection;

#[tokio::test]
async fn one_broken_event_of_a_hundred_costs_only_itself() {
    for broken in [json!(null), json!({ "mid": {} }), json!("text"), json!({ "mid": "m_x\u{0}", "text": "?" })] {
        let world = World::connected().await;
        let item = |number: i64| match number {
            42 => event("5553", T + number, "message", &broken),
            _ => event("5553", T + number, "message", &json!({ "mid": format!("m_{number}"), "text": "Hi" })),
        };
        let items: Vec<Value> = (0..100).map(item).collect();
        world.deliver(&body("instagram", "17800", "messaging", &json!(items))).await;
        assert_eq!(world.conversation().await.0.unread, 99);
        // WhatsApp puts several into one change.
        let message = |number: i64| match number {
            42 => broken.clone(),
            _ => json!({ "id": format!("wamid.{number}"), "from": "31600000001", "timestamp": (T + number).to_string(),
                "type": "text", "text": { "body": "Hi" } }),
        };
        let messages: Vec<Value> = (0..100).map(message).collect();
        world.deliver(&whatsapp(&json!({ "messages": messages }))).await;
        let unread: u32 = world.conversations().await.iter().map(|(one, _)| one.unread).sum();
        assert_eq!(unread, 2 * 99);
    }
}

#[tokio::test]
async fn ids_are_taken_as_they_are_and_people_with_odd_ones_are_not_mixed_up() {
    let world = World::connected().await;
    let people = ["a#b", "a/b", "a~b", "A#B", "con_1", "\"", "{}", "..", "%23"];
    for (number, person) in (0..).zip(people) {
        let message = json!({ "mid": format!("{person}#{number}"), "text": person });
        world.deliver(&direct(person, T + number, "message", &message)).await;
    }
    assert_eq!((world.contacts().await.len(), world.conversations().await.len()), (people.len(), people.len()));
    for (conversation, texts) in world.conversations().await {
        let person = world.show_messages(&conversation.id).await.remove(0);
        assert!(texts.len() == 1 && person.meta_id.unwrap().starts_with(&texts[0]));
    }
    // What is no id at all belongs to no one, and asks the table for nothing.
    for account in [json!(""), json!("17 800"), json!("1".repeat(3_000)), json!({ "id": 1 }), json!(null)] {
        let mut odd = direct("5553", T, "message", &json!({ "mid": "m_1", "text": "Hi" }));
        odd["entry"][0]["id"] = account;
        world.deliver(&odd).await;
    }
    assert_eq!(world.conversations().await.len(), people.len());
}

#[tokio::test]
async fn what_is_too_long_or_too_much_is_cut_and_still_fits_into_the_table() {
    /// What an item of the table may have.
    const MAX_ITEM: usize = 400_000;
    let (world, long) = (World::connected().await, "\u{1f600}".repeat(30_000));
    let files: Vec<Value> = (0..500)
        .map(|number| json!({ "type": "video", "payload": { "url": format!("https://cdn.example/{number}/{}", "x".repeat(1_000)), "title": long } }))
        .collect();
    world.deliver(&direct("5553", T, "message", &json!({ "mid": "m_1", "text": long, "attachments": files }))).await;
    let shown = world.show_messages(&world.conversation().await.0.id).await.remove(0);
    assert_eq!((shown.text.unwrap().chars().count(), shown.attachments.len()), (20_001, 30));
    let name = json!({ "wa_id": "31600000001", "profile": { "name": long, "username": long } });
    let unknown = json!({ "id": "wamid.1", "from": "31600000001", "timestamp": T.to_string(), "type": long });
    world.deliver(&whatsapp(&json!({ "contacts": [name], "messages": [unknown] }))).await;
    // One person mentions the page again and again, and a thousand react to one comment.
    let mention = |number: i64| {
        let value = json!({ "item": "comment", "verb": "add", "comment_id": format!("9_{number}"), "sender_id": "355",
            "message": long, "created_time": T + number });
        body("page", "103", "changes", &json!([{ "field": "mention", "value": value }]))
    };
    for number in 0..210 {
        world.deliver(&mention(number)).await;
    }
    let reaction = |number: i64| {
        json!({ "field": "feed", "value": { "item": "reaction", "verb": "add", "reaction_type": "love", "post_id": "103_208",
            "comment_id": "208_9", "created_time": T + number, "from": { "id": (1_000 + number).to_string() } } })
    };
    for some in (0..300).collect::<Vec<_>>().chunks(4) {
        let bodies: Vec<Value> =
            some.iter().map(|number| body("page", "103", "changes", &json!([reaction(*number)]))).collect();
        join_all(bodies.iter().map(|body| world.deliver(body))).await;
    }
    for item in world.engagement.table.everything().await {
        let size = format!("{item:?}").len();
        assert!(size < MAX_ITEM, "{size}: {}", &format!("{item:?}")[..200]);
    }
}

#[tokio::test]
async fn an_org_whose_secret_cannot_be_read_costs_the_other_org_of_the_same_page_nothing() {
    let world = World::connected().await;
    let other = world.connect("b").await;
    let page_id = PageId::parse("103").unwrap();
    let broken = Connection { page_id, credentials: "broken".to_owned(), ..connection("a") };
    world.engagement.table.save_connection(&world.owner.scope, &broken).await.unwrap();
    let item = json!({ "sender": { "id": "6001" }, "recipient": { "id": "103" }, "timestamp": T * 1_000,
        "message": { "mid": "m_1", "text": "Hi" } });
    let outcomes = world.try_deliver(&body("page", "103", "messaging", &json!([item]))).await;
    assert!(outcomes[0].is_err(), "it comes again for the one");
    assert_eq!(world.engagement.table.contacts(&other, None, 10).await.unwrap().len(), 1);
    let open = crate::model::inbox::ConversationStatus::Open;
    assert_eq!(world.engagement.table.conversations(&other, open, None, 10).await.unwrap().len(), 1);
}

#[tokio::test]
async fn reports_about_people_who_never_wrote_make_no_contacts() {
    let world = World::connected().await;
    let item = |key: &str, part: Value| json!({ "sender": { "id": "6001" }, "recipient": { "id": "103" }, "timestamp": T * 1_000, key: part });
    let items = json!([
        item("read", json!({ "watermark": T * 1_000 })),
        item("delivery", json!({ "watermark": T * 1_000, "mids": ["m_7"] })),
        item("referral", json!({ "ref": "spring", "source": "SHORTLINK" })),
    ]);
    world.deliver(&body("page", "103", "messaging", &items)).await;
    assert!(world.contacts().await.is_empty() && world.conversations().await.is_empty());
}
