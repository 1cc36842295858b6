//! The fields `feed` and `mention` of pages: comments, reactions, shares, mentions.

use jiff::Timestamp;
use serde_json::Value;

use super::attachments::{UNSUPPORTED, file, fill_empty, link, placeholder};
use super::members::{address, id, inner, is_true, list, name, text, time};
use super::{InboxNotice, SkippedNotice, Source};
use crate::model::inbox::event::{InboxEventKind, NewAttachment, Person, PostRef, Signal, SignalType};

/// Items that say nothing to the inbox: the posts of a page, and what a page is.
const UNUSED_ITEMS: [&str; 27] = [
    "address",
    "album",
    "connection",
    "coupon",
    "event",
    "experience",
    "group",
    "group_message",
    "interest",
    "link",
    "milestone",
    "note",
    "page",
    "photo",
    "photo-album",
    "picture",
    "platform-story",
    "post",
    "profile",
    "question",
    "rating",
    "relationship-status",
    "status",
    "story",
    "tag",
    "timeline cover",
    "video",
];

/// `item` decides what a notice is about: reactions to comments have a `comment_id` too.
pub(super) fn read(source: &Source, value: &Value, found: &mut InboxNotice) {
    match value["item"].as_str() {
        Some("comment") => read_comment(source, value, found),
        // Meta may send both for one like.
        Some("like" | "reaction") => read_reaction(source, value, found),
        Some("share") => {
            let on = id(&value["post_id"]).or_else(|| id(&value["share_id"]));
            let shared = address(&value["link"]);
            push_signal(source, value, SignalType::Share, on, shared, found);
        }
        Some("mention") => read_mention(source, value, found),
        Some(item) if UNUSED_ITEMS.contains(&item) => found.skip(SkippedNotice::Unused),
        item => found.skip_unknown("feed", item),
    }
}

fn read_comment(source: &Source, value: &Value, found: &mut InboxNotice) {
    let Some(mid) = id(&value["comment_id"]) else { return found.skip(SkippedNotice::Unreadable) };
    let at = source.time(&value["created_time"]);
    let attachments = attachments(value);
    match value["verb"].as_str() {
        Some("add") => {
            let author = author(value);
            let is_ours = author.id.as_deref() == Some(source.account);
            let mut message = source.message(mid.clone(), is_ours, if is_ours { Person::default() } else { author });
            message.text = text(&value["message"]);
            message.attachments = attachments;
            message.created_time = at;
            message.parent = parent(value).filter(|parent| *parent != mid);
            message.post = post(value);
            fill_empty(&mut message, UNSUPPORTED);
            found.push(source, InboxEventKind::Message(Box::new(message)));
            // Meta's own filters hide comments as they come.
            if is_true(&value["is_hidden"]) {
                found.push(source, InboxEventKind::Hidden { mid, hidden: true, at });
            }
        }
        Some("edit" | "edited") => match text(&value["message"]) {
            None if attachments.is_empty() => found.skip(SkippedNotice::Unreadable),
            text => {
                let at = time(&value["edited_time"]).unwrap_or(at);
                found.push(source, InboxEventKind::Edited { mid, text: text.unwrap_or_default(), at });
            }
        },
        // `from` is here who hid the comment, not who wrote it.
        Some(verb @ ("hide" | "unhide")) => {
            found.push(source, InboxEventKind::Hidden { mid, hidden: verb == "hide", at });
        }
        Some("remove") => found.push(source, InboxEventKind::Deleted { mid, at }),
        verb => found.skip_unknown("feed/comment", verb),
    }
}

fn read_reaction(source: &Source, value: &Value, found: &mut InboxNotice) {
    let is_removed = value["verb"] == "remove";
    let reaction = name(&value["reaction_type"]).unwrap_or_else(|| "like".to_owned());
    if let Some(mid) = id(&value["comment_id"]) {
        let person = author(value);
        if person.id.is_none() {
            return found.skip(SkippedNotice::Anonymous);
        }
        let is_ours = person.id.as_deref() == Some(source.account);
        let (value, at) = ((!is_removed).then_some(reaction), ordered_time(source, value));
        return found.push(source, InboxEventKind::Reacted { mid, person, is_ours, value, at });
    }
    match id(&value["post_id"]).or_else(|| id(&value["parent_id"])) {
        Some(post) => push_signal(source, value, SignalType::Reaction, Some(post), Some(reaction), found),
        None => push_signal(source, value, SignalType::Like, Some(source.account.to_owned()), None, found),
    }
}

