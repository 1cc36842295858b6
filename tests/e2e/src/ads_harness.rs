//! Syncs ad accounts without the rest of the system: the product's own `AdsSyncer`, an in-process DynamoDB, and a private
//! simulated Meta whose clock and limits no other test shares. The stories cover what needs functions, queues and
//! roles.

use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;
use jiff::civil::Date;
use leadwire::ads::{AdsSyncer, SliceOutcome, StartOutcome, start_due_syncs, start_sync};
use leadwire::clock;
use leadwire::error::WorkError;
use leadwire::ids::{AdAccountId, ClientId, OrgId, OrgScope, RunId, UserId};
use leadwire::jobs::{AdsSyncJob, CheckJob};
use leadwire::meta_app::MetaApp;
use leadwire::model::ads::account::{AdAccount, Client, TokenSource};
use leadwire::model::ads::sync::{AdsSync, Cause};
use leadwire::model::org::Wanted;
use leadwire::queue::Queue;
use leadwire::table::Table;
use leadwire::vault::Vault;
use serde_json::{Value, json};

use crate::ad_accounts::AdAccountFixture;
use crate::fake_aws::{Delays, FakeAws, Used};
use crate::json::Json;

/// The org of the ad accounts.
pub const ORG_ID: &str = "agency";

/// An [`AdsSyncer`] with its dependencies.
pub struct AdsHarness {
    sim: graph_sim::Handle,
    http: reqwest::Client,
    /// The table that syncs write to.
    pub table: Table,
    dynamo: aws_sdk_dynamodb::Client,
    meta: MetaApp,
    checks: Queue<CheckJob>,
    queue: Queue<AdsSyncJob>,
    aws: FakeAws,
}

impl AdsHarness {
    /// Starts a harness without ad accounts.
    ///
    /// # Panics
    /// Panics if one of its parts does not start.
    pub async fn open() -> Self {
        Self::open_with(Delays::default()).await
    }

    /// Starts a harness whose requests take this much longer.
    ///
    /// # Panics
    /// Panics if one of its parts does not start.
    pub async fn open_with(delays: Delays) -> Self {
        let sim = graph_sim::start(graph_sim::Options::default()).await.expect("a simulated Meta");
        let http = reqwest::Client::new();
        let user = json!({ "scopes": ["ads_read", "business_management"] });
        let user =
            http.post(format!("{}/_sim/system_users", sim.url())).json(&user).send().await.expect("Meta answers");
        let token = user.json::<Value>().await.expect("a system user").text("token").to_owned();
        let app = json!({
            "app_id": graph_sim::seed::APP_ID, "app_secret": graph_sim::seed::APP_SECRET, "verify_token": "verify-token",
        });
        let aws = FakeAws::start(sim.url(), delays).await;
        aws.put_secret("app", &app);
        aws.put_secret("token", &json!({ "token": token }));
        let endpoint = &aws.endpoint;
        let vault = Vault::new(aws.secrets_manager());
        let dynamo = aws.dynamodb();
        let sqs = aws.sqs();
        let root = format!("{endpoint}/graph").parse().expect("an address");
        let meta = MetaApp::open(vault, "app".to_owned(), root, "v26.0".to_owned()).await.expect("the app's secret");
        let harness = Self {
            table: Table::new(dynamo.clone(), "table".to_owned()),
            dynamo,
            meta,
            checks: Queue::new(sqs.clone(), format!("{endpoint}/checks")),
            queue: Queue::new(sqs, format!("{endpoint}/queue")),
            aws,
            sim,
            http,
        };
        let plan = json!({ "name": "pro", "features": ["meta"] });
        let org = json!({ "id": ORG_ID, "name": "Agency", "plan": plan, "updated_at": clock::now() });
        harness.put_row(&format!("ORG#{ORG_ID}"), "ORG", None, &org).await;
        harness
    }

    /// Calls the control interface of the simulated Meta.
    ///
    /// # Panics
    /// Panics if the call does not succeed.
    pub async fn call_sim(&self, method: reqwest::Method, call: &str, input: &Value) -> Value {
        let request = self.http.request(method, format!("{}/_sim/{call}", self.sim.url()));
        let request = if input.is_null() { request } else { request.json(input) };
        let answer = request.send().await.expect("Meta answers");
        let (status, text) = (answer.status(), answer.text().await.expect("Meta answers whole"));
        assert!(status.is_success(), "{call} {input}: {text}");
        serde_json::from_str(&text).expect("Meta answers with JSON")
    }

