//! Runs one function as Lambda does, against a stub of Lambda's runtime API and of the AWS services that the functions
//! call before their first event and in `webhook`.
//!
//! The stub speaks plain HTTP on this machine. Measured times therefore lack the network and TLS, for a function and for
//! its baseline alike.

use std::fs::File;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, StatusCode};
use axum::routing::{get, post};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::process::{Child, Command};
use tokio::sync::{Mutex, mpsc};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::command::log_tail;

/// Lambda gives a function ten seconds to start.
const START_TIMEOUT: Duration = Duration::from_secs(10);
/// Lambda's own limit for a request of the HTTP API.
const INVOCATION_TIMEOUT: Duration = Duration::from_secs(30);

/// Where Debian and Amazon Linux have all root certificates in one file. Debian also has a file for each of them, which
/// Lambda's system has not: reading those would double a measured start.
const ROOT_CERTIFICATES: [&str; 2] = ["/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt"];

/// The secret with which a stubbed Meta signs its deliveries.
pub const APP_SECRET: &str = "stub-app-secret";

/// What the process and its stub share.
struct Stub {
    events: Mutex<mpsc::Receiver<Vec<u8>>>,
    /// When the function requested an event.
    requested: mpsc::Sender<Instant>,
    responses: mpsc::Sender<Bytes>,
    sqs_requests: AtomicU64,
}

/// A started function. Dropping it kills the process.
pub struct RunningFunction {
    process: Child,
    stub: Arc<Stub>,
    server: JoinHandle<()>,
    events: mpsc::Sender<Vec<u8>>,
    requested: mpsc::Receiver<Instant>,
    responses: mpsc::Receiver<Bytes>,
    start_time: Duration,
}

impl RunningFunction {
    /// Starts a program and waits until it requests its first event. Each of `variables` gets a value of the right form.
    ///
    /// # Errors
    /// If the program ends before, or takes longer than ten seconds. The error includes the end of its output.
    pub async fn start(program: &Path, variables: &[String], log: &Path) -> Result<Self> {
        let (event_sender, events) = mpsc::channel(1);
        let (requested_sender, requested) = mpsc::channel(16);
        let (response_sender, responses) = mpsc::channel(1);
        let stub = Arc::new(Stub {
            events: Mutex::new(events),
            requested: requested_sender,
            responses: response_sender,
            sqs_requests: AtomicU64::new(0),
        });
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?;
        let routes = Router::new()
            .route("/2018-06-01/runtime/invocation/next", get(next))
            .route("/2018-06-01/runtime/invocation/{id}/response", post(respond))
            .route("/", post(call_aws))
            .with_state(Arc::clone(&stub));
        let server = tokio::spawn(async move {
            // Ends only with its task.
            let _ = axum::serve(listener, routes).await;
        });
        let output = File::create(log).with_context(|| format!("cannot write {}", log.display()))?;
        let mut command = Command::new(program);
        command.env_clear().envs(environment(address, variables)).kill_on_drop(true);
        command.stdin(Stdio::null()).stdout(output.try_clone()?).stderr(output);
        let begun = Instant::now();
        let process = command.spawn().with_context(|| format!("cannot run {}", program.display()))?;
        let start_time = Duration::ZERO;
        let mut function = Self { process, stub, server, events: event_sender, requested, responses, start_time };
        tokio::select! {
            at = timeout(START_TIMEOUT, function.requested.recv()) => match at {
                Ok(Some(at)) => function.start_time = at.duration_since(begun),
                _ => bail!("{} did not start within {} s\n{}", program.display(), START_TIMEOUT.as_secs(), log_tail(log)),
            },
            status = function.process.wait() => bail!("{} ended while it started ({})\n{}", program.display(), status?, log_tail(log)),
        }
        Ok(function)
    }

    /// The time from the start of the process to its first request for an event.
    #[must_use]
    pub fn start_time(&self) -> Duration {
        self.start_time
    }

    /// The id of the process.
    #[must_use]
    pub fn process_id(&self) -> Option<u32> {
        self.process.id()
    }

    /// The number of requests that the function has sent to SQS.
    #[must_use]
    pub fn sqs_requests(&self) -> u64 {
        self.stub.sqs_requests.load(Ordering::Relaxed)
    }

    /// Invokes the function and returns its response, once it waits for the next event.
    ///
    /// # Errors
    /// If the function fails, or does not respond within 30 seconds.
    pub async fn invoke(&mut self, event: Vec<u8>) -> Result<Value> {
        self.events.send(event).await?;
        let (response, _) =
            timeout(INVOCATION_TIMEOUT, async { (self.responses.recv().await, self.requested.recv().await) })
                .await
                .context("the function does not respond")?;
        Ok(serde_json::from_slice(&response.context("the stub ended")?)?)
    }
}

