//! Storing new posts: once for each request, all or none, then queued.

use std::time::Duration;

use futures_util::future::join_all;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use utoipa::ToSchema;

use super::Publishing;
use crate::directory::MetaAccess;
use crate::error::ActError;
use crate::ids::{InstagramAccountId, PageId, PostId};
use crate::jobs::PublishJob;
use crate::model::publishing::draft::Content;
use crate::model::publishing::progress::PostProgress;
use crate::model::publishing::{Post, PostKind, PostStatus, PostStepKind};
use crate::once::OnceKey;
use crate::table::post::InsertedPosts;
use crate::table::request::OnceRequest;

/// A post that was taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CreatedPost {
    /// Its id.
    pub post_id: PostId,
    /// How far it is.
    pub status: PostStatus,
}

impl CreatedPost {
    fn new(post: &Post) -> Self {
        Self { post_id: post.id.clone(), status: post.status }
    }
}

/// A post that is due within this time gets its message at once; SQS delays no longer. The schedule finds the others.
const MAX_DELAY: SignedDuration = SignedDuration::from_mins(15);

impl Publishing {
    /// What an earlier request with the same id made.
    pub(super) async fn find_created(
        &self,
        access: &MetaAccess,
        once: Option<&OnceKey>,
    ) -> Result<Option<Vec<CreatedPost>>, ActError> {
        let Some(once) = once else { return Ok(None) };
        match self.table.request(&access.scope, once.operation(), once.hash()).await? {
            Some(known) => self.created_before(access, once, &known).await.map(Some),
            None => Ok(None),
        }
    }

    async fn created_before(
        &self,
        access: &MetaAccess,
        once: &OnceKey,
        known: &OnceRequest,
    ) -> Result<Vec<CreatedPost>, ActError> {
        let ids: Vec<PostId> = once.known_ids(known)?.iter().filter_map(|id| PostId::parse(id).ok()).collect();
        let posts = self.table.posts_by_id(&access.scope, &ids).await?;
        Ok(posts.iter().map(CreatedPost::new).collect())
    }

    /// Stores posts, all or none, and queues them. If queueing fails, the schedule queues them.
    pub(super) async fn store(
        &self,
        access: &MetaAccess,
        posts: Vec<Post>,
        once: Option<OnceKey>,
        now: Timestamp,
    ) -> Result<Vec<CreatedPost>, ActError> {
        let request =
            once.as_ref().map(|once| once.record(posts.iter().map(|post| post.id.to_string()).collect(), now));
        let inserted = self.table.insert_posts(&access.scope, &posts, request.as_ref()).await?;
        if let (InsertedPosts::Repeated(known), Some(once)) = (inserted, &once) {
            return self.created_before(access, once, &known).await;
        }
        for post in &posts {
            access.trail.about(&post.id);
            access.trail.changed("scheduled_at", &None, &post.scheduled_at);
        }
        join_all(posts.iter().map(|post| self.queue_post(post, now))).await;
        Ok(posts.iter().map(CreatedPost::new).collect())
    }

    /// Queues a post that is due soon. After an error it is late, not lost.
    pub(super) async fn queue_post(&self, post: &Post, now: Timestamp) {
        let delay = post.due_at().duration_since(now).max(SignedDuration::ZERO);
        if delay > MAX_DELAY {
            return;
        }
        let delay = Duration::try_from(delay).unwrap_or_default();
        if let Err(error) = self.queue.send_later(&PublishJob::post(post), delay).await {
            tracing::warn!(%error, post = %post.id, "a post could not be queued; the schedule will");
        }
    }
}

pub(super) fn new_post(
    access: &MetaAccess,
    kind: PostKind,
    page_id: PageId,
    account: Option<InstagramAccountId>,
    content: Content,
    scheduled_at: Option<Timestamp>,
    now: Timestamp,
) -> Post {
    let mut post = Post {
        id: PostId::new(),
        org: access.scope.org().clone(),
        kind,
        page_id,
        instagram_account_id: account,
        group: None,
        siblings: Vec::new(),
        message: content.message,
        link: content.link,
        media: content.media,
        format: content.format,
        status: if scheduled_at.is_some() { PostStatus::Scheduled } else { PostStatus::Queued },
        failure: None,
        scheduled_at,
        due_since: None,
        published_at: None,
        meta_id: None,
        permalink: None,
        created_by: access.caller.user.clone(),
        created_at: now,
        trace: Vec::new(),
        progress: PostProgress::default(),
        revision: 0,
    };
    post.record(now, PostStepKind::Created, access.caller.name.clone().unwrap_or_default());
    post
}
