//! What waits to be sent: fresh changes, collected for a moment so that they share bodies, and bodies to retry.

use serde_json::Value;

use crate::world::World;

/// Changes that happen within this time travel together.
const COLLECT_MS: i64 = 150;
/// Meta gives up after this long.
const GIVE_UP_MS: i64 = 36 * 3600 * 1000;
/// Waiting times after a failure: at once, then with falling frequency. The real numbers are not published.
const RETRY_DELAYS_S: [i64; 9] = [0, 60, 300, 900, 3600, 10_800, 21_600, 43_200, 43_200];

/// One change of one page (or account): an element of an entry.
#[derive(Debug, Clone)]
pub(crate) struct Change {
    /// The webhook object: `page`, `instagram`, …
    pub(crate) object: String,
    pub(crate) entry_id: String,
    /// The element itself: `{"field", "value"}`, or a messaging event.
    pub(crate) body: Value,
    /// Goes into `entry.messaging` instead of `entry.changes`.
    pub(crate) messaging: bool,
    /// The lead it announces, if it does.
    pub(crate) leadgen_id: Option<String>,
}

/// How the changes of one control call are delivered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Manner {
    Normal,
    /// Never.
    Drop,
    /// Each change twice: alternately within one body and in a later one.
    Duplicate,
    /// Newest first, and the older half in a later body than the newer half.
    Reorder,
}

/// A change waiting for its body.
#[derive(Debug)]
struct Waiting {
    change: Change,
    queued_ms: i64,
    held_until_ms: i64,
}

/// A body on its way. The bytes are fixed when it is first built: retries repeat them.
#[derive(Debug, Clone)]
pub(crate) struct Delivery {
    pub(crate) object: String,
    pub(crate) callback_url: String,
    pub(crate) body: String,
    pub(crate) entry_ids: Vec<String>,
    pub(crate) leadgen_ids: Vec<String>,
    pub(crate) changes: usize,
    pub(crate) messaging: bool,
    pub(crate) attempts: u32,
    pub(crate) first_failure_ms: Option<i64>,
    pub(crate) due_ms: i64,
}

/// The queue of the sender.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    waiting: Vec<Waiting>,
    deliveries: Vec<Delivery>,
}

impl Outbox {
    /// Queues changes that happened now, in order.
    pub(crate) fn queue(&mut self, mut changes: Vec<Change>, manner: Manner, now_ms: i64) {
        let later = now_ms + 2 * COLLECT_MS;
        let half = changes.len() / 2;
        if manner == Manner::Reorder {
            changes.reverse();
        }
        for (index, change) in changes.into_iter().enumerate() {
            let wait = |change, held_until_ms| Waiting { change, queued_ms: now_ms, held_until_ms };
            match manner {
                Manner::Drop => {}
                Manner::Normal => self.waiting.push(wait(change, now_ms)),
                Manner::Duplicate => {
                    let again = if index % 2 == 0 { later } else { now_ms };
                    self.waiting.push(wait(change.clone(), now_ms));
                    self.waiting.push(wait(change, again));
                }
                Manner::Reorder => self.waiting.push(wait(change, if index >= half.max(1) { later } else { now_ms })),
            }
        }
    }

    /// A finished body, to be sent at once.
    pub(crate) fn queue_delivery(&mut self, delivery: Delivery) {
        self.deliveries.push(delivery);
    }

    /// When the sender has to look again.
    pub(crate) fn next_due_ms(&self) -> Option<i64> {
        let fresh = self.waiting.iter().map(|waiting| waiting.held_until_ms.max(waiting.queued_ms + COLLECT_MS)).min();
        fresh.into_iter().chain(self.deliveries.iter().map(|delivery| delivery.due_ms)).min()
    }

    /// The changes to put into bodies now: once one has waited long enough, all that are not held back.
    pub(crate) fn take_changes(&mut self, now_ms: i64) -> Vec<Change> {
        let due = |waiting: &Waiting| waiting.held_until_ms.max(waiting.queued_ms + COLLECT_MS) <= now_ms;
        if !self.waiting.iter().any(due) {
            return Vec::new();
        }
        let (ready, held) = self.waiting.drain(..).partition(|waiting| waiting.held_until_ms <= now_ms);
        self.waiting = held;
        let ready: Vec<Waiting> = ready;
        ready.into_iter().map(|waiting| waiting.change).collect()
    }

    /// The bodies to post now.
    pub(crate) fn take_deliveries(&mut self, now_ms: i64) -> Vec<Delivery> {
        let (due, later) = self.deliveries.drain(..).partition(|delivery| delivery.due_ms <= now_ms);
        self.deliveries = later;
        due
    }

    /// Queues a failed body again; `false` when its 36 hours are over.
    pub(crate) fn retry(&mut self, mut delivery: Delivery, now_ms: i64) -> bool {
        let first_failure = *delivery.first_failure_ms.get_or_insert(now_ms);
        let failures = usize::try_from(delivery.attempts.saturating_sub(1)).unwrap_or(usize::MAX);
        let last = RETRY_DELAYS_S.last().copied().unwrap_or_default();
        delivery.due_ms = now_ms + 1000 * RETRY_DELAYS_S.get(failures).copied().unwrap_or(last);
        if delivery.due_ms - first_failure > GIVE_UP_MS {
            return false;
        }
        self.deliveries.push(delivery);
        true
    }

    /// Changes and bodies not delivered yet.
    pub(crate) fn backlog(&self) -> (usize, usize) {
        (self.waiting.len(), self.deliveries.len())
    }
}

impl World {
    /// Whether a change of `field` reaches anybody: the app listens to the object and, for pages, is installed on the
    /// page for that field.
    pub(crate) fn is_subscribed(&self, object: &str, entry_id: &str, field: &str) -> bool {
        let by_app = self.app.subscriptions.get(object).is_some_and(|subscription| subscription.fields.contains(field));
        let by_page = match self.pages.get(entry_id) {
            Some(page) => page.subscribed_fields.as_ref().is_some_and(|fields| fields.contains(field)),
            None => object != "page",
        };
        by_app && by_page
    }
}
