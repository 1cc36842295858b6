//! The part of AWS that the product's rooms use, in this process, for tests and measurements without functions: a
//! DynamoDB, secrets, and queues and a bus that record what they are sent. Counts what an account would be billed for.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_sdk_dynamodb::config::{BehaviorVersion, Credentials, Region, SharedCredentialsProvider};
use aws_types::SdkConfig;
use axum::body::{Body, Bytes};
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{HeaderMap, HeaderValue, Method, Response, Uri};
use local::database::create_table;
use local::template::Template;
use serde_json::{Value, json};

use crate::json::Json;

/// What was used.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Used {
    /// Items written, outside of transactions.
    pub writes: u64,
    /// Write request units of DynamoDB.
    pub write_units: f64,
    /// Read request units of DynamoDB.
    pub read_units: f64,
    /// Requests to DynamoDB.
    pub dynamodb_requests: u64,
    /// Transactions that were committed.
    pub commits: u64,
    /// Transactions that failed, because another writer was faster.
    pub conflicts: u64,
    /// Requests to SQS, of 64 KB each.
    pub sqs_requests: u64,
    /// Calls of Secrets Manager.
    pub secret_calls: u64,
    /// Events published, of 64 KB each.
    pub events: u64,
    /// HTTP requests to Meta, if they go through here.
    pub graph_requests: u64,
    /// Calls in them: those of a batch count one by one.
    pub graph_calls: u64,
}

/// What each request takes longer than it does in this process, in milliseconds.
#[derive(Debug, Clone, Copy, Default, serde::Deserialize)]
pub struct Delays {
    /// A request to DynamoDB.
    pub dynamodb: u64,
    /// A transaction of DynamoDB.
    pub transaction: u64,
    /// A request to SQS.
    pub sqs: u64,
    /// A request to Secrets Manager.
    pub secrets: u64,
    /// A request to EventBridge.
    pub events: u64,
    /// A request to Meta.
    pub graph: u64,
    /// Each call in it.
    pub graph_call: u64,
}

/// An endpoint that stands for all of AWS. What is below `/graph` is forwarded to a simulated Meta.
#[derive(Clone)]
pub struct FakeAws {
    /// Its address.
    pub endpoint: String,
    service: Arc<Service>,
}

struct Service {
    http: reqwest::Client,
    database: String,
    graph: String,
    delays: Delays,
    secrets: Mutex<BTreeMap<String, String>>,
    used: Mutex<Used>,
    messages: Mutex<Vec<String>>,
    refuses_messages: AtomicBool,
}

impl FakeAws {
    /// Starts it, with the template's table and without secrets. `graph` is the address of the simulated Meta.
    ///
    /// # Panics
    /// Panics if it does not start, or the template cannot be read.
    pub async fn start(graph: &str, delays: Delays) -> Self {
        let database = start_database().await;
        let template = Template::read().expect("the template");
        create_table(&database, &template, "Table", "table").await.expect("the table");
        let service = Arc::new(Service {
            http: reqwest::Client::new(),
            database,
            graph: graph.to_owned(),
            delays,
            secrets: Mutex::default(),
            used: Mutex::default(),
            messages: Mutex::default(),
            refuses_messages: AtomicBool::new(false),
        });
        let router = axum::Router::new().fallback(answer).layer(DefaultBodyLimit::disable());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let endpoint = format!("http://{}", listener.local_addr().expect("an address"));
        let router = router.with_state(Arc::clone(&service));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { endpoint, service }
    }

    /// Returns the configuration of its clients.
    #[must_use]
    pub fn config(&self) -> SdkConfig {
        config_at(&self.endpoint)
    }

    /// Returns a client of its DynamoDB.
    #[must_use]
    pub fn dynamodb(&self) -> aws_sdk_dynamodb::Client {
        aws_sdk_dynamodb::Client::new(&self.config())
    }

    /// Returns a client of its EventBridge.
    #[must_use]
    pub fn eventbridge(&self) -> aws_sdk_eventbridge::Client {
        aws_sdk_eventbridge::Client::new(&self.config())
    }

