//! Notices become conversations: once, whatever their order, their number and who else is at it.

use futures_util::future::join_all;
use jiff::Timestamp;

use super::ingest::{AccountOwner, Engagement};
use super::{ConversationChangeIn, Inbox};
use crate::ids::{ConversationId, PageId};
use crate::model::inbox::event::{
    DeliveryReport, InboxEvent, InboxEventKind, NewMessage, Person, PostRef, Signal, SignalType,
};
use crate::model::inbox::people::message_id;
use crate::model::inbox::state::{MessageState, MessageStatus};
use crate::model::inbox::{Channel, Contact, Conversation, ConversationStatus};
use crate::model::lead::FoundBy;
use crate::publishing::test_support::Fixture;
use crate::queue::Queue;
use crate::table::tests::connection;

pub(super) fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_790_000_000 + second).unwrap()
}

/// The inbox as members use it.
pub(super) fn inbox(fixture: &Fixture) -> Inbox {
    let publishing = fixture.publishing();
    let answers = Queue::new(fixture.sqs.clone(), format!("{}/answers", fixture.endpoint));
    Inbox {
        meta: fixture.publisher.meta.clone(),
        table: publishing.table,
        bus: fixture.publisher.bus.clone(),
        files: publishing.files,
        answers,
        has_human_agent: false,
        key: publishing.key,
    }
}

pub(crate) struct World {
    pub(crate) fixture: Fixture,
    pub(super) engagement: Engagement,
    pub(crate) inbox: Inbox,
    pub(super) owner: AccountOwner,
}

impl World {
    pub(super) async fn new() -> Self {
        let fixture = Fixture::new().await;
        let (table, bus) = (fixture.publisher.table.clone(), fixture.publisher.bus.clone());
        let owner = AccountOwner {
            scope: fixture.scope.clone(),
            page_id: Some(PageId::parse("7").unwrap()),
            integration_id: connection("a").integration_id,
            connected_at: None,
        };
        let inbox = inbox(&fixture);
        let attachments = Queue::new(fixture.sqs.clone(), format!("{}/attachments", fixture.endpoint));
        let files = fixture.publisher.files.clone();
        Self {
            engagement: Engagement { meta: fixture.publisher.meta.clone(), table, bus, attachments, files },
            inbox,
            owner,
            fixture,
        }
    }

    pub(super) async fn take(&self, event: &InboxEvent) {
        self.engagement.take_event(&self.owner, event, FoundBy::Webhook, false, at(1_000)).await.unwrap();
    }

    pub(super) async fn message(&self, channel: Channel, mid: &str) -> Option<MessageState> {
        self.engagement.table.message(&self.owner.scope, &message_id(channel, mid)).await.unwrap()
    }

    /// The conversations with the texts of their messages, oldest first.
    pub(super) async fn conversations(&self) -> Vec<(Conversation, Vec<String>)> {
        let mut found = Vec::new();
        for status in [ConversationStatus::Open, ConversationStatus::Closed, ConversationStatus::Snoozed] {
            for (_, conversation) in
                self.engagement.table.conversations(&self.owner.scope, status, None, 100).await.unwrap()
            {
                let messages =
                    self.engagement.table.messages(&self.owner.scope, &conversation.id, None, 100).await.unwrap();
                let text = |state: &MessageState| state.text().unwrap_or("-").to_owned();
                found.push((conversation, messages.iter().rev().map(|(_, state)| text(state)).collect()));
            }
        }
        found
    }

    pub(super) async fn contacts(&self) -> Vec<Contact> {
        let found = self.engagement.table.contacts(&self.owner.scope, None, 100).await.unwrap();
        found.into_iter().map(|(_, contact)| contact).collect()
    }

    pub(super) fn events(&self) -> usize {
        let is_of_message = |id: &&String| !id.starts_with("conversation.changed");
        self.fixture.meta.world().events.iter().filter(is_of_message).count()
    }
}

