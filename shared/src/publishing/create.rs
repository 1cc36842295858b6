//! Writing posts: checked before Meta is asked, stored once for each request, then queued.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use utoipa::ToSchema;

use super::Publishing;
use crate::directory::MetaAccess;
use crate::error::{ActError, ErrorCode};
use crate::ids::{InstagramAccountId, PageId, PostId};
use crate::jobs::PublishJob;
use crate::model::publishing::draft::{Content, DraftError, DraftMistake, InstagramDraft, PageDraft, check_time};
use crate::model::publishing::progress::PostProgress;
use crate::model::publishing::{InstagramFormat, Post, PostKind, PostStatus, PostStepKind};
use crate::table::post::InsertedPosts;
use crate::table::request::OnceRequest;

/// A post for a page.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PagePostIn {
    /// The page, which the org has connected.
    #[schema(value_type = String)]
    pub page_id: PageId,
    /// The text; at most 63,206 characters.
    pub message: Option<String>,
    /// A link, whose preview is shown. Beside pictures or a video it becomes the last line of the text.
    pub link: Option<String>,
    /// A picture: JPEG, PNG, GIF, BMP or TIFF at a public address.
    pub image: Option<String>,
    /// Several pictures, at most 10.
    #[serde(default)]
    pub images: Vec<String>,
    /// A video: MP4 or MOV at a public address.
    pub video: Option<String>,
    /// When to publish it, with a time zone: 10 minutes to 30 days ahead. Now, if it is left out.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub scheduled_at: Option<Timestamp>,
    /// The caller's own id of the request: the same id again answers the same and does nothing.
    pub request_id: Option<String>,
}

/// A post for an Instagram account.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct InstagramPostIn {
    /// The account, which is linked to a page of the org. Either this or `pageId`.
    #[schema(value_type = Option<String>)]
    pub instagram_account_id: Option<InstagramAccountId>,
    /// The page to which the account is linked.
    #[schema(value_type = Option<String>)]
    pub page_id: Option<PageId>,
    /// A picture (JPEG) or a video (MP4, MOV) at a public address.
    pub media_url: Option<String>,
    /// A picture.
    pub image: Option<String>,
    /// A video.
    pub video: Option<String>,
    /// 2 to 10 pictures and videos.
    #[serde(default)]
    pub carousel: Vec<String>,
    /// The form. By default, what the media are: a picture, a reel or a carousel.
    pub media_type: Option<InstagramFormat>,
    /// The caption; at most 2,200 characters, 30 hashtags and 20 mentions. A story has none.
    pub caption: Option<String>,
    /// When to publish it, with a time zone: 10 minutes to 30 days ahead. Now, if it is left out.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub scheduled_at: Option<Timestamp>,
    /// The caller's own id of the request: the same id again answers the same and does nothing.
    pub request_id: Option<String>,
}

/// A post that was taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CreatedPost {
    /// Its id.
    pub post_id: PostId,
    /// How far it is.
    pub status: PostStatus,
}

/// A request that is carried out once, under an id that its caller chose.
#[derive(Debug, Clone)]
pub struct OnceKey {
    operation: &'static str,
    hash: String,
    fingerprint: String,
}

impl OnceKey {
    /// The key of a request. `input` is all that was asked for.
    ///
    /// # Errors
    /// Refuses an id of the wrong length.
    #[expect(clippy::missing_panics_doc, clippy::expect_used, reason = "an input is plain data")]
    pub fn new(operation: &'static str, id: &str, input: &impl Serialize) -> Result<Self, ActError> {
        if !(1..=200).contains(&id.chars().count()) {
            return Err(ActError::invalid("requestId", ErrorCode::LengthInvalid, "1 to 200 characters."));
        }
        let hash = |bytes: &[u8]| hex::encode(Sha256::digest(bytes));
        let input = serde_json::to_vec(input).expect("plain data");
        Ok(Self { operation, hash: hash(id.as_bytes()), fingerprint: hash(&input) })
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

    /// The id of what an earlier request made.
    ///
    /// # Errors
    /// Refuses an id that was used for another request.
    pub fn known_id<'a>(&self, known: &'a OnceRequest) -> Result<Option<&'a str>, ActError> {
        if known.fingerprint == self.fingerprint {
            return Ok(known.made.first().map(String::as_str));
        }
        let message = "This id was used for a request with other content. Use a new id for a new request.";
        Err(ActError::invalid("requestId", ErrorCode::RequestReused, message))
    }
}

/// A post that is due within this time gets its message at once; SQS delays no longer. The schedule finds the others.
const MAX_DELAY: SignedDuration = SignedDuration::from_mins(15);

