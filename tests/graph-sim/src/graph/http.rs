//! Parses Graph requests from HTTP and writes their responses.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{ConnectInfo, State};
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE};
use axum::http::{HeaderMap, Response, StatusCode};

use super::answer::{self, Outcome, Reply};
use super::batch;
use super::error::GraphError;
use super::multipart;
use super::request::Request;
use super::version;
use crate::connection::Closer;
use crate::escaped_json;
use crate::fault::{FaultKind, Hit};
use crate::server::Sim;

/// Larger bodies are rejected.
const MAX_BODY: usize = 512 * 1024 * 1024;

/// Handles every path that no other route matches.
pub(crate) async fn serve(
    State(sim): State<Arc<Sim>>,
    ConnectInfo(connection): ConnectInfo<Closer>,
    request: axum::extract::Request,
) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let Ok(body) = to_bytes(body, MAX_BODY).await else {
        return respond(failure(&GraphError::invalid("(#100) The request body is too large or broke off")));
    };
    let mut request = Request::new(parts.method.as_str(), parts.uri.path());
    request.add_form(parts.uri.query().unwrap_or_default());
    request.token_in_query = request.param("access_token").is_some();
    if let Err(error) = add_body(&mut request, &parts.headers, body) {
        return respond(failure(&error));
    }
    add_bearer(&mut request, &parts.headers);
    // An older app's client that can only POST names the real method in `method`.
    let may_override = !sim.world().app.is_new;
    if may_override && let Some(method) = request.params.remove("method").filter(|_| request.method == "POST") {
        request.method = method.to_uppercase();
    }
    let outcome = if request.method == "POST" && request.params.contains_key("batch") {
        batch_outcome(&sim, &request).await
    } else {
        answer::answer(&sim, &request, false).await
    };
    match outcome {
        Outcome::Reply(reply) => respond(reply),
        Outcome::Silence { hold_ms } => {
            tokio::time::sleep(Duration::from_millis(hold_ms)).await;
            empty(StatusCode::GATEWAY_TIMEOUT)
        }
        Outcome::Closed => {
            connection.close();
            empty(StatusCode::BAD_GATEWAY)
        }
    }
}

fn empty(status: StatusCode) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response
}

/// Runs a batch. A fault may also hit the batch as a whole; its path is `/`.
async fn batch_outcome(sim: &Arc<Sim>, request: &Request) -> Outcome {
    let hit = {
        let mut world = sim.world();
        world.stats.called("POST /");
        world.faults.strike("POST", ["/", "/"])
    };
    match hit {
        None => run_batch(sim, request).await,
        Some(hit) if hit.kind == FaultKind::Slow => {
            hit.hold().await;
            run_batch(sim, request).await
        }
        Some(hit) => {
            if hit.after {
                run_batch(sim, request).await;
            }
            suffer(hit)
        }
    }
}

/// Returns the outcome of a batch that a fault hit as a whole.
fn suffer(hit: Hit) -> Outcome {
    match hit.kind {
        FaultKind::Timeout => Outcome::Silence { hold_ms: hit.hold_ms },
        FaultKind::Close | FaultKind::Slow => Outcome::Closed,
        FaultKind::Garbage => Outcome::Reply(Reply {
            status: hit.status.unwrap_or(200),
            headers: Vec::new(),
            body: "Service Unavailable".to_owned(),
        }),
        FaultKind::Error | FaultKind::Throttle => {
            let usual = if hit.kind == FaultKind::Throttle { 4 } else { 2 };
            let error = GraphError::injected(hit.code.unwrap_or(usual), hit.subcode, hit.status, hit.message);
            Outcome::Reply(failure(&error))
        }
    }
}

async fn run_batch(sim: &Arc<Sim>, request: &Request) -> Outcome {
    Outcome::Reply(match batch::run(sim, request).await {
        Ok(value) => {
            let headers = vec![
                ("content-type", "application/json; charset=UTF-8".to_owned()),
                ("facebook-api-version", format!("v{}.0", request.version.unwrap_or(version::CURRENT))),
            ];
            Reply { status: 200, headers, body: escaped_json::to_string(&value) }
        }
        Err(error) => failure(&error),
    })
}

fn add_body(request: &mut Request, headers: &HeaderMap, body: Bytes) -> Result<(), GraphError> {
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
    if request.is_upload() {
        // Uploads carry their parameters in headers, and nothing but the file in the body.
        for name in ["file_url", "file_size", "offset"] {
            if let Some(value) = header(name) {
                request.params.insert(name.to_owned(), value);
            }
        }
        request.files.push(("source".to_owned(), body));
        return Ok(());
    }
    if body.is_empty() {
        return Ok(());
    }
    let kind = header(CONTENT_TYPE.as_str()).unwrap_or_default();
    if kind.starts_with("multipart/") {
        // Meta's own clients upload an ad account's images without a content type.
        let untyped_files = request.path.last().is_some_and(|edge| edge == "adimages");
        for part in multipart::parse(&kind, &body, untyped_files)? {
            if let Some(file_name) = part.file_name {
                request.file_names.insert(part.name.clone(), file_name);
            }
            if part.is_file {
                request.files.push((part.name, part.content));
            } else {
                request.params.insert(part.name, String::from_utf8_lossy(&part.content).into_owned());
            }
        }
        return Ok(());
    }
    let text = std::str::from_utf8(&body).map_err(|_| GraphError::invalid("(#100) The request body is not UTF-8"))?;
    if kind.starts_with("application/json") {
        let value =
            serde_json::from_str(text).map_err(|_| GraphError::invalid("(#100) The request body is not valid JSON"))?;
        request.add_json(value);
    } else {
        request.add_form(text);
    }
    Ok(())
}

/// Reads the token from `Authorization: Bearer …` or `OAuth …`. A parameter takes precedence.
fn add_bearer(request: &mut Request, headers: &HeaderMap) {
    let header = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    let token = header.and_then(|text| text.strip_prefix("Bearer ").or_else(|| text.strip_prefix("OAuth ")));
    if let Some(token) = token {
        request.params.entry("access_token".to_owned()).or_insert_with(|| token.trim().to_owned());
    }
}

fn failure(error: &GraphError) -> Reply {
    Reply {
        status: error.status,
        headers: vec![("content-type", "application/json; charset=UTF-8".to_owned())],
        body: escaped_json::to_string(&error.envelope()),
    }
}

fn respond(reply: Reply) -> Response<Body> {
    let mut response = Response::builder().status(reply.status);
    for (name, value) in &reply.headers {
        response = response.header(*name, value);
    }
    response.body(Body::from(reply.body)).unwrap_or_else(|error| {
        tracing::error!(%error, "an answer could not be built");
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
        response
    })
}
