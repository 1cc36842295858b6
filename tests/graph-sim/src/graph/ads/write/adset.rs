//! Writing ad sets.

use serde_json::{Map, Value, json};

use super::adset_goal::{Aim, BILLING_EVENTS, DESTINATIONS, GOALS};
use super::site::{self, Site, current, same, text};
use super::{Made, OPTIONS, Writes, adset_bid, budget, campaign, is_dry, label, rules, status, targeting};
use crate::graph::error::GraphError;
use crate::graph::rejection::{Refused, Rule};
use crate::graph::session::Call;
use crate::graph::write_params::{self, Given, Kind};
use crate::world::ads::ids::Object;
use crate::world::ads::object::Budget;
use crate::world::ads::status::Status;
use crate::world::ads::tree::Level;

const LEVEL: Level = Level::AdSet;
const DAY_MS: i64 = 24 * 3600 * 1000;
const SPECIAL: &[&str] = &["EMPLOYMENT", "FINANCIAL_PRODUCTS_SERVICES", "HOUSING"];
const FIELDS: &[(&str, Kind)] = &[
    ("name", Kind::Text),
    ("campaign_id", Kind::Text),
    ("daily_budget", Kind::Unsigned),
    ("lifetime_budget", Kind::Unsigned),
    ("bid_strategy", Kind::OneOf(campaign::BID_STRATEGIES)),
    ("bid_amount", Kind::Unsigned),
    ("bid_constraints", Kind::Object),
    ("billing_event", Kind::OneOf(BILLING_EVENTS)),
    ("optimization_goal", Kind::OneOf(GOALS)),
    ("destination_type", Kind::OneOf(DESTINATIONS)),
    ("promoted_object", Kind::Object),
    ("targeting", Kind::Object),
    ("attribution_spec", Kind::List),
    ("start_time", Kind::Time),
    ("end_time", Kind::Time),
    ("dsa_beneficiary", Kind::Text),
    ("dsa_payor", Kind::Text),
    ("is_dynamic_creative", Kind::Flag),
    ("is_sac_cfca_terms_certified", Kind::Flag),
    ("regional_regulated_categories", Kind::List),
    ("regional_regulation_identities", Kind::Object),
    ("pacing_type", Kind::List),
    ("adset_schedule", Kind::List),
    ("frequency_control_specs", Kind::List),
    ("daily_min_spend_target", Kind::Unsigned),
    ("daily_spend_cap", Kind::Unsigned),
    ("lifetime_min_spend_target", Kind::Unsigned),
    ("lifetime_spend_cap", Kind::Unsigned),
    ("status", Kind::OneOf(status::NAMES)),
    ("adlabels", Kind::List),
    OPTIONS,
];
/// Parameters that are stored elsewhere or not at all.
const NOT_FIELDS: &[&str] =
    &["name", "campaign_id", "status", "daily_budget", "lifetime_budget", "adlabels", "execution_options"];
/// Parameters that a change cannot give another value.
const FIXED: &[(&str, &Rule)] = &[
    ("promoted_object", &rules::PROMOTED_OBJECT_FIXED),
    ("destination_type", &rules::DESTINATION_FIXED),
    ("attribution_spec", &rules::ATTRIBUTION_FIXED),
];

pub(super) fn create(call: &mut Call<'_>, account_id: &str) -> Writes {
    let site = Site::find(call, account_id)?;
    let mut given = site.read(call, FIELDS)?;
    let needed = ["name", "campaign_id", "optimization_goal", "billing_event", "targeting"];
    write_params::require(&given, &needed)?;
    let status = status::first(&given)?;
    site.check_rights(call)?;
    let campaign = find_campaign(&site, &given)?;
    let labels = label::read(&site, &given)?;
    add_dsa_defaults(call, &site, &mut given);
    let budget = budget::read(&given)?;
    Draft { call, site: &site, campaign, existing: None, given: &given }.check(budget)?;
    if is_dry(&given) {
        return Ok(Made::Success);
    }
    let mut change = site.change(&given);
    change.fields = fields(&given);
    change.fields.entry("attribution_spec").or_insert(json!([{"event_type": "CLICK_THROUGH", "window_days": 1}]));
    change.own_budget = Some(budget);
    change.labels = label::resolve(call, &site, labels);
    let record = site.record(call);
    let id = record.id.clone();
    call.world.write_ads(&site.account_id, |ads, at| {
        let index = ads.write(LEVEL, campaign, record, change);
        ads.turn(Object::Of(LEVEL, index), status, at);
    });
    Ok(Made::Id(id))
}

