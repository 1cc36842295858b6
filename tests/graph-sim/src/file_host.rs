//! Meta's file hosts: the addresses of attachments. Those of WhatsApp need a token and end after five minutes.
//!
//! Faults reach them under the names `/attachments/{file}` and `/whatsapp_business/attachments`.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, Path, Query, State};
use axum::http::header::{AUTHORIZATION, CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::http::{HeaderMap, Response, StatusCode};
use axum::response::IntoResponse;
use axum::routing::get;

use crate::connection::Closer;
use crate::fault::{FaultKind, Hit};
use crate::graph::is_whatsapp_reader;
use crate::server::Sim;
use crate::world::World;
use crate::world::inbox::file::File;

pub(crate) fn router() -> Router<Arc<Sim>> {
    Router::new()
        .route("/attachments/{id}/{name}", get(attachment))
        .route("/whatsapp_business/attachments/", get(whatsapp))
}

/// Serves an attachment of Messenger or Instagram, without a token.
async fn attachment(
    State(sim): State<Arc<Sim>>,
    ConnectInfo(connection): ConnectInfo<Closer>,
    Path((id, name)): Path<(String, String)>,
) -> Response<Body> {
    let path = format!("/attachments/{id}/{name}");
    if let Err(response) = meet(&sim, &path, "/attachments/{file}", &connection).await {
        return response;
    }
    let world = sim.world();
    let now = world.clock.now_ms();
    match world.inbox.file(&id).filter(|file| file.number_id.is_none() && file.until_ms > now) {
        Some(file) => deliver(file),
        // Meta's hosts refuse an address that has ended.
        None => StatusCode::FORBIDDEN.into_response(),
    }
}

/// Serves a WhatsApp medium.
async fn whatsapp(
    State(sim): State<Arc<Sim>>,
    ConnectInfo(connection): ConnectInfo<Closer>,
    Query(query): Query<HashMap<String, String>>,
    headers: HeaderMap,
) -> Response<Body> {
    let value = |name: &str| query.get(name).map(String::as_str).unwrap_or_default();
    let path = format!("/whatsapp_business/attachments/{}", value("mid"));
    if let Err(response) = meet(&sim, &path, "/whatsapp_business/attachments", &connection).await {
        return response;
    }
    let world = sim.world();
    let now = world.clock.now_ms();
    let Some(file) = world.inbox.file(value("mid")) else { return StatusCode::NOT_FOUND.into_response() };
    let header = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    let token = header.and_then(|text| text.strip_prefix("Bearer ")).unwrap_or_default();
    if !may_read(&world, token, file) {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    match &file.address {
        Some((key, until_ms)) if key == value("hash") && *until_ms > now => deliver(file),
        _ => StatusCode::NOT_FOUND.into_response(),
    }
}

fn may_read(world: &World, token: &str, file: &File) -> bool {
    file.number_id.as_deref().is_some_and(|number_id| is_whatsapp_reader(world, token, number_id))
}

fn deliver(file: &File) -> Response<Body> {
    let disposition = format!("attachment; filename=\"{}\"", file.name.replace('"', ""));
    ([(CONTENT_TYPE, file.mime_type.clone()), (CONTENT_DISPOSITION, disposition)], file.bytes.clone()).into_response()
}

/// Counts a call and lets a fault hit it.
///
/// # Errors
/// Returns the response of the fault.
async fn meet(sim: &Sim, path: &str, name: &str, connection: &Closer) -> Result<(), Response<Body>> {
    let hit = {
        let mut world = sim.world();
        world.stats.called(&format!("GET {name}"));
        world.faults.strike("GET", [path, name])
    };
    match hit {
        None => Ok(()),
        Some(hit) => suffer(hit, connection).await,
    }
}

async fn suffer(hit: Hit, connection: &Closer) -> Result<(), Response<Body>> {
    let status = |usual: u16| StatusCode::from_u16(hit.status.unwrap_or(usual)).unwrap_or(StatusCode::BAD_GATEWAY);
    Err(match hit.kind {
        FaultKind::Slow => {
            hit.hold().await;
            return Ok(());
        }
        FaultKind::Timeout => {
            tokio::time::sleep(Duration::from_millis(hit.hold_ms)).await;
            StatusCode::GATEWAY_TIMEOUT.into_response()
        }
        FaultKind::Close => {
            connection.close();
            StatusCode::BAD_GATEWAY.into_response()
        }
        FaultKind::Garbage => (status(200), "Service Unavailable").into_response(),
        FaultKind::Error => status(503).into_response(),
        FaultKind::Throttle => status(429).into_response(),
    })
}
