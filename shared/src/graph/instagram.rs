//! Instagram accounts behind pages, and publishing on them: containers, their state, and the call that makes them public.
//! Every call here takes the token of the page.

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;

use super::batch::Call;
use super::page_posts::graph_time;
use super::{GraphClient, GraphError, GraphPage, read};
use crate::ids::{InstagramAccountId, PageId};
use crate::model::publishing::MediaType;
use crate::secret::AccessToken;

/// A professional Instagram account that is linked to a page.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct InstagramAccount {
    /// Its id.
    pub id: InstagramAccountId,
    /// Its name on Instagram.
    #[serde(default)]
    pub username: String,
}

#[derive(Deserialize)]
struct LinkedAccount {
    instagram_business_account: Option<InstagramAccount>,
}

/// A container to make.
#[derive(Debug, Clone, Copy)]
pub enum NewContainer<'a> {
    /// A picture in the feed.
    Image {
        /// Where Meta downloads it.
        url: &'a str,
        /// The caption.
        caption: Option<&'a str>,
    },
    /// A video among the reels.
    Reel {
        /// Where Meta downloads it.
        url: &'a str,
        /// The caption.
        caption: Option<&'a str>,
    },
    /// A picture or a video for a day. It has no caption.
    Story {
        /// Where Meta downloads it.
        url: &'a str,
        /// Which of the two.
        media: MediaType,
    },
    /// An item of a carousel.
    Item {
        /// Where Meta downloads it.
        url: &'a str,
        /// What it is.
        media: MediaType,
    },
    /// A carousel of items.
    Carousel {
        /// Their containers, in order.
        children: &'a [String],
        /// The caption.
        caption: Option<&'a str>,
    },
}

/// How far a container is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ContainerState {
    /// Meta works on it.
    InProgress,
    /// It can be published.
    Finished,
    /// It was published.
    Published,
    /// It was not published within 24 hours.
    Expired,
    /// Meta cannot use it.
    Failed {
        /// The subcode in Meta's words, if they have one.
        subcode: Option<i64>,
        /// Meta's words.
        message: String,
    },
}

/// How many posts a day an account may publish through the API.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PublishingLimit {
    /// Posts of the last 24 hours.
    pub used: u64,
    /// Posts allowed in 24 hours.
    pub total: u64,
}

/// A medium in an account's list.
#[derive(Debug, Clone, Deserialize)]
pub struct SeenMedia {
    /// Meta's id.
    pub id: String,
    /// The caption.
    pub caption: Option<String>,
    /// When it was published.
    #[serde(deserialize_with = "graph_time")]
    pub timestamp: Timestamp,
    /// Its address.
    pub permalink: Option<String>,
}

#[derive(Deserialize)]
struct Created {
    id: String,
}

const ACCOUNT: (&str, &str) = ("fields", "instagram_business_account{id,username}");

impl GraphClient {
    /// Reads the Instagram account of each page: one outcome per page, in order. `None` where no professional account is
    /// linked.
    pub async fn instagram_accounts(
        &self,
        pages: &[(&PageId, &AccessToken)],
    ) -> Vec<Result<Option<InstagramAccount>, GraphError>> {
        let Some((_, first)) = pages.first() else { return Vec::new() };
        let call =
            |(page, token): &(&PageId, &AccessToken)| Call::get(page.as_str(), &[ACCOUNT]).with_token((*token).clone());
        let calls: Vec<Call> = pages.iter().map(call).collect();
        let account = |answer| Ok(read::<LinkedAccount>(answer?)?.instagram_business_account);
        self.batch(&calls, first).await.into_iter().map(account).collect()
    }

    /// Makes a container. Returns its id. Meta drops it after 24 hours if it is not published, so that a repetition does
    /// no harm.
    pub async fn create_container(
        &self,
        account: &InstagramAccountId,
        container: &NewContainer<'_>,
        token: &AccessToken,
    ) -> Result<String, GraphError> {
        let children;
        let medium = |media: MediaType, url| match media {
            MediaType::Image => ("image_url", url),
            MediaType::Video => ("video_url", url),
        };
        let (mut form, caption) = match *container {
            NewContainer::Image { url, caption } => (vec![("image_url", url)], caption),
            NewContainer::Reel { url, caption } => (vec![("media_type", "REELS"), ("video_url", url)], caption),
            NewContainer::Story { url, media } => (vec![("media_type", "STORIES"), medium(media, url)], None),
            NewContainer::Item { url, media } => {
                let mut form = vec![("is_carousel_item", "true"), medium(media, url)];
                if media == MediaType::Video {
                    form.push(("media_type", "VIDEO"));
                }
                (form, None)
            }
            NewContainer::Carousel { children: ids, caption } => {
                children = ids.join(",");
                (vec![("media_type", "CAROUSEL"), ("children", children.as_str())], caption)
            }
        };
        form.extend(caption.map(|caption| ("caption", caption)));
        Ok(read::<Created>(self.post(&format!("{account}/media"), &form, token).await?)?.id)
    }

