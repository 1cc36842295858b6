//! Delivers events to the CRM's endpoints: an event of the bus becomes a delivery to each, and each is tried.
//!
//! `leadwire::deliveries` decides what is sent and when, `leadwire::worker` what happens to the message. The two queues
//! are apart, so that receivers that take long delay no new event.

use lambda_runtime::Error;
use leadwire::deliveries::Deliverer;
use leadwire::jobs::DeliveryJob;
use leadwire::mail::Mailer;
use leadwire::model::web_address::EndpointAddresses;
use leadwire::queue::Queue;
use leadwire::receiver::Receiver;
use leadwire::table::Table;
use leadwire::vault::Vault;
use leadwire::worker::Record;
use leadwire::{aws, clock, env, telemetry, worker};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    telemetry::init();
    let aws = aws::load(aws::TimeoutProfile::Worker)?;
    let sqs = aws_sdk_sqs::Client::new(&aws);
    let vault = Vault::new(aws_sdk_secretsmanager::Client::new(&aws));
    let queue: Queue<DeliveryJob> = Queue::new(sqs.clone(), env::delivery_queue_url()?);
    let events = Queue::new(sqs, env::delivery_events_queue_url()?);
    let deliverer = Deliverer {
        table: Table::new(aws_sdk_dynamodb::Client::new(&aws), env::table_name()?),
        queue: queue.clone(),
        receiver: Receiver::new(EndpointAddresses::new(env::local_endpoints()?))?,
        root_key: vault.signing_key(&env::root_secret_id()?).await?,
        mailer: env::sender_address().map(|sender| Mailer::new(&aws, sender)),
        console: env::console_url()?,
    };
    let work = async |records: &[Record<DeliveryJob>], time_left| {
        let jobs: Vec<&DeliveryJob> = records.iter().map(|record| &record.job).collect();
        deliverer.work(&jobs, time_left, &clock::now).await
    };
    worker::serve_together([queue, events], work).await
}
