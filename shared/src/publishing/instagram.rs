//! The steps of a post on Instagram: containers, which Meta fills from the addresses of the media, and the one call that
//! makes the last of them public.

use jiff::{SignedDuration, Timestamp};

use super::page::unreachable_step;
use super::publisher::{StepError, Stepped, Work};
use crate::graph::GraphError;
use crate::graph::instagram::{ContainerState, NewContainer};
use crate::graph::publish_fault::{PublishFault, fault_of};
use crate::ids::InstagramAccountId;
use crate::model::publishing::failure::{PostFailure, PostFailureCode};
use crate::model::publishing::progress::{MAX_MEDIA_TRIES, PublishStep, Upload};
use crate::model::publishing::{InstagramFormat, MediaStatus, PostStepKind};
use crate::phrase;

/// A container that is not published this long after the call is not going to be.
const LATEST_EFFECT: SignedDuration = SignedDuration::from_secs(90);
/// How long a post waits when the account's limit of the day is reached.
const LIMIT_WAIT: SignedDuration = SignedDuration::from_mins(30);
/// A medium may bear a time a little before the call that published it.
const CLOCK_SKEW: SignedDuration = SignedDuration::from_mins(2);
/// How often the id of a published medium is looked for.
const MAX_IDENTIFICATIONS: u32 = 4;

