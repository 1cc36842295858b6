//! What is done next for a campaign. Each object of Meta's is looked for by the campaign's mark before it is made again,
//! and nothing is ever made active here.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use strum::{Display, IntoStaticStr};

use super::{CampaignError, CampaignStatus, LeadCampaign, Review};
use crate::model::publishing::progress::{Attempt, GIVE_UP_AFTER, LOOKS, PublishLease};

/// An object shows up in Meta's lists a moment after it was made.
const FIRST_LOOK: SignedDuration = SignedDuration::from_secs(10);
/// Time between two looks.
const NEXT_LOOK: SignedDuration = SignedDuration::from_secs(30);

/// What has been done for a campaign.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct CampaignProgress {
    /// Whether Meta has checked what can be checked before anything is made.
    #[serde(default)]
    pub validated: bool,
    /// Whether the creative was read back and has the form in it.
    #[serde(default)]
    pub creative_checked: bool,
    /// The call that makes an object, once it is about to be made.
    pub attempt: Option<Attempt>,
    /// What was made is being deleted, because of these errors.
    #[serde(default)]
    pub undoing: bool,
    /// Nothing is done before this.
    pub next_at: Option<Timestamp>,
    /// Failed calls since the last success.
    #[serde(default)]
    pub failures: u32,
    /// The worker that is at it.
    pub lease: Option<PublishLease>,
    /// Whether the outcome was published on the bus.
    #[serde(default)]
    pub told: bool,
}

/// The objects of a campaign at Meta, in the order in which they are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Display, IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum MetaObject {
    /// The campaign.
    Campaign,
    /// The ad set.
    Adset,
    /// The creative.
    Creative,
    /// The ad.
    Ad,
}

/// The next thing to do for a campaign.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CampaignStep {
    /// Have Meta check what can be checked before anything is made.
    Validate,
    /// Make an object.
    Make(MetaObject),
    /// Ask Meta whether an object was made.
    LookUp(MetaObject),
    /// Ask Meta whether the creative has the form in it.
    CheckCreative,
    /// Delete what was made.
    Undo,
    /// Everything is there.
    Complete,
    /// Nothing before this time.
    Rest(Timestamp),
    /// Publish the outcome on the bus.
    Tell,
    /// Read its state and Meta's review of it.
    Review,
    /// Nothing at this time.
    Nothing,
}

impl LeadCampaign {
    /// Returns the next thing to do.
    #[must_use]
    pub fn next_step(&self, now: Timestamp) -> CampaignStep {
        let progress = &self.progress;
        if self.status != CampaignStatus::Creating {
            return match self.review_at() {
                _ if !progress.told => CampaignStep::Tell,
                Some(at) if at <= now => CampaignStep::Review,
                _ => CampaignStep::Nothing,
            };
        }
        if let Some(at) = progress.next_at.filter(|at| *at > now) {
            return CampaignStep::Rest(at);
        }
        let missing = self.missing();
        if let (Some(attempt), Some(object)) = (&progress.attempt, missing) {
            return if progress.undoing {
                // Meta refused it, so that one look suffices to be sure that nothing is left behind.
                if attempt.looks == 0 { CampaignStep::LookUp(object) } else { CampaignStep::Undo }
            } else {
                look_up(attempt, object, now)
            };
        }
        if progress.undoing {
            return CampaignStep::Undo;
        }
        if !progress.validated {
            return CampaignStep::Validate;
        }
        match missing {
            Some(MetaObject::Ad) if !progress.creative_checked => CampaignStep::CheckCreative,
            Some(object) => CampaignStep::Make(object),
            None => CampaignStep::Complete,
        }
    }

    /// The first object that is not known to exist.
    #[must_use]
    pub fn missing(&self) -> Option<MetaObject> {
        if self.meta.campaign_id.is_none() {
            Some(MetaObject::Campaign)
        } else if self.meta.adset_id.is_none() {
            Some(MetaObject::Adset)
        } else if self.meta.creative_id.is_none() {
            Some(MetaObject::Creative)
        } else if self.meta.ad_id.is_none() {
            Some(MetaObject::Ad)
        } else {
            None
        }
    }

    /// Writes down that an object is about to be made.
    pub fn begin_attempt(&mut self, now: Timestamp) {
        let attempt = self.progress.attempt.take();
        let (began_at, sends) = attempt.map_or((now, 0), |attempt| (attempt.began_at, attempt.sends));
        self.progress.attempt = Some(Attempt { began_at, sent_at: now, sends: sends + 1, looks: 0, refusal: None });
    }

    /// Begins to delete what was made. The campaign fails with these errors once it is gone.
    pub fn undo(&mut self, errors: Vec<CampaignError>) {
        self.errors = errors;
        self.progress.undoing = true;
        self.progress.next_at = None;
    }

    /// Whether passing failures have lasted too long.
    #[must_use]
    pub fn is_overdue(&self, now: Timestamp) -> bool {
        now > self.created_at + GIVE_UP_AFTER
    }

    /// When its state and Meta's review of it are read again: soon after a change and while the review goes on, and later from time to time,
    /// because Meta also rejects ads that run, and people switch them in Ads Manager.
    #[must_use]
    pub fn review_at(&self) -> Option<Timestamp> {
        let under_review = match self.review.status.as_deref() {
            None | Some("PENDING_REVIEW" | "IN_PROCESS") => true,
            Some(_) => false,
        };
        let under_review = under_review || self.seen_at.is_none();
        let seen = self.seen_at.unwrap_or(self.changed_at);
        let is_recent = seen < self.changed_at + SignedDuration::from_hours(24);
        let wait = match self.status {
            CampaignStatus::Paused | CampaignStatus::Active if under_review && is_recent => {
                SignedDuration::from_mins(10)
            }
            CampaignStatus::Active => SignedDuration::from_hours(3),
            CampaignStatus::Paused => SignedDuration::from_hours(24),
            CampaignStatus::Creating | CampaignStatus::Failed | CampaignStatus::Archived => return None,
        };
        Some(seen + wait)
    }

    /// Takes over its state at Meta, as it was seen at this time.
    pub fn see(&mut self, status: CampaignStatus, review: Review, now: Timestamp) {
        self.seen_at = Some(now);
        if (self.status, &self.review) != (status, &review) {
            (self.status, self.review) = (status, review);
            self.change(now);
        }
    }

    /// Records that what others know of it has changed. It is told next.
    pub fn change(&mut self, now: Timestamp) {
        self.changed_at = now;
        self.progress.told = false;
    }

    /// When the schedule looks after the campaign, in case that its message was lost; `None` if nothing is left to do.
    #[must_use]
    pub fn attention_at(&self) -> Option<Timestamp> {
        /// A message usually arrives before this.
        const GRACE: SignedDuration = SignedDuration::from_mins(2);
        if self.status != CampaignStatus::Creating && self.progress.told {
            return self.review_at();
        }
        let lease = self.progress.lease.as_ref().map(|lease| lease.until);
        Some(lease.or(self.progress.next_at).unwrap_or(self.changed_at) + GRACE)
    }
}

fn look_up(attempt: &Attempt, object: MetaObject, now: Timestamp) -> CampaignStep {
    if attempt.looks >= LOOKS {
        return CampaignStep::Make(object);
    }
    let wait = FIRST_LOOK + NEXT_LOOK * i32::try_from(attempt.looks).unwrap_or(1);
    let at = attempt.sent_at + wait;
    if at > now { CampaignStep::Rest(at) } else { CampaignStep::LookUp(object) }
}
