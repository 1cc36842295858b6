//! Videos and reels as nodes, and the lists of them.

use serde_json::{Map, Value, json};

use super::super::error::GraphError;
use super::super::node::Node;
use super::super::paging::{self, EdgeQuery, Elements, Item};
use super::super::session::Call;
use super::{Kind, feed, params, post, rights, success};
use crate::clock::graph_time;
use crate::world::World;
use crate::world::content::picture_address;
use crate::world::content::post::Status;
use crate::world::content::video::{Kind as VideoKind, Publication, Stage, Video};

const VIDEOS: Elements =
    Elements { node_type: Some("Video"), defaults: &["description", "updated_time", "id"], max_limit: 100 };

/// `GET /{page}/videos` and `video_reels`, newest first. `videos` shows only published ones.
pub(super) fn list(call: &mut Call<'_>, page_id: &str, edge: &str, query: &EdgeQuery) -> Result<Value, GraphError> {
    rights::read_page(call, page_id, page_id)?;
    params::check_limit(query)?;
    let (since, until) = params::period(query);
    let world = &call.world;
    let videos = world.content.videos_of(page_id).rev().filter(|video| {
        let listed = if edge == "video_reels" { video.kind == VideoKind::Reel } else { is_published(world, video) };
        listed && (since..=until).contains(&video.created_ms.div_euclid(1000))
    });
    let items =
        videos.map(|video| (video.id.clone(), Item::Node(Node::Content(Kind::Video, video.id.clone())))).collect();
    paging::page(call, query, items, &VIDEOS)
}

fn is_published(world: &World, video: &Video) -> bool {
    let post = video.post_id.as_deref().and_then(|id| world.content.post(id));
    post.is_some_and(crate::world::content::post::Post::is_published)
}

/// Returns the value of a field. `None` if the video has no such value.
pub(super) fn value(world: &World, video_id: &str, field: &str) -> Option<Value> {
    let video = world.content.video(video_id)?;
    let page = world.pages.get(&video.page_id)?;
    let media = video.file.as_ref().map(|file| &file.media);
    Some(match field {
        "title" => json!(video.title.as_deref()?),
        "description" => json!(video.description.as_deref()?),
        "created_time" | "updated_time" => json!(graph_time(video.created_ms)),
        "from" => json!({"id": page.id, "name": page.name}),
        "published" => json!(is_published(world, video)),
        "post_id" => json!(video.shown_post(world.clock.now_ms(), world.content.settings.post_id_late_ms)?),
        "permalink_url" => json!(video.permalink()),
        "scheduled_publish_time" => json!(graph_time(1000 * video.publication?.scheduled_s?)),
        "length" => {
            let length = media?.duration_ms?;
            json!(length / 1000)
        }
        "picture" | "icon" => json!(picture_address(video_id)),
        "source" => json!(format!("https://video.example/v/{video_id}.mp4")),
        "embeddable" | "is_instagram_eligible" => json!(true),
        "status" => status(world, video),
        _ => return None,
    })
}

/// The phases of upload, processing and publication. `bytes_transfered` is Meta's spelling.
fn status(world: &World, video: &Video) -> Value {
    let now = world.clock.now_ms();
    let stage = video.stage(now);
    let arrived = video.file.as_ref().map(|file| file.media.bytes);
    let bytes = arrived.unwrap_or_else(|| world.content.received_bytes(video));
    let uploading = match (stage, bytes) {
        (Stage::Uploading, 0) => "not_started",
        (Stage::Uploading, _) => "in_progress",
        _ => "complete",
    };
    let mut processing = Map::new();
    let name = match stage {
        Stage::Uploading => "not_started",
        Stage::Processing => "in_progress",
        Stage::Failed => "error",
        Stage::Ready => "complete",
    };
    processing.insert("status".to_owned(), json!(name));
    if let (Stage::Failed, Some(problem)) = (stage, video.file.as_ref().and_then(|file| file.problem)) {
        processing.insert("error".to_owned(), json!({"message": problem}));
    }
    json!({
        "video_status": match stage {
            Stage::Uploading => "uploading",
            Stage::Processing => "processing",
            Stage::Failed => "error",
            Stage::Ready => "ready",
        },
        "uploading_phase": {"status": uploading, "bytes_transfered": bytes},
        "processing_phase": processing,
        "publishing_phase": publishing(world, video, stage),
    })
}

fn publishing(world: &World, video: &Video, stage: Stage) -> Value {
    let post = video.post_id.as_deref().and_then(|id| world.content.post(id));
    if let Some(post) = post.filter(|post| post.is_published()) {
        return json!({"status": "complete", "publish_status": "published", "publish_time": post.shown_ms().div_euclid(1000)});
    }
    let Some(publication) = video.publication else { return json!({"status": "not_started"}) };
    let mut phase = Map::new();
    phase.insert("status".to_owned(), json!(if stage == Stage::Failed { "error" } else { "not_started" }));
    let name = match (stage, publication.status) {
        (Stage::Failed, _) => "error",
        (_, Status::Scheduled) => "scheduled",
        (_, Status::Published) => return Value::Object(phase),
        (_, Status::Draft | Status::Unpublished) => "draft",
    };
    phase.insert("publish_status".to_owned(), json!(name));
    if let Some(at_s) = publication.scheduled_s {
        phase.insert("publish_time".to_owned(), json!(at_s));
    }
    Value::Object(phase)
}

/// `POST /{video}`: changes title and description, or publishes or schedules an unpublished one.
///
/// # Errors
/// Returns 100 for a time outside of the window, or for a published video.
pub(super) fn update(call: &mut Call<'_>, video_id: &str) -> Result<Value, GraphError> {
    let Some(video) = call.world.content.video(video_id) else {
        return Err(GraphError::not_visible("post", video_id));
    };
    let (page_id, post_id) = (video.page_id.clone(), video.post_id.clone());
    let is_published = is_published(call.world, video);
    rights::publish_video(call, &page_id, video_id)?;
    let publish = params::flag(call.request, "published")? == Some(true) && !is_published;
    let time = params::time(call.request, "scheduled_publish_time")?;
    if let Some(at_s) = time {
        if is_published || publish {
            return Err(post::published_already());
        }
        feed::check_time(call, &page_id, at_s)?;
    }
    let titles = ["title", "name"].map(|name| params::text(call.request, name));
    let description = params::text(call.request, "description");
    if let Some(video) = call.world.content.video_mut(video_id) {
        video.title = titles.into_iter().flatten().next().or(video.title.take());
        video.description = description.or(video.description.take());
    }
    match (post_id, publish, time) {
        (Some(post_id), true, _) => call.world.publish_post(&post_id),
        (Some(post_id), false, Some(at_s)) => call.world.reschedule(&post_id, at_s),
        (None, true, _) => {
            call.world.video_finished(video_id, Publication { status: Status::Published, scheduled_s: None });
        }
        (None, false, Some(_)) => {
            call.world.video_finished(video_id, Publication { status: Status::Scheduled, scheduled_s: time });
        }
        (_, false, None) => {}
    }
    Ok(success())
}

/// `DELETE /{video}`: deletes it with its post.
pub(super) fn delete(call: &mut Call<'_>, video_id: &str) -> Result<Value, GraphError> {
    let page_id = call.world.content.video(video_id).map(|video| video.page_id.clone()).unwrap_or_default();
    rights::publish_video(call, &page_id, video_id)?;
    call.world.delete_video(video_id);
    Ok(success())
}
