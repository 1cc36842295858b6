//! A function with the clients of `webhook` that calls nothing with them.

use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use serde_json::Value;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let aws = baselines::load()?;
    let sqs = aws_sdk_sqs::Client::new(&aws);
    let secrets_manager = aws_sdk_secretsmanager::Client::new(&aws);
    // The calls are linked, as in `webhook`, but no event makes them.
    run(service_fn(async |event: LambdaEvent<Value>| {
        if let Some(queue) = event.payload.get("queue").and_then(Value::as_str) {
            sqs.send_message_batch().queue_url(queue).send().await?;
            secrets_manager.get_secret_value().secret_id(queue).send().await?;
        }
        Ok::<_, Error>(())
    }))
    .await
}
