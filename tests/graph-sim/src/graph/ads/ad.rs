//! The fields of ads.

use serde_json::{Value, json};

use super::{Place, adset};
use crate::world::ads::dice::Dice;
use crate::world::ads::status::Effective;
use crate::world::ads::tree::Level;

const LEVEL: Level = Level::Ad;

pub(super) fn value(place: &Place<'_>, field: &str) -> Option<Value> {
    if let Some(value) = place.common(LEVEL, field) {
        return Some(value);
    }
    let (ads, index) = (place.ads, place.index);
    let adset = ads.tree.adset_of(index);
    Some(match field {
        "adset_id" => place.id_of(Level::AdSet, adset),
        "campaign_id" => place.id_of(Level::Campaign, ads.tree.campaign_of(adset)),
        "targeting" => return super::of_level(&place.at(adset), Level::AdSet, "targeting"),
        "ad_review_feedback" if ads.effective(LEVEL, index) == Effective::Disapproved => json!({"global": {
            "PERSONAL_ATTRIBUTES": "Ads must not contain content that asserts or implies personal attributes.",
        }}),
        "preview_shareable_link" => {
            let mut dice = Dice::new(ads.seed ^ 0x11f4, u64::from(index));
            json!(format!("https://fb.me/{:x}", dice.next()))
        }
        "tracking_specs" => {
            let pixel = adset::pixel(place);
            json!([
                {"action.type": ["offsite_conversion"], "fb_pixel": [pixel]},
                {"action.type": ["post_engagement"], "page": ["104398761152301"], "post": [format!("{index}77")]},
            ])
        }
        "conversion_specs" => json!([{"action.type": ["offsite_conversion"], "conversion_id": ["6023920149050"]}]),
        "bid_type" => json!("ABSOLUTE_OCPM"),
        "display_sequence" | "priority" => json!(0),
        "source_ad_id" => json!("0"),
        "last_updated_by_app_id" => json!("119211728144504"),
        "conversion_domain" if !ads.on_meta(adset) => json!("example.com"),
        "engagement_audience" => json!(place.is_on(LEVEL)),
        _ => return None,
    })
}
