//! What has been done for a post at Meta, and what is to be done next. Every step is written down before the next one
//! begins, so that a worker that dies is replaced by one that goes on from there.
//!
//! Only one call makes a post public ([`PublishStep::Send`]). Before it, that it is about to be made is written down;
//! if its answer is lost, Meta is asked whether the post is there ([`PublishStep::LookUp`]) before it is made again.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::failure::PostFailure;
use super::{InstagramFormat, MediaStatus, MediaType, Post, PostKind, PostStatus};

/// How long a worker may take for one message. Longer than the function's time limit and each call to Meta.
pub const LEASE: SignedDuration = SignedDuration::from_mins(3);
/// Until when after its time a post that fails for passing reasons is tried again.
pub const GIVE_UP_AFTER: SignedDuration = SignedDuration::from_hours(24);
/// Meta drops unpublished photos, and containers, after 24 hours.
const MEDIA_LIFE: SignedDuration = SignedDuration::from_hours(20);
/// A page's post shows up in its list a moment after it was made.
const FIRST_LOOK: SignedDuration = SignedDuration::from_secs(30);
/// Time between two looks.
const NEXT_LOOK: SignedDuration = SignedDuration::from_secs(60);
/// How often Meta is asked for a post before it counts as not made.
pub const LOOKS: u32 = 2;
/// How often a medium is offered to Meta.
pub const MAX_MEDIA_TRIES: u32 = 3;
/// How long Meta may work on a picture, and on a video.
const IMAGE_TIME: SignedDuration = SignedDuration::from_mins(15);
const VIDEO_TIME: SignedDuration = SignedDuration::from_hours(1);
/// How often the address of a published post is asked for.
const MAX_DESCRIPTIONS: u32 = 3;

/// What has been done for a post at Meta.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct PostProgress {
    /// The uploaded photos of a page's post, or the items of a carousel, in the order of the media.
    #[serde(default)]
    pub items: Vec<Upload>,
    /// The container of a post on Instagram, or the video of a page's post.
    pub container: Option<Upload>,
    /// The call that makes the post public, once it is about to be made.
    pub attempt: Option<Attempt>,
    /// When it is this post's turn on its page.
    pub turn_at: Option<Timestamp>,
    /// Nothing is done before this.
    pub next_at: Option<Timestamp>,
    /// Failed calls since the last success.
    #[serde(default)]
    pub failures: u32,
    /// How often the address of the published post was asked for.
    #[serde(default)]
    pub descriptions: u32,
    /// The worker that is at it.
    pub lease: Option<PublishLease>,
    /// Whether the outcome was published on the bus.
    #[serde(default)]
    pub told: bool,
}

/// A medium at Meta.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Upload {
    /// Meta's id of it, once it is there.
    pub id: Option<String>,
    /// When it was made.
    pub made_at: Option<Timestamp>,
    /// Whether Meta is done with it.
    #[serde(default)]
    pub ready: bool,
    /// How often Meta was asked whether it is ready.
    #[serde(default)]
    pub polls: u32,
    /// How often it was offered.
    #[serde(default)]
    pub tries: u32,
}

impl Upload {
    /// Whether Meta has it, and still does.
    pub(crate) fn is_made(&self, now: Timestamp) -> bool {
        self.id.is_some() && self.made_at.is_some_and(|made| now.duration_since(made) < MEDIA_LIFE)
    }

    /// Forgets it, so that it is made again.
    pub fn discard(&mut self) {
        *self = Self { tries: self.tries, ..Self::default() };
    }

    /// When to ask next whether it is ready: soon, then less and less often.
    #[must_use]
    pub fn next_poll(&self, now: Timestamp) -> Timestamp {
        now + SignedDuration::from_secs(2_i64.saturating_mul(1 << self.polls.min(5)).min(60))
    }
}

