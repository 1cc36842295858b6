//! One ad account read: its campaigns, ad sets and ads, and their numbers by day. A reading that takes longer than this
//! function may goes on in its next turn; one that Meta wants to wait waits in the queue.

use std::time::Duration;

use aws_lambda_events::event::sqs::SqsEvent;
use jiff::Timestamp;
use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use leadwire::ads::{AdsJob, Reader, Turn};
use leadwire::batch;
use leadwire::connections::Meta;
use leadwire::error::WorkError;
use leadwire::queue::Queue;
use leadwire::table::Table;
use leadwire::vault::Vault;
use leadwire::{aws, env, telemetry};

/// What is kept of the function's time for writing down how far it is.
const LAST_WORDS: Duration = Duration::from_secs(25);
/// Some local runtimes hand out a deadline in the past; then this is it.
const USUAL_TURN: Duration = Duration::from_secs(35);

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    telemetry::init();
    let aws = aws::load(aws::Patience::Worker).await;
    let vault = Vault::new(aws_sdk_secretsmanager::Client::new(&aws));
    let table = Table::new(aws_sdk_dynamodb::Client::new(&aws), env::table_name()?);
    let sqs = aws_sdk_sqs::Client::new(&aws);
    let checks = Queue::new(sqs.clone(), env::expiry_notice_queue_url()?);
    let queue = Queue::new(sqs, env::ads_sync_queue_url()?);
    let meta = Meta::open(vault, env::meta_app_secret_id()?, env::graph_base_url()?, env::graph_version()?).await?;
    let reader = Reader { meta: &meta, table: &table, checks: &checks };
    let handle = async |event: LambdaEvent<SqsEvent>| {
        let deadline = event.context.deadline();
        let left = deadline.duration_since(std::time::SystemTime::now()).unwrap_or(USUAL_TURN + LAST_WORDS);
        let until = leadwire::clock::now() + left.saturating_sub(LAST_WORDS);
        let work = async |job: &AdsJob| take_turn(reader, &queue, job, until).await;
        Ok::<_, Error>(batch::run_each(event.payload, deadline, &queue, work).await)
    };
    run(service_fn(handle)).await
}

/// Takes a turn, and has the next one taken. The message that asked for this turn is done then: the next one has its own,
/// so that no reading runs out of tries because it is long.
async fn take_turn(reader: Reader<'_>, queue: &Queue, job: &AdsJob, until: Timestamp) -> Result<(), WorkError> {
    match reader.take_turn(job, until, &|_| ()).await? {
        Turn::Over => Ok(()),
        Turn::Again(rest) => Ok(queue.send_later(job.message(), rest).await?),
        // Whoever is at it has a message of its own, which comes again if it dies.
        Turn::Taken(_) => Ok(()),
    }
}
