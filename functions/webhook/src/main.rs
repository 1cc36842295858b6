//! Meta's webhook: verifies a delivery, puts its changes into queues, and responds.
//!
//! It does nothing else, and once the process has started it depends on SQS alone. Meta gets a success response only
//! when its leads are in the queue; otherwise it is asked to send them again.

mod receive;

use lambda_http::{Error, Request, run, service_fn};
use leadwire::http::trace_of;
use leadwire::meta_app::AppSecrets;
use leadwire::queue::Queue;
use leadwire::vault::Vault;
use leadwire::{aws, env, telemetry};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    telemetry::init();
    let aws = aws::load(aws::TimeoutProfile::Request)?;
    let sqs = aws_sdk_sqs::Client::new(&aws);
    let vault = Vault::new(aws_sdk_secretsmanager::Client::new(&aws));
    let receiver = receive::Receiver {
        secrets: AppSecrets::new(vault, env::meta_app_secret_id()?),
        leads: Queue::new(sqs.clone(), env::lead_queue_url()?),
        engagement: Queue::new(sqs, env::engagement_queue_url()?),
    };
    receiver.secrets.warm().await;
    let answer = |request: Request| trace_of(request.extensions()).follow(receiver.answer(request));
    run(service_fn(answer)).await
}
