//! Publishes one post or makes one campaign: as many steps as possible without waiting. What has to wait comes back as a
//! message.
//!
//! `leadwire::publishing` decides what happens to a post, `leadwire::campaigns` what happens to a campaign, `leadwire::worker` what happens to its message.

use lambda_runtime::Error;
use leadwire::bus::Bus;
use leadwire::campaigns::CampaignMaker;
use leadwire::files::Files;
use leadwire::jobs::{PublishJob, PublishWork};
use leadwire::meta_app::MetaApp;
use leadwire::publishing::Publisher;
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
    let queue: Queue<PublishJob> = Queue::new(sqs.clone(), env::publish_queue_url()?);
    let publisher = Publisher {
        meta: MetaApp::open(vault, env::meta_app_secret_id()?, env::graph_base_url()?, env::graph_version()?).await?,
        table: Table::new(aws_sdk_dynamodb::Client::new(&aws), env::table_name()?),
        bus: Bus::new(aws_sdk_eventbridge::Client::new(&aws), env::event_bus_name()?),
        queue: queue.clone(),
        checks: Queue::new(sqs, env::expiry_notice_queue_url()?),
        files: Files::new(&aws, env::files_bucket()?),
    };
    let Publisher { meta, table, bus, queue: jobs, checks, .. } = publisher.clone();
    let maker = CampaignMaker { meta, table, bus, queue: jobs, checks };
    worker::serve([queue], async |job: &PublishJob, time_left| match &job.work {
        PublishWork::Post(id) => publisher.publish(job, id, time_left, &clock::now).await,
        PublishWork::Campaign(id) => maker.make(job, id, time_left, &clock::now).await,
    })
    .await
}
