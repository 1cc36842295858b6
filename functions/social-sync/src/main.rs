//! Reads comments and messages that the webhook did not tell of from Meta's lists, one integration for each message.
//!
//! `leadwire::inbox` decides what is read and what becomes of it, `leadwire::worker` what becomes of a message.

use lambda_runtime::Error;
use leadwire::bus::Bus;
use leadwire::files::Files;
use leadwire::inbox::{Engagement, SocialSync};
use leadwire::jobs::SocialSyncJob;
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
    let meta = MetaApp::open(vault, env::meta_app_secret_id()?, env::graph_base_url()?, env::graph_version()?).await?;
    let sync = SocialSync {
        meta: meta.clone(),
        engagement: Engagement {
            meta,
            table: Table::new(aws_sdk_dynamodb::Client::new(&aws), env::table_name()?),
            bus: Bus::new(aws_sdk_eventbridge::Client::new(&aws), env::event_bus_name()?),
            attachments: Queue::new(sqs.clone(), env::attachment_queue_url()?),
            files: Files::new(&aws, env::files_bucket()?),
        },
        checks: Queue::new(sqs.clone(), env::expiry_notice_queue_url()?),
    };
    let queue: Queue<SocialSyncJob> = Queue::new(sqs, env::social_sync_queue_url()?);
    worker::serve([queue], async |job: &SocialSyncJob, left| sync.sync(job, left, &clock::now).await).await
}