    /// Creates an account at Meta and links it, as the API does after verifying it.
    ///
    /// # Panics
    /// Panics if a step fails.
    pub async fn link_account(&self, account: &AdAccountFixture<'_>) -> AdAccount {
        let AdAccountFixture { id, currency, timezone, .. } = account;
        self.call_sim(reqwest::Method::POST, "ads", &account.to_input()).await;
        let client = ClientId::parse(&format!("client-{id}")).expect("an id");
        let client = Client { id: client, name: "Client".to_owned() };
        let linked = (UserId::parse("admin").expect("an id"), clock::now());
        let act = AdAccountId::parse(&format!("act_{id}")).expect("an id");
        let token = TokenSource::Secret("token".to_owned());
        let account = AdAccount {
            label: format!("Account {id}"),
            currency: (*currency).to_owned(),
            timezone: (*timezone).to_owned(),
            ..AdAccount::new(OrgId::parse(ORG_ID).expect("an id"), act, client, token, linked)
        };
        let index = ("AD_ACCOUNTS".to_owned(), format!("{ORG_ID}#{}", account.ad_account_id));
        let sk = format!("AD_ACCOUNT#{}", account.ad_account_id);
        let row = serde_json::to_value(&account).expect("an account");
        self.put_row(&format!("ORG#{ORG_ID}"), &sk, Some(index), &row).await;
        account
    }

    /// Returns the current state of the account and its scope.
    ///
    /// # Panics
    /// Panics if the account is not linked.
    pub async fn account(&self, account: &AdAccount) -> (OrgScope, AdAccount) {
        let all = self.table.all_ad_accounts().await.expect("the table answers");
        all.into_iter().find(|(_, found)| found.id == account.id).expect("a linked account")
    }

    /// Begins a sync back to `since`, or as far back as is due if `None`. Joins a running sync.
    ///
    /// # Panics
    /// Panics if the table fails or the account is gone.
    pub async fn begin_sync(&self, account: &AdAccount, since: Option<Date>) -> AdsSyncJob {
        let (scope, account) = self.account(account).await;
        let (now, run) = (clock::now(), RunId::new());
        let plan = (since.unwrap_or_else(|| account.due_since(now)), Cause::Request, None);
        match start_sync(&self.table, &scope, &account, &run, plan, now).await.expect("the table answers") {
            StartOutcome::New => AdsSyncJob::new(&account, Some(run)),
            StartOutcome::Joined(running) => AdsSyncJob::new(&account, Some(running)),
            StartOutcome::Gone => panic!("the account is gone"),
        }
    }

    /// Begins what the schedule begins until `until`, and returns its messages in the order they were sent.
    ///
    /// # Errors
    /// If the queue refuses messages.
    ///
    /// # Panics
    /// Panics if the table fails.
    pub async fn begin_scheduled(&self, until: Timestamp) -> Result<Vec<AdsSyncJob>, WorkError> {
        let accounts = self.table.all_ad_accounts().await.expect("the table answers");
        let _ = self.aws.take_messages();
        let sent = start_due_syncs(&self.table, &self.queue, accounts, Wanted::default(), until).await?;
        let messages = self.aws.take_messages();
        assert_eq!(messages.len(), sent, "{messages:?}");
        Ok(messages.iter().map(|message| serde_json::from_str(message).expect("a job")).collect())
    }

    /// Makes the queue refuse messages, or take them again.
    pub fn refuse_messages(&self, refuse: bool) {
        self.aws.refuse_messages(refuse);
    }

    /// Syncs the only account as the schedule does, and returns its log entry.
    ///
    /// # Panics
    /// Panics if no sync is due, or it does not complete.
    pub async fn sync_scheduled(&self, account: &AdAccount) -> AdsSync {
        let jobs = self.begin_scheduled(Timestamp::MAX).await.expect("a queue");
        assert_eq!(jobs.len(), 1, "one account is due");
        self.finish_sync(account, &jobs[0]).await
    }

    /// Runs one slice of a sync, which ends within `time`.
    ///
    /// # Panics
    /// Panics if the table or the vault fails.
    pub async fn run_slice(&self, job: &AdsSyncJob, time: Duration) -> SliceOutcome {
        let syncer = AdsSyncer { meta: &self.meta, table: &self.table, checks: &self.checks };
        syncer.run_slice(job, clock::now() + time, &|_| ()).await.expect("table and vault answer")
    }

