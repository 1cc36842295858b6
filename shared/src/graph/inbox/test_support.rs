//! Notices as Meta sends them, and what is read from them.

use jiff::Timestamp;
use serde_json::Value;

use super::{InboxNotice, SkippedNotice, inbox_events};
use crate::model::inbox::event::{InboxEventKind, NewAttachment, NewMessage, Signal};
use crate::model::webhook::{self, Change, EngagementNotice};

/// When every notice of these tests arrives, long after what it reports.
pub(super) fn received() -> Timestamp {
    "2026-12-01T00:00:00Z".parse().unwrap()
}

pub(super) fn second(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

pub(super) fn millisecond(millisecond: i64) -> Timestamp {
    Timestamp::from_millisecond(millisecond).unwrap()
}

pub(super) fn read(object: &str, entry: &str, field: &str, value: &Value) -> InboxNotice {
    let notice = EngagementNotice {
        object: object.to_owned(),
        entry_id: entry.to_owned(),
        field: field.to_owned(),
        value: webhook::escaped_to_ascii(&value.to_string()),
    };
    inbox_events(&notice, received())
}

/// Reads a whole delivery, as the webhook splits it.
pub(super) fn deliver(body: &Value) -> InboxNotice {
    let mut all = InboxNotice::default();
    for change in webhook::parse(body.to_string().as_bytes()).unwrap().changes {
        if let Change::Engagement(notice) = change {
            let InboxNotice { events, skipped } = inbox_events(&notice, received());
            all.events.extend(events);
            all.skipped.extend(skipped);
        }
    }
    all
}

impl InboxNotice {
    pub(super) fn kinds(self) -> Vec<InboxEventKind> {
        assert_eq!(self.skipped, [], "{:?}", self.events);
        self.events.into_iter().map(|event| event.kind).collect()
    }

    /// The only event.
    pub(super) fn kind(self) -> InboxEventKind {
        let [kind] = <[_; 1]>::try_from(self.kinds()).unwrap();
        kind
    }

    /// The only event, which is a message.
    pub(super) fn message(self) -> NewMessage {
        match self.kind() {
            InboxEventKind::Message(message) => *message,
            other => panic!("{other:?}"),
        }
    }

    /// The only event, which is a signal.
    pub(super) fn signal(self) -> Signal {
        match self.kind() {
            InboxEventKind::Signal(signal) => signal,
            other => panic!("{other:?}"),
        }
    }

    /// Why there is no event.
    pub(super) fn reason(self) -> SkippedNotice {
        assert_eq!(self.events, []);
        let [reason] = <[_; 1]>::try_from(self.skipped).unwrap();
        reason
    }
}

/// The type of an attachment, whether it is a file, its address or id, and its name.
pub(super) fn describe(attachments: &[NewAttachment]) -> Vec<String> {
    let part = |part: &Option<String>| part.clone().unwrap_or_else(|| "-".to_owned());
    let line = |attachment: &NewAttachment| {
        let place = attachment.media_id.as_ref().or(attachment.url.as_ref());
        let kind = if attachment.is_file { "file" } else { "none" };
        format!("{} {kind} {} {}", attachment.r#type, part(&place.cloned()), part(&attachment.name))
    };
    attachments.iter().map(line).collect()
}