pub(super) fn person(id: &str) -> Person {
    Person { id: Some(id.to_owned()), name: Some(format!("Visitor {id}")), ..Person::default() }
}

pub(super) fn event(channel: Channel, kind: InboxEventKind) -> InboxEvent {
    InboxEvent { channel, account: "7".to_owned(), kind }
}

pub(super) fn new(mid: &str, from: &str, text: &str, second: i64) -> NewMessage {
    NewMessage {
        mid: mid.to_owned(),
        is_ours: false,
        person: person(from),
        text: Some(text.to_owned()),
        attachments: Vec::new(),
        created_time: at(second),
        arrived_at: at(second),
        parent: None,
        post: None,
        ours: None,
        app_id: None,
        standby: false,
        ad_id: None,
    }
}

pub(super) fn message(mid: &str, from: &str, text: &str, second: i64) -> InboxEvent {
    event(Channel::Messenger, InboxEventKind::Message(Box::new(new(mid, from, text, second))))
}

pub(super) fn comment(mid: &str, from: &str, text: &str, second: i64, parent: Option<&str>) -> InboxEvent {
    let post = Some(PostRef { id: "7_1".to_owned(), copy: None, ad_id: None, permalink: None });
    let new = NewMessage { parent: parent.map(ToOwned::to_owned), post, ..new(mid, from, text, second) };
    event(Channel::FacebookComment, InboxEventKind::Message(Box::new(new)))
}

/// All orders of these events, or those that `is_possible` leaves.
pub(super) fn orders<T>(events: &[T]) -> Vec<Vec<&T>> {
    let mut orders: Vec<Vec<usize>> = vec![Vec::new()];
    for _ in events {
        let longer = orders.iter().flat_map(|order| {
            let rest = (0..events.len()).filter(|next| !order.contains(next));
            rest.map(|next| order.iter().copied().chain([next]).collect::<Vec<_>>()).collect::<Vec<_>>()
        });
        orders = longer.collect();
    }
    orders.into_iter().map(|order| order.into_iter().map(|position| &events[position]).collect()).collect()
}

#[tokio::test]
async fn messages_of_a_person_are_one_conversation_in_the_order_in_which_they_were_written() {
    let events = [message("m1", "p", "One", 1), message("m2", "p", "Two", 2), message("m3", "p", "Three", 3)];
    for order in orders(&events) {
        let world = World::new().await;
        for event in order {
            world.take(event).await;
            world.take(event).await;
        }
        let conversations = world.conversations().await;
        assert_eq!(conversations.len(), 1);
        let (conversation, texts) = &conversations[0];
        assert_eq!(texts, &["One", "Two", "Three"]);
        assert_eq!(
            (conversation.unread, conversation.preview.as_str(), conversation.last_message_at),
            (3, "Three", at(3))
        );
        assert_eq!((world.contacts().await.len(), world.events()), (1, 3));
    }
}

#[tokio::test]
async fn the_same_message_twenty_times_at_once_is_one_message_and_one_event() {
    let world = World::new().await;
    let one = message("m1", "p", "Hi", 1);
    join_all((0..20).map(|_| world.take(&one))).await;
    let album = [message("i1", "q", "1", 1), message("i2", "q", "2", 2), message("i3", "q", "3", 3)];
    join_all(album.iter().map(|event| world.take(event))).await;
    let mut conversations = world.conversations().await;
    conversations.sort_by_key(|(_, texts)| texts.len());
    let texts: Vec<_> = conversations.iter().map(|(_, texts)| texts.join(" ")).collect();
    assert_eq!(texts, ["Hi", "1 2 3"]);
    assert_eq!((world.contacts().await.len(), world.events()), (2, 4));
}

