//! The HTTP API: a router, with one act of a room behind each route.

mod access;
mod acts;
mod ads;
mod audit;
mod campaigns;
mod connections;
mod description;
mod directory;
mod failures;
mod inbox;
mod input;
mod leads;
mod media;
mod people;
mod posts;
mod router;
mod saved_replies;
mod schemas;
mod state;
mod webhooks;

use std::sync::Arc;

use lambda_http::{Error, run};
use leadwire::auth::{Issuer, ProgramScopes, Verifier};
use leadwire::rooms::Rooms;
use leadwire::{aws, env, telemetry};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    telemetry::init();
    let aws = aws::load(aws::TimeoutProfile::Request)?;
    let verifier = Verifier::new(Issuer {
        issuer: env::token_issuer()?,
        audiences: env::token_audience()?,
        keys_at: env::token_jwks_url()?,
        org_claim: env::org_claim()?,
        role_claim: env::role_claim()?,
        programs: ProgramScopes { all_orgs: env::program_scope()?, one_org: env::program_org_scope()? },
    })?;
    let rooms = Rooms::open(&aws, aws_sdk_dynamodb::Client::new(&aws)).await?;
    let api = state::Api { rooms, verifier, public_url: env::public_url()? };
    run(router::router(Arc::new(api))).await
}
