//! Changes that the control interface made to an account, and the oddities it requested.

use std::collections::{BTreeMap, HashMap, HashSet};

use serde_json::Value;

use super::calendar::Day;
use super::status::Status;
use super::tree::Level;

/// The changes to one object.
#[derive(Debug, Clone, Default)]
pub(crate) struct Change {
    pub(crate) name: Option<String>,
    /// In the smallest currency unit.
    pub(crate) budget: Option<i64>,
    pub(crate) updated_ms: Option<i64>,
    /// Statuses set later, each with the first day on which it applies.
    pub(crate) turns: Vec<(Day, Status)>,
}

#[derive(Debug, Clone, Default)]
pub(crate) struct Changes {
    objects: HashMap<(Level, u32), Change>,
    /// How many times a share of the objects was renamed.
    pub(crate) touches: u64,
    /// Clicks that single ads had more or fewer on single days. Unlike `odd`, all levels and totals include them.
    pub(crate) shifts: HashMap<(u32, Day), i64>,
    /// Wrong values that insights return for single ads on single days.
    pub(crate) odd: HashMap<(u32, Day), BTreeMap<String, Value>>,
    /// Ads and days whose row is returned twice.
    pub(crate) twice: HashSet<(u32, Day)>,
    /// Ads, days and fields that make a query fail.
    pub(crate) broken: Vec<(u32, Day, String)>,
}

impl Changes {
    pub(crate) fn of(&self, level: Level, index: u32) -> Option<&Change> {
        if self.objects.is_empty() {
            return None;
        }
        self.objects.get(&(level, index))
    }

    pub(crate) fn at(&mut self, level: Level, index: u32) -> &mut Change {
        self.objects.entry((level, index)).or_default()
    }
}
