//! Runs one slice of an ad account's sync: its campaigns, ad sets and ads, and their numbers by day. A sync that takes
//! longer than one invocation continues in its next slice; one that Meta throttles waits in the queue.

use std::time::Duration;

use jiff::Timestamp;
use lambda_runtime::Error;
use leadwire::ads::{AdsSyncer, SliceOutcome};
use leadwire::error::WorkError;
use leadwire::jobs::AdsSyncJob;
use leadwire::meta_app::MetaApp;
use leadwire::queue::Queue;
use leadwire::table::Table;
use leadwire::vault::Vault;
use leadwire::worker;
use leadwire::{aws, env, telemetry};

/// Time reserved for storing the progress.
const RESERVED_TIME: Duration = Duration::from_secs(25);

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    telemetry::init();
    let aws = aws::load(aws::TimeoutProfile::Worker)?;
    let vault = Vault::new(aws_sdk_secretsmanager::Client::new(&aws));
    let table = Table::new(aws_sdk_dynamodb::Client::new(&aws), env::table_name()?);
    let sqs = aws_sdk_sqs::Client::new(&aws);
    let checks = Queue::new(sqs.clone(), env::expiry_notice_queue_url()?);
    let queue = Queue::new(sqs, env::ads_sync_queue_url()?);
    let meta = MetaApp::open(vault, env::meta_app_secret_id()?, env::graph_base_url()?, env::graph_version()?).await?;
    let syncer = AdsSyncer { meta: &meta, table: &table, checks: &checks };
    worker::serve([queue.clone()], async |job: &AdsSyncJob, left| {
        let until = leadwire::clock::now() + left.saturating_sub(RESERVED_TIME);
        run_slice(syncer, &queue, job, until).await
    })
    .await
}

/// Runs a slice and queues the next one. The message of this slice is then done; the next slice has its own, so a long
/// sync does not run out of deliveries.
async fn run_slice(
    syncer: AdsSyncer<'_>,
    queue: &Queue<AdsSyncJob>,
    job: &AdsSyncJob,
    until: Timestamp,
) -> Result<(), WorkError> {
    match syncer.run_slice(job, until, &|_| ()).await? {
        SliceOutcome::Done => Ok(()),
        SliceOutcome::Continue(rest) => Ok(queue.send_later(job, rest).await?),
        // The worker that holds the lease has its own message, which is delivered again if that worker dies.
        SliceOutcome::Busy(_) => Ok(()),
    }
}
