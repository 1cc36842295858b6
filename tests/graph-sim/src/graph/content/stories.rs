//! Stories of pages: `photo_stories`, `video_stories` and the list of both.

use serde_json::{Value, json};

use super::super::error::GraphError;
use super::super::paging::{self, EdgeQuery, Elements, Item};
use super::super::request;
use super::super::session::Call;
use super::{params, rights, video_upload};
use crate::world::content::post::Attached;
use crate::world::content::video::{Kind, Upload};

const STORIES: Elements = Elements { node_type: None, defaults: &[], max_limit: 100 };

/// `GET /{page}/stories`, newest first. Stories older than a day are archived.
pub(super) fn list(call: &mut Call<'_>, page_id: &str, query: &EdgeQuery) -> Result<Value, GraphError> {
    rights::read_page(call, page_id, page_id)?;
    let now = call.world.clock.now_ms();
    let (since, until) = params::period(query);
    let statuses = request::list(query.param("status").unwrap_or_default());
    let stories = call.world.content.stories_of(page_id).rev().filter_map(|story| {
        let status = if story.is_shown(now) { "PUBLISHED" } else { "ARCHIVED" };
        let created_s = story.created_ms.div_euclid(1000);
        let wanted = statuses.is_empty() || statuses.iter().any(|wanted| wanted.eq_ignore_ascii_case(status));
        if !wanted || !(since..=until).contains(&created_s) {
            return None;
        }
        let value = json!({
            "post_id": story.id, "status": status, "creation_time": created_s.to_string(),
            "media_type": if matches!(story.medium, Attached::Photo(_)) { "photo" } else { "video" },
            "media_id": story.medium.id(), "url": format!("https://facebook.com/stories/{page_id}/{}/", story.id),
        });
        Some((story.id.clone(), Item::Value(value)))
    });
    let items = stories.collect();
    paging::page(call, query, items, &STORIES)
}

/// `POST /{page}/photo_stories photo_id`.
///
/// # Errors
/// Returns 100 for a photo that is not staged on the page, 100/1366051 for one that was already used.
pub(super) fn photo(call: &mut Call<'_>, page_id: &str) -> Result<Value, GraphError> {
    rights::publish_on_page(call, page_id, page_id)?;
    let id = params::text(call.request, "photo_id")
        .ok_or_else(|| GraphError::invalid("(#100) The parameter photo_id is required"))?;
    let photo = call.world.content.photo(&id).filter(|photo| photo.page_id == page_id);
    let photo = photo.ok_or_else(|| GraphError::invalid("(#100) Param photo_id is not a photo of this page"))?;
    if !photo.staged || photo.post_id.is_some() {
        return Err(super::feed::already_posted());
    }
    Ok(published(call, page_id, Attached::Photo(id)))
}

/// `POST /{page}/video_stories`: start, upload ([`super::upload`]), finish.
///
/// # Errors
/// Returns 100 for an unknown phase or video, or a finish before the upload.
pub(super) fn video(call: &mut Call<'_>, page_id: &str) -> Result<Value, GraphError> {
    rights::publish_video(call, page_id, page_id)?;
    match call.request.param("upload_phase").map(str::to_ascii_lowercase).as_deref() {
        Some("start") => {
            let video = video_upload::new_video(call, page_id, Kind::Story, Upload::default());
            let id = call.world.add_video(video);
            Ok(json!({"video_id": id, "upload_url": super::upload::address(call, &id)}))
        }
        Some("finish") => finish(call, page_id),
        _ => Err(GraphError::invalid("(#100) Param upload_phase must be one of {START, FINISH}")),
    }
}

fn finish(call: &mut Call<'_>, page_id: &str) -> Result<Value, GraphError> {
    let id = params::text(call.request, "video_id")
        .ok_or_else(|| GraphError::invalid("(#100) The parameter video_id is required"))?;
    let video = call.world.content.video(&id).filter(|video| video.kind == Kind::Story && video.page_id == page_id);
    let Some(video) = video else { return Err(GraphError::not_visible("post", &id)) };
    match &video.file {
        None => return Err(GraphError::invalid("(#100) The video file has not been uploaded")),
        Some(file) if file.problem.is_some() => {
            return Err(GraphError::invalid("(#100) The video cannot be published as a story"));
        }
        Some(_) => {}
    }
    if video.post_id.is_some() {
        return Err(super::feed::already_posted());
    }
    Ok(published(call, page_id, Attached::Video(id)))
}

fn published(call: &mut Call<'_>, page_id: &str, medium: Attached) -> Value {
    let post_id = call.world.add_story(page_id, medium);
    json!({"success": true, "post_id": post_id})
}
