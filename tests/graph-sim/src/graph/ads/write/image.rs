//! An account's images.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use super::creative_rules as rules;
use super::site::{Site, text};
use super::{Made, Writes};
use crate::graph::rejection::Refused;
use crate::graph::session::Call;
use crate::graph::write_params::{self, Kind};
use crate::media::Media;
use crate::world::ads::written::Image;

/// The name of an image sent as `bytes`, in the answer.
const UNNAMED: &str = "bytes";
/// Characters of a hash.
const HASH_LENGTH: usize = 32;

/// Adds images: uploaded files, or base64 in `bytes`. The answer has them by name.
pub(super) fn create(call: &mut Call<'_>, account_id: &str) -> Writes {
    let site = Site::find(call, account_id)?;
    let given = site.read(call, &[("bytes", Kind::Text), ("name", Kind::Text)])?;
    if call.request.files.is_empty() {
        write_params::require(&given, &["bytes"])?;
    }
    site.check_rights(call)?;
    let mut images = Vec::new();
    for (part, content) in &call.request.files {
        let name = call.request.file_names.get(part).unwrap_or(part).clone();
        images.push((name, examine(content, part)?));
    }
    if let Some(encoded) = given.get("bytes").map(text) {
        // A form turns the plus sign of careless clients into a space.
        let bytes = STANDARD.decode(encoded.replace(' ', "+")).unwrap_or_default();
        let name = given.get("name").map_or_else(|| UNNAMED.to_owned(), text);
        images.push((name, examine(&bytes, "bytes")?));
    }
    Ok(Made::Value(json!({ "images": add(call, &site, images) })))
}

/// Reads a picture. `parameter` is blamed for anything else.
fn examine(bytes: &[u8], parameter: &str) -> Result<Media, Refused> {
    let picture = Media::examine(bytes);
    if picture.kind.is_photo() { Ok(picture) } else { Err(rules::IMAGE_INVALID.broken_by(parameter)) }
}

fn add(call: &mut Call<'_>, site: &Site, images: Vec<(String, Media)>) -> Map<String, Value> {
    let mut answer = Map::new();
    for (name, picture) in images {
        let mut hash = picture.digest;
        hash.truncate(HASH_LENGTH);
        let (width, height) = picture.size.unwrap_or_default();
        let image = Image { name: name.clone(), created_ms: site.now_ms, width, height };
        call.world.write_ads(&site.account_id, |ads, _| {
            ads.written.images.entry(hash.clone()).or_insert(image);
        });
        let url = url(&site.account_id, &hash);
        let shown = json!({"hash": hash, "name": name, "url": url, "width": width, "height": height});
        answer.insert(name, shown);
    }
    answer
}

/// The address of an image.
pub(in crate::graph::ads) fn url(account_id: &str, hash: &str) -> String {
    format!("https://scontent.xx.fbcdn.net/v/t45.1600-4/{account_id}_{hash}_n.png")
}

/// Removes an image.
pub(super) fn delete(call: &mut Call<'_>, account_id: &str) -> Writes {
    let site = Site::find(call, account_id)?;
    let given = site.read(call, &[("hash", Kind::Text)])?;
    write_params::require(&given, &["hash"])?;
    site.check_rights(call)?;
    let hash = given.get("hash").map(text).unwrap_or_default();
    let removed = call.world.write_ads(&site.account_id, |ads, _| ads.written.images.remove(&hash)).flatten();
    match removed {
        Some(_) => Ok(Made::Success),
        None => Err(rules::IMAGE_UNKNOWN.broken(&["hash"], &hash)),
    }
}
