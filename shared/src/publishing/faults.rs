//! What a failed step means for a post: tried again, waited for, or the end of it.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::publisher::{Stepped, Work};
use crate::graph::GraphError;
use crate::graph::publish_fault::PublishFault;
use crate::jobs::CheckJob;
use crate::model::publishing::failure::{PostFailure, PostFailureCode};
use crate::model::publishing::progress::{GIVE_UP_AFTER, MAX_MEDIA_TRIES, PublishStep};
use crate::model::publishing::{Media, MediaStatus, MediaType, Post, PostKind, PostStatus, PostStepKind};
use crate::phrase;
use crate::retry::backoff;

const FIRST_RETRY_DELAY: Duration = Duration::from_secs(10);
const MAX_RETRY_DELAY: Duration = Duration::from_mins(15);

/// Ends a post as failed. A call whose outcome is not known stays in its progress.
pub(super) fn fail_post(post: &mut Post, failure: PostFailure, now: Timestamp) {
    post.record(now, PostStepKind::Failed, failure.message.clone());
    post.failure = Some(failure);
    post.status = PostStatus::Failed;
}

impl Work<'_> {
    /// Decides what an error of Meta's means for the post.
    pub(super) async fn take_error(&mut self, step: PublishStep, error: GraphError) -> Stepped {
        let now = (self.clock)();
        tracing::warn!(%error, post = %self.post.id, ?step, "a step of a post failed");
        if error.token_death().is_some() {
            self.publisher.checks.send(&[CheckJob::new(&self.scope, &self.target.integration.id)]).await?;
        }
        if step == PublishStep::Describe {
            self.wait_until(now + SignedDuration::from_secs(5), phrase!("the post's address is not known yet"));
            return Ok(());
        }
        if now > self.post.due_at() + GIVE_UP_AFTER {
            let message = format!("Meta was not available for too long: {error}.");
            return self.fail(PostFailure::new(PostFailureCode::Unavailable, message), now).await;
        }
        match error.publish_fault() {
            PublishFault::Refused(code) => self.refuse(step, code, &error, now).await,
            PublishFault::Later(wait) => {
                let until = now + wait;
                self.publisher.table.hold_turns(&self.post.page_id, until).await?;
                self.post.progress.turn_at = None;
                self.wait_until(until, format!("Meta limits posts at the moment: {error}"));
                Ok(())
            }
            PublishFault::NotReady => {
                self.wait_until(now + SignedDuration::from_secs(15), phrase!("Meta is processing the media"));
                Ok(())
            }
            PublishFault::Again(code) => self.offer_again(step, code, &error, now).await,
            PublishFault::Repeated if step == PublishStep::Send => {
                // The post it repeats may be this one.
                let failure = PostFailure::new(PostFailureCode::Duplicate, words(&error));
                self.set_refusal(failure);
                Ok(())
            }
            PublishFault::Repeated => self.refuse(step, PostFailureCode::Duplicate, &error, now).await,
            PublishFault::Unclear => {
                self.post.progress.failures += 1;
                let delay = backoff(self.post.progress.failures, FIRST_RETRY_DELAY, MAX_RETRY_DELAY);
                let delay = SignedDuration::try_from(delay).unwrap_or(SignedDuration::from_secs(10));
                self.wait_until(now + delay, error.to_string());
                Ok(())
            }
        }
    }

    /// Meta refuses a step. A post that was sent may be public all the same, so Meta is asked first.
    async fn refuse(
        &mut self,
        step: PublishStep,
        code: PostFailureCode,
        error: &GraphError,
        now: Timestamp,
    ) -> Stepped {
        let failure = PostFailure::new(code, self.message(step, error));
        if step == PublishStep::Send && self.post.progress.attempt.is_some() && error.token_death().is_none() {
            self.set_refusal(failure);
            return Ok(());
        }
        self.mark_failed(step);
        self.fail(failure, now).await
    }

    fn set_refusal(&mut self, failure: PostFailure) {
        if let Some(attempt) = &mut self.post.progress.attempt {
            attempt.refusal = Some(failure);
        }
    }

    /// Has a medium made again after a pause, unless that was tried often enough.
    async fn offer_again(
        &mut self,
        step: PublishStep,
        code: PostFailureCode,
        error: &GraphError,
        now: Timestamp,
    ) -> Stepped {
        let tries = self.count_try(step);
        if tries >= MAX_MEDIA_TRIES {
            return self.refuse(step, code, error, now).await;
        }
        let pause = SignedDuration::from_secs(10 * i64::from(tries));
        self.wait_until(now + pause, self.message(step, error));
        Ok(())
    }

    /// Counts an offer of a medium that failed.
    fn count_try(&mut self, step: PublishStep) -> u32 {
        let upload = match step {
            PublishStep::Upload(position) | PublishStep::PollUpload(position) => {
                if self.post.progress.items.len() <= position {
                    self.post.progress.items.resize_with(position + 1, Default::default);
                }
                self.post.progress.items.get_mut(position)
            }
            _ => Some(self.post.progress.container.get_or_insert_default()),
        };
        let Some(upload) = upload else { return u32::MAX };
        upload.discard();
        upload.tries += 1;
        upload.tries
    }

    fn mark_failed(&mut self, step: PublishStep) {
        let position = match step {
            PublishStep::Upload(position) | PublishStep::PollUpload(position) => Some(position),
            PublishStep::Contain | PublishStep::Poll if self.post.media.len() == 1 => Some(0),
            _ => None,
        };
        if let Some(media) = position.and_then(|position| self.post.media.get_mut(position)) {
            media.status = MediaStatus::Failed;
        }
    }

    /// Says what failed: which of the media, and Meta's words.
    fn message(&self, step: PublishStep, error: &GraphError) -> String {
        let position = match step {
            PublishStep::Upload(position) | PublishStep::PollUpload(position) => Some(position),
            PublishStep::Contain | PublishStep::Poll if self.post.media.len() == 1 => Some(0),
            _ => None,
        };
        let media = position.and_then(|position| Some((position, self.post.media.get(position)?)));
        match media {
            Some((position, media)) if self.post.media.len() > 1 => {
                let number = position + 1;
                format!(
                    "{} {number} of {} ({}): {}",
                    capitalised(media),
                    self.post.media.len(),
                    media.url,
                    words(error)
                )
            }
            Some((_, media)) => format!("{} ({}): {}", capitalised(media), media.url, words(error)),
            None => words(error),
        }
    }

    /// Ends the post as failed, and removes what was prepared for it at Meta, unless that may be public.
    pub(super) async fn fail(&mut self, failure: PostFailure, now: Timestamp) -> Stepped {
        if self.post.kind == PostKind::Page && self.post.progress.attempt.is_none() {
            self.delete_uploads().await;
        }
        fail_post(&mut self.post, failure, now);
        Ok(())
    }
}

fn capitalised(media: &Media) -> &'static str {
    match media.r#type {
        MediaType::Image => "Picture",
        MediaType::Video => "Video",
    }
}

/// Meta's words for people if it has some, else its message.
fn words(error: &GraphError) -> String {
    match error.detail() {
        Some(detail) => detail.user_message.as_deref().map_or_else(|| detail.to_string(), ToOwned::to_owned),
        None => error.to_string(),
    }
}
