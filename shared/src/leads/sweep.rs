//! The regular comparison with Meta: one message for each integration.

use serde::{Deserialize, Serialize};

use crate::ids::{IntegrationId, OrgId, PageId, RunId};
use crate::queue::Message;

/// One integration whose pages are compared with Meta.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct SweepJob {
    /// Whose.
    pub org: OrgId,
    /// Which.
    pub integration_id: IntegrationId,
    /// Also the leads that Meta may be about to tell of.
    #[serde(default)]
    pub everything: bool,
    /// Instead of the regular comparison: one page of what somebody asked for.
    #[serde(default)]
    pub run: Option<(RunId, PageId)>,
}

impl SweepJob {
    /// The job as a message. Its group is the org, so that one org with many integrations does not hold up the others.
    #[must_use]
    pub fn message(&self) -> Message {
        Message { body: serde_json::to_string(self).unwrap_or_default(), group: self.org.to_string() }
    }
}
