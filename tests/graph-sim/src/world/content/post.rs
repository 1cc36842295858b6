//! Posts of pages.

use super::{Due, Maker};
use crate::world::World;

/// How long a post's text cannot be repeated on the same page.
const REPEAT_MS: i64 = 24 * 3600 * 1000;

/// A post of a page.
#[derive(Debug, Clone)]
pub(crate) struct Post {
    /// `{page}_{number}`.
    pub(crate) id: String,
    pub(crate) page_id: String,
    pub(crate) message: Option<String>,
    pub(crate) link: Option<String>,
    /// In the order in which they are shown.
    pub(crate) media: Vec<Attached>,
    pub(crate) status: Status,
    pub(crate) created_ms: i64,
    /// When it became visible, or changed last.
    pub(crate) updated_ms: i64,
    pub(crate) published_ms: Option<i64>,
    /// Epoch seconds.
    pub(crate) scheduled_s: Option<i64>,
    pub(crate) application: Maker,
    /// Id and name of the person through whom it was made.
    pub(crate) creator: Option<(String, String)>,
    pub(crate) is_hidden: bool,
}

/// A photo or video in a post.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Attached {
    Photo(String),
    Video(String),
}

/// Whether and how a post is visible.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Status {
    Published,
    Scheduled,
    Unpublished,
    Draft,
}

impl Status {
    /// The name in the true state.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Published => "published",
            Self::Scheduled => "scheduled",
            Self::Unpublished => "unpublished",
            Self::Draft => "draft",
        }
    }
}

impl Attached {
    pub(crate) fn id(&self) -> &str {
        match self {
            Self::Photo(id) | Self::Video(id) => id,
        }
    }
}

impl Post {
    /// The address that people open.
    pub(crate) fn permalink(&self) -> String {
        let number = self.id.split_once('_').map_or(self.id.as_str(), |(_, number)| number);
        format!("https://www.facebook.com/{}/posts/{number}", self.page_id)
    }

    pub(crate) fn is_published(&self) -> bool {
        self.status == Status::Published
    }

    /// The time Meta shows as its creation: that of its first publication.
    pub(crate) fn shown_ms(&self) -> i64 {
        self.published_ms.unwrap_or(self.created_ms)
    }
}

/// What a new post consists of.
#[derive(Debug, Clone)]
pub(crate) struct NewPost {
    pub(crate) message: Option<String>,
    pub(crate) link: Option<String>,
    pub(crate) media: Vec<Attached>,
    pub(crate) status: Status,
    pub(crate) scheduled_s: Option<i64>,
    pub(crate) application: Maker,
    pub(crate) creator: Option<(String, String)>,
    /// How long ago it was made.
    pub(crate) age_ms: i64,
}

impl World {
    /// Adds a post, announces it and returns its id. Photos that another post already shows are taken out of that post.
    pub(crate) fn add_post(&mut self, page_id: &str, new: NewPost) -> String {
        let now = self.clock.now_ms() - new.age_ms;
        let id = format!("{page_id}_{}", self.ids.content());
        let post = Post {
            id: id.clone(),
            page_id: page_id.to_owned(),
            message: new.message,
            link: new.link,
            media: Vec::new(),
            status: new.status,
            created_ms: now,
            updated_ms: now,
            published_ms: (new.status == Status::Published).then_some(now),
            scheduled_s: new.scheduled_s,
            application: new.application,
            creator: new.creator,
            is_hidden: false,
        };
        self.content.posts.insert(id.clone(), post);
        self.content.posts_of_page.entry(page_id.to_owned()).or_default().push(id.clone());
        self.attach(&id, new.media);
        if let Some(at_s) = new.scheduled_s.filter(|_| new.status == Status::Scheduled) {
            self.content.plan(at_s * 1000, Due::Post(id.clone()));
        }
        self.announce_post(&id, "add");
        id
    }

