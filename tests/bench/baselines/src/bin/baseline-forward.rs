//! A function behind HTTP that sends each request's body to a queue.

use lambda_http::{Error, Request, run, service_fn};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let aws = baselines::load()?;
    let sqs = aws_sdk_sqs::Client::new(&aws);
    let queue = std::env::var("LEAD_QUEUE_URL")?;
    run(service_fn(async |request: Request| {
        let body = String::from_utf8_lossy(request.body().as_ref()).into_owned();
        sqs.send_message().queue_url(&queue).message_body(body).send().await?;
        Ok::<_, Error>("sent")
    }))
    .await
}
