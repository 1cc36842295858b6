//! Comments, reactions, shares and mentions on pages.

use serde_json::{Value, json};

use super::test_support::{describe, millisecond, read, received, second};
use super::{InboxNotice, SkippedNotice};
use crate::model::inbox::Channel;
use crate::model::inbox::event::{InboxEventKind, Person, SignalType};

const T: i64 = 1_795_507_190;

/// A comment under a post of page 103, with other or more members. `null` takes one away.
fn comment(members: &Value) -> Value {
    let mut value = json!({
        "item": "comment", "verb": "add", "message": "Is size M back?", "post_id": "103_208", "comment_id": "208_9",
        "parent_id": "103_208", "created_time": T, "from": {"id": "355", "name": "Ada P."},
        "post": {"id": "103_208", "status_type": "mobile_status_update", "permalink_url": "https://facebook.example/208"},
    });
    set(&mut value, members);
    value
}

fn reaction(members: &Value) -> Value {
    let mut value = json!({
        "item": "reaction", "verb": "add", "reaction_type": "love", "post_id": "103_208", "parent_id": "103_208",
        "created_time": T, "from": {"id": "355", "name": "Ada P."},
    });
    set(&mut value, members);
    value
}

fn set(value: &mut Value, members: &Value) {
    for (key, member) in members.as_object().unwrap() {
        value[key] = member.clone();
    }
    value.as_object_mut().unwrap().retain(|_, member| !member.is_null());
}

fn feed(value: &Value) -> InboxNotice {
    read("page", "103", "feed", value)
}

fn ada() -> Person {
    Person { id: Some("355".into()), name: Some("Ada P.".into()), ..Person::default() }
}

#[test]
fn a_comment_says_who_what_when_and_where() {
    let notice = feed(&comment(&json!({})));
    assert_eq!((notice.events[0].channel, notice.events[0].account.as_str()), (Channel::FacebookComment, "103"));
    let message = notice.message();
    assert_eq!((message.mid.as_str(), message.is_ours, &message.person), ("208_9", false, &ada()));
    assert_eq!(message.text.as_deref(), Some("Is size M back?"));
    assert_eq!((message.created_time, message.parent), (second(T), None));
    let post = message.post.unwrap();
    assert_eq!((post.id.as_str(), post.permalink.as_deref()), ("103_208", Some("https://facebook.example/208")));
}

#[test]
fn numbers_and_texts_are_the_same_ids_and_times() {
    let texts = comment(&json!({"comment_id": "9", "post_id": "208", "parent_id": "208", "post": null}));
    let numbers = comment(&json!({
        "comment_id": 9, "post_id": 208, "parent_id": 208, "post": null, "created_time": T.to_string(),
        "from": {"name": "Ada P.", "id": 355},
    }));
    assert_eq!(feed(&texts), feed(&numbers));
}

#[test]
fn only_a_reply_has_a_comment_above() {
    let parent = |members: Value| feed(&comment(&members)).message().parent;
    assert_eq!(parent(json!({"parent_id": "208_5"})).as_deref(), Some("208_5"));
    assert_eq!(parent(json!({"parent_id": "103_208"})), None);
    assert_eq!(parent(json!({"parent_id": "208"})), None, "the post without its page");
    assert_eq!(parent(json!({"parent_id": "208_9"})), None, "the comment itself");
    assert_eq!(parent(json!({"parent_id": null})), None);
}

#[test]
fn a_comment_may_be_anonymous_or_without_words() {
    let anonymous = feed(&comment(&json!({"from": null}))).message();
    assert_eq!((anonymous.is_ours, anonymous.person), (false, Person::default()));

    let older = feed(&comment(&json!({"from": null, "sender_id": 355, "sender_name": "Ada P."}))).message();
    assert_eq!(older.person, ada());

    let picture = feed(&comment(&json!({"message": null, "photo": "https://cdn.example/p.jpg"}))).message();
    assert_eq!(picture.text, None);
    assert_eq!(describe(&picture.attachments), ["image file https://cdn.example/p.jpg -"]);

    let empty = feed(&comment(&json!({"message": null}))).message();
    assert_eq!(describe(&empty.attachments), ["unsupported none - -"]);

    let bare = feed(&json!({"item": "comment", "verb": "add", "comment_id": "1_2"})).message();
    assert_eq!((bare.created_time, bare.post), (received(), None));
}

#[test]
fn the_page_s_own_comment_is_ours_and_has_no_person() {
    let own = feed(&comment(&json!({"from": {"id": 103, "name": "Page"}, "parent_id": "208_5"}))).message();
    assert_eq!((own.is_ours, own.person, own.parent.as_deref()), (true, Person::default(), Some("208_5")));
}

#[test]
fn changes_of_a_comment_are_not_comments() {
    let kind = |members: Value| feed(&comment(&members)).kind();
    let mid = "208_9".to_owned();
    for verb in ["edit", "edited"] {
        assert_eq!(
            kind(json!({"verb": verb, "message": "Is it open?", "created_time": T + 60})),
            InboxEventKind::Edited { mid: mid.clone(), text: "Is it open?".into(), at: second(T + 60) },
        );
    }
    assert_eq!(
        kind(json!({"verb": "edited", "edited_time": T + 90})),
        InboxEventKind::Edited { mid: mid.clone(), text: "Is size M back?".into(), at: second(T + 90) },
    );
    // The one who hides is the page. The author stays who it was.
    for (verb, hidden) in [("hide", true), ("unhide", false)] {
        assert_eq!(
            kind(json!({"verb": verb, "from": {"id": "103", "name": "Page"}})),
            InboxEventKind::Hidden { mid: mid.clone(), hidden, at: second(T) },
        );
    }
    assert_eq!(
        kind(json!({"verb": "remove", "message": null, "from": null, "post": null})),
        InboxEventKind::Deleted { mid, at: second(T) },
    );
}

