//! The sender's queue: new changes, collected briefly so that they share bodies, and bodies to retry.

use std::time::{Duration, Instant};

use serde_json::Value;

use crate::world::World;
use crate::world::app::Mode;
use crate::world::page::Page;

/// Changes that happen within this time share a body.
const COLLECT_MS: i64 = 150;
/// Real time until a duplicate is sent again. By then a client has long processed the first one.
const ECHO_AFTER: Duration = Duration::from_millis(1500);
/// Meta stops retrying after this time, and WhatsApp after seven days.
const GIVE_UP_MS: i64 = 36 * 3600 * 1000;
const WHATSAPP_GIVE_UP_MS: i64 = 7 * 24 * 3600 * 1000;
/// Retry delays after a failure: immediately, then less and less often. Meta does not publish the real numbers.
const RETRY_DELAYS_S: [i64; 9] = [0, 60, 300, 900, 3600, 10_800, 21_600, 43_200, 43_200];

/// One change of one page or account: an element of an entry.
#[derive(Debug, Clone)]
pub(crate) struct Change {
    /// The webhook object: `page`, `instagram`, …
    pub(crate) object: String,
    pub(crate) entry_id: String,
    /// The element itself: `{"field", "value"}`, or a messaging event.
    pub(crate) body: Value,
    pub(crate) place: Place,
    /// The lead it announces, if any.
    pub(crate) leadgen_id: Option<String>,
}

/// The list of an entry that a change belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    Changes,
    Messaging,
    /// Messaging while another app controls the thread.
    Standby,
    /// None: the entry itself has `field` and `value`.
    Flat,
}

impl Place {
    /// The key in the entry.
    pub(crate) fn key(self) -> &'static str {
        match self {
            Self::Changes | Self::Flat => "changes",
            Self::Messaging => "messaging",
            Self::Standby => "standby",
        }
    }

    /// Returns whether the time and the failure rule of messaging apply.
    pub(crate) fn is_messaging(self) -> bool {
        matches!(self, Self::Messaging | Self::Standby)
    }
}

/// How to deliver the changes of one control call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Manner {
    Normal,
    /// Never delivered.
    Drop,
    /// Each change is sent twice at once, alternately within one body and in a later one, and a third time after
    /// [`ECHO_AFTER`].
    Duplicate,
    /// Newest first, with the older half in a later body than the newer half. A single change is sent in a later body
    /// than the changes that follow it immediately.
    Reorder,
    /// In a separate body, among changes that announce no lead.
    Mixed,
}

impl Manner {
    /// Parses the name used in control calls.
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

/// A change waiting to be put into a body.
#[derive(Debug)]
struct Waiting {
    change: Change,
    due_ms: i64,
    /// Whether it goes into a later body than the changes queued with it.
    later: bool,
}

/// Changes held until some real time has passed. Advancing the simulated clock does not release them earlier.
#[derive(Debug)]
struct Held {
    changes: Vec<Change>,
    manner: Manner,
    release: Instant,
}

/// A body in delivery. Its bytes are fixed when it is built, and retries repeat them.
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

/// The queue of changes and bodies.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    held: Vec<Held>,
    waiting: Vec<Waiting>,
    /// Each of these gets a separate body.
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

    /// Queues the changes whose hold time is over.
    pub(crate) fn release(&mut self, now_ms: i64) {
        let now = Instant::now();
        let (due, held): (Vec<Held>, Vec<Held>) = self.held.drain(..).partition(|held| held.release <= now);
        self.held = held;
        for held in due {
            self.queue(held.changes, held.manner, now_ms);
        }
    }

    /// Queues a finished body.
    pub(crate) fn queue_delivery(&mut self, delivery: Delivery) {
        self.deliveries.push(delivery);
    }

    /// Returns how long the sender may sleep. `None` if nothing is queued.
    pub(crate) fn pause(&self, now_ms: i64) -> Option<Duration> {
        let changes = self.waiting.iter().chain(&self.mixed).map(|waiting| waiting.due_ms);
        let due_ms = changes.chain(self.deliveries.iter().map(|delivery| delivery.due_ms)).min();
        let due = due_ms.map(|at| Duration::from_millis(u64::try_from(at - now_ms).unwrap_or(0)));
        let now = Instant::now();
        let held = self.held.iter().map(|held| held.release.saturating_duration_since(now)).min();
        due.into_iter().chain(held).min()
    }

