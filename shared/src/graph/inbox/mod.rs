//! Meta's notices about comments, reactions and messages, as events of the inbox.
//!
//! A notice is read member by member: whatever Meta adds, leaves out or sends in another form affects one event at most.
//! Every notice gives events, or a reason why not. Nothing is remembered between two of them, so how duplicates and
//! disorder are treated is up to the caller; the same notice always gives the same events, apart from times that Meta
//! leaves out.

mod attachments;
mod feed;
mod instagram;
mod members;
mod messaging;
mod whatsapp;

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use strum::IntoStaticStr;

use crate::model::inbox::Channel;
use crate::model::inbox::event::{InboxEvent, InboxEventKind, NewMessage, Person};
use crate::model::webhook::EngagementNotice;

/// What a notice says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct InboxNotice {
    /// What happened, in Meta's order. At most [`InboxNotice::MAX_EVENTS`].
    pub events: Vec<InboxEvent>,
    /// What gave no event, to be counted.
    pub skipped: Vec<SkippedNotice>,
}

/// Why a part of a notice gives no event.
#[derive(Debug, Clone, PartialEq, Eq, IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum SkippedNotice {
    /// The dashboard's "Test" button sent it.
    DashboardTest,
    /// The inbox has no use for it: a page's own posts, typing, a message that the account sent to itself.
    Unused,
    /// Meta does not say who reacted or shared, so that it belongs to no contact.
    Anonymous,
    /// Its ids are missing, or it is no JSON.
    Unreadable,
    /// Meta reports an error of the account, with its code.
    AccountError(i64),
    /// More than [`InboxNotice::MAX_EVENTS`].
    TooMany,
    /// A kind that Leadwire does not know, in Meta's words.
    Unknown(String),
}

impl InboxNotice {
    /// Far more than one change of Meta's contains. Bounds the work that a single message of the queue causes.
    pub const MAX_EVENTS: usize = 200;

    fn push(&mut self, source: &Source, kind: InboxEventKind) {
        if self.events.len() < Self::MAX_EVENTS {
            let account = source.account.to_owned();
            self.events.push(InboxEvent { channel: source.channel, account, kind });
        } else {
            self.skip(SkippedNotice::TooMany);
        }
    }

    fn skip(&mut self, reason: SkippedNotice) {
        self.skipped.push(reason);
    }

    fn skip_unknown(&mut self, kind: &str, word: Option<&str>) {
        let word: String = word.unwrap_or("?").chars().take(40).collect();
        self.skip(SkippedNotice::Unknown(format!("{kind}/{word}")));
    }
}

/// Where an event comes from.
struct Source<'a> {
    channel: Channel,
    account: &'a str,
    received_at: Timestamp,
}

impl Source<'_> {
    /// The time of an event, or, where Meta does not say it, of its arrival.
    fn time(&self, value: &Value) -> Timestamp {
        members::time(value).unwrap_or(self.received_at)
    }

    /// A message that has nothing but its ids yet.
    fn message(&self, mid: String, is_ours: bool, person: Person) -> NewMessage {
        NewMessage {
            mid,
            is_ours,
            person,
            text: None,
            attachments: Vec::new(),
            created_time: self.received_at,
            arrived_at: self.received_at,
            parent: None,
            post: None,
            ours: None,
            app_id: None,
            standby: false,
            ad_id: None,
        }
    }
}

/// The entry of the dashboard's test payloads.
const TEST_ENTRY: &str = "0";

/// Reads a notice. `received_at` stands in for times that Meta leaves out, and orders messages of the same second.
#[must_use]
pub fn inbox_events(notice: &EngagementNotice, received_at: Timestamp) -> InboxNotice {
    let mut found = InboxNotice::default();
    match members::parse(&notice.value) {
        _ if !is_account(notice) => found.skip(SkippedNotice::Unreadable),
        _ if notice.entry_id == TEST_ENTRY => found.skip(SkippedNotice::DashboardTest),
        Some(value) => read_change(notice, &notice.field, &value, received_at, &mut found),
        None => found.skip(SkippedNotice::Unreadable),
    }
    for (event, offset) in found.events.iter_mut().zip(0..) {
        if let InboxEventKind::Message(new) = &mut event.kind {
            new.arrived_at = received_at + SignedDuration::from_micros(offset);
        }
    }
    if found.events.is_empty() && found.skipped.is_empty() {
        found.skip(SkippedNotice::Unreadable);
    }
    found
}

/// Whether the entry names an account. WhatsApp's accounts say their numbers within.
fn is_account(notice: &EngagementNotice) -> bool {
    notice.object == "whatsapp_business_account" || members::id(&Value::String(notice.entry_id.clone())).is_some()
}

fn read_change(notice: &EngagementNotice, field: &str, value: &Value, received_at: Timestamp, found: &mut InboxNotice) {
    let source = |channel| Source { channel, account: &notice.entry_id, received_at };
    match (notice.object.as_str(), field) {
        ("page", "feed") => feed::read(&source(Channel::FacebookComment), value, found),
        ("page", "mention") => feed::read_mention(&source(Channel::FacebookComment), value, found),
        ("instagram", "comments" | "live_comments") => {
            instagram::read_comment(&source(Channel::InstagramComment), value, found);
        }
        ("instagram", "mentions") => instagram::read_mention(&source(Channel::InstagramComment), value, found),
        ("whatsapp_business_account", _) => {
            whatsapp::read(&source(Channel::Whatsapp), field == "smb_message_echoes", value, found);
        }
        // A change may stand in the place of a message.
        ("page" | "instagram", "messaging" | "standby") if value["field"].is_string() && value["value"].is_object() => {
            read_change(notice, value["field"].as_str().unwrap_or_default(), &value["value"], received_at, found);
        }
        ("page", _) => messaging::read(&source(Channel::Messenger), field == "standby", value, found),
        ("instagram", _) => messaging::read(&source(Channel::Instagram), field == "standby", value, found),
        (object, _) => found.skip_unknown(object, Some(field)),
    }
}

#[cfg(test)]
mod feed_tests;
#[cfg(test)]
mod instagram_tests;
#[cfg(test)]
mod messaging_tests;
#[cfg(test)]
mod test_support;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod whatsapp_tests;
