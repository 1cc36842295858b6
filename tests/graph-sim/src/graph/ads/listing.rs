//! `campaigns`, `adsets`, `ads` and `adcreatives`: newest first, filtered, without archived or deleted objects.

use std::ops::Range;
use std::sync::Arc;

use serde_json::Value;

use super::Scope;
use super::condition::{self, Comparison, Condition, Element, Test};
use super::visibility::Visibility;
use super::weight;
use crate::graph::error::GraphError;
use crate::graph::node::Node;
use crate::graph::paging::{self, EdgeQuery, Elements, Item};
use crate::graph::request;
use crate::graph::session::Call;
use crate::graph::sparse::{self, Sparse};
use crate::world::ads::Ads;
use crate::world::ads::ids::Object;
use crate::world::ads::status::Effective;
use crate::world::ads::tree::{FIRST_WRITTEN, Level};

/// Maximum page size. Larger limits are reduced to it.
const LARGEST: usize = 500;

/// Objects of one level: the written ones, then generated ones with consecutive indices, each from the last to the
/// first.
struct Listing {
    ads: Arc<Ads>,
    level: Level,
    written: Vec<u32>,
    range: Range<u32>,
    now_ms: i64,
    visible: Visibility,
    conditions: Vec<Condition>,
}

impl Listing {
    fn index(&self, place: u32) -> Option<u32> {
        match place.checked_sub(length(&self.written)) {
            None => self.written.iter().rev().nth(usize::try_from(place).ok()?).copied(),
            Some(place) => self.range.end.checked_sub(place + 1).filter(|index| *index >= self.range.start),
        }
    }
}

impl Sparse for Listing {
    fn places(&self) -> u32 {
        length(&self.written) + self.range.end.saturating_sub(self.range.start)
    }

    fn is_taken(&self, place: u32) -> bool {
        let Some(index) = self.index(place) else { return false };
        let (ads, level) = (&self.ads, self.level);
        is_listed(ads, Object::Of(level, index), self.now_ms)
            && self.visible.shows(ads.effective(level, index))
            && self.conditions.iter().all(|condition| condition.holds_for(ads, level, index))
    }

    fn node(&self, place: u32) -> Option<Node> {
        let id = self.ads.id(self.level, self.index(place)?);
        Some(match self.level {
            Level::Campaign => Node::Campaign(id),
            Level::AdSet => Node::AdSet(id),
            Level::Ad => Node::Ad(id),
        })
    }
}

/// Creatives of an account: the written ones, then the generated ones, each under the index of the first ad that shows
/// it.
struct Creatives {
    ads: Arc<Ads>,
    written: Vec<u32>,
    now_ms: i64,
}

impl Creatives {
    fn index(&self, place: u32) -> Option<u32> {
        match place.checked_sub(length(&self.written)) {
            None => self.written.iter().rev().nth(usize::try_from(place).ok()?).copied(),
            Some(place) => self.ads.tree.count(Level::Ad).checked_sub(place + 1),
        }
    }
}

impl Sparse for Creatives {
    fn places(&self) -> u32 {
        length(&self.written) + self.ads.tree.count(Level::Ad)
    }

    fn is_taken(&self, place: u32) -> bool {
        let Some(index) = self.index(place) else { return false };
        let exists = index >= FIRST_WRITTEN || self.ads.generated_creative_of(index) == index;
        exists && is_listed(&self.ads, Object::Creative(index), self.now_ms) && !self.ads.is_deleted_creative(index)
    }

    fn node(&self, place: u32) -> Option<Node> {
        Some(Node::Creative(self.ads.creative_id(self.index(place)?)))
    }
}

fn length(list: &[u32]) -> u32 {
    u32::try_from(list.len()).unwrap_or(u32::MAX)
}

/// Returns whether lists contain the object yet.
pub(super) fn is_listed(ads: &Ads, object: Object, now_ms: i64) -> bool {
    ads.written.record(object).is_none_or(|record| record.listed_ms <= now_ms)
}

