//! TEMPORARY
use crate::model::inbox::event::InboxEvent;
use crate::model::webhook::EngagementNotice;
use jiff::Timestamp;
/// T
pub struct InboxNotice {
    /// T
    pub events: Vec<InboxEvent>,
    /// T
    pub skipped: Vec<String>,
}
/// T
#[must_use]
pub fn inbox_events(_: &EngagementNotice, _: Timestamp) -> InboxNotice {
    InboxNotice { events: Vec::new(), skipped: Vec::new() }
}
