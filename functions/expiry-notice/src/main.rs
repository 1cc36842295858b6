//! Checks integrations one at a time: whether the token works, whether the pages are subscribed, and which notices are
//! due.

use lambda_runtime::Error;
use leadwire::bus::Bus;
use leadwire::mail::Mailer;
use leadwire::meta_app::MetaApp;
use leadwire::queue::Queue;
use leadwire::table::Table;
use leadwire::vault::Vault;
use leadwire::worker;
use leadwire::{aws, env, telemetry};

mod check;
mod mails;
mod notify;

use check::ConnectionChecker;
use notify::Notifier;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    telemetry::init();
    let aws = aws::load(aws::TimeoutProfile::Worker)?;
    let vault = Vault::new(aws_sdk_secretsmanager::Client::new(&aws));
    let table = Table::new(aws_sdk_dynamodb::Client::new(&aws), env::table_name()?);
    let mailer = env::sender_address().map(|sender| Mailer::new(&aws, sender));
    let sqs = aws_sdk_sqs::Client::new(&aws);
    let checker = ConnectionChecker {
        notifier: Notifier {
            table: table.clone(),
            bus: Bus::new(aws_sdk_eventbridge::Client::new(&aws), env::event_bus_name()?),
            mailer,
            console: env::console_url()?,
        },
        leads: Queue::new(sqs.clone(), env::lead_queue_url()?),
        searches: Queue::new(sqs.clone(), env::lead_search_queue_url()?),
        meta: MetaApp::open(vault, env::meta_app_secret_id()?, env::graph_base_url()?, env::graph_version()?).await?,
        table,
    };
    let queue = Queue::new(sqs, env::expiry_notice_queue_url()?);
    worker::serve([queue], async |job, _| checker.check(job, leadwire::clock::now()).await).await
}
