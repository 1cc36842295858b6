//! What people write on WhatsApp, for `POST /_sim/messages`.

use serde_json::{Map, Value, json};

use super::super::Mistake;
use super::messages::{AttachmentInput, Input, existing};
use crate::webhook::outbox::Manner;
use crate::world::World;
use crate::world::ids;
use crate::world::inbox::Account;
use crate::world::inbox::message::{Attachment, Message, Status};

/// Does something in a WhatsApp thread. Returns the id of the message that came or changed.
pub(super) fn write(
    world: &mut World,
    thread: usize,
    kind: &str,
    input: &Input,
    code: Option<i64>,
    at_ms: i64,
    manner: Manner,
) -> Result<Option<String>, Mistake> {
    let status = match kind {
        "sent" => Some(Status::Sent),
        "delivery" | "delivered" => Some(Status::Delivered),
        "read" => Some(Status::Read),
        "failed" => Some(Status::Failed(code.unwrap_or(131_026))),
        _ => None,
    };
    if let Some(status) = status {
        let mid = existing(world, thread, input, true)?;
        world.report_status(&mid, status, at_ms, manner);
        return Ok(Some(mid));
    }
    if matches!(kind, "edit" | "delete") {
        return change(world, thread, kind, input, at_ms, manner).map(Some);
    }
    let number_id = match world.inbox.threads.get(thread).map(|it| &it.account) {
        Some(Account::Number(id)) => id.clone(),
        _ => return Ok(None),
    };
    let known = input.mid.as_ref().is_some_and(|mid| world.inbox.thread_of(mid).is_some());
    if known {
        // The same message again, as another delivery.
        return repeat(world, thread, input, manner);
    }
    let mut message = Message {
        mid: input.mid.clone().unwrap_or_else(|| ids::message_text("whatsapp")),
        kind: kind.to_owned(),
        text: input.text.clone(),
        at_ms,
        reply_to: input.reply_to.clone(),
        ..Message::default()
    };
    message.extra = content(world, &number_id, kind, input, &mut message)?;
    message.extra.insert("id".to_owned(), json!(message.mid));
    if let Some(mid) = &input.reply_to {
        let from = world.inbox.numbers.get(&number_id).map(|number| number.phone.clone());
        message.extra.insert("context".to_owned(), json!({"from": from, "id": mid}));
    }
    if let Some(referral) = &input.referral {
        message.extra.insert("referral".to_owned(), referral.clone());
    }
    let content = message.extra.clone();
    if kind == "echo" {
        let mid = world.add_message(thread, Message { out: true, status: Some(Status::Sent), ..message });
        world.announce_whatsapp_echo(thread, content, at_ms, manner);
        return Ok(Some(mid));
    }
    let mid = world.add_message(thread, message);
    if let Some(thread) = world.inbox.threads.get_mut(thread) {
        thread.has_written = true;
    }
    world.renew_window(thread, at_ms);
    world.announce_whatsapp_message(thread, content, at_ms, manner);
    Ok(Some(mid))
}

/// Changes the text or caption of a message, or takes it back. Meta reports it only for numbers that are also used in the
/// WhatsApp Business app.
fn change(
    world: &mut World,
    thread: usize,
    kind: &str,
    input: &Input,
    at_ms: i64,
    manner: Manner,
) -> Result<String, Mistake> {
    let mid = existing(world, thread, input, false)?;
    let Some(message) = world.inbox.message_mut(&mid) else { return Ok(mid) };
    let mut content = Map::new();
    if kind == "delete" {
        message.deleted = true;
        content.insert("type".to_owned(), json!("revoke"));
        content.insert("revoke".to_owned(), json!({ "original_message_id": mid }));
    } else {
        let text = input.text.clone().ok_or_else(|| Mistake::new("text is required"))?;
        let name = message.extra.get("type").and_then(Value::as_str).unwrap_or("text").to_owned();
        let mut member = message.extra.get(&name).cloned().unwrap_or_else(|| json!({}));
        if let Some(members) = member.as_object_mut() {
            members.insert(if name == "text" { "body" } else { "caption" }.to_owned(), json!(text));
        }
        message.text = Some(text);
        message.edited_ms = Some(at_ms);
        message.edits += 1;
        let edited = Map::from_iter([("type".to_owned(), json!(name)), (name, member)]);
        content.insert("type".to_owned(), json!("edit"));
        content.insert("edit".to_owned(), json!({"original_message_id": mid, "message": edited}));
    }
    content.insert("id".to_owned(), json!(ids::message_text("whatsapp")));
    if message.out {
        world.announce_whatsapp_echo(thread, content, at_ms, manner);
    } else {
        world.announce_whatsapp_message(thread, content, at_ms, manner);
    }
    Ok(mid)
}

