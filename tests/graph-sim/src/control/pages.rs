//! `POST /_sim/pages`: what page owners change at Meta.

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
    page_id: String,
    /// `false`: somebody customised Leads Access Manager and left the app out.
    lead_access: bool,
}

/// Gives the app access to the page's leads or takes it away.
pub(crate) async fn change(State(sim): State<Arc<Sim>>, Body(input): Body<Input>) -> Result<Json<Value>, Mistake> {
    let mut world = sim.world();
    let page = world.pages.get_mut(&input.page_id);
    let page = page.ok_or_else(|| Mistake::new(format!("page_id: there is no page {}", input.page_id)))?;
    page.lead_access_revoked = !input.lead_access;
    Ok(Json(json!({"success": true})))
}
