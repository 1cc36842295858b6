//! Uploads of videos, which Meta takes on `rupload.facebook.com`: bytes, or the address of a file, with the parameters
//! in headers and the token in `Authorization: OAuth …`.

use serde_json::{Value, json};
use url::Url;

use super::super::error::GraphError;
use super::super::session::{self, Call};
use super::{Kind, container, find, rights};
use crate::media::fetch::Expected;
use crate::media::{self, Media};
use crate::world::content::video::Kind as VideoKind;

/// `POST /video-upload/…/{video}` and `POST /ig-api-upload/…/{container}`.
///
/// # Errors
/// Returns 190 for a wrong token, 100/33 for another page's object, and errors in the form of that host.
pub(crate) fn receive(call: &mut Call<'_>, id: &str) -> Result<Value, GraphError> {
    let token = call.request.param("access_token").unwrap_or_default().to_owned();
    call.session = session::session_of(call.world, &token)?;
    let kind = find(call.world, id);
    match kind {
        Some(Kind::Video) => {
            let page_id = call.world.content.video(id).map(|video| video.page_id.clone()).unwrap_or_default();
            rights::publish_video(call, &page_id, id)?;
        }
        Some(Kind::Container) => container::check_writable(call, id)?,
        _ => return Err(GraphError::not_visible(&call.request.method, id)),
    }
    let (url, media) = match file(call, id)? {
        Some(file) => file,
        None => return Ok(Value::Null),
    };
    let already = match kind {
        Some(Kind::Video) => call.world.content.video(id).is_some_and(|video| video.file.is_some()),
        _ => call.world.instagram.container(id).is_some_and(|container| container.ready_ms.is_some()),
    };
    if already {
        return Err(GraphError::upload("ProcessingFailedError", "Request processing failed"));
    }
    if kind == Some(Kind::Container) {
        container::receive(call, id, &media);
        return Ok(json!({"success": true, "message": "Upload successful."}));
    }
    if let Some(video) = call.world.content.video_mut(id) {
        video.url = url;
    }
    let story = call.world.content.video(id).is_some_and(|video| video.kind == VideoKind::Story);
    let problem = problem(&media, story);
    call.world.video_arrived(id, media, problem);
    Ok(json!({"success": true}))
}

/// Returns the complete file: from an address, or from the parts received so far and this one. `None` while a file has
/// to be fetched.
fn file(call: &mut Call<'_>, id: &str) -> Result<Option<(Option<String>, Media)>, GraphError> {
    if let Some(url) = call.request.param("file_url").map(str::to_owned) {
        let hosts = ["fbcdn.net", "fbsbx.com", "cdninstagram.com"];
        let host = Url::parse(&url).ok().and_then(|url| url.host_str().map(str::to_owned)).unwrap_or_default();
        if hosts.iter().any(|own| host.ends_with(own)) {
            return Err(GraphError::upload("ProcessingFailedError", "The file cannot be hosted on Meta's own CDN"));
        }
        return match call.download(&url, Expected::Video) {
            None => Ok(None),
            Some(Ok(fetched)) => Ok(Some((Some(url), fetched.media))),
            Some(Err(_)) => Err(GraphError::upload("ProcessingFailedError", "The file could not be fetched")),
        };
    }
    let number = |name: &str| call.request.param(name).and_then(|text| text.parse::<usize>().ok());
    let (offset, file_size) = (number("offset"), number("file_size"));
    let bytes = call.request.file("source").cloned().unwrap_or_default();
    let (Some(offset), Some(file_size)) = (offset, file_size) else {
        return Err(GraphError::upload("PartialRequestError", "The headers offset and file_size are required"));
    };
    let received = call.world.upload_of(id);
    if offset != received.len() {
        return Err(GraphError::upload("OffsetInvalidError", "Request starting offset is invalid"));
    }
    received.extend_from_slice(&bytes);
    if received.len() != file_size {
        return Err(GraphError::upload("PartialRequestError", "Partial request (did not match length of file)"));
    }
    let media = Media::examine(received);
    *received = Vec::new();
    Ok(Some((None, media)))
}

/// Returns the address for the upload of a video.
pub(super) fn address(call: &Call<'_>, video_id: &str) -> String {
    format!("{}/video-upload/v{}.0/{video_id}", call.world.public_url, call.version)
}

/// Returns why a reel or story is rejected while it is processed.
fn problem(media: &Media, story: bool) -> Option<&'static str> {
    if media.kind != media::Kind::Video {
        return Some("The video file is in a format that is not supported");
    }
    let longest = if story { 60_000 } else { 90_000 };
    if media.duration_ms.is_some_and(|length| !(3_000..=longest).contains(&length)) {
        return Some("The length of the video is not supported");
    }
    if media.size.is_some_and(|(width, height)| width < 540 || height < 960 || width * 16 > height * 9 + 16) {
        return Some("The video has to be at least 540 by 960 pixels, in a ratio of 9:16");
    }
    None
}
