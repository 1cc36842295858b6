//! The console: pages for admins, rendered on the server, on top of the same acts as the HTTP API.

mod account;
mod actor;
mod acts;
mod ads;
mod assets;
mod audit;
mod campaigns;
mod chart;
mod components;
mod countries;
mod csrf;
mod delivery;
mod download;
mod flash;
mod form;
mod forms;
mod home;
mod inbox;
mod integrations;
mod keys;
mod language;
mod layout;
mod leads;
mod login;
mod messages;
mod navigation;
mod oidc;
mod operations;
mod orgs;
mod palette;
mod posts;
mod renewal;
mod request;
mod router;
mod session;
mod settings;
mod state;
mod steps;
mod styleguide;
mod unsubscribe;
mod waiting;
mod webhooks;
mod zone;

use lambda_http::{Error, run};
use leadwire::auth::{Issuer, ProgramScopes, Verifier};
use leadwire::cloudwatch::CloudWatch;
use leadwire::model::operations::stack::MonitoredStack;
use leadwire::notices::MailSwitch;
use leadwire::operations::Operations;
use leadwire::rooms::Rooms;
use leadwire::table::Table;
use leadwire::vault::Vault;
use leadwire::{aws, env, telemetry};

use crate::waiting::CallCounter;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    telemetry::init();
    let aws = aws::load(aws::TimeoutProfile::Request)?;
    let dynamodb = aws_sdk_dynamodb::config::Builder::from(&aws).interceptor(CallCounter).build();
    let dynamodb = aws_sdk_dynamodb::Client::from_conf(dynamodb);
    let rooms = Rooms::open(&aws, dynamodb.clone()).await?;
    let vault = Vault::new(aws_sdk_secretsmanager::Client::new(&aws));
    let console_key = vault.signing_key(&env::console_secret_id()?).await?;
    let stack =
        MonitoredStack { name: env::stack_name()?, table: env::table_name()?, sessions: env::sessions_table_name()? };
    let operations = Operations::new(CloudWatch::new(&aws), stack);
    let sessions = Table::new(dynamodb, env::sessions_table_name()?);
    let (table, key) = (rooms.directory.table.clone(), rooms.directory.key.clone());
    let mail_switch = MailSwitch { table, key: key.clone() };
    let files_origin = rooms.publishing.files.origin().await?;
    let client_id = env::login_client_id()?;
    let verifier = Verifier::new(Issuer {
        issuer: env::token_issuer()?,
        audiences: vec![client_id.clone()],
        keys_at: env::token_jwks_url()?,
        org_claim: env::org_claim()?,
        role_claim: env::role_claim()?,
        programs: ProgramScopes::default(),
    })?;
    let oidc = oidc::OidcClient::new(client_id, env::login_configuration_url()?, verifier)?;
    let shared = state::Shared {
        rooms,
        operations,
        mail_switch,
        sessions,
        key,
        console_key,
        oidc,
        public_url: env::public_url()?,
        files_origin,
        is_local: env::local_endpoints()?,
    };
    run(router::router(state::Console::new(shared))).await
}
