//! What the control interface changed in an account, and the oddities it asked for.

use std::collections::{BTreeMap, HashMap, HashSet};

use serde_json::Value;

use super::calendar::Day;
use super::status::Status;
use super::tree::Level;

/// Changes of one object.
#[derive(Debug, Clone, Default)]
pub(crate) struct Change {
    pub(crate) name: Option<String>,
    /// In smallest units.
    pub(crate) budget: Option<i64>,
    pub(crate) updated_ms: Option<i64>,
    /// From which day on it runs or not.
    pub(crate) turns: Vec<(Day, Status)>,
}

#[derive(Debug, Clone, Default)]
pub(crate) struct Changes {
    objects: HashMap<(Level, u32), Change>,
    /// How often a share of the objects was renamed.
    pub(crate) touches: u64,
    /// Values of single ads on single days that insights answer instead of the right ones.
    pub(crate) odd: HashMap<(u32, Day), BTreeMap<String, Value>>,
    /// Ads and days whose row comes twice.
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
