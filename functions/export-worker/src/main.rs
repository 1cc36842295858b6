//! Writes exports of leads into files.
//!
//! `leadwire::exports` decides what is written, `leadwire::worker` what happens to the message.

use lambda_runtime::Error;
use leadwire::exports::{Exporter, Exports};
use leadwire::files::Files;
use leadwire::jobs::ExportJob;
use leadwire::queue::Queue;
use leadwire::table::Table;
use leadwire::vault::Vault;
use leadwire::{aws, clock, env, telemetry, worker};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    telemetry::init();
    let aws = aws::load(aws::TimeoutProfile::Worker)?;
    let vault = Vault::new(aws_sdk_secretsmanager::Client::new(&aws));
    let queue: Queue<ExportJob> = Queue::new(aws_sdk_sqs::Client::new(&aws), env::export_queue_url()?);
    let exporter = Exporter::new(Exports {
        table: Table::new(aws_sdk_dynamodb::Client::new(&aws), env::table_name()?),
        files: Files::new(&aws, env::files_bucket()?),
        queue: queue.clone(),
        key: vault.signing_key(&env::signing_secret_id()?).await?,
    });
    worker::serve([queue], async |job: &ExportJob, time_left| exporter.export(job, time_left, &clock::now).await).await
}
