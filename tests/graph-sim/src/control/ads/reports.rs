//! `POST /_sim/ads/{account_id}/reports`: sets the outcome of the next reports.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::{Path, State};
use serde::Deserialize;
use serde_json::{Value, json};

use super::account;
use crate::control::{Body, Mistake};
use crate::report::{Fate, Pace};
use crate::server::Sim;

/// Meta takes at most an hour.
const LONGEST_MS: u64 = 3_600_000;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::control) struct Input {
    next: Option<String>,
    #[serde(default = "once")]
    times: u32,
    polls: Option<u32>,
    over_ms: Option<u64>,
}

fn once() -> u32 {
    1
}

/// Sets the fate, and the pace if given, of the next `times` reports. Without `next`, sets the pace of all later
/// reports.
pub(in crate::control) async fn reports(
    State(sim): State<Arc<Sim>>,
    Path(account_id): Path<String>,
    Body(input): Body<Input>,
) -> Result<Json<Value>, Mistake> {
    let pace = match (input.polls, input.over_ms) {
        (Some(_), Some(_)) => return Err(Mistake::new("polls, over_ms: one of them")),
        (Some(0), None) => return Err(Mistake::new("polls: must be at least 1")),
        (Some(polls), None) => Some(Pace::Polls(polls)),
        (None, Some(ms)) if ms > LONGEST_MS => {
            return Err(Mistake::new(format!("over_ms: must be at most {LONGEST_MS}, got {ms}")));
        }
        (None, Some(ms)) => Some(Pace::Time(Duration::from_millis(ms))),
        (None, None) => None,
    };
    let fate = input.next.as_deref().map(fate).transpose()?;
    if input.times == 0 {
        return Err(Mistake::new("times: must be at least 1"));
    }
    let mut world = sim.world();
    let id = account(&world, &account_id)?.id.clone();
    match (fate, pace) {
        (Some(fate), pace) => world.reports.expect(&id, fate, pace, input.times),
        (None, Some(pace)) => world.reports.set_pace(&id, pace),
        (None, None) => return Err(Mistake::new("next, polls or over_ms is required")),
    }
    Ok(Json(json!({"success": true})))
}

fn fate(name: &str) -> Result<Fate, Mistake> {
    let names = || Fate::ALL.map(|(name, _)| name).join(", ");
    Fate::ALL
        .into_iter()
        .find(|(known, _)| *known == name)
        .map(|(_, fate)| fate)
        .ok_or_else(|| Mistake::new(format!("next: must be one of {}, got \"{name}\"", names())))
}
