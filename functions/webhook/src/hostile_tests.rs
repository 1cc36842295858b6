//! Damaged, unknown and forged deliveries, through the whole function with a fake of AWS in this process.
//! `PROPTEST_CASES=1000000` tries a million of each kind.

use std::sync::{Arc, Mutex};

use aws_sdk_sqs::config::{BehaviorVersion, Credentials, Region};
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use lambda_http::{Body, Request};
use leadwire::meta_app::AppSecrets;
use leadwire::queue::Queue;
use leadwire::secret::HmacKey;
use leadwire::vault::Vault;
use proptest::prelude::*;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use super::*;

const APP_SECRET: &str = "s3cr3t";

/// Secrets Manager with the app's secret, and SQS, which keeps what it is sent.
#[derive(Debug, Clone, Default)]
struct Aws {
    bodies: Arc<Mutex<Vec<String>>>,
}

impl HttpClient for Aws {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for Aws {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let body: Value = serde_json::from_slice(request.body().bytes().unwrap()).unwrap();
        let answer = match request.headers().get("x-amz-target").unwrap() {
            "secretsmanager.GetSecretValue" => {
                let app = json!({ "app_id": "1", "app_secret": APP_SECRET, "verify_token": "v" });
                json!({ "SecretString": app.to_string() })
            }
            "AmazonSQS.SendMessageBatch" => {
                let entries = body["Entries"].as_array().unwrap();
                let bodies = entries.iter().map(|entry| entry["MessageBody"].as_str().unwrap().to_owned());
                self.bodies.lock().unwrap().extend(bodies);
                let sent =
                    entries.iter().map(|entry| json!({ "Id": entry["Id"], "MessageId": "m", "MD5OfMessageBody": "" }));
                json!({ "Successful": sent.collect::<Vec<_>>(), "Failed": [] })
            }
            other => panic!("{other}"),
        };
        let status = http::StatusCode::OK.as_u16().try_into().unwrap();
        HttpConnectorFuture::ready(Ok(HttpResponse::new(status, answer.to_string().into())))
    }
}

struct Webhook {
    receiver: Receiver,
    aws: Aws,
    key: HmacKey,
    runtime: Runtime,
}

impl Webhook {
    fn new() -> Self {
        let aws = Aws::default();
        let credentials = Credentials::new("k", "s", None, None, "test");
        let http = SharedHttpClient::new(aws.clone());
        let sqs = aws_sdk_sqs::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("us-east-1"))
            .credentials_provider(credentials.clone())
            .http_client(http.clone())
            .build();
        let secrets = aws_sdk_secretsmanager::Config::builder()
            .behavior_version(aws_sdk_secretsmanager::config::BehaviorVersion::latest())
            .region(Region::new("us-east-1"))
            .credentials_provider(credentials)
            .http_client(http)
            .build();
        let sqs = aws_sdk_sqs::Client::from_conf(sqs);
        let vault = Vault::new(aws_sdk_secretsmanager::Client::from_conf(secrets));
        let receiver = Receiver {
            secrets: AppSecrets::new(vault, "app".into()),
            leads: Queue::new(sqs.clone(), "https://queue.example/1/leads".into()),
            engagement: Queue::new(sqs, "https://queue.example/1/engagement".into()),
        };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        Self { receiver, aws, key: HmacKey::new(APP_SECRET.to_owned()), runtime }
    }

    /// Delivers a signed body. Returns the status, and the bodies of the messages that are in the queues since.
    fn deliver(&self, body: &[u8]) -> (u16, Vec<Value>) {
        let signature = format!("sha256={}", hex::encode(self.key.sign(body)));
        self.send("POST", "/webhook/facebook", &[("x-hub-signature-256", &signature)], body)
    }

    fn send(&self, method: &str, uri: &str, headers: &[(&str, &str)], body: &[u8]) -> (u16, Vec<Value>) {
        let mut request = http::Request::builder().method(method).uri(uri);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request: Request = request.body(Body::Binary(body.to_vec())).unwrap();
        let response = self.runtime.block_on(self.receiver.answer(request)).unwrap();
        let bodies = std::mem::take(&mut *self.aws.bodies.lock().unwrap());
        (response.status().as_u16(), bodies.iter().map(|body| serde_json::from_str(body).unwrap()).collect())
    }
}

