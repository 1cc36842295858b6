//! Changes made to an account through the API or the control interface, and the oddities the latter requested.

use std::collections::{BTreeMap, HashMap, HashSet};

use serde_json::{Map, Value};

use super::calendar::Day;
use super::ids::Object;
use super::object::Budget;
use super::status::Status;
use super::tree::Level;

/// The changes to one object.
#[derive(Debug, Clone, Default)]
pub(crate) struct Change {
    pub(crate) name: Option<String>,
    /// In the smallest currency unit.
    pub(crate) budget: Option<i64>,
    /// The budget that the API set; `Some(None)` if the API left it to the other level.
    pub(crate) own_budget: Option<Option<Budget>>,
    /// Fields that the API set, as they are read back.
    pub(crate) fields: Map<String, Value>,
    /// Ids of the object's labels.
    pub(crate) labels: Vec<String>,
    /// The creative that the API gave to an ad.
    pub(crate) creative: Option<u32>,
    pub(crate) updated_ms: Option<i64>,
    /// Statuses set later, each with the first day on which it applies.
    pub(crate) turns: Vec<(Day, Status)>,
}

#[derive(Debug, Clone, Default)]
pub(crate) struct Changes {
    objects: HashMap<Object, Change>,
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
        self.of_object(Object::Of(level, index))
    }

    pub(crate) fn of_object(&self, object: Object) -> Option<&Change> {
        if self.objects.is_empty() {
            return None;
        }
        self.objects.get(&object)
    }

    /// The objects that have labels.
    pub(crate) fn labelled(&self) -> impl Iterator<Item = (Object, &[String])> {
        let labels = self.objects.iter().map(|(object, change)| (*object, change.labels.as_slice()));
        labels.filter(|(_, labels)| !labels.is_empty())
    }

    pub(crate) fn at(&mut self, level: Level, index: u32) -> &mut Change {
        self.at_object(Object::Of(level, index))
    }

    pub(crate) fn at_object(&mut self, object: Object) -> &mut Change {
        self.objects.entry(object).or_default()
    }
}
