//! A lead on its way: what a queue holds of it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::ids::{OrgId, RunId};
use crate::model::lead::FoundBy;
use crate::model::webhook::LeadNotice;

/// A lead to fetch, as it travels through the queue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeadJob {
    /// What the webhook said.
    #[serde(flatten)]
    pub notice: LeadNotice,
    /// When Meta told us.
    pub received_at: Timestamp,
    /// How it was found.
    pub found_by: FoundBy,
    /// The org that Meta's callback URL named, if it named one. Only written to the log: a lead goes to whoever
    /// connected its page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub orgid: Option<String>,
    /// The one org it is for, when an org had it tried again; everybody who connected the page otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub only_for: Option<OrgId>,
    /// Whoever asked for it wants it given to nobody.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unassigned: bool,
    /// The search that found it, to be told how it went.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<RunId>,
}

impl LeadJob {
    /// A lead for everybody who connected its page, assigned as they say.
    #[must_use]
    pub fn new(notice: LeadNotice, received_at: Timestamp, found_by: FoundBy) -> Self {
        Self { notice, received_at, found_by, orgid: None, only_for: None, unassigned: false, run: None }
    }
}
