//! Asking for an integration to be looked at: its token, its pages, what its admins have to be told.

use serde::{Deserialize, Serialize};

use crate::error::WorkError;
use crate::ids::{IntegrationId, OrgId, OrgScope};
use crate::queue::{Message, Queue};

/// One integration to look at.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct CheckJob {
    /// Whose.
    pub org: OrgId,
    /// Which.
    pub integration_id: IntegrationId,
}

impl CheckJob {
    /// The job as a message. Its group is the org, so that one org with many integrations does not hold up the others.
    #[must_use]
    pub fn message(&self) -> Message {
        Message { body: serde_json::to_string(self).unwrap_or_default(), group: self.org.to_string() }
    }
}

/// Has an integration looked at now: a call with its token failed, or somebody deletes it.
///
/// # Errors
/// If the queue does not take it. The next daily look finds the same.
pub async fn ask_for_check(checks: &Queue, scope: &OrgScope, id: &IntegrationId) -> Result<(), WorkError> {
    let job = CheckJob { org: scope.org().clone(), integration_id: id.clone() };
    Ok(checks.send_all(vec![job.message()]).await?)
}
