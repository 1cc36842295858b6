//! Fixtures for ingest tests: an in-process table, and one HTTP server that stands in for all other services.

use std::sync::{Arc, Mutex, MutexGuard};

use aws_sdk_eventbridge::config::{BehaviorVersion, Credentials, Region};
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use http::{HeaderMap, StatusCode};
use serde_json::{Value, json};

use super::{Arrival, Ingest, LeadWriter};
use crate::bus::Bus;
use crate::graph::GraphClient;
use crate::jobs::{Job, LeadJob};
use crate::meta_app::MetaApp;
use crate::model::lead::assignment::Assignment;
use crate::model::lead::{FoundBy, Lead};
use crate::queue::Queue;
use crate::table::tests::{connection, empty_table, integration, scope, user};
use crate::trace::TraceId;
use crate::vault::Vault;

/// The time that work of these tests may take.
pub(super) const LIMIT: std::time::Duration = std::time::Duration::from_secs(60);

/// Fakes of Meta, the bus and the vault: the calls they received, and how they behave.
#[derive(Clone, Default)]
pub(super) struct FakeServices(Arc<Mutex<Recorded>>);

#[derive(Default)]
pub(super) struct Recorded {
    /// The ids of the events that the bus accepted.
    pub(super) ids: Vec<String>,
    /// Whether the bus refuses events.
    pub(super) rejects_events: bool,
    /// Number of requests that Meta received.
    pub(super) requests: usize,
    /// The calls that Meta received. Those of a batch are listed one by one.
    pub(super) calls: Vec<String>,
    /// The code and body that Meta returns instead of a lead.
    pub(super) refusal: Option<(u16, Value)>,
    /// The code and body that Meta returns instead of the form.
    pub(super) form_refusal: Option<(u16, Value)>,
    /// Whether the app may not read the consent boxes of forms.
    pub(super) hides_consents: bool,
    /// The forms of page 7 as Meta lists them.
    pub(super) forms: Vec<Value>,
    /// The submissions that Meta lists for each form: ids and times.
    pub(super) listed: Vec<(u64, &'static str)>,
    /// Whether the secret `gone` was read, which is only there once.
    pub(super) gone_was_read: bool,
    /// How much of page 7's limits is used, in percent.
    pub(super) usage_percent: u32,
    /// Where all of them are.
    pub(super) endpoint: String,
    /// The bodies that were sent to queues.
    pub(super) queued: Vec<Value>,
}

impl FakeServices {
    pub(super) fn recorded(&self) -> MutexGuard<'_, Recorded> {
        self.0.lock().unwrap()
    }

    /// Returns a queue that only records what it is sent.
    pub(super) fn queue<J: Job>(&self) -> Queue<J> {
        let endpoint = self.recorded().endpoint.clone();
        let queues = aws_sdk_sqs::Config::builder()
            .behavior_version(BehaviorVersion::v2026_01_12())
            .region(Region::from_static("us-east-1"))
            .endpoint_url(&endpoint)
            .credentials_provider(Credentials::for_tests())
            .build();
        Queue::new(aws_sdk_sqs::Client::from_conf(queues), format!("{endpoint}/queue"))
    }
}

async fn answer(State(services): State<FakeServices>, headers: HeaderMap, body: Bytes) -> (StatusCode, String) {
    let target = headers.get("x-amz-target").and_then(|target| target.to_str().ok()).unwrap_or_default();
    let answer = match target {
        "AWSEvents.PutEvents" => put_events(&services, &serde_json::from_slice(&body).unwrap()),
        "secretsmanager.GetSecretValue" => {
            let request: Value = serde_json::from_slice(&body).unwrap();
            let app = json!({ "app_id": "1", "app_secret": "s", "verify_token": "v" });
            let tokens = json!({
                "pages": { "7": "page-token", "8": "page-token" }, "user_token": "t", "me": { "id": "1", "name": "Una" }
            });
            if request["SecretId"] == "gone" && std::mem::replace(&mut services.recorded().gone_was_read, true) {
                let missing = json!({ "__type": "ResourceNotFoundException" });
                return (StatusCode::BAD_REQUEST, missing.to_string());
            }
            let secret = match request["SecretId"].as_str() {
                Some("app") => app,
                Some("gone") => json!({ "pages": { "8": "dead-token" } }),
                _ => tokens,
            };
            json!({ "SecretString": secret.to_string() })
        }
        "AmazonSQS.SendMessageBatch" => enqueue(&services, &serde_json::from_slice(&body).unwrap()),
        _ => graph(&services, &body),
    };
    (StatusCode::OK, answer.to_string())
}

fn put_events(services: &FakeServices, body: &Value) -> Value {
    let mut recorded = services.recorded();
    let entries = body["Entries"].as_array().unwrap();
    if recorded.rejects_events {
        let refused: Vec<Value> = entries.iter().map(|_| json!({ "ErrorCode": "InternalFailure" })).collect();
        return json!({ "FailedEntryCount": refused.len(), "Entries": refused });
    }
    for entry in entries {
        let detail: Value = serde_json::from_str(entry["Detail"].as_str().unwrap()).unwrap();
        recorded.ids.push(detail["id"].as_str().unwrap().to_owned());
    }
    let accepted: Vec<Value> = entries.iter().map(|_| json!({ "EventId": "e" })).collect();
    json!({ "FailedEntryCount": 0, "Entries": accepted })
}

