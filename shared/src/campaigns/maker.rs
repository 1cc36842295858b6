//! Makes a campaign at Meta, one object after the other. Each is written down before and after it is made; what is not
//! known to exist is looked for by the campaign's mark before it is made again. What cannot be completed is deleted.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::RIGHTS;
use crate::bus::Bus;
use crate::error::WorkError;
use crate::graph::campaign_refusal::refused_field;
use crate::graph::campaigns::Execution;
use crate::graph::publish_fault::PublishFault;
use crate::graph::{GraphClient, GraphError};
use crate::ids::{AdObjectId, CampaignId, OrgScope};
use crate::jobs::{CheckJob, PublishJob};
use crate::meta_app::MetaApp;
use crate::model::campaigns::step::{CampaignStep, MetaObject};
use crate::model::campaigns::{CampaignError, CampaignErrorCode, CampaignStatus, LeadCampaign};
use crate::model::connection::state::EndReason;
use crate::model::event::Event;
use crate::model::publishing::progress::{LEASE, PublishLease};
use crate::phrase;
use crate::publishing::Clock;
use crate::publishing::target::{NoTarget, find_target};
use crate::queue::Queue;
use crate::retry::backoff;
use crate::secret::AccessToken;
use crate::table::Table;

/// No step is begun with less than this left: one call to Meta, and what is stored after it.
const MIN_STEP_TIME: Duration = Duration::from_secs(55);
const FIRST_RETRY_DELAY: Duration = Duration::from_secs(10);
const MAX_RETRY_DELAY: Duration = Duration::from_mins(15);

/// Makes campaigns, one for each job.
#[derive(Debug, Clone)]
pub struct CampaignMaker {
    /// The Graph API and the vault.
    pub meta: MetaApp,
    /// Stores campaigns.
    pub table: Table,
    /// Takes the outcomes.
    pub bus: Bus,
    /// Takes campaigns that have to wait.
    pub queue: Queue<PublishJob>,
    /// Takes integrations whose token turns out to be invalid.
    pub checks: Queue<CheckJob>,
}

/// A campaign in a worker's hands.
struct Making<'a> {
    maker: &'a CampaignMaker,
    scope: OrgScope,
    campaign: LeadCampaign,
    graph: GraphClient,
    token: AccessToken,
    check: CheckJob,
    clock: Clock<'a>,
}

/// Why a step of a campaign was not completed.
enum MakeError {
    /// A call to Meta failed.
    Meta(GraphError),
    /// Another worker has the campaign now.
    Lost,
    /// Something of ours failed. The message comes again.
    Work(WorkError),
}

impl<E: Into<WorkError>> From<E> for MakeError {
    fn from(error: E) -> Self {
        match error.into() {
            WorkError::Graph(error) => Self::Meta(error),
            error => Self::Work(error),
        }
    }
}

impl CampaignMaker {
    /// Takes a campaign as far as it gets without waiting, in at most `time_left`.
    ///
    /// # Errors
    /// If the table, the vault, a queue or the bus failed. What was done is stored; a repetition goes on from there.
    pub async fn make(
        &self,
        job: &PublishJob,
        id: &CampaignId,
        time_left: Duration,
        clock: Clock<'_>,
    ) -> Result<(), WorkError> {
        let deadline = tokio::time::Instant::now() + time_left.saturating_sub(MIN_STEP_TIME);
        let scope = job.scope();
        let Some(campaign) = self.table.claim_campaign(&scope, id, clock()).await? else { return Ok(()) };
        let outcome = match self.prepare(&scope, campaign, clock).await? {
            Ok(mut making) => making.run(deadline).await,
            Err((campaign, error)) => self.end_unprepared(&scope, campaign, error, clock()).await,
        };
        match outcome {
            Ok(()) => Ok(()),
            Err(MakeError::Lost) => {
                tracing::info!(campaign = %id, "another worker has taken the campaign over");
                Ok(())
            }
            Err(MakeError::Work(error)) => Err(error),
            Err(MakeError::Meta(error)) => Err(error.into()),
        }
    }

