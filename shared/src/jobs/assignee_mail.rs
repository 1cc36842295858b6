//! Mails to assignees.

use serde::{Deserialize, Serialize};

use super::{Job, scope_of};
use crate::ids::{OrgId, OrgScope, UserId};
use crate::model::assignee_mail::AssignedLead;
use crate::model::mail_feedback::MailFeedback;

/// What may lead to a mail to an assignee, or to none any more. The rules of the bus write the first two and the last.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum AssigneeMailJob {
    /// A lead arrived and was assigned.
    Arrived(AssignedLead),
    /// A lead was assigned by hand.
    Reassigned(AssignedLead),
    /// Leads are gathered for a person.
    Digest {
        /// Their org.
        org: OrgId,
        /// The person.
        user_id: UserId,
        /// Mail them before the hour ends.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        early: bool,
    },
    /// SES reports what became of a mail.
    Feedback {
        /// What it reports.
        detail: MailFeedback,
    },
}

impl AssigneeMailJob {
    fn org(&self) -> Option<&OrgId> {
        match self {
            Self::Arrived(AssignedLead { org, .. })
            | Self::Reassigned(AssignedLead { org, .. })
            | Self::Digest { org, .. } => Some(org),
            Self::Feedback { .. } => None,
        }
    }

    /// The right to act for the org that the job is about; `None` if its mail says that.
    pub(crate) fn scope(&self) -> Option<OrgScope> {
        self.org().map(scope_of)
    }
}

impl Job for AssigneeMailJob {
    fn group(&self) -> &str {
        self.org().map_or("feedback", OrgId::as_str)
    }
}
