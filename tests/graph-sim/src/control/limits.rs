//! `/_sim/limits`: how often a page may be asked.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Body, Mistake};
use crate::limit::Limit;
use crate::server::Sim;
use crate::usage::Bucket;

/// Windows and blocks longer than a month are mistakes.
const MAX_S: i64 = 31 * 24 * 3600;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Input {
    page_id: String,
    calls: usize,
    #[serde(default = "an_hour")]
    window_s: i64,
    #[serde(default = "a_minute")]
    block_s: i64,
    #[serde(default = "leadgen", rename = "type")]
    kind: String,
}

fn an_hour() -> i64 {
    3600
}

fn a_minute() -> i64 {
    60
}

fn leadgen() -> String {
    "leadgen".to_owned()
}

/// From now on the page may be asked `calls` times per window by page tokens, by simulated time; an earlier limit of the
/// page is gone.
pub(crate) async fn set(State(sim): State<Arc<Sim>>, Body(input): Body<Input>) -> Result<Json<Value>, Mistake> {
    let page_id = input.page_id;
    let bucket = match input.kind.as_str() {
        "leadgen" => Bucket::Leadgen { page_id: page_id.clone() },
        "pages" => Bucket::Pages { page_id: page_id.clone() },
        other => return Err(Mistake::new(format!("type: must be leadgen or pages, got \"{other}\""))),
    };
    if input.calls == 0 {
        return Err(Mistake::new("calls: must be at least 1"));
    }
    for (name, seconds) in [("window_s", input.window_s), ("block_s", input.block_s)] {
        if !(1..=MAX_S).contains(&seconds) {
            return Err(Mistake::new(format!("{name}: must be between 1 and {MAX_S}, got {seconds}")));
        }
    }
    let mut world = sim.world();
    if !world.pages.contains_key(&page_id) {
        return Err(Mistake::new(format!("page_id: there is no page {page_id}")));
    }
    world.limits.set(page_id, Limit::new(bucket, input.calls, input.window_s, input.block_s));
    Ok(Json(json!({"success": true})))
}

/// The limits and how they stand.
pub(crate) async fn list(State(sim): State<Arc<Sim>>) -> Json<Value> {
    let mut world = sim.world();
    let now = world.clock.now_ms();
    Json(json!({"limits": world.limits.list(now)}))
}

/// Lifts all of them.
pub(crate) async fn lift(State(sim): State<Arc<Sim>>) -> Json<Value> {
    Json(json!({"removed": sim.world().limits.lift()}))
}
