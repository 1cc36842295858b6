//! Writing campaigns.

use serde_json::{Value, json};

use super::site::{self, Site};
use super::{Made, OPTIONS, Writes, budget, is_dry, label, rules, status};
use crate::graph::rejection::Refused;
use crate::graph::session::Call;
use crate::graph::write_params::{self, Given, Kind};
use crate::world::ads::ids::Object;
use crate::world::ads::object::Budget;
use crate::world::ads::tree::Level;

const LEVEL: Level = Level::Campaign;
/// Other objectives have to be changed to one of these.
const OBJECTIVE_PREFIX: &str = "OUTCOME_";
/// The smallest spending limit, in the smallest daily budgets.
const SPEND_CAP_FACTOR: i64 = 100;
const WEEK_MS: i64 = 7 * 24 * 3600 * 1000;

pub(super) const BID_STRATEGIES: &[&str] =
    &["COST_CAP", "LOWEST_COST_WITHOUT_CAP", "LOWEST_COST_WITH_BID_CAP", "LOWEST_COST_WITH_MIN_ROAS"];
const OBJECTIVES: &[&str] = &[
    "APP_INSTALLS",
    "BRAND_AWARENESS",
    "CONVERSIONS",
    "EVENT_RESPONSES",
    "LEAD_GENERATION",
    "LINK_CLICKS",
    "LOCAL_AWARENESS",
    "MESSAGES",
    "OFFER_CLAIMS",
    "OUTCOME_APP_PROMOTION",
    "OUTCOME_AWARENESS",
    "OUTCOME_ENGAGEMENT",
    "OUTCOME_LEADS",
    "OUTCOME_SALES",
    "OUTCOME_TRAFFIC",
    "PAGE_LIKES",
    "POST_ENGAGEMENT",
    "PRODUCT_CATALOG_SALES",
    "REACH",
    "STORE_VISITS",
    "VIDEO_VIEWS",
];
const CATEGORIES: &[&str] = &[
    "CREDIT",
    "EMPLOYMENT",
    "FINANCIAL_PRODUCTS_SERVICES",
    "HOUSING",
    "ISSUES_ELECTIONS_POLITICS",
    "NONE",
    "ONLINE_GAMBLING_AND_GAMING",
];
const FIELDS: &[(&str, Kind)] = &[
    ("name", Kind::Text),
    ("objective", Kind::OneOf(OBJECTIVES)),
    ("buying_type", Kind::OneOf(&["AUCTION", "RESERVED"])),
    ("special_ad_categories", Kind::SomeOf(CATEGORIES)),
    ("special_ad_category_country", Kind::List),
    ("is_adset_budget_sharing_enabled", Kind::Flag),
    ("daily_budget", Kind::Unsigned),
    ("lifetime_budget", Kind::Unsigned),
    ("spend_cap", Kind::Unsigned),
    ("bid_strategy", Kind::OneOf(BID_STRATEGIES)),
    ("adset_budgets", Kind::List),
    ("start_time", Kind::Time),
    ("stop_time", Kind::Time),
    ("promoted_object", Kind::Object),
    ("pacing_type", Kind::List),
    ("status", Kind::OneOf(status::NAMES)),
    ("adlabels", Kind::List),
    OPTIONS,
];
/// Parameters that are stored elsewhere or not at all.
const NOT_FIELDS: &[&str] =
    &["name", "status", "daily_budget", "lifetime_budget", "adset_budgets", "adlabels", "execution_options"];

