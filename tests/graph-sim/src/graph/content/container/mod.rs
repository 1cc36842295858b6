//! `POST /{ig}/media`, and containers as nodes.

use serde_json::{Value, json};

use super::super::error::GraphError;
use super::super::request;
use super::super::session::Call;
use super::{Kind as NodeKind, created, params, rights, unsupported};
use crate::media::fetch::{Expected, Failure, Fetched};
use crate::media::{self, Media};
use crate::world::World;
use crate::world::instagram::MAX_CONTAINERS;
use crate::world::instagram::container::{Container, Kind, StatusCode};

mod checks;

/// `POST /{ig}/media`: fetches the file and creates a container.
///
/// # Errors
/// Returns 100 for a wrong parameter, and Instagram's own codes for a picture that cannot be fetched or used. Problems
/// of videos are found later: the container then ends in `ERROR`.
pub(super) fn create(call: &mut Call<'_>, account_id: &str) -> Result<Value, GraphError> {
    rights::publish_on_instagram(call, account_id, account_id)?;
    let kind = checks::kind(call.request)?;
    let is_item = params::flag(call.request, "is_carousel_item")?.unwrap_or(false);
    checks::parameters(call.request, kind, is_item)?;
    if call.world.recent_containers(account_id) >= MAX_CONTAINERS {
        return Err(quota_reached());
    }
    let now = call.world.clock.now_ms();
    let mut container = Container {
        id: String::new(),
        account_id: account_id.to_owned(),
        kind,
        is_item,
        caption: params::text(call.request, "caption"),
        url: None,
        children: Vec::new(),
        alt_text: params::text(call.request, "alt_text"),
        share_to_feed: params::flag(call.request, "share_to_feed")?.unwrap_or(true),
        created_ms: now,
        ready_ms: None,
        problem: None,
        medium_id: None,
        missing_reads: 0,
    };
    let resumable = call.request.param("upload_type") == Some("resumable");
    if kind == Kind::Carousel {
        container.children = children(call, account_id)?;
        container.ready_ms = Some(now + call.world.content.settings.image_ms);
    } else if !resumable {
        let name = if kind.is_video() { "video_url" } else { "image_url" };
        let url = params::text(call.request, name).unwrap_or_default();
        if !fill(call, &mut container, &url)? {
            return Ok(Value::Null);
        }
    }
    let id = call.world.add_container(container);
    let mut answer = json!({ "id": id });
    if resumable {
        let uri = format!("{}/ig-api-upload/v{}.0/{id}", call.world.public_url, call.version);
        answer = json!({"id": id, "uri": uri});
    }
    Ok(created(call, NodeKind::Container, &id, answer))
}

/// Fetches the files of a container. Returns whether they are there.
fn fill(call: &mut Call<'_>, container: &mut Container, url: &str) -> Result<bool, GraphError> {
    if !url.is_ascii() {
        return Err(not_fetched());
    }
    let kind = container.kind;
    let cover = params::text(call.request, "cover_url").filter(|_| kind == Kind::Reel);
    let file = call.download(url, if kind.is_video() { Expected::Video } else { Expected::InstagramPicture });
    let cover = cover.map(|cover| call.download(&cover, Expected::InstagramPicture));
    if file.is_none() || cover.as_ref().is_some_and(Option::is_none) {
        return Ok(false);
    }
    // Meta does not follow redirects here.
    let direct = |fetched: &Fetched| !fetched.redirected;
    if let Some(cover) = cover.flatten() {
        let cover = cover.ok().filter(direct).ok_or_else(not_fetched)?;
        checks::image(&cover.media, Kind::StoryImage)?;
    }
    container.url = Some(url.to_owned());
    let timed_out = matches!(file, Some(Err(Failure::TimedOut)));
    let file = file.and_then(Result::ok).filter(direct).map(|fetched| fetched.media);
    match file {
        Some(media) if kind.is_video() => process(call.world, container, &media),
        Some(media) => {
            checks::image(&media, kind)?;
            process(call.world, container, &media);
        }
        None if kind.is_video() => {
            container.ready_ms = Some(container.created_ms + call.world.content.settings.video_ms);
            // 2207003: the download took too long. 2207077: the video could not be downloaded.
            container.problem = Some(if timed_out { 2_207_003 } else { 2_207_077 });
        }
        None if timed_out => return Err(GraphError::injected(-2, Some(2_207_003), None, None)),
        None => return Err(not_fetched()),
    }
    Ok(true)
}

