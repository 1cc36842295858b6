//! Lead ids from the queue: fetched from Meta in batches, page by page, made into leads of the CRM, assigned, announced.
//! What happens to each is decided in `leadwire::leads`; what happens to its message, in `leadwire::batch`.

use aws_lambda_events::event::sqs::{SqsBatchResponse, SqsEvent};
use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use leadwire::batch::{self, Record};
use leadwire::bus::Bus;
use leadwire::connections::Meta;
use leadwire::ids::PageId;
use leadwire::leads::{Arrival, Intake, Ledger};
use leadwire::model::lead::job::LeadJob;
use leadwire::queue::Queue;
use leadwire::table::Table;
use leadwire::vault::Vault;
use leadwire::{aws, env, telemetry};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    telemetry::init();
    let aws = aws::load(aws::Patience::Worker).await;
    let vault = Vault::new(aws_sdk_secretsmanager::Client::new(&aws));
    let sqs = aws_sdk_sqs::Client::new(&aws);
    let intake = Intake {
        meta: Meta::open(vault, env::meta_app_secret_id()?, env::graph_base_url()?, env::graph_version()?).await?,
        ledger: Ledger {
            table: Table::new(aws_sdk_dynamodb::Client::new(&aws), env::table_name()?),
            bus: Bus::new(aws_sdk_eventbridge::Client::new(&aws), env::event_bus_name()?),
        },
        checks: Queue::new(sqs.clone(), env::expiry_notice_queue_url()?),
    };
    let queue = Queue::new(sqs, env::lead_queue_url()?);
    run(service_fn(|event: LambdaEvent<SqsEvent>| handle(&intake, &queue, event))).await
}

async fn handle(intake: &Intake, queue: &Queue, event: LambdaEvent<SqsEvent>) -> Result<SqsBatchResponse, Error> {
    let work = async |page: &PageId, records: &[Record<LeadJob>]| {
        let arrival = |record: &Record<LeadJob>| Arrival { job: record.job.clone(), receives: record.receives };
        let arrivals: Vec<Arrival> = records.iter().map(arrival).collect();
        intake.take_in(page, &arrivals, leadwire::clock::now()).await
    };
    let page = |job: &LeadJob| job.notice.page_id.clone();
    Ok(batch::run(event.payload, event.context.deadline(), queue, page, work).await)
}