    /// Returns a client of its Secrets Manager.
    #[must_use]
    pub fn secrets_manager(&self) -> aws_sdk_secretsmanager::Client {
        aws_sdk_secretsmanager::Client::new(&self.config())
    }

    /// Returns a client of its SQS.
    #[must_use]
    pub fn sqs(&self) -> aws_sdk_sqs::Client {
        aws_sdk_sqs::Client::new(&self.config())
    }

    /// Stores a secret.
    ///
    /// # Panics
    /// Never, unless a request has panicked.
    pub fn put_secret(&self, name: &str, value: &Value) {
        self.service.secrets.lock().unwrap().insert(name.to_owned(), value.to_string());
    }

    /// Returns what was used since the previous call.
    ///
    /// # Panics
    /// Never, unless a request has panicked.
    #[must_use]
    pub fn take_used(&self) -> Used {
        std::mem::take(&mut self.service.used.lock().unwrap())
    }

    /// Returns the bodies of the messages sent since the previous call.
    ///
    /// # Panics
    /// Never, unless a request has panicked.
    #[must_use]
    pub fn take_messages(&self) -> Vec<String> {
        std::mem::take(&mut self.service.messages.lock().unwrap())
    }

    /// Makes the queues refuse messages, or take them again.
    pub fn refuse_messages(&self, refuse: bool) {
        self.service.refuses_messages.store(refuse, Ordering::Relaxed);
    }
}

