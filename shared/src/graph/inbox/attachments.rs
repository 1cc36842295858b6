//! What hangs on a message.

use serde_json::Value;

use super::members::{address, id, inner, list, name};
use crate::model::inbox::event::{NewAttachment, NewMessage};

/// The name of what no webhook describes, and of what only Meta's own apps show.
pub(super) const UNSUPPORTED: &str = "unsupported";

/// Says only what it is.
pub(super) fn placeholder(kind: &str) -> NewAttachment {
    let kind = kind.chars().take(40).collect();
    NewAttachment { r#type: kind, url: None, media_id: None, name: None, is_file: false }
}

/// A file at a public address. Without one there is nothing to fetch.
pub(super) fn file(kind: &str, url: Option<String>) -> NewAttachment {
    NewAttachment { is_file: url.is_some(), url, ..placeholder(kind) }
}

pub(super) fn link(url: Option<String>, name: Option<String>) -> NewAttachment {
    NewAttachment { url, name, ..placeholder("link") }
}

/// A message is never empty: what cannot be shown has at least a placeholder.
pub(super) fn fill_empty(message: &mut NewMessage, kind: &str) {
    if message.text.is_none() && message.attachments.is_empty() {
        message.attachments.push(placeholder(kind));
    }
}

/// The attachments of a message on Messenger or Instagram.
pub(super) fn read_all(value: &Value) -> Vec<NewAttachment> {
    let mut found: Vec<NewAttachment> = Vec::new();
    let mut stickers = Vec::new();
    for element in list(value).iter().filter(|element| element.is_object()) {
        let attachment = read(element);
        let sticker = id(inner(element, ["payload", "sticker_id"]));
        // Meta sends one sticker as an image and as a sticker.
        let is_same = |known: &NewAttachment| known.is_file && known.url == attachment.url;
        let is_known = sticker.as_ref().is_some_and(|sticker| stickers.contains(sticker));
        if !is_known && !found.iter().any(is_same) {
            found.push(attachment);
        }
        stickers.extend(sticker);
    }
    found
}

fn read(element: &Value) -> NewAttachment {
    let payload = &element["payload"];
    // Fallbacks have these members beside the payload, or no payload at all.
    let url = address(&payload["url"]).or_else(|| address(&element["url"]));
    let title = name(&payload["title"]).or_else(|| name(&element["title"]));
    match element["type"].as_str().unwrap_or(UNSUPPORTED) {
        kind @ ("image" | "video" | "audio" | "file" | "sticker") => NewAttachment { name: title, ..file(kind, url) },
        "fallback" | "share" | "post" | "ig_post" | "reel" | "ig_reel" if url.is_some() => link(url, title),
        "location" => NewAttachment { url, name: title.or_else(|| place(payload)), ..placeholder("location") },
        "template" => NewAttachment { name: title.or_else(|| name(&payload["text"])), ..placeholder("template") },
        // A story is gone after a day, and its author may take it back before: it is shown where it is, never copied.
        kind => NewAttachment { url, name: title, ..placeholder(kind) },
    }
}

fn place(payload: &Value) -> Option<String> {
    let coordinates = &payload["coordinates"];
    Some(format!("{}, {}", coordinates["lat"].as_f64()?, coordinates["long"].as_f64()?))
}