#[tokio::test]
async fn a_message_whose_worker_could_not_tell_of_it_is_told_when_it_comes_again() {
    let world = World::new().await;
    let one = message("m1", "p", "Hi", 1);
    world.take(&one).await;
    assert_eq!(world.events(), 1);
    let again = world.engagement.take_event(&world.owner, &one, FoundBy::Webhook, true, at(2));
    again.await.unwrap();
    let events = world.fixture.meta.world().events.clone();
    let told: Vec<&String> = events.iter().filter(|id| id.starts_with("message.received")).collect();
    assert_eq!((told.len(), told[0]), (2, told[1]), "with the same id");
}

#[tokio::test]
async fn replies_stand_in_the_conversation_of_the_comment_above() {
    let world = World::new().await;
    for event in [
        comment("k1", "p", "Is size M back?", 1, None),
        comment("k2", "q", "I want to know too", 2, Some("k1")),
        comment("k3", "p", "Thanks", 3, Some("k2")),
        comment("k4", "r", "Nice", 4, None),
    ] {
        world.take(&event).await;
    }
    let mut conversations = world.conversations().await;
    conversations.sort_by_key(|(conversation, _)| conversation.root.clone());
    assert_eq!(conversations.len(), 2);
    assert_eq!(conversations[0].1, ["Is size M back?", "I want to know too", "Thanks"]);
    assert_eq!(conversations[0].0.post.as_ref().unwrap().id, "7_1");
    // A reply that comes before the comment above it stands in the same conversation.
    let other = World::new().await;
    for event in [comment("k2", "q", "Too", 2, Some("k1")), comment("k1", "p", "Is size M back?", 1, None)] {
        other.take(&event).await;
    }
    assert_eq!(other.conversations().await[0].1, ["Is size M back?", "Too"]);
}

#[tokio::test]
async fn our_own_comments_and_messages_open_nothing_and_wake_no_one() {
    let world = World::new().await;
    let ours = |event: InboxEvent| match event.kind {
        InboxEventKind::Message(new) => {
            InboxEvent { kind: InboxEventKind::Message(Box::new(NewMessage { is_ours: true, ..*new })), ..event }
        }
        _ => event,
    };
    world.take(&message("m1", "p", "Hello?", 1)).await;
    let access = world.fixture.access().await;
    let id: ConversationId = world.conversations().await[0].0.id.clone();
    let close =
        ConversationChangeIn { status: Some(ConversationStatus::Closed), read: Some(true), ..Default::default() };
    let unread = async || world.inbox.count_unread(&access.scope, 10).await.unwrap();
    assert_eq!(unread().await, 1);
    world.inbox.change_conversation(&access, &id, &close, at(5)).await.unwrap();
    assert_eq!(unread().await, 0);
    world.take(&ours(message("m2", "p", "Hi", 6))).await;
    let (conversation, texts) = world.conversations().await.remove(0);
    assert_eq!((conversation.status, conversation.unread, texts.len()), (ConversationStatus::Closed, 0, 2));
    assert_eq!(world.events(), 1);
    // The person writes again.
    world.take(&message("m3", "p", "One more thing", 7)).await;
    let (conversation, _) = world.conversations().await.remove(0);
    assert_eq!((conversation.status, conversation.unread), (ConversationStatus::Open, 1));
    assert_eq!(unread().await, 1);
    // What is late does not.
    world.inbox.change_conversation(&access, &id, &close, at(20)).await.unwrap();
    world.take(&message("m0", "p", "Late", 4)).await;
    let (conversation, _) = world.conversations().await.remove(0);
    assert_eq!((conversation.status, conversation.last_inbound_at), (ConversationStatus::Closed, Some(at(7))));
    world.take(&ours(comment("k1", "7", "First!", 1, None))).await;
    let of_comments = world.conversations().await.into_iter().find(|(one, _)| one.channel.is_comment()).unwrap().0;
    assert_eq!((of_comments.status, of_comments.unread), (ConversationStatus::Closed, 0));
}

