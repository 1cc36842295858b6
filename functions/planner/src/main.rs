//! Turns schedules into messages: one for each unit of work that is due.

use std::collections::{BTreeMap, VecDeque};

use futures_util::future::{join_all, try_join_all};
use jiff::SignedDuration;
use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use leadwire::ads::{StartOutcome, start_sync};
use leadwire::error::WorkError;
use leadwire::ids::{OrgId, OrgScope, RunId};
use leadwire::jobs::AdsSyncJob;
use leadwire::jobs::CheckJob;
use leadwire::jobs::SweepJob;
use leadwire::model::ads::account::{AdAccount, LONG_LOOK_BACK_DAYS};
use leadwire::model::ads::sync::Cause;
use leadwire::model::days::back;
use leadwire::queue::Queue;
use leadwire::table::Table;
use leadwire::table::integration::Due;
use leadwire::{aws, env, telemetry};
use serde::{Deserialize, Serialize};

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
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Schedule {
    ExpiryNotice,
    LeadSweep,
    AdsSync,
}

/// The function's response.
#[derive(Debug, Serialize)]
struct Planned {
    messages: usize,
}

/// Time until the same work is handed out again. A worker that finishes sets its own date.
const REDISPATCH_DELAY: SignedDuration = SignedDuration::from_hours(2);
/// Units of work handed out per chunk. A small chunk limits the number of repeated messages if this function dies.
const CONCURRENCY: usize = 100;

struct Planner {
    table: Table,
    checks: Queue<CheckJob>,
    sweeps: Queue<SweepJob>,
    ads: Queue<AdsSyncJob>,
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
        ads: Queue::new(sqs, env::ads_sync_queue_url()?),
    };
    run(service_fn(|event: LambdaEvent<Plan>| planner.plan(event.payload))).await
}

impl Planner {
    async fn plan(&self, plan: Plan) -> Result<Planned, Error> {
        let now = leadwire::clock::now();
        let messages = match plan.job {
            Schedule::ExpiryNotice => {
                let mut due = self.table.due_integrations((!plan.everything).then_some(now)).await?;
                due.retain(|due| plan.concerns(due));
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
            Schedule::LeadSweep => {
                // The index contains every integration that needs checks, due or not.
                let mut all = self.table.due_integrations(None).await?;
                all.retain(|due| plan.concerns(due));
                let all = interleave_by_org(all, |due| due.scope.org().clone());
                let everything = plan.everything;
                let job = |due: &Due| SweepJob {
                    org: due.scope.org().clone(),
                    integration_id: due.id.clone(),
                    everything,
                    run: None,
                };
                self.sweeps.send(&all.iter().map(job).collect::<Vec<_>>()).await?;
                all.len()
            }
            Schedule::AdsSync => {
                let mut all = self.table.all_ad_accounts().await?;
                all.retain(|(scope, _)| plan.org.as_ref().is_none_or(|org| org == scope.org()));
                let all = interleave_by_org(all, |(scope, _)| scope.org().clone());
                let mut messages = 0;
                for accounts in all.chunks(CONCURRENCY) {
                    let due = join_all(accounts.iter().map(|linked| self.claim_sync(linked, plan.everything))).await;
                    let started = |(due, (_, account)): (Result<Option<AdsSyncJob>, WorkError>, &(_, AdAccount))| {
                        // An account that cannot be started does not delay the others. The next schedule tries it
                        // again.
                        due.inspect_err(|error| {
                            tracing::error!(%error, account = %account.ad_account_id, "an ad account's sync could not be started");
                        })
                        .ok()?
                    };
                    let due: Vec<AdsSyncJob> = due.into_iter().zip(accounts).filter_map(started).collect();
                    messages += due.len();
                    self.ads.send(&due).await?;
                }
                messages
            }
        };
        tracing::info!(job = ?plan.job, messages, everything = plan.everything, "planned");
        Ok(Planned { messages })
    }
}

impl Planner {
    /// Returns the message for an account whose sync is due.
    ///
    /// The claim comes before the message. A lost message is replaced once the claim counts as abandoned; two
    /// concurrent syncs could not be undone.
    async fn claim_sync(
        &self,
        (scope, account): &(OrgScope, AdAccount),
        everything: bool,
    ) -> Result<Option<AdsSyncJob>, WorkError> {
        let now = leadwire::clock::now();
        if account.paused || (!everything && account.rests(now)) {
            return Ok(None);
        }
        if account.run_id.is_some() {
            let job = AdsSyncJob::new(account, account.run_id.clone());
            return Ok(account.is_abandoned(now).then_some(job));
        }
        let run = RunId::new();
        let cause = if account.imported_since.is_none() { Cause::Import } else { Cause::Schedule };
        let due = account.due_since(now);
        // Also include the days that are due only once a day because Meta restates them.
        let since = if everything { due.min(back(account.today(now), LONG_LOOK_BACK_DAYS)) } else { due };
        let started = start_sync(&self.table, scope, account, &run, (since, cause, None), now).await?;
        Ok((started == StartOutcome::New).then(|| AdsSyncJob::new(account, Some(run))))
    }
}

impl Plan {
    fn concerns(&self, due: &Due) -> bool {
        self.org.as_ref().is_none_or(|org| org == due.scope.org())
    }
}

/// Interleaves the items by org: the first of each org, then the second of each, and so on. An org with a thousand
/// integrations delays only itself.
fn interleave_by_org<T>(items: Vec<T>, org: impl Fn(&T) -> OrgId) -> Vec<T> {
    let mut orgs: BTreeMap<OrgId, VecDeque<T>> = BTreeMap::new();
    for item in items {
        orgs.entry(org(&item)).or_default().push_back(item);
    }
    let mut turns = Vec::new();
    while !orgs.is_empty() {
        turns.extend(orgs.values_mut().filter_map(VecDeque::pop_front));
        orgs.retain(|_, left| !left.is_empty());
    }
    turns
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_org_with_many_waits_for_its_own() {
        let turns =
            interleave_by_org(vec!["a1", "a2", "a3", "b1", "c1", "b2"], |item| OrgId::parse(&item[..1]).unwrap());
        assert_eq!(turns, ["a1", "b1", "c1", "a2", "b2", "a3"]);
    }

    #[test]
    fn the_inputs_of_the_template_s_schedules_are_understood() {
        let template = include_str!("../../../infra/template.yaml");
        let inputs = template.lines().filter_map(|line| line.trim().strip_prefix("Input: '")?.strip_suffix('\''));
        let plans: Vec<Plan> = inputs.map(|input| serde_json::from_str(input).unwrap()).collect();
        assert_eq!(plans.len(), 3);
        assert!(plans.iter().all(|plan| !plan.everything && plan.org.is_none()));
        assert!(plans.iter().any(|plan| matches!(plan.job, Schedule::ExpiryNotice)));
        assert!(serde_json::from_str::<Plan>(r#"{"job":"nothing"}"#).is_err());
    }
}
