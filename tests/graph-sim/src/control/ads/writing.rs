//! `POST /_sim/ads/oddities`: how Meta behaves towards those who write ads.

use std::collections::HashMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::control::{Body, Mistake};
use crate::server::Sim;
use crate::world::writing::Language;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::control) struct Input {
    list_lag_ms: Option<u32>,
    in_process_ms: Option<u32>,
    review_ms: Option<u32>,
    languages: Option<HashMap<String, String>>,
}

/// Changes the settings that are given and returns all of them.
pub(in crate::control) async fn change_settings(
    State(sim): State<Arc<Sim>>,
    Body(input): Body<Input>,
) -> Result<Json<Value>, Mistake> {
    let mut world = sim.world();
    let mut languages = HashMap::new();
    for (user_id, code) in input.languages.into_iter().flatten() {
        let language = Language::parse(&code);
        let language = language.ok_or_else(|| Mistake::new(format!("languages: must be en or de, got \"{code}\"")))?;
        languages.insert(user_id, language);
    }
    let writing = &mut world.writing;
    writing.list_lag_ms = input.list_lag_ms.map_or(writing.list_lag_ms, i64::from);
    writing.in_process_ms = input.in_process_ms.map_or(writing.in_process_ms, i64::from);
    writing.review_ms = input.review_ms.map_or(writing.review_ms, i64::from);
    writing.languages.extend(languages);
    Ok(Json(json!({
        "list_lag_ms": writing.list_lag_ms, "in_process_ms": writing.in_process_ms, "review_ms": writing.review_ms,
    })))
}
