//! What was written through the API: which objects exist, labels, images, and the reviews of ads.
//!
//! The objects' properties are stored like changes to generated objects (`changes`), and their parents in the tree.

use std::collections::{BTreeMap, HashMap};

use serde_json::{Value, json};

use super::Ads;
use super::calendar::Day;
use super::changes::Change;
use super::ids::Object;
use super::status::{self, Effective, Status};
use super::tree::{FIRST_WRITTEN, Level};

/// A written campaign, ad set, ad or creative.
#[derive(Debug, Clone)]
pub(crate) struct Record {
    pub(crate) id: String,
    pub(crate) created_ms: i64,
    /// Since when lists contain the object. They may lag behind its creation.
    pub(crate) listed_ms: i64,
}

/// A label (`AdLabel`) of an account.
#[derive(Debug, Clone)]
pub(crate) struct Label {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) created_ms: i64,
    pub(crate) updated_ms: i64,
}

/// An image of an account's library. Its key is the hash of its content.
#[derive(Debug, Clone)]
pub(crate) struct Image {
    pub(crate) name: String,
    pub(crate) created_ms: i64,
    pub(crate) width: u32,
    pub(crate) height: u32,
}

/// The review of an ad: the one after its creation, or after a later edit.
#[derive(Debug, Clone)]
pub(crate) struct Review {
    pub(crate) since_ms: i64,
    pub(crate) stage: Stage,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Stage {
    Processing,
    Pending,
    Approved,
    /// With the value of `ad_review_feedback`.
    Disapproved(Value),
}

impl Stage {
    /// The effective status of an ad in this stage. A review shows through every pause.
    pub(super) fn effective(&self, own: Status, above: &[Status]) -> Effective {
        let gone = status::effective(own, None, above);
        match (gone, self) {
            (Effective::Deleted | Effective::Archived, _) | (_, Self::Approved) => gone,
            (_, Self::Processing) => Effective::InProcess,
            (_, Self::Pending) => Effective::PendingReview,
            (_, Self::Disapproved(_)) => Effective::Disapproved,
        }
    }

    /// The value of `ad_review_feedback`.
    pub(crate) fn feedback(&self) -> Option<&Value> {
        if let Self::Disapproved(feedback) = self { Some(feedback) } else { None }
    }

    pub(crate) fn is_open(&self) -> bool {
        matches!(self, Self::Processing | Self::Pending)
    }
}

/// The feedback of a disapproval that names no other.
pub(crate) fn usual_feedback() -> Value {
    json!({
        "global": {
            "PERSONAL_ATTRIBUTES": "Ads must not contain content that asserts or implies personal attributes.",
        },
        "placement_specific": {"facebook": {
            "PERSONAL_ATTRIBUTES": "Ads must not contain content that asserts or implies personal attributes.",
        }},
    })
}

/// Everything written to an account.
#[derive(Debug, Clone, Default)]
pub(crate) struct Written {
    campaigns: Vec<Record>,
    adsets: Vec<Record>,
    ads: Vec<Record>,
    creatives: Vec<Record>,
    by_id: HashMap<String, Object>,
    pub(crate) labels: Vec<Label>,
    /// By hash.
    pub(crate) images: BTreeMap<String, Image>,
    /// By ad.
    pub(crate) reviews: BTreeMap<u32, Review>,
    /// Times at which an ad set's budget was changed.
    pub(crate) budget_edits: HashMap<u32, Vec<i64>>,
}

impl Written {
    pub(crate) fn find(&self, id: &str) -> Option<Object> {
        self.by_id.get(id).copied()
    }

    /// The record of an object. `None` for a generated one.
    pub(crate) fn record(&self, object: Object) -> Option<&Record> {
        let (list, index) = match object {
            Object::Of(Level::Campaign, index) => (&self.campaigns, index),
            Object::Of(Level::AdSet, index) => (&self.adsets, index),
            Object::Of(Level::Ad, index) => (&self.ads, index),
            Object::Creative(index) => (&self.creatives, index),
        };
        list.get(usize::try_from(index.checked_sub(FIRST_WRITTEN)?).ok()?)
    }

    /// Numbers of the written creatives, oldest first.
    pub(crate) fn creatives(&self) -> impl DoubleEndedIterator<Item = u32> {
        FIRST_WRITTEN..FIRST_WRITTEN + u32::try_from(self.creatives.len()).unwrap_or_default()
    }

    pub(crate) fn label(&self, id: &str) -> Option<&Label> {
        self.labels.iter().find(|label| label.id == id)
    }

    fn add(&mut self, object: Object, record: Record) {
        self.by_id.insert(record.id.clone(), object);
        match object {
            Object::Of(Level::Campaign, _) => self.campaigns.push(record),
            Object::Of(Level::AdSet, _) => self.adsets.push(record),
            Object::Of(Level::Ad, _) => self.ads.push(record),
            Object::Creative(_) => self.creatives.push(record),
        }
    }
}

/// The time of a write.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Moment {
    pub(crate) now_ms: i64,
    pub(crate) today: Day,
}

impl Ads {
    /// Adds a campaign, ad set or ad below its parent and returns its number.
    pub(crate) fn write(&mut self, level: Level, parent: u32, record: Record, change: Change) -> u32 {
        let index = self.tree.add_written(level, parent);
        self.written.add(Object::Of(level, index), record);
        *self.changes.at(level, index) = change;
        index
    }

    /// Adds a creative and returns its number.
    pub(crate) fn write_creative(&mut self, record: Record, change: Change) -> u32 {
        let index = FIRST_WRITTEN + u32::try_from(self.written.creatives.len()).unwrap_or_default();
        self.written.add(Object::Creative(index), record);
        *self.changes.at_object(Object::Creative(index)) = change;
        index
    }

    /// Sets the status of an object. One that is switched off still delivers today; one that is switched on delivers
    /// from today.
    pub(crate) fn turn(&mut self, object: Object, status: Status, at: Moment) {
        let since = if status == Status::Active { at.today } else { at.today + 1 };
        let change = self.changes.at_object(object);
        change.turns.push((since, status));
        change.updated_ms = Some(at.now_ms);
    }

    /// Begins the review of an ad.
    pub(crate) fn submit_to_review(&mut self, ad: u32, now_ms: i64) {
        self.written.reviews.insert(ad, Review { since_ms: now_ms, stage: Stage::Processing });
    }

    /// Whether a creative was deleted.
    pub(crate) fn is_deleted_creative(&self, creative: u32) -> bool {
        let change = self.changes.of_object(Object::Creative(creative));
        change.and_then(|change| change.turns.last()).is_some_and(|(_, status)| *status == Status::Deleted)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Effective, Stage, Status};

    #[test]
    fn a_review_shows_through_a_pause_and_not_through_a_deletion() {
        let paused = [Status::Paused, Status::Active];
        assert_eq!(Stage::Processing.effective(Status::Paused, &paused), Effective::InProcess);
        assert_eq!(Stage::Pending.effective(Status::Active, &paused), Effective::PendingReview);
        assert_eq!(Stage::Approved.effective(Status::Active, &paused), Effective::CampaignPaused);
        assert_eq!(Stage::Approved.effective(Status::Paused, &paused), Effective::Paused);
        assert_eq!(Stage::Disapproved(json!({})).effective(Status::Paused, &paused), Effective::Disapproved);
        assert_eq!(Stage::Pending.effective(Status::Active, &[Status::Deleted, Status::Active]), Effective::Deleted);
    }
}
