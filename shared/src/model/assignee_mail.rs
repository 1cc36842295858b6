//! Mails to the person to whom a lead is assigned: which leads are worth one, and when several are gathered into one.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::ids::{LeadId, OrgId, UserId};
use crate::model::lead::{FoundBy, Lead};

/// Mails of one lead each that a person gets within [`HOUR`]. Later leads are gathered.
pub const MAX_AT_ONCE: u32 = 20;
/// The time that one counting covers, from its first mail on.
pub const HOUR: SignedDuration = SignedDuration::from_hours(1);

/// A lead, and the person to whom it was assigned.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct AssignedLead {
    /// Its org.
    pub org: OrgId,
    /// The lead.
    pub lead_id: LeadId,
    /// The assignee.
    pub user_id: UserId,
}

/// What a person was mailed in the current hour, and what is gathered for its end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MailHour {
    /// When it began.
    pub since: Timestamp,
    /// Mails of one lead each that were granted.
    pub sent: u32,
    /// Leads that are gathered.
    pub gathered: u32,
    /// Incremented by every change.
    pub version: u64,
    /// Until when a worker mails what is gathered.
    pub leased_until: Option<Timestamp>,
}

/// How a person learns of a lead.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MailTiming {
    /// By a mail of its own, now.
    AtOnce,
    /// With others, at the end of the hour.
    Gathered,
}

impl MailHour {
    /// The hour after one more lead, and how the person learns of it. While leads are gathered, the next ones join them,
    /// so that the mail about them is never overtaken.
    #[must_use]
    pub fn with_lead(seen: Option<&Self>, now: Timestamp) -> (Self, MailTiming) {
        match seen {
            Some(seen) if seen.gathered > 0 || now < seen.ends_at() && seen.sent >= MAX_AT_ONCE => {
                let next = Self { gathered: seen.gathered + 1, version: seen.version + 1, ..seen.clone() };
                (next, MailTiming::Gathered)
            }
            Some(seen) if now < seen.ends_at() => {
                (Self { sent: seen.sent + 1, version: seen.version + 1, ..seen.clone() }, MailTiming::AtOnce)
            }
            other => {
                let version = other.map_or(0, |seen| seen.version) + 1;
                (Self { since: now, sent: 1, gathered: 0, version, leased_until: None }, MailTiming::AtOnce)
            }
        }
    }

    /// The hour after its gathered leads were mailed, `left` of which came too late for that.
    #[must_use]
    pub fn after_digest(&self, left: u32, now: Timestamp) -> Self {
        Self { since: now, sent: 0, gathered: left, version: self.version + 1, leased_until: None }
    }

    /// When it ends, and what is gathered is mailed.
    #[must_use]
    pub fn ends_at(&self) -> Timestamp {
        self.since + HOUR
    }
}

/// Whether an arriving lead is mailed to its assignee. Leads that were searched for or imported come in bulk, and someone
/// who asked for them is there.
#[must_use]
pub fn is_news(lead: &Lead) -> bool {
    matches!(lead.found_by, FoundBy::Webhook | FoundBy::Sweep)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(minute: i64) -> Timestamp {
        Timestamp::from_second(1_767_225_600 + 60 * minute).unwrap()
    }

    #[test]
    fn twenty_leads_of_an_hour_are_mailed_at_once_and_the_next_ones_together() {
        let mut hour = None;
        for lead in 0..20 {
            let (next, timing) = MailHour::with_lead(hour.as_ref(), at(lead));
            assert_eq!(timing, MailTiming::AtOnce, "{lead}");
            hour = Some(next);
        }
        let (gathering, timing) = MailHour::with_lead(hour.as_ref(), at(59));
        assert_eq!((timing, gathering.gathered, gathering.ends_at()), (MailTiming::Gathered, 1, at(60)));
        // The mail about the gathered ones is late. What arrives then joins it.
        let (gathering, timing) = MailHour::with_lead(Some(&gathering), at(61));
        assert_eq!((timing, gathering.gathered), (MailTiming::Gathered, 2));
        let after = gathering.after_digest(0, at(62));
        assert_eq!(MailHour::with_lead(Some(&after), at(63)).1, MailTiming::AtOnce);
        assert_eq!(MailHour::with_lead(Some(&gathering.after_digest(1, at(62))), at(63)).1, MailTiming::Gathered);
        let (fresh, timing) = MailHour::with_lead(hour.as_ref(), at(60));
        assert_eq!((timing, fresh.sent, fresh.since), (MailTiming::AtOnce, 1, at(60)), "the hour is over");
    }
}
