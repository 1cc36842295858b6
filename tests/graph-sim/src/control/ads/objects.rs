//! Changes to campaigns, ad sets and ads: names, statuses and budgets.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::control::Mistake;
use crate::world::ads::ids::Object;
use crate::world::ads::status::Status;
use crate::world::ads::tree::Level;
use crate::world::ads::written::Moment;
use crate::world::ads::{Ads, dice};

/// The most ids that are returned.
const TOLD: usize = 1_000;

#[derive(Debug, Deserialize)]
pub(super) struct Objects {
    touch: Option<Touch>,
    level: Option<String>,
    status: Option<String>,
    ids: Option<Vec<String>>,
    rename: Option<BTreeMap<String, String>>,
    budget: Option<BTreeMap<String, i64>>,
}

/// The objects to rename.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Touch {
    /// A share of each level, or of the given one.
    Share(f64),
    These(Vec<String>),
}

impl Objects {
    pub(super) fn apply(&self, ads: &mut Ads, at: Moment, told: &mut Map<String, Value>) -> Result<(), Mistake> {
        match &self.touch {
            Some(Touch::Share(share)) => {
                if !(0.0..=1.0).contains(share) {
                    return Err(Mistake::new(format!("touch: must be between 0 and 1, or ids, got {share}")));
                }
                let mut touched = Vec::new();
                for level in self.levels()? {
                    touched.extend(some_of(ads, level, *share));
                }
                touch(ads, &touched, at, told);
            }
            Some(Touch::These(ids)) => {
                let touched = ids.iter().map(|id| find(ads, "touch", id)).collect::<Result<Vec<_>, _>>()?;
                touch(ads, &touched, at, told);
            }
            None if self.level.is_some() => return Err(Mistake::new("level: goes with touch")),
            None => {}
        }
        match (&self.status, &self.ids) {
            (Some(status), Some(ids)) => set_status(ads, status, ids, at, told)?,
            (None, None) => {}
            _ => return Err(Mistake::new("status, ids: both of them")),
        }
        for (id, name) in self.rename.iter().flatten() {
            let (level, index) = find(ads, "rename", id)?;
            let change = ads.changes.at(level, index);
            change.name = Some(name.clone());
            change.updated_ms = Some(at.now_ms);
        }
        for (id, amount) in self.budget.iter().flatten() {
            let (level, index) = find(ads, "budget", id)?;
            if level == Level::Ad {
                return Err(Mistake::new(format!("budget: {id} is an ad, which has none")));
            }
            let change = ads.changes.at(level, index);
            change.budget = Some(*amount);
            change.updated_ms = Some(at.now_ms);
        }
        if let Some(names) = &self.rename {
            told.insert("renamed".to_owned(), json!(names));
        }
        if let Some(budgets) = &self.budget {
            told.insert("budgets".to_owned(), json!(budgets));
        }
        Ok(())
    }

    fn levels(&self) -> Result<Vec<Level>, Mistake> {
        let Some(name) = &self.level else { return Ok(vec![Level::Campaign, Level::AdSet, Level::Ad]) };
        let level = Level::parse(name);
        level
            .map(|level| vec![level])
            .ok_or_else(|| Mistake::new(format!("level: must be campaign, adset or ad, got \"{name}\"")))
    }
}

fn find(ads: &Ads, member: &str, id: &str) -> Result<(Level, u32), Mistake> {
    match ads.find(id) {
        Some(Object::Of(level, index)) => Ok((level, index)),
        _ => Err(Mistake::new(format!("{member}: the account has no campaign, ad set or ad {id}"))),
    }
}

/// Selects a share of a level, spread over all of it. Each call selects other objects.
fn some_of(ads: &Ads, level: Level, share: f64) -> Vec<(Level, u32)> {
    let count = ads.tree.count(level);
    let wanted = (f64::from(count) * share).ceil();
    let wanted = format!("{wanted:.0}").parse::<u32>().unwrap_or_default().min(count);
    let start = dice::throw(ads.seed ^ level as u64, ads.changes.touches) % u64::from(count.max(1));
    let places =
        (0..u64::from(wanted)).map(|at| (start + at * u64::from(count) / u64::from(wanted)) % u64::from(count));
    places.map(|place| (level, u32::try_from(place).unwrap_or_default())).collect()
}

/// Renames objects and updates their time of change.
fn touch(ads: &mut Ads, objects: &[(Level, u32)], at: Moment, told: &mut Map<String, Value>) {
    ads.changes.touches += 1;
    for (level, index) in objects {
        let name = ads.name(*level, *index);
        let (plain, times) = name.rsplit_once(" – rev ").unwrap_or((&name, "1"));
        let name = format!("{plain} – rev {}", times.parse::<u64>().unwrap_or(1) + 1);
        let change = ads.changes.at(*level, *index);
        change.name = Some(name);
        change.updated_ms = Some(at.now_ms);
    }
    let ids: Vec<String> = objects.iter().take(TOLD).map(|(level, index)| ads.id(*level, *index)).collect();
    told.insert("touched".to_owned(), json!(objects.len()));
    told.insert("touched_ids".to_owned(), json!(ids));
}

/// Sets the status of objects. One that is switched off still delivers today; one that is switched on delivers from
/// today.
fn set_status(
    ads: &mut Ads,
    name: &str,
    ids: &[String],
    at: Moment,
    told: &mut Map<String, Value>,
) -> Result<(), Mistake> {
    let status = Status::parse(name).ok_or_else(|| {
        let known = Status::ALL.map(Status::name).join(", ");
        Mistake::new(format!("status: must be one of {known}, got \"{name}\""))
    })?;
    for id in ids {
        let (level, index) = find(ads, "ids", id)?;
        ads.turn(Object::Of(level, index), status, at);
    }
    told.insert("status".to_owned(), json!({ name: ids }));
    Ok(())
}
