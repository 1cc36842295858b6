//! Sends answers of members: messages and replies to comments. What has to wait comes back as a message.
//!
//! `leadwire::inbox` decides what happens to an answer, `leadwire::worker` what happens to its message.

use lambda_runtime::Error;
use leadwire::inbox::Sender;
use leadwire::jobs::AnswerJob;
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
    let queue: Queue<AnswerJob> = Queue::new(sqs.clone(), env::answer_queue_url()?);
    let sender = Sender {
        meta: MetaApp::open(vault, env::meta_app_secret_id()?, env::graph_base_url()?, env::graph_version()?).await?,
        table: Table::new(aws_sdk_dynamodb::Client::new(&aws), env::table_name()?),
        queue: queue.clone(),
        checks: Queue::new(sqs, env::expiry_notice_queue_url()?),
        has_human_agent: env::human_agent()?,
    };
    worker::serve([queue], async |job: &AnswerJob, time_left| sender.send(job, time_left, &clock::now).await).await
}