/// The call that makes a post public.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    /// When it was first about to be made. The post can only be younger.
    pub began_at: Timestamp,
    /// When it was last about to be made.
    pub sent_at: Timestamp,
    /// How often it was made.
    pub sends: u32,
    /// How often Meta was asked since then whether the post is there.
    pub looks: u32,
    /// Why Meta refused it. It has failed unless it is there all the same.
    pub refusal: Option<PostFailure>,
}

/// A worker's claim of a post.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PublishLease {
    /// After this, another worker may go on.
    pub until: Timestamp,
}

/// The next thing to do for a post.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PublishStep {
    /// Give Meta the medium at this position.
    Upload(usize),
    /// Ask whether the medium at this position is ready.
    PollUpload(usize),
    /// Make the container of a post on Instagram.
    Contain,
    /// Ask whether the container, or a page's video, is ready.
    Poll,
    /// Make the post public.
    Send,
    /// Ask Meta whether it is public.
    LookUp,
    /// Ask for its address.
    Describe,
    /// Nothing before this time.
    Rest(Timestamp),
    /// Meta has not got a medium ready in time.
    Overdue,
    /// Publish the outcome on the bus.
    Tell,
    /// Nothing any more.
    Nothing,
}

impl Post {
    /// Whether the post is a page's video, which is made public by its upload.
    #[must_use]
    pub fn is_page_video(&self) -> bool {
        self.kind == PostKind::Page && self.media.first().is_some_and(|media| media.r#type == MediaType::Video)
    }

    /// Whether each medium is an upload of its own: photos of a page, items of a carousel.
    fn has_items(&self) -> bool {
        match self.kind {
            PostKind::Page => !self.is_page_video(),
            PostKind::Instagram => self.format == Some(InstagramFormat::Carousel),
        }
    }

    /// When the post was due.
    #[must_use]
    pub fn due_at(&self) -> Timestamp {
        self.scheduled_at.or(self.due_since).unwrap_or(self.created_at)
    }

    /// Returns the next thing to do.
    #[must_use]
    pub fn next_step(&self, now: Timestamp) -> PublishStep {
        let progress = &self.progress;
        match self.status {
            PostStatus::Scheduled | PostStatus::Queued | PostStatus::Cancelled => return PublishStep::Nothing,
            PostStatus::Failed | PostStatus::Published if progress.told => return PublishStep::Nothing,
            PostStatus::Failed => return PublishStep::Tell,
            PostStatus::Published | PostStatus::Publishing => {}
        }
        if let Some(at) = progress.next_at.filter(|at| *at > now) {
            return PublishStep::Rest(at);
        }
        if self.status == PostStatus::Published {
            let is_described = self.permalink.is_some() || self.meta_id.is_none();
            return if is_described || progress.descriptions >= MAX_DESCRIPTIONS {
                PublishStep::Tell
            } else {
                PublishStep::Describe
            };
        }
        if let Some(step) = progress.attempt.as_ref().and_then(|attempt| self.look_up(attempt, now)) {
            return step;
        }
        if self.has_items()
            && let Some(step) = self.next_upload(now)
        {
            return step;
        }
        match (self.kind, &progress.container) {
            (PostKind::Page, Some(video)) => {
                poll(video, VIDEO_TIME, PublishStep::Poll, now).unwrap_or(PublishStep::Send)
            }
            (PostKind::Page, None) => PublishStep::Send,
            (PostKind::Instagram, Some(container)) if container.is_made(now) => {
                poll(container, self.media_time(), PublishStep::Poll, now).unwrap_or(PublishStep::Send)
            }
            (PostKind::Instagram, _) => PublishStep::Contain,
        }
    }

    /// The next upload to make, or to ask for. All are made before the first is asked for, because Meta works on them
    /// at once.
    fn next_upload(&self, now: Timestamp) -> Option<PublishStep> {
        let item = |position: usize| self.progress.items.get(position);
        let missing = |position: &usize| !item(*position).is_some_and(|item| item.is_made(now));
        if let Some(position) = (0..self.media.len()).find(missing) {
            return Some(PublishStep::Upload(position));
        }
        if self.kind == PostKind::Page {
            return None;
        }
        let unready = (0..self.media.len()).find(|position| item(*position).is_some_and(|item| !item.ready))?;
        poll(item(unready)?, self.media_time(), PublishStep::PollUpload(unready), now)
    }

    /// Asks whether the call did its work; `None` if that was asked often enough, so that it may be made again.
    fn look_up(&self, attempt: &Attempt, now: Timestamp) -> Option<PublishStep> {
        if attempt.looks >= LOOKS {
            return None;
        }
        // A container says at once whether it was published; a page's list takes a moment.
        let wait = match (self.kind, attempt.looks) {
            (_, 0) if attempt.refusal.is_some() => SignedDuration::ZERO,
            (PostKind::Instagram, 0) => SignedDuration::ZERO,
            (_, 0) => FIRST_LOOK,
            (_, looks) => FIRST_LOOK + NEXT_LOOK * i32::try_from(looks).unwrap_or(1),
        };
        let at = attempt.sent_at + wait;
        Some(if at > now { PublishStep::Rest(at) } else { PublishStep::LookUp })
    }

    fn media_time(&self) -> SignedDuration {
        let has_video = self.media.iter().any(|media| media.r#type == MediaType::Video);
        if has_video { VIDEO_TIME } else { IMAGE_TIME }
    }

    /// Begins again with a post that failed or was cancelled. A call whose outcome is not known stays known, so that
    /// Meta is asked about it first; so does a page's video, which becomes public without another call.
    pub fn restart(&mut self, now: Timestamp) {
        let PostProgress { items, container, attempt, .. } = std::mem::take(&mut self.progress);
        let (video, container) = if self.is_page_video() { (container, None) } else { (None, container) };
        let uploaded_at = video.and_then(|video| video.id.and(video.made_at));
        let began_at = attempt.map(|attempt| attempt.began_at).or(uploaded_at);
        if let Some(began_at) = began_at {
            let attempt = Attempt { began_at, sent_at: now, sends: 1, looks: 0, refusal: None };
            self.progress = PostProgress { items, container, attempt: Some(attempt), ..PostProgress::default() };
        } else {
            self.media.iter_mut().for_each(|media| media.status = MediaStatus::Waiting);
        }
        self.failure = None;
    }

    /// Writes down that the post is about to be made public.
    pub fn begin_attempt(&mut self, now: Timestamp) {
        let attempt = self.progress.attempt.take();
        let (began_at, sends) = attempt.map_or((now, 0), |attempt| (attempt.began_at, attempt.sends));
        self.progress.attempt = Some(Attempt { began_at, sent_at: now, sends: sends + 1, looks: 0, refusal: None });
    }

    /// When the schedule looks after the post, in case that its message was lost; `None` if nothing is left to do.
    #[must_use]
    pub fn attention_at(&self) -> Option<Timestamp> {
        /// A message usually arrives before this.
        const GRACE: SignedDuration = SignedDuration::from_mins(2);
        match self.status {
            PostStatus::Scheduled => self.scheduled_at,
            PostStatus::Queued => Some(self.due_at() + GRACE),
            PostStatus::Cancelled => None,
            PostStatus::Failed | PostStatus::Published if self.progress.told => None,
            PostStatus::Publishing | PostStatus::Failed | PostStatus::Published => {
                let lease = self.progress.lease.as_ref().map(|lease| lease.until);
                Some(lease.or(self.progress.next_at).unwrap_or(self.created_at) + GRACE)
            }
        }
    }
}

/// Asks for an upload that is not ready; `None` if it is.
fn poll(upload: &Upload, time: SignedDuration, step: PublishStep, now: Timestamp) -> Option<PublishStep> {
    let late = upload.made_at.is_some_and(|made| now.duration_since(made) > time);
    match upload.ready {
        true => None,
        false if late => Some(PublishStep::Overdue),
        false => Some(step),
    }
}
