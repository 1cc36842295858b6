//! Events of conversations on Messenger and Instagram.

use serde_json::Value;

use super::attachments::{self, UNSUPPORTED, fill_empty, placeholder};
use super::members::{ad_id, address, id, inner, is_true, list, name, text, time};
use super::{InboxNotice, SkippedNotice, Source};
use crate::ids::MessageId;
use crate::model::inbox::event::{DeliveryReport, InboxEventKind, NewAttachment, Person};

/// Sender and recipient, and the message's id, of the dashboard's test payloads.
const TEST_PEOPLE: [&str; 2] = ["12334", "23245"];
const TEST_MESSAGE: &str = "random_mid";

type Reader = fn(&Item, &Value, &mut InboxNotice);

/// What an event may be; one may be several.
const READERS: [(&str, Reader); 9] = [
    ("message", read_message),
    ("message_edit", read_edit),
    ("postback", read_postback),
    ("reaction", read_reaction),
    ("read", read_read),
    ("delivery", read_delivery),
    ("referral", read_referral),
    ("pass_thread_control", read_pass),
    ("take_thread_control", read_take),
];

/// Events that the inbox has no use for.
const UNUSED: [&str; 11] = [
    "account_linking",
    "app_roles",
    "game_play",
    "messaging_customer_information",
    "messaging_feedback",
    "optin",
    "optout",
    "policy_enforcement",
    "prior_message",
    "request_thread_control",
    "typing",
];

/// One event, and between whom it happened.
struct Item<'a> {
    source: &'a Source<'a>,
    standby: bool,
    value: &'a Value,
    sender: Option<String>,
    /// The other person.
    person: Option<String>,
    is_ours: bool,
}

impl Item<'_> {
    fn person(&self) -> Person {
        Person { id: self.person.clone(), ..Person::default() }
    }

    fn time(&self) -> jiff::Timestamp {
        self.source.time(&self.value["timestamp"])
    }
}

pub(super) fn read(source: &Source, standby: bool, value: &Value, found: &mut InboxNotice) {
    let (sender, recipient) = (id(inner(value, ["sender", "id"])), id(inner(value, ["recipient", "id"])));
    let is_test = [sender.as_deref(), recipient.as_deref()] == TEST_PEOPLE.map(Some);
    if is_test || *inner(value, ["message", "mid"]) == TEST_MESSAGE {
        return found.skip(SkippedNotice::DashboardTest);
    }
    let is_account = |person: &Option<String>| person.as_deref() == Some(source.account);
    if is_account(&sender) && is_account(&recipient) {
        return found.skip(SkippedNotice::Unused);
    }
    let is_echo = is_true(inner(value, ["message", "is_echo"])) || is_true(inner(value, ["message", "is_self"]));
    let is_ours = is_account(&sender) || is_echo && !is_account(&recipient);
    let person = if is_ours { recipient } else { sender.clone() };
    let item = Item { source, standby, value, sender, person, is_ours };
    let parts: Vec<_> = READERS.iter().filter(|(key, _)| !value[*key].is_null()).collect();
    for (key, reader) in &parts {
        reader(&item, &value[*key], found);
    }
    if parts.is_empty() {
        let mut keys = value.as_object().into_iter().flat_map(serde_json::Map::keys);
        let kind = keys.find(|key| !["sender", "recipient", "timestamp"].contains(&key.as_str()));
        match kind {
            Some(kind) if UNUSED.contains(&kind.as_str()) => found.skip(SkippedNotice::Unused),
            kind => found.skip_unknown("messaging", kind.map(String::as_str)),
        }
    }
}

fn read_message(item: &Item, value: &Value, found: &mut InboxNotice) {
    let Some(mid) = id(&value["mid"]) else { return found.skip(SkippedNotice::Unreadable) };
    if is_true(&value["is_deleted"]) {
        return found.push(item.source, InboxEventKind::Deleted { mid, at: item.time() });
    }
    // An echo may have no recipient, and is still ours. Another person's message would belong nowhere.
    if !item.is_ours && item.person.is_none() {
        return found.skip(SkippedNotice::Unreadable);
    }
    let mut message = item.source.message(mid, item.is_ours, item.person());
    message.text = text(&value["text"]);
    message.attachments = attachments::read_all(&value["attachments"]);
    let story = inner(value, ["reply_to", "story"]);
    if story.is_object() {
        let story = NewAttachment { url: address(&story["url"]), ..placeholder("story_reply") };
        message.attachments.push(story);
    }
    if is_true(&value["is_unsupported"]) && message.attachments.is_empty() {
        message.attachments.push(placeholder(UNSUPPORTED));
    }
    message.created_time = item.time();
    message.parent = id(inner(value, ["reply_to", "mid"]));
    message.ours = value["metadata"].as_str().and_then(MessageId::parse_own);
    message.app_id = id(&value["app_id"]);
    message.standby = item.standby;
    message.ad_id = ad_id(inner(value, ["referral", "ad_id"]));
    fill_empty(&mut message, UNSUPPORTED);
    found.push(item.source, InboxEventKind::Message(Box::new(message)));
}

