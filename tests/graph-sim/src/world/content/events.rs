//! The `feed` webhooks of a page's own posts, as captured from Meta.

use serde_json::{Map, Value, json};

use super::post::{Attached, Post};
use crate::webhook::outbox::{Change, Manner, Place};
use crate::world::World;

impl World {
    /// Announces a post that was made, went live (`add`) or was changed (`edited`). The time is that of its creation,
    /// so a scheduled post that goes live is announced with an old one.
    pub(crate) fn announce_post(&mut self, post_id: &str, verb: &str) {
        let Some(post) = self.content.posts.get(post_id) else { return };
        let mut value = self.shared_keys(post);
        value.insert("verb".to_owned(), json!(verb));
        value.insert("published".to_owned(), json!(u8::from(post.is_published())));
        if let Some(message) = &post.message {
            value.insert("message".to_owned(), json!(message));
        }
        let item = match post.media.as_slice() {
            [Attached::Video(id)] => {
                value.insert("video_id".to_owned(), json!(id));
                "video"
            }
            [Attached::Photo(id)] => {
                value.insert("photo_id".to_owned(), json!(id));
                value.insert("link".to_owned(), json!(picture_address(id)));
                "photo"
            }
            [] => {
                if let Some(link) = &post.link {
                    value.insert("link".to_owned(), json!(link));
                }
                "status"
            }
            many => {
                let photos = many.iter().map(|attached| picture_address(attached.id()));
                value.insert("photos".to_owned(), photos.collect());
                "status"
            }
        };
        value.insert("item".to_owned(), json!(item));
        let page_id = post.page_id.clone();
        self.announce(&page_id, Value::Object(value));
    }

    /// Announces a deleted post.
    pub(super) fn announce_deletion(&mut self, post: &Post) {
        let mut value = self.shared_keys(post);
        value.insert("item".to_owned(), json!("post"));
        value.insert("verb".to_owned(), json!("remove"));
        value.insert("recipient_id".to_owned(), json!(post.page_id));
        self.announce(&post.page_id, Value::Object(value));
    }

    /// Announces a video that is being processed. It has no post yet.
    pub(super) fn announce_video(&mut self, video_id: &str) {
        let Some(video) = self.content.videos.get(video_id) else { return };
        let page_id = video.page_id.clone();
        let value = json!({
            "from": self.page_author(&page_id), "item": "video", "verb": "edited", "published": 0,
            "video_id": video_id, "created_time": video.created_ms.div_euclid(1000),
            "message": video.description.clone().unwrap_or_default(),
        });
        self.announce(&page_id, value);
    }

    fn shared_keys(&self, post: &Post) -> Map<String, Value> {
        let mut value = Map::new();
        value.insert("from".to_owned(), self.page_author(&post.page_id));
        value.insert("post_id".to_owned(), json!(post.id));
        value.insert("created_time".to_owned(), json!(post.created_ms.div_euclid(1000)));
        value
    }

    fn page_author(&self, page_id: &str) -> Value {
        json!({"id": page_id, "name": self.pages.get(page_id).map(|page| page.name.as_str())})
    }

    fn announce(&mut self, page_id: &str, value: Value) {
        let change = Change {
            object: "page".to_owned(),
            entry_id: page_id.to_owned(),
            body: json!({"field": "feed", "value": value}),
            place: Place::Changes,
            leadgen_id: None,
        };
        self.announce_change(change, "feed", Manner::Normal);
    }
}

/// The address from which Meta serves a photo.
pub(crate) fn picture_address(photo_id: &str) -> String {
    format!("https://scontent.example/v/t39.30808-6/{photo_id}_n.jpg")
}
