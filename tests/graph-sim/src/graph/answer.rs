//! Runs one request: faults first, then limits, then the endpoint.

use std::sync::Arc;

use serde_json::Value;

use super::error::GraphError;
use super::insights::Reading;
use super::request::Request;
use super::session::{self, Call, Downloads, Session};
use super::{app_subscriptions, charge, endpoint, legacy, route, version};
use crate::escaped_json;
use crate::fault::{FaultKind, Hit};
use crate::media::fetch::{self, Wanted};
use crate::server::Sim;
use crate::usage::{self, Bucket, Level};
use crate::world::{World, ids};

/// A response, sent separately or as an element of a batch.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: String,
}

/// The outcome of one request.
#[derive(Debug)]
pub(crate) enum Outcome {
    Reply(Reply),
    /// A fault: no response for `hold_ms`.
    Silence {
        hold_ms: u64,
    },
    /// A fault: the connection is closed.
    Closed,
}

/// Runs one request. `in_batch` only affects the statistics.
pub(crate) async fn answer(sim: &Arc<Sim>, request: &Request, in_batch: bool) -> Outcome {
    let (path, hit) = {
        let mut world = sim.world();
        if world.catch_up() {
            sim.wake.notify_one();
        }
        let path = endpoint::normalise(&world, request);
        let name = format!("{} {path}", request.method);
        if in_batch {
            world.stats.called_in_batch(&name);
        } else {
            world.stats.called(&name);
        }
        let hit = world.faults.strike(&request.method, [&request.plain_path(), &path]);
        (path, hit)
    };
    let Some(hit) = hit else { return Outcome::Reply(work(sim, request, &path).await) };
    if hit.kind == FaultKind::Slow && !hit.after {
        hit.hold().await;
    }
    let reply = if hit.after || hit.kind == FaultKind::Slow { Some(work(sim, request, &path).await) } else { None };
    match reply.filter(|_| hit.kind == FaultKind::Slow) {
        Some(reply) => {
            if hit.after {
                hit.hold().await;
            }
            Outcome::Reply(reply)
        }
        None => suffer(&mut sim.world(), request, &path, hit),
    }
}

/// Does what the request asks for.
async fn work(sim: &Arc<Sim>, request: &Request, path: &str) -> Reply {
    // The only endpoint that calls another server before it responds.
    let verified = app_subscriptions::verify_callback(sim, request).await;
    let mut headers = Vec::new();
    let work = verified.and_then(|()| run(&mut sim.world(), request, path, &mut headers));
    let result = match work {
        Ok(Work::Done(value)) => Ok(value),
        Ok(Work::Insights(reading)) => add_up(reading).await,
        Ok(Work::Download(wanted)) => {
            let mut downloads = Downloads::default();
            for wanted in wanted {
                let result = fetch::fetch(sim, &wanted).await;
                downloads.done.push((wanted, result));
            }
            resume(&mut sim.world(), request, downloads)
        }
        Err(error) => Err(error),
    };
    let reply = finish(&mut sim.world(), request, path, headers, result);
    if request.method != "GET" {
        // The request may have created a lead or a post.
        sim.wake.notify_one();
    }
    reply
}

/// The result of an endpoint.
enum Work {
    Done(Value),
    /// Insights still to be computed, without the world lock.
    Insights(Box<Reading>),
    /// Files still to be fetched, without the world lock.
    Download(Vec<Wanted>),
}

/// Computes insights on a blocking thread. A large account takes seconds, and other requests do not wait meanwhile.
async fn add_up(reading: Box<Reading>) -> Result<Value, GraphError> {
    let work = tokio::task::spawn_blocking(move || reading.answer());
    work.await.unwrap_or_else(|error| Err(GraphError::new(500, 1, error.to_string())))
}

