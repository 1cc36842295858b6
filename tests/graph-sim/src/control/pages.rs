//! `POST /_sim/pages`: changes that page owners make at Meta.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Body, Mistake, nullable};
use crate::graph::is_page_field;
use crate::server::Sim;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Input {
    page_id: String,
    /// `false` if Leads Access Manager was customised to exclude the app.
    lead_access: Option<bool>,
    /// Whether the page's terms for lead ads are accepted.
    lead_terms: Option<bool>,
    /// The new fields of the app's subscription; `null` removes the app from the page.
    #[serde(default, deserialize_with = "nullable")]
    subscribed_fields: Option<Option<BTreeSet<String>>>,
}

/// Grants or revokes the app's access to the page's leads, accepts or withdraws the terms for lead ads, and changes the
/// app's subscription without notifying it.
pub(crate) async fn change(State(sim): State<Arc<Sim>>, Body(input): Body<Input>) -> Result<Json<Value>, Mistake> {
    if input.lead_access.is_none() && input.lead_terms.is_none() && input.subscribed_fields.is_none() {
        return Err(Mistake::new("lead_terms, lead_access or subscribed_fields is required"));
    }
    let fields = input.subscribed_fields.iter().flatten().flatten();
    if let Some(unknown) = fields.into_iter().find(|field| !is_page_field(field)) {
        return Err(Mistake::new(format!("subscribed_fields: pages have no field \"{unknown}\"")));
    }
    let mut world = sim.world();
    let page = world.pages.get_mut(&input.page_id);
    let page = page.ok_or_else(|| Mistake::new(format!("page_id: there is no page {}", input.page_id)))?;
    if let Some(access) = input.lead_access {
        page.lead_access_revoked = !access;
    }
    page.lead_terms_accepted = input.lead_terms.unwrap_or(page.lead_terms_accepted);
    if let Some(fields) = input.subscribed_fields {
        page.subscribed_fields = fields;
        page.messaging_failing_since_ms = None;
    }
    Ok(Json(json!({"success": true})))
}