/// Where the page is mentioned. Meta may leave out who did it; that can be read from the post or comment.
pub(super) fn read_mention(source: &Source, value: &Value, found: &mut InboxNotice) {
    let Some(on) = id(&value["comment_id"]).or_else(|| id(&value["post_id"])) else {
        return found.skip(SkippedNotice::Unreadable);
    };
    let (person, at) = (author(value), ordered_time(source, value));
    if person.id.as_deref() == Some(source.account) {
        return found.skip(SkippedNotice::Unused);
    }
    let active = value["verb"] != "remove";
    let (permalink, value) = (text(&value["permalink_url"]), text(&value["message"]));
    let r#type = SignalType::Mention;
    found.push(source, InboxEventKind::Signal(Signal { r#type, person, on, value, permalink, at, active }));
}

/// Adds what another person did. What the page does itself is no signal.
fn push_signal(
    source: &Source,
    value: &Value,
    r#type: SignalType,
    on: Option<String>,
    detail: Option<String>,
    found: &mut InboxNotice,
) {
    let person = author(value);
    let Some(on) = on else { return found.skip(SkippedNotice::Unreadable) };
    match person.id.as_deref() {
        None => found.skip(SkippedNotice::Anonymous),
        Some(id) if id == source.account => found.skip(SkippedNotice::Unused),
        Some(_) => {
            let (at, active) = (ordered_time(source, value), value["verb"] != "remove");
            let permalink = None;
            found.push(
                source,
                InboxEventKind::Signal(Signal { r#type, person, on, value: detail, permalink, at, active }),
            );
        }
    }
}

/// The time of a reaction. Meta gives whole seconds, in which a person may react, change it and take it back. The verb
/// decides then, in milliseconds.
fn ordered_time(source: &Source, value: &Value) -> Timestamp {
    let at = source.time(&value["created_time"]);
    let rank = match value["verb"].as_str() {
        Some("edit" | "edited" | "update") => 1,
        Some("remove") => 2,
        _ => 0,
    };
    Timestamp::from_millisecond(at.as_millisecond() + rank).unwrap_or(at)
}

fn author(value: &Value) -> Person {
    let from = &value["from"];
    Person {
        id: id(&from["id"]).or_else(|| id(&value["sender_id"])),
        name: name(&from["name"]).or_else(|| name(&value["sender_name"])),
        ..Person::default()
    }
}

/// The comment above. The one above a first comment is its post, which Meta names with or without the page.
fn parent(value: &Value) -> Option<String> {
    let parent = id(&value["parent_id"])?;
    let post = id(&value["post_id"]).or_else(|| id(inner(value, ["post", "id"])))?;
    let is_post = parent == post || post.rsplit_once('_').is_some_and(|(_, post)| post == parent);
    (!is_post).then_some(parent)
}

fn post(value: &Value) -> Option<PostRef> {
    Some(PostRef {
        id: id(&value["post_id"]).or_else(|| id(inner(value, ["post", "id"])))?,
        copy: None,
        ad_id: None,
        permalink: address(inner(value, ["post", "permalink_url"])),
    })
}

fn attachments(value: &Value) -> Vec<NewAttachment> {
    let photos = list(&value["photo"]).iter().chain(list(&value["photos"])).filter_map(address);
    let mut attachments: Vec<NewAttachment> = photos.map(|url| file("image", Some(url))).collect();
    if let Some(url) = address(&value["video"]) {
        attachments.push(file("video", Some(url)));
    } else if id(&value["video_id"]).is_some() {
        attachments.push(placeholder("video"));
    }
    if attachments.is_empty() {
        attachments.extend(address(&value["link"]).map(|url| link(Some(url), None)));
    }
    attachments
}