    /// Takes the changes to put into bodies now: once one change has waited long enough, all that arrived since.
    /// Changes meant for a later body are returned by a separate call.
    pub(crate) fn take_changes(&mut self, now_ms: i64) -> Vec<Change> {
        let due = |later: bool| move |waiting: &Waiting| waiting.later == later && waiting.due_ms <= now_ms;
        let fresh = self.waiting.iter().any(due(false));
        if !fresh && !self.waiting.iter().any(due(true)) {
            return Vec::new();
        }
        // Do not wait until no new changes are left: during a storm there are always new ones.
        let (taken, left): (Vec<Waiting>, Vec<Waiting>) =
            self.waiting.drain(..).partition(|waiting| if fresh { !waiting.later } else { due(true)(waiting) });
        self.waiting = left;
        taken.into_iter().map(|waiting| waiting.change).collect()
    }

    /// Takes the changes to send now in a separate body each.
    pub(crate) fn take_mixed(&mut self, now_ms: i64) -> Vec<Change> {
        let (due, left): (Vec<Waiting>, Vec<Waiting>) =
            self.mixed.drain(..).partition(|waiting| waiting.due_ms <= now_ms);
        self.mixed = left;
        due.into_iter().map(|waiting| waiting.change).collect()
    }

    /// Takes the bodies to post now.
    pub(crate) fn take_deliveries(&mut self, now_ms: i64) -> Vec<Delivery> {
        let (due, later) = self.deliveries.drain(..).partition(|delivery| delivery.due_ms <= now_ms);
        self.deliveries = later;
        due
    }

    /// Queues a failed body again. Returns `false` if its time is over.
    pub(crate) fn retry(&mut self, mut delivery: Delivery, now_ms: i64) -> bool {
        let first_failure = *delivery.first_failure_ms.get_or_insert(now_ms);
        let failures = usize::try_from(delivery.attempts.saturating_sub(1)).unwrap_or(usize::MAX);
        let last = RETRY_DELAYS_S.last().copied().unwrap_or_default();
        delivery.due_ms = now_ms + 1000 * RETRY_DELAYS_S.get(failures).copied().unwrap_or(last);
        let whatsapp = delivery.object == "whatsapp_business_account";
        if delivery.due_ms - first_failure > if whatsapp { WHATSAPP_GIVE_UP_MS } else { GIVE_UP_MS } {
            return false;
        }
        self.deliveries.push(delivery);
        true
    }

    /// Counts the changes and bodies that are not delivered yet.
    pub(crate) fn backlog(&self) -> (usize, usize) {
        let held: usize = self.held.iter().map(|held| held.changes.len()).sum();
        (held + self.waiting.len() + self.mixed.len(), self.deliveries.len())
    }
}

impl World {
    /// Returns whether a change of `field` is delivered: the app subscribes to the object, and is installed on the page
    /// for that field, on the page of the Instagram account for any field, or on the WhatsApp account.
    pub(crate) fn is_subscribed(&self, object: &str, entry_id: &str, field: &str) -> bool {
        let by_app = self.app.subscriptions.get(object).is_some_and(|subscription| subscription.fields.contains(field));
        by_app && self.is_installed(object, entry_id, field)
    }

    fn is_installed(&self, object: &str, entry_id: &str, field: &str) -> bool {
        if let Some(page) = self.pages.get(entry_id) {
            return page.subscribed_fields.as_ref().is_some_and(|fields| fields.contains(field));
        }
        if let Some(account) = self.instagram.accounts.get(entry_id) {
            let page = self.pages.get(&account.page_id).filter(|_| account.linked);
            return page.is_some_and(|page| page.subscribed_fields.is_some());
        }
        match self.inbox.wabas.get(entry_id) {
            Some(waba) => waba.subscribed,
            None => object != "page",
        }
    }

    /// The page of an entry: itself, or that of an Instagram account.
    pub(crate) fn page_of_entry(&mut self, entry_id: &str) -> Option<&mut Page> {
        let page_id = self.instagram.accounts.get(entry_id).map_or(entry_id, |account| &account.page_id);
        self.pages.get_mut(page_id)
    }

    /// Queues a change of `field` if the app is live and subscribed to it.
    pub(crate) fn announce_change(&mut self, change: Change, field: &str, manner: Manner) {
        if self.app.mode == Mode::Live && self.is_subscribed(&change.object, &change.entry_id, field) {
            let now = self.clock.now_ms();
            self.outbox.queue(vec![change], manner, now);
        }
    }
}