    /// Replaces the media of a post.
    pub(crate) fn attach(&mut self, post_id: &str, media: Vec<Attached>) {
        let removed = self.content.posts.get_mut(post_id).map(|post| std::mem::take(&mut post.media));
        for photo_id in removed.iter().flatten().map(Attached::id) {
            if let Some(photo) = self.content.photos.get_mut(photo_id) {
                photo.post_id = None;
            }
        }
        for attached in &media {
            match attached {
                Attached::Photo(id) => self.take_photo(id, post_id),
                Attached::Video(id) => {
                    if let Some(video) = self.content.videos.get_mut(id) {
                        video.post_id = Some(post_id.to_owned());
                    }
                }
            }
        }
        if let Some(post) = self.content.posts.get_mut(post_id) {
            post.media = media;
        }
        // Photos that are used no more live as long as if they had never been.
        let now = self.clock.now_ms();
        for photo_id in removed.iter().flatten().map(Attached::id) {
            self.drop_photo_if_unused(photo_id, now);
        }
    }

    /// Moves a photo into a post, out of any other.
    fn take_photo(&mut self, photo_id: &str, post_id: &str) {
        let Some(photo) = self.content.photos.get_mut(photo_id) else { return };
        let before = photo.post_id.replace(post_id.to_owned());
        if let Some(other) = before.filter(|other| other != post_id).and_then(|id| self.content.posts.get_mut(&id)) {
            other.media.retain(|attached| attached.id() != photo_id);
        }
    }

    /// Makes a post visible and announces it.
    pub(crate) fn publish_post(&mut self, post_id: &str) {
        let now = self.clock.now_ms();
        self.publish_post_at(post_id, now);
    }

    fn publish_post_at(&mut self, post_id: &str, at_ms: i64) {
        let Some(post) = self.content.posts.get_mut(post_id) else { return };
        post.status = Status::Published;
        post.published_ms = Some(at_ms);
        post.updated_ms = at_ms;
        self.announce_post(post_id, "add");
    }

    /// Sets another time for a scheduled post, or schedules an unpublished one.
    pub(crate) fn reschedule(&mut self, post_id: &str, at_s: i64) {
        let Some(post) = self.content.posts.get_mut(post_id) else { return };
        post.status = Status::Scheduled;
        post.scheduled_s = Some(at_s);
        self.content.plan(at_s * 1000, Due::Post(post_id.to_owned()));
    }

    pub(super) fn go_live_if_due(&mut self, post_id: &str, at_ms: i64) {
        let due = self.content.posts.get(post_id).is_some_and(|post| {
            post.status == Status::Scheduled && post.scheduled_s.is_some_and(|at_s| at_s * 1000 == at_ms)
        });
        if due {
            self.publish_post_at(post_id, at_ms);
        }
    }

    /// Deletes a post with everything in it, and announces the deletion.
    pub(crate) fn delete_post(&mut self, post_id: &str) {
        let Some(post) = self.content.posts.remove(post_id) else { return };
        if let Some(ids) = self.content.posts_of_page.get_mut(&post.page_id) {
            ids.retain(|id| id != post_id);
        }
        for attached in &post.media {
            match attached {
                Attached::Photo(id) => self.forget_photo(id),
                Attached::Video(id) => self.forget_video(id),
            }
        }
        self.announce_deletion(&post);
    }

    /// Returns whether the page has a recent post with the same text, link and media.
    pub(crate) fn repeats_a_post(&self, page_id: &str, new: &NewPost) -> bool {
        let since = self.clock.now_ms() - REPEAT_MS;
        let digests = |media: &[Attached]| -> Vec<String> {
            media
                .iter()
                .filter_map(|attached| match attached {
                    Attached::Photo(id) => self.content.photos.get(id).map(|photo| photo.media.digest.clone()),
                    Attached::Video(id) => Some(id.clone()),
                })
                .collect()
        };
        let wanted = digests(&new.media);
        self.content.posts_of(page_id).any(|post| {
            post.created_ms >= since
                && post.message == new.message
                && post.link == new.link
                && digests(&post.media) == wanted
        })
    }
}
