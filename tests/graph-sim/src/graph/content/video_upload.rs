//! `POST /{page}/videos`: a video as a whole, or in parts.

use serde_json::{Value, json};

use super::super::error::GraphError;
use super::super::session::Call;
use super::{Kind, created, feed, params, post, rights, success};
use crate::media::fetch::Expected;
use crate::media::{self, Media};
use crate::world::content::video::{Kind as VideoKind, Publication, Upload, Video};

/// The size of the parts that Meta asks for.
const PART: u64 = 1024 * 1024;

/// `POST /{page}/videos`. The answer is a video, not a post.
///
/// # Errors
/// Returns 100 for a schedule without `published=false` or an unknown phase, 389 for a file that cannot be fetched,
/// 352/1349125 for one that is no video. (The last two codes are unconfirmed.)
pub(super) fn create(call: &mut Call<'_>, page_id: &str) -> Result<Value, GraphError> {
    rights::publish_video(call, page_id, page_id)?;
    match call.request.param("upload_phase") {
        None => whole(call, page_id),
        Some("start") => start(call, page_id),
        Some("transfer") => transfer(call, page_id),
        Some("finish") => finish(call, page_id),
        Some("cancel") => cancel(call, page_id),
        Some(other) => Err(GraphError::invalid(format!(
            "(#100) Param upload_phase must be one of {{start, transfer, finish, cancel}} - got \"{other}\"."
        ))),
    }
}

/// A file in the request or on the web.
fn whole(call: &mut Call<'_>, page_id: &str) -> Result<Value, GraphError> {
    let publication = publication(call, page_id)?;
    let url = params::text(call.request, "file_url");
    let media = match (call.request.file("source"), &url) {
        (Some(bytes), _) => Media::examine(bytes),
        (None, Some(url)) => match call.download(url, Expected::Video) {
            None => return Ok(Value::Null),
            Some(Ok(fetched)) => fetched.media,
            Some(Err(_)) => return Err(GraphError::new(400, 389, "(#389) Unable to fetch video file from URL.")),
        },
        (None, None) => {
            return Err(GraphError::invalid("(#100) You must provide file_url or a file as source"));
        }
    };
    check_video(&media)?;
    let video = new_video(call, page_id, VideoKind::Video, Upload::default());
    let id = call.world.add_video(Video { url, ..video });
    call.world.video_arrived(&id, media, None);
    call.world.video_finished(&id, publication);
    Ok(created(call, Kind::Video, &id, json!({ "id": id })))
}

fn start(call: &mut Call<'_>, page_id: &str) -> Result<Value, GraphError> {
    let file_size: u64 = call
        .request
        .param("file_size")
        .and_then(|text| text.parse().ok())
        .filter(|size| *size > 0)
        .ok_or_else(|| GraphError::invalid("(#100) Param file_size must be a positive integer"))?;
    let session = call.world.ids.content();
    let upload = Upload { session: Some(session.clone()), file_size, bytes: Vec::new() };
    let video = new_video(call, page_id, VideoKind::Video, upload);
    let id = call.world.add_video(video);
    Ok(json!({
        "video_id": id, "upload_session_id": session,
        "start_offset": "0", "end_offset": file_size.min(PART).to_string(),
    }))
}

/// Takes one part and returns the offsets of the next one; they are equal after the last one.
fn transfer(call: &mut Call<'_>, page_id: &str) -> Result<Value, GraphError> {
    let id = session(call, page_id)?;
    let part = call.request.file("video_file_chunk").cloned();
    let part = part.ok_or_else(|| GraphError::invalid("(#100) The parameter video_file_chunk is required"))?;
    let offset: Option<u64> = call.request.param("start_offset").and_then(|text| text.parse().ok());
    let Some(video) = call.world.content.video_mut(&id) else {
        return Err(GraphError::not_visible("post", page_id));
    };
    let received = u64::try_from(video.upload.bytes.len()).unwrap_or(u64::MAX);
    let fits = received + u64::try_from(part.len()).unwrap_or(u64::MAX) <= video.upload.file_size;
    if offset != Some(received) || !fits {
        let mut error = GraphError::new(400, 6001, "(#6001) There was a problem uploading your video file.")
            .with_subcode(1_363_037);
        error.for_user =
            Some(("Video Upload Error", "The start offset or the size of the part is not the expected one."));
        return Err(error);
    }
    video.upload.bytes.extend_from_slice(&part);
    let received = u64::try_from(video.upload.bytes.len()).unwrap_or(u64::MAX);
    let end = video.upload.file_size.min(received + PART);
    Ok(json!({"start_offset": received.to_string(), "end_offset": end.to_string()}))
}

