//! `POST /{page}/messages`: messages and private replies, on Messenger and Instagram.

use serde_json::{Value, json};

use super::super::error::GraphError;
use super::super::request;
use super::super::session::Call;
use super::comment::can_reply_privately;
use super::message_body::{self, MessageBody, Source};
use super::{attachment, rights};
use crate::webhook::outbox::Manner;
use crate::world::inbox::Account;
use crate::world::inbox::message::{Attachment, Message};

const DAY_MS: i64 = 24 * 3600 * 1000;
/// How long a person may answer with the tag `HUMAN_AGENT`.
const HUMAN_AGENT_MS: i64 = 7 * DAY_MS;
/// Tags that ended on 2026-04-27.
const DEAD_TAGS: &[&str] = &["CONFIRMED_EVENT_UPDATE", "ACCOUNT_UPDATE", "POST_PURCHASE_UPDATE"];
const ACTIONS: &[&str] = &["TYPING_ON", "TYPING_OFF", "MARK_SEEN", "REACT", "UNREACT"];
const TYPES: &[&str] = &["RESPONSE", "UPDATE", "MESSAGE_TAG", "UTILITY"];

/// Who gets a message.
enum Recipient {
    /// The thread of a person.
    Person { account: Account, visitor: usize },
    /// The author of a comment.
    Comment { account: Account, visitor: usize, comment_id: String },
}

/// Sends a message, or an action such as `TYPING_ON`.
///
/// # Errors
/// Returns 100 for parameters, 100/2018001 for an unknown person, 10/2018278 or 10/2534022 outside the window, 551 for a
/// person who cannot be reached, 10900 or 100/2534025 for a private reply that is no longer possible.
pub(super) fn send(call: &mut Call<'_>, page_id: &str) -> Result<Value, GraphError> {
    call.require_page_token(page_id, page_id)?;
    let recipient = recipient(call, page_id)?;
    let (Recipient::Person { account, visitor } | Recipient::Comment { account, visitor, .. }) = &recipient;
    let (account, visitor) = (account.clone(), *visitor);
    rights::messages(call, page_id, &account, page_id)?;
    let body = message_body::parse(call.request)?;
    let action = call.request.param("sender_action").map(str::to_uppercase).filter(|action| !action.is_empty());
    if let Some(action) = action {
        return act(call, &account, visitor, &action, body.is_some());
    }
    let body = body.ok_or_else(|| GraphError::invalid("(#100) The parameter message is required"))?;
    message_body::check_length(&body, &account)?;
    let (kind, tag) = sent_as(call)?;
    // Check who may be written to, and when.
    if !call.world.inbox.settings.advanced_access {
        let text = "(#10) This message is sent to a user without a role in the app. Advanced access to pages_messaging \
                    is required.";
        return Err(GraphError::messaging(10, 2_018_028, text));
    }
    let blocked = call.world.inbox.visitors.get(visitor).is_none_or(|person| person.blocked);
    if blocked {
        return Err(GraphError::messaging(551, 1_545_041, "(#551) This person isn't available right now."));
    }
    match &recipient {
        Recipient::Person { .. } => check_window(call, &account, visitor, tag.as_deref())?,
        Recipient::Comment { comment_id, .. } => check_comment(call, comment_id)?,
    }
    if !attachment::fetch(call, &body.sources)? {
        return Ok(Value::Null);
    }
    // Write it.
    let thread = call.world.open_thread(&account, visitor);
    let mut message = message(call, &body);
    message.sent_as = [Some(kind), tag];
    if let Recipient::Comment { comment_id, .. } = &recipient {
        message.comment_id = Some(comment_id.clone());
    }
    let mid = call.world.send(thread, message, Manner::Normal);
    if let Recipient::Comment { comment_id, .. } = &recipient
        && let Some(comment) = call.world.inbox.comment_mut(comment_id)
    {
        comment.private_reply = Some(mid.clone());
    }
    let id = call.world.scoped_id(visitor, &account);
    Ok(json!({"recipient_id": id, "message_id": mid}))
}

