//! The fields of campaigns.

use serde_json::{Value, json};

use super::{Place, budget};
use crate::clock::graph_time;
use crate::world::ads::dice::Dice;
use crate::world::ads::tree::Level;

const LEVEL: Level = Level::Campaign;

pub(super) fn value(place: &Place<'_>, field: &str) -> Option<Value> {
    if let Some(value) = place.common(LEVEL, field) {
        return Some(value);
    }
    let ads = place.ads;
    let mut dice = Dice::new(ads.seed ^ 0xca40, u64::from(place.index));
    let (capped, ends, reserved) = (dice.percent(15), dice.percent(20), dice.percent(5));
    let cap = dice.between(50, 500) * 1_000;
    let lasts_ms = dice.between(100, 700) * 24 * 3_600_000;
    let created = ads.created_ms(LEVEL, place.index);
    Some(match field {
        "objective" => json!(ads.objective(place.index).name()),
        "buying_type" => json!(if reserved { "RESERVED" } else { "AUCTION" }),
        "bid_strategy" if ads.has_campaign_budget(place.index) => json!("LOWEST_COST_WITHOUT_CAP"),
        "daily_budget" | "lifetime_budget" | "budget_remaining" => return budget::value(place, LEVEL, field),
        "spend_cap" if capped => json!(cap.to_string()),
        "special_ad_category" => json!("NONE"),
        "special_ad_category_country" => json!([]),
        "start_time" => json!(graph_time(created)),
        "stop_time" if ends => json!(graph_time(created + lasts_ms)),
        "budget_rebalance_flag" | "is_skadnetwork_attribution" | "is_message_campaign" => json!(false),
        "can_use_spend_cap" => json!(true),
        "is_adset_budget_sharing_enabled" => json!(false),
        "smart_promotion_type" => json!("GUIDED_CREATION"),
        "pacing_type" => json!(["standard"]),
        "source_campaign_id" | "topline_id" => json!("0"),
        _ => return None,
    })
}
