//! Whether objects run: the configured `status` and the resulting `effective_status`.
//!
//! Status propagates downwards only. A deleted, archived or paused object takes everything below it along.

use super::dice::Dice;
use super::tree::Level;

/// The configured status: `status`, `configured_status`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Status {
    Active,
    Paused,
    Archived,
    Deleted,
}

impl Status {
    pub(crate) const ALL: [Self; 4] = [Self::Active, Self::Paused, Self::Archived, Self::Deleted];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Active => "ACTIVE",
            Self::Paused => "PAUSED",
            Self::Archived => "ARCHIVED",
            Self::Deleted => "DELETED",
        }
    }

    pub(crate) fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.name() == name)
    }
}

/// A problem that keeps an active object from delivering.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trouble {
    Issues,
    Disapproved,
    Review,
}

/// The resulting status: `effective_status`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Effective {
    Active,
    Paused,
    CampaignPaused,
    AdSetPaused,
    Archived,
    Deleted,
    WithIssues,
    Disapproved,
    PendingReview,
    InProcess,
}

impl Effective {
    const ALL: [Self; 10] = [
        Self::Active,
        Self::Paused,
        Self::CampaignPaused,
        Self::AdSetPaused,
        Self::Archived,
        Self::Deleted,
        Self::WithIssues,
        Self::Disapproved,
        Self::PendingReview,
        Self::InProcess,
    ];
    /// Valid names that no object in the simulator has.
    const NEVER: &[&str] = &["PENDING_BILLING_INFO", "PREAPPROVED"];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Active => "ACTIVE",
            Self::Paused => "PAUSED",
            Self::CampaignPaused => "CAMPAIGN_PAUSED",
            Self::AdSetPaused => "ADSET_PAUSED",
            Self::Archived => "ARCHIVED",
            Self::Deleted => "DELETED",
            Self::WithIssues => "WITH_ISSUES",
            Self::Disapproved => "DISAPPROVED",
            Self::PendingReview => "PENDING_REVIEW",
            Self::InProcess => "IN_PROCESS",
        }
    }

    /// Parses a name. `Some(None)` is a valid status that no object here has; `None` is an unknown name.
    pub(crate) fn parse(name: &str) -> Option<Option<Self>> {
        let known = Self::ALL.into_iter().find(|status| status.name() == name);
        if known.is_some() || Self::NEVER.contains(&name) { Some(known) } else { None }
    }

    /// Its word in `delivery_info`. Each status maps to one word, because clients list objects in batches of a few
    /// words and expect no object twice.
    pub(crate) fn delivery(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Paused | Self::CampaignPaused | Self::AdSetPaused => "inactive",
            Self::Archived => "archived",
            Self::Deleted => "deleted",
            Self::WithIssues => "not_delivering",
            Self::Disapproved => "rejected",
            Self::PendingReview | Self::InProcess => "pending_review",
        }
    }
}

/// All values of `delivery_info`.
pub(crate) const DELIVERY: &[&str] = &[
    "active",
    "archived",
    "completed",
    "deleted",
    "inactive",
    "limited",
    "not_delivering",
    "not_published",
    "pending_review",
    "permanently_deleted",
    "recently_completed",
    "recently_rejected",
    "rejected",
    "scheduled",
];

/// The initial status of an object. The first campaign has no trouble, so that every account has one that runs.
pub(crate) fn born(seed: u64, level: Level, index: u32) -> (Status, Option<Trouble>) {
    let mut dice = Dice::new(seed ^ 0x57a7, u64::from(index) * 4 + level as u64);
    if level == Level::Campaign && index == 0 {
        return (Status::Active, None);
    }
    let (paused, archived, deleted) = match level {
        Level::Campaign => (12, 6, 5),
        Level::AdSet => (9, 4, 3),
        Level::Ad => (10, 4, 4),
    };
    let side = dice.below(100);
    let status = if side < paused {
        Status::Paused
    } else if side < paused + archived {
        Status::Archived
    } else if side < paused + archived + deleted {
        Status::Deleted
    } else {
        Status::Active
    };
    let trouble = match (level, dice.below(100)) {
        (Level::Campaign, ..4) | (Level::AdSet, ..3) | (Level::Ad, ..2) => Some(Trouble::Issues),
        (Level::Ad, 2..5) => Some(Trouble::Disapproved),
        (Level::Ad, 5..7) => Some(Trouble::Review),
        _ => None,
    };
    (status, trouble)
}

/// The effective status, from an object's own status and those of its parents, topmost first.
pub(crate) fn effective(own: Status, trouble: Option<Trouble>, above: &[Status]) -> Effective {
    let any = |wanted: Status| own == wanted || above.contains(&wanted);
    if any(Status::Deleted) {
        Effective::Deleted
    } else if any(Status::Archived) {
        Effective::Archived
    } else if own == Status::Paused {
        Effective::Paused
    } else if above.first() == Some(&Status::Paused) {
        Effective::CampaignPaused
    } else if above.contains(&Status::Paused) {
        Effective::AdSetPaused
    } else {
        match trouble {
            Some(Trouble::Issues) => Effective::WithIssues,
            Some(Trouble::Disapproved) => Effective::Disapproved,
            Some(Trouble::Review) => Effective::PendingReview,
            None => Effective::Active,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Effective, Status, Trouble, effective};

    #[test]
    fn status_flows_down_and_the_worst_wins() {
        let (active, paused) = (Status::Active, Status::Paused);
        assert_eq!(effective(active, None, &[active, active]), Effective::Active);
        assert_eq!(effective(active, Some(Trouble::Issues), &[paused, active]), Effective::CampaignPaused);
        assert_eq!(effective(active, None, &[active, paused]), Effective::AdSetPaused);
        assert_eq!(effective(paused, None, &[paused, paused]), Effective::Paused);
        assert_eq!(effective(paused, None, &[Status::Archived, paused]), Effective::Archived);
        assert_eq!(effective(Status::Archived, None, &[Status::Deleted, active]), Effective::Deleted);
        assert_eq!(effective(active, Some(Trouble::Review), &[active]), Effective::PendingReview);
    }

    #[test]
    fn names_without_objects_are_known_all_the_same() {
        assert_eq!(Effective::parse("ACTIVE"), Some(Some(Effective::Active)));
        assert_eq!(Effective::parse("PREAPPROVED"), Some(None));
        assert_eq!(Effective::parse("GONE"), None);
    }
}
