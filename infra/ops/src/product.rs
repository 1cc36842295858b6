//! The product's rooms, built as the function `api` builds them: from its own variables in the deployed stack.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use leadwire::audit::AuditLog;
use leadwire::bus::Bus;
use leadwire::env;
use leadwire::exports::Exports;
use leadwire::files::Files;
use leadwire::ids::OrgScope;
use leadwire::jobs::AdsSyncJob;
use leadwire::leads::Leads;
use leadwire::meta_app::MetaApp;
use leadwire::model::caller::Caller;
use leadwire::model::org::Org;
use leadwire::queue::Queue;
use leadwire::secret::HmacKey;
use leadwire::table::Table;
use leadwire::tokens::Tokens;
use leadwire::vault::Vault;

use crate::UnusableLine;
use crate::account::StackAccount;

/// The deployed product, as its operator uses it.
pub(crate) struct Product<'a> {
    /// Where it is.
    pub(crate) account: &'a StackAccount,
    /// Its table.
    pub(crate) table: Table,
    /// Who operates it.
    pub(crate) caller: Caller,
}

impl<'a> Product<'a> {
    /// Learns from the deployed function `api` what the product works with.
    pub(crate) async fn open(account: &'a StackAccount) -> Result<Self> {
        let configuration = account.function_configuration(account.function("api")?).await?;
        let variables = configuration.pointer("/Environment/Variables").and_then(serde_json::Value::as_object);
        let variables = variables.context("the function api has no variables")?.iter();
        // Region and credentials are the operator's own.
        let variables = variables.filter(|(name, _)| !name.starts_with("AWS_"));
        let text = |(name, value): (&String, &serde_json::Value)| Some((name.clone(), value.as_str()?.to_owned()));
        env::stand_in_for(variables.filter_map(text).collect::<BTreeMap<_, _>>());
        let table = Table::new(aws_sdk_dynamodb::Client::new(&account.config), env::table_name()?);
        Ok(Self { account, table, caller: Caller::operator(&account.identity().await?) })
    }

    /// The scope of an org that the CRM has pushed, and the org.
    pub(crate) async fn org(&self, id: &str) -> Result<(OrgScope, Org)> {
        let scope = self.scope(id)?;
        let org = self.table.org(&scope).await?;
        let org =
            org.ok_or_else(|| UnusableLine(format!("no org {id}: its id is the CRM's, as in the header orgid")))?;
        Ok((scope, org))
    }

    /// The scope of an org, whether or not it is there.
    pub(crate) fn scope(&self, id: &str) -> Result<OrgScope> {
        self.caller.scope(Some(id)).map_err(|_| UnusableLine(format!("{id} cannot be the id of an org")).into())
    }

    /// All orgs, each with its scope.
    pub(crate) async fn orgs(&self) -> Result<Vec<(OrgScope, Org)>> {
        let orgs = self.table.orgs().await?;
        orgs.into_iter().map(|org| Ok((self.scope(org.id.as_str())?, org))).collect()
    }

    pub(crate) fn vault(&self) -> Vault {
        Vault::new(aws_sdk_secretsmanager::Client::new(&self.account.config))
    }

    fn sqs(&self) -> aws_sdk_sqs::Client {
        aws_sdk_sqs::Client::new(&self.account.config)
    }

    async fn key(&self) -> Result<HmacKey> {
        Ok(self.vault().signing_key(&env::signing_secret_id()?).await?)
    }

    /// The product's app at Meta.
    pub(crate) async fn meta(&self) -> Result<MetaApp> {
        let (secret, root, version) = (env::meta_app_secret_id()?, env::graph_base_url()?, env::graph_version()?);
        Ok(MetaApp::open(self.vault(), secret, root, version).await?)
    }

    pub(crate) fn bus(&self) -> Result<Bus> {
        Ok(Bus::new(aws_sdk_eventbridge::Client::new(&self.account.config), env::event_bus_name()?))
    }

    pub(crate) async fn leads(&self) -> Result<Leads> {
        let checks = Queue::new(self.sqs(), env::expiry_notice_queue_url()?);
        Ok(Leads {
            table: self.table.clone(),
            bus: self.bus()?,
            tokens: Tokens { meta: self.meta().await?, table: self.table.clone(), checks },
            queue: Queue::new(self.sqs(), env::lead_queue_url()?),
            searches: Queue::new(self.sqs(), env::lead_search_queue_url()?),
            key: self.key().await?,
        })
    }

    pub(crate) async fn audit(&self) -> Result<AuditLog> {
        Ok(AuditLog { table: self.table.clone(), key: self.key().await? })
    }

    pub(crate) async fn exports(&self) -> Result<Exports> {
        Ok(Exports {
            table: self.table.clone(),
            files: Files::new(&self.account.config, env::files_bucket()?),
            queue: Queue::new(self.sqs(), env::export_queue_url()?),
            key: self.key().await?,
        })
    }

    pub(crate) fn syncs(&self) -> Result<Queue<AdsSyncJob>> {
        Ok(Queue::new(self.sqs(), env::ads_sync_queue_url()?))
    }
}