pub(super) fn create(call: &mut Call<'_>, account_id: &str) -> Writes {
    let site = Site::find(call, account_id)?;
    let given = site.read(call, FIELDS)?;
    write_params::require(&given, &["name", "objective", "special_ad_categories"])?;
    let status = status::first(&given)?;
    site.check_rights(call)?;
    check_objective(&given)?;
    check_categories(&given)?;
    let budget = budget::read(&given)?;
    check_budget(&site, &given, budget)?;
    let labels = label::read(&site, &given)?;
    if is_dry(&given) {
        return Ok(Made::Success);
    }
    let mut change = site.change(&given);
    change.fields = fields(&given);
    change.own_budget = Some(budget);
    match budget {
        // Without a strategy Meta assumes one with a bid, which the ad sets then lack.
        Some(_) => change.fields.entry("bid_strategy").or_insert(json!("LOWEST_COST_WITH_BID_CAP")),
        None => change.fields.entry("bid_strategy").or_insert(Value::Null),
    };
    change.fields.entry("is_adset_budget_sharing_enabled").or_insert(json!(false));
    change.labels = label::resolve(call, &site, labels);
    let record = site.record(call);
    let id = record.id.clone();
    call.world.write_ads(&site.account_id, |ads, at| {
        let index = ads.write(LEVEL, 0, record, change);
        ads.turn(Object::Of(LEVEL, index), status, at);
    });
    Ok(Made::Id(id))
}

pub(super) fn update(call: &mut Call<'_>, id: &str) -> Writes {
    let site = Site::find(call, id)?;
    let given = site.read(call, FIELDS)?;
    let Some(index) = site.ads.find_on(LEVEL, id) else { return Ok(Made::Success) };
    site.check_rights(call)?;
    status::check_change(&site, Object::Of(LEVEL, index), &given)?;
    for fixed in ["objective", "buying_type"] {
        let changed = given.get(fixed).filter(|value| Some(*value) != site::current(call, id, fixed).as_ref());
        if changed.is_some() {
            return Err(rules::CANNOT_CHANGE.broken(&[fixed], fixed));
        }
    }
    if given.contains_key("special_ad_categories") {
        check_categories(&given)?;
    }
    let budget = budget::read(&given)?;
    if let Some(budget) = budget {
        let adsets = site.ads.tree.written(Some((LEVEL, index)), Level::AdSet);
        let generated = site.ads.tree.below(LEVEL, index, Level::AdSet);
        if adsets.into_iter().chain(generated).any(|adset| site.ads.budget(Level::AdSet, adset).is_some()) {
            return Err(rules::BUDGET_ON_BOTH_LEVELS.broken_by(budget::parameter(budget)));
        }
        check_budget(&site, &given, Some(budget))?;
    }
    let labels = label::read(&site, &given)?;
    if is_dry(&given) {
        return Ok(Made::Success);
    }
    let moved = budgets_for_adsets(&site, index, &given);
    let labels = given.contains_key("adlabels").then(|| label::resolve(call, &site, labels));
    call.world.write_ads(&site.account_id, |ads, at| {
        status::apply(ads, Object::Of(LEVEL, index), &given, at);
        for (adset, budget) in &moved {
            ads.changes.at(Level::AdSet, *adset).own_budget = Some(Some(*budget));
        }
        let change = ads.changes.at(LEVEL, index);
        change.fields.extend(fields(&given));
        if let Some(budget) = budget {
            (change.own_budget, change.budget) = (Some(Some(budget)), None);
        }
        if !moved.is_empty() {
            change.own_budget = Some(None);
            change.fields.insert("bid_strategy".to_owned(), Value::Null);
        }
        change.labels = labels.unwrap_or(std::mem::take(&mut change.labels));
    });
    Ok(Made::Success)
}

/// Returns the parameters that are read back as they were sent. Money is text.
fn fields(given: &Given) -> Given {
    let kept = given.iter().filter(|(name, _)| !NOT_FIELDS.contains(&name.as_str()));
    kept.map(|(name, value)| match name.as_str() {
        "spend_cap" => (name.clone(), json!(site::text(value))),
        _ => (name.clone(), value.clone()),
    })
    .collect()
}

fn check_objective(given: &Given) -> Result<(), Refused> {
    let objective = given.get("objective").and_then(Value::as_str).unwrap_or_default();
    if objective.starts_with(OBJECTIVE_PREFIX) {
        Ok(())
    } else {
        Err(rules::OBJECTIVE_RETIRED.broken(&["objective"], objective))
    }
}

