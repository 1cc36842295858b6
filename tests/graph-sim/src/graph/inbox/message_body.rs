//! The `message` of Messenger's and Instagram's Send API.

use serde_json::Value;

use super::super::error::GraphError;
use super::super::request::{self, Request};
use crate::world::inbox::Account;

/// Maximum number of quick replies, and of characters in their titles.
const MAX_QUICK_REPLIES: usize = 13;
const MAX_TITLE: usize = 20;
/// Maximum number of characters of a text in Messenger, and of bytes on Instagram.
const MAX_CHARACTERS: usize = 2000;
const MAX_BYTES: usize = 1000;
const MAX_METADATA: usize = 1000;
/// The types of attachments.
const KINDS: &[&str] = &["image", "audio", "video", "file", "template"];

/// A message to send.
#[derive(Debug)]
pub(super) struct MessageBody {
    pub(super) text: Option<String>,
    pub(super) sources: Vec<Source>,
    pub(super) metadata: Option<String>,
    pub(super) sticker_id: Option<String>,
    pub(super) has_quick_replies: bool,
}

/// Where an attachment comes from.
#[derive(Debug, Clone)]
pub(super) enum Source {
    Url {
        kind: String,
        url: String,
    },
    /// A reusable attachment.
    Saved {
        kind: String,
        id: String,
    },
    /// The payload of a template.
    Template(Value),
}

/// Parses `message`. `None` if there is none.
///
/// # Errors
/// Returns 100 for a message that is empty, or has a text and an attachment, or a part that does not parse.
pub(super) fn parse(request: &Request) -> Result<Option<MessageBody>, GraphError> {
    let Some(text) = request.param("message").filter(|text| !text.trim().is_empty()) else { return Ok(None) };
    let value: Value =
        request::json(text).filter(Value::is_object).ok_or_else(|| invalid("message must be an object"))?;
    let text = |name: &str| value.get(name).and_then(Value::as_str).map(str::to_owned);
    let mut sources = Vec::new();
    let single = value.get("attachment");
    let many = value.get("attachments").and_then(Value::as_array);
    for attachment in single.into_iter().chain(many.into_iter().flatten()) {
        sources.push(source(attachment)?);
    }
    let quick_replies = value.get("quick_replies").and_then(Value::as_array).cloned().unwrap_or_default();
    if quick_replies.len() > MAX_QUICK_REPLIES {
        return Err(invalid("message[quick_replies] must have at most 13 elements"));
    }
    let long = |reply: &Value| {
        reply.get("title").and_then(Value::as_str).is_some_and(|title| title.chars().count() > MAX_TITLE)
    };
    if quick_replies.iter().any(long) {
        return Err(invalid("quick_replies[title] must be at most 20 characters long"));
    }
    let body = MessageBody {
        text: text("text").filter(|text| !text.is_empty()),
        sources,
        metadata: text("metadata"),
        sticker_id: value.get("sticker_id").map(|id| id.as_str().map_or_else(|| id.to_string(), str::to_owned)),
        has_quick_replies: !quick_replies.is_empty(),
    };
    if body.metadata.as_ref().is_some_and(|metadata| metadata.chars().count() > MAX_METADATA) {
        return Err(invalid("message[metadata] must be at most 1000 characters long"));
    }
    match (&body.text, body.sources.is_empty() && body.sticker_id.is_none()) {
        (None, true) => Err(invalid("message must be non-empty")),
        (Some(_), false) => Err(invalid("message cannot have both text and attachment")),
        _ => Ok(Some(body)),
    }
}

/// Checks the length of a text.
///
/// # Errors
/// Returns 100 for a text that is too long for the channel.
pub(super) fn check_length(body: &MessageBody, account: &Account) -> Result<(), GraphError> {
    let text = body.text.as_deref().unwrap_or_default();
    match account {
        Account::Instagram(_) if text.len() > MAX_BYTES => Err(GraphError::messaging(
            100,
            2_534_015,
            "(#100) Length of param message[text] must be less than or equal to 1000 bytes",
        )),
        Account::Page(_) if text.chars().count() > MAX_CHARACTERS => {
            Err(invalid("message[text] must be less than or equal to 2000 characters long"))
        }
        _ => Ok(()),
    }
}

fn source(attachment: &Value) -> Result<Source, GraphError> {
    let kind = attachment.get("type").and_then(Value::as_str).unwrap_or_default().to_lowercase();
    if !KINDS.contains(&kind.as_str()) {
        return Err(invalid(&format!("message[attachment][type] must be one of {{{}}}", KINDS.join(", "))));
    }
    let payload = attachment.get("payload").filter(|payload| payload.is_object());
    let payload = payload.ok_or_else(|| invalid("message[attachment][payload] must be an object"))?;
    if kind == "template" {
        return Ok(Source::Template(payload.clone()));
    }
    let text = |name: &str| match payload.get(name) {
        Some(Value::String(text)) if !text.is_empty() => Some(text.clone()),
        Some(Value::Number(number)) => Some(number.to_string()),
        _ => None,
    };
    match (text("url"), text("attachment_id")) {
        (Some(url), _) => Ok(Source::Url { kind, url }),
        (None, Some(id)) => Ok(Source::Saved { kind, id }),
        (None, None) => Err(invalid("message[attachment][payload] must have url or attachment_id")),
    }
}

fn invalid(problem: &str) -> GraphError {
    GraphError::invalid(format!("(#100) Param {problem}"))
}
