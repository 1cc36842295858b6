//! Reports the progress of an org's leads to Meta: all that is due, as far as Meta takes it.
//!
//! `leadwire::conversions` decides what is sent, `leadwire::worker` what happens to the message.

use lambda_runtime::Error;
use leadwire::conversions::ConversionSender;
use leadwire::jobs::ConversionJob;
use leadwire::meta_app::MetaApp;
use leadwire::queue::Queue;
use leadwire::table::Table;
use leadwire::vault::Vault;
use leadwire::{aws, clock, env, telemetry, worker};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    telemetry::init();
    let aws = aws::load(aws::TimeoutProfile::Worker)?;
    let vault = Vault::new(aws_sdk_secretsmanager::Client::new(&aws));
    let sqs = aws_sdk_sqs::Client::new(&aws);
    let queue: Queue<ConversionJob> = Queue::new(sqs.clone(), env::conversion_queue_url()?);
    let sender = ConversionSender {
        meta: MetaApp::open(vault, env::meta_app_secret_id()?, env::graph_base_url()?, env::graph_version()?).await?,
        table: Table::new(aws_sdk_dynamodb::Client::new(&aws), env::table_name()?),
        checks: Queue::new(sqs, env::expiry_notice_queue_url()?),
    };
    worker::serve([queue], async |job: &ConversionJob, time_left| sender.send(job, time_left, &clock::now).await).await
}
