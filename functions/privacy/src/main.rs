//! What a person at Meta may request without an account here: deauthorization of the app, deletion of their data, and
//! the status of that deletion.

mod requests;
mod status;

use lambda_http::{Error, Request, run, service_fn};
use leadwire::http::trace_of;
use leadwire::meta_app::AppSecrets;
use leadwire::meta_app::MetaApp;
use leadwire::queue::Queue;
use leadwire::table::Table;
use leadwire::vault::Vault;
use leadwire::{aws, env, telemetry};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    telemetry::init();
    let aws = aws::load(aws::TimeoutProfile::Worker)?;
    let secrets_manager = aws_sdk_secretsmanager::Client::new(&aws);
    let vault = Vault::new(secrets_manager.clone());
    let app_secret_id = env::meta_app_secret_id()?;
    let callbacks = requests::Callbacks {
        table: Table::new(aws_sdk_dynamodb::Client::new(&aws), env::table_name()?),
        checks: Queue::new(aws_sdk_sqs::Client::new(&aws), env::expiry_notice_queue_url()?),
        root_key: vault.signing_key(&env::root_secret_id()?).await?,
        public_url: env::public_url()?,
        secrets: AppSecrets::new(Vault::new(secrets_manager), app_secret_id.clone()),
        meta: MetaApp::open(vault, app_secret_id, env::graph_base_url()?, env::graph_version()?).await?,
    };
    let answer = |request: Request| trace_of(request.extensions()).follow(callbacks.answer(request));
    run(service_fn(answer)).await
}
