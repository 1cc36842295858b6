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
    due_ms: i64,
    /// Belongs into a later body than what was queued with it.
    later: bool,
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
        let half = changes.len().div_ceil(2);
        if manner == Manner::Reorder {
            changes.reverse();
        }
        let mut wait = |change, later| {
            let due_ms = now_ms + if later { 2 * COLLECT_MS } else { COLLECT_MS };
            self.waiting.push(Waiting { change, due_ms, later });
        };
        for (index, change) in changes.into_iter().enumerate() {
            match manner {
                Manner::Drop => {}
                Manner::Normal => wait(change, false),
                Manner::Duplicate => {
                    wait(change.clone(), false);
                    wait(change, index % 2 == 0);
                }
                Manner::Reorder => wait(change, index >= half),
            }
        }
    }

    /// A finished body, to be sent at once.
    pub(crate) fn queue_delivery(&mut self, delivery: Delivery) {
        self.deliveries.push(delivery);
    }

    /// When the sender has to look again.
    pub(crate) fn next_due_ms(&self) -> Option<i64> {
        let fresh = self.waiting.iter().map(|waiting| waiting.due_ms).min();
        fresh.into_iter().chain(self.deliveries.iter().map(|delivery| delivery.due_ms)).min()
    }

    /// The changes to put into bodies now: once one has waited long enough, all that came meanwhile. What belongs into a
    /// later body waits for a call of its own.
    pub(crate) fn take_changes(&mut self, now_ms: i64) -> Vec<Change> {
        if !self.waiting.iter().any(|waiting| waiting.due_ms <= now_ms) {
            return Vec::new();
        }
        let only_later = self.waiting.iter().all(|waiting| waiting.later);
        let (taken, left): (Vec<Waiting>, Vec<Waiting>) =
            self.waiting.drain(..).partition(|waiting| !waiting.later || (only_later && waiting.due_ms <= now_ms));
        self.waiting = left;
        taken.into_iter().map(|waiting| waiting.change).collect()
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
