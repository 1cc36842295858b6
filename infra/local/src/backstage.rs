//! `/_local/…`: what developers and tests can do behind the scenes of a running system. It is not part of any deployed
//! function.

use std::collections::HashMap;
use std::fs;
use std::sync::Arc;

use anyhow::{Result, anyhow};
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

use crate::aws::Aws;
use crate::people::Pool;
use crate::place::Place;
use crate::template::Function;

/// The resources behind the `/_local/` routes.
pub(crate) struct Backstage {
    pub(crate) aws: Aws,
    pub(crate) pool: Pool,
    pub(crate) events: Events,
    /// The functions of the template, each with its deployed name.
    pub(crate) functions: Vec<(Function, String)>,
}

pub(crate) fn routes(backstage: Arc<Backstage>) -> Router {
    Router::new()
        .route("/_local/fire/{job}", post(fire))
        .route("/_local/mail", get(mail))
        .route("/_local/events", get(events))
        .route("/_local/token", post(token))
        .route("/_local/people", post(add_person))
        .route("/_local/kill/{function}", post(kill))
        .route("/_local/logs/{function}", get(logs))
        .route("/_local/jwks.json", get(keys))
        .route("/_local/openid-configuration", get(configuration))
        .with_state(backstage)
}

type Stage = State<Arc<Backstage>>;

impl Backstage {
    /// Returns the function that a job invokes, and the payload.
    fn job(&self, job: &str) -> Result<(&str, &Value), Problem> {
        let mut known = Vec::new();
        for (function, deployed) in &self.functions {
            for schedule in &function.schedules {
                if schedule.job == job {
                    return Ok((deployed, &schedule.input));
                }
                known.push(schedule.job.as_str());
            }
        }
        Err(Problem::not_found(&format!("no schedule is called {job}; there are: {}", listed(&known))))
    }

    /// Returns the log of a function, oldest line first.
    async fn log(&self, deployed: &str) -> Result<String> {
        let mut more = json!({ "logGroupName": format!("/aws/lambda/{deployed}") });
        let mut text = String::new();
        loop {
            let mut answer = self.aws.json("logs", "Logs_20140328.FilterLogEvents", &more).await?;
            for event in answer.get("events").and_then(Value::as_array).into_iter().flatten() {
                text += event.get("message").and_then(Value::as_str).unwrap_or_default().trim_end();
                text.push('\n');
            }
            let Some(next) = answer.get_mut("nextToken").map(Value::take).filter(Value::is_string) else {
                return Ok(text);
            };
            if let Some(more) = more.as_object_mut() {
                more.insert("nextToken".to_owned(), next);
            }
        }
    }

    /// Saves the logs of the functions beside the other logs, so that they survive the end of the system.
    pub(crate) async fn save_logs(&self, place: &Place) {
        for (function, deployed) in &self.functions {
            if let Ok(log) = self.log(deployed).await {
                let _ = fs::write(place.log(&function.name), log);
            }
        }
    }

    /// Returns the deployed name of a function.
    fn deployed(&self, function: &str) -> Result<&str, Problem> {
        if let Some((_, deployed)) = self.functions.iter().find(|(found, _)| found.name == function) {
            return Ok(deployed);
        }
        let known: Vec<&str> = self.functions.iter().map(|(function, _)| function.name.as_str()).collect();
        Err(Problem::not_found(&format!("no function is called {function}; there are: {}", listed(&known))))
    }
}

/// Runs a schedule now and returns when it has finished. Work that is not yet due is included. With `?org=`, the run
/// covers only that org.
async fn fire(
    State(stage): Stage,
    Path(job): Path<String>,
    Query(of): Query<HashMap<String, String>>,
) -> Result<Json<Value>, Problem> {
    let (function, input) = stage.job(&job)?;
    let mut input = input.clone();
    if let Some(input) = input.as_object_mut() {
        input.insert("everything".to_owned(), json!(true));
        if let Some(org) = of.get("org") {
            input.insert("org".to_owned(), json!(org));
        }
    }
    let path = format!("/2015-03-31/functions/{function}/invocations");
    let result = stage.aws.rest("lambda", Method::POST, &path, &input).await?;
    Ok(Json(json!({ "job": job, "function": function, "result": result })))
}