#[test]
fn an_edit_that_leaves_only_the_picture_takes_the_text_away() {
    let edit = |members: Value| feed(&comment(&members));
    let picture = edit(json!({"verb": "edited", "message": null, "photo": "https://cdn.example/p.jpg"})).kind();
    assert!(matches!(picture, InboxEventKind::Edited { text, .. } if text.is_empty()));
    assert_eq!(edit(json!({"verb": "edited", "message": null})).reason(), SkippedNotice::Unreadable);
}

#[test]
fn a_comment_that_meta_hides_at_once_is_both() {
    let kinds = feed(&comment(&json!({"is_hidden": true}))).kinds();
    assert!(matches!(
        &kinds[..],
        [InboxEventKind::Message(_), InboxEventKind::Hidden { hidden: true, mid, .. }] if mid == "208_9"
    ));
}

#[test]
fn a_reaction_to_a_comment_is_no_comment() {
    let on_comment = json!({"comment_id": "208_9", "parent_id": "208_5"});
    let check = |members: Value, expect: Option<&str>, at| {
        let mut value = reaction(&on_comment);
        set(&mut value, &members);
        let (mid, value_) = ("208_9".to_owned(), expect.map(ToOwned::to_owned));
        assert_eq!(
            feed(&value).kind(),
            InboxEventKind::Reacted { mid, person: ada(), is_ours: false, value: value_, at }
        );
    };
    check(json!({}), Some("love"), second(T));
    check(json!({"item": "like", "reaction_type": null}), Some("like"), second(T));
    // Within one second, a change is later than the reaction, and taking it back later than both.
    check(json!({"verb": "edit", "reaction_type": "wow"}), Some("wow"), millisecond(T * 1000 + 1));
    check(json!({"verb": "remove"}), None, millisecond(T * 1000 + 2));

    let own = feed(&reaction(&json!({"comment_id": "208_9", "from": {"id": "103"}}))).kind();
    assert!(matches!(own, InboxEventKind::Reacted { is_ours: true, .. }));
    let anonymous = feed(&reaction(&json!({"comment_id": "208_9", "from": null})));
    assert_eq!(anonymous.reason(), SkippedNotice::Anonymous);
}

#[test]
fn a_reaction_to_a_post_is_a_signal() {
    let signal = feed(&reaction(&json!({}))).signal();
    assert_eq!((signal.r#type, signal.on.as_str(), signal.active), (SignalType::Reaction, "103_208", true));
    assert_eq!((signal.value.as_deref(), &signal.person, signal.at), (Some("love"), &ada(), second(T)));

    let taken_back = feed(&reaction(&json!({"verb": "remove"}))).signal();
    assert!(!taken_back.active && taken_back.at > signal.at);
    let own = feed(&reaction(&json!({"from": {"id": "103", "name": "Page"}})));
    assert_eq!(own.reason(), SkippedNotice::Unused);
    assert_eq!(feed(&reaction(&json!({"from": null}))).reason(), SkippedNotice::Anonymous);
}

#[test]
fn one_like_that_comes_twice_is_one_signal() {
    let like = reaction(&json!({"item": "like", "reaction_type": null}));
    assert_eq!(feed(&like), feed(&reaction(&json!({"reaction_type": "like"}))));
}

#[test]
fn a_like_of_the_page_has_no_post() {
    let like = feed(&json!({"item": "like", "verb": "add", "from": {"id": "355"}, "created_time": T})).signal();
    assert_eq!((like.r#type, like.on.as_str()), (SignalType::Like, "103"));
}

#[test]
fn shares_and_mentions_are_signals() {
    let share = json!({
        "item": "share", "verb": "add", "share_id": "301", "post_id": "9_301", "link": "https://facebook.example/208",
        "from": {"id": "355", "name": "Ada P."}, "created_time": T,
    });
    let signal = feed(&share).signal();
    assert_eq!((signal.r#type, signal.on.as_str()), (SignalType::Share, "9_301"));
    assert_eq!((signal.value.as_deref(), signal.person), (Some("https://facebook.example/208"), ada()));

    let mention = json!({
        "post_id": "9_400", "comment_id": "400_1", "item": "comment", "verb": "add", "sender_id": "355",
        "sender_name": "Ada P.", "message": "ask @Page", "created_time": T,
    });
    let signal = read("page", "103", "mention", &mention).signal();
    assert_eq!((signal.r#type, signal.on.as_str(), signal.active), (SignalType::Mention, "400_1", true));
    assert_eq!((signal.value.as_deref(), signal.person), (Some("ask @Page"), ada()));
}

#[test]
fn what_is_no_engagement_is_counted() {
    let reason = |value: Value| feed(&value).reason();
    for item in ["status", "photo", "video", "post"] {
        assert_eq!(reason(json!({"item": item, "verb": "add", "post_id": "103_1"})), SkippedNotice::Unused);
    }
    assert_eq!(reason(json!({"item": "brand_new"})), SkippedNotice::Unknown("feed/brand_new".into()));
    assert_eq!(reason(json!({})), SkippedNotice::Unknown("feed/?".into()));
    assert_eq!(reason(comment(&json!({"verb": "mute"}))), SkippedNotice::Unknown("feed/comment/mute".into()));
    assert_eq!(reason(comment(&json!({"comment_id": null}))), SkippedNotice::Unreadable);
    assert_eq!(reason(json!("text")), SkippedNotice::Unknown("feed/?".into()));
}
