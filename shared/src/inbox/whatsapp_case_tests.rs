//! What goes wrong elsewhere with messages on WhatsApp, each as Meta tells it.

use futures_util::future::join_all;
use jiff::SignedDuration;
use serde_json::{Value, json};

use super::AttachmentKeeper;
use super::answer_tests::text;
use super::case_test_support::{T, whatsapp};
use super::tests::at;
use super::tests::{World, orders};
use crate::error::ErrorCode;
use crate::ids::{ConversationId, LeadId, LeadgenId, OrgScope};
use crate::jobs::AttachmentJob;
use crate::model::inbox::state::MessageStatus;
use crate::model::inbox::{AttachmentStatus, Channel, Contact};
use crate::model::lead::identity::person_keys;
use crate::publishing::test_support::{Fault, Fixture};

/// A message of a person, who is known by a number, an id or both.
fn message(wamid: &str, id: Option<&str>, phone: Option<&str>, at: i64, part: &Value) -> Value {
    let mut contact = json!({ "profile": { "name": "Sam", "username": "sam.w" } });
    let mut value = json!({ "id": wamid, "timestamp": (T + at).to_string() });
    value.as_object_mut().unwrap().extend(part.as_object().unwrap().clone());
    if let Some(id) = id {
        (contact["user_id"], value["from_user_id"]) = (json!(id), json!(id));
    }
    if let Some(phone) = phone {
        (contact["wa_id"], value["from"]) = (json!(phone), json!(phone));
    }
    whatsapp(&json!({ "contacts": [contact], "messages": [value] }))
}

fn words(words: &str) -> Value {
    json!({ "type": "text", "text": { "body": words } })
}

fn status(wamid: &str, status: &str, at: i64, more: &Value) -> Value {
    let mut value = json!({ "id": wamid, "status": status, "timestamp": (T + at).to_string() });
    value.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    whatsapp(&json!({ "statuses": [value] }))
}

const ID: &str = "GB.1000000000000001";
const PHONE: &str = "447400123456";

/// A person has written on WhatsApp.
async fn written() -> (World, ConversationId) {
    let world = World::connected().await;
    world.deliver(&message("wamid.1", None, Some(PHONE), 0, &words("Hi"))).await;
    let id = world.conversation().await.0.id;
    (world, id)
}

#[tokio::test]
async fn a_delivery_goes_forward_only_and_a_failure_keeps_its_reason() {
    let statuses = [("delivered", 12), ("sent", 10), ("read", 20), ("delivered", 12)];
    // Meta tells before it answers the call, and without what we wrote into the message.
    for is_told_first in [false, true] {
        let (world, id) = written().await;
        let answer = world.answer(&id, text("Hello Sam")).await.unwrap();
        let tell = async || {
            for (word, at) in statuses {
                world.deliver(&status("mid1", word, at, &json!({}))).await;
            }
        };
        if is_told_first {
            tell().await;
        }
        world.settle_answer(&answer.id).await;
        if !is_told_first {
            tell().await;
        }
        let state = world.read_state(&answer.id).await;
        assert_eq!(state.status(None, None), MessageStatus::Read, "{is_told_first}");
        let times: Vec<i64> = state.reports.values().map(|at| at.as_second() - T).collect();
        assert_eq!(times, [10, 12, 20]);
        assert_eq!(world.conversation().await.1.len(), 2);
    }
    let (world, id) = written().await;
    let answer = world.answer(&id, text("Hello Sam")).await.unwrap();
    world.settle_answer(&answer.id).await;
    world.deliver(&status("mid1", "failed", 11, &json!({ "errors": [{ "code": 131_026 }] }))).await;
    world.deliver(&status("mid1", "sent", 10, &json!({}))).await;
    let shown = world.show_messages(&id).await.remove(1);
    assert_eq!(shown.status, MessageStatus::Failed);
    assert!(shown.reason.unwrap().contains("cannot deliver to this person"));
}

