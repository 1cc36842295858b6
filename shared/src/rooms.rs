//! The rooms that people and programs visit, all of them, as a function's environment describes them. Functions with one
//! job build what that job needs.

use std::error::Error;

use aws_types::SdkConfig;

use crate::ads::Ads;
use crate::audit::AuditLog;
use crate::bus::Bus;
use crate::campaigns::Campaigns;
use crate::connections::{Connections, Connector, Dialog};
use crate::conversions::Conversions;
use crate::deliveries::Deliveries;
use crate::directory::Directory;
use crate::env;
use crate::exports::Exports;
use crate::files::Files;
use crate::inbox::Inbox;
use crate::leads::Leads;
use crate::meta_app::MetaApp;
use crate::model::connection::login::ReturnUrls;
use crate::model::web_address::EndpointAddresses;
use crate::publishing::Publishing;
use crate::queue::Queue;
use crate::receiver::Receiver;
use crate::table::Table;
use crate::tokens::Tokens;
use crate::vault::Vault;

/// All rooms.
#[derive(Debug, Clone)]
pub struct Rooms {
    /// Who belongs to an org, and what they may do.
    pub directory: Directory,
    /// Leads.
    pub leads: Leads,
    /// Files of leads.
    pub exports: Exports,
    /// Connections with Meta.
    pub connections: Connections,
    /// What Meta is told about leads.
    pub conversions: Conversions,
    /// Events for the CRM's endpoints.
    pub deliveries: Deliveries,
    /// Ads and their figures.
    pub ads: Ads,
    /// Posts.
    pub publishing: Publishing,
    /// Campaigns for leads.
    pub campaigns: Campaigns,
    /// Comments and messages.
    pub inbox: Inbox,
    /// What was done by whom.
    pub audit: AuditLog,
}

impl Rooms {
    /// Builds all rooms over one set of clients. That of DynamoDB is the caller's: it may watch its requests.
    ///
    /// # Errors
    /// If a variable is missing or unusable, or a secret cannot be read: the function cannot begin, and its log says why.
    pub async fn open(
        aws: &SdkConfig,
        dynamodb: aws_sdk_dynamodb::Client,
    ) -> Result<Self, Box<dyn Error + Send + Sync>> {
        let vault = Vault::new(aws_sdk_secretsmanager::Client::new(aws));
        let table = Table::new(dynamodb, env::table_name()?);
        let bus = Bus::new(aws_sdk_eventbridge::Client::new(aws), env::event_bus_name()?);
        let files = Files::new(aws, env::files_bucket()?);
        let sqs = aws_sdk_sqs::Client::new(aws);
        let lead_queue = Queue::new(sqs.clone(), env::lead_queue_url()?);
        let checks = Queue::new(sqs.clone(), env::expiry_notice_queue_url()?);
        let publish_queue = Queue::new(sqs.clone(), env::publish_queue_url()?);
        let key = vault.signing_key(&env::signing_secret_id()?).await?;
        let root_key = vault.signing_key(&env::root_secret_id()?).await?;
        let (version, credentials_prefix) = (env::graph_version()?, env::credentials_prefix()?);
        let meta = MetaApp::open(vault, env::meta_app_secret_id()?, env::graph_base_url()?, version.clone()).await?;
        let tokens = Tokens { meta: meta.clone(), table: table.clone(), checks: checks.clone() };
        Ok(Self {
            directory: Directory { table: table.clone(), key: key.clone() },
            leads: Leads {
                table: table.clone(),
                bus: bus.clone(),
                tokens: tokens.clone(),
                queue: lead_queue.clone(),
                searches: Queue::new(sqs.clone(), env::lead_search_queue_url()?),
                key: key.clone(),
            },
            exports: Exports {
                table: table.clone(),
                files: files.clone(),
                queue: Queue::new(sqs.clone(), env::export_queue_url()?),
                key: key.clone(),
            },
            conversions: Conversions { tokens: tokens.clone() },
            deliveries: Deliveries {
                table: table.clone(),
                queue: Queue::new(sqs.clone(), env::delivery_queue_url()?),
                receiver: Receiver::new(EndpointAddresses::new(env::local_endpoints()?))?,
                key: key.clone(),
                root_key: root_key.clone(),
            },
            ads: Ads {
                table: table.clone(),
                tokens: tokens.clone(),
                queue: Queue::new(sqs.clone(), env::ads_sync_queue_url()?),
                credentials_prefix: credentials_prefix.clone(),
                key: key.clone(),
            },
            publishing: Publishing {
                table: table.clone(),
                tokens: tokens.clone(),
                queue: publish_queue.clone(),
                files: files.clone(),
                key: key.clone(),
            },
            campaigns: Campaigns {
                table: table.clone(),
                tokens: tokens.clone(),
                queue: publish_queue,
                bus: bus.clone(),
                key: key.clone(),
            },
            inbox: Inbox {
                meta: meta.clone(),
                table: table.clone(),
                bus: bus.clone(),
                files,
                answers: Queue::new(sqs, env::answer_queue_url()?),
                has_human_agent: env::human_agent()?,
                key: key.clone(),
            },
            audit: AuditLog { table: table.clone(), key: key.clone() },
            connections: Connections {
                connector: Connector { meta, table, bus, leads: lead_queue, checks, credentials_prefix, key, root_key },
                tokens,
                dialog: Dialog {
                    root: env::dialog_base_url()?,
                    version,
                    return_urls: ReturnUrls::parse(&env::return_url_allow_list()?)?,
                },
            },
        })
    }
}
