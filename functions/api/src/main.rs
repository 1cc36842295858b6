//! The admin API: a router, and behind each route one act of `shared`.

mod access;
mod connect;
mod directory;
mod input;
mod integrations;
mod leads;
mod parked;
mod router;

use std::sync::Arc;

use lambda_http::{Error, run};
use shared::auth::{Issuer, Verifier};
use shared::model::login::ReturnUrls;
use shared::queue::Queue;
use shared::table::Table;
use shared::vault::Vault;
use shared::{aws, env, telemetry};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    telemetry::init();
    let aws = aws::load(aws::Patience::Request).await;
    let vault = Vault::new(aws_sdk_secretsmanager::Client::new(&aws));
    let audiences = env::token_audience()?.split(',').map(|audience| audience.trim().to_owned()).collect();
    let verifier = Verifier::new(Issuer {
        issuer: env::token_issuer()?,
        audiences,
        keys_at: env::token_jwks_url()?,
        org_claim: env::org_claim()?,
        role_claim: env::role_claim()?,
    })?;
    let api = Arc::new(router::Api {
        verifier,
        table: Table::new(aws_sdk_dynamodb::Client::new(&aws), env::table_name()?),
        leads: Queue::new(aws_sdk_sqs::Client::new(&aws), env::lead_queue_url()?),
        key: vault.signing_key(&env::signing_secret_id()?).await?,
        app_id: env::meta_app_id()?,
        dialog_root: env::dialog_base_url()?,
        graph_version: env::graph_version()?,
        public_url: env::public_url()?,
        return_urls: ReturnUrls::parse(&env::return_url_allow_list()?)?,
    });
    run(router::router(api)).await
}
