//! The fields of ad sets.

use serde_json::{Value, json};

use super::{Place, budget, targeting};
use crate::clock::graph_time;
use crate::world::ads::dice::Dice;
use crate::world::ads::object::Objective;
use crate::world::ads::tree::Level;

const LEVEL: Level = Level::AdSet;

pub(super) fn value(place: &Place<'_>, field: &str) -> Option<Value> {
    if let Some(value) = place.common(LEVEL, field) {
        return Some(value);
    }
    let (ads, index) = (place.ads, place.index);
    let campaign = ads.tree.campaign_of(index);
    let mut dice = Dice::new(ads.seed ^ 0xad5e, u64::from(index));
    let (bids, ends, stage) = (dice.percent(25), dice.percent(20), dice.below(3));
    let bid = dice.between(80, 900);
    let created = ads.created_ms(LEVEL, index);
    let lasts_ms = dice.between(90, 500) * 24 * 3_600_000;
    Some(match field {
        "campaign_id" => place.id_of(Level::Campaign, campaign),
        "optimization_goal" => json!(ads.goal(index)),
        "billing_event" => json!("IMPRESSIONS"),
        "bid_strategy" => json!(if bids { "LOWEST_COST_WITH_BID_CAP" } else { "LOWEST_COST_WITHOUT_CAP" }),
        "bid_amount" if bids => json!(bid),
        "bid_info" if bids => json!({"ACTIONS": bid}),
        "daily_budget" | "lifetime_budget" | "budget_remaining" => return budget::value(place, LEVEL, field),
        "targeting" => targeting::value(&mut dice),
        "promoted_object" => promoted(place),
        "destination_type" => json!(destination(place)),
        "attribution_spec" => json!([
            {"event_type": "CLICK_THROUGH", "window_days": 7},
            {"event_type": "VIEW_THROUGH", "window_days": 1},
        ]),
        "learning_stage_info" => json!({
            "status": (["LEARNING", "SUCCESS", "FAIL"]).get(usize::try_from(stage).ok()?)?,
            "attribution_windows": ["1d_view", "7d_click"], "conversions": 50,
            "last_sig_edit_ts": created.div_euclid(1000),
        }),
        "start_time" => json!(graph_time(created)),
        "end_time" if ends => json!(graph_time(created + lasts_ms)),
        "pacing_type" => json!(["standard"]),
        "is_dynamic_creative" | "recurring_budget_semantics" | "use_new_app_click" => json!(false),
        "lifetime_imps" => json!(0),
        "multi_optimization_goal_weight" => json!("UNDEFINED"),
        "optimization_sub_event" => json!("NONE"),
        "source_adset_id" => json!("0"),
        _ => return None,
    })
}

fn destination(place: &Place<'_>) -> &'static str {
    match place.ads.goal(place.index) {
        "LEAD_GENERATION" => "ON_AD",
        "CONVERSATIONS" => "MESSENGER",
        "OFFSITE_CONVERSIONS" => "WEBSITE",
        _ => "UNDEFINED",
    }
}

fn promoted(place: &Place<'_>) -> Value {
    let page = place.ads.tree.form(LEVEL, place.index).map(|form| form.page_id.clone());
    let page = page.unwrap_or_else(|| (104_398_000_000_000 + place.ads.seed % 1_000_000_000).to_string());
    match place.ads.goal(place.index) {
        "OFFSITE_CONVERSIONS" => {
            let event = match place.ads.objective(place.ads.tree.campaign_of(place.index)) {
                Objective::Sales => "PURCHASE",
                _ => "LEAD",
            };
            json!({"pixel_id": pixel(place), "custom_event_type": event})
        }
        _ => json!({ "page_id": page }),
    }
}

/// Returns the id of the account's pixel.
pub(super) fn pixel(place: &Place<'_>) -> String {
    (700_000_000_000_000 + place.ads.prefix).to_string()
}
