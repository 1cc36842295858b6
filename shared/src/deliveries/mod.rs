//! The room of deliveries: every event reaches the endpoints that an org has entered.
//!
//! [`Deliverer`] turns an event of the bus into one delivery for each endpoint, and tries each of them until the
//! receiver accepts it or 24 hours are over. A delivery is in an index until it is settled, and the schedule sends what
//! is due, so a lost message costs minutes and no event. Retries wait in that index and not in the queue, because a
//! message can be hidden for 12 hours and delayed for 15 minutes at most; short waits have a delayed message as well.
//! [`Deliveries`] has the operations of the faces.

mod endpoints;
mod fan_out;
mod log;
mod notice;
mod sender;
#[cfg(test)]
mod test_support;
#[cfg(test)]
mod tests;

use std::time::Duration;

pub use endpoints::{EndpointIn, EndpointList, EndpointOut, EndpointPatch, EndpointState, EndpointWithSecret};
pub use fan_out::send_due_deliveries;
use jiff::Timestamp;
pub use log::{DeliveryList, DeliveryOut, DeliveryQuery, TestOut, TryOut};
use url::Url;

use crate::ids::{DeliveryId, OrgScope};
use crate::jobs::DeliveryJob;
use crate::mail::Mailer;
use crate::model::delivery::signature::{endpoint_secret, sign};
use crate::model::delivery::{DeliveryTry, Endpoint, TryFault};
use crate::queue::Queue;
use crate::receiver::{Receiver, ReceiverError, SignedEvent};
use crate::secret::HmacKey;
use crate::table::Table;

/// The operations on endpoints and on the log of their deliveries.
#[derive(Debug, Clone)]
pub struct Deliveries {
    /// Stores endpoints and deliveries.
    pub table: Table,
    /// Takes what is to be sent again.
    pub queue: Queue<DeliveryJob>,
    /// Sends tests.
    pub receiver: Receiver,
    /// Signs cursors.
    pub key: HmacKey,
    /// Derives the endpoints' secrets.
    pub root_key: HmacKey,
}

/// Delivers events, for the worker.
#[derive(Debug, Clone)]
pub struct Deliverer {
    /// Stores endpoints and deliveries.
    pub table: Table,
    /// Takes what is to be tried.
    pub queue: Queue<DeliveryJob>,
    /// Sends events.
    pub receiver: Receiver,
    /// Derives the endpoints' secrets.
    pub root_key: HmacKey,
    /// Mails admins; absent in a deployment without a sender address.
    pub mailer: Option<Mailer>,
    /// The console, to which mails lead.
    pub console: Url,
}

/// What a try came to.
struct Tried {
    record: DeliveryTry,
    retry_after: Option<Duration>,
}

impl Tried {
    fn is_success(&self) -> bool {
        self.record.reason.is_none()
    }
}

/// Sends one event once.
async fn try_once(
    (receiver, key): (&Receiver, &HmacKey),
    scope: &OrgScope,
    endpoint: &Endpoint,
    (id, body): (&DeliveryId, &str),
    now: Timestamp,
) -> Tried {
    let secrets: Vec<_> = endpoint
        .signing_versions(now)
        .into_iter()
        .map(|version| endpoint_secret(key, scope, &endpoint.id, version))
        .collect();
    let signature = sign(&secrets, id, now, body);
    let begun = tokio::time::Instant::now();
    let sent = receiver.send(&endpoint.url, SignedEvent { id, at: now, signature: &signature, body }).await;
    let duration_ms = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
    let (status, retry_after, reason) = match sent {
        Ok(reply) => {
            let reason = match reply.status {
                200..300 => None,
                300..400 => Some(TryFault::Redirected),
                _ => Some(TryFault::StatusRefused),
            };
            (Some(reply.status), reply.retry_after, reason)
        }
        Err(error) => (None, None, Some(fault(error))),
    };
    Tried { record: DeliveryTry { at: now, status, duration_ms, reason }, retry_after }
}

fn fault(error: ReceiverError) -> TryFault {
    match error {
        ReceiverError::NotPublic => TryFault::AddressNotPublic,
        ReceiverError::NameUnknown => TryFault::NameUnknown,
        ReceiverError::NotConnected => TryFault::ConnectFailed,
        ReceiverError::TimedOut => TryFault::TimedOut,
        ReceiverError::Broken => TryFault::ConnectionBroke,
    }
}
