//! Answers of members: sent once and in their order, and not at all when Meta would not deliver them.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::tests::{World, comment, event, message, new, person};
use super::{AnswerIn, MessageOut, Sender};
use crate::error::{ActError, ErrorCode};
use crate::ids::{ConversationId, MessageId};
use crate::jobs::AnswerJob;
use crate::metrics::tests::{take_counts, take_written};
use crate::metrics::{AnswerOutcome, Metric};
use crate::model::inbox::Channel;
use crate::model::inbox::event::{DeliveryReport, InboxEvent, InboxEventKind, NewMessage};
use crate::model::inbox::state::{MessageState, MessageStatus};
use crate::once::OnceKey;
use crate::publishing::meta_test_support::Meta;
use crate::publishing::test_support::Fault;

impl Meta {
    /// Takes a message or a comment.
    pub(crate) fn take_answer(
        &mut self,
        path: &str,
        form: &BTreeMap<String, String>,
    ) -> Result<Value, (i64, Option<i64>)> {
        // With Facebook Login, an Instagram account is written to through its page, and replies have no replies.
        match path {
            "17800/messages" => return Err((3, None)),
            "k2/replies" => return Err((100, None)),
            _ => {}
        }
        let mid = format!("mid{}", self.answers.len() + 1);
        let message: Value = form
            .get("message")
            .map_or(Value::Null, |text| serde_json::from_str(text).unwrap_or_else(|_| json!({ "text": text })));
        let body: Value = serde_json::from_str(&form["body"]).unwrap_or(Value::Null);
        self.answers.push(json!({
            "mid": mid, "path": path, "text": message["text"], "metadata": message["metadata"], "tag": form.get("tag"),
            "recipient": form.get("recipient"), "type": form.get("messaging_type"), "body": body, "at": self.now,
        }));
        Ok(json!({ "id": mid, "message_id": mid, "messages": [{ "id": mid }] }))
    }

    /// Shows what was written.
    pub(crate) fn answers_of(&self, path: &str) -> Result<Value, (i64, Option<i64>)> {
        let seen = |answer: &Value| json!({ "id": answer["mid"], "message": answer["text"].as_str().unwrap_or_default(), "created_time": answer["at"], "from": { "id": "7" } });
        let seen: Vec<Value> = self.answers.iter().map(seen).collect();
        if path.ends_with("/conversations") {
            return Ok(json!({ "data": [{ "messages": { "data": seen } }] }));
        }
        Ok(json!({ "data": seen }))
    }
}

impl World {
    pub(super) fn sender(&self) -> Sender {
        let publisher = self.fixture.publisher.clone();
        Sender {
            meta: publisher.meta,
            table: publisher.table,
            queue: self.inbox.answers.clone(),
            checks: publisher.checks,
            has_human_agent: false,
        }
    }

    pub(super) fn now(&self) -> Timestamp {
        self.fixture.now()
    }

    pub(super) async fn answer(&self, id: &ConversationId, input: AnswerIn) -> Result<MessageOut, ActError> {
        let access = self.fixture.access().await;
        self.inbox.answer(&access, id, input, None, self.now()).await
    }

    /// Delivers the messages of the queue until the answer has an end. Time passes as it would.
    pub(super) async fn settle_answer(&self, id: &MessageId) -> MessageState {
        let job = AnswerJob { org: self.owner.scope.org().clone(), message: id.clone() };
        for _ in 0..1_000 {
            let clock = || self.now();
            self.sender().send(&job, Duration::from_secs(110), &clock).await.unwrap();
            let state = self.read_state(id).await;
            match &state.sending {
                None => return state,
                Some(sending) => {
                    let next = sending.next_at.or(sending.lease.as_ref().map(|lease| lease.until));
                    let mut world = self.fixture.meta.world();
                    world.now = next.unwrap_or(world.now).max(world.now + SignedDuration::from_secs(1));
                }
            }
        }
        panic!("the answer has no end");
    }

    pub(super) async fn read_state(&self, id: &MessageId) -> MessageState {
        self.engagement.table.message(&self.owner.scope, id).await.unwrap().unwrap()
    }

    pub(super) fn sent(&self) -> Vec<Value> {
        self.fixture.meta.world().answers.clone()
    }
}

pub(super) fn text(text: &str) -> AnswerIn {
    AnswerIn { text: Some(text.to_owned()), ..AnswerIn::default() }
}

/// A world in which a person has just written on Messenger.
pub(super) async fn written() -> (World, ConversationId) {
    let world = World::new().await;
    let at = world.now();
    let new = NewMessage { created_time: at, ..new("m1", "355", "Hello?", 0) };
    world.take(&event(Channel::Messenger, InboxEventKind::Message(Box::new(new)))).await;
    let id = world.conversations().await[0].0.id.clone();
    world.fixture.meta.world().now += SignedDuration::from_secs(1);
    (world, id)
}

