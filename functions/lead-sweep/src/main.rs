//! Finds leads that the webhook missed: compares an integration's pages at Meta with the stored leads, and queues the
//! missing ones. Webhooks fail silently, so this runs even if nothing seems to be missing.

use jiff::{SignedDuration, Timestamp};
use lambda_runtime::Error;
use leadwire::bus::Bus;
use leadwire::error::WorkError;
use leadwire::ids::OrgScope;
use leadwire::jobs::{CheckJob, LeadBatch, SweepJob, SweepKind};
use leadwire::leads::{LeadWriter, Search, Sweep, cannot_search, report_quiet_pages};
use leadwire::meta_app::MetaApp;
use leadwire::model::connection::Lifecycle;
use leadwire::model::connection::state::EndReason;
use leadwire::model::failure::FailureCode;
use leadwire::queue::Queue;
use leadwire::table::Table;
use leadwire::vault::Vault;
use leadwire::worker;
use leadwire::{aws, env, telemetry};

/// Meta reports a lead within minutes. Younger leads are left to the webhook, so that leads found here were really
/// missed.
const WEBHOOK_DELAY: SignedDuration = SignedDuration::from_mins(5);
/// The time between two regular searches. One that waited for longer in the queue is left to the next.
const SCHEDULE_INTERVAL: SignedDuration = SignedDuration::from_mins(15);

struct Sweeper {
    meta: MetaApp,
    writer: LeadWriter,
    leads: Queue<LeadBatch>,
    checks: Queue<CheckJob>,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    telemetry::init();
    let aws = aws::load(aws::TimeoutProfile::Worker)?;
    let vault = Vault::new(aws_sdk_secretsmanager::Client::new(&aws));
    let sqs = aws_sdk_sqs::Client::new(&aws);
    let sweeper = Sweeper {
        writer: LeadWriter {
            table: Table::new(aws_sdk_dynamodb::Client::new(&aws), env::table_name()?),
            bus: Bus::new(aws_sdk_eventbridge::Client::new(&aws), env::event_bus_name()?),
        },
        leads: Queue::new(sqs.clone(), env::lead_queue_url()?),
        checks: Queue::new(sqs.clone(), env::expiry_notice_queue_url()?),
        meta: MetaApp::open(vault, env::meta_app_secret_id()?, env::graph_base_url()?, env::graph_version()?).await?,
    };
    // What people and checks request never waits for the schedule's searches.
    let queues = [env::lead_sweep_queue_url()?, env::lead_search_queue_url()?].map(|url| Queue::new(sqs.clone(), url));
    worker::serve(queues, async |job, _| sweeper.sweep(job, leadwire::clock::now()).await).await
}

impl Sweeper {
    async fn sweep(&self, job: &SweepJob, now: Timestamp) -> Result<(), WorkError> {
        let table = &self.writer.table;
        let integration = table.integration_of(job.org.clone(), &job.integration_id).await?;
        let Some((scope, integration)) = integration else { return Ok(()) };
        let search = match &job.kind {
            SweepKind::Regular { planned_at } if now.duration_since(*planned_at) > SCHEDULE_INTERVAL => {
                tracing::warn!(org = %job.org, integration = %job.integration_id, metric = "sweeps_skipped", "a regular search came too late and is left to the next");
                return Ok(());
            }
            SweepKind::Regular { .. } => Search::regular(now - WEBHOOK_DELAY),
            SweepKind::Everything => Search { everything: true, ..Search::regular(now) },
            SweepKind::CatchUp { .. } if integration.missed_since.is_none() => return Ok(()),
            SweepKind::CatchUp { since } => Search { since: Some(*since), ..Search::regular(now) },
            SweepKind::Run(id, page) => match table.run(&scope, id).await? {
                Some(run) if !run.pages_done.contains(page) => Search::of_run(&run, Some(page.clone()), now),
                _ => return Ok(()),
            },
        };
        let ended = integration.state(now).reason.filter(|reason| *reason != EndReason::PageRoleLost);
        if ended.is_some()
            || integration.lifecycle == Lifecycle::Removing
            || !table.org(&scope).await?.is_some_and(|org| org.has_meta())
        {
            let deleted = || "The integration was deleted, or the org's plan no longer includes Meta.".into();
            let why = ended.map_or_else(deleted, EndReason::message);
            return give_up(table, &scope, job, FailureCode::IntegrationEnded, &why).await;
        }
        let pages = table.swept_pages(&scope, &integration.id, now).await?;
        let sweep = Sweep { meta: &self.meta, table, leads: &self.leads };
        let outcome = match sweep.run(&scope, &integration, &pages, &search, now).await {
            Ok(found) => {
                if found > 0 && search.run.is_none() {
                    tracing::warn!(org = %scope.org(), integration = %integration.id, found, metric = "leads_missed_by_webhook", "Meta had leads that it did not report, or whose report was lost");
                }
                if matches!(job.kind, SweepKind::CatchUp { .. }) {
                    table.caught_up(&scope, &integration).await?;
                }
                Ok(())
            }
            // The check finds out what is wrong with the token. The next sweep comes anyway.
            Err(error) if error.is_of_token() => {
                self.checks.send(&[CheckJob::new(&scope, &integration.id)]).await?;
                give_up(table, &scope, job, error.code(), &error.to_string()).await
            }
            Err(error) => Err(error),
        };
        // After the search, so that a failure here does not block leads.
        if search.run.is_none()
            && let Err(error) = report_quiet_pages(&self.writer, &scope, &integration, &pages, now).await
        {
            tracing::warn!(%error, org = %scope.org(), "the check for quiet pages failed and is repeated later");
        }
        outcome
    }
}

/// Records that a page of a run will not be searched, and why.
async fn give_up(
    table: &Table,
    scope: &OrgScope,
    job: &SweepJob,
    code: FailureCode,
    why: &str,
) -> Result<(), WorkError> {
    match &job.kind {
        SweepKind::Run(run, page) => cannot_search(table, scope, run, page, code, why).await,
        _ => Ok(()),
    }
}
