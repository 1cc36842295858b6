//! Mails leads to the people to whom they are assigned. Nothing waits for this function.
//!
//! `leadwire::notices` decides who is mailed what, `mails` writes the mails, `leadwire::worker` says what happens to the
//! message.

mod mails;

use lambda_runtime::Error;
use leadwire::jobs::AssigneeMailJob;
use leadwire::mail::Mailer;
use leadwire::notices::AssigneeNotifier;
use leadwire::queue::Queue;
use leadwire::table::Table;
use leadwire::vault::Vault;
use leadwire::{aws, clock, env, telemetry, worker};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    telemetry::init();
    let aws = aws::load(aws::TimeoutProfile::Worker)?;
    let vault = Vault::new(aws_sdk_secretsmanager::Client::new(&aws));
    let notifier = AssigneeNotifier {
        table: Table::new(aws_sdk_dynamodb::Client::new(&aws), env::table_name()?),
        mailer: env::sender_address().map(|sender| Mailer::new(&aws, sender)),
        configuration_set: env::mail_configuration_set()?,
        console: env::console_url()?,
        key: vault.signing_key(&env::signing_secret_id()?).await?,
        compose: mails::compose,
    };
    let queue: Queue<AssigneeMailJob> = Queue::new(aws_sdk_sqs::Client::new(&aws), env::lead_notice_queue_url()?);
    worker::serve([queue], async |job: &AssigneeMailJob, _| notifier.notify(job, clock::now()).await).await
}
