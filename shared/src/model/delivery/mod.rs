//! Deliveries: events that are sent to an org's endpoints over HTTP, until the CRM has them or a day has passed.

pub mod schedule;
pub mod signature;
#[cfg(test)]
mod tests;

use std::borrow::Cow;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};
use strum::{EnumString, IntoStaticStr};
use utoipa::ToSchema;

use self::schedule::EndpointHealth;
use crate::ids::{ContactId, DeliveryId, EndpointId, LeadId};
use crate::tr;
use crate::trace::TraceId;

/// The tries that a delivery remembers, the latest ones.
const MAX_TRIES_SHOWN: usize = 20;

/// Where a CRM receives events.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Endpoint {
    /// Our id.
    pub id: EndpointId,
    /// The address.
    pub url: String,
    /// What the org calls it.
    pub description: String,
    /// The names of the events it receives; `None` for all, those of later versions too.
    pub events: Option<Vec<String>>,
    /// Whether events are sent to it.
    pub active: bool,
    /// The version of its secret.
    pub secret_version: u32,
    /// Earlier secrets that still sign.
    #[serde(default)]
    pub retired_secrets: Vec<RetiredSecret>,
    /// How it responded lately.
    #[serde(default)]
    pub health: EndpointHealth,
    /// Why it was deactivated by Leadwire.
    #[serde(default)]
    pub disabled: Option<EndpointDisabled>,
    /// When it was added.
    pub created_at: Timestamp,
    /// When its settings were changed.
    pub updated_at: Timestamp,
}

/// A secret that was replaced, and until when it signs beside its successor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct RetiredSecret {
    /// Its version.
    pub version: u32,
    /// When it ends.
    pub until: Timestamp,
}

/// That an endpoint was deactivated by Leadwire, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct EndpointDisabled {
    /// When.
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    /// Why.
    pub reason: DisabledReason,
    /// Whether the org's admins have been mailed.
    #[serde(default)]
    #[schema(ignore)]
    pub is_notified: bool,
}

/// Why Leadwire deactivated an endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, IntoStaticStr, ToSchema)]
#[cfg_attr(test, derive(strum::EnumIter))]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum DisabledReason {
    /// It answered 410 Gone, by which a receiver says that it wants no more events.
    Gone,
    /// Nothing was accepted for three days.
    Failing,
}

impl DisabledReason {
    /// The reason as a sentence.
    #[must_use]
    pub fn message(self) -> Cow<'static, str> {
        match self {
            Self::Gone => tr!("The receiver answered 410 Gone: it wants no more events."),
            Self::Failing => tr!("The receiver has accepted no event for three days."),
        }
    }
}

impl Endpoint {
    /// Whether it is to receive events with this name.
    #[must_use]
    pub fn wants(&self, event: &str) -> bool {
        self.events.as_ref().is_none_or(|names| names.iter().any(|name| name == event))
    }

    /// The versions of the secret that sign, the current one first.
    #[must_use]
    pub fn signing_versions(&self, now: Timestamp) -> Vec<u32> {
        let retired = self.retired_secrets.iter().filter(|secret| now < secret.until).map(|secret| secret.version);
        std::iter::once(self.secret_version).chain(retired).collect()
    }
}

/// One event on its way to one endpoint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventDelivery {
    /// Its id, sent as `webhook-id`. The same for every try and every endpoint.
    pub id: DeliveryId,
    /// The endpoint.
    pub endpoint_id: EndpointId,
    /// The event's own id.
    pub event_id: String,
    /// The event's name.
    pub event_name: String,
    /// Whom the event is about. Its body is stored with them.
    pub about: EventSubject,
    /// How far it is.
    pub state: EventDeliveryState,
    /// Why it was not delivered.
    #[serde(default)]
    pub reason: Option<UndeliveredReason>,
    /// When the event reached this room.
    pub created_at: Timestamp,
    /// When the 24 hours began in which it is tried.
    pub window_from: Timestamp,
    /// Tries and postponements since then. They decide the next delay.
    #[serde(default)]
    pub window_tries: u32,
    /// All tries.
    #[serde(default)]
    pub tries_count: u32,
    /// The latest tries, oldest first.
    #[serde(default)]
    pub tries: Vec<DeliveryTry>,
    /// When it is tried next.
    #[serde(default)]
    pub next_try_at: Option<Timestamp>,
    /// Until when a worker is at it.
    #[serde(default)]
    pub lease_until: Option<Timestamp>,
    /// When the receiver last accepted it.
    #[serde(default)]
    pub delivered_at: Option<Timestamp>,
    /// The cause of the event, for the log.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace_id: Option<TraceId>,
}

