//! What goes wrong elsewhere with comments, reactions and mentions, each as Meta tells it.

use jiff::SignedDuration;
use serde_json::{Value, json};

use super::AnswerIn;
use super::answer_tests::text;
use super::case_test_support::{T, body};
use super::tests::{World, orders};
use crate::error::ErrorCode;
use crate::model::inbox::state::MessageStatus;
use crate::model::inbox::{Channel, ConversationStatus};
use crate::publishing::test_support::Fault;

/// A comment below the Instagram account's media.
fn below(media: &Value, id: &str, from: (&str, &str), parent: Option<&str>, words: &str) -> Value {
    let from = json!({ "id": from.0, "username": from.1 });
    let mut value = json!({ "id": id, "from": from, "text": words, "media": media });
    if let Some(parent) = parent {
        value["parent_id"] = json!(parent);
    }
    body("instagram", "17800", "changes", &json!([{ "field": "comments", "value": value }]))
}

/// A notice of the feed of page 103.
fn feed(value: &Value) -> Value {
    body("page", "103", "changes", &json!([{ "field": "feed", "value": value }]))
}

#[tokio::test]
async fn a_comment_below_a_boosted_post_is_filed_under_the_post_and_says_which_ad() {
    let world = World::connected().await;
    let visitor = ("5550", "visitor_a");
    let ad = json!({ "id": "17950", "ad_id": "120001", "original_media_id": "18050", "media_product_type": "AD" });
    world.deliver(&below(&ad, "18151", visitor, None, "Price?")).await;
    let (conversation, texts) = world.conversation().await;
    let post = conversation.post.clone().unwrap();
    assert_eq!((post.id.as_str(), post.copy.as_deref(), texts), ("18050", Some("17950"), vec!["Price?".to_owned()]));
    assert_eq!(post.ad_id.unwrap().as_str(), "120001");
    let shown = world.show_messages(&conversation.id).await.remove(0);
    assert_eq!(shown.ad_id.unwrap().as_str(), "120001");
    assert_eq!(world.contacts().await[0].name.as_deref(), Some("visitor_a"));
    // Meta does not name the post.
    let bare = json!({ "id": "17951", "ad_id": "120001" });
    world.deliver(&below(&bare, "18152", visitor, None, "And now?")).await;
    // Nor here, but it has said of this copy which post it is.
    let known = json!({ "id": "17950", "ad_id": "120001" });
    world.deliver(&below(&known, "18153", visitor, None, "Anyone?")).await;
    let mut posts: Vec<_> = world.conversations().await.into_iter().map(|(one, _)| one.post.unwrap().id).collect();
    posts.sort();
    assert_eq!(posts, ["17951", "18050", "18050"]);
}

#[tokio::test]
async fn a_reaction_to_a_comment_is_one_signal_that_changes_and_ends_and_no_old_notice_brings_it_back() {
    let reaction = |verb: &str, kind: &str| {
        feed(&json!({ "item": "reaction", "verb": verb, "reaction_type": kind, "post_id": "103_208",
            "comment_id": "208_9", "parent_id": "208_5", "created_time": T - 10,
            "from": { "id": "355", "name": "Visitor B" } }))
    };
    let world = World::connected().await;
    let signal = async || {
        let contact = world.contacts().await.remove(0);
        assert_eq!((contact.channels[0].meta_id.as_deref(), contact.signals.len()), (Some("355"), 1));
        let signal = contact.signals[0].clone();
        (signal.on, signal.value, signal.active)
    };
    // All within one second.
    for (verb, kind, active) in [("add", "love", true), ("edit", "wow", true), ("remove", "wow", false)] {
        world.deliver(&reaction(verb, kind)).await;
        assert_eq!(signal().await, ("208_9".to_owned(), active.then(|| kind.to_owned()), active));
    }
    let gone = signal().await;
    world.deliver(&reaction("add", "love")).await;
    assert_eq!(signal().await, gone);
    assert!(world.conversations().await.is_empty());
}

