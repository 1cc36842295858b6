//! The content of a WhatsApp message that is sent.

use serde_json::Value;

use super::super::super::error::GraphError;
use super::super::super::request;
use super::super::super::session::Call;
use super::template;
use crate::media::fetch::Expected;
use crate::world::inbox::message::Attachment;
use crate::world::inbox::whatsapp::error_title;

const MAX_TEXT: usize = 4096;
const MAX_CAPTION: usize = 1024;
const MAX_BUTTONS: usize = 3;
const MAX_ROWS: usize = 10;
const MAX_TITLE: usize = 20;

/// What a message says.
#[derive(Debug, Default)]
pub(super) struct Content {
    pub(super) kind: String,
    pub(super) text: Option<String>,
    pub(super) attachments: Vec<Attachment>,
    /// The message and the emoji of a reaction.
    pub(super) reaction: Option<(String, String)>,
}

/// Parses the message.
///
/// # Errors
/// Returns 131009 for a type or a value that does not fit, 131008 for a missing member, and those of templates.
pub(super) fn parse(call: &Call<'_>, number_id: &str) -> Result<Content, GraphError> {
    let kind = call.request.param("type").filter(|kind| !kind.is_empty()).unwrap_or("text").to_owned();
    let member: Option<Value> = call.request.param(&kind).and_then(request::json);
    let missing = || {
        let details = format!("Parameter of type '{kind}' is missing.");
        GraphError::whatsapp(131_008, error_title(131_008), details)
    };
    let value = member.ok_or_else(missing)?;
    let text = |name: &str| value.get(name).and_then(Value::as_str).filter(|text| !text.is_empty()).map(str::to_owned);
    let mut content = Content { kind: kind.clone(), ..Content::default() };
    match kind.as_str() {
        "text" => {
            let body = text("body").ok_or_else(|| required("text['body']"))?;
            if body.chars().count() > MAX_TEXT {
                return Err(wrong("Param text['body'] must be at most 4096 characters long."));
            }
            content.text = Some(body);
        }
        "image" | "audio" | "video" | "document" | "sticker" => {
            content.text = text("caption");
            if content.text.as_ref().is_some_and(|caption| caption.chars().count() > MAX_CAPTION) {
                return Err(wrong("The caption must be at most 1024 characters long."));
            }
            let (file_id, url) = (text("id"), text("link"));
            match (&file_id, &url) {
                (None, None) => return Err(required("id or link")),
                (Some(id), _) => check_file(call, number_id, id)?,
                (None, Some(_)) => {}
            }
            let name = text("filename");
            content.attachments.push(Attachment { kind, url, file_id, name, ..Attachment::default() });
        }
        "template" => content.text = Some(template::check(call, number_id, &value)?),
        "reaction" => {
            let mid = text("message_id").ok_or_else(|| required("reaction['message_id']"))?;
            content.reaction = Some((mid, text("emoji").unwrap_or_default()));
        }
        "interactive" => {
            check_interactive(&value)?;
            let body = value.get("body").and_then(|body| body.get("text")).and_then(Value::as_str);
            content.text = body.map(str::to_owned);
        }
        "location" | "contacts" => {}
        _ => return Err(wrong("The message type is not known.")),
    }
    Ok(content)
}

fn check_file(call: &Call<'_>, number_id: &str, id: &str) -> Result<(), GraphError> {
    let now = call.world.clock.now_ms();
    let file = call.world.inbox.file(id);
    let usable = file.is_some_and(|file| file.number_id.as_deref() == Some(number_id) && file.until_ms > now);
    if usable { Ok(()) } else { Err(wrong("The media id does not exist or has expired.")) }
}

fn check_interactive(value: &Value) -> Result<(), GraphError> {
    let list = |name: &str| {
        let list = value.get("action").and_then(|action| action.get(name)).and_then(Value::as_array);
        list.cloned().unwrap_or_default()
    };
    match value.get("type").and_then(Value::as_str).unwrap_or_default() {
        "button" => {
            let buttons = list("buttons");
            let text = |button: &Value, name: &str| {
                let reply = button.get("reply").and_then(|reply| reply.get(name)).and_then(Value::as_str);
                reply.unwrap_or_default().to_owned()
            };
            let mut ids: Vec<String> = buttons.iter().map(|button| text(button, "id")).collect();
            ids.sort();
            ids.dedup();
            let titles = buttons.iter().map(|button| text(button, "title").chars().count());
            let fits = titles.into_iter().all(|length| (1..=MAX_TITLE).contains(&length));
            if !(1..=MAX_BUTTONS).contains(&buttons.len()) || ids.len() != buttons.len() || !fits {
                return Err(wrong(
                    "There must be one to three buttons, each with its own id and at most 20 characters.",
                ));
            }
        }
        "list" => {
            let sections = list("sections");
            let rows = sections.iter().filter_map(|section| section.get("rows").and_then(Value::as_array));
            if !(1..=MAX_ROWS).contains(&rows.map(Vec::len).sum()) {
                return Err(wrong("There must be one to ten rows."));
            }
        }
        _ => {}
    }
    Ok(())
}

/// Fetches the file of a link. `None` while it is still to be fetched; then the code with which the message fails.
pub(super) fn fetch(call: &mut Call<'_>, content: &Content) -> Result<Option<Option<i64>>, GraphError> {
    let Some(url) = content.attachments.first().filter(|it| it.file_id.is_none()).and_then(|it| it.url.clone()) else {
        return Ok(Some(None));
    };
    let expected = if content.kind == "video" { Expected::Video } else { Expected::MessageFile };
    match call.download(&url, expected) {
        None => Ok(None),
        Some(Ok(_)) => Ok(Some(None)),
        Some(Err(_)) => Ok(Some(Some(131_053))),
    }
}

/// 131009 with details.
pub(super) fn wrong(details: &str) -> GraphError {
    GraphError::whatsapp(131_009, error_title(131_009), details)
}

fn required(name: &str) -> GraphError {
    GraphError::whatsapp(131_008, error_title(131_008), format!("Required parameter {name} is missing."))
}
