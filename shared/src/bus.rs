//! EventBridge: facts about what happened, for the CRM and other subscribers.
//!
//! A fact is published after it is stored, at least once.

use crate::aws::AwsError;
use crate::model::event::Event;
use crate::retry::Verdict;
use aws_sdk_eventbridge::Client;
use aws_sdk_eventbridge::types::PutEventsRequestEntry;

/// The source of every event.
pub const SOURCE: &str = "leadwire";
/// EventBridge's limit of events per request.
const MAX_EVENTS: usize = 10;
/// The limit is 1 MB; the rest is for what surrounds the details.
const MAX_BYTES: usize = 900_000;

/// The bus. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Bus {
    client: Client,
    name: String,
}

/// A failure to publish events.
#[derive(Debug, Clone, thiserror::Error)]
pub enum BusError {
    /// EventBridge failed or did not respond.
    #[error("EventBridge failed: {0}")]
    Failed(#[source] AwsError),
    /// EventBridge accepted the request but rejected some of its events, on the second attempt too. Contains the error
    /// code of the first.
    #[error("EventBridge refused events: {0}")]
    Refused(String),
}

impl BusError {
    #[cfg(test)]
    pub(crate) fn for_tests() -> Self {
        Self::Refused("for tests".to_owned())
    }

    /// What to do with the work that met this error: retry it. The retry finds its writes done.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        Verdict::Retry
    }
}

impl Bus {
    /// The bus called `name`.
    #[must_use]
    pub fn new(client: Client, name: String) -> Self {
        Self { client, name }
    }

    /// Publishes all events. When this returns `Ok`, the bus has all of them.
    ///
    /// # Errors
    /// A request failed, or some of its events were rejected on the second attempt too. Its other events and earlier
    /// requests may be published; later requests were not sent.
    pub async fn publish(&self, events: &[Event]) -> Result<(), BusError> {
        for events in events.chunk_by(one_request()) {
            let mut open: Vec<&Event> = events.iter().collect();
            for attempt in 1.. {
                let entries = open.iter().map(|event| self.entry(event)).collect();
                let answer = self.client.put_events().set_entries(Some(entries)).send().await.map_err(failure)?;
                let codes = answer.entries.unwrap_or_default();
                let refused = |position: usize| codes.get(position).and_then(|entry| entry.error_code());
                let Some(first) = (0..open.len()).find_map(refused) else { break };
                if attempt == 2 {
                    return Err(BusError::Refused(first.to_owned()));
                }
                open = open
                    .iter()
                    .enumerate()
                    .filter(|(position, _)| refused(*position).is_some())
                    .map(|(_, event)| *event)
                    .collect();
            }
        }
        Ok(())
    }

    fn entry(&self, event: &Event) -> PutEventsRequestEntry {
        let entry = PutEventsRequestEntry::builder().event_bus_name(&self.name).source(SOURCE);
        entry.detail_type(event.kind.name()).detail(event.detail.to_string()).build()
    }
}

/// Returns a predicate that decides for each event whether it fits into the request of the one before it.
fn one_request() -> impl FnMut(&Event, &Event) -> bool {
    let (mut events, mut bytes) = (1, None);
    move |before, event| {
        let size = |event: &Event| event.detail.to_string().len();
        let total = *bytes.get_or_insert_with(|| size(before)) + size(event);
        let fits = events < MAX_EVENTS && total <= MAX_BYTES;
        (events, bytes) = if fits { (events + 1, Some(total)) } else { (1, Some(size(event))) };
        fits
    }
}

fn failure(error: impl std::error::Error + Send + Sync + 'static) -> BusError {
    BusError::Failed(AwsError::new(error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_as_full_as_the_bus_allows() {
        let sizes = |details: &[usize]| {
            let events: Vec<Event> = details
                .iter()
                .map(|size| Event {
                    kind: crate::model::event::EventKind::LeadCreated,
                    detail: "x".repeat(*size).into(),
                })
                .collect();
            events.chunk_by(one_request()).map(<[Event]>::len).collect::<Vec<_>>()
        };
        assert_eq!(sizes(&[1; 25]), [10, 10, 5]);
        assert_eq!(sizes(&[400_000, 400_000, 400_000, 1, 950_000, 1]), [2, 2, 1, 1]);
        assert_eq!(sizes(&[]), [0; 0]);
    }
}