pub(super) fn update(call: &mut Call<'_>, id: &str) -> Writes {
    let site = Site::find(call, id)?;
    let mut given = site.read(call, FIELDS)?;
    let Some(index) = site.ads.find_on(LEVEL, id) else { return Ok(Made::Success) };
    site.check_rights(call)?;
    status::check_change(&site, Object::Of(LEVEL, index), &given)?;
    for (name, rule) in FIXED {
        let Some(wanted) = given.get(*name) else { continue };
        let known = current(call, id, name).filter(|known| *known != "UNDEFINED").unwrap_or_default();
        if !same(wanted, &known) {
            return Err(rule.broken_by(name));
        }
    }
    let labels = label::read(&site, &given)?;
    if given.contains_key("targeting") {
        for field in ["dsa_beneficiary", "dsa_payor"] {
            if let Some(known) = current(call, id, field) {
                given.entry(field).or_insert(known);
            }
        }
        add_dsa_defaults(call, &site, &mut given);
    }
    let budget = budget::read(&given)?;
    let campaign = site.ads.tree.campaign_of(index);
    Draft { call, site: &site, campaign, existing: Some((id, index)), given: &given }.check(budget)?;
    if is_dry(&given) {
        return Ok(Made::Success);
    }
    let labels = given.contains_key("adlabels").then(|| label::resolve(call, &site, labels));
    let restarts = ["targeting", "optimization_goal"].iter().any(|name| given.contains_key(*name));
    call.world.write_ads(&site.account_id, |ads, at| {
        status::apply(ads, Object::Of(LEVEL, index), &given, at);
        let change = ads.changes.at(LEVEL, index);
        change.fields.extend(fields(&given));
        change.labels = labels.unwrap_or(std::mem::take(&mut change.labels));
        if let Some(budget) = budget {
            (change.own_budget, change.budget) = (Some(Some(budget)), None);
            ads.written.budget_edits.entry(index).or_default().push(at.now_ms);
        }
        if restarts {
            for ad in ads.tree.written(Some((LEVEL, index)), Level::Ad) {
                ads.submit_to_review(ad, at.now_ms);
            }
        }
    });
    Ok(Made::Success)
}

/// Returns the parameters that are read back as they were sent. Money, except bids, is text.
fn fields(given: &Given) -> Map<String, Value> {
    let kept = given.iter().filter(|(name, _)| !NOT_FIELDS.contains(&name.as_str()));
    kept.map(|(name, value)| {
        let is_money = name.ends_with("_cap") || name.ends_with("_target");
        (name.clone(), if is_money { json!(text(value)) } else { value.clone() })
    })
    .collect()
}

fn find_campaign(site: &Site, given: &Given) -> Result<u32, Refused> {
    let id = given.get("campaign_id").map(text).unwrap_or_default();
    let found = site.ads.find_on(Level::Campaign, &id).ok_or_else(|| GraphError::not_visible("post", &id))?;
    match site.ads.status(Level::Campaign, found) {
        Status::Deleted => Err(rules::CAMPAIGN_DELETED.broken_by("campaign_id")),
        _ => Ok(found),
    }
}

/// Fills in the account's beneficiary and payor.
fn add_dsa_defaults(call: &Call<'_>, site: &Site, given: &mut Given) {
    let Some(account) = call.world.ad_account(&site.account_id) else { return };
    for (name, usual) in ["dsa_beneficiary", "dsa_payor"].into_iter().zip(&account.dsa_defaults) {
        if let Some(usual) = usual {
            given.entry(name).or_insert(json!(usual));
        }
    }
}

/// An ad set as it would be after the write.
struct Draft<'a, 'w> {
    call: &'a Call<'w>,
    site: &'a Site,
    campaign: u32,
    /// The id and number of an ad set that is there already.
    existing: Option<(&'a str, u32)>,
    given: &'a Given,
}

impl Draft<'_, '_> {
    /// Checks what is new: everything about a new ad set, and of an existing one what the write touches.
    fn check(&self, budget: Option<Budget>) -> Result<(), Refused> {
        let aim = self.aim();
        if self.touches(&["optimization_goal", "billing_event"]) {
            aim.check_goal()?;
        }
        if self.touches(&["daily_budget", "lifetime_budget"]) {
            self.check_budget(budget)?;
        }
        if self.touches(&["bid_strategy", "bid_amount", "bid_constraints"]) {
            self.check_bid()?;
        }
        if self.touches(&["start_time", "end_time"]) {
            self.check_schedule(budget)?;
        }
        if self.touches(&["targeting"]) {
            self.check_audience()?;
        }
        if self.existing.is_none() { aim.check_promoted(self.call) } else { Ok(()) }
    }

    fn touches(&self, names: &[&str]) -> bool {
        self.existing.is_none() || names.iter().any(|name| self.given.contains_key(*name))
    }

    fn value(&self, name: &str) -> Option<Value> {
        let known = || self.existing.and_then(|(id, _)| current(self.call, id, name));
        self.given.get(name).cloned().or_else(known)
    }

    fn word(&self, name: &str) -> Option<String> {
        self.value(name).map(|value| text(&value))
    }