    /// Finds the token. The second error is the campaign, and why no token was found.
    async fn prepare<'a>(
        &'a self,
        scope: &OrgScope,
        campaign: LeadCampaign,
        clock: Clock<'a>,
    ) -> Result<Result<Making<'a>, (LeadCampaign, CampaignError)>, WorkError> {
        let found = find_target(&self.table, scope, &campaign.spec.page_id, RIGHTS, clock()).await?;
        let (code, message) = match found {
            Ok(target) => {
                let check = CheckJob::new(scope, &target.integration.id);
                match self.meta.vault.user_token(&target.integration.credentials).await.map_err(WorkError::from) {
                    Ok(token) => {
                        let (graph, scope) = (self.meta.graph().await?, scope.clone());
                        return Ok(Ok(Making { maker: self, scope, campaign, graph, token, check, clock }));
                    }
                    Err(error) if error.is_of_token() => {
                        self.checks.send(&[check]).await?;
                        (CampaignErrorCode::ConnectionExpired, EndReason::TokenUnreadable.message().into_owned())
                    }
                    Err(error) => return Err(error),
                }
            }
            Err(NoTarget::NotAllowed(missing)) => (CampaignErrorCode::PermissionMissing, missing),
            Err(NoTarget::Ended(reason)) => (CampaignErrorCode::ConnectionExpired, String::from(reason.message())),
            Err(NoTarget::NotConnected) => {
                (CampaignErrorCode::ConnectionExpired, phrase!("The page is not connected any more.").to_owned())
            }
        };
        Ok(Err((campaign, error(None, code, message))))
    }

    /// Ends a campaign for which Meta cannot be called. One that exists stays as it was last seen.
    async fn end_unprepared(
        &self,
        scope: &OrgScope,
        mut campaign: LeadCampaign,
        error: CampaignError,
        now: Timestamp,
    ) -> Result<(), MakeError> {
        if campaign.status != CampaignStatus::Creating && campaign.progress.told {
            tracing::info!(campaign = %campaign.id, reason = error.message, "a campaign could not be reviewed");
            campaign.seen_at = Some(now);
            campaign.progress.lease = None;
            return self.save(scope, &mut campaign).await;
        }
        if campaign.status == CampaignStatus::Creating {
            campaign.errors = vec![error];
            campaign.status = CampaignStatus::Failed;
            campaign.changed_at = now;
        }
        self.tell(scope, &mut campaign).await
    }

    /// Stores the outcome, publishes it on the bus, and then stores that it was published.
    async fn tell(&self, scope: &OrgScope, campaign: &mut LeadCampaign) -> Result<(), MakeError> {
        campaign.progress.next_at = None;
        self.save(scope, campaign).await?;
        self.bus.publish(&[Event::campaign_changed(campaign)]).await?;
        campaign.progress.told = true;
        campaign.progress.lease = None;
        self.save(scope, campaign).await
    }

    async fn save(&self, scope: &OrgScope, campaign: &mut LeadCampaign) -> Result<(), MakeError> {
        if self.table.put_campaign(scope, campaign).await? { Ok(()) } else { Err(MakeError::Lost) }
    }
}

fn error(field: Option<&str>, code: CampaignErrorCode, message: String) -> CampaignError {
    CampaignError { field: field.map(ToOwned::to_owned), code, message, fix: code.fix().into_owned() }
}