fn echo(mid: &str, text: &str, ours: Option<&MessageId>, at: Timestamp) -> InboxEvent {
    let new = NewMessage {
        is_ours: true,
        ours: ours.cloned(),
        created_time: at,
        app_id: Some("1".to_owned()),
        ..new(mid, "355", text, 0)
    };
    event(Channel::Messenger, InboxEventKind::Message(Box::new(new)))
}

#[tokio::test]
async fn an_answer_is_sent_once_and_its_echo_adds_nothing() {
    for echo_first in [false, true] {
        for has_metadata in [false, true] {
            let (world, id) = written().await;
            let answer = world.answer(&id, text("Hi")).await.unwrap();
            assert_eq!(answer.status, MessageStatus::Sending);
            let ours = has_metadata.then_some(&answer.id);
            if echo_first {
                // Meta tells of it before it answers.
                let fault = Fault { call: "POST 7/messages", after: true, error: None };
                world.fixture.meta.world().faults.push_back(fault);
                let job = AnswerJob { org: world.owner.scope.org().clone(), message: answer.id.clone() };
                let clock = || world.now();
                world.sender().send(&job, Duration::from_secs(110), &clock).await.unwrap();
                world.take(&echo("mid1", "Hi", ours, world.now())).await;
            }
            let state = world.settle_answer(&answer.id).await;
            world.take(&echo("mid1", "Hi", ours, world.now())).await;
            assert_eq!((state.mid.as_deref(), world.sent().len()), (Some("mid1"), 1), "{echo_first} {has_metadata}");
            let (conversation, texts) = world.conversations().await.remove(0);
            assert_eq!((texts, conversation.sending.len()), (vec!["Hello?".to_owned(), "Hi".to_owned()], 0));
            // What Meta reports of it under its own id reaches it.
            let read = InboxEventKind::Status {
                mid: "mid1".to_owned(),
                ours: None,
                status: DeliveryReport::Read,
                at: world.now(),
                failure: None,
            };
            world.take(&event(Channel::Messenger, read)).await;
            assert_eq!(world.read_state(&answer.id).await.status(None, None), MessageStatus::Read);
        }
    }
}

#[tokio::test]
async fn an_echo_does_not_bring_back_a_person_who_was_erased() {
    for is_settled in [false, true] {
        let (world, id) = written().await;
        let answer = world.answer(&id, text("Hi")).await.unwrap();
        if is_settled {
            world.settle_answer(&answer.id).await;
        }
        let person = world.contacts().await.remove(0).id;
        world.inbox.erase_contact(&world.owner.scope, &person, world.now()).await.unwrap();
        world.take(&echo("mid1", "Hi", Some(&answer.id), world.now())).await;
        assert!(world.contacts().await.is_empty() && world.conversations().await.is_empty(), "{is_settled}");
    }
}

#[tokio::test]
async fn answers_arrive_in_the_order_in_which_they_were_written() {
    let (world, id) = written().await;
    let first = world.answer(&id, text("One")).await.unwrap();
    let second = world.answer(&id, text("Two")).await.unwrap();
    world.fixture.meta.world().faults.push_back(Fault {
        call: "POST 7/messages",
        after: false,
        error: Some((4, None)),
    });
    let clock = || world.now();
    for answer in [&first, &second] {
        let job = AnswerJob { org: world.owner.scope.org().clone(), message: answer.id.clone() };
        world.sender().send(&job, Duration::from_secs(110), &clock).await.unwrap();
    }
    assert!(world.sent().is_empty(), "the second one waits");
    world.settle_answer(&first.id).await;
    world.settle_answer(&second.id).await;
    let sent: Vec<_> = world.sent().iter().map(|sent| sent["text"].clone()).collect();
    assert_eq!(sent, ["One", "Two"]);
    // One that is stuck does not hold back the others for ever.
    let stuck = world.answer(&id, text("Three")).await.unwrap();
    let last = world.answer(&id, text("Four")).await.unwrap();
    let state = world.settle_answer(&last.id).await;
    assert!(state.mid.is_some() && world.read_state(&stuck.id).await.mid.is_none());
}

#[tokio::test]
async fn the_same_request_is_one_answer() {
    let (world, id) = written().await;
    let access = world.fixture.access().await;
    let once = || Some(OnceKey::new("answer", "request_id", "r1", &"Hi").unwrap());
    let send = || world.inbox.answer(&access, &id, text("Hi"), once(), world.now());
    let (one, two) = tokio::join!(send(), send());
    let (one, two) = (one.unwrap(), two.unwrap());
    assert_eq!((&one.id, &send().await.unwrap().id), (&two.id, &two.id));
    assert_eq!(world.conversations().await[0].1.len(), 2);
}

