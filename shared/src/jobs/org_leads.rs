//! Jobs about all leads of an org.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Job, scope_of};
use crate::ids::{ExportId, OrgId, OrgScope};

/// An export of leads that is to begin or to go on.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ExportJob {
    /// The org.
    pub org: OrgId,
    /// The export.
    pub export: ExportId,
}

impl ExportJob {
    /// The right to act for the org that requested it.
    pub(crate) fn scope(&self) -> OrgScope {
        scope_of(&self.org)
    }
}

impl Job for ExportJob {
    fn group(&self) -> &str {
        self.org.as_str()
    }
}

/// Leads of an org that are older than it keeps them.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct RetentionJob {
    /// The org.
    pub org: OrgId,
    /// Where the list of its leads resumes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    /// The time of the first message: the leads that are older than the org keeps them then are erased.
    pub planned_at: Timestamp,
}

impl RetentionJob {
    /// The right to act for the org.
    pub(crate) fn scope(&self) -> OrgScope {
        scope_of(&self.org)
    }
}

impl Job for RetentionJob {
    fn group(&self) -> &str {
        self.org.as_str()
    }
}
