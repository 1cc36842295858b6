//! The part of AWS that ads syncs need, in this process: two secrets, a DynamoDB whose use is counted, and queues that
//! record their messages.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::routing::post;
use http::{HeaderMap, Response};
use local::template::Template;
use serde_json::{Value, json};

use crate::json::Json;

/// What DynamoDB has done.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct TableUse {
    /// Items written.
    pub writes: u64,
    /// Write request units.
    pub write_units: f64,
    /// Read request units.
    pub read_units: f64,
}

/// An endpoint that stands for all of AWS.
#[derive(Clone)]
pub(crate) struct FakeAws {
    /// Its address.
    pub(crate) endpoint: String,
    service: Arc<Service>,
}

struct Service {
    http: reqwest::Client,
    database: String,
    app: Value,
    token: Value,
    used: Mutex<TableUse>,
    messages: Mutex<Vec<String>>,
    refuses_messages: AtomicBool,
}

impl FakeAws {
    /// Starts it, with a table and the content of the secrets `app` and any other.
    pub(crate) async fn start(app: Value, token: Value) -> Self {
        let service = Arc::new(Service {
            http: reqwest::Client::new(),
            database: start_database().await,
            app,
            token,
            used: Mutex::default(),
            messages: Mutex::default(),
            refuses_messages: AtomicBool::new(false),
        });
        let router = axum::Router::new().route("/", post(answer)).with_state(Arc::clone(&service));
        let endpoint = serve(router.layer(axum::extract::DefaultBodyLimit::disable())).await;
        Self { endpoint, service }
    }

    /// Returns what DynamoDB has done since the previous call.
    pub(crate) fn take_table_use(&self) -> TableUse {
        std::mem::take(&mut self.service.used.lock().unwrap())
    }

    /// Returns the bodies of the messages sent in batches since the previous call.
    pub(crate) fn take_messages(&self) -> Vec<String> {
        std::mem::take(&mut self.service.messages.lock().unwrap())
    }

    /// Makes the queues refuse batches of messages, or take them again.
    pub(crate) fn refuse_messages(&self, refuse: bool) {
        self.service.refuses_messages.store(refuse, Ordering::Relaxed);
    }
}

async fn answer(State(service): State<Arc<Service>>, headers: HeaderMap, body: Bytes) -> Response<Body> {
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let mut request = serde_json::from_slice::<Value>(&body).unwrap_or_default();
    let (part, call) = header("x-amz-target").split_once('.').unwrap_or_default();
    if part == "AmazonSQS" && service.refuses_messages.load(Ordering::Relaxed) {
        let refusal = Response::builder().status(400).header("x-amzn-errortype", "OverLimit");
        return refusal.body(Body::from(r#"{"__type":"OverLimit"}"#)).expect("a response");
    }
    if !part.starts_with("DynamoDB") {
        let entries = request["Entries"].as_array().into_iter().flatten();
        service.messages.lock().unwrap().extend(entries.map(|entry| entry.text("MessageBody").to_owned()));
        let secret = if request["SecretId"] == "app" { &service.app } else { &service.token };
        let name = &request["SecretId"];
        let answer = json!({ "ARN": "a", "Name": name, "SecretString": secret.to_string(), "VersionId": "v" });
        return Response::new(Body::from(answer.to_string()));
    }
    let writes = match call {
        "PutItem" | "UpdateItem" | "DeleteItem" => 1,
        "BatchWriteItem" => request["RequestItems"]["table"].as_array().map_or(0, Vec::len) as u64,
        _ => 0,
    };
    request["ReturnConsumedCapacity"] = "TOTAL".into();
    let mut forwarded = service.http.post(&service.database).body(request.to_string());
    for name in ["x-amz-target", "content-type", "authorization", "x-amz-date"] {
        forwarded = forwarded.header(name, header(name));
    }
    let answer = forwarded.send().await.expect("DynamoDB answers");
    let mut response = Response::builder().status(answer.status());
    if let Some(kind) = answer.headers().get("content-type") {
        response = response.header("content-type", kind);
    }
    let body = answer.bytes().await.expect("DynamoDB answers whole");
    let units = match &serde_json::from_slice::<Value>(&body).unwrap_or_default()["ConsumedCapacity"] {
        Value::Array(tables) => tables.iter().filter_map(|table| table["CapacityUnits"].as_f64()).sum(),
        table => table["CapacityUnits"].as_f64().unwrap_or_default(),
    };
    let mut used = service.used.lock().unwrap();
    used.writes += writes;
    *(if writes > 0 { &mut used.write_units } else { &mut used.read_units }) += units;
    response.body(Body::from(body)).expect("a response")
}

/// Starts an in-process DynamoDB with the template's table.
async fn start_database() -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = format!("http://{}", listener.local_addr().expect("an address"));
    let database = dynoxide::Database::memory().expect("a database");
    tokio::spawn(async move { dynoxide::server::serve_on(listener, database).await });
    let template = Template::read().expect("the template");
    let properties = template.document().pointer("/Resources/Table/Properties").expect("a table");
    let mut definition = json!({ "TableName": "table" });
    for name in ["BillingMode", "AttributeDefinitions", "KeySchema", "GlobalSecondaryIndexes"] {
        definition[name] = properties[name].clone();
    }
    let created = reqwest::Client::new().post(&address).body(definition.to_string());
    let created = created
        .header("x-amz-target", "DynamoDB_20120810.CreateTable")
        .header("content-type", "application/x-amz-json-1.0")
        .header("x-amz-date", "20260101T000000Z")
        .header(
            "authorization",
            "AWS4-HMAC-SHA256 Credential=a/20260101/us-east-1/dynamodb/aws4_request, SignedHeaders=host, Signature=0",
        );
    let created = created.send().await.expect("DynamoDB answers");
    assert!(created.status().is_success(), "{}", created.text().await.unwrap_or_default());
    address
}

async fn serve(router: axum::Router) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = format!("http://{}", listener.local_addr().expect("an address"));
    tokio::spawn(async move { axum::serve(listener, router).await });
    address
}
