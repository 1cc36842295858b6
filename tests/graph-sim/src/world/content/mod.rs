//! What pages publish: posts, photos and videos. What Instagram accounts publish is in [`super::instagram`].
//!
//! Much of it changes as time passes: scheduled posts go live, videos finish processing, staged photos are dropped.
//! [`World::catch_up`] does what became due.

mod events;
pub(crate) mod photo;
pub(crate) mod post;
pub(crate) mod settings;
pub(crate) mod story;
pub(crate) mod video;

use std::collections::{BTreeSet, HashMap};

pub(crate) use self::events::picture_address;

use self::photo::Photo;
use self::post::Post;
use self::settings::Settings;
use self::story::Story;
use self::video::Video;
use super::World;

/// Everything that pages publish.
#[derive(Debug, Default)]
pub(crate) struct Content {
    pub(crate) settings: Settings,
    posts: HashMap<String, Post>,
    photos: HashMap<String, Photo>,
    videos: HashMap<String, Video>,
    /// Oldest first.
    stories: Vec<Story>,
    /// Ids by page, oldest first.
    posts_of_page: HashMap<String, Vec<String>>,
    photos_of_page: HashMap<String, Vec<String>>,
    videos_of_page: HashMap<String, Vec<String>>,
    /// The received part of uploads that are not complete, by the id of the video or container.
    uploads: HashMap<String, Vec<u8>>,
    /// What happens later. An entry may be stale: the object decides.
    agenda: BTreeSet<(i64, Due)>,
}

/// Something to look at again.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Due {
    Post(String),
    Photo(String),
    Video(String),
}

/// The app that made something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Maker {
    pub(crate) id: String,
    pub(crate) name: String,
}

impl Maker {
    /// The application of posts made by hand.
    pub(crate) fn business_suite() -> Self {
        Self { id: "2915120374".to_owned(), name: "Meta Business Suite".to_owned() }
    }
}

impl Content {
    pub(crate) fn post(&self, id: &str) -> Option<&Post> {
        self.posts.get(id)
    }

    pub(crate) fn post_mut(&mut self, id: &str) -> Option<&mut Post> {
        self.posts.get_mut(id)
    }

    pub(crate) fn photo(&self, id: &str) -> Option<&Photo> {
        self.photos.get(id)
    }

    pub(crate) fn video(&self, id: &str) -> Option<&Video> {
        self.videos.get(id)
    }

    pub(crate) fn video_mut(&mut self, id: &str) -> Option<&mut Video> {
        self.videos.get_mut(id)
    }

    /// The posts of a page, oldest first, whether published or not.
    pub(crate) fn posts_of(&self, page_id: &str) -> impl DoubleEndedIterator<Item = &Post> {
        self.posts_of_page.get(page_id).into_iter().flatten().filter_map(|id| self.posts.get(id))
    }

    /// The stories of a page, oldest first.
    pub(crate) fn stories_of(&self, page_id: &str) -> impl DoubleEndedIterator<Item = &Story> {
        self.stories.iter().filter(move |story| story.page_id == page_id)
    }

    /// Returns whether a photo is shown in a story.
    pub(crate) fn is_story(&self, photo: &Photo) -> bool {
        photo.post_id.as_ref().is_some_and(|id| !self.posts.contains_key(id))
    }

    /// The photos of a page, oldest first.
    pub(crate) fn photos_of(&self, page_id: &str) -> impl DoubleEndedIterator<Item = &Photo> {
        self.photos_of_page.get(page_id).into_iter().flatten().filter_map(|id| self.photos.get(id))
    }

    /// The videos and reels of a page, oldest first.
    pub(crate) fn videos_of(&self, page_id: &str) -> impl DoubleEndedIterator<Item = &Video> {
        self.videos_of_page.get(page_id).into_iter().flatten().filter_map(|id| self.videos.get(id))
    }

    /// The number of bytes of a video received so far.
    pub(crate) fn received_bytes(&self, video: &Video) -> u64 {
        let received = self.uploads.get(&video.id).map_or(video.upload.bytes.len(), Vec::len);
        u64::try_from(received).unwrap_or(u64::MAX)
    }

    /// When something happens next, in epoch milliseconds.
    pub(crate) fn next_due_ms(&self) -> Option<i64> {
        self.agenda.first().map(|(at, _)| *at)
    }

    fn plan(&mut self, at_ms: i64, due: Due) {
        self.agenda.insert((at_ms, due));
    }
}

impl World {
    /// The received part of the upload of a video or container.
    pub(crate) fn upload_of(&mut self, id: &str) -> &mut Vec<u8> {
        self.content.uploads.entry(id.to_owned()).or_default()
    }

    /// Does everything that became due. Returns whether there was anything.
    pub(crate) fn catch_up(&mut self) -> bool {
        let now = self.clock.now_ms();
        let mut any = false;
        while self.content.next_due_ms().is_some_and(|at| at <= now) {
            let Some((at, due)) = self.content.agenda.pop_first() else { break };
            any = true;
            match due {
                Due::Post(id) => self.go_live_if_due(&id, at),
                Due::Photo(id) => self.drop_photo_if_unused(&id, at),
                Due::Video(id) => self.progress_video(&id, at),
            }
        }
        any
    }
}
