//! Takes comments, reactions, mentions and messages that Meta's webhooks report, and makes conversations of them.
//!
//! `leadwire::inbox` decides what becomes of a notice, `leadwire::worker` what becomes of its message.

use lambda_runtime::Error;
use leadwire::bus::Bus;
use leadwire::files::Files;
use leadwire::inbox::Engagement;
use leadwire::jobs::EngagementJob;
use leadwire::meta_app::MetaApp;
use leadwire::queue::Queue;
use leadwire::table::Table;
use leadwire::vault::Vault;
use leadwire::worker::{self, Record};
use leadwire::{aws, clock, env, telemetry};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    telemetry::init();
    let aws = aws::load(aws::TimeoutProfile::Worker)?;
    let sqs = aws_sdk_sqs::Client::new(&aws);
    let vault = Vault::new(aws_sdk_secretsmanager::Client::new(&aws));
    let engagement = Engagement {
        meta: MetaApp::open(vault, env::meta_app_secret_id()?, env::graph_base_url()?, env::graph_version()?).await?,
        table: Table::new(aws_sdk_dynamodb::Client::new(&aws), env::table_name()?),
        bus: Bus::new(aws_sdk_eventbridge::Client::new(&aws), env::event_bus_name()?),
        attachments: Queue::new(sqs.clone(), env::attachment_queue_url()?),
        files: Files::new(&aws, env::files_bucket()?),
    };
    let queue: Queue<EngagementJob> = Queue::new(sqs, env::engagement_queue_url()?);
    let work = async |records: &[Record<EngagementJob>], _time_left| {
        let notices: Vec<_> = records.iter().map(|record| (&record.job, record.receive_count, &record.trace)).collect();
        engagement.take(&notices, clock::now()).await
    };
    worker::serve_together([queue], work).await
}