fn enqueue(services: &FakeServices, body: &Value) -> Value {
    let entries = body["Entries"].as_array().unwrap();
    let body = |entry: &Value| serde_json::from_str::<Value>(entry["MessageBody"].as_str().unwrap()).unwrap();
    services.recorded().queued.extend(entries.iter().map(body));
    let sent = |entry: &Value| json!({ "Id": entry["Id"], "MessageId": "m", "MD5OfMessageBody": "" });
    json!({ "Successful": entries.iter().map(sent).collect::<Vec<_>>(), "Failed": [] })
}

/// Handles a batch. A lead's e-mail address is made from its id, but 15 has the address of 14. All are of form 3, which
/// asks for the address.
fn graph(services: &FakeServices, body: &[u8]) -> Value {
    let fields: Vec<(String, String)> = url::form_urlencoded::parse(body).into_owned().collect();
    let batch = fields.iter().find(|(name, _)| name == "batch").map_or("[]", |(_, batch)| batch);
    let calls: Vec<Value> = serde_json::from_str(batch).unwrap();
    let mut recorded = services.recorded();
    recorded.requests += 1;
    let mut answers = Vec::new();
    for call in &calls {
        let url = call["relative_url"].as_str().unwrap();
        let id = url.split('?').next().unwrap().to_owned();
        let is_dead = url.contains("dead-token");
        let (code, body) = match &recorded.refusal {
            _ if is_dead => (400, json!({ "error": { "code": 190, "error_subcode": 460, "message": "m" } })),
            _ if id == "7/leadgen_forms" => (200, json!({ "data": recorded.forms })),
            _ if id.ends_with("/leads") => {
                let lead = |(id, at): &(u64, &str)| json!({ "id": id.to_string(), "created_time": at });
                (200, json!({ "data": recorded.listed.iter().map(lead).collect::<Vec<_>>() }))
            }
            _ if id == "3" && recorded.hides_consents && url.contains("legal_content") => {
                (400, json!({ "error": { "code": 3, "message": "Application does not have the capability" } }))
            }
            _ if id == "3" && recorded.form_refusal.is_some() => recorded.form_refusal.clone().unwrap(),
            _ if id == "3" => {
                (200, json!({ "id": "3", "name": "Form", "questions": [{ "key": "mail", "type": "EMAIL" }] }))
            }
            Some(refusal) => refusal.clone(),
            None => {
                let person = if id == "15" { "14" } else { &id };
                let answers = json!([{ "name": "mail", "values": [format!("p{person}@example.com")] }]);
                let lead = json!({ "id": id, "created_time": "2026-01-01T00:00:00+0000", "form_id": "3", "field_data": answers });
                (200, lead)
            }
        };
        recorded.calls.push(id);
        let usage = json!({ "7": [{ "type": "leadgen", "call_count": recorded.usage_percent }] });
        let headers = json!([{ "name": "X-Business-Use-Case-Usage", "value": usage.to_string() }]);
        answers.push(json!({ "code": code, "headers": headers, "body": body.to_string() }));
    }
    json!(answers)
}

/// Sets up an ingest for org `a`, whose only page is 7, with three active users and an inactive one.
pub(super) async fn ingest(assignment: Assignment) -> (Ingest, FakeServices) {
    let services = FakeServices::default();
    let socket = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", socket.local_addr().unwrap());
    let router = Router::new().fallback(answer).with_state(services.clone());
    tokio::spawn(async move { axum::serve(socket, router).await.unwrap() });
    let region = Region::from_static("us-east-1");
    let bus = aws_sdk_eventbridge::Config::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .region(region.clone())
        .endpoint_url(&endpoint)
        .credentials_provider(Credentials::for_tests())
        .build();
    let secrets = aws_sdk_secretsmanager::Config::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .region(region)
        .endpoint_url(&endpoint)
        .credentials_provider(Credentials::for_tests())
        .build();
    services.recorded().endpoint.clone_from(&endpoint);
    let app = serde_json::from_value(json!({ "app_id": "1", "app_secret": "s", "verify_token": "v" })).unwrap();
    let meta = MetaApp {
        graph: GraphClient::new(endpoint.parse().unwrap(), "v26.0".into(), app).unwrap(),
        vault: Vault::new(aws_sdk_secretsmanager::Client::from_conf(secrets)),
        app_secret_id: "app".into(),
    };
    let bus = Bus::new(aws_sdk_eventbridge::Client::from_conf(bus), "bus".into());
    let ingest = Ingest { meta, writer: LeadWriter { table: empty_table().await, bus }, checks: services.queue() };
    let (a, table) = (scope("a"), &ingest.writer.table);
    table.insert_integration(&a, &integration(assignment), None).await.unwrap();
    table.save_connection(&a, &connection("a")).await.unwrap();
    for (name, active) in [("ann", true), ("bob", true), ("cem", true), ("dee", false)] {
        table.put_user(&a, &user(name, active)).await.unwrap();
    }
    (ingest, services)
}

/// Turns leads into arrivals that the queue delivers for the `receive_count`th time.
pub(super) fn arrivals(leads: &[Lead], receive_count: u32) -> Vec<Arrival> {
    let arrival = |lead: &Lead| {
        let notice = serde_json::from_value(json!({ "leadgen_id": lead.leadgen_id, "page_id": "7" })).unwrap();
        Arrival {
            job: LeadJob::new(notice, lead.received_at, FoundBy::Webhook),
            receive_count,
            trace: TraceId::fresh(),
        }
    };
    leads.iter().map(arrival).collect()
}
