//! The jobs of deliveries.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Job, scope_of};
use crate::ids::{DeliveryId, EndpointId, OrgId, OrgScope};

/// The work of `delivery-worker`: an event of the bus for the org's endpoints, or one try for one of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum DeliveryJob {
    /// One try.
    Try(TryJob),
    /// An event, in the form of EventBridge.
    Event(BusEvent),
}

/// A delivery to try.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct TryJob {
    /// The org.
    pub org: OrgId,
    /// The endpoint.
    pub endpoint: EndpointId,
    /// The delivery.
    pub delivery: DeliveryId,
    /// Try it before its time, and even if its endpoint is left alone.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub early: bool,
}

/// An event as EventBridge passes it on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BusEvent {
    /// The event's name.
    #[serde(rename = "detail-type")]
    pub name: String,
    /// When it was published.
    pub time: Timestamp,
    /// What it says.
    pub detail: EventDetail,
}

/// What an event says. Each has its org.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventDetail {
    org: OrgId,
    #[serde(flatten)]
    fields: serde_json::Map<String, serde_json::Value>,
}

impl TryJob {
    /// The right to act for the org that has the endpoint.
    pub(crate) fn scope(&self) -> OrgScope {
        scope_of(&self.org)
    }
}

impl BusEvent {
    /// The right to act for the org that the event is about.
    pub(crate) fn scope(&self) -> OrgScope {
        scope_of(&self.detail.org)
    }

    /// What the event says, as it was published.
    pub(crate) fn detail(&self) -> serde_json::Value {
        let mut fields = self.detail.fields.clone();
        fields.insert("org".to_owned(), self.detail.org.as_str().into());
        fields.into()
    }
}

impl Job for DeliveryJob {
    fn group(&self) -> &str {
        match self {
            Self::Try(job) => job.endpoint.as_str(),
            Self::Event(event) => event.detail.org.as_str(),
        }
    }
}
