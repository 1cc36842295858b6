//! Writing one post for a page or an Instagram account: checked before Meta is asked, then stored.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Publishing;
use super::store::{CreatedPost, new_post};
use crate::directory::MetaAccess;
use crate::error::{ActError, ErrorCode, Missing};
use crate::ids::{InstagramAccountId, PageId};
use crate::model::publishing::draft::{DraftError, DraftMistake, InstagramDraft, PageDraft, check_time};
use crate::model::publishing::{InstagramFormat, PostKind};
use crate::once::OnceKey;
use crate::tr;

/// A post for a page.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PagePostIn {
    /// The page, which the org has connected.
    pub page_id: PageId,
    /// The text; at most 63,206 characters.
    #[schema(max_length = 63206)]
    pub message: Option<String>,
    /// A link, whose preview is shown. Beside pictures or a video it becomes the last line of the text.
    pub link: Option<String>,
    /// A picture: JPEG, PNG, GIF, BMP or TIFF at a public address, or of an upload.
    pub image: Option<String>,
    /// Several pictures, at most 10.
    #[serde(default)]
    #[schema(max_items = 10)]
    pub images: Vec<String>,
    /// A video: MP4 or MOV at a public address, or of an upload.
    pub video: Option<String>,
    /// When to publish it, with a time zone: 10 minutes to 30 days ahead. Now, if it is left out.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub scheduled_at: Option<Timestamp>,
    /// The caller's own id of the request: the same id again answers the same and does nothing.
    #[schema(min_length = 1, max_length = 200)]
    pub request_id: Option<String>,
}

/// A post for an Instagram account.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct InstagramPostIn {
    /// The account, which is linked to a page of the org. Either this or `pageId`.
    pub instagram_account_id: Option<InstagramAccountId>,
    /// The page to which the account is linked.
    pub page_id: Option<PageId>,
    /// A picture (JPEG) or a video (MP4, MOV) at a public address, or of an upload.
    pub media_url: Option<String>,
    /// A picture.
    pub image: Option<String>,
    /// A video.
    pub video: Option<String>,
    /// 2 to 10 pictures and videos.
    #[serde(default)]
    #[schema(max_items = 10)]
    pub carousel: Vec<String>,
    /// The form. By default, what the media are: a picture, a reel or a carousel.
    pub media_type: Option<InstagramFormat>,
    /// The caption; at most 2,200 characters, 30 hashtags and 20 mentions. A story has none.
    #[schema(max_length = 2200)]
    pub caption: Option<String>,
    /// When to publish it, with a time zone: 10 minutes to 30 days ahead. Now, if it is left out.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub scheduled_at: Option<Timestamp>,
    /// The caller's own id of the request: the same id again answers the same and does nothing.
    #[schema(min_length = 1, max_length = 200)]
    pub request_id: Option<String>,
}

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
            return first(known);
        }
        let PagePostIn { page_id, message, link, image, images, video, scheduled_at, .. } = input;
        let content = PageDraft { message, link, image, images, video }.check().map_err(refusal)?;
        check_schedule("scheduledAt", scheduled_at, now)?;
        self.target(access, "pageId", &page_id, PostKind::Page, now).await?;
        self.check_uploads(&access.scope, &[(PostKind::Page, &content)]).await?;
        let post = new_post(access, PostKind::Page, page_id, None, content, scheduled_at, now);
        first(self.store(access, vec![post], once, now).await?)
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
            return first(known);
        }
        let InstagramPostIn { media_url, image, video, carousel, media_type: format, caption, scheduled_at, .. } =
            input;
        let content = InstagramDraft { media_url, image, video, carousel, format, caption }.check().map_err(refusal)?;
        check_schedule("scheduledAt", scheduled_at, now)?;
        let (page, account) = self.instagram_target(access, input.page_id, input.instagram_account_id, now).await?;
        self.check_uploads(&access.scope, &[(PostKind::Instagram, &content)]).await?;
        let post = new_post(access, PostKind::Instagram, page, Some(account), content, scheduled_at, now);
        first(self.store(access, vec![post], once, now).await?)
    }

    /// Finds the page and the account that an Instagram post goes to.
    pub(super) async fn instagram_target(
        &self,
        access: &MetaAccess,
        page: Option<PageId>,
        account: Option<InstagramAccountId>,
        now: Timestamp,
    ) -> Result<(PageId, InstagramAccountId), ActError> {
        let unknown = |account: &InstagramAccountId| {
            let message = tr!(
                "No page that this org has connected is linked to the Instagram account {account}.",
                account = account
            );
            ActError::invalid("instagramAccountId", ErrorCode::InstagramAccountUnknown, message)
        };
        let (field, page) = match (page, &account) {
            (Some(page), _) => ("pageId", page),
            (None, Some(account)) => {
                let page = self.page_of_account(access, account).await?;
                ("instagramAccountId", page.ok_or_else(|| unknown(account))?)
            }
            (None, None) => {
                let message = tr!("The account, or the page that it is linked to.");
                return Err(ActError::invalid("instagramAccountId", ErrorCode::TargetMissing, message));
            }
        };
        let target = self.target(access, field, &page, PostKind::Instagram, now).await?;
        let Some(linked) = self.account_of(access, &target).await? else {
            let message = tr!(
                "No professional Instagram account is linked to the page {page}. Link one in Meta's settings.",
                page = page
            );
            return Err(ActError::invalid(field, ErrorCode::InstagramAccountUnknown, message));
        };
        match account {
            Some(account) if account != linked.id => Err(unknown(&account)),
            _ => Ok((page, linked.id)),
        }
    }
}

/// Checks when a post is to be published. `field` names the time in the request.
pub(super) fn check_schedule(field: &'static str, at: Option<Timestamp>, now: Timestamp) -> Result<(), ActError> {
    at.map_or(Ok(()), |at| check_time(field, at, now)).map_err(refusal)
}

fn first(posts: Vec<CreatedPost>) -> Result<CreatedPost, ActError> {
    posts.into_iter().next().ok_or_else(|| ActError::not_found(Missing::Post))
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
