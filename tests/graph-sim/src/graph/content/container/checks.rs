//! What Instagram requires of a container's parameters and files.

use serde_json::Value;

use super::super::super::error::GraphError;
use super::super::super::request::{self, Request};
use super::super::params;
use crate::media::{self, Media};
use crate::world::instagram::container::Kind;

const MAX_CAPTION: usize = 2200;
const MAX_HASHTAGS: usize = 30;
const MAX_MENTIONS: usize = 20;
const MAX_COLLABORATORS: usize = 3;
const MAX_ALT_TEXT: usize = 1000;
const MAX_IMAGE_BYTES: u64 = 8 * 1024 * 1024;
const MAX_REEL_BYTES: u64 = 300 * 1024 * 1024;
const MAX_STORY_BYTES: u64 = 100 * 1024 * 1024;
/// Width by height of a picture in the feed: 4:5 to 1.91:1.
const RATIOS: std::ops::RangeInclusive<f64> = 0.8..=1.91;

/// Returns what the container becomes.
///
/// # Errors
/// Returns 100 without a file, 100/2207023 for an unknown type, 100/2207067 for a single video that is no reel.
pub(super) fn kind(request: &Request) -> Result<Kind, GraphError> {
    let has = |name: &str| params::text(request, name).is_some();
    let resumable = request.param("upload_type") == Some("resumable");
    let item = params::flag(request, "is_carousel_item")?.unwrap_or(false);
    let kind = match params::text(request, "media_type").as_deref() {
        None | Some("IMAGE") if has("video_url") => return Err(wrong_type("The media type is required for videos.")),
        None | Some("IMAGE") => Kind::Image,
        Some("REELS") => Kind::Reel,
        Some("STORIES") if has("video_url") || (resumable && !has("image_url")) => Kind::StoryVideo,
        Some("STORIES") => Kind::StoryImage,
        Some("CAROUSEL") => Kind::Carousel,
        Some("VIDEO") if item => Kind::Video,
        Some("VIDEO") => {
            let mut error = GraphError::invalid("Invalid parameter").with_subcode(2_207_067);
            error.for_user = Some((
                "Media type no longer supported",
                "The VIDEO value for media_type is no longer supported. Use the REELS media type to publish a video \
                 to your Instagram feed.",
            ));
            return Err(error);
        }
        Some(_) => return Err(wrong_type("The media type is unknown.")),
    };
    let file = if kind.is_video() { "video_url" } else { "image_url" };
    if kind != Kind::Carousel && !has(file) && !resumable {
        return Err(GraphError::invalid(format!("(#100) The parameter {file} is required")));
    }
    Ok(kind)
}

fn wrong_type(text: &'static str) -> GraphError {
    let mut error = GraphError::invalid("Invalid parameter").with_subcode(2_207_023);
    error.for_user = Some(("Unknown media type", text));
    error
}

/// Checks the other parameters.
///
/// # Errors
/// Returns 100 for a parameter that this kind of container does not take, 100/2207010 for a long caption, 100/2207040
/// for too many tags, 100/2207018 for a name with `@`, 100/2207028 for a child that cannot be one, 1/2207057 for a wrong offset.
pub(super) fn parameters(request: &Request, kind: Kind, is_item: bool) -> Result<(), GraphError> {
    let has = |name: &str| params::text(request, name).is_some();
    if is_item && !matches!(kind, Kind::Image | Kind::Video) {
        return Err(not_a_carousel());
    }
    let forbidden: &[&str] = match kind {
        _ if is_item => &["caption", "location_id", "collaborators", "is_ai_generated"],
        Kind::StoryImage | Kind::StoryVideo => &["collaborators", "location_id"],
        Kind::Reel | Kind::Video => &["alt_text"],
        Kind::Image | Kind::Carousel => &[],
    };
    if let Some(name) = forbidden.iter().find(|name| has(name)) {
        return Err(GraphError::invalid(format!("(#100) param {name} is not allowed")));
    }
    let caption = request.param("caption").unwrap_or_default();
    let words_with =
        |mark: char| caption.split_whitespace().filter(|word| word.len() > 1 && word.starts_with(mark)).count();
    if caption.chars().count() > MAX_CAPTION || words_with('#') > MAX_HASHTAGS || words_with('@') > MAX_MENTIONS {
        let mut error = GraphError::invalid("Invalid parameter").with_subcode(2_207_010);
        error.for_user = Some((
            "Caption too long",
            "The caption was too long. It can have 2200 characters, 30 hashtags and 20 mentions.",
        ));
        return Err(error);
    }
    if request.param("alt_text").is_some_and(|text| text.chars().count() > MAX_ALT_TEXT) {
        return Err(GraphError::invalid("(#100) Param alt_text must be at most 1000 characters long"));
    }
    let collaborators = request::list(request.param("collaborators").unwrap_or_default());
    if collaborators.len() > MAX_COLLABORATORS {
        return Err(GraphError::invalid("(#100) Param collaborators must have at most 3 elements"));
    }
    if collaborators.iter().any(|name| name.starts_with('@')) {
        return Err(GraphError::invalid("Invalid parameter").with_subcode(2_207_018));
    }
    user_tags(request, kind)?;
    match request.param("thumb_offset").filter(|text| !text.is_empty()).map(str::parse::<u64>) {
        Some(Err(_)) => Err(GraphError::invalid("(#100) Param thumb_offset must be an integer")),
        Some(Ok(offset)) if offset > 15 * 60 * 1000 => Err(GraphError::injected(
            1,
            Some(2_207_057),
            Some(400),
            Some("Thumbnail offset is out of range".to_owned()),
        )),
        _ => Ok(()),
    }
}

