//! EventBridge: facts about what happened, for the CRM and whoever else listens.
//!
//! A fact is published after it is written, at least once: whoever listens tells repeats by the event's `id`, which is
//! made from what happened, not from when it was told.

use aws_sdk_eventbridge::Client;
use aws_sdk_eventbridge::error::{DisplayErrorContext, SdkError};
use aws_sdk_eventbridge::types::PutEventsRequestEntry;
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::ids::{LeadId, OrgScope, PageId, UserId};
use crate::model::integration::{Connection, Integration};
use crate::model::lead::{Lead, Submission};
use crate::model::standing::{EndReason, Ended, Notice};
use crate::retry::Verdict;

/// What every event names as its source.
pub const SOURCE: &str = "leadwire";
/// EventBridge's limit for one request.
const MOST_EVENTS: usize = 10;
/// The true limit is 1 MB; the rest is for what surrounds the details.
const MOST_BYTES: usize = 900_000;

/// The bus. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Bus {
    client: Client,
    name: String,
}

/// One fact.
#[derive(Debug, Clone)]
pub struct Event {
    kind: &'static str,
    detail: Value,
}

impl Event {
    /// `lead.created`: a person became a lead.
    #[must_use]
    pub fn lead_created(scope: &OrgScope, lead: &Lead) -> Self {
        let id = format!("lead.created:{}:{}", scope.org(), lead.id);
        Self { kind: "lead.created", detail: json!({ "id": id, "org": scope.org(), "lead": lead }) }
    }

    /// `lead.updated`: a lead's person sent another form.
    #[must_use]
    pub fn lead_updated(scope: &OrgScope, submission: &Submission) -> Self {
        let id = format!("lead.updated:{}:{}:{}", scope.org(), submission.lead_id, submission.id);
        Self {
            kind: "lead.updated",
            detail: json!({
                "id": id, "org": scope.org(), "lead_id": submission.lead_id, "cause": "submission", "submission": submission,
            }),
        }
    }

    /// `lead.updated`: a lead's answers were read anew by a changed mapping.
    #[must_use]
    pub fn lead_mapped_again(scope: &OrgScope, lead: &Lead) -> Self {
        let version = lead.passage.mapping.unwrap_or_default();
        let id = format!("lead.updated:{}:{}:mapping:{version}", scope.org(), lead.id);
        Self {
            kind: "lead.updated",
            detail: json!({ "id": id, "org": scope.org(), "lead_id": lead.id, "cause": "mapping", "lead": lead }),
        }
    }

    /// `lead.assigned`: somebody gave a lead to somebody else, or took it away. `at` tells one such change from another.
    #[must_use]
    pub fn lead_assigned(
        scope: &OrgScope,
        lead: &LeadId,
        from: Option<&UserId>,
        to: Option<&UserId>,
        by: &UserId,
        at: Timestamp,
    ) -> Self {
        let id = format!("lead.assigned:{}:{lead}:{at}", scope.org());
        Self {
            kind: "lead.assigned",
            detail: json!({
                "id": id, "org": scope.org(), "lead_id": lead, "assigned_to": to, "assigned_before": from, "by": by, "at": at,
            }),
        }
    }

    /// `connection.expiring`: an integration ends on `expires_at` unless somebody reconnects it. `notice` says which of
    /// the turns this is: `7d`, `3d` or `1d`.
    #[must_use]
    pub fn connection_expiring(scope: &OrgScope, integration: &Integration, notice: &str) -> Self {
        let detail = json!({ "expires_at": integration.expires_at(), "notice": notice });
        Self::of_connection("connection.expiring", scope, integration, notice, detail)
    }

    /// `connection.expired`: no leads come through an integration any more.
    #[must_use]
    pub fn connection_expired(scope: &OrgScope, integration: &Integration, reason: EndReason) -> Self {
        let detail = json!({ "reason": reason, "message": reason.message(), "fix": reason.fix() });
        Self::of_connection("connection.expired", scope, integration, Notice::Ended(reason).name(), detail)
    }

    /// `connection.page_lost`: no leads come from one page of an integration any more; the others are well.
    #[must_use]
    pub fn connection_page_lost(scope: &OrgScope, integration: &Integration, page: &Connection, ended: &Ended) -> Self {
        let detail = json!({
            "page_id": page.page_id, "page_name": page.page_name, "reason": ended.reason,
            "message": ended.reason.message(), "fix": ended.reason.fix(),
        });
        let what = format!("{}:{}", page.page_id, ended.since);
        Self::of_connection("connection.page_lost", scope, integration, &what, detail)
    }

