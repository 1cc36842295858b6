//! Posts: what an org publishes on a page or an Instagram account, now or later. A post has one target, and so a fate of
//! its own; posts that were written together share a group.

pub mod composition;
pub mod draft;
pub mod failure;
pub mod progress;
pub mod upload;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use strum::{Display, EnumIter, EnumString, IntoStaticStr};
use utoipa::ToSchema;

use crate::ids::{InstagramAccountId, OrgId, PageId, PostId, UserId};
use crate::model::publishing::failure::PostFailure;
use crate::model::publishing::progress::PostProgress;

/// A post for one page or one Instagram account.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Post {
    /// Leadwire's own id.
    pub id: PostId,
    /// The org that owns it.
    pub org: OrgId,
    /// Where it is published.
    pub kind: PostKind,
    /// The page, or the page through which the Instagram account is reached.
    pub page_id: PageId,
    /// The Instagram account, for a post on Instagram.
    pub instagram_account_id: Option<InstagramAccountId>,
    /// The posts that were written together have the same group.
    #[serde(default)]
    pub group: Option<String>,
    /// The other posts of its group.
    #[serde(default)]
    pub siblings: Vec<PostId>,
    /// The text, or the caption.
    pub message: Option<String>,
    /// The link whose preview a page's post shows.
    pub link: Option<String>,
    /// Pictures and videos, in order.
    pub media: Vec<Media>,
    /// The form of a post on Instagram.
    pub format: Option<InstagramFormat>,
    /// How far it is.
    pub status: PostStatus,
    /// Why it failed.
    pub failure: Option<PostFailure>,
    /// When it is to be published; `None` means at once.
    pub scheduled_at: Option<Timestamp>,
    /// When it was last asked to be published at once, if that was after it was written.
    #[serde(default)]
    pub due_since: Option<Timestamp>,
    /// When it was published.
    pub published_at: Option<Timestamp>,
    /// Meta's id of it.
    pub meta_id: Option<String>,
    /// Its address at Meta.
    pub permalink: Option<String>,
    /// Who wrote it.
    pub created_by: UserId,
    /// When it was written.
    pub created_at: Timestamp,
    /// What happened to it, in order.
    pub trace: Vec<PostStep>,
    /// What has been done for it at Meta.
    #[serde(default)]
    pub progress: PostProgress,
    /// Increases with each change, so that of two writers one learns that it is late.
    pub revision: u64,
}

impl Post {
    /// The number of steps that are kept. A post that is retried for a day has more; the oldest but one are dropped.
    const MAX_STEPS: usize = 60;

    /// Where it stands in the lists of its org: when it was or is to be published, else when it was written.
    #[must_use]
    pub fn listed_at(&self) -> Timestamp {
        self.published_at.unwrap_or_else(|| self.due_at())
    }

    /// Records a step. The same step again only changes its time and cause.
    pub fn record(&mut self, at: Timestamp, step: PostStepKind, cause: impl Into<String>) {
        let step = PostStep { at, step, cause: cause.into() };
        match self.trace.last_mut() {
            Some(last) if last.step == step.step && step.step == PostStepKind::Waited => *last = step,
            _ => self.trace.push(step),
        }
        if self.trace.len() > Self::MAX_STEPS {
            self.trace.remove(1);
        }
    }
}

/// Where a post is published.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Display, EnumString, EnumIter, IntoStaticStr, ToSchema,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum PostKind {
    /// On a Facebook page.
    Page,
    /// On an Instagram account.
    Instagram,
}

/// How far a post is.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Display, EnumString, EnumIter, IntoStaticStr, ToSchema,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum PostStatus {
    /// It waits for its time.
    Scheduled,
    /// It waits for a worker.
    Queued,
    /// A worker has begun.
    Publishing,
    /// It is public.
    Published,
    /// It was not published. `reason` says why.
    Failed,
    /// It was cancelled before a worker began.
    Cancelled,
}

impl PostStatus {
    /// Whether nothing more happens to the post by itself.
    #[must_use]
    pub fn is_final(self) -> bool {
        matches!(self, Self::Published | Self::Failed | Self::Cancelled)
    }