#[tokio::test]
async fn a_message_that_comes_twenty_times_at_once_is_one_for_each_org_and_an_album_is_one_conversation() {
    let world = World::connected().await;
    let other = world.connect("b").await;
    let one = message("wamid.D", None, Some(PHONE), 0, &words("Hi"));
    join_all((0..20).map(|_| world.deliver(&one))).await;
    let texts = async |scope: &OrgScope| {
        let table = &world.engagement.table;
        let status = crate::model::inbox::ConversationStatus::Open;
        let found = table.conversations(scope, status, None, 10).await.unwrap();
        assert_eq!((found.len(), table.contacts(scope, None, 10).await.unwrap().len()), (1, 1));
        let messages = table.messages(scope, &found[0].1.id, None, 10).await.unwrap();
        messages.iter().rev().map(|(_, state)| state.mid.clone().unwrap()).collect::<Vec<_>>()
    };
    assert_eq!(
        (texts(&world.owner.scope).await, texts(&other).await),
        (vec!["wamid.D".into()], vec!["wamid.D".into()])
    );
    let told: Vec<String> =
        world.fixture.meta.world().events.iter().filter(|id| id.starts_with("message")).cloned().collect();
    assert!(told.len() == 2 && told[0] != told[1], "{told:?}");

    let world = World::connected().await;
    let picture = |number: i64| {
        let part = json!({ "type": "image", "image": { "id": number.to_string() } });
        message(&format!("wamid.I{number}"), None, Some("31600000009"), number, &part)
    };
    let album = [picture(3), picture(1), picture(2)];
    join_all(album.iter().map(|body| world.deliver(body))).await;
    let shown = world.show_messages(&world.conversation().await.0.id).await;
    let mids: Vec<_> = shown.iter().filter_map(|message| message.meta_id.as_deref()).collect();
    assert_eq!((mids, world.contacts().await.len()), (vec!["wamid.I1", "wamid.I2", "wamid.I3"], 1));
}

#[tokio::test]
async fn a_person_without_a_number_is_listed_and_found_and_stays_the_same_with_one() {
    let world = World::connected().await;
    let (lead, phone) = (LeadId::from_leadgen(&LeadgenId::parse("1").unwrap()), format!("+{PHONE}"));
    for key in person_keys(None, Some(&phone)) {
        world.engagement.table.claim_person(&world.owner.scope, &key, &lead).await.unwrap();
    }
    world.deliver(&message("wamid.B1", Some(ID), None, 0, &words("Hi"))).await;
    let contact = world.contacts().await.remove(0);
    let channel = &contact.channels[0];
    assert_eq!((contact.name.as_deref(), channel.meta_id.as_deref(), &channel.phone), (Some("Sam"), Some(ID), &None));
    assert_eq!((world.count_found("sam").await, &contact.lead_id), (1, &None));
    // Answers go to the id, as it is.
    let id = world.conversation().await.0.id;
    let answer = world.answer(&id, text("Hello Sam")).await.unwrap();
    world.settle_answer(&answer.id).await;
    let body = world.sent()[0]["body"].clone();
    assert_eq!((&body["recipient"], &body["to"]), (&json!(ID), &Value::Null));
    world.deliver(&status("mid1", "delivered", 20, &json!({ "recipient_user_id": ID }))).await;
    assert_eq!(world.read_state(&answer.id).await.status(None, None), MessageStatus::Delivered);

    world.deliver(&message("wamid.B2", Some(ID), Some(PHONE), 30, &words("It's me"))).await;
    let joined = world.contacts().await;
    assert_eq!((joined.len(), &joined[0].id, &joined[0].lead_id), (1, &contact.id, &Some(lead)));
    assert_eq!(joined[0].phones().collect::<Vec<_>>(), [phone]);
    assert_eq!(world.conversation().await.1.len(), 3);
}

