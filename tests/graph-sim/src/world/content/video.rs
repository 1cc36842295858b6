//! Videos, reels and video stories of pages: uploaded in parts or as a whole, processed, then published.

use super::post::{Attached, NewPost, Status};
use super::{Due, Maker};
use crate::media::Media;
use crate::world::World;

/// A video of a page.
#[derive(Debug, Clone)]
pub(crate) struct Video {
    pub(crate) id: String,
    pub(crate) page_id: String,
    pub(crate) kind: Kind,
    /// Where it was fetched; `None` if it was uploaded.
    pub(crate) url: Option<String>,
    pub(crate) title: Option<String>,
    pub(crate) description: Option<String>,
    pub(crate) created_ms: i64,
    pub(crate) application: Maker,
    /// Id and name of the person through whom it was made.
    pub(crate) creator: Option<(String, String)>,
    pub(crate) upload: Upload,
    /// Set once the upload is complete.
    pub(crate) file: Option<File>,
    /// What to do with it; `None` until the client has finished.
    pub(crate) publication: Option<Publication>,
    /// The post that shows it, once it exists.
    pub(crate) post_id: Option<String>,
}

/// What a video is for. Only the first two become posts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Video,
    Reel,
    Story,
}

/// The received part of a video.
#[derive(Debug, Clone, Default)]
pub(crate) struct Upload {
    /// The session of an upload in parts.
    pub(crate) session: Option<String>,
    /// The announced size in bytes.
    pub(crate) file_size: u64,
    pub(crate) bytes: Vec<u8>,
}

/// A complete file and its processing.
#[derive(Debug, Clone)]
pub(crate) struct File {
    pub(crate) media: Media,
    /// When processing ends.
    pub(crate) ready_ms: i64,
    /// Why processing fails.
    pub(crate) problem: Option<&'static str>,
}

/// How a video is published once it is ready.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Publication {
    pub(crate) status: Status,
    /// Epoch seconds.
    pub(crate) scheduled_s: Option<i64>,
}

/// How far a video is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    Uploading,
    Processing,
    Failed,
    Ready,
}

impl Video {
    pub(crate) fn stage(&self, now_ms: i64) -> Stage {
        match &self.file {
            None => Stage::Uploading,
            Some(file) if file.ready_ms > now_ms => Stage::Processing,
            Some(file) if file.problem.is_some() => Stage::Failed,
            Some(_) => Stage::Ready,
        }
    }

    /// The post that reads show: it appears some time after the video is ready.
    pub(crate) fn shown_post(&self, now_ms: i64, late_ms: i64) -> Option<&str> {
        let ready = self.file.as_ref().is_some_and(|file| file.ready_ms + late_ms <= now_ms);
        self.post_id.as_deref().filter(|_| ready)
    }

    pub(crate) fn permalink(&self) -> String {
        match self.kind {
            Kind::Reel => format!("/reel/{}/", self.id),
            Kind::Video | Kind::Story => format!("/{}/videos/{}/", self.page_id, self.id),
        }
    }
}

impl World {
    /// Adds a video and returns its id.
    pub(crate) fn add_video(&mut self, video: Video) -> String {
        let id = self.ids.content();
        self.content.videos_of_page.entry(video.page_id.clone()).or_default().push(id.clone());
        self.content.videos.insert(id.clone(), Video { id: id.clone(), ..video });
        id
    }

    /// Records that the whole file arrived, and starts its processing.
    pub(crate) fn video_arrived(&mut self, video_id: &str, media: Media, problem: Option<&'static str>) {
        let now = self.clock.now_ms();
        let ready_ms = now + media.processing_ms.unwrap_or(self.content.settings.page_video_ms);
        let problem = if media.processing_error.is_some() { Some("Video processing failed") } else { problem };
        if let Some(video) = self.content.videos.get_mut(video_id) {
            video.upload.bytes = Vec::new();
            video.file = Some(File { media, ready_ms, problem });
        }
        self.content.plan(ready_ms, Due::Video(video_id.to_owned()));
    }

    /// Records what the client wants to happen with the video once it is ready.
    pub(crate) fn video_finished(&mut self, video_id: &str, publication: Publication) {
        let now = self.clock.now_ms();
        let Some(video) = self.content.videos.get_mut(video_id) else { return };
        video.publication = Some(publication);
        let ready_ms = video.file.as_ref().map_or(now, |file| file.ready_ms.max(now));
        self.content.plan(ready_ms, Due::Video(video_id.to_owned()));
        if publication.status == Status::Published {
            self.announce_video(video_id);
        }
    }

    /// Makes the post of a video that is ready and finished. Drafts and unpublished videos have none.
    pub(super) fn progress_video(&mut self, video_id: &str, at_ms: i64) {
        let Some(video) = self.content.videos.get(video_id) else { return };
        let Some(publication) = video.publication.filter(|_| video.stage(at_ms) == Stage::Ready) else { return };
        let makes_post = matches!(publication.status, Status::Published | Status::Scheduled);
        if video.post_id.is_some() || !makes_post {
            return;
        }
        // A scheduled video whose time passed while it was processed goes live at once.
        let late = publication.scheduled_s.is_some_and(|at_s| at_s * 1000 <= at_ms);
        let status =
            if publication.status == Status::Scheduled && late { Status::Published } else { publication.status };
        let new = NewPost {
            message: video.description.clone(),
            link: None,
            media: vec![Attached::Video(video_id.to_owned())],
            status,
            scheduled_s: publication.scheduled_s,
            application: video.application.clone(),
            creator: video.creator.clone(),
            age_ms: self.clock.now_ms() - at_ms,
        };
        let page_id = video.page_id.clone();
        self.add_post(&page_id, new);
    }

    /// Deletes a video and its post.
    pub(crate) fn delete_video(&mut self, video_id: &str) {
        let post_id = self.content.videos.get(video_id).and_then(|video| video.post_id.clone());
        self.forget_video(video_id);
        if let Some(post_id) = post_id {
            self.delete_post(&post_id);
        }
    }

    pub(super) fn forget_video(&mut self, video_id: &str) {
        let Some(video) = self.content.videos.remove(video_id) else { return };
        if let Some(ids) = self.content.videos_of_page.get_mut(&video.page_id) {
            ids.retain(|id| id != video_id);
        }
    }
}
