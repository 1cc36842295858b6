//! The fields `comments`, `live_comments` and `mentions` of Instagram accounts.

use serde_json::Value;

use super::attachments::{UNSUPPORTED, fill_empty};
use super::members::{ad_id, id, inner, name, text};
use super::{InboxNotice, SkippedNotice, Source};
use crate::model::inbox::event::{InboxEventKind, Person, PostRef, Signal, SignalType};

/// Meta reports new comments only, and without their time.
pub(super) fn read_comment(source: &Source, value: &Value, found: &mut InboxNotice) {
    let Some(mid) = id(&value["id"]).or_else(|| id(&value["comment_id"])) else {
        return found.skip(SkippedNotice::Unreadable);
    };
    let from = &value["from"];
    let author = Person { id: id(&from["id"]), username: name(&from["username"]), ..Person::default() };
    let is_ours = author.id.as_deref() == Some(source.account) || id(&from["self_ig_scoped_id"]).is_some();
    let mut message = source.message(mid, is_ours, if is_ours { Person::default() } else { author });
    message.text = text(&value["text"]);
    message.created_time = source.time(&value["timestamp"]);
    message.parent = id(&value["parent_id"]);
    message.post = post(&value["media"]);
    message.ad_id = ad_id(inner(value, ["media", "ad_id"]));
    fill_empty(&mut message, UNSUPPORTED);
    found.push(source, InboxEventKind::Message(Box::new(message)));
}

/// An ad shows a copy of a post, under an id of its own.
fn post(media: &Value) -> Option<PostRef> {
    let (shown, original) = (id(&media["id"]), id(&media["original_media_id"]));
    let copy = if original.is_some() && original != shown { shown.clone() } else { None };
    Some(PostRef { id: original.or(shown)?, copy, ad_id: ad_id(&media["ad_id"]), permalink: None })
}

/// Meta says only where the account is mentioned. By whom and how must be asked for.
pub(super) fn read_mention(source: &Source, value: &Value, found: &mut InboxNotice) {
    let Some(on) = id(&value["comment_id"]).or_else(|| id(&value["media_id"])) else {
        return found.skip(SkippedNotice::Unreadable);
    };
    let (person, at) = (Person::default(), source.received_at);
    let signal = Signal { r#type: SignalType::Mention, person, on, value: None, at, active: true };
    found.push(source, InboxEventKind::Signal(signal));
}
