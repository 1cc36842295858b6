//! What members do with conversations and contacts.

use super::tests::{World, at, comment, event, message};
use super::{ContactChangeIn, ConversationQuery};
use crate::model::inbox::Channel;
use crate::model::inbox::event::InboxEventKind;

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
    // What comes later for either is theirs.
    world.take(&comment("k2", "q", "Another", 3, None)).await;
    assert_eq!(world.inbox.conversations(&access, &query, None, 25, at(10)).await.unwrap().items.len(), 3);
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
