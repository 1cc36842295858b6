use super::event::{DeliveryReport, Person, Signal};
use super::state::{Edit, MessageContent, MessageState, MessageStatus};
use super::*;
use crate::model::inbox::people::{conversation_id, message_id};
use crate::model::lead::FoundBy;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_790_000_000 + second).unwrap()
}

fn content(is_ours: bool) -> MessageContent {
    MessageContent {
        conversation_id: conversation_id(Channel::Messenger, "7", "p"),
        is_ours,
        author: Author::Page,
        text: Some("Is it open?".to_owned()),
        attachments: Vec::new(),
        created_time: at(0),
        arrived_at: at(0),
        is_note: false,
        parent: None,
        post: None,
        ad_id: None,
        found_by: FoundBy::Webhook,
    }
}

/// A message of another person.
pub(crate) fn received() -> MessageState {
    let mut state =
        MessageState::unknown(message_id(Channel::Messenger, "m"), Channel::Messenger, Some("m".to_owned()));
    let author = Author::Contact { id: Some(contact().id), name: None };
    state.take_content(MessageContent { author, ..content(false) });
    state
}

/// A conversation in which nothing was written yet.
pub(crate) fn conversation() -> Conversation {
    let id = conversation_id(Channel::Messenger, "7", "p");
    Conversation::new(OrgId::parse("a").unwrap(), id, Channel::Messenger, "7")
}

/// A person.
pub(crate) fn contact() -> Contact {
    let id = ContactId::parse("con_1").unwrap();
    Contact::new(id, OrgId::parse("a").unwrap(), at(0))
}

/// A reaction of that person.
pub(crate) fn signal() -> Signal {
    let on = "7_1".to_owned();
    let value = Some("love".to_owned());
    Signal {
        r#type: SignalType::Reaction,
        person: Person::default(),
        on,
        value,
        permalink: None,
        at: at(0),
        active: true,
    }
}

type Notice = Box<dyn Fn(&mut MessageState)>;

/// Every order of these notices, each of them once more somewhere, leads to the same state. Returns it.
fn settled(notices: &[Notice]) -> MessageState {
    let unknown =
        || MessageState::unknown(message_id(Channel::Messenger, "m"), Channel::Messenger, Some("m".to_owned()));
    let mut orders: Vec<Vec<usize>> = vec![Vec::new()];
    for _ in notices {
        let longer = orders.iter().flat_map(|order| {
            let rest = (0..notices.len()).filter(|next| !order.contains(next));
            rest.map(|next| order.iter().copied().chain([next]).collect::<Vec<_>>()).collect::<Vec<_>>()
        });
        orders = longer.collect();
    }
    let mut states = orders.iter().flat_map(|order| {
        (0..notices.len())
            .map(|again| {
                let mut state = unknown();
                for position in order.iter().chain([&again]) {
                    notices[*position](&mut state);
                }
                state
            })
            .collect::<Vec<_>>()
    });
    let first = states.next().unwrap();
    for state in states {
        assert_eq!(state, first);
    }
    first
}

fn edit(text: &str, second: i64) -> Notice {
    let edit = Edit { text: text.to_owned(), at: at(second) };
    Box::new(move |state| state.take_edit(edit.clone()))
}

fn comes(is_ours: bool) -> Notice {
    Box::new(move |state| {
        state.take_content(content(is_ours));
    })
}

fn report(report: DeliveryReport, second: i64) -> Notice {
    let failure =
        (report == DeliveryReport::Failed).then(|| SendFailure { code: 131_026, message: "undeliverable".to_owned() });
    Box::new(move |state| state.take_report(report, at(second), failure.clone()))
}

#[test]
fn a_text_is_that_of_the_newest_edit() {
    let state = settled(&[comes(false), edit("Is it open on Sunday?", 60), edit("…on Sundays?", 70)]);
    assert_eq!(state.text(), Some("…on Sundays?"));
}

#[test]
fn what_was_deleted_stays_deleted_whatever_comes_after() {
    let deleted: Notice = Box::new(|state| state.take_deletion(at(200)));
    let state = settled(&[comes(false), edit("Is it open on Sunday?", 60), deleted]);
    assert_eq!((state.text(), state.deleted_at), (None, Some(at(200))));
    assert_eq!(state.content.unwrap().text, None, "nothing of it is kept");
}

#[test]
fn a_delivery_never_goes_backwards_and_a_failure_stays_one() {
    use DeliveryReport::{Delivered, Failed, Read, Sent};
    let state = settled(&[comes(true), report(Delivered, 12), report(Sent, 10), report(Read, 20)]);
    assert_eq!(state.status(None, None), MessageStatus::Read);
    assert_eq!(state.reports.values().copied().collect::<Vec<_>>(), [at(10), at(12), at(20)]);
    let state = settled(&[comes(true), report(Failed, 11), report(Sent, 10)]);
    assert_eq!((state.status(None, Some(at(99))), state.failure.unwrap().code), (MessageStatus::Failed, 131_026));
}

#[test]
fn a_watermark_reaches_what_was_written_before_it() {
    let state = settled(&[comes(true)]);
    assert_eq!(state.status(None, None), MessageStatus::Sent);
    assert_eq!(state.status(Some(at(5)), None), MessageStatus::Delivered);
    assert_eq!(state.status(Some(at(5)), Some(at(0))), MessageStatus::Read);
    assert_eq!(state.status(Some(at(-1)), Some(at(-1))), MessageStatus::Sent, "written after it");
}

#[test]
fn the_last_reaction_of_a_person_holds() {
    let reaction = |by: &'static str, value: Option<&'static str>, second: i64| -> Notice {
        Box::new(move |state| {
            let value = value.map(ToOwned::to_owned);
            state.take_reaction(Reaction { by: by.to_owned(), value, at: at(second) });
        })
    };
    let state = settled(&[
        reaction("a", Some("love"), 1),
        reaction("a", Some("wow"), 2),
        reaction("a", None, 3),
        reaction("b", Some("love"), 1),
    ]);
    let values: Vec<_> =
        state.reactions.iter().map(|reaction| (reaction.by.as_str(), reaction.value.as_deref())).collect();
    assert_eq!(values, [("a", None), ("b", Some("love"))]);
}

#[test]
fn of_very_many_reactions_the_newest_are_kept_in_any_order() {
    let take = |seconds: &mut dyn Iterator<Item = i64>| {
        let mut state = received();
        for second in seconds {
            let value = Some("love".to_owned());
            state.take_reaction(Reaction { by: format!("{second:03}"), value, at: at(second) });
        }
        state.reactions
    };
    let kept = take(&mut (0..500));
    assert_eq!((kept.len(), kept[0].by.as_str()), (200, "300"));
    assert_eq!(kept, take(&mut (0..500).rev()));
    assert_eq!(kept, take(&mut (0..500).chain(0..500)));
}

#[test]
fn a_comment_is_as_visible_as_the_last_change_says() {
    let hiding = |hidden, second| -> Notice { Box::new(move |state| state.take_hiding(hidden, at(second))) };
    assert_eq!(settled(&[comes(false), hiding(true, 1), hiding(false, 2)]).hidden, Some((false, at(2))));
    assert_eq!(settled(&[hiding(false, 2), hiding(true, 2)]).hidden, Some((true, at(2))));
}