/// Starts the processing of a container's file.
fn process(world: &World, container: &mut Container, media: &Media) {
    let settings = &world.content.settings;
    let usual = if container.kind.is_video() { settings.video_ms } else { settings.image_ms };
    container.ready_ms = Some(world.clock.now_ms() + media.processing_ms.unwrap_or(usual));
    let problem = container.kind.is_video().then(|| checks::video_problem(media, container.kind)).flatten();
    container.problem = media.processing_error.or(problem);
}

/// Takes the file of a resumable upload.
pub(super) fn receive(call: &mut Call<'_>, container_id: &str, media: &Media) {
    let Some(mut container) = call.world.instagram.container(container_id).cloned() else { return };
    process(call.world, &mut container, media);
    if !container.kind.is_video() && media.kind != media::Kind::Jpeg {
        container.problem = Some(2_207_005);
    }
    if let Some(known) = call.world.instagram.container_mut(container_id) {
        *known = container;
    }
}

/// Returns the children of a carousel.
///
/// # Errors
/// Returns 100/2207028 for a wrong number of children, or for one that cannot be part of a carousel; 9007/2207027 for
/// one in progress, if that is configured.
fn children(call: &Call<'_>, account_id: &str) -> Result<Vec<String>, GraphError> {
    let ids = request::list(call.request.param("children").unwrap_or_default());
    if !(2..=10).contains(&ids.len()) {
        return Err(checks::not_a_carousel());
    }
    for id in &ids {
        let child = call.world.instagram.container(id).filter(|child| child.account_id == account_id && child.is_item);
        let child = child.ok_or_else(checks::not_a_carousel)?;
        match call.world.container_status(child).0 {
            StatusCode::InProgress if call.world.content.settings.carousel_needs_finished => {
                return Err(not_ready());
            }
            StatusCode::InProgress | StatusCode::Finished => {}
            StatusCode::Error | StatusCode::Expired | StatusCode::Published => {
                return Err(checks::not_a_carousel());
            }
        }
    }
    Ok(ids)
}

/// Checks that the caller may read the container.
///
/// # Errors
/// As for its account; 100/33 for the first reads, if that is configured.
pub(super) fn check_readable(call: &mut Call<'_>, id: &str) -> Result<(), GraphError> {
    let account_id = call.world.instagram.container(id).map(|container| container.account_id.clone());
    rights::read_instagram(call, &account_id.unwrap_or_default(), id)?;
    let Some(container) = call.world.instagram.container_mut(id) else { return Ok(()) };
    if container.missing_reads > 0 {
        container.missing_reads -= 1;
        return Err(unsupported(call.request, id));
    }
    Ok(())
}

/// Checks that the caller may upload the container's file.
pub(super) fn check_writable(call: &Call<'_>, id: &str) -> Result<(), GraphError> {
    let account_id = call.world.instagram.container(id).map(|container| container.account_id.clone());
    rights::publish_on_instagram(call, &account_id.unwrap_or_default(), id)
}

/// Returns the value of a field. `None` if the container has no such value.
pub(super) fn value(world: &World, container_id: &str, field: &str) -> Option<Value> {
    let container = world.instagram.container(container_id)?;
    let (code, problem) = world.container_status(container);
    Some(match field {
        "status_code" => json!(code.name()),
        "status" => json!(status(code, problem)),
        "copyright_check_status" if container.kind.is_video() => {
            json!({"matches_found": false, "status": if code == StatusCode::InProgress { "in_progress" } else { "completed" }})
        }
        _ => return None,
    })
}

/// The sentence in `status`.
pub(crate) fn status(code: StatusCode, problem: Option<i64>) -> String {
    match (code, problem) {
        (StatusCode::InProgress, _) => "In Progress: Media is still being processed.".to_owned(),
        (StatusCode::Finished, _) => "Finished: Media has been uploaded and it is ready to be published.".to_owned(),
        (StatusCode::Published, _) => "Published: Media has already been published.".to_owned(),
        (StatusCode::Expired, _) => "Expired: Media was not published within 24 hours.".to_owned(),
        (StatusCode::Error, problem) => {
            format!("Error: Media upload has failed with error code {}", problem.unwrap_or(2_207_032))
        }
    }
}

/// 9004/2207052: the file could not be fetched.
pub(super) fn not_fetched() -> GraphError {
    GraphError::injected(9004, Some(2_207_052), None, None)
}

/// 9007/2207027: a container in progress.
pub(super) fn not_ready() -> GraphError {
    GraphError::injected(9007, Some(2_207_027), None, None)
}

/// 9/2207042: the daily quota.
pub(super) fn quota_reached() -> GraphError {
    GraphError::injected(9, Some(2_207_042), None, None)
}
