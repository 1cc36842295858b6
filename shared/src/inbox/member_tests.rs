//! What members do with conversations and contacts.

use std::collections::BTreeMap;

use futures_util::future::join_all;
use jiff::SignedDuration;

use super::tests::{World, at, comment, event, message, new};
use super::{ContactChangeIn, ConversationQuery, SavedReplyIn};
use crate::error::ErrorCode;
use crate::ids::SavedReplyId;
use crate::model::inbox::Channel;
use crate::model::inbox::event::InboxEventKind;
use crate::model::lead::assignment::Assignment;
use crate::model::org::User;
use crate::table::integration::IntegrationSettings;
use crate::table::tests::user;

#[tokio::test]
async fn two_contacts_that_a_member_joins_are_one_person_with_both_conversations() {
    let world = World::new().await;
    let access = world.fixture.access().await;
    world.take(&message("m1", "p", "On Messenger", 1)).await;
    world.take(&comment("k1", "q", "A comment", 2, None)).await;
    let contacts = world.contacts().await;
    let (one, other) = (contacts[0].id.clone(), contacts[1].id.clone());
    let same = ContactChangeIn { same_as: Some(other.clone()), ..ContactChangeIn::default() };
    world.inbox.change_contact(&access, &one, &same).await.unwrap();
    assert_eq!(world.contacts().await.len(), 1);
    assert_eq!(world.inbox.contact(&access, &other).await.unwrap().id, one);
    let query = ConversationQuery { contact_id: Some(one.clone()), ..ConversationQuery::default() };
    let list = world.inbox.conversations(&access, &query, None, 25, at(10)).await.unwrap();
    assert_eq!(list.items.len(), 2);
    assert!(list.items.iter().all(|item| item.contact.as_ref().unwrap().id == one));
    // On Messenger each keeps the conversation they had, and is answered there.
    world.take(&message("m2", "q", "On Messenger as well", 3)).await;
    world.take(&message("m3", "p", "Me again", 4)).await;
    let contact = world.contacts().await.remove(0);
    let mut chats = Vec::new();
    for (conversation, texts) in world.conversations().await {
        if conversation.channel == Channel::Messenger {
            let way = contact.channel_in(&conversation).unwrap().meta_id.clone().unwrap();
            chats.push((way, texts));
        }
    }
    chats.sort();
    let texts = |texts: &[&str]| texts.iter().map(ToString::to_string).collect::<Vec<_>>();
    let expected = [("p", texts(&["On Messenger", "Me again"])), ("q", texts(&["On Messenger as well"]))];
    assert_eq!(chats, expected.map(|(way, texts)| (way.to_owned(), texts)));
    // What comes later for either is theirs.
    world.take(&comment("k2", "q", "Another", 5, None)).await;
    assert_eq!(world.inbox.conversations(&access, &query, None, 25, at(10)).await.unwrap().items.len(), 4);
}

#[tokio::test]
async fn a_comment_s_conversation_belongs_to_its_author_though_a_reply_came_first() {
    let world = World::new().await;
    world.take(&comment("k2", "q", "I know!", 2, Some("k1"))).await;
    world.take(&comment("k1", "p", "Until when?", 1, None)).await;
    let (conversation, texts) = world.conversations().await.remove(0);
    assert_eq!(texts, ["Until when?", "I know!"]);
    let contacts = world.contacts().await;
    let author = contacts.iter().find(|contact| contact.name.as_deref() == Some("Visitor p")).unwrap();
    assert_eq!(conversation.contact_id.as_ref(), Some(&author.id));
}

#[tokio::test]
async fn a_conversation_is_found_by_the_person_and_by_what_was_written_and_not_by_what_is_gone() {
    let world = World::new().await;
    let access = world.fixture.access().await;
    for number in 0..30 {
        let (mid, from) = (format!("m{number}"), format!("{}", 400 + number));
        world.take(&message(&mid, &from, &format!("Do you have size {number}?"), number)).await;
    }
    let found = async |words: &str| {
        let query = ConversationQuery { words: Some(words.to_owned()), ..ConversationQuery::default() };
        world.inbox.conversations(&access, &query, None, 25, at(100)).await.unwrap().items.len()
    };
    assert_eq!((found("SIZE 17").await, found("visitor 404").await, found("hat").await), (1, 1, 0));
    assert_eq!(found("size").await, 25, "a page of them");
    world.take(&event(Channel::Messenger, InboxEventKind::Deleted { mid: "m17".to_owned(), at: at(200) })).await;
    assert_eq!(found("size 17?").await, 0);
}

