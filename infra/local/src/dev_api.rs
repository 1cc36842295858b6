//! `/_local/…`: the routes that let developers and tests observe and control a running system. They are not part of any
//! deployed function.

use std::collections::HashMap;
use std::fs;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Result, anyhow};
use aws_calls::Aws;
use axum::extract::{Path, Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use http::Method;
use serde::Deserialize;
use serde_json::{Value, json};
use sysinfo::{ProcessRefreshKind, ProcessesToUpdate, System, UpdateKind};
use tokio::sync::Mutex;

use crate::alarms::Alarms;
use crate::template::Function;
use crate::user_pool::UserPool;
use crate::workdir::Workdir;

/// The resources behind the `/_local/` routes.
pub(crate) struct DevApi {
    pub(crate) aws: Aws,
    pub(crate) pool: UserPool,
    pub(crate) events: EventCapture,
    /// The functions of the template, each with its deployed name.
    pub(crate) functions: Vec<(Function, String)>,
    pub(crate) alarms: Alarms,
}

pub(crate) fn routes(dev_api: Arc<DevApi>) -> Router {
    Router::new()
        .route("/_local/fire/{job}", post(fire))
        .route("/_local/mail", get(list_mails))
        .route("/_local/events", get(list_events))
        .route("/_local/token", post(issue_token))
        .route("/_local/people", post(create_login))
        .route("/_local/kill/{function}", post(kill))
        .route("/_local/logs/{function}", get(read_log))
        .route("/_local/alarms", get(judge_alarms))
        .route("/_local/jwks.json", get(signing_keys))
        .route("/_local/openid-configuration", get(openid_configuration))
        .with_state(dev_api)
}

type ApiState = State<Arc<DevApi>>;

impl DevApi {
    /// Returns the function that a job invokes, and the payload.
    fn find_job(&self, job: &str) -> Result<(&str, &Value), Problem> {
        let mut known = Vec::new();
        for (function, deployed) in &self.functions {
            for schedule in &function.schedules {
                if schedule.job == job {
                    return Ok((deployed, &schedule.input));
                }
                known.push(schedule.job.as_str());
            }
        }
        Err(Problem::not_found(&format!("no schedule is called {job}; there are: {}", join_or_none(&known))))
    }

    /// Returns the log of a function, oldest line first.
    async fn fetch_log(&self, deployed: &str) -> Result<String> {
        let lines = self.aws.log_lines(&format!("/aws/lambda/{deployed}")).await?;
        Ok(lines.iter().flat_map(|line| [line.trim_end(), "\n"]).collect())
    }

    /// Saves the logs of the functions beside the other logs, so that they survive the end of the system.
    pub(crate) async fn save_logs(&self, workdir: &Workdir) {
        for (function, deployed) in &self.functions {
            if let Ok(log) = self.fetch_log(deployed).await {
                let _ = fs::write(workdir.log_file(&function.name), log);
            }
        }
    }

    /// Returns the deployed name of a function.
    fn deployed_name(&self, function: &str) -> Result<&str, Problem> {
        if let Some((_, deployed)) = self.functions.iter().find(|(found, _)| found.name == function) {
            return Ok(deployed);
        }
        let known: Vec<&str> = self.functions.iter().map(|(function, _)| function.name.as_str()).collect();
        Err(Problem::not_found(&format!("no function is called {function}; there are: {}", join_or_none(&known))))
    }
}

/// Runs a schedule now and returns when it has finished. Work that is not yet due is included. With `?org=`, the run
/// covers only that org.
async fn fire(
    State(api): ApiState,
    Path(job): Path<String>,
    Query(query): Query<HashMap<String, String>>,
) -> Result<Json<Value>, Problem> {
    let (function, input) = api.find_job(&job)?;
    let mut input = input.clone();
    if let Some(input) = input.as_object_mut() {
        input.insert("everything".to_owned(), json!(true));
        if let Some(org) = query.get("org") {
            input.insert("org".to_owned(), json!(org));
        }
    }
    let path = format!("/2015-03-31/functions/{function}/invocations");
    let result = api.aws.rest("lambda", Method::POST, &path, &input).await?;
    Ok(Json(json!({ "job": job, "function": function, "result": result })))
}

/// Returns the mails sent, newest last.
async fn list_mails(State(api): ApiState) -> Result<Json<Value>, Problem> {
    let answer = api.aws.rest("ses", Method::GET, "/_ministack/ses/messages", &Value::Null).await?;
    let accounts = answer.get("messages").and_then(Value::as_object).into_iter().flatten();
    let mails = accounts.flat_map(|(_, mails)| mails.as_array().into_iter().flatten());
    let mails = mails.map(|mail| {
        let field = |name: &str| mail.get(name).cloned().unwrap_or_default();
        json!({
            "id": field("MessageId"), "from": field("Source"), "to": field("To"), "cc": field("CC"),
            "bcc": field("BCC"), "subject": field("Subject"), "text": field("BodyText"), "html": field("BodyHtml"),
            "sent_at": field("Timestamp"),
        })
    });
    Ok(Json(mails.collect()))
}

/// Returns the events of the bus, newest last.
async fn list_events(State(api): ApiState) -> Result<Json<Value>, Problem> {
    Ok(Json(Value::Array(api.events.receive_all(&api.aws).await?)))
}

#[derive(Deserialize)]
struct TokenRequest {
    email: String,
}

/// Returns a fresh id token for a user.
async fn issue_token(State(api): ApiState, Json(request): Json<TokenRequest>) -> Result<Json<Value>, Problem> {
    match api.pool.issue_token(&request.email).await {
        Ok(token) => Ok(Json(json!({ "id_token": token }))),
        Err(error) => Err(Problem::not_found(&format!("no token for {}: {error:#}", request.email))),
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewLogin {
    email: String,
    name: String,
    org: String,
    role: String,
}

/// Creates a login with the shared password.
async fn create_login(State(api): ApiState, Json(login): Json<NewLogin>) -> Result<Json<Value>, Problem> {
    api.pool.create_login(&login.email, &login.name, &login.org, &login.role).await?;
    Ok(Json(json!({ "email": login.email })))
}

/// Kills a function's processes immediately, as a crash of their machine would.
async fn kill(State(api): ApiState, Path(function): Path<String>) -> Result<Json<Value>, Problem> {
    let deployed = api.deployed_name(&function)?;
    // The environment of a process names its function and its system. Other systems may run beside this one.
    let variables =
        [format!("AWS_LAMBDA_FUNCTION_NAME={deployed}"), format!("AWS_ENDPOINT_URL={}", api.aws.endpoint())];
    let killed = tokio::task::spawn_blocking(move || {
        let mut system = System::new()?;
        let environment = ProcessRefreshKind::nothing().with_environ(UpdateKind::Always);
        system.refresh_processes_specifics(ProcessesToUpdate::All, true, environment);
        let is_it = |process: &sysinfo::Process| {
            variables.iter().all(|wanted| process.environ().iter().any(|variable| variable.to_str() == Some(wanted)))
        };
        let processes = system.processes().values().filter(|process| process.thread_kind().is_none());
        anyhow::Ok(processes.filter(|process| is_it(process) && process.kill()).count())
    });
    let killed = killed.await.map_err(|error| anyhow!(error))??;
    Ok(Json(json!({ "function": function, "killed": killed })))
}

/// Returns the log of a function, oldest line first.
async fn read_log(State(api): ApiState, Path(function): Path<String>) -> Result<String, Problem> {
    Ok(api.fetch_log(api.deployed_name(&function)?).await?)
}

#[derive(Deserialize)]
struct Pace {
    /// How many seconds count as a minute of the alarms' periods.
    minute: Option<f64>,
}

/// Judges all alarms now and returns them.
async fn judge_alarms(State(api): ApiState, Query(pace): Query<Pace>) -> Result<Json<Value>, Problem> {
    let minute = Duration::try_from_secs_f64(pace.minute.unwrap_or(60.0)).unwrap_or(Duration::from_mins(1));
    Ok(Json(api.alarms.judge(minute).await?))
}

/// Serves the user pool's signing keys at a URL that is known before the pool exists.
async fn signing_keys(State(api): ApiState) -> Result<Response, Problem> {
    fetch_json(api.pool.well_known_url("jwks.json")).await
}

/// Serves the user pool's OpenID configuration at a URL that is known before the pool exists.
async fn openid_configuration(State(api): ApiState) -> Result<Response, Problem> {
    fetch_json(api.pool.well_known_url("openid-configuration")).await
}

async fn fetch_json(address: String) -> Result<Response, Problem> {
    let read = async { reqwest::get(address).await?.error_for_status()?.bytes().await };
    let bytes = read.await.map_err(|error| anyhow!(error))?;
    Ok(([(header::CONTENT_TYPE, "application/json")], bytes).into_response())
}

fn join_or_none(names: &[&str]) -> String {
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}

/// The events of the bus. A rule sends all of them to a queue that has no other reader.
pub(crate) struct EventCapture {
    queue: String,
    seen: Mutex<Vec<Value>>,
}

impl EventCapture {
    pub(crate) async fn start(aws: &Aws, bus: &str) -> Result<Self> {
        const CAPTURE_QUEUE: &str = "events-seen";
        let target = format!("arn:aws:sqs:{}:000000000000:{CAPTURE_QUEUE}", aws.region);
        let policy = json!({ "Version": "2012-10-17", "Statement": [{
            "Effect": "Allow", "Action": "sqs:SendMessage", "Resource": target,
            "Principal": { "Service": "events.amazonaws.com" },
        }]});
        let queue = json!({ "QueueName": CAPTURE_QUEUE, "Attributes": { "Policy": policy.to_string() } });
        let queue = aws.json("sqs", "AmazonSQS.CreateQueue", &queue).await?;
        let pattern = json!({ "source": [{ "prefix": "" }] }).to_string();
        let rule = json!({ "Name": CAPTURE_QUEUE, "EventBusName": bus, "EventPattern": pattern });
        aws.json("events", "AWSEvents.PutRule", &rule).await?;
        let targets =
            json!({ "Rule": CAPTURE_QUEUE, "EventBusName": bus, "Targets": [{ "Id": "queue", "Arn": target }] });
        aws.json("events", "AWSEvents.PutTargets", &targets).await?;
        let queue = queue.get("QueueUrl").and_then(Value::as_str).unwrap_or_default().to_owned();
        Ok(Self { queue, seen: Mutex::default() })
    }

    async fn receive_all(&self, aws: &Aws) -> Result<Vec<Value>> {
        let mut seen = self.seen.lock().await;
        loop {
            let more = json!({ "QueueUrl": self.queue, "MaxNumberOfMessages": 10 });
            let answer = aws.json("sqs", "AmazonSQS.ReceiveMessage", &more).await?;
            let messages = answer.get("Messages").and_then(Value::as_array).cloned().unwrap_or_default();
            if messages.is_empty() {
                return Ok(seen.clone());
            }
            for message in messages {
                let text = |field: &str| message.get(field).and_then(Value::as_str).unwrap_or_default();
                seen.push(serde_json::from_str(text("Body"))?);
                let done = json!({ "QueueUrl": self.queue, "ReceiptHandle": text("ReceiptHandle") });
                aws.json("sqs", "AmazonSQS.DeleteMessage", &done).await?;
            }
        }
    }
}

/// An error in the format of RFC 9457.
struct Problem {
    status: StatusCode,
    detail: String,
}

impl Problem {
    fn not_found(detail: &str) -> Self {
        Self { status: StatusCode::NOT_FOUND, detail: detail.to_owned() }
    }
}

impl From<anyhow::Error> for Problem {
    fn from(error: anyhow::Error) -> Self {
        Self { status: StatusCode::BAD_GATEWAY, detail: format!("{error:#}") }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let body =
            json!({ "status": self.status.as_u16(), "title": self.status.canonical_reason(), "detail": self.detail });
        (self.status, [(header::CONTENT_TYPE, "application/problem+json")], body.to_string()).into_response()
    }
}
