//! Lists of posts, and changes before a worker begins.
#![expect(missing_docs, reason = "a field whose name says it all has no description in the API's document either")]

use std::borrow::Cow;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Publishing;
use super::create::refusal;
use crate::cursor::ListCursor;
use crate::directory::MetaAccess;
use crate::error::{ActError, ErrorCode, Missing};
use crate::ids::{InstagramAccountId, PageId, PostId, UserId};
use crate::model::publishing::draft::check_time;
use crate::model::publishing::failure::PostFailureCode;
use crate::model::publishing::{InstagramFormat, Media, Post, PostKind, PostStatus, PostStep, PostStepKind};
use crate::table::post::PostFilter;
use crate::tr;

/// A post.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct PostOut {
    pub id: PostId,
    pub kind: PostKind,
    pub page_id: PageId,
    pub instagram_account_id: Option<InstagramAccountId>,
    /// The posts that were written together have the same group.
    pub group: Option<String>,
    /// The other posts of its group.
    pub siblings: Vec<PostId>,
    /// The text, or the caption.
    pub message: Option<String>,
    pub link: Option<String>,
    pub media: Vec<Media>,
    /// The form of a post on Instagram.
    pub media_type: Option<InstagramFormat>,
    pub status: PostStatus,
    /// Why it failed.
    pub reason: Option<PostFailureCode>,
    /// The reason in words.
    pub reason_message: Option<String>,
    /// What to do about it.
    pub fix: Option<String>,
    #[schema(value_type = Option<String>, format = DateTime)]
    pub scheduled_at: Option<Timestamp>,
    #[schema(value_type = Option<String>, format = DateTime)]
    pub published_at: Option<Timestamp>,
    /// Meta's id. `null` for a published post means that Meta did not say.
    pub meta_id: Option<String>,
    pub permalink: Option<String>,
    pub created_by: UserId,
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    /// What happened to it, in order.
    pub trace: Vec<PostStep>,
}

impl From<Post> for PostOut {
    fn from(post: Post) -> Self {
        let (reason, reason_message, fix) = match post.failure {
            Some(failure) => (Some(failure.code), Some(failure.message), Some(failure.fix)),
            None => (None, None, None),
        };
        Self {
            id: post.id,
            kind: post.kind,
            page_id: post.page_id,
            instagram_account_id: post.instagram_account_id,
            group: post.group,
            siblings: post.siblings,
            message: post.message,
            link: post.link,
            media: post.media,
            media_type: post.format,
            status: post.status,
            reason,
            reason_message,
            fix,
            scheduled_at: post.scheduled_at,
            published_at: post.published_at,
            meta_id: post.meta_id,
            permalink: post.permalink,
            created_by: post.created_by,
            created_at: post.created_at,
            trace: post.trace,
        }
    }
}

/// A page of posts.
#[derive(Debug, Serialize, ToSchema)]
pub struct PostList {
    pub items: Vec<PostOut>,
    pub next_cursor: Option<String>,
}

/// Which posts to list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PostQuery {
    /// Only with this status.
    pub status: Option<PostStatus>,
    /// Only of this page.
    pub page_id: Option<PageId>,
    /// Only from this time on.
    pub from: Option<Timestamp>,
    /// Only before this time.
    pub to: Option<Timestamp>,
}

/// A change of a post's time.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PostChangeIn {
    /// The new time, 10 minutes to 30 days ahead; `null` publishes it now. A post that failed is published again.
    #[schema(value_type = Option<String>, format = DateTime, required)]
    #[serde(deserialize_with = "Option::deserialize")]
    pub scheduled_at: Option<Timestamp>,
}

impl Publishing {
    /// Lists the org's posts, latest first, from the start or from the cursor `after`.
    ///
    /// # Errors
    /// Refuses an empty range of times, and a cursor of another list or query.
    pub async fn posts(
        &self,
        access: &MetaAccess,
        query: &PostQuery,
        after: Option<&str>,
        limit: usize,
    ) -> Result<PostList, ActError> {
        if let (Some(from), Some(to)) = (query.from, query.to)
            && from >= to
        {
            return Err(ActError::invalid("to", ErrorCode::RangeEmpty, tr!("A time after from.")));
        }
        let list = format!("posts {query:?}");
        let cursor = ListCursor::new(&self.key, &access.scope, &list);
        let PostQuery { status, page_id, from, to } = query.clone();
        let filter = PostFilter { status, page: page_id, from, to };
        let (posts, next) =
            self.table.for_display().posts(&access.scope, &filter, cursor.decode(after)?, limit).await?;
        let items = posts.into_iter().map(PostOut::from).collect();
        Ok(PostList { items, next_cursor: next.map(|position| cursor.encode(&position)) })
    }

