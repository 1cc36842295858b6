//! `POST /_sim/app`: the settings that the app's owner changes in the dashboard.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use serde_json::{Value, json};
use url::Url;

use super::{Body, Mistake, nullable};
use crate::server::Sim;
use crate::world::app::Mode;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Input {
    mode: Option<String>,
    /// `false` for an app that still has the protocol features that v27.0 removed for new ones.
    new_app: Option<bool>,
    /// `null` removes the address.
    #[serde(default, deserialize_with = "nullable")]
    deauthorize_url: Option<Option<String>>,
    /// `null` removes the address.
    #[serde(default, deserialize_with = "nullable")]
    deletion_url: Option<Option<String>>,
}

/// Changes the given settings and returns all of them.
pub(crate) async fn change(State(sim): State<Arc<Sim>>, Body(input): Body<Input>) -> Result<Json<Value>, Mistake> {
    let mode = match input.mode.as_deref() {
        None => None,
        Some("live") => Some(Mode::Live),
        Some("development") => Some(Mode::Development),
        Some(other) => return Err(Mistake::new(format!("mode: must be live or development, got \"{other}\""))),
    };
    for (name, address) in [("deauthorize_url", &input.deauthorize_url), ("deletion_url", &input.deletion_url)] {
        if let Some(Some(address)) = address
            && !Url::parse(address).is_ok_and(|url| matches!(url.scheme(), "http" | "https"))
        {
            return Err(Mistake::new(format!("{name}: \"{address}\" is not an address")));
        }
    }
    let mut world = sim.world();
    let app = &mut world.app;
    app.mode = mode.unwrap_or(app.mode);
    app.is_new = input.new_app.unwrap_or(app.is_new);
    if let Some(address) = input.deauthorize_url {
        app.deauthorize_url = address;
    }
    if let Some(address) = input.deletion_url {
        app.deletion_url = address;
    }
    Ok(Json(json!({
        "mode": app.mode.name(), "new_app": app.is_new, "deauthorize_url": app.deauthorize_url, "deletion_url": app.deletion_url,
    })))
}
