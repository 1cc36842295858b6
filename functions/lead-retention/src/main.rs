//! Erases the leads that an org keeps no longer.
//!
//! `leadwire::leads` decides which, `leadwire::worker` what happens to the message.

use lambda_runtime::Error;
use leadwire::jobs::RetentionJob;
use leadwire::leads::Retention;
use leadwire::queue::Queue;
use leadwire::table::Table;
use leadwire::vault::Vault;
use leadwire::{aws, clock, env, telemetry, worker};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    telemetry::init();
    let aws = aws::load(aws::TimeoutProfile::Worker)?;
    let vault = Vault::new(aws_sdk_secretsmanager::Client::new(&aws));
    let queue: Queue<RetentionJob> = Queue::new(aws_sdk_sqs::Client::new(&aws), env::retention_queue_url()?);
    let retention = Retention {
        table: Table::new(aws_sdk_dynamodb::Client::new(&aws), env::table_name()?),
        queue: queue.clone(),
        key: vault.signing_key(&env::signing_secret_id()?).await?,
    };
    let work = async |job: &RetentionJob, time_left| retention.erase(job, time_left, clock::now()).await.map(drop);
    worker::serve([queue], work).await
}
