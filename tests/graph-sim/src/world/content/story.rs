//! Stories of pages: a photo or a video that is shown for a day.

use super::post::Attached;
use crate::world::World;

/// How long a story is shown. Afterwards it is archived.
const SHOWN_MS: i64 = 24 * 3600 * 1000;

/// A story.
#[derive(Debug, Clone)]
pub(crate) struct Story {
    /// Its post id: a number, without that of the page.
    pub(crate) id: String,
    pub(crate) page_id: String,
    pub(crate) medium: Attached,
    pub(crate) created_ms: i64,
}

impl Story {
    pub(crate) fn is_shown(&self, now_ms: i64) -> bool {
        self.created_ms + SHOWN_MS > now_ms
    }
}

impl World {
    /// Publishes a staged photo or an uploaded video as a story and returns its id.
    pub(crate) fn add_story(&mut self, page_id: &str, medium: Attached) -> String {
        let id = self.ids.content();
        match &medium {
            Attached::Photo(photo_id) => {
                if let Some(photo) = self.content.photos.get_mut(photo_id) {
                    photo.post_id = Some(id.clone());
                }
            }
            Attached::Video(video_id) => {
                if let Some(video) = self.content.videos.get_mut(video_id) {
                    video.post_id = Some(id.clone());
                }
            }
        }
        let created_ms = self.clock.now_ms();
        self.content.stories.push(Story { id: id.clone(), page_id: page_id.to_owned(), medium, created_ms });
        id
    }
}
