//! The stand-in for AWS and Meta with the product's clients, and the time that functions run.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use axum::http::Method;
use e2e::fake_aws::{Delays, FakeAws, Used};
use leadwire::bus::Bus;
use leadwire::files::Files;
use leadwire::jobs::Job;
use leadwire::meta_app::MetaApp;
use leadwire::queue::Queue;
use leadwire::table::Table;
use leadwire::vault::Vault;
use serde_json::{Value, json};

use super::log;

/// What a flow used.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Usage {
    pub(super) of_services: Used,
    pub(super) lambda_ms: f64,
    pub(super) invocations: f64,
    pub(super) log_bytes: f64,
}

impl Usage {
    pub(super) fn add(&mut self, more: &Self) {
        let (used, more_used) = (&mut self.of_services, &more.of_services);
        used.write_units += more_used.write_units;
        used.read_units += more_used.read_units;
        used.dynamodb_requests += more_used.dynamodb_requests;
        used.secret_calls += more_used.secret_calls;
        used.graph_requests += more_used.graph_requests;
        used.graph_calls += more_used.graph_calls;
        self.lambda_ms += more.lambda_ms;
        self.invocations += more.invocations;
        self.log_bytes += more.log_bytes;
    }
}

/// AWS and Meta.
pub(super) struct Aws {
    fake: FakeAws,
    sim: graph_sim::Handle,
    http: reqwest::Client,
    lambda_us: Arc<AtomicU64>,
    invocations: Arc<AtomicU64>,
    log_bytes: Arc<AtomicU64>,
}

impl Aws {
    pub(super) async fn start(delays: Delays) -> anyhow::Result<Self> {
        let sim = graph_sim::start(graph_sim::Options::default()).await?;
        let fake = FakeAws::start(sim.url(), delays).await;
        let app = json!({
            "app_id": graph_sim::seed::APP_ID, "app_secret": graph_sim::seed::APP_SECRET, "verify_token": "verify-token",
        });
        fake.put_secret("app", &app);
        let http = reqwest::Client::new();
        let (lambda_us, invocations, log_bytes) = (Arc::default(), Arc::default(), Arc::default());
        Ok(Self { fake, sim, http, lambda_us, invocations, log_bytes })
    }

    pub(super) fn put_secret(&self, name: &str, value: &Value) {
        self.fake.put_secret(name, value);
    }

    /// Returns what was used since the last call.
    #[expect(clippy::cast_precision_loss, reason = "less than 2^52 microseconds")]
    pub(super) fn take_usage(&self) -> Usage {
        Usage {
            of_services: self.fake.take_used(),
            lambda_ms: self.lambda_us.swap(0, Ordering::Relaxed) as f64 / 1000.0,
            invocations: self.invocations.swap(0, Ordering::Relaxed) as f64,
            log_bytes: self.log_bytes.swap(0, Ordering::Relaxed) as f64,
        }
    }

    /// Runs `work` as one invocation of a function.
    pub(super) async fn invoke<T>(&self, work: impl Future<Output = T>) -> T {
        let begun = Instant::now();
        let result = log::counted(&self.log_bytes, work).await;
        let us = u64::try_from(begun.elapsed().as_micros()).unwrap_or(u64::MAX);
        self.lambda_us.fetch_add(us, Ordering::Relaxed);
        self.invocations.fetch_add(1, Ordering::Relaxed);
        result
    }

    pub(super) fn table(&self) -> Table {
        Table::new(self.fake.dynamodb(), "table".to_owned())
    }

    pub(super) fn bus(&self) -> Bus {
        Bus::new(self.fake.eventbridge(), "bus".to_owned())
    }

    pub(super) fn queue<J: Job>(&self) -> Queue<J> {
        Queue::new(self.fake.sqs(), format!("{}/queue", self.fake.endpoint))
    }

    pub(super) fn files(&self) -> Files {
        Files::new(&self.fake.config(), "files".to_owned())
    }

    pub(super) async fn meta(&self) -> anyhow::Result<MetaApp> {
        let root = format!("{}/graph", self.fake.endpoint).parse()?;
        let meta =
            MetaApp::open(Vault::new(self.fake.secrets_manager()), "app".to_owned(), root, "v26.0".to_owned()).await;
        meta.map_err(|error| anyhow::anyhow!("{error}"))
    }

    /// The address of the simulated Meta.
    pub(super) fn sim(&self) -> &str {
        self.sim.url()
    }

    /// Calls the control interface of the simulated Meta.
    pub(super) async fn call_sim(&self, method: Method, call: &str, input: &Value) -> anyhow::Result<Value> {
        let request = self.http.request(method, format!("{}/_sim/{call}", self.sim.url()));
        let request = if input.is_null() { request } else { request.json(input) };
        Ok(request.send().await?.error_for_status()?.json().await?)
    }
}
