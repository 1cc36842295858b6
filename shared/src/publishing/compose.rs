//! Writing one text for many targets: a post for each, with a fate of its own.

use futures_util::{StreamExt, TryStreamExt, stream};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Publishing;
use super::create::{check_schedule, refusal};
use super::store::{CreatedPost, new_post};
use crate::directory::MetaAccess;
use crate::error::{ActError, ErrorCode};
use crate::ids::{InstagramAccountId, PageId, PostId};
use crate::model::json_input::objects;
use crate::model::publishing::composition::Composition;
use crate::model::publishing::{PostKind, PostStatus};
use crate::once::OnceKey;
use crate::tr;

/// Targets of one text.
const MAX_TARGETS: usize = 20;
/// Bytes of text in all posts of one request. DynamoDB takes 4 MB in a transaction, media and envelopes included.
const MAX_TEXT_BYTES: usize = 3_000_000;
/// Targets that are checked at once.
const CONCURRENCY: usize = 5;

/// One text for several targets.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ComposeIn {
    /// Where it is published: 1 to 20 pages and Instagram accounts, each with a post of its own.
    #[schema(min_items = 1, max_items = 20)]
    #[serde(deserialize_with = "objects")]
    pub targets: Vec<TargetIn>,
    /// The text, and on Instagram the caption.
    pub message: Option<String>,
    /// A link, whose preview a page shows. Beside pictures or a video, and on Instagram, it becomes the last line of the
    /// text.
    pub link: Option<String>,
    /// Pictures at public addresses or of uploads, at most 10. Several of them are a carousel on Instagram, which takes only JPEG.
    #[serde(default)]
    #[schema(max_items = 10)]
    pub images: Vec<String>,
    /// A video instead of pictures: MP4 or MOV at a public address, or of an upload. A reel on Instagram.
    pub video: Option<String>,
    /// When to publish it, with a time zone: 10 minutes to 30 days ahead. Now, if it is left out.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub scheduled_at: Option<Timestamp>,
    /// The caller's own id of the request: the same id again answers the same and does nothing.
    #[schema(min_length = 1, max_length = 200)]
    pub request_id: Option<String>,
}

/// A target of a text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum TargetIn {
    /// A page, which the org has connected.
    PageId(PageId),
    /// An Instagram account, which is linked to a page of the org.
    InstagramAccountId(InstagramAccountId),
}

impl TargetIn {
    /// The kind of post that it gets.
    #[must_use]
    pub fn kind(&self) -> PostKind {
        match self {
            Self::PageId(_) => PostKind::Page,
            Self::InstagramAccountId(_) => PostKind::Instagram,
        }
    }
}

/// The posts that were taken, in the order of their targets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ComposedPosts {
    /// One for each target.
    pub items: Vec<ComposedPost>,
}

/// One of the posts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ComposedPost {
    /// Its id.
    pub post_id: PostId,
    /// How far it is.
    pub status: PostStatus,
}

impl Publishing {
    /// Takes one text for many targets. The posts are stored all or none, and then each has a fate of its own.
    ///
    /// # Errors
    /// Refuses the first field that a target is known to refuse, and targets on which the org cannot publish:
    /// `targets[n]`. Nothing was stored then.
    pub async fn compose(
        &self,
        access: &MetaAccess,
        input: ComposeIn,
        once: Option<OnceKey>,
    ) -> Result<ComposedPosts, ActError> {
        let now = crate::clock::now();
        if let Some(known) = self.find_created(access, once.as_ref()).await? {
            return Ok(composed(known));
        }
        let ComposeIn { targets, message, link, images, video, scheduled_at, .. } = input;
        check_targets(&targets)?;
        check_schedule("scheduled_at", scheduled_at, now)?;

        // What is wrong with the content is known before Meta or the table is asked.
        let composition = Composition { message, link, images, video };
        let contents: Vec<_> = targets
            .iter()
            .map(|target| composition.content(target.kind()))
            .collect::<Result<_, _>>()
            .map_err(refusal)?;
        let bytes: usize = contents.iter().filter_map(|content| content.message.as_ref()).map(String::len).sum();
        if bytes > MAX_TEXT_BYTES {
            let message = tr!("The text is too long for so many pages at once. Shorten it or choose fewer pages.");
            return Err(ActError::invalid("message", ErrorCode::TextTooLong, message));
        }
        let checks: Vec<_> =
            targets.iter().enumerate().map(|(position, target)| self.place(access, position, target, now)).collect();
        let places: Vec<_> = stream::iter(checks).buffered(CONCURRENCY).try_collect().await?;

        let uploads: Vec<_> = targets.iter().map(TargetIn::kind).zip(&contents).collect();
        self.check_uploads(&access.scope, &uploads).await?;

        let mut posts: Vec<_> = targets
            .iter()
            .zip(places)
            .zip(contents)
            .map(|((target, (page, account)), content)| {
                new_post(access, target.kind(), page, account, content, scheduled_at, now)
            })
            .collect();
        let ids: Vec<PostId> = posts.iter().map(|post| post.id.clone()).collect();
        for post in &mut posts {
            post.group = ids.first().map(ToString::to_string);
            post.siblings = ids.iter().filter(|id| **id != post.id).cloned().collect();
        }
        Ok(composed(self.store(access, posts, once, now).await?))
    }

    /// Finds the page of a target, and the account if it is one.
    async fn place(
        &self,
        access: &MetaAccess,
        position: usize,
        target: &TargetIn,
        now: Timestamp,
    ) -> Result<(PageId, Option<InstagramAccountId>), ActError> {
        let found = match target {
            TargetIn::PageId(page) => {
                let found = self.target(access, "page_id", page, PostKind::Page, now).await;
                found.map(|_| (page.clone(), None))
            }
            TargetIn::InstagramAccountId(account) => {
                let found = self.instagram_target(access, None, Some(account.clone()), now).await;
                found.map(|(page, account)| (page, Some(account)))
            }
        };
        found.map_err(|error| {
            let field = format!("targets[{position}]");
            match error {
                // Of several targets, the caller has to know which.
                ActError::Ended(reason) => {
                    ActError::invalid(field, error.code(), format!("{} {}", reason.message(), reason.fix()))
                }
                other => other.at(field),
            }
        })
    }
}

fn check_targets(targets: &[TargetIn]) -> Result<(), ActError> {
    if !(1..=MAX_TARGETS).contains(&targets.len()) {
        let message = tr!("1 to {most} pages and Instagram accounts.", most = MAX_TARGETS);
        return Err(ActError::invalid("targets", ErrorCode::TargetMissing, message));
    }
    let is_repeated =
        |(position, target): &(usize, &TargetIn)| targets.iter().take(*position).any(|other| other == *target);
    match targets.iter().enumerate().find(is_repeated) {
        None => Ok(()),
        Some((position, _)) => {
            let field = format!("targets[{position}]");
            Err(ActError::invalid(field, ErrorCode::ListInvalid, tr!("Each page and each account once.")))
        }
    }
}

fn composed(posts: Vec<CreatedPost>) -> ComposedPosts {
    let items = posts.into_iter().map(|CreatedPost { post_id, status }| ComposedPost { post_id, status });
    ComposedPosts { items: items.collect() }
}
