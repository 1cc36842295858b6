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
use leadwire::ads::Ads;
use leadwire::audit::AuditLog;
use leadwire::auth::{Issuer, ProgramScopes, Verifier};
use leadwire::bus::Bus;
use leadwire::campaigns::Campaigns;
use leadwire::connections::{Connections, Connector, Dialog};
use leadwire::conversions::Conversions;
use leadwire::deliveries::Deliveries;
use leadwire::directory::Directory;
use leadwire::exports::Exports;
use leadwire::files::Files;
use leadwire::inbox::Inbox;
use leadwire::leads::Leads;
use leadwire::meta_app::MetaApp;
use leadwire::model::connection::login::ReturnUrls;
use leadwire::model::web_address::EndpointAddresses;
use leadwire::publishing::Publishing;
use leadwire::queue::Queue;
use leadwire::receiver::Receiver;
use leadwire::table::Table;
use leadwire::tokens::Tokens;
use leadwire::vault::Vault;
use leadwire::{aws, env, telemetry};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    telemetry::init();
    let aws = aws::load(aws::TimeoutProfile::Request)?;
    let audiences = env::token_audience()?.split(',').map(|audience| audience.trim().to_owned()).collect();
    let verifier = Verifier::new(Issuer {
        issuer: env::token_issuer()?,
        audiences,
        keys_at: env::token_jwks_url()?,
        org_claim: env::org_claim()?,
        role_claim: env::role_claim()?,
        programs: ProgramScopes { all_orgs: env::program_scope()?, one_org: env::program_org_scope()? },
    })?;
    let vault = Vault::new(aws_sdk_secretsmanager::Client::new(&aws));
    let table = Table::new(aws_sdk_dynamodb::Client::new(&aws), env::table_name()?);
    let bus = Bus::new(aws_sdk_eventbridge::Client::new(&aws), env::event_bus_name()?);
    let sqs = aws_sdk_sqs::Client::new(&aws);
    let lead_queue = Queue::new(sqs.clone(), env::lead_queue_url()?);
    let checks = Queue::new(sqs.clone(), env::expiry_notice_queue_url()?);
    let key = vault.signing_key(&env::signing_secret_id()?).await?;
    let root_key = vault.signing_key(&env::root_secret_id()?).await?;
    let version = env::graph_version()?;
    let meta = MetaApp::open(vault, env::meta_app_secret_id()?, env::graph_base_url()?, version.clone()).await?;
    let tokens = Tokens { meta: meta.clone(), table: table.clone(), checks: checks.clone() };
    let leads = Leads {
        table: table.clone(),
        bus: bus.clone(),
        tokens: tokens.clone(),
        queue: lead_queue.clone(),
        searches: Queue::new(sqs.clone(), env::lead_search_queue_url()?),
        key: key.clone(),
    };
    let exports = Exports {
        table: table.clone(),
        files: Files::new(&aws, env::files_bucket()?),
        queue: Queue::new(sqs.clone(), env::export_queue_url()?),
        key: key.clone(),
    };
    let ads = Ads {
        table: table.clone(),
        tokens: tokens.clone(),
        queue: Queue::new(sqs.clone(), env::ads_sync_queue_url()?),
        credentials_prefix: env::credentials_prefix()?,
        key: key.clone(),
    };
    let publishing = Publishing {
        table: table.clone(),
        tokens: tokens.clone(),
        queue: Queue::new(sqs.clone(), env::publish_queue_url()?),
        files: exports.files.clone(),
        key: key.clone(),
    };
    let campaigns = Campaigns {
        table: table.clone(),
        tokens: tokens.clone(),
        queue: publishing.queue.clone(),
        bus: bus.clone(),
        key: key.clone(),
    };
    let conversions = Conversions { tokens: tokens.clone() };
    let deliveries = Deliveries {
        table: table.clone(),
        queue: Queue::new(sqs.clone(), env::delivery_queue_url()?),
        receiver: Receiver::new(EndpointAddresses::new(env::local_endpoints()? == "yes"))?,
        key: key.clone(),
        root_key: root_key.clone(),
    };
    let connections = Connections {
        connector: Connector {
            meta,
            table: table.clone(),
            bus: bus.clone(),
            leads: lead_queue,
            checks,
            credentials_prefix: env::credentials_prefix()?,
            key: key.clone(),
            root_key,
        },
        tokens,
        dialog: Dialog {
            root: env::dialog_base_url()?,
            version,
            return_urls: ReturnUrls::parse(&env::return_url_allow_list()?)?,
        },
    };
    let inbox = Inbox {
        meta: publishing.tokens.meta.clone(),
        table: table.clone(),
        bus: bus.clone(),
        files: publishing.files.clone(),
        answers: Queue::new(sqs.clone(), env::answer_queue_url()?),
        has_human_agent: env::human_agent()? == "yes",
        key: key.clone(),
    };
    let audit = AuditLog { table: table.clone(), key: key.clone() };
    let directory = Directory { table, key };
    let api = state::Api {
        directory,
        leads,
        exports,
        connections,
        conversions,
        deliveries,
        ads,
        publishing,
        campaigns,
        inbox,
        audit,
        verifier,
        public_url: env::public_url()?,
    };
    run(router::router(Arc::new(api))).await
}
