//! What kinds of items there are, and how items that an earlier release wrote in another shape are read. The rules for
//! changing a shape are in `shared/ARCHITECTURE.md`, under "Stored shapes".
//!
//! An item says its kind (`type`) and the shape in which it was last written as a whole (`v`; absent is 1, which costs
//! nothing). When it is read, the upgrades from that shape on are applied to its attributes, and only then it becomes an
//! entity. It is stored in the newest shape when it is next written as a whole.
//!
//! Most items are also changed in part, which leaves `v` as it is. So an upgrade goes by the names of attributes: it takes
//! what still has the old name, and leaves alone what has the new one.

#[cfg(test)]
mod ads_samples_tests;
#[cfg(test)]
mod channel_samples_tests;
#[cfg(test)]
mod file_samples_tests;
#[cfg(test)]
mod found_tests;
#[cfg(test)]
mod inbox_samples_tests;
#[cfg(test)]
mod lead_samples_tests;
#[cfg(test)]
mod org_samples_tests;
#[cfg(test)]
mod release_tests;
#[cfg(test)]
mod tests;

use aws_sdk_dynamodb::types::AttributeValue;
use serde::Serialize;
use strum::{EnumIter, EnumString, IntoStaticStr};

use super::{Item, text};

/// The attribute with an item's shape.
pub(super) const SHAPE: &str = "v";

/// What an item is. The names are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, EnumIter, EnumString, IntoStaticStr)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub(super) enum ItemKind {
    AccountDay,
    Act,
    AdAccount,
    AdDay,
    AdObject,
    AdsSync,
    AssigneeMail,
    BulkChange,
    Campaign,
    CampaignDay,
    Connection,
    Contact,
    Conversation,
    Conversion,
    ConversionDay,
    ConversionLease,
    Delivery,
    Dismissed,
    Endpoint,
    ErasedLead,
    Erasure,
    ErasureMark,
    EventBody,
    Export,
    FileVolume,
    Form,
    GatheredLead,
    Identity,
    Import,
    ImportPart,
    ImportRemoval,
    InboxAccount,
    InboxTurn,
    Integration,
    Latency,
    Lead,
    LeadView,
    Login,
    MailHour,
    MailPreference,
    Mapping,
    Message,
    MessageAlias,
    MetaPerson,
    MetaPost,
    Notice,
    Org,
    OrgLimit,
    Parked,
    Pause,
    Person,
    Post,
    PostCopy,
    Publication,
    PublishTurns,
    Receipt,
    Request,
    Roster,
    Rotation,
    Run,
    SavedReply,
    ScheduleCall,
    Session,
    SocialProgress,
    Step,
    Submission,
    SweepProgress,
    User,
    UserEmail,
    Waiting,
}

impl ItemKind {
    /// The kind of an item. `None` for an entry of an index, which has only what the index projects, and for a kind of a
    /// later release.
    pub(super) fn from_item(item: &Item) -> Option<Self> {
        item.get("type")?.as_s().ok()?.parse().ok()
    }

    /// The value of the attribute `type`.
    pub(super) fn attribute(self) -> AttributeValue {
        text(<&str>::from(self))
    }
}

/// The way from one shape of a kind to the next.
#[derive(Debug, Clone, Copy)]
pub(super) struct ShapeUpgrade {
    kind: ItemKind,
    /// Changes the attributes. Applied to an item that was upgraded already, or in part, it changes nothing else.
    step: fn(&mut Item),
}

/// The shapes of all kinds: each upgrade leads its kind to the next one.
#[derive(Debug, Clone, Copy)]
pub(super) struct StoredShapes(&'static [ShapeUpgrade]);

/// The shapes of this release. Each kind still has its first one. An upgrade is never removed: leads are kept for years,
/// and nothing rewrites an item that is not changed.
pub(super) const SHAPES: StoredShapes = StoredShapes(&[]);

impl StoredShapes {
    fn upgrades(self, kind: ItemKind) -> impl Iterator<Item = &'static ShapeUpgrade> {
        self.0.iter().filter(move |upgrade| upgrade.kind == kind)
    }

    /// The shape in which items of a kind are written: `None` for the first one.
    pub(super) fn current(self, kind: ItemKind) -> Option<usize> {
        let count = self.upgrades(kind).count();
        (count > 0).then_some(1 + count)
    }

    /// Brings an item into the newest shape that this release knows. One that a later release wrote stays as it is: that
    /// release wrote it so that this one can read it.
    pub(super) fn upgrade(self, item: &mut Item) {
        let Some(kind) = ItemKind::from_item(item) else { return };
        let shape = item.get(SHAPE).and_then(|shape| shape.as_n().ok()?.parse::<usize>().ok()).unwrap_or(1);
        for upgrade in self.upgrades(kind).skip(shape.saturating_sub(1)) {
            (upgrade.step)(item);
        }
    }
}
