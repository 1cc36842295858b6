//! `POST /_sim/privacy`: a person removes the app or requests the deletion of their data.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Body, Mistake};
use crate::privacy::{self, Callback};
use crate::server::Sim;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Input {
    user_id: String,
    kind: String,
    /// How many times the same request is sent.
    #[serde(default = "once")]
    times: u32,
    #[serde(default = "yes")]
    send: bool,
}

fn once() -> u32 {
    1
}

fn yes() -> bool {
    true
}

/// Removes the app from the person, sends the callback and returns its responses. With `send: false` nothing happens,
/// and the signed request is returned for the test to send.
pub(crate) async fn call(State(sim): State<Arc<Sim>>, Body(input): Body<Input>) -> Result<Json<Value>, Mistake> {
    let callback = match input.kind.as_str() {
        "deauthorize" => Callback::Deauthorize,
        "deletion" => Callback::Deletion,
        other => return Err(Mistake::new(format!("kind: must be deauthorize or deletion, got \"{other}\""))),
    };
    if !(1..=100).contains(&input.times) {
        return Err(Mistake::new(format!("times: must be between 1 and 100, got {}", input.times)));
    }
    let (address, signed_request) = {
        let mut world = sim.world();
        if world.user(&input.user_id).is_none() {
            return Err(Mistake::new(format!("user_id: there is no user {}", input.user_id)));
        }
        let signed_request = privacy::signed_request(&world, &input.user_id);
        if !input.send {
            return Ok(Json(json!({ "signed_request": signed_request })));
        }
        let address = callback
            .address(&world)
            .ok_or_else(|| Mistake::new(format!("kind: the app has no address for {}", input.kind)))?;
        world.remove_app(&input.user_id);
        (address, signed_request)
    };
    let mut answers = Vec::new();
    for _ in 0..input.times {
        answers.push(privacy::post(&sim, &address, &signed_request).await);
    }
    Ok(Json(json!({ "answers": answers })))
}