async fn answer(
    State(service): State<Arc<Service>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response<Body> {
    if uri.path().starts_with("/graph/") {
        return service.graph(method, &uri, &headers, body).await;
    }
    let target = headers.get("x-amz-target").and_then(|value| value.to_str().ok()).unwrap_or_default();
    let (part, call) = target.split_once('.').unwrap_or_default();
    if part.starts_with("DynamoDB") {
        return service.dynamodb(call, &headers, &body).await;
    }
    let request = serde_json::from_slice::<Value>(&body).unwrap_or_default();
    let entries = request["Entries"].as_array().map_or(&[][..], Vec::as_slice);
    let (delay, answer) = match call {
        "SendMessageBatch" if service.refuses_messages.load(Ordering::Relaxed) => {
            let refusal = Response::builder().status(400).header("x-amzn-errortype", "OverLimit");
            return refusal.body(Body::from(r#"{"__type":"OverLimit"}"#)).expect("a response");
        }
        "SendMessageBatch" => {
            let bodies = entries.iter().map(|entry| entry.text("MessageBody").to_owned());
            service.messages.lock().unwrap().extend(bodies);
            service.count(|used| used.sqs_requests += in_64_kb(body.len()));
            let sent = |entry: &Value| json!({ "Id": entry["Id"], "MessageId": "m", "MD5OfMessageBody": "" });
            let answer = json!({ "Successful": entries.iter().map(sent).collect::<Vec<_>>(), "Failed": [] });
            (service.delays.sqs, answer)
        }
        "PutEvents" => {
            let events: u64 = entries.iter().map(|entry| in_64_kb(entry.to_string().len())).sum();
            service.count(|used| used.events += events);
            let accepted: Vec<Value> = entries.iter().map(|_| json!({ "EventId": "e" })).collect();
            (service.delays.events, json!({ "FailedEntryCount": 0, "Entries": accepted }))
        }
        "GetSecretValue" => {
            service.count(|used| used.secret_calls += 1);
            let name = request.text("SecretId");
            let value = service.secrets.lock().unwrap().get(name).cloned();
            (service.delays.secrets, json!({ "ARN": "a", "Name": name, "SecretString": value, "VersionId": "v" }))
        }
        _ => (0, json!({})),
    };
    tokio::time::sleep(Duration::from_millis(delay)).await;
    Response::new(Body::from(answer.to_string()))
}

impl Service {
    fn count(&self, count: impl FnOnce(&mut Used)) {
        count(&mut self.used.lock().unwrap());
    }

    async fn dynamodb(&self, call: &str, headers: &HeaderMap, body: &[u8]) -> Response<Body> {
        let mut request = serde_json::from_slice::<Value>(body).unwrap_or_default();
        let writes = match call {
            "PutItem" | "UpdateItem" | "DeleteItem" => 1,
            "BatchWriteItem" => request["RequestItems"]["table"].as_array().map_or(0, Vec::len) as u64,
            _ => 0,
        };
        request["ReturnConsumedCapacity"] = "TOTAL".into();
        let mut forwarded = self.http.post(&self.database).body(request.to_string());
        for name in ["x-amz-target", "content-type", "authorization", "x-amz-date"] {
            forwarded = forwarded.header(name, headers.get(name).cloned().unwrap_or(HeaderValue::from_static("")));
        }
        let answer = forwarded.send().await.expect("DynamoDB answers");
        let succeeded = answer.status().is_success();
        let mut response = Response::builder().status(answer.status());
        if let Some(kind) = answer.headers().get("content-type") {
            response = response.header("content-type", kind);
        }
        let body = answer.bytes().await.expect("DynamoDB answers whole");
        let units = match &serde_json::from_slice::<Value>(&body).unwrap_or_default()["ConsumedCapacity"] {
            Value::Array(tables) => tables.iter().filter_map(|table| table["CapacityUnits"].as_f64()).sum(),
            table => table["CapacityUnits"].as_f64().unwrap_or_default(),
        };
        let is_read = matches!(call, "GetItem" | "Query" | "BatchGetItem");
        self.count(|used| {
            used.writes += writes;
            used.dynamodb_requests += 1;
            if call == "TransactWriteItems" {
                *(if succeeded { &mut used.commits } else { &mut used.conflicts }) += 1;
            }
            *(if is_read { &mut used.read_units } else { &mut used.write_units }) += units;
        });
        let delays = &self.delays;
        let delay = if call == "TransactWriteItems" { delays.transaction } else { delays.dynamodb };
        tokio::time::sleep(Duration::from_millis(delay)).await;
        response.body(Body::from(body)).expect("a response")
    }

    async fn graph(&self, method: Method, uri: &Uri, headers: &HeaderMap, body: Bytes) -> Response<Body> {
        let path = uri.path_and_query().map_or("/", |path| path.as_str()).trim_start_matches("/graph");
        let batch = url::form_urlencoded::parse(&body).find(|(name, _)| name == "batch");
        let calls = batch.and_then(|(_, batch)| serde_json::from_str::<Vec<Value>>(&batch).ok());
        let calls = calls.map_or(1, |calls| calls.len() as u64);
        self.count(|used| {
            used.graph_requests += 1;
            used.graph_calls += calls;
        });
        let mut forwarded = self.http.request(method, format!("{}{path}", self.graph)).body(body);
        for name in ["authorization", "content-type"] {
            if let Some(value) = headers.get(name) {
                forwarded = forwarded.header(name, value);
            }
        }
        let answer = forwarded.send().await.expect("Meta answers");
        tokio::time::sleep(Duration::from_millis(self.delays.graph + self.delays.graph_call * calls)).await;
        let mut response = Response::builder().status(answer.status());
        for (name, value) in answer.headers().iter().filter(|(name, _)| name.as_str().starts_with("x-")) {
            response = response.header(name, value);
        }
        response.body(Body::from(answer.bytes().await.expect("Meta answers whole"))).expect("a response")
    }
}

/// The number of started 64 KB, by which SQS and EventBridge bill.
fn in_64_kb(bytes: usize) -> u64 {
    bytes.div_ceil(65_536) as u64
}

/// Starts an empty DynamoDB in this process, and returns its address. It finds entries by their keys as AWS does, which
/// takes no longer the more are stored.
///
/// # Panics
/// Panics if it does not start.
pub async fn start_database() -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = format!("http://{}", listener.local_addr().expect("an address"));
    let database = dynoxide::Database::memory().expect("a database");
    tokio::spawn(async move { dynoxide::server::serve_on(listener, database).await });
    address
}

/// Returns the configuration of clients of what is at this address.
#[must_use]
pub fn config_at(endpoint: &str) -> SdkConfig {
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .region(Region::from_static("us-east-1"))
        .endpoint_url(endpoint)
        .credentials_provider(SharedCredentialsProvider::new(Credentials::for_tests()))
        .build()
}