/// How far a delivery is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, EnumString, IntoStaticStr, ToSchema)]
#[cfg_attr(test, derive(strum::EnumIter))]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum EventDeliveryState {
    /// It is tried until it is delivered or 24 hours are over.
    Pending,
    /// The receiver accepted it.
    Delivered,
    /// It was tried for 24 hours, or the receiver said that it wants no more events.
    Failed,
    /// It was never tried, or not any more, because of the endpoint or the event itself.
    NotDelivered,
}

/// Why a delivery ended without success.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, IntoStaticStr, ToSchema)]
#[cfg_attr(test, derive(strum::EnumIter))]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum UndeliveredReason {
    /// No try of 24 hours succeeded.
    RetriesExhausted,
    /// The receiver answered 410 Gone.
    Gone,
    /// The endpoint was not active.
    EndpointInactive,
    /// What the event said is no longer stored: the person was erased, or 30 days have passed.
    ContentErased,
}

/// Whom an event is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EventSubject {
    /// A lead.
    Lead(LeadId),
    /// A person of the inbox.
    Contact(ContactId),
    /// The org itself: its connections, posts and campaigns.
    Org,
}

/// One try to deliver.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DeliveryTry {
    /// When it began.
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    /// The status of the response; absent if there was no response.
    pub status: Option<u16>,
    /// How long it took.
    pub duration_ms: u64,
    /// Why it failed; absent if it succeeded.
    pub reason: Option<TryFault>,
}

/// Why a try failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, IntoStaticStr, ToSchema)]
#[cfg_attr(test, derive(strum::EnumIter))]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum TryFault {
    /// A status other than 2xx.
    StatusRefused,
    /// A redirect, which is not followed.
    Redirected,
    /// The address is not on the public internet.
    AddressNotPublic,
    /// The name of the host is unknown.
    NameUnknown,
    /// No connection, or no trusted certificate.
    ConnectFailed,
    /// No response within 15 seconds.
    TimedOut,
    /// The connection broke.
    ConnectionBroke,
}

impl TryFault {
    /// The fault and its fix, for an admin.
    #[must_use]
    pub fn message(self) -> Cow<'static, str> {
        match self {
            Self::StatusRefused => tr!("The receiver answered with a status other than 2xx. Its own log says why."),
            Self::Redirected => tr!("The receiver redirects. Redirects are not followed: enter the final address."),
            Self::AddressNotPublic => {
                tr!("The name leads to an address of a private network. Use one on the public internet.")
            }
            Self::NameUnknown => tr!("The name of the host is unknown. Check the address and its DNS record."),
            Self::ConnectFailed => {
                tr!("No connection could be made. Check that the receiver runs, and that its certificate is valid.")
            }
            Self::TimedOut => {
                tr!("There was no response within 15 seconds. Store the event first and process it later.")
            }
            Self::ConnectionBroke => tr!("The connection broke before the response."),
        }
    }

    /// Whether the receiver is not reachable at all, so that its other events would fail alike.
    #[must_use]
    pub fn is_of_endpoint(self) -> bool {
        !matches!(self, Self::StatusRefused)
    }
}

/// A fact of the bus that is to be delivered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fact {
    /// The event's own id.
    pub event_id: String,
    /// The event's name.
    pub name: String,
    /// Whom it is about.
    pub about: EventSubject,
    /// The body as it is sent, the same at every try.
    pub body: String,
    /// Its cause.
    pub trace_id: Option<TraceId>,
}

