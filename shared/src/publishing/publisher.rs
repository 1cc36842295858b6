//! Takes a post through its steps. Each step is stored before the next begins; the store refuses a worker whose claim
//! another one has taken over.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::faults::fail_post;
use super::target::{NoTarget, Target, find_target, rights};
use crate::bus::Bus;
use crate::error::WorkError;
use crate::files::Files;
use crate::graph::{GraphClient, GraphError};
use crate::ids::{OrgScope, PostId};
use crate::jobs::{CheckJob, PublishJob};
use crate::meta_app::MetaApp;
use crate::metrics::{self, Metric, PostOutcome};
use crate::model::connection::state::EndReason;
use crate::model::event::Event;
use crate::model::publishing::failure::{PostFailure, PostFailureCode};
use crate::model::publishing::progress::{LEASE, PublishLease, PublishStep};
use crate::model::publishing::{MediaStatus, Post, PostKind, PostStatus, PostStepKind};
use crate::phrase;
use crate::queue::Queue;
use crate::secret::AccessToken;
use crate::table::Table;
use crate::table::post::ClaimedPost;

/// Time between two posts of one page: people and Meta's filters take faster ones for spam.
const TURN_INTERVAL: SignedDuration = SignedDuration::from_secs(5);
/// No step is begun with less than this left: one call to Meta, and what is stored after it.
const MIN_STEP_TIME: Duration = Duration::from_secs(55);

/// Publishes posts, one for each job.
#[derive(Debug, Clone)]
pub struct Publisher {
    /// The Graph API and the vault.
    pub meta: MetaApp,
    /// Stores posts.
    pub table: Table,
    /// Takes the outcomes.
    pub bus: Bus,
    /// Takes posts that have to wait.
    pub queue: Queue<PublishJob>,
    /// Takes integrations whose token turns out to be invalid.
    pub checks: Queue<CheckJob>,
    /// Keeps uploaded pictures and videos.
    pub files: Files,
}

/// A post in a worker's hands, with what it needs to call Meta.
pub(super) struct Work<'a> {
    pub(super) publisher: &'a Publisher,
    pub(super) scope: OrgScope,
    pub(super) post: Post,
    pub(super) graph: GraphClient,
    pub(super) token: AccessToken,
    pub(super) target: Target,
    pub(super) clock: Clock<'a>,
}

/// Tells the time. Work on a post takes a while, and rests.
pub type Clock<'a> = &'a (dyn Fn() -> Timestamp + Sync);

/// The end of a step.
pub(super) type Stepped = Result<(), StepError>;

/// Why a step was not completed.
#[derive(Debug)]
pub(super) enum StepError {
    /// The post fails: this is why.
    Fail(PostFailure),
    /// A call to Meta failed.
    Meta(GraphError),
    /// Another worker has the post now.
    Lost,
    /// Something of ours failed. The message comes again.
    Work(WorkError),
}

impl<E: Into<WorkError>> From<E> for StepError {
    fn from(error: E) -> Self {
        match error.into() {
            WorkError::Graph(error) => Self::Meta(error),
            error => Self::Work(error),
        }
    }
}

impl Publisher {
    /// Takes a post as far as it gets without waiting, in at most `time_left`.
    ///
    /// # Errors
    /// If the table, the vault, a queue or the bus failed. What was done is stored; a repetition goes on from there.
    pub async fn publish(
        &self,
        job: &PublishJob,
        id: &PostId,
        time_left: Duration,
        clock: Clock<'_>,
    ) -> Result<(), WorkError> {
        let scope = &job.scope();
        let deadline = tokio::time::Instant::now() + time_left.saturating_sub(MIN_STEP_TIME);
        let now = clock();
        let post = match self.table.claim_post(scope, id, job.early, now).await? {
            ClaimedPost::Claimed(post) => *post,
            ClaimedPost::Early | ClaimedPost::Nothing => return Ok(()),
        };
        let outcome = match self.prepare(scope.clone(), post, clock).await {
            Ok(Ok(mut work)) => work.run(deadline).await,
            Ok(Err((mut post, failure))) => self.end_unprepared(scope, &mut post, failure, now).await,
            Err(error) => Err(StepError::Work(error)),
        };
        match outcome {
            Ok(()) => Ok(()),
            Err(StepError::Lost) => {
                tracing::info!(post = %id, "another worker has taken the post over");
                Ok(())
            }
            Err(StepError::Work(error)) => Err(error),
            Err(StepError::Meta(error)) => Err(error.into()),
            Err(StepError::Fail(failure)) => {
                tracing::error!(post = %id, ?failure, "a failure of a post was not stored");
                Err(WorkError::Panicked)
            }
        }
    }

