//! Anomalies that sometimes occur in insights: absurd values, duplicate rows, unknown ads, and fields that break a
//! query.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::change::Several;
use crate::control::Mistake;
use crate::graph::is_insights_field;
use crate::world::ads::Ads;
use crate::world::ads::calendar::{Day, parse_day};
use crate::world::ads::status::Effective;
use crate::world::ads::tree::Level;

#[derive(Debug, Deserialize)]
pub(super) struct Oddities {
    metrics: Option<Several<Override>>,
    shift: Option<Several<Shift>>,
    duplicate_row: Option<Several<AdDay>>,
    break_field: Option<Several<Broken>>,
    ghost_ad: Option<bool>,
    heal: Option<bool>,
}

/// `{ad_id, day, spend: "-5", …}`, or `{ad_id, day, field: "spend", value: "-5"}`.
#[derive(Debug, Clone, Deserialize)]
struct Override {
    ad_id: String,
    day: String,
    #[serde(flatten)]
    values: BTreeMap<String, Value>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Shift {
    ad_id: String,
    day: String,
    clicks: i64,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct AdDay {
    ad_id: String,
    day: String,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Broken {
    ad_id: String,
    day: String,
    field: String,
}

impl Oddities {
    pub(super) fn apply(&self, ads: &mut Ads, told: &mut Map<String, Value>) -> Result<(), Mistake> {
        if self.heal == Some(true) {
            ads.changes.odd.clear();
            ads.changes.twice.clear();
            ads.changes.broken.clear();
            told.insert("healed".to_owned(), json!(true));
        }
        for wanted in self.metrics.iter().flat_map(Several::as_slice) {
            let place = ad_day(ads, "metrics", &wanted.ad_id, &wanted.day)?;
            let values = wanted.values()?;
            ads.changes.odd.entry(place).or_default().extend(values);
        }
        for wanted in self.shift.iter().flat_map(Several::as_slice) {
            let place = ad_day(ads, "shift", &wanted.ad_id, &wanted.day)?;
            *ads.changes.shifts.entry(place).or_default() += wanted.clicks;
        }
        for wanted in self.duplicate_row.iter().flat_map(Several::as_slice) {
            let place = ad_day(ads, "duplicate_row", &wanted.ad_id, &wanted.day)?;
            ads.changes.twice.insert(place);
        }
        for wanted in self.break_field.iter().flat_map(Several::as_slice) {
            let (ad, day) = ad_day(ads, "break_field", &wanted.ad_id, &wanted.day)?;
            check_field("break_field", &wanted.field)?;
            ads.changes.broken.push((ad, day, wanted.field.clone()));
        }
        for (name, count) in [
            ("metrics", self.metrics.as_ref().map(|list| list.as_slice().len())),
            ("shifts", self.shift.as_ref().map(|list| list.as_slice().len())),
            ("duplicate_rows", self.duplicate_row.as_ref().map(|list| list.as_slice().len())),
            ("broken_fields", self.break_field.as_ref().map(|list| list.as_slice().len())),
        ] {
            if let Some(count) = count {
                told.insert(name.to_owned(), json!(count));
            }
        }
        if self.ghost_ad == Some(true) {
            let ghost = add_ghost(ads);
            told.insert("ghost_ad".to_owned(), json!(ads.id(Level::Ad, ghost)));
        }
        Ok(())
    }
}

impl Override {
    fn values(&self) -> Result<BTreeMap<String, Value>, Mistake> {
        let one = match (self.values.get("field").and_then(Value::as_str), self.values.get("value")) {
            (Some(field), Some(value)) => Some([(field.to_owned(), value.clone())].into()),
            _ => None,
        };
        let values = one.unwrap_or_else(|| self.values.clone());
        if values.is_empty() {
            return Err(Mistake::new("metrics: a field and its value are required"));
        }
        values.keys().try_for_each(|field| check_field("metrics", field))?;
        Ok(values)
    }
}

fn check_field(member: &str, field: &str) -> Result<(), Mistake> {
    if is_insights_field(field) {
        Ok(())
    } else {
        Err(Mistake::new(format!("{member}: insights have no field {field}")))
    }
}

fn ad_day(ads: &Ads, member: &str, ad_id: &str, day: &str) -> Result<(u32, Day), Mistake> {
    let ad = ads.find_on(Level::Ad, ad_id);
    let ad = ad.ok_or_else(|| Mistake::new(format!("{member}: the account has no ad {ad_id}")))?;
    let number = parse_day(day);
    let day = number
        .ok_or_else(|| Mistake::new(format!("{member}: day must be a date such as 2026-01-31, got \"{day}\"")))?;
    Ok((ad, day))
}

/// Adds a ghost ad, in an active ad set if there is one.
fn add_ghost(ads: &mut Ads) -> u32 {
    let runs = |adset: &u32| ads.effective(Level::AdSet, *adset) == Effective::Active;
    let adset = (0..ads.tree.count(Level::AdSet)).find(runs).unwrap_or_default();
    ads.tree.add_ghost(adset)
}
