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

use std::borrow::Cow;

use serde::Serialize;
use serde_json::Value;
use strum::{EnumIter, IntoStaticStr};

pub use self::campaign::CampaignChanged;
pub use self::connection::{
    ConnectionConnected, ConnectionDisconnected, ConnectionExpired, ConnectionExpiring, ConnectionPageLost,
    ConnectionQuiet, OfConnection,
};
pub use self::inbox::{ConversationChanged, EngagementRecorded, MessageReceived};
pub use self::lead::{
    ChangedByHand, LeadAssigned, LeadCreated, LeadRemoved, LeadUpdated, MappedAgain, RemovalCause, UpdateCause,
};
pub use self::post::{OfPost, PostFailed, PostPublished};
use crate::tr;
use crate::trace::{self, TraceId};

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
    /// [`LeadRemoved`].
    #[strum(serialize = "lead.removed")]
    LeadRemoved,
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
    pub fn summary(self) -> Cow<'static, str> {
        match self {
            Self::LeadCreated => tr!("A person became a lead"),
            Self::LeadUpdated => {
                tr!("A person who is already a lead submitted another form, or a lead's answers were mapped again")
            }
            Self::LeadRemoved => tr!("A lead was removed because its file import was undone"),
            Self::LeadAssigned => tr!("A user reassigned or unassigned a lead"),
            Self::ConnectionConnected => tr!("An integration was connected or reconnected"),
            Self::ConnectionExpiring => tr!("An integration expires soon unless it is reconnected"),
            Self::ConnectionExpired => tr!("No more leads arrive through an integration"),
            Self::ConnectionPageLost => tr!("No more leads arrive from one page of an integration"),
            Self::ConnectionQuiet => tr!("A page has sent no leads for much longer than usual"),
            Self::ConnectionDisconnected => tr!("A user of the org deleted an integration"),
            Self::MessageReceived => tr!("A person wrote a message or a comment"),
            Self::ConversationChanged => tr!("A conversation was opened, closed, snoozed or assigned"),
            Self::EngagementRecorded => {
                tr!("A person reacted to a post, shared it, mentioned the page, or undid one of these")
            }
            Self::PostPublished => tr!("A post became public on a page or an Instagram account"),
            Self::PostFailed => tr!("A post was not published; nothing of it is public"),
            Self::CampaignChanged => {
                tr!("A campaign was created, failed, was launched, paused or archived, or Meta reviewed it")
            }
        }
    }
}
impl Event {
    /// Besides the payload, each event has the `trace_id` of what it follows from.
    fn new(kind: EventKind, payload: &impl Serialize) -> Self {
        let mut detail = serde_json::to_value(payload).expect("an event is plain data");
        if let Some(fields) = detail.as_object_mut() {
            let trace = trace::current().unwrap_or_else(TraceId::fresh);
            fields.insert("trace_id".to_owned(), trace.as_str().into());
        }
        Self { kind, detail }
    }
}