fn check_categories(given: &Given) -> Result<(), Refused> {
    let categories = given.get("special_ad_categories").and_then(Value::as_array).map(Vec::as_slice);
    let categories = categories.unwrap_or_default();
    let has = |name: &str| categories.iter().any(|category| category == name);
    if has("CREDIT") {
        return Err(rules::CATEGORY_RETIRED.broken_by("special_ad_categories"));
    }
    if has("NONE") && categories.len() > 1 {
        return Err(rules::NONE_WITH_CATEGORY.broken_by("special_ad_categories"));
    }
    let countries = given.get("special_ad_category_country").and_then(Value::as_array);
    let is_special = !categories.is_empty() && !has("NONE");
    if is_special && countries.is_none_or(Vec::is_empty) {
        return Err(rules::CATEGORY_COUNTRY_MISSING.broken_by("special_ad_category_country"));
    }
    let is_code = |country: &Value| country.as_str().is_some_and(super::targeting::is_country);
    match countries.into_iter().flatten().find(|country| !is_code(country)) {
        Some(wrong) => Err(rules::COUNTRY_INVALID.broken(&["special_ad_category_country"], &site::text(wrong))),
        None => Ok(()),
    }
}

/// Checks the campaign's own budget, or the decision to leave it to the ad sets.
fn check_budget(site: &Site, given: &Given, budget: Option<Budget>) -> Result<(), Refused> {
    let sharing = given.get("is_adset_budget_sharing_enabled").and_then(Value::as_bool);
    let strategy = given.get("bid_strategy").and_then(Value::as_str);
    match (budget, sharing) {
        (None, None) => return Err(rules::BUDGET_SHARING_UNDECIDED.broken_by("is_adset_budget_sharing_enabled")),
        (Some(_), Some(true)) => {
            return Err(rules::BUDGET_SHARING_WITH_CAMPAIGN_BUDGET.broken_by("is_adset_budget_sharing_enabled"));
        }
        // The end of the ad sets is not known yet.
        (Some(budget), _) => budget::check_minimum(site, budget, LEVEL, strategy, WEEK_MS)?,
        (None, Some(_)) => {}
    }
    let currency = &site.ads.currency;
    let least = SPEND_CAP_FACTOR * currency.least_daily_budget();
    match given.get("spend_cap").and_then(Value::as_i64) {
        Some(cap) if cap < least => {
            let amount = format!("{}{}", currency.code, currency.major(least));
            Err(rules::SPEND_CAP_TOO_LOW.broken(&["spend_cap"], &amount))
        }
        _ => Ok(()),
    }
}

/// Returns the budgets that replace the campaign's own. As at Meta, an incomplete list has no effect.
fn budgets_for_adsets(site: &Site, campaign: u32, given: &Given) -> Vec<(u32, Budget)> {
    let Some(list) = given.get("adset_budgets").and_then(Value::as_array) else { return Vec::new() };
    let budget = |element: &Value| {
        let adset = site.ads.find_on(Level::AdSet, &site::text_at(element, "adset_id")?)?;
        let amount = |name: &str| site::text_at(element, name)?.parse::<i64>().ok();
        let daily = amount("daily_budget").map(|amount| Budget { daily: true, amount });
        Some((adset, daily.or_else(|| amount("lifetime_budget").map(|amount| Budget { daily: false, amount }))?))
    };
    let budgets: Vec<(u32, Budget)> = list.iter().filter_map(budget).collect();
    let written = site.ads.tree.written(Some((LEVEL, campaign)), Level::AdSet);
    let mut adsets = written.into_iter().chain(site.ads.tree.below(LEVEL, campaign, Level::AdSet));
    let complete = adsets.all(|adset| budgets.iter().any(|(named, _)| *named == adset));
    if complete && site.ads.has_campaign_budget(campaign) { budgets } else { Vec::new() }
}
