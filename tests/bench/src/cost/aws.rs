//! A local stand-in for AWS and Meta that counts what a flow would be billed for, and takes as long as they would.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_sdk_dynamodb::config::{BehaviorVersion, Credentials, Region};
use axum::body::{Body, Bytes};
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{HeaderMap, Method, Response, Uri};
use e2e::ads_harness::start_database;
use e2e::json::Json;
use leadwire::meta_app::MetaApp;
use leadwire::queue::Queue;
use leadwire::table::Table;
use leadwire::vault::Vault;
use serde_json::{Value, json};

use super::prices::Milliseconds;

/// The configuration of an AWS client for an endpoint.
macro_rules! config {
    ($sdk:ident, $endpoint:expr) => {
        $sdk::Config::builder()
            .behavior_version(BehaviorVersion::v2026_01_12())
            .region(Region::from_static("us-east-1"))
            .endpoint_url($endpoint)
            .credentials_provider(Credentials::for_tests())
            .build()
    };
}

/// What was used.
#[derive(Debug, Clone, Default)]
pub(super) struct Used {
    pub(super) write_units: f64,
    pub(super) read_units: f64,
    pub(super) dynamodb_requests: u64,
    pub(super) sqs_requests: u64,
    pub(super) secret_calls: u64,
    pub(super) events: u64,
    pub(super) graph_requests: u64,
    pub(super) graph_calls: u64,
    /// Milliseconds that functions ran.
    pub(super) lambda_ms: f64,
    pub(super) invocations: u64,
}

struct Inner {
    http: reqwest::Client,
    database: String,
    graph: String,
    ms: Milliseconds,
    secrets: Mutex<BTreeMap<String, String>>,
    used: Mutex<Used>,
}

/// AWS and Meta, with the product's clients for them.
#[derive(Clone)]
pub(super) struct Aws {
    inner: Arc<Inner>,
    endpoint: String,
    pub(super) sim: Arc<graph_sim::Handle>,
}

impl Aws {
    pub(super) async fn start(ms: Milliseconds) -> anyhow::Result<Self> {
        let sim = Arc::new(graph_sim::start(graph_sim::Options::default()).await?);
        let inner = Arc::new(Inner {
            http: reqwest::Client::new(),
            database: start_database().await,
            graph: sim.url().to_owned(),
            ms,
            secrets: Mutex::default(),
            used: Mutex::default(),
        });
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
        let endpoint = format!("http://{}", listener.local_addr()?);
        let router = axum::Router::new().fallback(answer).layer(DefaultBodyLimit::disable());
        let router = router.with_state(Arc::clone(&inner));
        tokio::spawn(async move { axum::serve(listener, router).await });
        let aws = Self { inner, endpoint, sim };
        let app = json!({
            "app_id": graph_sim::seed::APP_ID, "app_secret": graph_sim::seed::APP_SECRET, "verify_token": "verify-token",
        });
        aws.put_secret("app", &app);
        Ok(aws)
    }

    pub(super) fn put_secret(&self, name: &str, value: &Value) {
        if let Ok(mut secrets) = self.inner.secrets.lock() {
            secrets.insert(name.to_owned(), value.to_string());
        }
    }

    /// Returns what was used since the last call.
    pub(super) fn take_used(&self) -> Used {
        self.inner.used.lock().map(|mut used| std::mem::take(&mut *used)).unwrap_or_default()
    }

    /// Runs `work` as one invocation of a function.
    pub(super) async fn invoke<T>(&self, work: impl Future<Output = T>) -> T {
        let begun = std::time::Instant::now();
        let result = work.await;
        if let Ok(mut used) = self.inner.used.lock() {
            used.lambda_ms += begun.elapsed().as_secs_f64() * 1000.0;
            used.invocations += 1;
        }
        result
    }

    pub(super) fn table(&self) -> Table {
        Table::new(aws_sdk_dynamodb::Client::from_conf(config!(aws_sdk_dynamodb, &self.endpoint)), "table".to_owned())
    }

    pub(super) fn bus(&self) -> leadwire::bus::Bus {
        let client = aws_sdk_eventbridge::Client::from_conf(config!(aws_sdk_eventbridge, &self.endpoint));
        leadwire::bus::Bus::new(client, "bus".to_owned())
    }

    pub(super) fn queue<J: leadwire::jobs::Job>(&self) -> Queue<J> {
        let client = aws_sdk_sqs::Client::from_conf(config!(aws_sdk_sqs, &self.endpoint));
        Queue::new(client, format!("{}/queue", self.endpoint))
    }

    pub(super) async fn meta(&self) -> anyhow::Result<MetaApp> {
        let secrets = aws_sdk_secretsmanager::Client::from_conf(config!(aws_sdk_secretsmanager, &self.endpoint));
        let root = format!("{}/graph", self.endpoint).parse()?;
        let meta = MetaApp::open(Vault::new(secrets), "app".to_owned(), root, "v26.0".to_owned()).await;
        meta.map_err(|error| anyhow::anyhow!("{error}"))
    }

    /// Calls the control interface of the simulated Meta.
    pub(super) async fn call_sim(&self, method: Method, call: &str, input: &Value) -> anyhow::Result<Value> {
        let request = self.inner.http.request(method, format!("{}/_sim/{call}", self.sim.url()));
        let request = if input.is_null() { request } else { request.json(input) };
        Ok(request.send().await?.error_for_status()?.json().await?)
    }
}