/// What the messages carry: the submissions of leads by their ids, other changes by their objects, fields and values.
fn carried(messages: &[Value]) -> Vec<String> {
    let mut carried = Vec::new();
    for message in messages {
        if let Some(leads) = message["leads"].as_array() {
            carried.extend(leads.iter().map(|lead| format!("lead {}", lead["leadgen_id"].as_str().unwrap())));
        } else {
            let text = message["value"].as_str().unwrap();
            serde_json::from_str::<&RawValue>(text).expect("JSON");
            // A number may be too large for a value.
            let value = serde_json::from_str(text).map_or_else(|_| text.to_owned(), |value: Value| value.to_string());
            carried.push(format!("{}/{} {value}", message["object"], message["field"]));
        }
    }
    carried.sort();
    carried
}

/// An entry of a delivery of the corpus with one change of each kind, under a number of its own.
fn numbered(number: usize) -> (Value, Vec<String>) {
    let lead = json!({ "field": "leadgen", "value": { "leadgen_id": number, "page_id": "104", "form_id": "7", "created_time": 1 } });
    let comment =
        json!({ "item": "comment", "verb": "add", "comment_id": format!("9_{number}"), "message": "\u{e4} \u{1f622}" });
    let message = json!({ "sender": { "id": "6001" }, "message": { "mid": format!("m_{number}"), "text": "hi" } });
    let changes = json!([lead, { "field": "feed", "value": comment }]);
    let expected = vec![
        format!("lead {number}"),
        format!("\"page\"/\"feed\" {comment}"),
        format!("\"page\"/\"messaging\" {message}"),
    ];
    (json!({ "id": "104", "time": 1, "changes": changes, "messaging": [message] }), expected)
}

#[test]
fn any_delivery_is_taken_or_refused_and_never_fails() {
    let webhook = Webhook::new();
    proptest!(|(body in corpus::mutated_bytes(corpus::webhooks()))| {
        let (status, messages) = webhook.deliver(&body);
        prop_assert!(matches!(status, 200 | 400), "{status}");
        prop_assert!(status == 200 || messages.is_empty());
        carried(&messages);
    });
}

#[test]
fn whatever_stands_beside_them_each_change_is_taken_once() {
    let webhook = Webhook::new();
    let beside = prop::collection::vec(corpus::mutated(corpus::webhooks()), 0..4);
    proptest!(|(beside in beside, places in prop::collection::vec(0..6_usize, 1..8))| {
        // What is not an entry is skipped; entries with changes of their own would have to be told apart.
        let mut entries: Vec<Value> = beside.into_iter().map(|value| json!({ "id": "x", "beside": value })).collect();
        let mut expected = Vec::new();
        for (number, place) in places.into_iter().enumerate() {
            let (entry, carried) = numbered(number + 1);
            expected.extend(carried);
            entries.insert(place.min(entries.len()), entry);
        }
        expected.sort();
        let (status, messages) = webhook.deliver(json!({ "object": "page", "entry": entries }).to_string().as_bytes());
        prop_assert_eq!(status, 200);
        prop_assert_eq!(carried(&messages), expected);
    });
}

#[test]
fn any_request_that_meta_did_not_sign_is_refused_and_leaves_nothing() {
    let webhook = Webhook::new();
    let signature = prop_oneof!["[ -~]{0,80}", "sha256=[0-9a-fA-F]{62,66}"];
    proptest!(|(body in corpus::mutated_bytes(corpus::webhooks()), signature in signature)| {
        let (status, messages) = webhook.send("POST", "/webhook/facebook", &[("x-hub-signature-256", &signature)], &body);
        prop_assert_eq!((status, messages.len()), (401, 0));
    });
    proptest!(|(query in "[ -~]{0,80}", method in prop::sample::select(vec!["GET", "PUT", "DELETE", "HEAD"]))| {
        let query: String = url_of(&query);
        let (status, messages) = webhook.send(method, &format!("/webhook/facebook?{query}"), &[], b"");
        prop_assert!(matches!(status, 403 | 405) && messages.is_empty(), "{status}");
    });
}

/// The same text as a query that can be sent.
fn url_of(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02x}")).collect()
}
