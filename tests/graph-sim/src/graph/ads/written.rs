//! The fields of objects written through the API that are not simply what was sent.

use serde_json::{Value, json};

use super::{Place, budget, creative};
use crate::clock::graph_time;
use crate::graph::fields::Field;
use crate::graph::request::Request;
use crate::world::ads::Ads;
use crate::world::ads::ids::Object;
use crate::world::ads::tree::Level;
use crate::world::ads::written::Label;

/// Returns the value of a field of a campaign, ad set or ad. `None` if it has none.
pub(super) fn value(place: &Place<'_>, level: Level, field: &str) -> Option<Value> {
    let (ads, index) = (place.ads, place.index);
    if field == "special_ad_categories" && level != Level::Campaign {
        let campaign = match level {
            Level::Ad => ads.tree.above(index, Level::Campaign),
            _ => ads.tree.campaign_of(index),
        };
        return super::of_level(&place.at(campaign), Level::Campaign, field);
    }
    if let Some(value) = place.common(level, field) {
        return Some(value);
    }
    let adset = || ads.tree.adset_of(index);
    Some(match (level, field) {
        (Level::Campaign | Level::AdSet, "daily_budget" | "lifetime_budget" | "budget_remaining") => {
            return budget::value(place, level, field);
        }
        (Level::Campaign | Level::AdSet, "start_time") => json!(graph_time(ads.created_ms(level, index))),
        (Level::Campaign, "special_ad_category") => json!("NONE"),
        (Level::Campaign, "special_ad_category_country") => json!([]),
        (Level::Campaign, "buying_type") => json!("AUCTION"),
        (Level::Campaign | Level::AdSet, "pacing_type") => json!(["standard"]),
        (Level::Campaign, "source_campaign_id" | "topline_id")
        | (Level::AdSet, "source_adset_id")
        | (Level::Ad, "source_ad_id") => json!("0"),
        (Level::AdSet, "campaign_id") => place.id_of(Level::Campaign, ads.tree.campaign_of(index)),
        (Level::AdSet, "destination_type") => json!("UNDEFINED"),
        (Level::AdSet, "is_dynamic_creative") => json!(false),
        (Level::Ad, "adset_id") => place.id_of(Level::AdSet, adset()),
        (Level::Ad, "campaign_id") => place.id_of(Level::Campaign, ads.tree.campaign_of(adset())),
        (Level::Ad, "targeting") => return super::of_level(&place.at(adset()), Level::AdSet, field),
        (Level::Ad, "ad_review_feedback") => ads.written.reviews.get(&index)?.stage.feedback()?.clone(),
        (Level::Ad, "preview_shareable_link") => json!(format!("https://fb.me/{:x}", ads.prefix + u64::from(index))),
        _ => return None,
    })
}

/// Returns the value of a field of a creative. `None` if it has none.
pub(super) fn creative(place: &Place<'_>, field: &Field, request: &Request) -> Option<Value> {
    let (ads, object) = (place.ads, Object::Creative(place.index));
    let change = ads.changes.of_object(object)?;
    if let Some(set) = change.fields.get(&field.name) {
        return Some(set.clone());
    }
    let story = change.fields.get("object_story_spec");
    let data = story.and_then(|story| story.get("link_data").or_else(|| story.get("video_data")));
    let of_data = |name: &str| data.and_then(|data| data.get(name)).cloned();
    let page = story.and_then(|story| story.get("page_id")).and_then(Value::as_str);
    Some(match field.name.as_str() {
        "account_id" => json!(place.account_id),
        "name" => json!(change.name.as_deref().unwrap_or_default()),
        "status" => json!(if ads.is_deleted_creative(place.index) { "DELETED" } else { "ACTIVE" }),
        "adlabels" => return labels(ads, object),
        "actor_id" => json!(page?),
        "object_type" => json!(if story?.get("video_data").is_some() { "VIDEO" } else { "SHARE" }),
        "effective_object_story_id" => json!(format!("{}_{}", page?, ads.written.record(object)?.id)),
        "call_to_action_type" => return data?.get("call_to_action")?.get("type").cloned(),
        "image_hash" => return of_data("image_hash"),
        "video_id" => return of_data("video_id"),
        "title" => return of_data("name").or_else(|| of_data("title")),
        "body" => return of_data("message"),
        "instagram_user_id" => return story?.get("instagram_user_id").cloned(),
        "thumbnail_url" | "image_url" => return Some(creative::picture_field(place, field, request)),
        _ => return None,
    })
}

/// Returns `adlabels` of an object. `None` without labels.
pub(super) fn labels(ads: &Ads, object: Object) -> Option<Value> {
    let labels = ads.changes.of_object(object)?.labels.iter().filter_map(|id| ads.written.label(id));
    let labels: Vec<Value> = labels.map(label).collect();
    (!labels.is_empty()).then(|| json!(labels))
}

/// Renders an `AdLabel`.
pub(super) fn label(label: &Label) -> Value {
    json!({
        "id": label.id, "name": label.name,
        "created_time": graph_time(label.created_ms), "updated_time": graph_time(label.updated_ms),
    })
}
