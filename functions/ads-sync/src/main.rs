//! One ad account read: its campaigns, ad sets and ads, and their numbers by day. A reading that takes longer than this
//! function may goes on in its next turn; one that Meta wants to wait waits in the queue.

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

/// What is kept of the function's time for writing down how far it is.
const LAST_WORDS: Duration = Duration::from_secs(25);
/// How long a slice may take where the runtime knows no deadline, as some local ones do not.
const TURN_WITHOUT_DEADLINE: Duration = Duration::from_mins(1);

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    telemetry::init();
    let aws = aws::load(aws::TimeoutProfile::Worker).await;
    let vault = Vault::new(aws_sdk_secretsmanager::Client::new(&aws));
    let table = Table::new(aws_sdk_dynamodb::Client::new(&aws), env::table_name()?);
    let sqs = aws_sdk_sqs::Client::new(&aws);
    let checks = Queue::new(sqs.clone(), env::expiry_notice_queue_url()?);
    let queue = Queue::new(sqs, env::ads_sync_queue_url()?);
    let meta = MetaApp::open(vault, env::meta_app_secret_id()?, env::graph_base_url()?, env::graph_version()?).await?;
    let reader = AdsSyncer { meta: &meta, table: &table, checks: &checks };
    worker::serve(queue.clone(), async |job: &AdsSyncJob, left| {
        let left = if left == Duration::MAX { TURN_WITHOUT_DEADLINE } else { left };
        let until = leadwire::clock::now() + left.saturating_sub(LAST_WORDS);
        run_slice(reader, &queue, job, until).await
    })
    .await
}

/// Takes a turn, and has the next one taken. The message that asked for this turn is done then: the next one has its own,
/// so that no reading runs out of tries because it is long.
async fn run_slice(
    reader: AdsSyncer<'_>,
    queue: &Queue<AdsSyncJob>,
    job: &AdsSyncJob,
    until: Timestamp,
) -> Result<(), WorkError> {
    match reader.run_slice(job, until, &|_| ()).await? {
        SliceOutcome::Done => Ok(()),
        SliceOutcome::Continue(rest) => Ok(queue.send_later(job, rest).await?),
        // Whoever is at it has a message of its own, which comes again if it dies.
        SliceOutcome::Busy(_) => Ok(()),
    }
}