    /// Reads a post.
    pub async fn post(&self, access: &MetaAccess, id: &PostId) -> Result<PostOut, ActError> {
        let post = self.table.post(&access.scope, id).await?;
        post.map(PostOut::from).ok_or_else(|| ActError::not_found(Missing::Post))
    }

    /// Reads the posts that were written together with `post`.
    pub async fn siblings(&self, access: &MetaAccess, post: &PostOut) -> Result<Vec<PostOut>, ActError> {
        self.posts_by_id(access, &post.siblings).await
    }

    /// Reads posts by their ids, in one batch. Missing ones are omitted.
    pub async fn posts_by_id(&self, access: &MetaAccess, ids: &[PostId]) -> Result<Vec<PostOut>, ActError> {
        let posts = self.table.for_display().posts_by_id(&access.scope, ids).await?;
        Ok(posts.into_iter().map(PostOut::from).collect())
    }

    /// Changes when a post is published, until a worker begins. A failed post is published again, once Meta says that
    /// nothing of it is public.
    ///
    /// # Errors
    /// [`ErrorCode::PostPublished`] and [`ErrorCode::PostInProgress`] if it is too late.
    pub async fn move_post(&self, access: &MetaAccess, id: &PostId, input: &PostChangeIn) -> Result<PostOut, ActError> {
        let now = crate::clock::now();
        let by = access.caller.name.clone().unwrap_or_default();
        let post = self
            .change_post(access, id, |post| {
                if let Some(at) = input.scheduled_at {
                    check_time("scheduled_at", at, now).map_err(refusal)?;
                }
                match post.status {
                    PostStatus::Published => {
                        return Err(too_late(ErrorCode::PostPublished, tr!("The post is already published.")));
                    }
                    PostStatus::Publishing => return Err(in_progress()),
                    PostStatus::Failed if !post.progress.told => return Err(in_progress()),
                    PostStatus::Scheduled | PostStatus::Queued => {}
                    PostStatus::Failed | PostStatus::Cancelled => post.restart(now),
                }
                post.scheduled_at = input.scheduled_at;
                post.status = if post.scheduled_at.is_some() { PostStatus::Scheduled } else { PostStatus::Queued };
                // A post that is published now is due now, not when it was written.
                post.due_since = post.scheduled_at.is_none().then_some(now);
                post.record(now, PostStepKind::Moved, by.clone());
                Ok(())
            })
            .await?;
        self.queue_post(&post, now).await;
        Ok(post.into())
    }

    /// Cancels a post, until a worker begins. Cancelling it again changes nothing.
    ///
    /// # Errors
    /// As [`Publishing::move_post`].
    pub async fn cancel_post(&self, access: &MetaAccess, id: &PostId) -> Result<PostOut, ActError> {
        let now = crate::clock::now();
        let by = access.caller.name.clone().unwrap_or_default();
        let cancelled = self.change_post(access, id, |post| match post.status {
            PostStatus::Published => {
                Err(too_late(ErrorCode::PostPublished, tr!("The post is already published. Delete it at Meta.")))
            }
            PostStatus::Publishing => Err(in_progress()),
            PostStatus::Cancelled => Ok(()),
            PostStatus::Failed => {
                Err(too_late(ErrorCode::PostFailed, tr!("The post has failed; there is nothing left to cancel.")))
            }
            PostStatus::Scheduled | PostStatus::Queued => {
                post.status = PostStatus::Cancelled;
                post.record(now, PostStepKind::Cancelled, by.clone());
                Ok(())
            }
        });
        Ok(cancelled.await?.into())
    }

    /// Changes a post as it is stored now: again if another writer changed it meanwhile.
    async fn change_post(
        &self,
        access: &MetaAccess,
        id: &PostId,
        change: impl Fn(&mut Post) -> Result<(), ActError>,
    ) -> Result<Post, ActError> {
        const MAX_TRIES: u32 = 5;
        for _ in 0..MAX_TRIES {
            let post = self.table.post(&access.scope, id).await?;
            let mut post = post.ok_or_else(|| ActError::not_found(Missing::Post))?;
            let before = (post.status, post.scheduled_at);
            change(&mut post)?;
            if self.table.put_post(&access.scope, &mut post).await? {
                access.trail.changed("status", &before.0, &post.status);
                access.trail.changed("scheduled_at", &before.1, &post.scheduled_at);
                return Ok(post);
            }
        }
        Err(in_progress())
    }
}

fn too_late(code: ErrorCode, message: Cow<'static, str>) -> ActError {
    ActError::refuse(code, message)
}

fn in_progress() -> ActError {
    too_late(ErrorCode::PostInProgress, tr!("The post is being published at this moment."))
}
