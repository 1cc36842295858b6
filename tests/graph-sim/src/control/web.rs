//! `/_sim/web`: what the addresses that clients hand to Meta return.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Query, State};
use serde::Deserialize;
use serde_json::{Value, json};
use url::Url;

use super::{Body, Mistake};
use crate::media::Kind;
use crate::server::Sim;
use crate::world::web::{self, Site};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Input {
    url: String,
    /// Default 200.
    status: Option<u16>,
    /// Whether it never responds.
    #[serde(default)]
    timeout: bool,
    /// The target of a redirect.
    location: Option<String>,
    content_type: Option<String>,
    width: Option<u32>,
    height: Option<u32>,
    /// Size in bytes.
    bytes: Option<u64>,
    duration_s: Option<f64>,
    /// The subcode with which Meta's processing of the file fails, such as 2207026.
    processing_error: Option<i64>,
    /// How long Meta's processing of the file takes, instead of the usual time.
    processing_ms: Option<i64>,
    /// Only the first responses; later ones are those of the next entry, or the usual ones.
    times: Option<u64>,
}

/// Registers an address and returns `{"id"}`. What is not given is as for an unregistered address.
pub(crate) async fn register(State(sim): State<Arc<Sim>>, Body(input): Body<Input>) -> Result<Json<Value>, Mistake> {
    let url = Url::parse(&input.url).map_err(|_| Mistake::new(format!("url: \"{}\" is not an address", input.url)))?;
    let status = input.status.unwrap_or(200);
    if !(200..=599).contains(&status) {
        return Err(Mistake::new(format!("status: must be an HTTP status from 200 to 599, got {status}")));
    }
    if input.times == Some(0) {
        return Err(Mistake::new("times: must be at least 1"));
    }
    let mut media = web::usual(url.as_str());
    if let Some(content_type) = &input.content_type {
        media.kind = Kind::of_content_type(content_type);
        if media.kind == Kind::Video && media.duration_ms.is_none() {
            media = crate::media::Media { digest: media.digest, ..web::usual("https://example.com/a.mp4") };
        }
    }
    let (width, height) = media.size.unwrap_or_default();
    media.size = Some((input.width.unwrap_or(width), input.height.unwrap_or(height)));
    media.bytes = input.bytes.unwrap_or(media.bytes);
    if let Some(duration_s) = input.duration_s {
        let duration = std::time::Duration::try_from_secs_f64(duration_s);
        let duration = duration.map_err(|_| Mistake::new("duration_s: must be a positive number"))?;
        media.duration_ms = u64::try_from(duration.as_millis()).ok();
    }
    media.processing_error = input.processing_error;
    media.processing_ms = input.processing_ms;
    let site = Site {
        id: 0,
        url: url.into(),
        status: (!input.timeout).then_some(status),
        location: input.location,
        media,
        times: input.times,
        hits: 0,
    };
    let id = sim.world().web.register(site);
    Ok(Json(json!({ "id": id })))
}

/// Returns the entries, and the fetches of all addresses.
pub(crate) async fn list(State(sim): State<Arc<Sim>>) -> Json<Value> {
    Json(sim.world().web.report())
}

#[derive(Debug, Deserialize)]
pub(crate) struct Which {
    id: Option<u64>,
}

/// Removes all entries, or the one with `?id=`.
pub(crate) async fn remove(State(sim): State<Arc<Sim>>, Query(which): Query<Which>) -> Json<Value> {
    Json(json!({"removed": sim.world().web.remove(which.id)}))
}