/// Parses `recipient`.
fn recipient(call: &Call<'_>, page_id: &str) -> Result<Recipient, GraphError> {
    let text = call.request.param("recipient").unwrap_or_default();
    let value: Value = request::json(text)
        .filter(Value::is_object)
        .ok_or_else(|| GraphError::invalid("(#100) The parameter recipient is required"))?;
    let id = |name: &str| match value.get(name) {
        Some(Value::String(id)) => Some(id.clone()),
        Some(Value::Number(id)) => Some(id.to_string()),
        _ => None,
    };
    let own = |account: &Account| match account {
        Account::Page(id) => id == page_id,
        Account::Instagram(id) => {
            call.world.instagram.account_of_page(page_id).is_some_and(|account| account.id == *id)
        }
        Account::Number(_) => false,
    };
    if let Some(comment_id) = id("comment_id") {
        let comment = call.world.inbox.comment(&comment_id).filter(|it| !it.removed && own(&it.account));
        return match comment.map(|comment| (comment.account.clone(), comment.author)) {
            Some((account, Some(visitor))) => Ok(Recipient::Comment { account, visitor, comment_id }),
            _ => Err(no_private_reply()),
        };
    }
    let id = id("id").ok_or_else(|| GraphError::invalid("(#100) Param recipient must have id or comment_id"))?;
    match call.world.inbox.scoped(&id) {
        Some((visitor, account)) if own(account) => {
            let visitor = call.world.inbox.visitors.iter().position(|known| known.id == visitor.id);
            Ok(Recipient::Person { account: account.clone(), visitor: visitor.unwrap_or_default() })
        }
        _ => Err(GraphError::messaging(100, 2_018_001, "(#100) No matching user found")),
    }
}

/// Returns `messaging_type` and `tag`.
fn sent_as(call: &Call<'_>) -> Result<(String, Option<String>), GraphError> {
    let kind =
        call.request.param("messaging_type").filter(|text| !text.is_empty()).unwrap_or("RESPONSE").to_uppercase();
    if !TYPES.contains(&kind.as_str()) {
        let names = TYPES.join(", ");
        return Err(GraphError::invalid(format!("(#100) Param messaging_type must be one of {{{names}}}")));
    }
    let tag = call.request.param("tag").filter(|text| !text.is_empty()).map(str::to_uppercase);
    match (kind.as_str(), tag.as_deref()) {
        (_, Some(tag)) if DEAD_TAGS.contains(&tag) => {
            Err(GraphError::invalid(format!("(#100) The message tag {tag} is no longer supported")))
        }
        (_, Some(tag)) if tag != "HUMAN_AGENT" => {
            Err(GraphError::invalid(format!("(#100) Param tag must be one of {{HUMAN_AGENT}} - got \"{tag}\".")))
        }
        ("MESSAGE_TAG", None) => {
            Err(GraphError::invalid("(#100) Param tag is required for messaging_type MESSAGE_TAG"))
        }
        ("RESPONSE" | "UPDATE" | "UTILITY", Some(_)) => {
            Err(GraphError::invalid("(#100) Param messaging_type must be MESSAGE_TAG when tag is set"))
        }
        _ => Ok((kind, tag)),
    }
}

fn check_window(call: &Call<'_>, account: &Account, visitor: usize, tag: Option<&str>) -> Result<(), GraphError> {
    let thread = call.world.inbox.thread_with(visitor, account);
    let instagram = matches!(account, Account::Instagram(_));
    if thread.is_some_and(|thread| thread.held_by_other) {
        let subcode = if instagram { 2_534_037 } else { 2_018_300 };
        return Err(GraphError::messaging(10, subcode, "(#10) Another app is controlling this thread now."));
    }
    let since = thread.and_then(|thread| thread.active_ms).map(|at| call.world.clock.now_ms() - at);
    let human = tag == Some("HUMAN_AGENT");
    if human && !call.world.inbox.settings.human_agent {
        let text = "(#10) The tag HUMAN_AGENT requires approval of the Human Agent feature";
        return Err(GraphError::new(400, 10, text));
    }
    let window_ms = if human { HUMAN_AGENT_MS } else { DAY_MS };
    if since.is_some_and(|since| since < window_ms) {
        return Ok(());
    }
    let text = "(#10) This message is sent outside of allowed window. Learn more about the new policy here: \
                https://developers.facebook.com/docs/messenger-platform/policy-overview";
    Err(GraphError::messaging(10, if instagram { 2_534_022 } else { 2_018_278 }, text))
}

