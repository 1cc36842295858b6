//! Counts client calls and the responses of webhook receivers.

use std::collections::{BTreeMap, VecDeque};

use serde_json::{Value, json};

use crate::webhook::outbox::Delivery;

/// Number of deliveries stored with their details. The counts cover all deliveries.
const KEPT_DELIVERIES: usize = 500;

/// Counts since the start or the last reset.
#[derive(Debug, Default)]
pub(crate) struct Stats {
    calls: BTreeMap<String, u64>,
    sub_requests: BTreeMap<String, u64>,
    errors: BTreeMap<String, BTreeMap<String, u64>>,
    batches: u64,
    answers: BTreeMap<String, u64>,
    changes_posted: u64,
    posted: VecDeque<Posted>,
}

/// One webhook post and its response.
#[derive(Debug)]
pub(crate) struct Posted {
    object: String,
    callback_url: String,
    entry_ids: Vec<String>,
    changes: usize,
    attempt: u32,
    /// The HTTP status, `timeout` or `unreachable`.
    answer: String,
    at_s: i64,
}

impl Posted {
    pub(crate) fn new(delivery: &Delivery, answer: &str, now_ms: i64) -> Self {
        Self {
            object: delivery.object.clone(),
            callback_url: delivery.callback_url.clone(),
            entry_ids: delivery.entry_ids.clone(),
            changes: delivery.changes,
            attempt: delivery.attempts,
            answer: answer.to_owned(),
            at_s: now_ms.div_euclid(1000),
        }
    }
}

impl Stats {
    /// Counts an HTTP call. `endpoint` is normalised, such as `GET /{lead}`.
    pub(crate) fn called(&mut self, endpoint: &str) {
        *self.calls.entry(endpoint.to_owned()).or_default() += 1;
    }

    /// Counts a request inside a batch.
    pub(crate) fn called_in_batch(&mut self, endpoint: &str) {
        *self.sub_requests.entry(endpoint.to_owned()).or_default() += 1;
    }

    pub(crate) fn batch(&mut self) {
        self.batches += 1;
    }

    /// Counts an error response by code and subcode.
    pub(crate) fn failed(&mut self, endpoint: &str, code: i64, subcode: Option<i64>) {
        let name = subcode.map_or_else(|| code.to_string(), |subcode| format!("{code}/{subcode}"));
        *self.errors.entry(endpoint.to_owned()).or_default().entry(name).or_default() += 1;
    }

    pub(crate) fn posted(&mut self, posted: Posted) {
        *self.answers.entry(posted.answer.clone()).or_default() += 1;
        self.changes_posted += u64::try_from(posted.changes).unwrap_or_default();
        if self.posted.len() == KEPT_DELIVERIES {
            self.posted.pop_front();
        }
        self.posted.push_back(posted);
    }

    /// Renders the counts for the control interface.
    pub(crate) fn report(&self, waiting_changes: usize, waiting_bodies: usize) -> Value {
        let deliveries: Vec<Value> = self
            .posted
            .iter()
            .map(|posted| {
                json!({
                    "object": posted.object, "callback_url": posted.callback_url, "entry_ids": posted.entry_ids,
                    "changes": posted.changes, "attempt": posted.attempt, "answer": posted.answer, "at": posted.at_s,
                })
            })
            .collect();
        json!({
            "calls": self.calls,
            "calls_total": self.calls.values().sum::<u64>(),
            "batches": self.batches,
            "sub_requests": self.sub_requests,
            "sub_requests_total": self.sub_requests.values().sum::<u64>(),
            "errors": self.errors,
            "webhooks": {
                "posts": self.answers.values().sum::<u64>(),
                "changes": self.changes_posted,
                "answers": self.answers,
                "deliveries": deliveries,
                "waiting": {"changes": waiting_changes, "bodies": waiting_bodies},
            },
        })
    }
}
