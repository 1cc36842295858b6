//! The events published to the CRM. Each kind has a type, which defines both its payload and its JSON schema in the API
//! description.
//!
//! Events are delivered at least once. A consumer detects repeats by `id`, which is derived from what happened and not
//! from when it was published.

mod campaign;
mod connection;
mod inbox;
mod lead;
mod post;
#[cfg(test)]
mod tests;

use serde::Serialize;
use serde_json::Value;
use strum::{EnumIter, IntoStaticStr};

pub use self::campaign::CampaignChanged;
pub use self::connection::{
    ConnectionConnected, ConnectionDisconnected, ConnectionExpired, ConnectionExpiring, ConnectionPageLost,
    ConnectionQuiet, OfConnection,
};
pub use self::inbox::{ConversationChanged, EngagementRecorded, MessageReceived};
pub use self::lead::{ChangedByHand, LeadAssigned, LeadCreated, LeadUpdated, MappedAgain, UpdateCause};
pub use self::post::{OfPost, PostFailed, PostPublished};

/// A fact to publish.
#[derive(Debug, Clone)]
pub struct Event {
    /// The kind, whose name is the event's name on the bus.
    pub kind: EventKind,
    /// The payload: one of the types below, as JSON.
    pub detail: Value,
}

/// The kinds of events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, EnumIter, IntoStaticStr)]
pub enum EventKind {
    /// [`LeadCreated`].
    #[strum(serialize = "lead.created")]
    LeadCreated,
    /// [`LeadUpdated`].
    #[strum(serialize = "lead.updated")]
    LeadUpdated,
    /// [`LeadAssigned`].
    #[strum(serialize = "lead.assigned")]
    LeadAssigned,
    /// [`ConnectionConnected`].
    #[strum(serialize = "connection.connected")]
    ConnectionConnected,
    /// [`ConnectionExpiring`].
    #[strum(serialize = "connection.expiring")]
    ConnectionExpiring,
    /// [`ConnectionExpired`].
    #[strum(serialize = "connection.expired")]
    ConnectionExpired,
    /// [`ConnectionPageLost`].
    #[strum(serialize = "connection.page_lost")]
    ConnectionPageLost,
    /// [`ConnectionQuiet`].
    #[strum(serialize = "connection.quiet")]
    ConnectionQuiet,
    /// [`ConnectionDisconnected`].
    #[strum(serialize = "connection.disconnected")]
    ConnectionDisconnected,
    /// [`MessageReceived`].
    #[strum(serialize = "message.received")]
    MessageReceived,
    /// [`ConversationChanged`].
    #[strum(serialize = "conversation.changed")]
    ConversationChanged,
    /// [`EngagementRecorded`].
    #[strum(serialize = "engagement.recorded")]
    EngagementRecorded,
    /// [`PostPublished`].
    #[strum(serialize = "post.published")]
    PostPublished,
    /// [`PostFailed`].
    #[strum(serialize = "post.failed")]
    PostFailed,
    /// [`CampaignChanged`].
    #[strum(serialize = "campaign.changed")]
    CampaignChanged,
}

impl EventKind {
    /// The event's name on the bus, such as `lead.created`.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.into()
    }

    /// When the event is published.
    #[must_use]
    pub fn summary(self) -> &'static str {
        match self {
            Self::LeadCreated => "A person became a lead",
            Self::LeadUpdated => "A lead's person submitted another form, or its answers were mapped again",
            Self::LeadAssigned => "A user reassigned or unassigned a lead",
            Self::ConnectionConnected => "An integration was connected or reconnected",
            Self::ConnectionExpiring => "An integration expires soon unless it is reconnected",
            Self::ConnectionExpired => "No more leads arrive through an integration",
            Self::ConnectionPageLost => "No more leads arrive from one page of an integration",
            Self::ConnectionQuiet => "A page has been silent for much longer than usual",
            Self::ConnectionDisconnected => "A user of the org deleted an integration",
            Self::MessageReceived => "A person wrote a message or a comment",
            Self::ConversationChanged => "A conversation was opened, closed, snoozed or assigned",
            Self::EngagementRecorded => "A person reacted to a post, shared it, mentioned the page, or took it back",
            Self::PostPublished => "A post became public on a page or an Instagram account",
            Self::PostFailed => "A post was not published; nothing of it is public",
            Self::CampaignChanged => {
                "A campaign was created, failed, was launched, paused or archived, or Meta reviewed it"
            }
        }
    }
}
impl Event {
    fn new(kind: EventKind, detail: &impl Serialize) -> Self {
        Self { kind, detail: serde_json::to_value(detail).expect("an event is plain data") }
    }
}
