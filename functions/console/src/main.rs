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
use leadwire::ads::Ads;
use leadwire::audit::AuditLog;
use leadwire::auth::{Issuer, ProgramScopes, Verifier};
use leadwire::bus::Bus;
use leadwire::campaigns::Campaigns;
use leadwire::cloudwatch::CloudWatch;
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
use leadwire::model::operations::stack::MonitoredStack;
use leadwire::model::web_address::EndpointAddresses;
use leadwire::notices::MailSwitch;
use leadwire::operations::Operations;
use leadwire::publishing::Publishing;
use leadwire::queue::Queue;
use leadwire::receiver::Receiver;
use leadwire::table::Table;
use leadwire::tokens::Tokens;
use leadwire::vault::Vault;
use leadwire::{aws, env, telemetry};

use crate::waiting::CallCounter;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    telemetry::init();
    let aws = aws::load(aws::TimeoutProfile::Request)?;
    let vault = Vault::new(aws_sdk_secretsmanager::Client::new(&aws));
    let dynamodb = aws_sdk_dynamodb::config::Builder::from(&aws).interceptor(CallCounter).build();
    let dynamodb = aws_sdk_dynamodb::Client::from_conf(dynamodb);
    let table = Table::new(dynamodb.clone(), env::table_name()?);
    let bus = Bus::new(aws_sdk_eventbridge::Client::new(&aws), env::event_bus_name()?);
    let sqs = aws_sdk_sqs::Client::new(&aws);
    let lead_queue = Queue::new(sqs.clone(), env::lead_queue_url()?);
    let checks = Queue::new(sqs.clone(), env::expiry_notice_queue_url()?);
    let key = vault.signing_key(&env::signing_secret_id()?).await?;
    let root_key = vault.signing_key(&env::root_secret_id()?).await?;
    let console_key = vault.signing_key(&env::console_secret_id()?).await?;
    let sessions = Table::new(dynamodb, env::sessions_table_name()?);
    let stack =
        MonitoredStack { name: env::stack_name()?, table: env::table_name()?, sessions: env::sessions_table_name()? };
    let operations = Operations::new(CloudWatch::new(&aws), stack);
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
    let deliveries = Deliveries {
        table: table.clone(),
        queue: Queue::new(sqs.clone(), env::delivery_queue_url()?),
        receiver: Receiver::new(EndpointAddresses::new(env::local_endpoints()? == "yes"))?,
        key: key.clone(),
        root_key: root_key.clone(),
    };
    let campaigns = Campaigns {
        table: table.clone(),
        tokens: tokens.clone(),
        queue: Queue::new(sqs.clone(), env::publish_queue_url()?),
        bus: bus.clone(),
        key: key.clone(),
    };
    let publishing = Publishing {
        table: table.clone(),
        tokens: tokens.clone(),
        queue: campaigns.queue.clone(),
        files: exports.files.clone(),
        key: key.clone(),
    };
    let inbox = Inbox {
        meta: meta.clone(),
        table: table.clone(),
        bus: bus.clone(),
        files: publishing.files.clone(),
        answers: Queue::new(sqs, env::answer_queue_url()?),
        has_human_agent: env::human_agent()? == "yes",
        key: key.clone(),
    };
    let audit = AuditLog { table: table.clone(), key: key.clone() };
    let mail_switch = MailSwitch { table: table.clone(), key: key.clone() };
    let conversions = Conversions { tokens: tokens.clone() };
    let connections = Connections {
        connector: Connector {
            meta,
            table: table.clone(),
            bus,
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
    let directory = Directory { table: table.clone(), key: key.clone() };
    let public_url = env::public_url()?;
    let files_origin = publishing.files.origin().await?;
    let shared = state::Shared {
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
        operations,
        audit,
        mail_switch,
        sessions,
        key,
        console_key,
        oidc,
        public_url,
        files_origin,
        is_local: env::local_endpoints()? == "yes",
    };
    run(router::router(state::Console::new(shared))).await
}
