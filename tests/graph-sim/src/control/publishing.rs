//! `/_sim/publishing` and `/_sim/instagram`: switches of publishing.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Body, Mistake, nullable};
use crate::server::Sim;
use crate::world::World;
use crate::world::web::PartialFiles;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Switches {
    /// Whether a repeated post is rejected with 506.
    rejects_repeats: Option<bool>,
    /// Maximum number of scheduled posts per page; `null` removes it.
    #[serde(default, deserialize_with = "nullable")]
    schedule_queue: Option<Option<usize>>,
    page_video_ms: Option<i64>,
    post_id_late_ms: Option<i64>,
    image_ms: Option<i64>,
    video_ms: Option<i64>,
    carousel_needs_finished: Option<bool>,
    missing_reads: Option<u32>,
    /// The error of a second publication of a container.
    republish: Option<Republish>,
    /// Where a picture that its host answers with 206 is accepted: `nowhere`, `instagram` or `everywhere`.
    partial_pictures: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Republish {
    code: i64,
    subcode: Option<i64>,
    status: Option<u16>,
}

/// Changes the given switches and returns all of them.
pub(crate) async fn change(State(sim): State<Arc<Sim>>, Body(input): Body<Switches>) -> Result<Json<Value>, Mistake> {
    let partial = match input.partial_pictures.as_deref() {
        None => None,
        Some(name) => Some(PartialFiles::named(name).ok_or_else(|| {
            Mistake::new(format!("partial_pictures: must be nowhere, instagram or everywhere, got \"{name}\""))
        })?),
    };
    let mut world = sim.world();
    let settings = &mut world.content.settings;
    settings.rejects_repeats = input.rejects_repeats.unwrap_or(settings.rejects_repeats);
    settings.schedule_queue = input.schedule_queue.unwrap_or(settings.schedule_queue);
    settings.page_video_ms = input.page_video_ms.unwrap_or(settings.page_video_ms);
    settings.post_id_late_ms = input.post_id_late_ms.unwrap_or(settings.post_id_late_ms);
    settings.image_ms = input.image_ms.unwrap_or(settings.image_ms);
    settings.video_ms = input.video_ms.unwrap_or(settings.video_ms);
    settings.carousel_needs_finished = input.carousel_needs_finished.unwrap_or(settings.carousel_needs_finished);
    settings.missing_reads = input.missing_reads.unwrap_or(settings.missing_reads);
    if let Some(republish) = input.republish {
        settings.republish = (republish.status.unwrap_or(400), republish.code, republish.subcode);
    }
    world.web.partial_files = partial.unwrap_or(world.web.partial_files);
    Ok(Json(report(&world)))
}

/// Returns the switches.
pub(crate) async fn read(State(sim): State<Arc<Sim>>) -> Json<Value> {
    Json(report(&sim.world()))
}

fn report(world: &World) -> Value {
    let settings = &world.content.settings;
    let (status, code, subcode) = settings.republish;
    json!({
        "rejects_repeats": settings.rejects_repeats, "schedule_queue": settings.schedule_queue,
        "page_video_ms": settings.page_video_ms, "post_id_late_ms": settings.post_id_late_ms,
        "image_ms": settings.image_ms, "video_ms": settings.video_ms,
        "carousel_needs_finished": settings.carousel_needs_finished, "missing_reads": settings.missing_reads,
        "republish": {"status": status, "code": code, "subcode": subcode},
        "partial_pictures": world.web.partial_files.name(),
    })
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct AccountInput {
    instagram_id: Option<String>,
    page_id: Option<String>,
    quota_total: Option<u64>,
    /// `false` if the page no longer shows the account.
    linked: Option<bool>,
    /// Whether the owner allows apps to access the messages.
    messages_allowed: Option<bool>,
}

/// Changes an Instagram account, named by its own id or by its page's.
pub(crate) async fn change_account(
    State(sim): State<Arc<Sim>>,
    Body(input): Body<AccountInput>,
) -> Result<Json<Value>, Mistake> {
    let mut world = sim.world();
    let account = world
        .instagram
        .accounts
        .values_mut()
        .find(|account| {
            input.instagram_id.as_ref().is_some_and(|id| *id == account.id)
                || input.page_id.as_ref().is_some_and(|id| *id == account.page_id)
        })
        .ok_or_else(|| Mistake::new("instagram_id or page_id: there is no such account"))?;
    account.quota = input.quota_total.unwrap_or(account.quota);
    account.linked = input.linked.unwrap_or(account.linked);
    account.messages_allowed = input.messages_allowed.unwrap_or(account.messages_allowed);
    Ok(Json(json!({
        "id": account.id, "page_id": account.page_id, "username": account.username, "linked": account.linked,
        "quota_total": account.quota, "messages_allowed": account.messages_allowed,
    })))
}
