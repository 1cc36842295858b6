//! Fetches the leads whose ids are in the queue from Meta, in batches over the pages of an org, stores them as leads of
//! the CRM, assigns them and publishes them.
//!
//! `leadwire::leads` decides what happens to a lead, `leadwire::worker` what happens to its message.

use lambda_runtime::Error;
use leadwire::bus::Bus;
use leadwire::error::WorkError;
use leadwire::jobs::{LeadBatch, LeadJob};
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
    let work = async |records: &[Record<LeadBatch>], time_left| {
        let arrivals_of = |record: &Record<LeadBatch>| {
            let (receive_count, trace) = (record.receive_count, &record.trace);
            let arrival = |job: &LeadJob| Arrival { job: job.clone(), receive_count, trace: trace.clone() };
            record.job.leads.iter().map(arrival).collect::<Vec<_>>()
        };
        let arrivals: Vec<Arrival> = records.iter().flat_map(arrivals_of).collect();
        let outcomes = ingest.ingest(&arrivals, time_left, leadwire::clock::now()).await;
        // A message comes again if any of its leads must. The others are stored or parked by then, and are left out.
        let outcome = |record: &Record<LeadBatch>| {
            let failed = arrivals_of(record).iter().find_map(|one| outcomes.get(&one.lead_id())?.clone().err());
            failed.map_or(Ok(()), Err)
        };
        let outcomes: Vec<Result<(), WorkError>> = records.iter().map(outcome).collect();
        let done = records.iter().zip(&outcomes).filter(|(_, outcome)| outcome.is_ok()).map(|(record, _)| &record.job);
        ingest.count_settled(done).await;
        outcomes
    };
    worker::serve_together([queue], work).await
}