impl Drop for RunningFunction {
    fn drop(&mut self) {
        self.server.abort();
    }
}

/// The variables that Lambda sets, and those of the template.
fn environment(stub: SocketAddr, variables: &[String]) -> Vec<(String, String)> {
    let lambda = [
        ("AWS_LAMBDA_RUNTIME_API", stub.to_string()),
        ("AWS_LAMBDA_FUNCTION_NAME", "stub".to_owned()),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256".to_owned()),
        ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST".to_owned()),
        ("AWS_LAMBDA_LOG_LEVEL", "INFO".to_owned()),
        ("AWS_REGION", "us-east-1".to_owned()),
        ("AWS_ACCESS_KEY_ID", "stub".to_owned()),
        ("AWS_SECRET_ACCESS_KEY", "stub".to_owned()),
        ("AWS_ENDPOINT_URL", format!("http://{stub}")),
    ];
    let lambda = lambda.into_iter().map(|(name, value)| (name.to_owned(), value));
    let template = variables.iter().map(|name| {
        let value = if name.contains("URL") { format!("http://{stub}/") } else { "stub".to_owned() };
        (name.clone(), value)
    });
    let certificates = ROOT_CERTIFICATES.into_iter().find(|file| Path::new(file).exists());
    let certificates = certificates.map(|file| ("SSL_CERT_FILE".to_owned(), file.to_owned()));
    lambda.chain(template).chain(certificates).collect()
}

/// Lambda's runtime API: responds once there is an event.
async fn next(State(stub): State<Arc<Stub>>) -> (StatusCode, HeaderMap, Vec<u8>) {
    let _ = stub.requested.send(Instant::now()).await;
    let Some(event) = stub.events.lock().await.recv().await else {
        return (StatusCode::INTERNAL_SERVER_ERROR, HeaderMap::new(), Vec::new());
    };
    let mut headers = HeaderMap::new();
    for (name, value) in [
        ("lambda-runtime-aws-request-id", "8476a536-e9f4-11e8-9739-2dfe598c3fcd"),
        ("lambda-runtime-deadline-ms", "32503680000000"),
        ("lambda-runtime-invoked-function-arn", "arn:aws:lambda:us-east-1:000000000000:function:stub"),
        ("content-type", "application/json"),
    ] {
        headers.insert(HeaderName::from_static(name), http::HeaderValue::from_static(value));
    }
    (StatusCode::OK, headers, event)
}

async fn respond(State(stub): State<Arc<Stub>>, body: Bytes) -> StatusCode {
    let _ = stub.responses.send(body).await;
    StatusCode::ACCEPTED
}

/// Secrets Manager and SQS, as far as the functions need them here.
async fn call_aws(State(stub): State<Arc<Stub>>, headers: HeaderMap, body: Bytes) -> (StatusCode, String) {
    let operation = headers.get("x-amz-target").and_then(|target| target.to_str().ok()).unwrap_or_default();
    let input: Value = serde_json::from_slice(&body).unwrap_or_default();
    let is_previous = input.get("VersionStage").is_some_and(|stage| stage == "AWSPREVIOUS");
    let output = match operation {
        // Every secret in one. No secret was ever changed.
        "secretsmanager.GetSecretValue" if !is_previous => {
            let secret = json!({ "app_id": "1", "app_secret": APP_SECRET, "verify_token": "stub", "key": "stub" });
            json!({ "Name": "stub", "SecretString": secret.to_string() })
        }
        "secretsmanager.GetSecretValue" => {
            return (StatusCode::BAD_REQUEST, json!({ "__type": "ResourceNotFoundException" }).to_string());
        }
        "AmazonSQS.SendMessage" => {
            stub.sqs_requests.fetch_add(1, Ordering::Relaxed);
            json!({ "MessageId": "1", "MD5OfMessageBody": "" })
        }
        "AmazonSQS.SendMessageBatch" => {
            stub.sqs_requests.fetch_add(1, Ordering::Relaxed);
            let entries = input.get("Entries").and_then(Value::as_array).into_iter().flatten();
            let sent = entries.map(|entry| json!({ "Id": entry.get("Id"), "MessageId": "1", "MD5OfMessageBody": "" }));
            json!({ "Successful": sent.collect::<Vec<_>>(), "Failed": [] })
        }
        _ => return (StatusCode::BAD_REQUEST, json!({ "__type": "UnknownOperationException" }).to_string()),
    };
    (StatusCode::OK, output.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_program_that_ends_did_not_start() {
        let log = std::env::temp_dir().join(format!("stub-runtime-{}", std::process::id()));
        let error = RunningFunction::start(Path::new("/bin/false"), &[], &log).await.err().unwrap();
        assert!(error.to_string().contains("ended while it started"), "{error}");
        std::fs::remove_file(log).unwrap();
    }
}