impl Publishing {
    /// Takes a post for a page.
    ///
    /// # Errors
    /// Refuses what Meta is known to refuse, and a page that the org cannot publish on. Nothing was stored then.
    pub async fn post_to_page(
        &self,
        access: &MetaAccess,
        input: PagePostIn,
        once: Option<OnceKey>,
    ) -> Result<CreatedPost, ActError> {
        let now = crate::clock::now();
        if let Some(known) = self.find_created(access, once.as_ref()).await? {
            return Ok(known);
        }
        let PagePostIn { page_id, message, link, image, images, video, scheduled_at, .. } = input;
        let content = PageDraft { message, link, image, images, video }.check().map_err(refusal)?;
        check_schedule(scheduled_at, now)?;
        self.target(access, "pageId", &page_id, PostKind::Page, now).await?;
        let post = new_post(access, PostKind::Page, page_id, None, content, scheduled_at, now);
        self.store(access, post, once, now).await
    }

    /// Takes a post for an Instagram account.
    ///
    /// # Errors
    /// As [`Publishing::post_to_page`].
    pub async fn post_to_instagram(
        &self,
        access: &MetaAccess,
        input: InstagramPostIn,
        once: Option<OnceKey>,
    ) -> Result<CreatedPost, ActError> {
        let now = crate::clock::now();
        if let Some(known) = self.find_created(access, once.as_ref()).await? {
            return Ok(known);
        }
        let InstagramPostIn { media_url, image, video, carousel, media_type: format, caption, scheduled_at, .. } =
            input;
        let content = InstagramDraft { media_url, image, video, carousel, format, caption }.check().map_err(refusal)?;
        check_schedule(scheduled_at, now)?;
        let (page, account) = self.instagram_target(access, input.page_id, input.instagram_account_id, now).await?;
        let post = new_post(access, PostKind::Instagram, page, Some(account), content, scheduled_at, now);
        self.store(access, post, once, now).await
    }

    /// Finds the page and the account that an Instagram post goes to.
    async fn instagram_target(
        &self,
        access: &MetaAccess,
        page: Option<PageId>,
        account: Option<InstagramAccountId>,
        now: Timestamp,
    ) -> Result<(PageId, InstagramAccountId), ActError> {
        let unknown = |account: &InstagramAccountId| {
            let message = format!("No page that this org has connected is linked to the Instagram account {account}.");
            ActError::invalid("instagramAccountId", ErrorCode::InstagramAccountUnknown, message)
        };
        let (field, page) = match (page, &account) {
            (Some(page), _) => ("pageId", page),
            (None, Some(account)) => {
                let page = self.page_of_account(access, account).await?;
                ("instagramAccountId", page.ok_or_else(|| unknown(account))?)
            }
            (None, None) => {
                let message = "The account, or the page that it is linked to.";
                return Err(ActError::invalid("instagramAccountId", ErrorCode::TargetMissing, message));
            }
        };
        let target = self.target(access, field, &page, PostKind::Instagram, now).await?;
        let Some(linked) = self.account_of(access, &target).await? else {
            let message =
                format!("No professional Instagram account is linked to the page {page}. Link one in Meta's settings.");
            return Err(ActError::invalid(field, ErrorCode::InstagramAccountUnknown, message));
        };
        match account {
            Some(account) if account != linked.id => Err(unknown(&account)),
            _ => Ok((page, linked.id)),
        }
    }

    /// What an earlier request with the same id made.
    async fn find_created(&self, access: &MetaAccess, once: Option<&OnceKey>) -> Result<Option<CreatedPost>, ActError> {
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
    ) -> Result<CreatedPost, ActError> {
        let id = once.known_id(known)?.and_then(|id| PostId::parse(id).ok());
        let post = match &id {
            Some(id) => self.table.post(&access.scope, id).await?,
            None => None,
        };
        let post = post.ok_or_else(|| ActError::not_found("post"))?;
        Ok(CreatedPost { post_id: post.id, status: post.status })
    }

    /// Stores a post and queues it. If queueing fails, the schedule queues it.
    async fn store(
        &self,
        access: &MetaAccess,
        post: Post,
        once: Option<OnceKey>,
        now: Timestamp,
    ) -> Result<CreatedPost, ActError> {
        let request = once.as_ref().map(|once| once.record(vec![post.id.to_string()], now));
        let inserted = self.table.insert_posts(&access.scope, std::slice::from_ref(&post), request.as_ref()).await?;
        if let (InsertedPosts::Repeated(known), Some(once)) = (inserted, &once) {
            return self.created_before(access, once, &known).await;
        }
        self.queue_post(&post, now).await;
        Ok(CreatedPost { post_id: post.id, status: post.status })
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

fn new_post(
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

fn check_schedule(at: Option<Timestamp>, now: Timestamp) -> Result<(), ActError> {
    at.map_or(Ok(()), |at| check_time("scheduledAt", at, now)).map_err(refusal)
}

/// Says what is wrong with a draft.
pub(super) fn refusal(error: DraftError) -> ActError {
    let code = match error.kind {
        DraftMistake::Missing => ErrorCode::ContentMissing,
        DraftMistake::Conflict => ErrorCode::FieldsConflict,
        DraftMistake::Text => ErrorCode::TextTooLong,
        DraftMistake::Address => ErrorCode::AddressNotAllowed,
        DraftMistake::Media => ErrorCode::MediaInvalid,
        DraftMistake::Time => ErrorCode::TimeNotAllowed,
    };
    ActError::invalid(error.field, code, error.message)
}
