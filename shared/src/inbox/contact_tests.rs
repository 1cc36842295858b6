//! Who a person is, whatever Meta says of them, and in whatever order.

use super::tests::{World, at, new, orders};
use crate::model::inbox::event::{InboxEvent, InboxEventKind, NewMessage, Person, Signal, SignalType};
use crate::model::inbox::{Channel, Contact};
use crate::model::lead::FoundBy;
use crate::publishing::test_support::Fault;

#[tokio::test]
async fn a_whatsapp_person_is_one_whether_meta_says_the_number_or_not() {
    let whatsapp = |mid: &str, id: Option<&str>, phone: Option<&str>| {
        let person = Person {
            id: id.map(ToOwned::to_owned),
            phone: phone.map(ToOwned::to_owned),
            name: Some("Sam".to_owned()),
            ..Person::default()
        };
        let new = NewMessage { person, ..new(mid, "", mid, 1) };
        InboxEvent {
            channel: Channel::Whatsapp,
            account: "PN1".to_owned(),
            kind: InboxEventKind::Message(Box::new(new)),
        }
    };
    let messages = [
        whatsapp("b1", Some("GB.1"), None),
        whatsapp("b2", Some("GB.1"), Some("447700900123")),
        whatsapp("b3", None, Some("447700900123")),
    ];
    // Without the message that names both, nothing joins the two: it comes before one of them.
    for order in orders(&messages).into_iter().filter(|order| order[2] != &messages[1]) {
        let world = World::new().await;
        for event in order {
            world.take(event).await;
        }
        let contacts = world.contacts().await;
        assert_eq!((contacts.len(), world.conversations().await.len()), (1, 1), "{contacts:?}");
        assert_eq!(contacts[0].phones().collect::<Vec<_>>(), ["+447700900123"]);
    }
    // The number gets another owner.
    let world = World::new().await;
    world.take(&whatsapp("b2", Some("GB.1"), Some("447700900123"))).await;
    world.take(&whatsapp("b4", Some("GB.2"), Some("447700900123"))).await;
    assert_eq!(world.contacts().await.len(), 2);
}

#[tokio::test]
async fn who_is_mentioned_by_user_name_alone_is_the_person_who_writes_under_it() {
    let on_instagram = |kind| InboxEvent { channel: Channel::InstagramComment, account: "178".to_owned(), kind };
    let called = |id: Option<&str>, username: &str| Person {
        id: id.map(ToOwned::to_owned),
        username: Some(username.to_owned()),
        ..Person::default()
    };
    let mention = |on: &str, username: &str| {
        on_instagram(InboxEventKind::Signal(Signal {
            r#type: SignalType::Mention,
            person: called(None, username),
            on: on.to_owned(),
            value: Some("Look!".to_owned()),
            permalink: None,
            at: at(1),
            active: true,
        }))
    };
    let comment = |mid: &str, id: &str, username: &str| {
        let new = NewMessage { person: called(Some(id), username), ..new(mid, "", "Nice", 2) };
        on_instagram(InboxEventKind::Message(Box::new(new)))
    };
    for order in orders(&[mention("31", "lena.k"), comment("41", "88001", "lena.k")]) {
        let world = World::new().await;
        for event in order {
            world.take(event).await;
        }
        let contacts = world.contacts().await;
        assert_eq!(contacts.len(), 1, "{contacts:?}");
        assert_eq!((contacts[0].signals.len(), contacts[0].channels[0].meta_id.as_deref()), (1, Some("88001")));
    }
    // She takes another name, and someone else takes hers.
    let world = World::new().await;
    world.take(&comment("41", "88001", "lena.k")).await;
    world.take(&comment("42", "88001", "lena.new")).await;
    world.take(&mention("31", "lena.k")).await;
    world.take(&comment("43", "99001", "lena.k")).await;
    let contacts = world.contacts().await;
    let signals = |id: &str| {
        let has = |contact: &&Contact| contact.channels[0].meta_id.as_deref() == Some(id);
        contacts.iter().find(has).unwrap().signals.len()
    };
    assert_eq!((contacts.len(), signals("88001"), signals("99001")), (2, 0, 1), "{contacts:?}");
    // The names that she had are gone with her.
    let access = world.fixture.access().await;
    for contact in &contacts {
        world.inbox.erase_contact(&access.scope, &contact.id, at(9)).await.unwrap();
    }
    let everything = format!("{:?}", world.engagement.table.everything().await);
    assert!(!everything.contains("lena") && !everything.contains("88001"), "{everything}");
}

#[tokio::test]
async fn a_mention_that_meta_does_not_show_is_skipped_and_one_that_it_cannot_show_now_comes_later() {
    let world = World::new().await;
    let kind = InboxEventKind::Mentioned { on: "41".to_owned(), in_comment: true };
    let mention = InboxEvent { channel: Channel::InstagramComment, account: "178".to_owned(), kind };
    let take = async |code, subcode| {
        let fault = Fault { call: "GET 178", after: false, error: Some((code, subcode)) };
        world.fixture.meta.world().faults.push_back(fault);
        world.engagement.take_event(&world.owner, &mention, FoundBy::Webhook, false, at(1)).await
    };
    assert!(take(100, Some(33)).await.is_ok());
    assert!(take(2, None).await.is_err(), "the queue repeats it");
    assert!(world.contacts().await.is_empty());
}
