//! The admin API: a router, with one function of `leadwire::admin` behind each route.

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
mod state;

use std::sync::Arc;

use lambda_http::{Error, run};
use leadwire::admin::Services;
use leadwire::auth::{Issuer, Verifier};
use leadwire::{aws, env, telemetry};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    telemetry::init();
    let aws = aws::load(aws::TimeoutProfile::Request).await;
    let audiences = env::token_audience()?.split(',').map(|audience| audience.trim().to_owned()).collect();
    let verifier = Verifier::new(Issuer {
        issuer: env::token_issuer()?,
        audiences,
        keys_at: env::token_jwks_url()?,
        org_claim: env::org_claim()?,
        role_claim: env::role_claim()?,
    })?;
    let api = state::Api { services: Services::open(&aws).await?, verifier, public_url: env::public_url()? };
    run(router::router(Arc::new(api))).await
}