#[tokio::test]
async fn the_window_is_judged_when_the_message_is_written_and_when_it_is_sent() {
    let (world, id) = written().await;
    world.fixture.meta.world().now += SignedDuration::from_mins(23 * 60 + 58);
    let answer = world.answer(&id, text("Just in time")).await.unwrap();
    world.fixture.meta.world().now += SignedDuration::from_mins(5);
    let state = world.settle_answer(&answer.id).await;
    assert_eq!((world.sent().len(), state.status(None, None)), (0, MessageStatus::Failed));
    assert!(state.failure.unwrap().message.contains("24 hours"));
    let refused = world.answer(&id, text("Too late")).await.unwrap_err();
    assert_eq!(refused.code(), ErrorCode::WindowClosed);
    // A person may answer longer, if Meta has approved that for the app.
    let mut world = world;
    world.inbox.has_human_agent = true;
    let answer = world.answer(&id, text("As a person")).await.unwrap();
    let job = AnswerJob { org: world.owner.scope.org().clone(), message: answer.id.clone() };
    let sender = Sender { has_human_agent: true, ..world.sender() };
    let clock = || world.now();
    sender.send(&job, Duration::from_secs(110), &clock).await.unwrap();
    assert_eq!(world.sent()[0]["tag"], "HUMAN_AGENT");
}

#[tokio::test]
async fn what_meta_refuses_is_said_and_not_tried_again() {
    for (code, subcode, words) in
        [(10, Some(2_018_278), "window"), (551, None, "cannot receive"), (100, None, "Meta's own words")]
    {
        let (world, id) = written().await;
        let answer = world.answer(&id, text("Hi")).await.unwrap();
        let fault = Fault { call: "POST 7/messages", after: false, error: Some((code, subcode)) };
        world.fixture.meta.world().faults.push_back(fault);
        let state = world.settle_answer(&answer.id).await;
        assert!(state.failure.as_ref().unwrap().message.contains(words), "{code}: {state:?}");
        assert_eq!((world.sent().len(), world.fixture.meta.calls("POST 7/messages")), (0, 1));
    }
}

#[tokio::test]
async fn answers_are_counted_by_what_became_of_them() {
    for (error, outcome) in [(None, AnswerOutcome::Sent), (Some((551, None)), AnswerOutcome::Failed)] {
        let (world, id) = written().await;
        let answer = world.answer(&id, text("Hi")).await.unwrap();
        let fault = error.map(|error| Fault { call: "POST 7/messages", after: false, error: Some(error) });
        world.fixture.meta.world().faults.extend(fault);
        take_written();
        world.settle_answer(&answer.id).await;
        if outcome == AnswerOutcome::Sent {
            // What Meta reports of it is not another one.
            world.take(&echo("mid1", "Hi", Some(&answer.id), world.now())).await;
        }
        assert_eq!(take_counts(), [(Metric::Answers(outcome), 1.0)]);
    }
}