fn read_edit(item: &Item, value: &Value, found: &mut InboxNotice) {
    let is_first = value["num_edit"] == 0 || value["num_edit"] == "0";
    match (id(&value["mid"]), text(&value["text"])) {
        // Instagram announces new messages this way too.
        _ if is_first => found.skip(SkippedNotice::Unused),
        (Some(mid), Some(text)) => {
            found.push(item.source, InboxEventKind::Edited { mid, text, at: item.time() });
        }
        _ => found.skip(SkippedNotice::Unreadable),
    }
}

/// A tap on a button is a message: it has a text, and it opens the window for answers.
fn read_postback(item: &Item, value: &Value, found: &mut InboxNotice) {
    let Some(person) = &item.person else { return found.skip(SkippedNotice::Unreadable) };
    // Older apps get no id. The same tap has the same time when it is delivered again.
    let made_id = || Some(format!("postback-{person}-{}", time(&item.value["timestamp"])?.as_millisecond()));
    let Some(mid) = id(&value["mid"]).or_else(made_id) else { return found.skip(SkippedNotice::Unreadable) };
    let mut message = item.source.message(mid, item.is_ours, item.person());
    message.text = text(&value["title"]).or_else(|| text(&value["payload"]));
    message.created_time = item.time();
    message.standby = item.standby;
    message.ad_id = ad_id(inner(value, ["referral", "ad_id"]));
    fill_empty(&mut message, "postback");
    found.push(item.source, InboxEventKind::Message(Box::new(message)));
}

fn read_reaction(item: &Item, value: &Value, found: &mut InboxNotice) {
    let Some(mid) = id(&value["mid"]) else { return found.skip(SkippedNotice::Unreadable) };
    if item.sender.is_none() {
        return found.skip(SkippedNotice::Anonymous);
    }
    let person = Person { id: item.sender.clone(), ..Person::default() };
    let reaction = name(&value["emoji"]).or_else(|| name(&value["reaction"]));
    let is_taken_back = value["action"] == "unreact";
    let value = (!is_taken_back).then(|| reaction.unwrap_or_else(|| "other".to_owned()));
    found.push(item.source, InboxEventKind::Reacted { mid, person, is_ours: item.is_ours, value, at: item.time() });
}

/// Messenger says until when everything was read, Instagram the newest message that was.
fn read_read(item: &Item, value: &Value, found: &mut InboxNotice) {
    let person = item.person();
    match (id(&value["mid"]), time(&value["watermark"])) {
        // What our side has read of the person's is no report of ours.
        _ if item.is_ours => found.skip(SkippedNotice::Unused),
        (_, Some(until)) if person.id.is_some() => {
            found.push(item.source, InboxEventKind::Watermark { person, read: true, until });
        }
        (Some(mid), _) => found.push(item.source, InboxEventKind::Read { mid, at: item.time() }),
        _ => found.skip(SkippedNotice::Unreadable),
    }
}

/// The ids name what was delivered, even if our clock differs from Meta's; the time covers what they leave out.
fn read_delivery(item: &Item, value: &Value, found: &mut InboxNotice) {
    let (person, watermark) = (item.person(), time(&value["watermark"]));
    let mids: Vec<String> = list(&value["mids"]).iter().filter_map(id).collect();
    let until = watermark.filter(|_| person.id.is_some());
    if item.is_ours {
        return found.skip(SkippedNotice::Unused);
    }
    if mids.is_empty() && until.is_none() {
        return found.skip(SkippedNotice::Unreadable);
    }
    let at = watermark.unwrap_or_else(|| item.time());
    let status = DeliveryReport::Delivered;
    for mid in mids {
        found.push(item.source, InboxEventKind::Status { mid, ours: None, status, at, failure: None });
    }
    if let Some(until) = until {
        found.push(item.source, InboxEventKind::Watermark { person, read: false, until });
    }
}

/// Another app hands the conversation over, usually a bot to the people behind it.
fn read_pass(item: &Item, value: &Value, found: &mut InboxNotice) {
    let (person, to) = (item.person(), id(&value["new_owner_app_id"]));
    if person.id.is_none() || to.is_none() {
        return found.skip(SkippedNotice::Unreadable);
    }
    found.push(item.source, InboxEventKind::HandedOver { person, to, at: item.time() });
}

/// Another app takes the conversation from ours.
fn read_take(item: &Item, _: &Value, found: &mut InboxNotice) {
    let person = item.person();
    if person.id.is_none() {
        return found.skip(SkippedNotice::Unreadable);
    }
    found.push(item.source, InboxEventKind::HandedOver { person, to: None, at: item.time() });
}

fn read_referral(item: &Item, value: &Value, found: &mut InboxNotice) {
    let person = item.person();
    if person.id.is_none() || item.is_ours {
        return found.skip(SkippedNotice::Unreadable);
    }
    let event = InboxEventKind::Referred { person, ad_id: ad_id(&value["ad_id"]), at: item.time() };
    found.push(item.source, event);
}