/// Returns the mails sent, newest last.
async fn mail(State(stage): Stage) -> Result<Json<Value>, Problem> {
    let answer = stage.aws.rest("ses", Method::GET, "/_ministack/ses/messages", &Value::Null).await?;
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
async fn events(State(stage): Stage) -> Result<Json<Value>, Problem> {
    Ok(Json(Value::Array(stage.events.all(&stage.aws).await?)))
}

#[derive(Deserialize)]
struct Login {
    email: String,
}

/// Returns a fresh id token for a user.
async fn token(State(stage): Stage, Json(login): Json<Login>) -> Result<Json<Value>, Problem> {
    match stage.pool.token(&login.email).await {
        Ok(token) => Ok(Json(json!({ "id_token": token }))),
        Err(error) => Err(Problem::not_found(&format!("no token for {}: {error:#}", login.email))),
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewPerson {
    email: String,
    name: String,
    org: String,
    role: String,
}

/// Creates a login with the shared password.
async fn add_person(State(stage): Stage, Json(person): Json<NewPerson>) -> Result<Json<Value>, Problem> {
    stage.pool.add(&person.email, &person.name, &person.org, &person.role).await?;
    Ok(Json(json!({ "email": person.email })))
}

/// Kills a function's processes immediately, as a crash of their machine would.
async fn kill(State(stage): Stage, Path(function): Path<String>) -> Result<Json<Value>, Problem> {
    let deployed = stage.deployed(&function)?;
    // The environment of a process names its function and its system. Other systems may run beside this one.
    let marks = [format!("AWS_LAMBDA_FUNCTION_NAME={deployed}"), format!("AWS_ENDPOINT_URL={}", stage.aws.endpoint)];
    let killed = tokio::task::spawn_blocking(move || {
        let mut system = System::new()?;
        let environment = ProcessRefreshKind::nothing().with_environ(UpdateKind::Always);
        system.refresh_processes_specifics(ProcessesToUpdate::All, true, environment);
        let is_it = |process: &sysinfo::Process| {
            marks.iter().all(|mark| process.environ().iter().any(|variable| variable.to_str() == Some(mark)))
        };
        let processes = system.processes().values().filter(|process| process.thread_kind().is_none());
        anyhow::Ok(processes.filter(|process| is_it(process) && process.kill()).count())
    });
    let killed = killed.await.map_err(|error| anyhow!(error))??;
    Ok(Json(json!({ "function": function, "killed": killed })))
}

/// Returns the log of a function, oldest line first.
async fn logs(State(stage): Stage, Path(function): Path<String>) -> Result<String, Problem> {
    Ok(stage.log(stage.deployed(&function)?).await?)
}

/// Serves the user pool's signing keys at a URL that is known before the pool exists.
async fn keys(State(stage): Stage) -> Result<Response, Problem> {
    known(stage.pool.well_known("jwks.json")).await
}

/// Serves the user pool's OpenID configuration at a URL that is known before the pool exists.
async fn configuration(State(stage): Stage) -> Result<Response, Problem> {
    known(stage.pool.well_known("openid-configuration")).await
}

async fn known(address: String) -> Result<Response, Problem> {
    let read = async { reqwest::get(address).await?.error_for_status()?.bytes().await };
    let bytes = read.await.map_err(|error| anyhow!(error))?;
    Ok(([(header::CONTENT_TYPE, "application/json")], bytes).into_response())
}

fn listed(names: &[&str]) -> String {
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}

/// The events of the bus. A rule sends all of them to a queue that has no other reader.
pub(crate) struct Events {
    queue: String,
    seen: Mutex<Vec<Value>>,
}

impl Events {
    pub(crate) async fn capture(aws: &Aws, bus: &str) -> Result<Self> {
        const QUEUE: &str = "events-seen";
        let target = format!("arn:aws:sqs:{}:000000000000:{QUEUE}", aws.region);
        let policy = json!({ "Version": "2012-10-17", "Statement": [{
            "Effect": "Allow", "Action": "sqs:SendMessage", "Resource": target,
            "Principal": { "Service": "events.amazonaws.com" },
        }]});
        let queue = json!({ "QueueName": QUEUE, "Attributes": { "Policy": policy.to_string() } });
        let queue = aws.json("sqs", "AmazonSQS.CreateQueue", &queue).await?;
        let pattern = json!({ "source": [{ "prefix": "" }] }).to_string();
        let rule = json!({ "Name": QUEUE, "EventBusName": bus, "EventPattern": pattern });
        aws.json("events", "AWSEvents.PutRule", &rule).await?;
        let targets = json!({ "Rule": QUEUE, "EventBusName": bus, "Targets": [{ "Id": "queue", "Arn": target }] });
        aws.json("events", "AWSEvents.PutTargets", &targets).await?;
        let queue = queue.get("QueueUrl").and_then(Value::as_str).unwrap_or_default().to_owned();
        Ok(Self { queue, seen: Mutex::default() })
    }

    async fn all(&self, aws: &Aws) -> Result<Vec<Value>> {
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
