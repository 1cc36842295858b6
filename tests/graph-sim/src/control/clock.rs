//! `/_sim/clock`.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Body, Mistake};
use crate::clock::Clock;
use crate::server::Sim;

/// The longest single step: ten years.
const MAX_ADVANCE_S: i64 = 10 * 366 * 24 * 3600;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Input {
    advance_s: i64,
}

/// Moves time forward. Everything that became due, such as webhook retries, happens right afterwards.
pub(crate) async fn advance(State(sim): State<Arc<Sim>>, Body(input): Body<Input>) -> Result<Json<Value>, Mistake> {
    if !(0..=MAX_ADVANCE_S).contains(&input.advance_s) {
        return Err(Mistake::new(format!("advance_s: must be between 0 and {MAX_ADVANCE_S}, got {}", input.advance_s)));
    }
    let mut world = sim.world();
    world.clock.advance_s(input.advance_s);
    let answer = report(&world.clock);
    drop(world);
    sim.wake.notify_one();
    Ok(Json(answer))
}

/// Returns the current time.
pub(crate) async fn read(State(sim): State<Arc<Sim>>) -> Json<Value> {
    Json(report(&sim.world().clock))
}

fn report(clock: &Clock) -> Value {
    json!({"now": clock.now_s(), "advanced_s": clock.advanced_s()})
}
