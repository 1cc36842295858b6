//! Fetches the leads whose ids are in the queue from Meta, in batches by page, stores them as leads of the CRM, assigns
//! them and publishes them.
//!
//! `leadwire::leads` decides what happens to a lead, `leadwire::worker` what happens to its message.

use lambda_runtime::Error;
use leadwire::bus::Bus;
use leadwire::ids::PageId;
use leadwire::jobs::LeadJob;
use leadwire::leads::{Arrival, Ingest, LeadWriter};
use leadwire::meta_app::MetaApp;
use leadwire::queue::Queue;
use leadwire::table::Table;
use leadwire::vault::Vault;
use leadwire::worker::{self, Record};
use leadwire::{aws, env, telemetry};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    telemetry::init();
    let aws = aws::load(aws::TimeoutProfile::Worker)?;
    let vault = Vault::new(aws_sdk_secretsmanager::Client::new(&aws));
    let sqs = aws_sdk_sqs::Client::new(&aws);
    let ingest = Ingest {
        meta: MetaApp::open(vault, env::meta_app_secret_id()?, env::graph_base_url()?, env::graph_version()?).await?,
        writer: LeadWriter {
            table: Table::new(aws_sdk_dynamodb::Client::new(&aws), env::table_name()?),
            bus: Bus::new(aws_sdk_eventbridge::Client::new(&aws), env::event_bus_name()?),
        },
        checks: Queue::new(sqs.clone(), env::expiry_notice_queue_url()?),
    };
    let queue = Queue::new(sqs, env::lead_queue_url()?);
    let work = async |page: &PageId, records: &[Record<LeadJob>]| {
        let arrival =
            |record: &Record<LeadJob>| Arrival { job: record.job.clone(), receive_count: record.receive_count };
        let arrivals: Vec<Arrival> = records.iter().map(arrival).collect();
        let outcomes = ingest.ingest(page, &arrivals, leadwire::clock::now()).await;
        arrivals.iter().map(|arrival| outcomes.get(&arrival.lead_id()).cloned().unwrap_or(Ok(()))).collect()
    };
    worker::serve_groups(queue, |job| job.notice.page_id.clone(), work).await
}
