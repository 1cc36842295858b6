//! Turns schedules into messages: one for each unit of work that is due.

mod punctuality;

use std::time::Duration;

use futures_util::future::try_join_all;
use jiff::{SignedDuration, Timestamp};
use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use leadwire::ads::start_due_syncs;
use leadwire::deliveries::send_due_deliveries;
use leadwire::ids::OrgId;
use leadwire::jobs::{
    AdsSyncJob, AnswerJob, AssigneeMailJob, CheckJob, ConversionJob, DeliveryJob, PublishJob, RetentionJob,
    SocialSyncJob, SweepJob,
};
use leadwire::leads::start_sweeps;
use leadwire::model::org::{Org, Wanted, interleave_by_org};
use leadwire::queue::Queue;
use leadwire::table::Table;
use leadwire::table::integration::Due;
use leadwire::{aws, env, telemetry, worker};
use serde::{Deserialize, Serialize};
use strum::{EnumIter, IntoStaticStr};

/// The input that a schedule passes to this function.
#[derive(Debug, Deserialize)]
struct Plan {
    job: Schedule,
    /// Include work that is not due yet, for an operator who needs the result now.
    #[serde(default)]
    everything: bool,
    /// Restrict the work to this org, for the same purpose.
    #[serde(default)]
    org: Option<OrgId>,
}

/// The schedules, by their names in the template.
#[derive(Debug, Clone, Copy, Deserialize, EnumIter, IntoStaticStr)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
enum Schedule {
    ExpiryNotice,
    LeadSweep,
    AdsSync,
    PublishWorker,
    AnswerWorker,
    ConversionWorker,
    DeliveryWorker,
    LeadNotice,
    LeadRetention,
    SocialSync,
}

/// The function's response.
#[derive(Debug, Serialize)]
struct Planned {
    messages: usize,
}

/// Time until the same work is handed out again. A worker that finishes sets its own date.
const REDISPATCH_DELAY: SignedDuration = SignedDuration::from_hours(2);
/// Posts that are due within this time get their message. Longer than the time to the next run.
const PUBLISH_HORIZON: SignedDuration = SignedDuration::from_secs(90);
/// The time before the deadline in which no more work is claimed.
const RESERVED_TIME: Duration = Duration::from_secs(10);
/// Units of work handed out per chunk. A small chunk limits the number of repeated messages if this function dies.
const CONCURRENCY: usize = 100;

struct Planner {
    table: Table,
    checks: Queue<CheckJob>,
    sweeps: Queue<SweepJob>,
    ads: Queue<AdsSyncJob>,
    posts: Queue<PublishJob>,
    answers: Queue<AnswerJob>,
    conversions: Queue<ConversionJob>,
    deliveries: Queue<DeliveryJob>,
    mails: Queue<AssigneeMailJob>,
    retentions: Queue<RetentionJob>,
    syncs: Queue<SocialSyncJob>,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    telemetry::init();
    let aws = aws::load(aws::TimeoutProfile::Worker)?;
    let sqs = aws_sdk_sqs::Client::new(&aws);
    let planner = Planner {
        table: Table::new(aws_sdk_dynamodb::Client::new(&aws), env::table_name()?),
        checks: Queue::new(sqs.clone(), env::expiry_notice_queue_url()?),
        sweeps: Queue::new(sqs.clone(), env::lead_sweep_queue_url()?),
        ads: Queue::new(sqs.clone(), env::ads_sync_queue_url()?),
        posts: Queue::new(sqs.clone(), env::publish_queue_url()?),
        answers: Queue::new(sqs.clone(), env::answer_queue_url()?),
        conversions: Queue::new(sqs.clone(), env::conversion_queue_url()?),
        deliveries: Queue::new(sqs.clone(), env::delivery_queue_url()?),
        mails: Queue::new(sqs.clone(), env::lead_notice_queue_url()?),
        retentions: Queue::new(sqs.clone(), env::retention_queue_url()?),
        syncs: Queue::new(sqs, env::social_sync_queue_url()?),
    };
    run(service_fn(|event: LambdaEvent<Plan>| {
        let left = worker::time_left(event.context.deadline());
        planner.plan(event.payload, leadwire::clock::now() + left.saturating_sub(RESERVED_TIME))
    }))
    .await
}