/// Charges the rate limits, then runs the endpoint.
fn run(
    world: &mut World,
    request: &Request,
    path: &str,
    headers: &mut Vec<(&'static str, String)>,
) -> Result<Work, GraphError> {
    let version = version::answering(request.version, world.clock.now_s())
        .ok_or_else(|| GraphError::syntax(format!("Unknown path components: {}", request.plain_path())))?;
    if world.app.is_new {
        legacy::check(request)?;
    }
    if route::needs_no_token(request) {
        let mut call = Call { world, request, version, session: Session::App, downloads: Downloads::default() };
        let value = route::without_token(&mut call)?;
        return Ok(done_or_download(call, value));
    }
    let session = session::open(world, request)?;
    charge::charge(world, &session, request, path, headers)?;
    let mut call = Call { world, request, version, session, downloads: Downloads::default() };
    match route::insights(&mut call)? {
        Some(reading) => Ok(Work::Insights(Box::new(reading))),
        None => {
            let value = route::with_token(&mut call)?;
            Ok(done_or_download(call, value))
        }
    }
}

fn done_or_download(call: Call<'_>, value: Value) -> Work {
    if call.downloads.wanted.is_empty() { Work::Done(value) } else { Work::Download(call.downloads.wanted) }
}

/// Runs an endpoint again with the files it asked for.
fn resume(world: &mut World, request: &Request, downloads: Downloads) -> Result<Value, GraphError> {
    let version = version::answering(request.version, world.clock.now_s()).unwrap_or(version::CURRENT);
    if route::needs_no_token(request) {
        return route::without_token(&mut Call { world, request, version, session: Session::App, downloads });
    }
    let session = session::open(world, request)?;
    route::with_token(&mut Call { world, request, version, session, downloads })
}

fn finish(
    world: &mut World,
    request: &Request,
    path: &str,
    mut headers: Vec<(&'static str, String)>,
    result: Result<Value, GraphError>,
) -> Reply {
    let version = version::answering(request.version, world.clock.now_s()).unwrap_or(version::CURRENT);
    headers.push(("content-type", "application/json; charset=UTF-8".to_owned()));
    headers.push(("facebook-api-version", format!("v{version}.0")));
    headers.push(("x-fb-trace-id", ids::trace_text()));
    headers.push(("x-fb-debug", ids::trace_text()));
    headers.push(("x-fb-rev", "1030000000".to_owned()));
    headers.push(("cache-control", "private, no-cache, no-store, must-revalidate".to_owned()));
    match result {
        Ok(value) => Reply { status: 200, headers, body: escaped_json::to_string(&value) },
        Err(error) => {
            world.stats.failed(&format!("{} {path}", request.method), error.code, error.subcode);
            tracing::debug!(path, code = error.code, subcode = error.subcode, message = error.message, "refused");
            if error.code == 190 {
                let challenge = format!("OAuth \"Facebook Platform\" \"invalid_token\" \"{}\"", error.message);
                headers.push(("www-authenticate", challenge));
            }
            // WhatsApp answers an invalid token with 401.
            let status = if error.code == 190 && endpoint::is_whatsapp(path) { 401 } else { error.status };
            Reply { status, headers, body: escaped_json::to_string(&error.envelope()) }
        }
    }
}

/// Produces the outcome of a request that hit a fault.
fn suffer(world: &mut World, request: &Request, path: &str, hit: Hit) -> Outcome {
    let reply = match hit.kind {
        FaultKind::Timeout => return Outcome::Silence { hold_ms: hit.hold_ms },
        FaultKind::Close | FaultKind::Slow => return Outcome::Closed,
        FaultKind::Garbage => Reply {
            status: hit.status.unwrap_or(200),
            headers: vec![("content-type", "text/html; charset=utf-8".to_owned())],
            body: match hit.hit % 3 {
                0 => "Service Unavailable".to_owned(),
                1 => r#"{"data":[{"id":"1234","created_ti"#.to_owned(),
                _ => "<!DOCTYPE html><html><head><title>Error</title></head><body>Sorry, something went wrong.</body></html>"
                    .to_owned(),
            },
        },
        FaultKind::Error => {
            let error = GraphError::injected(hit.code.unwrap_or(2), hit.subcode, hit.status, hit.message);
            finish(world, request, path, Vec::new(), Err(error))
        }
        FaultKind::Throttle => {
            let session = session::open(world, request).unwrap_or(Session::App);
            let buckets = charge::buckets(world, &session, request, path);
            let bucket = buckets.first().unwrap_or(&Bucket::App);
            let mut headers: Vec<_> = usage::header(bucket, Level::FULL).into_iter().collect();
            if matches!(bucket, Bucket::AdsInsights { .. }) {
                headers.push(usage::insights_header(Level::FULL, Level::FULL));
            }
            let (code, subcode) = hit.code.map_or_else(|| bucket.throttle_code(), |code| (code, None));
            let error = GraphError::injected(code, hit.subcode.or(subcode), hit.status, hit.message);
            finish(world, request, path, headers, Err(error))
        }
    };
    Outcome::Reply(reply)
}
