//! Files that Meta serves: what people attach, and what clients upload to WhatsApp.

use axum::body::Bytes;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

use crate::world::World;
use crate::world::ids;

/// How long the address of an attachment works. (Unconfirmed.)
const ADDRESS_MS: i64 = 7 * 24 * 3600 * 1000;
/// How long WhatsApp's address of a medium works.
const WHATSAPP_ADDRESS_MS: i64 = 5 * 60 * 1000;
/// How long the id of a medium from a webhook works.
const RECEIVED_MS: i64 = 7 * 24 * 3600 * 1000;
/// How long the id of an uploaded medium works.
const UPLOADED_MS: i64 = 30 * 24 * 3600 * 1000;

/// A file.
#[derive(Debug, Clone)]
pub(crate) struct File {
    pub(crate) name: String,
    pub(crate) mime_type: String,
    pub(crate) bytes: Bytes,
    /// The phone number a WhatsApp medium belongs to.
    pub(crate) number_id: Option<String>,
    /// When the file cannot be read any more, in epoch milliseconds.
    pub(crate) until_ms: i64,
    /// The key in the newest address of a WhatsApp medium, and when that address ends.
    pub(crate) address: Option<(String, i64)>,
}

impl File {
    /// Lower-case hex.
    pub(crate) fn sha256(&self) -> String {
        hex::encode(Sha256::digest(&self.bytes))
    }

    /// Base64, as in webhooks.
    pub(crate) fn sha256_base64(&self) -> String {
        STANDARD.encode(Sha256::digest(&self.bytes))
    }
}

/// Returns name, type and content of a file of a kind of attachment.
fn content(kind: &str) -> (&'static str, &'static str, Vec<u8>) {
    let decoded = |text: &str| STANDARD.decode(text).unwrap_or_default();
    match kind {
        "video" | "reel" | "ig_reel" | "ephemeral" => ("video.mp4", "video/mp4", mp4()),
        "audio" | "voice" => ("audio.ogg", "audio/ogg; codecs=opus", b"OggS\0\x02opus".repeat(8)),
        "file" | "document" => (
            "document.pdf",
            "application/pdf",
            b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Count 0/Kids[]>>endobj\n\
              trailer<</Root 1 0 R>>\n%%EOF\n"
                .to_vec(),
        ),
        "webp" => {
            ("sticker.webp", "image/webp", decoded("UklGRiQAAABXRUJQVlA4IBgAAAAwAQCdASoBAAEAAwA0JaQAA3AA/vuUAAA="))
        }
        "sticker" => (
            "sticker.png",
            "image/png",
            decoded("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="),
        ),
        "html" => (
            "image.jpg",
            "image/jpeg",
            b"<!DOCTYPE html><html><body><script>alert(document.domain)</script></body></html>".to_vec(),
        ),
        "svg" => (
            "image.png",
            "image/png",
            b"<svg xmlns=\"http://www.w3.org/2000/svg\"><script>alert(document.domain)</script></svg>".to_vec(),
        ),
        _ => ("image.jpg", "image/jpeg", jpeg()),
    }
}

/// A JPEG picture of one pixel.
fn jpeg() -> Vec<u8> {
    let mut bytes = b"\xff\xd8\xff\xe0\0\x10JFIF\0\x01\x01\0\0\x01\0\x01\0\0\xff\xdb\0\x43\0".to_vec();
    bytes.extend([1; 64]);
    bytes.extend(b"\xff\xc0\0\x0b\x08\0\x01\0\x01\x01\x01\x11\0\xff\xc4\0\x14\0\x01");
    bytes.extend([0; 15]);
    bytes.extend(b"\x03\xff\xc4\0\x14\x10\x01");
    bytes.extend([0; 15]);
    bytes.extend(b"\0\xff\xda\0\x08\x01\x01\0\0\x3f\0\x37\xff\xd9");
    bytes
}

/// The head of an MP4 file of one second.
fn mp4() -> Vec<u8> {
    let mut bytes = b"\0\0\0\x10ftypisom\0\0\x02\0\0\0\0\x24moov\0\0\0\x1cmvhd\0\0\0\0\0\0\0\0\0\0\0\0".to_vec();
    bytes.extend(1000_u32.to_be_bytes());
    bytes.extend(1000_u32.to_be_bytes());
    bytes.extend(b"\0\0\0\x10mdat\0\0\0\0\0\0\0\0");
    bytes
}

impl World {
    /// Adds a file that fits an attachment of `kind`. `lie` (`html` or `svg`) puts a page or a drawing behind the type
    /// of a picture. A WhatsApp medium belongs to a number.
    pub(crate) fn add_file(&mut self, kind: &str, lie: Option<&str>, number_id: Option<&str>) -> String {
        let (name, mime_type, mut bytes) = content(lie.unwrap_or(match (kind, number_id) {
            ("sticker", Some(_)) => "webp",
            _ => kind,
        }));
        let id = self.ids.scoped();
        // No two files are the same.
        if lie.is_none() {
            bytes.extend(id.as_bytes());
        }
        let life_ms = if number_id.is_some() { RECEIVED_MS } else { ADDRESS_MS };
        self.insert_file(id, name, mime_type, bytes.into(), number_id, life_ms)
    }

    /// Adds a file that a client uploaded to a WhatsApp number.
    pub(crate) fn upload_file(&mut self, name: &str, mime_type: &str, bytes: Bytes, number_id: &str) -> String {
        let id = self.ids.scoped();
        self.insert_file(id, name, mime_type, bytes, Some(number_id), UPLOADED_MS)
    }

    fn insert_file(
        &mut self,
        id: String,
        name: &str,
        mime_type: &str,
        bytes: Bytes,
        number_id: Option<&str>,
        life_ms: i64,
    ) -> String {
        let file = File {
            name: name.to_owned(),
            mime_type: mime_type.to_owned(),
            bytes,
            number_id: number_id.map(str::to_owned),
            until_ms: self.clock.now_ms() + life_ms,
            address: None,
        };
        self.inbox.files.insert(id.clone(), file);
        id
    }

    /// The address of an attachment of Messenger or Instagram.
    pub(crate) fn file_address(&self, id: &str) -> String {
        let name = self.inbox.file(id).map_or("file", |file| file.name.as_str());
        format!("{}/attachments/{id}/{name}", self.public_url)
    }

    /// Creates a new address of a WhatsApp medium. Older ones end.
    pub(crate) fn whatsapp_address(&mut self, id: &str) -> String {
        let until_ms = self.clock.now_ms() + WHATSAPP_ADDRESS_MS;
        let key = ids::code_text();
        let address = format!(
            "{}/whatsapp_business/attachments/?mid={id}&ext={}&hash={key}",
            self.public_url,
            until_ms.div_euclid(1000)
        );
        if let Some(file) = self.inbox.files.get_mut(id) {
            file.address = Some((key, until_ms));
        }
        address
    }

    /// Deletes a file. Returns whether it existed.
    pub(crate) fn delete_file(&mut self, id: &str) -> bool {
        self.inbox.files.remove(id).is_some()
    }
}