#[tokio::test]
async fn a_comment_follows_its_newest_edit_and_is_served_to_no_one_once_it_was_removed() {
    let comment = |verb: &str, at: i64, message: Option<&str>| {
        let mut value = json!({ "item": "comment", "verb": verb, "comment_id": "208_10", "post_id": "103_208",
            "parent_id": "103_208", "created_time": T + at });
        if let Some(message) = message {
            (value["message"], value["from"]) = (json!(message), json!({ "id": "355", "name": "Visitor B" }));
        }
        feed(&value)
    };
    let add = comment("add", 100, Some("Is it open?"));
    let edits =
        [comment("edited", 160, Some("Is it open on Sunday?")), comment("edit", 170, Some("Is it open on Sundays?"))];
    let remove = comment("remove", 200, None);
    for order in orders(&edits) {
        let world = World::connected().await;
        world.deliver(&add).await;
        for edit in &order {
            world.deliver(edit).await;
        }
        let (conversation, texts) = world.conversation().await;
        assert_eq!((texts, world.count_found("sundays").await), (vec!["Is it open on Sundays?".to_owned()], 1));
        // Visibility is nothing else.
        for (verb, at, visibility) in [("hide", 180, "hidden"), ("unhide", 190, "visible")] {
            world.deliver(&comment(verb, at, Some("Is it open on Sundays?"))).await;
            let shown = world.show_messages(&conversation.id).await.remove(0);
            assert_eq!((shown.visibility, shown.deleted), (Some(visibility), false));
            assert_eq!(shown.text.as_deref(), Some("Is it open on Sundays?"));
        }
        world.deliver(&remove).await;
        world.deliver(order[0]).await;
        world.deliver(&add).await;
        let shown = world.show_messages(&conversation.id).await;
        assert_eq!((shown.len(), shown[0].deleted, &shown[0].text), (1, true, &None));
        assert_eq!(world.count_found("sunday").await, 0);
    }
    let world = World::connected().await;
    world.deliver(&add).await;
    world.deliver(&remove).await;
    world.deliver(&edits[0]).await;
    let shown = world.show_messages(&world.conversation().await.0.id).await;
    assert_eq!((shown[0].deleted, &shown[0].text), (true, &None), "the edit was late");
    let unknown = World::connected().await;
    unknown.deliver(&remove).await;
    assert!(unknown.conversations().await.is_empty() && unknown.contacts().await.is_empty());
}

#[tokio::test]
async fn a_reply_on_instagram_is_answered_below_the_comment_at_the_top_and_ours_is_no_news() {
    for is_told_first in [false, true] {
        let world = World::connected().await;
        let media = json!({ "id": "18050" });
        world.deliver(&below(&media, "k1", ("5550", "visitor_a"), None, "Until when?")).await;
        world.deliver(&below(&media, "k2", ("5551", "visitor_c"), Some("k1"), "I ask, too")).await;
        let (conversation, _) = world.conversation().await;
        let answer = world.answer(&conversation.id, text("@visitor_c Yes, until 6 pm")).await.unwrap();
        let ours = below(&media, "mid1", ("17800", "we"), Some("k1"), "@visitor_c Yes, until 6 pm");
        if is_told_first {
            // Meta's answer is lost, and its notice comes first.
            let fault = Fault { call: "POST k1/replies", after: true, error: None };
            world.fixture.meta.world().faults.push_back(fault);
        }
        let job = crate::jobs::AnswerJob { org: world.owner.scope.org().clone(), message: answer.id.clone() };
        let clock = || world.now();
        world.sender().send(&job, std::time::Duration::from_secs(110), &clock).await.unwrap();
        world.deliver(&ours).await;
        assert_eq!(world.conversation().await.1.len(), 3, "{is_told_first}");
        let state = world.settle_answer(&answer.id).await;
        world.deliver(&ours).await;
        assert_eq!((state.mid.as_deref(), world.sent().len()), (Some("mid1"), 1), "{is_told_first}");
        assert_eq!((&world.sent()[0]["path"], world.events()), (&json!("k1/replies"), 2));
        let (after, texts) = world.conversation().await;
        assert_eq!((texts.len(), after.root.as_deref(), after.unread), (3, Some("k1"), 0));
        assert_eq!(world.contacts().await.len(), 2, "the account itself is no person");
    }
}

