//! The fields `comments`, `live_comments` and `mentions` of Instagram accounts.

use serde_json::Value;

use super::attachments::{UNSUPPORTED, fill_empty};
use super::members::{ad_id, id, inner, name, text};
use super::{InboxNotice, SkippedNotice, Source};
use crate::model::inbox::event::{InboxEventKind, Person, PostRef};

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
    let comment = id(&value["comment_id"]);
    let in_comment = comment.is_some();
    let on = comment.or_else(|| id(&value["media_id"]));
    let Some(on) = on.filter(|on| on.bytes().all(|byte| byte.is_ascii_digit())) else {
        return found.skip(SkippedNotice::Unreadable);
    };
    found.push(source, InboxEventKind::Mentioned { on, in_comment });
}
