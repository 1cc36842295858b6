//! `POST /_sim/storm`: thousands of leads with every webhook problem.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Body, Mistake};
use crate::server::Sim;
use crate::world::storm::{Forecast, Storm};

/// More leads would only fill the memory.
const MAX_LEADS: usize = 100_000;
/// Leads submitted before the lock on the world is released.
const GUST: usize = 100;
/// The interval at which a storm with a duration adds leads.
const TICK: Duration = Duration::from_millis(20);

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Input {
    seed: u64,
    leads: usize,
    form_ids: Vec<String>,
    /// Duration in real time; immediate if zero.
    #[serde(default)]
    over_ms: u32,
    #[serde(default)]
    shares: Shares,
    #[serde(default = "three_seconds")]
    late_ms: u32,
    #[serde(default = "two_seconds")]
    readable_after_ms: u32,
    #[serde(default)]
    same_person: f64,
}

fn three_seconds() -> u32 {
    3_000
}

fn two_seconds() -> u32 {
    2_000
}

/// Probabilities. The remaining leads are announced as usual.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Shares {
    drop: f64,
    late: f64,
    duplicate: f64,
    reorder: f64,
    mixed: f64,
    unreadable_first: f64,
}

impl Shares {
    /// In the order of [`crate::world::storm::Fate::INJECTED`].
    fn checked(&self) -> Result<[f64; 6], Mistake> {
        let list = [self.drop, self.late, self.duplicate, self.reorder, self.mixed, self.unreadable_first];
        if let Some(wrong) = list.iter().find(|share| !(0.0..=1.0).contains(*share)) {
            return Err(Mistake::new(format!("shares: must be between 0 and 1, got {wrong}")));
        }
        let sum: f64 = list.iter().sum();
        // Rounding can push the sum slightly above one: ten tenths do.
        if sum > 1.0 + 1e-9 {
            return Err(Mistake::new(format!("shares: together they must be at most 1, got {sum}")));
        }
        Ok(list)
    }
}

/// Makes all decisions, returns the injected problems and submits the leads: before returning, or with `over_ms` in the
/// background.
pub(crate) async fn brew(State(sim): State<Arc<Sim>>, Body(input): Body<Input>) -> Result<Json<Value>, Mistake> {
    if !(1..=MAX_LEADS).contains(&input.leads) {
        return Err(Mistake::new(format!("leads: must be between 1 and {MAX_LEADS}, got {}", input.leads)));
    }
    if !(0.0..=1.0).contains(&input.same_person) {
        return Err(Mistake::new(format!("same_person: must be between 0 and 1, got {}", input.same_person)));
    }
    let shares = input.shares.checked()?;
    let (mut storm, resets) = {
        let world = sim.world();
        if input.form_ids.is_empty() {
            return Err(Mistake::new("form_ids: at least one form is required"));
        }
        for id in &input.form_ids {
            match world.forms.get(id) {
                None => return Err(Mistake::new(format!("form_ids: there is no form {id}"))),
                Some(form) if !form.takes_leads() => {
                    return Err(Mistake::new(format!("form_ids: form {id} is archived and takes no leads")));
                }
                Some(_) => {}
            }
        }
        let forecast = Forecast {
            seed: input.seed,
            leads: input.leads,
            form_ids: input.form_ids,
            shares,
            same_person: input.same_person,
            late: Duration::from_millis(u64::from(input.late_ms)),
            readable_after_ms: i64::from(input.readable_after_ms),
        };
        (Storm::new(&world, forecast), world.resets)
    };
    // Everything is decided: submit the leads.
    let answer = json!({"leads": storm.leads(), "injected": storm.injected()});
    if input.over_ms == 0 {
        let leads = storm.leads();
        while blow(&sim, &mut storm, leads, resets) {
            tokio::task::yield_now().await;
        }
    } else {
        tokio::spawn(last(sim, storm, Duration::from_millis(u64::from(input.over_ms)), resets));
    }
    Ok(Json(answer))
}

/// Submits the leads evenly over a duration.
async fn last(sim: Arc<Sim>, mut storm: Storm, over: Duration, resets: u64) {
    let start = Instant::now();
    loop {
        let elapsed = start.elapsed().min(over).as_millis();
        let leads = u128::try_from(storm.leads()).unwrap_or_default();
        let due = usize::try_from(leads * elapsed / over.as_millis().max(1)).unwrap_or(usize::MAX);
        while blow(&sim, &mut storm, due, resets) {
            tokio::task::yield_now().await;
        }
        if storm.is_over() || sim.world().resets != resets {
            return;
        }
        tokio::time::sleep(TICK).await;
    }
}

/// Submits one chunk of leads towards `until`. Returns `false` if nothing remains to do for now. A reset ends the
/// storm.
fn blow(sim: &Sim, storm: &mut Storm, until: usize, resets: u64) -> bool {
    let mut world = sim.world();
    if world.resets != resets {
        return false;
    }
    let more = storm.blow(&mut world, until, GUST);
    drop(world);
    sim.wake.notify_one();
    more
}
