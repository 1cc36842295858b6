//! Meta's webhook: verified, put into queues, answered. Nothing else happens here, and nothing but SQS has to work for
//! it once the process has started: a lead that Meta sends is in the queue before Meta is told so, or Meta is told to
//! send it again.

mod receive;

use lambda_http::{Error, run, service_fn};
use leadwire::meta_app::AppSecrets;
use leadwire::queue::Queue;
use leadwire::vault::Vault;
use leadwire::{aws, env, telemetry};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    telemetry::init();
    let aws = aws::load(aws::Patience::Request).await;
    let sqs = aws_sdk_sqs::Client::new(&aws);
    let vault = Vault::new(aws_sdk_secretsmanager::Client::new(&aws));
    let receiver = receive::Receiver {
        secrets: AppSecrets::new(vault, env::meta_app_secret_id()?),
        leads: Queue::new(sqs.clone(), env::lead_queue_url()?),
        engagement: Queue::new(sqs, env::engagement_queue_url()?),
    };
    receiver.secrets.warm().await;
    run(service_fn(|request| receiver.answer(request))).await
}