/// The body of a delivery, in the form that the Standard Webhooks scheme recommends.
#[derive(Serialize)]
struct EventEnvelope<'a> {
    r#type: &'a str,
    timestamp: Timestamp,
    data: &'a Value,
}

impl Fact {
    /// Reads an event of the bus. `None` if it is no event of ours.
    #[must_use]
    #[expect(clippy::expect_used, reason = "a JSON value has a JSON form")]
    pub fn from_bus(name: &str, at: Timestamp, detail: &Value) -> Option<Self> {
        let text = |pointer: &str| detail.pointer(pointer).and_then(Value::as_str);
        let lead = ["/lead/id", "/lead_id"].into_iter().find_map(text).and_then(|id| LeadId::parse(id).ok());
        let contact = text("/contact_id").and_then(|id| ContactId::parse(id).ok());
        let about = match (contact, lead) {
            (Some(contact), _) => EventSubject::Contact(contact),
            (None, Some(lead)) => EventSubject::Lead(lead),
            (None, None) => EventSubject::Org,
        };
        let envelope = EventEnvelope { r#type: name, timestamp: at, data: detail };
        let body = serde_json::to_string(&envelope).expect("a JSON value has a JSON form");
        let trace_id = text("/trace_id").and_then(TraceId::parse);
        Some(Self { event_id: text("/id")?.to_owned(), name: name.to_owned(), about, body, trace_id })
    }

    /// The body of a test, which no list shows.
    #[must_use]
    #[expect(clippy::expect_used, reason = "a JSON value has a JSON form")]
    pub fn test_body(endpoint: &EndpointId, at: Timestamp) -> String {
        let data = serde_json::json!({ "endpoint_id": endpoint, "message": "A test of this endpoint." });
        let envelope = EventEnvelope { r#type: "webhook.test", timestamp: at, data: &data };
        serde_json::to_string(&envelope).expect("a JSON value has a JSON form")
    }

    /// The id under which the event is delivered. Not the event's own: that holds ids of the CRM, and a dot in a
    /// `webhook-id` would let its signature stand for another id, time and body.
    #[must_use]
    pub fn delivery_id(&self) -> DeliveryId {
        DeliveryId::from_hash(&hex::encode(Sha256::digest(self.event_id.as_bytes())))
    }

    /// The delivery to an endpoint.
    #[must_use]
    pub fn delivery_to(&self, endpoint: &Endpoint, now: Timestamp) -> EventDelivery {
        let (state, reason) = match endpoint.active {
            true => (EventDeliveryState::Pending, None),
            false => (EventDeliveryState::NotDelivered, Some(UndeliveredReason::EndpointInactive)),
        };
        EventDelivery {
            id: self.delivery_id(),
            endpoint_id: endpoint.id.clone(),
            event_id: self.event_id.clone(),
            event_name: self.name.clone(),
            about: self.about.clone(),
            state,
            reason,
            created_at: now,
            window_from: now,
            window_tries: 0,
            tries_count: 0,
            tries: Vec::new(),
            next_try_at: endpoint.active.then_some(now),
            lease_until: None,
            delivered_at: None,
            trace_id: self.trace_id.clone(),
        }
    }
}

impl EventDelivery {
    /// Records a try.
    pub fn record(&mut self, tried: DeliveryTry) {
        self.tries_count += 1;
        self.window_tries += 1;
        self.tries.push(tried);
        let surplus = self.tries.len().saturating_sub(MAX_TRIES_SHOWN);
        self.tries.drain(..surplus);
    }

    /// Ends it.
    pub fn end(&mut self, state: EventDeliveryState, reason: Option<UndeliveredReason>) {
        (self.state, self.reason, self.next_try_at) = (state, reason, None);
    }

    /// Begins another 24 hours.
    pub fn restart(&mut self, now: Timestamp) {
        (self.state, self.reason, self.next_try_at) = (EventDeliveryState::Pending, None, Some(now));
        (self.window_from, self.window_tries) = (now, 0);
    }
}
