//! Events of posts.

use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use super::{Event, EventKind};
use crate::ids::{InstagramAccountId, OrgId, PageId, PostId};
use crate::model::publishing::failure::PostFailureCode;
use crate::model::publishing::{Post, PostKind, PostStatus};

/// The fields common to all events of posts.
#[derive(Debug, Serialize, ToSchema)]
pub struct OfPost {
    id: String,
    org: OrgId,
    post_id: PostId,
    kind: PostKind,
    page_id: PageId,
    instagram_account_id: Option<InstagramAccountId>,
    /// The group of the posts that were written together.
    group: Option<String>,
}

/// `post.published`.
#[derive(Debug, Serialize, ToSchema)]
pub struct PostPublished {
    #[serde(flatten)]
    post: OfPost,
    /// Meta's id of the post; `null` if it is public and Meta did not say under which id.
    meta_id: Option<String>,
    permalink: Option<String>,
    #[schema(value_type = Option<String>, format = DateTime)]
    published_at: Option<Timestamp>,
}

/// `post.failed`.
#[derive(Debug, Serialize, ToSchema)]
pub struct PostFailed {
    #[serde(flatten)]
    post: OfPost,
    reason: PostFailureCode,
    /// A readable explanation of `reason`.
    message: String,
    /// What to do about it.
    fix: String,
}

impl Event {
    /// The outcome of a post: it is public, or it failed. `None` for a post that has no outcome yet.
    #[must_use]
    pub fn of_post(post: &Post) -> Option<Self> {
        let fields = |kind: EventKind, suffix: String| OfPost {
            id: format!("{}:{}:{}{suffix}", kind.name(), post.org, post.id),
            org: post.org.clone(),
            post_id: post.id.clone(),
            kind: post.kind,
            page_id: post.page_id.clone(),
            instagram_account_id: post.instagram_account_id.clone(),
            group: post.group.clone(),
        };
        match (post.status, &post.failure) {
            (PostStatus::Published, _) => {
                let published = PostPublished {
                    post: fields(EventKind::PostPublished, String::new()),
                    meta_id: post.meta_id.clone(),
                    permalink: post.permalink.clone(),
                    published_at: post.published_at,
                };
                Some(Self::new(EventKind::PostPublished, &published))
            }
            (PostStatus::Failed, Some(failure)) => {
                // A post that is published again may fail again.
                let failed_at = post.trace.last().map(|step| format!(":{}", step.at)).unwrap_or_default();
                let failed = PostFailed {
                    post: fields(EventKind::PostFailed, failed_at),
                    reason: failure.code,
                    message: failure.message.clone(),
                    fix: failure.fix.clone(),
                };
                Some(Self::new(EventKind::PostFailed, &failed))
            }
            _ => None,
        }
    }
}
