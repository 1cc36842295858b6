//! `/{page}/conversations`, conversations and messages as nodes.

use serde_json::{Value, json};

use super::super::error::GraphError;
use super::super::node::{self, Node};
use super::super::paging::{self, EdgeQuery, Elements, Item};
use super::super::session::Call;
use super::{Kind, rights};
use crate::clock::graph_time;
use crate::world::inbox::Account;
use crate::world::inbox::message::{Message, Thread};

const CONVERSATIONS: Elements =
    Elements { node_type: Some("UnifiedThread"), defaults: &["id", "link", "updated_time"], max_limit: 100 };
const MESSAGES: Elements = Elements { node_type: Some("Message"), defaults: &["id", "created_time"], max_limit: 100 };
/// Only so many of the newest messages of a thread have details.
const READABLE: usize = 20;

/// Lists the conversations of a page, or (`platform=instagram`) of its Instagram account, newest first.
///
/// # Errors
/// Returns 100 for an unknown platform, 100/2534013 for a page without an Instagram account.
pub(super) fn list(call: &mut Call<'_>, page_id: &str, query: &EdgeQuery) -> Result<Value, GraphError> {
    let account = match query.param("platform").map(str::to_lowercase).as_deref() {
        None | Some("messenger") => Account::Page(page_id.to_owned()),
        Some("instagram") => {
            call.require_page_token(page_id, page_id)?;
            let account = call.world.instagram.account_of_page(page_id);
            let text = "(#100) The page is not linked to an Instagram account";
            let account = account.ok_or_else(|| GraphError::messaging(100, 2_534_013, text))?;
            Account::Instagram(account.id.clone())
        }
        Some(other) => {
            return Err(GraphError::invalid(format!(
                "(#100) Param platform must be one of {{INSTAGRAM, MESSENGER}} - got \"{other}\"."
            )));
        }
    };
    rights::messages(call, page_id, &account, page_id)?;
    let user = query.param("user_id").map(|id| call.world.find_visitor(id));
    let mut threads: Vec<&Thread> = call.world.inbox.threads.iter().filter(|it| it.account == account).collect();
    threads.retain(|thread| user.is_none_or(|user| user == Some(thread.visitor)));
    threads.reverse();
    threads.sort_by_key(|thread| std::cmp::Reverse(thread.updated_ms));
    let node = |id: &str| Item::Node(Node::Inbox(Kind::Conversation, id.to_owned()));
    let items = threads.iter().map(|thread| (thread.id.clone(), node(&thread.id))).collect();
    paging::page(call, query, items, &CONVERSATIONS)
}

/// Checks that the caller may read a conversation or message.
///
/// # Errors
/// As for the messages of its page; 100/9000001 for a message that is deleted or not among the newest twenty.
pub(super) fn check_readable(call: &Call<'_>, id: &str) -> Result<(), GraphError> {
    let hidden = || GraphError::not_visible(&call.request.method, id);
    let message = call.world.inbox.message(id);
    let thread = message.map(|(thread, _)| thread).or_else(|| call.world.inbox.thread(id)).ok_or_else(hidden)?;
    let page_id = rights::page_of(call, &thread.account, id)?;
    rights::messages(call, &page_id, &thread.account, id)?;
    match message {
        Some((thread, message)) if message.deleted || !is_readable(thread, id) => {
            Err(GraphError::messaging(100, 9_000_001, "(#100) This message has been deleted"))
        }
        _ => Ok(()),
    }
}

fn is_readable(thread: &Thread, mid: &str) -> bool {
    thread.messages.iter().rev().take(READABLE).any(|message| message.mid == mid)
}

/// Returns the value of a field of a conversation.
pub(super) fn value(call: &mut Call<'_>, id: &str, field: &str) -> Option<Value> {
    let thread = call.world.inbox.thread(id)?.clone();
    let now = call.world.clock.now_ms();
    Some(match field {
        "updated_time" => json!(graph_time(thread.updated_ms)),
        "message_count" => json!(thread.messages.len()),
        "unread_count" => json!(thread.messages.iter().rev().take_while(|message| !message.out).count()),
        "can_reply" => json!(thread.active_ms.is_some_and(|at| at + 24 * 3600 * 1000 > now)),
        "is_subscribed" | "is_owner" => json!(true),
        "link" => json!(format!("/{}/inbox/{id}/?section=messages", thread.account.id())),
        "snippet" => json!(thread.messages.last().and_then(|message| message.text.clone()).unwrap_or_default()),
        "folder" => json!("inbox"),
        "scoped_thread_key" => json!(id),
        "participants" | "senders" => {
            let both = [party(call, &thread, false), party(call, &thread, true)];
            json!({ "data": both })
        }
        _ => return None,
    })
}