async fn answer(
    State(inner): State<Arc<Inner>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response<Body> {
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let outcome = match (uri.path().strip_prefix("/graph"), header("x-amz-target").split_once('.')) {
        (Some(_), _) => graph(&inner, method, &uri, &headers, body).await,
        (None, Some((service, call))) if service.starts_with("DynamoDB") => {
            dynamodb(&inner, call, &headers, &body).await
        }
        (None, Some((_, call))) => Ok(Response::new(Body::from(other(&inner, call, &body).await.to_string()))),
        _ => Err(anyhow::anyhow!("{uri} is neither AWS nor Meta")),
    };
    outcome.unwrap_or_else(|error| {
        let mut response = Response::new(Body::from(error.to_string()));
        *response.status_mut() = axum::http::StatusCode::INTERNAL_SERVER_ERROR;
        response
    })
}

impl Inner {
    fn count(&self, count: impl FnOnce(&mut Used)) {
        if let Ok(mut used) = self.used.lock() {
            count(&mut used);
        }
    }

    async fn take(&self, milliseconds: u64) {
        tokio::time::sleep(Duration::from_millis(milliseconds)).await;
    }
}

async fn dynamodb(inner: &Inner, call: &str, headers: &HeaderMap, body: &[u8]) -> anyhow::Result<Response<Body>> {
    let mut request: serde_json::Map<String, Value> = serde_json::from_slice(body)?;
    request.insert("ReturnConsumedCapacity".to_owned(), "TOTAL".into());
    let request = Value::Object(request);
    let mut forwarded = inner.http.post(&inner.database).body(request.to_string());
    for name in ["x-amz-target", "content-type", "authorization", "x-amz-date"] {
        forwarded =
            forwarded.header(name, headers.get(name).cloned().unwrap_or(axum::http::HeaderValue::from_static("")));
    }
    let answer = forwarded.send().await?;
    let status = answer.status();
    let text = answer.text().await?;
    let parsed: Value = serde_json::from_str(&text).unwrap_or_default();
    // One of them, or a list of them.
    let consumed = parsed.get("ConsumedCapacity").cloned().unwrap_or_default();
    let consumed = if let Value::Array(all) = consumed { all } else { vec![consumed] };
    let units: f64 = consumed.iter().filter_map(|one| one.get("CapacityUnits")?.as_f64()).sum();
    let is_read = matches!(call, "GetItem" | "Query" | "BatchGetItem");
    inner.count(|used| {
        used.dynamodb_requests += 1;
        *(if is_read { &mut used.read_units } else { &mut used.write_units }) += units;
    });
    inner.take(if call == "TransactWriteItems" { inner.ms.transaction } else { inner.ms.dynamodb }).await;
    let mut response = Response::new(Body::from(text));
    *response.status_mut() = status;
    Ok(response)
}

/// SQS, Secrets Manager and EventBridge, which accept everything.
async fn other(inner: &Inner, call: &str, body: &[u8]) -> Value {
    let request: Value = serde_json::from_slice(body).unwrap_or_default();
    let entries = request.get("Entries").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    match call {
        "SendMessageBatch" => {
            // SQS bills by 64 KB.
            inner.count(|used| used.sqs_requests += body.len().div_ceil(65_536) as u64);
            inner.take(inner.ms.sqs).await;
            let sent = |entry: &Value| json!({ "Id": entry.text("Id"), "MessageId": "m", "MD5OfMessageBody": "" });
            json!({ "Successful": entries.iter().map(sent).collect::<Vec<_>>(), "Failed": [] })
        }
        "PutEvents" => {
            let sizes = entries.iter().map(|entry| entry.to_string().len().div_ceil(65_536) as u64);
            inner.count(|used| used.events += sizes.sum::<u64>());
            inner.take(inner.ms.events).await;
            let accepted: Vec<Value> = entries.iter().map(|_| json!({ "EventId": "e" })).collect();
            json!({ "FailedEntryCount": 0, "Entries": accepted })
        }
        "GetSecretValue" => {
            inner.count(|used| used.secret_calls += 1);
            inner.take(inner.ms.secrets).await;
            let name = request.text("SecretId");
            let value = inner.secrets.lock().ok().and_then(|secrets| secrets.get(name).cloned());
            json!({ "ARN": "a", "Name": name, "SecretString": value, "VersionId": "v" })
        }
        _ => json!({}),
    }
}

async fn graph(
    inner: &Inner,
    method: Method,
    uri: &Uri,
    headers: &HeaderMap,
    body: Bytes,
) -> anyhow::Result<Response<Body>> {
    let path = uri.path_and_query().map_or("/", |path| path.as_str()).trim_start_matches("/graph");
    let calls = url_encoded_batch(&body);
    inner.count(|used| {
        used.graph_requests += 1;
        used.graph_calls += calls;
    });
    let mut forwarded = inner.http.request(method, format!("{}{path}", inner.graph)).body(body);
    for name in ["authorization", "content-type"] {
        if let Some(value) = headers.get(name) {
            forwarded = forwarded.header(name, value);
        }
    }
    let answer = forwarded.send().await?;
    inner.take(inner.ms.graph + inner.ms.graph_call * calls).await;
    let mut response = Response::builder().status(answer.status());
    for (name, value) in answer.headers().iter().filter(|(name, _)| name.as_str().starts_with("x-")) {
        response = response.header(name, value);
    }
    Ok(response.body(Body::from(answer.bytes().await?))?)
}

/// Returns the number of calls in the batch of a form, or one.
fn url_encoded_batch(body: &[u8]) -> u64 {
    let batch = url::form_urlencoded::parse(body).find(|(name, _)| name == "batch");
    let calls = batch.and_then(|(_, batch)| serde_json::from_str::<Vec<Value>>(&batch).ok());
    calls.map_or(1, |calls| calls.len() as u64)
}
