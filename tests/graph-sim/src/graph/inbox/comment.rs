//! Comments on pages' posts as nodes.

use serde_json::{Value, json};

use super::super::content::{params, success};
use super::super::error::GraphError;
use super::super::session::Call;
use super::{attachment, rights};
use crate::clock::graph_time;
use crate::webhook::outbox::Manner;
use crate::world::inbox::Account;
use crate::world::inbox::comment::Comment;

pub(super) const DEFAULTS: &[&str] = &["created_time", "from", "message", "id"];

/// How long a comment can be answered privately.
pub(super) const PRIVATE_REPLY_MS: i64 = 7 * 24 * 3600 * 1000;

/// Checks that the caller may read a comment of a page or an Instagram account.
///
/// # Errors
/// As for the post or medium.
pub(super) fn check_readable(call: &Call<'_>, id: &str) -> Result<(), GraphError> {
    match call.world.inbox.comment(id) {
        Some(comment) => rights::read_comments(call, &comment.account, id),
        None => Err(GraphError::not_visible("get", id)),
    }
}

/// Returns the value of a field. `None` if the comment has no such value.
pub(super) fn value(call: &mut Call<'_>, id: &str, field: &str) -> Option<Value> {
    let comment = call.world.inbox.comment(id)?.clone();
    let Account::Page(page_id) = &comment.account else { return None };
    let ours = comment.by_app.as_deref() == Some(call.world.app.id.as_str());
    Some(match field {
        // Who a visitor is, is content of users.
        "from" => {
            if comment.author.is_some() && !call.has_scope("pages_read_user_content") {
                return None;
            }
            call.world.page_actor(page_id, comment.author)
        }
        "message" => json!(comment.text.clone().unwrap_or_default()),
        "created_time" => json!(graph_time(comment.created_ms)),
        "attachment" => {
            let attachment = comment.attachment.as_ref()?;
            let kind = match attachment.kind.as_str() {
                "video" => "video_inline",
                "sticker" => "sticker",
                "share" => "share",
                "animated_image_share" => "animated_image_share",
                _ => "photo",
            };
            json!({"type": kind, "media": {"image": {"src": attachment.url, "width": 720, "height": 720}},
                   "target": {"id": id, "url": permalink(call, &comment)}, "url": permalink(call, &comment)})
        }
        "can_comment" | "can_remove" | "can_like" => json!(true),
        "can_hide" => json!(comment.author.is_some()),
        "can_reply_privately" => json!(can_reply_privately(&comment, call.world.clock.now_ms())),
        "is_hidden" => json!(comment.hidden),
        "is_private" | "user_likes" => json!(false),
        "comment_count" => {
            let replies = call.world.inbox.comments_on(&comment.on);
            json!(replies.filter(|reply| reply.parent_id.as_deref() == Some(id)).count())
        }
        "like_count" => {
            let likes = call.world.inbox.reactions.iter().filter(|it| it.active && it.on() == id);
            json!(likes.count())
        }
        "permalink_url" => json!(permalink(call, &comment)),
        "application" if comment.by_app.is_some() => {
            let name = if ours { call.world.app.name.as_str() } else { "Facebook" };
            json!({"id": comment.by_app, "name": name})
        }
        "private_reply_conversation" => {
            let (thread, _) = call.world.inbox.message(comment.private_reply.as_ref()?)?;
            json!({"id": thread.id, "link": format!("/{page_id}/inbox/{}", thread.id)})
        }
        _ => return None,
    })
}

fn permalink(call: &Call<'_>, comment: &Comment) -> String {
    let post = call.world.content.post(&comment.on).map(crate::world::content::post::Post::permalink);
    let number = comment.id.split_once('_').map_or(comment.id.as_str(), |(_, number)| number);
    format!("{}?comment_id={number}", post.unwrap_or_default())
}

/// Whether a person's comment can still be answered privately.
pub(super) fn can_reply_privately(comment: &Comment, now_ms: i64) -> bool {
    comment.author.is_some() && comment.private_reply.is_none() && comment.created_ms + PRIVATE_REPLY_MS >= now_ms
}

/// `POST /{comment}`: hides a person's comment, or changes one of the page. What is not sent again is removed.
///
/// # Errors
/// Returns 200 for the text of another author or for hiding the page's own comment, 100 without anything to change.
pub(super) fn update(call: &mut Call<'_>, id: &str) -> Result<Value, GraphError> {
    let Some(comment) = call.world.inbox.comment(id).cloned() else {
        return Err(GraphError::not_visible("post", id));
    };
    rights::moderate(call, &comment.account, id)?;
    let hidden = params::flag(call.request, "is_hidden")?;
    let message = params::text(call.request, "message");
    let Some(added) = attachment::of_comment(call)? else { return Ok(Value::Null) };
    let changes_text = message.is_some() || added.is_some();
    if hidden.is_none() && !changes_text {
        return Err(GraphError::invalid("(#100) Missing message or attachment"));
    }
    if hidden.is_some() && comment.author.is_none() {
        return Err(GraphError::new(403, 200, "(#200) This comment can't be hidden"));
    }
    if changes_text && comment.author.is_some() {
        return Err(GraphError::new(403, 200, "(#200) Permissions error"));
    }
    if changes_text {
        call.world.edit_comment(id, message, added, Manner::Normal);
    }
    if let Some(hidden) = hidden {
        call.world.hide_comment(id, hidden, Manner::Normal);
    }
    Ok(success())
}

/// `DELETE /{comment}`: of any author.
pub(super) fn delete(call: &mut Call<'_>, id: &str) -> Result<Value, GraphError> {
    let account = call.world.inbox.comment(id).map(|comment| comment.account.clone());
    rights::moderate(call, &account.ok_or_else(|| GraphError::not_visible("delete", id))?, id)?;
    call.world.remove_comment(id, Manner::Normal);
    Ok(success())
}