    /// Syncs an account to completion, however long Meta makes the sync wait, and returns its log entry.
    ///
    /// # Panics
    /// Panics if the sync does not complete.
    pub async fn sync(&self, account: &AdAccount, since: Option<Date>) -> AdsSync {
        let job = self.begin_sync(account, since).await;
        self.finish_sync(account, &job).await
    }

    /// Runs the remaining slices of a sync.
    ///
    /// # Panics
    /// Panics if the sync does not complete.
    pub async fn finish_sync(&self, account: &AdAccount, job: &AdsSyncJob) -> AdsSync {
        for _ in 0..200 {
            match self.run_slice(job, Duration::from_mins(5)).await {
                SliceOutcome::Done => {
                    let (scope, _) = self.account(account).await;
                    let run = job.run.as_ref().expect("a sync");
                    let sync = self.table.ads_sync(&scope, run, &account.id).await.expect("the table answers");
                    return sync.expect("a sync");
                }
                SliceOutcome::Continue(rest) | SliceOutcome::Busy(rest) => tokio::time::sleep(rest).await,
            }
        }
        panic!("the sync does not end");
    }

    /// Expires the lease on this account, as if the worker that holds it had died long ago.
    pub async fn expire_lease(&self, account: &AdAccount) {
        let key = |name: &str, value: String| (name.to_owned(), AttributeValue::S(value));
        let key = [key("pk", format!("ORG#{ORG_ID}")), key("sk", format!("AD_ACCOUNT#{}", account.ad_account_id))];
        let update = self.dynamo.update_item().table_name("table").set_key(Some(key.into()));
        let update = update.update_expression("SET run_lease = :past").condition_expression("attribute_exists(run_id)");
        let past = AttributeValue::S("2020-01-01T00:00:00Z".to_owned());
        // A completed sync has no lease, so the condition fails.
        let _ = update.expression_attribute_values(":past", past).send().await;
    }

    /// Ends the wait that Meta imposed.
    ///
    /// # Panics
    /// Panics if the table fails.
    pub async fn expire_pause(&self, account: &AdAccount) {
        let key = |name: &str, value: String| (name.to_owned(), AttributeValue::S(value));
        let key = [key("pk", format!("AD_ACCOUNT#{}", account.ad_account_id)), key("sk", "PAUSE".to_owned())];
        self.dynamo.delete_item().table_name("table").set_key(Some(key.into())).send().await.expect("a deleted row");
    }

    /// Returns the environment variables that let another program read the same accounts.
    #[must_use]
    pub fn environment(&self) -> Vec<(&'static str, String)> {
        vec![
            ("TABLE_NAME", "table".to_owned()),
            ("META_APP_SECRET_ID", "app".to_owned()),
            ("GRAPH_BASE_URL", self.sim.url().to_owned()),
            ("GRAPH_VERSION", "v26.0".to_owned()),
            ("EXPIRY_NOTICE_QUEUE_URL", format!("{}/checks", self.aws.endpoint)),
            ("ADS_SYNC_QUEUE_URL", format!("{}/queue", self.aws.endpoint)),
            ("AWS_ENDPOINT_URL", self.aws.endpoint.clone()),
            ("AWS_REGION", "us-east-1".to_owned()),
            ("AWS_ACCESS_KEY_ID", "test".to_owned()),
            ("AWS_SECRET_ACCESS_KEY", "test".to_owned()),
        ]
    }

    /// Returns what DynamoDB has done since the previous call.
    pub fn take_used(&self) -> Used {
        self.aws.take_used()
    }

    async fn put_row(&self, pk: &str, sk: &str, index: Option<(String, String)>, body: &Value) {
        let mut item: std::collections::HashMap<String, AttributeValue> = serde_dynamo::to_item(body).expect("an item");
        item.retain(|_, value| !value.is_null());
        let mut keys = vec![("pk", pk.to_owned()), ("sk", sk.to_owned())];
        if let Some((gsi1pk, gsi1sk)) = index {
            keys.extend([("gsi1pk", gsi1pk), ("gsi1sk", gsi1sk)]);
        }
        item.extend(keys.into_iter().map(|(name, value)| (name.to_owned(), AttributeValue::S(value))));
        self.dynamo.put_item().table_name("table").set_item(Some(item)).send().await.expect("a written row");
    }
}