#[tokio::test]
async fn messages_of_one_second_stand_as_they_arrived_and_listed_ones_where_the_list_has_them() {
    let world = World::new().await;
    let arrived = |mid: &str, text: &str, second: i64, after_ms: i64| {
        let mut new = new(mid, "p", text, second);
        new.arrived_at += SignedDuration::from_millis(after_ms);
        event(Channel::Messenger, InboxEventKind::Message(Box::new(new)))
    };
    let texts = async |world: &World| world.conversations().await.remove(0).1;
    // WhatsApp has whole seconds.
    for (mid, text, after_ms) in [("m3", "Three", 30), ("m1", "One", 10), ("m2", "Two", 20)] {
        world.take(&arrived(mid, text, 1, after_ms)).await;
    }
    assert_eq!(texts(&world).await, ["One", "Two", "Three"]);
    // The webhook told of the first and the last of a second, in milliseconds; the list has all of them, in seconds.
    let told = |mid: &str, text: &str, millisecond: i64| {
        let mut new = new(mid, "p", text, 2);
        new.created_time += SignedDuration::from_millis(millisecond);
        event(Channel::Messenger, InboxEventKind::Message(Box::new(new)))
    };
    world.take(&told("m4", "Four", 400)).await;
    world.take(&told("m7", "Seven", 700)).await;
    let listed = [("m4", "Four"), ("m5", "Five"), ("m6", "Six"), ("m7", "Seven"), ("m8", "Eight")];
    let listed: Vec<_> = listed.iter().map(|(mid, text)| message(mid, "p", text, 2)).collect();
    assert_eq!(world.engagement.take_missed(&world.owner, &listed, at(1_000)).await.unwrap(), 3);
    assert_eq!(texts(&world).await, ["One", "Two", "Three", "Four", "Five", "Six", "Seven", "Eight"]);
}

#[tokio::test]
async fn a_list_brings_what_only_its_edit_was_reported_of_and_edits_that_were_not() {
    let world = World::new().await;
    let edited = InboxEventKind::Edited { mid: "m1".into(), text: "One, edited".into(), at: at(2) };
    world.take(&event(Channel::Messenger, edited)).await;
    world.take(&message("m2", "p", "Two", 3)).await;
    let listed = [message("m1", "p", "One, edited", 1), message("m2", "p", "Two, edited", 3)];
    assert_eq!(world.engagement.take_missed(&world.owner, &listed, at(1_000)).await.unwrap(), 1);
    assert_eq!(world.conversations().await[0].1, ["One, edited", "Two, edited"]);
    // A list that is older than the newest edit changes nothing.
    let edited = InboxEventKind::Edited { mid: "m2".into(), text: "Two, at last".into(), at: at(1_001) };
    world.take(&event(Channel::Messenger, edited)).await;
    world.engagement.take_missed(&world.owner, &listed, at(1_002)).await.unwrap();
    assert_eq!(world.conversations().await[0].1, ["One, edited", "Two, at last"]);
}

#[tokio::test]
async fn saved_replies_are_listed_by_title_and_changed_only_where_they_are() {
    let world = World::new().await;
    let access = world.fixture.access().await;
    let reply = |title: &str| SavedReplyIn { title: title.to_owned(), text: "We are open until six.".to_owned() };
    let save = async |id: Option<&SavedReplyId>, input| world.inbox.save_reply(&access, id, input, at(1)).await;
    save(None, reply("parking")).await.unwrap();
    let hours = save(None, reply(" Hours ")).await.unwrap();
    save(Some(&hours.id), SavedReplyIn { text: "Until seven.".to_owned(), ..reply("Hours") }).await.unwrap();
    let listed = world.inbox.saved_replies(&access).await.unwrap();
    let listed: Vec<_> = listed.iter().map(|reply| (reply.title.as_str(), reply.text.as_str())).collect();
    assert_eq!(listed, [("Hours", "Until seven."), ("parking", "We are open until six.")]);
    assert_eq!(save(Some(&SavedReplyId::new()), reply("x")).await.unwrap_err().code(), ErrorCode::NotFound);
    for input in [reply("  "), reply(&"x".repeat(81)), SavedReplyIn { text: "x".repeat(2_001), ..reply("x") }] {
        assert_eq!(save(None, input).await.unwrap_err().code(), ErrorCode::LengthInvalid);
    }
    world.inbox.delete_saved_reply(&access, &hours.id).await.unwrap();
    assert_eq!(world.inbox.saved_replies(&access).await.unwrap().len(), 1);
    for number in 1..200 {
        save(None, reply(&number.to_string())).await.unwrap();
    }
    assert_eq!(save(None, reply("one more")).await.unwrap_err().code(), ErrorCode::LimitReached);
}