/// Announces a known message again.
fn repeat(world: &mut World, thread: usize, input: &Input, manner: Manner) -> Result<Option<String>, Mistake> {
    let mid = existing(world, thread, input, false)?;
    let Some((_, message)) = world.inbox.message(&mid) else { return Ok(None) };
    let (content, at_ms) = (message.extra.clone(), message.at_ms);
    world.announce_whatsapp_message(thread, content, at_ms, manner);
    Ok(Some(mid))
}

/// Returns `type` and the member of that name.
fn content(
    world: &mut World,
    number_id: &str,
    kind: &str,
    input: &Input,
    message: &mut Message,
) -> Result<Map<String, Value>, Mistake> {
    let given = |usual: Value| input.content.clone().unwrap_or(usual);
    let text = || input.text.clone().unwrap_or_else(|| "Yes".to_owned());
    let payload = || input.payload.clone().unwrap_or_else(|| "yes".to_owned());
    let (name, value) = match kind {
        "text" | "echo" if input.attachments.is_empty() => {
            let body = input.text.clone().unwrap_or_else(|| "Hello, are you open on Sunday?".to_owned());
            message.text = Some(body.clone());
            ("text", json!({ "body": body }))
        }
        "text" | "echo" | "image" | "audio" | "voice" | "video" | "file" | "document" | "sticker" => {
            return Ok(medium(world, number_id, kind, input, message));
        }
        "location" => ("location", given(json!({"latitude": 52.37, "longitude": 4.89, "name": "Dam"}))),
        "contacts" => {
            let contact = json!({"name": {"formatted_name": "Ada Example", "first_name": "Ada"},
                                 "phones": [{"phone": "+31612345678", "type": "CELL"}]});
            ("contacts", given(json!([contact])))
        }
        "interactive" => {
            message.text = Some(text());
            let reply = json!({"type": "button_reply", "button_reply": {"id": payload(), "title": text()}});
            ("interactive", given(reply))
        }
        "postback" | "button" => {
            message.text = Some(text());
            ("button", json!({"payload": payload(), "text": text()}))
        }
        "order" => {
            let item = json!({"product_retailer_id": "sku-1", "quantity": "1", "item_price": "9.5", "currency": "EUR"});
            ("order", given(json!({"catalog_id": "1", "text": text(), "product_items": [item]})))
        }
        "unsupported" => {
            let error = json!({"code": 131_051, "title": "Message type unknown",
                               "message": "Message type unknown",
                               "error_data": {"details": "Message type is currently not supported."}});
            return Ok(Map::from_iter([
                ("type".to_owned(), json!("unsupported")),
                ("errors".to_owned(), json!([error])),
            ]));
        }
        other => return Err(Mistake::new(format!("kind: \"{other}\" is not known for whatsapp"))),
    };
    Ok(Map::from_iter([("type".to_owned(), json!(name)), (name.to_owned(), value)]))
}

/// A message with a file. Each has one; the caption is the text.
fn medium(world: &mut World, number_id: &str, kind: &str, input: &Input, message: &mut Message) -> Map<String, Value> {
    let (mut kind, mut name, mut lie) = (kind.to_owned(), None, None);
    match input.attachments.first() {
        Some(AttachmentInput::Kind(given)) => kind.clone_from(given),
        Some(AttachmentInput::Detailed(given)) => {
            kind.clone_from(&given.kind);
            name.clone_from(&given.name);
            lie = given.lie.as_deref();
        }
        None => {}
    }
    let file_id = world.add_file(&kind, lie, Some(number_id));
    let type_name = match kind.as_str() {
        "file" => "document",
        "voice" => "audio",
        other => other,
    };
    let url = world.inbox.settings.media_urls.then(|| world.whatsapp_address(&file_id));
    let mut value = Map::new();
    if let Some(file) = world.inbox.file(&file_id) {
        value.insert("id".to_owned(), json!(file_id));
        value.insert("mime_type".to_owned(), json!(file.mime_type));
        value.insert("sha256".to_owned(), json!(file.sha256_base64()));
        if type_name == "document" {
            name.get_or_insert_with(|| file.name.clone());
            value.insert("filename".to_owned(), json!(name));
        }
    }
    if type_name == "audio" {
        value.insert("voice".to_owned(), json!(kind == "voice"));
    }
    if let Some(url) = url {
        value.insert("url".to_owned(), json!(url));
    }
    if let Some(text) = input.text.as_ref().filter(|_| !matches!(type_name, "audio" | "sticker")) {
        value.insert("caption".to_owned(), json!(text));
    }
    type_name.clone_into(&mut message.kind);
    message.attachments.push(Attachment {
        kind: type_name.to_owned(),
        file_id: Some(file_id),
        name,
        ..Attachment::default()
    });
    Map::from_iter([("type".to_owned(), json!(type_name)), (type_name.to_owned(), Value::Object(value))])
}
