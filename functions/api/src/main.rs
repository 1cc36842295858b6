//! The admin API: a router, and behind each route one act of `shared`.

mod access;
mod ads;
mod connect;
mod directory;
mod forms;
mod import;
mod input;
mod inspect;
mod integrations;
mod leads;
mod manage;
mod mapping;
mod parked;
mod proof;
mod router;
mod runs;
mod usable;

use std::sync::Arc;

use lambda_http::{Error, run};
use shared::auth::{Issuer, Verifier};
use shared::bus::Bus;
use shared::connect::{Connector, Meta};
use shared::graph::Graph;
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
    let table = Table::new(aws_sdk_dynamodb::Client::new(&aws), env::table_name()?);
    let sqs = aws_sdk_sqs::Client::new(&aws);
    let leads = Queue::new(sqs.clone(), env::lead_queue_url()?);
    let sweeps = Queue::new(sqs.clone(), env::lead_sweep_queue_url()?);
    let checks = Queue::new(sqs.clone(), env::expiry_notice_queue_url()?);
    let ads = Queue::new(sqs, env::ads_sync_queue_url()?);
    let key = vault.signing_key(&env::signing_secret_id()?).await?;
    let app_secret_id = env::meta_app_secret_id()?;
    let graph_version = env::graph_version()?;
    let app = vault.app(&app_secret_id).await?;
    let api = Arc::new(router::Api {
        verifier,
        table: table.clone(),
        leads: leads.clone(),
        sweeps,
        ads,
        checks: checks.clone(),
        key: key.clone(),
        app_id: app.id.clone(),
        dialog_root: env::dialog_base_url()?,
        graph_version: graph_version.clone(),
        public_url: env::public_url()?,
        return_urls: ReturnUrls::parse(&env::return_url_allow_list()?)?,
        connector: Connector {
            meta: Meta { graph: Graph::new(env::graph_base_url()?, graph_version, app)?, vault, app_secret_id },
            table,
            bus: Bus::new(aws_sdk_eventbridge::Client::new(&aws), env::event_bus_name()?),
            leads,
            checks,
            credentials_prefix: env::credentials_prefix()?,
            key,
        },
    });
    run(router::router(api)).await
}
