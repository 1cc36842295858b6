//! An account's images.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::creative_rules as rules;
use super::site::{Site, text};
use super::{Made, Writes};
use crate::graph::picture;
use crate::graph::session::Call;
use crate::graph::write_params::{self, Kind};
use crate::world::ads::written::Image;

/// The name of an image sent as `bytes`, in the answer.
const UNNAMED: &str = "bytes";

/// Adds images: base64 in `bytes`. The answer has them by name.
pub(super) fn create(call: &mut Call<'_>, account_id: &str) -> Writes {
    let site = Site::find(call, account_id)?;
    let given = site.read(call, &[("bytes", Kind::Text), ("name", Kind::Text)])?;
    write_params::require(&given, &["bytes"])?;
    site.check_rights(call)?;
    let encoded = given.get("bytes").map(text).unwrap_or_default();
    // A form turns the plus sign of careless clients into a space.
    let bytes = STANDARD.decode(encoded.replace(' ', "+")).unwrap_or_default();
    let size = picture::size(&bytes).ok_or_else(|| rules::IMAGE_INVALID.broken_by("bytes"))?;
    let name = given.get("name").map_or_else(|| UNNAMED.to_owned(), text);
    Ok(Made::Value(json!({ "images": add(call, &site, &[(name, bytes, size)]) })))
}

fn add(call: &mut Call<'_>, site: &Site, images: &[(String, Vec<u8>, (u32, u32))]) -> Map<String, Value> {
    let mut answer = Map::new();
    for (name, bytes, (width, height)) in images {
        let mut hash = hex::encode(Sha256::digest(bytes));
        hash.truncate(32);
        let image = Image { name: name.clone(), created_ms: site.now_ms, width: *width, height: *height };
        call.world
            .write_ads(&site.account_id, |ads, _| ads.written.images.entry(hash.clone()).or_insert(image).clone());
        let url = url(&site.account_id, &hash);
        let shown = json!({"hash": hash, "name": name, "url": url, "width": width, "height": height});
        answer.insert(name.clone(), shown);
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