    /// Whether no worker has begun, so that the post can still be changed.
    #[must_use]
    pub fn is_waiting(self) -> bool {
        matches!(self, Self::Scheduled | Self::Queued)
    }
}

/// A picture or a video of a post.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Media {
    /// What it is.
    pub r#type: MediaType,
    /// Where Meta downloads it, or the address of an uploaded file: `media:` with its id and ending.
    pub url: String,
    /// How far it is at Meta.
    pub status: MediaStatus,
}

impl Media {
    /// A medium that Meta does not have yet.
    #[must_use]
    pub fn new(r#type: MediaType, url: String) -> Self {
        Self { r#type, url, status: MediaStatus::Waiting }
    }
}

/// The kinds of media.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Display, EnumString, IntoStaticStr, ToSchema)]
#[cfg_attr(test, derive(strum::EnumIter))]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum MediaType {
    /// A picture.
    Image,
    /// A video.
    Video,
}

/// How far a medium is at Meta.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Display, IntoStaticStr, ToSchema)]
#[cfg_attr(test, derive(strum::EnumIter))]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum MediaStatus {
    /// Meta does not have it yet.
    Waiting,
    /// Meta has it and works on it.
    Processing,
    /// It is ready to be published, or published.
    Ready,
    /// Meta could not use it.
    Failed,
}

/// The forms of a post on Instagram.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Display, EnumString, EnumIter, IntoStaticStr, ToSchema,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum InstagramFormat {
    /// A picture in the feed.
    Image,
    /// A video in the feed and among the reels.
    Reel,
    /// A picture or a video for 24 hours.
    Story,
    /// 2 to 10 pictures and videos in one post.
    Carousel,
}

/// A step in a post's life.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PostStep {
    /// When.
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    /// What happened.
    pub step: PostStepKind,
    /// Why, or with which result. May be empty.
    pub cause: String,
}

/// What happens to posts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Display, EnumIter, IntoStaticStr, ToSchema)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum PostStepKind {
    /// It was written.
    Created,
    /// Its time was changed.
    Moved,
    /// It was cancelled.
    Cancelled,
    /// A worker began.
    Started,
    /// Meta has a picture or a video.
    Uploaded,
    /// Meta was asked to publish it.
    Sent,
    /// The answer was lost, and Meta was asked whether it is public.
    Checked,
    /// Something has to pass first: Meta's work on the media, a limit, an outage.
    Waited,
    /// It is public.
    Published,
    /// It was given up.
    Failed,
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn post() -> Post {
        Post {
            id: PostId::parse("post_1").unwrap(),
            org: OrgId::parse("a").unwrap(),
            kind: PostKind::Page,
            page_id: PageId::parse("7").unwrap(),
            instagram_account_id: None,
            group: None,
            siblings: Vec::new(),
            message: Some("Sale ends Sunday".to_owned()),
            link: None,
            media: Vec::new(),
            format: None,
            status: PostStatus::Queued,
            failure: None,
            scheduled_at: None,
            due_since: None,
            published_at: None,
            meta_id: None,
            permalink: None,
            created_by: UserId::parse("u").unwrap(),
            created_at: "2026-01-02T00:00:00Z".parse().unwrap(),
            trace: Vec::new(),
            progress: PostProgress::default(),
            revision: 0,
        }
    }

    #[test]
    fn the_history_of_a_post_that_waits_long_stays_short() {
        let mut post = post();
        for minute in 0..200 {
            let at = post.created_at + jiff::SignedDuration::from_mins(minute);
            post.record(at, PostStepKind::Waited, format!("{minute}"));
        }
        assert_eq!((post.trace.len(), post.trace[0].cause.as_str()), (1, "199"));
        for minute in 0..200 {
            post.record(post.created_at, PostStepKind::Checked, format!("{minute}"));
        }
        assert_eq!((post.trace.len(), post.trace[0].cause.as_str()), (Post::MAX_STEPS, "199"), "the first stays");
    }
}
