//! `POST /{page}/video_reels`: start, upload ([`super::upload`]), finish.

use serde_json::{Value, json};

use super::super::error::GraphError;
use super::super::session::Call;
use super::{feed, params, rights, success, video_upload};
use crate::world::content::post::Status;
use crate::world::content::video::{Kind, Publication, Upload};

/// Reels per page and day through the API.
const MAX_PER_DAY: usize = 30;
const DAY_MS: i64 = 24 * 3600 * 1000;

/// `POST /{page}/video_reels`.
///
/// # Errors
/// Returns 100 for an unknown phase, video or state, a wrong time, or a finish before the upload; 368/1390008 above the
/// daily limit. (The latter code is unconfirmed.)
pub(super) fn create(call: &mut Call<'_>, page_id: &str) -> Result<Value, GraphError> {
    rights::publish_video(call, page_id, page_id)?;
    match call.request.param("upload_phase").map(str::to_ascii_lowercase).as_deref() {
        Some("start") => start(call, page_id),
        Some("finish") => finish(call, page_id),
        _ => Err(GraphError::invalid("(#100) Param upload_phase must be one of {START, FINISH}")),
    }
}

fn start(call: &mut Call<'_>, page_id: &str) -> Result<Value, GraphError> {
    let video = video_upload::new_video(call, page_id, Kind::Reel, Upload::default());
    let id = call.world.add_video(video);
    Ok(json!({"video_id": id, "upload_url": super::upload::address(call, &id)}))
}

fn finish(call: &mut Call<'_>, page_id: &str) -> Result<Value, GraphError> {
    let id = params::text(call.request, "video_id")
        .ok_or_else(|| GraphError::invalid("(#100) The parameter video_id is required"))?;
    let video = call.world.content.video(&id).filter(|video| video.kind == Kind::Reel && video.page_id == page_id);
    let Some(video) = video else { return Err(GraphError::not_visible("post", &id)) };
    if video.file.is_none() {
        return Err(GraphError::invalid("(#100) The video file has not been uploaded"));
    }
    if video.publication.is_some() {
        return Err(GraphError::invalid("(#100) The video was finished before"));
    }
    let publication = publication(call, page_id)?;
    let since = call.world.clock.now_ms() - DAY_MS;
    let reels =
        call.world.content.videos_of(page_id).filter(|video| video.kind == Kind::Reel && video.created_ms > since);
    let recent = reels.filter(|video| video.publication.is_some_and(|it| it.status != Status::Draft)).count();
    if publication.status != Status::Draft && recent >= MAX_PER_DAY {
        return Err(GraphError::injected(368, Some(1_390_008), None, None));
    }
    let (title, description) = video_upload::texts(call);
    if let Some(video) = call.world.content.video_mut(&id) {
        video.title = title.or(video.title.take());
        video.description = description.or(video.description.take());
    }
    call.world.video_finished(&id, publication);
    Ok(success())
}

fn publication(call: &Call<'_>, page_id: &str) -> Result<Publication, GraphError> {
    let scheduled_s = params::time(call.request, "scheduled_publish_time")?;
    match (call.request.param("video_state"), scheduled_s) {
        (Some("PUBLISHED"), _) => Ok(Publication { status: Status::Published, scheduled_s: None }),
        (Some("DRAFT"), _) => Ok(Publication { status: Status::Draft, scheduled_s: None }),
        (Some("SCHEDULED"), Some(at_s)) => {
            feed::check_time(call, page_id, at_s)?;
            Ok(Publication { status: Status::Scheduled, scheduled_s })
        }
        (Some("SCHEDULED"), None) => {
            Err(GraphError::invalid("(#100) The parameter scheduled_publish_time is required"))
        }
        _ => Err(GraphError::invalid("(#100) Param video_state must be one of {PUBLISHED, SCHEDULED, DRAFT}")),
    }
}
