//! Copies the files of messages from Meta into the bucket.
//!
//! `leadwire::inbox` decides what happens to a file, `leadwire::worker` what happens to its message.

use futures_util::future::join_all;
use lambda_runtime::Error;
use leadwire::files::Files;
use leadwire::inbox::AttachmentKeeper;
use leadwire::jobs::AttachmentJob;
use leadwire::meta_app::MetaApp;
use leadwire::queue::Queue;
use leadwire::table::Table;
use leadwire::vault::Vault;
use leadwire::worker::{self, Record};
use leadwire::{aws, clock, env, telemetry};

/// Deliveries after which a file is given up that Meta does not hand out: the better part of a day. The queue's dead
/// letters begin later.
const MAX_TRIES: u32 = 90;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    telemetry::init();
    let aws = aws::load(aws::TimeoutProfile::Worker)?;
    let vault = Vault::new(aws_sdk_secretsmanager::Client::new(&aws));
    let keeper = AttachmentKeeper::new(
        MetaApp::open(vault, env::meta_app_secret_id()?, env::graph_base_url()?, env::graph_version()?).await?,
        Table::new(aws_sdk_dynamodb::Client::new(&aws), env::table_name()?),
        Files::new(&aws, env::files_bucket()?),
    )?;
    let queue: Queue<AttachmentJob> = Queue::new(aws_sdk_sqs::Client::new(&aws), env::attachment_queue_url()?);
    let work = async |records: &[Record<AttachmentJob>], _time_left| {
        let copies = records.iter().map(|record| {
            let is_last = record.receive_count >= MAX_TRIES;
            record.trace.clone().follow(keeper.copy(&record.job, is_last, clock::now()))
        });
        join_all(copies).await
    };
    worker::serve_together([queue], work).await
}