#[tokio::test]
async fn conversations_that_open_at_once_go_round_the_members_and_leads_keep_their_turn() {
    let world = World::new().await;
    let (table, scope) = (&world.engagement.table, &world.owner.scope);
    for (id, permissions) in [("ann", "inbox"), ("bob", "inbox"), ("zoe", "inbox"), ("max", "lead_management")] {
        let user = User { permissions: vec![permissions.to_owned()], ..user(id, true) };
        table.put_user(scope, &user).await.unwrap();
    }
    let settings =
        IntegrationSettings { inbox_assignment: Some(Assignment::RoundRobin), ..IntegrationSettings::default() };
    table.set_settings(scope, &world.owner.integration_id, &settings).await.unwrap();
    let leads_turn = table.rotation(scope).await.unwrap();
    let arrive = |number: usize| {
        let world = &world;
        async move { world.take(&message(&format!("m{number}"), &format!("p{number}"), "Hello", 1)).await }
    };
    join_all((0..12).map(arrive)).await;
    let conversations = world.conversations().await;
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for (conversation, _) in &conversations {
        *counts.entry(conversation.assigned_to.as_ref().unwrap().as_str()).or_default() += 1;
    }
    assert_eq!(counts, BTreeMap::from([("ann", 4), ("bob", 4), ("zoe", 4)]));
    assert_eq!(table.rotation(scope).await.unwrap(), leads_turn);
    // A member who has a conversation keeps it.
    world.take(&message("again", "p0", "Are you there?", 5)).await;
    let after = world.conversations().await;
    let after = &after.iter().find(|(_, texts)| texts.len() == 2).unwrap().0;
    let before = &conversations.iter().find(|(known, _)| known.id == after.id).unwrap().0;
    assert_eq!(after.assigned_to, before.assigned_to);
}

#[tokio::test]
async fn an_erased_person_is_gone_with_all_they_wrote_and_does_not_come_back_with_meta_s_lists() {
    let world = World::new().await;
    let access = world.fixture.access().await;
    let written = [
        message("m1", "p", "My number is 555 1234", 1),
        comment("k1", "p", "Until when?", 2, None),
        comment("k2", "q", "I ask myself, too", 3, None),
        comment("k3", "p", "So do I, call 555 1234", 4, Some("k2")),
    ];
    for event in &written {
        world.take(event).await;
    }
    let contacts = world.contacts().await;
    let person = contacts.iter().find(|contact| contact.name.as_deref() == Some("Visitor p")).unwrap().id.clone();
    for _ in 0..2 {
        world.inbox.erase_contact(&access.scope, &person, at(500)).await.unwrap();
    }
    let left = async || world.conversations().await.into_iter().map(|(_, texts)| texts).collect::<Vec<_>>();
    assert_eq!(left().await, [["I ask myself, too", "-"]]);
    assert_eq!(world.contacts().await.len(), 1);
    let everything = format!("{:?}", world.engagement.table.everything().await);
    for trace in ["555 1234", "Visitor p", "Until when?"] {
        assert!(!everything.contains(trace), "{trace}");
    }
    assert_eq!(world.engagement.take_missed(&world.owner, &written, at(600)).await.unwrap(), 0);
    assert_eq!(left().await, [["I ask myself, too", "-"]]);
    // They write again: as someone who is seen for the first time.
    world.take(&message("m9", "p", "Hello", 700)).await;
    assert_eq!(left().await.len(), 2);
    assert_eq!(world.contacts().await.len(), 2);
}