impl Work<'_> {
    pub(super) async fn instagram_step(&mut self, step: PublishStep, now: Timestamp) -> Stepped {
        match step {
            PublishStep::Upload(position) => self.contain_item(position, now).await,
            PublishStep::PollUpload(position) => self.poll_container(Some(position), now).await,
            PublishStep::Contain => self.contain(now).await,
            PublishStep::Poll => self.poll_container(None, now).await,
            PublishStep::Send => self.publish_container(now).await,
            PublishStep::LookUp => self.look_at_container(now).await,
            other => unreachable_step(other),
        }
    }

    fn account(&self) -> Result<InstagramAccountId, StepError> {
        let missing =
            || PostFailure::new(PostFailureCode::NoInstagramAccount, phrase!("The post names no Instagram account."));
        self.post.instagram_account_id.clone().ok_or_else(|| StepError::Fail(missing()))
    }

    async fn contain_item(&mut self, position: usize, now: Timestamp) -> Stepped {
        let account = self.account()?;
        let Some(media) = self.post.media.get(position) else { return Ok(()) };
        let url = self.download_link(media).await?;
        let item = NewContainer::Item { url: &url, media: media.r#type };
        let id = self.graph.create_container(&account, &item, &self.token).await?;
        self.set_upload(position, id.clone(), false, now);
        self.post.record(now, PostStepKind::Uploaded, format!("item {} as {id}", position + 1));
        Ok(())
    }

    async fn contain(&mut self, now: Timestamp) -> Stepped {
        let account = self.account()?;
        let caption = self.post.message.as_deref();
        let children: Vec<String> = self.post.progress.items.iter().filter_map(|item| item.id.clone()).collect();
        let Some(media) = self.post.media.first() else { return Ok(()) };
        let url = self.download_link(media).await?;
        let new = match self.post.format {
            Some(InstagramFormat::Carousel) => NewContainer::Carousel { children: &children, caption },
            Some(InstagramFormat::Reel) => NewContainer::Reel { url: &url, caption },
            Some(InstagramFormat::Story) => NewContainer::Story { url: &url, media: media.r#type },
            Some(InstagramFormat::Image) | None => NewContainer::Image { url: &url, caption },
        };
        let id = self.graph.create_container(&account, &new, &self.token).await?;
        self.post.record(now, PostStepKind::Uploaded, format!("container {id}"));
        let tries = self.post.progress.container.as_ref().map_or(0, |container| container.tries);
        let container = Upload { id: Some(id), made_at: Some(now), tries, ..Upload::default() };
        self.post.progress.container = Some(container);
        self.post.media.iter_mut().for_each(|media| media.status = MediaStatus::Processing);
        Ok(())
    }

    /// Reads how far a container is: an item's, or the post's.
    async fn poll_container(&mut self, position: Option<usize>, now: Timestamp) -> Stepped {
        let progress = &self.post.progress;
        let upload = position.map_or(progress.container.as_ref(), |position| progress.items.get(position));
        let Some(id) = upload.and_then(|upload| upload.id.clone()) else { return Ok(()) };
        let state = self.graph.container_state(&id, &self.token).await?;
        match state {
            ContainerState::InProgress => {
                self.wait_for_media(position, now);
                Ok(())
            }
            ContainerState::Finished => {
                let progress = &mut self.post.progress;
                let upload = match position {
                    Some(position) => progress.items.get_mut(position),
                    None => progress.container.as_mut(),
                };
                upload.into_iter().for_each(|upload| upload.ready = true);
                let ready = position.map_or(0..self.post.media.len(), |position| position..position + 1);
                for media in self.post.media.get_mut(ready).into_iter().flatten() {
                    media.status = MediaStatus::Ready;
                }
                Ok(())
            }
            // The call was made by a worker that could not write it down, which cannot be; better to look than to repeat.
            ContainerState::Published => self.identify(now).await,
            ContainerState::Expired => self.make_again(position, now),
            ContainerState::Failed { subcode, message } => self.container_failed(position, subcode, &message, now),
        }
    }

    /// Has a container made again that Meta dropped.
    fn make_again(&mut self, position: Option<usize>, now: Timestamp) -> Stepped {
        let progress = &mut self.post.progress;
        progress.attempt = None;
        if position.is_none() {
            // The items are as old as the carousel.
            progress.items.iter_mut().for_each(Upload::discard);
        }
        let upload = match position {
            Some(position) => progress.items.get_mut(position),
            None => progress.container.as_mut(),
        };
        let Some(upload) = upload else { return Ok(()) };
        upload.discard();
        upload.tries += 1;
        if upload.tries >= MAX_MEDIA_TRIES {
            let message = phrase!("Meta dropped the media again and again.");
            return Err(StepError::Fail(PostFailure::new(PostFailureCode::MediaNotReady, message)));
        }
        self.wait_until(now + SignedDuration::from_secs(5), phrase!("Meta dropped the media; they are made again"));
        Ok(())
    }

    fn container_failed(
        &mut self,
        position: Option<usize>,
        subcode: Option<i64>,
        message: &str,
        now: Timestamp,
    ) -> Stepped {
        // A container that has failed was not published.
        self.post.progress.attempt = None;
        let place = position.or((self.post.media.len() == 1).then_some(0));
        let media = place.and_then(|place| Some((place, self.post.media.get(place)?)));
        let message = match media {
            Some((place, media)) => format!("Medium {} ({}): {message}", place + 1, media.url),
            None => message.to_owned(),
        };
        match subcode.map(fault_of) {
            Some(PublishFault::Again(code)) => {
                let exhausted = self.make_again(position, now).is_err();
                if exhausted { Err(StepError::Fail(PostFailure::new(code, message))) } else { Ok(()) }
            }
            fault => {
                if let Some(media) = place.and_then(|place| self.post.media.get_mut(place)) {
                    media.status = MediaStatus::Failed;
                }
                let code = match fault {
                    Some(PublishFault::Refused(code)) => code,
                    _ => PostFailureCode::MediaRefused,
                };
                Err(StepError::Fail(PostFailure::new(code, message)))
            }
        }
    }

    async fn publish_container(&mut self, now: Timestamp) -> Stepped {
        let account = self.account()?;
        let limit = self.graph.publishing_limit(&account, &self.token).await?;
        if limit.used >= limit.total {
            if now + LIMIT_WAIT > self.post.due_at() + crate::model::publishing::progress::GIVE_UP_AFTER {
                let message = format!("The account has published {} of {} posts in 24 hours.", limit.used, limit.total);
                return Err(StepError::Fail(PostFailure::new(PostFailureCode::LimitReached, message)));
            }
            let cause = format!("Instagram's limit of {} posts in 24 hours", limit.total);
            self.wait_until(now + LIMIT_WAIT, cause);
            return Ok(());
        }
        let Some(container) = self.post.progress.container.as_ref().and_then(|container| container.id.clone()) else {
            return Ok(());
        };
        self.begin_attempt(now).await?;
        let id = self.graph.publish_container(&account, &container, &self.token).await?;
        self.claim(&id).await?;
        self.published(Some(id), None, (self.clock)());
        Ok(())
    }

    /// Asks the container whether it was published, after an answer was lost or an error came.
    async fn look_at_container(&mut self, now: Timestamp) -> Stepped {
        let container = self.post.progress.container.clone().unwrap_or_default();
        let (Some(id), Some(attempt)) = (&container.id, self.post.progress.attempt.clone()) else {
            self.post.progress.attempt = None;
            return Ok(());
        };
        let state = match self.graph.container_state(id, &self.token).await {
            // Meta has forgotten it. Only the account's media say what became of it.
            Err(GraphError::NotVisible(_)) if !container.is_made(now) => {
                return if self.find_medium(now).await? { Ok(()) } else { self.make_again(None, now) };
            }
            state => state?,
        };
        match state {
            ContainerState::Published => self.identify(now).await,
            ContainerState::Finished | ContainerState::InProgress if attempt.refusal.is_some() => self.not_found(now),
            ContainerState::Finished | ContainerState::InProgress => {
                if now < attempt.sent_at + LATEST_EFFECT {
                    self.wait_until(
                        now + SignedDuration::from_secs(15),
                        phrase!("it is not clear yet whether the post is public"),
                    );
                } else {
                    self.post.record(now, PostStepKind::Checked, phrase!("it is not public"));
                    if let Some(attempt) = &mut self.post.progress.attempt {
                        attempt.looks = crate::model::publishing::progress::LOOKS;
                    }
                }
                Ok(())
            }
            ContainerState::Expired => self.make_again(None, now),
            ContainerState::Failed { subcode, message } => self.container_failed(None, subcode, &message, now),
        }
    }

    /// Finds the medium of a container that was published. A medium that cannot be told apart stays unnamed.
    async fn identify(&mut self, now: Timestamp) -> Stepped {
        if self.find_medium(now).await? {
            return Ok(());
        }
        self.post.progress.descriptions += 1;
        if self.post.progress.descriptions < MAX_IDENTIFICATIONS {
            self.wait_until(now + SignedDuration::from_secs(10), phrase!("the post's id is not known yet"));
            return Ok(());
        }
        self.post.record(now, PostStepKind::Checked, phrase!("it is public; Meta does not say under which id"));
        self.published(None, None, now);
        Ok(())
    }

    /// Looks for a medium with the post's caption, not older than the call, and no other post's: the container does not
    /// say its id. If there is one, the post is public.
    async fn find_medium(&mut self, now: Timestamp) -> Result<bool, StepError> {
        let account = self.account()?;
        let is_story = self.post.format == Some(InstagramFormat::Story);
        let began_at = self.post.progress.attempt.as_ref().map_or(self.post.created_at, |attempt| attempt.began_at);
        let since = began_at - CLOCK_SKEW;
        let mut media = self.graph.newest_media(&account, is_story, &self.token).await?;
        let caption = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
        media.retain(|seen| (is_story || caption(&seen.caption) == self.post.message) && seen.timestamp >= since);
        media.sort_by_key(|seen| seen.timestamp);
        // A story and a post without caption can only be recognised if nothing else was published meanwhile.
        let is_certain = self.post.message.is_some() && !is_story || media.len() == 1;
        for seen in media.into_iter().filter(|_| is_certain) {
            if self.claim(&seen.id).await? {
                self.post.record(now, PostStepKind::Checked, phrase!("it is public"));
                self.published(Some(seen.id), seen.permalink, now);
                return Ok(true);
            }
        }
        Ok(false)
    }
}