    /// `connection.quiet`: no lead has come through a page for much longer than ever passes between two of them.
    #[must_use]
    pub fn connection_quiet(scope: &OrgScope, integration: &Integration, page: &Connection) -> Self {
        let detail = json!({
            "page_id": page.page_id, "page_name": page.page_name, "last_lead_at": page.last_lead_at,
            "usual_silence_s": page.rhythm.usual_silence_s,
        });
        let last = page.last_lead_at.map(|at| at.to_string()).unwrap_or_default();
        Self::of_connection("connection.quiet", scope, integration, &format!("{}:{last}", page.page_id), detail)
    }

    /// `connection.connected`: an integration was connected, or connected again.
    #[must_use]
    pub fn connection_connected(scope: &OrgScope, integration: &Integration, pages: &[PageId]) -> Self {
        let detail = json!({ "page_ids": pages, "expires_at": integration.expires_at() });
        Self::of_connection("connection.connected", scope, integration, "connected", detail)
    }

    /// `connection.disconnected`: somebody of the org ended an integration.
    #[must_use]
    pub fn connection_disconnected(scope: &OrgScope, integration: &Integration) -> Self {
        Self::of_connection("connection.disconnected", scope, integration, "disconnected", json!({}))
    }

    /// The id holds the beginning of the connection's present life: what happens in the next one is another fact.
    fn of_connection(
        kind: &'static str,
        scope: &OrgScope,
        integration: &Integration,
        what: &str,
        mut detail: Value,
    ) -> Self {
        let id = format!("{kind}:{}:{}:{}:{what}", scope.org(), integration.id, integration.notices_since);
        let common = json!({
            "id": id, "org": scope.org(), "integration_id": integration.id, "integration_name": integration.name,
        });
        if let (Some(detail), Value::Object(common)) = (detail.as_object_mut(), common) {
            detail.extend(common);
        }
        Self { kind, detail }
    }
}

/// Facts that the bus did not take.
#[derive(Debug, Clone, thiserror::Error)]
#[error("EventBridge failed: {0}")]
pub struct BusError(String);

impl BusError {
    #[cfg(test)]
    pub(crate) fn for_tests() -> Self {
        Self("for tests".to_owned())
    }

    /// What becomes of the work that met this error: it is done again, and finds its writing done.
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

    /// Publishes everything. When this returns `Ok`, the bus has all of it.
    ///
    /// # Errors
    /// If the bus did not take some of it at the second try either; the rest is published.
    pub async fn publish(&self, events: &[Event]) -> Result<(), BusError> {
        for events in events.chunk_by(one_request()) {
            let mut open: Vec<&Event> = events.iter().collect();
            for attempt in 1.. {
                let entries = open.iter().map(|event| self.entry(event)).collect();
                let answer = self
                    .client
                    .put_events()
                    .set_entries(Some(entries))
                    .send()
                    .await
                    .map_err(|error| failure(&error))?;
                let codes = answer.entries.unwrap_or_default();
                let refused = |position: usize| codes.get(position).and_then(|entry| entry.error_code());
                let Some(first) = (0..open.len()).find_map(refused) else { break };
                if attempt == 2 {
                    return Err(BusError(first.to_owned()));
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
        entry.detail_type(event.kind).detail(event.detail.to_string()).build()
    }
}

/// Says of each event whether it fits into the request of the one before it.
fn one_request() -> impl FnMut(&Event, &Event) -> bool {
    let (mut events, mut bytes) = (1, None);
    move |before, event| {
        let size = |event: &Event| event.detail.to_string().len();
        let total = *bytes.get_or_insert_with(|| size(before)) + size(event);
        let fits = events < MOST_EVENTS && total <= MOST_BYTES;
        (events, bytes) = if fits { (events + 1, Some(total)) } else { (1, Some(size(event))) };
        fits
    }
}

fn failure<E: std::error::Error + 'static, R: std::fmt::Debug>(error: &SdkError<E, R>) -> BusError {
    BusError(DisplayErrorContext(error).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_as_full_as_the_bus_allows() {
        let sizes = |details: &[usize]| {
            let events: Vec<Event> =
                details.iter().map(|size| Event { kind: "k", detail: "x".repeat(*size).into() }).collect();
            events.chunk_by(one_request()).map(<[Event]>::len).collect::<Vec<_>>()
        };
        assert_eq!(sizes(&[1; 25]), [10, 10, 5]);
        assert_eq!(sizes(&[400_000, 400_000, 400_000, 1, 950_000, 1]), [2, 2, 1, 1]);
        assert_eq!(sizes(&[]), [0; 0]);
    }
}
