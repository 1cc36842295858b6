//! Photos of pages: published ones, and staged ones that wait for a post.

use super::post::Attached;
use super::{Due, Maker};
use crate::media::Media;
use crate::world::World;

/// A staged photo that no post uses is dropped after this time.
const STAGED_MS: i64 = 24 * 3600 * 1000;

/// A photo of a page.
#[derive(Debug, Clone)]
pub(crate) struct Photo {
    pub(crate) id: String,
    pub(crate) page_id: String,
    /// Where it was fetched; `None` if it was uploaded.
    pub(crate) url: Option<String>,
    pub(crate) media: Media,
    pub(crate) caption: Option<String>,
    pub(crate) alt_text: Option<String>,
    /// Whether it was uploaded unpublished, for a post or a story.
    pub(crate) staged: bool,
    /// The post that shows it.
    pub(crate) post_id: Option<String>,
    pub(crate) created_ms: i64,
    pub(crate) application: Maker,
}

impl World {
    /// Adds a photo and returns its id. A staged one is dropped after a day unless a post uses it.
    pub(crate) fn add_photo(&mut self, photo: Photo) -> String {
        let id = self.ids.content();
        if photo.staged {
            self.content.plan(photo.created_ms + STAGED_MS, Due::Photo(id.clone()));
        }
        self.content.photos_of_page.entry(photo.page_id.clone()).or_default().push(id.clone());
        self.content.photos.insert(id.clone(), Photo { id: id.clone(), ..photo });
        id
    }

    /// Returns whether a photo is visible to people: its post is.
    pub(crate) fn is_photo_published(&self, photo: &Photo) -> bool {
        let post = photo.post_id.as_deref().and_then(|id| self.content.post(id));
        post.is_some_and(super::post::Post::is_published)
    }

    pub(super) fn drop_photo_if_unused(&mut self, photo_id: &str, at_ms: i64) {
        let Some(photo) = self.content.photos.get(photo_id) else { return };
        if photo.staged && photo.post_id.is_none() && photo.created_ms + STAGED_MS <= at_ms {
            self.forget_photo(photo_id);
        }
    }

    /// Deletes a photo. A post whose last photo it was is deleted with it.
    pub(crate) fn delete_photo(&mut self, photo_id: &str) {
        let post_id = self.content.photos.get(photo_id).and_then(|photo| photo.post_id.clone());
        self.forget_photo(photo_id);
        let Some(post) = post_id.and_then(|id| self.content.posts.get_mut(&id)) else { return };
        post.media.retain(|attached| *attached != Attached::Photo(photo_id.to_owned()));
        if post.media.is_empty() {
            let post_id = post.id.clone();
            self.delete_post(&post_id);
        }
    }

    pub(super) fn forget_photo(&mut self, photo_id: &str) {
        let Some(photo) = self.content.photos.remove(photo_id) else { return };
        if let Some(ids) = self.content.photos_of_page.get_mut(&photo.page_id) {
            ids.retain(|id| id != photo_id);
        }
    }
}