/// Tags need positions on pictures, which are fractions of width and height.
fn user_tags(request: &Request, kind: Kind) -> Result<(), GraphError> {
    let Some(text) = params::text(request, "user_tags") else { return Ok(()) };
    let tags: Vec<Value> = request::json(&text)
        .ok_or_else(|| GraphError::invalid("(#100) Param user_tags must be an array of objects with a username"))?;
    let inside = |tag: &Value, name: &str| {
        tag.get(name).and_then(Value::as_f64).is_some_and(|position| (0.0..=1.0).contains(&position))
    };
    let placed = |tag: &Value| kind != Kind::Image || (inside(tag, "x") && inside(tag, "y"));
    if tags.iter().any(|tag| tag.get("username").and_then(Value::as_str).is_none() || !placed(tag)) {
        return Err(GraphError::invalid("Invalid parameter").with_subcode(2_207_036));
    }
    if tags.len() > MAX_MENTIONS {
        return Err(GraphError::invalid("Invalid parameter").with_subcode(2_207_040));
    }
    Ok(())
}

/// Checks a picture.
///
/// # Errors
/// Returns 9004/2207052 for a file that is no picture, 36001/2207005 for one that is not JPEG, 36000/2207004 for a
/// large one, 36003/2207009 for a wrong ratio.
pub(super) fn image(media: &Media, kind: Kind) -> Result<(), GraphError> {
    match media.kind {
        media::Kind::Jpeg => {}
        media::Kind::Other | media::Kind::Video => return Err(super::not_fetched()),
        _ => return Err(GraphError::injected(36_001, Some(2_207_005), None, None)),
    }
    if media.bytes > MAX_IMAGE_BYTES {
        return Err(GraphError::injected(36_000, Some(2_207_004), None, None));
    }
    // A tolerance of one percent: Meta accepts 1.91:1 in whole pixels.
    let fits =
        |ratio: f64| RATIOS.contains(&ratio) || RATIOS.contains(&(ratio * 1.01)) || RATIOS.contains(&(ratio * 0.99));
    if kind == Kind::Image && media.ratio().is_some_and(|ratio| !fits(ratio)) {
        return Err(GraphError::injected(36_003, Some(2_207_009), None, None));
    }
    Ok(())
}

/// Returns the subcode with which a video fails.
pub(super) fn video_problem(media: &Media, kind: Kind) -> Option<i64> {
    let story = kind == Kind::StoryVideo;
    if media.kind != media::Kind::Video {
        return Some(2_207_026);
    }
    if media.bytes > if story { MAX_STORY_BYTES } else { MAX_REEL_BYTES } {
        return Some(2_207_082);
    }
    let longest = if story { 60_000 } else { 15 * 60 * 1000 };
    let wrong_length = media.duration_ms.is_some_and(|length| !(3_000..=longest).contains(&length));
    let wrong_shape = media.size.is_some_and(|(width, _)| width > 1920)
        || media.ratio().is_some_and(|ratio| !(0.01..=10.0).contains(&ratio));
    (wrong_length || wrong_shape).then_some(2_207_026)
}

/// 100/2207028: a carousel with a wrong number of children, or with one that cannot be part of it.
pub(super) fn not_a_carousel() -> GraphError {
    let mut error = GraphError::invalid("Invalid parameter").with_subcode(2_207_028);
    error.for_user = Some((
        "Carousel validation failed",
        "Your post won't work as a carousel. Carousels need at least 2 and no more than 10 photos or videos.",
    ));
    error
}
