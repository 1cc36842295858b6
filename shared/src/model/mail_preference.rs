//! What keeps mails from a person, beside what the directory says.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Mails that a person may switch off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MailKind {
    /// About leads that are assigned to them.
    AssignedLeads,
    /// About connections and webhooks that need attention. Admins get them.
    Alerts,
}

/// What keeps mails from a person, beside what the directory says. Most people have no such record.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MailPreference {
    /// When the mails about assigned leads were switched off.
    pub off_since: Option<Timestamp>,
    /// When the alerts were switched off.
    pub alerts_off_since: Option<Timestamp>,
    /// Why the address gets none.
    pub problem: Option<MailProblem>,
}

/// Why an address gets no mails.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct MailProblem {
    /// What happened.
    pub reason: MailProblemReason,
    /// The address. Another address of the same person gets mails.
    pub address: String,
    /// When it happened.
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
}

/// What happened to a mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[cfg_attr(test, derive(strum::EnumIter))]
#[serde(rename_all = "snake_case")]
pub enum MailProblemReason {
    /// It could not be delivered, and never will be.
    Bounced,
    /// Its recipient marked it as unwanted.
    Complained,
}

impl MailPreference {
    /// Whether these mails are wanted.
    #[must_use]
    pub fn wants(&self, mails: MailKind) -> bool {
        match mails {
            MailKind::AssignedLeads => self.off_since.is_none(),
            MailKind::Alerts => self.alerts_off_since.is_none(),
        }
    }

    /// Whether these mails to this address are wanted and arrive.
    #[must_use]
    pub fn allows(&self, mails: MailKind, address: &str) -> bool {
        self.wants(mails) && self.problem_of(address).is_none()
    }

    /// Why this address gets none.
    #[must_use]
    pub fn problem_of(&self, address: &str) -> Option<&MailProblem> {
        self.problem.as_ref().filter(|problem| problem.address.eq_ignore_ascii_case(address))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_of_an_old_address_says_nothing_about_a_new_one() {
        let problem = MailProblem {
            reason: MailProblemReason::Bounced,
            address: "a@x.example".into(),
            at: Timestamp::UNIX_EPOCH,
        };
        let preference = MailPreference { problem: Some(problem), ..MailPreference::default() };
        assert!(
            !preference.allows(MailKind::Alerts, "A@X.example") && preference.allows(MailKind::Alerts, "b@x.example")
        );
        assert!(
            !MailPreference { off_since: Some(Timestamp::UNIX_EPOCH), ..preference }
                .allows(MailKind::AssignedLeads, "b@x.example")
        );
    }
}
