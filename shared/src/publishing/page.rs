//! The steps of a post on a Facebook page: photos first, unpublished; then the one call that makes it public.

use jiff::{SignedDuration, Timestamp};

use super::media::download_link;
use super::publisher::{StepError, Stepped, Work};
use crate::files::{FileError, FileKey};
use crate::graph::page_posts::{NewPagePost, PhotoSource, VideoState};
use crate::model::publishing::failure::{PostFailure, PostFailureCode};
use crate::model::publishing::progress::{PostProgress, PublishStep, Upload};
use crate::model::publishing::upload::MediaAddress;
use crate::model::publishing::{Media, MediaStatus, PostStepKind};
use crate::phrase;

/// Clocks differ: a post may bear a time a little before the call that made it.
const CLOCK_SKEW: SignedDuration = SignedDuration::from_mins(2);

impl Work<'_> {
    pub(super) async fn page_step(&mut self, step: PublishStep, now: Timestamp) -> Stepped {
        match step {
            PublishStep::Upload(position) => self.upload_photo(position, now).await,
            PublishStep::Send if self.post.is_page_video() => self.send_video(now).await,
            PublishStep::Send => self.send_page_post(now).await,
            PublishStep::LookUp if self.post.is_page_video() => self.look_for_video(now).await,
            PublishStep::LookUp => self.look_for_page_post(now).await,
            PublishStep::Poll => self.poll_video(now).await,
            other => unreachable_step(other),
        }
    }

    async fn upload_photo(&mut self, position: usize, now: Timestamp) -> Stepped {
        let Some(media) = self.post.media.get(position) else { return Ok(()) };
        let photo = self.photo_source(media).await?;
        let id = self.graph.upload_photo(&self.post.page_id, photo, &self.token).await?;
        self.set_upload(position, id.clone(), true, now);
        self.post.record(now, PostStepKind::Uploaded, format!("picture {} as {id}", position + 1));
        Ok(())
    }

    /// Where Meta downloads a medium.
    pub(super) async fn download_link(&self, media: &Media) -> Result<String, StepError> {
        Ok(download_link(&self.publisher.files, &self.scope, &media.url).await?)
    }

    /// A photo as it is given to a page: its address on the web, or the uploaded file itself, because pages refuse photos
    /// from hosts that answer in parts, as S3 does.
    async fn photo_source<'m>(&self, media: &'m Media) -> Result<PhotoSource<'m>, StepError> {
        let Ok(address) = media.url.parse::<MediaAddress>() else { return Ok(PhotoSource::Url(&media.url)) };
        let key = FileKey::of_upload(&self.scope, &address.id);
        match self.publisher.files.read(&key, 0, address.format.max_bytes()).await {
            Ok(bytes) => Ok(PhotoSource::File { bytes, content_type: address.format.content_type() }),
            Err(FileError::Missing) => {
                let message = format!("The uploaded file {} is no longer kept.", media.url);
                Err(StepError::Fail(PostFailure::new(PostFailureCode::MediaUnreachable, message)))
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Records the upload of the medium at this position.
    pub(super) fn set_upload(&mut self, position: usize, id: String, ready: bool, now: Timestamp) {
        let items = &mut self.post.progress.items;
        if items.len() <= position {
            items.resize_with(position + 1, Upload::default);
        }
        if let Some(item) = items.get_mut(position) {
            *item = Upload { id: Some(id), made_at: Some(now), ready, polls: 0, tries: item.tries };
        }
        if let Some(media) = self.post.media.get_mut(position) {
            media.status = if ready { MediaStatus::Ready } else { MediaStatus::Processing };
        }
    }

    async fn send_page_post(&mut self, now: Timestamp) -> Stepped {
        self.begin_attempt(now).await?;
        let photos: Vec<String> = self.post.progress.items.iter().filter_map(|item| item.id.clone()).collect();
        let new =
            NewPagePost { message: self.post.message.as_deref(), link: self.post.link.as_deref(), photos: &photos };
        let public = self.graph.publish_post(&self.post.page_id, &new, &self.token).await?;
        self.claim(&public.id).await?;
        self.published(Some(public.id), public.permalink_url, (self.clock)());
        Ok(())
    }

    /// Writes down that the post is about to be made public.
    pub(super) async fn begin_attempt(&mut self, now: Timestamp) -> Stepped {
        self.post.begin_attempt(now);
        self.post.record(now, PostStepKind::Sent, "");
        self.save().await
    }

    /// Claims that something at Meta is this post. `false` if it is another one's.
    pub(super) async fn claim(&self, meta_id: &str) -> Result<bool, StepError> {
        Ok(self.publisher.table.claim_meta_post(&self.scope, meta_id, &self.post.id).await?)
    }

    /// Asks the page whether the post is there, after an answer was lost or an error came.
    async fn look_for_page_post(&mut self, now: Timestamp) -> Stepped {
        let Some(attempt) = self.post.progress.attempt.clone() else { return Ok(()) };
        let since = attempt.began_at - CLOCK_SKEW;
        let mut posts = self.graph.posts_since(&self.post.page_id, since, &self.token).await?;
        posts.retain(|seen| seen.message.as_deref() == self.post.message.as_deref() && seen.created_time >= since);
        // Of two equal posts, the older one belongs to the older call.
        posts.sort_by_key(|seen| seen.created_time);
        for seen in posts {
            if self.claim(&seen.id).await? {
                self.post.record(now, PostStepKind::Checked, phrase!("it is public"));
                self.published(Some(seen.id), seen.permalink_url, now);
                return Ok(());
            }
        }
        self.not_found(now)
    }

    /// Records that Meta does not show the post. If Meta refused it, it has failed.
    pub(super) fn not_found(&mut self, now: Timestamp) -> Stepped {
        self.post.record(now, PostStepKind::Checked, phrase!("it is not public"));
        if let Some(attempt) = &mut self.post.progress.attempt {
            attempt.looks += 1;
            if let Some(refusal) = attempt.refusal.take() {
                self.post.progress.attempt = None;
                return Err(StepError::Fail(refusal));
            }
        }
        Ok(())
    }

    async fn send_video(&mut self, now: Timestamp) -> Stepped {
        self.begin_attempt(now).await?;
        let Some(video) = self.post.media.first() else { return Ok(()) };
        let (page, text) = (&self.post.page_id, self.post.message.as_deref());
        let url = self.download_link(video).await?;
        let id = self.graph.publish_video(page, &url, text, &self.token).await?;
        self.claim(&id).await?;
        self.take_video(id, now);
        Ok(())
    }

    fn take_video(&mut self, id: String, now: Timestamp) {
        self.post.record(now, PostStepKind::Uploaded, format!("video {id}"));
        self.post.progress.attempt = None;
        self.post.progress.container = Some(Upload { id: Some(id), made_at: Some(now), ..Upload::default() });
        if let Some(media) = self.post.media.first_mut() {
            media.status = MediaStatus::Processing;
        }
    }

    async fn look_for_video(&mut self, now: Timestamp) -> Stepped {
        let Some(attempt) = self.post.progress.attempt.clone() else { return Ok(()) };
        let since = attempt.began_at - CLOCK_SKEW;
        let mut videos = self.graph.videos(&self.post.page_id, &self.token).await?;
        let text = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
        videos.retain(|seen| text(&seen.description) == self.post.message && seen.created_time >= since);
        videos.sort_by_key(|seen| seen.created_time);
        for seen in videos {
            if self.claim(&seen.id).await? {
                self.take_video(seen.id, now);
                return Ok(());
            }
        }
        self.not_found(now)
    }

    async fn poll_video(&mut self, now: Timestamp) -> Stepped {
        let Some(id) = self.post.progress.container.as_ref().and_then(|video| video.id.clone()) else { return Ok(()) };
        match self.graph.video_state(&id, &self.token).await? {
            VideoState::Ready { post_id, permalink } => {
                self.published(Some(post_id.unwrap_or(id)), permalink, now);
                Ok(())
            }
            VideoState::Failed(words) => {
                if let Some(media) = self.post.media.first_mut() {
                    media.status = MediaStatus::Failed;
                }
                Err(StepError::Fail(PostFailure::new(PostFailureCode::MediaRefused, format!("Video: {words}"))))
            }
            VideoState::Processing => {
                self.wait_for_media(None, now);
                Ok(())
            }
        }
    }

    /// Waits for Meta's work on a medium, each time longer.
    pub(super) fn wait_for_media(&mut self, position: Option<usize>, now: Timestamp) {
        let progress = &mut self.post.progress;
        let upload = match position {
            Some(position) => progress.items.get_mut(position),
            None => progress.container.as_mut(),
        };
        let Some(upload) = upload else { return };
        let next = upload.next_poll(now);
        upload.polls += 1;
        self.wait_until(next, phrase!("Meta is processing the media"));
    }

    /// Deletes what was uploaded for a post that failed. Photos that cannot be deleted disappear within a day; a video
    /// may become public, so it stays in the post's progress.
    pub(super) async fn delete_uploads(&mut self) {
        let PostProgress { items, container, .. } = &mut self.post.progress;
        for upload in items.iter_mut().chain(container) {
            let Some(id) = &upload.id else { continue };
            match self.graph.delete_object(id, &self.token).await {
                Ok(()) => upload.id = None,
                Err(error) => tracing::warn!(%error, post = %self.post.id, upload = id, "an upload was not deleted"),
            }
        }
    }
}

/// A step that this kind of post does not have.
pub(super) fn unreachable_step(step: PublishStep) -> Stepped {
    tracing::error!(?step, "a post has no such step");
    let failure = PostFailure::new(
        PostFailureCode::Defect,
        phrase!("Leadwire made a mistake with this post. Its operator finds it in the log."),
    );
    Err(StepError::Fail(failure))
}