#[tokio::test]
async fn whoever_is_known_by_a_number_and_by_an_id_is_one_person_once_meta_says_both() {
    let messages = [
        message("wamid.1", Some(ID), None, 1, &words("By the id")),
        message("wamid.2", None, Some(PHONE), 2, &words("By the number")),
        message("wamid.3", Some(ID), Some(PHONE), 3, &words("By both")),
    ];
    for order in orders(&messages) {
        let world = World::connected().await;
        for body in &order {
            world.deliver(body).await;
        }
        for body in &order {
            world.deliver(body).await;
        }
        let contacts = world.contacts().await;
        assert_eq!(contacts.len(), 1, "{contacts:?}");
        // Each conversation there is leads to the person.
        for (conversation, _) in world.conversations().await {
            let way = contacts[0].channel_in(&conversation).unwrap();
            assert!(way.meta_id.is_some() || way.phone.is_some());
            world.answer(&conversation.id, text("Hello")).await.unwrap();
        }
        let texts: usize = world.conversations().await.iter().map(|(_, texts)| texts.len() - 1).sum();
        assert_eq!(texts, 3);
    }
}

#[tokio::test]
async fn after_a_change_of_the_number_answers_go_to_the_new_one() {
    let system = |part: Value| {
        let mut value = json!({ "id": "wamid.S", "timestamp": (T + 5).to_string(), "type": "system", "system": part });
        (value["from"], value["from_user_id"]) = (json!(PHONE), json!(ID));
        whatsapp(&json!({ "messages": [value] }))
    };
    let world = World::connected().await;
    world.deliver(&message("wamid.1", Some(ID), Some(PHONE), 0, &words("Hi"))).await;
    let changed = json!({ "type": "user_changed_number", "wa_id": "447400123457", "user_id": "GB.2" });
    world.deliver(&system(changed)).await;
    world.deliver(&message("wamid.2", Some("GB.2"), Some("447400123457"), 9, &words("My new number"))).await;
    let (conversation, texts) = world.conversation().await;
    assert_eq!((texts.len(), world.contacts().await.len()), (2, 1));
    let answer = world.answer(&conversation.id, text("Noted")).await.unwrap();
    world.settle_answer(&answer.id).await;
    assert_eq!(world.sent()[0]["body"]["to"], "+447400123457");
    // The old number gets another owner.
    world.deliver(&message("wamid.3", Some("GB.3"), Some(PHONE), 99, &words("Who is this?"))).await;
    let contacts: Vec<Contact> = world.contacts().await;
    assert_eq!((contacts.len(), world.conversations().await.len()), (2, 2));
}

#[tokio::test]
async fn a_dead_token_is_checked_and_no_other_failure_ends_a_connection() {
    for (code, checks) in [(190, 1), (131_047, 0), (131_026, 0), (100, 0)] {
        let (world, id) = written().await;
        let answer = world.answer(&id, text("Hello Sam")).await.unwrap();
        let fault = Fault { call: "POST PN1/messages", after: false, error: Some((code, None)) };
        world.fixture.meta.world().faults.push_back(fault);
        let state = world.settle_answer(&answer.id).await;
        assert_eq!((state.status(None, None), world.checks()), (MessageStatus::Failed, checks), "{code}");
    }
}

/// A picture on WhatsApp, and the worker that copies it.
async fn pictured() -> (World, ConversationId, AttachmentKeeper, AttachmentJob, Value) {
    let world = World::connected().await;
    let body = message("wamid.P1", None, Some(PHONE), 0, &json!({ "type": "image", "image": { "id": "900" } }));
    world.deliver(&body).await;
    let id = world.conversation().await.0.id;
    let Fixture { publisher, .. } = &world.fixture;
    let keeper =
        AttachmentKeeper::new(publisher.meta.clone(), publisher.table.clone(), publisher.files.clone()).unwrap();
    let message = world.show_messages(&id).await.remove(0).id;
    let job = AttachmentJob { org: world.owner.scope.org().clone(), message, position: 0 };
    (world, id, keeper, job, body)
}

