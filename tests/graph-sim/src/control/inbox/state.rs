//! Comments, reactions, messages and WhatsApp accounts in `GET /_sim/state`.

use serde_json::{Value, json};

use crate::clock::graph_time;
use crate::world::World;
use crate::world::inbox::Account;
use crate::world::inbox::message::{Message, Status, Thread};

/// All comments, oldest first.
pub(crate) fn comments(world: &World) -> Value {
    let comments = world.inbox.all_comments().map(|comment| {
        let (object, key) = match &comment.account {
            Account::Page(_) => ("page", "post_id"),
            Account::Instagram(_) | Account::Number(_) => ("instagram", "media_id"),
        };
        let from = match comment.author {
            Some(index) => world.visitor_report(index, Some(&comment.account)),
            None => json!({"id": comment.account.id(), "name": world.account_name(&comment.account)}),
        };
        json!({
            "id": comment.id, "object": object, comment.account.key(): comment.account.id(), key: comment.on,
            "parent_id": comment.parent_id, "from": from, "text": comment.text,
            "attachment": comment.attachment.as_ref().map(|it| json!({"type": it.kind, "url": it.url})),
            "hidden": comment.hidden, "removed": comment.removed, "edited_at": comment.edited_ms.map(graph_time),
            "created_time": graph_time(comment.created_ms), "by_app": comment.by_app, "ad_id": comment.ad_id,
            "private_reply": comment.private_reply,
        })
    });
    comments.collect()
}

/// All reactions to posts and comments, oldest first.
pub(crate) fn reactions(world: &World) -> Value {
    let reactions = world.inbox.reactions.iter().map(|reaction| {
        let account = Account::Page(reaction.page_id.clone());
        json!({
            "post_id": reaction.post_id, "comment_id": reaction.comment_id, "type": reaction.kind,
            "active": reaction.active, "person": world.visitor_report(reaction.visitor, Some(&account)),
            "created_time": graph_time(reaction.created_ms),
        })
    });
    reactions.collect()
}

/// All threads with their messages, oldest first.
pub(crate) fn threads(world: &World) -> Value {
    world.inbox.threads.iter().map(|it| thread(world, it)).collect()
}

fn thread(world: &World, thread: &Thread) -> Value {
    let page_id = match &thread.account {
        Account::Instagram(id) => world.instagram.accounts.get(id).map(|account| account.page_id.as_str()),
        Account::Page(id) => Some(id.as_str()),
        Account::Number(_) => None,
    };
    json!({
        "page_id": page_id,
        "id": thread.id, "channel": thread.account.channel(), thread.account.key(): thread.account.id(),
        "person": world.visitor_report(thread.visitor, Some(&thread.account)),
        "window_opened": thread.active_ms.map(graph_time), "standby": thread.held_by_other,
        "actions": thread.actions,
        "messages": thread.messages.iter().map(message).collect::<Vec<_>>(),
    })
}

fn message(message: &Message) -> Value {
    let attachments: Vec<Value> = message
        .attachments
        .iter()
        .map(|it| json!({"type": it.kind, "url": it.url, "title": it.title, "name": it.name, "file_id": it.file_id}))
        .collect();
    let reactions: Vec<Value> = message
        .reactions
        .iter()
        .map(|(value, by)| json!({"value": value, "by": if by.is_some() { "person" } else { "account" }}))
        .collect();
    let code = match message.status {
        Some(Status::Failed(code)) => Some(code),
        _ => None,
    };
    json!({
        "mid": message.mid, "direction": if message.out { "out" } else { "in" }, "kind": message.kind,
        "text": message.text, "attachments": attachments, "at": graph_time(message.at_ms),
        "edited": message.edited_ms.is_some(), "deleted": message.deleted,
        "status": message.status.map(Status::name), "error": code, "reactions": reactions,
        "reply_to": message.reply_to, "by_app": message.app_id, "metadata": message.metadata,
        "messaging_type": message.sent_as[0], "tag": message.sent_as[1], "comment_id": message.comment_id,
    })
}

/// All WhatsApp accounts.
pub(crate) fn whatsapp(world: &World) -> Value {
    let accounts = world.inbox.wabas.values().map(|waba| {
        let numbers = world.inbox.numbers.values().filter(|number| number.waba_id == waba.id);
        let numbers: Vec<Value> =
            numbers.map(|number| json!({"id": number.id, "display_phone_number": number.display()})).collect();
        let templates: Vec<Value> = waba
            .templates
            .iter()
            .map(|it| json!({"id": it.id, "name": it.name, "language": it.language, "status": it.status}))
            .collect();
        json!({
            "id": waba.id, "name": waba.name, "business_id": waba.business_id, "client_of": waba.client_of,
            "subscribed": waba.subscribed, "phone_numbers": numbers, "templates": templates,
        })
    });
    accounts.collect()
}

/// Everyone outside.
pub(crate) fn people(world: &World) -> Value {
    (0..world.inbox.visitors.len()).map(|index| world.visitor_report(index, None)).collect()
}

/// The mentions of Instagram accounts, with what the accounts answered.
pub(crate) fn mentions(world: &World) -> Value {
    let mentions = world.inbox.mentions.iter().map(|it| {
        let replies: Vec<Value> = it.replies.iter().map(|(id, text)| json!({"id": id, "text": text})).collect();
        json!({"instagram_id": it.account_id, "media_id": it.media_id, "comment_id": it.comment_id, "text": it.text,
               "replies": replies})
    });
    mentions.collect()
}