/// A comment can be answered once, within seven days.
fn check_comment(call: &Call<'_>, id: &str) -> Result<(), GraphError> {
    let comment = call.world.inbox.comment(id).ok_or_else(no_private_reply)?;
    if comment.private_reply.is_some() {
        return Err(GraphError::new(400, 10_900, "(#10900) Activity already replied to"));
    }
    if can_reply_privately(comment, call.world.clock.now_ms()) { Ok(()) } else { Err(no_private_reply()) }
}

fn no_private_reply() -> GraphError {
    GraphError::messaging(100, 2_534_025, "(#100) The comment is invalid for a private reply")
}

/// Performs an action without a message.
fn act(
    call: &mut Call<'_>,
    account: &Account,
    visitor: usize,
    action: &str,
    has_message: bool,
) -> Result<Value, GraphError> {
    if has_message {
        return Err(GraphError::messaging(
            100,
            2_018_014,
            "(#100) sender_action must be the only parameter besides recipient",
        ));
    }
    if !ACTIONS.contains(&action) {
        let names = ACTIONS.join(", ");
        return Err(GraphError::invalid(format!("(#100) Param sender_action must be one of {{{names}}}")));
    }
    let thread = call.world.open_thread(account, visitor);
    if matches!(action, "REACT" | "UNREACT") {
        react(call, action == "UNREACT")?;
    }
    if let Some(thread) = call.world.inbox.threads.get_mut(thread) {
        thread.actions.push(action.to_owned());
    }
    Ok(json!({"recipient_id": call.world.scoped_id(visitor, account)}))
}

/// The account reacts to a person's message.
fn react(call: &mut Call<'_>, removed: bool) -> Result<(), GraphError> {
    let payload: Value = call.request.param("payload").and_then(request::json).unwrap_or_default();
    let text = |name: &str| payload.get(name).and_then(Value::as_str).map(str::to_owned);
    let mid = text("message_id").unwrap_or_default();
    let reaction = text("reaction").unwrap_or_else(|| "love".to_owned());
    let message = call.world.inbox.message_mut(&mid);
    let message = message.ok_or_else(|| GraphError::invalid("(#100) Param payload must name a message_id"))?;
    message.reactions.retain(|(_, by)| by.is_some());
    if !removed {
        message.reactions.push((reaction, None));
    }
    Ok(())
}

fn message(call: &Call<'_>, body: &MessageBody) -> Message {
    let mut attachments: Vec<Attachment> = body
        .sources
        .iter()
        .map(|source| match source {
            Source::Url { kind, url } => {
                Attachment { kind: kind.clone(), url: Some(url.clone()), ..Attachment::default() }
            }
            Source::Saved { kind, id } => {
                let url = Some(call.world.file_address(id));
                Attachment { kind: kind.clone(), url, file_id: Some(id.clone()), ..Attachment::default() }
            }
            Source::Template(payload) => {
                let payload = Some(payload.clone());
                Attachment { kind: "template".to_owned(), payload, ..Attachment::default() }
            }
        })
        .collect();
    if body.sticker_id.is_some() {
        let url = Some(format!("{}/attachments/sticker/sticker.png", call.world.public_url));
        attachments.push(Attachment { kind: "sticker".to_owned(), url, ..Attachment::default() });
    }
    let reply_to: Option<Value> = call.request.param("reply_to").and_then(request::json);
    let reply_to = reply_to.as_ref().and_then(|value| value.get("mid")).and_then(Value::as_str);
    let kind = match attachments.first() {
        Some(attachment) => attachment.kind.clone(),
        None if body.has_quick_replies => "quick_replies".to_owned(),
        None => "text".to_owned(),
    };
    Message {
        kind,
        text: body.text.clone(),
        attachments,
        at_ms: call.world.clock.now_ms(),
        reply_to: reply_to.map(str::to_owned),
        metadata: body.metadata.clone(),
        app_id: Some(call.world.app.id.clone()),
        ..Message::default()
    }
}
