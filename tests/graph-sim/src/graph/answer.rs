//! Running one request: limits and faults first, then the endpoint.

use std::sync::Arc;

use serde_json::Value;

use super::error::GraphError;
use super::request::Request;
use super::session::{self, Call, Session};
use super::{app_subscriptions, endpoint, route, version};
use crate::escaped_json;
use crate::fault::{FaultKind, Hit};
use crate::server::Sim;
use crate::usage::{self, Bucket, Level};
use crate::world::{World, ids};

/// What goes back, as a response of its own or as an element of a batch.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: String,
}

/// The end of one request.
#[derive(Debug)]
pub(crate) enum Outcome {
    Reply(Reply),
    /// A fault: nothing comes back for `hold_ms`.
    Silence {
        hold_ms: u64,
    },
}

/// Answers one request; `in_batch` only matters for the statistics.
pub(crate) async fn answer(sim: &Arc<Sim>, request: &Request, in_batch: bool) -> Outcome {
    let (path, hit) = {
        let mut world = sim.world();
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
    if let Some(hit) = hit {
        return suffer(&mut sim.world(), request, &path, hit);
    }
    // The one endpoint that talks to somebody else before it answers.
    let verified = app_subscriptions::verify_callback(sim, request).await;
    let mut world = sim.world();
    let mut headers = Vec::new();
    let result = verified.and_then(|()| run(&mut world, request, &path, &mut headers));
    let reply = finish(&mut world, request, &path, headers, result);
    drop(world);
    if request.method == "POST" {
        // It may have made a lead.
        sim.wake.notify_one();
    }
    Outcome::Reply(reply)
}

/// The answer of an endpoint behind its rate limit.
fn run(
    world: &mut World,
    request: &Request,
    path: &str,
    headers: &mut Vec<(&'static str, String)>,
) -> Result<Value, GraphError> {
    let version = version::answering(request.version, world.clock.now_s())
        .ok_or_else(|| GraphError::syntax(format!("Unknown path components: {}", request.plain_path())))?;
    if route::needs_no_token(request) {
        let mut call = Call { world, request, version, session: Session::App };
        return route::without_token(&mut call);
    }
    let session = session::open(world, request)?;
    charge(world, &session, path, headers)?;
    let mut call = Call { world, request, version, session };
    route::with_token(&mut call)
}

/// Counts a call against its limit and reports the limit's state in the headers.
///
/// # Errors
/// The limit's code, when it is used up.
fn charge(
    world: &mut World,
    session: &Session,
    path: &str,
    headers: &mut Vec<(&'static str, String)>,
) -> Result<(), GraphError> {
    if let Session::Page { page_id, .. } = session
        && let Some(verdict) = world.limits.ask(page_id, world.clock.now_ms())
    {
        headers.extend(usage::header(&verdict.bucket, verdict.level));
        return refuse_if(verdict.refused, &verdict.bucket);
    }
    let bucket = bucket(session, path);
    let leads = match &bucket {
        Bucket::Leadgen { page_id } => world.lead_count_of_page(page_id),
        Bucket::App | Bucket::Pages { .. } => 0,
    };
    let now = world.clock.now_s();
    let level = world.usage.count(&bucket, now, leads);
    headers.extend(usage::header(&bucket, level));
    refuse_if(level.percent >= 100, &bucket)
}

fn refuse_if(full: bool, bucket: &Bucket) -> Result<(), GraphError> {
    if full { Err(GraphError::injected(bucket.throttle_code(), None, None, None)) } else { Ok(()) }
}

/// Which limit a call counts against.
fn bucket(session: &Session, path: &str) -> Bucket {
    match session {
        Session::App | Session::User { .. } => Bucket::App,
        Session::Page { page_id, .. } if endpoint::is_lead_reading(path) => {
            Bucket::Leadgen { page_id: page_id.clone() }
        }
        Session::Page { page_id, .. } => Bucket::Pages { page_id: page_id.clone() },
    }
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
            Reply { status: error.status, headers, body: escaped_json::to_string(&error.envelope()) }
        }
    }
}

/// A request that met a fault.
fn suffer(world: &mut World, request: &Request, path: &str, hit: Hit) -> Outcome {
    let reply = match hit.kind {
        FaultKind::Timeout => return Outcome::Silence { hold_ms: hit.hold_ms },
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
            let bucket = session::open(world, request).map_or(Bucket::App, |session| bucket(&session, path));
            let headers = usage::header(&bucket, Level::FULL).into_iter().collect();
            let code = hit.code.unwrap_or_else(|| bucket.throttle_code());
            let error = GraphError::injected(code, hit.subcode, hit.status, hit.message);
            finish(world, request, path, headers, Err(error))
        }
    };
    Outcome::Reply(reply)
}
