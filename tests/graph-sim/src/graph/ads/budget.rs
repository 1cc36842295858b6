//! Budget fields: strings in the currency's smallest unit, on one of two levels.

use serde_json::{Value, json};

use super::Place;
use crate::world::ads::dice::Dice;
use crate::world::ads::tree::{FIRST_WRITTEN, Level};

/// Returns `daily_budget`, `lifetime_budget` or `budget_remaining`. Where the other level has the budget, campaigns
/// omit the fields and ad sets return `"0"`. (Meta does not document which of the two it does. Clients must handle
/// both.)
pub(super) fn value(place: &Place<'_>, level: Level, field: &str) -> Option<Value> {
    let budget = place.ads.budget(level, place.index);
    let none = || (level == Level::AdSet).then(|| json!("0"));
    let Some(budget) = budget else { return none() };
    let amount = match field {
        "daily_budget" if budget.daily => budget.amount,
        "lifetime_budget" if !budget.daily => budget.amount,
        "budget_remaining" if place.index >= FIRST_WRITTEN => budget.amount,
        "budget_remaining" => {
            let mut dice = Dice::new(place.ads.seed ^ 0xb4d6, u64::from(place.index) * 2 + level as u64);
            budget.amount * dice.below(101) / 100
        }
        _ => return none(),
    };
    Some(json!(amount.to_string()))
}
