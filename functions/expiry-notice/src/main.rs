//! One integration at a time: is its token alive, are its pages subscribed, what do its admins have to be told.

use aws_lambda_events::event::sqs::{SqsBatchResponse, SqsEvent};
use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use shared::batch::{self, Record};
use shared::bus::Bus;
use shared::connect::{CheckJob, Meta};
use shared::graph::Graph;
use shared::mail::Mailer;
use shared::queue::Queue;
use shared::table::Table;
use shared::vault::Vault;
use shared::{aws, env, telemetry};

mod look;
mod notify;
mod words;

use look::Looker;
use notify::Notifier;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    telemetry::init();
    let aws = aws::load(aws::Patience::Worker).await;
    let vault = Vault::new(aws_sdk_secretsmanager::Client::new(&aws));
    let app_secret_id = env::meta_app_secret_id()?;
    let table = Table::new(aws_sdk_dynamodb::Client::new(&aws), env::table_name()?);
    let mailer = env::sender_address()?.map(|sender| Mailer::new(&aws, sender));
    let sqs = aws_sdk_sqs::Client::new(&aws);
    let looker = Looker {
        notifier: Notifier {
            table: table.clone(),
            bus: Bus::new(aws_sdk_eventbridge::Client::new(&aws), env::event_bus_name()?),
            mailer,
            console: env::console_url()?,
        },
        leads: Queue::new(sqs.clone(), env::lead_queue_url()?),
        meta: Meta {
            graph: Graph::new(env::graph_base_url()?, env::graph_version()?, vault.app(&app_secret_id).await?)?,
            vault,
            app_secret_id,
        },
        table,
    };
    let queue = Queue::new(sqs, env::expiry_notice_queue_url()?);
    run(service_fn(|event: LambdaEvent<SqsEvent>| handle(&looker, &queue, event))).await
}

async fn handle(looker: &Looker, queue: &Queue, event: LambdaEvent<SqsEvent>) -> Result<SqsBatchResponse, Error> {
    // Several messages about one integration are one look.
    let work = async |job: &CheckJob, records: &[Record<CheckJob>]| {
        let outcome = looker.look(job, shared::clock::now()).await;
        if let Err(error) = &outcome {
            tracing::warn!(%error, code = error.code(), org = %job.org, integration = %job.integration_id, "look not finished, will be tried again");
        }
        records.iter().map(|_| outcome.clone()).collect()
    };
    Ok(batch::run(event.payload, event.context.deadline(), queue, Clone::clone, work).await)
}
