//! What waits to be sent: fresh changes, collected for a moment so that they share bodies, and bodies to retry.

use std::time::{Duration, Instant};

use serde_json::Value;

use crate::world::World;

/// Changes that happen within this time travel together.
const COLLECT_MS: i64 = 150;
/// A duplicate comes once more this much real time later, when a client has long dealt with the first.
const ECHO_AFTER: Duration = Duration::from_millis(1500);
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
    /// Each change twice at once, alternately within one body and in a later one, and a third time after
    /// [`ECHO_AFTER`].
    Duplicate,
    /// Newest first, and the older half in a later body than the newer half; a single change comes in a later body than
    /// what happens right after it.
    Reorder,
    /// In a body of its own, among changes that are nobody's lead.
    Mixed,
}

impl Manner {
    /// By the name control calls give it.
    pub(crate) fn named(name: &str) -> Option<Self> {
        Some(match name {
            "webhook" => Self::Normal,
            "drop" => Self::Drop,
            "duplicate" => Self::Duplicate,
            "reorder" => Self::Reorder,
            "mixed" => Self::Mixed,
            _ => return None,
        })
    }
}

/// A change waiting for its body.
#[derive(Debug)]
struct Waiting {
    change: Change,
    due_ms: i64,
    /// Belongs into a later body than what was queued with it.
    later: bool,
}

/// Changes kept back until some real time has passed; advancing the simulated clock does not hurry them.
#[derive(Debug)]
struct Held {
    changes: Vec<Change>,
    manner: Manner,
    release: Instant,
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
    held: Vec<Held>,
    waiting: Vec<Waiting>,
    /// Each gets a body of its own.
    mixed: Vec<Waiting>,
    deliveries: Vec<Delivery>,
}

impl Outbox {
    /// Queues changes that happened now, in order.
    pub(crate) fn queue(&mut self, mut changes: Vec<Change>, manner: Manner, now_ms: i64) {
        let half = changes.len() / 2;
        if manner == Manner::Reorder {
            changes.reverse();
        }
        if manner == Manner::Duplicate {
            self.hold(changes.clone(), Manner::Normal, ECHO_AFTER);
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
                Manner::Mixed => self.mixed.push(Waiting { change, due_ms: now_ms + COLLECT_MS, later: false }),
            }
        }
    }

    /// Queues changes once `after` has passed in real time.
    pub(crate) fn hold(&mut self, changes: Vec<Change>, manner: Manner, after: Duration) {
        self.held.push(Held { changes, manner, release: Instant::now() + after });
    }

    /// Queues what has been held long enough.
    pub(crate) fn release(&mut self, now_ms: i64) {
        let now = Instant::now();
        let (due, held): (Vec<Held>, Vec<Held>) = self.held.drain(..).partition(|held| held.release <= now);
        self.held = held;
        for held in due {
            self.queue(held.changes, held.manner, now_ms);
        }
    }

    /// A finished body, to be sent at once.
    pub(crate) fn queue_delivery(&mut self, delivery: Delivery) {
        self.deliveries.push(delivery);
    }

    /// How long the sender may sleep.
    pub(crate) fn pause(&self, now_ms: i64) -> Option<Duration> {
        let changes = self.waiting.iter().chain(&self.mixed).map(|waiting| waiting.due_ms);
        let due_ms = changes.chain(self.deliveries.iter().map(|delivery| delivery.due_ms)).min();
        let due = due_ms.map(|at| Duration::from_millis(u64::try_from(at - now_ms).unwrap_or(0)));
        let now = Instant::now();
        let held = self.held.iter().map(|held| held.release.saturating_duration_since(now)).min();
        due.into_iter().chain(held).min()
    }

    /// The changes to put into bodies now: once one has waited long enough, all that came meanwhile. What belongs into a
    /// later body waits for a call of its own.
    pub(crate) fn take_changes(&mut self, now_ms: i64) -> Vec<Change> {
        let due = |later: bool| move |waiting: &Waiting| waiting.later == later && waiting.due_ms <= now_ms;
        let fresh = self.waiting.iter().any(due(false));
        if !fresh && !self.waiting.iter().any(due(true)) {
            return Vec::new();
        }
        // Not only when nothing fresh is left: in a storm something always is.
        let (taken, left): (Vec<Waiting>, Vec<Waiting>) =
            self.waiting.drain(..).partition(|waiting| if fresh { !waiting.later } else { due(true)(waiting) });
        self.waiting = left;
        taken.into_iter().map(|waiting| waiting.change).collect()
    }

    /// The changes that go out now in a body each.
    pub(crate) fn take_mixed(&mut self, now_ms: i64) -> Vec<Change> {
        let (due, left): (Vec<Waiting>, Vec<Waiting>) =
            self.mixed.drain(..).partition(|waiting| waiting.due_ms <= now_ms);
        self.mixed = left;
        due.into_iter().map(|waiting| waiting.change).collect()
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
        let held: usize = self.held.iter().map(|held| held.changes.len()).sum();
        (held + self.waiting.len() + self.mixed.len(), self.deliveries.len())
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
