//! What of a field's value may be recorded.

use std::collections::BTreeSet;

use jiff::Timestamp;
use rust_decimal::Decimal;
use serde_json::{Value, json};

use crate::ids::{
    AdAccountId, CampaignId, ClientId, ContactId, ConversationId, DatasetId, DeliveryId, EndpointId, FormId, ImportId,
    IntegrationId, LeadId, MediaId, MessageId, OrgId, PageId, PostId, ReceiptId, RunId, SavedReplyId, UserId,
};
use crate::model::campaigns::CampaignStatus;
use crate::model::inbox::ConversationStatus;
use crate::model::lead::Status;
use crate::model::lead::assignment::Assignment;
use crate::model::publishing::PostStatus;

/// A value that is never personal and never secret. No text is: one that is out of a fixed vocabulary is passed as a
/// [`Word`].
pub trait Recordable {
    /// The value as JSON.
    fn value(&self) -> Value;
}

/// A text that is known not to be about a person: a permission, the name of an event, a plan, a host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Word<'a>(pub &'a str);

impl Recordable for Word<'_> {
    fn value(&self) -> Value {
        self.0.into()
    }
}

macro_rules! recordable {
    ($($plain:ty),*) => {
        $(impl Recordable for $plain {
            fn value(&self) -> Value {
                json!(self)
            }
        })*
    };
}

recordable!(
    bool,
    u32,
    Decimal,
    Timestamp,
    AdAccountId,
    CampaignId,
    ClientId,
    ContactId,
    ConversationId,
    DatasetId,
    DeliveryId,
    EndpointId,
    FormId,
    ImportId,
    IntegrationId,
    LeadId,
    MediaId,
    MessageId,
    OrgId,
    PageId,
    PostId,
    ReceiptId,
    RunId,
    SavedReplyId,
    UserId,
    Status,
    Assignment,
    PostStatus,
    CampaignStatus,
    ConversationStatus
);

impl<T: Recordable> Recordable for Option<T> {
    fn value(&self) -> Value {
        self.as_ref().map_or(Value::Null, Recordable::value)
    }
}

impl<T: Recordable> Recordable for Vec<T> {
    fn value(&self) -> Value {
        self.iter().map(Recordable::value).collect()
    }
}

impl<T: Recordable> Recordable for BTreeSet<T> {
    fn value(&self) -> Value {
        self.iter().map(Recordable::value).collect()
    }
}

/// Cuts a long text or list, so that a record stays small.
pub(super) fn shorten(value: Value) -> Value {
    const MAX_ITEMS: usize = 50;
    const MAX_CHARS: usize = 200;
    match value {
        Value::Array(items) if items.len() > MAX_ITEMS => {
            let more = format!("{} more", items.len() - MAX_ITEMS);
            items.into_iter().take(MAX_ITEMS).map(shorten).chain([more.into()]).collect()
        }
        Value::Array(items) => items.into_iter().map(shorten).collect(),
        Value::String(text) if text.chars().count() > MAX_CHARS => {
            text.chars().take(MAX_CHARS).chain(['…']).collect::<String>().into()
        }
        other => other,
    }
}