/// The account or the person of a thread.
fn party(call: &mut Call<'_>, thread: &Thread, account: bool) -> Value {
    let instagram = matches!(thread.account, Account::Instagram(_));
    if account {
        let id = thread.account.id();
        let name = call.world.account_name(&thread.account);
        return if instagram {
            json!({"id": id, "username": name})
        } else {
            json!({"id": id, "name": name, "email": format!("{id}@facebook.com")})
        };
    }
    let id = call.world.scoped_id(thread.visitor, &thread.account);
    let visitor = call.world.inbox.visitors.get(thread.visitor);
    if instagram {
        json!({"id": id, "username": visitor.map(|visitor| visitor.username.as_str())})
    } else {
        json!({"id": id, "name": visitor.map(|visitor| visitor.name.as_str()), "email": format!("{id}@facebook.com")})
    }
}

/// `GET /{conversation}/messages`, newest first. Older messages than the newest twenty have only their id and time, and
/// deleted ones are left out.
pub(super) fn messages(call: &mut Call<'_>, id: &str, query: &EdgeQuery) -> Result<Value, GraphError> {
    let Some(thread) = call.world.inbox.thread(id) else { return Ok(json!({"data": []})) };
    let mut items = Vec::new();
    for (at, message) in thread.messages.iter().rev().enumerate().filter(|(_, message)| !message.deleted) {
        let item = if at < READABLE {
            Item::Node(Node::Inbox(Kind::Message, message.mid.clone()))
        } else {
            Item::Value(json!({"id": message.mid, "created_time": graph_time(message.at_ms)}))
        };
        items.push((message.mid.clone(), item));
    }
    if let Some(fields) = &query.fields {
        node::check_fields("Message", fields)?;
    }
    paging::page(call, query, items, &MESSAGES)
}

/// Returns the value of a field of a message.
pub(super) fn message_value(call: &mut Call<'_>, mid: &str, field: &str) -> Option<Value> {
    let (thread, message) = call.world.inbox.message(mid)?;
    let (thread, message) = (thread.clone(), message.clone());
    Some(match field {
        "created_time" => json!(graph_time(message.at_ms)),
        "message" => json!(message.text.unwrap_or_default()),
        "from" => party(call, &thread, message.out),
        "to" => json!({"data": [party(call, &thread, !message.out)]}),
        "attachments" => attachments(&message)?,
        "shares" => {
            let shared =
                message.attachments.iter().filter(|it| matches!(it.kind.as_str(), "share" | "post" | "fallback"));
            let shared: Vec<Value> = shared.map(|it| json!({"link": it.url, "name": it.title})).collect();
            (!shared.is_empty()).then(|| json!({ "data": shared }))?
        }
        "story" => json!({"reply_to": message.extra.get("reply_to")?.get("story")?}),
        "reactions" => {
            let mut list = Vec::new();
            for (value, by) in &message.reactions {
                let user = party(call, &thread, by.is_none());
                list.push(json!({"reaction": value, "users": [user]}));
            }
            (!list.is_empty()).then(|| json!({ "data": list }))?
        }
        "is_unsupported" => json!(message.kind == "unsupported"),
        "sticker" => json!(message.attachments.iter().find(|it| it.kind == "sticker")?.url),
        "reply_to" => json!({"mid": message.reply_to?}),
        _ => return None,
    })
}

fn attachments(message: &Message) -> Option<Value> {
    let list: Vec<Value> = message
        .attachments
        .iter()
        .filter(|it| it.url.is_some())
        .map(|it| {
            let (mime, key) = match it.kind.as_str() {
                "video" => ("video/mp4", "video_data"),
                "audio" => ("audio/ogg", "file_url"),
                "file" => ("application/pdf", "file_url"),
                _ => ("image/jpeg", "image_data"),
            };
            let data = if key == "file_url" { json!(it.url) } else { json!({"url": it.url, "width": 1, "height": 1}) };
            json!({"id": it.file_id, "mime_type": mime, "name": it.name.as_deref().unwrap_or("file"), key: data})
        })
        .collect();
    (!list.is_empty()).then(|| json!({ "data": list }))
}