#[tokio::test]
async fn a_comment_is_answered_below_its_root_and_privately_to_its_author() {
    let world = World::new().await;
    let now = world.now();
    let at = |event: InboxEvent| match event.kind {
        InboxEventKind::Message(new) => {
            let new = NewMessage { created_time: now, ..*new };
            InboxEvent { kind: InboxEventKind::Message(Box::new(new)), ..event }
        }
        _ => event,
    };
    world.take(&at(comment("k1", "355", "Price?", 0, None))).await;
    world.take(&at(comment("k2", "356", "Me too", 0, Some("k1")))).await;
    let id = world.conversations().await[0].0.id.clone();
    let public = world.answer(&id, text("20 euros")).await.unwrap();
    world.settle_answer(&public.id).await;
    let private = world.answer(&id, AnswerIn { private: true, ..text("Just for you: 18") }).await.unwrap();
    world.settle_answer(&private.id).await;
    let sent = world.sent();
    assert_eq!((&sent[0]["path"], &sent[1]["path"]), (&json!("k1/comments"), &json!("7/messages")));
    assert_eq!(sent[1]["recipient"], r#"{"comment_id":"k1"}"#);
    let conversations = world.conversations().await;
    let texts = |channel: Channel| {
        conversations.iter().find(|(one, _)| one.channel == channel).map(|(_, texts)| texts.clone()).unwrap()
    };
    assert_eq!(texts(Channel::Messenger), ["Just for you: 18"]);
    assert_eq!(texts(Channel::FacebookComment).len(), 3);
    // The person answers in the same conversation.
    world.take(&at(message("m9", "355", "Deal", 0))).await;
    assert_eq!(world.conversations().await.len(), 2);
    world.fixture.meta.world().now += SignedDuration::from_hours(8 * 24);
    let late = world.answer(&id, AnswerIn { private: true, ..text("Hello?") }).await.unwrap_err();
    assert_eq!(late.code(), ErrorCode::ReplyNotPossible);
}

#[tokio::test]
async fn whatsapp_gets_a_number_with_its_plus_and_templates_after_the_window() {
    let world = World::new().await;
    let person = crate::model::inbox::event::Person { phone: Some("447700900123".to_owned()), ..person("GB.1") };
    let new = NewMessage { person, created_time: world.now(), ..new("w1", "", "Hi", 0) };
    let event = InboxEvent {
        channel: Channel::Whatsapp,
        account: "PN1".to_owned(),
        kind: InboxEventKind::Message(Box::new(new)),
    };
    world.take(&event).await;
    let account = crate::table::inbox::InboxAccount {
        network: "whatsapp".to_owned(),
        account: "PN1".to_owned(),
        org: world.owner.scope.org().clone(),
        integration_id: crate::table::tests::connection("a").integration_id,
        page_id: None,
        waba_id: None,
        name: None,
    };
    world.engagement.table.put_inbox_account(&world.owner.scope, &account).await.unwrap();
    let mut conversation = world.conversations().await.remove(0).0;
    // It came through the number, not through a page.
    conversation.page_id = None;
    world.engagement.table.put_conversation(&world.owner.scope, &mut conversation).await.unwrap();
    let answer = world.answer(&conversation.id, text("Hello Sam")).await.unwrap();
    world.settle_answer(&answer.id).await;
    let body = world.sent()[0]["body"].clone();
    assert_eq!((&body["to"], &body["text"]["body"]), (&json!("+447700900123"), &json!("Hello Sam")));
    assert_eq!(body["biz_opaque_callback_data"], answer.id.as_str());
    // WhatsApp lists nothing: only its own notice says that a message was sent, and that may be late.
    world.fixture.meta.world().faults.push_back(Fault { call: "POST PN1/messages", after: true, error: None });
    let answer = world.answer(&conversation.id, text("How are you?")).await.unwrap();
    let job = AnswerJob { org: world.owner.scope.org().clone(), message: answer.id.clone() };
    for _ in 0..4 {
        world.sender().send(&job, Duration::from_secs(110), &|| world.now()).await.unwrap();
        world.fixture.meta.world().now += SignedDuration::from_mins(1);
    }
    assert_eq!((world.sent().len(), world.fixture.meta.world().answers.pop().is_some()), (2, true));
    assert!(world.settle_answer(&answer.id).await.mid.is_some(), "without a notice, it was not sent");
    world.fixture.meta.world().answers.pop();
    world.fixture.meta.world().now += SignedDuration::from_hours(25);
    assert_eq!(world.answer(&conversation.id, text("Hi")).await.unwrap_err().code(), ErrorCode::WindowClosed);
    let template = crate::model::inbox::outgoing::SendTemplate {
        name: "hello".to_owned(),
        language: "en_US".to_owned(),
        variables: vec!["Sam".to_owned()],
    };
    let answer = AnswerIn { template: Some(template), text: None, ..text("") };
    let answer = world.answer(&conversation.id, answer).await.unwrap();
    world.settle_answer(&answer.id).await;
    assert_eq!(world.sent()[1]["body"]["template"]["components"][0]["parameters"][0]["text"], "Sam");
}

#[tokio::test]
async fn a_note_is_kept_for_the_members_and_sent_to_no_one() {
    let (world, id) = written().await;
    let note = |words: &str| AnswerIn { note: true, ..text(words) };
    world.fixture.meta.world().now += SignedDuration::from_hours(24 * 30);
    let before = world.conversations().await.remove(0).0;
    let kept = world.answer(&id, note("Ask Ada first")).await.unwrap();
    assert_eq!((kept.status, kept.meta_id), (MessageStatus::Note, None));
    let settled = world.settle_answer(&kept.id).await;
    assert!(settled.sending.is_none() && world.sent().is_empty());
    let (after, texts) = world.conversations().await.remove(0);
    assert_eq!(texts.last().map(String::as_str), Some("Ask Ada first"));
    assert_eq!((after.preview, after.last_message_at), (before.preview, before.last_message_at));
    for (input, field) in [
        (AnswerIn { private: true, ..note("x") }, "private"),
        (AnswerIn { attachment_url: Some("https://files.example/a.png".into()), ..note("x") }, "attachment_url"),
        (note("  "), "text"),
        (note(&"x".repeat(8_001)), "text"),
    ] {
        let refused = world.answer(&id, input).await.unwrap_err();
        assert!(
            matches!(&refused, ActError::Refused(refusal) if refusal.field.as_deref() == Some(field)),
            "{refused:?}"
        );
    }
}
