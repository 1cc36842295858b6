//! Budgets: on one of two levels, of one of two kinds, and not too low.

use serde_json::Value;

use super::rules;
use super::site::Site;
use crate::graph::rejection::{Refused, Rule};
use crate::graph::write_params::Given;
use crate::world::ads::object::Budget;
use crate::world::ads::tree::Level;

const DAY_MS: i64 = 24 * 3600 * 1000;
/// More changes of an ad set's budget in an hour are rejected.
const MAX_CHANGES_PER_HOUR: usize = 4;
/// Strategies with a bid need a budget that is this many times the usual minimum. (Unconfirmed.)
const BID_FACTOR: i64 = 5;

/// Returns the budget among the parameters.
///
/// # Errors
/// Rejects a daily budget together with a lifetime budget.
pub(super) fn read(given: &Given) -> Result<Option<Budget>, Refused> {
    let amount = |name: &str| given.get(name).and_then(Value::as_i64);
    match (amount("daily_budget"), amount("lifetime_budget")) {
        (Some(_), Some(_)) => Err(rules::TWO_BUDGETS.broken(&["daily_budget", "lifetime_budget"], "")),
        (Some(amount), None) => Ok(Some(Budget { daily: true, amount })),
        (None, Some(amount)) => Ok(Some(Budget { daily: false, amount })),
        (None, None) => Ok(None),
    }
}

/// The parameter that carries a budget.
pub(super) fn parameter(budget: Budget) -> &'static str {
    if budget.daily { "daily_budget" } else { "lifetime_budget" }
}

/// Checks a budget against the minimum of the account's currency. `lasts_ms` is the time a lifetime budget is for.
///
/// # Errors
/// Returns 1885272 for an ad set, 1885650 for a campaign.
pub(super) fn check_minimum(
    site: &Site,
    budget: Budget,
    level: Level,
    strategy: Option<&str>,
    lasts_ms: i64,
) -> Result<(), Refused> {
    let currency = &site.ads.currency;
    let days = if budget.daily { 1 } else { (lasts_ms + DAY_MS - 1).div_euclid(DAY_MS).max(1) };
    let has_bid = strategy.is_some_and(|strategy| strategy != "LOWEST_COST_WITHOUT_CAP");
    let least = currency.least_daily_budget() * days * if has_bid { BID_FACTOR } else { 1 };
    if budget.amount >= least {
        return Ok(());
    }
    let rule: &'static Rule =
        if level == Level::Campaign { &rules::CAMPAIGN_BUDGET_TOO_LOW } else { &rules::ADSET_BUDGET_TOO_LOW };
    let amount = format!("{}{}", currency.code, currency.major(least));
    Err(rule.broken(&[parameter(budget)], &amount))
}

/// Checks how often the budget of an ad set was changed in the last hour.
///
/// # Errors
/// Returns 613/1487632.
pub(super) fn check_pace(site: &Site, adset: u32) -> Result<(), Refused> {
    let edits = site.ads.written.budget_edits.get(&adset).map(Vec::as_slice).unwrap_or_default();
    let recent = edits.iter().filter(|at| site.now_ms - **at < 3_600_000).count();
    if recent < MAX_CHANGES_PER_HOUR { Ok(()) } else { Err(rules::BUDGET_CHANGED_TOO_OFTEN.broken(&[], "")) }
}