    /// Finds the page's token. The second error is why the post fails at once.
    async fn prepare<'a>(
        &'a self,
        scope: OrgScope,
        post: Post,
        clock: Clock<'a>,
    ) -> Result<Result<Work<'a>, (Post, PostFailure)>, WorkError> {
        let fail = |post, code: PostFailureCode, message: String| Ok(Err((post, PostFailure::new(code, message))));
        let org = self.table.org(&scope).await?;
        if !org.is_some_and(|org| org.has_meta()) {
            let message = phrase!("The plan of this org no longer includes Meta.").to_owned();
            return fail(post, PostFailureCode::MetaNotInPlan, message);
        }
        let target = match find_target(&self.table, &scope, &post.page_id, rights(post.kind), clock()).await? {
            Ok(target) => target,
            Err(NoTarget::NotConnected) => {
                let message = format!("The page {} is not connected any more.", post.page_id);
                return fail(post, PostFailureCode::PageNotConnected, message);
            }
            Err(NoTarget::Ended(reason)) => {
                return fail(post, PostFailureCode::ConnectionExpired, String::from(reason.message()));
            }
            Err(NoTarget::NotAllowed(missing)) => return fail(post, PostFailureCode::PermissionMissing, missing),
        };
        let token = self.meta.vault.page_token(&target.connection.credentials, &post.page_id).await;
        let token = match token {
            Ok(token) => token,
            Err(error) => {
                let error = WorkError::from(error);
                if !error.is_of_token() {
                    return Err(error);
                }
                self.checks.send(&[CheckJob::new(&scope, &target.integration.id)]).await?;
                let reason = EndReason::TokenUnreadable.message();
                return fail(post, PostFailureCode::ConnectionExpired, reason.into_owned());
            }
        };
        let graph = self.meta.graph().await?;
        Ok(Ok(Work { publisher: self, scope, post, graph, token, target, clock }))
    }

    /// Ends a post for which Meta cannot be called. What Meta may have done before stays unknown.
    async fn end_unprepared(&self, scope: &OrgScope, post: &mut Post, failure: PostFailure, now: Timestamp) -> Stepped {
        if post.status == PostStatus::Publishing {
            fail_post(post, failure, now);
        }
        self.tell(scope, post).await
    }

    /// Stores the outcome, publishes it on the bus, and then stores that it was published.
    async fn tell(&self, scope: &OrgScope, post: &mut Post) -> Stepped {
        post.progress.next_at = None;
        self.save(scope, post).await?;
        if let Some(event) = Event::of_post(post) {
            self.bus.publish(&[event]).await?;
        }
        post.progress.told = true;
        post.progress.lease = None;
        self.save(scope, post).await?;
        match post.status {
            PostStatus::Published => metrics::count(Metric::Posts(PostOutcome::Published), 1),
            PostStatus::Failed => metrics::count(Metric::Posts(PostOutcome::Failed), 1),
            _ => {}
        }
        Ok(())
    }

    async fn save(&self, scope: &OrgScope, post: &mut Post) -> Stepped {
        if self.table.put_post(scope, post).await? { Ok(()) } else { Err(StepError::Lost) }
    }
}

