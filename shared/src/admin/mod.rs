//! What an admin does, whichever face they use: the API and the console translate to and from it.
//!
//! Every act is a function that takes [`Services`], who asks ([`Access`], or [`MetaAccess`] where the plan has to include
//! Meta) and what is asked for, and answers what is to be shown, or a [`Problem`]. What it takes and shows is also what
//! the API takes and sends: the description at `GET /openapi.json` is made of these types, names and comments included.
#![expect(missing_docs, reason = "a field whose name says it all has no description in the API's document either")]

pub mod fields;

pub mod connect;
pub mod inspect;
pub mod integrations;
pub mod manage;
mod usable;

pub mod forms;
pub mod import;
pub mod leads;
pub mod mapping;
pub mod parked;
pub mod proof;
pub mod runs;

pub mod ads;

pub mod directory;

use std::ops::Deref;

use aws_config::SdkConfig;
use http::StatusCode;
use url::Url;

use crate::bus::Bus;
use crate::connections::Connector;
use crate::env;
use crate::graph::Graph;
use crate::http::Problem;
use crate::ids::OrgScope;
use crate::jobs::{AdsSyncJob, CheckJob, LeadJob, SweepJob};
use crate::meta_app::MetaApp;
use crate::model::caller::Caller;
use crate::model::connection::login::ReturnUrls;
use crate::model::org::Org;
use crate::queue::Queue;
use crate::secret::HmacKey;
use crate::table::Table;
use crate::vault::Vault;

/// Everything that admins' acts need.
#[derive(Debug)]
pub struct Services {
    /// Where everything is.
    pub table: Table,
    /// Takes leads to be fetched.
    pub leads: Queue<LeadJob>,
    /// Signs cursors and login states.
    pub key: HmacKey,
    /// For what changes a connection, or asks Meta.
    pub connector: Connector,
    /// Takes pages to be searched.
    pub sweeps: Queue<SweepJob>,
    /// Takes ad accounts to be read.
    pub ads: Queue<AdsSyncJob>,
    /// Takes integrations to be looked at now.
    pub checks: Queue<CheckJob>,
    /// Our app at Meta.
    pub app_id: String,
    /// Where Meta's login dialog is.
    pub dialog_root: Url,
    /// The Graph API's version.
    pub graph_version: String,
    /// Where logins may return to.
    pub return_urls: ReturnUrls,
}

impl Services {
    /// All of them, as the function's environment names them.
    ///
    /// # Errors
    /// If a variable is not set or not usable, or one of our secrets cannot be had.
    pub async fn open(aws: &SdkConfig) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        let vault = Vault::new(aws_sdk_secretsmanager::Client::new(aws));
        let table = Table::new(aws_sdk_dynamodb::Client::new(aws), env::table_name()?);
        let sqs = aws_sdk_sqs::Client::new(aws);
        let leads = Queue::new(sqs.clone(), env::lead_queue_url()?);
        let sweeps = Queue::new(sqs.clone(), env::lead_sweep_queue_url()?);
        let checks = Queue::new(sqs.clone(), env::expiry_notice_queue_url()?);
        let ads = Queue::new(sqs, env::ads_sync_queue_url()?);
        let key = vault.signing_key(&env::signing_secret_id()?).await?;
        let app_secret_id = env::meta_app_secret_id()?;
        let graph_version = env::graph_version()?;
        let app = vault.app(&app_secret_id).await?;
        Ok(Self {
            table: table.clone(),
            leads: leads.clone(),
            sweeps,
            ads,
            checks: checks.clone(),
            key: key.clone(),
            app_id: app.id.clone(),
            dialog_root: env::dialog_base_url()?,
            graph_version: graph_version.clone(),
            return_urls: ReturnUrls::parse(&env::return_url_allow_list()?)?,
            connector: Connector {
                meta: MetaApp { graph: Graph::new(env::graph_base_url()?, graph_version, app)?, vault, app_secret_id },
                table,
                bus: Bus::new(aws_sdk_eventbridge::Client::new(aws), env::event_bus_name()?),
                leads,
                checks,
                credentials_prefix: env::credentials_prefix()?,
                key,
            },
        })
    }
}

/// Somebody who may act for an org.
#[derive(Debug, Clone)]
pub struct Access {
    /// The org.
    pub scope: OrgScope,
    /// Who it is.
    pub caller: Caller,
}

impl Access {
    /// The caller, acting for the org that they named.
    ///
    /// # Errors
    /// If they have no role here, name no org, or name another's.
    pub fn of(caller: Caller, orgid: Option<&str>) -> Result<Self, Problem> {
        Ok(Self { scope: caller.scope(orgid)?, caller })
    }
}

/// Somebody who may act for an org whose plan includes Meta.
#[derive(Debug, Clone)]
pub struct MetaAccess(Access);

impl MetaAccess {
    /// The same access, if the org's plan includes Meta.
    ///
    /// # Errors
    /// If it does not, or the table cannot be read.
    pub async fn of(services: &Services, access: Access) -> Result<Self, Problem> {
        let org = services.table.org(&access.scope).await?;
        Self::for_org(access, org.as_ref())
    }

    /// The same for who has just read the org, or found none.
    ///
    /// # Errors
    /// If its plan does not include Meta.
    pub fn for_org(access: Access, org: Option<&Org>) -> Result<Self, Problem> {
        if org.is_some_and(|org| org.id == *access.scope.org() && org.has_meta()) {
            return Ok(Self(access));
        }
        let detail = "The plan of this org does not include the Meta integration. Upgrade the plan to use it.";
        Err(Problem::new(StatusCode::PAYMENT_REQUIRED, "meta_not_in_plan", detail))
    }
}

impl Deref for MetaAccess {
    type Target = Access;

    fn deref(&self) -> &Access {
        &self.0
    }
}
