//! Storing new posts: once for each request, all or none, then queued.

use std::time::Duration;

use futures_util::future::join_all;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use sha2::{Digest, Sha256};
use utoipa::ToSchema;

use super::Publishing;
use crate::directory::MetaAccess;
use crate::error::{ActError, ErrorCode};
use crate::ids::{InstagramAccountId, PageId, PostId};
use crate::jobs::PublishJob;
use crate::model::publishing::draft::Content;
use crate::model::publishing::progress::PostProgress;
use crate::model::publishing::{Post, PostKind, PostStatus, PostStepKind};
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

/// A request that is carried out once, under an id that its caller chose.
#[derive(Debug, Clone)]
pub struct OnceKey {
    operation: &'static str,
    field: &'static str,
    hash: String,
    fingerprint: String,
}

impl OnceKey {
    /// The key of a request. `field` names the caller's id in it, `input` is all that was asked for.
    ///
    /// # Errors
    /// Refuses an id of the wrong length.
    #[expect(clippy::missing_panics_doc, clippy::expect_used, reason = "an input is plain data")]
    pub fn new(
        operation: &'static str,
        field: &'static str,
        id: &str,
        input: &impl Serialize,
    ) -> Result<Self, ActError> {
        if !(1..=200).contains(&id.chars().count()) {
            return Err(ActError::invalid(field, ErrorCode::LengthInvalid, "1 to 200 characters."));
        }
        let hash = |bytes: &[u8]| hex::encode(Sha256::digest(bytes));
        let input = serde_json::to_vec(input).expect("plain data");
        Ok(Self { operation, field, hash: hash(id.as_bytes()), fingerprint: hash(&input) })
    }

    /// The operation.
    #[must_use]
    pub fn operation(&self) -> &'static str {
        self.operation
    }

    /// The hash of the caller's id.
    #[must_use]
    pub fn hash(&self) -> &str {
        &self.hash
    }

    /// The record of the request, once it is known what it makes.
    #[must_use]
    pub fn record(&self, made: Vec<String>, at: Timestamp) -> OnceRequest {
        let (operation, hash) = (self.operation.to_owned(), self.hash.clone());
        OnceRequest { operation, hash, fingerprint: self.fingerprint.clone(), made, at }
    }

    /// The ids of what an earlier request made.
    ///
    /// # Errors
    /// Refuses an id that was used for another request.
    pub fn known_ids<'a>(&self, known: &'a OnceRequest) -> Result<&'a [String], ActError> {
        if known.fingerprint == self.fingerprint {
            return Ok(&known.made);
        }
        let message = "This id was used for a request with other content. Use a new id for a new request.";
        Err(ActError::invalid(self.field, ErrorCode::RequestReused, message))
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
        match self.table.request(&access.scope, once.operation, &once.hash).await? {
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
        join_all(posts.iter().map(|post| self.queue_post(post, now))).await;
        Ok(posts.iter().map(CreatedPost::new).collect())
    }

    /// Queues a post that is due soon. After an error it is late, not lost.
    pub(super) async fn queue_post(&self, post: &Post, now: Timestamp) {
        let delay = post.due_at().duration_since(now).max(SignedDuration::ZERO);
        if delay > MAX_DELAY {
            return;
        }
        // A message that arrives within the second before its time would find the post early.
        let delay = Duration::try_from(delay).unwrap_or_default()
            + Duration::from_millis(if delay.is_zero() { 0 } else { 999 });
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
