//! `/_sim/faults`.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Query, State};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Body, Mistake};
use crate::fault::{self, Fault, FaultKind};
use crate::graph::request::Request;
use crate::server::Sim;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Input {
    path: String,
    kind: String,
    /// `before` (default) or `after` the call takes effect.
    when: Option<String>,
    method: Option<String>,
    code: Option<i64>,
    subcode: Option<i64>,
    status: Option<u16>,
    message: Option<String>,
    /// Matching calls that are left alone first.
    #[serde(default)]
    skip: u64,
    times: Option<u64>,
    probability: Option<f64>,
    seed: Option<u64>,
    hold_ms: Option<u64>,
}

/// Adds a rule and returns its id. Without `times` the rule applies until it is deleted. `probability` draws from
/// `seed`, so the same calls are hit each time. With `when: "after"` the call does what was asked, and then its
/// response is replaced.
///
/// `path` has no version; a version is stripped. It is a prefix (`/123`), a glob (`/*/leads`), or exact if it begins
/// with `=` (`=/me`). It may use normalised names: `/{lead}`, `/{form}/leads`, `/{page}/subscribed_apps`. Requests
/// inside a batch count like others. The batch itself has the path `/`, so `=/` hits only batches.
pub(crate) async fn add(State(sim): State<Arc<Sim>>, Body(input): Body<Input>) -> Result<Json<Value>, Mistake> {
    let kind = match input.kind.as_str() {
        "error" => FaultKind::Error,
        "timeout" => FaultKind::Timeout,
        "throttle" => FaultKind::Throttle,
        "garbage" => FaultKind::Garbage,
        "close" => FaultKind::Close,
        "slow" => FaultKind::Slow,
        other => {
            let message = format!("kind: must be error, timeout, throttle, garbage, close or slow, got \"{other}\"");
            return Err(Mistake::new(message));
        }
    };
    let after = match input.when.as_deref() {
        None | Some("before") => false,
        Some("after") => true,
        Some(other) => return Err(Mistake::new(format!("when: must be before or after, got \"{other}\""))),
    };
    let probability = input.probability.unwrap_or(1.0);
    if !(0.0..=1.0).contains(&probability) {
        return Err(Mistake::new(format!("probability: must be between 0 and 1, got {probability}")));
    }
    if input.times == Some(0) {
        return Err(Mistake::new("times: must be at least 1"));
    }
    if let Some(status) = input.status.filter(|status| !(200..=599).contains(status)) {
        return Err(Mistake::new(format!("status: must be an HTTP status from 200 to 599, got {status}")));
    }
    let fault = Fault {
        id: 0,
        path: pattern(&input.path),
        method: input.method.map(|method| method.to_uppercase()),
        kind,
        after,
        code: input.code,
        subcode: input.subcode,
        status: input.status,
        message: input.message,
        hold_ms: input.hold_ms.unwrap_or(60_000),
        skip: input.skip,
        times: input.times,
        probability,
        random: fault::random(input.seed.unwrap_or(0)),
        hits: 0,
    };
    let id = sim.world().faults.add(fault);
    Ok(Json(json!({ "id": id })))
}

/// The pattern with a leading slash and without a version.
fn pattern(path: &str) -> String {
    let (exact, path) = path.strip_prefix('=').map_or(("", path), |rest| ("=", rest));
    let plain = path.trim_start_matches('/');
    let (head, tail) = plain.split_once('/').unwrap_or((plain, ""));
    let without_version = if Request::new("GET", head).version.is_some() { tail } else { plain };
    if path.starts_with('*') { format!("{exact}{path}") } else { format!("{exact}/{without_version}") }
}

/// Lists the rules in force.
pub(crate) async fn list(State(sim): State<Arc<Sim>>) -> Json<Value> {
    Json(json!({"faults": sim.world().faults.list()}))
}

#[derive(Debug, Deserialize)]
pub(crate) struct Which {
    id: Option<u64>,
}

/// Removes all rules, or the one with `?id=`.
pub(crate) async fn remove(State(sim): State<Arc<Sim>>, Query(which): Query<Which>) -> Json<Value> {
    Json(json!({"removed": sim.world().faults.remove(which.id)}))
}