impl Making<'_> {
    async fn run(&mut self, deadline: tokio::time::Instant) -> Result<(), MakeError> {
        loop {
            let now = (self.clock)();
            let step = self.campaign.next_step(now);
            match step {
                CampaignStep::Nothing => return self.release().await,
                CampaignStep::Tell => return self.maker.tell(&self.scope, &mut self.campaign).await,
                CampaignStep::Rest(until) => return self.rest(until).await,
                _ if tokio::time::Instant::now() >= deadline => return self.rest(now).await,
                _ => {}
            }
            match self.step(step, now).await {
                Ok(()) => self.campaign.progress.failures = 0,
                Err(MakeError::Meta(error)) => self.take_error(&error).await?,
                Err(other) => return Err(other),
            }
            self.campaign.progress.lease = Some(PublishLease { until: (self.clock)() + LEASE });
            self.maker.save(&self.scope, &mut self.campaign).await?;
        }
    }

    async fn step(&mut self, step: CampaignStep, now: Timestamp) -> Result<(), MakeError> {
        match step {
            CampaignStep::Validate => {
                self.graph.make_campaign(&self.campaign, Execution::Validate, &self.token).await?;
                self.graph.make_creative(&self.campaign, Execution::Validate, &self.token).await?;
                self.campaign.progress.validated = true;
            }
            CampaignStep::Make(object) => {
                self.campaign.begin_attempt(now);
                self.maker.save(&self.scope, &mut self.campaign).await?;
                let made = self.make(object).await?;
                self.found(object, made);
            }
            CampaignStep::LookUp(object) => match self.look_up(object).await? {
                Some(found) => self.found(object, Some(found)),
                None => self.campaign.progress.attempt.iter_mut().for_each(|attempt| attempt.looks += 1),
            },
            CampaignStep::CheckCreative => self.check_creative().await?,
            CampaignStep::Undo => self.undo().await?,
            CampaignStep::Complete => {
                self.campaign.status = CampaignStatus::Paused;
                self.campaign.changed_at = now;
            }
            CampaignStep::Review => self.review(now).await?,
            CampaignStep::Rest(_) | CampaignStep::Tell | CampaignStep::Nothing => {}
        }
        Ok(())
    }

    /// Reads the campaign's state and Meta's review of it.
    async fn review(&mut self, now: Timestamp) -> Result<(), MakeError> {
        let (Some(own), Some(ad)) = (&self.campaign.meta.campaign_id, &self.campaign.meta.ad_id) else {
            self.campaign.seen_at = Some(now);
            return Ok(());
        };
        match self.graph.seen_campaign(own, ad, &self.token).await {
            Ok(seen) => self.campaign.see(seen.status, seen.review, now),
            Err(error) => {
                tracing::info!(%error, campaign = %self.campaign.id, "the state of a campaign was not read from Meta");
                self.campaign.seen_at = Some(now);
                if error.token_death().is_some() {
                    self.maker.checks.send(std::slice::from_ref(&self.check)).await?;
                }
            }
        }
        Ok(())
    }

    /// Gives the campaign back.
    async fn release(&mut self) -> Result<(), MakeError> {
        self.campaign.progress.lease = None;
        self.maker.save(&self.scope, &mut self.campaign).await
    }

    async fn make(&self, object: MetaObject) -> Result<Option<AdObjectId>, GraphError> {
        let (campaign, meta, token) = (&self.campaign, &self.campaign.meta, &self.token);
        match (object, &meta.campaign_id, &meta.adset_id, &meta.creative_id) {
            (MetaObject::Campaign, ..) => self.graph.make_campaign(campaign, Execution::Make, token).await,
            (MetaObject::Adset, Some(parent), ..) => {
                self.graph.make_adset(campaign, parent, Execution::Make, token).await
            }
            (MetaObject::Creative, ..) => self.graph.make_creative(campaign, Execution::Make, token).await,
            (MetaObject::Ad, _, Some(adset), Some(creative)) => {
                self.graph.make_ad(campaign, adset, creative, token).await
            }
            _ => Ok(None),
        }
    }

    async fn look_up(&self, object: MetaObject) -> Result<Option<AdObjectId>, GraphError> {
        let (campaign, meta, token, mark) = (&self.campaign, &self.campaign.meta, &self.token, self.campaign.mark());
        match (object, &meta.campaign_id, &meta.adset_id) {
            (MetaObject::Campaign, ..) => self.graph.find_campaign(campaign, token).await,
            (MetaObject::Adset, Some(parent), _) => self.graph.find_below(parent, "adsets", &mark, token).await,
            (MetaObject::Creative, ..) => self.graph.find_creative(campaign, token).await,
            (MetaObject::Ad, _, Some(adset)) => self.graph.find_below(adset, "ads", &mark, token).await,
            _ => Ok(None),
        }
    }

    fn found(&mut self, object: MetaObject, id: Option<AdObjectId>) {
        let meta = &mut self.campaign.meta;
        let place = match object {
            MetaObject::Campaign => &mut meta.campaign_id,
            MetaObject::Adset => &mut meta.adset_id,
            MetaObject::Creative => &mut meta.creative_id,
            MetaObject::Ad => &mut meta.ad_id,
        };
        *place = id;
        self.campaign.progress.attempt = None;
    }

    /// Reads the creative back: Meta answers with an id for a creative whose form it ignores, and refuses the ad.
    async fn check_creative(&mut self) -> Result<(), MakeError> {
        let Some(id) = self.campaign.meta.creative_id.clone() else { return Ok(()) };
        let form = self.graph.creative_form(&id, &self.token).await?;
        if form.as_deref() == Some(self.campaign.spec.form_id.as_str()) {
            self.campaign.progress.creative_checked = true;
            return Ok(());
        }
        let message = phrase!("Meta took the creative without its lead form.").to_owned();
        self.campaign.undo(vec![error(Some("leadFormId"), CampaignErrorCode::FormRefused, message)]);
        Ok(())
    }

    /// Deletes what was made. The ad set and the ad go with their campaign.
    async fn undo(&mut self) -> Result<(), MakeError> {
        for id in [self.campaign.meta.campaign_id.clone(), self.campaign.meta.creative_id.clone()].into_iter().flatten()
        {
            match self.graph.delete_object(id.as_str(), &self.token).await {
                // It is gone already.
                Ok(()) | Err(GraphError::NotVisible(_)) => {}
                Err(error) => return Err(error.into()),
            }
        }
        self.campaign.meta = Default::default();
        self.campaign.progress.attempt = None;
        self.campaign.status = CampaignStatus::Failed;
        self.campaign.changed_at = (self.clock)();
        Ok(())
    }

    /// Gives the campaign back and has it come again.
    async fn rest(&mut self, until: Timestamp) -> Result<(), MakeError> {
        self.campaign.progress.next_at = Some(until);
        self.campaign.progress.lease = None;
        self.maker.save(&self.scope, &mut self.campaign).await?;
        let delay = Duration::try_from(until.duration_since((self.clock)())).unwrap_or_default();
        if let Err(error) = self.maker.queue.send_later(&PublishJob::campaign(&self.campaign), delay).await {
            tracing::warn!(%error, campaign = %self.campaign.id, "a campaign could not be queued again; the schedule will");
        }
        Ok(())
    }

    /// Decides what an error of Meta's means for the campaign.
    async fn take_error(&mut self, error: &GraphError) -> Result<(), MakeError> {
        let now = (self.clock)();
        tracing::warn!(%error, campaign = %self.campaign.id, "a step of a campaign failed");
        if error.token_death().is_some() {
            self.maker.checks.send(std::slice::from_ref(&self.check)).await?;
        }
        let wait = match error.publish_fault() {
            PublishFault::Refused(_) | PublishFault::Repeated | PublishFault::Again(_) | PublishFault::NotReady => None,
            PublishFault::Later(wait) => Some(wait),
            PublishFault::Unclear => {
                self.campaign.progress.failures += 1;
                Some(backoff(self.campaign.progress.failures, FIRST_RETRY_DELAY, MAX_RETRY_DELAY))
            }
        };
        let is_undoing = self.campaign.progress.undoing;
        match wait {
            Some(wait) if is_undoing || !self.campaign.is_overdue(now) => {
                let wait = SignedDuration::try_from(wait).unwrap_or(SignedDuration::from_secs(10));
                self.campaign.progress.next_at = Some(now + wait);
            }
            // What cannot be deleted is named, and a person has to.
            None if is_undoing => {
                let left = format!("Left at Meta, paused, because it could not be deleted ({error}).");
                self.campaign.errors.push(self::error(None, CampaignErrorCode::Refused, left));
                self.campaign.status = CampaignStatus::Failed;
                self.campaign.changed_at = now;
            }
            Some(_) => {
                let message = format!("Meta was not available for too long: {error}.");
                self.campaign.undo(vec![self::error(None, CampaignErrorCode::Unavailable, message)]);
            }
            None => {
                let (code, field) = refused_field(error);
                self.campaign.undo(vec![self::error(field, code, words(error))]);
            }
        }
        Ok(())
    }
}

/// Meta's words for people if it has some, and its message.
fn words(error: &GraphError) -> String {
    match error.detail().and_then(|detail| detail.user_message.as_deref().map(|text| (text, detail))) {
        Some((text, detail)) => format!("{text} ({detail})"),
        None => error.to_string(),
    }
}