/// Reads an edge that lists objects of `level` below `node`. The caller has checked the right to read the node.
pub(crate) fn read(call: &mut Call<'_>, node: &Node, level: Level, query: &EdgeQuery) -> Result<Value, GraphError> {
    let Some(Scope { ads, at, .. }) = super::scope(call.world, node) else {
        return Err(GraphError::nonexisting_field(level.name(), node.type_name()));
    };
    let range = match at {
        Some((above, index)) => ads.tree.below(above, index, level),
        None => 0..ads.tree.count(level),
    };
    let conditions = conditions(&ads, level, query)?;
    let visible = conditions.iter().map(Condition::visibility).fold(Visibility::default(), |all, one| Visibility {
        archived: all.archived || one.archived,
        deleted: all.deleted || one.deleted,
    });
    weight::check(asked(query)?, query.fields.as_deref(), ads.thresholds.object_weight)?;
    let written = ads.tree.written(at, level);
    let listing = Listing { ads, level, written, range, now_ms: call.world.clock.now_ms(), visible, conditions };
    let elements = elements(match level {
        Level::Campaign => "Campaign",
        Level::AdSet => "AdSet",
        Level::Ad => "Ad",
    });
    sparse::page(call, query, &listing, &elements)
}

/// `/act_X/adcreatives`, which takes no filters, and `/{ad}/adcreatives`.
pub(crate) fn creatives(call: &mut Call<'_>, node: &Node, query: &EdgeQuery) -> Result<Value, GraphError> {
    let Some(Scope { ads, at, .. }) = super::scope(call.world, node) else {
        return Err(GraphError::nonexisting_field("adcreatives", node.type_name()));
    };
    weight::check(asked(query)?, query.fields.as_deref(), ads.thresholds.object_weight)?;
    let elements = elements("AdCreative");
    match at {
        Some((_, ad)) => {
            let id = ads.creative_id(ads.creative_of(ad));
            paging::page(call, query, vec![(id.clone(), Item::Node(Node::Creative(id)))], &elements)
        }
        None => {
            let written = ads.written.creatives().collect();
            sparse::page(call, query, &Creatives { ads, written, now_ms: call.world.clock.now_ms() }, &elements)
        }
    }
}

pub(super) fn elements(node_type: &'static str) -> Elements {
    Elements { node_type: Some(node_type), defaults: &["id"], max_limit: LARGEST }
}

/// Returns the requested limit, without a maximum.
fn asked(query: &EdgeQuery) -> Result<usize, GraphError> {
    paging::limit(query, usize::MAX)
}

/// Returns all conditions on the listed objects. `filtering` shows deleted objects through `delivery_info` and
/// `effective_status`: clients that read everything rely on it, although Meta's documentation says otherwise.
///
/// # Errors
/// Returns 100 for an unsupported condition, 100/1815001 for deleted objects in the parameter `effective_status`.
fn conditions(ads: &Ads, level: Level, query: &EdgeQuery) -> Result<Vec<Condition>, GraphError> {
    let mut conditions = Vec::new();
    if let Some(text) = query.param("effective_status") {
        let statuses = condition::statuses(&request::list(text), "(#100) Param effective_status")?;
        if statuses.contains(&Effective::Deleted) {
            return Err(GraphError::deleted_objects());
        }
        conditions.push(Condition { level, test: Test::Effective(statuses) });
    }
    for element in condition::elements(query.param("filtering"))? {
        conditions.push(understood(ads, level, &element)?);
    }
    if let Some(text) = query.param("updated_since").filter(|_| level != Level::Campaign) {
        let seconds =
            text.parse().map_err(|_| GraphError::invalid("(#100) Param updated_since must be a timestamp"))?;
        conditions.push(Condition { level, test: Test::Updated(Comparison::GreaterOrEqual, seconds) });
    }
    Ok(conditions)
}

fn understood(ads: &Ads, level: Level, element: &Element) -> Result<Condition, GraphError> {
    let condition = element.condition(ads, Some(level))?;
    condition.filter(|condition| condition.level <= level).ok_or_else(|| element.unsupported())
}
