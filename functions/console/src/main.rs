//! The console: pages for admins, rendered on the server, on top of the same functions as the HTTP API.

mod address;
mod ads;
mod assets;
mod chart;
mod delivery;
mod elements;
mod fields;
mod forms;
mod frame;
mod integrations;
mod leads;
mod login;
mod notice;
mod orgs;
mod router;
mod state;
mod visitor;

use lambda_http::{Error, run};
use leadwire::admin::Services;
use leadwire::auth::{Issuer, Verifier};
use leadwire::{aws, env, telemetry};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    telemetry::init();
    let aws = aws::load(aws::TimeoutProfile::Request).await;
    let services = Services::open(&aws).await?;
    let client_id = env::login_client_id()?;
    let verifier = Verifier::new(Issuer {
        issuer: env::token_issuer()?,
        audiences: vec![client_id.clone()],
        keys_at: env::token_jwks_url()?,
        org_claim: env::org_claim()?,
        role_claim: env::role_claim()?,
    })?;
    let door = login::Door::new(client_id, env::login_configuration_url()?, verifier)?;
    run(router::router(state::Console::new(services, door, env::public_url()?))).await
}