/// A world with a comment on Instagram of three days ago, whose author has never written directly.
async fn commented() -> (World, crate::ids::ConversationId) {
    let world = World::connected().await;
    world.deliver(&below(&json!({ "id": "18050" }), "18110", ("5551", "visitor_a"), None, "Price?")).await;
    world.fixture.meta.world().now += SignedDuration::from_hours(3 * 24);
    let id = world.conversation().await.0.id;
    (world, id)
}

fn privately(words: &str) -> AnswerIn {
    AnswerIn { private: true, ..text(words) }
}

#[tokio::test]
async fn a_private_answer_goes_through_the_page_whatever_the_window_of_messages_says() {
    let (world, id) = commented().await;
    let answer = world.answer(&id, privately("18 euros, for you")).await.unwrap();
    let state = world.settle_answer(&answer.id).await;
    let sent = world.sent();
    assert_eq!((sent.len(), &sent[0]["path"]), (1, &json!("103/messages")));
    assert_eq!((&sent[0]["recipient"], &sent[0]["tag"]), (&json!(r#"{"comment_id":"18110"}"#), &Value::Null));
    let echo = json!({ "sender": { "id": "17800" }, "recipient": { "id": "5551" }, "timestamp": (T + 300_000) * 1_000,
        "message": { "mid": state.mid, "text": "18 euros, for you", "is_echo": true, "app_id": 1234 } });
    world.deliver(&body("instagram", "17800", "messaging", &json!([echo]))).await;
    let conversations = world.conversations().await;
    let (chat, texts) = conversations.iter().find(|(one, _)| one.channel == Channel::Instagram).unwrap();
    assert_eq!((conversations.len(), texts.len(), chat.status), (2, 1, ConversationStatus::Closed));
    // It opens no window: for that, the person has to write.
    let refused = world.answer(&chat.id, text("Still there?")).await.unwrap_err();
    assert_eq!(refused.code(), ErrorCode::WindowClosed);
}

#[tokio::test]
async fn a_private_answer_is_refused_beforehand_after_a_week_and_without_a_page() {
    let (world, id) = commented().await;
    let mut conversation = world.conversation().await.0;
    conversation.page_id = None;
    world.engagement.table.put_conversation(&world.owner.scope, &mut conversation).await.unwrap();
    let refused = world.answer(&id, privately("Hi")).await.unwrap_err();
    assert_eq!(refused.code(), ErrorCode::ReplyNotPossible);
    assert!(refused.to_string().contains("page"), "{refused}");
    let (world, id) = commented().await;
    world.fixture.meta.world().now += SignedDuration::from_hours(5 * 24);
    let refused = world.answer(&id, privately("Hi")).await.unwrap_err();
    assert!(refused.to_string().contains("7 days"), "{refused}");
    assert!(world.fixture.meta.world().calls.iter().all(|call| !call.ends_with("/messages")));
}

#[tokio::test]
async fn a_second_private_answer_fails_with_the_reason_and_ends_no_connection() {
    for (code, subcode) in [(10_900, None), (100, Some(2_534_025))] {
        let (world, id) = commented().await;
        let answer = world.answer(&id, privately("Hi")).await.unwrap();
        let fault = Fault { call: "POST 103/messages", after: false, error: Some((code, subcode)) };
        world.fixture.meta.world().faults.push_back(fault);
        let state = world.settle_answer(&answer.id).await;
        assert_eq!(state.status(None, None), MessageStatus::Failed);
        assert!(state.failure.unwrap().message.contains("already answered privately"));
        assert_eq!((world.fixture.meta.calls("POST 103/messages"), world.checks()), (1, 0));
    }
}

#[tokio::test]
async fn a_private_answer_whose_confirmation_was_lost_is_found_among_the_person_s_messages() {
    let (world, id) = commented().await;
    let answer = world.answer(&id, privately("18 euros, for you")).await.unwrap();
    let fault = Fault { call: "POST 103/messages", after: true, error: None };
    world.fixture.meta.world().faults.push_back(fault);
    let state = world.settle_answer(&answer.id).await;
    assert_eq!((state.mid.as_deref(), world.sent().len()), (Some("mid1"), 1), "Meta takes only one: {state:?}");
}