fn finish(call: &mut Call<'_>, page_id: &str) -> Result<Value, GraphError> {
    let id = session(call, page_id)?;
    let publication = publication(call, page_id)?;
    let upload = call.world.content.video(&id).map(|video| video.upload.clone()).unwrap_or_default();
    if u64::try_from(upload.bytes.len()).unwrap_or(u64::MAX) < upload.file_size {
        return Err(GraphError::new(
            400,
            6000,
            "(#6000) There was a problem uploading your video file. Parts are missing.",
        )
        .with_subcode(1_363_019));
    }
    let media = Media::examine(&upload.bytes);
    check_video(&media)?;
    let (title, description) = texts(call);
    if let Some(video) = call.world.content.video_mut(&id) {
        video.title = title;
        video.description = description;
        video.upload.session = None;
    }
    call.world.video_arrived(&id, media, None);
    call.world.video_finished(&id, publication);
    Ok(success())
}

fn cancel(call: &mut Call<'_>, page_id: &str) -> Result<Value, GraphError> {
    let id = session(call, page_id)?;
    call.world.delete_video(&id);
    Ok(success())
}

/// Returns the video of the upload session in the request.
fn session(call: &Call<'_>, page_id: &str) -> Result<String, GraphError> {
    let wanted = call.request.param("upload_session_id").filter(|text| !text.is_empty());
    let wanted = wanted.ok_or_else(|| GraphError::invalid("(#100) The parameter upload_session_id is required"))?;
    let mut videos = call.world.content.videos_of(page_id);
    let video = videos.find(|video| video.upload.session.as_deref() == Some(wanted));
    video
        .map(|video| video.id.clone())
        .ok_or_else(|| GraphError::invalid("(#100) Param upload_session_id is not an open upload session of this page"))
}

/// Returns how the request wants its video to be published. Unlike for posts, a time without `published=false` is an
/// error.
pub(super) fn publication(call: &Call<'_>, page_id: &str) -> Result<Publication, GraphError> {
    let published = params::flag(call.request, "published")?.unwrap_or(true);
    if published && params::time(call.request, "scheduled_publish_time")?.is_some() {
        return Err(post::published_already());
    }
    let (status, scheduled_s) = feed::publication(call, page_id)?;
    Ok(Publication { status, scheduled_s })
}

fn check_video(media: &Media) -> Result<(), GraphError> {
    if media.kind == media::Kind::Video {
        return Ok(());
    }
    let message = "(#352) Sorry, the video file you selected is in a format that we don't support.";
    let mut error = GraphError::new(400, 352, message).with_subcode(1_349_125);
    error.for_user =
        Some(("Invalid Video Format", "The video file you selected is in a format that we don't support."));
    Err(error)
}

/// Returns title and description in the request.
pub(super) fn texts(call: &Call<'_>) -> (Option<String>, Option<String>) {
    (params::text(call.request, "title"), params::text(call.request, "description"))
}

/// Returns a video of this page without a file.
pub(super) fn new_video(call: &Call<'_>, page_id: &str, kind: VideoKind, upload: Upload) -> Video {
    let (title, description) = texts(call);
    Video {
        id: String::new(),
        page_id: page_id.to_owned(),
        kind,
        url: None,
        title,
        description,
        created_ms: call.world.clock.now_ms(),
        application: params::this_app(call),
        creator: params::creator(call),
        upload,
        file: None,
        publication: None,
        post_id: None,
    }
}
