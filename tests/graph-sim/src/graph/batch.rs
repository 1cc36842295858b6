//! `POST /` with `batch`: up to fifty requests in one, with responses in the same order.

use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Value, json};

use super::answer::{self, Outcome, Reply};
use super::error::GraphError;
use super::request::Request;
use crate::server::Sim;

const MAX_REQUESTS: usize = 50;

/// One element of `batch`.
#[derive(Debug, Deserialize)]
struct Element {
    #[serde(default = "get")]
    method: String,
    relative_url: String,
    #[serde(default)]
    body: Option<Value>,
    /// Names of parts of the batch's own multipart body, separated by commas.
    #[serde(default)]
    attached_files: Option<String>,
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    omit_response_on_success: Option<bool>,
}

fn get() -> String {
    "GET".to_owned()
}

/// Runs the elements. `Ok` is the response array, sent with HTTP 200 regardless of the elements' statuses. An element
/// that did not complete is `null`.
///
/// # Errors
/// Returns 100 if `batch` does not parse or is too long, 104 without the fallback token.
pub(crate) async fn run(sim: &Arc<Sim>, outer: &Request) -> Result<Value, GraphError> {
    let text = outer.param("batch").unwrap_or_default();
    let elements: Vec<Element> = serde_json::from_str(text).map_err(|error| {
        failed(400, 100, format!("(#100) batch parameter must be a JSON array of requests: {error}"))
    })?;
    if elements.len() > MAX_REQUESTS {
        let message = format!("Too many requests in batch message. Maximum batch size is {MAX_REQUESTS}");
        return Err(failed(400, 100, message));
    }
    if outer.param("access_token").is_none() {
        return Err(failed(400, 104, "An access token is required to request this resource.".to_owned()));
    }
    let include_headers = outer.param("include_headers").is_none_or(|text| text != "false" && text != "0");
    sim.world().stats.batch();
    let mut answers = Vec::new();
    // Sequentially: an element may depend on the effects of an earlier one.
    for element in &elements {
        let request = request_of(element, outer);
        answers.push(match answer::answer(sim, &request, true).await {
            Outcome::Silence { .. } | Outcome::Closed => Value::Null,
            // `omit_response_on_success` applies to named requests only.
            Outcome::Reply(reply) if reply.status == 200 && omits(element) => Value::Null,
            Outcome::Reply(reply) => answer_of(reply, include_headers),
        });
    }
    Ok(Value::Array(answers))
}

fn omits(element: &Element) -> bool {
    element.omit_response_on_success.unwrap_or(false) && element.name.is_some()
}

/// Returns the request of an element. Without a token of its own it uses the batch's token and the batch's proof. A
/// proof belongs to one token, so an element with its own token needs its own proof.
fn request_of(element: &Element, outer: &Request) -> Request {
    let url = element.relative_url.trim();
    // An absolute URL is accepted too.
    let absolute = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
    let url = absolute.map_or(url, |rest| rest.split_once('/').map_or("", |(_, path)| path));
    let (path, query) = url.split_once('?').unwrap_or((url, ""));
    let mut request = Request::new(&element.method, path);
    request.version = request.version.or(outer.version);
    request.add_form(query);
    request.token_in_query = request.param("access_token").is_some();
    match &element.body {
        Some(Value::String(text)) => match serde_json::from_str(text) {
            Ok(value @ Value::Object(_)) => request.add_json(value),
            _ => request.add_form(text),
        },
        Some(value) => request.add_json(value.clone()),
        None => {}
    }
    let attached = element.attached_files.as_deref().unwrap_or_default();
    for name in attached.split(',').map(str::trim) {
        request.files.extend(outer.files.iter().filter(|(known, _)| known == name).cloned());
    }
    if request.param("access_token").is_none() {
        for name in ["access_token", "appsecret_proof"] {
            if let Some(value) = outer.param(name) {
                request.params.entry(name.to_owned()).or_insert_with(|| value.to_owned());
            }
        }
    }
    request
}

/// Renders `{"code", "headers", "body"}`. The body is JSON text.
fn answer_of(reply: Reply, include_headers: bool) -> Value {
    if !include_headers {
        return json!({"code": reply.status, "body": reply.body});
    }
    let headers: Vec<Value> = reply.headers.iter().map(|(name, value)| json!({"name": name, "value": value})).collect();
    json!({"code": reply.status, "headers": headers, "body": reply.body})
}

fn failed(status: u16, code: i64, message: String) -> GraphError {
    let mut error = GraphError::new(status, code, message);
    error.kind = "GraphBatchException";
    error
}