    fn time(&self, name: &str) -> Option<i64> {
        write_params::time_ms(&self.word(name)?, &self.site.ads.calendar.zone)
    }

    fn aim(&self) -> Aim {
        Aim {
            objective: self.site.ads.objective_name(self.campaign).to_owned(),
            goal: self.word("optimization_goal").unwrap_or_default(),
            billing: self.word("billing_event").unwrap_or_default(),
            destination: self.word("destination_type"),
            promoted: self.value("promoted_object").and_then(|it| it.as_object().cloned()).unwrap_or_default(),
        }
    }

    /// The strategy of a campaign that has the budget.
    fn campaign_strategy(&self) -> Option<String> {
        let ads = &self.site.ads;
        if !ads.has_campaign_budget(self.campaign) {
            return None;
        }
        let strategy = current(self.call, &ads.id(Level::Campaign, self.campaign), "bid_strategy");
        Some(strategy.map_or_else(|| "LOWEST_COST_WITH_BID_CAP".to_owned(), |strategy| text(&strategy)))
    }

    fn check_budget(&self, budget: Option<Budget>) -> Result<(), Refused> {
        let on_campaign = self.site.ads.has_campaign_budget(self.campaign);
        let budget = match budget {
            Some(budget) if on_campaign => {
                return Err(rules::BUDGET_ON_BOTH_LEVELS.broken_by(budget::parameter(budget)));
            }
            None if on_campaign => return Ok(()),
            None => return Err(rules::BUDGET_MISSING.broken(&["daily_budget", "lifetime_budget"], "")),
            Some(budget) => budget,
        };
        let start = self.time("start_time").unwrap_or(self.site.now_ms).max(self.site.now_ms);
        let lasts_ms = self.time("end_time").map_or(DAY_MS, |end| end - start);
        let strategy = self.word("bid_strategy");
        budget::check_minimum(self.site, budget, LEVEL, strategy.as_deref(), lasts_ms)?;
        match self.existing {
            Some((_, index)) => budget::check_pace(self.site, index),
            None => Ok(()),
        }
    }

    fn check_bid(&self) -> Result<(), Refused> {
        let amount = self.value("bid_amount").and_then(|amount| amount.as_i64());
        let constraints = self.value("bid_constraints");
        let own = self.word("bid_strategy");
        adset_bid::check(self.campaign_strategy().as_deref(), own.as_deref(), amount, constraints.as_ref())
    }

    fn check_schedule(&self, budget: Option<Budget>) -> Result<(), Refused> {
        let now = self.site.now_ms;
        let campaign_lifetime =
            self.site.ads.budget(Level::Campaign, self.campaign).is_some_and(|budget| !budget.daily);
        let own_lifetime = budget.is_some_and(|budget| !budget.daily);
        let start = self.time("start_time").unwrap_or(now).max(now);
        match self.time("end_time") {
            Some(end) if end <= now => Err(rules::END_IN_THE_PAST.broken_by("end_time")),
            Some(end) if end - start < DAY_MS => Err(rules::TOO_SHORT.broken_by("end_time")),
            None if own_lifetime || campaign_lifetime => Err(rules::END_MISSING.broken_by("end_time")),
            _ => Ok(()),
        }
    }

    fn check_audience(&self) -> Result<(), Refused> {
        let audience = self.value("targeting").and_then(|it| it.as_object().cloned()).unwrap_or_default();
        let campaign_id = self.site.ads.id(Level::Campaign, self.campaign);
        let categories = current(self.call, &campaign_id, "special_ad_categories").unwrap_or_default();
        let is_special = |category: &Value| category.as_str().is_some_and(|name| SPECIAL.contains(&name));
        let special = categories.as_array().is_some_and(|list| list.iter().any(is_special));
        targeting::check(&audience, special)?;
        let missing: Vec<&str> =
            ["dsa_beneficiary", "dsa_payor"].into_iter().filter(|name| self.value(name).is_none()).collect();
        if targeting::reaches_eu(&audience) && !missing.is_empty() {
            return Err(rules::DSA_MISSING.broken(&missing, ""));
        }
        Ok(())
    }
}

/// Returns what an existing ad set aims at.
pub(super) fn aim(call: &Call<'_>, site: &Site, adset: u32) -> Aim {
    let id = site.ads.id(LEVEL, adset);
    let campaign = site.ads.tree.campaign_of(adset);
    Draft { call, site, campaign, existing: Some((&id, adset)), given: &Given::new() }.aim()
}

/// Returns whether an ad set has reached its end.
pub(super) fn has_ended(call: &Call<'_>, site: &Site, adset: u32) -> bool {
    let end = site::current(call, &site.ads.id(LEVEL, adset), "end_time");
    let end = end.and_then(|end| write_params::time_ms(&text(&end), &site.ads.calendar.zone));
    end.is_some_and(|end| end <= site.now_ms)
}