    /// Reads how far a container is.
    pub async fn container_state(&self, id: &str, token: &AccessToken) -> Result<ContainerState, GraphError> {
        let container = self.get(id, &[("fields", "status_code,status")], token).await?;
        let text = |name: &str| container.get(name).and_then(Value::as_str).unwrap_or_default();
        Ok(match text("status_code") {
            "FINISHED" => ContainerState::Finished,
            "PUBLISHED" => ContainerState::Published,
            "EXPIRED" => ContainerState::Expired,
            "ERROR" => {
                let message = text("status").to_owned();
                ContainerState::Failed { subcode: subcode_in(&message), message }
            }
            "IN_PROGRESS" => ContainerState::InProgress,
            _ => return Err(GraphError::InvalidResponse { status: 200 }),
        })
    }

    /// Reads how many posts of today are left. It differs between accounts and changes, so it is read each time.
    pub async fn publishing_limit(
        &self,
        account: &InstagramAccountId,
        token: &AccessToken,
    ) -> Result<PublishingLimit, GraphError> {
        let path = format!("{account}/content_publishing_limit");
        let answer = self.get(&path, &[("fields", "config,quota_usage")], token).await?;
        let number = |pointer: &str| answer.pointer(pointer).and_then(Value::as_u64);
        let garbage = || GraphError::InvalidResponse { status: 200 };
        Ok(PublishingLimit {
            used: number("/data/0/quota_usage").ok_or_else(garbage)?,
            total: number("/data/0/config/quota_total").ok_or_else(garbage)?,
        })
    }

    /// Makes a container public. Returns the id of the medium.
    ///
    /// # Errors
    /// After any error it may be public: the container's state says so. Meta has answered 4/2207051 for posts that were
    /// online.
    pub async fn publish_container(
        &self,
        account: &InstagramAccountId,
        container: &str,
        token: &AccessToken,
    ) -> Result<String, GraphError> {
        let answer = self.post(&format!("{account}/media_publish"), &[("creation_id", container)], token).await?;
        Ok(read::<Created>(answer)?.id)
    }

    /// Lists the account's newest media, or its stories, which are in a list of their own.
    pub async fn newest_media(
        &self,
        account: &InstagramAccountId,
        stories: bool,
        token: &AccessToken,
    ) -> Result<Vec<SeenMedia>, GraphError> {
        let edge = if stories { "stories" } else { "media" };
        let query = [("fields", "id,caption,timestamp,permalink"), ("limit", "25")];
        let media: GraphPage<SeenMedia> = read(self.get(&format!("{account}/{edge}"), &query, token).await?)?;
        Ok(media.data)
    }

    /// Reads the address of a post on a page, or of a medium on Instagram.
    pub async fn permalink(&self, id: &str, on_instagram: bool, token: &AccessToken) -> Result<String, GraphError> {
        let field = if on_instagram { "permalink" } else { "permalink_url" };
        let answer = self.get(id, &[("fields", field)], token).await?;
        let link = answer.get(field).and_then(Value::as_str).map(ToOwned::to_owned);
        link.ok_or(GraphError::InvalidResponse { status: 200 })
    }
}

/// Finds the 7 digits of a subcode in a sentence such as `Error: Media upload has failed with error code 2207026`.
fn subcode_in(text: &str) -> Option<i64> {
    text.split(|c: char| !c.is_ascii_digit()).find(|digits| digits.len() == 7)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_subcode_stands_in_the_words() {
        assert_eq!(subcode_in("Error: Media upload has failed with error code 2207026"), Some(2_207_026));
        assert_eq!(subcode_in("Error: 123 and 12345678"), None);
    }
}
