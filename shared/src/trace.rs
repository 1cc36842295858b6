//! The id by which one cause is followed through every function: a delivery of Meta's, a request, a message of a queue.
//!
//! It is in each line of the log (`telemetry`), travels with messages (`queue`, `worker`), is kept with a lead's
//! provenance, and is in each event. So one filter over all logs shows the way of one lead.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize};
use utoipa::ToSchema;

tokio::task_local! {
    static TRACE: TraceId;
}

/// Longer than any id of the gateway, SQS or this program.
const MAX_LENGTH: usize = 64;

/// An opaque id of 1 to 64 letters, digits and `+/=_-`: it needs no escaping in a log, in JSON or in a filter pattern.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
#[schema(value_type = String)]
pub struct TraceId(String);

impl TraceId {
    /// Returns a new id.
    #[must_use]
    pub fn fresh() -> Self {
        Self(uuid::Uuid::now_v7().simple().to_string())
    }

    /// Reads an id, or returns `None` if the text cannot be one.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let fits = (1..=MAX_LENGTH).contains(&text.len());
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "+/=_-".contains(c);
        (fits && text.chars().all(is_plain)).then(|| Self(text.to_owned()))
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Runs `work` as what follows from this cause.
    pub async fn follow<F: Future>(self, work: F) -> F::Output {
        TRACE.scope(self, work).await
    }

    /// Like [`TraceId::follow`], for work that does not wait: a line of the log about one of several leads.
    pub fn within<T>(&self, work: impl FnOnce() -> T) -> T {
        TRACE.sync_scope(self.clone(), work)
    }
}

impl fmt::Display for TraceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for TraceId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| serde::de::Error::custom("not an id of a trace"))
    }
}

/// Runs `work` as what follows from this cause, if it is known.
pub async fn follow<F: Future>(trace: Option<TraceId>, work: F) -> F::Output {
    match trace {
        Some(trace) => trace.follow(work).await,
        None => work.await,
    }
}

/// Returns the id of the cause that is being worked on. Work of several causes at once has no id of its own.
#[must_use]
pub fn current() -> Option<TraceId> {
    TRACE.try_with(Clone::clone).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_follows_from_a_cause_knows_it_and_nothing_else_does() {
        let (outer, inner) = (TraceId::fresh(), TraceId::fresh());
        assert_eq!(current(), None);
        let seen = outer.clone().follow(async { (current(), inner.within(current), current()) }).await;
        assert_eq!(seen, (Some(outer.clone()), Some(inner), Some(outer)));
        assert_eq!(current(), None);
    }

    #[test]
    fn an_id_needs_no_escaping() {
        assert!(
            ["JKJaXmPLvHcESHA=", "0190f1d2", TraceId::fresh().as_str()].iter().all(|id| TraceId::parse(id).is_some())
        );
        let bad = ["", "a b", "a\"", "a\\", "a{", "ä", &"a".repeat(65)];
        assert!(bad.iter().all(|id| TraceId::parse(id).is_none()));
    }
}
