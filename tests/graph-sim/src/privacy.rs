//! The privacy callbacks: removal of the app, and data deletion requests.
//!
//! Each is posted once; Meta documents no retries.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use crate::server::Sim;
use crate::signing;
use crate::world::World;

/// How long the receiver may take. Meta documents no value.
const ANSWER_WITHIN: Duration = Duration::from_secs(20);

/// The kind of privacy callback.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Callback {
    /// A person removed the app.
    Deauthorize,
    /// A person removed the app and requested deletion of their data.
    Deletion,
}

impl Callback {
    /// The URL configured in the app's settings.
    pub(crate) fn address(self, world: &World) -> Option<String> {
        match self {
            Self::Deauthorize => world.app.deauthorize_url.clone(),
            Self::Deletion => world.app.deletion_url.clone(),
        }
    }
}

/// Creates the `signed_request` for a person, issued now.
pub(crate) fn signed_request(world: &World, user_id: &str) -> String {
    signing::signed_request(&world.app.secret, user_id, world.clock.now_s())
}

/// Posts a callback and returns the outcome: `{"status", "body"}`, with the body as JSON where it parses, or
/// `{"status": null, "error"}`.
pub(crate) async fn post(sim: &Arc<Sim>, address: &str, signed_request: &str) -> Value {
    let request = sim
        .http
        .post(address)
        .timeout(ANSWER_WITHIN)
        .header("user-agent", "facebookexternalua")
        .form(&[("signed_request", signed_request)]);
    let answer = match request.send().await {
        Ok(response) => {
            let status = response.status().as_u16();
            response.text().await.map(|text| (status, text))
        }
        Err(error) => Err(error),
    };
    match answer {
        Ok((status, text)) => {
            tracing::info!(status, "privacy callback");
            let body = serde_json::from_str::<Value>(&text).unwrap_or(Value::String(text));
            json!({"status": status, "body": body})
        }
        Err(error) => {
            tracing::info!(%error, "privacy callback not answered");
            let why = if error.is_timeout() { "timeout" } else { "unreachable" };
            json!({"status": null, "error": why})
        }
    }
}