#[tokio::test]
async fn a_comment_ends_as_its_edits_and_its_removal_say_in_any_order() {
    let fb = |kind| event(Channel::FacebookComment, kind);
    let edit =
        |text: &str, second| fb(InboxEventKind::Edited { mid: "k1".to_owned(), text: text.to_owned(), at: at(second) });
    let events =
        [comment("k1", "p", "Is it open?", 100, None), edit("Is it open on Sunday?", 160), edit("…on Sundays?", 170)];
    for order in orders(&events) {
        let world = World::new().await;
        for event in order {
            world.take(event).await;
        }
        let (conversation, texts) = world.conversations().await.remove(0);
        assert_eq!(texts, ["…on Sundays?"]);
        world.take(&fb(InboxEventKind::Deleted { mid: "k1".to_owned(), at: at(200) })).await;
        world.take(events.first().unwrap()).await;
        let (after, texts) = world.conversations().await.remove(0);
        assert_eq!((texts, after.preview.as_str(), after.id), (vec!["-".to_owned()], "", conversation.id));
    }
    let world = World::new().await;
    world.take(&fb(InboxEventKind::Deleted { mid: "k1".to_owned(), at: at(200) })).await;
    assert!(world.conversations().await.is_empty(), "nothing is made of it");
    world.take(events.first().unwrap()).await;
    assert!(world.conversations().await.is_empty(), "it was gone before it came");
}

#[tokio::test]
async fn a_reaction_to_a_comment_is_a_signal_and_no_comment() {
    let reaction = |value: Option<&str>, second| {
        let value = value.map(ToOwned::to_owned);
        let kind = InboxEventKind::Reacted {
            mid: "k9".to_owned(),
            person: person("355"),
            is_ours: false,
            value,
            at: at(second),
        };
        event(Channel::FacebookComment, kind)
    };
    let (love, wow, gone) = (reaction(Some("love"), 1), reaction(Some("wow"), 2), reaction(None, 3));
    for order in orders(&[love.clone(), wow, gone]) {
        let world = World::new().await;
        for event in order {
            world.take(event).await;
        }
        world.take(&love).await;
        assert!(world.conversations().await.is_empty());
        let contact = world.contacts().await.remove(0);
        assert_eq!(contact.signals.len(), 1);
        assert_eq!((contact.signals[0].active, contact.signals[0].on.as_str()), (false, "k9"));
    }
    let world = World::new().await;
    let share = Signal {
        r#type: SignalType::Share,
        person: person("9"),
        on: "7_1".to_owned(),
        value: None,
        permalink: None,
        at: at(1),
        active: true,
    };
    for _ in 0..2 {
        world.take(&event(Channel::FacebookComment, InboxEventKind::Signal(share.clone()))).await;
    }
    assert_eq!((world.contacts().await[0].signals.len(), world.events()), (1, 1));
}

#[tokio::test]
async fn reports_reach_their_message_whenever_they_come() {
    let status = |status, second| {
        let kind = InboxEventKind::Status { mid: "w1".to_owned(), ours: None, status, at: at(second), failure: None };
        event(Channel::Messenger, kind)
    };
    let mut sent = new("w1", "p", "Hi", 1);
    sent.is_ours = true;
    let ours = event(Channel::Messenger, InboxEventKind::Message(Box::new(sent)));
    for order in orders(&[ours, status(DeliveryReport::Delivered, 12), status(DeliveryReport::Sent, 10)]) {
        let world = World::new().await;
        for event in order {
            world.take(event).await;
        }
        let state = world.message(Channel::Messenger, "w1").await.unwrap();
        assert_eq!(state.status(None, None), MessageStatus::Delivered);
        let read = InboxEventKind::Watermark { person: person("p"), read: true, until: at(30) };
        world.take(&event(Channel::Messenger, read)).await;
        let (conversation, _) = world.conversations().await.remove(0);
        assert_eq!(state.status(conversation.delivered_until, conversation.read_until), MessageStatus::Read);
    }
}
