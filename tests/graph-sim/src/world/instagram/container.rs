//! Containers: what an Instagram publication is made from.

use super::DAY_MS;
use crate::world::World;

/// A container.
#[derive(Debug, Clone)]
pub(crate) struct Container {
    pub(crate) id: String,
    pub(crate) account_id: String,
    pub(crate) kind: Kind,
    /// Whether it is a part of a carousel. It cannot be published alone.
    pub(crate) is_item: bool,
    pub(crate) caption: Option<String>,
    /// Where its file was fetched; `None` for carousels and uploads.
    pub(crate) url: Option<String>,
    /// Ids of the parts of a carousel, in order.
    pub(crate) children: Vec<String>,
    pub(crate) alt_text: Option<String>,
    pub(crate) share_to_feed: bool,
    pub(crate) created_ms: i64,
    /// When processing ends. `None` while the client still has to upload the file.
    pub(crate) ready_ms: Option<i64>,
    /// The subcode with which processing fails.
    pub(crate) problem: Option<i64>,
    /// The medium it was published as.
    pub(crate) medium_id: Option<String>,
    /// How many more reads fail with 100/33.
    pub(crate) missing_reads: u32,
}

/// What a container becomes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Image,
    /// A video in a carousel.
    Video,
    Reel,
    StoryImage,
    StoryVideo,
    Carousel,
}

/// `status_code`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum StatusCode {
    InProgress,
    Finished,
    Error,
    Expired,
    Published,
}

impl StatusCode {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::InProgress => "IN_PROGRESS",
            Self::Finished => "FINISHED",
            Self::Error => "ERROR",
            Self::Expired => "EXPIRED",
            Self::Published => "PUBLISHED",
        }
    }
}

impl Kind {
    pub(crate) fn is_video(self) -> bool {
        matches!(self, Self::Video | Self::Reel | Self::StoryVideo)
    }

    pub(crate) fn is_story(self) -> bool {
        matches!(self, Self::StoryImage | Self::StoryVideo)
    }

    /// `media_type` of the medium.
    pub(crate) fn media_type(self) -> &'static str {
        match self {
            Self::Image | Self::StoryImage => "IMAGE",
            Self::Video | Self::Reel | Self::StoryVideo => "VIDEO",
            Self::Carousel => "CAROUSEL_ALBUM",
        }
    }

    /// `media_product_type` of the medium.
    pub(crate) fn product_type(self) -> &'static str {
        match self {
            Self::Image | Self::Video | Self::Carousel => "FEED",
            Self::Reel => "REELS",
            Self::StoryImage | Self::StoryVideo => "STORY",
        }
    }
}

impl World {
    /// Adds a container and returns its id.
    pub(crate) fn add_container(&mut self, container: Container) -> String {
        let id = self.ids.instagram();
        if let Some(account) = self.instagram.accounts.get_mut(&container.account_id) {
            account.containers.push(id.clone());
        }
        let missing_reads = self.content.settings.missing_reads;
        self.instagram.containers.insert(id.clone(), Container { id: id.clone(), missing_reads, ..container });
        id
    }

    /// The status of a container, and the subcode of its failure. A carousel is as far as the last of its children.
    pub(crate) fn container_status(&self, container: &Container) -> (StatusCode, Option<i64>) {
        let now = self.clock.now_ms();
        if container.medium_id.is_some() {
            return (StatusCode::Published, None);
        }
        if container.created_ms + DAY_MS <= now {
            return (StatusCode::Expired, None);
        }
        for child in container.children.iter().filter_map(|id| self.instagram.container(id)) {
            match self.container_status(child) {
                (StatusCode::Finished | StatusCode::Published, _) => {}
                // 2207032: the creation failed.
                (StatusCode::Error | StatusCode::Expired, _) => return (StatusCode::Error, Some(2_207_032)),
                (StatusCode::InProgress, _) => return (StatusCode::InProgress, None),
            }
        }
        match (container.ready_ms, container.problem) {
            (Some(ready_ms), Some(problem)) if ready_ms <= now => (StatusCode::Error, Some(problem)),
            (Some(ready_ms), None) if ready_ms <= now => (StatusCode::Finished, None),
            _ => (StatusCode::InProgress, None),
        }
    }

    /// The number of containers the account created within the last day.
    pub(crate) fn recent_containers(&self, account_id: &str) -> usize {
        let since = self.clock.now_ms() - DAY_MS;
        self.instagram.containers_of(account_id).filter(|container| container.created_ms > since).count()
    }
}
