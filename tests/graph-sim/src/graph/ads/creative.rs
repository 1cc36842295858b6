//! The fields of creatives.
//!
//! `thumbnail_url` and `image_url` are URLs that expire: their query string changes with every hour of the clock, while
//! the picture stays the same. A client that includes such a URL when it compares creatives finds all of them changed,
//! all the time.

use serde_json::{Value, json};

use super::{Place, creative_story};
use crate::graph::fields::Field;
use crate::graph::request::Request;
use crate::world::ads::creative::Kind;
use crate::world::ads::dice;
use crate::world::ads::tree::Level;

const HOUR_MS: i64 = 3_600_000;

pub(super) fn value(place: &Place<'_>, field: &Field, request: &Request) -> Option<Value> {
    let (ads, index) = (place.ads, place.index);
    let kind = ads.creative_kind(index);
    let story = creative_story::Story::of(place);
    Some(match field.name.as_str() {
        "account_id" => json!(place.account_id),
        "name" => json!(format!("{} {}", story.title, index + 1)),
        "status" => json!("ACTIVE"),
        "body" if kind == Kind::Direct => json!(story.text),
        "title" if kind == Kind::Direct => json!(story.title),
        "link_url" if kind == Kind::Direct => json!(story.link),
        "actor_id" => json!(story.page_id),
        "object_type" => json!(match kind {
            Kind::Video => "VIDEO",
            Kind::Photo => "PHOTO",
            Kind::Post => "STATUS",
            _ => "SHARE",
        }),
        "object_story_spec" => return story.spec(kind),
        "asset_feed_spec" if kind == Kind::Assets => story.assets(),
        "effective_object_story_id" => json!(format!("{}_{}", story.page_id, story.post_id)),
        "object_story_id" if kind == Kind::Post => json!(format!("{}_{}", story.page_id, story.post_id)),
        "image_hash" if matches!(kind, Kind::Direct | Kind::Link) => json!(story.image_hash),
        "image_url" if !matches!(kind, Kind::Direct | Kind::Link | Kind::Photo) => return None,
        "image_url" | "thumbnail_url" => picture_field(place, field, request),
        "video_id" if kind == Kind::Video => json!(story.video_id),
        "call_to_action_type" if kind != Kind::Post => json!(story.call),
        "url_tags" if index % 3 == 0 => {
            json!("utm_source=facebook&utm_campaign={{campaign.name}}&utm_content={{ad.id}}")
        }
        "instagram_permalink_url" => json!(format!("https://www.instagram.com/p/{:x}/", story.post_id)),
        "product_set_id" if kind == Kind::Template => json!("998877665544332"),
        "enable_direct_install" | "enable_launch_instant_app" => json!(false),
        "effective_authorization_category" | "authorization_category" => json!("NONE"),
        _ => return None,
    })
}

/// Returns `image_url` or `thumbnail_url`.
pub(super) fn picture_field(place: &Place<'_>, field: &Field, request: &Request) -> Value {
    let side = |name: &str| field.argument(name).or_else(|| request.param(name)).unwrap_or("64").to_owned();
    match field.name.as_str() {
        "image_url" => json!(picture(place, "p1080x1080")),
        _ => json!(picture(place, &format!("p{}x{}", side("thumbnail_width"), side("thumbnail_height")))),
    }
}

/// Returns the URL of a picture, which expires.
fn picture(place: &Place<'_>, size: &str) -> String {
    let hour = place.now_ms.div_euclid(HOUR_MS);
    let picture = dice::throw(place.ads.seed ^ 0x91c7, u64::from(place.index));
    let signature = dice::throw(picture, hour.unsigned_abs());
    let expires = (hour + 72) * 3600;
    format!(
        "https://scontent.xx.fbcdn.net/v/t45.1600-4/{}_{}_n.jpg?stp=dst-jpg_{size}&_nc_cat=104&oh=00_{signature:016x}&oe={expires:X}",
        picture % 1_000_000_000,
        place.ads.id(Level::Ad, place.index),
    )
}