impl Planner {
    /// Sends the messages of a schedule. Begins no sync of an ad account after `until`, and hands out no
    /// delivery.
    async fn plan(&self, plan: Plan, until: Timestamp) -> Result<Planned, Error> {
        let now = leadwire::clock::now();
        // What is planned by hand for one org, or early, says nothing of the schedule.
        let wanted = plan.wanted();
        if wanted == Wanted::default() {
            punctuality::watch(&self.table, plan.job, now).await;
        }
        let messages = match plan.job {
            Schedule::ExpiryNotice => {
                let mut due = self.table.due_integrations((!plan.everything).then_some(now)).await?;
                due.retain(|due| wanted.concerns(due.scope.org()));
                let due = interleave_by_org(due, |due| due.scope.org().clone());
                for due in due.chunks(CONCURRENCY) {
                    let jobs: Vec<CheckJob> = due.iter().map(|due| CheckJob::new(&due.scope, &due.id)).collect();
                    self.checks.send(&jobs).await?;
                    // Postpone only after sending: a message sent twice costs a second check, a message never sent
                    // would skip one.
                    try_join_all(due.iter().map(|due| self.table.postpone_check(due, now + REDISPATCH_DELAY))).await?;
                }
                due.len()
            }
            Schedule::LeadSweep => start_sweeps(&self.table, &self.sweeps, wanted, now).await?,
            Schedule::PublishWorker => {
                // The next run comes in a minute; what is due until then gets a message that arrives in time.
                let horizon = now + PUBLISH_HORIZON;
                let mut due = self.table.publish_due((!plan.everything).then_some(horizon)).await?;
                due.retain(|(_, job)| wanted.concerns(&job.org));
                for due in due.chunks(CONCURRENCY) {
                    let send = async |(at, job): &(Timestamp, PublishJob)| {
                        let delay = if plan.everything { SignedDuration::ZERO } else { at.duration_since(now) };
                        let delay = Duration::try_from(delay).unwrap_or_default();
                        self.posts.send_later(&PublishJob { early: plan.everything, ..job.clone() }, delay).await
                    };
                    try_join_all(due.iter().map(send)).await?;
                }
                due.len()
            }
            Schedule::AnswerWorker => {
                let mut due = self.table.answers_due((!plan.everything).then_some(now)).await?;
                due.retain(|(org, _)| wanted.concerns(org));
                let jobs: Vec<_> = due.into_iter().map(|(org, message)| AnswerJob { org, message }).collect();
                self.answers.send(&jobs).await?;
                jobs.len()
            }
            Schedule::ConversionWorker => {
                let mut due = self.table.orgs_with_due_conversions().await?;
                due.retain(|org| wanted.concerns(org));
                let jobs: Vec<_> = due.into_iter().map(|org| ConversionJob { org, early: plan.everything }).collect();
                self.conversions.send(&jobs).await?;
                jobs.len()
            }
            Schedule::DeliveryWorker => send_due_deliveries(&self.table, &self.deliveries, wanted, now, until).await?,
            Schedule::LeadNotice => {
                let mut due = self.table.due_digests((!plan.everything).then_some(now)).await?;
                due.retain(|(org, _)| wanted.concerns(org));
                let digest = |(org, user_id)| AssigneeMailJob::Digest { org, user_id, early: plan.everything };
                let jobs: Vec<_> = due.into_iter().map(digest).collect();
                self.mails.send(&jobs).await?;
                jobs.len()
            }
            Schedule::LeadRetention => {
                let mut orgs = self.table.orgs().await?;
                orgs.retain(|org| org.keep_leads_days.is_some() && wanted.concerns(&org.id));
                let job = |org: Org| RetentionJob { org: org.id, cursor: None, planned_at: now };
                let jobs: Vec<_> = orgs.into_iter().map(job).collect();
                self.retentions.send(&jobs).await?;
                jobs.len()
            }
            Schedule::SocialSync => {
                let mut all = self.table.due_integrations(None).await?;
                all.retain(|due| wanted.concerns(due.scope.org()));
                let all = interleave_by_org(all, |due| due.scope.org().clone());
                let job = |due: &Due| SocialSyncJob {
                    org: due.scope.org().clone(),
                    integration_id: due.id.clone(),
                    planned_at: now,
                };
                self.syncs.send(&all.iter().map(job).collect::<Vec<_>>()).await?;
                all.len()
            }
            Schedule::AdsSync => {
                let all = self.table.all_ad_accounts().await?;
                start_due_syncs(&self.table, &self.ads, all, wanted, until).await?
            }
        };
        tracing::info!(job = ?plan.job, messages, everything = plan.everything, "planned");
        Ok(Planned { messages })
    }
}

impl Plan {
    fn wanted(&self) -> Wanted<'_> {
        Wanted { org: self.org.as_ref(), everything: self.everything }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_inputs_of_the_template_s_schedules_are_understood() {
        let template = include_str!("../../../infra/template.yaml");
        let inputs = template.lines().filter_map(|line| line.trim().strip_prefix("Input: '")?.strip_suffix('\''));
        let plans: Vec<Plan> = inputs.map(|input| serde_json::from_str(input).unwrap()).collect();
        assert_eq!(plans.len(), 10);
        assert!(plans.iter().all(|plan| !plan.everything && plan.org.is_none()));
        assert!(plans.iter().any(|plan| matches!(plan.job, Schedule::ExpiryNotice)));
        assert!(serde_json::from_str::<Plan>(r#"{"job":"nothing"}"#).is_err());
    }
}