impl Work<'_> {
    /// Does one step after the other, until something has to wait.
    async fn run(&mut self, deadline: tokio::time::Instant) -> Stepped {
        loop {
            let now = (self.clock)();
            let step = self.post.next_step(now);
            match step {
                PublishStep::Nothing => return Ok(()),
                PublishStep::Tell => return self.publisher.tell(&self.scope, &mut self.post).await,
                PublishStep::Rest(until) => return self.rest(until).await,
                _ if tokio::time::Instant::now() >= deadline => return self.rest(now).await,
                _ => {}
            }
            match self.step(step, now).await {
                Ok(()) => self.post.progress.failures = 0,
                Err(StepError::Meta(error)) => self.take_error(step, error).await?,
                Err(StepError::Fail(failure)) => self.fail(failure, now).await?,
                Err(other) => return Err(other),
            }
            self.post.progress.lease = Some(PublishLease { until: (self.clock)() + LEASE });
            self.save().await?;
        }
    }

    async fn step(&mut self, step: PublishStep, now: Timestamp) -> Stepped {
        match (step, self.post.kind) {
            (PublishStep::Send, _) if !self.has_turn(now).await? => Ok(()),
            (PublishStep::Overdue, _) => {
                let message = phrase!("Meta did not get the media ready in time.");
                Err(StepError::Fail(PostFailure::new(PostFailureCode::MediaNotReady, message)))
            }
            (PublishStep::Describe, kind) => {
                self.post.progress.descriptions += 1;
                let id = self.post.meta_id.clone().unwrap_or_default();
                let link = self.graph.permalink(&id, kind == PostKind::Instagram, &self.token).await?;
                self.post.permalink = Some(link);
                Ok(())
            }
            (step, PostKind::Page) => self.page_step(step, now).await,
            (step, PostKind::Instagram) => self.instagram_step(step, now).await,
        }
    }

    /// Stores what was done.
    pub(super) async fn save(&mut self) -> Stepped {
        self.publisher.save(&self.scope, &mut self.post).await
    }

    /// Waits for the post's turn on its page. `false` if it has not come yet.
    async fn has_turn(&mut self, now: Timestamp) -> Result<bool, StepError> {
        let turn = match self.post.progress.turn_at {
            Some(turn) => turn,
            None => self.publisher.table.reserve_turn(&self.post.page_id, now, TURN_INTERVAL).await?,
        };
        self.post.progress.turn_at = Some(turn);
        if turn > now {
            self.wait_until(turn, phrase!("the post's turn on the page has not come yet"));
            return Ok(false);
        }
        Ok(true)
    }

    /// Records that nothing happens before this time.
    pub(super) fn wait_until(&mut self, until: Timestamp, cause: impl Into<String>) {
        self.post.record((self.clock)(), PostStepKind::Waited, cause);
        self.post.progress.next_at = Some(until);
    }

    /// Records that the post is public.
    pub(super) fn published(&mut self, meta_id: Option<String>, permalink: Option<String>, now: Timestamp) {
        self.post.record(now, PostStepKind::Published, meta_id.clone().unwrap_or_default());
        self.post.media.iter_mut().for_each(|media| media.status = MediaStatus::Ready);
        self.post.meta_id = meta_id;
        self.post.permalink = permalink;
        self.post.published_at = Some(now);
        self.post.status = PostStatus::Published;
        self.post.progress.next_at = None;
    }

    /// Gives the post back and has it come again.
    async fn rest(&mut self, until: Timestamp) -> Stepped {
        self.post.progress.next_at = Some(until);
        self.post.progress.lease = None;
        self.save().await?;
        let delay = Duration::try_from(until.duration_since((self.clock)())).unwrap_or_default();
        if let Err(error) = self.publisher.queue.send_later(&PublishJob::post(&self.post), delay).await {
            tracing::warn!(%error, post = %self.post.id, "a post could not be queued again; the schedule will");
        }
        Ok(())
    }
}
