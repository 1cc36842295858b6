//! `/{post}/attachments`.

use serde_json::{Value, json};

use super::super::error::GraphError;
use super::super::paging::{self, EdgeQuery, Elements, Item};
use super::super::session::Call;
use crate::world::World;
use crate::world::content::picture_address;
use crate::world::content::post::{Attached, Post};

const ATTACHMENTS: Elements = Elements { node_type: None, defaults: &[], max_limit: 100 };

/// One attachment: the photo, the video or the link of a post, or an album of its photos.
pub(super) fn list(call: &mut Call<'_>, post_id: &str, query: &EdgeQuery) -> Result<Value, GraphError> {
    let Some(post) = call.world.content.post(post_id) else { return Ok(json!({"data": []})) };
    let items = attachment(call.world, post).into_iter().map(|value| ("0".to_owned(), Item::Value(value))).collect();
    paging::page(call, query, items, &ATTACHMENTS)
}

fn attachment(world: &World, post: &Post) -> Option<Value> {
    match post.media.as_slice() {
        [] => post.link.as_ref().map(|link| {
            json!({"media_type": "link", "type": "share", "title": link, "url": link, "unshimmed_url": link,
                   "target": {"url": link}})
        }),
        [one] => Some(medium(world, one)),
        many => Some(json!({
            "media_type": "album", "type": "album", "title": "Photos from the post",
            "media": {"image": {"src": picture_address(many.first()?.id())}},
            "target": {"id": post.id, "url": post.permalink()}, "url": post.permalink(),
            "subattachments": {"data": many.iter().map(|attached| medium(world, attached)).collect::<Vec<_>>()},
        })),
    }
}

fn medium(world: &World, attached: &Attached) -> Value {
    let id = attached.id();
    let (media_type, kind, url) = match attached {
        Attached::Photo(_) => ("photo", "photo", format!("https://www.facebook.com/photo.php?fbid={id}")),
        Attached::Video(_) => ("video", "video_inline", format!("https://www.facebook.com/video.php?v={id}")),
    };
    let size = match attached {
        Attached::Photo(_) => world.content.photo(id).and_then(|photo| photo.media.size),
        Attached::Video(_) => {
            world.content.video(id).and_then(|video| video.file.as_ref()).and_then(|file| file.media.size)
        }
    };
    let (width, height) = size.unwrap_or((720, 720));
    json!({
        "media_type": media_type, "type": kind, "target": {"id": id, "url": url}, "url": url,
        "media": {"image": {"src": picture_address(id), "width": width, "height": height}},
    })
}
