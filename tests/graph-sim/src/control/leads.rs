//! `POST /_sim/leads`.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Body, Mistake};
use crate::server::Sim;
use crate::webhook::outbox::Manner;
use crate::world::lead::ConsentAnswer;
use crate::world::submit::{self, Submission};

/// A larger count would lock the world for too long.
const MAX_COUNT: usize = 20_000;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Input {
    form_id: Value,
    #[serde(default = "one")]
    count: usize,
    platform: Option<String>,
    partner_name: Option<String>,
    #[serde(default)]
    answers: Value,
    /// `{checkbox_key: bool}`.
    consents: Option<std::collections::BTreeMap<String, bool>>,
    deliver: Option<String>,
    /// Real time until the webhook is queued.
    #[serde(default)]
    deliver_after_ms: u32,
    #[serde(default)]
    readable_after_ms: u32,
    #[serde(default)]
    organic: bool,
    /// How long ago the form was submitted.
    #[serde(default)]
    age_s: u32,
}

fn one() -> usize {
    1
}

/// Submits a form `count` times and returns the lead ids at once. The webhooks follow in the background.
pub(crate) async fn submit(State(sim): State<Arc<Sim>>, Body(input): Body<Input>) -> Result<Json<Value>, Mistake> {
    let form_id = match &input.form_id {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        other => return Err(Mistake::new(format!("form_id: expected a form id, got {other}"))),
    };
    if input.count == 0 || input.count > MAX_COUNT {
        return Err(Mistake::new(format!("count: must be between 1 and {MAX_COUNT}, got {}", input.count)));
    }
    let platform = input.platform.unwrap_or_else(|| "fb".to_owned());
    if !matches!(platform.as_str(), "fb" | "ig") {
        return Err(Mistake::new(format!("platform: must be \"fb\" or \"ig\", got \"{platform}\"")));
    }
    let name = input.deliver.as_deref().unwrap_or("webhook");
    let manner = Manner::named(name).ok_or_else(|| {
        Mistake::new(format!("deliver: must be webhook, drop, duplicate, reorder or mixed, got \"{name}\""))
    })?;
    if input.deliver_after_ms > 0 && manner == Manner::Drop {
        return Err(Mistake::new("deliver_after_ms: what is dropped is never delivered"));
    }
    let mut world = sim.world();
    let form = world.forms.get(&form_id).ok_or_else(|| Mistake::new(format!("form_id: there is no form {form_id}")))?;
    if !form.takes_leads() {
        return Err(Mistake::new(format!("form_id: form {form_id} is archived and takes no leads")));
    }
    let answers = submit::read_answers(form, &input.answers).map_err(Mistake::new)?;
    let consents = match input.consents {
        None => None,
        Some(given) => {
            if let Some(unknown) = given.keys().find(|key| !form.consents.iter().any(|consent| consent.key == **key)) {
                return Err(Mistake::new(format!("consents: form {form_id} has no checkbox \"{unknown}\"")));
            }
            Some(given.into_iter().map(|(key, checked)| ConsentAnswer { key, checked }).collect())
        }
    };
    let submission = Submission {
        platform,
        partner_name: input.partner_name,
        answers,
        consents,
        invent: true,
        organic: input.organic,
        readable_after_ms: i64::from(input.readable_after_ms),
        age_ms: i64::from(input.age_s) * 1000,
        manner,
        deliver_after: Duration::from_millis(u64::from(input.deliver_after_ms)),
        ..Submission::default()
    };
    let ids = world.submit(&form_id, input.count, &submission).unwrap_or_default();
    drop(world);
    sim.wake.notify_one();
    Ok(Json(json!({ "ids": ids })))
}
