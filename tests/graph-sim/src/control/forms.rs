//! `POST /_sim/forms`: what page owners do with their forms.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Body, Mistake};
use crate::server::Sim;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Input {
    form_id: String,
    status: String,
}

/// Archives a form or brings it back. An archived form takes no new leads and still shows those it has.
pub(crate) async fn change(State(sim): State<Arc<Sim>>, Body(input): Body<Input>) -> Result<Json<Value>, Mistake> {
    let status = match input.status.as_str() {
        "ACTIVE" => "ACTIVE",
        "ARCHIVED" => "ARCHIVED",
        other => return Err(Mistake::new(format!("status: must be ACTIVE or ARCHIVED, got \"{other}\""))),
    };
    let mut world = sim.world();
    let form = world.forms.get_mut(&input.form_id);
    let form = form.ok_or_else(|| Mistake::new(format!("form_id: there is no form {}", input.form_id)))?;
    form.status = status;
    Ok(Json(json!({"success": true})))
}