#[tokio::test]
async fn a_file_that_could_not_be_had_at_once_is_had_later_and_its_message_is_one() {
    let (world, id, keeper, job, body) = pictured().await;
    {
        let mut meta = world.fixture.meta.world();
        meta.whatsapp_file = Some(format!("{}/lookaside/900", world.fixture.endpoint));
        for call in ["GET 900", "GET 900", "GET lookaside/900"] {
            meta.faults.push_back(Fault { call, after: false, error: Some((2, None)) });
        }
    }
    let mut tries = 0;
    loop {
        let shown = world.show_messages(&id).await;
        assert_eq!(shown.len(), 1);
        tries += 1;
        let copied = keeper.copy(&job, false, at(1)).await;
        world.deliver(&body).await;
        match copied {
            Ok(()) => break,
            Err(_) => assert_eq!(shown[0].attachments[0].status, AttachmentStatus::Coming),
        }
        assert!(tries < 10);
    }
    let file = world.show_messages(&id).await.remove(0).attachments.remove(0);
    assert_eq!((tries, file.status), (4, AttachmentStatus::Ready));
    assert!(file.url.unwrap().starts_with(&format!("{}/files/attachments/a/", world.fixture.endpoint)), "kept by us");
    // The address is asked for each time, and the file with the token.
    assert_eq!((world.fixture.meta.calls("GET 900"), world.fixture.meta.calls("GET lookaside/900")), (4, 2));
    assert_eq!(world.fixture.meta.world().files.len(), 1);
}

#[tokio::test]
async fn a_file_that_is_gone_leaves_its_message_and_says_why() {
    let (world, id, keeper, job, _) = pictured().await;
    assert!(keeper.copy(&job, false, at(1)).await.is_err(), "it may yet come");
    keeper.copy(&job, true, at(1)).await.unwrap();
    let shown = world.show_messages(&id).await;
    let file = &shown[0].attachments[0];
    assert_eq!((shown.len(), file.status, &file.url), (1, AttachmentStatus::Unavailable, &None));
    assert!(file.reason.as_deref().unwrap().contains("Meta"));
}

#[tokio::test]
async fn what_was_accepted_and_then_refused_has_failed_once_and_is_not_sent_again() {
    // The window closes while the answer waits.
    let (world, id) = written().await;
    world.fixture.meta.world().now += SignedDuration::from_mins(23 * 60 + 58);
    let answer = world.answer(&id, text("Just in time")).await.unwrap();
    world.fixture.meta.world().now += SignedDuration::from_mins(5);
    let state = world.settle_answer(&answer.id).await;
    assert!(state.failure.unwrap().message.contains("template") && world.sent().is_empty());
    assert_eq!(world.answer(&id, text("Hi")).await.unwrap_err().code(), ErrorCode::WindowClosed);

    let (world, id) = written().await;
    let answer = world.answer(&id, text("Hello Sam")).await.unwrap();
    assert_eq!(world.settle_answer(&answer.id).await.status(None, None), MessageStatus::Sent);
    let refused = json!({ "errors": [{ "code": 131_047, "title": "Re-engagement message" }] });
    for _ in 0..2 {
        world.deliver(&status("mid1", "failed", 20, &refused)).await;
    }
    let state = world.settle_answer(&answer.id).await;
    assert_eq!(state.status(Some(world.now()), Some(world.now())), MessageStatus::Failed);
    let shown = world.show_messages(&id).await.remove(1);
    assert!(shown.reason.unwrap().contains("Only an approved template is delivered"));
    assert_eq!((world.sent().len(), world.checks(), shown.status), (1, 0, MessageStatus::Failed));
    assert_eq!(world.conversation().await.0.channel, Channel::Whatsapp);
}
